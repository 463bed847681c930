//! Edits that cut us off, and edits like them that do not, as plain words: for each profile a list of each.
//!
//! They are data for more than this simulator's own tests: whoever claims to see a lock-out coming is measured by them. `{www-ssl}`,
//! `{www}` and `{ssh}` stand for the ports those services have on the router at hand; see [`Case::values`].

mod chr;
mod home_ap;
mod office;
mod wisp_tower;

use crate::sim::menus::Shape;
use crate::sim::profiles::Profile;
use crate::sim::row::show_id;
use crate::sim::world::World;
use crate::sim::write;

/// Attributes and their values.
pub type Words = &'static [(&'static str, &'static str)];

/// All services of a router that a management station uses.
pub const ALL: &[&str] = &["www-ssl", "www", "ssh"];
/// REST alone.
pub const REST: &[&str] = &["www-ssl", "www"];
/// REST over TLS alone.
pub const TLS: &[&str] = &["www-ssl"];
/// SSH alone.
pub const SSH: &[&str] = &["ssh"];

/// One edit.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// What it does, in words; unique in its profile.
    pub name: &'static str,
    /// `/ip/firewall/filter`
    pub menu: &'static str,
    /// `add`, `set`, `remove`, `move`, `enable`, `disable`.
    pub op: &'static str,
    /// The row it is about; exactly one fits. Empty for `add` and for singletons.
    pub matching: Words,
    /// What is written.
    pub values: Words,
    /// The row that the new or moved one comes to stand before; empty: at the end.
    pub place_before: Words,
    /// The services a new connection does not reach any more; empty when the edit is harmless.
    pub cuts: &'static [&'static str],
}

const fn edit(name: &'static str, menu: &'static str, op: &'static str, matching: Words, values: Words) -> Case {
    Case { name, menu, op, matching, values, place_before: &[], cuts: &[] }
}

const fn add(name: &'static str, menu: &'static str, values: Words) -> Case {
    edit(name, menu, "add", &[], values)
}

const fn set(name: &'static str, menu: &'static str, matching: Words, values: Words) -> Case {
    edit(name, menu, "set", matching, values)
}

const fn remove(name: &'static str, menu: &'static str, matching: Words) -> Case {
    edit(name, menu, "remove", matching, &[])
}

const fn disable(name: &'static str, menu: &'static str, matching: Words) -> Case {
    edit(name, menu, "disable", matching, &[])
}

const fn enable(name: &'static str, menu: &'static str, matching: Words) -> Case {
    edit(name, menu, "enable", matching, &[])
}

const fn shift(name: &'static str, menu: &'static str, matching: Words) -> Case {
    edit(name, menu, "move", matching, &[])
}

impl Case {
    const fn before(mut self, row: Words) -> Self {
        self.place_before = row;
        self
    }

    const fn cuts(mut self, services: &'static [&'static str]) -> Self {
        self.cuts = services;
        self
    }

    /// What is written on this router: `{ssh}` is its port.
    pub fn values(&self, world: &World) -> Vec<(String, String)> {
        let ((tls, plain), ssh) = (world.ports, if world.ssh_port == 0 { 22 } else { world.ssh_port });
        let ports = [("{www-ssl}", tls), ("{www}", plain), ("{ssh}", ssh)];
        let filled = |value: &str| ports.iter().fold(value.to_string(), |text, (word, port)| text.replace(word, &port.to_string()));
        self.values.iter().map(|(name, value)| (name.to_string(), filled(value))).collect()
    }

    /// Does the edit as an administrator of the router would; says what the router refused.
    pub fn apply(&self, world: &mut World) -> Result<(), String> {
        let menu = world.menu(self.menu).cloned().ok_or_else(|| format!("{}: no menu {}", self.name, self.menu))?;
        let one = |world: &mut World, words: Words| {
            let rows = world.rows(self.menu);
            // Open connections show as rows of `/ip/service` under the same name.
            let rows = rows.iter().filter(|r| !r.is("connection"));
            let mut ids = rows.filter(|r| words.iter().all(|(n, v)| r.get(n) == Some(v))).filter_map(|r| r.id);
            match (ids.next(), ids.next()) {
                (Some(id), None) => Ok(id),
                (None, _) => Err(format!("{}: no row fits {words:?}", self.name)),
                (Some(_), Some(_)) => Err(format!("{}: several rows fit {words:?}", self.name)),
            }
        };
        let mut values = self.values(world);
        let before = if self.place_before.is_empty() { None } else { Some(show_id(one(world, self.place_before)?)) };
        let ids = if self.op == "add" || menu.shape == Shape::Single { Vec::new() } else { vec![one(world, self.matching)?] };
        let done = match self.op {
            "add" => {
                values.extend(before.map(|id| ("place-before".to_string(), id)));
                write::add(world, &menu, &values, "admin").map(drop)
            }
            "set" => write::set(world, &menu, &ids, &values, "admin"),
            "remove" => write::remove(world, &menu, &ids, "admin"),
            "move" => write::move_rows(world, &menu, &ids, before.as_deref(), "admin"),
            "enable" | "disable" => write::switch(world, &menu, &ids, self.op == "disable", "admin"),
            other => return Err(format!("{}: no such op {other}", self.name)),
        };
        done.map_err(|refusal| format!("{}: {refusal:?}", self.name))
    }
}

