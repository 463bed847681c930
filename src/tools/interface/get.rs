//! `interface.get`: one interface with its addresses, bridge, counters and link.
//!
//! Three requests: the interfaces, and the two of bridge port, addresses and link that say most about this one. A router marks
//! members of bridges and bonds (`slave`); where it does, others need not be looked up among the ports. `full` reads the rest too.

use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::tools::context::Cx;
use crate::tools::interface::known::{self, is_up, may_be_port};
use crate::tools::interface::link::{self, Link};
use crate::tools::notes::holding;
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "interface.get",
    title: "Interface",
    about: "One interface: state, addresses, bridge and VLAN of its port, counters, last link change; of a wired port also speed and duplex. Ask full for whatever not_read names.",
    toolset: "interface",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/interface", "/interface/bridge/port", "/interface/ethernet", "/ip/address", "/ipv6/address"],
    untrusted: &["/comment", "/name", "/link/module/vendor_name", "/link/module/vendor_part_number", "/link/module/vendor_serial"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Name of the interface, e.g. ether1.
    #[schemars(length(min = 1, max = 128))]
    name: String,
    /// Also read IPv6 addresses, bridge port and link, at up to two requests more.
    full: Option<bool>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    name: String,
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
    running: Option<bool>,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    dynamic: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_name: Option<String>,
    mac_address: Option<String>,
    mtu: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    l2mtu: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vrf: Option<String>,
    /// In use on this interface, with prefix length.
    addresses: Vec<String>,
    /// The bridge it is a port of.
    bridge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bridge_port: Option<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<Link>,
    /// The later of up and down, on the router's clock.
    last_link_change: Option<String>,
    last_link_up: Option<String>,
    last_link_down: Option<String>,
    /// Since the router started.
    link_downs: Option<u64>,
    counters: Counters,
    notes: Vec<&'static str>,
    /// What was not asked of the router; `full` asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_read: Option<Vec<&'static str>>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Port {
    pvid: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// Spanning tree role.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    forwarding: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hw_offload: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frame_types: Option<String>,
    disabled: bool,
}

/// Since the router started or somebody reset them.
#[derive(Debug, Serialize, JsonSchema)]
struct Counters {
    rx_bytes: Option<u64>,
    tx_bytes: Option<u64>,
    rx_packets: Option<u64>,
    tx_packets: Option<u64>,
    rx_errors: Option<u64>,
    tx_errors: Option<u64>,
    rx_drops: Option<u64>,
    tx_drops: Option<u64>,
    tx_queue_drops: Option<u64>,
}

/// Which menus to ask beside `/interface`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ask {
    port: bool,
    link: bool,
    six: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let faces = router.all("/interface", FRESH).await?;
    let row = known::find(&router, &faces, &args.name)?;
    let ask = plan(&faces, row, args.full == Some(true));
    let port_query = Query::new().eq("interface", args.name.as_str());
    let (ports, link, four, six) = futures_util::try_join!(
        async { if ask.port { router.rows_if_there("/interface/bridge/port", port_query, FRESH).await } else { Ok(None) } },
        async { if ask.link { monitor(&router, &args.name).await } else { Ok(None) } },
        router.all_if_there("/ip/address", FRESH),
        async { if ask.six { router.all_if_there("/ipv6/address", FRESH).await } else { Ok(None) } },
    )?;
    let addresses = four.iter().chain(&six).flat_map(|seen| addresses(seen, &args.name)).collect();
    let port = ports.as_ref().and_then(|seen| seen.iter().find(|row| row.text("interface") == Some(args.name.as_str())));
    Ok(answer(row, port, link.as_ref().and_then(Seen::first), addresses, ask))
}

/// Bridge ports are looked up unless this cannot be one; the request saved goes to the link, or to IPv6 where there is none.
fn plan(faces: &Seen, row: View<'_>, full: bool) -> Ask {
    let kind = row.text("type").unwrap_or_default();
    let marks_members = faces.iter().any(|row| row.is("slave"));
    let port = may_be_port(kind) && (row.is("slave") || !marks_members);
    let wired = kind == "ether";
    Ask { port: port || (full && may_be_port(kind)), link: wired && (full || !port), six: full || (!port && !wired) }
}

