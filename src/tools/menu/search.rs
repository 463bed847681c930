//! `menu.search`: which menu holds this.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::{Device, Wifi};
use crate::menus::{self, Menu};
use crate::routeros::version::Version;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "menu.search",
    title: "Search menus",
    about: "Finds RouterOS menus and attributes by words (\"dhcp leases\", \"wifi clients\", \"port forward\"). An empty answer means that nothing known fits.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Matches in one answer: the right one is among the first or the words were wrong.
const MOST_MATCHES: usize = 12;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// What you look for, in words.
    #[schemars(length(min = 1, max = 200))]
    query: String,
    /// Only menus this device can have (its wifi stack and version).
    device: Option<String>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    matches: Vec<Match>,
}

#[derive(Serialize, JsonSchema)]
struct Match {
    menu: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    attribute: Option<String>,
    about: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let device = args.device.as_deref().map(|name| cx.device(name)).transpose()?;
    let fits = |menu: &Menu| device.as_ref().is_none_or(|device| may_have(device, menu));
    let matches = menus::search(&args.query, MOST_MATCHES * 2)
        .into_iter()
        .filter(|found| fits(found.menu))
        .take(MOST_MATCHES)
        .map(|found| Match {
            menu: found.menu.path.to_owned(),
            attribute: found.attribute.map(|attr| attr.name.to_owned()),
            about: found.about.to_owned(),
        })
        .collect();
    Ok(Answer { matches })
}

/// Whether this device's version, packages and wifi stack can bring the menu; what is not known does not forbid.
fn may_have(device: &Device, menu: &Menu) -> bool {
    let facts = &device.facts;
    let version = facts.version.as_deref().and_then(Version::parse);
    let new_enough = version.is_none_or(|version| version.at_least(menu.since.0.into(), menu.since.1.into()));
    // Wireless was part of the system package up to 7.12.
    let built_in = |package: &str| package == "wireless" && version.is_some_and(|version| !version.at_least(7, 13));
    let installed = |package: &str| facts.packages.is_empty() || facts.packages.iter().any(|known| known.name == package);
    let wifi = match facts.can.wifi {
        _ if facts.packages.is_empty() => true,
        Wifi::Wifi => !menu.path.starts_with("/interface/wireless"),
        Wifi::Wireless => !menu.path.starts_with("/interface/wifi"),
        Wifi::None => !menu.path.starts_with("/interface/wireless") && !menu.path.starts_with("/interface/wifi"),
    };
    new_enough && wifi && menu.package.is_none_or(|package| installed(package) || built_in(package))
}