/// Edits that cut us off from a router of this profile.
pub fn cutting(profile: Profile) -> Vec<Case> {
    let own = match profile {
        Profile::HomeAp => home_ap::CUTTING,
        Profile::Office => office::CUTTING,
        Profile::Chr => chr::CUTTING,
        Profile::WispTower => wisp_tower::CUTTING,
    };
    own.iter().chain(CUTTING).copied().collect()
}

/// Edits that leave our access to a router of this profile alone.
pub fn harmless(profile: Profile) -> Vec<Case> {
    let own = match profile {
        Profile::HomeAp => home_ap::HARMLESS,
        Profile::Office => office::HARMLESS,
        Profile::Chr => chr::HARMLESS,
        Profile::WispTower => wisp_tower::HARMLESS,
    };
    own.iter().chain(HARMLESS).copied().collect()
}

/// A key that is nobody's.
const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ nobody";

/// What cuts us off from any router.
const CUTTING: &[Case] = &[
    disable("disable www-ssl", "/ip/service", &[("name", "www-ssl")]).cuts(TLS),
    disable("disable ssh", "/ip/service", &[("name", "ssh")]).cuts(SSH),
    set("keep www-ssl for others", "/ip/service", &[("name", "www-ssl")], &[("address", "203.0.113.0/24")]).cuts(TLS),
    set("keep ssh for others", "/ip/service", &[("name", "ssh")], &[("address", "203.0.113.0/24,198.51.100.99/32")]).cuts(SSH),
    set("move www-ssl to another port", "/ip/service", &[("name", "www-ssl")], &[("port", "8443")]).cuts(TLS),
    set("move ssh to another port", "/ip/service", &[("name", "ssh")], &[("port", "2222")]).cuts(SSH),
    set("take the certificate of www-ssl", "/ip/service", &[("name", "www-ssl")], &[("certificate", "none")]).cuts(TLS),
    set("serve ssh in a vrf", "/ip/service", &[("name", "ssh")], &[("vrf", "customers")]).cuts(SSH),
    disable("disable our user", "/user", &[("name", "mcp")]).cuts(ALL),
    remove("remove our user", "/user", &[("name", "mcp")]).cuts(ALL),
    set("rename our user", "/user", &[("name", "mcp")], &[("name", "mcp-old")]).cuts(ALL),
    set("keep our user for another address", "/user", &[("name", "mcp")], &[("address", "203.0.113.7/32")]).cuts(ALL),
    set("give our user another password", "/user", &[("name", "mcp")], &[("password", "another-one-9")]).cuts(ALL),
    set("put our user into a group without ssh", "/user", &[("name", "mcp")], &[("group", "monitor")]).cuts(SSH),
    set("take rest-api from our group", "/user/group", &[("name", "mcp")], &[("policy", "!rest-api")]).cuts(REST),
    set("take api from our group", "/user/group", &[("name", "mcp")], &[("policy", "!api")]).cuts(REST),
    set("take ssh from our group", "/user/group", &[("name", "mcp")], &[("policy", "!ssh")]).cuts(SSH),
    set("take read from our group", "/user/group", &[("name", "mcp")], &[("policy", "!read")]).cuts(ALL),
    add("give our user a key", "/user/ssh-keys", &[("user", "mcp"), ("key", KEY)]).cuts(SSH),
    add("drop all tcp in raw", "/ip/firewall/raw", &[("chain", "prerouting"), ("action", "drop"), ("protocol", "tcp")]).cuts(ALL),
    add("drop all answers", "/ip/firewall/raw", &[("chain", "output"), ("action", "drop"), ("protocol", "tcp")]).cuts(ALL),
    add(
        "redirect the port of www-ssl",
        "/ip/firewall/nat",
        &[("chain", "dstnat"), ("action", "redirect"), ("protocol", "tcp"), ("dst-port", "{www-ssl}"), ("to-ports", "8080")],
    )
    .cuts(TLS),
    add("refuse to route answers", "/routing/rule", &[("dst-address", "0.0.0.0/0"), ("action", "unreachable")]).cuts(ALL),
];

