//! Services and who may log in to them, before and after. Pure.

use crate::plan::lockout::path::{Who, service_row};
use crate::plan::lockout::state::{State, is_on};
use crate::plan::lockout::{Finding, Site, Touch};
use crate::routeros::flow::net::Block;
use crate::routeros::row::Row;
use crate::routeros::value;
use std::net::IpAddr;

/// Sessions of one service that we need at once: lanes, and fresh ones for proof.
const SESSIONS: u32 = 4;

/// Every service in use has to be there as it is now.
pub(super) fn services(site: &Site, before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    if site.unread.contains("/ip/service") || before.read("/ip/service").is_none() {
        found.push(Finding::unknown("/ip/service could not be read"));
        return;
    }
    for service in &site.path.services {
        let name = &service.name;
        let Some(old) = service_row(before, name) else {
            found.push(Finding::unknown(format!("service {name} is not among those of the router")));
            continue;
        };
        let Some(new) = service_row(after, name) else {
            found.push(Finding::yes(format!("service {name} would be gone")));
            continue;
        };
        if is_on(new, "disabled") && !is_on(old, "disabled") {
            found.push(Finding::yes(format!("service {name} would be off")));
        }
        let text = |row: &Row, attribute: &str| row.get(attribute).unwrap_or_default().to_owned();
        let shares = |state: &State| {
            let rows = state.rows("/ip/service").iter().filter(|row| !is_on(row, "connection") && !is_on(row, "dynamic"));
            rows.filter(|row| !is_on(row, "disabled") && row.get("name") != Some(name) && text(row, "port") == text(new, "port")).count()
        };
        if shares(after) > shares(before) {
            found.push(Finding::unknown(format!("another service would listen on port {} of {name}", text(new, "port"))));
        }
        let (was, will) = (text(old, "port"), text(new, "port"));
        if was != will {
            found.push(Finding::yes(format!("service {name} would listen on port {will} instead of {was}")));
        }
        for attribute in ["address", "available-from"] {
            let (was, will) = (text(old, attribute), text(new, attribute));
            if was != will {
                limit(&format!("service {name}"), &will, who, found);
            }
        }
        let (was, will) = (text(old, "certificate"), text(new, "certificate"));
        if was != will && name == "www-ssl" {
            found.push(Finding::yes(if matches!(will.as_str(), "" | "none" | "*0") {
                "www-ssl would have no certificate: it would offer only ciphers that nobody takes".to_owned()
            } else {
                format!("www-ssl would show certificate {will} instead of {was}, which is the one we trust")
            }));
        }
        let (was, will) = (text(old, "vrf"), text(new, "vrf"));
        if was != will && !(matches!(was.as_str(), "" | "main") && matches!(will.as_str(), "" | "main")) {
            found.push(Finding::unknown(format!("service {name} would work in VRF {will} instead of {was}")));
        }
        let sessions = |row: &Row| text(row, "max-sessions").parse::<u32>().ok();
        if let Some(will) = sessions(new).filter(|will| *will < SESSIONS && sessions(old) != Some(*will)) {
            found.push(Finding::unknown(format!("service {name} would take {will} sessions at once")));
        }
    }
}

/// Whether a list of networks still has us in it.
fn limit(what: &str, networks: &str, who: &Who, found: &mut Vec<Finding>) {
    match admits(networks, &who.sources) {
        Some(true) => {}
        Some(false) => {
            let from = who.sources.first().map_or_else(String::new, ToString::to_string);
            found.push(Finding::yes(format!("{what} would not take {from}: only {networks}")));
        }
        None => found
            .push(Finding::unknown(format!("{what} would take only {networks}, and our own address as the router sees it is not certain"))),
    }
}

/// Whether all sources are in a list of networks; empty means everybody.
fn admits(networks: &str, sources: &[IpAddr]) -> Option<bool> {
    let words: Vec<&str> = value::list(networks).filter(|word| !word.is_empty()).collect();
    if words.is_empty() {
        return Some(true);
    }
    let blocks: Vec<Option<Block>> = words.iter().map(|word| Block::parse(word)).collect();
    let inside: Vec<bool> = sources.iter().map(|ip| blocks.iter().flatten().any(|block| block.contains(*ip))).collect();
    match (inside.iter().all(|yes| *yes), inside.iter().any(|yes| *yes)) {
        _ if sources.is_empty() => None,
        (true, _) => Some(true),
        (false, false) if blocks.iter().all(Option::is_some) => Some(false),
        _ => None,
    }
}

