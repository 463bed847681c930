//! `person.get`: who the caller is here, and which tokens are theirs.

use crate::access::person::Identity;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::token::view;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "person.get",
    title: "Yourself",
    about: "Who you are here: role, person, the identities linked to you, and the API tokens that are yours; never the tokens themselves.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(5),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// For people to read.
    name: String,
    /// ISSUER|SUBJECT.
    identity: String,
    /// read_only, ops_rw, approver or admin.
    role: String,
    /// Absent for an identity that nobody linked to a person.
    person: Option<String>,
    /// The local user, where the caller is one.
    user: Option<String>,
    /// When the password was set.
    password_set_at: Option<String>,
    /// Further identities of the same person.
    identities: Vec<String>,
    /// Tokens of the same person, as `token.list` has them.
    tokens: Vec<Map<String, Value>>,
}

async fn run(cx: &Cx, _args: Args) -> Result<Answer, Fault> {
    let access = &cx.world.access;
    let actor = access.actor(&cx.principal)?;
    let user = access.user_of(&actor.identity)?;
    let mut tokens = Vec::new();
    for token in access.tokens()? {
        let whose = access.person(&token.identity())?;
        if actor.person.is_none() || whose != actor.person {
            continue;
        }
        tokens.push(view::token(cx, &token)?);
    }
    let identities = match &actor.person {
        Some(person) => access.identities(person)?,
        None => Vec::new(),
    };
    Ok(Answer {
        name: cx.principal.name.clone(),
        identity: Identity::of(&cx.principal).to_string(),
        role: cx.principal.role.as_str().into(),
        person: actor.person.map(|person| person.to_string()),
        password_set_at: user.as_ref().map(|user| user.password_at.rfc3339()),
        user: user.map(|user| user.name),
        identities,
        tokens,
    })
}