/// The state of a wired link; a router that does not measure it is no reason to answer nothing.
async fn monitor(router: &Router<'_>, name: &str) -> Result<Option<Seen>, Fault> {
    match router.probe("/interface/ethernet", "monitor", &[("numbers", name), ("once", "")]).await {
        Ok(seen) => Ok(Some(seen)),
        Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::RouterDenied | Kind::NotFound) => {
            tracing::info!(cause = fault.chain(), "the router does not tell about the link");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

fn addresses(seen: &Seen, name: &str) -> Vec<String> {
    let here = |row: &View<'_>| [row.text("interface"), row.text("actual-interface")].contains(&Some(name));
    let used = |row: &View<'_>| !row.is("disabled") && !row.is("invalid");
    seen.iter().filter(|row| here(row) && used(row)).filter_map(|row| row.string("address")).collect()
}

fn answer(row: View<'_>, port: Option<View<'_>>, link: Option<View<'_>>, addresses: Vec<String>, ask: Ask) -> Answer {
    let (up, down) = (row.time("last-link-up-time"), row.time("last-link-down-time"));
    let link = link.map(link::shape);
    let mut notes = Vec::new();
    if is_up(row) && addresses.is_empty() && port.is_none() && !row.is("slave") {
        notes.push("no_address");
    }
    if !row.is("disabled") && row.flag("running") == Some(false) {
        notes.push("link_down");
    }
    let some = |name: &str| row.count(name).is_some_and(|count| count > 0);
    notes.extend(holding([(some("rx-error") || some("tx-error"), "errors"), (some("rx-drop") || some("tx-drop"), "drops")]));
    notes.extend(link.iter().flat_map(|link| link.notes()));
    let wired = row.text("type") == Some("ether");
    let unread = holding([(!ask.six, "ipv6_addresses"), (wired && !ask.link, "link")]);
    Answer {
        name: row.string("name").unwrap_or_default(),
        kind: row.string("type"),
        comment: row.string("comment"),
        running: row.flag("running"),
        disabled: row.is("disabled"),
        dynamic: row.flag("dynamic").filter(|dynamic| *dynamic),
        default_name: row.string("default-name"),
        mac_address: row.string("mac-address"),
        mtu: row.count("actual-mtu").or(row.count("mtu")),
        l2mtu: row.count("l2mtu"),
        vrf: row.string("vrf"),
        addresses,
        bridge: port.and_then(|port| port.string("bridge")),
        bridge_port: port.map(bridge_port),
        link,
        last_link_change: up.clone().max(down.clone()),
        last_link_up: up,
        last_link_down: down,
        link_downs: row.count("link-downs"),
        counters: counters(row),
        notes,
        not_read: Some(unread).filter(|unread| !unread.is_empty()),
    }
}

fn bridge_port(port: View<'_>) -> Port {
    Port {
        pvid: port.count("pvid"),
        status: port.string("status"),
        role: port.string("role"),
        forwarding: port.flag("forwarding"),
        hw_offload: port.flag("hw-offload"),
        frame_types: port.string("frame-types").filter(|types| types != "admit-all"),
        disabled: port.is("disabled"),
    }
}

fn counters(row: View<'_>) -> Counters {
    Counters {
        rx_bytes: row.count("rx-byte"),
        tx_bytes: row.count("tx-byte"),
        rx_packets: row.count("rx-packet"),
        tx_packets: row.count("tx-packet"),
        rx_errors: row.count("rx-error"),
        tx_errors: row.count("tx-error"),
        rx_drops: row.count("rx-drop"),
        tx_drops: row.count("tx-drop"),
        tx_queue_drops: row.count("tx-queue-drop"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::odd;

    const FACES: &str = r#"[
        {"name":"ether1","type":"ether","running":"true","actual-mtu":"1500","mtu":"1500","link-downs":"3","rx-byte":"10","rx-error":"2",
         "last-link-up-time":"2026-03-02 19:46:36","last-link-down-time":"2026-03-02 19:46:30","mac-address":"02:00:00:00:00:01"},
        {"name":"ether2","type":"ether","running":"true","slave":"true"},
        {"name":"wg0","type":"wg","running":"true"},
        {"name":"vlan7","type":"vlan","running":"false"}]"#;

    fn asks(faces: &str, name: &str, full: bool) -> Ask {
        let faces = Seen::answered("/interface", faces);
        plan(&faces, faces.iter().find(|row| row.text("name") == Some(name)).unwrap(), full)
    }

    #[test]
    fn two_requests_beside_the_first_say_most() {
        let unmarked = FACES.replace(r#","slave":"true""#, "");
        for (faces, name, port, link, six) in [
            (FACES, "ether1", false, true, false),
            (FACES, "ether2", true, false, false),
            (FACES, "wg0", false, false, true),
            (FACES, "vlan7", false, false, true),
            (&unmarked, "ether1", true, false, false),
            (&unmarked, "wg0", false, false, true),
        ] {
            let ask = asks(faces, name, false);
            assert_eq!(ask, Ask { port, link, six }, "{name}");
            // IPv4 addresses are read always.
            assert!([ask.port, ask.link, ask.six].iter().filter(|is| **is).count() <= 1, "{name}");
        }
        assert_eq!(asks(FACES, "ether1", true), Ask { port: true, link: true, six: true });
        assert_eq!(asks(FACES, "wg0", true), Ask { port: false, link: false, six: true });
    }

    #[test]
    fn an_interface_is_told_with_what_is_odd_about_it() {
        let faces = Seen::answered("/interface", FACES);
        let monitor =
            Seen::answered("/interface/ethernet", r#"[{"name":"ether1","status":"link-ok","rate":"100Mbps","full-duplex":"false"}]"#);
        let ask = Ask { port: false, link: true, six: false };
        let told = answer(faces.first().unwrap(), None, monitor.first(), Vec::new(), ask);
        assert_eq!(told.notes, ["no_address", "errors", "half_duplex"]);
        assert_eq!(told.last_link_change.as_deref(), Some("2026-03-02 19:46:36"));
        assert_eq!((told.link_downs, told.mtu, told.counters.rx_errors), (Some(3), Some(1500), Some(2)));
        assert_eq!(told.not_read, Some(vec!["ipv6_addresses"]));
        assert_eq!(told.bridge, None);
    }

    #[test]
    fn a_port_tells_its_bridge_and_counts_addresses_of_its_own_only() {
        let faces = Seen::answered("/interface", FACES);
        let ports = Seen::answered(
            "/interface/bridge/port",
            r#"[{"interface":"ether2","bridge":"br","pvid":"10","role":"designated-port","forwarding":"true","frame-types":"admit-all"}]"#,
        );
        let four = Seen::answered(
            "/ip/address",
            r#"[{"address":"192.0.2.1/24","interface":"br","actual-interface":"br"},
            {"address":"192.0.2.2/24","interface":"ether2","actual-interface":"br"},{"address":"192.0.2.3/24","interface":"ether2","disabled":"true"}]"#,
        );
        assert_eq!(addresses(&four, "ether2"), ["192.0.2.2/24"]);
        assert_eq!(addresses(&four, "br"), ["192.0.2.1/24", "192.0.2.2/24"], "the bridge answers for its ports");
        let row = faces.iter().nth(1).unwrap();
        let told = answer(row, ports.first(), None, Vec::new(), Ask { port: true, link: false, six: false });
        assert_eq!((told.bridge.as_deref(), told.bridge_port.as_ref().and_then(|port| port.pvid)), (Some("br"), Some(10)));
        assert!(told.notes.is_empty() && told.not_read == Some(vec!["ipv6_addresses", "link"]));
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let (ports, four) = (odd("/interface/bridge/port"), odd("/ip/address"));
        for (at, faces) in odd("/interface").iter().enumerate() {
            let row = faces.first().unwrap();
            let ask = plan(faces, row, at % 2 == 0);
            answer(row, ports[at].first(), None, addresses(&four[at], row.text("name").unwrap()), ask);
        }
    }
}
