//! `config.diff`: what changed between two configurations of a device, by menu and row.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::menu_path;
use crate::history::config;
use crate::tools::config::show::{self, MenuChanges, NotCompared, USUAL};
use crate::tools::config::side::{self, Shown};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "config.diff",
    title: "Compare configurations",
    about: "What changed between two configurations of a router, by menu and row: rows added, removed, changed (before and after) or moved. Secrets are not compared.",
    toolset: "config",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(75),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// The earlier one: a snapshot id, baseline, latest or live; baseline unless set.
    from: Option<String>,
    /// The later one, in the same words; live (read from the router now) unless set.
    to: Option<String>,
    /// Only this menu and those below it, e.g. /ip/firewall.
    #[schemars(length(max = 200))]
    menu: Option<String>,
    /// Changes shown, 40 unless set.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u16>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    from: Shown,
    to: Shown,
    /// All changes, shown or not.
    changes: u64,
    menus: Vec<MenuChanges>,
    /// Rows that one side has and the other may merely have failed to export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<NotCompared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let menu = args.menu.as_deref().map(menu_path).transpose()?;
    let (from, to) = (args.from.as_deref().unwrap_or("baseline"), args.to.as_deref().unwrap_or("live"));
    // The running configuration first: a device without history gets its baseline by that.
    let (from, to) = if to == "live" {
        let to = side::find(cx, &args.device, to).await?;
        (side::find(cx, &args.device, from).await?, to)
    } else {
        (side::find(cx, &args.device, from).await?, side::find(cx, &args.device, to).await?)
    };
    let difference = config::diff(&from.export, &to.export);
    let shown = show::shown(cx, difference, menu.as_ref().map(|path| path.as_str()), args.limit.unwrap_or(USUAL));
    Ok(Answer {
        from: from.shown,
        to: to.shown,
        changes: shown.total,
        menus: shown.menus,
        not_compared: shown.not_compared,
        note: shown.note,
    })
}
