//! What a caller asks for: the plan object of the contract, checked for what can be known without a router.
//!
//! Rows are named by attributes, never by position or `.id`. The `*.plan_*` tools only write such edits for their caller: one
//! engine, one format. Names are RouterOS's (`src-address`).

use crate::base::fault::Fault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Most edits in one plan.
pub const MAX_EDITS: usize = 100;
/// Longest reason, in characters.
pub const MAX_REASON: usize = 500;
/// Most things to verify in one plan: each is asked of a router, several times where it is not so at once.
const MAX_CHECKS: usize = 50;
/// The longest address or name of a device in one of them, bytes.
const MAX_NAME: usize = 253;

/// A plan as asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Ids or names, 1 to 50 of one environment; or give select.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<String>,
    /// Instead of devices: every device that fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub select: Option<Select>,
    /// Why, for the person who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    pub reason: String,
    /// What to change, in order.
    #[schemars(length(min = 1, max = 100))]
    pub edits: Vec<Edit>,
    /// auto keeps the change once it is verified; manual waits for a confirm. High risk that can cut access is manual unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<Confirm>,
    /// How long a manual plan waits, e.g. 10m (30s to 1h).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm_timeout: Option<String>,
    /// Checked after the change, beside what is always checked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub verify: Vec<Check>,
    /// How several devices are worked through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<Batch>,
    /// Apply even where no guard can be had; an approver sees it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unguarded: bool,
}

/// Devices by what they have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Select {
    /// lab, staging or prod.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// All of these tags: {"site": "north"} or ["site=north"].
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub tags: Value,
}

impl Select {
    fn names_no_tag(&self) -> bool {
        match &self.tags {
            Value::Null => true,
            Value::Object(tags) => tags.is_empty(),
            Value::Array(tags) => tags.is_empty(),
            _ => false,
        }
    }
}

/// One change of one menu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// Menu path, e.g. /ip/firewall/filter.
    pub menu: String,
    /// What to do to it.
    pub op: Op,
    /// Attributes that name exactly one row; none for a menu without rows.
    #[serde(rename = "match", default, skip_serializing_if = "Map::is_empty")]
    pub which: Map<String, Value>,
    /// The match may find several rows; each is changed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub each: bool,
    /// Attributes to write; null takes one away; {"secret": "generate"} or {"secret": "vault:NAME"} for secrets.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub values: Map<String, Value>,
    /// Attributes of the row to stand before; null for the end.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    #[schemars(with = "Option<Map<String, Value>>")]
    pub place_before: Option<Value>,
    /// For run: flush, renew, reset-counters, wol …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// A row that is not there needs no removing. For our own tools, which write one plan for several devices.
    #[serde(default, skip_serializing_if = "is_false")]
    #[schemars(skip)]
    pub if_there: bool,
    /// A filter, NAT or mangle rule without any matcher is meant.
    #[serde(default, skip_serializing_if = "is_false")]
    pub match_all: bool,
}

/// What is done to a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// A new row.
    Add,
    /// Other values.
    Set,
    /// A row less.
    Remove,
    /// Another place among its rows.
    Move,
    /// Into use.
    Enable,
    /// Out of use, but kept.
    Disable,
    /// A harmless command.
    Run,
}

impl Op {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Set => "set",
            Op::Remove => "remove",
            Op::Move => "move",
            Op::Enable => "enable",
            Op::Disable => "disable",
            Op::Run => "run",
        }
    }
}

/// Who says that a change stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Confirm {
    /// The checks, when all pass.
    Auto,
    /// Somebody, before the timeout.
    Manual,
}

impl Confirm {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Confirm::Auto => "auto",
            Confirm::Manual => "manual",
        }
    }
}

/// Something that must hold after the change. Stored as it is, so that no field may be left out when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// An address that must answer a ping.
    #[serde(default)]
    pub ping: Option<String>,
    /// The device that pings; the changed one unless named.
    #[serde(default)]
    pub from: Option<String>,
    /// A device that we must be able to reach.
    #[serde(default)]
    pub reach: Option<String>,
}

