//! A route as the routing tools read it: which protocol brought it, whether it is in use.
//!
//! RouterOS shows most of this as flags that are there only when true, and a disabled static route has hardly any attribute
//! at all.

use crate::tools::columns::put_some;
use crate::tools::router::View;
use serde_json::{Map, Value};

/// Flags that name a protocol, the telling one first: a DHCP route may be marked as static too.
const PROTOCOLS: &[(&str, &str)] = &[
    ("connect", "connected"),
    ("dhcp", "dhcp"),
    ("slaac", "slaac"),
    ("modem", "modem"),
    ("bgp-mpls-vpn", "bgp-mpls-vpn"),
    ("vpn", "vpn"),
    ("bgp", "bgp"),
    ("ospf", "ospf"),
    ("is-is", "isis"),
    ("isis", "isis"),
    ("rip", "rip"),
    ("static", "static"),
];

/// The default destinations.
pub(super) const DEFAULTS: [&str; 2] = ["0.0.0.0/0", "::/0"];

/// `connected`, `static`, `dhcp`, `bgp` …; `unknown` when the router does not say.
pub(super) fn protocol<'a>(row: View<'a>) -> &'a str {
    let named = PROTOCOLS.iter().find(|(flag, _)| row.is(flag)).map(|(_, name)| *name);
    // `/routing/route` names instance or template behind the protocol: `bgp-IP-192.0.2.1`.
    let belongs = || row.text("belongs-to").and_then(|text| text.split(['-', ' ']).next()).filter(|word| !word.is_empty());
    named.or_else(belongs).unwrap_or(if row.flag("dynamic") == Some(false) { "static" } else { "unknown" })
}

pub(super) fn is_active(row: View<'_>) -> bool {
    row.is("active") || row.text("contribution") == Some("active")
}

pub(super) fn is_default(row: View<'_>) -> bool {
    row.text("dst-address").is_some_and(|dst| DEFAULTS.contains(&dst))
}

/// `main` unless the router names another.
pub(super) fn table<'a>(row: View<'a>) -> &'a str {
    row.text("routing-table").filter(|name| !name.is_empty()).unwrap_or("main")
}

/// One route, as answered.
pub(super) fn shape(row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    put_some(&mut out, "dst", row.text("dst-address"));
    put_some(&mut out, "gateway", row.string("gateway"));
    put_some(&mut out, "distance", row.count("distance"));
    out.insert("protocol".into(), protocol(row).into());
    // A disabled route does not say its table.
    put_some(&mut out, "table", row.text("routing-table"));
    out.insert("active".into(), is_active(row).into());
    for name in ["inactive", "disabled", "blackhole", "ecmp", "hw-offloaded"] {
        out.insert(name.replace('-', "_"), row.is(name).into());
    }
    put_some(&mut out, "immediate_gateway", row.string("immediate-gw"));
    put_some(&mut out, "check_gateway", row.string("check-gateway").filter(|how| how != "none"));
    put_some(&mut out, "pref_src", row.string("pref-src"));
    put_some(&mut out, "scope", row.count("scope"));
    put_some(&mut out, "target_scope", row.count("target-scope"));
    put_some(&mut out, "vrf_interface", row.string("vrf-interface"));
    put_some(&mut out, "comment", row.string("comment"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;
    use serde_json::json;

    #[test]
    fn flags_that_are_there_only_when_true_tell_protocol_and_state() {
        for (json, expected, active) in [
            (r#"{"active":"true","connect":"true","dynamic":"true","distance":"0"}"#, "connected", true),
            (r#"{"dhcp":"true","static":"true","dynamic":"true","inactive":"false"}"#, "dhcp", false),
            (r#"{"bgp":"true","dynamic":"true"}"#, "bgp", false),
            (r#"{"bgp":"false","ospf":"true","active":"true"}"#, "ospf", true),
            (r#"{"dst-address":"10.0.0.0/8","gateway":"1.1.1.1","disabled":"true","inactive":"true","static":"true"}"#, "static", false),
            (r#"{"belongs-to":"bgp-IP-192.0.2.1","contribution":"active"}"#, "bgp", true),
            (r#"{"dynamic":"false","gateway":"1.1.1.1"}"#, "static", false),
            (r#"{"gateway":"1.1.1.1"}"#, "unknown", false),
        ] {
            let seen = Seen::answered("/ip/route", json);
            let row = seen.first().unwrap();
            assert_eq!((protocol(row), is_active(row)), (expected, active), "{json}");
        }
    }

    #[test]
    fn a_blackhole_without_value_is_one_and_absent_stays_absent() {
        let seen =
            Seen::answered("/ip/route", r#"{"blackhole":"","dst-address":"10.0.0.0/8","static":"true","active":"true","distance":"254"}"#);
        let row = Value::Object(shape(seen.first().unwrap()));
        assert_eq!((&row["blackhole"], &row["active"], &row["distance"]), (&json!(true), &json!(true), &json!(254)));
        assert!(row.get("gateway").is_none() && row.get("table").is_none() && row.get("comment").is_none());
    }
}
