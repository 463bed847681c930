//! `plan.get`: one plan as it stands.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::arguments::shown;
use crate::tools::context::Cx;
use crate::tools::plan::show;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "plan.get",
    title: "Plan",
    about: "One plan: state, diff, risk, approvals, and per device how far it is, when its guard fires and what went wrong.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: show::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The plan's id.
    #[schemars(length(min = 1))]
    plan_id: String,
    /// Only this device of it, its diff whole.
    #[schemars(length(min = 1))]
    device: Option<String>,
    /// all unless set; diff: only what it changes.
    show: Option<Part>,
}

#[derive(Deserialize, JsonSchema, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Part {
    All,
    Diff,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let opened = show::open(cx, &args.plan_id)?;
    let only = match &args.device {
        None => None,
        Some(word) => {
            let one = opened.1.iter().find(|(draft, _)| draft.device.as_str() == word || draft.name.eq_ignore_ascii_case(word));
            let (draft, _) = one.ok_or_else(|| Fault::not_found(format!("{} is not about a device \"{}\"", opened.0.id, shown(word))))?;
            Some(draft.device.clone())
        }
    };
    show::present(cx, &opened, only, args.show == Some(Part::Diff))
}
