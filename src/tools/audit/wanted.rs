//! Which records of the trail somebody asks for, and which of them they may see: the same for a page and for an export.

use crate::access::policy;
use crate::access::principal::Principal;
use crate::audit::{Filter, Record};
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::DeviceId;
use crate::base::selector::Traits;
use crate::tools::world::World;
use schemars::JsonSchema;
use serde::Deserialize;

/// The conditions.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
pub struct Wanted {
    /// Only this device: id or name.
    pub device: Option<String>,
    // Or `category.*`, which models are not told: every byte of the list is dear.
    /// Only this tool.
    pub tool: Option<String>,
    /// Only this outcome: ok, error (any), denied or another error kind, intent, unknown_tool.
    pub outcome: Option<String>,
    /// Only from this time on: RFC 3339 or YYYY-MM-DD.
    #[schemars(extend("x-unlisted" = true))]
    pub since: Option<String>,
    /// Only until then; a date includes its day.
    #[schemars(extend("x-unlisted" = true))]
    pub until: Option<String>,
}

/// Further conditions; in a list they are conditions on its rows.
#[derive(Debug, Default, Clone, Deserialize, JsonSchema)]
pub struct Further {
    /// Only who has this in their name.
    pub person: Option<String>,
    /// Only this call.
    pub correlation_id: Option<String>,
}

const OK: &str = "ok";
/// Written before what changes something.
const INTENT: &str = "intent";
/// Whatever went wrong.
const ANY_ERROR: &str = "error";
const DAY_MS: i64 = 86_400_000;

impl Wanted {
    /// The records that this caller asks for, of those that are theirs or for their role. `device` is the one named, as it turned
    /// out to be.
    ///
    /// Errs with `BadInput` for an outcome that is none, or a time that cannot be read.
    pub fn filter(&self, further: Further, principal: &Principal, device: Option<String>) -> Result<Filter, Fault> {
        let all = principal.role.sees_all_events();
        let outcome = self.outcome.as_deref().map(outcome).transpose()?;
        Ok(Filter {
            principal: (!all).then(|| principal.subject.clone()),
            who: further.person,
            device,
            tool: self.tool.as_ref().map(|name| name.replacen('_', ".", usize::from(!name.contains('.')))),
            failed: outcome == Some(ANY_ERROR),
            outcome: outcome.filter(|one| *one != ANY_ERROR).map(str::to_owned),
            since: self.since.as_deref().map(|text| time("since", text)).transpose()?,
            until: self.until.as_deref().map(|text| time("until", text).map(|at| through(text, at))).transpose()?,
            correlation_id: further.correlation_id.map(|id| id.to_ascii_lowercase()),
        })
    }
}

fn time(name: &str, text: &str) -> Result<Wall, Fault> {
    let wrong = || Fault::bad_input(format!("{name} is no time")).hint("write 2026-11-25, or 2026-11-25T08:00:00Z");
    Wall::parse(text).ok_or_else(wrong)
}

/// The end of the day where only a day was said.
fn through(text: &str, at: Wall) -> Wall {
    if text.contains('T') || text.contains(' ') { at } else { Wall(at.0.saturating_add(DAY_MS)) }
}

/// The outcome to look for, if there is such a one.
fn outcome(asked: &str) -> Result<&str, Fault> {
    let kinds = Kind::ALL.iter().map(|kind| kind.as_str());
    let known: Vec<&str> = [OK, ANY_ERROR, INTENT, "unknown_tool"].into_iter().chain(kinds).collect();
    if !known.contains(&asked) {
        return Err(Fault::bad_input(format!("outcome must be one of {}", known.join(", "))));
    }
    Ok(asked)
}

/// What was done to a device is told only to who may see the device; one that is gone is judged by what the record says.
pub fn may_see(world: &World, principal: &Principal, record: &Record) -> bool {
    let Some(id) = &record.device else { return true };
    let limits = &principal.limits.devices;
    match world.fleet.get(&DeviceId(id.clone())) {
        Ok(device) => policy::within(limits, &device.traits()),
        Err(_) => {
            let environment = record.environment.as_deref().and_then(|word| word.parse().ok()).unwrap_or(world.rules.environment);
            let name = record.device_name.as_deref().unwrap_or_default();
            policy::within(limits, &Traits { id, name, environment, tags: &[] })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::role::Role;

    #[test]
    fn conditions_are_read_and_a_day_is_all_of_it() {
        let wanted = Wanted {
            tool: Some("system_get_clock".into()),
            outcome: Some("error".into()),
            since: Some("2026-11-25".into()),
            until: Some("2026-11-25".into()),
            ..Wanted::default()
        };
        let filter = wanted.filter(Further::default(), &Principal::stdio(Role::Admin), None).unwrap();
        assert_eq!(
            (filter.tool.as_deref(), filter.failed, &filter.outcome, &filter.principal),
            (Some("system.get_clock"), true, &None, &None)
        );
        assert_eq!(filter.until.unwrap().0 - filter.since.unwrap().0, DAY_MS);
        let exact = Wanted { until: Some("2026-11-25T08:00:00Z".into()), ..Wanted::default() };
        assert_eq!(
            exact.filter(Further::default(), &Principal::stdio(Role::OpsRw), None).unwrap().until,
            Wall::parse("2026-11-25T08:00:00Z")
        );
        assert_eq!(
            exact.filter(Further::default(), &Principal::stdio(Role::OpsRw), None).unwrap().principal.as_deref(),
            Some("stdio"),
            "their own"
        );
        for bad in [
            Wanted { since: Some("yesterday".into()), ..Wanted::default() },
            Wanted { outcome: Some("failed".into()), ..Wanted::default() },
        ] {
            assert_eq!(bad.filter(Further::default(), &Principal::stdio(Role::Admin), None).unwrap_err().kind, Kind::BadInput);
        }
    }
}
