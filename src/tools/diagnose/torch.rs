//! `diagnose.torch`: who uses an interface right now.

use crate::access::policy::Verb;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::value;
use crate::tools::context::Cx;
use crate::tools::diagnose::{outcome, target};
use crate::tools::router::{Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const TOOL: Tool = Tool {
    name: "diagnose.torch",
    title: "Torch",
    about: "The flows on one interface right now, by rate: addresses, ports, protocol. Answers who uses the bandwidth.",
    toolset: "diagnose",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(90),
    paths: &["/tool", "/interface"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Seconds of one piece; the router wants at least two.
const PIECE: u64 = 3;
const LEAST: u64 = 2;
/// Flows told apart at most while watching; a flood of short ones must not fill memory.
const MOST_FLOWS: usize = 20_000;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Interface to watch.
    #[schemars(length(min = 1, max = 64))]
    interface: String,
    /// How long to watch, 3 unless set.
    #[schemars(range(min = 2, max = 30))]
    seconds: Option<u64>,
    /// Only flows from this address or network.
    src_address: Option<String>,
    /// Only flows to this address or network.
    dst_address: Option<String>,
    /// Only flows with this port on either side.
    #[schemars(range(min = 1, max = 65535))]
    port: Option<u16>,
    /// Only this protocol.
    protocol: Option<Protocol>,
    /// How many flows to show, 20 unless set.
    #[schemars(range(min = 1, max = 100))]
    limit: Option<usize>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Tcp,
    Udp,
    Icmp,
    Icmpv6,
    Gre,
}

impl Protocol {
    fn as_str(self) -> &'static str {
        match self {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
            Protocol::Icmp => "icmp",
            Protocol::Icmpv6 => "icmpv6",
            Protocol::Gre => "gre",
        }
    }
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    interface: String,
    seconds: u64,
    /// Received and sent by the interface, all flows together.
    rx_bits_per_second: u64,
    tx_bits_per_second: u64,
    /// Flows seen; the fastest are shown.
    flows_seen: usize,
    flows: Vec<Flow>,
    /// It was watched as long as asked for.
    complete: bool,
    /// Why it ended early.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Flow {
    #[serde(flatten)]
    ends: Ends,
    rx_bits_per_second: u64,
    tx_bits_per_second: u64,
}

/// What tells flows apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
struct Ends {
    src_address: Option<String>,
    src_port: Option<String>,
    dst_address: Option<String>,
    dst_port: Option<String>,
    protocol: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vlan_id: Option<String>,
}

/// Rates added up over the seconds watched.
#[derive(Default)]
struct Watched {
    flows: BTreeMap<Ends, (u64, u64)>,
    total: Option<(u64, u64)>,
    samples: u64,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    target::plain_name("interface", &args.interface)?;
    let networks = [("src-address", &args.src_address), ("dst-address", &args.dst_address)];
    let mut said: Vec<(String, String)> = vec![("interface".into(), args.interface.clone())];
    for (name, given) in networks {
        match given {
            Some(text) => {
                let network = target::network(&name.replace('-', "_"), text)?;
                said.push((if network.contains(':') { format!("{name}6") } else { name.to_owned() }, network));
            }
            // A column only shows when it is asked for.
            None => said.extend([(name.to_owned(), "0.0.0.0/0".to_owned()), (format!("{name}6"), "::/0".to_owned())]),
        }
    }
    said.push(("port".into(), args.port.map_or("any".into(), |port| port.to_string())));
    said.push(("ip-protocol".into(), args.protocol.map_or("any", Protocol::as_str).to_owned()));
    let router = cx.router(&args.device)?;
    target::interface(&router, "interface", &args.interface).await?;
    let device = &router.device;
    let _place = cx.world.diagnostics.enter(&[(&device.id, &device.name)], &cx.principal.subject, cx.world.clock.mono())?;

    let (seconds, limit) = (args.seconds.unwrap_or(PIECE), args.limit.unwrap_or(20));
    cx.expect(std::time::Duration::from_secs(seconds));
    let (mut watched, mut done, mut stopped) = (Watched::default(), 0, None);
    for piece in outcome::pieces(seconds, PIECE, LEAST) {
        let (duration, lasts) = outcome::seconds(piece);
        let mut arguments: Vec<(&str, &str)> = said.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        arguments.push(("duration", &duration));
        match router.measure("/tool", "torch", &arguments, Verb::Probe, lasts).await {
            Ok(seen) => watched.add(&seen),
            Err(fault) if done > 0 => {
                stopped = Some(fault.said);
                break;
            }
            Err(fault) => return Err(fault),
        }
        done += piece;
        let (rx, tx) = watched.rates();
        cx.say(&format!("{done} of {seconds} s: {} flows, {rx} bit/s in, {tx} bit/s out", watched.flows.len()));
        cx.so_far(&watched.answer(&args.interface, done, limit, None))?;
    }
    Ok(watched.answer(&args.interface, done, limit, stopped))
}

impl Watched {
    fn add(&mut self, seen: &Seen) {
        let sections: BTreeSet<&str> = seen.iter().filter_map(|row| row.text(".section")).collect();
        self.samples += sections.len().max(1) as u64;
        for row in seen.iter() {
            let rate = |name: &str| row.text(name).and_then(value::rate).unwrap_or(0);
            let (rx, tx) = (rate("rx"), rate("tx"));
            let ends = ends(&row);
            let sum = match ends.is_nothing() {
                // The last row of a telling is the sum of all.
                true => self.total.get_or_insert_default(),
                false if self.flows.len() >= MOST_FLOWS && !self.flows.contains_key(&ends) => continue,
                false => self.flows.entry(ends).or_default(),
            };
            *sum = (sum.0.saturating_add(rx), sum.1.saturating_add(tx));
        }
    }

    /// Received and sent, on average.
    fn rates(&self) -> (u64, u64) {
        let sum = self.total.unwrap_or_else(|| {
            self.flows.values().fold((0, 0), |sum: (u64, u64), one| (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1)))
        });
        (sum.0 / self.samples.max(1), sum.1 / self.samples.max(1))
    }

    fn answer(&self, interface: &str, seconds: u64, limit: usize, stopped: Option<String>) -> Answer {
        let (rx_bits_per_second, tx_bits_per_second) = self.rates();
        let flows_seen = self.flows.len();
        let samples = self.samples.max(1);
        let mut fastest: Vec<(&Ends, u64, u64)> = self.flows.iter().map(|(ends, (rx, tx))| (ends, rx / samples, tx / samples)).collect();
        fastest.sort_by_key(|(_, rx, tx)| std::cmp::Reverse(rx.saturating_add(*tx)));
        let flow = |(ends, rx_bits_per_second, tx_bits_per_second): (&Ends, u64, u64)| Flow {
            ends: ends.clone(),
            rx_bits_per_second,
            tx_bits_per_second,
        };
        let flows = fastest.into_iter().take(limit).map(flow).collect();
        let (interface, complete) = (interface.to_owned(), stopped.is_none());
        Answer { interface, seconds, rx_bits_per_second, tx_bits_per_second, flows_seen, flows, complete, stopped }
    }
}