/// How several devices are worked through.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Devices side by side, 1 to 50.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u32>,
    /// Devices in the first batch, 0 to 50; 1 unless set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canary: Option<u32>,
    /// Between batches, e.g. 60s (0 to 1h).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<String>,
    /// What a failure does to the rest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<OnFailure>,
}

/// What a failure does to the rest of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnFailure {
    /// Finished devices stay as they are, the others are left out.
    Stop,
    /// Finished devices are taken back too, newest first.
    RollBackAll,
}

impl Request {
    /// Checks what needs no router: counts, lengths, which fields go together.
    ///
    /// # Errors
    /// `BadInput` naming the edit and what would be right.
    pub fn check(&self) -> Result<(), Fault> {
        if self.edits.is_empty() {
            return Err(Fault::bad_input("edits: a plan changes something").hint("give at least one edit"));
        }
        if self.edits.len() > MAX_EDITS {
            return Err(Fault::bad_input(format!("edits: {} are too many for one plan (at most {MAX_EDITS})", self.edits.len()))
                .hint("split it; a person has to read what they approve"));
        }
        if self.reason.chars().count() > MAX_REASON {
            return Err(Fault::bad_input(format!("reason: longer than {MAX_REASON} characters")));
        }
        match (self.devices.is_empty(), &self.select) {
            (true, None) => return Err(Fault::bad_input("devices: none named").hint("give devices (ids or names) or select")),
            (false, Some(_)) => return Err(Fault::bad_input("devices and select exclude each other")),
            // An empty limit must not mean every router.
            (true, Some(select)) if select.environment.is_none() && select.names_no_tag() => {
                return Err(Fault::bad_input("select: names neither an environment nor a tag")
                    .hint("give {\"environment\": \"lab\"} for all of it, or {\"tags\": {\"site\": \"north\"}}"));
            }
            _ => {}
        }
        if self.verify.len() > MAX_CHECKS {
            return Err(Fault::bad_input(format!("verify: {} checks are too many for one plan (at most {MAX_CHECKS})", self.verify.len())));
        }
        for check in &self.verify {
            if [&check.ping, &check.from, &check.reach].into_iter().flatten().any(|name| name.len() > MAX_NAME) {
                return Err(Fault::bad_input(format!("verify: an address or a device's name has at most {MAX_NAME} bytes")));
            }
            if check.ping.is_some() == check.reach.is_some() || (check.from.is_some() && check.ping.is_none()) {
                return Err(Fault::bad_input("verify: each check is {\"ping\": ADDRESS, \"from\": DEVICE} or {\"reach\": DEVICE}"));
            }
        }
        self.edits.iter().enumerate().try_for_each(|(n, edit)| edit.check().map_err(|fault| about(n, fault)))
    }
}

/// The origin of plans that take back what a job finished: whatever is switched off, the way back stays open.
pub(super) const TAKES_BACK: &str = "plan.roll_back";

/// Whether a tool of this name makes a plan (`plan.create`, `firewall.plan_rule`), rather than a small change at once.
pub(super) fn makes_plans(origin: &str) -> bool {
    let (category, action) = origin.split_once('.').unwrap_or((origin, ""));
    category == "plan" || action.starts_with("plan_")
}

/// The same fault, said of an edit.
pub fn about(n: usize, fault: Fault) -> Fault {
    Fault { said: format!("edits[{n}]: {}", fault.said), ..fault }
}

impl Edit {
    /// An edit of a menu that says no more than what is done.
    pub fn new(menu: impl Into<String>, op: Op) -> Edit {
        Edit {
            menu: menu.into(),
            op,
            which: Map::new(),
            each: false,
            values: Map::new(),
            place_before: None,
            command: None,
            if_there: false,
            match_all: false,
        }
    }

