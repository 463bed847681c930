//! Who asks: Basic authentication, address limits, group policies, remembered logins.

use crate::sim::refusal::Refusal;
use crate::sim::value;
use crate::sim::world::{Login, World};
use std::net::IpAddr;

/// The user an `Authorization` header names, right or wrong.
pub(super) fn named(header: Option<&str>) -> Option<String> {
    pair(header?).map(|(user, _)| user)
}

fn pair(header: &str) -> Option<(String, String)> {
    let code = header.strip_prefix("Basic ").or_else(|| header.strip_prefix("basic "))?;
    let bytes = data_encoding::BASE64.decode(code.trim().as_bytes()).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    text.split_once(':').map(|(user, password)| (user.to_string(), password.to_string()))
}

/// Logs in: password, `disabled` and `address` count on every request, the group's policy is remembered for ten minutes.
pub(super) fn login(world: &mut World, header: Option<&str>) -> Result<Login, Refusal> {
    let denied = || Refusal::bare(401);
    let (name, password) = header.and_then(pair).ok_or_else(denied)?;
    let from = world.seen_from();
    let user = world.table("/user").rows.iter().find(|u| u.get("name") == Some(&name)).cloned();
    let fits = user.as_ref().is_some_and(|u| {
        u.get("password").unwrap_or_default() == password && !u.is("disabled") && in_ranges(u.get("address").unwrap_or_default(), from)
    });
    let Some(user) = user.filter(|_| fits) else {
        world.log("system,error,critical", &format!("login failure for user {name} from {from} via rest-api"));
        return Err(denied());
    };
    let login = match world.login(&name) {
        Some(known) => known,
        None => fresh(world, &name, user.get("group").unwrap_or_default(), from),
    };
    if !may(&login, "rest-api") {
        return Err(denied());
    }
    if !may(&login, "api") {
        return Err(Refusal::server("std failure: not allowed (9)"));
    }
    Ok(login)
}

fn fresh(world: &mut World, user: &str, group: &str, from: IpAddr) -> Login {
    let row = world.table("/user/group").rows.iter().find(|g| g.get("name") == Some(group)).cloned().unwrap_or_default();
    let policies = row.get("policy").unwrap_or_default().split(',').filter(|p| !p.starts_with('!')).map(String::from).collect();
    let login = Login { user: user.to_string(), group: group.to_string(), from, policies, since: world.clock.mono(), when: world.now() };
    world.logins.push(login.clone());
    world.log("system,info,account", &format!("user {user} logged in from {from} via rest-api"));
    login
}

/// Whether the user's group has the policy.
pub(super) fn may(login: &Login, policy: &str) -> bool {
    login.policies.iter().any(|p| p == policy)
}

/// Whether the address is in one of the networks of a comma list; an empty list has everyone.
pub(super) fn in_ranges(list: &str, from: IpAddr) -> bool {
    let mut ranges = list.split(',').filter(|r| !r.is_empty()).peekable();
    ranges.peek().is_none()
        || ranges
            .filter_map(value::prefix)
            .any(|(ip, len)| ip.is_ipv4() == from.is_ipv4() && value::network(ip, len) == value::network(from, len))
}
