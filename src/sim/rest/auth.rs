//! Who asks: Basic authentication and remembered logins.

use crate::sim::access;
use crate::sim::refusal::Refusal;
use crate::sim::world::{Login, World};

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
    let fits = access::user(world, &name, from).is_some_and(|u| u.get("password").unwrap_or_default() == password);
    if !fits {
        access::turn_away(world, &name, "rest-api");
        return Err(denied());
    }
    let login = match world.login(&name) {
        Some(known) => known,
        None => {
            let login = access::fresh(world, &name, "rest-api");
            world.logins.push(login.clone());
            access::welcome(world, &login);
            login
        }
    };
    if !login.may("rest-api") {
        return Err(denied());
    }
    if !login.may("api") {
        return Err(Refusal::server("std failure: not allowed (9)"));
    }
    Ok(login)
}
