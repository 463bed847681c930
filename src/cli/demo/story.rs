//! What `demo` shows of safe change: a small change, one that locks us out and is undone by the router, and one that stays.
//!
//! Nothing here is acted: the assistant is an MCP client on standard input and output, the approval a person's with a password, and
//! the router really drops our packets until its own timer fires. Only time goes faster while that is waited for, and it says so.

use crate::access::principal::Principal;
use crate::app::App;
use crate::audit;
use crate::base::clock::{Clock, Tempo, Wall};
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::base::secret::Secret;
use crate::cli::demo::client::Client;
use crate::cli::output;
use crate::dispatch::Call;
use crate::plan::record::{Intent, PlanId, Progress};
use crate::plan::state::{DeviceState, PlanState};
use crate::shape::table;
use crate::sim::Sim;
use crate::sim::row::Row;
use crate::tools::spec::Audience;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// How much faster time goes while the router's timer is waited for.
const FASTER: u32 = 12;
/// Between looks at a router or a plan.
const LOOK: Duration = Duration::from_millis(50);
/// No part of the story takes longer, by its own clock.
const PATIENCE: Duration = Duration::from_secs(300);
/// The time left is said every so many seconds.
const BEAT_S: i64 = 20;
/// The person who approves.
const PERSON: &str = "anna";
/// The list of the small change, and what goes on it.
const LIST: &str = "mcp-blocked";
const HOST: &str = "198.51.100.23";
const FILTER: &str = "/ip/firewall/filter";
/// What moves in a rule without anybody changing it.
const COUNTERS: [&str; 2] = ["bytes", "packets"];

/// Who and what takes part.
pub(super) struct Stage<'a> {
    /// The appliance.
    pub app: &'a App,
    /// The router, to see what nobody sees who is locked out of it.
    pub router: &'a Sim,
    /// Its name.
    pub name: &'a str,
    /// The time both of them have.
    pub clock: Clock,
    /// How fast it goes.
    pub tempo: Arc<Tempo>,
    /// The assistant.
    pub assistant: Client,
}

/// Shows it all. Errs when anything is not as the story tells it.
pub(super) async fn play(stage: &Stage<'_>) -> Result<(), Fault> {
    output::text("\nHow a change stays safe\n-----------------------");
    say(
        "The assistant below is an MCP client, as Claude or Cursor would be. Anna was made up for this demo: a person who may approve, with a password of her own.",
    );
    let password = Secret::new(hex(&random::<12>()));
    stage.operator("user.add", json!({"name": PERSON, "role": "approver", "password": password.expose()})).await?;
    small(stage).await?;
    locked_out(stage, &password).await?;
    stays(stage, &password).await?;
    let trail = audit::verify(&crate::app::audit_dir(&stage.app.places))?;
    output::text("");
    say(&format!(
        "Who asked for what, who approved it and what came of it is in the audit trail: {} records, none missing or altered.",
        trail.records
    ));
    say("`docs://safe-change` tells the rest: `plan` at the command line is how people approve.");
    Ok(())
}

/// What is small is done at once.
async fn small(stage: &Stage<'_>) -> Result<(), Fault> {
    head("1. A small change is made at once");
    assistant(&format!("put {HOST} on the address list {LIST} of {}", stage.name));
    let asked = json!({"device": stage.name, "list": LIST, "add": [{"address": HOST, "comment": "port scans"}]});
    let done = stage.asked("firewall.update_address_list", asked).await?;
    stage.expect(done["changed"] == true, "the list was not changed")?;
    let listed =
        stage.asked("menu.read", json!({"device": stage.name, "menu": "/ip/firewall/address-list", "where": {"list": LIST}})).await?;
    stage.expect(listed["total"] == 1 && listed["rows"][0]["address"] == HOST, "the list does not hold it")?;
    told(
        "Done, and read back: it is on the list. Comments, names and lists that begin with mcp- are changed like this; everything else is planned first.",
    );
    Ok(())
}

