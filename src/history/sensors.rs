//! What `/system/health`, `/interface`, `/system/clock`, `/system/ntp/client` and `/log` say about a router's health.
//!
//! Of its health boards answer a list of `name`, `value`, `type` (`cpu-temperature` 47 C, `psu1-state` ok), x86 one object of readings
//! (`cpu-temp`, `12v`), CHR an object without any, and some boards nothing. Names differ from board to board, so they are
//! told apart by what stands in them.

use crate::routeros::Row;
use crate::routeros::value::{Date, date};
use schemars::JsonSchema;
use serde::Serialize;

/// Sensors told of one router at most; real boards have up to a dozen.
const MOST: usize = 24;

/// Readings outside are those of a sensor that is not there.
const CELSIUS: std::ops::RangeInclusive<f64> = -60.0..=200.0;

/// One reading of a sensor.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct Sensor {
    /// As the router calls it: `cpu-temperature`, `psu1-state`.
    pub name: String,
    /// A number, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A word otherwise: `ok`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// `C`, `V`, `RPM` … as the router says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// The sensors of an answer to `/system/health`.
pub fn sensors(rows: &[Row]) -> Vec<Sensor> {
    let mut found = Vec::new();
    for row in rows {
        match (row.get("name"), row.get("value")) {
            (Some(name), Some(value)) => found.extend(sensor(name, value, row.get("type").unwrap_or_default())),
            // Seconds after its start a router may answer with another menu's object.
            _ if row.get("version").is_some() => {}
            _ => {
                let readings = row.attributes().filter(|(name, _)| !name.starts_with("state"));
                found.extend(readings.filter_map(|(name, value)| sensor(name, value, "")));
            }
        }
    }
    found.truncate(MOST);
    found
}

/// Names and words are letters, digits and a few signs; whatever else comes is no sensor of a router.
fn sensor(name: &str, value: &str, unit: &str) -> Option<Sensor> {
    let plain =
        |text: &str| text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'%' | b' '));
    if name.is_empty() || value.is_empty() || !plain(name) || !plain(value) || !plain(unit) {
        return None;
    }
    // `47C`, `23.9 V`: some versions write the unit behind the number.
    let digits = value.trim_end_matches(|c: char| c.is_ascii_alphabetic() || c == '%' || c == ' ');
    let number = digits.parse::<f64>().ok().filter(|number| number.is_finite());
    let unit = match (unit, number) {
        ("", Some(_)) => value[digits.len()..].trim(),
        _ => unit,
    };
    let state = if number.is_none() { Some(value.to_owned()) } else { None };
    Some(Sensor { name: name.to_owned(), value: number, state, unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()) })
}

impl Sensor {
    fn is_heat(&self) -> bool {
        match self.unit.as_deref() {
            Some(unit) => unit == "C",
            None => self.name.contains("temp"),
        }
    }
}

/// The hottest of them, whole degrees.
pub fn hottest(sensors: &[Sensor]) -> Option<i16> {
    let heats = sensors.iter().filter(|one| one.is_heat()).filter_map(|one| one.value).filter(|degrees| CELSIUS.contains(degrees));
    heats.reduce(f64::max).map(|degrees| degrees.round() as i16)
}

/// The supply, tenths of a volt: `voltage`, or the better of several power supplies. Rails inside (`3.3v`) are none.
pub fn supply(sensors: &[Sensor]) -> Option<u16> {
    let of = |wanted: &dyn Fn(&str) -> bool| {
        let volts = sensors.iter().filter(|one| wanted(&one.name)).filter_map(|one| one.value);
        volts.filter(|volts| (0.1..=1_000.0).contains(volts)).reduce(f64::max)
    };
    let volts = of(&|name| name == "voltage").or_else(|| of(&|name| name.starts_with("psu") && name.ends_with("voltage")))?;
    Some((volts * 10.0).round() as u16)
}

