//! What is configured, and the kill switches, each with a button of its own: a page that is old undoes nobody's switch.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, items, text, words};
use super::{Desk, html, seen_other};
use crate::base::fault::Fault;
use crate::http::Body;
use crate::http::fault::Refusal;
use crate::tools::TOOLSETS;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/settings";

#[derive(Template)]
#[template(path = "settings.html", config = "assets/ui/askama.toml")]
struct Settings {
    frame: Frame,
    flags: Vec<Flag>,
    lists: Vec<List>,
    changes: Vec<Change>,
    files: String,
    state_dir: String,
    /// Key, value, source: what somebody set, and what nobody did.
    keys: Vec<(String, String, String)>,
    defaults: Vec<(String, String, String)>,
}

struct Flag {
    name: &'static str,
    about: &'static str,
    /// What happens when it is switched on.
    what: &'static str,
    /// The key of the configuration that does the same.
    key: &'static str,
    file: bool,
    here: bool,
}

struct List {
    name: &'static str,
    about: &'static str,
    label: &'static str,
    choices: Vec<&'static str>,
    file: Vec<String>,
    here: Vec<String>,
}

struct Change {
    at: String,
    exact: String,
    by: String,
    what: String,
    why: String,
}

/// The switches that are on or off: name, what it says, what it does, the key that does the same.
const FLAGS: [(&str, &str, &str, &str); 3] = [
    (
        "read_only",
        "Read only",
        "Nothing changes a router any more, by any route. What a router was told to undo by itself, it undoes.",
        "read_only = true",
    ),
    ("no_plan_apply", "No plan is applied", "Plans can be drafted and approved, not applied.", "mcp.enable_plan_apply = false"),
    (
        "no_tools",
        "No tools for assistants",
        "Assistants are offered no tools; these pages and the command line go on.",
        "mcp.enable_tools = false",
    ),
];

/// The page.
pub async fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let answer = desk.ask("settings.get", json!({})).await?;
    let of = |name: &str| items(&answer["switches"]).find(|one| one["name"] == name).cloned().unwrap_or_default();
    let flag = |(name, about, what, key)| {
        let one = of(name);
        Flag { name, about, what, key, file: one["file"] == true, here: one["here"] == true }
    };
    let list = |name, about, label, choices| {
        let one = of(name);
        List { name, about, label, choices, file: names(&one["file"]), here: names(&one["here"]) }
    };
    let change = |row: &Value| {
        let exact = text(row, "at");
        Change { at: ago(&exact, now), exact, by: text(row, "by"), what: text(row, "what"), why: text(row, "why") }
    };
    let config = &answer["config"];
    let key = |(name, entry): (&String, &Value)| (name.clone(), words(&entry["value"]), text(entry, "source"));
    let (defaults, keys) = config["keys"].as_object().into_iter().flatten().map(key).partition(|(_, _, source)| source == "default");
    html(&Settings {
        frame: desk.frame().live("settings"),
        flags: FLAGS.into_iter().map(flag).collect(),
        lists: vec![
            list(
                "disable_tools",
                "Tools that nobody may use",
                "A tool, or category.* for all of its tools: dns.flush_cache, firewall.*",
                Vec::new(),
            ),
            list(
                "disable_toolsets",
                "Toolsets that no assistant may use",
                "Toolset",
                TOOLSETS.iter().copied().filter(|set| *set != "core").collect(),
            ),
        ],
        changes: items(&answer["changes"]).map(change).collect(),
        files: words(&config["files"]),
        state_dir: text(config, "state_dir"),
        keys,
        defaults,
    })
}

fn names(list: &Value) -> Vec<String> {
    items(list).map(words).collect()
}

/// One switch set, or taken back.
pub async fn switch(desk: &mut Desk<'_>, name: &str, given: Form) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    let mut arguments = json!({"reason": given.get("reason").trim()});
    arguments[name] = match name {
        "disable_tools" | "disable_toolsets" => {
            let answer = desk.ask("settings.get", json!({})).await?;
            let one = items(&answer["switches"]).find(|one| one["name"] == name);
            let mut here = one.map(|one| names(&one["here"])).unwrap_or_default();
            match given.get("remove") {
                "" => here.push(given.need("add")?.trim().to_owned()),
                gone => here.retain(|one| one != gone),
            }
            here.into()
        }
        name if FLAGS.iter().any(|(known, ..)| *known == name) => (given.need("value")? == "on").into(),
        _ => return Err(Fault::not_found("there is no such switch").into()),
    };
    desk.ask("settings.set_switches", arguments).await?;
    Ok(seen_other(PAGE))
}
