//! What single menus insist on, and what a change leaves behind: derived values, history, log lines.

use super::agenda::timers;
use super::history::{self, Was};
use super::menus::Menu;
use super::refusal::Refusal;
use super::row::Row;
use super::value;
use super::world::World;
use super::{device_mode, generate, live, scripts};
use russh::keys::ssh_key::public::KeyData;
use russh::keys::{HashAlg, PublicKey};

/// Checks and completes a row that is about to be added.
pub(super) fn before_add(world: &mut World, menu: &Menu, row: &mut Row, by: &str) -> Result<(), Refusal> {
    device_mode::may_write(world, menu, row, "add")?;
    let now = live::date_time(world.now());
    match menu.path.as_str() {
        "/ip/firewall/address-list" | "/ipv6/firewall/address-list" => {
            row.put("creation-time", now);
            if row.get("timeout").is_some() {
                row.put("dynamic", "true");
            }
        }
        "/system/scheduler" => {
            row.put("run-count", "0");
            scripts::entry(world, None, row, by)?;
        }
        "/system/script" => scripts::script(world, None, row, by)?,
        "/user/ssh-keys" => ssh_key(world, row)?,
        "/file" => {
            row.put("last-modified", now);
            row.put("size", row.get("contents").unwrap_or_default().len().to_string());
        }
        "/interface/wireguard" => {
            let private = row.get("private-key").map_or_else(|| generate::key(world.seed, &now), String::from);
            row.put("public-key", generate::key(world.seed, &private));
            row.put("private-key", private);
            row.put("running", "true");
        }
        "/interface/bridge" => row.put("mac-address", generate::mac(world.seed, row.get("name").unwrap_or_default())),
        "/user/group" => normal_policy(None, row),
        _ => {}
    }
    generate::set_running(menu, row);
    checks(world, menu, row)
}

/// Checks and completes a row that is about to be changed; `old` is `None` for singletons.
pub(super) fn before_set(world: &mut World, menu: &Menu, old: Option<&Row>, row: &mut Row, by: &str) -> Result<(), Refusal> {
    device_mode::may_write(world, menu, row, "set")?;
    match menu.path.as_str() {
        "/user/group" => normal_policy(old, row),
        "/user" if old.is_some_and(|o| o.get("name") == Some(by)) && row.is("disabled") => {
            // A user who disables itself is not told, and stays.
            row.put("disabled", "false");
        }
        "/system/script" => scripts::script(world, old, row, by)?,
        "/system/scheduler" => scripts::entry(world, old, row, by)?,
        "/system/clock" => scripts::set_clock(world, row)?,
        "/file" => row.put("size", row.get("contents").unwrap_or_default().len().to_string()),
        _ => {}
    }
    if old.is_some_and(|o| o.is("dynamic")) && menu.path != "/ip/firewall/address-list" {
        return Err(Refusal::bad("failure: can not change dynamic"));
    }
    checks(world, menu, row)
}

/// Ed25519 keys are taken from 7.12 on, ECDSA never; what the row shows depends on the version.
fn ssh_key(world: &World, row: &mut Row) -> Result<(), Refusal> {
    let version = world.model.version;
    let wrong = || Refusal::bad("failure: wrong format");
    let key = PublicKey::from_openssh(row.get("key").unwrap_or_default()).map_err(|_| wrong())?;
    let (kind, bits) = match key.key_data() {
        KeyData::Ed25519(_) if version >= (7, 12) => ("ed25519", 256),
        KeyData::Rsa(rsa) => ("rsa", rsa.n().as_bytes().len().saturating_sub(1) * 8),
        _ => return Err(wrong()),
    };
    row.put("key-type", kind);
    if version >= (7, 15) {
        row.put("bits", bits.to_string());
    }
    if version >= (7, 20) {
        row.put("fingerprint", key.fingerprint(HashAlg::Sha256).to_string());
    }
    let owner = key.comment().to_string();
    if !owner.is_empty() {
        row.put(if version >= (7, 21) { "info" } else { "key-owner" }, owner);
    }
    Ok(())
}

fn checks(world: &mut World, menu: &Menu, row: &mut Row) -> Result<(), Refusal> {
    match menu.path.as_str() {
        "/ip/address" => {
            generate::follow_address(row);
            Ok(())
        }
        "/ip/dhcp-server/network" => match row.get("address").and_then(value::prefix) {
            Some((ip, len)) if value::network(ip, len) == ip => Ok(()),
            _ => Err(Refusal::bad("failure: invalid network")),
        },
        "/ip/dhcp-server/lease" => lease(world, row),
        "/ip/dns/static" => dns_static(world, row),
        "/ip/route" => route(world, row),
        _ => Ok(()),
    }
}

fn lease(world: &mut World, row: &Row) -> Result<(), Refusal> {
    let same = |name: &str, other: &Row| row.get(name).is_some() && row.get(name) == other.get(name);
    for other in world.table("/ip/dhcp-server/lease").rows.iter().filter(|r| r.id != row.id && !r.is("dynamic")) {
        if same("mac-address", other) && row.get("server") == other.get("server") {
            return Err(Refusal::bad("failure: already have static lease for this client"));
        }
        if same("address", other) {
            return Err(Refusal::bad("failure: already have static lease with this IP address"));
        }
    }
    Ok(())
}

