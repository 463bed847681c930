//! Resources: what tools read, under addresses that clients can list, keep and subscribe to.
//!
//! A resource is a tool and its arguments, declared in [`KINDS`]; reading one runs the tool through the spine. One whose
//! tool this build lacks, or this caller may not use, is not offered. Devices stand in addresses by id or by name.
//!
//! Source: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>

use crate::base::events::Event;
use crate::base::tier::Environment;
use crate::docs;
use crate::fleet::Device;
use crate::mcp::caller::Caller;
use crate::mcp::uri::{Uri, filled};
use crate::mcp::{export, fault};
use crate::shape::{budget, page};
use rmcp::ErrorData;
use rmcp::model::{CacheScope, MetaObject, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
use serde_json::Map;
use std::sync::Arc;
use std::time::Duration;

/// JSON, as nearly all resources are.
pub const JSON: &str = "application/json";
/// A router's export.
pub const SCRIPT: &str = "text/x-routeros-script";
/// A page of the documentation.
pub const MARKDOWN: &str = "text/markdown";

/// Resources in a page of the list. Clients that never ask for a second page still see what is fixed and some devices;
/// all devices at once would be thousands of lines.
const PAGE: usize = 100;

/// The longest time a client may keep what a router said: it hears of changes only when it subscribes.
const READ_TTL: Duration = Duration::from_secs(5);

/// How long a client may keep a page of the documentation: it changes with the program.
const DOCS_TTL: Duration = Duration::from_secs(3_600);

/// Where a resource's content comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// A tool's answer.
    Tool {
        /// `category.action`.
        name: &'static str,
        /// What its argument for the address's variable may be called; the first it has is taken.
        takes: &'static [&'static str],
        /// Rows asked for, where the tool's usual number is too few.
        limit: Option<u64>,
        /// A further argument that is always the same.
        also: Option<(&'static str, &'static str)>,
    },
    /// A kept configuration as text, in the pages that [`export::TOOL`] gives.
    Export,
    /// The built-in documentation.
    Docs,
}

/// One kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// RFC 6570, with at most one variable.
    pub template: &'static str,
    /// For menus in client programs.
    pub title: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Of its content, as far as it is always the same.
    pub mime: &'static str,
    /// What it is made of.
    pub source: Source,
    /// Events of its device that change it: (record, health, configuration).
    pub hears: (bool, bool, bool),
}

