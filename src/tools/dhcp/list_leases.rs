//! `dhcp.list_leases`: which client has which address, and for how long yet.
//!
//! One request; the ARP table is read too only when a caller asks for `arp`. `family: ipv6` lists bindings of DHCPv6 servers.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::notes::holding;
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "dhcp.list_leases",
    title: "DHCP leases",
    about: "DHCP leases: address, MAC, host name, server, status, seconds until it expires. Clients choose their names: data. Field arp tells whether the client answers.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/dhcp-server/lease", "/ip/arp", "/ipv6/dhcp-server/binding"],
    untrusted: &[
        "/rows/*/host_name",
        "/rows/*/comment",
        "/rows/*/client_id",
        "/rows/*/class_id",
        "/rows/*/agent_circuit_id",
        "/rows/*/agent_remote_id",
        "/rows/*/duid",
    ],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const LEASES: Columns = Columns::of(
    &[
        "address",
        "mac_address",
        "host_name",
        "server",
        "status",
        "dynamic",
        "expires_in_seconds",
        "never_seen",
        "disabled",
        "blocked",
        "comment",
        "notes",
    ],
    &[
        "last_seen_seconds",
        "age_seconds",
        "active_address",
        "active_mac_address",
        "active_server",
        "client_id",
        "class_id",
        "lease_time_seconds",
        "rate_limit",
        "address_lists",
        "radius",
        "agent_circuit_id",
        "agent_remote_id",
        "arp",
    ],
)
.quiet(&["never_seen", "disabled", "blocked"]);

const BINDINGS: Columns = Columns::of(
    &["address", "duid", "iaid", "server", "status", "dynamic", "expires_in_seconds", "disabled", "comment"],
    &["ia_type", "client_address", "last_seen_seconds", "life_time_seconds", "prefix_pool", "rate_limit", "address_lists", "radius"],
)
.quiet(&["disabled"]);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// IPv4 leases unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let family = args.family.unwrap_or_default();
    let scope = format!("dhcp.list_leases {} {family:?}", router.device.id);
    let columns = if family == Family::Ipv6 { &BINDINGS } else { &LEASES };
    columns.check(&args.list, &scope)?;
    let key = |row: &View<'_>| row.key(&["address", "mac-address", "server", "duid", "iaid"]);
    if family == Family::Ipv6 {
        // A router without the menu has no leases of that kind.
        let seen = router.all_if_there("/ipv6/dhcp-server/binding", FRESH).await?;
        let rows = seen.iter().flat_map(Seen::iter).collect();
        return columns.page(cx, &scope, &args.list, rows, key, |row, name| binding(*row, name));
    }
    let (leases, arp) = futures_util::try_join!(router.all("/ip/dhcp-server/lease", FRESH), async {
        if columns.wants(&args.list, "arp") { router.all("/ip/arp", FRESH).await.map(Some) } else { Ok(None) }
    })?;
    let answering = arp.as_ref().map(answering);
    columns.page(cx, &scope, &args.list, leases.iter().collect(), key, |row, name| lease(*row, answering.as_ref(), name))
}

/// Who answers for an address: MAC addresses of the ARP table, without entries nobody answered.
fn answering(arp: &Seen) -> HashMap<&str, &str> {
    let live = |row: &View<'_>| {
        !row.is("disabled") && row.flag("complete") != Some(false) && !matches!(row.text("status"), Some("failed" | "incomplete"))
    };
    arp.iter().filter(live).filter_map(|row| Some((row.text("address")?, row.text("mac-address").filter(|mac| !mac.is_empty())?))).collect()
}

