//! The checks, each a pure function of the picture. One that cannot judge says so instead of passing.

use super::finding::{Finding, NotChecked, Severity, set};
use super::picture::{Menu, Picture};
use super::reach::{self, Reach};
use crate::routeros::flow::Truth;
use crate::routeros::flow::net::Block;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::routeros::version::Version;
use crate::tools::diagnose::tables::Held;
use serde_json::{Value, json};

/// The newest stable version this build knows, and the oldest it knows anything about.
const NEWEST: (u32, u32) = (7, 24);
const OLDEST: (u32, u32) = (7, 12);
/// A certificate that ends within so many days is reported.
const ENDS_SOON_DAYS: i64 = 30;
/// More users of group `full` than a router should have.
const MANY_FULL: usize = 3;

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
        services,
        input,
        input6,
        resolver,
        users,
        ourselves,
        ssh,
        snmp,
        proxies,
        cloud,
        layer2,
        bandwidth,
        certificates,
        logging,
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

/// Name, transport, default port, whether it is encrypted.
const SERVICES: &[(&str, u16, bool)] = &[
    ("telnet", 23, false),
    ("ftp", 21, false),
    ("www", 80, false),
    ("api", 8728, false),
    ("ssh", 22, true),
    ("winbox", 8291, true),
    ("www-ssl", 443, true),
    ("api-ssl", 8729, true),
];

fn services(picture: &Picture, report: &mut Report) {
    let mut clear: Vec<&Row> = Vec::new();
    let mut clear_edits = Vec::new();
    for row in picture.services() {
        let name = row.get("name").unwrap_or_default();
        let Some((_, usual, encrypted)) = SERVICES.iter().find(|(known, ..)| *known == name) else { continue };
        let port = row.get("port").and_then(|text| text.parse().ok()).unwrap_or(*usual);
        let limits: Vec<&str> =
            ["address", "available-from"].iter().flat_map(|name| value::list(row.get(name).unwrap_or_default())).collect();
        if let Some(odd) = limits.iter().find(|limit| Block::parse(limit).is_none()) {
            report.skipped("exposed_service", format!("{name}: its limit {odd} is no network"));
            continue;
        }
        let ours = port == picture.own_port && (name == "www-ssl" || (name == "www" && picture.plain_http));
        match picture.reach("tcp", port, &limits) {
            Reach::Yes(rows) => {
                let severity = if *encrypted { Severity::High } else { Severity::Critical };
                let why = match (encrypted, rows.is_empty()) {
                    (false, _) => format!("tcp/{port} takes logins in clear text from any address"),
                    (true, true) => format!("no rule keeps strangers from tcp/{port}, and the service takes any address"),
                    (true, false) => format!("a rule lets strangers to tcp/{port}, and the service takes any address"),
                };
                let finding = Finding::new("exposed_service", severity, format!("{name} can be reached from outside"), why)
                    .proof("/ip/service", row, &["name", "port", "address"])
                    .with(rows)
                    .fix(&picture.device, guard(picture, row, *encrypted, ours));
                let has_fix = finding.fix.is_some();
                report.found(if has_fix {
                    finding
                } else {
                    finding.advice("limit its address to where you manage from, or drop it in chain input")
                });
            }
            Reach::Unknown(why) => report.skipped("exposed_service", format!("{name} tcp/{port}: {why}")),
            Reach::No if !*encrypted => {
                clear.push(row);
                if !ours {
                    clear_edits.push(service_edit(row, "disable", None));
                }
            }
            Reach::No => {}
        }
    }
    if !clear.is_empty() {
        let names: Vec<&str> = clear.iter().filter_map(|row| row.get("name")).collect();
        let mut finding = Finding::new(
            "cleartext_service",
            if names.iter().any(|name| *name != "www") { Severity::Medium } else { Severity::Low },
            format!("services without encryption are on: {}", names.join(", ")),
            "whoever is in the network sees the passwords; each has an encrypted counterpart",
        );
        for row in clear {
            finding = finding.proof("/ip/service", row, &["name", "port", "address"]);
        }
        report.found(finding.fix(&picture.device, clear_edits));
    }
}

/// Off for what is in clear text, from inside only for the rest; our own way in is left to people.
fn guard(picture: &Picture, row: &Row, encrypted: bool, ours: bool) -> Vec<Value> {
    if ours {
        return Vec::new();
    }
    if !encrypted {
        return vec![service_edit(row, "disable", None)];
    }
    let inside = reach::inside(&picture.v4.tables());
    if inside.is_empty() {
        return Vec::new();
    }
    vec![service_edit(row, "set", Some(json!({"address": inside.join(",")})))]
}

/// Open connections are rows of the same name in newer versions.
fn service_edit(row: &Row, op: &str, values: Option<Value>) -> Value {
    let mut matching = json!({"name": row.get("name").unwrap_or_default()});
    if row.get("dynamic").is_some() {
        matching["dynamic"] = false.into();
    }
    let mut edit = json!({"menu": "/ip/service", "op": op, "match": matching});
    if let Some(values) = values {
        edit["values"] = values;
    }
    edit
}

