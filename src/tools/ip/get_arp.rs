//! `ip.get_arp`: which MAC address has which IP address, IPv4 (ARP) and IPv6 (neighbour discovery).
//!
//! Two requests, one where a family is named.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::ip::family::both;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::notes::holding;
use crate::tools::router::{Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "ip.get_arp",
    title: "ARP and IPv6 neighbours",
    about: "Which MAC address answers for which IP address (ARP and IPv6 neighbours), with state; notes mark unanswered addresses and an address that two MACs claim.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/arp", "/ipv6/neighbor"],
    untrusted: &["/rows/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(
    &["address", "mac_address", "interface", "status", "dynamic", "disabled", "comment", "mac_address_count", "notes"],
    &["family", "dhcp", "published", "complete", "invalid", "router", "vrf"],
)
.quiet(&["disabled"]);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Only this family; both unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("ip.get_arp {} {:?}", router.device.id, args.family);
    COLUMNS.check(&args.list, &scope)?;
    let (four, six) = both(&router, args.family, "/ip/arp", "/ipv6/neighbor").await?;
    let rows: Vec<View<'_>> = four.iter().chain(&six).flat_map(Seen::iter).collect();
    let shared = Shared::among(&rows);
    let key = |row: &View<'_>| row.key(&["address", "interface", "mac-address"]);
    COLUMNS.page(cx, &scope, &args.list, rows, key, |row, name| cell(*row, &shared, name))
}

/// Who shares what.
struct Shared<'a> {
    /// IPv4 addresses of a MAC address on one interface: a host has one, a router or a thief many.
    of_mac: HashMap<(&'a str, &'a str), usize>,
    /// MAC addresses that claim an address on one interface.
    of_address: HashMap<(&'a str, &'a str), Vec<&'a str>>,
}

impl<'a> Shared<'a> {
    fn among(rows: &[View<'a>]) -> Self {
        let mut shared = Shared { of_mac: HashMap::new(), of_address: HashMap::new() };
        for row in rows.iter().filter(|row| !row.is("disabled") && !row.is("invalid")) {
            let (Some(address), Some(mac)) = (row.text("address"), mac(*row)) else { continue };
            let on = row.text("interface").unwrap_or_default();
            // Every IPv6 host has several addresses.
            if !address.contains(':') {
                *shared.of_mac.entry((mac, on)).or_default() += 1;
            }
            let claims = shared.of_address.entry((address, on)).or_default();
            if !claims.contains(&mac) {
                claims.push(mac);
            }
        }
        shared
    }
}

/// The MAC address, unless none is known: old versions then write zeros.
fn mac<'a>(row: View<'a>) -> Option<&'a str> {
    row.text("mac-address").filter(|mac| !mac.is_empty() && *mac != "00:00:00:00:00:00")
}

fn notes(row: View<'_>, shared: &Shared<'_>) -> Vec<&'static str> {
    if row.is("disabled") {
        return Vec::new();
    }
    let on = row.text("interface").unwrap_or_default();
    let unanswered =
        mac(row).is_none() || row.flag("complete") == Some(false) || matches!(row.text("status"), Some("failed" | "incomplete"));
    let claims = row.text("address").and_then(|address| shared.of_address.get(&(address, on))).map_or(0, Vec::len);
    holding([(unanswered, "unanswered"), (claims > 1, "two_macs_claim_it"), (row.is("invalid"), "invalid")])
}

fn cell(row: View<'_>, shared: &Shared<'_>, column: &str) -> Value {
    match column {
        "address" => row.text("address").into(),
        "mac_address" => mac(row).into(),
        "interface" => row.text("interface").into(),
        "status" => row.text("status").into(),
        "disabled" => row.is("disabled").into(),
        "comment" => row.text("comment").into(),
        // Told where it is more than one.
        "mac_address_count" => {
            let on = row.text("interface").unwrap_or_default();
            mac(row).and_then(|mac| shared.of_mac.get(&(mac, on))).filter(|count| **count > 1).copied().into()
        }
        "notes" => notes(row, shared).into(),
        "family" => if row.text("address").is_some_and(|text| text.contains(':')) { "ipv6" } else { "ipv4" }.into(),
        "dynamic" => row.is("dynamic").into(),
        // 7.x spells the flag in capitals in places.
        "dhcp" => (row.is("dhcp") || row.is("DHCP")).into(),
        "published" => row.is("published").into(),
        "complete" => row.flag("complete").into(),
        "invalid" => row.is("invalid").into(),
        "router" => row.flag("router").into(),
        "vrf" => row.text("vrf").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::odd;
    use serde_json::json;

    #[test]
    fn unanswered_and_contested_addresses_are_noted() {
        let seen = Seen::answered(
            "/ip/arp",
            r#"[{"address":"192.0.2.1","mac-address":"02:00:00:00:00:01","interface":"br","dynamic":"true","complete":"true","status":"reachable"},
                {"address":"192.0.2.2","interface":"br","dynamic":"true","complete":"false"},
                {"address":"192.0.2.3","mac-address":"02:00:00:00:00:03","interface":"br","dynamic":"true","status":"failed"},
                {"address":"192.0.2.4","mac-address":"02:00:00:00:00:04","interface":"br"},
                {"address":"192.0.2.4","mac-address":"02:00:00:00:00:05","interface":"br","dynamic":"true"},
                {"address":"192.0.2.6","mac-address":"02:00:00:00:00:05","interface":"br","dynamic":"true"},
                {"address":"192.0.2.7","interface":"br","disabled":"true"}]"#,
        );
        let rows: Vec<View<'_>> = seen.iter().collect();
        let shared = Shared::among(&rows);
        let column = |name: &str| rows.iter().map(|row| cell(*row, &shared, name)).collect::<Vec<_>>();
        assert_eq!(
            column("notes"),
            [
                json!([]),
                json!(["unanswered"]),
                json!(["unanswered"]),
                json!(["two_macs_claim_it"]),
                json!(["two_macs_claim_it"]),
                json!([]),
                json!([])
            ]
        );
        assert_eq!(column("mac_address_count"), [Value::Null, Value::Null, Value::Null, Value::Null, json!(2), json!(2), Value::Null]);
    }

    #[test]
    fn every_column_has_a_cell() {
        let seen = Seen::answered(
            "/ip/arp",
            r#"[{"address":"192.0.2.1","mac-address":"02:00:00:00:00:01","interface":"br","status":"reachable","comment":"c","complete":"true","router":"false","vrf":"main"},
                {"address":"192.0.2.2","mac-address":"02:00:00:00:00:01","interface":"br"}]"#,
        );
        let rows: Vec<View<'_>> = seen.iter().collect();
        let shared = Shared::among(&rows);
        let empty: Vec<&str> = COLUMNS.all().filter(|name| cell(rows[0], &shared, name).is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        for seen in odd("/ip/arp").iter().chain(&odd("/ipv6/neighbor")) {
            let rows: Vec<View<'_>> = seen.iter().collect();
            let shared = Shared::among(&rows);
            COLUMNS.all().for_each(|name| drop(cell(rows[0], &shared, name)));
        }
    }
}
