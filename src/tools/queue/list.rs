//! `queue.list`: simple queues and queue trees, what they limit and what goes through now.
//!
//! Pairs of a simple queue are upload and download as its target sees them.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::value;
use crate::tools::columns::{self, Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{self, ListArgs, Rows};
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "queue.list",
    title: "Queues",
    about: "Simple queues and queue trees in order: limits, current rates in bit/s and drops. Upload and download are as the target sees them.",
    toolset: "vpn",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/queue/simple", "/queue/tree"],
    // A queue made for a PPP session bears the name of who dialled in.
    untrusted: &["/rows/*/comment", "/rows/*/name", "/rows/*/target", "/rows/*/parent"],
    input: schema::input::<Args>,
    output: schema::output::<Rows>,
    run: run!(run, list::json),
};

const COLUMNS: Columns = Columns::of(
    &[
        "kind",
        "name",
        "target",
        "parent",
        "packet_mark",
        "max_upload_bits_per_second",
        "max_download_bits_per_second",
        "max_bits_per_second",
        "upload_bits_per_second",
        "download_bits_per_second",
        "bits_per_second",
        "upload_dropped",
        "download_dropped",
        "dropped",
        "disabled",
        "invalid",
        "comment",
    ],
    &[
        "position",
        "dst",
        "dynamic",
        "priority",
        "queue",
        "packet_marks",
        "guaranteed_upload_bits_per_second",
        "guaranteed_download_bits_per_second",
        "guaranteed_bits_per_second",
        "burst_upload_bits_per_second",
        "burst_download_bits_per_second",
        "burst_bits_per_second",
        "total_max_bits_per_second",
        "upload_bytes",
        "download_bytes",
        "bytes",
        "upload_packets",
        "download_packets",
        "packets",
        "queued_bytes",
        "queued_packets",
    ],
)
.quiet_flags()
.bytes(9_600);

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Only simple queues or only trees; both unless set.
    kind: Option<Kind>,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Simple,
    Tree,
}

async fn run(cx: &Cx, args: Args) -> Result<Rows, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("queue.list {} {:?}", router.device.id, args.kind);
    COLUMNS.check(&args.list, &scope)?;
    let (simple, tree) = futures_util::try_join!(
        menu(&router, "/queue/simple", args.kind != Some(Kind::Tree)),
        menu(&router, "/queue/tree", args.kind != Some(Kind::Simple)),
    )?;
    let simple = simple.iter().flat_map(Seen::iter).enumerate().map(|(position, row)| of_simple(position, row));
    let rows: Vec<Map<String, Value>> = simple.chain(tree.iter().flat_map(Seen::iter).map(of_tree)).collect();
    let key = |row: &Map<String, Value>| columns::key(row, &["kind", "name"]);
    COLUMNS.pick(cx, &scope, &args.list, rows, key, Map::clone)
}

async fn menu(router: &Router<'_>, menu: &str, wanted: bool) -> Result<Option<Seen>, Fault> {
    if wanted { router.all(menu, FRESH).await.map(Some) } else { Ok(None) }
}

fn of_simple(position: usize, row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("kind".into(), "simple".into());
    // First match wins, so the place is part of what a queue means.
    out.insert("position".into(), position.into());
    put_some(&mut out, "target", row.string("target"));
    put_some(&mut out, "dst", row.string("dst"));
    put_some(&mut out, "packet_marks", row.string("packet-marks"));
    // Zero is no limit.
    pair(&mut out, row, "max-limit", "max_{}_bits_per_second", Zero::Absent);
    pair(&mut out, row, "limit-at", "guaranteed_{}_bits_per_second", Zero::Absent);
    pair(&mut out, row, "burst-limit", "burst_{}_bits_per_second", Zero::Absent);
    pair(&mut out, row, "rate", "{}_bits_per_second", Zero::Kept);
    pair(&mut out, row, "bytes", "{}_bytes", Zero::Kept);
    pair(&mut out, row, "packets", "{}_packets", Zero::Kept);
    pair(&mut out, row, "dropped", "{}_dropped", Zero::Absent);
    put_some(&mut out, "total_max_bits_per_second", row.text("total-max-limit").and_then(value::rate).filter(|rate| *rate > 0));
    put_some(&mut out, "dynamic", row.flag("dynamic"));
    common(&mut out, row);
    out
}

