//! A plan as others see it: one JSON object for models, people and programs. Pure.
//!
//! Secrets read `(secret)`, and so does code, but for persons: who approves sees what would run. What others wrote on a router stands
//! only in places that are marked. Row by row it may be long: what does not fit is counted, and shown device by device.

use crate::base::clock::Wall;
use crate::base::ids::{DeviceId, hex};
use crate::menus;
use crate::plan::digest::short_digest;
use crate::plan::edit::{Check, Confirm};
use crate::plan::form::{Form, Known, Pairs, get, overlaid};
use crate::plan::record::{Change, Difference, Draft, Find, Pace, Place, Plan, Progress, Risk, SecretValue, Step};
use crate::plan::risk::code_in;
use crate::plan::state::{DeviceState, PlanState};
use crate::shape::redact::{HIDDEN, Redactor};
use crate::shape::{budget, untrusted};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// How it is to be shown.
#[derive(Debug, Clone, Default)]
pub struct How {
    /// Where people approve, if there is such a place.
    pub url: Option<String>,
    /// Bytes of JSON that rows may take; those beyond are counted.
    pub room: usize,
    /// Only this device's rows.
    pub only: Option<DeviceId>,
    /// With the code that the plan itself writes, line by line.
    pub code: bool,
}

/// A plan, and where in it others' words stand.
#[derive(Debug, Clone)]
pub struct View {
    /// The object.
    pub json: Map<String, Value>,
    /// JSON pointers, `*` for any index.
    pub untrusted: Vec<String>,
}

/// Shows a plan.
pub fn view(plan: &Plan, devices: &[(Draft, Progress)], how: &How) -> View {
    let mut marks: BTreeSet<String> = BTreeSet::new();
    let mut left = how.room;
    let shown: Vec<Value> = devices
        .iter()
        .filter(|(draft, _)| how.only.as_ref().is_none_or(|only| *only == draft.device))
        .map(|one| device(one, how.code, &mut left, &mut marks))
        .collect();
    let mut json = head(plan, devices, how);
    json.insert("devices".into(), shown.into());
    json.insert("summary".into(), summary_of(plan, devices).into());
    View { json, untrusted: marks.into_iter().collect() }
}

/// Only what it changes, device by device: the `plan://{id}/diff` of a plan.
pub fn diff(plan: &Plan, devices: &[(Draft, Progress)], how: &How) -> View {
    let mut view = view(plan, devices, how);
    let shown = view.json.remove("devices").unwrap_or_default();
    let only = |device: &Value| {
        let mut out = Map::new();
        for name in ["device_id", "name", "diff", "diff_omitted"] {
            out.extend(device.get(name).map(|value| (name.to_owned(), value.clone())));
        }
        Value::Object(out)
    };
    let devices: Vec<Value> = shown.as_array().into_iter().flatten().map(only).collect();
    let mut json = Map::new();
    for name in ["id", "state", "risk", "can_cut_access", "cut_reasons", "digest", "short_digest"] {
        json.extend(view.json.remove(name).map(|value| (name.to_owned(), value)));
    }
    json.insert("devices".into(), devices.into());
    View { json, ..view }
}

/// In place of the summary of a job that is over since more than `retention.job_days`.
const FORGOTTEN: &str = "what it did on each device is no longer kept; the audit trail has it";

/// How a plan went, in a few words.
pub fn summary_of(plan: &Plan, devices: &[(Draft, Progress)]) -> String {
    if is_forgotten(plan, devices) { FORGOTTEN.to_owned() } else { summary(devices.iter().map(|(_, progress)| progress.state)) }
}

fn is_forgotten(plan: &Plan, devices: &[(Draft, Progress)]) -> bool {
    devices.is_empty() && plan.state.is_final() && plan.started_at.is_some()
}

