//! `backup.create`: everything of this appliance in one encrypted file.

use crate::backup::Lock;
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
    name: "backup.create",
    title: "Make a backup",
    about: "Puts the store, the settings without secrets and the state of the audit trail into one age-encrypted file in backup.path.",
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
    /// Who may open it: age recipients (age1…). Those of backup.recipients unless set.
    #[serde(default)]
    recipients: Vec<String>,
    /// Whoever knows this may open it, instead of recipients; at least 12 characters.
    #[schemars(with = "Option<String>")]
    passphrase: Option<Secret>,
    /// Put the master key in as well: then the backup alone gives every secret back, to whoever opens it.
    #[serde(default)]
    include_master_key: bool,
    /// It is the schedule's: the oldest beyond backup.keep go.
    #[serde(default)]
    scheduled: bool,
}

fn output() -> Map<String, Value> {
    schema::written(&view::members(), &["name", "bytes", "path"])
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let backups = &cx.world.backups;
    let lock = match (args.passphrase, args.recipients) {
        (Some(_), named) if !named.is_empty() => {
            return Err(Fault::bad_input("a backup is for recipients or for a passphrase, not for both").hint("name one of the two"));
        }
        (Some(passphrase), _) => Some(Lock::Passphrase(passphrase)),
        (None, named) if named.is_empty() => None,
        (None, named) => Some(Lock::Recipients(named)),
    };
    let (kept, manifest) = if args.scheduled {
        (backups.scheduled().await?, None)
    } else {
        let (kept, manifest) = backups.create(lock, args.include_master_key).await?;
        (kept, Some(manifest))
    };
    let mut answer = view::kept(&kept);
    answer.insert("path".into(), backups.path(&kept.name)?.display().to_string().into());
    answer.extend(manifest.as_ref().map(view::manifest).unwrap_or_default());
    Ok(answer)
}
