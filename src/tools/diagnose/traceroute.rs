//! `diagnose.traceroute`: which routers a packet passes on its way.
//!
//! The router tells the hops found so far again and again, each time as one more `.section`; only the last telling
//! counts. A trace is begun with a few hops and repeated with more, so that no command runs for long.

use crate::access::policy::Verb;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::diagnose::{outcome, target};
use crate::tools::router::{Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "diagnose.traceroute",
    title: "Traceroute",
    about: "The hops from a router to an address or host name, with loss and round-trip times. Shows how far packets get.",
    toolset: "diagnose",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(120),
    paths: &["/tool"],
    // With use_dns these are names that the owners of the addresses chose.
    untrusted: &["/hops/*/address", "/hops/*/status"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// How many hops further each piece looks; a silent hop costs a second.
const STEP: u32 = 6;
/// So many silent hops in a row: nothing will answer behind them.
const SILENT_MAX: usize = 5;
/// How long the router waits for one hop.
const PER_HOP: Duration = Duration::from_secs(1);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name: where the trace begins.
    #[schemars(length(min = 1))]
    device: String,
    /// IP address or host name to trace.
    #[schemars(length(min = 1, max = 253))]
    address: String,
    /// Hops at most, 30 unless set.
    #[schemars(range(min = 1, max = 30))]
    max_hops: Option<u32>,
    /// icmp unless set.
    protocol: Option<Protocol>,
    /// Names instead of addresses of the hops; off unless set.
    use_dns: Option<bool>,
    /// Trace from this address of the router.
    src_address: Option<String>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Icmp,
    Udp,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    address: String,
    /// `reached`, `not_reached`, `unreachable`, `no_route` or `unresolved`.
    outcome: String,
    hops: Vec<Hop>,
    /// It was traced as far as asked for, or more would tell nothing.
    complete: bool,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
struct Hop {
    hop: usize,
    /// Absent: that hop did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<String>,
    loss_percent: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    best_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    worst_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let address = target::host("address", &args.address)?;
    let source = args.src_address.as_deref().map(|text| target::ip("src_address", text)).transpose()?.map(|ip| ip.to_string());
    let router = cx.router(&args.device)?;
    let device = &router.device;
    let _place = cx.world.diagnostics.enter(&[(&device.id, &device.name)], &cx.principal.subject, cx.world.clock.mono())?;

    let most = args.max_hops.unwrap_or(30);
    let mut answer = Answer { address: address.clone(), outcome: "not_reached".into(), hops: Vec::new(), complete: true, stopped: None };
    let mut reach = 0;
    while reach < most {
        reach = (reach + STEP).min(most);
        let hops = reach.to_string();
        let mut arguments = vec![("address", address.as_str()), ("count", "1"), ("timeout", "1s"), ("max-hops", hops.as_str())];
        arguments.push(("use-dns", if args.use_dns == Some(true) { "yes" } else { "no" }));
        arguments.push(("protocol", if matches!(args.protocol, Some(Protocol::Udp)) { "udp" } else { "icmp" }));
        arguments.extend(source.as_deref().map(|source| ("src-address", source)));
        match router.measure("/tool", "traceroute", &arguments, Verb::Probe, PER_HOP * reach).await {
            Ok(seen) => answer.hops = fold(&seen),
            Err(fault) => match outcome::of(&fault) {
                Some(word) => {
                    answer.outcome = word.to_owned();
                    break;
                }
                None if !answer.hops.is_empty() => {
                    (answer.complete, answer.stopped) = (false, Some(fault.said));
                    break;
                }
                None => return Err(fault),
            },
        }
        let found = answer.hops.iter().filter(|hop| hop.address.is_some()).count();
        cx.say(&format!("{} hops, {found} answered", answer.hops.len()));
        cx.so_far(&answer)?;
        let silent = answer.hops.iter().rev().take_while(|hop| hop.address.is_none()).count();
        let last = answer.hops.last();
        if let Some(word) = last.and_then(|hop| hop.status.as_deref()).and_then(outcome::word).filter(|word| *word != "no_reply") {
            answer.outcome = word.to_owned();
            break;
        }
        let ended = answer.hops.len() < reach as usize;
        let meant = last.and_then(|hop| hop.address.as_deref()).is_some_and(|last| is_meant(last, &address, ended));
        if meant {
            answer.outcome = "reached".to_owned();
        }
        if meant || ended {
            break;
        }
        if silent >= SILENT_MAX {
            answer.stopped = Some(format!("{silent} hops in a row did not answer"));
            break;
        }
    }
    Ok(answer)
}

/// Whether the last hop is the target. What a name stands for is not told: a trace that ended by itself got there.
fn is_meant(last: &str, target: &str, ended: bool) -> bool {
    match (last.parse::<IpAddr>(), target.parse::<IpAddr>()) {
        (Ok(last), Ok(target)) => last == target,
        _ => ended || last.eq_ignore_ascii_case(target),
    }
}

/// The final hops of all sections.
fn fold(seen: &Seen) -> Vec<Hop> {
    let mut sections: Vec<(Option<&str>, Vec<View<'_>>)> = Vec::new();
    for row in seen.iter() {
        let section = row.text(".section");
        match sections.last_mut() {
            Some((last, rows)) if *last == section => rows.push(row),
            _ => sections.push((section, vec![row])),
        }
    }
    let one_each = sections.len() > 1 && sections.iter().all(|(_, rows)| rows.len() == 1);
    let first = |rows: &[View<'_>]| rows.first().and_then(|row| row.string("address"));
    let all_same = sections.iter().all(|(_, rows)| first(rows) == sections.first().and_then(|(_, rows)| first(rows)));
    let rows: Vec<View<'_>> = if one_each && !all_same {
        // A hop a section: each one is told once.
        sections.into_iter().flat_map(|(_, rows)| rows).collect()
    } else {
        sections.pop().map(|(_, rows)| rows).unwrap_or_default()
    };
    rows.iter().enumerate().map(|(at, row)| hop(at + 1, row)).collect()
}

fn hop(number: usize, row: &View<'_>) -> Hop {
    let ms = |name: &str| row.text(name).and_then(outcome::ms);
    let address = row.string("address");
    let heard = address.is_some();
    Hop {
        hop: number,
        loss_percent: row.text("loss").and_then(|text| text.trim_end_matches('%').parse().ok()),
        last_ms: ms("last").filter(|_| heard),
        best_ms: ms("best").filter(|_| heard),
        worst_ms: ms("worst").filter(|_| heard),
        status: row.string("status").or(row.string("error")),
        address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row::Row;

    fn folded(rows: &[(&str, &str)]) -> Vec<String> {
        let row = |(section, address): &(&str, &str)| Row::from_pairs([(".section", *section), ("address", *address), ("last", "0.5")]);
        let seen = Seen::of("/tool", rows.iter().map(row).collect());
        fold(&seen).into_iter().map(|hop| hop.address.unwrap_or_default()).collect()
    }

    #[test]
    fn only_the_last_telling_of_the_hops_counts() {
        assert_eq!(folded(&[("0", "a"), ("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"), ("2", "c")]), ["a", "b", "c"]);
        assert_eq!(folded(&[("0", "a"), ("0", "b"), ("0", "c")]), ["a", "b", "c"]);
        assert_eq!(folded(&[("0", "a"), ("1", "b"), ("2", "c")]), ["a", "b", "c"], "a hop a section");
        assert_eq!(folded(&[("0", "a"), ("1", "a"), ("2", "a")]), ["a"], "one hop told three times");
        assert_eq!(folded(&[("0", ""), ("1", ""), ("1", "b")]), ["", "b"]);
        assert_eq!(folded(&[]), Vec::<String>::new());
    }
}
