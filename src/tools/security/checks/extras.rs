//! What runs beside the services people log in to: SNMP, proxies, the cloud, layer 2, tests, certificates, logs.

use super::Report;
use crate::routeros::flow::Truth;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::tools::security::finding::{Finding, Severity, set};
use crate::tools::security::picture::Picture;
use crate::tools::security::reach::{self, Reach};
use serde_json::json;

/// A certificate that ends within so many days is reported.
const ENDS_SOON_DAYS: i64 = 30;

pub(super) fn snmp(picture: &Picture, report: &mut Report) {
    for row in picture.rows("/snmp/community").unwrap_or_default() {
        let is = |name: &str| row.get(name).and_then(value::flag);
        if is("disabled") == Some(true) || (is("read-access") == Some(false) && is("write-access") != Some(true)) {
            continue;
        }
        let limits: Vec<&str> = value::list(row.get("addresses").unwrap_or_default()).collect();
        let reach = picture.reach("udp", 161, &limits);
        let severity = match (&reach, is("write-access")) {
            (Reach::Yes(_), Some(true)) => Severity::Critical,
            (Reach::Yes(_), _) | (_, Some(true)) => Severity::High,
            _ => Severity::Medium,
        };
        let named = row.get("name").unwrap_or_default();
        let mut finding = Finding::new(
            "snmp_default_community",
            severity,
            format!("SNMP answers to the community {named}"),
            "the first name everybody tries; it tells interfaces, addresses and neighbours",
        )
        .proof("/snmp/community", row, &["name", "addresses", "write-access"]);
        match reach {
            Reach::Yes(rows) => finding = finding.with(rows),
            Reach::Unknown(why) => report.skipped("snmp_default_community", format!("whether strangers reach udp/161: {why}")),
            Reach::No => {}
        }
        let found = if is("default") == Some(true) { json!({"default": true}) } else { json!({"name": named}) };
        let edit = json!({"menu": "/snmp/community", "op": "disable", "match": found});
        report.found(finding.fix(&picture.device, vec![edit]));
    }
}

pub(super) fn proxies(picture: &Picture, report: &mut Report) {
    for (path, id, severity, title, why) in [
        (
            "/ip/socks",
            "socks_on",
            Severity::High,
            "the SOCKS proxy is on",
            "intruders leave it on to send their traffic through the router",
        ),
        ("/ip/proxy", "proxy_on", Severity::Medium, "the web proxy is on", "an open one serves strangers, and it is rarely needed"),
        ("/ip/upnp", "upnp_on", Severity::Medium, "UPnP is on", "any program inside can open ports to the outside"),
    ] {
        if let Some(row) = picture.single(path).filter(|_| picture.is_on(path, "enabled") == Some(true)) {
            report.found(
                Finding::new(id, severity, title, why)
                    .proof(path, row, &["enabled", "port", "auth-method"])
                    .fix(&picture.device, vec![set(path, json!({"enabled": "no"}))]),
            );
        }
    }
}

pub(super) fn cloud(picture: &Picture, report: &mut Report) {
    if let Some(row) = picture.single("/ip/cloud").filter(|row| row.get("ddns-enabled").is_some_and(|text| matches!(text, "yes" | "true")))
    {
        report.found(
            Finding::new(
                "cloud_ddns",
                Severity::Info,
                "the router tells MikroTik's cloud its address",
                "its name there leads anybody to it",
            )
            .proof("/ip/cloud", row, &["ddns-enabled", "back-to-home-vpn"])
            .advice("turn DDNS off in /ip/cloud if nobody uses the name"),
        );
    }
}

/// What answers on layer 2, where no firewall looks.
pub(super) fn layer2(picture: &Picture, report: &mut Report) {
    let tables = picture.v4.tables();
    let uplinks = reach::uplinks(&tables);
    let has_lan = tables.members.unwrap_or_default().iter().any(|row| row.get("list") == Some("LAN"));
    let lan = if has_lan { "LAN" } else { "none" };
    for (path, attribute, id, severity, title, why) in [
        (
            "/tool/mac-server",
            "allowed-interface-list",
            "mac_telnet_everywhere",
            Severity::Medium,
            "MAC telnet answers on the uplink",
            "it passes every firewall rule and is not encrypted",
        ),
        (
            "/tool/mac-server/mac-winbox",
            "allowed-interface-list",
            "mac_winbox_everywhere",
            Severity::Medium,
            "WinBox by MAC answers on the uplink",
            "it passes every firewall rule",
        ),
        (
            "/ip/neighbor/discovery-settings",
            "discover-interface-list",
            "discovery_outside",
            Severity::Low,
            "the router announces itself on the uplink",
            "its model and version tell which holes to try",
        ),
    ] {
        let Some(row) = picture.single(path) else { continue };
        let Some(text) = row.get(attribute).filter(|text| !text.is_empty()) else { continue };
        let (negated, list) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        if uplinks.is_empty() && text != "all" {
            report.skipped(id, "no uplink is known: no interface list WAN and no default route");
            continue;
        }
        let on = |uplink: &String| match tables.in_interface_list(list, uplink, 0) {
            // Which interfaces came up by themselves is not told, but the router writes their names in angle brackets.
            Truth::Maybe if list == "static" => Truth::from(!uplink.starts_with('<')).unless(negated),
            truth => truth.unless(negated),
        };
        let truths: Vec<Truth> = uplinks.iter().map(on).collect();
        if text == "all" || truths.contains(&Truth::Yes) {
            report.found(
                Finding::new(id, severity, title, why)
                    .proof(path, row, &[attribute])
                    .fix(&picture.device, vec![set(path, json!({attribute: lan}))]),
            );
        } else if truths.contains(&Truth::Maybe) {
            report.skipped(id, format!("which interfaces are in list {list} is not told"));
        }
    }
    if let Some(row) = picture.single("/tool/romon").filter(|_| picture.is_on("/tool/romon", "enabled") == Some(true)) {
        report.found(
            Finding::new("romon_on", Severity::Medium, "RoMON is on", "neighbours on layer 2 can log in past the firewall")
                .proof("/tool/romon", row, &["enabled"])
                .fix(&picture.device, vec![set("/tool/romon", json!({"enabled": "no"}))]),
        );
    }
}