const fn tool(name: &'static str, takes: &'static [&'static str]) -> Source {
    Source::Tool { name, takes, limit: None, also: None }
}

const fn rows(name: &'static str, takes: &'static [&'static str], limit: u64) -> Source {
    Source::Tool { name, takes, limit: Some(limit), also: None }
}

const PLAN_DIFF: Source = Source::Tool { name: "plan.get", takes: &["plan_id"], limit: None, also: Some(("show", "diff")) };

const DEVICE: &[&str] = &["device"];

/// Every kind, in the order of the list. What the contract promises and this build's tools lack is left out by itself.
#[rustfmt::skip] // a table: a kind a line
pub const KINDS: &[Kind] = &[
    Kind { template: "fleet://summary", title: "Fleet summary", about: "Counts by status, health, version and model, and the devices that need attention.", mime: JSON, source: tool("fleet.get_summary", &[]), hears: (true, true, false) },
    Kind { template: "fleet://devices/{environment}", title: "Devices of an environment", about: "The inventory of lab, staging or prod: id, name, address, status, version, board, tags.", mime: JSON, source: rows("device.list", &["environment"], 500), hears: (true, true, false) },
    Kind { template: "audit://recent", title: "Recent audit events", about: "What was done through this appliance lately, newest first. Changes are not announced.", mime: JSON, source: tool("audit.get_events", &[]), hears: (false, false, false) },
    Kind { template: "docs://{page}", title: "Documentation", about: "A page of the built-in documentation.", mime: MARKDOWN, source: Source::Docs, hears: (false, false, false) },
    Kind { template: "device://{id}/overview", title: "Overview", about: "Identity, model, version, load, memory, disk, uptime and sensors of one router.", mime: JSON, source: tool("system.get_overview", DEVICE), hears: (true, true, true) },
    Kind { template: "device://{id}/health", title: "Health", about: "Status, score with reasons, and the trend of the last 24 hours of one router.", mime: JSON, source: tool("system.get_health", DEVICE), hears: (true, true, false) },
    Kind { template: "device://{id}/config", title: "Configuration", about: "The router's newest configuration snapshot as an export, secrets out.", mime: SCRIPT, source: Source::Export, hears: (false, false, true) },
    Kind { template: "device://{id}/logs", title: "Log", about: "The newest lines of one router's log. New lines are not announced.", mime: JSON, source: tool("logs.get_recent", DEVICE), hears: (false, true, true) },
    Kind { template: "device://{id}/interfaces", title: "Interfaces", about: "The interfaces of one router with state, addresses and counters.", mime: JSON, source: rows("interface.list", DEVICE, 200), hears: (false, true, true) },
    Kind { template: "device://{id}/capabilities", title: "Capabilities", about: "Our record of one device: facts, what it can do, packages, pins, last health.", mime: JSON, source: tool("device.get", DEVICE), hears: (true, true, false) },
    Kind { template: "snapshot://{id}", title: "Configuration snapshot", about: "One kept configuration snapshot as an export, secrets out.", mime: SCRIPT, source: Source::Export, hears: (false, false, false) },
    Kind { template: "plan://{id}", title: "Plan", about: "A plan as plan.get shows it: state, risk, approvals, and how far each device is.", mime: JSON, source: tool("plan.get", &["plan_id"]), hears: (false, false, false) },
    Kind { template: "plan://{id}/diff", title: "Plan diff", about: "What a plan changes on each device, row by row, secrets out.", mime: JSON, source: PLAN_DIFF, hears: (false, false, false) },
];

impl Kind {
    /// Whether its variable is a device.
    pub fn is_of_device(&self) -> bool {
        self.template.starts_with("device://")
    }

    /// Whether it is about all devices together.
    pub fn is_of_fleet(&self) -> bool {
        self.template.starts_with("fleet://")
    }

    /// Whether its variable is a plan.
    pub fn is_of_plan(&self) -> bool {
        self.template.starts_with("plan://")
    }

    /// The tool that reads it.
    pub fn tool(&self) -> Option<&'static str> {
        match self.source {
            Source::Tool { name, .. } => Some(name),
            Source::Export => Some(export::TOOL),
            Source::Docs => None,
        }
    }

    /// Whether the event changes it, if it is about that device.
    pub fn hears(&self, event: &Event) -> bool {
        match event {
            Event::Device(_) => self.hears.0,
            Event::Health(_) => self.hears.1,
            Event::Config(_) => self.hears.2,
            Event::Plan(_) => self.is_of_plan(),
            Event::Fired(_) | Event::Alert | Event::Client(_) | Event::Update | Event::Switches => false,
        }
    }

    /// The tool with what it takes, if this build can read this kind at all.
    fn reader(&self) -> Option<(&'static str, Option<&'static str>, Option<u64>)> {
        let Source::Tool { name, takes, limit, .. } = self.source else { return None };
        let tool = Caller::tool(name)?;
        let argument = Caller::argument(tool, takes);
        (takes.is_empty() || argument.is_some()).then_some((name, argument, limit))
    }

    /// Whether this build can read one.
    pub fn is_there(&self) -> bool {
        match self.source {
            Source::Tool { .. } => self.reader().is_some(),
            Source::Export => export::is_there(),
            Source::Docs => true,
        }
    }

    /// Whether the caller could read one, of `device` if it is about devices.
    pub fn is_open_to(&self, caller: &Caller, device: Option<&Device>) -> bool {
        self.tool().is_none_or(|tool| caller.dispatch.may(&caller.principal, tool, device))
    }
}

/// The kinds this build has and the caller may read.
fn offered(caller: &Caller) -> Vec<&'static Kind> {
    KINDS.iter().filter(|kind| kind.is_there() && kind.is_open_to(caller, None)).collect()
}

