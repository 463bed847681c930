//! `interface.get_traffic`: what passes through interfaces now.
//!
//! The router measures (`monitor-traffic`), one sample a second for a few seconds, all interfaces in one request. Two requests: which
//! interfaces there are, and the measurement.

use crate::access::policy::Verb;
use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::interface::known::{self, is_up};
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "interface.get_traffic",
    title: "Interface traffic",
    about: "Rates in bit/s and packets/s of interfaces, measured by the router over some seconds: average and peak, the busiest first.",
    toolset: "interface",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(40),
    paths: &["/interface"],
    untrusted: &["/interfaces/*/name"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Seconds measured unless the caller says otherwise.
const USUAL_SECONDS: u8 = 3;
/// Interfaces measured when the caller names none.
const MOST_UNNAMED: usize = 24;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Names, e.g. ["ether1", "bridge"]; the busiest that are up unless set.
    #[schemars(length(min = 1, max = 32))]
    interfaces: Option<Vec<String>>,
    /// How long to measure, 3 unless set.
    #[schemars(range(min = 1, max = 20))]
    seconds: Option<u8>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    /// How long the router measured.
    seconds: u8,
    interfaces: Vec<Rates>,
    /// Interfaces that are up and were not measured: name them.
    #[serde(skip_serializing_if = "Option::is_none")]
    left_out: Option<usize>,
}

#[derive(Debug, Default, PartialEq, Serialize, JsonSchema)]
struct Rates {
    name: String,
    running: Option<bool>,
    samples: usize,
    rx_bits_per_second: u64,
    tx_bits_per_second: u64,
    rx_peak_bits_per_second: u64,
    tx_peak_bits_per_second: u64,
    rx_packets_per_second: u64,
    tx_packets_per_second: u64,
    errors_per_second: u64,
    drops_per_second: u64,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let seconds = args.seconds.unwrap_or(USUAL_SECONDS);
    let faces = router.all("/interface", FRESH).await?;
    let (chosen, left_out) = match &args.interfaces {
        Some(names) => (named(&router, &faces, names)?, 0),
        None => busiest(&faces),
    };
    if chosen.is_empty() {
        return Ok(Answer { seconds, interfaces: Vec::new(), left_out: None });
    }
    let names: Vec<&str> = chosen.iter().filter_map(|row| row.text("name")).collect();
    let seen = measure(&router, &names.join(","), seconds).await?;
    let mut interfaces: Vec<Rates> = chosen.iter().map(|row| rates(*row, &seen, names.len() == 1)).collect();
    if interfaces.iter().all(|rates| rates.samples == 0) {
        return Err(Fault::new(Kind::Unreachable, format!("device \"{}\": the router sent no measurement", router.device.name)));
    }
    interfaces.sort_by_key(|rates| Reverse(rates.rx_bits_per_second.saturating_add(rates.tx_bits_per_second)));
    Ok(Answer { seconds, interfaces, left_out: Some(left_out).filter(|count| *count > 0) })
}

/// The rows named, each once.
fn named<'a>(router: &Router<'_>, faces: &'a Seen, names: &[String]) -> Result<Vec<View<'a>>, Fault> {
    let mut found: Vec<View<'a>> = Vec::new();
    for (at, name) in names.iter().enumerate() {
        let row = known::find(router, faces, name)?;
        if name.contains(',') {
            return Err(Fault::bad_input("interfaces: a name with a comma cannot be measured").hint("rename the interface first"));
        }
        if !names[..at].contains(name) {
            found.push(row);
        }
    }
    Ok(found)
}

/// Interfaces that are up, those with most bytes so far first, and how many were left out.
fn busiest(faces: &Seen) -> (Vec<View<'_>>, usize) {
    let measurable =
        |row: &View<'_>| is_up(*row) && row.text("type") != Some("loopback") && row.text("name").is_some_and(|name| !name.contains(','));
    let mut up: Vec<View<'_>> = faces.iter().filter(measurable).collect();
    up.sort_by_key(|row| Reverse(row.count("rx-byte").unwrap_or(0).saturating_add(row.count("tx-byte").unwrap_or(0))));
    let left_out = up.len().saturating_sub(MOST_UNNAMED);
    up.truncate(MOST_UNNAMED);
    (up, left_out)
}

async fn measure(router: &Router<'_>, names: &str, seconds: u8) -> Result<Seen, Fault> {
    let lasts = Duration::from_secs(seconds.into());
    let duration = format!("{seconds}s");
    match router.measure("/interface", "monitor-traffic", &[("interface", names), ("duration", &duration)], Verb::Probe, lasts).await {
        // An interface that went away meanwhile, or a router that only measures once.
        Err(fault) if fault.kind == Kind::Rejected => {
            router.probe("/interface", "monitor-traffic", &[("interface", names), ("once", "")]).await
        }
        answered => answered,
    }
}