/// A change that cuts us off: drafted with the reason, approved all the same, undone by the router alone.
async fn locked_out(stage: &Stage<'_>, password: &Secret) -> Result<(), Fault> {
    let name = stage.name;
    head("2. A change that would lock us out");
    assistant(&format!(
        "keep the guests away from {name} itself: drop what comes from 10.20.0.0/16, before all other rules (the guests have 10.20.40.0/24; this is far too much)"
    ));
    let before = stage.rules();
    let plan = stage
        .drafted(
            "keep the guests away from the router",
            json!({"chain": "input", "action": "drop", "src-address": "10.20.0.0/16", "comment": "no guests"}),
            json!({"comment": "accept established"}),
        )
        .await?;
    stage.expect(plan["can_cut_access"] == "yes", "the draft does not see that it cuts us off")?;
    told("Written down as a plan; nothing is changed yet.");
    described(&plan);
    let id = PlanId(table::cell(&plan["id"]));
    assistant("apply it");
    let refused = stage.assistant.call("plan.apply", json!({"plan_id": id.as_str()})).await?;
    stage.expect(refused["isError"] == true, "a plan nobody approved was applied")?;
    told(&format!("Refused: {}. It has no way to approve it either.", refusal(&refused, &id)));
    told("Anna reads the reason and approves it all the same, to see what happens.");
    stage.approve(&plan, password).await?;
    stage.start(&id).await?;

    stage.until(&id, |_| !stage.router.lockout().is_open("www-ssl")).await?;
    let guards = stage.progress(&id)?.guards.iter().filter(|guard| guard.proven).count();
    stage.expect(guards > 0, "the change was made without a guard")?;
    told(&format!("First {name} was given the undo and a timer of its own, and both were read back. Then the change was made."));
    told(&format!("{name} does not answer us any more: the link is lost. Nothing we could send would arrive."));
    let waits = |progress: &Progress| progress.intent == Some(Intent::AwaitFire) || progress.state == DeviceState::RolledBack;
    stage.until(&id, waits).await?;
    countdown(stage, &id).await?;
    stage.until(&id, |_| stage.router.lockout().is_open("www-ssl")).await?;
    told(&format!("{name} has undone it by itself, and lets us in again."));
    let ended = stage.ended(&id).await;
    stage.tempo.set(1);
    stage.expect(ended? == PlanState::RolledBack, "the plan is not rolled back")?;
    let after = stage.rules();
    stage.expect(after == before, "the rules are not what they were")?;
    stage.nothing_left().await?;
    told(&format!(
        "Read back: its {} filter rules are what they were before; undo and timer are gone. The plan is \"rolled back\".",
        after.len()
    ));
    Ok(())
}

/// Says how long the router still waits, in time that goes faster.
async fn countdown(stage: &Stage<'_>, id: &PlanId) -> Result<(), Fault> {
    let Some(fires) = stage.progress(id)?.fires_at else { return Ok(()) };
    told(&format!("(To spare you the wait, time goes {FASTER} times faster in this demo until then.)"));
    stage.tempo.set(FASTER);
    let left = || fires.0.saturating_sub(stage.clock.wall().0).max(0) / 1_000;
    let mut next = left();
    while next > 0 {
        output::text(&format!("     {next:>3} s until {} undoes it by itself", stage.name));
        next = (next - 1) / BEAT_S * BEAT_S;
        while left() > next {
            stage.clock.sleep(LOOK).await;
        }
    }
    Ok(())
}

/// A change of the same kind that does no harm.
async fn stays(stage: &Stage<'_>, password: &Secret) -> Result<(), Fault> {
    let name = stage.name;
    head("3. A change that stays");
    assistant("let the cameras reach the recorder 10.20.60.9 over TCP port 554");
    let comment = "cameras to recorder";
    let rule = json!({"chain": "forward", "action": "accept", "in-interface": "vlan50-cameras", "dst-address": "10.20.60.9",
        "protocol": "tcp", "dst-port": "554", "comment": comment});
    let plan = stage.drafted("recordings stopped", rule, json!({"comment": "staff to printers"})).await?;
    described(&plan);
    told("Anna approves it.");
    stage.approve(&plan, password).await?;
    let id = PlanId(table::cell(&plan["id"]));
    stage.start(&id).await?;
    let ended = stage.ended(&id).await?;
    let why = stage.progress(&id)?.error.unwrap_or_default();
    stage.expect(ended == PlanState::Confirmed, &format!("the plan is not confirmed: {why}"))?;
    let there = stage.rules().iter().filter(|rule| rule.get("comment") == Some(comment)).count();
    stage.expect(there == 1, "the rule is not there")?;
    stage.nothing_left().await?;
    told(&format!(
        "{name} was given undo and timer, and the rule was added. We can still log in over new connections, the rule reads back as planned, and other routers answer as before: it is kept, and undo and timer are taken away again. The plan is \"confirmed\"."
    ));
    Ok(())
}

