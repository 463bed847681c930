//! DHCPv6 servers for `dhcp.get_servers`: where their prefixes come from, and how many are given out.
//!
//! Three requests: servers, pools, bindings. A router without IPv6 has no such menus, and no such servers.

use crate::base::fault::Fault;
use crate::routeros::query::Query;
use crate::tools::columns::Columns;
use crate::tools::dhcp::pools::percent;
use crate::tools::notes::holding;
use crate::tools::router::{FRESH, Router, Seen, View};
use ipnet::Ipv6Net;
use serde_json::Value;
use std::net::Ipv6Addr;

/// What is told of a DHCPv6 server.
pub(super) const COLUMNS: Columns = Columns::of(
    &[
        "name",
        "interface",
        "disabled",
        "comment",
        "address_pool",
        "prefix_pool",
        "pool_prefixes",
        "pool_prefix_length",
        "pool_size",
        "pool_used",
        "pool_used_percent",
        "lease_time_seconds",
        "notes",
    ],
    &["invalid", "dynamic", "preference", "rapid_commit", "use_radius", "route_distance"],
);

/// From here on a number is no news: nobody counts the addresses of a /64.
const COUNTABLE_BITS: u8 = 53;

/// Menus as read.
#[derive(Debug, Default)]
pub(super) struct Six {
    servers: Option<Seen>,
    pools: Option<Seen>,
    bindings: Option<Seen>,
}

/// A server and the pools it gives from.
pub(super) struct Server<'a> {
    row: View<'a>,
    pools: Vec<Pool>,
    pool_missing: bool,
    used: u64,
}

struct Pool {
    net: Ipv6Net,
    length: u8,
}

impl Six {
    /// Reads them; nothing where the router has no IPv6.
    pub(super) async fn read(router: &Router<'_>) -> Result<Self, Fault> {
        let given = Query::new().columns(["address", "disabled"]);
        let (servers, pools, bindings) = futures_util::try_join!(
            router.all_if_there("/ipv6/dhcp-server", FRESH),
            router.all_if_there("/ipv6/pool", FRESH),
            router.rows_if_there("/ipv6/dhcp-server/binding", given, FRESH),
        )?;
        Ok(Six { servers, pools, bindings })
    }

    /// Every server with what it can give.
    pub(super) fn servers(&self) -> Vec<Server<'_>> {
        self.servers.iter().flat_map(Seen::iter).map(|row| self.server(row)).collect()
    }

    fn server<'a>(&'a self, row: View<'a>) -> Server<'a> {
        let names: Vec<&str> = ["address-pool", "prefix-pool"].iter().filter_map(|name| pool_name(row, name)).collect();
        let found: Vec<View<'a>> =
            self.pools.iter().flat_map(Seen::iter).filter(|pool| pool.text("name").is_some_and(|name| names.contains(&name))).collect();
        let pools: Vec<Pool> = found.iter().filter_map(|row| pool(*row)).collect();
        let held = |binding: &View<'_>| {
            let address = binding.text("address").and_then(first_of).filter(|_| !binding.is("disabled"));
            address.is_some_and(|address| pools.iter().any(|pool| pool.net.contains(&address)))
        };
        let used = self.bindings.iter().flat_map(Seen::iter).filter(held).count() as u64;
        Server { row, pool_missing: names.iter().any(|name| !found.iter().any(|pool| pool.text("name") == Some(*name))), pools, used }
    }
}

/// The pool a server gives from; `static-only` is none.
fn pool_name<'a>(row: View<'a>, attribute: &str) -> Option<&'a str> {
    row.text(attribute).filter(|name| !matches!(*name, "" | "static-only"))
}

fn pool(row: View<'_>) -> Option<Pool> {
    let text = row.text("actual-prefix").filter(|text| !text.is_empty()).or(row.text("prefix"))?;
    let net: Ipv6Net = text.parse().ok()?;
    let length = row.count("prefix-length").and_then(|length| u8::try_from(length).ok()).filter(|length| *length <= 128)?;
    Some(Pool { net, length })
}

/// The address of `2001:db8::/64` or `2001:db8::1`.
fn first_of(text: &str) -> Option<Ipv6Addr> {
    text.split('/').next()?.parse().ok()
}

impl Server<'_> {
    /// How many can be given out; nothing where that is beyond counting.
    fn size(&self) -> Option<u64> {
        let each = |pool: &Pool| {
            let bits = pool.length.saturating_sub(pool.net.prefix_len());
            (bits < COUNTABLE_BITS).then(|| 1_u64 << bits)
        };
        self.pools.iter().map(each).try_fold(0_u64, |sum, size| Some(sum.saturating_add(size?))).filter(|size| *size > 0)
    }

    fn used_percent(&self) -> Option<f64> {
        self.size().map(|size| percent(self.used, size))
    }

    fn notes(&self) -> Vec<&'static str> {
        let fixed = ["address-pool", "prefix-pool"].iter().all(|name| pool_name(self.row, name).is_none());
        let full = self.size().is_some_and(|size| self.used >= size);
        holding([
            (self.row.is("invalid"), "invalid"),
            (self.pool_missing, "pool_missing"),
            (fixed, "static_leases_only"),
            (full, "pool_full"),
            (!full && self.used_percent().is_some_and(|percent| percent >= super::get_servers::NEARLY_FULL_PERCENT), "pool_nearly_full"),
        ])
    }
}

