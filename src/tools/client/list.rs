//! `client.list`: the MCP clients seen since the appliance started; one's own, or all of them for administrators.

use crate::access::person::Identity;
use crate::access::role::Role;
use crate::access::seen::Contact;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, object, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "client.list",
    title: "Connected clients",
    about: "The MCP clients that came since the appliance started, as they name themselves: yours, or everybody's for administrators.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &["/rows/*/client", "/rows/*/version"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let access = &cx.world.access;
    let (me, mine) = (Identity::of(&cx.principal), access.actor(&cx.principal)?.person);
    let mut seen = Vec::new();
    for contact in access.contacts() {
        let is_mine = contact.identity == me || (mine.is_some() && access.person(&contact.identity)? == mine);
        if is_mine || cx.principal.role == Role::Admin {
            seen.push(contact);
        }
    }
    let key = |one: &Contact| format!("{} {} {} {}", one.identity, one.client.name, one.client.version, one.client.address);
    list::cut(cx, "client.list", &args.list, seen, key, row)
}

fn row(one: &Contact) -> Map<String, Value> {
    let row = json!({
        "client": one.client.name,
        "version": one.client.version,
        "address": one.client.address,
        "principal": one.principal,
        "first_seen": one.first_at.rfc3339(),
        "last_seen": one.last_at.rfc3339(),
    });
    object(row)
}
