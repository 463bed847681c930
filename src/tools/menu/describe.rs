//! `menu.describe`: what a menu is on this device: attributes, commands, limits.
//!
//! The router says which names exist on its version; our facts say what they mean, which are secret and which others can
//! write. Where the router cannot be asked, the facts answer alone and `source` says so.

use crate::base::fault::{self, Fault};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::absent::{menu_path, no_menu};
use crate::fleet::learnt::Learnt;
use crate::menus::{self, Attr, Menu, Shape};
use crate::routeros::value::Kind;
use crate::tools::arguments::shown;
use crate::tools::context::Cx;
use crate::tools::menu::inspect::{self, Told};
use crate::tools::router::Router;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

pub(super) const TOOL: Tool = Tool {
    name: "menu.describe",
    title: "Describe a menu",
    about: "Attributes (type, allowed words, required, read-only, secret), commands and submenus of a RouterOS menu on this device's version. Name one attribute for the words it takes.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(60),
    paths: &["/console"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Commands every list has; naming them tells nobody anything.
const USUAL: &[&str] = &["print", "get", "find", "edit", "export", "reset", "comment"];

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Menu path, e.g. /ip/firewall/filter.
    #[schemars(length(min = 1, max = 200))]
    menu: String,
    /// Only this attribute, with the words the router offers for it now.
    #[schemars(length(min = 1, max = 64))]
    attribute: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    menu: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    attributes: Vec<Attribute>,
    commands: Vec<String>,
    submenus: Vec<String>,
    /// router, facts or both.
    source: &'static str,
    version: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Attribute {
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(rename = "enum", skip_serializing_if = "Option::is_none")]
    words: Option<Vec<String>>,
    required: bool,
    read_only: bool,
    secret: bool,
    untrusted: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'static str>,
    /// What the router's console says of its values.
    #[serde(skip_serializing_if = "Option::is_none")]
    syntax: Option<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let path = menu_path(&args.menu)?;
    let menu = path.as_str();
    let facts = menus::find(menu);
    let learnt = match inspect::learnt(cx, &router, menu).await {
        Ok(Told::Known(learnt)) => Some(learnt),
        Ok(Told::Silent(names)) if facts.is_none() => Some(Learnt::of_rows(names)),
        Ok(Told::Silent(_)) => None,
        Ok(Told::Absent) => return Err(no_menu(&router.device, menu)),
        // A router that is away: what another of the same build said, else the facts.
        Err(fault) if fault.kind == fault::Kind::Unreachable && facts.is_some() => inspect::remembered(cx, &router.device, menu)?,
        Err(fault) => return Err(fault),
    };
    let version = router.device.facts.version.clone();
    if learnt.is_none() && facts.is_none() {
        return Err(no_menu(&router.device, menu));
    }
    let mut answer = answer(menu, facts, learnt.as_ref(), version);
    if let Some(name) = &args.attribute {
        answer.attributes.retain(|attr| attr.name == *name);
        let one = answer.attributes.first_mut().ok_or_else(|| unknown(menu, name))?;
        if let Some(learnt) = &learnt {
            narrow(cx, &router, menu, learnt, one).await?;
        }
    }
    Ok(answer)
}

fn unknown(menu: &str, name: &str) -> Fault {
    Fault::not_found(format!("{menu} has no attribute {} on this device", shown(name)))
        .hint("menu.describe without attribute names them all")
}

/// Adds what the router offers for one attribute. A router that is away leaves what is known.
async fn narrow(cx: &Cx, router: &Router<'_>, menu: &str, learnt: &Learnt, one: &mut Attribute) -> Result<(), Fault> {
    if one.secret {
        return Ok(());
    }
    match inspect::words(router, menu, learnt, &one.name).await {
        Ok((words, syntax)) => {
            if !words.is_empty() {
                // Some are names that people gave to things there.
                cx.untrusted("/attributes/*/enum");
                one.words = Some(words);
            }
            one.syntax = syntax;
            Ok(())
        }
        Err(fault) if fault.kind == fault::Kind::Unreachable => Ok(()),
        Err(fault) => Err(fault),
    }
}

fn answer(menu: &str, facts: Option<&'static Menu>, learnt: Option<&Learnt>, version: Option<String>) -> Answer {
    let kind = match (learnt, facts) {
        // A menu that can be set but has neither add nor find is one object.
        (Some(l), _) if !l.commands.is_empty() => {
            if l.commands.iter().any(|c| c == "add" || c == "find" || c == "remove") {
                "list"
            } else {
                "singleton"
            }
        }
        (_, Some(facts)) if facts.shape == Shape::Singleton => "singleton",
        _ => "list",
    };
    let attributes = names(facts, learnt).into_iter().map(|name| attribute(menu, facts, learnt, name)).collect();
    let commands = match (learnt, facts) {
        (Some(l), _) => l.commands.iter().filter(|c| !USUAL.contains(&c.as_str())).cloned().collect(),
        (None, Some(facts)) => facts.commands.iter().map(|c| (*c).to_owned()).collect(),
        (None, None) => Vec::new(),
    };
    Answer {
        menu: menu.to_owned(),
        kind,
        about: facts.map(|facts| facts.about),
        attributes,
        commands,
        submenus: learnt.map(|l| l.children.clone()).unwrap_or_default(),
        source: match (learnt, facts) {
            (Some(_), Some(_)) => "both",
            (Some(_), None) => "router",
            _ => "facts",
        },
        version,
    }
}

/// What the router names, in the order of the facts first; facts alone where it does not say.
fn names(facts: Option<&'static Menu>, learnt: Option<&Learnt>) -> Vec<String> {
    let told: BTreeSet<&str> = learnt.iter().flat_map(|l| l.add.iter().chain(&l.set).chain(&l.get)).map(String::as_str).collect();
    let read_known = learnt.is_some_and(|l| !l.get.is_empty());
    let known = |attr: &&Attr| learnt.is_none() || told.contains(attr.name) || (attr.read_only && !read_known);
    let mut names: Vec<String> = facts.iter().flat_map(|f| f.attrs).filter(known).map(|attr| attr.name.to_owned()).collect();
    names.extend(told.into_iter().filter(|name| facts.is_none_or(|f| f.attr(name).is_none())).map(str::to_owned));
    names
}

fn attribute(menu: &str, facts: Option<&'static Menu>, learnt: Option<&Learnt>, name: String) -> Attribute {
    let fact = facts.and_then(|facts| facts.attr(&name));
    let settable = learnt.map(|l| l.add.contains(&name) || l.set.contains(&name));
    Attribute {
        kind: fact.map_or("text", |fact| fact.kind.as_str()),
        words: fact.and_then(|fact| match fact.kind {
            Kind::Enum(words) => Some(words.iter().map(|word| (*word).to_owned()).collect()),
            _ => None,
        }),
        required: fact.is_some_and(|fact| fact.required),
        read_only: settable.map_or(fact.is_some_and(|fact| fact.read_only), |settable| !settable),
        secret: menus::is_secret(menu, &name),
        untrusted: menus::is_untrusted(menu, &name),
        about: fact.map(|fact| fact.about).filter(|about| !about.is_empty()),
        syntax: None,
        name,
    }
}
