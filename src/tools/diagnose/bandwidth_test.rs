//! `diagnose.bandwidth_test`: how much fits between two managed routers.
//!
//! The test fills the links between them, so it is a change: of the professional tier, refused when read only, and only
//! between devices whose operators said so (`bandwidth_test`).
//!
//! RouterOS wants the other router's user and password *on the testing router*. Ours could be used for anything there, so
//! no password is handed from one router to another: a test server that asks for one is refused here, with the way out.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962644/Bandwidth+Test>

use crate::access::policy::Verb;
use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Capability, Device};
use crate::routeros::value;
use crate::tools::context::Cx;
use crate::tools::diagnose::{outcome, target};
use crate::tools::router::{Router, Seen};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "diagnose.bandwidth_test",
    title: "Bandwidth test",
    about: "Measures throughput between two managed routers by filling the links between them. Both need the flag bandwidth_test, the target a test server without password.",
    toolset: "diagnose",
    tier: Tier::Professional,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(90),
    paths: &["/tool", "/tool/bandwidth-server", "/system/device-mode"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Seconds of one piece: a test needs a second or two to get going.
const PIECE: u64 = 5;
const LEAST: u64 = 2;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name: who tests.
    #[schemars(length(min = 1))]
    device: String,
    /// Device id or name of the other end.
    #[schemars(length(min = 1))]
    target: String,
    /// How long, 5 unless set.
    #[schemars(range(min = 2, max = 20))]
    seconds: Option<u64>,
    /// As device sees it; receive unless set.
    direction: Option<Direction>,
    /// tcp unless set.
    protocol: Option<Protocol>,
    /// Send no faster than this, each way.
    #[schemars(range(min = 1, max = 100_000))]
    limit_mbit_per_second: Option<u64>,
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Direction {
    Receive,
    Transmit,
    Both,
}

impl Direction {
    fn as_str(self) -> &'static str {
        match self {
            Direction::Receive => "receive",
            Direction::Transmit => "transmit",
            Direction::Both => "both",
        }
    }
}

#[derive(Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    Tcp,
    Udp,
}

#[derive(Serialize, JsonSchema, Default)]
struct Answer {
    from: String,
    to: String,
    /// `done`, or the router's word for why not: `connection_failed`, `unreachable`, `no_reply`, …
    outcome: String,
    seconds: u64,
    rx_bits_per_second: Option<u64>,
    tx_bits_per_second: Option<u64>,
    rx_max_bits_per_second: Option<u64>,
    tx_max_bits_per_second: Option<u64>,
    lost_packets: Option<u64>,
    local_cpu_load_percent: Option<u64>,
    remote_cpu_load_percent: Option<u64>,
    /// What the router said of the test.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let from = cx.router(&args.device)?;
    let to = cx.router(&args.target)?;
    // The call stays about the device that tests.
    cx.about(&from.device);
    if from.device.id == to.device.id {
        return Err(Fault::bad_input("device and target are the same").hint("a test takes two devices"));
    }
    for device in [&from.device, &to.device] {
        granted(device)?;
    }
    let address = target::host("target", &to.device.address)?;
    let places = [(&from.device.id, from.device.name.as_str()), (&to.device.id, to.device.name.as_str())];
    let _place = cx.world.diagnostics.enter(&places, &cx.principal.subject, cx.world.clock.mono())?;
    futures_util::try_join!(mode_allows(&from), mode_allows(&to), server_takes(&to))?;

    let direction = args.direction.unwrap_or(Direction::Receive);
    let seconds = args.seconds.unwrap_or(PIECE);
    cx.expect(Duration::from_secs(seconds));
    let limit = args.limit_mbit_per_second.map(|mbit| (mbit * 1_000_000).to_string());
    let mut said: Vec<(&str, &str)> = vec![("address", address.as_str())];
    said.push(("direction", direction.as_str()));
    said.push(("protocol", if matches!(args.protocol, Some(Protocol::Udp)) { "udp" } else { "tcp" }));
    if let Some(limit) = &limit {
        said.extend([("local-tx-speed", limit.as_str()), ("remote-tx-speed", limit.as_str())]);
    }
    let tally = measured(cx, &from, &said, seconds).await?;
    let mut answer = Answer { from: from.device.name.clone(), to: to.device.name.clone(), outcome: "done".into(), ..Answer::default() };
    tally.tell(&mut answer);
    Ok(answer)
}

