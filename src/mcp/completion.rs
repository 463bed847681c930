//! Completion of prompt arguments and of the variables in resource addresses.
//!
//! Values are names and ids that the caller may see anyway; at most 100, those that begin with what was typed first.
//! What only a router knows (names of address lists) is asked for through its tool, and kept as resources are.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/completion>

use crate::base::tier::Environment;
use crate::docs;
use crate::mcp::caller::Caller;
use crate::mcp::prompts::{self, Values};
use crate::mcp::uri::variable;
use crate::mcp::{export, fault, resources};
use crate::shape::untrusted;
use rmcp::ErrorData;
use rmcp::model::{CompleteRequestParams, CompleteResult, CompletionInfo, Reference};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The tool that tells a router's address lists.
const ADDRESS_LISTS: &str = "firewall.list_address_lists";
/// The tool that tells the plans there are.
const PLANS: &str = "plan.list";
/// The tool that tells the snapshots kept of a device.
const SNAPSHOTS: &str = "config.list_snapshots";

/// Devices asked for their snapshots when none was named: each is a call of its own.
const MOST_ASKED: usize = 5;

/// Longest text that is completed, in characters: longer than any name.
const MOST_TYPED: usize = 128;

/// Values for what was typed so far.
pub async fn complete(caller: &Caller, request: CompleteRequestParams) -> Result<CompleteResult, ErrorData> {
    let argument = &request.argument;
    let context = |name: &str| request.context.as_ref().and_then(|context| context.get_argument(name)).map(String::as_str);
    let candidates = match &request.r#ref {
        Reference::Prompt(prompt) if caller.settings.prompts => {
            let known = prompts::find(&prompt.name).ok_or_else(|| unknown("prompt", &prompt.name))?;
            let known = known.arguments.iter().find(|known| known.name == argument.name);
            match known.ok_or_else(|| unknown("argument", &argument.name))?.values {
                Values::Device => devices(caller, &argument.value),
                Values::Environment => environments(),
                Values::AddressList => names(caller, ADDRESS_LISTS, context("device"), &["list", "name"]).await,
                Values::Words => Vec::new(),
            }
        }
        Reference::Resource(resource) if caller.settings.resources => {
            let of_it = |kind: &&resources::Kind| kind.is_there() && kind.template == resource.uri;
            let kind = resources::KINDS.iter().find(of_it).ok_or_else(|| unknown("resource template", &resource.uri))?;
            if variable(kind.template) != Some(argument.name.as_str()) {
                return Err(unknown("variable", &argument.name));
            }
            match kind.template {
                "docs://{page}" => docs::PAGES.iter().map(|page| page.name.to_owned()).collect(),
                "fleet://devices/{environment}" => environments(),
                "plan://{id}" | "plan://{id}/diff" => names(caller, PLANS, None, &["id"]).await,
                "snapshot://{id}" => snapshots(caller, &argument.value, context("device")).await,
                _ => devices(caller, &argument.value),
            }
        }
        Reference::Prompt(prompt) => return Err(unknown("prompt", &prompt.name)),
        Reference::Resource(resource) => return Err(unknown("resource template", &resource.uri)),
        _ => return Err(unknown("reference", "")),
    };
    let fitting = fitting(candidates, &argument.value);
    let total = fitting.len();
    let shown: Vec<String> = fitting.into_iter().take(CompletionInfo::MAX_VALUES).collect();
    let has_more = total > shown.len();
    let info = CompletionInfo::with_pagination(shown, u32::try_from(total).ok(), has_more).unwrap_or_default();
    Ok(CompleteResult::new(info))
}

fn unknown(what: &str, name: &str) -> ErrorData {
    ErrorData::invalid_params(format!("unknown {what}: {}", fault::short(name)), None)
}

/// Those that begin with what was typed, then those that contain it; in any case of letters.
fn fitting(candidates: Vec<String>, typed: &str) -> Vec<String> {
    let typed: String = typed.chars().take(MOST_TYPED).collect::<String>().to_lowercase();
    let (mut first, mut then) = (Vec::new(), Vec::new());
    for candidate in candidates {
        let folded = candidate.to_lowercase();
        if folded.starts_with(&typed) {
            first.push(candidate);
        } else if folded.contains(&typed) {
            then.push(candidate);
        }
    }
    first.extend(then);
    first
}

/// Names; ids only for somebody who types one, since nobody remembers them.
fn devices(caller: &Caller, typed: &str) -> Vec<String> {
    let wants_ids = typed.starts_with("dev_");
    let devices = caller.dispatch.devices(&caller.principal);
    devices.iter().map(|device| if wants_ids { device.id.to_string() } else { device.name.clone() }).collect()
}

fn environments() -> Vec<String> {
    [Environment::Lab, Environment::Staging, Environment::Prod].map(|environment| environment.as_str().to_owned()).into()
}

/// Snapshots of the device that was named or whose id was begun; of the first few devices when neither was.
async fn snapshots(caller: &Caller, typed: &str, device: Option<&str>) -> Vec<String> {
    let named = device.map(str::to_owned).or_else(|| export::device_of(typed));
    let devices = match named {
        Some(device) => vec![device],
        None => caller.dispatch.devices(&caller.principal).iter().take(MOST_ASKED).map(|device| device.id.to_string()).collect(),
    };
    let mut found = Vec::new();
    for device in devices {
        found.extend(names(caller, SNAPSHOTS, Some(&device), &["id"]).await);
    }
    found
}

/// A column of the rows that a tool answers; nothing when it answers none: a person who types wants no error.
async fn names(caller: &Caller, tool: &str, device: Option<&str>, columns: &[&str]) -> Vec<String> {
    let Some(known) = Caller::tool(tool) else { return Vec::new() };
    let mut arguments = Map::new();
    if Caller::argument(known, &["limit"]).is_some() {
        arguments.insert("limit".into(), 500.into());
    }
    if let Some(device) = device {
        arguments.insert("device".into(), device.into());
    }
    let Ok(reply) = caller.run(tool, arguments).await else { return Vec::new() };
    let rows = reply.structured.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let of = |row: &Value| columns.iter().find_map(|column| row.get(*column)?.as_str()).map(str::to_owned);
    let found: BTreeSet<String> = rows.iter().filter_map(of).filter(|name| untrusted::clean(name) == *name).collect();
    found.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_so_comes_before_what_contains_it() {
        let all = || ["core-1", "edge-core", "Core-2", "edge"].map(str::to_owned).to_vec();
        assert_eq!(fitting(all(), "CORE"), ["core-1", "Core-2", "edge-core"]);
        assert_eq!(fitting(all(), "").len(), 4);
        assert!(fitting(all(), "nothing").is_empty());
    }
}
