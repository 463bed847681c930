//! `ntp.get_status`: does this router know the time, and from whom.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::router::FRESH;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "ntp.get_status",
    title: "NTP status",
    about: "Whether a router's NTP client is on and synchronized, its servers, offset and stratum.",
    toolset: "system",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/system/ntp/client", "/system/ntp/client/servers"],
    untrusted: &[],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    enabled: Option<bool>,
    mode: Option<String>,
    /// The router's word: synchronized, waiting, stopped …
    status: Option<String>,
    synchronized: bool,
    synced_server: Option<String>,
    synced_stratum: Option<u64>,
    system_offset_ms: Option<f64>,
    servers: Vec<Server>,
}

#[derive(Serialize, JsonSchema)]
struct Server {
    address: String,
    enabled: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let (client, servers) =
        futures_util::try_join!(router.all("/system/ntp/client", FRESH), router.all_if_there("/system/ntp/client/servers", FRESH))?;
    let row = client.first();
    let of = |name: &str| row.and_then(|row| row.string(name));
    let mut listed: Vec<Server> = servers
        .iter()
        .flat_map(|seen| {
            seen.iter().filter_map(|row| Some(Server { address: row.string("address")?, enabled: !row.is("disabled") })).collect::<Vec<_>>()
        })
        .collect();
    if listed.is_empty() {
        // The client's own list repeats the servers; it is all there is where the submenu cannot be read.
        let names = of("servers").unwrap_or_default();
        listed = names.split(',').filter(|name| !name.is_empty()).map(|name| Server { address: name.to_owned(), enabled: true }).collect();
    }
    let status = of("status");
    Ok(Answer {
        enabled: row.and_then(|row| row.flag("enabled")),
        mode: of("mode"),
        synchronized: status.as_deref() == Some("synchronized"),
        status,
        synced_server: of("synced-server"),
        synced_stratum: row.and_then(|row| row.count("synced-stratum")),
        system_offset_ms: of("system-offset").and_then(|text| text.trim_end_matches(" ms").trim().parse().ok()),
        servers: listed,
    })
}
