//! `ip.list_addresses`: the router's own IPv4 and IPv6 addresses, and those that cannot work.
//!
//! Three requests: both families, and the interfaces they are on (known for half a minute from other tools).

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::ip::family::both;
use crate::tools::ip::overlap::{Meets, Placed, meetings};
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use ipnet::IpNet;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "ip.list_addresses",
    title: "IP addresses",
    about: "IPv4 and IPv6 addresses of one router with interface and network; notes mark those on a missing, disabled or down interface, twice in use, or in overlapping networks.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/address", "/ipv6/address", "/interface"],
    // A dynamic interface bears the name its user chose.
    untrusted: &["/rows/*/comment", "/rows/*/interface", "/rows/*/actual_interface", "/rows/*/conflicts_with"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(
    &["address", "interface", "actual_interface", "network", "dynamic", "disabled", "invalid", "comment", "notes", "conflicts_with"],
    &["family", "vrf", "link_local", "advertise", "from_pool", "deprecated", "broadcast"],
)
.quiet(&["invalid"]);

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
    let scope = format!("ip.list_addresses {} {:?}", router.device.id, args.family);
    COLUMNS.check(&args.list, &scope)?;
    let ((four, six), faces) = futures_util::try_join!(both(&router, args.family, "/ip/address", "/ipv6/address"), async {
        let query = Query::new().columns(["name", "disabled", "running"]);
        if COLUMNS.wants(&args.list, "notes") { router.rows_if_there("/interface", query, FRESH).await } else { Ok(None) }
    })?;
    let addresses = gather(four.as_ref(), six.as_ref(), faces.as_ref());
    let key = |one: &Address<'_>| one.row.key(&["address", "interface"]);
    COLUMNS.page(cx, &scope, &args.list, addresses, key, cell)
}

struct Address<'a> {
    row: View<'a>,
    notes: Vec<&'static str>,
    conflicts_with: Option<String>,
}

fn gather<'a>(four: Option<&'a Seen>, six: Option<&'a Seen>, faces: Option<&'a Seen>) -> Vec<Address<'a>> {
    let rows: Vec<View<'a>> = four.into_iter().chain(six).flat_map(Seen::iter).collect();
    let faces: Option<HashMap<&str, View<'_>>> = faces.map(|seen| seen.iter().filter_map(|row| Some((row.text("name")?, row))).collect());
    let placed: Vec<Option<Placed<'_>>> = rows.iter().map(|row| placed(*row)).collect();
    let meetings = meetings(&placed);
    let all = rows.iter().zip(meetings).map(|(row, meets)| {
        let mut notes = place_notes(*row, faces.as_ref());
        let other = match meets {
            Some(Meets::Same(other)) => Some(("address_twice", other)),
            Some(Meets::Overlap(other)) => Some(("network_overlaps", other)),
            None => None,
        };
        notes.extend(other.map(|(word, _)| word));
        let name = |at: usize| format!("{} on {}", rows[at].text("address").unwrap_or_default(), on(rows[at]));
        Address { row: *row, notes, conflicts_with: other.map(|(_, at)| name(at)) }
    });
    all.collect()
}

/// The interface in effect: that of a bridge port is its bridge.
fn on(row: View<'_>) -> &str {
    row.text("actual-interface").filter(|name| !name.is_empty()).or(row.text("interface")).unwrap_or_default()
}

/// An address as far as it is in use; one end of a point-to-point link and link-local ones are alone on theirs.
fn placed(row: View<'_>) -> Option<Placed<'_>> {
    if row.is("disabled") || row.is("invalid") || row.is("link-local") {
        return None;
    }
    let text = row.text("address")?;
    let net: IpNet = if text.contains('/') { text.parse().ok()? } else { text.parse::<std::net::IpAddr>().ok()?.into() };
    let far_end = row.text("network").is_some_and(|network| network != net.network().to_string());
    if net.prefix_len() == net.max_prefix_len() && far_end {
        return None;
    }
    Some(Placed { net, on: on(row), vrf: row.text("vrf").filter(|vrf| !vrf.is_empty()).unwrap_or("main") })
}

fn place_notes(row: View<'_>, faces: Option<&HashMap<&str, View<'_>>>) -> Vec<&'static str> {
    let mut notes = Vec::new();
    if row.is("disabled") {
        return notes;
    }
    let name = row.text("interface").unwrap_or_default();
    // Once deleted, an interface is told by its dead id.
    let dead = name.starts_with('*');
    match faces.map(|faces| faces.get(name)) {
        _ if dead => notes.push("interface_missing"),
        Some(None) => notes.push("interface_missing"),
        Some(Some(face)) if face.is("disabled") => notes.push("interface_disabled"),
        Some(Some(face)) if face.flag("running") == Some(false) => notes.push("interface_down"),
        _ => {}
    }
    if row.is("slave") || (!row.is("link-local") && on(row) != name) {
        notes.push("on_bridge_port");
    }
    if row.is("deprecated") {
        notes.push("deprecated");
    }
    notes
}

