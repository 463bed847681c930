//! Who lives on the networks of this machine: MNDP, asked and listened for while somebody waits, never at rest.
//!
//! What is heard is hearsay: it marks nothing as trusted, and a router is added by its fingerprints alone. A port that
//! another program has, or that we may not open, is said in the answer and hinders nothing else.

pub mod mndp;
pub mod table;

use crate::base::fault::Fault;
use crate::fleet::registry::Fleet;
use mndp::{Announcement, PACKET_MAX, QUESTION};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};
use std::sync::PoisonError;
use std::time::Duration;
use table::Neighbour;
use tokio::net::UdpSocket;
use tokio::time::Instant;

/// Packets looked at in one listening: a flood costs no more than that.
const PACKETS_MAX: usize = 50_000;
/// Networks that are asked each by itself.
const NETWORKS_MAX: usize = 64;

/// Where to listen, and whom to ask.
#[derive(Debug, Clone)]
pub struct Ears {
    /// Addresses to listen on.
    pub at: Vec<SocketAddr>,
    /// Addresses the question goes to, once.
    pub ask: Vec<SocketAddr>,
}

impl Ears {
    /// Every network of this machine.
    pub fn of_site(port: u16) -> Ears {
        let everybody = std::iter::once(Ipv4Addr::BROADCAST).chain(broadcasts(&read("/proc/net/route")));
        let mut ask: Vec<SocketAddr> = everybody.map(|ip| SocketAddr::new(ip.into(), port)).collect();
        let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
        ask.extend(interfaces().into_iter().map(|index| SocketAddr::V6(SocketAddrV6::new(all_nodes, port, 0, index))));
        let at = [IpAddr::V4(Ipv4Addr::UNSPECIFIED), IpAddr::V6(Ipv6Addr::UNSPECIFIED)].map(|ip| SocketAddr::new(ip, port));
        Ears { at: at.to_vec(), ask }
    }
}

/// What came of listening.
#[derive(Debug, Clone)]
pub struct Heard {
    /// Everybody heard lately.
    pub neighbours: Vec<Neighbour>,
    /// Why somebody may be missing.
    pub troubles: Vec<String>,
    /// How many of our networks were asked.
    pub asked: usize,
    /// Announcements without room since the start: a flood.
    pub dropped: u64,
}

impl Fleet {
    /// Asks all neighbours, listens for so long, and tells who was heard lately. With no time nothing is opened.
    ///
    /// One listens at a time; who comes meanwhile waits, and then asks again.
    pub async fn discover(&self, ears: Ears, time: Duration) -> Result<Heard, Fault> {
        let (mut troubles, mut asked) = (Vec::new(), 0);
        if !time.is_zero() {
            let _turn = self.shared.listening.acquire().await.map_err(Fault::bug)?;
            let until = Instant::now() + time;
            let mut sockets = Vec::new();
            for at in &ears.at {
                match open(*at) {
                    Ok(socket) => sockets.push(socket),
                    // A machine without IPv6 lacks nothing but that.
                    Err(error) if at.is_ipv6() && is_absent(&error) => {}
                    Err(error) => troubles.push(trouble(*at, &error)),
                }
            }
            for to in &ears.ask {
                for socket in &sockets {
                    if socket.local_addr().is_ok_and(|ours| ours.is_ipv4() == to.is_ipv4()) && socket.send_to(&QUESTION, to).await.is_ok() {
                        asked += 1;
                    }
                }
            }
            let listening = sockets.iter().map(|socket| self.hear(socket, until));
            let packets: usize = futures_util::future::join_all(listening).await.into_iter().sum();
            if packets >= PACKETS_MAX {
                troubles.push("so much was said that not all of it was heard: somebody floods this network".into());
            }
        }
        let mut table = self.shared.neighbours.lock().unwrap_or_else(PoisonError::into_inner);
        let neighbours = table.all(self.shared.clock.mono());
        Ok(Heard { neighbours, troubles, asked, dropped: table.dropped() })
    }

