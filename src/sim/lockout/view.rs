//! The tables as they are at this moment, without making any: one that nobody looked at is still the profile's.

use crate::sim::hold;
use crate::sim::menus::Definitions;
use crate::sim::profiles::Profile;
use crate::sim::row::Row;
use crate::sim::world::World;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Tables the verdict is worked out from, besides those of interfaces.
const PATHS: [&str; 28] = [
    "/certificate",
    "/interface/bridge/filter",
    "/interface/bridge/port",
    "/interface/bridge/settings",
    "/interface/bridge/vlan",
    "/interface/list",
    "/interface/list/member",
    "/ip/address",
    "/ip/arp",
    "/ip/firewall/address-list",
    "/ip/firewall/connection/tracking",
    "/ip/firewall/filter",
    "/ip/firewall/mangle",
    "/ip/firewall/nat",
    "/ip/firewall/raw",
    "/ip/hotspot",
    "/ip/ipsec/policy",
    "/ip/route",
    "/ip/service",
    "/ip/service/webserver",
    "/ip/settings",
    "/ip/ssh",
    "/ip/vrf",
    "/routing/rule",
    "/routing/table",
    "/user",
    "/user/group",
    "/user/ssh-keys",
];

/// What a profile's router holds before anybody touched it.
#[derive(Debug)]
struct Pristine {
    tables: HashMap<String, Vec<Row>>,
    /// Menus whose rows are interfaces.
    interfaces: Vec<String>,
}

type Known = Vec<(Profile, (u32, u32), Arc<Pristine>)>;

fn pristine(world: &World) -> Arc<Pristine> {
    static KNOWN: Mutex<Known> = Mutex::new(Vec::new());
    let mut known = hold(&KNOWN);
    let (profile, version) = (world.model.profile, world.model.version);
    if let Some((.., found)) = known.iter().find(|(p, v, _)| (*p, *v) == (profile, version)) {
        return found.clone();
    }
    let defs = Definitions::own();
    let mut fresh = World::new(world.model.clone(), defs.clone(), world.clock.clone(), 1, "");
    let interfaces: Vec<String> = defs.family("/interface", &world.model).map(|m| m.path.clone()).collect();
    let paths = PATHS.iter().map(|p| p.to_string()).chain(interfaces.iter().cloned());
    let tables = paths.map(|path| (path.clone(), fresh.table(&path).rows.clone())).collect();
    let made = Arc::new(Pristine { tables, interfaces });
    known.push((profile, version, made.clone()));
    made
}

/// The router as it is now, to be read only.
#[derive(Debug)]
pub(super) struct View<'w> {
    pub world: &'w World,
    pristine: Arc<Pristine>,
}

impl<'w> View<'w> {
    pub fn new(world: &'w World) -> Self {
        View { world, pristine: pristine(world) }
    }

    /// The rows of a table, in their order.
    pub fn rows(&self, path: &str) -> &[Row] {
        self.world.stored(path).or_else(|| self.pristine(path)).unwrap_or_default()
    }

    /// The rows the profile has.
    pub fn pristine(&self, path: &str) -> Option<&[Row]> {
        self.pristine.tables.get(path).map(Vec::as_slice)
    }

    /// Rows that are not disabled.
    pub fn enabled(&self, path: &str) -> impl Iterator<Item = &Row> {
        self.rows(path).iter().filter(|r| !r.is("disabled"))
    }

    /// A value of a singleton.
    pub fn single(&self, path: &str, name: &str) -> Option<&str> {
        self.rows(path).first()?.get(name)
    }

    /// The row with this name.
    pub fn named(&self, path: &str, name: &str) -> Option<&Row> {
        self.rows(path).iter().find(|r| r.get("name") == Some(name))
    }

    /// An interface of any kind: the menu it is in, and its row.
    pub fn interface(&self, name: &str) -> Option<(&str, &Row)> {
        self.pristine.interfaces.iter().find_map(|path| Some((path.as_str(), self.named(path, name)?)))
    }

    /// The interface that had this name when the router left the factory.
    pub fn port(&self, default_name: &str) -> Option<(&str, &Row)> {
        let renamed = |path: &str| self.rows(path).iter().find(|r| r.get("default-name") == Some(default_name));
        let found = self.pristine.interfaces.iter().find_map(|path| Some((path.as_str(), renamed(path)?)));
        found.or_else(|| self.interface(default_name))
    }

    /// Whether packets can go through an interface: it is there, on, and so is what carries it.
    pub fn is_up(&self, name: &str) -> bool {
        let mut name = name;
        // Each turn goes one interface down; a loop of VLANs cannot be configured, but would end here.
        for _ in 0..8 {
            let Some((path, row)) = self.interface(name) else { return false };
            if row.is("disabled") || path == "/interface/ethernet" && row.get("running") == Some("false") {
                return false;
            }
            match (path, row.get("interface")) {
                ("/interface/vlan" | "/interface/vrrp", Some(under)) => name = under,
                _ => return true,
            }
        }
        false
    }
}