/// What leaves our access to any router alone.
const HARMLESS: &[Case] = &[
    disable("disable winbox", "/ip/service", &[("name", "winbox")]),
    enable("enable telnet", "/ip/service", &[("name", "telnet")]),
    set("move winbox to another port", "/ip/service", &[("name", "winbox")], &[("port", "8292")]),
    set("keep ftp for others", "/ip/service", &[("name", "ftp")], &[("address", "203.0.113.0/24")]),
    set("ask for tls 1.2", "/ip/service", &[("name", "www-ssl")], &[("tls-version", "only-1.2")]),
    set("take the certificate of api-ssl", "/ip/service", &[("name", "api-ssl")], &[("certificate", "none")]),
    disable("disable the user monitor", "/user", &[("name", "monitor")]),
    set("comment our user", "/user", &[("name", "mcp")], &[("comment", "appliance")]),
    set("put our user into group full", "/user", &[("name", "mcp")], &[("group", "full")]),
    set("take rest-api from another group", "/user/group", &[("name", "monitor")], &[("policy", "!rest-api")]),
    set("take sniff from our group", "/user/group", &[("name", "mcp")], &[("policy", "!sniff")]),
    add("give admin a key", "/user/ssh-keys", &[("user", "admin"), ("key", KEY)]),
    add("add a user", "/user", &[("name", "guest"), ("group", "read"), ("password", "guest-pass-1")]),
    set("ask for longer passwords", "/user/settings", &[], &[("minimum-password-length", "12")]),
    set("ask for strong ssh", "/ip/ssh", &[], &[("strong-crypto", "yes")]),
    set("filter by loose reverse path", "/ip/settings", &[], &[("rp-filter", "loose")]),
    set("filter by strict reverse path", "/ip/settings", &[], &[("rp-filter", "strict")]),
    set("rename the router", "/system/identity", &[], &[("name", "another-name")]),
    add("drop udp in raw", "/ip/firewall/raw", &[("chain", "prerouting"), ("action", "drop"), ("protocol", "udp")]),
    add(
        "redirect the port of dns",
        "/ip/firewall/nat",
        &[("chain", "dstnat"), ("action", "redirect"), ("protocol", "udp"), ("dst-port", "53"), ("to-ports", "53")],
    ),
    add("refuse to route to others", "/routing/rule", &[("dst-address", "203.0.113.0/24"), ("action", "unreachable")]),
    add("drop what is forwarded to us", "/ip/firewall/filter", &[("chain", "forward"), ("action", "drop")]),
    add("blackhole a network of nobody", "/ip/route", &[("dst-address", "203.0.113.128/25"), ("blackhole", "yes")]),
    add("mark our packets", "/ip/firewall/mangle", &[("chain", "prerouting"), ("action", "mark-packet"), ("new-packet-mark", "all")]),
    add("drop at the end of input, switched off", "/ip/firewall/filter", &[("chain", "input"), ("action", "drop"), ("disabled", "yes")]),
    add(
        "drop the port of winbox",
        "/ip/firewall/filter",
        &[("chain", "input"), ("action", "drop"), ("protocol", "tcp"), ("dst-port", "8291")],
    ),
];