/// A port nobody listens on tells whether the chain ends in a drop.
const NOBODY: u16 = 40_404;

fn input(picture: &Picture, report: &mut Report) {
    open_input(picture, &picture.v4, "input_not_dropped", "chain input does not drop what comes from outside", report);
}

fn input6(picture: &Picture, report: &mut Report) {
    if let Some(held) = &picture.v6 {
        open_input(picture, held, "input6_not_dropped", "IPv6 chain input does not drop what comes from outside", report);
    }
}

fn open_input(picture: &Picture, held: &Held, id: &'static str, title: &str, report: &mut Report) {
    let menu = if held.is_v6() { "/ipv6/firewall/filter" } else { "/ip/firewall/filter" };
    match reach::from_outside(held, "tcp", NOBODY, &[]) {
        Reach::Yes(rows) => {
            let why = "whatever no rule refuses gets in, so every service that is on is open to strangers";
            let tables = held.tables();
            // Behind a rule that accepts everything, a drop would mend nothing.
            let edits = if rows.is_empty() { drop_edits(&reach::uplinks(&tables), tables.members, menu) } else { Vec::new() };
            let mut finding = Finding::new(id, Severity::High, title, why).with(rows).fix(&picture.device, edits);
            if finding.fix.is_none() {
                finding = finding.advice("the rule shown accepts everything from outside: narrow it, and end chain input with a drop");
            }
            report.found(empty_chain(finding, menu));
        }
        // Nobody comes in by IPv6 where no IPv6 route leads out.
        Reach::Unknown(why) if held.is_v6() && why.starts_with("no uplink") => {}
        Reach::Unknown(why) => report.skipped(id, why),
        Reach::No => {}
    }
}

/// What is not there is proof too.
fn empty_chain(mut finding: Finding, menu: &str) -> Finding {
    if finding.evidence.is_empty() {
        let row = json!({"menu": menu, "chain": "input", "missing": "a rule that drops the rest"});
        finding.show(row.as_object().cloned().unwrap_or_default());
    }
    finding
}

/// Rules at the end of chain input: what belongs to our own connections stays, the rest from outside goes.
fn drop_edits(uplinks: &[String], members: Option<&[Row]>, menu: &str) -> Vec<Value> {
    let add = |values: Value| json!({"menu": menu, "op": "add", "values": values});
    let mut edits = vec![add(
        json!({"chain": "input", "action": "accept", "connection-state": "established,related,untracked", "comment": "answers to our own"}),
    )];
    if menu.starts_with("/ipv6") {
        edits.push(add(json!({"chain": "input", "action": "accept", "protocol": "icmpv6", "comment": "IPv6 does not work without"})));
        edits.push(add(
            json!({"chain": "input", "action": "accept", "protocol": "udp", "dst-port": "546", "src-address": "fe80::/10", "comment": "DHCPv6 client"}),
        ));
    } else {
        edits.push(add(json!({"chain": "input", "action": "accept", "protocol": "icmp", "comment": "ping and path MTU"})));
    }
    for (name, value) in outside(uplinks, members) {
        let mut values = json!({"chain": "input", "action": "drop", "comment": "the rest from outside"});
        values[name] = value.into();
        edits.push(add(values));
    }
    edits
}

fn resolver(picture: &Picture, report: &mut Report) {
    let id = "open_resolver";
    if picture.is_on("/ip/dns", "allow-remote-requests") != Some(true) {
        return;
    }
    let Some(row) = picture.single("/ip/dns") else { return };
    match picture.reach("udp", 53, &[]) {
        Reach::Yes(rows) => {
            let edits = port_drops(picture, "53", &["udp", "tcp"], !rows.is_empty());
            let mut finding = Finding::new(
                id,
                Severity::Critical,
                "the router answers DNS questions of strangers",
                "open resolvers are used to flood others, within hours of being found",
            )
            .proof("/ip/dns", row, &["allow-remote-requests"])
            .with(rows)
            .fix(&picture.device, edits);
            if finding.fix.is_none() {
                finding = finding.advice("drop udp/53 and tcp/53 from outside in chain input, before the rule that lets it in");
            }
            report.found(finding);
        }
        Reach::Unknown(why) => report.skipped(id, why),
        Reach::No => {}
    }
}

