//! Programs that came in through MCP since this process started: how a page can say that a client has connected.
//!
//! In memory and bounded. The trail says what each did; this only says that it was here.

use crate::access::local::Access;
use crate::access::person::Identity;
use crate::access::principal::{Client, Principal};
use crate::base::clock::Wall;
use std::sync::{Mutex, PoisonError};

/// Programs remembered; of more, the one not seen for longest is forgotten.
const KEPT: usize = 64;
/// Seen again within so long is not news.
const NEWS_EVERY_MS: u64 = 60_000;

/// One program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Who it came in as.
    pub identity: Identity,
    /// The same for people: a token's name.
    pub principal: String,
    /// What it calls itself, and where it comes from.
    pub client: Client,
    /// When it was first seen.
    pub first_at: Wall,
    /// When last.
    pub last_at: Wall,
}

#[derive(Default)]
pub(super) struct Contacts(Mutex<Vec<Contact>>);

impl Contacts {
    /// Whether that is news.
    fn meet(&self, principal: &Principal, now: Wall) -> bool {
        let identity = Identity::of(principal);
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let old = known.iter().position(|one| one.identity == identity && one.client == principal.client);
        let mut one = match old {
            Some(at) => known.remove(at),
            None => {
                let (principal, client) = (principal.name.clone(), principal.client.clone());
                Contact { identity, principal, client, first_at: now, last_at: now }
            }
        };
        let is_news = old.is_none() || now.0.abs_diff(one.last_at.0) >= NEWS_EVERY_MS;
        one.last_at = if is_news { now } else { one.last_at };
        known.insert(0, one);
        known.truncate(KEPT);
        is_news
    }
}

impl Access {
    /// A program is here. Whether that is news: it is new, or was not seen for a minute.
    pub fn meet(&self, principal: &Principal) -> bool {
        self.contacts_kept().meet(principal, self.now())
    }

    /// Programs seen, the last one first.
    pub fn contacts(&self) -> Vec<Contact> {
        self.contacts_kept().0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::role::Role;

    fn caller(name: &str) -> Principal {
        let client = Client { name: name.into(), version: "1".into(), address: "192.0.2.1".into() };
        Principal { client, ..Principal::stdio(Role::OpsRw) }
    }

    #[test]
    fn a_program_is_news_when_it_is_new_or_comes_back() {
        let contacts = Contacts::default();
        for (name, at, is_news) in
            [("a", 0, true), ("a", 59_999, false), ("b", 59_999, true), ("a", 60_000, true), ("a", 60_001, false), ("a", 0, true)]
        {
            assert_eq!(contacts.meet(&caller(name), Wall(at)), is_news, "{name} at {at}");
        }
        let known = contacts.0.lock().unwrap();
        assert_eq!(known.iter().map(|one| one.client.name.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(known[0].first_at, Wall(0));
    }

    #[test]
    fn made_up_names_push_out_the_oldest_and_take_no_more_room() {
        let contacts = Contacts::default();
        for n in 0..1_000 {
            contacts.meet(&caller(&n.to_string()), Wall(n));
        }
        let known = contacts.0.lock().unwrap();
        assert_eq!((known.len(), known[0].client.name.as_str()), (KEPT, "999"));
    }
}
