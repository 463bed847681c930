//! `audit.get_events`: the trail, newest first; one's own events, or all of them for admin and approver.

use crate::audit::{self, Stored};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::shape::filter::Filter;
use crate::shape::page;
use crate::tools::audit::wanted::{Further, Wanted, may_see};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "audit.get_events",
    title: "Audit events",
    about: "What was done through this appliance, newest first: your own calls, or everybody's for administrators and approvers.",
    toolset: "core",
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

/// Records looked through for one page: some 10 MB from the disk. What is asked for and rare is further back; the cursor goes on.
const MOST_LOOKED_AT: usize = 20_000;
/// Records read at a time.
const STEP: usize = 500;

#[derive(Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    wanted: Wanted,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let device = args.wanted.device.as_deref().map(|name| cx.device(name).map(|device| device.id.to_string())).transpose()?;
    // Conditions on rows that the trail can judge before a row is made of a record.
    let person = args.list.matching.as_ref().and_then(|all| all.get("principal~")?.as_str()).map(str::to_owned);
    let further = Further { person, correlation_id: args.list.exact("correlation_id") };
    let filter = args.wanted.filter(further, &cx.principal, device)?;
    let conditions = args.list.filter()?;
    let scope = format!("audit.get_events {filter:?}");
    let limit = page::limit(args.list.limit.map(u64::from))?;
    // New records push older ones back, so a page goes on before a sequence number, not at a position.
    let mut before = args.list.place(&scope)?.map(|seq| seq as u64);
    let (mut rows, mut looked_at, mut is_first) = (Vec::new(), 0, true);
    let mut total = match before {
        Some(seq) => count_above(cx, &filter, &conditions, seq).await?,
        None => 0,
    };
    loop {
        let found = cx.world.audit.page(&filter, before, STEP)?;
        looked_at += found.looked_at;
        for stored in &found.rows {
            let fits = rows.len() <= limit || !conditions.is_empty();
            let row = (fits || is_first).then(|| view(stored));
            if let (true, Some(row)) = (is_first, &row) {
                list::known(row, &args.list, &conditions)?;
                is_first = false;
            }
            let passes = row.as_ref().is_none_or(|row| conditions.is_empty() || conditions.passes_json(row));
            if !may_see(&cx.world, &cx.principal, &stored.record) || !passes {
                continue;
            }
            total += 1;
            if let Some(row) = row.filter(|_| rows.len() <= limit) {
                rows.push((stored.seq, row));
            }
        }
        before = found.next;
        if before.is_none() || looked_at >= MOST_LOOKED_AT {
            break;
        }
        // A long trail is looked through beside the other calls, not before them.
        tokio::task::yield_now().await;
    }
    let is_more = rows.len() > limit;
    rows.truncate(limit);
    let seqs: Vec<u64> = rows.iter().map(|(seq, _)| *seq).collect();
    let shown = rows.into_iter().map(|(_, row)| list::project(row, args.list.fields.as_deref())).collect();
    let on = if is_more { seqs.last().copied() } else { before };
    Ok(args.list.behind(cx, &scope, shown, &seqs, total, on))
}

/// Rows of the pages before the one that begins below `seq`: the total is the same on every page.
async fn count_above(cx: &Cx, filter: &audit::Filter, conditions: &Filter, seq: u64) -> Result<usize, Fault> {
    let (mut count, mut looked_at, mut before) = (0, 0, None);
    loop {
        let found = cx.world.audit.page(filter, before, STEP)?;
        looked_at += found.looked_at;
        let above = found.rows.iter().take_while(|stored| stored.seq >= seq);
        let fits = |stored: &&Stored| {
            may_see(&cx.world, &cx.principal, &stored.record) && (conditions.is_empty() || conditions.passes_json(&view(stored)))
        };
        count += above.filter(fits).count();
        before = found.next;
        if before.is_none_or(|next| next <= seq) || looked_at >= MOST_LOOKED_AT {
            return Ok(count);
        }
        tokio::task::yield_now().await;
    }
}

fn view(stored: &Stored) -> Map<String, Value> {
    let record = &stored.record;
    object(json!({
        "seq": stored.seq,
        "time": stored.time.rfc3339(),
        "principal": record.principal.name,
        "role": record.principal.role,
        "client": record.client.name,
        "tool": record.tool,
        "device": record.device_name,
        "outcome": record.outcome,
        "plan_id": record.plan_id,
        "duration_ms": record.duration_ms,
        "correlation_id": record.correlation_id,
    }))
}
