//! What a guard on a router looks like: its names, its times, its rights. Pure.
//!
//! A guard is a script that undoes a plan, and something that runs it: a scheduler entry, which outlives a reboot, and a waiting
//! job, which needs no scheduler. Both run the script by its name, so that taking the script away disarms both.

use crate::fleet::Device;
use crate::plan::config::{CONFIRM_GRACE, Settings};
use crate::plan::edit::Confirm;
pub use crate::plan::inverse::{PREFIX, name};
use crate::plan::record::{Draft, Plan, PlanId};
use crate::routeros::Row;
use crate::routeros::script::quote;
use crate::routeros::value::{self, date::Date, span_ms};
use std::collections::BTreeSet;
use std::time::Duration;

/// Where scripts stand.
pub const SCRIPTS: &str = "/system/script";
/// Where timers stand.
pub const TIMERS: &str = "/system/scheduler";
/// Where running scripts stand.
pub const JOBS: &str = "/system/script/job";
/// So close to the fire nothing is confirmed any more: the router may be at it.
pub const TOO_CLOSE: Duration = Duration::from_secs(10);
/// A router's undo tries for a minute; with the time it needs to start it is over after this long.
pub const FIRE_TAKES: Duration = Duration::from_secs(75);

/// The comment of its timer.
pub fn comment(plan: &PlanId) -> String {
    format!("mcp guard {plan}")
}

/// The plan whose guard has this name.
pub fn digits_of(name: &str) -> Option<&str> {
    let digits = name.strip_prefix(PREFIX)?;
    // A timer that is about to take the place of another carries a tail.
    let digits = digits.split_once('-').map_or(digits, |(digits, _)| digits);
    (digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'a'..=b'f'))).then_some(digits)
}

/// How long the router waits before it undoes a change.
pub fn wait(plan: &Plan, draft: &Draft, settings: &Settings) -> Duration {
    match plan.confirm {
        Confirm::Auto => settings.guard_timeout + Duration::from_secs(draft.settle_s.into()),
        Confirm::Manual => Duration::from_secs(plan.confirm_timeout_s.into()) + CONFIRM_GRACE,
    }
}

/// How much later the waiting job looks where there is a timer as well. Of two runs at the same moment both would find a row missing,
/// and both would add it.
pub const BEHIND: Duration = Duration::from_secs(3);

/// What the waiting job runs. Beside a timer it steps back when the script has begun; a timer that fired may have been refused it for its
/// policy, so the timer's own count says nothing. Whatever it cannot find out, it runs.
pub fn job_source(name: &str, wait: Duration, beside_timer: bool) -> String {
    let run = format!("/system/script/run {}", quote(name));
    if !beside_timer {
        return format!(":delay {}s; {run}", wait.as_secs());
    }
    let begun = format!("[/system/script/get [/system/script/find where name={}] run-count]", quote(name));
    format!(
        ":delay {}s; :local mcpran 0; :do {{ :if ({begun} > 0) do={{ :set mcpran 1 }} }} on-error={{}}; :if ($mcpran = 0) do={{ {run} }}",
        (wait + BEHIND).as_secs()
    )
}

/// The rights a plan's script needs, none more. `test` is for the pings and delays an undo may contain.
pub fn policies(draft: &Draft) -> BTreeSet<&'static str> {
    let mut needed = BTreeSet::from(["read", "write", "test"]);
    for step in &draft.steps {
        if step.menu == "/user" || step.menu.starts_with("/user/") {
            needed.extend(["policy", "password"]);
        }
        if matches!(step.menu.as_str(), SCRIPTS | TIMERS) {
            needed.insert("policy");
        }
        if step.menu == "/file" {
            needed.insert("ftp");
        }
    }
    needed
}

/// The rights a row grants; those it denies (`!ftp`) are left out.
pub fn granted(row: &Row) -> BTreeSet<&str> {
    row.get("policy").unwrap_or_default().split(',').filter(|word| !word.is_empty() && !word.starts_with('!')).collect()
}

/// Those of the needed rights that our user lacks, where we know its rights.
pub fn missing(needed: &BTreeSet<&'static str>, device: &Device) -> Vec<&'static str> {
    let Some(own) = &device.facts.policies else { return Vec::new() };
    needed.iter().copied().filter(|word| !own.iter().any(|own| own == word)).collect()
}

/// Why a script is not the one that was sent; `None` when it is.
pub fn script_is_wrong(row: &Row, source: &str, policies: &BTreeSet<&'static str>) -> Option<String> {
    let says = |name: &str| row.get(name).and_then(value::flag) == Some(true);
    if row.get("source") != Some(source) {
        return Some("its source reads back differently".into());
    }
    if says("invalid") {
        return Some("the router calls it invalid".into());
    }
    if says("dont-require-permissions") {
        return Some("it runs with rights of others".into());
    }
    rights_are_wrong(row, policies)
}

/// Why a timer is not the one that was sent, apart from when it fires; `None` when it is.
pub fn timer_is_wrong(row: &Row, script: &str, wait: Duration, policies: &BTreeSet<&'static str>) -> Option<String> {
    if row.get("disabled").and_then(value::flag) == Some(true) {
        return Some("it is disabled".into());
    }
    if row.get(".about").is_some_and(|about| !about.is_empty()) {
        return Some("the router has put it out of use".into());
    }
    if row.get("on-event") != Some(script) {
        return Some("it runs something else".into());
    }
    if row.get("start-time") != Some("startup") {
        return Some("it goes by the router's clock".into());
    }
    if row.get("interval").and_then(span_ms) != Some(wait.as_millis() as u64) {
        return Some("its interval reads back differently".into());
    }
    rights_are_wrong(row, policies)
}

fn rights_are_wrong(row: &Row, policies: &BTreeSet<&'static str>) -> Option<String> {
    let granted = granted(row);
    let lacks: Vec<&str> = policies.iter().copied().filter(|word| !granted.contains(word)).collect();
    let more: Vec<&str> = granted.iter().copied().filter(|word| !policies.contains(word)).collect();
    match (lacks.is_empty(), more.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!("it lacks the policy {}", lacks.join(", "))),
        (true, false) => Some(format!("it has more rights than it needs: {}", more.join(", "))),
    }
}

