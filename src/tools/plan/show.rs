//! A plan in an answer: who may see it, and how much of it fits.

use crate::access::policy::within;
use crate::access::principal::Principal;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::base::selector::Selector;
use crate::fleet::Fleet;
use crate::plan::record::{Draft, Plan, PlanId, Progress};
use crate::plan::secrets;
use crate::plan::view::{self, How};
use crate::tools::context::Cx;
use crate::tools::spec::object;
use serde_json::{Map, Value, json};

/// Bytes that rows of a plan of many devices take at most: about 6,000 tokens. One device alone is shown whole, and to persons
/// everything is: they approve what they see.
const ROOM: usize = 24_000;

/// Whether a caller may see a plan: every device of it is theirs. Of one that is gone, only who may use all devices.
pub fn is_visible(fleet: &Fleet, who: &Principal, plan: &Plan) -> bool {
    plan.devices.iter().all(|id| match fleet.get(id) {
        Ok(device) => within(&who.limits.devices, &device.traits()),
        Err(_) => who.limits.devices.contains(&Selector::All),
    })
}

/// A plan with what was worked out for its devices, and how far each came.
pub(super) type Opened = (Plan, Vec<(Draft, Progress)>);

/// The plan of that id, if this caller may see it.
pub(super) fn open(cx: &Cx, id: &str) -> Result<Opened, Fault> {
    let id = PlanId(id.trim().to_owned());
    let (plan, devices) = cx.world.plans.plan(&id)?;
    if !is_visible(&cx.world.fleet, &cx.principal, &plan) {
        // As if there were none.
        return Err(Fault::not_found(format!("no plan \"{id}\"")).hint("plan.list shows the plans there are"));
    }
    cx.about_plan(&plan);
    if let [only] = plan.devices.as_slice()
        && let Ok(device) = cx.world.fleet.get(only)
    {
        cx.about(&device);
    }
    Ok((plan, devices))
}

/// The plan as it stands now.
pub(in crate::tools) fn shown(cx: &Cx, id: &PlanId) -> Result<Map<String, Value>, Fault> {
    present(cx, &open(cx, id.as_str())?, None, false)
}

/// A plan, or only what it changes; of one device, or of all.
pub(super) fn present(cx: &Cx, (plan, devices): &Opened, only: Option<DeviceId>, only_diff: bool) -> Result<Map<String, Value>, Fault> {
    let most = (cx.world.settings.most_tokens as usize).saturating_mul(3);
    let room = match () {
        () if cx.for_person => usize::MAX,
        () if only.is_some() || devices.len() == 1 => most,
        () => most.min(ROOM),
    };
    let how = How { url: cx.world.settings.plan_url(&plan.id), room, only, code: cx.for_person };
    let view = if only_diff { view::diff(plan, devices, &how) } else { view::view(plan, devices, &how) };
    view.untrusted.into_iter().for_each(|pointer| cx.untrusted(pointer));
    let mut json = view.json;
    let made = if cx.for_person { secrets::made(&cx.world.vault, &plan.id)? } else { Vec::new() };
    if !made.is_empty() {
        json.insert("made".into(), made.into());
    }
    Ok(json)
}

/// What a plan changes on each device, whole: programs and people of the admin API have no budget of tokens.
pub(super) fn diff(cx: &Cx, (plan, devices): &Opened) -> Map<String, Value> {
    let mut view = view::diff(plan, devices, &How { url: None, room: usize::MAX, only: None, code: cx.for_person });
    view.untrusted.into_iter().for_each(|pointer| cx.untrusted(pointer));
    let mut out = Map::new();
    for (ours, theirs) in [("plan_id", "id"), ("digest", "digest"), ("devices", "devices")] {
        out.extend(view.json.remove(theirs).map(|value| (ours.to_owned(), value)));
    }
    out
}

/// Written out, as all of these.
pub(super) fn diff_output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let device = json!({
        "type": "object",
        "properties": {"device_id": text(), "name": text(), "diff": {"type": "array", "items": step()}},
        "required": ["device_id", "name", "diff"],
    });
    let schema = json!({
        "type": "object",
        "properties": {"plan_id": text(), "digest": text(), "devices": {"type": "array", "items": device}},
        "required": ["plan_id", "digest", "devices"],
    });
    object(schema)
}

/// One row of a diff.
fn step() -> Value {
    let text = || json!({"type": "string"});
    let row = json!({"type": ["object", "null"]});
    json!({
        "type": "object",
        "properties": {"menu": text(), "op": text(), "key": row, "before": row, "after": row},
        "required": ["menu", "op", "key", "before", "after"],
    })
}

/// Written out: the answer is built from records, not from a type of its own.
pub(in crate::tools) fn output() -> Map<String, Value> {
    let text = || json!({"type": "string"});
    let perhaps = || json!({"type": ["string", "null"]});
    let step = step();
    let device = json!({
        "type": "object",
        "properties": {
            "device_id": text(), "name": text(), "state": text(), "guard": {"type": ["array", "null"], "items": text()},
            "fires_at": perhaps(), "diff": {"type": "array", "items": step}, "error": perhaps(), "difference": {"type": ["array", "null"]},
        },
        "required": ["device_id", "name", "diff"],
    });
    let schema = json!({
        "type": "object",
        "properties": {
            "id": text(), "state": text(), "risk": text(), "can_cut_access": text(), "short_digest": text(),
            "approvals": {
                "type": "object",
                "properties": {"needed": {"type": "integer"}, "given": {"type": "array"}, "url": text()},
                "required": ["needed", "given"],
            },
            "devices": {"type": "array", "items": device}, "summary": text(),
        },
        "required": ["id", "state", "risk", "can_cut_access", "devices"],
    });
    object(schema)
}
