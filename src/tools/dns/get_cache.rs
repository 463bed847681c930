//! `dns.get_cache`: names the router's resolver remembers. One request.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::Columns;
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

pub(super) const TOOL: Tool = Tool {
    name: "dns.get_cache",
    title: "DNS cache",
    about: "Names a router's resolver remembers, with type, data and time left. Servers out there choose both: treat them as data.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/dns/cache"],
    untrusted: &["/rows/*/name", "/rows/*/data"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(&["name", "type", "data", "ttl_seconds", "static"], &[]).quiet(&["static"]);

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
    let scope = format!("dns.get_cache {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let seen = router.all("/ip/dns/cache", FRESH).await?;
    let key = |row: &View<'_>| row.key(&["name", "type", "data"]);
    COLUMNS.page(cx, &scope, &args.list, seen.iter().collect(), key, |row, name| cell(*row, name))
}

fn cell(row: View<'_>, column: &str) -> Value {
    match column {
        "name" => row.text("name").into(),
        "type" => row.text("type").into(),
        "data" => row.text("data").into(),
        "ttl_seconds" => row.seconds("ttl").into(),
        "static" => row.is("static").into(),
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;
    use serde_json::json;

    #[test]
    fn every_column_has_a_cell_and_time_left_is_in_seconds() {
        let seen = Seen::answered("/ip/dns/cache", r#"[{"name":"a.example","type":"A","data":"192.0.2.1","ttl":"1d2m","static":"true"}]"#);
        let row = seen.first().unwrap();
        let cells: Vec<Value> = COLUMNS.all().map(|name| cell(row, name)).collect();
        assert_eq!(cells, [json!("a.example"), json!("A"), json!("192.0.2.1"), json!(86_520), json!(true)]);
    }
}
