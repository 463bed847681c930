//! `dns.flush_cache`: forgets what a router has resolved.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::plan::record::Draft;
use crate::routeros::query::Query;
use crate::tools::context::Cx;
use crate::tools::direct::{self, Written};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Map;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "dns.flush_cache",
    title: "Flush the DNS cache",
    about: "Forgets all DNS answers a router has cached. Answers how many entries there were; an empty cache is left alone.",
    toolset: "ip",
    tier: Tier::Basic,
    effect: Effect::Changes,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/ip/dns/cache"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Written>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Change nothing, only say.
    #[serde(default)]
    dry_run: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Written, Fault> {
    let router = cx.router(&args.device)?;
    let entries = router.count("/ip/dns/cache", Query::new(), Duration::ZERO).await?;
    let count = |entries: u64| Map::from_iter([("entries".to_owned(), entries.into())]);
    if entries == 0 {
        return Ok(Written::unchanged(Some(count(0)), args.dry_run, "the cache is empty already"));
    }
    let edit = Edit { command: Some("flush".into()), ..Edit::new("/ip/dns/cache", Op::Run) };
    let wish = (vec![edit], "flush the DNS cache".to_owned());
    // What it holds a moment later is other answers: not worth a question.
    let sides = |_: &Draft| (Some(count(entries)), None);
    direct::write(cx, &router, wish, args.dry_run, direct::whatever, sides).await
}