impl Stage<'_> {
    /// The assistant's call that must work: its answer.
    async fn asked(&self, tool: &str, arguments: Value) -> Result<Value, Fault> {
        let mut result = self.assistant.call(tool, arguments).await?;
        self.expect(result["isError"] != true, &format!("{tool}: {}", table::cell(&result["structuredContent"]["error"]["message"])))?;
        Ok(result["structuredContent"].take())
    }

    /// The operator's call, as from the command line.
    async fn operator(&self, tool: &str, arguments: Value) -> Result<(), Fault> {
        let arguments = arguments.as_object().cloned().unwrap_or_default();
        let call = Call::new(tool, arguments, Arc::new(Principal::operator()), Audience::Operator);
        let reply = self.app.dispatch.call(call).await;
        match reply.fault {
            None => Ok(()),
            Some(kind) => Err(Fault::new(kind, format!("demo: {tool}: {}", reply.text))),
        }
    }

    /// The plan of a new filter rule.
    async fn drafted(&self, reason: &str, values: Value, place_before: Value) -> Result<Value, Fault> {
        let edit = json!({"menu": FILTER, "op": "add", "values": values, "place_before": place_before});
        self.asked("plan.create", json!({"devices": [self.name], "reason": reason, "edits": [edit], "confirm": "auto"})).await
    }

    /// The person's yes to what they were shown.
    async fn approve(&self, plan: &Value, password: &Secret) -> Result<(), Fault> {
        let said = json!({"plan_id": plan["id"], "digest": plan["short_digest"], "user": PERSON, "password": password.expose()});
        self.operator("plan.approve", said).await
    }

    async fn start(&self, id: &PlanId) -> Result<(), Fault> {
        self.asked("plan.apply", json!({"plan_id": id.as_str(), "wait_seconds": 0})).await.map(drop)
    }

    fn progress(&self, id: &PlanId) -> Result<Progress, Fault> {
        let (_, devices) = self.app.plans().plan(id)?;
        devices.into_iter().next().map(|(_, progress)| progress).ok_or_else(|| Fault::bug("a plan without devices"))
    }

    /// Waits until it is so, or the plan is over.
    async fn until(&self, id: &PlanId, so: impl Fn(&Progress) -> bool) -> Result<(), Fault> {
        let began = self.clock.mono();
        while !so(&self.progress(id)?) {
            let is_late = self.clock.mono().saturating_sub(began) > PATIENCE || self.app.plans().plan(id)?.0.state.is_final();
            self.expect(!is_late, &format!("{id} went another way than told here"))?;
            self.clock.sleep(LOOK).await;
        }
        Ok(())
    }

    async fn ended(&self, id: &PlanId) -> Result<PlanState, Fault> {
        self.app.plans().wait(id, PATIENCE).await?;
        Ok(self.app.plans().plan(id)?.0.state)
    }

    /// The rules as they are on the router itself, without their counters.
    fn rules(&self) -> Vec<Row> {
        let mut rows = self.router.world().rows(FILTER);
        for row in &mut rows {
            COUNTERS.iter().for_each(|name| drop(row.take(name)));
        }
        rows
    }

    /// The router holds nothing of ours.
    async fn nothing_left(&self) -> Result<(), Fault> {
        for menu in ["/system/script", "/system/scheduler"] {
            let left = self.asked("menu.read", json!({"device": self.name, "menu": menu, "where": {"name~": "mcp-guard"}})).await?;
            self.expect(left["total"] == 0, &format!("{menu} still holds a guard"))?;
        }
        Ok(())
    }

    /// The story is true, or it ends here.
    fn expect(&self, holds: bool, why: &str) -> Result<(), Fault> {
        if holds { Ok(()) } else { Err(Fault::new(Kind::Bug, format!("the demo is not as it tells: {why}"))) }
    }
}

/// A plan in a few lines.
fn described(plan: &Value) {
    let approvals = match plan["approvals"]["needed"].as_u64() {
        Some(0) | None => "needs nobody's approval".to_owned(),
        Some(1) => "needs the approval of one person".to_owned(),
        Some(more) => format!("needs the approval of {more} persons"),
    };
    told(&format!("Risk: {}; it {approvals}, within a day (until {}).", table::cell(&plan["risk"]), day(&plan["expires_at"])));
    let reasons: Vec<String> = plan["cut_reasons"].as_array().into_iter().flatten().map(table::cell).collect();
    match plan["can_cut_access"].as_str() {
        Some("no") => told("Our own access: not touched."),
        Some("yes") => told(&format!("Our own access: CUT. {}.", reasons.join("; "))),
        _ => told(&format!("Our own access: cannot be told, so it counts as cut. {}.", reasons.join("; "))),
    }
}

fn day(at: &Value) -> String {
    at.as_str().and_then(Wall::parse).map_or_else(String::new, |at| at.rfc3339().chars().take(16).collect::<String>().replace('T', " "))
}

/// Why the assistant was refused, without the plan's long name.
fn refusal(result: &Value, id: &PlanId) -> String {
    let said = table::cell(&result["structuredContent"]["error"]["message"]);
    said.replacen(id.as_str(), "the plan", 1).trim_start_matches("the plan: ").to_owned()
}

fn say(text: &str) {
    output::text(&output::folded("", text));
}

fn head(text: &str) {
    output::text(&format!("\n{text}"));
}

fn assistant(wish: &str) {
    output::text(&output::folded("   ", &format!("Assistant: {wish}.")));
}

fn told(text: &str) {
    output::text(&output::folded("   ", text));
}
