//! `tools.search`: tools outside the listed toolsets, with what they take.
//!
//! A word counts where it stands in a tool's name, title or description. People ask in other words than those ("who is on
//! my wifi", "why is the internet slow"): a few of theirs stand for ours, and a menu that the question means (see
//! [`menus::search`]) speaks for the tools that read it.

use crate::access::policy::{self, Decision};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::menus;
use crate::tools;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "tools.search",
    title: "Search tools",
    about: "Finds tools by words, also those that tools/list leaves out, with their argument schemas. What it finds can be called by name.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const MOST_FOUND: usize = 8;
/// Menus that may speak for a tool, and what the best of them is worth.
const MOST_MENUS: usize = 3;
const MENU: f32 = 2.5;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// What you want to do, in words.
    #[schemars(length(min = 1, max = 200))]
    query: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    tools: Vec<Found>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Found {
    name: String,
    toolset: &'static str,
    description: &'static str,
    input_schema: Map<String, Value>,
}

/// Words that tell no tool from another.
const NOISE: &[&str] = &[
    "a", "all", "an", "and", "any", "are", "at", "can", "do", "does", "find", "for", "from", "get", "how", "i", "in", "is", "it", "list",
    "me", "my", "of", "on", "or", "our", "please", "router", "routero", "see", "show", "that", "the", "there", "these", "this", "to",
    "tool", "was", "what", "when", "where", "which", "who", "why", "will", "with",
];

/// What people say, and the words of ours that it stands for.
const MEANT: &[(&[&str], &[&str])] = &[
    (&["wifi", "wlan", "ssid", "roaming"], &["wireless"]),
    (&["slow", "lag", "laggy", "latency", "bandwidth", "speed", "throughput"], &["traffic", "torch", "ping"]),
    (&["internet", "online", "outage"], &["ping", "route", "connectivity"]),
    (&["offline", "down", "dead"], &["connectivity", "health", "state"]),
    (&["reboot", "restart", "crash", "hot", "temperature", "overload"], &["health"]),
    (&["block", "blocked", "drop", "dropped", "port", "forward", "open", "nat"], &["firewall", "path"]),
    (&["hacked", "attack", "safe", "secure", "hardening", "vulnerable", "exposed", "password", "login"], &["security"]),
    (&["did", "done", "blame"], &["audit"]),
    (&["mac", "host"], &["arp"]),
    (&["link", "port", "cable"], &["interface"]),
    (&["changed", "change", "difference", "yesterday", "history", "backup", "restore"], &["drift", "snapshot", "configuration"]),
    (&["tunnel", "wireguard", "ipsec", "l2tp", "pppoe", "openvpn"], &["vpn"]),
    (&["resolve", "lookup", "domain"], &["dns"]),
    (&["full", "exhausted"], &["pool"]),
    (&["time", "date"], &["clock", "ntp"]),
];

/// What a word of ours is worth that somebody said in another.
const MEANT_WORTH: f32 = 0.75;

/// A tool less than this share of the best one's worth is left out: its schema would only cost tokens.
const WORTH_SHOWING: f32 = 0.34;

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let allowed = |tool: &&'static Tool| {
        let decision = policy::decide(&cx.principal, &tool.target(), &cx.world.rules);
        tool.audience == Audience::Model && matches!(decision, Decision::Allow | Decision::AllowLoosely(_))
    };
    let separator = cx.world.settings.separator.to_string();
    let found = best(&args.query, tools::all().filter(allowed)).into_iter().map(|tool| Found {
        name: tool.name.replace('.', &separator),
        toolset: tool.toolset,
        description: tool.about,
        input_schema: (tool.input)(),
    });
    Ok(Answer { tools: found.collect() })
}