/// Piece by piece, until the time is over or the router tells that there is nothing to measure.
async fn measured(cx: &Cx, from: &Router<'_>, said: &[(&str, &str)], seconds: u64) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    for piece in outcome::pieces(seconds, PIECE, LEAST) {
        if cx.cancel.is_cancelled() {
            break;
        }
        let (duration, lasts) = outcome::seconds(piece);
        let mut arguments = said.to_vec();
        arguments.push(("duration", &duration));
        match from.measure("/tool", "bandwidth-test", &arguments, Verb::Write, lasts).await {
            Ok(seen) => tally.add(&seen, piece),
            Err(fault) => match outcome::of(&fault) {
                Some(word) => tally.failed = Some(word.to_owned()),
                None if tally.seconds > 0 => tally.failed = Some("stopped".to_owned()),
                None => return Err(fault),
            },
        }
        if tally.failed.is_some() {
            break;
        }
        let (rx, tx) = (tally.rx.average(), tally.tx.average());
        cx.say(&format!("{} of {seconds} s: {} bit/s in, {} bit/s out", tally.seconds, rx.unwrap_or(0), tx.unwrap_or(0)));
    }
    Ok(tally)
}

/// Both ends have to be willing, and no change goes over a connection that others can read.
fn granted(device: &Device) -> Result<(), Fault> {
    let refused = |why: &str, hint: String| Err(Fault::denied(format!("device \"{}\": {why}", device.name)).hint(hint));
    if !device.capabilities.contains(&Capability::BandwidthTest) {
        let hint = format!("an operator can grant it: routeros-mcp device update {} with capability bandwidth_test", device.name);
        return refused("bandwidth tests are not granted on it", hint);
    }
    if device.plain_http {
        return refused("it is reached without TLS, for reading only", "set up www-ssl on it".into());
    }
    Ok(())
}

/// A router whose device-mode forbids tests refuses them, in words that say little.
async fn mode_allows(router: &Router<'_>) -> Result<(), Fault> {
    let Some(seen) = router.all_if_there("/system/device-mode", Duration::ZERO).await? else { return Ok(()) };
    let Some(mode) = seen.first() else { return Ok(()) };
    let home = mode.text("mode") == Some("home");
    let allowed = mode.flag("bandwidth-test").unwrap_or(!home);
    let name = &router.device.name;
    if mode.flag("flagged") == Some(true) {
        return Err(Fault::denied(format!("device \"{name}\": RouterOS flagged it as tampered with and refuses bandwidth tests"))
            .hint("look into that first; a person has to clear it on the router"));
    }
    if !allowed {
        return Err(Fault::denied(format!("device \"{name}\": its device-mode does not allow bandwidth tests"))
            .hint("a person at the router can allow it: /system/device-mode/update bandwidth-test=yes, then press the button"));
    }
    Ok(())
}

async fn server_takes(router: &Router<'_>) -> Result<(), Fault> {
    let seen = router.all("/tool/bandwidth-server", Duration::ZERO).await?;
    let name = &router.device.name;
    let server = seen.first();
    let flag = |attribute: &str| server.as_ref().and_then(|row| row.flag(attribute));
    if flag("enabled") == Some(false) {
        return Err(Fault::new(Kind::Conflict, format!("device \"{name}\": its bandwidth-test server is off"))
            .hint("a plan can set /tool/bandwidth-server enabled=yes for the time of the test"));
    }
    // Where it does not say, it asks: that is what routers come with.
    if flag("authenticate") != Some(false) {
        return Err(Fault::denied(format!(
            "device \"{name}\": its bandwidth-test server asks for a password, and none is handed from router to router"
        ))
        .hint("a plan can set /tool/bandwidth-server authenticate=no and allowed-addresses4 to the testing router's address"));
    }
    Ok(())
}

/// One direction's speed over the pieces.
#[derive(Debug, Default)]
struct Speed {
    /// Bits, by the second-weighted averages the router tells.
    bits: u128,
    seconds: u64,
    most: Option<u64>,
}

