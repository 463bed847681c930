//! `system.get_packages`: what is installed, and whether an update waits.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::STEADY;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "system.get_packages",
    title: "Packages",
    about: "Installed and available RouterOS packages of one router, with version, build time and whether each is enabled.",
    toolset: "system",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/package"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("system.get_packages {}", router.device.id);
    args.list.check(&scope)?;
    let packages = router.all("/system/package", STEADY).await?;
    let rows = packages
        .iter()
        .filter_map(|row| {
            let name = row.string("name")?;
            let mut out = Map::new();
            out.insert("name".into(), name.clone().into());
            out.insert("version".into(), row.string("version").into());
            out.insert("build_time".into(), row.string("build-time").into());
            // Absent `disabled` on a listed package means that it runs; `available` ones are only offered.
            out.insert("enabled".into(), Value::Bool(!row.is("disabled") && !row.is("available")));
            out.insert("available_only".into(), Value::Bool(row.is("available")));
            out.insert("scheduled".into(), row.string("scheduled").into());
            out.insert("size_bytes".into(), row.count("size").into());
            Some((name, out))
        })
        .collect();
    list::cut(cx, &scope, &args.list, rows, |(key, _)| key.clone(), |(_, row)| row.clone())
}