fn cell(one: &Address<'_>, column: &str) -> Value {
    let row = one.row;
    match column {
        "address" => row.text("address").into(),
        "interface" => row.text("interface").into(),
        "actual_interface" => row.text("actual-interface").filter(|name| Some(*name) != row.text("interface")).into(),
        "network" => row.text("network").into(),
        "dynamic" => row.is("dynamic").into(),
        "disabled" => row.is("disabled").into(),
        "invalid" => row.is("invalid").into(),
        "comment" => row.text("comment").into(),
        "notes" => one.notes.clone().into(),
        "conflicts_with" => one.conflicts_with.clone().into(),
        "family" => if row.text("address").is_some_and(|text| text.contains(':')) { "ipv6" } else { "ipv4" }.into(),
        "vrf" => row.text("vrf").into(),
        "link_local" => row.flag("link-local").into(),
        "advertise" => row.flag("advertise").into(),
        "from_pool" => row.text("from-pool").into(),
        "deprecated" => row.flag("deprecated").into(),
        "broadcast" => row.text("broadcast").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::{accounted, odd, sample};
    use serde_json::json;

    const FACES: &str = r#"[{"name":"ether1","running":"true","disabled":"false"},{"name":"ether2","running":"false","disabled":"true"},
        {"name":"ether3","running":"false"},{"name":"bridge","running":"true"},{"name":"ether4","running":"true"}]"#;

    #[test]
    fn addresses_that_cannot_work_are_noted() {
        let four = Seen::answered(
            "/ip/address",
            r#"[{"address":"192.0.2.1/24","network":"192.0.2.0","interface":"ether1","actual-interface":"ether1"},
                {"address":"198.51.100.1/24","network":"198.51.100.0","interface":"ether2","actual-interface":"ether2"},
                {"address":"203.0.113.1/24","network":"203.0.113.0","interface":"ether3"},
                {"address":"10.0.0.1/24","network":"10.0.0.0","interface":"*9","invalid":"true"},
                {"address":"10.1.0.1/24","network":"10.1.0.0","interface":"ether4","actual-interface":"bridge"},
                {"address":"10.1.0.129/25","network":"10.1.0.128","interface":"ether1"},
                {"address":"10.9.0.1/24","network":"10.9.0.0","interface":"gone","disabled":"true"},
                {"address":"10.202.0.1/32","network":"100.64.0.7","interface":"<pppoe-a>","dynamic":"true"},
                {"address":"10.202.0.1/32","network":"100.64.0.8","interface":"<pppoe-b>","dynamic":"true"}]"#,
        );
        let six = Seen::answered(
            "/ipv6/address",
            r#"[{"address":"fe80::1/64","interface":"ether1","link-local":"true"},{"address":"fe80::1/64","interface":"bridge","link-local":"true"}]"#,
        );
        let faces = Seen::answered("/interface", FACES);
        let all = gather(Some(&four), Some(&six), Some(&faces));
        let notes: Vec<(Value, Value)> = all.iter().map(|one| (cell(one, "notes"), cell(one, "conflicts_with"))).collect();
        let none = Value::Null;
        assert_eq!(
            notes,
            [
                (json!([]), none.clone()),
                (json!(["interface_disabled"]), none.clone()),
                (json!(["interface_down"]), none.clone()),
                (json!(["interface_missing"]), none.clone()),
                (json!(["on_bridge_port", "network_overlaps"]), json!("10.1.0.129/25 on ether1")),
                (json!(["network_overlaps"]), json!("10.1.0.1/24 on bridge")),
                (json!([]), none.clone()),
                (json!(["interface_missing"]), none.clone()),
                (json!(["interface_missing"]), none.clone()),
                (json!([]), none.clone()),
                (json!([]), none),
            ]
        );
    }

    #[test]
    fn recorded_addresses_are_told_whole() {
        for (menu, file) in [
            ("/ip/address", "docs/ip_address_list.json"),
            ("/ip/address", "rest-tf/ip_address.json"),
            ("/ipv6/address", "rest-tf/ipv6_address.json"),
        ] {
            let Some(seen) = sample(menu, file) else { return };
            let all = gather(Some(&seen), None, None);
            for one in &all {
                let cells: Vec<Value> = COLUMNS.all().map(|name| cell(one, name)).collect();
                accounted(menu, one.row, &cells, &["eui-64", "no-dad"]);
            }
            assert!(all.iter().all(|one| one.conflicts_with.is_none()), "{file}: one of them is disabled");
        }
    }

    #[test]
    fn the_same_address_twice_is_told_with_the_other_place() {
        let four =
            Seen::answered("/ip/address", r#"[{"address":"192.0.2.1/24","interface":"a"},{"address":"192.0.2.1/24","interface":"b"}]"#);
        let all = gather(Some(&four), None, None);
        assert_eq!(
            all.iter().map(|one| cell(one, "conflicts_with")).collect::<Vec<_>>(),
            [json!("192.0.2.1/24 on b"), json!("192.0.2.1/24 on a")]
        );
        assert!(all.iter().all(|one| one.notes == ["address_twice"]));
    }

    #[test]
    fn every_column_has_a_cell() {
        let six = Seen::answered(
            "/ipv6/address",
            r#"[{"address":"2001:db8::1/64","interface":"p1","actual-interface":"br","network":"2001:db8::","comment":"c","vrf":"main","advertise":"true",
                "from-pool":"p","deprecated":"false","link-local":"false","broadcast":"192.0.2.255"},{"address":"2001:db8::1/64","interface":"x"}]"#,
        );
        let all = gather(None, Some(&six), None);
        let empty: Vec<&str> = COLUMNS.all().filter(|name| cell(&all[0], name).is_null()).collect();
        assert!(empty.is_empty(), "{empty:?}");
        assert_eq!(cell(&all[0], "family"), "ipv6");
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let (six, faces) = (odd("/ipv6/address"), odd("/interface"));
        for (at, four) in odd("/ip/address").iter().enumerate() {
            for one in gather(Some(four), Some(&six[at]), Some(&faces[at])) {
                COLUMNS.all().for_each(|name| drop(cell(&one, name)));
            }
        }
    }
}
