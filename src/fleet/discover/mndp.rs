//! MNDP: what a RouterOS device says of itself to its neighbours, read from bytes that anybody may have sent.
//!
//! A question is four zero bytes. An announcement is a header (two bytes of flags, a sequence number) and parts, each a
//! big-endian type and length and its bytes; the uptime alone is little-endian. A packet that lies about its lengths is
//! not read at all: half of it would be somebody's guess.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/24805517/Neighbor+discovery>, and packets of routers.

use crate::base::ids::hex;
use crate::shape::untrusted;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Where it is spoken, UDP.
pub const PORT: u16 = 5678;
/// Asks everybody who hears it to announce itself now.
pub const QUESTION: [u8; 4] = [0; 4];
/// No announcement is longer: one Ethernet frame.
pub const PACKET_MAX: usize = 1_500;

const HEADER: usize = 4;
/// Parts of one packet that are looked at; routers send about ten.
const PARTS_MAX: usize = 32;
/// The longest text kept, characters; an identity has at most 64.
const TEXT_MAX: usize = 64;

/// One announcement. All of it is hearsay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Announcement {
    /// Of the interface it left by: `B8:69:F4:01:02:03`.
    pub mac: Option<String>,
    /// The router's name.
    pub identity: Option<String>,
    /// `7.20.5 (stable) 2025-10-20 09:12:33`.
    pub version: Option<String>,
    /// `MikroTik`.
    pub platform: Option<String>,
    /// `RB5009UG+S+`.
    pub board: Option<String>,
    /// Of the licence.
    pub software_id: Option<String>,
    /// The interface it left by, there: `ether1`, `bridge/ether2`.
    pub interface: Option<String>,
    /// Seconds since it started.
    pub uptime_seconds: Option<u32>,
    /// An address it says it has.
    pub ipv4: Option<Ipv4Addr>,
    /// Another.
    pub ipv6: Option<Ipv6Addr>,
    /// Some text of it was cut, or held what nobody sees.
    pub altered: bool,
}

impl Announcement {
    /// Reads a packet. None for questions, for what is no announcement, and for what lies about its lengths.
    pub fn parse(packet: &[u8]) -> Option<Announcement> {
        if packet.len() > PACKET_MAX {
            return None;
        }
        let mut rest = packet.get(HEADER..)?;
        let mut said = Announcement::default();
        let mut parts = 0;
        while !rest.is_empty() {
            parts += 1;
            let (kind, length) = (word(rest, 0)?, usize::from(word(rest, 2)?));
            let value = rest.get(4..4 + length).filter(|_| parts <= PARTS_MAX)?;
            rest = &rest[4 + length..];
            said.take(kind, value)?;
        }
        (said.mac.is_some() || said.identity.is_some()).then_some(said)
    }

    /// One part; of two of a kind the first counts. None when it cannot be what it says.
    fn take(&mut self, kind: u16, value: &[u8]) -> Option<()> {
        match kind {
            1 => {
                let bytes: [u8; 6] = value.try_into().ok()?;
                self.mac.get_or_insert_with(|| mac(bytes));
            }
            10 => {
                let bytes: [u8; 4] = value.try_into().ok()?;
                self.uptime_seconds.get_or_insert(u32::from_le_bytes(bytes));
            }
            15 => {
                let bytes: [u8; 16] = value.try_into().ok()?;
                self.ipv6.get_or_insert(bytes.into());
            }
            17 => {
                let bytes: [u8; 4] = value.try_into().ok()?;
                self.ipv4.get_or_insert(bytes.into());
            }
            5 => self.altered |= text(&mut self.identity, value),
            7 => self.altered |= text(&mut self.version, value),
            8 => self.altered |= text(&mut self.platform, value),
            11 => self.altered |= text(&mut self.software_id, value),
            12 => self.altered |= text(&mut self.board, value),
            16 => self.altered |= text(&mut self.interface, value),
            // Kinds to come.
            _ => {}
        }
        Some(())
    }
}

/// Keeps a text if there is none yet; whether it is another than was sent.
fn text(into: &mut Option<String>, bytes: &[u8]) -> bool {
    if into.is_some() || bytes.is_empty() {
        return false;
    }
    let sent = String::from_utf8_lossy(bytes);
    let visible = untrusted::strip(&sent);
    let kept = untrusted::cut(&visible, TEXT_MAX).into_owned();
    let altered = kept.as_bytes() != bytes;
    *into = Some(kept);
    altered
}

