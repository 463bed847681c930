//! `security.audit`: what is open on a router that should not be, with proof and a plan to mend it.

use super::checks;
use super::finding::{Finding, NotChecked, Severity};
use super::picture::Picture;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "security.audit",
    title: "Security audit",
    about: "Checks one router: services open to outside, input chain, open resolver, users, SNMP, proxies, layer 2, certificates, version. Findings have their rows and, where one fits, a draft for plan.create. 25 to 30 reads.",
    toolset: "security",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(90),
    paths: &[
        "/ip/service",
        "/user",
        "/ip/dns",
        "/ip/firewall/filter",
        "/ip/firewall/raw",
        "/ip/firewall/nat",
        "/ip/ssh",
        "/snmp",
        "/snmp/community",
        "/ip/socks",
        "/ip/proxy",
        "/ip/upnp",
        "/ip/cloud",
        "/ip/neighbor/discovery-settings",
        "/tool/mac-server",
        "/tool/bandwidth-server",
        "/tool/romon",
        "/certificate",
        "/system/logging/action",
    ],
    untrusted: &["/findings/*/evidence/*/comment"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Leave out what is less severe than this.
    min_severity: Option<Severity>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// 100 is nothing found; critical takes 40, high 20, medium 8, low 2.
    score: u64,
    critical: usize,
    high: usize,
    medium: usize,
    low: usize,
    info: usize,
    /// Worst first.
    findings: Vec<Finding>,
    /// What could not be judged, and why; not a pass.
    not_checked: Vec<NotChecked>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let now = chrono::DateTime::from_timestamp_millis(cx.world.clock.wall().0).unwrap_or_default().naive_utc();
    let picture = Picture::read(&router, now).await?;
    let report = checks::all(&picture);
    let count = |severity| report.findings.iter().filter(|finding| finding.severity == severity).count();
    let lost: u64 = report.findings.iter().map(|finding| finding.severity.weight()).sum();
    let least = args.min_severity.unwrap_or(Severity::Info);
    Ok(Answer {
        score: 100_u64.saturating_sub(lost),
        critical: count(Severity::Critical),
        high: count(Severity::High),
        medium: count(Severity::Medium),
        low: count(Severity::Low),
        info: count(Severity::Info),
        findings: report.findings.into_iter().filter(|finding| finding.severity <= least).collect(),
        not_checked: report.not_checked,
    })
}
