//! From what a token says to what its caller may do: role, devices, scopes, a name. Pure.

use crate::access::role::Role;
use crate::access::scope::Scope;
use crate::base::selector::Selector;
use crate::shape::untrusted;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Values of one claim that are looked at; people in more groups than that have a token that names none of them.
const VALUES_MAX: usize = 1_000;
/// Device selectors of one caller.
const DEVICES_MAX: usize = 64;
/// Where scopes stand: RFC 8693, Entra and Okta, Auth0.
const SCOPES: [&str; 3] = ["scope", "scp", "permissions"];
/// Where names for people stand, the best first; the last ones are of programs.
const NAMES: [&str; 9] = ["name", "preferred_username", "upn", "email", "unique_name", "client_id", "azp", "appid", "cid"];
/// The longest name, characters.
const NAME_MAX: usize = 64;

/// A claim by its name, or by a path: `roles`, `https://example.net/roles`, `realm_access.roles`,
/// `resource_access.my.client.roles`. The longest name that is there wins.
pub fn find<'c>(claims: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(found) = claims.get(path) {
        return Some(found);
    }
    path.rmatch_indices('.').find_map(|(at, _)| find(claims.get(&path[..at])?.as_object()?, &path[at + 1..]))
}

/// The texts of a claim: of a list, or one. Scopes in one text are parted by blanks.
fn texts<'c>(claims: &'c Map<String, Value>, path: &str) -> Vec<&'c str> {
    let name = path.rsplit(['.', '/']).next().unwrap_or(path);
    match find(claims, path) {
        Some(Value::Array(all)) => all.iter().take(VALUES_MAX).filter_map(Value::as_str).collect(),
        Some(Value::String(one)) if matches!(name, "scp" | "scope") => {
            one.split(' ').filter(|part| !part.is_empty()).take(VALUES_MAX).collect()
        }
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// The role of a caller: of all that its values are mapped to the last one in the order read_only, ops_rw, approver, admin.
/// No match is no access.
pub fn role(claims: &Map<String, Value>, path: &str, map: &BTreeMap<String, Role>) -> Option<Role> {
    let mapped: Vec<Role> = texts(claims, path).into_iter().filter_map(|value| map.get(value)).copied().collect();
    Role::ALL.into_iter().rev().find(|role| mapped.contains(role))
}

/// The devices of a caller. Without the claim it has none: where devices are limited, `all` is spelled out.
pub fn devices(claims: &Map<String, Value>, path: &str) -> Vec<Selector> {
    let named = texts(claims, path);
    let devices: Vec<Selector> = named.iter().filter_map(|text| text.parse().ok()).take(DEVICES_MAX).collect();
    if devices.len() < named.len() {
        tracing::warn!(
            claim = path,
            named = named.len(),
            used = devices.len(),
            "some devices in a token's claim are no selectors, or too many"
        );
    }
    devices
}

/// What a caller may ask for: all its role may, unless the token carries scopes of ours; then those of them it carries. Who
/// may write or plan may read.
pub fn scopes(claims: &Map<String, Value>, role: Role) -> Vec<Scope> {
    let said: Vec<&str> = SCOPES.iter().flat_map(|name| scope_texts(claims, name)).collect();
    let carried: Vec<Scope> = Scope::ALL.into_iter().filter(|scope| said.contains(&scope.as_str())).collect();
    let implies_read = carried.iter().any(|scope| matches!(scope, Scope::Write | Scope::Plan));
    let has = |scope: &Scope| carried.is_empty() || carried.contains(scope) || (*scope == Scope::Read && implies_read);
    role.scopes().iter().copied().filter(has).collect()
}

/// `permissions` may be one text as well.
fn scope_texts<'c>(claims: &'c Map<String, Value>, name: &str) -> Vec<&'c str> {
    match claims.get(name) {
        Some(Value::String(one)) => one.split(' ').take(VALUES_MAX).collect(),
        _ => texts(claims, name),
    }
}

