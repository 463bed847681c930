//! Menus from a published command tree, so that a router can serve every menu there is.
//!
//! The simulator's own definitions go first, since they know defaults, references and uniqueness; the tree adds menus they lack and
//! attributes they do not name. Menus only the tree knows are empty lists, or singletons with plausible values.

use super::menus::{self, Attr, Definitions, Menu, Shape, is_secret, own_menus};
use super::value::Type;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

impl Definitions {
    /// Reads a tree whose keys are paths (`/ip/address`) and whose values have `kind`, `verbs`, `add_args`, `set_args`, `ro_props`,
    /// `read_props`, `enums` and `commands`; keys that are no path are skipped. Every menu is then served whatever the model has.
    pub fn from_schema_json(tree: &Value) -> Arc<Self> {
        Arc::new(Definitions::from_menus(merged(tree), true))
    }

    /// The tree as an older version had it: `changes` tells, per step (`7.20.8->7.21`), what came (`+menu`, `+add.x`, `+cmd x`, `+monitor.x`)
    /// and what went (`-…`); steps beyond `version` are taken back, newest first.
    pub fn from_schema_json_as_of(tree: &Value, changes: &Value, version: (u32, u32)) -> Arc<Self> {
        let mut menus = merged(tree);
        let beyond = |step: &str| step.rsplit("->").next().map(menus::version).is_some_and(|to| to > version);
        let steps: Vec<&Value> = changes.as_object().into_iter().flatten().filter(|(step, _)| beyond(step)).map(|(_, s)| s).collect();
        for step in steps.into_iter().rev() {
            for (path, what) in step.as_object().into_iter().flatten() {
                match what {
                    Value::String(word) if word == "+menu" => menus.retain(|m| m.path != *path),
                    Value::String(word) if word == "-menu" && !menus.iter().any(|m| m.path == *path) => {
                        menus.push(Menu { path: path.clone(), first: 1, add: true, set: true, remove: true, ..Menu::default() });
                    }
                    Value::Array(words) => {
                        if let Some(menu) = menus.iter_mut().find(|m| m.path == *path) {
                            words.iter().filter_map(Value::as_str).for_each(|word| take_back(menu, word));
                        }
                    }
                    _ => {}
                }
            }
        }
        Arc::new(Definitions::from_menus(menus, true))
    }
}

fn merged(tree: &Value) -> Vec<Menu> {
    let mut menus = own_menus();
    let known: HashMap<String, usize> = menus.iter().enumerate().rev().map(|(i, m)| (m.path.clone(), i)).collect();
    for (path, facts) in tree.as_object().into_iter().flatten().filter(|(p, _)| p.starts_with('/')) {
        let theirs = menu(path, facts);
        match known.get(path) {
            Some(at) => extend(&mut menus[*at], theirs),
            None => menus.push(theirs),
        }
    }
    menus
}

fn take_back(menu: &mut Menu, word: &str) {
    let (came, rest) = (word.starts_with('+'), word.trim_start_matches(['+', '-']));
    let (where_to, name) = rest.split_once(['.', ' ']).unwrap_or((rest, ""));
    match (where_to, came) {
        ("add" | "set", true) => menu.attrs.retain(|a| a.name != name || a.required),
        ("add" | "set", false) if menu.attr(name).is_none() => menu.attrs.push(Attr { name: name.to_string(), ..Attr::default() }),
        ("cmd", true) => drop(menu.commands.remove(name)),
        ("cmd", false) => drop(menu.commands.insert(name.to_string(), Vec::new())),
        (command, came) => {
            if let Some(arguments) = menu.commands.get_mut(command) {
                arguments.retain(|a| a != name);
                if !came {
                    arguments.push(name.to_string());
                }
            }
        }
    }
}

fn extend(ours: &mut Menu, theirs: Menu) {
    if ours.shape == theirs.shape {
        for attr in theirs.attrs {
            if ours.attr(&attr.name).is_none() {
                // Ours decides what a row shows; an attribute we did not list is optional.
                ours.attrs.push(Attr { default: None, ..attr });
            }
        }
    }
    for (name, arguments) in theirs.commands {
        ours.commands.entry(name).or_insert(arguments);
    }
}

fn menu(path: &str, facts: &Value) -> Menu {
    let words = |key: &str| -> Vec<String> {
        facts[key].as_array().into_iter().flatten().filter_map(|w| w.as_str()).filter(|w| !w.is_empty()).map(String::from).collect()
    };
    let verbs = words("verbs");
    let has = |verb: &str| verbs.iter().any(|v| v == verb);
    let shape = match facts["kind"].as_str() {
        Some("singleton") => Shape::Single,
        Some("list") => Shape::List,
        _ => Shape::Commands,
    };
    let mut menu = Menu { path: path.to_string(), shape, first: 1, ..Menu::default() };
    (menu.add, menu.set, menu.remove) = (has("PUT"), has("PATCH") || has("POST set"), has("DELETE"));
    for (name, arguments) in facts["commands"].as_object().into_iter().flatten() {
        let arguments = arguments.as_array().into_iter().flatten().filter_map(|a| a.as_str()).map(String::from).collect();
        menu.commands.insert(name.clone(), arguments);
    }
    menu.ordered = words("add_args").iter().any(|a| a == "place-before") || menu.commands.contains_key("move");
    let settable = words("add_args").into_iter().chain(words("set_args"));
    for name in settable.filter(|a| !matches!(a.as_str(), "copy-from" | "place-before" | "numbers")) {
        push(&mut menu, name, facts, false);
    }
    for name in words("ro_props").into_iter().chain(words("read_props")).filter(|n| n != "about") {
        push(&mut menu, name, facts, true);
    }
    menu.named = menu.attr("name").is_some();
    menu
}

fn push(menu: &mut Menu, name: String, facts: &Value, read_only: bool) {
    if menu.attr(&name).is_some() {
        return;
    }
    let flag = facts["enums"][&name].as_str() == Some("bool");
    let kind = facts["types"][&name].as_str().unwrap_or_default();
    // Only what cannot be wrong: word lists of the tree hold names that lived on the crawled router.
    let of = if flag { Type::Flag } else { Type::Text };
    let secret = is_secret(&name);
    let hints: Vec<String> = facts["enums"][&name].as_array().into_iter().flatten().filter_map(|w| w.as_str()).map(String::from).collect();
    let help = kind.to_string();
    let default = (menu.shape == Shape::Single && !secret).then(|| plausible(&name, flag, kind, facts));
    menu.attrs.push(Attr { name, of, default, read_only, secret, hints, help, ..Attr::default() });
}

fn plausible(name: &str, flag: bool, kind: &str, facts: &Value) -> String {
    let first_word =
        facts["enums"][name].as_array().and_then(|words| words.iter().filter_map(|w| w.as_str()).find(|w| !w.is_empty() && *w != "!"));
    match (flag, first_word) {
        (true, _) => "false".to_string(),
        (_, Some(word)) => word.to_string(),
        _ if kind.contains("time interval") => "10s".to_string(),
        _ if kind.contains("IP address") => "0.0.0.0".to_string(),
        _ if kind.chars().next().is_some_and(|c| c.is_ascii_digit()) => kind.split("..").next().unwrap_or("0").to_string(),
        _ => String::new(),
    }
}
