//! The checks, each a pure function of the picture. One that cannot judge says so instead of passing.

use super::finding::{Finding, NotChecked, Severity};
use super::picture::{Menu, Picture};
use crate::routeros::row::Row;
use crate::routeros::version::Version;

mod doors;
mod extras;
mod people;

/// The newest stable version this build knows, and the oldest it knows anything about.
const NEWEST: (u32, u32) = (7, 24);
const OLDEST: (u32, u32) = (7, 12);

/// What came out of all checks.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Worst first.
    pub findings: Vec<Finding>,
    /// Not judged.
    pub not_checked: Vec<NotChecked>,
}

impl Report {
    fn found(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    fn skipped(&mut self, id: &'static str, reason: impl Into<String>) {
        self.not_checked.push(NotChecked { id, reason: reason.into() });
    }
}

/// Runs every check.
pub(super) fn all(picture: &Picture) -> Report {
    let mut report = Report::default();
    for (path, menu) in &picture.menus {
        if let Menu::Missing(reason) = menu {
            report.skipped(id_of(path), reason.clone());
        }
    }
    let checks: &[fn(&Picture, &mut Report)] = &[
        flagged,
        version,
        doors::services,
        doors::input,
        doors::input6,
        doors::resolver,
        people::users,
        people::ourselves,
        people::ssh,
        extras::snmp,
        extras::proxies,
        extras::cloud,
        extras::layer2,
        extras::bandwidth,
        extras::certificates,
        extras::logging,
    ];
    checks.iter().for_each(|check| check(picture, &mut report));
    report.findings.sort_by_key(|finding| finding.severity);
    report
}

/// The check that a menu serves.
fn id_of(path: &str) -> &'static str {
    match path {
        "/ip/service" => "exposed_service",
        "/user" => "weak_user",
        "/ip/dns" => "open_resolver",
        "/ip/ssh" => "ssh_weak_crypto",
        "/snmp" | "/snmp/community" => "snmp_default_community",
        "/ip/socks" => "socks_on",
        "/ip/proxy" => "proxy_on",
        "/ip/upnp" => "upnp_on",
        "/ip/cloud" => "cloud_ddns",
        "/ip/neighbor/discovery-settings" => "discovery_outside",
        "/tool/mac-server" => "mac_telnet_everywhere",
        "/tool/mac-server/mac-winbox" => "mac_winbox_everywhere",
        "/tool/bandwidth-server" => "bandwidth_server",
        "/tool/romon" => "romon_on",
        "/certificate" => "certificate",
        _ => "no_remote_log",
    }
}

fn flagged(picture: &Picture, report: &mut Report) {
    if picture.flagged {
        let row = Row::from_pairs([("flagged", "true")]);
        report.found(
            Finding::new(
                "device_flagged",
                Severity::Critical,
                "RouterOS flagged this device as tampered with",
                "its own analysis at boot found traces of an intruder",
            )
            .proof("/system/device-mode", &row, &["flagged"])
            .advice(
                "take it as broken into: look through scripts, scheduler, users and firewall, reinstall, then clear the flag at the router",
            ),
        );
    }
}

fn version(picture: &Picture, report: &mut Report) {
    let Some(text) = picture.version.as_deref() else { return report.skipped("old_version", "the router did not say its version") };
    let Some(version) = Version::parse(text) else { return report.skipped("old_version", "its version cannot be read") };
    let row = Row::from_pairs([("version", text)]);
    let advice = "plan an upgrade: read the changelog, back up, upgrade RouterOS, then the board's firmware";
    let found = |severity, why: String| {
        Finding::new("old_version", severity, "RouterOS is not the newest", why)
            .proof("/system/resource", &row, &["version"])
            .advice(advice)
    };
    if !version.at_least(OLDEST.0, OLDEST.1) {
        report.found(found(Severity::High, format!("older than {}.{}, the oldest version this build knows", OLDEST.0, OLDEST.1)));
    } else if !version.at_least(NEWEST.0, NEWEST.1) {
        report
            .found(found(Severity::Low, format!("older than the newest stable version known to this build, {}.{}.x", NEWEST.0, NEWEST.1)));
    }
}