fn head(plan: &Plan, devices: &[(Draft, Progress)], how: &How) -> Map<String, Value> {
    let given: Vec<Value> =
        plan.approvals.iter().map(|one| json!({"by": one.name, "at": one.at.rfc3339(), "expires_at": one.expires_at.rfc3339()})).collect();
    let mut approvals = json!({ "needed": plan.needed, "given": given });
    if let Some(url) = &how.url {
        approvals["url"] = url.as_str().into();
    }
    let asks = plan.needed > 0 && plan.state == PlanState::Draft;
    if asks {
        approvals["how"] = format!("a person runs: routeros-mcp plan approve {}", plan.id).into();
    }
    let mut out = Map::new();
    let mut put = |name: &str, value: Value| out.insert(name.into(), value);
    put("id", plan.id.as_str().into());
    put("state", plan.state.as_str().into());
    put("risk", plan.risk.as_str().into());
    put("reason", plan.reason.as_str().into());
    put("can_cut_access", plan.cut.as_str().into());
    put("cut_reasons", plan.cut_reasons.clone().into());
    put("digest", format!("sha256:{}", hex(&plan.digest)).into());
    put("short_digest", short_digest(&plan.digest).into());
    put("approvals", approvals);
    put("confirm", plan.confirm.as_str().into());
    put("confirm_timeout_seconds", plan.confirm_timeout_s.into());
    put("tool", plan.origin.as_str().into());
    put("environment", plan.environment.as_str().into());
    put("created_by", plan.author.name.as_str().into());
    put("created_at", plan.created_at.rfc3339().into());
    put("expires_at", plan.expires_at.rfc3339().into());
    put("started_at", plan.started_at.map(Wall::rfc3339).into());
    put("ended_at", plan.ended_at.map(Wall::rfc3339).into());
    let why = plan.halt.as_ref().filter(|_| plan.state == PlanState::Executing).map(|halt| halt.why.as_str());
    put("why", plan.why_ended.as_deref().or(why).into());
    if plan.unguarded {
        put("unguarded", true.into());
    }
    if !plan.verify.is_empty() {
        put("verify", plan.verify.iter().map(checked).collect());
    }
    if plan.devices.len() > 1 {
        let Pace { size, canary, pause_s, on_failure } = &plan.pace;
        put("batch", json!({"size": size, "canary": canary, "pause_seconds": pause_s, "on_failure": on_failure}));
    }
    put("next", next(plan, devices).into());
    out
}

/// A check as its author wrote it.
fn checked(check: &Check) -> Value {
    let parts = [("ping", &check.ping), ("from", &check.from), ("reach", &check.reach)];
    parts.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Value::from(value.as_deref()?)))).collect::<Map<_, _>>().into()
}

/// What can be done with it now, for whoever reads it.
fn next(plan: &Plan, devices: &[(Draft, Progress)]) -> Option<String> {
    let waits = |(_, progress): &(Draft, Progress)| progress.state == DeviceState::Verified && !progress.keep_asked;
    match plan.state {
        PlanState::Draft if plan.needed == 0 => Some("plan.apply runs it".into()),
        PlanState::Draft => Some("it waits for approval by a person; then plan.apply runs it".into()),
        PlanState::Approved => Some("plan.apply runs it while its approval holds".into()),
        PlanState::Executing if plan.confirm == Confirm::Manual && devices.iter().any(waits) => Some(if plan.risk >= Risk::High {
            format!(
                "a person keeps it with: routeros-mcp plan confirm {}; plan.roll_back undoes it; by itself it is undone at fires_at",
                plan.id
            )
        } else {
            "plan.confirm keeps it, plan.roll_back undoes it; by itself it is undone at fires_at".into()
        }),
        PlanState::Executing => Some("it is being applied; plan.get says how far it is".into()),
        PlanState::NeedsAttention => Some("a person has to look at the router: difference says what it has instead".into()),
        _ => None,
    }
}

