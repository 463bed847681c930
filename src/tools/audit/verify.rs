//! `audit.verify`: whether the trail is as it was written.

use crate::audit::Checked;
use crate::base::fault::Fault;
use crate::base::ids::hex;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "audit.verify",
    title: "Verify the trail",
    about: "Whether the audit trail is whole: each record as it was written, none missing or moved; names the first that is not.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(300),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Walk the whole trail now, which takes seconds for a million records; otherwise the last look is told.
    again: Option<bool>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// Absent when nobody looked since the start.
    checked_at: Option<String>,
    /// Whether everything was as it was written.
    whole: Option<bool>,
    /// The last record that is not in the trail any more but in an archive. Absent where none was archived.
    archived_up_to: Option<u64>,
    /// Records that are as they were written.
    records: Option<u64>,
    /// The last of them.
    last_seq: Option<u64>,
    /// Its hash: note it elsewhere to see later that nothing was cut off.
    head: Option<String>,
    /// The first record that is not, and what is wrong.
    broken: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    if !cx.principal.role.sees_all_events() {
        return Err(Fault::denied("whether the trail is whole is for administrators and approvers").hint("ask one of them"));
    }
    let audit = &cx.world.audit;
    let checked = match args.again {
        Some(true) => Some(audit.check(cx.world.clock.wall()).await?),
        _ => audit.last_check(),
    };
    let Some(Checked { at, report, broken }) = checked else {
        return Ok(Answer { checked_at: None, whole: None, archived_up_to: None, records: None, last_seq: None, head: None, broken: None });
    };
    Ok(Answer {
        checked_at: Some(at.rfc3339()),
        whole: Some(broken.is_none()),
        archived_up_to: report.as_ref().map(|report| report.archived.seq).filter(|seq| *seq > 0),
        records: report.as_ref().map(|report| report.records),
        last_seq: report.as_ref().map(|report| report.head.seq),
        head: report.as_ref().map(|report| hex(&report.head.hash)),
        broken,
    })
}
