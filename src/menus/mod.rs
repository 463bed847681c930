//! RouterOS menus as data: what the router cannot say of itself.
//!
//! Natural keys, order, secrets, values that outsiders write, what can cut our access, and the words people use. One
//! file a menu; menus without a file are learnt from the router, and [`names`] judges their attributes by name.

mod attr;
mod menu;
mod names;
mod search;

pub mod caps_man;
pub mod certificate;
pub mod container;
pub mod disk;
pub mod file;
pub mod interface;
pub mod ip;
pub mod ipv6;
pub mod log;
pub mod ppp;
pub mod queue;
pub mod radius;
pub mod routing;
pub mod snmp;
pub mod system;
pub mod tool;
pub mod user;
pub mod zerotier;

use crate::routeros::value::Kind;

pub use attr::{Absent, Attr, COMMENT, DISABLED, DYNAMIC, INVALID, attr, join};
pub use menu::{Menu, Shape, Topic, list, ordered, singleton};
pub use names::{looks_secret, reviewed};
pub use search::{Match, search};

/// The folders, each with its menus.
const FOLDERS: &[&[&Menu]] = &[
    caps_man::MENUS,
    certificate::MENUS,
    container::MENUS,
    disk::MENUS,
    file::MENUS,
    interface::MENUS,
    interface::bridge::MENUS,
    interface::wifi::MENUS,
    interface::wireless::MENUS,
    ip::MENUS,
    ip::dhcp_server::MENUS,
    ip::dns::MENUS,
    ip::firewall::MENUS,
    ip::hotspot::MENUS,
    ip::ipsec::MENUS,
    ipv6::MENUS,
    ipv6::firewall::MENUS,
    log::MENUS,
    ppp::MENUS,
    queue::MENUS,
    radius::MENUS,
    routing::MENUS,
    routing::bgp::MENUS,
    routing::ospf::MENUS,
    snmp::MENUS,
    system::MENUS,
    system::ntp::MENUS,
    system::script::MENUS,
    tool::MENUS,
    user::MENUS,
    zerotier::MENUS,
];
const COUNT: usize = count(FOLDERS);
static ALL: [&Menu; COUNT] = sorted(FOLDERS);

/// All menus with facts, by path.
pub fn all() -> &'static [&'static Menu] {
    &ALL
}

/// The facts of a menu, by its REST path (`/ip/address`).
pub fn find(path: &str) -> Option<&'static Menu> {
    ALL.binary_search_by(|menu| menu.path.cmp(path)).ok().map(|at| ALL[at])
}

/// Whether an attribute must never leave: by the menu's facts, by its name where there are none.
pub fn is_secret(menu: &str, attribute: &str) -> bool {
    secret_of(find(menu), menu, attribute)
}

/// [`is_secret`] for who has looked the menu up already.
pub fn secret_of(facts: Option<&Menu>, menu: &str, attribute: &str) -> bool {
    match facts.and_then(|facts| facts.attr(attribute)) {
        Some(attr) => attr.secret || attr.kind == Kind::Script,
        None => names::looks_secret_in(menu, attribute),
    }
}

/// Whether others than the operator can write an attribute: by the menu's facts, by its name where there are none.
pub fn is_untrusted(menu: &str, attribute: &str) -> bool {
    untrusted_of(find(menu), attribute)
}

/// [`is_untrusted`] for who has looked the menu up already.
pub fn untrusted_of(facts: Option<&Menu>, attribute: &str) -> bool {
    match facts.and_then(|facts| facts.attr(attribute)) {
        Some(attr) => attr.untrusted,
        None => names::looks_untrusted(attribute),
    }
}

/// Whether an attribute holds what a person wrote: `yes` in it is a word, not the same as `true`.
pub fn is_prose(attribute: &str) -> bool {
    matches!(attribute, "comment" | "name")
}

const fn count(folders: &[&[&Menu]]) -> usize {
    let (mut sum, mut at) = (0, 0);
    while at < folders.len() {
        sum += folders[at].len();
        at += 1;
    }
    sum
}

/// All folders' menus in one array, by path: sorted by the compiler, so that start costs nothing.
const fn sorted<const N: usize>(folders: &[&[&'static Menu]]) -> [&'static Menu; N] {
    let mut all = [folders[0][0]; N];
    let (mut len, mut folder) = (0, 0);
    while folder < folders.len() {
        let mut row = 0;
        while row < folders[folder].len() {
            let mut at = len;
            while at > 0 && before(folders[folder][row].path, all[at - 1].path) {
                all[at] = all[at - 1];
                at -= 1;
            }
            all[at] = folders[folder][row];
            len += 1;
            row += 1;
        }
        folder += 1;
    }
    all
}

const fn before(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() {
        if left[at] != right[at] {
            return left[at] < right[at];
        }
        at += 1;
    }
    left.len() < right.len()
}

#[cfg(test)]
mod tests;