fn of_tree(row: View<'_>) -> Map<String, Value> {
    let rate = |name: &str| row.text(name).and_then(value::rate);
    let mut out = Map::new();
    out.insert("kind".into(), "tree".into());
    put_some(&mut out, "packet_mark", row.string("packet-mark"));
    put_some(&mut out, "max_bits_per_second", rate("max-limit").filter(|rate| *rate > 0));
    put_some(&mut out, "guaranteed_bits_per_second", rate("limit-at").filter(|rate| *rate > 0));
    put_some(&mut out, "burst_bits_per_second", rate("burst-limit").filter(|rate| *rate > 0));
    put_some(&mut out, "bits_per_second", rate("rate"));
    put_some(&mut out, "bytes", row.count("bytes"));
    put_some(&mut out, "packets", row.count("packets"));
    put_some(&mut out, "dropped", row.count("dropped").filter(|count| *count > 0));
    put_some(&mut out, "queued_bytes", row.count("queued-bytes"));
    put_some(&mut out, "queued_packets", row.count("queued-packets"));
    common(&mut out, row);
    out
}

fn common(out: &mut Map<String, Value>, row: View<'_>) {
    put_some(out, "name", row.text("name"));
    put_some(out, "parent", row.string("parent").filter(|name| name != "none"));
    put_some(out, "priority", row.string("priority"));
    put_some(out, "queue", row.string("queue"));
    put_some(out, "disabled", row.flag("disabled"));
    put_some(out, "invalid", row.flag("invalid"));
    put_some(out, "comment", row.string("comment"));
}

/// What becomes of a zero.
#[derive(PartialEq)]
enum Zero {
    /// It means none: no limit, no drops.
    Absent,
    Kept,
}

/// `upload/download` as two members; `{}` in the name is the direction.
fn pair(out: &mut Map<String, Value>, row: View<'_>, attribute: &str, name: &str, zero: Zero) {
    let Some((up, down)) = row.text(attribute).and_then(value::pair) else { return };
    for (direction, number) in [("upload", up), ("download", down)] {
        let number = Some(number).filter(|number| zero == Zero::Kept || *number > 0);
        put_some(out, &name.replace("{}", direction), number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn pairs_become_upload_and_download_of_the_target() {
        let seen = Seen::answered(
            "/queue/simple",
            r#"[{".id":"*1","bytes":"100/200","disabled":"false","dropped":"0/7","dynamic":"false","limit-at":"0/0","max-limit":"10000000/50M","name":"guest","packets":"1/2",
                "parent":"none","priority":"8/8","queue":"default-small/default-small","rate":"0/1500","target":"10.20.40.0/24","total-max-limit":"0"}]"#,
        );
        let row = Value::Object(of_simple(0, seen.first().unwrap()));
        assert_eq!((&row["max_upload_bits_per_second"], &row["max_download_bits_per_second"]), (&json!(10_000_000), &json!(50_000_000)));
        assert_eq!((&row["upload_bits_per_second"], &row["download_bits_per_second"]), (&json!(0), &json!(1500)));
        assert_eq!((&row["upload_dropped"], &row["download_dropped"]), (&Value::Null, &json!(7)));
        assert!(
            row.get("guaranteed_upload_bits_per_second").is_none()
                && row.get("parent").is_none()
                && row.get("total_max_bits_per_second").is_none()
        );
        assert_eq!((&row["upload_bytes"], &row["download_packets"]), (&json!(100), &json!(2)));
    }

    #[test]
    fn a_tree_has_one_direction() {
        let seen = Seen::answered(
            "/queue/tree",
            r#"[{"bytes":"5","dropped":"0","limit-at":"0","max-limit":"100M","name":"up","packet-mark":"","parent":"global","rate":"64000","disabled":"true"}]"#,
        );
        let row = Value::Object(of_tree(seen.first().unwrap()));
        assert_eq!(
            (&row["max_bits_per_second"], &row["bits_per_second"], &row["parent"]),
            (&json!(100_000_000), &json!(64_000), &json!("global"))
        );
        assert_eq!(row["disabled"], true);
        assert!(row.get("packet_mark").is_none() && row.get("dropped").is_none());
    }
}
