//! `device.decommission`: stops managing a router but keeps its record.

use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Status;
use crate::fleet::bootstrap::Bootstrap;
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "device.decommission",
    title: "Decommission a device",
    about: "Stops managing a router and destroys our login; record, snapshots and audit trail stay. Can remove our account there first, where our user may do that.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(120),
    paths: &["/user", "/system/identity"],
    untrusted: &[],
    input: schema::input::<Args>,
    output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Remove our account on the router first. Where that cannot be done the answer says why, and what to paste there.
    #[serde(default)]
    remove_account: bool,
}

fn output() -> Map<String, Value> {
    let mut schema = view::output();
    schema["properties"]["account"] = json!({"type": "object", "properties": {
        "removed": {"type": "boolean"}, "why": {"type": ["string", "null"]}, "script": {"type": "array", "items": {"type": "string"}},
    }});
    schema
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let device = cx.device(&args.device)?;
    if device.status == Status::Decommissioned {
        return Err(Fault::new(Kind::Conflict, format!("device \"{}\" is decommissioned already", device.name)));
    }
    cx.world.plans.rests(&device)?;
    let account = match args.remove_account {
        true => {
            let account = cx.world.plans.retire(&device.id).await?;
            json!({"removed": account.removed, "why": account.why, "script": lines(&account.script)})
        }
        false => json!({"removed": false, "why": "nobody asked for it", "script": lines(&Bootstrap::farewell(&device.username))}),
    };
    let is_gone = account["removed"] == true;
    let device = cx.world.fleet.decommission(&device.id).await.map_err(|fault| match is_gone {
        true => Fault { said: format!("our user on the router is removed already; {}", fault.said), ..fault }
            .hint("decommission it again, without removing the account"),
        false => fault,
    })?;
    let mut answer = view::whole(&device, Value::Null);
    answer.insert("account".into(), account);
    Ok(answer)
}

/// A text in an answer has no line ends.
fn lines(script: &str) -> Vec<&str> {
    script.lines().collect()
}
