//! The spine: one call's whole journey, in one function.
//!
//! Find the tool, judge the caller, check the arguments, run (policy again where a router is reached), shape the answer,
//! write it down. Whoever calls (stdio, HTTP, a page, the command line, a job) goes this way and no other.

pub mod call;
pub mod kept;
mod marks;
mod shaped;
pub mod sight;
pub mod trail;

use crate::access::policy::{self, Decision};
use crate::access::principal::Principal;
use crate::audit::Record;
use crate::base::events::Event;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{CorrelationId, DeviceId};
use crate::base::tier::Effect;
use crate::store::Durability;
use crate::tools;
use crate::tools::arguments;
pub use crate::tools::context::Progress;
use crate::tools::context::{Cx, Notes};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool};
use crate::tools::world::World;
pub use call::{Call, Listed, Reply};
use kept::Kept;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
pub use trail::Witness;

/// Takes every call, whoever makes it.
pub struct Dispatch {
    world: Arc<World>,
    schemas: HashMap<&'static str, Schemas>,
    outline: Arc<Map<String, Value>>,
    kept: Kept,
}

/// How a run came to no whole answer.
enum Ended {
    /// It found out that there is none.
    Failed(Fault),
    /// Nobody waited any longer.
    Early(Fault),
}

/// A tool's schemas, made once.
struct Schemas {
    input: Arc<Map<String, Value>>,
    face: Arc<Map<String, Value>>,
}

