//! Who may come in: passwords, keys, and the switches that decide between them.

use crate::sim::access;
use crate::sim::live;
use crate::sim::row::Row;
use crate::sim::world::{Login, World};
use russh::keys::PublicKey;

/// The user's name without terminal options: `admin+cte200w` is admin.
fn bare(user: &str) -> &str {
    user.split('+').next().unwrap_or(user)
}

/// Nothing given: enough for a user whose password is empty.
pub(super) fn without(world: &mut World, user: &str) -> Option<Login> {
    let from = world.seen_from();
    let row = access::user(world, bare(user), from)?;
    if !row.get("password").unwrap_or_default().is_empty() || !passwords_count(world, &row) {
        return None;
    }
    enter(world, bare(user))
}

pub(super) fn by_password(world: &mut World, user: &str, password: &str) -> Option<Login> {
    let from = world.seen_from();
    let row = access::user(world, bare(user), from);
    let right = row.filter(|r| r.get("password").unwrap_or_default() == password);
    match right.filter(|r| passwords_count(world, r)) {
        Some(_) => enter(world, bare(user)),
        None => {
            access::turn_away(world, bare(user), "ssh");
            None
        }
    }
}

pub(super) fn by_key(world: &mut World, user: &str, key: &PublicKey) -> Option<Login> {
    if !knows(world, user, key) {
        access::turn_away(world, bare(user), "ssh");
        return None;
    }
    enter(world, bare(user))
}

/// Whether that key belongs to the user.
pub(super) fn knows(world: &mut World, user: &str, key: &PublicKey) -> bool {
    let from = world.seen_from();
    access::user(world, bare(user), from).is_some() && keys(world, bare(user)).iter().any(|k| k.key_data() == key.key_data())
}

fn keys(world: &mut World, user: &str) -> Vec<PublicKey> {
    let rows = &world.table("/user/ssh-keys").rows;
    let own = rows.iter().filter(|r| r.get("user") == Some(user));
    own.filter_map(|r| PublicKey::from_openssh(r.get("key")?).ok()).collect()
}

fn passwords_count(world: &mut World, user: &Row) -> bool {
    let name = user.get("name").unwrap_or_default();
    let has_key = world.table("/user/ssh-keys").rows.iter().any(|r| r.get("user") == Some(name));
    let version = world.model.version;
    access::passwords_count(version, has_key, world.rows("/ip/ssh").first())
}

fn enter(world: &mut World, user: &str) -> Option<Login> {
    let login = access::fresh(world, user, "ssh");
    if !login.may("ssh") {
        access::turn_away(world, user, "ssh");
        return None;
    }
    access::welcome(world, &login);
    let now = live::date_time(world.now());
    world.set("/user", user, "last-logged-in", &now);
    Some(login)
}
