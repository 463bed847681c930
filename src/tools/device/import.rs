//! `device.import`: many routers at once.
//!
//! All of the list is judged before any router is asked: one wrong line, and nothing is done. Then routers are logged in to a
//! few at a time. Each that works is kept; or, with `all_or_nothing`, none before all of them worked.

use crate::audit::{ClientInfo, Phase, Record, Who};
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::roster::{self, Line, Problem, Shared};
use crate::fleet::{Device, Ready};
use crate::store::Durability;
use crate::tools::context::Cx;
use crate::tools::device::view;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use futures_util::StreamExt;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

pub(super) const TOOL: Tool = Tool {
    name: "device.import",
    title: "Import devices",
    about: "Adds the routers of a CSV or JSON list. The whole list is checked before any router is asked; errors are told by line, and with any of them nothing is done.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(900),
    paths: view::PROBED,
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Routers asked at one time.
const AT_ONCE: usize = 16;
/// No router is asked for the first time after so long: what was begun still ends within the verb's time.
const BEGIN_WITHIN: Duration = Duration::from_secs(780);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// CSV with a first line of names, or a JSON array of objects; columns as in the help on the admin pages. Hidden in the trail.
    #[schemars(with = "String", length(min = 1))]
    secret_list: Secret,
    /// The user of lines that name none.
    username: Option<String>,
    /// The password of lines that have none.
    #[schemars(with = "Option<String>")]
    password: Option<Secret>,
    /// Where that password lies: file:PATH or credential:NAME.
    password_ref: Option<String>,
    /// Trust what routers present whose line names no fingerprint.
    #[serde(default)]
    trust_first_use: bool,
    /// Keep none unless all of them work.
    #[serde(default)]
    all_or_nothing: bool,
    /// Check the list alone; ask no router.
    #[serde(default)]
    dry_run: bool,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// Lines that name a router, good or not.
    lines: usize,
    /// Routers that were added.
    added: usize,
    /// Their names.
    names: Vec<String>,
    /// Nothing was done but checking, as asked.
    dry_run: bool,
    /// What is wrong, each with its lines.
    problems: Vec<Wrong>,
    /// Problems in all.
    wrong: usize,
}

#[derive(Serialize, JsonSchema)]
struct Wrong {
    /// Lines of the file, or entries of the array: 2-5, 9. 0 is the list as a whole.
    lines: String,
    /// What.
    what: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let shared = Shared {
        username: args.username.filter(|name| !name.is_empty()),
        password: view::credential(cx, args.password, args.password_ref, None)?.map(|login| login.password),
        trust_first_use: args.trust_first_use,
        environment: cx.world.rules.environment,
        ssh_port: cx.world.settings.ssh_port,
        may_refer: cx.principal.is_operator(),
    };
    let (lines, mut problems) = roster::read(args.secret_list.expose(), &shared, &cx.world.fleet)?;
    drop(args.secret_list);
    let count = lines.len() + problems.iter().filter(|problem| problem.line > 0).count();
    let mut added = Vec::new();
    if problems.is_empty() && !args.dry_run {
        added = add(cx, lines, args.all_or_nothing, &mut problems).await?;
    }
    let told = roster::grouped(&problems).into_iter().map(|(what, lines)| Wrong { lines, what }).collect();
    Ok(Answer { lines: count, added: added.len(), names: added, dry_run: args.dry_run, problems: told, wrong: problems.len() })
}

/// Logs in to all of them; the names of those that were kept.
async fn add(cx: &Cx, lines: Vec<Line>, all_or_nothing: bool, problems: &mut Vec<Problem>) -> Result<Vec<String>, Fault> {
    let began = Instant::now();
    let total = lines.len();
    let mut asked = futures_util::stream::iter(lines).map(|line| examined(cx, line, began)).buffer_unordered(AT_ONCE);
    let (mut ready, mut names, mut done) = (Vec::new(), Vec::new(), 0);
    while let Some((line, result)) = asked.next().await {
        done += 1;
        if done % 100 == 0 {
            cx.say(&format!("{done} of {total} routers"));
        }
        match result {
            Ok(one) if all_or_nothing => ready.push(one),
            Ok(one) => match kept(cx, vec![one]).await {
                Ok(mut kept) => names.append(&mut kept),
                Err(fault) => problems.push(Problem { line, what: fault.said }),
            },
            Err(fault) => problems.push(Problem { line, what: fault.said }),
        }
    }
    if all_or_nothing && problems.is_empty() {
        names = kept(cx, ready).await?;
    }
    Ok(names)
}

async fn examined(cx: &Cx, line: Line, began: Instant) -> (usize, Result<Ready, Fault>) {
    if began.elapsed() > BEGIN_WITHIN {
        return (line.number, Err(Fault::bad_input("was not asked: there was no time left; import this line again")));
    }
    (line.number, cx.world.fleet.examine(line.new, line.credential, line.expected).await)
}

/// Stores them, each after the trail says durably that it is about to be: no audit, no device.
async fn kept(cx: &Cx, ready: Vec<Ready>) -> Result<Vec<String>, Fault> {
    let begun: Vec<Record> = ready.iter().map(|one| told(cx, one.device())).collect();
    for record in &begun {
        cx.world.audit.append(record.clone(), Durability::Now).await?;
    }
    let stored = cx.world.fleet.take_in(ready).await;
    for record in begun {
        let (outcome, error_kind) = match &stored {
            Ok(_) => ("ok", None),
            Err(fault) => (fault.kind.as_str(), Some(fault.kind.as_str().to_owned())),
        };
        let record = Record { phase: Phase::Done, outcome: outcome.into(), error_kind, ..record };
        // The intent stands in the trail already, and so does the call itself.
        if let Err(error) = cx.world.audit.append(record, Durability::Soon).await {
            tracing::error!(%error, "how the import of a device ended is not in the trail");
        }
    }
    let devices: Vec<Arc<Device>> = stored?;
    Ok(devices.iter().map(|device| device.name.clone()).collect())
}

/// That this device is about to come with the list: the trail has the call without it.
fn told(cx: &Cx, device: &Device) -> Record {
    let who = &cx.principal;
    let arguments = json!({"name": device.name, "address": device.address, "username": device.username}).to_string();
    let mut arguments_digest = [0; 32];
    arguments_digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, arguments.as_bytes()).as_ref());
    Record {
        principal: Who { issuer: who.issuer.clone(), subject: who.subject.clone(), name: who.name.clone(), role: who.role.as_str().into() },
        client: ClientInfo { name: who.client.name.clone(), version: who.client.version.clone(), address: who.client.address.clone() },
        correlation_id: cx.correlation_id.as_str().into(),
        tool: TOOL.name.into(),
        tier: TOOL.tier,
        effect: TOOL.effect,
        device: Some(device.id.to_string()),
        device_name: Some(device.name.clone()),
        environment: Some(device.environment.as_str().into()),
        plan_id: None,
        job_id: None,
        risk: None,
        phase: Phase::Intent,
        outcome: "intent".into(),
        error_kind: None,
        duration_ms: 0,
        bytes: 0,
        arguments,
        arguments_digest,
    }
}
