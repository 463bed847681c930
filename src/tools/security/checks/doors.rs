//! What strangers can reach: services, the input chains, the resolver.

use super::Report;
use crate::routeros::flow::net::Block;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::tools::diagnose::tables::Held;
use crate::tools::security::finding::{Finding, Severity};
use crate::tools::security::picture::Picture;
use crate::tools::security::reach::{self, Reach};
use crate::tools::spec::object;
use serde_json::{Value, json};

/// Name, usual port, whether it is encrypted.
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

pub(super) fn services(picture: &Picture, report: &mut Report) {
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

pub(super) fn input(picture: &Picture, report: &mut Report) {
    open_input(picture, &picture.v4, "input_not_dropped", "chain input does not drop what comes from outside", report);
}

pub(super) fn input6(picture: &Picture, report: &mut Report) {
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
        finding.show(object(row));
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

pub(super) fn resolver(picture: &Picture, report: &mut Report) {
    let id = "open_resolver";
    if picture.is_on("/ip/dns", "allow-remote-requests") != Some(true) {
        return;
    }
    let Some(row) = picture.single("/ip/dns") else { return };
    match picture.reach("udp", 53, &[]) {
        Reach::Yes(rows) => {
            let edits = dns_drops(picture, !rows.is_empty());
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

/// Drops of DNS from outside: before the first rule where a rule lets it in, else at the end. None where the first
/// rule cannot be told from others, and where the door is IPv6's.
fn dns_drops(picture: &Picture, by_rule: bool) -> Vec<Value> {
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
    for protocol in ["udp", "tcp"] {
        for (name, value) in outside(&reach::uplinks(&tables), tables.members) {
            let mut values = json!({"chain": "input", "action": "drop", "protocol": protocol, "dst-port": "53", "comment": "from outside"});
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
