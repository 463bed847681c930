//! `settings.set_switches`: kill switches, for when something has to stop now.
//!
//! They only take away: what the configuration forbids stays forbidden. They count for calls that run already.

use crate::base::events::Event;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools;
use crate::tools::arguments::shown;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::settings::view::{self, Switch};
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "settings.set_switches",
    title: "Set kill switches",
    about: "Switches changes, applying plans, tools or toolsets off or on again, at once and for running sessions too; what the configuration switched off stays off.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(10),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Entries of one list.
const MOST: usize = 200;
/// What pages and plans need themselves.
const NEEDED: &str = "core";

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Nothing changes a router; as it is when absent.
    read_only: Option<bool>,
    /// Approved plans are not applied; as it is when absent.
    no_plan_apply: Option<bool>,
    /// Models are offered no tools; as it is when absent.
    no_tools: Option<bool>,
    /// All tools and category.* that are off; as they are when absent.
    #[schemars(length(max = 200))]
    disable_tools: Option<Vec<String>>,
    /// All toolsets that are off; as they are when absent.
    #[schemars(length(max = 200))]
    disable_toolsets: Option<Vec<String>>,
    /// Why, for those who see it later.
    reason: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// What was changed, in words; absent when it was so already.
    changed: Option<String>,
    /// Each switch in the configuration, here, and as the stricter of both has it.
    switches: Vec<Switch>,
    /// Who changed what and when, the last one first.
    changes: Vec<Map<String, Value>>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let tools = args.disable_tools.map(|names| list(names, tool)).transpose()?;
    let toolsets = args.disable_toolsets.map(|names| list(names, toolset)).transpose()?;
    let (by, at) = (cx.world.access.actor(&cx.principal)?, cx.world.clock.wall());
    let why = args.reason.unwrap_or_default();
    let changed = cx.world.rules.switches.set(&cx.world.store, by, at, &why, |set| {
        set.read_only = args.read_only.unwrap_or(set.read_only);
        set.no_plan_apply = args.no_plan_apply.unwrap_or(set.no_plan_apply);
        set.no_tools = args.no_tools.unwrap_or(set.no_tools);
        if let Some(tools) = tools {
            set.tools = tools;
        }
        if let Some(toolsets) = toolsets {
            set.toolsets = toolsets;
        }
        Ok(())
    });
    let changed = changed.await?;
    if let Some(what) = &changed {
        tracing::warn!(by = cx.principal.name, what, "kill switches set");
        cx.world.fleet.bus().tell(Event::Switches);
    }
    let (switches, changes) = view::switches(cx)?;
    Ok(Answer { changed, switches, changes })
}

/// Names in order, each once.
fn list(names: Vec<String>, check: impl Fn(&str) -> Result<String, Fault>) -> Result<Vec<String>, Fault> {
    if names.len() > MOST {
        return Err(Fault::bad_input(format!("at most {MOST} names")));
    }
    let mut all = names.iter().map(|name| check(name.trim())).collect::<Result<Vec<_>, _>>()?;
    all.sort();
    all.dedup();
    Ok(all)
}

/// A tool of models, or `category.*` of one that has any. What operators switch with cannot be switched off.
fn tool(name: &str) -> Result<String, Fault> {
    let for_models = |tool: &&Tool| tool.audience == Audience::Model;
    let known = match name.strip_suffix(".*") {
        Some(category) => tools::all().filter(for_models).any(|tool| tool.category() == category).then(|| name.to_owned()),
        None => tools::find(name).filter(for_models).map(|tool| tool.name.to_owned()),
    };
    known.ok_or_else(|| {
        Fault::bad_input(format!("\"{}\" is no tool of models and no category of them", shown(name)))
            .hint("such as dns.flush_cache, or firewall.*")
    })
}

fn toolset(name: &str) -> Result<String, Fault> {
    if name == NEEDED {
        return Err(Fault::bad_input("the core toolset cannot be switched off: plans and pages stand on it")
            .hint("no_tools takes every tool from models"));
    }
    let known = tools::TOOLSETS.iter().find(|known| **known == name);
    known.map(|known| (*known).to_owned()).ok_or_else(|| {
        Fault::bad_input("no such toolset")
            .hint(format!("one of {}", tools::TOOLSETS.iter().filter(|set| **set != NEEDED).copied().collect::<Vec<_>>().join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_models_use_can_be_switched_off() {
        for (name, known) in [
            ("dns.flush_cache", Some("dns.flush_cache")),
            ("dns_flush_cache", Some("dns.flush_cache")),
            ("firewall.*", Some("firewall.*")),
            ("settings.*", None),
            ("settings.set_switches", None),
            ("user.*", None),
            ("plan.approve", None),
            ("*", None),
            (".*", None),
            ("", None),
            ("nothing.*", None),
        ] {
            assert_eq!(tool(name).ok().as_deref(), known, "{name}");
        }
        assert!(toolset("vpn").is_ok() && toolset("core").is_err() && toolset("all").is_err());
        assert_eq!(list(vec!["vpn".into(), " ip ".into(), "vpn".into()], toolset).unwrap(), ["ip", "vpn"]);
    }
}
