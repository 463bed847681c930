//! `person.revoke_token`: takes back a token of one's own. Whoever may see that it was lost need not look for an administrator.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::token::view;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "person.revoke_token",
    title: "Revoke a token of yours",
    about: "Takes an API token of your own back, at once and for good; its record stays, so that its id in the trail means one token.",
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
    /// The token's id.
    #[schemars(length(min = 1))]
    id: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let access = &cx.world.access;
    let me = access.actor(&cx.principal)?.person;
    let token = access.tokens()?.into_iter().find(|token| token.id == args.id);
    // The same words for another's token and for none: ids of others' tokens do not leak.
    let unknown = || Fault::not_found("no token of yours has this id").hint("your own page shows them");
    let token = token.ok_or_else(unknown)?;
    if me.is_none() || access.person(&token.identity())? != me {
        return Err(unknown());
    }
    view::token(cx, &access.revoke_token(&token.id).await?)
}