impl Dispatch {
    /// Over the appliance's parts.
    pub fn new(world: Arc<World>) -> Self {
        let make = |tool: &'static Tool| {
            let input = (tool.input)();
            (tool.name, Schemas { face: Arc::new(schema::face(&input)), input: Arc::new(input) })
        };
        let kept = Kept::new(world.settings.kept_answers);
        Dispatch { schemas: tools::all().map(make).collect(), outline: Arc::new(schema::outline()), kept, world }
    }

    /// The parts, for edges that show what is not a call (listing, health of the appliance).
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Forgets every kept answer, and the readings of routers that they came from. How many those were.
    pub fn forget_answers(&self) -> usize {
        self.kept.clear() + self.world.fleet.forget_answers()
    }

    /// Runs one call to its answer. Errors are answers too; each leaves an audit record.
    pub async fn call(&self, call: Call) -> Reply {
        let started = self.world.clock.mono();
        let Some(tool) = tools::find(&call.tool).filter(|tool| tool.audience == Audience::Model || call.audience == Audience::Operator)
        else {
            return self.unknown(call).await;
        };
        let (who, cancel, progress) = (call.principal.clone(), call.cancel.clone(), call.progress.clone());
        let mut cx = Cx::new(self.world.clone(), tool, who, call.correlation_id.clone(), cancel, progress);
        cx.proven = call.proven;
        cx.for_person = call.for_person;
        let mut given = call.arguments;
        alias(&mut given, &self.schemas[tool.name].input);
        let result = match self.offered(call.audience, call.as_tool) {
            Ok(()) => self.judged_run(&cx, given.clone(), call.max_age).await,
            Err(fault) => Err(fault),
        };
        let notes = cx.take_notes();
        let took = self.world.clock.mono().saturating_sub(started);
        self.tell(&cx, &notes);
        let shaped = shaped::reply(&cx, &notes, result);
        let reply = match self.written(&cx, &notes, &given, &shaped, took).await {
            // What went wrong before is the answer still.
            Err(fault) if !shaped.is_error() => shaped::reply(&cx, &notes, Err(unwritten(tool, fault))),
            Ok(()) | Err(_) => shaped,
        };
        self.world.alerts.used(&cx.principal, tool.effect, reply.fault);
        let tokens = reply.meta.get("estimated_tokens").and_then(Value::as_u64);
        self.world.meter().tool(tool.name, tool.tier.as_str(), trail::outcome(reply.fault), took, tokens);
        reply
    }

    /// Models have no tools at all while `mcp.enable_tools` is off; the command line keeps its verbs.
    fn offered(&self, audience: Audience, as_tool: bool) -> Result<(), Fault> {
        if audience == Audience::Operator || !as_tool {
            return Ok(());
        }
        let off = Fault::denied("tools are switched off here");
        match (self.world.settings.enable_tools, self.world.rules.has_no_tools()) {
            (false, _) => Err(off.hint("the operator can set mcp.enable_tools")),
            (true, true) => Err(off.hint("an administrator can switch them on again under Settings")),
            (true, false) => Ok(()),
        }
    }

    /// Everything between knowing the tool and having its answer.
    async fn judged_run(&self, cx: &Cx, given: Map<String, Value>, max_age: Duration) -> Result<Value, Fault> {
        judge(cx)?;
        arguments::check(cx.tool.name, &self.schemas[cx.tool.name].input, &given)?;
        let keeps = (cx.tool.effect == Effect::Reads && !max_age.is_zero()).then(|| kept::key(cx, &given));
        let bus = self.world.fleet.bus();
        let found = keeps.as_ref().and_then(|key| self.kept.get(key, max_age, self.world.clock.mono(), bus));
        if keeps.is_some() {
            self.world.meter().cache(found.is_some());
        }
        if let Some(found) = found {
            cx.recall(found.notes, found.age)?;
            return Ok(found.value);
        }
        let before = bus.last();
        let (value, whole) = match self.ran(cx, given).await {
            Ok(value) => (value, true),
            // What was measured until then is an answer too, to whoever still listens.
            Err(Ended::Early(fault)) => (cx.cut_short(&fault.said).ok_or(fault)?, false),
            Err(Ended::Failed(fault)) => return Err(fault),
        };
        marks::mark(cx, &value);
        if let Some(key) = keeps.filter(|_| whole) {
            self.kept.put(key, &value, cx.noted(), self.world.clock.mono(), before);
        }
        Ok(value)
    }

    /// The tool's work, within its time.
    async fn ran(&self, cx: &Cx, given: Map<String, Value>) -> Result<Value, Ended> {
        if cx.tool.effect != Effect::Reads {
            // No audit, no change: the intent is on disk before anything is done.
            self.world.audit.append(trail::intent(cx, &given), Durability::Now).await.map_err(|error| Ended::Failed(error.into()))?;
        }
        let timeout = cx.tool.timeout.0;
        let work = (cx.tool.run)(cx, given);
        tokio::select! {
            result = work => result.map_err(Ended::Failed),
            () = waiting(cx) => Err(Ended::Failed(Fault::bug("waiting never ends"))),
            () = tokio::time::sleep(timeout) => Err(Ended::Early(late(cx.tool, timeout))),
            () = cx.cancel.cancelled() => Err(Ended::Early(cancelled(cx.tool))),
        }
    }

    /// Says that a router is not what it was, whether or not the change went well.
    fn tell(&self, cx: &Cx, notes: &Notes) {
        if matches!(cx.tool.effect, Effect::Changes | Effect::Decides)
            && let Some((id, ..)) = &notes.device
        {
            self.world.fleet.bus().tell(Event::Config(DeviceId(id.clone())));
        }
    }

    /// Writes the call down. What changed something is durable before the caller hears of it.
    async fn written(&self, cx: &Cx, notes: &Notes, given: &Map<String, Value>, reply: &Reply, took: Duration) -> Result<(), Fault> {
        let durability = if cx.tool.effect == Effect::Reads { Durability::Soon } else { Durability::Now };
        let record = trail::done(cx, notes, given, reply, took);
        log(cx, &record);
        match self.world.audit.append(record, durability).await {
            Ok(_) => Ok(()),
            // A read is answered even while the trail cannot be written; the log and health say so.
            Err(error) => {
                tracing::error!(%error, "audit record lost");
                if cx.tool.effect == Effect::Reads { Ok(()) } else { Err(Fault::from(error)) }
            }
        }
    }

    /// Writes down an operation that is no call of the catalogue, such as an export of the trail itself.
    pub async fn note(
        &self,
        principal: &Principal,
        operation: &str,
        given: &Map<String, Value>,
        outcome: Option<Kind>,
    ) -> Result<(), Fault> {
        self.world.audit.append(trail::operation(principal, operation, given, outcome), Durability::Now).await?;
        Ok(())
    }

    /// Writes down an act of somebody at the admin API: who signs in or out, or tries to.
    pub async fn witness(
        &self,
        who: Witness<'_>,
        operation: &str,
        given: &Map<String, Value>,
        outcome: Option<Kind>,
        correlation_id: &CorrelationId,
    ) -> Result<(), Fault> {
        self.world.audit.append(trail::witnessed(who, operation, given, outcome, correlation_id), Durability::Now).await?;
        Ok(())
    }

    async fn unknown(&self, call: Call) -> Reply {
        let name: String = call.tool.chars().filter(|c| !c.is_control()).take(64).collect();
        self.world.meter().tool("unknown", "none", "unknown_tool", Duration::ZERO, None);
        let record = trail::unknown(&call, &name);
        if let Err(error) = self.world.audit.append(record, Durability::Soon).await {
            tracing::error!(%error, "audit record lost");
        }
        let fault = Fault::not_found(format!("unknown tool: {name}")).hint("tools.search finds tools by words");
        let mut meta = Map::new();
        meta.insert("correlation_id".into(), call.correlation_id.as_str().into());
        Reply { unknown_tool: true, ..shaped::error_reply(&fault, None, &call.correlation_id.0, meta) }
    }

    /// The tools this principal is shown, in their fixed order.
    pub fn list(&self, principal: &Principal, audience: Audience) -> Vec<Listed> {
        if !self.world.settings.enable_tools || self.world.rules.has_no_tools() {
            return Vec::new();
        }
        let wanted = |tool: &&'static Tool| {
            let listed = self.world.settings.toolsets.as_ref().is_none_or(|sets| sets.iter().any(|set| set == tool.toolset));
            let audience = tool.audience == Audience::Model || audience == Audience::Operator;
            listed
                && audience
                && matches!(policy::decide(principal, &tool.target(), &self.world.rules), Decision::Allow | Decision::AllowLoosely(_))
        };
        tools::all().filter(wanted).map(|tool| self.listed(tool)).collect()
    }

    /// One tool as it is listed.
    pub fn listed(&self, tool: &'static Tool) -> Listed {
        let schemas = &self.schemas[tool.name];
        let name = tool.name.replace('.', &self.world.settings.separator.to_string());
        Listed { name, tool, input: schemas.face.clone(), output: self.outline.clone() }
    }
}

