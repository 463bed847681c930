//! `diagnose.ping`: whether something answers a router, and how fast.

use crate::access::policy::Verb;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::diagnose::{outcome, target};
use crate::tools::router::{Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "diagnose.ping",
    title: "Ping",
    about: "Pings an address or host name from a router: replies, loss and round-trip times. No reply, no route or no DNS answer is a result, not an error.",
    toolset: "diagnose",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    // 20 pings, 5 s apart, and the silence of each.
    timeout: Span::secs(180),
    paths: &["/tool"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// One piece of the measurement: other requests wait for its end.
const PIECE: Duration = Duration::from_secs(2);
/// How long the router waits for an answer.
const SILENCE: Duration = Duration::from_secs(1);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name: who pings.
    #[schemars(length(min = 1))]
    device: String,
    /// IP address or host name to ping.
    #[schemars(length(min = 1, max = 253))]
    address: String,
    /// How many, 4 unless set.
    #[schemars(range(min = 1, max = 20))]
    count: Option<u32>,
    /// Bytes of each packet.
    #[schemars(range(min = 28, max = 9000))]
    size: Option<u32>,
    /// Time between two, 1000 ms unless set.
    #[schemars(range(min = 100, max = 5000))]
    interval_ms: Option<u32>,
    /// Ping from this address of the router.
    src_address: Option<String>,
    /// Ping out of this interface.
    interface: Option<String>,
    /// Ping within this VRF.
    vrf: Option<String>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Answer {
    address: String,
    /// `all_replied`, `some_lost`, `no_reply`, `unreachable`, `no_route`, `unresolved` or `ttl_exceeded`.
    outcome: String,
    sent: u64,
    received: u64,
    loss_percent: f64,
    rtt_min_ms: Option<f64>,
    rtt_avg_ms: Option<f64>,
    rtt_max_ms: Option<f64>,
    replies: Vec<Echo>,
    /// All that was asked for was measured, or more would tell nothing.
    complete: bool,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

#[derive(Clone, Serialize, JsonSchema)]
struct Echo {
    seq: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let address = target::host("address", &args.address)?;
    let source = args.src_address.as_deref().map(|text| target::ip("src_address", text)).transpose()?;
    for (field, name) in [("interface", &args.interface), ("vrf", &args.vrf)] {
        name.as_deref().map_or(Ok(()), |name| target::plain_name(field, name))?;
    }
    let router = cx.router(&args.device)?;
    if let Some(name) = &args.interface {
        target::interface(&router, "interface", name).await?;
    }
    if let Some(name) = &args.vrf {
        target::vrf(&router, name).await?;
    }
    let device = &router.device;
    let _place = cx.world.diagnostics.enter(&[(&device.id, &device.name)], &cx.principal.subject, cx.world.clock.mono())?;

    let count = args.count.unwrap_or(4);
    let interval = Duration::from_millis(args.interval_ms.unwrap_or(1_000).into());
    cx.expect(interval * count);
    let said = said(&args, &address, source);
    let mut answer = Answer::new(address);
    let at_once = u32::try_from(PIECE.as_millis() / interval.as_millis().max(1)).unwrap_or(1).max(1);
    let mut left = count;
    while left > 0 {
        let this = left.min(at_once);
        left -= this;
        match piece(&router, &said, this, interval).await {
            Ok(seen) => answer.add(&seen, u64::from(this)),
            Err(fault) => match outcome::of(&fault) {
                Some(word) => {
                    answer.outcome = word.to_owned();
                    break;
                }
                // What was seen so far is still an answer.
                None if answer.sent > 0 => {
                    (answer.complete, answer.stopped) = (false, Some(fault.said));
                    break;
                }
                None => return Err(fault),
            },
        }
        let average = answer.rtt_avg_ms.map_or(String::new(), |ms| format!(", {ms} ms on average"));
        cx.say(&format!("{} of {} answered{average}; {left} to go", answer.received, answer.sent));
        cx.so_far(&answer.clone().finished())?;
    }
    Ok(answer.finished())
}

/// What the router is told besides the count.
fn said(args: &Args, address: &str, source: Option<IpAddr>) -> Vec<(String, String)> {
    let mut said = vec![("address".to_owned(), address.to_owned())];
    let mut add = |name: &str, value: Option<String>| said.extend(value.map(|value| (name.to_owned(), value)));
    add("interval", args.interval_ms.map(|ms| format!("{ms}ms")));
    add("size", args.size.map(|size| size.to_string()));
    add("src-address", source.map(|ip| ip.to_string()));
    add("interface", args.interface.clone());
    add("vrf", args.vrf.clone());
    said
}

async fn piece(router: &Router<'_>, said: &[(String, String)], count: u32, interval: Duration) -> Result<Seen, Fault> {
    let count_text = count.to_string();
    let mut arguments: Vec<(&str, &str)> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    arguments.push(("count", &count_text));
    router.measure("/tool", "ping", &arguments, Verb::Probe, interval * count + SILENCE).await
}

impl Answer {
    fn new(address: String) -> Self {
        Answer {
            address,
            outcome: String::new(),
            sent: 0,
            received: 0,
            loss_percent: 0.0,
            rtt_min_ms: None,
            rtt_avg_ms: None,
            rtt_max_ms: None,
            replies: Vec::new(),
            complete: true,
            stopped: None,
        }
    }

    /// One piece's rows. The router counts from 0 in each; its own sums are believed over the rows.
    fn add(&mut self, seen: &Seen, asked: u64) {
        let before = self.replies.len() as u64;
        let rows: Vec<View<'_>> = seen.iter().collect();
        for (nth, row) in rows.iter().enumerate() {
            let status = row.string("status");
            let time_ms = row.text("time").and_then(outcome::ms).filter(|_| status.is_none());
            let from = row.string("host").filter(|host| *host != self.address);
            let seq = before + row.count("seq").unwrap_or(nth as u64);
            self.replies.push(Echo { seq, from, time_ms, ttl: row.count("ttl"), status });
        }
        let last = |name: &str| rows.last().and_then(|row| row.count(name));
        let answered = self.replies[before as usize..].iter().filter(|echo| echo.time_ms.is_some()).count() as u64;
        self.sent += last("sent").unwrap_or(asked.max(rows.len() as u64));
        self.received += last("received").unwrap_or(answered);
        let times = || self.replies.iter().filter_map(|echo| echo.time_ms);
        let heard = times().count();
        if heard > 0 {
            self.rtt_min_ms = times().min_by(f64::total_cmp);
            self.rtt_max_ms = times().max_by(f64::total_cmp);
            self.rtt_avg_ms = Some(outcome::rounded(times().sum::<f64>() / heard as f64));
        }
    }

    /// With what follows from the replies.
    fn finished(mut self) -> Self {
        let lost = self.sent.saturating_sub(self.received);
        self.loss_percent = if self.sent == 0 { 100.0 } else { (lost as f64 * 1_000.0 / self.sent as f64).round() / 10.0 };
        if !self.outcome.is_empty() {
            return self;
        }
        let failure = || self.replies.iter().filter_map(|echo| echo.status.as_deref()).find_map(outcome::word);
        self.outcome = match self.received {
            0 => failure().unwrap_or("no_reply"),
            received if received < self.sent => "some_lost",
            _ => "all_replied",
        }
        .to_owned();
        self
    }
}
