//! Pure checks over made-up routers.

use super::checks::{Report, all};
use super::finding::Severity;
use super::picture::{Menu, Picture};
use crate::routeros::row::Row;
use crate::tools::diagnose::tables::Held;
use chrono::NaiveDate;

/// Rows from lines of `name=value`, without spaces in values.
fn rows(text: &str) -> Vec<Row> {
    let line = |line: &str| Row::from_pairs(line.split_whitespace().map(|pair| pair.split_once('=').unwrap()));
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(line).collect()
}

const GUARDED: &str = "chain=input action=accept connection-state=established,related,untracked
                       chain=input action=drop in-interface-list=!LAN";

/// A router as it should be; `filter` is its input chain, `menus` come over the good ones.
fn router(filter: &str, menus: &[(&'static str, &str)]) -> Picture {
    let mut picture = Picture {
        device: "edge".into(),
        username: "mcp".into(),
        own_port: 443,
        version: Some("7.24.1 (stable)".into()),
        policies: ["read", "write", "test", "api", "rest-api"].map(String::from).to_vec(),
        now: NaiveDate::from_ymd_opt(2026, 11, 25).unwrap().and_hms_opt(0, 0, 0).unwrap(),
        v4: Held::of(
            false,
            rows("address=192.168.88.1/24 interface=bridge\naddress=198.51.100.7/24 interface=ether1"),
            rows("dst-address=0.0.0.0/0 gateway=198.51.100.1%ether1 active=true"),
            Some(rows(filter)),
            rows("list=WAN interface=ether1\nlist=LAN interface=bridge"),
        ),
        ..Picture::default()
    };
    let good = [
        (
            "/ip/service",
            "name=www-ssl port=443 certificate=web dynamic=false\nname=ssh port=22 dynamic=false\nname=telnet port=23 disabled=true",
        ),
        ("/user", "name=anna group=full address=192.168.88.0/24\nname=mcp group=mcp"),
        ("/ip/dns", "allow-remote-requests=true"),
        ("/ip/ssh", "strong-crypto=true"),
        ("/snmp", "enabled=false"),
        ("/ip/socks", "enabled=false"),
        ("/ip/proxy", "enabled=false"),
        ("/ip/upnp", "enabled=false"),
        ("/ip/cloud", "ddns-enabled=auto"),
        ("/ip/neighbor/discovery-settings", "discover-interface-list=LAN"),
        ("/tool/mac-server", "allowed-interface-list=LAN"),
        ("/tool/mac-server/mac-winbox", "allowed-interface-list=LAN"),
        ("/tool/bandwidth-server", "enabled=false authenticate=true"),
        ("/tool/romon", "enabled=false"),
        ("/system/logging/action", "name=remote target=remote remote=192.0.2.5"),
        ("/certificate", "name=web invalid-after=2027-11-25"),
    ];
    for (path, text) in good.iter().chain(menus) {
        picture.menus.insert(path, Menu::Rows(rows(text)));
    }
    picture
}

fn told(report: &Report) -> Vec<(&'static str, Severity)> {
    report.findings.iter().map(|finding| (finding.id, finding.severity)).collect()
}

#[test]
fn a_router_as_it_should_be_has_no_findings() {
    let report = all(&router(GUARDED, &[]));
    assert_eq!(told(&report), []);
    assert!(report.not_checked.is_empty(), "{:?}", report.not_checked);
}

/// Input chain, menu, its rows, and what is found.
type Case<'a> = (&'a str, &'static str, &'a str, &'a [(&'a str, Severity)]);

