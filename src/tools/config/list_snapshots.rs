//! `config.list_snapshots`: which configurations of a device are kept.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::config::side;
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "config.list_snapshots",
    title: "Configuration snapshots",
    about: "The configurations of a router that are kept, newest first: when each was first and last seen, why it was taken and which menus it changed.",
    toolset: "config",
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

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let device = cx.device(&args.device)?;
    let mut all = cx.world.configs.list(&device.id)?;
    all.reverse();
    let baseline = cx.world.configs.baseline(&device.id)?.map(|snapshot| snapshot.number);
    side::note(cx, all.first().map_or_else(|| cx.world.clock.wall(), |newest| newest.seen_at));
    let scope = format!("config.list_snapshots {}", device.id);
    list::cut(
        cx,
        &scope,
        &args.list,
        all,
        |snapshot| snapshot.number.to_string(),
        |snapshot| {
            let mut row = Map::new();
            row.insert("id".into(), side::id(&device, snapshot).into());
            row.insert("taken_at".into(), snapshot.taken_at.rfc3339().into());
            row.insert("seen_at".into(), snapshot.seen_at.rfc3339().into());
            row.insert("reason".into(), snapshot.reason.as_str().into());
            row.insert("baseline".into(), (baseline == Some(snapshot.number)).into());
            row.insert("complete".into(), snapshot.is_complete().into());
            row.insert("rows".into(), snapshot.rows.into());
            row.insert("version".into(), snapshot.version.clone().map_or(Value::Null, Value::from));
            row.insert("changed_menus".into(), snapshot.changed.clone().unwrap_or_default().into());
            row
        },
    )
}