/// A resource somebody means: its kind, and what the variable in its address stands for. Whether there is such a device
/// or snapshot depends on who asks; pages and environments are the same for all.
pub fn find(uri: &str) -> Option<(&'static Kind, String)> {
    let uri = Uri::parse(uri)?;
    let (kind, value) = KINDS.iter().find_map(|kind| Some((kind, uri.fits(kind.template)?)))?;
    let is_one = match kind.template {
        "docs://{page}" => docs::page(&value).is_some(),
        "fleet://devices/{environment}" => value.parse::<Environment>().is_ok(),
        _ => true,
    };
    is_one.then_some((kind, value))
}

/// A page of what there is: fixed addresses and documentation first, then device by device.
pub fn list(caller: &Caller, cursor: Option<&str>) -> Result<(Vec<Resource>, Option<String>), ErrorData> {
    let environment = caller.dispatch.world().rules.environment.as_str();
    let mut all: Vec<(&Kind, String, Option<Arc<Device>>)> = Vec::new();
    let (of_devices, others): (Vec<&Kind>, Vec<&Kind>) = offered(caller).into_iter().partition(|kind| kind.is_of_device());
    for kind in others {
        match kind.template {
            "docs://{page}" => all.extend(docs::PAGES.iter().map(|page| (kind, page.name.to_owned(), None))),
            "fleet://devices/{environment}" => all.push((kind, environment.to_owned(), None)),
            // Snapshots and plans are found through their lists: there may be thousands.
            "snapshot://{id}" | "plan://{id}" | "plan://{id}/diff" => {}
            _ => all.push((kind, String::new(), None)),
        }
    }
    for device in caller.dispatch.devices(&caller.principal) {
        let open = of_devices.iter().filter(|kind| kind.is_open_to(caller, Some(&device)));
        all.extend(open.map(|kind| (*kind, device.id.to_string(), Some(device.clone()))));
    }
    let key = |(kind, value, _): &(&Kind, String, Option<Arc<Device>>)| filled(kind.template, value);
    let query = page::Query::of(&["resources/list", &caller.principal.issuer, &caller.principal.subject]);
    let page = page::page(&all, key, query, cursor, PAGE).map_err(|_| fault::stale_cursor("resources/list"))?;
    let shown = page.rows.iter().map(|(kind, value, device)| described(kind, value, device.as_deref())).collect();
    Ok((shown, page.next_cursor(key)))
}

fn described(kind: &Kind, value: &str, device: Option<&Device>) -> Resource {
    let uri = filled(kind.template, value);
    let page = docs::page(value).filter(|_| kind.source == Source::Docs);
    let (name, title, about) = match (device, page) {
        (Some(device), _) => {
            let what = kind.template.rsplit('/').next().unwrap_or_default();
            (format!("{}/{what}", device.name), format!("{}: {}", device.name, kind.title), kind.about)
        }
        (None, Some(page)) => (format!("docs/{}", page.name), page.title.to_owned(), page.about),
        (None, None) => (uri.clone(), kind.title.to_owned(), kind.about),
    };
    let resource = Resource::new(uri, name).with_title(title).with_description(about).with_mime_type(kind.mime);
    match page {
        Some(page) => resource.with_size(page.bytes as u64),
        None => resource,
    }
}

/// Every address with a variable.
pub fn templates(caller: &Caller) -> Vec<ResourceTemplate> {
    let with_variable = offered(caller).into_iter().filter(|kind| kind.template.contains('{'));
    with_variable
        .map(|kind| {
            let name = kind.template.replace("://", "/").replace(['{', '}'], "");
            ResourceTemplate::new(kind.template, name).with_title(kind.title).with_description(kind.about).with_mime_type(kind.mime)
        })
        .collect()
}