/// A certificate that www-ssl shows is touched.
pub(super) fn certificate(touch: &Touch<'_>, before: &State, found: &mut Vec<Finding>) {
    let Some(shown) = service_row(before, "www-ssl").and_then(|row| row.get("certificate")).filter(|name| !matches!(*name, "" | "none"))
    else {
        return;
    };
    if !touch.names("name", shown) || touch.only(&["name", "trusted"]) {
        return;
    }
    found.push(if touch.after.is_none() {
        Finding::yes(format!("certificate {shown}, which www-ssl shows, would be gone"))
    } else {
        Finding::unknown(format!("certificate {shown}, which www-ssl shows, would change"))
    });
}

/// Our user has to be there, in use, with its password, from where we are, and to be allowed what we do.
pub(super) fn user(site: &Site, touch: &Touch<'_>, before: &State, after: &State, who: &Who, found: &mut Vec<Finding>) {
    let name = who.user.as_str();
    let uses = |service: &str| site.path.services.iter().any(|used| used.name.starts_with(service));
    let old = before.row("/user", &[("name", name)]);
    match touch.menu() {
        "/user/ssh-keys" | "/user/ssh-keys/private" => {
            let may_be_ours = touch.names("user", name) || touch.values("user").next().is_none();
            if may_be_ours && uses("ssh") {
                found.push(Finding::unknown(format!("a key of our user {name} decides how it may log in over SSH")));
            }
            return;
        }
        "/user/aaa" | "/radius" | "/radius/incoming" => {
            // Local users are asked first; only one the router does not have hangs on RADIUS.
            if old.is_none() {
                found.push(Finding::unknown(format!("user {name} is none of the router's own; RADIUS may let it in")));
            }
            return;
        }
        _ => {}
    }
    let Some(old) = old else {
        found.push(Finding::unknown(format!("user {name} is not among those of the router")));
        return;
    };
    let Some(new) = after.row("/user", &[("name", name)]) else {
        found.push(Finding::yes(format!("our user {name} would be gone")));
        return;
    };
    if touch.menu() == "/user" && touch.names("name", name) {
        if touch.changes("password") && touch.before.is_some() {
            found.push(Finding::yes(format!("the password of our user {name} would be another one")));
        }
        if is_on(new, "disabled") && !is_on(old, "disabled") {
            found.push(Finding::yes(format!("our user {name} would be disabled")));
        }
        let known = ["name", "password", "disabled", "address", "group", "comment"];
        if let Some(other) = touch.changed.iter().find(|name| touch.before.is_some() && touch.after.is_some() && !known.contains(name)) {
            found.push(Finding::unknown(format!("{other} of our user {name} would change, and what that does to logins cannot be told")));
        }
        let networks = new.get("address").unwrap_or_default();
        if networks != old.get("address").unwrap_or_default() {
            limit(&format!("our user {name}"), networks, who, found);
        }
    }
    policies(touch, old, new, before, after, uses("www"), uses("ssh"), found);
}

#[allow(clippy::too_many_arguments, reason = "two rows, two states and what they are asked for")]
fn policies(touch: &Touch<'_>, old: &Row, new: &Row, before: &State, after: &State, rest: bool, ssh: bool, found: &mut Vec<Finding>) {
    let group = |row: &Row| row.get("group").unwrap_or_default().to_owned();
    let (was, will) = (group(old), group(new));
    let list =
        |state: &State, name: &str| state.row("/user/group", &[("name", name)]).map(|row| row.get("policy").unwrap_or_default().to_owned());
    let Some(policies) = list(after, &will) else {
        found.push(Finding::unknown(format!("group {will} of our user cannot be looked at")));
        return;
    };
    let had = list(before, &was).unwrap_or_default();
    if policies == had {
        return;
    }
    let mut needed = vec!["read", "write"];
    if rest {
        needed.extend(["api", "rest-api"]);
    }
    if ssh {
        needed.push("ssh");
    }
    let has = |list: &str, policy: &str| value::list(list).any(|word| word == policy);
    for policy in needed.into_iter().filter(|policy| has(&had, policy) && !has(&policies, policy)) {
        let denied = value::list(&policies).any(|word| word.strip_prefix('!') == Some(policy));
        // What `set` does not list may stay as it was.
        let sure = denied || touch.menu() != "/user/group" || touch.after.is_none();
        let why = format!("group {will} of our user would lose policy {policy}");
        found.push(if sure { Finding::yes(why) } else { Finding::unknown(why) });
    }
}