/// The tools that fit, best first.
fn best(query: &str, tools: impl Iterator<Item = &'static Tool>) -> Vec<&'static Tool> {
    let words: Vec<String> = words(query).filter(|word| !NOISE.contains(&word.as_str())).collect();
    let menus = menus::search(query, MOST_MENUS);
    let mut found: Vec<(f32, &'static Tool)> = tools
        .map(|tool| {
            let said: f32 = words.iter().map(|word| worth(tool, word)).sum();
            let read = menus.iter().position(|one| tool.paths.contains(&one.menu.path));
            (said + read.map_or(0.0, |place| MENU / (place + 1) as f32), tool)
        })
        .filter(|(score, _)| *score > 0.0)
        .collect();
    found.sort_by(|(a, _), (b, _)| b.total_cmp(a));
    let least = found.first().map_or(0.0, |(most, _)| most * WORTH_SHOWING);
    found.into_iter().take_while(|(score, _)| *score >= least).take(MOST_FOUND).map(|(_, tool)| tool).collect()
}

/// What a word of the query is worth: as it is, or a little less than the best that it stands for.
fn worth(tool: &Tool, word: &str) -> f32 {
    let meant = MEANT.iter().filter(|(said, _)| said.iter().any(|said| stem(said) == word)).flat_map(|(_, ours)| *ours);
    let meant = meant.map(|ours| weight(tool, &stem(ours)) * MEANT_WORTH).fold(0.0, f32::max);
    weight(tool, word).max(meant)
}

/// A word in the name says more than one in the description.
fn weight(tool: &Tool, word: &str) -> f32 {
    let has = |text: &str, worth: f32| if words(text).any(|w| is_like(word, &w)) { worth } else { 0.0 };
    has(tool.name, 3.0) + has(tool.title, 2.0) + has(tool.about, 1.0) + has(tool.toolset, 1.0)
}

/// `trace` is the beginning of `traceroute`.
fn is_like(wanted: &str, word: &str) -> bool {
    word == wanted || (wanted.len() >= 5 && word.starts_with(wanted))
}

fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).map(|word| stem(&word.to_lowercase()))
}

/// `leases` and `lease` are one word here.
fn stem(word: &str) -> String {
    word.strip_suffix('s').filter(|rest| rest.len() > 2).unwrap_or(word).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_operators_find_the_tool_that_answers() {
        let all = || tools::all().filter(|tool| tool.audience == Audience::Model);
        let wrong: Vec<String> = CASES
            .iter()
            .map(|(query, wanted)| (query, wanted, best(query, all()).iter().take(5).map(|tool| tool.name).collect::<Vec<_>>()))
            .filter(|(_, wanted, found)| !found.contains(wanted))
            .map(|(query, wanted, found)| format!("{query:?}: wanted {wanted}, found {found:?}"))
            .collect();
        println!("{} questions", CASES.len());
        assert!(CASES.len() >= 30 && wrong.is_empty(), "{} of {} wrong:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
    }

    #[test]
    fn nonsense_finds_no_tool_and_a_plain_question_few() {
        for query in ["xyzzy", "who is on my", "the the", "!", "кот"] {
            assert!(best(query, tools::all()).is_empty(), "{query:?}");
        }
        assert!(best("who is on my wifi", tools::all()).iter().all(|tool| tool.category() == "wireless"));
    }

    const CASES: &[(&str, &str)] = &[
        ("who is on my wifi", "wireless.get_clients"),
        ("wifi clients", "wireless.get_clients"),
        ("ssid", "wireless.get_interfaces"),
        ("access points", "wireless.get_capsman"),
        ("why is the internet slow", "interface.get_traffic"),
        ("who uses the bandwidth", "diagnose.torch"),
        ("which rule drops port 8291", "firewall.list_rules"),
        ("port forward", "firewall.list_rules"),
        ("blocked addresses", "firewall.list_address_lists"),
        ("open connections", "firewall.list_connections"),
        ("what changed since yesterday", "config.get_drift"),
        ("compare configurations", "config.diff"),
        ("are my firewalls safe", "security.audit"),
        ("weak passwords", "security.audit"),
        ("trace to host", "diagnose.traceroute"),
        ("ping", "diagnose.ping"),
        ("is the dhcp pool full", "dhcp.get_servers"),
        ("dhcp leases", "dhcp.list_leases"),
        ("vpn peers down", "vpn.get_status"),
        ("wireguard", "vpn.get_status"),
        ("bgp", "routing.get_bgp"),
        ("ospf neighbors", "routing.get_ospf"),
        ("default gateway", "routing.get_summary"),
        ("routes", "routing.list_routes"),
        ("logs of the last hour", "logs.get_recent"),
        ("mac address of a host", "ip.get_arp"),
        ("ip addresses", "ip.list_addresses"),
        ("vlans", "bridge.list"),
        ("link state of ports", "interface.list"),
        ("dns cache", "dns.get_cache"),
        ("temperature", "system.get_health"),
        ("reboot", "system.get_health"),
        ("time zone", "system.get_clock"),
        ("installed packages", "system.get_packages"),
        ("lldp neighbours", "neighbor.list"),
        ("speed limits", "queue.list"),
        ("would this packet be dropped", "diagnose.path"),
        ("who did what", "audit.get_events"),
    ];
}
