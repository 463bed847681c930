//! `firewall.list_connections`: connections tracked now.
//!
//! A busy router tracks hundreds of thousands and REST has no pages: an answer comes whole. So they are counted first,
//! narrowed on the router by what it can compare exactly, and refused when still too many: nothing is read that would have
//! to be thrown away or cut off under way.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::routeros::value::Kind as ValueKind;
use crate::tools::columns::{Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::family::Family;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, STEADY, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::net::IpAddr;

pub(super) const TOOL: Tool = Tool {
    name: "firewall.list_connections",
    title: "Tracked connections",
    about: "Connections a router tracks now, with the busiest sources. Counted first: a table too big to read is refused with a way to narrow it.",
    toolset: "firewall",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(45),
    paths: &["/ip/firewall/connection", "/ipv6/firewall/connection"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &[
        "protocol",
        "src_address",
        "src_port",
        "dst_address",
        "dst_port",
        "tcp_state",
        "timeout_seconds",
        "orig_bytes",
        "reply_bytes",
        "connection_mark",
        "dying",
    ],
    &[
        "orig_bits_per_second",
        "reply_bits_per_second",
        "reply_src_address",
        "reply_dst_address",
        "srcnat",
        "dstnat",
        "fasttrack",
        "assured",
        "seen_reply",
    ],
)
.quiet_flags()
.bytes(8_600);

/// What is asked of each row: two thirds of a row's bytes.
const ASKED: [&str; 20] = [
    "protocol",
    "src-address",
    "src-port",
    "dst-address",
    "dst-port",
    "tcp-state",
    "timeout",
    "orig-bytes",
    "repl-bytes",
    "orig-rate",
    "repl-rate",
    "connection-mark",
    "reply-src-address",
    "reply-dst-address",
    "srcnat",
    "dstnat",
    "fasttrack",
    "assured",
    "seen-reply",
    "dying",
];

/// Most connections read at once: about 3 MB of answer, some seconds of a small router's time.
const MOST_READ: u64 = 10_000;
/// Sources told as the busiest.
const TOP: usize = 5;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Only this protocol: tcp, udp, icmp …
    #[schemars(length(min = 1, max = 32))]
    protocol: Option<String>,
    /// Only from this IP address.
    src_address: Option<String>,
    /// Only to this IP address.
    dst_address: Option<String>,
    /// Only to this port.
    dst_port: Option<u16>,
    /// ipv4 unless set.
    family: Option<Family>,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// Connections by protocol, of all that were read.
    protocols: Vec<Protocol>,
    /// Who moves most bytes, of all that were read.
    top_sources: Vec<Source>,
}

#[derive(Serialize, JsonSchema)]
struct Protocol {
    protocol: String,
    connections: u64,
}

#[derive(Serialize, JsonSchema)]
struct Source {
    src_address: String,
    connections: u64,
    bytes: u64,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let menu = args.family.unwrap_or_default().menu("/firewall/connection");
    let wanted = Wanted::of(&args)?;
    let scope = format!("firewall.list_connections {} {menu} {wanted:?}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let seen = match narrowed(&router, &menu, &wanted).await? {
        Some(query) => Some(router.rows(&menu, query.columns(ASKED), FRESH).await?),
        None => None,
    };
    let mut connections: Vec<Connection<'_>> = seen.iter().flat_map(Seen::iter).map(Connection::of).collect();
    connections.retain(|connection| wanted.fits(connection));
    let (protocols, top_sources) = (protocols(&connections), top(&connections));
    let page = COLUMNS.pick(cx, &scope, &args.list, connections, Connection::key, Connection::row)?;
    Ok(Answer { page, protocols, top_sources })
}

/// The conditions besides `where`.
#[derive(Debug)]
struct Wanted {
    protocol: Option<String>,
    src: Option<IpAddr>,
    dst: Option<IpAddr>,
    dst_port: Option<u16>,
}

impl Wanted {
    fn of(args: &Args) -> Result<Self, Fault> {
        let ip = |name: &str, text: &Option<String>| match text.as_deref().map(str::parse) {
            None => Ok(None),
            Some(Ok(ip)) => Ok(Some(ip)),
            Some(Err(_)) => Err(Fault::bad_input(format!("{name}: not an IP address")).hint("write one address without port or prefix")),
        };
        // Conditions of `where` narrow the question too, as far as they are written as a router would.
        let also = |name: &str| args.list.exact(name);
        Ok(Wanted {
            protocol: args.protocol.clone().or_else(|| also("protocol")).map(|word| word.to_ascii_lowercase()),
            src: ip("src_address", &args.src_address)?.or_else(|| also("src_address")?.parse().ok()),
            dst: ip("dst_address", &args.dst_address)?.or_else(|| also("dst_address")?.parse().ok()),
            dst_port: args.dst_port.or_else(|| also("dst_port")?.parse().ok()),
        })
    }

    fn fits(&self, connection: &Connection<'_>) -> bool {
        let ip = |wanted: Option<IpAddr>, (address, _): (&str, Option<&str>)| wanted.is_none_or(|ip| address.parse() == Ok(ip));
        self.protocol.as_deref().is_none_or(|word| connection.row.text("protocol").is_some_and(|is| is.eq_ignore_ascii_case(word)))
            && ip(self.src, connection.src)
            && ip(self.dst, connection.dst)
            && self.dst_port.is_none_or(|port| connection.dst.1 == Some(port.to_string().as_str()))
    }

    /// What every version compares alike.
    fn sure(&self) -> Query {
        self.protocol.iter().fold(Query::new(), |query, word| query.eq("protocol", word))
    }

    /// With addresses and ports: versions that write `address:port` in one attribute find nothing by these.
    fn exact(&self) -> Option<Query> {
        let pairs = [
            ("src-address", self.src.map(|ip| ip.to_string())),
            ("dst-address", self.dst.map(|ip| ip.to_string())),
            ("dst-port", self.dst_port.map(|port| port.to_string())),
        ];
        if pairs.iter().all(|(_, value)| value.is_none()) {
            return None;
        }
        Some(
            pairs.into_iter().fold(self.sure(), |query, (name, value)| value.into_iter().fold(query, |query, value| query.eq(name, value))),
        )
    }
}

/// A query that few enough connections meet; nothing when none does.
async fn narrowed(router: &Router<'_>, menu: &str, wanted: &Wanted) -> Result<Option<Query>, Fault> {
    let sure = wanted.sure();
    let count = router.count(menu, sure.clone(), STEADY).await?;
    if count <= MOST_READ {
        return Ok(Some(sure));
    }
    let Some(exact) = wanted.exact() else { return Err(too_many(count, wanted)) };
    match router.count(menu, exact.clone(), STEADY).await? {
        // None, or a version that cannot tell: only one that keeps ports apart has looked at addresses.
        0 if router.count(menu, sure.has("src-port"), STEADY).await? > 0 => Ok(None),
        0 => Err(too_many(count, wanted)),
        found if found <= MOST_READ => Ok(Some(exact)),
        found => Err(too_many(found, wanted)),
    }
}

fn too_many(count: u64, wanted: &Wanted) -> Fault {
    let hint = match (&wanted.protocol, wanted.exact()) {
        (None, _) => "narrow it by protocol (icmp, gre, udp …), src_address, dst_address or dst_port",
        (Some(_), None) => "narrow it further by src_address, dst_address or dst_port",
        (Some(_), Some(_)) => "this router cannot narrow it further: diagnose.torch on an interface shows who talks now",
    };
    Fault::bad_input(format!("the router tracks {count} such connections, more than the {MOST_READ} that are read at once")).hint(hint)
}

/// A connection with its ends taken apart.
struct Connection<'a> {
    row: View<'a>,
    src: (&'a str, Option<&'a str>),
    dst: (&'a str, Option<&'a str>),
}