#[test]
fn each_weakness_is_found_once_with_its_severity() {
    use Severity::{Critical, High, Info, Low, Medium};
    let open_telnet = "chain=input action=accept protocol=tcp dst-port=23\nchain=input action=drop in-interface=ether1";
    let service = "name=www-ssl port=443 certificate=web dynamic=false\n";
    let with = |more: &str| format!("{service}{more}");
    let cases: &[Case<'_>] = &[
        (GUARDED, "/ip/service", &with("name=telnet port=23"), &[("cleartext_service", Medium)]),
        (GUARDED, "/ip/service", &with("name=www port=80"), &[("cleartext_service", Low)]),
        (GUARDED, "/ip/service", &with("name=telnet port=23 connection=true dynamic=true"), &[]),
        (open_telnet, "/ip/service", &with("name=telnet port=23"), &[("exposed_service", Critical)]),
        (open_telnet, "/ip/service", &with("name=telnet port=2323"), &[("cleartext_service", Medium)]),
        (open_telnet, "/ip/service", &with("name=telnet port=23 address=192.168.88.0/24"), &[("cleartext_service", Medium)]),
        (open_telnet, "/ip/service", &with("name=telnet port=23 available-from=192.168.88.0/24"), &[("cleartext_service", Medium)]),
        (open_telnet, "/ip/service", &with("name=winbox port=23"), &[("exposed_service", High)]),
        ("chain=input action=drop in-interface=ether1 protocol=tcp", "/user", "name=mcp group=mcp", &[("open_resolver", Critical)]),
        (GUARDED, "/user", "name=anna group=full", &[("full_user_from_anywhere", Medium)]),
        (GUARDED, "/user", "name=anna group=full disabled=true", &[]),
        (GUARDED, "/user", "name=admin group=read", &[("default_admin", Low)]),
        (GUARDED, "/ip/ssh", "strong-crypto=false", &[("ssh_weak_crypto", Low)]),
        (GUARDED, "/snmp/community", "name=public addresses=::/0 default=true", &[("snmp_default_community", Medium)]),
        (GUARDED, "/snmp/community", "name=public write-access=true", &[("snmp_default_community", High)]),
        (GUARDED, "/snmp/community", "name=public disabled=true", &[]),
        (GUARDED, "/ip/socks", "enabled=true port=1080", &[("socks_on", High)]),
        (GUARDED, "/ip/proxy", "enabled=yes", &[("proxy_on", Medium)]),
        (GUARDED, "/ip/upnp", "enabled=true", &[("upnp_on", Medium)]),
        (GUARDED, "/ip/cloud", "ddns-enabled=yes", &[("cloud_ddns", Info)]),
        (GUARDED, "/ip/neighbor/discovery-settings", "discover-interface-list=all", &[("discovery_outside", Low)]),
        (GUARDED, "/ip/neighbor/discovery-settings", "discover-interface-list=!LAN", &[("discovery_outside", Low)]),
        (GUARDED, "/tool/mac-server", "allowed-interface-list=all", &[("mac_telnet_everywhere", Medium)]),
        (GUARDED, "/tool/mac-server", "allowed-interface-list=none", &[]),
        (GUARDED, "/tool/mac-server/mac-winbox", "allowed-interface-list=WAN", &[("mac_winbox_everywhere", Medium)]),
        (GUARDED, "/tool/bandwidth-server", "enabled=true authenticate=true", &[("bandwidth_server", Low)]),
        (GUARDED, "/tool/bandwidth-server", "enabled=true authenticate=false", &[("bandwidth_server", Medium)]),
        (GUARDED, "/tool/romon", "enabled=true", &[("romon_on", Medium)]),
        (
            GUARDED,
            "/system/logging/action",
            "name=memory target=memory\nname=remote target=remote remote=0.0.0.0",
            &[("no_remote_log", Info)],
        ),
        (GUARDED, "/ip/service", "name=www-ssl port=443 certificate=none", &[("no_certificate", Medium)]),
        (GUARDED, "/certificate", "name=web expires-after=2w", &[("certificate_ends", Medium)]),
        (GUARDED, "/certificate", "name=web expired=true", &[("certificate_ends", High)]),
        (GUARDED, "/certificate", "name=web invalid-after=2026-11-24", &[("certificate_ends", High)]),
    ];
    for (filter, path, text, wanted) in cases {
        let report = all(&router(filter, &[(*path, *text)]));
        assert_eq!(told(&report), *wanted, "{path} {text}: {:?}", report.not_checked);
        for finding in &report.findings {
            assert!(!finding.evidence.is_empty() && (finding.fix.is_some() || finding.advice.is_some()), "{finding:?}");
        }
    }
    println!("{} cases", cases.len());
}

#[test]
fn an_open_input_chain_is_told_with_the_rule_or_the_missing_drop() {
    let bare = all(&router("", &[]));
    let ids: Vec<&str> = told(&bare).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["open_resolver", "exposed_service", "exposed_service", "input_not_dropped"]);
    let input = &bare.findings[3];
    assert_eq!(input.fix.as_ref().unwrap()["edits"].as_array().unwrap().len(), 3);
    assert_eq!(input.fix.as_ref().unwrap()["edits"][2]["values"]["in-interface-list"], "WAN");
    let rule = all(&router("chain=input action=accept comment=all", &[]));
    let input = rule.findings.iter().find(|finding| finding.id == "input_not_dropped").unwrap();
    assert!(input.fix.is_none() && input.advice.is_some(), "a drop behind an accept of everything mends nothing");
    assert_eq!(input.evidence[0]["position"], 0);
}

