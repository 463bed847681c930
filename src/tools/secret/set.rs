//! `secret.set`: puts a secret into the vault, for some menus and devices.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::selector::Selector;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::menus;
use crate::routeros::path::MenuPath;
use crate::store::vault::{self, Binding};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::secret::view;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "secret.set",
    title: "Set a secret",
    about: "Puts a secret into the vault, bound to menus and devices; plans name it as vault:NAME. Nobody sees it again.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// A name of your choice.
    #[schemars(length(min = 1))]
    name: String,
    /// The secret itself; made at random when absent.
    #[schemars(with = "Option<String>")]
    secret: Option<Secret>,
    /// RouterOS menus it may go into; those below them count.
    #[schemars(length(min = 1))]
    menus: Vec<String>,
    /// Devices it may go into: NAME, tag:KEY=VALUE, env:ENVIRONMENT or all.
    #[schemars(length(min = 1))]
    devices: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let menus = args.menus.iter().map(|menu| Ok(MenuPath::parse(menu)?.as_str().to_owned())).collect::<Result<Vec<_>, Fault>>()?;
    if menus.iter().any(|menu| menu == "/") {
        return Err(Fault::bad_input("a secret is for some menus, not for all of the router").hint("name them: --menu /ppp/secret"));
    }
    let devices: Vec<Selector> =
        args.devices.iter().map(|selector| selector.parse().map_err(Fault::bad_input)).collect::<Result<_, _>>()?;
    let secret = args.secret.unwrap_or_else(vault::generate);
    let entry = cx.world.vault.set(&args.name, &secret, Binding { menus, devices }, &cx.principal.name).await?;
    let mut answer = view::entry(&entry);
    // Menus without facts may have secrets that we do not know of; those with facts and none were meant otherwise.
    let unsuited: Vec<&String> = entry.binding.menus.iter().filter(|menu| !may_hold(menu)).collect();
    if !unsuited.is_empty() {
        answer.insert("unsuited".into(), json!(unsuited));
    }
    answer.insert("unmatched".into(), json!(cx.unmatched(&entry.binding.devices)));
    Ok(answer)
}

/// Whether some attribute of the menu, or of one below it, may be a secret, as far as facts tell.
fn may_hold(menu: &str) -> bool {
    let inside = |path: &str| path == menu || path.strip_prefix(menu).is_some_and(|rest| rest.starts_with('/'));
    let known: Vec<_> = menus::all().iter().filter(|known| inside(known.path)).collect();
    known.is_empty() || known.iter().any(|known| known.attrs.iter().any(|attr| menus::secret_of(Some(known), known.path, attr.name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus_with_facts_and_no_secret_are_told_apart() {
        for (menu, may) in [
            ("/ppp/secret", true),
            ("/radius", true),
            ("/interface/wifi", true),
            ("/no/facts", true),
            ("/ip/address", false),
            ("/ip/arp", false),
        ] {
            assert_eq!(may_hold(menu), may, "{menu}");
        }
    }
}
