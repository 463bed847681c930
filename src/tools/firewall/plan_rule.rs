//! `firewall.plan_rule`: a plan for a firewall rule.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::firewall::table::{self, Table};
use crate::tools::propose::{self, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "firewall.plan_rule",
    title: "Plan a firewall rule",
    about: "Plans one change of a rule: add (with its place), modify, remove, move, enable or disable. Answers the diff and whether it can cut our access.",
    toolset: "firewall",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: table::MENUS,
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
    /// What to do.
    action: Action,
    /// filter unless set.
    table: Option<Table>,
    /// ipv4 unless set.
    family: Option<Family>,
    /// Which rule, e.g. {"comment": "drop iot"}.
    #[serde(rename = "match", default)]
    which: Map<String, Value>,
    /// For add and modify, e.g. {"chain": "forward", "action": "drop", "src_address": "192.0.2.0/24"}.
    #[serde(default)]
    rule: Map<String, Value>,
    /// The rule to stand before; the end unless set.
    place_before: Option<Map<String, Value>>,
    /// A rule without matchers is meant.
    #[serde(default)]
    match_all: bool,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

#[derive(Deserialize, JsonSchema, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Action {
    Add,
    Modify,
    Remove,
    Move,
    Enable,
    Disable,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let op = match args.action {
        Action::Add => Op::Add,
        Action::Modify => Op::Set,
        Action::Remove => Op::Remove,
        Action::Move => Op::Move,
        Action::Enable => Op::Enable,
        Action::Disable => Op::Disable,
    };
    if args.rule.is_empty() && matches!(op, Op::Add | Op::Set) {
        return Err(Fault::bad_input("rule is missing: the attributes to write"));
    }
    let menu = args.family.unwrap_or_default().menu(args.table.unwrap_or_default().below());
    let place = args.place_before.map(|which| Value::Object(propose::spelled(which)));
    let place = if op == Op::Move { Some(place.unwrap_or(Value::Null)) } else { place };
    let edit = Edit {
        which: propose::spelled(args.which),
        values: propose::spelled(args.rule),
        place_before: place,
        match_all: args.match_all,
        ..Edit::new(menu, op)
    };
    propose::plan(cx, vec![args.device], args.reason, vec![edit]).await
}