pub(super) fn bandwidth(picture: &Picture, report: &mut Report) {
    let path = "/tool/bandwidth-server";
    let Some(row) = picture.single(path).filter(|_| picture.is_on(path, "enabled") == Some(true)) else { return };
    let open = picture.is_on(path, "authenticate") == Some(false);
    let reach = picture.reach("tcp", 2_000, &[]);
    let severity = match (&reach, open) {
        (Reach::Yes(_), true) => Severity::High,
        (Reach::Yes(_), false) | (_, true) => Severity::Medium,
        _ => Severity::Low,
    };
    let why = if open {
        "whoever reaches it can fill the line and the CPU, without a password"
    } else {
        "it is needed only while somebody tests"
    };
    let mut finding =
        Finding::new("bandwidth_server", severity, "the bandwidth-test server is on", why).proof(path, row, &["enabled", "authenticate"]);
    match reach {
        Reach::Yes(rows) => finding = finding.with(rows),
        Reach::Unknown(why) => report.skipped("bandwidth_server", format!("whether strangers reach tcp/2000: {why}")),
        Reach::No => {}
    }
    report.found(finding.fix(&picture.device, vec![set(path, json!({"enabled": "no"}))]));
}

pub(super) fn certificates(picture: &Picture, report: &mut Report) {
    for row in picture.services().filter(|row| matches!(row.get("name"), Some("www-ssl" | "api-ssl"))) {
        let name = row.get("name").unwrap_or_default();
        if matches!(row.get("certificate"), None | Some("" | "none")) {
            report.found(
                Finding::new(
                    "no_certificate",
                    Severity::Medium,
                    format!("{name} has no certificate"),
                    "without one it only offers anonymous encryption, which anybody on the way can read",
                )
                .proof("/ip/service", row, &["name", "port", "certificate"])
                .advice("make or import a certificate in /certificate and set it on the service"),
            );
        }
    }
    let rows = picture.rows("/certificate").unwrap_or_default();
    for (service, named) in picture.certificates() {
        let Some(row) = rows.iter().find(|row| row.get("name") == Some(named)) else { continue };
        let Some(days) = days_left(row, picture.now) else {
            report.skipped("certificate", format!("when certificate {named} ends is not told"));
            continue;
        };
        if days > ENDS_SOON_DAYS {
            continue;
        }
        let name = service.get("name").unwrap_or_default();
        let (severity, title) = if days < 0 { (Severity::High, "has run out") } else { (Severity::Medium, "runs out within a month") };
        report.found(
            Finding::new(
                "certificate_ends",
                severity,
                format!("the certificate of {name} {title}"),
                "clients that check it refuse the service",
            )
            .proof("/certificate", row, &["name", "invalid-after", "expires-after", "expired"])
            .proof("/ip/service", service, &["name", "certificate"])
            .advice("renew it, set the new one on the service, then pin the device again"),
        );
    }
}

fn days_left(row: &Row, now: chrono::NaiveDateTime) -> Option<i64> {
    if row.get("expired").and_then(value::flag) == Some(true) {
        return Some(-1);
    }
    if let Some(left) = row.get("expires-after").and_then(value::span) {
        return i64::try_from(left.as_secs() / 86_400).ok();
    }
    let end = row.get("invalid-after").and_then(value::date).and_then(value::Date::normal)?;
    let end = chrono::NaiveDate::parse_from_str(end.get(..10)?, "%Y-%m-%d").ok()?;
    Some(end.signed_duration_since(now.date()).num_days())
}

pub(super) fn logging(picture: &Picture, report: &mut Report) {
    let Some(rows) = picture.rows("/system/logging/action") else { return };
    let sends = |row: &Row| row.get("target") == Some("remote") && row.get("remote").is_some_and(|to| !matches!(to, "" | "0.0.0.0" | "::"));
    if !rows.iter().any(sends) {
        let remote = rows.iter().find(|row| row.get("target") == Some("remote"));
        let mut finding = Finding::new(
            "no_remote_log",
            Severity::Info,
            "logs are kept on the router only",
            "who breaks in can wipe them, and a restart does",
        )
        .advice("point an action of target remote to a log server, and send topics to it");
        if let Some(row) = remote {
            finding = finding.proof("/system/logging/action", row, &["name", "target", "remote"]);
        }
        report.found(finding);
    }
}
