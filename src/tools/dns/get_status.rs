//! `dns.get_status`: whom the router asks, whether it answers others, how full its cache is. One request.

use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::value;
use crate::tools::context::Cx;
use crate::tools::notes::holding;
use crate::tools::router::{FRESH, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const TOOL: Tool = Tool {
    name: "dns.get_status",
    title: "DNS status",
    about: "A router's DNS: servers set by hand and learnt, DNS over HTTPS, whether it answers the network (allow_remote_requests), and how full the cache is.",
    toolset: "ip",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/ip/dns"],
    // Learnt from DHCP and PPP servers.
    untrusted: &["/dynamic_servers"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// From here on the cache is nearly full.
const NEARLY_FULL_PERCENT: f64 = 90.0;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Answer {
    /// Set by hand, in the order they are asked.
    servers: Vec<String>,
    /// Learnt from DHCP or PPP.
    dynamic_servers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    doh_server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verify_doh_certificate: Option<bool>,
    /// Answers others too; without a firewall that is an open resolver.
    allow_remote_requests: Option<bool>,
    cache_size_bytes: Option<u64>,
    cache_used_bytes: Option<u64>,
    cache_used_percent: Option<f64>,
    cache_max_ttl_seconds: Option<u64>,
    max_udp_packet_size_bytes: Option<u64>,
    max_concurrent_queries: Option<u64>,
    query_server_timeout_seconds: Option<f64>,
    query_total_timeout_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vrf: Option<String>,
    notes: Vec<&'static str>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let dns = router.all("/ip/dns", FRESH).await?;
    let row = dns.first().ok_or_else(|| Fault::not_found(format!("device \"{}\" tells nothing about DNS", router.device.name)))?;
    Ok(answer(row))
}

fn answer(row: View<'_>) -> Answer {
    let dynamic: Vec<String> = row.words("dynamic-servers").into_iter().map(str::to_owned).collect();
    let servers: Vec<String> = row.words("servers").into_iter().map(str::to_owned).collect();
    let (size, used) = (kibibytes(row, "cache-size"), kibibytes(row, "cache-used"));
    let percent = size.zip(used).filter(|(size, _)| *size > 0).map(|(size, used)| (used as f64 * 1000.0 / size as f64).round() / 10.0);
    let doh = row.string("use-doh-server");
    let remote = row.flag("allow-remote-requests");
    let verify = row.flag("verify-doh-cert").filter(|_| doh.is_some());
    let notes = holding([
        (servers.is_empty() && dynamic.is_empty() && doh.is_none(), "no_server"),
        (remote == Some(true), "answers_remote_requests"),
        (verify == Some(false), "doh_certificate_not_checked"),
        (percent.is_some_and(|percent| percent >= NEARLY_FULL_PERCENT), "cache_nearly_full"),
    ]);
    let fraction = |name: &str| row.text(name).and_then(value::span).map(|span| span.as_secs_f64());
    Answer {
        servers,
        dynamic_servers: dynamic,
        verify_doh_certificate: verify,
        doh_server: doh,
        allow_remote_requests: remote,
        cache_size_bytes: size,
        cache_used_bytes: used,
        cache_used_percent: percent,
        cache_max_ttl_seconds: row.seconds("cache-max-ttl"),
        max_udp_packet_size_bytes: row.count("max-udp-packet-size"),
        max_concurrent_queries: row.count("max-concurrent-queries"),
        query_server_timeout_seconds: fraction("query-server-timeout"),
        query_total_timeout_seconds: fraction("query-total-timeout"),
        vrf: row.string("vrf").filter(|vrf| vrf != "main"),
        notes,
    }
}

/// Plain digits are KiB here; the console writes the unit.
fn kibibytes(row: View<'_>, name: &str) -> Option<u64> {
    let text = row.text(name)?;
    match text.parse::<u64>() {
        Ok(kib) => kib.checked_mul(1_024),
        Err(_) => value::bytes(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;

    fn told(row: &str) -> Answer {
        answer(Seen::answered("/ip/dns", row).first().unwrap())
    }

    #[test]
    fn servers_by_hand_and_learnt_stay_apart_and_the_cache_is_in_bytes() {
        let dns = told(
            r#"{"servers":"192.0.2.53,2001:db8::53","dynamic-servers":"198.51.100.1","allow-remote-requests":"true","cache-size":"2048","cache-used":"1946",
                "cache-max-ttl":"1w","query-server-timeout":"2s","query-total-timeout":"10s500ms","use-doh-server":"","verify-doh-cert":"false","vrf":"main"}"#,
        );
        assert_eq!((dns.servers.len(), dns.dynamic_servers.as_slice()), (2, ["198.51.100.1".to_owned()].as_slice()));
        assert_eq!((dns.cache_size_bytes, dns.cache_used_bytes, dns.cache_used_percent), (Some(2_097_152), Some(1_992_704), Some(95.0)));
        assert_eq!((dns.cache_max_ttl_seconds, dns.query_total_timeout_seconds), (Some(604_800), Some(10.5)));
        assert_eq!((dns.doh_server, dns.verify_doh_certificate, dns.vrf), (None, None, None));
        assert_eq!(dns.notes, ["answers_remote_requests", "cache_nearly_full"]);
    }

    #[test]
    fn a_router_that_asks_nobody_says_so() {
        let dns =
            told(r#"{"servers":"","dynamic-servers":"","allow-remote-requests":"false","cache-size":"2048KiB","cache-used":"25.5KiB"}"#);
        assert_eq!(dns.notes, ["no_server"]);
        assert_eq!((dns.cache_size_bytes, dns.cache_used_bytes, dns.cache_used_percent), (Some(2_097_152), Some(26_112), Some(1.2)));
        let doh = told(r#"{"servers":"","use-doh-server":"https://dns.example/dns-query","verify-doh-cert":"no"}"#);
        assert_eq!((doh.notes.as_slice(), doh.verify_doh_certificate), (["doh_certificate_not_checked"].as_slice(), Some(false)));
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        for seen in crate::tools::samples::odd("/ip/dns") {
            answer(seen.first().unwrap());
        }
    }
}