/// Tells servers apart.
pub(super) fn key(server: &Server<'_>) -> String {
    server.row.text("name").unwrap_or_default().to_owned()
}

/// One column of a server.
pub(super) fn cell(server: &Server<'_>, column: &str) -> Value {
    let row = server.row;
    let counted = !server.pools.is_empty();
    match column {
        "name" => row.text("name").into(),
        "interface" => row.text("interface").into(),
        "disabled" => row.is("disabled").into(),
        "comment" => row.text("comment").into(),
        "address_pool" => row.text("address-pool").into(),
        "prefix_pool" => row.text("prefix-pool").into(),
        "pool_prefixes" => server.pools.iter().map(|pool| pool.net.to_string()).collect(),
        "pool_prefix_length" => server.pools.first().map(|pool| pool.length).into(),
        "pool_size" => server.size().into(),
        "pool_used" => Some(server.used).filter(|_| counted).into(),
        "pool_used_percent" => server.used_percent().into(),
        "lease_time_seconds" => row.seconds("lease-time").into(),
        "notes" => server.notes().into(),
        "invalid" => row.is("invalid").into(),
        "dynamic" => row.is("dynamic").into(),
        "preference" => row.count("preference").into(),
        "rapid_commit" => row.flag("rapid-commit").into(),
        "use_radius" => row.text("use-radius").into(),
        "route_distance" => row.count("route-distance").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn six() -> Six {
        let seen = |menu, json| Some(Seen::answered(menu, json));
        Six {
            servers: seen(
                "/ipv6/dhcp-server",
                r#"[{"name":"pd","interface":"bridge","address-pool":"isp6","prefix-pool":"tiny","lease-time":"3d","preference":"255","rapid-commit":"true",
                     "use-radius":"no","route-distance":"1","comment":"c"},
                    {"name":"full","interface":"vlan2","prefix-pool":"tiny","invalid":"true"},
                    {"name":"gone","interface":"vlan3","address-pool":"*5"},
                    {"name":"fixed","interface":"vlan4","address-pool":"static-only"},
                    {"name":"na","interface":"vlan5","address-pool":"wide"}]"#,
            ),
            pools: seen(
                "/ipv6/pool",
                r#"[{"name":"isp6","prefix":"","actual-prefix":"2001:db8:88::/56","prefix-length":"64"},
                    {"name":"tiny","prefix":"2001:db8:99::/62","prefix-length":"64"},{"name":"wide","prefix":"fd00::/64","prefix-length":"128"}]"#,
            ),
            bindings: seen(
                "/ipv6/dhcp-server/binding",
                r#"[{"address":"2001:db8:88:1::/64"},{"address":"2001:db8:99::/64"},{"address":"2001:db8:99:1::/64"},{"address":"2001:db8:99:2::/64"},
                    {"address":"2001:db8:99:3::/64"},{"address":"2001:db8:88:2::/64","disabled":"true"},{"address":"fd00::7"},{"address":"soon"}]"#,
            ),
        }
    }

    fn column(name: &str) -> Vec<Value> {
        six().servers().iter().map(|server| cell(server, name)).collect()
    }

    #[test]
    fn pools_of_prefixes_tell_how_full_they_are() {
        assert_eq!(column("pool_size"), [json!(260), json!(4), Value::Null, Value::Null, Value::Null]);
        assert_eq!(column("pool_used"), [json!(5), json!(4), Value::Null, Value::Null, json!(1)]);
        assert_eq!(column("pool_used_percent")[..2], [json!(1.9), json!(100.0)]);
        let notes = column("notes");
        let wanted = [json!([]), json!(["invalid", "pool_full"]), json!(["pool_missing"]), json!(["static_leases_only"]), json!([])];
        assert_eq!(notes, wanted);
    }

    #[test]
    fn every_column_has_a_cell_and_no_value_is_too_odd() {
        let empty: Vec<&str> = COLUMNS.all().filter(|name| column(name)[0].is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
        use crate::tools::samples::odd;
        let (pools, bindings) = (odd("/ipv6/pool"), odd("/ipv6/dhcp-server/binding"));
        for ((servers, pools), bindings) in odd("/ipv6/dhcp-server").into_iter().zip(pools).zip(bindings) {
            let six = Six { servers: Some(servers), pools: Some(pools), bindings: Some(bindings) };
            six.servers().iter().for_each(|server| COLUMNS.all().for_each(|name| drop(cell(server, name))));
        }
    }
}
