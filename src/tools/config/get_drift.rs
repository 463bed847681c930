//! `config.get_drift`: how the running configuration differs from the baseline, and who may have changed it.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::menu_path;
use crate::history::config::{self, Event};
use crate::routeros::value::{self, Date};
use crate::tools::config::show::{self, Author, MenuChanges, NotCompared, USUAL};
use crate::tools::config::side::{self, Shown};
use crate::tools::context::Cx;
use crate::tools::router::{FRESH, Router};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "config.get_drift",
    title: "Configuration drift",
    about: "How a router's running configuration differs from its baseline, by menu and row, with the likely author of each change from the router's log and history.",
    toolset: "config",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(75),
    paths: &["/log", "/system/history"],
    untrusted: &["/menus/*/likely_by/*/by", "/menus/*/likely_by/*/what"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Authors named for a menu.
const MOST_AUTHORS: usize = 3;

/// A router's clock is not ours: no zone is known, and so much may lie between them.
const ZONES_MS: i64 = 14 * 3_600_000;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Only this menu and those below it, e.g. /ip/firewall.
    #[schemars(length(max = 200))]
    menu: Option<String>,
    /// Changes shown, 40 unless set.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u16>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    drifted: bool,
    baseline: Shown,
    live: Shown,
    /// All changes, shown or not.
    changes: u64,
    /// likely_by is a guess by time and words: the router does not say which row a user changed.
    menus: Vec<MenuChanges>,
    /// Rows that one side has and the other may merely have failed to export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_compared: Vec<NotCompared>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let menu = args.menu.as_deref().map(menu_path).transpose()?;
    let router = cx.router(&args.device)?;
    let is_first = cx.world.configs.baseline(&router.device.id)?.is_none();
    let live = side::live(cx, &router).await?;
    let baseline = side::find(cx, &args.device, "baseline").await?;
    let difference = config::diff(&baseline.export, &live.export);
    let changed: Vec<String> = difference.menus.iter().map(|menu| menu.menu.clone()).collect();
    let mut shown = show::shown(cx, difference, menu.as_ref().map(|path| path.as_str()), args.limit.unwrap_or(USUAL));
    let mut notes: Vec<String> = shown.note.take().into_iter().collect();
    if is_first {
        notes.push("there was no baseline: the configuration as it is now has become it".into());
    }
    if !shown.menus.is_empty() {
        // Two requests more, and only when there is something to ask about.
        let since = baseline.snapshot.as_ref().map_or(Wall(0), |snapshot| snapshot.seen_at);
        let (events, missing) = events(cx, &router, since).await;
        notes.extend(missing);
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        for menu in &mut shown.menus {
            let likely = config::likely(&menu.menu, &changed, &events, MOST_AUTHORS);
            menu.likely_by = likely.into_iter().map(author).collect();
        }
    }
    Ok(Answer {
        drifted: shown.total > 0,
        baseline: baseline.shown,
        live: live.shown,
        changes: shown.total,
        menus: shown.menus,
        not_compared: shown.not_compared,
        note: (!notes.is_empty()).then(|| notes.join("; ")),
    })
}

fn author(event: &Event) -> Author {
    Author { by: event.by.clone(), what: event.what.clone(), at: event.at.clone(), source: event.source.into() }
}

/// What the router tells of changes, newest first, and what it would not tell.
async fn events(cx: &Cx, router: &Router<'_>, since: Wall) -> (Vec<Event>, Vec<String>) {
    let (mut events, mut missing) = (Vec::new(), Vec::new());
    let earliest = Moments { since: Wall(since.0 - ZONES_MS), now: cx.world.clock.wall() };
    match router.all("/system/history", FRESH).await {
        // Newest first as it is.
        Ok(rows) => events.extend(rows.iter().filter_map(|row| {
            let at = row.text("time").unwrap_or_default();
            earliest.has(at).then(|| Event::of_history(row.text("action")?, row.text("by")?, at)).flatten()
        })),
        Err(fault) => missing.push(format!("no authors from /system/history: {}", fault.said)),
    }
    match router.all("/log", FRESH).await {
        Ok(rows) => {
            let told = rows.iter().filter_map(|row| {
                let at = row.text("time").unwrap_or_default();
                earliest.has(at).then(|| Event::of_log(row.text("message")?, at)).flatten()
            });
            let mut told: Vec<Event> = told.collect();
            told.reverse();
            events.extend(told);
        }
        Err(fault) => missing.push(format!("no authors from /log: {}", fault.said)),
    }
    (events, missing)
}

/// Tells what happened since the baseline from what was long before.
struct Moments {
    since: Wall,
    now: Wall,
}

impl Moments {
    /// Whether a time on the router's clock may be later; one that nobody can read may be.
    fn has(&self, text: &str) -> bool {
        let days = |wall: Wall| chrono::DateTime::from_timestamp_millis(wall.0).unwrap_or_default();
        let today = days(self.now).date_naive();
        let at = match value::date(text) {
            Some(Date::Today(_)) | None => return true,
            Some(Date::ThisYear(month, day, time)) => format!("{}-{month:02}-{day:02} {}", today.format("%Y"), time.format("%H:%M:%S")),
            Some(whole) => whole.normal().unwrap_or_default(),
        };
        at >= days(self.since).format("%Y-%m-%d %H:%M:%S").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_long_before_the_baseline_has_no_part_in_drift() {
        let at = |text: &str| Wall::parse(text).unwrap();
        let moments = Moments { since: Wall(at("2026-11-25").0 - ZONES_MS), now: at("2026-11-26") };
        for (text, may) in [
            ("2026-11-25 08:00:00", true),
            ("nov/25/2026 08:00:00", true),
            ("nov/25 08:00:00", true),
            ("08:00:00", true),
            ("soon", true),
            ("2026-11-20 08:00:00", false),
            ("nov/20/2026 08:00:00", false),
            ("nov/20 08:00:00", false),
            ("1970-01-02 00:00:00", false),
        ] {
            assert_eq!(moments.has(text), may, "{text}");
        }
    }
}