    /// Takes in what comes to a socket; how many packets that were.
    async fn hear(&self, socket: &UdpSocket, until: Instant) -> usize {
        let mut buffer = [0; PACKET_MAX + 1];
        let mut packets = 0;
        while packets < PACKETS_MAX {
            let Ok(came) = tokio::time::timeout_at(until, socket.recv_from(&mut buffer)).await else { break };
            packets += 1;
            // An error is an answer to a question of ours (nobody there); the next packet is as good.
            let Ok((length, from)) = came else { continue };
            let Some(said) = buffer.get(..length).and_then(Announcement::parse) else { continue };
            let (mono, wall) = (self.shared.clock.mono(), self.shared.clock.wall());
            self.shared.neighbours.lock().unwrap_or_else(PoisonError::into_inner).hear(from.ip().to_canonical(), said, mono, wall);
        }
        packets
    }
}

/// A socket of its family alone: both may have the same port.
fn open(at: SocketAddr) -> io::Result<UdpSocket> {
    let family = if at.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let socket = rustix::net::socket_with(family, SocketType::DGRAM, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    if at.is_ipv6() {
        sockopt::set_ipv6_v6only(&socket, true)?;
    } else {
        sockopt::set_socket_broadcast(&socket, true)?;
    }
    rustix::net::bind(&socket, &at)?;
    UdpSocket::from_std(std::net::UdpSocket::from(socket))
}

fn is_absent(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::AddrNotAvailable || error.raw_os_error() == Some(rustix::io::Errno::AFNOSUPPORT.raw_os_error())
}

fn trouble(at: SocketAddr, error: &io::Error) -> String {
    let family = if at.is_ipv4() { "IPv4" } else { "IPv6" };
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("UDP port {} ({family}) is taken by another program of this machine; nothing was heard there", at.port())
        }
        io::ErrorKind::PermissionDenied => format!("this process may not open UDP port {} ({family}); nothing was heard there", at.port()),
        _ => format!("UDP port {} ({family}) cannot be opened: {error}", at.port()),
    }
}

/// The kernel's own tables; empty where there are none.
fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// The broadcast address of each network this machine is on, from `/proc/net/route`: a packet to 255.255.255.255 leaves by one
/// interface alone.
fn broadcasts(routes: &str) -> Vec<Ipv4Addr> {
    let hexadecimal = |text: &str| u32::from_str_radix(text, 16).ok().map(u32::swap_bytes);
    let of_line = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (interface, to, by, mask) =
            (*fields.first()?, hexadecimal(fields.get(1)?)?, hexadecimal(fields.get(2)?)?, hexadecimal(fields.get(7)?)?);
        let is_network = by == 0 && to != 0 && mask != 0 && mask.leading_ones() <= 30 && interface != "lo";
        is_network.then(|| Ipv4Addr::from_bits(to | !mask))
    };
    let mut found: Vec<Ipv4Addr> = routes.lines().skip(1).filter_map(of_line).take(NETWORKS_MAX).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// Indices of the interfaces that may have neighbours.
fn interfaces() -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/sys/class/net") else { return Vec::new() };
    let named = entries.flatten().filter(|entry| entry.file_name() != "lo").take(NETWORKS_MAX);
    named.filter_map(|entry| std::fs::read_to_string(entry.path().join("ifindex")).ok()?.trim().parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_network_of_a_machine_is_asked_at_its_broadcast_address() {
        let routes = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n\
            eth0\t00000000\t0158A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
            eth0\t0058A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n\
            wg0\t0200000A\t00000000\t0001\t0\t0\t0\tFFFFFFFF\t0\t0\t0\n\
            br0\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\nbroken line\n";
        assert_eq!(broadcasts(routes), ["10.0.255.255", "192.168.88.255"].map(|ip| ip.parse::<Ipv4Addr>().unwrap()));
        assert_eq!(broadcasts(""), Vec::<Ipv4Addr>::new());
    }

    #[test]
    fn what_stands_in_the_way_is_said_in_words() {
        let at: SocketAddr = "0.0.0.0:5678".parse().unwrap();
        assert!(trouble(at, &io::ErrorKind::AddrInUse.into()).contains("another program"));
        assert!(trouble(at, &io::ErrorKind::PermissionDenied.into()).contains("may not open"));
    }
}
