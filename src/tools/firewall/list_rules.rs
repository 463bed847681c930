//! `firewall.list_rules`: one table of the firewall, in order.

use super::rule;
use super::table::{self, Table};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::{self, Columns};
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::FRESH;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "firewall.list_rules",
    title: "Firewall rules",
    about: "Rules of one firewall table in their order: what each matches and does, packets and bytes counted, never hit, disabled or invalid.",
    toolset: "firewall",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: table::MENUS,
    untrusted: &["/rows/*/comment", "/rows/*/log_prefix"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &["position", "chain", "action", "match", "then", "packets", "bytes", "never_hit", "disabled", "invalid", "dynamic", "log", "comment"],
    &["log_prefix"],
)
.quiet_flags()
.bytes(9_000);

/// Chains told with their number of rules; the others are in the rows.
const MOST_CHAINS: usize = 12;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Which table; filter unless set.
    table: Option<Table>,
    /// ipv4 unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// Rules by chain, of the whole table.
    chains: Vec<Chain>,
    /// Enabled rules that no packet has met since the counters were reset.
    never_hit: usize,
}

#[derive(Serialize, JsonSchema)]
struct Chain {
    chain: String,
    rules: usize,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let menu = args.family.unwrap_or_default().menu(args.table.unwrap_or_default().below());
    let scope = format!("firewall.list_rules {} {menu}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let seen = router.all(&menu, FRESH).await?;
    let rules: Vec<Map<String, Value>> = seen.iter().enumerate().map(|(position, row)| rule::shape(position, row)).collect();
    let (chains, never_hit) = (chains(&rules), rules.iter().filter(|rule| rule["never_hit"] == true).count());
    let page = COLUMNS.pick(cx, &scope, &args.list, rules, key, Map::clone)?;
    Ok(Answer { page, chains, never_hit })
}

/// A rule has no key of its own; one whose words stayed is the same, wherever it stands by then.
fn key(rule: &Map<String, Value>) -> String {
    columns::key(rule, &["chain", "action", "match", "then", "comment"])
}

/// In the order of the table.
fn chains(rules: &[Map<String, Value>]) -> Vec<Chain> {
    let mut chains: Vec<Chain> = Vec::new();
    for name in rules.iter().filter_map(|rule| rule.get("chain").and_then(Value::as_str)) {
        match chains.iter().position(|chain| chain.chain == name) {
            Some(at) => chains[at].rules += 1,
            None if chains.len() < MOST_CHAINS => chains.push(Chain { chain: name.to_owned(), rules: 1 }),
            None => {}
        }
    }
    chains
}
