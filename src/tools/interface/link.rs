//! The state of a wired link, as `/interface/ethernet/monitor once` tells it.
//!
//! ```json
//! {"auto-negotiation":"done","full-duplex":"true","name":"ether1","rate":"1Gbps","status":"link-ok"}
//! ```

use crate::routeros::value;
use crate::tools::columns::put;
use crate::tools::notes::holding;
use crate::tools::router::View;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// Speed, duplex and module of a wired port.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(super) struct Link {
    /// `link-ok`, `no-link` …
    status: Option<String>,
    rate_bits_per_second: Option<u64>,
    full_duplex: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auto_negotiation: Option<String>,
    /// The fastest that both ends offer.
    #[serde(skip_serializing_if = "Option::is_none")]
    best_common_bits_per_second: Option<u64>,
    /// Readings of an SFP module.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<Map<String, Value>>,
}

/// SFP readings: what the router calls them, and what they are here.
const READINGS: &[(&str, &str)] = &[
    ("sfp-temperature", "temperature_celsius"),
    ("sfp-supply-voltage", "supply_volts"),
    ("sfp-tx-bias-current", "tx_bias_milliamperes"),
    ("sfp-tx-power", "tx_power_dbm"),
    ("sfp-rx-power", "rx_power_dbm"),
    ("sfp-wavelength", "wavelength_nm"),
];

/// SFP facts in words; vendors choose them.
const WORDS: &[(&str, &str)] = &[
    ("sfp-type", "type"),
    ("sfp-vendor-name", "vendor_name"),
    ("sfp-vendor-part-number", "vendor_part_number"),
    ("sfp-vendor-serial", "vendor_serial"),
];

/// SFP alarms.
const ALARMS: &[(&str, &str)] = &[("sfp-module-present", "present"), ("sfp-rx-loss", "rx_loss"), ("sfp-tx-fault", "tx_fault")];

impl Link {
    /// What is odd about it.
    pub(super) fn notes(&self) -> Vec<&'static str> {
        let slow = self.rate_bits_per_second.zip(self.best_common_bits_per_second).is_some_and(|(rate, best)| rate < best);
        // A virtual port says no duplex and no speed.
        let half = self.full_duplex == Some(false) && self.rate_bits_per_second.is_some();
        holding([(half, "half_duplex"), (slow, "slower_than_both_ends_offer")])
    }
}

/// One row of the monitor.
pub(super) fn shape(row: View<'_>) -> Link {
    let mut module = Map::new();
    for (theirs, ours) in READINGS {
        put(&mut module, ours, row.text(theirs).and_then(leading_number).into());
    }
    for (theirs, ours) in WORDS {
        put(&mut module, ours, row.text(theirs).into());
    }
    for (theirs, ours) in ALARMS {
        put(&mut module, ours, row.text(theirs).filter(|text| !text.is_empty()).and_then(value::flag).into());
    }
    Link {
        status: row.string("status"),
        rate_bits_per_second: row.rate("rate"),
        full_duplex: row.text("full-duplex").filter(|text| !text.is_empty()).and_then(value::flag),
        auto_negotiation: row.string("auto-negotiation"),
        best_common_bits_per_second: best(&row.words("advertising"), &row.words("link-partner-advertising")),
        module: Some(module).filter(|module| !module.is_empty()),
    }
}

/// The fastest mode in both lists: `1G-baseT-full` of `10M-baseT-half,…`.
fn best(ours: &[&str], theirs: &[&str]) -> Option<u64> {
    ours.iter().filter(|mode| theirs.contains(mode)).filter_map(|mode| value::rate(mode)).max()
}

