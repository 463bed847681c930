//! `alert.list`: what is so now, and what was lately.

use crate::access::policy::within;
use crate::access::principal::Principal;
use crate::alert::{Standing, View, What};
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::ids::DeviceId;
use crate::base::selector::Selector;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::record::PlanId;
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use crate::tools::world::World;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "alert.list",
    title: "Alerts",
    about: "Alerts that last, the worst first, then the latest that are over: kind, subject, since when, when it was told.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &["/rows/*/details", "/rows/*/subject"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Only those that last, or only those that are over.
    live: Option<bool>,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let mut alerts = cx.world.alerts.list();
    let is_wanted = |alert: &View| args.live.is_none_or(|live| live == (alert.standing != Standing::Over));
    alerts.retain(|alert| is_wanted(alert) && is_visible(&cx.world, &cx.principal, alert));
    let key = |alert: &View| format!("{} {} {}", alert.kind.as_str(), alert.subject.id, alert.since.0);
    list::cut(cx, &format!("alert.list {:?}", args.live), &args.list, alerts, key, row)
}

/// What is told of a device, a plan or a caller is told to who may see it.
fn is_visible(world: &World, who: &Principal, alert: &View) -> bool {
    let sees_all = who.limits.devices.contains(&Selector::All);
    match alert.subject.what {
        What::Device | What::Plan if sees_all => true,
        What::Device => match world.fleet.get(&DeviceId(alert.subject.id.clone())) {
            Ok(device) => within(&who.limits.devices, &device.traits()),
            Err(_) => false,
        },
        What::Plan => match world.plans.head(&PlanId(alert.subject.id.clone())) {
            Ok(plan) => show::is_visible(&world.fleet, who, &plan),
            Err(_) => false,
        },
        What::Principal => who.role.sees_all_events(),
        What::Appliance => true,
    }
}

fn row(alert: &View) -> Map<String, Value> {
    let row = json!({
        "kind": alert.kind.as_str(),
        "state": alert.standing.as_str(),
        "severity": alert.kind.severity().as_str(),
        "type": alert.subject.what.as_str(),
        "id": alert.subject.id,
        "subject": alert.subject.name,
        "summary": alert.kind.begins(&alert.subject.name),
        "details": alert.details,
        "since": alert.since.rfc3339(),
        "told_at": alert.told_at.map(Wall::rfc3339),
        "ended_at": alert.ended_at.map(Wall::rfc3339),
        "repeats": alert.repeats,
    });
    object(row)
}
