//! Rows that others refer to. Removed and made again they have another `.id`, and what referred to them goes on referring to a dead
//! row (routeros: a reference to a deleted object reads as its dead id), so that no undo could give them back.

use super::Desk;
use super::refer::STEADY;
use super::sheet::Sheet;
use crate::base::fault::{Fault, Kind};
use crate::fleet::Read;
use crate::plan::form::get;
use crate::routeros::MenuPath;

/// A menu, and its attributes that hold the name.
type Referrer = (&'static str, &'static [&'static str]);

/// Menus whose rows have names and cannot be disabled, and where those names stand.
const USED: &[(&str, &[Referrer])] = &[
    ("/user/group", &[("/user", &["group"])]),
    ("/certificate", &[("/ip/service", &["certificate"])]),
    (
        "/interface/list",
        &[
            ("/interface/list/member", &["list"]),
            ("/interface/list", &["include", "exclude"]),
            ("/ip/firewall/filter", LISTS),
            ("/ip/firewall/nat", LISTS),
            ("/ip/firewall/mangle", LISTS),
            ("/ip/firewall/raw", LISTS),
            ("/ipv6/firewall/filter", LISTS),
            ("/ipv6/firewall/nat", LISTS),
            ("/ipv6/firewall/mangle", LISTS),
            ("/ipv6/firewall/raw", LISTS),
            ("/ip/neighbor/discovery-settings", &["discover-interface-list"]),
            ("/tool/mac-server", &["allowed-interface-list"]),
            ("/tool/mac-server/mac-winbox", &["allowed-interface-list"]),
        ],
    ),
    (
        "/ip/pool",
        &[
            ("/ip/dhcp-server", &["address-pool"]),
            ("/ip/pool", &["next-pool"]),
            ("/ppp/profile", &["local-address", "remote-address"]),
            ("/ip/hotspot", &["address-pool"]),
            ("/ip/hotspot/user/profile", &["address-pool"]),
            ("/ip/ipsec/mode-config", &["address-pool"]),
        ],
    ),
    ("/ipv6/pool", &[("/ipv6/dhcp-server", &["address-pool", "prefix-pool"]), ("/ipv6/address", &["from-pool"])]),
    (
        "/ppp/profile",
        &[
            ("/ppp/secret", &["profile"]),
            ("/interface/pppoe-client", &["profile"]),
            ("/interface/l2tp-client", &["profile"]),
            ("/interface/sstp-client", &["profile"]),
            ("/interface/ovpn-client", &["profile"]),
            ("/interface/pppoe-server/server", &["default-profile"]),
            ("/interface/l2tp-server/server", &["default-profile"]),
            ("/interface/sstp-server/server", &["default-profile"]),
            ("/interface/ovpn-server/server", &["default-profile"]),
        ],
    ),
    ("/ip/ipsec/profile", &[("/ip/ipsec/peer", &["profile"])]),
    ("/ip/ipsec/mode-config", &[("/ip/ipsec/identity", &["mode-config"])]),
    ("/ip/ipsec/policy/group", &[("/ip/ipsec/policy", &["group"]), ("/ip/ipsec/identity", &["policy-template-group"])]),
    ("/ip/hotspot/profile", &[("/ip/hotspot", &["profile"])]),
    ("/ip/hotspot/user/profile", &[("/ip/hotspot/user", &["profile"])]),
    ("/queue/type", &[("/queue/simple", &["queue"]), ("/queue/tree", &["queue"])]),
    ("/system/logging/action", &[("/system/logging", &["action"])]),
    ("/ip/firewall/layer7-protocol", &[("/ip/firewall/filter", &["layer7-protocol"]), ("/ip/firewall/mangle", &["layer7-protocol"])]),
    (
        "/ip/dhcp-server/option",
        &[
            ("/ip/dhcp-server/network", &["dhcp-option"]),
            ("/ip/dhcp-server/lease", &["dhcp-option"]),
            ("/ip/dhcp-server/option/sets", &["options"]),
        ],
    ),
];
const LISTS: &[&str] = &["in-interface-list", "out-interface-list"];

impl Desk<'_> {
    /// Errs when other rows refer to this one by its name, and it could not be disabled instead of removed.
    pub(super) async fn unused(&mut self, sheet: &Sheet, at: usize) -> Result<(), Fault> {
        let Some((_, places)) = USED.iter().find(|(menu, _)| *menu == sheet.menu) else { return Ok(()) };
        let Some(name) = get(&sheet.lines[at].row, "name").filter(|_| !sheet.known.is_content("disabled")) else { return Ok(()) };
        for (menu, attributes) in *places {
            let used = self.naming(sheet, menu, attributes, name).await?;
            if used > 0 {
                let rows = if used == 1 { "a row".to_owned() } else { format!("{used} rows") };
                let fault = format!("{} is in use by {rows} of {menu} and cannot be removed", sheet.named(at));
                return Err(Fault::bad_input(fault)
                    .hint("change those rows first: made again by an undo it would be another row, and they would refer to a dead one"));
            }
        }
        Ok(())
    }

    /// How many rows of a menu name it there, as the plan leaves them; none where this router does not show the menu.
    async fn naming(&mut self, now: &Sheet, menu: &str, attributes: &[&str], name: &str) -> Result<usize, Fault> {
        let names = |value: &str| {
            let words = value.split([',', '/']).map(|word| word.strip_prefix('!').unwrap_or(word));
            words.into_iter().any(|word| word == name)
        };
        let planned = self.sheets.get(menu).or_else(|| (now.menu == menu).then_some(now));
        if let Some(sheet) = planned {
            let lines = sheet.lines.iter().filter(|line| line.is_there());
            return Ok(lines.filter(|line| attributes.iter().any(|one| get(&line.row, one).is_some_and(names))).count());
        }
        let read = Read { max_age: STEADY, ..Read::fresh(MenuPath::parse(menu)?) };
        match self.lane.read_own(read).await {
            Ok(answer) => Ok(answer.rows.iter().filter(|row| attributes.iter().any(|one| row.get(one).is_some_and(names))).count()),
            Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::RouterDenied | Kind::Rejected) => Ok(0),
            Err(fault) => Err(fault),
        }
    }
}