/// Power supplies and fans that report a fault, a bit each; `None` where none reports anything.
pub fn failed_parts(sensors: &[Sensor]) -> Option<u8> {
    let mut bits = None;
    for one in sensors {
        let Some(state) = &one.state else { continue };
        let Some(bit) = bit(&one.name) else { continue };
        let well = matches!(state.to_ascii_lowercase().as_str(), "ok" | "good" | "normal" | "on" | "off" | "yes" | "running");
        *bits.get_or_insert(0) |= u8::from(!well) << bit;
    }
    bits
}

/// Which bit a part's state has: `psu2-state` 1, `fan-state` 4, `fan2-state` 5.
fn bit(name: &str) -> Option<u8> {
    let (first, rest) = match (name.strip_prefix("psu"), name.strip_prefix("fan")) {
        (Some(rest), _) => (0, rest),
        (_, Some(rest)) => (4, rest),
        _ => return None,
    };
    let number = rest.strip_suffix("-state").or_else(|| rest.strip_suffix("state"))?;
    let number = if number.is_empty() { 1 } else { number.parse::<u8>().ok()? };
    (1..=4).contains(&number).then(|| first + number - 1)
}

/// How often interfaces lost their link since the start, all together; `None` where none says.
pub fn link_downs(rows: &[Row]) -> Option<u32> {
    let counts = rows.iter().filter_map(|row| row.get("link-downs")?.parse::<u32>().ok());
    counts.reduce(u32::saturating_add)
}

/// The router's clock less `ours`, seconds since 1970, from an answer to `/system/clock`.
pub fn clock_offset(rows: &[Row], ours: i64) -> Option<i64> {
    let row = rows.first()?;
    let Some(Date::At(day, time)) = date(&format!("{} {}", row.get("date")?, row.get("time")?)) else { return None };
    let away = zone_seconds(row.get("gmt-offset")?)?;
    Some(day.and_time(time).and_utc().timestamp() - away - ours)
}

/// Whether the NTP client is synchronized, from an answer to `/system/ntp/client`; `None` where it is off or does not say.
pub fn ntp_synchronized(rows: &[Row]) -> Option<bool> {
    let row = rows.first()?;
    let on = matches!(row.get("enabled")?, "true" | "yes");
    on.then(|| row.get("status").map(|status| status == "synchronized")).flatten()
}

/// `+02:00`, `-04:30` or plain seconds.
fn zone_seconds(text: &str) -> Option<i64> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    match rest.split_once(':') {
        Some((hours, minutes)) => Some(sign * (hours.parse::<i64>().ok()? * 3_600 + minutes.parse::<i64>().ok()? * 60)),
        None => Some(sign * rest.parse::<i64>().ok()?),
    }
}

/// Why the router started last, from its `/log`; in words of our own, for anybody can write a log.
pub fn start_reason(rows: &[Row]) -> Option<&'static str> {
    let is_of_system = |row: &&Row| row.get("topics").is_some_and(|topics| topics.split(',').any(|topic| topic == "system"));
    rows.iter().rev().filter(is_of_system).find_map(|row| reason(row.get("message")?))
}

