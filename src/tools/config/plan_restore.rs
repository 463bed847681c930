//! `config.plan_restore`: a plan that takes menus back to a kept configuration.

use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::menu_path;
use crate::plan::restore::restore_edits;
use crate::tools::config::side;
use crate::tools::context::Cx;
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;

pub(super) const TOOL: Tool = Tool {
    name: "config.plan_restore",
    title: "Plan a restore",
    about: "Plans the edits that take chosen menus of a router back to a snapshot. Answers what a snapshot cannot bring back as left_out. Changes nothing.",
    toolset: "config",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: propose::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// A snapshot id of config.list_snapshots, baseline or latest.
    #[schemars(length(min = 1))]
    snapshot: String,
    /// Menus with those below them, e.g. /ip/firewall.
    #[schemars(length(min = 1, max = 32))]
    menus: Vec<String>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let menus = args.menus.iter().map(|menu| Ok(menu_path(menu)?.as_str().to_owned())).collect::<Result<Vec<_>, Fault>>()?;
    let kept = side::find(cx, &args.device, &args.snapshot).await?;
    let running = side::find(cx, &args.device, "live").await?;
    let device = cx.device(&args.device)?;
    menus.iter().try_for_each(|menu| side::check_menu(&device, menu, &[&kept.export, &running.export]))?;
    let restored = restore_edits(&kept.export, &running.export, &menus);
    if restored.edits.is_empty() {
        let mut fault = Fault::new(Kind::Conflict, "nothing to take back: these menus are as the snapshot has them, as far as it tells");
        if !restored.left_out.is_empty() {
            fault = fault.hint(format!("left out: {}", restored.left_out.join("; ")));
        }
        return Err(fault);
    }
    let reason = if args.reason.is_empty() { format!("take back to snapshot {}", kept.shown.snapshot) } else { args.reason };
    let mut proposed = propose::plan(cx, vec![args.device], reason, restored.edits).await?;
    proposed.insert("left_out".into(), restored.left_out.into());
    Ok(proposed)
}