impl<'a> Connection<'a> {
    fn of(row: View<'a>) -> Self {
        Connection { row, src: end(row, "src-address", "src-port"), dst: end(row, "dst-address", "dst-port") }
    }

    fn key(&self) -> String {
        let (src, dst) = (self.src, self.dst);
        format!("{}|{}|{:?}|{}|{:?}", self.row.text("protocol").unwrap_or(""), src.0, src.1, dst.0, dst.1)
    }

    fn bytes(&self) -> u64 {
        let count = |name: &str| self.row.count(name).unwrap_or(0);
        count("orig-bytes").saturating_add(count("repl-bytes"))
    }

    fn row(&self) -> Map<String, Value> {
        let (row, mut out) = (self.row, Map::new());
        let port = |port: Option<&str>| port.and_then(|port| port.parse::<u16>().ok());
        let rate = |name: &str| row.typed(name, ValueKind::Rate);
        put_some(&mut out, "protocol", row.text("protocol"));
        out.insert("src_address".into(), self.src.0.into());
        put_some(&mut out, "src_port", port(self.src.1));
        out.insert("dst_address".into(), self.dst.0.into());
        put_some(&mut out, "dst_port", port(self.dst.1));
        put_some(&mut out, "tcp_state", row.string("tcp-state"));
        put_some(&mut out, "timeout_seconds", row.seconds("timeout"));
        put_some(&mut out, "orig_bytes", row.count("orig-bytes"));
        put_some(&mut out, "reply_bytes", row.count("repl-bytes"));
        put_some(&mut out, "connection_mark", row.string("connection-mark"));
        put_some(&mut out, "orig_bits_per_second", rate("orig-rate"));
        put_some(&mut out, "reply_bits_per_second", rate("repl-rate"));
        put_some(&mut out, "reply_src_address", row.string("reply-src-address"));
        put_some(&mut out, "reply_dst_address", row.string("reply-dst-address"));
        for (ours, theirs) in [
            ("dying", "dying"),
            ("srcnat", "srcnat"),
            ("dstnat", "dstnat"),
            ("fasttrack", "fasttrack"),
            ("assured", "assured"),
            ("seen_reply", "seen-reply"),
        ] {
            put_some(&mut out, ours, row.flag(theirs));
        }
        out
    }
}

