//! `routing.get_bgp`: BGP peers, each with its session.
//!
//! A connection is what was configured, a session what came of it; a peer that never answered has none. Until 7.19 address
//! families are `address-families`, later `afi`; from 7.20 AS and router id stand in an instance.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::value::Kind as ValueKind;
use crate::routeros::version::Version;
use crate::tools::columns::{Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, STEADY, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "routing.get_bgp",
    title: "BGP peers",
    about: "BGP peers with the state of each session, uptime, prefixes received, AS numbers and address families, and the BGP instances.",
    toolset: "routing",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/routing/bgp/connection", "/routing/bgp/session", "/routing/bgp/instance"],
    untrusted: &["/rows/*/comment", "/rows/*/last_notification", "/instances/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &[
        "name",
        "state",
        "remote_address",
        "remote_as",
        "local_as",
        "local_address",
        "role",
        "uptime_seconds",
        "prefixes",
        "afi",
        "instance",
        "last_stopped",
        "last_notification",
        "comment",
    ],
    &[
        "dynamic",
        "inactive",
        "hold_time_seconds",
        "keepalive_seconds",
        "multihop",
        "use_bfd",
        "table",
        "vrf",
        "templates",
        "remote_id",
        "input_filter",
        "output_filter",
    ],
)
.quiet_flags()
.bytes(8_600);

/// Instances told; a router has one or two.
const MOST_INSTANCES: usize = 8;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    established: usize,
    /// Peers that are meant to stand and do not.
    down: usize,
    /// From RouterOS 7.20 on.
    instances: Vec<Instance>,
}

#[derive(Serialize, JsonSchema)]
struct Instance {
    name: String,
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    number: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    router_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vrf: Option<String>,
    disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("routing.get_bgp {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let (connections, sessions, instances) = futures_util::try_join!(
        router.all_if_there("/routing/bgp/connection", FRESH),
        router.all_if_there("/routing/bgp/session", FRESH),
        instances_of(&router),
    )?;
    let instances: Vec<Instance> = instances.iter().flat_map(Seen::iter).take(MOST_INSTANCES).map(instance).collect();
    let peers = peers(connections.as_ref(), sessions.as_ref(), &instances);
    let of_state = |state: &[&str]| peers.iter().filter(|peer| peer["state"].as_str().is_some_and(|is| state.contains(&is))).count();
    let (established, down) = (of_state(&["established"]), of_state(&["down", "no session"]));
    let key = |peer: &Map<String, Value>| {
        ["name", "remote_address"].map(|name| peer.get(name).map(Value::to_string).unwrap_or_default()).join("|")
    };
    let page = COLUMNS.pick(cx, &scope, &args.list, peers, key, Map::clone)?;
    Ok(Answer { page, established, down, instances })
}

/// None before 7.20, which is not worth a question.
async fn instances_of(router: &Router<'_>) -> Result<Option<Seen>, Fault> {
    let version = router.device.facts.version.as_deref().and_then(Version::parse);
    if version.is_some_and(|version| !version.at_least(7, 20)) {
        return Ok(None);
    }
    router.all_if_there("/routing/bgp/instance", STEADY).await
}

fn instance(row: View<'_>) -> Instance {
    Instance {
        name: row.string("name").unwrap_or_default(),
        number: row.string("as"),
        router_id: row.string("router-id"),
        vrf: row.string("vrf").filter(|vrf| vrf != "main"),
        disabled: row.is("disabled"),
        comment: row.string("comment"),
    }
}

/// Each connection with its sessions (one that listens to a network may have many), then sessions of none.
fn peers(connections: Option<&Seen>, sessions: Option<&Seen>, instances: &[Instance]) -> Vec<Map<String, Value>> {
    let mut left: Vec<View<'_>> = sessions.into_iter().flat_map(Seen::iter).collect();
    let mut peers = Vec::new();
    for connection in connections.into_iter().flat_map(Seen::iter) {
        let (own, others) = left.into_iter().partition(|session| is_of(*session, connection));
        left = others;
        let own: Vec<View<'_>> = own;
        if own.is_empty() {
            peers.push(shape(Some(connection), None, instances));
        }
        peers.extend(own.into_iter().map(|session| shape(Some(connection), Some(session), instances)));
    }
    peers.extend(left.into_iter().map(|session| shape(None, Some(session), instances)));
    peers
}

/// A session is named for its connection and a number, `TO-R14C-1`; versions that name it otherwise still tell the peer.
fn is_of(session: View<'_>, connection: View<'_>) -> bool {
    let name = connection.text("name").unwrap_or("");
    let numbered = session.text("name").and_then(|own| own.strip_prefix(name)).is_some_and(|rest| {
        rest.is_empty() || rest.strip_prefix('-').is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    });
    let host = |row: View<'_>| row.text("remote.address").map(|text| text.split('/').next().unwrap_or(text).to_owned());
    let same_peer = || host(session).is_some_and(|peer| !peer.is_empty() && Some(peer) == host(connection));
    (numbered && !name.is_empty()) || same_peer()
}

