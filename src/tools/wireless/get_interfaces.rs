//! `wireless.get_interfaces`: the networks a router sends, and on which channels.
//!
//! Three requests at most. What is in use now (channel, clients) `monitor once` tells; what an interface of the newer driver
//! takes from a profile stands in the profile.

use super::channel::{self, Channel};
use super::stack::{self, CAPS_MAN, Stacks, WIRELESS};
use crate::base::fault::{Fault, Kind};
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::columns::{self, Columns, put_some};
use crate::tools::context::Cx;
use crate::tools::list::{ListArgs, Rows};
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(super) const TOOL: Tool = Tool {
    name: "wireless.get_interfaces",
    title: "Wireless interfaces",
    about: "Wireless interfaces with network name, mode, band, channel, width, clients and state, whichever driver or CAPsMAN runs them.",
    toolset: "wireless",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/interface/wifi", "/interface/wifi/configuration", "/interface/wireless", "/caps-man/interface", "/system/package"],
    untrusted: &["/rows/*/ssid", "/rows/*/comment", "/rows/*/radio_name"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

const COLUMNS: Columns = Columns::of(
    &[
        "stack",
        "name",
        "ssid",
        "mode",
        "band",
        "frequency_mhz",
        "width_mhz",
        "clients",
        "running",
        "disabled",
        "inactive",
        "state",
        "tx_power_dbm",
        "comment",
    ],
    &[
        "channel",
        "mac_address",
        "master_interface",
        "configuration",
        "security",
        "country",
        "radio_name",
        "hide_ssid",
        "noise_floor_dbm",
        "cap",
    ],
)
.quiet_flags()
.bytes(9_000);

/// Requests of one call.
const MOST_REQUESTS: usize = 3;

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
    /// The stacks that answered: wifi, wireless, capsman.
    stacks: Vec<&'static str>,
    /// Where no stack answered: the menus this router lacks, with the package that brings each.
    absent: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let scope = format!("wireless.get_interfaces {}", router.device.id);
    COLUMNS.check(&args.list, &scope)?;
    let stacks = stack::stacks(&router).await?;
    let mut asked = Asked { router: &router, left: MOST_REQUESTS, rows: Vec::new(), answered: Vec::new() };
    let wifi = asked.wifi(stacks).await?;
    let (wireless, caps) = asked.wireless(stacks).await?;
    let absent = stack::absent(&[(stack::wifi_menu(stacks), wifi), (WIRELESS, wireless), (CAPS_MAN, caps)]);
    let Asked { rows, answered, .. } = asked;
    let key = |row: &Map<String, Value>| columns::key(row, &["stack", "name"]);
    let page = COLUMNS.pick(cx, &scope, &args.list, rows, key, Map::clone)?;
    Ok(Answer { page, stacks: answered, absent })
}

/// What was asked so far, and how many requests are left.
struct Asked<'a, 'b> {
    router: &'a Router<'b>,
    left: usize,
    rows: Vec<Map<String, Value>>,
    answered: Vec<&'static str>,
}

impl Asked<'_, '_> {
    async fn menu(&mut self, menu: &str) -> Result<Option<Seen>, Fault> {
        self.left = self.left.saturating_sub(1);
        self.router.all_if_there(menu, FRESH).await
    }

    /// Whether the newer driver's menus are there; its interfaces go into the rows.
    async fn wifi(&mut self, stacks: Stacks) -> Result<bool, Fault> {
        let Some(menu) = stacks.wifi else { return Ok(false) };
        let Some(seen) = self.menu(menu).await? else { return Ok(false) };
        self.answered.push("wifi");
        // A profile is looked at only where an interface leaves its name or mode to one.
        let by_profile = |row: View<'_>| row.text("configuration").is_some() && row.text("configuration.ssid").is_none();
        let profiles = if seen.iter().any(by_profile) { self.menu(&format!("{menu}/configuration")).await? } else { None };
        let now = self.monitor(menu, &seen).await?;
        for row in seen.iter() {
            let profile = profiles
                .iter()
                .flat_map(Seen::iter)
                .find(|profile| profile.text("name").is_some() && profile.text("name") == row.text("configuration"));
            self.rows.push(of_wifi(row, profile, now.of(row)));
        }
        Ok(true)
    }

    /// Whether the older driver and its controller are there.
    async fn wireless(&mut self, stacks: Stacks) -> Result<(bool, bool), Fault> {
        if !stacks.wireless {
            return Ok((false, false));
        }
        let own = self.menu(WIRELESS).await?;
        let caps = self.menu("/caps-man/interface").await?;
        if let Some(seen) = &own {
            self.answered.push("wireless");
            let now = self.monitor(WIRELESS, seen).await?;
            self.rows.extend(seen.iter().map(|row| of_wireless(row, now.of(row))));
        }
        if let Some(seen) = &caps {
            self.answered.push("capsman");
            self.rows.extend(seen.iter().map(of_caps));
        }
        Ok((own.is_some(), caps.is_some()))
    }

    /// `monitor once` of what is switched on, if a request is left. A driver that will not say is no failure.
    async fn monitor(&mut self, menu: &str, seen: &Seen) -> Result<Now, Fault> {
        let on: Vec<&str> = seen.iter().filter(|row| !row.is("disabled")).filter_map(|row| row.text(".id")).collect();
        if on.is_empty() || self.left == 0 {
            return Ok(Now::default());
        }
        self.left -= 1;
        match self.router.probe(menu, "monitor", &[("numbers", &on.join(",")), ("once", "")]).await {
            Ok(told) if told.len() == on.len() => Ok(Now { ids: on.into_iter().map(str::to_owned).collect(), told: Some(told) }),
            Ok(_) => Ok(Now::default()),
            Err(fault) if matches!(fault.kind, Kind::NotFound | Kind::Rejected | Kind::RouterDenied) => Ok(Now::default()),
            Err(fault) => Err(fault),
        }
    }
}

/// What `monitor` told, in the order of the ids it was asked for.
#[derive(Default)]
struct Now {
    ids: Vec<String>,
    told: Option<Seen>,
}

impl Now {
    fn of(&self, row: View<'_>) -> Option<View<'_>> {
        let at = self.ids.iter().position(|id| Some(id.as_str()) == row.text(".id"))?;
        self.told.as_ref()?.iter().nth(at)
    }
}

/// Channel, band and width: in use now if that is known, else as configured.
fn tune(out: &mut Map<String, Value>, now: Option<&str>, configured: [Option<&str>; 3]) {
    let [band, width, frequency] = configured;
    let current = now.and_then(Channel::parse).or_else(|| frequency.and_then(Channel::parse));
    let heard = || current.and_then(|c| Some(format!("{}-{}", channel::band(c.frequency_mhz)?, c.standard?)));
    put_some(
        out,
        "band",
        band.map(str::to_owned).or_else(heard).or_else(|| current.and_then(|c| channel::band(c.frequency_mhz)).map(str::to_owned)),
    );
    put_some(out, "frequency_mhz", current.map(|c| c.frequency_mhz));
    put_some(out, "width_mhz", current.and_then(|c| c.width_mhz).or_else(|| width.and_then(widest)));
    put_some(out, "channel", now.or(frequency).map(str::to_owned));
}

/// The widest of `20/40/80mhz`, `20/40mhz-Ce`.
fn widest(text: &str) -> Option<u32> {
    text.split_once("mhz").and_then(|(widths, _)| widths.rsplit('/').next()?.parse().ok())
}

fn of_wifi(row: View<'_>, profile: Option<View<'_>>, now: Option<View<'_>>) -> Map<String, Value> {
    // The interface's own word goes before its profile's, which has no prefix for what is its own.
    let of = |name: &str| {
        let own = row.text(&format!("configuration.{name}")).or_else(|| profile.and_then(|profile| profile.text(name)));
        own.filter(|text| !text.is_empty())
    };
    let also = |name: &str| row.text(name).or_else(|| profile.and_then(|profile| profile.text(name))).filter(|text| !text.is_empty());
    let about = row.text(".about").map(About::of).unwrap_or_default();
    let told = |name: &str| now.and_then(|now| now.text(name)).filter(|text| !text.is_empty());
    let mut out = Map::new();
    out.insert("stack".into(), "wifi".into());
    put_some(&mut out, "name", row.text("name"));
    put_some(&mut out, "ssid", of("ssid").or(about.ssid));
    put_some(&mut out, "mode", of("mode").map(str::to_owned).or(about.mode.map(str::to_ascii_lowercase)));
    tune(&mut out, told("channel").or(about.channel), [also("channel.band"), also("channel.width"), also("channel.frequency")]);
    put_some(&mut out, "clients", told("registered-peers").and_then(|n| n.parse::<u64>().ok()));
    put_some(&mut out, "state", told("state"));
    put_some(&mut out, "tx_power_dbm", told("tx-power").and_then(|n| n.parse::<i64>().ok()));
    put_some(&mut out, "configuration", row.string("configuration"));
    put_some(&mut out, "security", also("security"));
    put_some(&mut out, "country", of("country"));
    put_some(&mut out, "hide_ssid", of("hide-ssid").map(|text| matches!(text, "true" | "yes")));
    put_some(&mut out, "cap", row.string("cap"));
    common(&mut out, row);
    out
}

fn of_wireless(row: View<'_>, now: Option<View<'_>>) -> Map<String, Value> {
    let told = |name: &str| now.and_then(|now| now.text(name)).filter(|text| !text.is_empty());
    let mut out = Map::new();
    out.insert("stack".into(), "wireless".into());
    put_some(&mut out, "name", row.text("name"));
    put_some(&mut out, "ssid", row.string("ssid"));
    put_some(&mut out, "mode", row.string("mode"));
    tune(&mut out, told("channel"), [row.text("band"), row.text("channel-width"), row.text("frequency")]);
    put_some(&mut out, "clients", told("registered-clients").and_then(|n| n.parse::<u64>().ok()));
    put_some(&mut out, "state", told("status"));
    put_some(&mut out, "noise_floor_dbm", told("noise-floor").and_then(super::get_clients::dbm));
    put_some(&mut out, "security", row.string("security-profile"));
    put_some(&mut out, "country", row.string("country"));
    put_some(&mut out, "hide_ssid", row.flag("hide-ssid"));
    put_some(&mut out, "radio_name", row.string("radio-name"));
    common(&mut out, row);
    out
}

fn of_caps(row: View<'_>) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("stack".into(), "capsman".into());
    put_some(&mut out, "name", row.text("name"));
    put_some(&mut out, "ssid", row.string("configuration.ssid"));
    put_some(&mut out, "mode", row.string("configuration.mode"));
    let width = row.text("channel.control-channel-width");
    tune(
        &mut out,
        row.text("current-channel").filter(|text| !text.is_empty()),
        [row.text("channel.band"), width, row.text("channel.frequency")],
    );
    put_some(&mut out, "clients", row.count("current-registered-clients"));
    put_some(&mut out, "state", row.string("current-state"));
    put_some(&mut out, "configuration", row.string("configuration"));
    put_some(&mut out, "security", row.string("security"));
    put_some(&mut out, "country", row.string("configuration.country"));
    put_some(&mut out, "radio_name", row.string("radio-name"));
    common(&mut out, row);
    out
}

fn common(out: &mut Map<String, Value>, row: View<'_>) {
    put_some(out, "running", row.flag("running"));
    put_some(out, "disabled", row.flag("disabled"));
    put_some(out, "inactive", row.flag("inactive"));
    put_some(out, "mac_address", row.string("mac-address"));
    put_some(out, "master_interface", row.string("master-interface").filter(|name| name != "none"));
    put_some(out, "comment", row.string("comment"));
}

/// What the router notes on a row that a controller configured: `mode: AP, SSID: wlan, channel: 2462/n`.
#[derive(Debug, Default, PartialEq, Eq)]
struct About<'a> {
    mode: Option<&'a str>,
    ssid: Option<&'a str>,
    channel: Option<&'a str>,
}

impl<'a> About<'a> {
    /// The name may hold anything, the words around it too: it ends at the last one.
    fn of(text: &'a str) -> Self {
        let Some((mode, rest)) = text.strip_prefix("mode: ").and_then(|rest| rest.split_once(", SSID: ")) else { return About::default() };
        let (ssid, channel) = rest.rsplit_once(", channel: ").map_or((rest, None), |(ssid, channel)| (ssid, Some(channel)));
        About { mode: Some(mode), ssid: Some(ssid).filter(|ssid| !ssid.is_empty()), channel }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_interface_a_controller_configured_tells_its_network_in_a_note() {
        let hostile = About::of("mode: AP, SSID: a, channel: 1, SSID: b, channel: 2462/n");
        assert_eq!(hostile, About { mode: Some("AP"), ssid: Some("a, channel: 1, SSID: b"), channel: Some("2462/n") });
        assert_eq!(About::of("managed by CAPsMAN"), About::default());
        let seen = Seen::answered(
            "/interface/wifi",
            r#"[{".about":"mode: AP, SSID: wlan, channel: 2462/n",".id":"*1","bound":"true","configuration":"cfg1","configuration.manager":"capsman",
                "configuration.mode":"ap","disabled":"false","inactive":"false","master":"true","name":"wifi1","running":"true"}]"#,
        );
        let row = Value::Object(of_wifi(seen.first().unwrap(), None, None));
        assert_eq!(
            (&row["ssid"], &row["mode"], &row["frequency_mhz"], &row["width_mhz"]),
            (&json!("wlan"), &json!("ap"), &json!(2462), &json!(20))
        );
        assert_eq!(row["band"], "2ghz-n");
    }

    #[test]
    fn a_profile_gives_what_the_interface_leaves_out() {
        let seen = Seen::answered(
            "/interface/wifi",
            r#"[{".id":"*1","name":"wifi1","configuration":"cfg","channel.width":"20/40/80mhz","disabled":"false","configuration.ssid":""}]"#,
        );
        let profile = Seen::answered(
            "/interface/wifi/configuration",
            r#"[{"name":"cfg","ssid":"home","mode":"ap","channel.band":"5ghz-ax","security.passphrase":"hush"}]"#,
        );
        let now =
            Seen::answered("/interface/wifi", r#"[{"channel":"5180/ax/Ceee","registered-peers":"3","state":"running","tx-power":"22"}]"#);
        let row = Value::Object(of_wifi(seen.first().unwrap(), profile.first(), now.first()));
        assert_eq!(
            (&row["mode"], &row["band"], &row["width_mhz"], &row["clients"]),
            (&json!("ap"), &json!("5ghz-ax"), &json!(80), &json!(3))
        );
        assert_eq!((&row["frequency_mhz"], &row["tx_power_dbm"]), (&json!(5180), &json!(22)));
        assert!(!row.to_string().contains("hush"));
    }

    #[test]
    fn older_stacks_have_the_same_columns() {
        let wlan = Seen::answered(
            "/interface/wireless",
            r#"[{".id":"*7","band":"2ghz-b/g/n","channel-width":"20/40mhz-XX","disabled":"true","frequency":"auto","mode":"ap-bridge","name":"wlan1","radio-name":"D401","running":"false","ssid":"x","nv2-preshared-key":"hush"}]"#,
        );
        let row = Value::Object(of_wireless(wlan.first().unwrap(), None));
        assert_eq!((&row["band"], &row["disabled"], &row["running"]), (&json!("2ghz-b/g/n"), &json!(true), &json!(false)));
        assert!(row.get("frequency_mhz").is_none() && row["width_mhz"] == 40 && row.get("clients").is_none());
        let caps = Seen::answered(
            "/caps-man/interface",
            r#"[{"current-channel":"2462/20/gn(30dBm)","current-registered-clients":"0","current-state":"running-ap","name":"cap1","master-interface":"none","running":"false"}]"#,
        );
        let row = Value::Object(of_caps(caps.first().unwrap()));
        assert_eq!(
            (&row["frequency_mhz"], &row["clients"], &row["state"], &row["band"]),
            (&json!(2462), &json!(0), &json!("running-ap"), &json!("2ghz-gn"))
        );
        assert!(row.get("master_interface").is_none());
    }
}
