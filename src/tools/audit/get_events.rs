//! `audit.get_events`: the trail, newest first; one's own events, or all of them for admin and approver.

use crate::audit::{Filter, Stored};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::run;
use crate::shape::page;
use crate::tools::context::{Cx, Paged};
use crate::tools::list::{ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "audit.get_events",
    title: "Audit events",
    about: "What was done through this appliance, newest first: your own calls, or everybody's for administrators and approvers.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run),
};

/// Records looked through for one page; older ones are in `audit export`.
const MOST_LOOKED_AT: usize = 5_000;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Only this device: id or name.
    device: Option<String>,
    /// Only this tool.
    tool: Option<String>,
    /// Only this outcome: ok, denied, or an error kind.
    outcome: Option<String>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let all = cx.principal.role.sees_all_events();
    let filter = Filter {
        principal: (!all).then(|| cx.principal.subject.clone()),
        device: args.device.as_deref().map(|name| cx.device(name).map(|device| device.id.to_string())).transpose()?,
        tool: args.tool.as_ref().map(|name| name.replacen('_', ".", usize::from(!name.contains('.')))),
        outcome: args.outcome.clone(),
        ..Filter::default()
    };
    let conditions = page::Conditions::parse(args.list.matching.as_ref())?;
    let scope = format!("audit.get_events {all} {:?} {:?} {:?}", args.device, args.tool, args.outcome);
    let digest = page::digest(&scope, args.list.matching.as_ref(), args.list.fields.as_deref());
    let mut rows: Vec<(String, Map<String, Value>)> = Vec::new();
    for stored in cx.world.audit.recent(&filter, None, MOST_LOOKED_AT)? {
        let row = view(&stored);
        if conditions.hold(|name| row.get(name).map(page::plain)) {
            rows.push((format!("{:012}", stored.seq), row));
        }
    }
    let keys: Vec<&str> = rows.iter().map(|(key, _)| key.as_str()).collect();
    // New records push older ones back, so a page starts after a sequence number, not at a position.
    let span = page::span(&keys, args.list.cursor.as_deref(), args.list.limit, &digest)?;
    let kept: Vec<String> = keys[span.clone()].iter().map(|key| (*key).to_owned()).collect();
    let total = rows.len();
    cx.paged(Paged { digest, start: span.start, keys: kept, total });
    let shown = rows
        .into_iter()
        .skip(span.start)
        .take(span.len())
        .map(|(_, row)| crate::tools::list::project(row, args.list.fields.as_deref()))
        .collect();
    Ok(cx.page(shown, total))
}

fn view(stored: &Stored) -> Map<String, Value> {
    let record = &stored.record;
    let row = json!({
        "seq": stored.seq,
        "time": stored.time.rfc3339(),
        "principal": record.principal.name,
        "role": record.principal.role,
        "client": record.client.name,
        "tool": record.tool,
        "device": record.device_name,
        "outcome": record.outcome,
        "plan_id": record.plan_id,
        "duration_ms": record.duration_ms,
        "correlation_id": record.correlation_id,
    });
    match row {
        Value::Object(mut map) => {
            map.retain(|_, value| !value.is_null() && value != "");
            map
        }
        _ => Map::new(),
    }
}
