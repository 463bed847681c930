//! `wireless.plan_ssid`: a plan for a wireless network.

use crate::base::fault::Fault;
use crate::base::ids::{hex, random};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::plan::edit::{Edit, Op};
use crate::tools::context::Cx;
use crate::tools::propose::{self, Action, Proposed};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::wireless::settings::Stack;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "wireless.plan_ssid",
    title: "Plan an SSID",
    about: "Plans to add a network (a virtual access point), or to modify or remove one: SSID, passphrase by handle, hidden, VLAN.",
    toolset: "wireless",
    tier: Tier::Professional,
    effect: Effect::Plans,
    audience: Audience::Model,
    timeout: Span::secs(55),
    paths: &["/interface/wifi", "/interface/wifi/security", "/interface/wireless", "/interface/wireless/security-profiles"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: propose::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// What to do.
    action: Action,
    /// The interface; for add, the new one.
    #[schemars(length(min = 1, max = 64))]
    interface: String,
    /// For add: the radio it runs on.
    master: Option<String>,
    /// The network's name.
    #[schemars(length(min = 1, max = 32))]
    ssid: Option<String>,
    /// {"secret": "generate"} or {"secret": "vault:NAME"}; goes into a new security profile.
    passphrase: Option<Map<String, Value>>,
    /// Do not announce the name.
    hidden: Option<bool>,
    /// VLAN of its clients.
    #[schemars(range(min = 1, max = 4094))]
    vlan_id: Option<u16>,
    /// Out of use, or back.
    disabled: Option<bool>,
    /// Why, for who approves.
    #[serde(default)]
    #[schemars(length(max = 500))]
    reason: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Proposed, Fault> {
    let device = cx.router(&args.device)?.device;
    let stack = Stack::of(&device)?;
    let mut edits = Vec::new();
    if args.action == Action::Remove {
        edits.push(Edit::new(stack.menu, Op::Remove).of("name", args.interface));
        return propose::plan(cx, vec![args.device], args.reason, edits).await;
    }
    let mut edit = if args.action == Action::Add {
        let (Some(master), Some(_)) = (args.master, &args.ssid) else {
            return Err(Fault::bad_input("master and ssid are missing: a new network runs on a radio and has a name"));
        };
        let edit = Edit::new(stack.menu, Op::Add)
            .with("name", args.interface.as_str())
            .with("master-interface", master)
            .with("disabled", args.disabled.unwrap_or(false));
        if stack.is_wifi { edit } else { edit.with("mode", "ap-bridge") }
    } else {
        Edit::new(stack.menu, Op::Set).of("name", args.interface.as_str()).with_some("disabled", args.disabled)
    };
    edit = edit.with_some(stack.ssid, args.ssid).with_some(stack.hide, args.hidden).with_some(stack.vlan, args.vlan_id);
    if args.vlan_id.is_some() && !stack.is_wifi {
        edit = edit.with("vlan-mode", "use-tag");
    }
    if let Some(passphrase) = args.passphrase {
        // A secret that is there cannot be kept for an undo: a profile of its own stands beside the old one.
        let profile = format!("{}-{}", args.interface, hex(&random::<2>()));
        edits.push(stack.profile(&profile, Value::Object(passphrase)));
        edit = edit.with(stack.security, profile);
    }
    edits.push(edit);
    propose::plan(cx, vec![args.device], args.reason, edits).await
}