/// Average and peak of an interface's samples.
fn rates(row: View<'_>, seen: &Seen, alone: bool) -> Rates {
    let name = row.string("name").unwrap_or_default();
    let samples: Vec<View<'_>> = seen.iter().filter(|sample| sample.text("name").map_or(alone, |of| of == name)).collect();
    let all = |attribute: &str| samples.iter().filter_map(|sample| sample.rate(attribute)).collect::<Vec<u64>>();
    let average = |attributes: &[&str]| attributes.iter().map(|attribute| mean(&all(attribute))).fold(0, u64::saturating_add);
    let peak = |attribute: &str| all(attribute).into_iter().max().unwrap_or(0);
    Rates {
        running: row.flag("running"),
        samples: samples.len(),
        rx_bits_per_second: average(&["rx-bits-per-second"]),
        tx_bits_per_second: average(&["tx-bits-per-second"]),
        rx_peak_bits_per_second: peak("rx-bits-per-second"),
        tx_peak_bits_per_second: peak("tx-bits-per-second"),
        rx_packets_per_second: average(&["rx-packets-per-second"]),
        tx_packets_per_second: average(&["tx-packets-per-second"]),
        errors_per_second: average(&["rx-errors-per-second", "tx-errors-per-second"]),
        drops_per_second: average(&["rx-drops-per-second", "tx-drops-per-second", "tx-queue-drops-per-second"]),
        name,
    }
}

fn mean(values: &[u64]) -> u64 {
    let sum: u128 = values.iter().map(|value| u128::from(*value)).sum();
    u64::try_from(sum / values.len().max(1) as u128).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::samples::{odd, sample};

    #[test]
    fn samples_become_average_and_peak() {
        let faces = Seen::answered("/interface", r#"[{"name":"ether1","running":"true"},{"name":"ether2","running":"false"}]"#);
        let seen = Seen::answered(
            "/interface",
            r#"[{".section":"0","name":"ether1","rx-bits-per-second":"1000","tx-bits-per-second":"2kbps","rx-errors-per-second":"2"},
                {".section":"0","name":"ether2","rx-bits-per-second":"0","tx-bits-per-second":"0"},
                {".section":"1","name":"ether1","rx-bits-per-second":"3000","tx-bits-per-second":"4000","tx-errors-per-second":"4"}]"#,
        );
        let one = rates(faces.first().unwrap(), &seen, false);
        assert_eq!((one.samples, one.rx_bits_per_second, one.rx_peak_bits_per_second, one.tx_bits_per_second), (2, 2000, 3000, 3000));
        assert_eq!((one.errors_per_second, one.drops_per_second), (6, 0));
        assert_eq!(rates(faces.iter().nth(1).unwrap(), &seen, false).samples, 1);
    }

    #[test]
    fn recorded_measurements_have_their_samples() {
        let faces = Seen::answered("/interface", r#"[{"name":"ether1"},{"name":"ether2"}]"#);
        let Some(three) = sample("/interface", "rest-misc/monitor-traffic_duration3s.json") else { return };
        assert_eq!(rates(faces.first().unwrap(), &three, false).samples, 3);
        let once = sample("/interface", "docs/monitor-traffic_once.json").unwrap();
        let two = rates(faces.iter().nth(1).unwrap(), &once, false);
        assert_eq!((two.samples, two.rx_bits_per_second, two.tx_bits_per_second), (1, 25_128, 8_816));
    }

    #[test]
    fn one_interface_may_be_told_without_its_name() {
        let faces = Seen::answered("/interface", r#"[{"name":"ether1"}]"#);
        let seen = Seen::answered("/interface", r#"[{"rx-bits-per-second":"10","tx-bits-per-second":"20"}]"#);
        assert_eq!(rates(faces.first().unwrap(), &seen, true).rx_bits_per_second, 10);
        assert_eq!(rates(faces.first().unwrap(), &seen, false).samples, 0);
    }

    #[test]
    fn without_names_the_busiest_are_measured() {
        let rows: Vec<String> = (0..30).map(|n| format!(r#"{{"name":"e{n}","running":"true","rx-byte":"{n}"}}"#)).collect();
        let lo = r#"{"name":"lo","type":"loopback","running":"true","rx-byte":"99"},{"name":"down","running":"false","rx-byte":"99"}"#;
        let faces = Seen::answered("/interface", &format!("[{},{lo}]", rows.join(",")));
        let (up, left_out) = busiest(&faces);
        assert_eq!((up.len(), left_out, up[0].text("name")), (MOST_UNNAMED, 6, Some("e29")));
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        for faces in odd("/interface") {
            let value = faces.first().unwrap().text("name").unwrap();
            let sample = format!(
                r#"{{"name":{0},"rx-bits-per-second":{0},"tx-bits-per-second":{0},"rx-errors-per-second":{0},"tx-errors-per-second":{0}}}"#,
                serde_json::json!(value)
            );
            let seen = Seen::answered("/interface", &format!("[{sample},{sample}]"));
            assert_eq!(rates(faces.first().unwrap(), &seen, true).samples, 2);
            busiest(&faces);
        }
    }
}