/// Address and port: versions write them apart, or as `192.0.2.1:443` and `[2001:db8::1]:443`.
fn end<'a>(row: View<'a>, address: &str, port: &str) -> (&'a str, Option<&'a str>) {
    let text = row.text(address).unwrap_or("");
    let (address, written) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, rest)) => (address, rest.strip_prefix(':')),
        None => match text.split_once(':') {
            Some((address, port)) if !port.contains(':') => (address, Some(port)),
            _ => (text, None),
        },
    };
    (address, row.text(port).filter(|port| !port.is_empty()).or(written))
}

fn protocols(connections: &[Connection<'_>]) -> Vec<Protocol> {
    let mut counts: HashMap<&str, u64> = HashMap::new();
    for connection in connections {
        *counts.entry(connection.row.text("protocol").unwrap_or("unknown")).or_default() += 1;
    }
    let mut counts: Vec<_> = counts.into_iter().collect();
    counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    counts.into_iter().take(TOP).map(|(protocol, connections)| Protocol { protocol: protocol.to_owned(), connections }).collect()
}

fn top(connections: &[Connection<'_>]) -> Vec<Source> {
    let mut sums: HashMap<&str, (u64, u64)> = HashMap::new();
    for connection in connections {
        let sum = sums.entry(connection.src.0).or_default();
        sum.0 += 1;
        sum.1 = sum.1.saturating_add(connection.bytes());
    }
    let mut sums: Vec<_> = sums.into_iter().collect();
    sums.sort_by(|a, b| (b.1.1, b.1.0, a.0).cmp(&(a.1.1, a.1.0, b.0)));
    let source = |(address, (connections, bytes)): (&str, (u64, u64))| Source { src_address: address.to_owned(), connections, bytes };
    sums.into_iter().take(TOP).map(source).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_an_end_are_read() {
        let seen = Seen::answered(
            "/ip/firewall/connection",
            r#"[{"src-address":"192.0.2.1:5555","dst-address":"192.0.2.2"},
               {"src-address":"192.0.2.1","src-port":"5555","dst-address":"192.0.2.2","dst-port":"443"},
               {"src-address":"[2001:db8::1]:5555","dst-address":"2001:db8::2"},
               {"src-address":"2001:db8::1","src-port":"5555","dst-address":"2001:db8::2","dst-port":"443"}]"#,
        );
        let ends: Vec<_> = seen.iter().map(Connection::of).map(|c| (c.src, c.dst)).collect();
        assert_eq!(ends[0], (("192.0.2.1", Some("5555")), ("192.0.2.2", None)));
        assert_eq!(ends[1], (("192.0.2.1", Some("5555")), ("192.0.2.2", Some("443"))));
        assert_eq!(ends[2], (("2001:db8::1", Some("5555")), ("2001:db8::2", None)));
        assert_eq!(ends[3], (("2001:db8::1", Some("5555")), ("2001:db8::2", Some("443"))));
    }

    #[test]
    fn the_busiest_come_first_and_rates_are_numbers() {
        let seen = Seen::answered(
            "/ip/firewall/connection",
            r#"[{"protocol":"udp","src-address":"10.0.0.1:5","dst-address":"10.0.0.9:53","orig-bytes":"10","repl-bytes":"20","timeout":"1m"},
               {"protocol":"tcp","src-address":"10.0.0.2:5","dst-address":"10.0.0.9:80","orig-bytes":"1000","orig-rate":"18.4kbps","tcp-state":"established"},
               {"protocol":"tcp","src-address":"10.0.0.1:6","dst-address":"10.0.0.9:80","orig-bytes":"5"}]"#,
        );
        let all: Vec<Connection<'_>> = seen.iter().map(Connection::of).collect();
        assert_eq!(
            top(&all).iter().map(|s| (s.src_address.as_str(), s.connections, s.bytes)).collect::<Vec<_>>(),
            [("10.0.0.2", 1, 1000), ("10.0.0.1", 2, 35)]
        );
        assert_eq!(protocols(&all)[0].connections, 2);
        assert_eq!((all[1].row()["orig_bits_per_second"].as_u64(), all[0].row()["timeout_seconds"].as_u64()), (Some(18_400), Some(60)));
        assert!(all[2].row().get("timeout_seconds").is_none());
    }
}