fn ends(row: &View<'_>) -> Ends {
    let either = |one: &str, other: &str| row.string(one).or(row.string(other));
    Ends {
        src_address: either("src-address", "src-address6"),
        src_port: row.string("src-port"),
        dst_address: either("dst-address", "dst-address6"),
        dst_port: row.string("dst-port"),
        protocol: either("ip-protocol", "mac-protocol"),
        vlan_id: row.string("vlan-id"),
    }
}

impl Ends {
    fn is_nothing(&self) -> bool {
        let all = [&self.src_address, &self.src_port, &self.dst_address, &self.dst_port, &self.protocol, &self.vlan_id];
        all.iter().all(|part| part.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row::Row;

    #[test]
    fn rates_are_averages_over_the_seconds_and_the_sum_row_is_no_flow() {
        let row = |pairs: &[(&str, &str)]| Row::from_pairs(pairs.iter().copied());
        let flow = |section, rx, tx| {
            row(&[
                (".section", section),
                ("src-address", "192.0.2.1"),
                ("dst-address", "192.0.2.2"),
                ("ip-protocol", "tcp"),
                ("rx", rx),
                ("tx", tx),
            ])
        };
        let seen = Seen::of(
            "/tool",
            vec![
                flow("0", "1000", "10kbps"),
                row(&[(".section", "0"), ("rx", "5000"), ("tx", "20000")]),
                flow("1", "3000", "20kbps"),
                row(&[(".section", "1"), ("src-address", "192.0.2.9"), ("rx", "900000"), ("tx", "0")]),
                row(&[(".section", "1"), ("rx", "5000"), ("tx", "20000")]),
            ],
        );
        let mut watched = Watched::default();
        watched.add(&seen);
        let answer = watched.answer("ether1", 2, 1, None);
        assert_eq!((answer.rx_bits_per_second, answer.tx_bits_per_second, answer.flows_seen), (5_000, 20_000, 2));
        assert_eq!(answer.flows.len(), 1);
        assert_eq!(answer.flows[0].ends.src_address.as_deref(), Some("192.0.2.9"));
        assert_eq!(answer.flows[0].rx_bits_per_second, 450_000);
    }
}