/// One line a call: changes and refusals always, reads that went well only at `debug`, for the trail has them anyway and
/// flash wears out.
fn log(cx: &Cx, record: &Record) {
    let device = record.device_name.as_deref().unwrap_or("");
    let (tool, outcome, ms, correlation_id) = (cx.tool.name, record.outcome.as_str(), record.duration_ms, cx.correlation_id.as_str());
    if cx.tool.effect == Effect::Reads && outcome == "ok" {
        tracing::debug!(tool, device, outcome, ms, correlation_id, "call");
    } else {
        tracing::info!(tool, device, outcome, ms, correlation_id, "call");
    }
}

/// Tells a caller that asked for progress how long it has been waiting, while its tool says nothing; never ends by itself.
async fn waiting(cx: &Cx) {
    loop {
        tokio::time::sleep(PROGRESS).await;
        // A little less than between two beats: what the tool just said stands for one.
        cx.beat(PROGRESS * 9 / 10, "waiting for the router (seconds of the most this call may take)");
    }
}

/// Between two words of progress.
const PROGRESS: Duration = Duration::from_secs(1);

/// Role, tier and switches, before anything else is looked at.
fn judge(cx: &Cx) -> Result<(), Fault> {
    match policy::decide(&cx.principal, &cx.tool.target(), &cx.world.rules) {
        Decision::Allow => Ok(()),
        Decision::AllowLoosely(refusal) => {
            tracing::warn!(tool = cx.tool.name, reason = refusal.reason, "would be denied in strict mode");
            Ok(())
        }
        Decision::Deny(refusal) => {
            cx.world.meter().denied(cx.principal.role.as_str(), refusal.reason);
            Err(Fault { hint: refusal.hint, ..Fault::denied(refusal.said) })
        }
    }
}

/// `device_id` is taken for `device` everywhere, and listed nowhere.
fn alias(given: &mut Map<String, Value>, input: &Map<String, Value>) {
    let properties = input.get("properties");
    let takes = |name: &str| properties.is_some_and(|p| p.get(name).is_some());
    if takes("device")
        && !takes("device_id")
        && !given.contains_key("device")
        && let Some(id) = given.remove("device_id")
    {
        given.insert("device".into(), id);
    }
}

fn late(tool: &Tool, timeout: Duration) -> Fault {
    let said = format!("{}: no answer within {} s", tool.name, timeout.as_secs());
    if tool.effect == Effect::Reads {
        Fault::new(Kind::Unreachable, said).hint("device.check_connectivity says whether the router can be reached")
    } else {
        Fault::new(Kind::UnknownOutcome, said).hint("read the state back before repeating the call")
    }
}

/// It was done, or is being done; only the trail does not say so.
fn unwritten(tool: &Tool, fault: Fault) -> Fault {
    Fault::new(Kind::UnknownOutcome, format!("{}: how it ended could not be written down: {}", tool.name, fault.said))
        .hint("it may be done: read the state back before repeating the call; nothing more is changed until the disk takes writes")
        .cause(fault)
}

/// The caller left, or we do.
fn cancelled(tool: &Tool) -> Fault {
    let said = format!("{}: cancelled before it ended", tool.name);
    if tool.effect == Effect::Reads {
        Fault::new(Kind::Conflict, said).hint("call it again")
    } else {
        Fault::new(Kind::UnknownOutcome, said).hint("read the state back before repeating the call")
    }
}
