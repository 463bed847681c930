//! `wireless.get_clients`: who is connected, how well.
//!
//! Three registration tables (newer driver, older driver, older CAPsMAN) in one shape. Host names, and addresses where the
//! table has none, come from this router's DHCP leases, asked for by hardware address, when the clients are few enough for
//! one question.

use super::stack::{self, CAPS_MAN, WIRELESS};
use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::{Filter, Query};
use crate::routeros::value::{Kind as ValueKind, wifi_rate};
use crate::tools::columns::{self, Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, STEADY, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashMap;

pub(super) const TOOL: Tool = Tool {
    name: "wireless.get_clients",
    title: "Wireless clients",
    about: "Connected wireless clients with host name, network, signal in dBm, link rate, band and uptime; weak ones are marked and counted.",
    toolset: "wireless",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &[
        "/interface/wifi/registration-table",
        "/interface/wireless/registration-table",
        "/caps-man/registration-table",
        "/ip/dhcp-server/lease",
        "/system/package",
    ],
    untrusted: &[
        "/rows/*/host_name",
        "/rows/*/ssid",
        "/rows/*/comment",
        "/rows/*/radio_name",
        "/rows/*/eap_identity",
        "/rows/*/client_version",
    ],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &["interface", "mac_address", "host_name", "ssid", "signal_dbm", "weak_signal", "tx_rate_bits_per_second", "band", "uptime_seconds"],
    &[
        "stack",
        "rx_rate_bits_per_second",
        "width_mhz",
        "streams",
        "ip_address",
        "signal_to_noise_db",
        "tx_ccq_percent",
        "rx_ccq_percent",
        "tx_signal_dbm",
        "tx_bits_per_second",
        "rx_bits_per_second",
        "tx_bytes",
        "rx_bytes",
        "tx_packets",
        "rx_packets",
        "last_activity_seconds",
        "auth_type",
        "authorized",
        "vlan_id",
        "radio_name",
        "eap_identity",
        "client_version",
        "distance_km",
        "comment",
    ],
)
.quiet_flags()
.bytes(9_780);

/// Below this a client is likely to be slow or to lose packets, dBm.
const WEAK_DBM: i64 = -75;
/// Most clients whose names are asked for: a question has 256 words, two a client.
const MOST_NAMED: usize = 120;

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    #[serde(flatten)]
    list: ListArgs,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    #[serde(flatten)]
    page: Rows,
    /// Clients with a signal below -75 dBm.
    weak: usize,
    /// The stacks that answered: wifi, wireless, capsman.
    stacks: Vec<&'static str>,
    /// Where no stack answered: the menus this router lacks, with the package that brings each.
    absent: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("wireless.get_clients {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let stacks = stack::stacks(&router).await?;
    let wifi_table = stacks.wifi.map(|menu| format!("{menu}/registration-table"));
    let (wifi, wireless, caps) = futures_util::try_join!(
        table(&router, wifi_table.as_deref()),
        table(&router, stacks.wireless.then_some("/interface/wireless/registration-table")),
        table(&router, stacks.wireless.then_some("/caps-man/registration-table")),
    )?;
    let tables = [("wifi", &wifi), ("wireless", &wireless), ("capsman", &caps)];
    let mut rows: Vec<Map<String, Value>> =
        tables.iter().flat_map(|(stack, seen)| seen.iter().flat_map(Seen::iter).map(|row| client(stack, row))).collect();
    name(&router, &mut rows).await?;
    let weak = rows.iter().filter(|row| row.get("weak_signal") == Some(&Value::Bool(true))).count();
    let key = |row: &Map<String, Value>| columns::key(row, &["mac_address", "interface"]);
    let page = COLUMNS.pick(cx, &scope, &args.list, rows, key, Map::clone)?;
    let absent = stack::absent(&[(stack::wifi_menu(stacks), wifi.is_some()), (WIRELESS, wireless.is_some()), (CAPS_MAN, caps.is_some())]);
    Ok(Answer { page, weak, stacks: tables.iter().filter(|(_, seen)| seen.is_some()).map(|(stack, _)| *stack).collect(), absent })
}

async fn table(router: &Router<'_>, menu: Option<&str>) -> Result<Option<Seen>, Fault> {
    match menu {
        Some(menu) => router.all_if_there(menu, FRESH).await,
        None => Ok(None),
    }
}

/// One client, as answered.
fn client(stack: &str, row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    let [tx, rx] = ["tx-rate", "rx-rate"].map(|name| row.text(name).and_then(wifi_rate));
    let signal = ["signal", "signal-strength", "rx-signal"].iter().find_map(|name| row.text(name).and_then(dbm));
    out.insert("stack".into(), stack.into());
    put_some(&mut out, "interface", row.string("interface"));
    put_some(&mut out, "mac_address", row.string("mac-address"));
    put_some(&mut out, "ssid", row.string("ssid"));
    put_some(&mut out, "signal_dbm", signal);
    out.insert("weak_signal".into(), signal.is_some_and(|dbm| dbm < WEAK_DBM).into());
    put_some(&mut out, "tx_rate_bits_per_second", tx.map(|rate| rate.bits_per_second));
    put_some(&mut out, "band", row.string("band"));
    put_some(&mut out, "uptime_seconds", row.seconds("uptime"));
    put_some(&mut out, "rx_rate_bits_per_second", rx.map(|rate| rate.bits_per_second));
    put_some(&mut out, "width_mhz", tx.or(rx).and_then(|rate| rate.width_mhz));
    put_some(&mut out, "streams", tx.or(rx).and_then(|rate| rate.streams));
    put_some(&mut out, "ip_address", row.string("last-ip").filter(|ip| ip != "0.0.0.0"));
    put_some(&mut out, "signal_to_noise_db", row.text("signal-to-noise").and_then(dbm));
    put_some(&mut out, "tx_ccq_percent", row.typed("tx-ccq", ValueKind::Percent));
    put_some(&mut out, "rx_ccq_percent", row.typed("rx-ccq", ValueKind::Percent));
    put_some(&mut out, "tx_signal_dbm", row.text("tx-signal").or_else(|| row.text("tx-signal-strength")).and_then(dbm));
    put_some(&mut out, "tx_bits_per_second", row.typed("tx-bits-per-second", ValueKind::Rate));
    put_some(&mut out, "rx_bits_per_second", row.typed("rx-bits-per-second", ValueKind::Rate));
    both(&mut out, row, "bytes");
    both(&mut out, row, "packets");
    put_some(&mut out, "last_activity_seconds", row.seconds("last-activity"));
    put_some(&mut out, "auth_type", row.string("auth-type").or_else(|| row.string("authentication-type")));
    put_some(&mut out, "authorized", row.flag("authorized"));
    put_some(&mut out, "vlan_id", row.count("vlan-id"));
    put_some(&mut out, "radio_name", row.string("radio-name"));
    put_some(&mut out, "eap_identity", row.string("eap-identity"));
    put_some(&mut out, "client_version", row.string("routeros-version"));
    put_some(&mut out, "distance_km", row.count("distance"));
    put_some(&mut out, "comment", row.string("comment"));
    out
}

/// `sent,received`, as the router counts towards the client.
fn both(out: &mut Map<String, Value>, row: View<'_>, name: &str) {
    let Some((sent, received)) = row.text(name).and_then(|text| text.split_once(',')) else { return };
    put_some(out, &format!("tx_{name}"), sent.parse::<u64>().ok());
    put_some(out, &format!("rx_{name}"), received.parse::<u64>().ok());
}

/// `-52`, `-67@6Mbps`, `-67dBm@HT20-5`, `-110 dBm`.
pub(super) fn dbm(text: &str) -> Option<i64> {
    let text = text.trim();
    let sign = usize::from(text.starts_with('-'));
    let end = text[sign..].find(|c: char| !c.is_ascii_digit()).map_or(text.len(), |at| at + sign);
    text[..end].parse().ok()
}

/// Adds host names and addresses. That there are none, or that we may not see leases, is no failure of this tool.
async fn name(router: &Router<'_>, rows: &mut [Map<String, Value>]) -> Result<(), Fault> {
    let mac = |row: &Map<String, Value>| row.get("mac_address").and_then(Value::as_str).map(str::to_ascii_uppercase);
    let mut macs: Vec<String> = rows.iter().filter_map(mac).collect();
    macs.sort();
    macs.dedup();
    if macs.is_empty() || macs.len() > MOST_NAMED {
        return Ok(());
    }
    let any = Filter::Any(macs.iter().map(|mac| Filter::eq("mac-address", mac)).collect());
    let query = Query::new().columns(["mac-address", "host-name", "active-address"]).matching(&any);
    let leases = match router.rows_if_there("/ip/dhcp-server/lease", query, STEADY).await {
        Ok(leases) => leases,
        Err(fault) if matches!(fault.kind, Kind::Rejected | Kind::RouterDenied | Kind::BadInput) => None,
        Err(fault) => return Err(fault),
    };
    // The lease in use tells most, and a client may have others.
    let mut known: HashMap<String, (Option<String>, Option<String>)> = HashMap::new();
    for lease in leases.iter().flat_map(Seen::iter) {
        let Some(mac) = lease.text("mac-address") else { continue };
        let (name, address) = known.entry(mac.to_ascii_uppercase()).or_default();
        *name = name.take().or_else(|| lease.string("host-name"));
        *address = address.take().or_else(|| lease.string("active-address"));
    }
    for row in rows {
        let Some((name, address)) = mac(row).and_then(|mac| known.get(&mac).cloned()) else { continue };
        put_some(row, "host_name", name);
        if !row.contains_key("ip_address") {
            put_some(row, "ip_address", address);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn one(stack: &str, menu: &str, json: &str) -> Value {
        Value::Object(client(stack, Seen::answered(menu, json).first().unwrap()))
    }

    #[test]
    fn all_stacks_tell_a_client_in_one_shape() {
        let wifi = one(
            "wifi",
            "/interface/wifi/registration-table",
            r#"{"interface":"wifi1","ssid":"home","mac-address":"BC:C7:46:E7:7F:2D","signal":"-52","tx-rate":"1200.9Mbps-80MHz/2S","rx-rate":"1080600000",
               "uptime":"2h11m3s","band":"5ghz-ax","packets":"91123,60211","bytes":"81234567,9123456","authorized":"true","rx-bits-per-second":"1256"}"#,
        );
        assert_eq!((&wifi["signal_dbm"], &wifi["weak_signal"], &wifi["uptime_seconds"]), (&json!(-52), &json!(false), &json!(7863)));
        assert_eq!((&wifi["tx_rate_bits_per_second"], &wifi["rx_rate_bits_per_second"]), (&json!(1_200_900_000), &json!(1_080_600_000)));
        assert_eq!(
            (&wifi["width_mhz"], &wifi["streams"], &wifi["tx_bytes"], &wifi["rx_packets"]),
            (&json!(80), &json!(2), &json!(81_234_567), &json!(60_211))
        );
        let wireless = one(
            "wireless",
            "/interface/wireless/registration-table",
            r#"{"interface":"wlan1","mac-address":"02:00:00:00:00:01","signal-strength":"-78@6Mbps","tx-ccq":"91","rx-rate":"144.4Mbps-20MHz/2S/SGI","tx-rate":"130Mbps-20MHz/2S","uptime":"1d","radio-name":"CPE","last-ip":"10.0.0.9"}"#,
        );
        assert_eq!(
            (&wireless["signal_dbm"], &wireless["weak_signal"], &wireless["tx_ccq_percent"]),
            (&json!(-78), &json!(true), &json!(91))
        );
        assert_eq!((&wireless["tx_rate_bits_per_second"], &wireless["ip_address"]), (&json!(130_000_000), &json!("10.0.0.9")));
        assert!(wireless.get("band").is_none() && wireless.get("ssid").is_none());
        let caps = one(
            "capsman",
            "/caps-man/registration-table",
            r#"{"interface":"cap1","ssid":"x","mac-address":"02:00:00:00:00:02","rx-signal":"-60","tx-rate":"65Mbps","uptime":"5s150ms"}"#,
        );
        assert_eq!(
            (&caps["signal_dbm"], &caps["uptime_seconds"], &caps["tx_rate_bits_per_second"]),
            (&json!(-60), &json!(5), &json!(65_000_000))
        );
    }

    #[test]
    fn a_signal_is_read_in_every_spelling() {
        for (text, dbm) in [
            ("-52", Some(-52)),
            ("-67@6Mbps", Some(-67)),
            ("-67dBm@HT20-5", Some(-67)),
            ("-110 dBm", Some(-110)),
            ("28", Some(28)),
            ("", None),
            ("weak", None),
            ("-", None),
        ] {
            assert_eq!(super::dbm(text), dbm, "{text}");
        }
    }
}