    /// With an attribute of the row that is meant.
    #[must_use]
    pub fn of(mut self, name: &str, value: impl Into<Value>) -> Edit {
        self.which.insert(name.to_owned(), value.into());
        self
    }

    /// With an attribute to write.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Edit {
        self.values.insert(name.to_owned(), value.into());
        self
    }

    /// With an attribute to write, if there is one.
    #[must_use]
    pub fn with_some(self, name: &str, value: Option<impl Into<Value>>) -> Edit {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    fn check(&self) -> Result<(), Fault> {
        let op = self.op.as_str();
        let wrong = |why: &str| Err(Fault::bad_input(format!("{op} on {}: {why}", shown(&self.menu))));
        let names = self.which.keys().chain(self.values.keys());
        if let Some(name) = names.into_iter().find(|name| name.as_str() == ".id" || name.as_str() == "numbers") {
            return Err(Fault::bad_input(format!("{op} on {}: rows are named by their attributes, not by {name}", shown(&self.menu)))
                .hint("menu.read shows each row's _key"));
        }
        match self.op {
            Op::Add if !self.which.is_empty() => wrong("a new row has no match; its attributes go into values"),
            Op::Set if self.values.is_empty() => wrong("values are missing"),
            Op::Remove | Op::Move | Op::Enable | Op::Disable if !self.values.is_empty() => wrong("values go with add and set only"),
            Op::Remove | Op::Move | Op::Enable | Op::Disable if self.which.is_empty() => wrong("match is missing: which row"),
            Op::Move if self.place_before.is_none() => wrong("place_before is missing: the row to stand before, or null for the end"),
            Op::Set | Op::Remove | Op::Enable | Op::Disable | Op::Run if self.place_before.is_some() => {
                wrong("place_before goes with add and move only")
            }
            _ if self.command.is_some() && self.op != Op::Run => wrong("command goes with run only"),
            _ => Ok(()),
        }
    }
}

/// What somebody wrote, short and without control characters.
fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(80).collect()
}

fn is_false(value: &bool) -> bool {
    !*value
}

/// `null` is a value here, unlike an absent member.
fn present<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edit(value: Value) -> Result<(), Fault> {
        serde_json::from_value::<Edit>(value).map_err(Fault::bug)?.check()
    }

    #[test]
    fn tools_that_plan_are_told_from_those_that_write_at_once() {
        for (origin, plans) in
            [("plan.create", true), ("firewall.plan_rule", true), ("dns.add_static", false), ("system.set_identity", false)]
        {
            assert_eq!(makes_plans(origin), plans, "{origin}");
        }
    }

    #[test]
    fn what_does_not_go_together_is_refused_before_any_router_is_asked() {
        for wrong in [
            json!({"menu": "/ip/dns", "op": "set"}),
            json!({"menu": "/ip/dns/static", "op": "remove"}),
            json!({"menu": "/ip/dns/static", "op": "set", "match": {".id": "*1"}, "values": {"address": "192.0.2.1"}}),
            json!({"menu": "/ip/dns/static", "op": "set", "match": {"numbers": "0"}, "values": {"address": "192.0.2.1"}}),
            json!({"menu": "/ip/firewall/filter", "op": "move", "match": {"comment": "a"}}),
            json!({"menu": "/ip/firewall/filter", "op": "set", "match": {"comment": "a"}, "values": {"comment": "b"}, "place_before": {"comment": "c"}}),
            json!({"menu": "/ip/dns/static", "op": "add", "match": {"name": "a"}, "values": {"name": "a"}}),
            json!({"menu": "/ip/dns/static", "op": "enable", "match": {"name": "a"}, "command": "flush"}),
        ] {
            assert!(edit(wrong.clone()).is_err(), "{wrong}");
        }
        edit(json!({"menu": "/ip/firewall/filter", "op": "move", "match": {"comment": "a"}, "place_before": null})).unwrap();
    }
}
