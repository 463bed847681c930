//! Whether our packets still reach the router's services, and log in there: worked out from its tables as they are at this moment.
//!
//! | file | holds |
//! |---|---|
//! | `view.rs` | the tables |
//! | `wire.rs`, `bridge.rs` | from the port our frames arrive at to the interface IP sees them on, and back |
//! | `lists.rs`, `rule.rs`, `firewall.rs` | matchers, one rule, chains |
//! | `back.rs` | the route of an answer |
//! | `login.rs` | services and users |
//! | `gate.rs` | what that does to connections |
//! | `cases.rs`, `cases/` | edits that cut us off, and edits like them that do not |
//!
//! A packet of ours goes: port, bridge, VLAN; raw, mangle, destination NAT, input filter; the service. An answer goes: output filter,
//! route, the same interface back. Nothing here changes a table.

mod back;
mod bridge;
pub mod cases;
mod firewall;
mod gate;
mod lists;
mod login;
mod rule;
#[cfg(test)]
mod tests;
mod view;
mod wire;

pub(super) use gate::{Gate, admit};

use super::row::Row;
use super::world::World;
use firewall::{End, walk};
use login::{Kind, SERVICES};
use rule::{Packet, State};
use std::net::IpAddr;
use view::View;
use wire::Way;

/// What somebody finds who connects to a service and logs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It works.
    Open,
    /// No answer at all.
    Silent,
    /// The connection is reset.
    Refused,
    /// The connection is taken and closed without a word.
    Closed,
    /// The TLS handshake fails.
    NoTls,
    /// REST is switched off: 403.
    Forbidden,
    /// The login fails: 401.
    Unauthorized,
    /// The login works, but may do nothing: 500.
    NotPermitted,
}

/// One service, as seen from our place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reach {
    /// `www-ssl`, `www`, `ssh`, `api`.
    pub service: &'static str,
    /// What a new connection finds.
    pub verdict: Verdict,
    /// Why, in words: `dropped by /ip/firewall/filter input rule 5 (drop the rest)`. Empty when open.
    pub reason: String,
    /// Whether packets of connections that are already open still pass.
    pub keeps: bool,
}

/// All services, as seen from our place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lockout {
    /// One for each service.
    pub services: Vec<Reach>,
}

impl Lockout {
    /// What is known of one service.
    pub fn of(&self, service: &str) -> Option<&Reach> {
        self.services.iter().find(|s| s.service == service)
    }

    /// Whether a new connection to this service works, login included.
    pub fn is_open(&self, service: &str) -> bool {
        self.of(service).is_some_and(|s| s.verdict == Verdict::Open)
    }

    /// The services that work.
    pub fn open(&self) -> Vec<&'static str> {
        self.services.iter().filter(|s| s.verdict == Verdict::Open).map(|s| s.service).collect()
    }

    /// One line a service that does not work: `www-ssl: dropped by …`.
    pub fn reasons(&self) -> Vec<String> {
        self.services.iter().filter(|s| s.verdict != Verdict::Open).map(|s| format!("{}: {}", s.service, s.reason)).collect()
    }
}

/// All services as this user finds them. Without a password, the one the profile gave that user counts as known.
pub(super) fn report(world: &World, user: &str, password: Option<&str>) -> Lockout {
    let view = View::new(world);
    let given =
        view.pristine("/user").and_then(|rows| rows.iter().find(|r| r.get("name") == Some(user))?.get("password").map(String::from));
    let password = password.map(String::from).or(given);
    let services = SERVICES.iter().map(|kind| {
        let found = reaches(&view, *kind, State::New).and_then(|()| login::logs_in(&view, *kind, user, password.as_deref()));
        let (verdict, reason) = found.err().unwrap_or((Verdict::Open, String::new()));
        Reach { service: kind.name, verdict, reason, keeps: reaches(&view, *kind, State::Established).is_ok() }
    });
    Lockout { services: services.collect() }
}

/// What a new connection to the service finds before anybody logs in.
fn greets(world: &World, service: &str) -> Verdict {
    let kind = SERVICES.iter().find(|k| k.name == service);
    kind.map_or(Verdict::Refused, |kind| reaches(&View::new(world), *kind, State::New).err().map_or(Verdict::Open, |(v, _)| v))
}

/// Whether packets of an open connection to the service pass.
fn keeps(world: &World, service: &str) -> bool {
    let kind = SERVICES.iter().find(|k| k.name == service);
    kind.is_some_and(|kind| reaches(&View::new(world), *kind, State::Established).is_ok())
}

type Found = Result<(), (Verdict, String)>;

fn silent(why: String) -> (Verdict, String) {
    (Verdict::Silent, why)
}

