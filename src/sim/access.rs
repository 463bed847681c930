//! Who may do what: logins of every service, group policies, what of a row a user sees. REST and the console ask here.

use super::menus::Menu;
use super::refusal::Refusal;
use super::row::Row;
use super::value;
use super::world::{Login, World};
use std::net::IpAddr;

/// Menus whose change needs `policy` besides `write`.
const POLICY_MENUS: &str = "/user";

impl Login {
    /// Whether the user's group has the policy.
    pub(super) fn may(&self, policy: &str) -> bool {
        self.policies.iter().any(|p| p == policy)
    }

    /// Refuses a command whose policy the user lacks.
    pub(super) fn need(&self, policy: &str) -> Result<(), Refusal> {
        if self.may(policy) { Ok(()) } else { Err(Refusal::no_permission()) }
    }

    /// Changes need `write`; users, groups and their settings `policy` too.
    pub(super) fn need_write(&self, menu: &Menu) -> Result<(), Refusal> {
        self.need("write")?;
        if menu.path.starts_with(POLICY_MENUS) && menu.path != "/user/active" { self.need("policy") } else { Ok(()) }
    }

    /// How the log names what this login does: `ssh:admin@192.0.2.10`.
    pub(super) fn label(&self) -> String {
        format!("{}:{}@{}", self.via, self.user, self.from)
    }
}

/// The user of that name, if it is enabled and may come from there; the password is not looked at.
pub(super) fn user(world: &mut World, name: &str, from: IpAddr) -> Option<Row> {
    let row = world.table("/user").rows.iter().find(|u| u.get("name") == Some(name)).cloned()?;
    (!row.is("disabled") && in_ranges(row.get("address").unwrap_or_default(), from)).then_some(row)
}

/// A login of this user with the policies its group has now.
pub(super) fn fresh(world: &mut World, user: &str, via: &'static str) -> Login {
    let from = world.seen_from();
    let row = world.table("/user").rows.iter().find(|u| u.get("name") == Some(user)).cloned().unwrap_or_default();
    let group = row.get("group").unwrap_or_default().to_string();
    let granted = world.table("/user/group").rows.iter().find(|g| g.get("name") == Some(group.as_str())).cloned().unwrap_or_default();
    let policies = granted.get("policy").unwrap_or_default().split(',').filter(|p| !p.starts_with('!')).map(String::from).collect();
    Login { user: user.to_string(), group, from, policies, via, since: world.mono(), when: world.now() }
}

/// Whether a user may log in over SSH with its password: one with a key cannot, unless `/ip/ssh` says so.
pub(super) fn passwords_count(version: (u32, u32), has_key: bool, settings: Option<&Row>) -> bool {
    let get = |name: &str| settings.and_then(|s| s.get(name));
    if version < (7, 21) {
        return !has_key || get("always-allow-password-login") == Some("true");
    }
    match get("password-authentication") {
        Some("yes" | "true") => true,
        Some("no" | "false") => false,
        _ => !has_key,
    }
}

/// Writes that somebody came, as the router does once a session.
pub(super) fn welcome(world: &mut World, login: &Login) {
    world.log("system,info,account", &format!("user {} logged in from {} via {}", login.user, login.from, login.via));
}

/// Writes that somebody was not let in.
pub(super) fn turn_away(world: &mut World, name: &str, via: &str) {
    let from = world.seen_from();
    world.log("system,error,critical", &format!("login failure for user {name} from {from} via {via}"));
}

/// All rows of a menu without what this user may not see.
pub(super) fn visible(world: &mut World, menu: &Menu, login: &Login) -> Vec<Row> {
    let mut rows = world.rows(&menu.path);
    let sensitive = login.may("sensitive");
    let unseen: Vec<&str> = menu.attrs.iter().filter(|a| a.hidden || a.secret && !sensitive).map(|a| a.name.as_str()).collect();
    if !unseen.is_empty() {
        for row in &mut rows {
            for name in &unseen {
                row.take(name);
            }
        }
    }
    rows
}

/// Whether the address is in one of the networks of a comma list; an empty list has everyone.
pub(super) fn in_ranges(list: &str, from: IpAddr) -> bool {
    let mut ranges = list.split(',').filter(|r| !r.is_empty()).peekable();
    ranges.peek().is_none() || ranges.filter_map(value::prefix).any(|network| value::covers(network, from))
}