fn mac(bytes: [u8; 6]) -> String {
    let digits = hex(&bytes).to_ascii_uppercase();
    (0..6).map(|at| &digits[at * 2..at * 2 + 2]).collect::<Vec<_>>().join(":")
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A packet of these parts.
    pub(in crate::fleet::discover) fn packet(parts: &[(u16, &[u8])]) -> Vec<u8> {
        let mut packet = vec![0, 0, 0, 7];
        for (kind, value) in parts {
            packet.extend(kind.to_be_bytes());
            packet.extend((value.len() as u16).to_be_bytes());
            packet.extend(*value);
        }
        packet
    }

    /// As a router announces itself.
    fn usual() -> Vec<u8> {
        packet(&[
            (1, &[0xb8, 0x69, 0xf4, 1, 2, 3]),
            (5, b"edge-7"),
            (7, b"7.20.5 (stable)"),
            (8, b"MikroTik"),
            (10, &[0x10, 0x0e, 0, 0]),
            (11, b"ABCD-1234"),
            (12, b"RB5009UG+S+"),
            (14, &[0]),
            (15, &[0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]),
            (16, b"bridge/ether2"),
            (17, &[192, 0, 2, 7]),
        ])
    }

    #[test]
    fn an_announcement_reads_as_the_router_meant_it() {
        let said = Announcement::parse(&usual()).unwrap();
        assert_eq!(said.mac.as_deref(), Some("B8:69:F4:01:02:03"));
        assert_eq!((said.identity.as_deref(), said.board.as_deref()), (Some("edge-7"), Some("RB5009UG+S+")));
        assert_eq!(said.uptime_seconds, Some(3_600), "the uptime is little-endian");
        assert_eq!((said.ipv4.unwrap().to_string().as_str(), said.interface.as_deref()), ("192.0.2.7", Some("bridge/ether2")));
        assert!(!said.altered);
    }

    #[test]
    fn questions_and_packets_that_say_nothing_are_no_announcements() {
        assert_eq!(Announcement::parse(&QUESTION), None);
        for nothing in [&[][..], &[0, 0, 0], &packet(&[(7, b"7.20")]), &packet(&[(1, b"short"), (5, b"x")]), &[7; 2_000]] {
            assert_eq!(Announcement::parse(nothing), None);
        }
    }

    #[test]
    fn text_loses_what_nobody_sees_is_cut_and_marked() {
        let long = "x".repeat(1_000);
        for hostile in ["edge\u{1b}[2J\n7", "a\u{202e}b", "\u{0}", long.as_str()] {
            let said = Announcement::parse(&packet(&[(5, hostile.as_bytes()), (5, b"second")])).unwrap();
            let identity = said.identity.unwrap();
            assert!(said.altered, "{hostile:?}");
            assert!(identity.chars().count() <= TEXT_MAX && !identity.chars().any(char::is_control) && !identity.contains('\u{202e}'));
        }
        let broken = Announcement::parse(&packet(&[(5, b"caf\xe9")])).unwrap();
        assert!(broken.altered && broken.identity.as_deref() == Some("caf\u{fffd}"));
    }

    #[test]
    fn a_packet_cut_anywhere_inside_a_part_is_not_read() {
        let whole = usual();
        let mut ends = vec![HEADER];
        let mut at = HEADER;
        while at < whole.len() {
            at += 4 + usize::from(u16::from_be_bytes([whole[at + 2], whole[at + 3]]));
            ends.push(at);
        }
        for cut in HEADER..whole.len() {
            assert!(ends.contains(&cut) || Announcement::parse(&whole[..cut]).is_none(), "cut at {cut}");
        }
        let many: Vec<(u16, &[u8])> = std::iter::once((5, &b"x"[..])).chain((0..40).map(|_| (99, &b""[..]))).collect();
        assert_eq!(Announcement::parse(&packet(&many)), None, "nobody has so many parts");
    }

    proptest! {
        #[test]
        fn no_bytes_break_it_or_get_through_unseen(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
            if let Some(said) = Announcement::parse(&bytes) {
                for text in [said.identity, said.version, said.platform, said.board, said.software_id, said.interface].into_iter().flatten() {
                    prop_assert!(text.chars().count() <= TEXT_MAX && !text.chars().any(untrusted::is_unseen));
                }
            }
        }

        #[test]
        fn lengths_that_lie_are_refused(at in 0usize..11, length in 0u16..2_000) {
            let mut bytes = usual();
            let mut place = HEADER;
            for _ in 0..at {
                place += 4 + usize::from(u16::from_be_bytes([bytes[place + 2], bytes[place + 3]]));
            }
            let truth = u16::from_be_bytes([bytes[place + 2], bytes[place + 3]]);
            bytes[place + 2..place + 4].copy_from_slice(&length.to_be_bytes());
            let said = Announcement::parse(&bytes);
            if usize::from(length) > bytes.len() - place - 4 {
                prop_assert!(said.is_none());
            }
            if length == truth {
                prop_assert!(said.is_some());
            }
        }
    }
}
