//! `backup.list`: the backups in `backup.path`, newest first.

use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::backup::view;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "backup.list",
    title: "List backups",
    about: "Lists the backups in backup.path, newest first, and says who can open scheduled ones and how the last went.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {}

fn output() -> Map<String, Value> {
    let texts = json!({"type": "array", "items": {"type": "string"}});
    let members = [
        ("rows", json!({"type": "array", "items": {"type": "object"}})),
        ("path", json!({"type": "string"})),
        ("keep", json!({"type": "integer"})),
        ("recipients", texts),
        ("last", json!({"type": ["object", "null"]})),
    ];
    schema::written(&members, &["rows", "path", "keep", "recipients"])
}

async fn run(cx: &Cx, _: Args) -> Result<Map<String, Value>, Fault> {
    let (backups, mut answer) = (&cx.world.backups, Map::new());
    let settings = backups.settings();
    answer.insert("rows".into(), backups.list()?.iter().map(|kept| Value::Object(view::kept(kept))).collect());
    answer.insert("path".into(), settings.dir.display().to_string().into());
    answer.insert("keep".into(), settings.keep.into());
    answer.insert("recipients".into(), settings.recipients.clone().into());
    let last = backups.last().map(|last| json!({"at": Wall::rfc3339(last.at), "failed": last.failed}));
    answer.insert("last".into(), last.into());
    Ok(answer)
}