/// `-5.4` of `-5.4dBm`.
fn leading_number(text: &str) -> Option<f64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;
    use crate::tools::samples::{odd, sample};
    use serde_json::json;

    fn told(row: &str) -> (Value, Vec<&'static str>) {
        let seen = Seen::answered("/interface/ethernet", row);
        let link = shape(seen.first().unwrap());
        (serde_json::to_value(&link).unwrap(), link.notes())
    }

    #[test]
    fn recorded_links_are_told() {
        let of = |file: &str| sample("/interface/ethernet", file).map(|seen| shape(seen.first().unwrap()));
        let Some(up) = of("rest-7.20.5-hap-ax2/ethernet_monitor_ether1_link_ok_1gbps.json") else { return };
        assert_eq!((up.status.as_deref(), up.rate_bits_per_second, up.full_duplex), (Some("link-ok"), Some(1_000_000_000), Some(true)));
        assert_eq!((up.best_common_bits_per_second, up.notes()), (Some(1_000_000_000), vec![]));
        let down = of("rest-7.20.5-hap-ax2/ethernet_monitor_ether2_no_link.json").unwrap();
        assert_eq!((down.status.as_deref(), down.rate_bits_per_second, down.notes()), (Some("no-link"), None, vec![]));
        let virtual_one = of("rest-misc/ethernet_monitor_once_chr.json").unwrap();
        assert_eq!((virtual_one.rate_bits_per_second, virtual_one.notes()), (None, vec![]));
    }

    #[test]
    fn a_link_is_told_in_bits_per_second() {
        let (link, notes) = told(
            r#"[{"status":"link-ok","rate":"100Mbps","full-duplex":"true","auto-negotiation":"done",
                "advertising":"100M-baseT-full,1G-baseT-full","link-partner-advertising":"10M-baseT-half,100M-baseT-full,1G-baseT-full"}]"#,
        );
        assert_eq!((&link["rate_bits_per_second"], &link["best_common_bits_per_second"]), (&json!(100_000_000), &json!(1_000_000_000)));
        assert_eq!(notes, ["slower_than_both_ends_offer"]);
    }

    #[test]
    fn what_a_port_does_not_tell_is_not_made_up() {
        let (link, notes) = told(r#"[{"name":"ether1","status":"link-ok","auto-negotiation":"done","rate":"","full-duplex":"false"}]"#);
        assert_eq!(link, json!({"status": "link-ok", "rate_bits_per_second": null, "full_duplex": false, "auto_negotiation": "done"}));
        assert!(notes.is_empty());
        let (link, _) = told(r#"[{"status":"no-link","link-partner-advertising":""}]"#);
        assert_eq!(link, json!({"status": "no-link", "rate_bits_per_second": null, "full_duplex": null}));
    }

    #[test]
    fn a_module_is_read_with_and_without_units() {
        let (link, _) = told(
            r#"[{"status":"link-ok","rate":"10Gbps","full-duplex":"true","sfp-module-present":"true","sfp-rx-loss":"false","sfp-temperature":"41C",
                "sfp-rx-power":"-5.42dBm","sfp-tx-power":"-2","sfp-vendor-name":"ACME","sfp-wavelength":"1310nm","sfp-supply-voltage":"3.281V"}]"#,
        );
        assert_eq!(
            link["module"],
            json!({"temperature_celsius": 41.0, "supply_volts": 3.281, "tx_power_dbm": -2.0, "rx_power_dbm": -5.42, "wavelength_nm": 1310.0,
                   "vendor_name": "ACME", "present": true, "rx_loss": false})
        );
    }

    #[test]
    fn no_value_of_a_router_is_too_odd() {
        let monitored = [
            "status",
            "rate",
            "full-duplex",
            "advertising",
            "link-partner-advertising",
            "sfp-temperature",
            "sfp-vendor-name",
            "sfp-rx-loss",
        ];
        for seen in odd("/interface/ethernet") {
            let value = seen.first().unwrap().text("name").unwrap().to_owned();
            let row: Map<String, Value> = monitored.iter().map(|name| ((*name).to_owned(), value.clone().into())).collect();
            let seen = Seen::answered("/interface/ethernet", &json!([row]).to_string());
            shape(seen.first().unwrap()).notes();
        }
    }
}