fn dns_static(world: &mut World, row: &Row) -> Result<(), Refusal> {
    match (row.get("name"), row.get("regexp")) {
        (Some(_), Some(_)) => return Err(Refusal::bad("failure: only name or regexp allowed")),
        (None, None) => return Err(Refusal::bad("failure: name or regexp required")),
        _ => {}
    }
    let key = |r: &Row| ["name", "regexp", "type", "address", "cname", "text", "forward-to"].map(|n| r.get(n).map(String::from));
    let mine = key(row);
    match world.table("/ip/dns/static").rows.iter().any(|r| r.id != row.id && key(r) == mine) {
        true => Err(Refusal::bad("failure: entry already exists")),
        false => Ok(()),
    }
}

fn route(world: &mut World, row: &Row) -> Result<(), Refusal> {
    let Some(gateway) = row.get("gateway").map(String::from) else { return Ok(()) };
    let interfaces = world.rows("/interface");
    for hop in gateway.split(',') {
        let (host, interface) = hop.split_once('%').map_or((hop, None), |(h, i)| (h, Some(i)));
        let is_address = host.split('@').next().is_some_and(|h| h.parse::<std::net::IpAddr>().is_ok());
        let known = |name: &str| interfaces.iter().any(|r| r.get("name") == Some(name));
        if !(is_address || known(host)) || interface.is_some_and(|i| !known(i)) {
            return Err(Refusal::bad("invalid or unexpected argument base"));
        }
    }
    Ok(())
}

/// Refuses to remove rows the router needs, or made itself.
pub(super) fn before_remove(world: &mut World, menu: &Menu, row: &Row) -> Result<(), Refusal> {
    let name = row.get("name").unwrap_or_default();
    match menu.path.as_str() {
        "/user/group" if world.table("/user").rows.iter().any(|u| u.get("group") == Some(name)) => {
            Err(Refusal::bad("failure: group has some users"))
        }
        "/user" if row.get("group") == Some("full") => {
            let others = world.table("/user").rows.iter().filter(|u| u.id != row.id && u.get("group") == Some("full") && !u.is("disabled"));
            if others.count() == 0 { Err(Refusal::bad("failure: last full user can not be removed")) } else { Ok(()) }
        }
        "/ppp/profile" | "/snmp/community" if row.is("default") => Err(Refusal::bad("failure: can not remove default")),
        _ if row.is("dynamic") && menu.path == "/ip/address" => Err(Refusal::bad("failure: can not remove dynamic")),
        _ => Ok(()),
    }
}

/// Policies in a fixed order, the denied ones with `!`; a set changes only what it names.
fn normal_policy(old: Option<&Row>, row: &mut Row) {
    let given: Vec<String> = row.get("policy").unwrap_or_default().split(',').map(String::from).collect();
    let was: Vec<&str> = old.and_then(|o| o.get("policy")).unwrap_or_default().split(',').collect();
    let granted = |p: &str| {
        let now = given.iter().rev().find(|g| g.trim_start_matches('!') == p);
        now.map_or_else(|| was.contains(&p), |g| !g.starts_with('!'))
    };
    let (yes, no): (Vec<&str>, Vec<&str>) = generate::POLICIES.iter().partition(|p| granted(p));
    let words: Vec<String> = yes.iter().map(|p| p.to_string()).chain(no.iter().map(|p| format!("!{p}"))).collect();
    row.put("policy", words.join(","));
}

/// Writes history and log lines as the router does for every change.
pub(super) fn after_write(world: &mut World, menu: &Menu, id: u32, verb: &str, was: Was, by: &str) {
    if menu.path.starts_with("/user") {
        world.logins.clear();
    }
    if menu.path == "/system/script/job" && verb == "removed" {
        if let Some(job) = world.jobs.remove(&id) {
            job.cancel();
        }
        return;
    }
    let what = menu.path.rsplit('/').next().unwrap_or_default();
    let action = format!("{what} {}{verb}", if menu.ordered { "rule " } else { "" });
    let acting = world.acting.clone();
    let recorded = can_be_taken_back(world, menu, id, &was).then(|| history::record(world, menu, id, was, &action, by));
    if menu.path == timers::SCHEDULER {
        timers::sync(world);
    }
    // What a scheduler entry does is told with the number of the action and the command.
    let detail = match (acting.starts_with("scheduler:"), recorded) {
        (true, Some((number, command))) => format!("/action:{number} ({command})"),
        _ => String::new(),
    };
    world.log("system,info", &format!("{action} by {acting}{detail}"));
}

/// Files and passwords are in no history.
fn can_be_taken_back(world: &mut World, menu: &Menu, id: u32, was: &Was) -> bool {
    let password_alone = match was {
        Was::Row(old) if menu.path == "/user" => {
            let now = world.table("/user").rows.iter().find(|r| r.id == Some(id)).cloned().unwrap_or_default();
            let without = |row: &Row| {
                let mut row = row.clone();
                row.take("password");
                row
            };
            without(&now) == without(old)
        }
        _ => false,
    };
    menu.path != "/file" && !password_alone
}