/// One line of truth: `confirmed 12, rolled back 1, untouched 37`.
pub fn summary(states: impl IntoIterator<Item = DeviceState>) -> String {
    const WORDS: [&str; 8] =
        ["confirmed", "rolled back", "waiting for confirm", "in progress", "skipped", "untouched", "unknown", "needs attention"];
    let mut counts = [0_usize; WORDS.len()];
    for state in states {
        let at = match state {
            DeviceState::Confirmed => 0,
            DeviceState::RolledBack => 1,
            DeviceState::Verified => 2,
            DeviceState::Armed | DeviceState::Applied => 3,
            DeviceState::Skipped => 4,
            DeviceState::Pending => 5,
            DeviceState::Unknown => 6,
            DeviceState::NeedsAttention => 7,
        };
        counts[at] += 1;
    }
    let said = WORDS.iter().zip(counts).filter(|(_, count)| *count > 0).map(|(word, count)| format!("{word} {count}"));
    said.collect::<Vec<_>>().join(", ")
}

fn device((draft, progress): &(Draft, Progress), code: bool, left: &mut usize, marks: &mut BTreeSet<String>) -> Value {
    let mut rows = Vec::new();
    let mut omitted = 0;
    for step in &draft.steps {
        let mut row = shown_step(draft, step);
        if code {
            show_code(&mut row, step);
        }
        let bytes = budget::json_bytes(&row);
        if omitted > 0 || bytes > *left {
            omitted += 1;
            continue;
        }
        *left -= bytes;
        mark(&step.menu, &row, "/devices/*/diff/*", &["key", "before", "after"], marks);
        rows.push(row);
    }
    let guards: Vec<&str> = progress.guards.iter().filter(|guard| guard.proven).map(|guard| guard.kind.as_str()).collect();
    let difference: Vec<Value> = progress.difference.iter().map(shown_difference).collect();
    for (one, row) in progress.difference.iter().zip(&difference) {
        mark(&one.menu, row, "/devices/*/difference/*", &["key", "wanted", "found"], marks);
    }
    if progress.error.is_some() {
        // It may repeat what the router said.
        marks.insert("/devices/*/error".into());
    }
    let mut out = json!({
        "device_id": draft.device.as_str(),
        "name": draft.name,
        "state": progress.state.as_str(),
        "guard": if guards.is_empty() { Value::Null } else { json!(guards) },
        "fires_at": progress.fires_at.map(Wall::rfc3339),
        "risk": draft.risk.as_str(),
        "diff": rows,
        "error": progress.error,
        "difference": if difference.is_empty() { Value::Null } else { difference.into() },
    });
    if omitted > 0 {
        out["diff_omitted"] = omitted.into();
    }
    out
}

/// Marks the attributes of a row that outsiders can write; all of them in menus that nobody describes.
fn mark(menu: &str, row: &Value, at: &str, parts: &[&str], marks: &mut BTreeSet<String>) {
    let facts = menus::find(menu);
    for part in parts {
        let names = row.get(*part).and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let odd =
            names.filter(|name| facts.is_none() || menus::untrusted_of(facts, name) || untrusted::is_prose(&row[*part][name.as_str()]));
        marks.extend(odd.map(|name| untrusted::pointer(&format!("{at}/{part}"), name)));
    }
}

/// One step of a draft: which row, and what of it differs.
pub fn shown_step(draft: &Draft, step: &Step) -> Value {
    let known = draft.known(&step.menu);
    let row = |pairs: &Pairs| shown_row(&step.menu, known, pairs);
    let key = |find: &Find| row(&find.by);
    let mut out = Map::new();
    out.insert("menu".into(), step.menu.as_str().into());
    out.insert("op".into(), op(&step.change).into());
    let (which, before, after) = match &step.change {
        Change::Add { values, secrets, .. } => (Value::Null, Value::Null, with_secrets(row(values), secrets)),
        Change::Set { find, before, values, secrets, unset } => {
            let (before, after) = changed(&step.menu, known, before, values, secrets, unset);
            (key(find), before, after)
        }
        Change::SetSingle { before, values, secrets, unset } => {
            let (before, after) = changed(&step.menu, known, before, values, secrets, unset);
            (Value::Null, before, after)
        }
        Change::Remove { find, before, .. } => (key(find), row(before), Value::Null),
        Change::Move { find, from, to, .. } => (key(find), place(from, &key), place(to, &key)),
        Change::Run { find, args, .. } => {
            (find.as_ref().map_or(Value::Null, key), Value::Null, if args.is_empty() { Value::Null } else { row(args) })
        }
    };
    out.insert("key".into(), which);
    out.insert("before".into(), before);
    out.insert("after".into(), after);
    match &step.change {
        Change::Add { place: Some(to), .. } => {
            out.insert("place".into(), place(to, &key));
        }
        Change::Run { command, .. } => {
            out.insert("command".into(), command.as_str().into());
        }
        Change::Remove { by_disabling: true, .. } => {
            out.insert("note".into(), "disabled first, removed once the change is confirmed".into());
        }
        _ => {}
    }
    Value::Object(out)
}