#[test]
fn our_own_way_in_is_never_closed_by_a_fix() {
    let report = all(&router("", &[("/ip/service", "name=www-ssl port=443 certificate=web\nname=ssh port=22")]));
    let of = |name: &str| report.findings.iter().find(|finding| finding.title.starts_with(name)).unwrap();
    assert!(of("www-ssl").fix.is_none() && of("www-ssl").advice.is_some());
    assert_eq!(of("ssh").fix.as_ref().unwrap()["edits"][0]["values"]["address"], "192.168.88.0/24");
    let mut plain = router("", &[("/ip/service", "name=www port=80")]);
    (plain.plain_http, plain.own_port) = (true, 80);
    let report = all(&plain);
    assert!(report.findings.iter().filter(|finding| finding.id == "exposed_service").all(|finding| finding.fix.is_none()));
}

#[test]
fn what_cannot_be_judged_is_said_and_is_no_pass() {
    let mut picture = router("chain=input action=drop content=x", &[]);
    picture.menus.insert("/ip/ssh", Menu::Missing("our user may not read /ip/ssh".into()));
    let report = all(&picture);
    let ids: Vec<&str> = report.not_checked.iter().map(|one| one.id).collect();
    for id in ["ssh_weak_crypto", "exposed_service", "input_not_dropped", "open_resolver"] {
        assert!(ids.contains(&id), "{id}: {ids:?}");
    }
    assert_eq!(told(&report), []);
    let mut picture = router(GUARDED, &[]);
    picture.v4 = Held::of(false, Vec::new(), Vec::new(), None, Vec::new());
    picture.version = None;
    let report = all(&picture);
    assert!(report.not_checked.iter().any(|one| one.id == "old_version"));
    assert!(report.not_checked.iter().any(|one| one.reason.contains("no uplink")), "{:?}", report.not_checked);
}

#[test]
fn ipv6_counts_where_it_is_in_use() {
    let mut picture = router(GUARDED, &[]);
    let six = |filter: &str| {
        let addresses = rows("address=2001:db8:1::1/64 interface=bridge\naddress=2001:db8:ffff::2/64 interface=ether1");
        let members = rows("list=WAN interface=ether1\nlist=LAN interface=bridge");
        Some(Held::of(true, addresses, rows("dst-address=::/0 gateway=fe80::1%ether1 active=true"), Some(rows(filter)), members))
    };
    picture.v6 = six("chain=input action=drop in-interface-list=!LAN");
    assert_eq!(told(&all(&picture)), []);
    picture.v6 = six("chain=input action=drop connection-state=invalid");
    let report = all(&picture);
    let input = report.findings.iter().find(|finding| finding.id == "input6_not_dropped").unwrap();
    assert!(input.fix.as_ref().unwrap()["edits"].as_array().unwrap().iter().all(|edit| edit["menu"] == "/ipv6/firewall/filter"));
    assert!(report.findings.iter().any(|finding| finding.id == "exposed_service"), "services listen on IPv6 too");
}

#[test]
fn versions_and_flags_are_judged_by_what_the_router_said() {
    for (version, wanted) in [
        ("7.24.1 (stable)", None),
        ("7.25 (stable)", None),
        ("7.20.5 (stable)", Some(Severity::Low)),
        ("7.11.2 (stable)", Some(Severity::High)),
        ("6.49.10 (long-term)", Some(Severity::High)),
    ] {
        let picture = Picture { version: Some(version.into()), ..router(GUARDED, &[]) };
        assert_eq!(all(&picture).findings.first().map(|finding| finding.severity), wanted, "{version}");
    }
    let picture = Picture { flagged: true, ..router(GUARDED, &[]) };
    assert_eq!(told(&all(&picture)), [("device_flagged", Severity::Critical)]);
    let mut picture = router(GUARDED, &[]);
    picture.policies.push("policy".into());
    assert_eq!(told(&all(&picture)), [("own_user_too_strong", Severity::Low)]);
}