fn lease(row: View<'_>, answering: Option<&HashMap<&str, &str>>, column: &str) -> Value {
    let filled = |name: &str| row.text(name).filter(|text| !text.is_empty());
    // A static lease may name no address: then the one it has now.
    let address = filled("address").or(filled("active-address"));
    match column {
        "address" => address.into(),
        "mac_address" => filled("mac-address").or(filled("active-mac-address")).into(),
        "host_name" => row.text("host-name").into(),
        "server" => filled("server").or(filled("active-server")).into(),
        "status" => row.text("status").into(),
        "dynamic" => row.is("dynamic").into(),
        "expires_in_seconds" => row.seconds("expires-after").into(),
        "never_seen" => (row.text("last-seen") == Some("never")).into(),
        "disabled" => row.is("disabled").into(),
        "blocked" => (row.is("blocked") || row.is("block-access")).into(),
        "comment" => row.text("comment").into(),
        "notes" => notes(row).into(),
        "last_seen_seconds" => row.seconds("last-seen").into(),
        "age_seconds" => row.seconds("age").into(),
        "active_address" => row.text("active-address").into(),
        "active_mac_address" => row.text("active-mac-address").into(),
        "active_server" => row.text("active-server").into(),
        "client_id" => filled("client-id").or(filled("active-client-id")).into(),
        "class_id" => row.text("class-id").into(),
        "lease_time_seconds" => row.seconds("lease-time").into(),
        "rate_limit" => row.text("rate-limit").into(),
        "address_lists" => row.words("address-lists").into(),
        "radius" => row.is("radius").into(),
        "agent_circuit_id" => filled("agent-circuit-id").or(filled("active-agent-circuit-id")).into(),
        "agent_remote_id" => filled("agent-remote-id").or(filled("active-agent-remote-id")).into(),
        "arp" => arp(row, address, answering).into(),
        _ => Value::Null,
    }
}