fn reason(message: &str) -> Option<&'static str> {
    let said = message.to_ascii_lowercase();
    let has = |words: &str| said.contains(words);
    // A login names its user; a user may be called anything.
    if has("login") || has("logged") || has(" by ") && !has("watchdog") && !has("reboot") {
        return None;
    }
    match () {
        () if has("watchdog") => Some("restarted by the watchdog"),
        () if has("kernel failure") => Some("kernel failure before the restart"),
        () if has("out of memory") => Some("out of memory before the restart"),
        () if has("without proper shutdown") => Some("no proper shutdown before: power loss or crash"),
        () if has("reboot") => Some("restarted on request"),
        () => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(json: &str) -> Vec<Row> {
        crate::routeros::rows(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_list_of_sensors_is_read_whatever_they_are_called() {
        let found = sensors(&rows(
            r#"[{".id":"*D","name":"cpu-temperature","type":"C","value":"47"},{"name":"board-temperature1","type":"C","value":"51.6"},
               {"name":"fan1-speed","type":"RPM","value":"0"},{"name":"psu1-voltage","type":"V","value":"0"},{"name":"psu2-voltage","type":"V","value":"12.1"},
               {"name":"psu1-state","type":"","value":"fail"},{"name":"psu2-state","type":"","value":"ok"},{"name":"fan-state","value":"ok"},
               {"name":"power-consumption","type":"W","value":"21.4"},{"name":"x\ny","value":"1"}]"#,
        ));
        assert_eq!(found.len(), 9);
        assert_eq!((hottest(&found), supply(&found), failed_parts(&found)), (Some(52), Some(121), Some(0b1)));
        assert_eq!(found[5].state.as_deref(), Some("fail"));
    }

    #[test]
    fn one_object_of_readings_and_one_without_any_are_read_too() {
        let x86 = sensors(&rows(
            r#"{"12v":"12.05","3.3v":"3.31","cpu-temp":"63","fan1":"900","state":"enabled","state-after-reboot":"enabled"}"#,
        ));
        assert_eq!((hottest(&x86), supply(&x86), failed_parts(&x86)), (Some(63), None, None));
        let old = sensors(&rows(r#"{"temperature":"44C","voltage":"24.2V"}"#));
        assert_eq!((hottest(&old), supply(&old)), (Some(44), Some(242)));
        assert!(sensors(&rows(r#"{"state":"disabled","state-after-reboot":"disabled"}"#)).is_empty());
        assert!(sensors(&rows("[]")).is_empty());
    }

    #[test]
    fn links_and_clock_are_read() {
        assert_eq!(link_downs(&rows(r#"[{"link-downs":"2"},{"name":"lo"},{"link-downs":"5"}]"#)), Some(7));
        assert_eq!(link_downs(&rows(r#"[{"name":"lo"}]"#)), None);
        let noon = 1_795_608_000;
        let clock = |date: &str, time: &str, zone: &str| {
            clock_offset(&rows(&format!(r#"{{"date":"{date}","time":"{time}","gmt-offset":"{zone}"}}"#)), noon)
        };
        assert_eq!(clock("2026-11-25", "14:00:05", "+02:00"), Some(5));
        assert_eq!(clock("nov/25/2026", "07:30:00", "-04:30"), Some(0));
        assert_eq!(clock("1970-01-02", "00:00:00", "+00:00"), Some(86_400 - noon));
        assert_eq!(clock("soon", "07:30:00", "-04:30"), None);
        assert_eq!(clock("2026-11-25", "07:30:00", "x"), None);
    }

    #[test]
    fn only_a_client_that_is_on_can_lack_its_servers() {
        let client = |json: &str| ntp_synchronized(&rows(json));
        assert_eq!(client(r#"{"enabled":"true","status":"synchronized"}"#), Some(true));
        assert_eq!(client(r#"{"enabled":"yes","status":"waiting"}"#), Some(false));
        assert_eq!(client(r#"{"enabled":"false","status":"stopped"}"#), None);
        assert_eq!(client(r#"{"enabled":"true"}"#), None);
        assert_eq!(client(r#"{"version":"7.20"}"#), None, "another menu's answer");
    }

    #[test]
    fn the_log_tells_why_it_started_and_nobody_can_make_it_say_another_thing() {
        let reason = |message: &str, topics: &str| start_reason(&rows(&format!(r#"[{{"topics":"{topics}","message":"{message}"}}]"#)));
        assert_eq!(
            reason("router was rebooted without proper shutdown", "system,error,critical"),
            Some("no proper shutdown before: power loss or crash")
        );
        assert_eq!(
            reason("router was rebooted without proper shutdown by watchdog timer", "system,error,critical"),
            Some("restarted by the watchdog")
        );
        assert_eq!(reason("router rebooted", "system,info"), Some("restarted on request"));
        assert_eq!(reason("login failure for user watchdog from 192.0.2.1 via ssh", "system,error,critical"), None);
        assert_eq!(reason("watchdog", "script,info"), None);
        assert_eq!(reason("user watchdog logged in from 192.0.2.1 via web", "system,info,account"), None);
    }
}
