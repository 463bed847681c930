//! `alert.set_secret`: what signs messages of the webhook, sealed in the store.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "alert.set_secret",
    title: "Set the secret of the webhook",
    about: "Seals the secret that signs messages of the webhook in the store, in place of the one there. Nobody sees it again.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The secret, as the receiver has it.
    #[schemars(with = "String", length(min = 16, max = 256))]
    secret: Secret,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// Where it is now.
    secret: String,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    cx.world.alerts.set_secret(&args.secret).await?;
    Ok(Answer { secret: "store".into() })
}