/// How long until a timer's `next-run`, seen from `now`, both as the router's clock writes them; `None` when either cannot be read
/// or the run is past.
pub fn until(next_run: &str, now: &str) -> Option<Duration> {
    let at = |text: &str| match value::date::date(text)? {
        Date::At(day, time) => Some(day.and_time(time)),
        _ => None,
    };
    // Old versions leave out the year in neither; a text without a day cannot be told from tomorrow's.
    (at(next_run)? - at(now)?).to_std().ok()
}

/// Whether a timer that is to wait `wait` fires in time. A second is lost to rounding on either side.
pub fn is_in_time(left: Option<Duration>, wait: Duration) -> bool {
    left.is_some_and(|left| !left.is_zero() && left <= wait + Duration::from_secs(2))
}

/// The number in an `.id`: ids grow, so the smaller one was there first.
pub fn age_of(id: &str) -> Option<u64> {
    u64::from_str_radix(id.strip_prefix('*')?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(pairs: &[(&str, &str)]) -> Row {
        Row::from_pairs(pairs.iter().copied())
    }

    #[test]
    fn a_timer_that_would_not_fire_is_told_from_one_that_will() {
        let policies = BTreeSet::from(["read", "write", "test"]);
        let good = [
            ("name", "mcp-guard-0123456789ab"),
            ("on-event", "mcp-guard-0123456789ab"),
            ("start-time", "startup"),
            ("interval", "1m30s"),
            ("policy", "read,write,test,!ftp,!reboot"),
            ("disabled", "false"),
        ];
        let wrong = |change: (&str, &str)| {
            let mut pairs: Vec<(&str, &str)> = good.iter().copied().filter(|(name, _)| *name != change.0).collect();
            pairs.push(change);
            timer_is_wrong(&row(&pairs), "mcp-guard-0123456789ab", Duration::from_secs(90), &policies)
        };
        assert_eq!(wrong(("disabled", "false")), None);
        assert_eq!(wrong(("interval", "00:01:30")), None);
        for change in [
            ("disabled", "true"),
            (".about", "inactivated, not allowed by device-mode"),
            ("on-event", "other"),
            ("start-time", "10:00:00"),
            ("interval", "2m"),
            ("policy", "read,test"),
            ("policy", "read,write,test,policy"),
        ] {
            assert!(wrong(change).is_some(), "{change:?}");
        }
    }

    #[test]
    fn the_next_run_is_measured_on_the_routers_own_clock() {
        assert_eq!(until("2026-11-26 10:01:30", "2026-11-26 10:00:00"), Some(Duration::from_secs(90)));
        assert_eq!(until("nov/26/2026 00:00:30", "nov/25/2026 23:59:30"), Some(Duration::from_secs(60)));
        assert_eq!(until("2026-11-26 09:00:00", "2026-11-26 10:00:00"), None);
        assert_eq!(until("", "2026-11-26 10:00:00"), None);
        assert!(is_in_time(Some(Duration::from_secs(91)), Duration::from_secs(90)));
        assert!(!is_in_time(Some(Duration::from_secs(3_690)), Duration::from_secs(90)));
        assert!(!is_in_time(None, Duration::from_secs(90)));
    }

    #[test]
    fn a_job_beside_a_timer_comes_later_and_runs_unless_the_script_has_begun() {
        let (alone, beside) = (job_source("g", Duration::from_secs(90), false), job_source("g", Duration::from_secs(90), true));
        assert_eq!(alone, ":delay 90s; /system/script/run \"g\"");
        assert!(beside.starts_with(":delay 93s; ") && beside.ends_with(":if ($mcpran = 0) do={ /system/script/run \"g\" }"), "{beside}");
        // Whatever goes wrong while it asks, it runs.
        assert!(beside.contains(":do { :if ([/system/script/get [/system/script/find where name=\"g\"] run-count] > 0)"), "{beside}");
        assert!(beside.contains("} on-error={}; :if"), "{beside}");
    }

    #[test]
    fn names_lead_back_to_their_plan() {
        let plan = PlanId("plan-0123456789ab".into());
        assert_eq!(digits_of(&name(&plan)), Some("0123456789ab"));
        assert_eq!(digits_of("mcp-guard-0123456789ab-2"), Some("0123456789ab"));
        for other in ["mcp-guard-", "mcp-guard-0123456789zz", "backup", "mcp-guard-0123456789abc"] {
            assert_eq!(digits_of(other), None, "{other}");
        }
    }
}
