//! What stands between an open port and a session: the service's own settings, and the user.

use super::view::View;
use super::{Verdict, back};
use crate::sim::access::{self, in_ranges};
use crate::sim::row::Row;

/// A management service: its name and the port it has by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub name: &'static str,
    pub port: u64,
}

/// The services a management station logs in to.
pub(super) const SERVICES: [Kind; 4] =
    [Kind { name: "www-ssl", port: 443 }, Kind { name: "www", port: 80 }, Kind { name: "ssh", port: 22 }, Kind { name: "api", port: 8728 }];

impl Kind {
    /// The port by which we know it: the one this simulated router listens on, or the default where it does not.
    pub fn ours(self, view: &View<'_>) -> u64 {
        let ((tls, plain), ssh) = (view.world.ports, view.world.ssh_port);
        match self.name {
            "www-ssl" => u64::from(tls),
            "www" => u64::from(plain),
            "ssh" if ssh != 0 => u64::from(ssh),
            _ => self.port,
        }
    }

    pub fn ports(self, view: &View<'_>) -> Vec<u64> {
        let mut ports = vec![self.ours(view)];
        if ports[0] != self.port {
            ports.push(self.port);
        }
        ports
    }
}

/// Does the service take a connection that came in by this interface?
pub(super) fn listens(view: &View<'_>, kind: Kind, interface: &str) -> Result<(), (Verdict, String)> {
    let Some(row) = view.named("/ip/service", kind.name) else { return Err((Verdict::Refused, "there is no such service".into())) };
    if row.is("disabled") {
        return Err((Verdict::Refused, format!("/ip/service {} is disabled", kind.name)));
    }
    let port = row.get("port").unwrap_or_default();
    if !kind.ports(view).iter().any(|p| p.to_string() == port) {
        return Err((Verdict::Refused, format!("/ip/service {} moved to port {port}", kind.name)));
    }
    let vrf = row.get("vrf").unwrap_or("main");
    let arrives = back::vrf_of(view, interface);
    if vrf != arrives {
        return Err((Verdict::Refused, format!("/ip/service {} listens in vrf {vrf}, {interface} is in {arrives}", kind.name)));
    }
    let from = view.world.seen_from();
    for list in ["address", "available-from"] {
        if !in_ranges(row.get(list).unwrap_or_default(), from) {
            return Err((Verdict::Closed, format!("/ip/service {} {list} does not have {from}", kind.name)));
        }
    }
    if kind.name == "www-ssl" && !certified(view, row) {
        return Err((Verdict::NoTls, "/ip/service www-ssl has no certificate".into()));
    }
    Ok(())
}

fn certified(view: &View<'_>, service: &Row) -> bool {
    let name = service.get("certificate").unwrap_or("none");
    view.named("/certificate", name).is_some_and(|c| c.get("private-key") != Some("false"))
}

/// May this user work here? `password` is the one we know.
pub(super) fn logs_in(view: &View<'_>, kind: Kind, user: &str, password: Option<&str>) -> Result<(), (Verdict, String)> {
    let denied = |why: String| Err((Verdict::Unauthorized, why));
    if kind.name.starts_with("www") {
        let switch = if kind.name == "www" { "rest-plain" } else { "rest-secure" };
        if view.world.menu("/ip/service/webserver").is_some() && view.single("/ip/service/webserver", switch) == Some("false") {
            return Err((Verdict::Forbidden, format!("/ip/service/webserver has {switch}=no")));
        }
    }
    let Some(row) = view.named("/user", user) else { return denied(format!("there is no user {user}")) };
    if row.is("disabled") {
        return denied(format!("user {user} is disabled"));
    }
    let from = view.world.seen_from();
    if !in_ranges(row.get("address").unwrap_or_default(), from) {
        return denied(format!("user {user} may not log in from {from}"));
    }
    if password.is_some_and(|p| p != row.get("password").unwrap_or_default()) {
        return denied(format!("the password of user {user} is another one"));
    }
    if kind.name == "ssh" && !passwords_count(view, user) {
        return denied(format!("user {user} has a key, and then passwords do not count over ssh"));
    }
    let group = row.get("group").unwrap_or_default();
    let policies = view.named("/user/group", group).and_then(|g| g.get("policy")).unwrap_or_default();
    let may = |policy: &str| policies.split(',').any(|p| p == policy);
    match kind.name {
        "ssh" if !may("ssh") => denied(format!("group {group} lacks ssh")),
        "api" if !may("api") => denied(format!("group {group} lacks api")),
        "www" | "www-ssl" if !may("rest-api") => denied(format!("group {group} lacks rest-api")),
        "www" | "www-ssl" if !may("api") => Err((Verdict::NotPermitted, format!("group {group} lacks api"))),
        _ if !may("read") => Err((Verdict::NotPermitted, format!("group {group} lacks read"))),
        _ => Ok(()),
    }
}

fn passwords_count(view: &View<'_>, user: &str) -> bool {
    let has_key = view.rows("/user/ssh-keys").iter().any(|r| r.get("user") == Some(user));
    access::passwords_count(view.world.model.version, has_key, view.rows("/ip/ssh").first())
}
