//! `audit.get_events`: the trail, newest first; one's own events, or all of them for admin and approver.

use crate::access::policy;
use crate::audit::{Filter, Record, Stored};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::selector::Traits;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
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
    run: run!(run, list::json),
};

/// Records looked through for one page; older ones are in `audit export`.
const MOST_LOOKED_AT: usize = 5_000;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Only this device: id or name.
    device: Option<String>,
    /// Only this tool.
    tool: Option<String>,
    /// Only this outcome: ok, error (any), denied or another error kind, intent, unknown_tool.
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
        outcome: args.outcome.as_deref().map(outcome).transpose()?.flatten().map(str::to_owned),
        ..Filter::default()
    };
    let only_errors = args.outcome.as_deref() == Some(ANY_ERROR);
    let wanted = args.list.filter()?;
    let mut rows: Vec<(u64, Map<String, Value>)> = Vec::new();
    for stored in cx.world.audit.recent(&filter, None, MOST_LOOKED_AT)? {
        let row = view(&stored);
        if rows.is_empty() {
            list::known(&row, &args.list, &wanted)?;
        }
        let fits = !only_errors || ![OK, INTENT].contains(&stored.record.outcome.as_str());
        if fits && may_see(cx, &stored.record) && wanted.passes_json(&row) {
            rows.push((stored.seq, row));
        }
    }
    let scope = format!("audit.get_events {all} {:?} {:?} {:?}", args.device, args.tool, args.outcome);
    // New records push older ones back, so a page goes on after a sequence number, not at a position.
    let span = args.list.span(cx, &scope, &rows, |(seq, _)| seq.to_string())?;
    let total = rows.len();
    let shown =
        rows.into_iter().skip(span.start).take(span.len()).map(|(_, row)| list::project(row, args.list.fields.as_deref())).collect();
    Ok(cx.page(shown, total))
}

const OK: &str = "ok";
/// Written before what changes something.
const INTENT: &str = "intent";
/// Whatever went wrong.
const ANY_ERROR: &str = "error";

/// The outcome to look for; none for any error.
fn outcome(asked: &str) -> Result<Option<&str>, Fault> {
    let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
    let known: Vec<&str> = [OK, ANY_ERROR, INTENT, "unknown_tool"].into_iter().chain(kinds).collect();
    if !known.contains(&asked) {
        return Err(Fault::bad_input(format!("outcome must be one of {}", known.join(", "))));
    }
    Ok(Some(asked).filter(|asked| *asked != ANY_ERROR))
}

/// What was done to a device is told only to who may see the device; one that is gone is judged by what the record says.
fn may_see(cx: &Cx, record: &Record) -> bool {
    let Some(id) = &record.device else { return true };
    let limits = &cx.principal.limits.devices;
    match cx.world.fleet.get(&DeviceId(id.clone())) {
        Ok(device) => policy::within(limits, &device.traits()),
        Err(_) => {
            let environment = record.environment.as_deref().and_then(|word| word.parse().ok()).unwrap_or(cx.world.rules.environment);
            let name = record.device_name.as_deref().unwrap_or_default();
            policy::within(limits, &Traits { id, name, environment, tags: &[] })
        }
    }
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
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
