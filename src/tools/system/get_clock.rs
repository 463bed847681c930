//! `system.get_clock`: the router's date, time and zone, and how far it is from ours.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::history::sensors;
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
    /// Id or name.
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
    let age_ms = cx.reading().map_or(0, |reading| reading.age_ms as i64);
    let ours = (cx.world.clock.wall().0 - age_ms).div_euclid(1_000);
    Ok(Answer {
        date: of("date"),
        time: of("time"),
        time_zone: of("time-zone-name"),
        time_zone_autodetect: row.and_then(|row| row.flag("time-zone-autodetect")),
        gmt_offset: of("gmt-offset"),
        dst_active: row.and_then(|row| row.flag("dst-active")),
        offset_seconds: sensors::clock_offset(&seen.shown(), ours),
    })
}