impl Speed {
    fn average(&self) -> Option<u64> {
        (self.seconds > 0).then(|| u64::try_from(self.bits / u128::from(self.seconds)).unwrap_or(u64::MAX))
    }
}

#[derive(Debug, Default)]
struct Tally {
    rx: Speed,
    tx: Speed,
    lost: Option<u64>,
    local_cpu: Option<u64>,
    remote_cpu: Option<u64>,
    seconds: u64,
    status: Option<String>,
    failed: Option<String>,
}

impl Tally {
    fn add(&mut self, seen: &Seen, piece: u64) {
        for row in seen.iter() {
            for (speed, now) in [(&mut self.rx, "rx-current"), (&mut self.tx, "tx-current")] {
                speed.most = speed.most.max(row.text(now).and_then(value::rate));
            }
            if let Some(lost) = row.count("lost-packets") {
                self.lost = Some(self.lost.unwrap_or(0).saturating_add(lost));
            }
            let cpu = |name: &str| row.text(name).and_then(|text| text.trim_end_matches('%').parse().ok());
            self.local_cpu = self.local_cpu.max(cpu("local-cpu-load"));
            self.remote_cpu = self.remote_cpu.max(cpu("remote-cpu-load"));
        }
        let Some(last) = seen.iter().last() else { return };
        for (speed, name) in [(&mut self.rx, "rx-total-average"), (&mut self.tx, "tx-total-average")] {
            if let Some(average) = last.text(name).and_then(value::rate) {
                speed.bits += u128::from(average) * u128::from(piece);
                speed.seconds += piece;
            }
        }
        self.seconds += piece;
        self.status = last.string("status");
        self.failed = self.status.as_deref().and_then(failure);
    }

    fn tell(self, answer: &mut Answer) {
        answer.seconds = self.seconds;
        (answer.rx_bits_per_second, answer.tx_bits_per_second) = (self.rx.average(), self.tx.average());
        (answer.rx_max_bits_per_second, answer.tx_max_bits_per_second) = (self.rx.most, self.tx.most);
        answer.lost_packets = self.lost;
        (answer.local_cpu_load_percent, answer.remote_cpu_load_percent) = (self.local_cpu, self.remote_cpu);
        answer.status = self.status;
        if let Some(failed) = self.failed {
            answer.outcome = failed;
        }
    }
}

/// Whether a status tells of a test that did not run.
fn failure(status: &str) -> Option<String> {
    let status = status.to_lowercase();
    match status.as_str() {
        "running" | "done testing" | "test done" | "done" => None,
        other if other.starts_with("connecting") => None,
        other if other.contains("auth") => Some("authentication_failed".into()),
        other if other.contains("connect") || other.contains("refused") => Some("connection_failed".into()),
        other => outcome::word(other).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::row::Row;

    #[test]
    fn pieces_weigh_by_their_length_and_losses_add_up() {
        let row = |average: &str, current: &str, lost: &str, status: &str| {
            Row::from_pairs([("rx-total-average", average), ("rx-current", current), ("lost-packets", lost), ("status", status)])
        };
        let mut tally = Tally::default();
        tally.add(&Seen::of("/tool", vec![row("0", "0", "0", "connecting"), row("100", "300", "7", "running")]), 5);
        tally.add(&Seen::of("/tool", vec![row("450", "500", "1", "done testing")]), 2);
        let mut answer = Answer { outcome: "done".into(), ..Answer::default() };
        tally.tell(&mut answer);
        assert_eq!((answer.rx_bits_per_second, answer.rx_max_bits_per_second, answer.lost_packets), (Some(200), Some(500), Some(8)));
        assert_eq!((answer.tx_bits_per_second, answer.outcome.as_str(), answer.seconds), (None, "done", 7));
    }

    #[test]
    fn a_test_that_did_not_run_says_so() {
        for (status, wanted) in [
            ("running", None),
            ("done testing", None),
            ("can't connect", Some("connection_failed")),
            ("connection refused", Some("connection_failed")),
            ("authentication failed", Some("authentication_failed")),
            ("host unreachable", Some("unreachable")),
        ] {
            assert_eq!(failure(status).as_deref(), wanted, "{status}");
        }
    }
}
