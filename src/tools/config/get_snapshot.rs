//! `config.get_snapshot`: what one kept configuration holds.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::menu_path;
use crate::history::config::label;
use crate::menus;
use crate::routeros::export::{self, Export};
use crate::shape::untrusted;
use crate::tools::config::show::{Room, is_below, value};
use crate::tools::config::side::{self, Shown};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, HashMap};

pub(super) const TOOL: Tool = Tool {
    name: "config.get_snapshot",
    title: "One configuration",
    about: "A kept configuration of a router: its menus with their row counts, or the rows of one menu, or the export's text. Secrets are left out.",
    toolset: "config",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(75),
    paths: &[],
    untrusted: &["/lines/*", "/items/*/key"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Rows shown unless asked otherwise.
const USUAL_ROWS: u16 = 50;

/// Bytes of JSON a row may take on average.
const BYTES_EACH: usize = 160;

/// Longest line of text, in characters: longer ones are wrapped as RouterOS does, because untrusted text is cut at 256.
const WIDTH: usize = 200;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// A snapshot id, baseline, latest or live; latest (live when none is kept yet) unless set.
    snapshot: Option<String>,
    /// This menu and those below it, e.g. /ip/firewall; without it menus are counted.
    #[schemars(length(max = 200))]
    menu: Option<String>,
    /// rows, or text: the export itself, a line each.
    format: Option<Format>,
    /// Rows or lines to pass over.
    #[schemars(range(max = 10_000_000))]
    offset: Option<u32>,
    /// Rows or lines shown, 50 unless set.
    #[schemars(range(min = 1, max = 500))]
    limit: Option<u16>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Format {
    Rows,
    Text,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    snapshot: Shown,
    /// Menus that hold something, with the number of their rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    menus: Vec<Count>,
    /// Rows of the menu asked for, as exported.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    items: Vec<Item>,
    /// Lines of the export.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    lines: Vec<String>,
    /// Rows or lines there are in all.
    total: u64,
    /// For the rest, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_offset: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
struct Count {
    menu: String,
    rows: u64,
}

#[derive(Serialize, JsonSchema)]
struct Item {
    menu: String,
    /// Natural key; `settings` for a menu's own, #place for rules.
    key: String,
    /// Attributes that are not at their default, with RouterOS names.
    values: Map<String, Value>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let below = args.menu.as_deref().map(menu_path).transpose()?;
    let word = match &args.snapshot {
        Some(word) => word.as_str(),
        None if cx.world.configs.latest(&cx.device(&args.device)?.id)?.is_some() => "latest",
        // Nothing is kept yet: the first look takes the first snapshot.
        None => "live",
    };
    let side = side::find(cx, &args.device, word).await?;
    if let Some(menu) = &below {
        side::check_menu(&*cx.device(&args.device)?, menu.as_str(), &[&side.export])?;
    }
    let below = below.as_ref().map_or("/", |path| path.as_str());
    let export = part(side.export, below);
    let (offset, limit) = (args.offset.unwrap_or(0) as usize, args.limit.unwrap_or(USUAL_ROWS));
    let mut answer = Answer { snapshot: side.shown, menus: Vec::new(), items: Vec::new(), lines: Vec::new(), total: 0, next_offset: None };
    match (args.format, &args.menu) {
        (Some(Format::Text), _) => {
            let text = export::write(&export);
            let lines: Vec<String> = text.lines().flat_map(|line| export::wrapped(line, WIDTH)).collect();
            (answer.lines, answer.total, answer.next_offset) = page(lines, offset, limit, WIDTH + 4);
        }
        (Some(Format::Rows), _) | (None, Some(_)) => {
            (answer.items, answer.total, answer.next_offset) = page(items(&export), offset, limit, BYTES_EACH);
            mark(cx, &answer.items);
        }
        (None, None) => {
            let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
            export.rows().for_each(|(menu, _)| *counts.entry(menu).or_default() += 1);
            answer.total = counts.len() as u64;
            answer.menus = counts.into_iter().map(|(menu, rows)| Count { menu: menu.to_owned(), rows }).collect();
        }
    }
    Ok(answer)
}

/// The menus at or below a path.
fn part(export: Export, below: &str) -> Export {
    let sections = export.sections.into_iter().filter(|section| is_below(&section.menu, below)).collect();
    Export { sections, ended: false, ..export }
}

/// Those from `offset` on that fit, how many there are, and where the next page begins. One always fits.
fn page<T: Serialize>(all: Vec<T>, offset: usize, limit: u16, bytes_each: usize) -> (Vec<T>, u64, Option<u64>) {
    let total = all.len();
    let mut room = Room { rows: usize::from(limit), bytes: usize::from(limit) * bytes_each };
    let mut shown = Vec::new();
    for one in all.into_iter().skip(offset) {
        match room.take(&one) {
            None if !shown.is_empty() || room.rows == 0 => break,
            _ => shown.push(one),
        }
    }
    let end = offset + shown.len();
    let next = (!shown.is_empty() && end < total).then_some(end as u64);
    (shown, total as u64, next)
}

fn items(export: &Export) -> Vec<Item> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let item = |(menu, command): (_, &export::Command)| {
        let place = places.entry(menu).and_modify(|place| *place += 1).or_insert(1);
        let values = command.values.iter().map(|(name, text)| (name.clone(), value(text.as_deref()))).collect();
        Item { menu: menu.to_owned(), key: label(menus::find(menu), command, *place), values }
    };
    export.rows().map(item).collect()
}

fn mark(cx: &Cx, items: &[Item]) {
    for item in items {
        let facts = menus::find(&item.menu);
        for name in item.values.keys().filter(|name| menus::untrusted_of(facts, name)) {
            cx.untrusted(untrusted::pointer("/items/*/values", name));
        }
    }
}
