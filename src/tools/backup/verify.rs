//! `backup.verify`: opens a backup fully and restores nothing.

use crate::backup::Opener;
use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::backup::view;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "backup.verify",
    title: "Check a backup",
    about: "Opens a backup with its passphrase or identity, compares everything in it with its manifest and opens its store.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(300),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// The backup's name.
    #[schemars(length(min = 1))]
    name: String,
    /// The passphrase it was made with.
    #[schemars(with = "Option<String>")]
    passphrase: Option<Secret>,
    /// An age identity of one of its recipients (AGE-SECRET-KEY-1…). Its name keeps it out of the trail.
    #[schemars(with = "Option<String>")]
    secret_key: Option<Secret>,
}

fn output() -> Map<String, Value> {
    schema::written(&view::members(), &["name", "version", "rows"])
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let opener = match (args.passphrase, args.secret_key) {
        (Some(passphrase), None) => Opener::Passphrase(passphrase),
        (None, Some(identity)) => Opener::Identities(identity),
        _ => return Err(Fault::bad_input("a backup is opened by its passphrase or by an identity").hint("give one of the two")),
    };
    let manifest = cx.world.backups.verify(&args.name, &opener).await?;
    let mut answer = Map::new();
    answer.insert("name".into(), args.name.into());
    answer.insert("made_at".into(), manifest.made_at.clone().into());
    answer.extend(view::manifest(&manifest));
    Ok(answer)
}