fn shape(connection: Option<View<'_>>, session: Option<View<'_>>, instances: &[Instance]) -> Map<String, Value> {
    // What is so comes before what was meant.
    let string = |name: &str| session.and_then(|row| row.string(name)).or_else(|| connection.and_then(|row| row.string(name)));
    let seconds = |name: &str| session.and_then(|row| row.seconds(name)).or_else(|| connection.and_then(|row| row.seconds(name)));
    let flag = |name: &str| session.and_then(|row| row.flag(name)).or_else(|| connection.and_then(|row| row.flag(name)));
    let set = |name: &str| {
        connection.and_then(|row| row.typed(name, ValueKind::Set)).filter(|value| value.as_array().is_none_or(|all| !all.is_empty()))
    };
    let instance = string("instance");
    let of_instance = || instances.iter().find(|one| Some(one.name.as_str()) == instance.as_deref()).and_then(|one| one.number.clone());
    let mut out = Map::new();
    put_some(&mut out, "name", connection.and_then(|row| row.string("name")).or_else(|| string("name")));
    out.insert("state".into(), state(connection, session).into());
    put_some(&mut out, "remote_address", string("remote.address"));
    put_some(&mut out, "remote_as", string("remote.as").map(number));
    put_some(&mut out, "local_as", string("local.as").or_else(|| string("as")).or_else(of_instance).map(number));
    put_some(&mut out, "local_address", string("local.address").or_else(|| string("local.default-address")));
    put_some(&mut out, "role", string("local.role"));
    put_some(&mut out, "uptime_seconds", session.and_then(|row| row.seconds("uptime")));
    put_some(&mut out, "prefixes", session.and_then(|row| row.count("prefix-count")));
    put_some(&mut out, "afi", set("afi").or_else(|| set("address-families")));
    put_some(&mut out, "last_stopped", string("last-stopped"));
    put_some(
        &mut out,
        "last_notification",
        session.and_then(|row| row.string("input.last-notification").or_else(|| row.string("output.last-notification"))),
    );
    put_some(&mut out, "dynamic", flag("dynamic"));
    put_some(&mut out, "inactive", flag("inactive"));
    put_some(&mut out, "hold_time_seconds", seconds("hold-time"));
    put_some(&mut out, "keepalive_seconds", seconds("keepalive-time"));
    put_some(&mut out, "multihop", flag("multihop"));
    put_some(&mut out, "use_bfd", flag("use-bfd"));
    put_some(&mut out, "table", string("routing-table"));
    put_some(&mut out, "vrf", string("vrf"));
    put_some(&mut out, "templates", set("templates"));
    put_some(&mut out, "remote_id", session.and_then(|row| row.string("remote.id")));
    put_some(&mut out, "input_filter", string("input.filter"));
    put_some(&mut out, "output_filter", string("output.filter-chain"));
    put_some(&mut out, "comment", connection.and_then(|row| row.string("comment")));
    put_some(&mut out, "instance", instance);
    out
}

/// `established`, `down`, `no session` (it never came up, or ended), `disabled`.
fn state(connection: Option<View<'_>>, session: Option<View<'_>>) -> &'static str {
    let up = session.map(|row| row.is("established"));
    match up {
        Some(true) => "established",
        _ if connection.is_some_and(|row| row.is("disabled")) => "disabled",
        Some(false) => "down",
        None => "no session",
    }
}

/// An AS number; versions write `65521/1` and the like too.
fn number(text: String) -> Value {
    text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of(connections: &str, sessions: &str, instances: &[Instance]) -> Vec<Value> {
        let connections = Seen::answered("/routing/bgp/connection", connections);
        let sessions = Seen::answered("/routing/bgp/session", sessions);
        peers(Some(&connections), Some(&sessions), instances).into_iter().map(Value::Object).collect()
    }

    #[test]
    fn a_peer_is_its_connection_and_what_came_of_it() {
        let instances =
            Seen::answered("/routing/bgp/instance", r#"[{"name":"default","as":"64500","router-id":"192.0.2.1","disabled":"false"}]"#);
        let instances: Vec<Instance> = instances.iter().map(instance).collect();
        let peers = of(
            r#"[{"name":"A","remote.address":"198.51.100.1/32","remote.as":"64501","instance":"default","local.role":"ebgp","afi":"ip,ipv6","disabled":"false"},
               {"name":"A-1","remote.address":"198.51.100.9","remote.as":"64509","instance":"default"},
               {"name":"B","remote.address":"198.51.100.5","remote.as":"64502","disabled":"true","comment":"old"}]"#,
            r#"[{"name":"A-1","remote.address":"198.51.100.1","established":"true","uptime":"1h","prefix-count":"41","hold-time":"3m"},
               {"name":"ghost-1","remote.address":"203.0.113.1","remote.as":"64510","established":"false","last-stopped":"2026-11-25 08:00:00"}]"#,
            &instances,
        );
        assert_eq!(peers.len(), 4);
        assert_eq!((&peers[0]["name"], &peers[0]["state"], &peers[0]["prefixes"]), (&json!("A"), &json!("established"), &json!(41)));
        assert_eq!(
            (&peers[0]["local_as"], &peers[0]["afi"], &peers[0]["uptime_seconds"]),
            (&json!(64500), &json!(["ip", "ipv6"]), &json!(3600))
        );
        assert_eq!((&peers[1]["name"], &peers[1]["state"]), (&json!("A-1"), &json!("no session")), "its name is another's session");
        assert_eq!((&peers[2]["state"], &peers[2]["comment"]), (&json!("disabled"), &json!("old")));
        assert_eq!(
            (&peers[3]["name"], &peers[3]["state"], &peers[3]["last_stopped"]),
            (&json!("ghost-1"), &json!("down"), &json!("2026-11-25 08:00:00"))
        );
        assert!(peers[2].get("afi").is_none() && peers[2].get("prefixes").is_none());
    }

    #[test]
    fn older_versions_keep_as_and_families_in_the_connection() {
        let peers =
            of(r#"[{"name":"bgp1","address-families":"ip","as":"65521/1","remote.address":"0.0.0.0/32","tcp-md5-key":"hush"}]"#, "[]", &[]);
        assert_eq!((&peers[0]["afi"], &peers[0]["local_as"]), (&json!(["ip"]), &json!("65521/1")));
        assert!(!Value::from(peers).to_string().contains("hush"));
    }
}