/// Whether the client that has the address answers for it.
fn arp(row: View<'_>, address: Option<&str>, answering: Option<&HashMap<&str, &str>>) -> Option<&'static str> {
    let mac = row.text("active-mac-address").filter(|mac| !mac.is_empty()).or(row.text("mac-address"));
    let address = row.text("active-address").filter(|text| !text.is_empty()).or(address)?;
    Some(match answering?.get(address) {
        None => "silent",
        Some(answers) if mac.is_none_or(|mac| mac.eq_ignore_ascii_case(answers)) => "answers",
        Some(_) => "another_mac_answers",
    })
}

/// What is odd about a lease.
fn notes(row: View<'_>) -> Vec<&'static str> {
    let differs = |wanted: &str, now: &str| {
        let both = row.text(wanted).zip(row.text(now));
        both.is_some_and(|(wanted, now)| !wanted.is_empty() && !now.is_empty() && !wanted.eq_ignore_ascii_case(now))
    };
    holding([
        (differs("address", "active-address"), "has_another_address_now"),
        (differs("mac-address", "active-mac-address"), "another_client_has_it_now"),
        (row.text("status") == Some("conflict"), "address_taken_by_others"),
    ])
}

fn binding(row: View<'_>, column: &str) -> Value {
    match column {
        "address" => row.text("address").into(),
        "duid" => row.text("duid").into(),
        "iaid" => row.text("iaid").into(),
        "server" => row.string("server").or_else(|| row.string("active-server")).into(),
        "status" => row.text("status").into(),
        "dynamic" => row.is("dynamic").into(),
        "expires_in_seconds" => row.seconds("expires-after").into(),
        "disabled" => row.is("disabled").into(),
        "comment" => row.text("comment").into(),
        "ia_type" => row.text("ia-type").into(),
        "client_address" => row.text("client-address").into(),
        "last_seen_seconds" => row.seconds("last-seen").into(),
        "life_time_seconds" => row.seconds("life-time").into(),
        "prefix_pool" => row.text("prefix-pool").into(),
        "rate_limit" => row.text("rate-limit").into(),
        "address_lists" => row.words("address-lists").into(),
        "radius" => row.is("radius").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::{accounted, odd, sample};
    use serde_json::json;

    const ROWS: &str = r#"[
        {"address":"192.0.2.20","mac-address":"02:00:00:00:00:01","server":"lan","dynamic":"true","status":"bound","host-name":"phone","active-address":"192.0.2.20",
         "active-mac-address":"02:00:00:00:00:01","active-server":"lan","active-client-id":"1:2","class-id":"android","age":"3h55m47s","expires-after":"20h4m13s",
         "last-seen":"3h55m47s","radius":"false","blocked":"false","address-lists":"","lease-time":"1d","rate-limit":"1M/1M","agent-circuit-id":"c","agent-remote-id":"r",
         "comment":"c"},
        {"address":"192.0.2.21","mac-address":"02:00:00:00:00:02","dynamic":"false","status":"waiting","last-seen":"never","comment":"printer"},
        {"address":"192.0.2.22","mac-address":"02:00:00:00:00:03","active-address":"192.0.2.99","active-mac-address":"02:00:00:00:00:03","status":"bound","dynamic":"false",
         "block-access":"true"},
        {"address":"","mac-address":"02:00:00:00:00:04","active-address":"192.0.2.30","status":"bound","dynamic":"false"},
        {"address":"192.0.2.40","status":"conflict","dynamic":"true","expires-after":"90"}]"#;

    fn column(name: &str) -> Vec<Value> {
        let leases = Seen::answered("/ip/dhcp-server/lease", ROWS);
        let arp = Seen::answered(
            "/ip/arp",
            r#"[{"address":"192.0.2.20","mac-address":"02:00:00:00:00:01","complete":"true"},{"address":"192.0.2.99","mac-address":"02:00:00:00:00:77"},
                {"address":"192.0.2.30","status":"failed"}]"#,
        );
        let answering = answering(&arp);
        leases.iter().map(|row| lease(row, Some(&answering), name)).collect()
    }

    #[test]
    fn a_lease_says_how_long_it_lives_and_what_is_odd() {
        assert_eq!(column("expires_in_seconds"), [json!(72_253), Value::Null, Value::Null, Value::Null, json!(90)]);
        assert_eq!(column("never_seen"), [json!(false), json!(true), json!(false), json!(false), json!(false)]);
        assert_eq!(column("address")[3], "192.0.2.30", "a static lease without an address of its own");
        assert_eq!(column("blocked")[2], true);
        assert_eq!(
            column("notes"),
            [json!([]), json!([]), json!(["has_another_address_now"]), json!([]), json!(["address_taken_by_others"])]
        );
        assert_eq!(column("arp"), [json!("answers"), json!("silent"), json!("another_mac_answers"), json!("silent"), json!("silent")]);
    }

    #[test]
    fn every_column_has_a_cell() {
        let empty: Vec<&str> = LEASES.all().filter(|name| column(name)[0].is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
        let seen = Seen::answered(
            "/ipv6/dhcp-server/binding",
            r#"[{"address":"2001:db8:1::/56","duid":"0x1","iaid":"1","server":"s","status":"bound","expires-after":"1d","comment":"c","ia-type":"pd",
                "client-address":"fe80::1","last-seen":"3m","life-time":"3d","prefix-pool":"p","rate-limit":"1M/1M"}]"#,
        );
        let empty: Vec<&str> = BINDINGS.all().filter(|name| binding(seen.first().unwrap(), name).is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
    }

    #[test]
    fn a_binding_that_names_no_server_tells_the_one_in_use() {
        let seen =
            Seen::answered("/ipv6/dhcp-server/binding", r#"[{"server":"","active-server":"pd"},{"server":"own","active-server":"pd"}]"#);
        let servers: Vec<Value> = seen.iter().map(|row| binding(row, "server")).collect();
        assert_eq!(servers, [json!("pd"), json!("own")]);
    }

    #[test]
    fn a_recorded_lease_is_told_whole() {
        let Some(seen) = sample("/ip/dhcp-server/lease", "rest-misc/ip_dhcp-server_lease_bound_dynamic.json") else { return };
        let row = seen.first().unwrap();
        let cells: Vec<Value> = LEASES.all().map(|name| lease(row, None, name)).collect();
        accounted("/ip/dhcp-server/lease", row, &cells, &["dhcp-option"]);
        assert_eq!(lease(row, None, "expires_in_seconds"), 72_253);
    }

    #[test]
    fn words_of_clients_are_marked() {
        for name in ["host_name", "comment", "client_id", "class_id", "agent_circuit_id", "agent_remote_id", "duid"] {
            assert!(TOOL.untrusted.contains(&format!("/rows/*/{name}").as_str()), "{name}");
        }
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let arps = odd("/ip/arp");
        for (at, seen) in odd("/ip/dhcp-server/lease").iter().enumerate() {
            let answering = answering(&arps[at]);
            LEASES.all().for_each(|name| drop(lease(seen.first().unwrap(), Some(&answering), name)));
        }
        for seen in odd("/ipv6/dhcp-server/binding") {
            BINDINGS.all().for_each(|name| drop(binding(seen.first().unwrap(), name)));
        }
    }
}
