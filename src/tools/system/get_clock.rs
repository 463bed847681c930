//! `system.get_clock`: the router's date, time and zone, and how far it is from ours.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::router::FRESH;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "system.get_clock",
    title: "Clock",
    about: "Date, time and time zone of one router, and its offset from this appliance's clock in seconds where both are plausible.",
    toolset: "system",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/clock"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Device id or name.
    #[schemars(length(min = 1))]
    device: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    date: Option<String>,
    time: Option<String>,
    time_zone: Option<String>,
    time_zone_autodetect: Option<bool>,
    gmt_offset: Option<String>,
    dst_active: Option<bool>,
    /// Router minus appliance.
    offset_seconds: Option<i64>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let seen = router.all("/system/clock", FRESH).await?;
    let row = seen.first();
    let of = |name: &str| row.and_then(|row| row.string(name));
    let (date, time, gmt_offset) = (of("date"), of("time"), of("gmt-offset"));
    let age_ms = cx.reading().map_or(0, |reading| reading.age_ms as i64);
    let ours = (cx.world.clock.wall().0 - age_ms).div_euclid(1_000);
    let offset_seconds = utc_seconds(date.as_deref(), time.as_deref(), gmt_offset.as_deref()).map(|theirs| theirs - ours);
    Ok(Answer {
        date,
        time,
        time_zone: of("time-zone-name"),
        time_zone_autodetect: row.and_then(|row| row.flag("time-zone-autodetect")),
        gmt_offset,
        dst_active: row.and_then(|row| row.flag("dst-active")),
        offset_seconds,
    })
}

/// `2026-11-25`, `14:03:22`, `+02:00` as seconds since 1970 UTC; dates before 7.10 read `nov/25/2026`.
fn utc_seconds(date: Option<&str>, time: Option<&str>, offset: Option<&str>) -> Option<i64> {
    let (date, time, offset) = (date?, time?, offset?);
    let day = chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d").or_else(|_| chrono::NaiveDate::parse_from_str(date, "%b/%d/%Y")).ok()?;
    let clock = chrono::NaiveTime::parse_from_str(time, "%H:%M:%S").ok()?;
    let (sign, rest) = match offset.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, offset.strip_prefix('+').unwrap_or(offset)),
    };
    let (hours, minutes) = rest.split_once(':')?;
    let away = sign * (hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60);
    Some(day.and_time(clock).and_utc().timestamp() - away)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_date_forms_and_the_offset_with_its_sign() {
        let noon = 1_795_608_000; // 2026-11-25 12:00:00 UTC
        assert_eq!(utc_seconds(Some("2026-11-25"), Some("14:00:00"), Some("+02:00")), Some(noon));
        assert_eq!(utc_seconds(Some("nov/25/2026"), Some("07:30:00"), Some("-04:30")), Some(noon));
        assert_eq!(utc_seconds(Some("soon"), Some("07:30:00"), Some("-04:30")), None);
    }
}