/// A packet there and an answer back; of new connections also whether the service takes them.
fn reaches(view: &View<'_>, kind: Kind, state: State) -> Found {
    let way = wire::enter(view).map_err(silent)?;
    let from = view.world.seen_from();
    let router: IpAddr = view.world.model.management.parse().map_err(|_| silent("the profile has no management address".into()))?;
    if !back::is_local(view, router) {
        return Err(silent(format!("{router} is no address of the router any more")));
    }
    if view.enabled("/ip/hotspot").any(|h| h.get("interface") == Some(way.interface.as_str())) {
        return Err(silent(format!("a hotspot on {} catches who is not logged in there", way.interface)));
    }
    captured(view, from, router)?;
    let tracked = view.single("/ip/firewall/connection/tracking", "enabled") != Some("no");
    let mut packet = Packet {
        src: from,
        dst: router,
        service: kind.ports(view),
        ours: 50_000,
        coming: true,
        interface: way.interface.clone(),
        port: way.bridge.as_ref().map(|_| way.port.clone()),
        state: if tracked { state } else { State::Untracked },
        steered: false,
        connection_mark: String::new(),
        packet_mark: String::new(),
        routing_mark: String::new(),
        listed: Vec::new(),
    };
    // Twice: a rule may put us on a list on our first packet and another one drop us for it on the second.
    let first = packet.clone();
    comes_in(view, &mut packet)?;
    let mut second = Packet { listed: std::mem::take(&mut packet.listed), ..first };
    comes_in(view, &mut second)?;
    packet.listed = second.listed;
    goes_out(view, &way, &packet)?;
    if state == State::New { login::listens(view, kind, &way.interface) } else { Ok(()) }
}

fn passed(end: End) -> Found {
    match end {
        End::Dropped(why) => Err(silent(why)),
        End::Rejected(why) => Err((Verdict::Refused, why)),
        _ => Ok(()),
    }
}

fn comes_in(view: &View<'_>, packet: &mut Packet) -> Found {
    passed(walk(view, "/ip/firewall/raw", "prerouting", packet))?;
    let filter = view.single("/ip/settings", "rp-filter").unwrap_or("no");
    if filter != "no" {
        let (out, _) = back::route(view, packet.dst, packet.src, "").map_err(|why| silent(format!("rp-filter={filter}: {why}")))?;
        if filter == "strict" && out != packet.interface {
            return Err(silent(format!("rp-filter=strict: the route to {} goes by {out}, not {}", packet.src, packet.interface)));
        }
    }
    walk(view, "/ip/firewall/mangle", "prerouting", packet);
    // Addresses are translated as a connection starts; open ones stay as they are.
    if packet.state == State::New
        && let End::Steered(to, port, why) = walk(view, "/ip/firewall/nat", "dstnat", packet)
    {
        if !firewall::is_back_home(packet, to, port, |ip| back::is_local(view, ip)) {
            return Err(silent(why));
        }
        packet.dst = to.unwrap_or(packet.dst);
        packet.steered = true;
    }
    walk(view, "/ip/firewall/mangle", "input", packet);
    passed(walk(view, "/ip/firewall/filter", "input", packet))
}

fn goes_out(view: &View<'_>, way: &Way, came: &Packet) -> Found {
    let state = if came.state == State::Untracked { State::Untracked } else { State::Established };
    let mut answer = Packet {
        src: came.dst,
        dst: came.src,
        coming: false,
        state,
        routing_mark: String::new(),
        packet_mark: String::new(),
        ..came.clone()
    };
    let vrf = back::vrf_of(view, &way.interface);
    let table = if vrf == "main" { "" } else { vrf };
    if let Ok((out, _)) = back::route(view, answer.src, answer.dst, table) {
        answer.interface = out;
    }
    passed(walk(view, "/ip/firewall/raw", "output", &mut answer))?;
    walk(view, "/ip/firewall/mangle", "output", &mut answer);
    let mark = if answer.routing_mark.is_empty() { table.to_string() } else { answer.routing_mark.clone() };
    let (out, gateway) = back::route(view, answer.src, answer.dst, &mark).map_err(silent)?;
    answer.interface.clone_from(&out);
    passed(walk(view, "/ip/firewall/filter", "output", &mut answer))?;
    if view.world.beyond {
        return Ok(());
    }
    if out != way.interface {
        return Err(silent(format!("answers to {} leave by {out}, and we are on {}", answer.dst, way.interface)));
    }
    match gateway.filter(|g| *g != answer.dst) {
        Some(other) => Err(silent(format!("answers to {} are given to {other}, and we are on the same wire", answer.dst))),
        None => Ok(()),
    }
}

/// An IPsec policy that takes our packets or the answers for itself.
fn captured(view: &View<'_>, from: IpAddr, router: IpAddr) -> Found {
    let covers = |row: &Row, name: &str, ip| lists::has_address(row.get(name).filter(|v| !v.is_empty()).unwrap_or("0.0.0.0/0"), ip);
    let tcp = |row: &Row| row.get("protocol").is_none_or(|p| matches!(p, "all" | "tcp" | "6"));
    let taking = view
        .enabled("/ip/ipsec/policy")
        .find(|p| !p.is("template") && !p.is("default") && tcp(p) && covers(p, "src-address", router) && covers(p, "dst-address", from));
    match taking {
        Some(policy) if policy.get("action") != Some("none") => Err(silent("an /ip/ipsec/policy takes the answers to us".to_string())),
        _ => Ok(()),
    }
}
