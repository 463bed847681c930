//! Neighbours heard of, in a table that neither a flood nor a liar can make grow, or empty.
//!
//! - A neighbour is a sender's address and the hardware address it names: a liar cannot write over what another sender said.
//! - One sender has few rows, the table has an end, and rows that were not heard for a while go.
//! - When it is full, a newcomer takes the place of another newcomer, by lot; who was heard over some time stays. Those take at
//!   most half of the table, so that somebody new always has a chance.

use crate::base::clock::Wall;
use crate::base::ids::random;
use crate::fleet::discover::mndp::Announcement;
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// Rows at most: with its texts a row has some 600 bytes.
pub const MOST: usize = 512;
/// Rows of one sender: a router may speak for several interfaces.
const OF_ONE_SENDER: usize = 8;
/// Who was not heard for so long is gone; routers speak up at least once a minute.
const GONE: Duration = Duration::from_secs(600);
/// Heard again after so long, somebody is no passer-by.
const SETTLES: Duration = Duration::from_secs(2);

/// Somebody who was heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Neighbour {
    /// Where the packet came from.
    pub from: IpAddr,
    /// What it said, last.
    pub said: Announcement,
    /// When it was heard first.
    pub first: Wall,
    /// When last.
    pub last: Wall,
    heard_at: (Duration, Duration),
    settled: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Table {
    rows: HashMap<(IpAddr, Option<String>), Neighbour>,
    dropped: u64,
}

impl Table {
    /// Takes an announcement in; `mono` and `wall` are now.
    pub fn hear(&mut self, from: IpAddr, said: Announcement, mono: Duration, wall: Wall) {
        let key = (from, said.mac.clone());
        let settled = self.rows.values().filter(|row| row.settled).count();
        if let Some(row) = self.rows.get_mut(&key) {
            row.settled = row.settled || (settled < MOST / 2 && mono.saturating_sub(row.heard_at.0) >= SETTLES);
            (row.said, row.last, row.heard_at.1) = (said, wall, mono);
            return;
        }
        if self.rows.keys().filter(|(sender, _)| *sender == from).count() >= OF_ONE_SENDER || !self.has_room(mono) {
            self.dropped += 1;
            return;
        }
        self.rows.insert(key, Neighbour { from, said, first: wall, last: wall, heard_at: (mono, mono), settled: false });
    }

    /// Makes room for one more row where it may.
    fn has_room(&mut self, now: Duration) -> bool {
        if self.rows.len() < MOST {
            return true;
        }
        self.forget_old(now);
        if self.rows.len() < MOST {
            return true;
        }
        let passers: Vec<_> = self.rows.iter().filter(|(_, row)| !row.settled).map(|(key, _)| key.clone()).collect();
        let lot = usize::from(u16::from_le_bytes(random::<2>()));
        let Some(out) = passers.get(lot % passers.len().max(1)) else { return false };
        self.rows.remove(out);
        self.dropped += 1;
        true
    }

    fn forget_old(&mut self, now: Duration) {
        self.rows.retain(|_, row| now.saturating_sub(row.heard_at.1) < GONE);
    }

    /// Who is there, by what they call themselves.
    pub fn all(&mut self, now: Duration) -> Vec<Neighbour> {
        self.forget_old(now);
        let mut all: Vec<Neighbour> = self.rows.values().cloned().collect();
        all.sort_by(|a, b| (&a.said.identity, a.from, &a.said.mac).cmp(&(&b.said.identity, b.from, &b.said.mac)));
        all
    }

    /// Announcements that found no room, so far.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn named(identity: &str, mac: u32) -> Announcement {
        Announcement { identity: Some(identity.into()), mac: Some(format!("{mac:012X}")), ..Announcement::default() }
    }

    fn sender(n: u32) -> IpAddr {
        Ipv4Addr::from_bits(0x0a00_0000 + n).into()
    }

    #[test]
    fn a_flood_neither_grows_the_table_nor_drives_out_who_was_there() {
        let mut table = Table::default();
        for second in [0, 3] {
            table.hear(sender(1), named("honest", 1), Duration::from_secs(second), Wall(0));
        }
        for n in 2..20_000 {
            table.hear(sender(n), named("flood", n), Duration::from_secs(4), Wall(0));
        }
        let all = table.all(Duration::from_secs(5));
        assert_eq!(all.len(), MOST);
        assert!(all.iter().any(|row| row.said.identity.as_deref() == Some("honest")));
        assert!(table.dropped() > 19_000);
        table.hear(sender(1 << 20), named("late", 7), Duration::from_secs(5), Wall(0));
        assert!(
            table.all(Duration::from_secs(5)).iter().any(|row| row.said.identity.as_deref() == Some("late")),
            "who comes later gets in"
        );
    }

    #[test]
    fn a_flood_that_stays_leaves_half_of_the_table_to_others() {
        let mut table = Table::default();
        for second in [0, 3, 6] {
            for n in 0..MOST as u32 {
                table.hear(sender(n), named("flood", n), Duration::from_secs(second), Wall(0));
            }
        }
        table.hear(sender(1 << 20), named("late", 7), Duration::from_secs(7), Wall(0));
        assert!(table.all(Duration::from_secs(7)).iter().any(|row| row.said.identity.as_deref() == Some("late")));
    }

    #[test]
    fn one_sender_has_few_rows_and_cannot_write_over_anothers() {
        let mut table = Table::default();
        table.hear(sender(1), named("honest", 1), Duration::ZERO, Wall(0));
        for n in 0..1_000 {
            table.hear(sender(2), named("liar", n), Duration::ZERO, Wall(0));
        }
        let all = table.all(Duration::ZERO);
        assert_eq!(all.len(), 1 + OF_ONE_SENDER);
        assert!(all.iter().any(|row| row.from == sender(1) && row.said.identity.as_deref() == Some("honest")));
    }

    #[test]
    fn who_is_not_heard_any_more_is_forgotten() {
        let mut table = Table::default();
        table.hear(sender(1), named("a", 1), Duration::ZERO, Wall(0));
        table.hear(sender(2), named("b", 2), Duration::from_secs(500), Wall(0));
        assert_eq!(table.all(GONE).len(), 1);
    }
}
