//! What scripts and scheduler entries insist on when they are written.
//!
//! An entry has the policies of who added it, and can be given fewer, never more. A script may be stored with any; whoever runs it must
//! have them all.

use super::access;
use super::agenda::POLICIES;
use super::console;
use super::live;
use super::refusal::Refusal;
use super::row::Row;
use super::value;
use super::world::World;

/// Completes and checks an entry of `/system/scheduler`.
pub(super) fn entry(world: &mut World, old: Option<&Row>, row: &mut Row, by: &str) -> Result<(), Refusal> {
    let who = access::fresh(world, by, "console");
    if world.scripts_need_policy && !who.may("policy") {
        return Err(Refusal::no_permission());
    }
    start(world, row)?;
    match row.get("policy").or(old.and_then(|o| o.get("policy"))).map(String::from) {
        Some(given) => {
            let policy = normal(&given)?;
            let was = old.and_then(|o| o.get("policy"));
            if was != Some(policy.as_str()) && policy.split(',').any(|p| !p.is_empty() && !who.may(p)) {
                return Err(Refusal::no_permission());
            }
            row.put("policy", policy);
        }
        None => {
            let own: Vec<&str> = POLICIES.into_iter().filter(|p| who.may(p)).collect();
            row.put("policy", own.join(","));
        }
    }
    if old.is_none() {
        row.put("owner", by);
    }
    Ok(())
}

/// Completes and checks a script; one that cannot be read, or names a menu this router lacks, is marked.
pub(super) fn script(world: &mut World, old: Option<&Row>, row: &mut Row, by: &str) -> Result<(), Refusal> {
    if world.scripts_need_policy && !access::fresh(world, by, "console").may("policy") {
        return Err(Refusal::no_permission());
    }
    let policy = normal(row.get("policy").unwrap_or_default())?;
    row.put("policy", policy);
    if old.is_none() {
        row.put("owner", by);
    }
    let readable = console::readable(world, row.get("source").unwrap_or_default());
    row.put("invalid", (!readable).to_string());
    Ok(())
}

/// Policies in the router's order.
fn normal(given: &str) -> Result<String, Refusal> {
    let words: Vec<&str> = given.split(',').filter(|p| !p.is_empty() && !p.starts_with('!')).collect();
    if words.iter().any(|w| !POLICIES.contains(w)) {
        return Err(Refusal::no_match("policy"));
    }
    Ok(POLICIES.into_iter().filter(|p| words.contains(p)).collect::<Vec<_>>().join(","))
}

/// `start-time` and `start-date` as the router shows them; both are now unless given.
fn start(world: &World, row: &mut Row) -> Result<(), Refusal> {
    let now = live::date_time(world.now());
    let (today, time) = now.split_once(' ').unwrap_or_default();
    match row.get("start-time").unwrap_or(time).to_string().as_str() {
        "startup" => drop(row.take("start-date")),
        given => {
            let shown = time_of_day(given).ok_or_else(|| Refusal::bad("invalid value for argument start-time"))?;
            row.put("start-time", shown);
            let date = date(row.get("start-date").unwrap_or(today)).ok_or_else(|| Refusal::bad("invalid value for argument start-date"))?;
            row.put("start-date", date);
        }
    }
    Ok(())
}

fn time_of_day(given: &str) -> Option<String> {
    let seconds = match given.split(':').map(|n| n.parse::<u64>().ok()).collect::<Option<Vec<_>>>().as_deref() {
        Some([h, m, s]) if *m < 60 && *s < 60 => h * 3_600 + m * 60 + s,
        Some([h, m]) if *m < 60 => h * 3_600 + m * 60,
        _ => value::time(given)? / 1_000,
    };
    (seconds < 86_400).then(|| format!("{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60))
}

fn date(given: &str) -> Option<String> {
    // Before 7.10 dates were `jan/02/2024`; they are still taken.
    let read = ["%Y-%m-%d", "%b/%d/%Y"].into_iter().find_map(|form| chrono::NaiveDate::parse_from_str(given, form).ok());
    read.map(|date| date.format("%Y-%m-%d").to_string())
}

/// `/system/clock/set date= time=` steps the clock.
pub(super) fn set_clock(world: &mut World, row: &mut Row) -> Result<(), Refusal> {
    let (day, time) = (row.take("date"), row.take("time"));
    if day.is_none() && time.is_none() {
        return Ok(());
    }
    let now = live::date_time(world.now());
    let (today, clock) = now.split_once(' ').unwrap_or_default();
    let day = date(day.as_deref().unwrap_or(today)).ok_or_else(|| Refusal::bad("invalid value for argument date"))?;
    let time = time_of_day(time.as_deref().unwrap_or(clock)).ok_or_else(|| Refusal::bad("invalid value for argument time"))?;
    if let Some(to) = live::read_date_time(&format!("{day} {time}")) {
        world.step_clock(to - world.now().0);
    }
    Ok(())
}
