//! What happened, from what was seen: restarts and outages.

use crate::base::clock::Wall;
use crate::history::health::{Sample, starts};
use schemars::JsonSchema;
use serde::Serialize;

/// Something that happened to a router.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Event {
    /// When, or as near as samples tell.
    pub at: String,
    /// `restart` or `outage`.
    pub what: &'static str,
    /// How long an outage lasted, as far as it was seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<i64>,
    /// True while it still lasts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ongoing: Option<bool>,
    /// Why, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
}

/// The events of samples, oldest first, newest event first; `reason` is of the last start.
pub fn events(samples: &[Sample], reason: Option<&'static str>) -> Vec<Event> {
    let mut found: Vec<(i64, Event)> = starts(samples.iter()).map(|sample| restart(sample, None)).collect();
    if let Some((_, last)) = found.last_mut() {
        last.reason = reason;
    } else if let (Some(reason), Some(now)) = (reason, samples.iter().rev().find(|sample| sample.uptime_seconds.is_some())) {
        // It started before we first looked.
        found.push(restart(now, Some(reason)));
    }
    let mut rest = samples;
    while let Some(first) = rest.iter().position(|sample| !sample.reachable) {
        let length = rest[first..].iter().position(|sample| sample.reachable);
        let end = length.map(|length| first + length);
        let until = end.map_or_else(|| rest[rest.len() - 1].at, |end| rest[end].at);
        let at = rest[first].at;
        let seconds = Some((until.0 - at.0) / 1_000);
        found.push((at.0, Event { at: at.rfc3339(), what: "outage", seconds, ongoing: end.is_none().then_some(true), reason: None }));
        rest = end.map_or(&[], |end| &rest[end..]);
    }
    found.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    found.into_iter().map(|(_, event)| event).collect()
}

fn restart(sample: &Sample, reason: Option<&'static str>) -> (i64, Event) {
    let at = Wall(sample.started().unwrap_or(sample.at.0 / 1_000) * 1_000);
    (at.0, Event { at: at.rfc3339(), what: "restart", seconds: None, ongoing: None, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn up(minute: i64, uptime: u64) -> Sample {
        Sample { reachable: true, uptime_seconds: Some(uptime), ..Sample::silent(Wall(minute * 60_000)) }
    }

    #[test]
    fn restarts_and_outages_are_told_newest_first() {
        let gone = |minute: i64| Sample::silent(Wall(minute * 60_000));
        let samples = [up(100, 50_000), up(101, 50_060), gone(102), gone(103), up(104, 30), up(105, 90), gone(106)];
        let told = events(&samples, Some("restarted by the watchdog"));
        let what: Vec<(&str, Option<i64>, Option<bool>)> = told.iter().map(|event| (event.what, event.seconds, event.ongoing)).collect();
        assert_eq!(what, [("outage", Some(0), Some(true)), ("restart", None, None), ("outage", Some(120), None)]);
        assert_eq!(told[1].reason, Some("restarted by the watchdog"));
        assert_eq!(told[1].at, Wall(104 * 60_000 - 30_000).rfc3339());
        assert!(events(&samples[..2], None).is_empty());
        assert!(events(&[], None).is_empty());
    }

    #[test]
    fn a_known_reason_makes_the_start_before_the_first_look_an_event() {
        let told = events(&[up(100, 60)], Some("restarted on request"));
        assert_eq!((told.len(), told[0].at.clone()), (1, Wall(99 * 60_000).rfc3339()));
    }
}
