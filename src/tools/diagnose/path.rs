//! `diagnose.path`: what one router would do with a packet, worked out from its tables; nothing is sent.
//!
//! The verdict is `routeros::flow`'s: unknown as soon as a rule that matters cannot be evaluated.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::flow::{self, Flow, Verdict, trace};
use crate::routeros::value;
use crate::tools::context::Cx;
use crate::tools::diagnose::tables::{Held, family};
use crate::tools::diagnose::target;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "diagnose.path",
    title: "Packet path",
    about: "What a router would do with a packet from src to dst: route, gateway, firewall and NAT rules it meets, and where it ends. From its tables (8 to 14 reads); sends nothing.",
    toolset: "diagnose",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &[
        "/ip/address",
        "/ip/route",
        "/ip/arp",
        "/ip/settings",
        "/ip/firewall/raw",
        "/ip/firewall/mangle",
        "/ip/firewall/nat",
        "/ip/firewall/filter",
        "/ip/firewall/address-list",
        "/routing/rule",
        "/interface/list",
        "/interface/list/member",
    ],
    untrusted: &["/hops/*/evidence/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name: the router the packet comes to.
    #[schemars(length(min = 1))]
    device: String,
    /// Source IP address.
    #[schemars(length(min = 2, max = 45))]
    src: String,
    /// Destination IP address, as the sender writes it (before NAT).
    #[schemars(length(min = 2, max = 45))]
    dst: String,
    /// tcp if there is a port, icmp otherwise, unless set.
    protocol: Option<Protocol>,
    /// Destination port of tcp and udp.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// `accepted`, `dropped`, `rejected`, `no_route`, `unreachable`, or `unknown` when a rule cannot be evaluated.
    verdict: String,
    /// The step where it ends, or the first that cannot be told.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_step: Option<String>,
    /// In the router's order.
    hops: Vec<Hop>,
    /// What the verdict takes for granted.
    assumptions: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Hop {
    step: String,
    verdict: String,
    why: String,
    /// Rows that decided: menu, position (as `print` numbers them, where order means something), and their attributes.
    evidence: Vec<Map<String, Value>>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let (src, dst) = (target::ip("src", &args.src)?, target::ip("dst", &args.dst)?);
    if src.is_ipv6() != dst.is_ipv6() {
        return Err(Fault::bad_input("src and dst are of different IP versions").hint("give two IPv4 or two IPv6 addresses"));
    }
    let protocol = args.protocol.unwrap_or(if args.port.is_some() { Protocol::Tcp } else { Protocol::Icmp });
    let word = match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Icmp if src.is_ipv6() => "icmpv6",
        Protocol::Icmp => "icmp",
    };
    if (protocol == Protocol::Icmp) == args.port.is_some() {
        let said = if args.port.is_some() { "icmp has no ports" } else { "port is missing: tcp and udp have one" };
        return Err(Fault::bad_input(said).hint("give protocol tcp or udp together with port, or icmp without"));
    }
    let flow = Flow::of(src, dst, word, args.port).ok_or_else(|| Fault::bad_input("protocol: not known"))?;

    let router = cx.router(&args.device)?;
    let mut held = Held::read(&router, src, dst).await?;
    cx.say("tables read");
    let next = trace(&held.tables(), &flow).next;
    if !next.is_empty() {
        held.meet(&router, &next).await?;
    }
    let tables = held.tables();
    let journey = trace(&tables, &flow);
    let failing = |hop: &&flow::Hop<'_>| hop.verdict.is_end() || (hop.verdict == Verdict::Unknown && journey.verdict == Verdict::Unknown);
    let failing_step = journey.hops.iter().find(failing).map(|hop| hop.step.to_owned());
    let hops = journey.hops.iter().map(|hop| shown(hop, src.is_ipv6())).collect();
    let assumptions = journey.assumptions.iter().map(|text| (*text).to_owned()).collect();
    Ok(Answer { verdict: journey.verdict.as_str().to_owned(), failing_step, hops, assumptions })
}

/// Rows a step shows at most.
const MOST_ROWS: usize = 4;

fn shown(hop: &flow::Hop<'_>, v6: bool) -> Hop {
    let menu = match hop.menu {
        "neighbour" if v6 => "/ipv6/neighbor".to_owned(),
        "neighbour" => "/ip/arp".to_owned(),
        menu if menu.starts_with("/routing") => menu.to_owned(),
        menu => format!("{}{menu}", family(v6)),
    };
    // Equal routes can be dozens; a few show it.
    let evidence = hop.rows.iter().take(MOST_ROWS).map(|place| row(&menu, place)).collect();
    Hop { step: hop.step.to_owned(), verdict: hop.verdict.as_str().to_owned(), why: hop.why.clone(), evidence }
}

/// A row with what its operator set; counters and flags that are off say nothing here.
pub(crate) fn row(menu: &str, place: &flow::Place<'_>) -> Map<String, Value> {
    const NO_NEWS: &[&str] = &["bytes", "packets", "log", "log-prefix", "scope", "target-scope", "creation-time", "hw-offloaded"];
    let mut shown = Map::new();
    shown.insert("menu".into(), menu.into());
    // Of these only a part was read.
    if !["/route", "/arp", "/neighbor", "/address-list"].iter().any(|part| menu.ends_with(part)) {
        shown.insert("position".into(), place.position.into());
    }
    for (name, text) in place.row.attributes() {
        let is_no = !text.is_empty() && value::flag(text) == Some(false);
        if !text.is_empty() && !is_no && !NO_NEWS.contains(&name) {
            shown.insert(name.replace('-', "_"), text.into());
        }
    }
    shown
}