/// A name for people, as clean as one from outside can be.
pub fn name(claims: &Map<String, Value>, subject: &str) -> String {
    let given = NAMES.iter().filter_map(|name| claims.get(*name).and_then(Value::as_str));
    let clean = |text: &str| untrusted::cut(untrusted::strip(text).trim(), NAME_MAX).into_owned();
    given.map(clean).find(|name| !name.is_empty()).unwrap_or_else(|| clean(subject))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn object(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn a_claim_is_found_by_name_or_path_whatever_dots_are_in_it() {
        let claims = object(json!({
            "roles": ["a"], "https://example.net/roles": ["b"], "realm_access": {"roles": ["c"]},
            "resource_access": {"my.client": {"roles": ["d"]}, "my": {"other": 1}}, "x.y": {"z": ["e"]}, "x": {"y": {"z": ["f"]}},
        }));
        for (path, first) in [
            ("roles", "a"),
            ("https://example.net/roles", "b"),
            ("realm_access.roles", "c"),
            ("resource_access.my.client.roles", "d"),
            ("x.y.z", "e"),
        ] {
            assert_eq!(find(&claims, path).and_then(|found| found[0].as_str()), Some(first), "{path}");
        }
        for path in ["", ".", "realm_access", "realm_access.", "roles.0", "realm_access.roles.x", "nothing", "a..b"] {
            assert!(find(&claims, path).is_none_or(|found| !found.is_array()), "{path}");
        }
    }

    #[test]
    fn a_role_is_the_most_of_what_is_mapped_and_nothing_else_counts() {
        let map: BTreeMap<String, Role> =
            [("viewers", Role::ReadOnly), ("net ops", Role::OpsRw), ("sign-off", Role::Approver), ("root", Role::Admin)]
                .map(|(group, role)| (group.to_owned(), role))
                .into();
        let of = |value: Value| role(&object(json!({"roles": value})), "roles", &map);
        for (value, expected) in [
            (json!(["viewers"]), Some(Role::ReadOnly)),
            (json!("net ops"), Some(Role::OpsRw)),
            (json!(["viewers", "net ops"]), Some(Role::OpsRw)),
            (json!(["net ops", "sign-off"]), Some(Role::Approver)),
            (json!(["root", "viewers"]), Some(Role::Admin)),
            (json!(["Root"]), None),
            (json!("viewers root"), None),
            (json!(["admin"]), None),
            (json!([["root"], {"root": true}, 1]), None),
            (json!({"root": true}), None),
            (json!([]), None),
            (json!(true), None),
        ] {
            assert_eq!(of(value.clone()), expected, "{value}");
        }
        let scp = object(json!({"scp": "openid root"}));
        assert_eq!(role(&scp, "scp", &map), Some(Role::Admin), "scopes in one text");
        assert_eq!(role(&Map::new(), "roles", &map), None);
    }

    #[test]
    fn scopes_of_ours_narrow_a_role_and_never_widen_it() {
        let of = |value: Value, role| scopes(&object(value), role);
        use Scope::{Audit, Metrics, Plan, Read, Write};
        for (claims, role, expected) in [
            (json!({}), Role::OpsRw, &[Read, Write, Plan][..]),
            (json!({"scope": "openid profile"}), Role::OpsRw, &[Read, Write, Plan]),
            (json!({"scope": "openid mcp:read"}), Role::OpsRw, &[Read]),
            (json!({"scp": ["mcp:plan"]}), Role::OpsRw, &[Read, Plan]),
            (json!({"permissions": ["mcp:write"]}), Role::Admin, &[Read, Write]),
            (json!({"scope": "mcp:write mcp:plan metrics"}), Role::ReadOnly, &[Read]),
            (json!({"scope": "metrics"}), Role::ReadOnly, &[]),
            (json!({"scope": "audit:read"}), Role::Admin, &[Audit]),
            (json!({"scp": "mcp:read metrics"}), Role::Admin, &[Read, Metrics]),
        ] {
            assert_eq!(of(claims.clone(), role), expected, "{claims} {}", role.as_str());
        }
    }

    #[test]
    fn devices_that_are_limited_are_none_until_they_are_named() {
        let of = |claims: Value| devices(&object(claims), "devices").iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(of(json!({})), [""; 0]);
        assert_eq!(of(json!({"devices": "all"})), ["all"]);
        assert_eq!(of(json!({"devices": ["edge-1", "tag:site=north", "", 7]})), ["edge-1", "tag:site=north"]);
        let many: Vec<String> = (0..100).map(|n| format!("r{n}")).collect();
        assert_eq!(of(json!({"devices": many})).len(), DEVICES_MAX);
    }

    #[test]
    fn a_name_is_the_best_there_is_without_what_nobody_sees() {
        assert_eq!(name(&object(json!({"name": " Anna\u{202e}\n ", "email": "a@b"})), "s"), "Anna");
        assert_eq!(name(&object(json!({"name": "", "azp": "ci"})), "s"), "ci");
        assert_eq!(name(&Map::new(), "sub-1"), "sub-1");
        assert_eq!(name(&object(json!({"name": "x".repeat(500)})), "s").chars().count(), NAME_MAX);
    }
}