/// The code that a step writes, which the plan has in plain text, and where its secrets come from: who approves reads it.
fn show_code(row: &mut Value, step: &Step) {
    let (values, secrets) = match &step.change {
        Change::Add { values, secrets, .. } | Change::Set { values, secrets, .. } | Change::SetSingle { values, secrets, .. } => {
            (values, secrets)
        }
        _ => return,
    };
    for secret in secrets {
        row["after"][&secret.attribute] = format!("{HIDDEN} {}", secret.handle).into();
    }
    for (name, text) in values.iter().filter(|(name, _)| code_in(&step.menu, name)) {
        let lines: Vec<&str> = text.lines().collect();
        row["after"][name] = if lines.len() > 1 { json!(lines) } else { text.as_str().into() };
    }
}

fn op(change: &Change) -> &'static str {
    match change {
        Change::Set { values, secrets, unset, .. } if secrets.is_empty() && unset.is_empty() && values.len() == 1 => {
            match get(values, "disabled") {
                Some("yes" | "true") => "disable",
                Some("no" | "false") => "enable",
                _ => "set",
            }
        }
        other => other.verb(),
    }
}

fn place(place: &Place, key: &impl Fn(&Find) -> Value) -> Value {
    match &place.before {
        Some(next) => json!({ "place_before": key(next) }),
        None => json!({ "place_before": null }),
    }
}

/// Only what differs, before and after.
fn changed(menu: &str, known: Option<&Known>, before: &Pairs, values: &Pairs, secrets: &[SecretValue], unset: &[String]) -> (Value, Value) {
    let touched = |name: &String| values.iter().any(|(other, _)| other == name) || unset.contains(name);
    let was: Pairs = before.iter().filter(|(name, _)| touched(name)).cloned().collect();
    let now: Pairs = overlaid(&was, values, unset);
    let mut was = shown_row(menu, known, &was);
    let now = with_secrets(shown_row(menu, known, &now), secrets);
    for secret in secrets {
        if get(before, &secret.attribute).is_some_and(|value| !value.is_empty()) {
            was[&secret.attribute] = HIDDEN.into();
        }
    }
    (was, now)
}

fn with_secrets(mut row: Value, secrets: &[SecretValue]) -> Value {
    for secret in secrets {
        row[&secret.attribute] = HIDDEN.into();
    }
    row
}

/// A row in RouterOS's names; flags are flags, secrets are hidden.
fn shown_row(menu: &str, known: Option<&Known>, pairs: &Pairs) -> Value {
    let redactor = Redactor::new(menu);
    let mut out = Map::new();
    for (name, value) in pairs {
        let hidden = known.is_some_and(|known| known.is_secret(name)) || redactor.hides(name);
        let shown = match (value.as_str(), known.map_or(Form::Text, |known| known.form(name))) {
            ("", _) => Value::from(""),
            _ if hidden => Value::from(HIDDEN),
            ("yes" | "true", Form::Flag) => true.into(),
            ("no" | "false", Form::Flag) => false.into(),
            (text, _) => text.into(),
        };
        out.insert(name.clone(), shown);
    }
    Value::Object(out)
}

fn shown_difference(one: &Difference) -> Value {
    let row = |pairs: &Option<Pairs>| pairs.as_ref().map(|pairs| shown_row(&one.menu, None, pairs));
    json!({
        "menu": one.menu,
        "key": shown_row(&one.menu, None, &one.key),
        "wanted": row(&one.wanted),
        "found": row(&one.found),
        "why": one.why,
    })
}