/// Drops of one port from outside: before the first rule where a rule lets it in, else at the end. None where the first
/// rule cannot be told from others, and where the door is IPv6's.
fn port_drops(picture: &Picture, port: &str, protocols: &[&str], by_rule: bool) -> Vec<Value> {
    if !matches!(reach::from_outside(&picture.v4, "udp", 53, &[]), Reach::Yes(_)) {
        return Vec::new();
    }
    let tables = picture.v4.tables();
    let filter = tables.filter.unwrap_or_default();
    let first = filter.iter().find(|row| row.get("chain") == Some("input") && row.get("dynamic") != Some("true"));
    let comment = first.and_then(|row| row.get("comment")).filter(|text| !text.is_empty());
    let before = comment.filter(|text| filter.iter().filter(|row| row.get("comment") == Some(text)).count() == 1);
    if by_rule && before.is_none() {
        return Vec::new();
    }
    let mut edits = Vec::new();
    for protocol in protocols {
        for (name, value) in outside(&reach::uplinks(&tables), tables.members) {
            let mut values = json!({"chain": "input", "action": "drop", "protocol": protocol, "dst-port": port, "comment": "from outside"});
            values[name] = value.into();
            let mut edit = json!({"menu": "/ip/firewall/filter", "op": "add", "values": values});
            if let Some(comment) = before.filter(|_| by_rule) {
                edit["place_before"] = json!({"comment": comment});
            }
            edits.push(edit);
        }
    }
    edits
}

/// Matchers of what comes from outside: the list WAN where there is one, each uplink otherwise.
fn outside(uplinks: &[String], members: Option<&[Row]>) -> Vec<(&'static str, String)> {
    let list = members.unwrap_or_default().iter().find_map(|row| row.get("list").filter(|list| list.eq_ignore_ascii_case("wan")));
    match list {
        Some(list) => vec![("in-interface-list", list.to_owned())],
        None => uplinks.iter().map(|name| ("in-interface", name.clone())).collect(),
    }
}

fn users(picture: &Picture, report: &mut Report) {
    let on = |row: &&Row| row.get("disabled").and_then(value::flag) != Some(true);
    let users: Vec<&Row> = picture.rows("/user").unwrap_or_default().iter().filter(on).collect();
    let full: Vec<&&Row> = users.iter().filter(|row| row.get("group") == Some("full")).collect();
    let is_open = |row: &Row| row.get("address").is_none_or(|limit| matches!(limit, "" | "0.0.0.0/0" | "::/0"));
    let show = ["name", "group", "address"];
    let open: Vec<&&&Row> = full.iter().filter(|row| is_open(row)).collect();
    if !open.is_empty() {
        let mut finding = Finding::new(
            "full_user_from_anywhere",
            Severity::Medium,
            "users of group full may come from any address",
            "a stolen password is enough; an address limit asks for the right place too",
        )
        .advice("set address of these users to the networks you manage from");
        for row in open {
            finding = finding.proof("/user", row, &show);
        }
        report.found(finding);
    }
    if let Some(row) = users.iter().find(|row| row.get("name") == Some("admin")) {
        report.found(
            Finding::new(
                "default_admin",
                Severity::Low,
                "the user admin is in use",
                "its name is known to everybody who guesses passwords",
            )
            .proof("/user", row, &show)
            .advice("make users with names of their own, log in with one, then disable admin"),
        );
    }
    if full.len() > MANY_FULL {
        let mut finding = Finding::new(
            "many_full_users",
            Severity::Low,
            format!("{} users of group full", full.len()),
            "each of them can do everything, users included",
        )
        .advice("give groups with only the policies needed");
        for row in full {
            finding = finding.proof("/user", row, &show);
        }
        report.found(finding);
    }
}

/// The appliance should not be able to make itself more than it is.
fn ourselves(picture: &Picture, report: &mut Report) {
    if picture.policies.iter().any(|policy| policy == "policy") {
        let row = Row::from_pairs([("name", picture.username.as_str()), ("policy", "policy")]);
        report.found(
            Finding::new(
                "own_user_too_strong",
                Severity::Low,
                "our own user may change users and groups",
                "with the policy `policy` it could grant itself everything",
            )
            .proof("/user", &row, &["name", "policy"])
            .advice("give it a group with read, write, test, api and rest-api only"),
        );
    }
}

fn ssh(picture: &Picture, report: &mut Report) {
    let on = picture.services().any(|row| row.get("name") == Some("ssh"));
    if let Some(row) = picture.single("/ip/ssh").filter(|_| on && picture.is_on("/ip/ssh", "strong-crypto") == Some(false)) {
        report.found(
            Finding::new(
                "ssh_weak_crypto",
                Severity::Low,
                "SSH takes weak ciphers",
                "old clients may talk it into md5 and 1024-bit key exchange",
            )
            .proof("/ip/ssh", row, &["strong-crypto"])
            .fix(&picture.device, vec![set("/ip/ssh", json!({"strong-crypto": "yes"}))]),
        );
    }
}

fn snmp(picture: &Picture, report: &mut Report) {
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

fn proxies(picture: &Picture, report: &mut Report) {
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

fn cloud(picture: &Picture, report: &mut Report) {
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
fn layer2(picture: &Picture, report: &mut Report) {
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

fn bandwidth(picture: &Picture, report: &mut Report) {
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

fn certificates(picture: &Picture, report: &mut Report) {
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

fn logging(picture: &Picture, report: &mut Report) {
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