/// Reads one.
pub async fn read(caller: &Caller, uri: &str) -> Result<ReadResourceResult, ErrorData> {
    let Some((kind, value)) = find(uri) else { return Err(fault::unknown_resource(uri)) };
    let (contents, ttl) = match kind.source {
        Source::Docs => {
            let page = docs::page(&value).ok_or_else(|| fault::unknown_resource(uri))?;
            (ResourceContents::text(page.text(), uri).with_mime_type(MARKDOWN), DOCS_TTL)
        }
        Source::Tool { name, .. } => {
            let reader = kind.reader().ok_or_else(|| fault::not_in_this_build(uri, name))?;
            let ttl = if caller.settings.max_age.is_zero() { Duration::ZERO } else { READ_TTL };
            (content(caller, kind, uri, &value, reader).await?, ttl)
        }
        Source::Export if !export::is_there() => return Err(fault::not_in_this_build(uri, export::TOOL)),
        Source::Export => (export::read(caller, kind.is_of_device(), uri, &value).await?, Duration::ZERO),
    };
    let meta = match &contents {
        ResourceContents::TextResourceContents { meta, .. } => meta.clone(),
        _ => None,
    };
    let mut result = ReadResourceResult::new(vec![contents]).with_ttl_ms(ttl.as_millis() as u64).with_cache_scope(CacheScope::Private);
    result.meta = meta;
    Ok(result)
}

/// A tool's answer as a resource's content.
async fn content(
    caller: &Caller,
    kind: &Kind,
    uri: &str,
    value: &str,
    (tool, argument, limit): (&'static str, Option<&'static str>, Option<u64>),
) -> Result<ResourceContents, ErrorData> {
    let mut arguments = Map::new();
    if let Some(argument) = argument {
        // One device is one question, whichever way it is written.
        let device = kind.is_of_device().then(|| caller.dispatch.device(&caller.principal, value)).flatten();
        let value = device.map_or_else(|| value.to_owned(), |device| device.id.to_string());
        arguments.insert(argument.into(), value.into());
    }
    if let Some(limit) = limit {
        arguments.insert("limit".into(), limit.into());
    }
    if let Source::Tool { also: Some((name, word)), .. } = kind.source {
        arguments.insert(name.into(), word.into());
    }
    let reply = caller.run(tool, arguments).await.map_err(|id| fault::bug(id.as_str()))?;
    if reply.is_error() {
        return Err(fault::unread(&reply, uri));
    }
    let text = reply.structured.to_string();
    let mut meta = reply.meta;
    meta.insert("estimated_tokens".into(), budget::tokens(text.len()).into());
    Ok(ResourceContents::text(text, uri).with_mime_type(JSON).with_meta(MetaObject(meta)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mcp::uri::variable;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_is_told_from_every_other_and_has_words() {
        let mut seen = BTreeSet::new();
        for kind in KINDS {
            assert!(seen.insert(kind.template), "{} is there twice", kind.template);
            assert!(kind.about.ends_with('.') && !kind.title.is_empty(), "{}", kind.template);
            let given = match variable(kind.template) {
                None => "",
                Some("page") => "tools",
                Some("environment") => "lab",
                Some(_) => "a b",
            };
            let uri = filled(kind.template, given);
            let (found, value) = find(&uri).unwrap();
            assert_eq!((found.template, value.as_str()), (kind.template, given), "{uri}");
        }
        for uri in
            ["device://x/other", "fleet://", "fleet://summary/x", "secret://x", "docs://a/b", "docs://no-such", "fleet://devices/home", ""]
        {
            assert!(find(uri).is_none(), "{uri}");
        }
    }

    #[test]
    fn a_kind_that_is_read_has_a_tool_or_waits_for_one() {
        let missing: Vec<&str> = KINDS.iter().filter(|kind| kind.tool().is_some() && !kind.is_there()).filter_map(Kind::tool).collect();
        for tool in &missing {
            assert!(Caller::tool(tool).is_none(), "{tool} is there and takes none of the arguments we know");
        }
    }
}
