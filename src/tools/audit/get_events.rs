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
use serde_json::{Map, Value};

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
/// Records read at a time: they are larger than what is kept of them.
const CHUNK: usize = 250;
/// Reads for one page, each of 10,000 records at most: when hardly any record fits.
const MOST_LOOKS: usize = 20;

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
    let names: Vec<&str> = wanted.conditions().iter().map(|one| one.name.as_str()).collect();
    let (mut fitting, mut before, mut looks): (Vec<Stored>, Option<u64>, usize) = (Vec::new(), None, 0);
    let mut is_checked = false;
    while fitting.len() < MOST_LOOKED_AT && looks < MOST_LOOKS {
        let page = cx.world.audit.page(&filter, before, CHUNK)?;
        for stored in page.rows {
            if !std::mem::replace(&mut is_checked, true) {
                list::known(&view(&stored, FIELDS), &args.list, &wanted)?;
            }
            let fits = !only_errors || ![OK, INTENT].contains(&stored.record.outcome.as_str());
            if fits && may_see(cx, &stored.record) && (names.is_empty() || wanted.passes_json(&view(&stored, &names))) {
                fitting.push(lean(stored));
            }
        }
        before = page.next;
        if before.is_none() {
            break;
        }
        looks += 1;
        // A long trail is looked through beside the other calls, not before them.
        tokio::task::yield_now().await;
    }
    fitting.truncate(MOST_LOOKED_AT);
    let scope = format!("audit.get_events {all} {:?} {:?} {:?}", args.device, args.tool, args.outcome);
    // New records push older ones back, so a page goes on after a sequence number, not at a position.
    let span = args.list.span(cx, &scope, &fitting, |stored| stored.seq.to_string())?;
    let shown = fitting[span].iter().map(|stored| list::project(view(stored, FIELDS), args.list.fields.as_deref())).collect();
    Ok(cx.page(shown, fitting.len()))
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

/// The fields of a row.
const FIELDS: &[&str] =
    &["seq", "time", "principal", "role", "client", "tool", "device", "outcome", "plan_id", "duration_ms", "correlation_id"];

/// These fields of a row.
fn view(stored: &Stored, names: &[&str]) -> Map<String, Value> {
    names.iter().filter_map(|name| Some(((*name).to_owned(), field(stored, name)?))).collect()
}

fn field(stored: &Stored, name: &str) -> Option<Value> {
    let record = &stored.record;
    Some(match name {
        "seq" => stored.seq.into(),
        "time" => stored.time.rfc3339().into(),
        "principal" => record.principal.name.as_str().into(),
        "role" => record.principal.role.as_str().into(),
        "client" => record.client.name.as_str().into(),
        "tool" => record.tool.as_str().into(),
        "device" => record.device_name.as_deref().into(),
        "outcome" => record.outcome.as_str().into(),
        "plan_id" => record.plan_id.as_deref().into(),
        "duration_ms" => record.duration_ms.into(),
        "correlation_id" => record.correlation_id.as_str().into(),
        _ => return None,
    })
}

/// Without what no row shows: it is most of a record.
fn lean(mut stored: Stored) -> Stored {
    let Record { principal, client, arguments, device, environment, error_kind, .. } = &mut stored.record;
    for text in [&mut principal.issuer, &mut principal.subject, &mut client.version, &mut client.address, arguments] {
        *text = String::new();
    }
    (*device, *environment, *error_kind) = (None, None, None);
    stored
}
