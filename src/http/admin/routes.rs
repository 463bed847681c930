//! What the admin API offers: a table. A route is a verb of the catalogue under an address; paths name its arguments.
//!
//! Who may call a route follows from its verb: what is there for models may be called with a bearer token of the scope the
//! verb needs, everything else by a person who signed in, and what decides or administers by one who proved it just now.

use crate::access::scope::Scope;
use crate::base::tier::Effect;
use crate::tools;
use crate::tools::spec::{Audience, Tool};

/// One address of the API.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// GET, POST, PUT, PATCH or DELETE.
    pub method: &'static str,
    /// Below `/admin/api/v1`; `{device}` is the verb's argument of that name.
    pub path: &'static str,
    /// The verb.
    pub tool: &'static str,
    /// What the answer says by its status: 200, or 201 where something new came to be.
    pub status: u16,
}

/// What a caller has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// A bearer token with this scope, or a session.
    Scope(Scope),
    /// A session.
    Session,
    /// A session whose person proved within five minutes who they are.
    Proof,
}

impl Need {
    /// For the OpenAPI document, and for people.
    pub fn about(self) -> &'static str {
        match self {
            Need::Scope(_) => "a bearer token of the scope, or a signed-in person",
            Need::Session => "a signed-in person",
            Need::Proof => "a person who signed in, or proved who they are, within five minutes",
        }
    }
}

const fn get(path: &'static str, tool: &'static str) -> Route {
    Route { method: "GET", path, tool, status: 200 }
}

const fn post(path: &'static str, tool: &'static str) -> Route {
    Route { method: "POST", path, tool, status: 200 }
}

const fn make(path: &'static str, tool: &'static str) -> Route {
    Route { method: "POST", path, tool, status: 201 }
}

const fn put(path: &'static str, tool: &'static str) -> Route {
    Route { method: "PUT", path, tool, status: 200 }
}

const fn patch(path: &'static str, tool: &'static str) -> Route {
    Route { method: "PATCH", path, tool, status: 200 }
}

const fn delete(path: &'static str, tool: &'static str) -> Route {
    Route { method: "DELETE", path, tool, status: 200 }
}

/// All of them, in the order of the document.
pub const ROUTES: &[Route] = &[
    get("/fleet", "fleet.get_summary"),
    get("/devices", "device.list"),
    make("/devices", "device.add"),
    post("/devices/import", "device.import"),
    post("/devices/present", "device.present"),
    post("/devices/bootstrap", "device.bootstrap"),
    get("/devices/{device}", "device.get"),
    patch("/devices/{device}", "device.update"),
    delete("/devices/{device}", "device.remove"),
    post("/devices/{device}/test", "device.test"),
    post("/devices/{device}/pins", "device.pin"),
    post("/devices/{device}/rotate", "device.rotate_credentials"),
    post("/devices/{device}/decommission", "device.decommission"),
    get("/discovery", "discovery.list"),
    get("/devices/{device}/overview", "system.get_overview"),
    get("/devices/{device}/health", "system.get_health"),
    get("/devices/{device}/logs", "logs.get_recent"),
    get("/devices/{device}/audit", "security.audit"),
    get("/devices/{device}/snapshots", "config.list_snapshots"),
    make("/devices/{device}/snapshots", "config.take_snapshot"),
    get("/devices/{device}/diff", "config.diff"),
    get("/devices/{device}/drift", "config.get_drift"),
    get("/snapshots/{snapshot}", "config.get_snapshot"),
    post("/snapshots/{snapshot}/baseline", "config.set_baseline"),
    get("/plans", "plan.list"),
    make("/plans", "plan.create"),
    get("/plans/{plan_id}", "plan.get"),
    post("/plans/{plan_id}/approve", "plan.approve"),
    post("/plans/{plan_id}/refuse", "plan.refuse"),
    post("/plans/{plan_id}/apply", "plan.apply"),
    post("/plans/{plan_id}/confirm", "plan.keep"),
    post("/plans/{plan_id}/roll-back", "plan.roll_back"),
    post("/plans/{plan_id}/cancel", "plan.cancel"),
    get("/alerts", "alert.list"),
    get("/alerts/status", "alert.get_status"),
    post("/alerts/test", "alert.test"),
    put("/alerts/secret", "alert.set_secret"),
    get("/audit", "audit.get_events"),
    get("/audit/verify", "audit.verify"),
    get("/users", "user.list"),
    make("/users", "user.add"),
    post("/users/{name}/role", "user.set_role"),
    post("/users/{name}/password", "user.set_password"),
    post("/users/{name}/disable", "user.disable"),
    post("/users/{name}/enable", "user.enable"),
    post("/users/{name}/link", "user.link"),
    post("/users/{name}/unlink", "user.unlink"),
    get("/tokens", "token.list"),
    make("/tokens", "token.create"),
    delete("/tokens/{id}", "token.revoke"),
    get("/backups", "backup.list"),
    make("/backups", "backup.create"),
    get("/backups/{name}/content", "backup.download"),
    post("/backups/{name}/verify", "backup.verify"),
    delete("/backups/{name}", "backup.remove"),
    get("/update", "update.get_status"),
    post("/update/check", "update.check"),
    post("/update/stage", "update.stage"),
    post("/update/confirm", "update.apply"),
    post("/update/roll-back", "update.roll_back"),
    get("/clients", "client.list"),
    get("/me", "person.get"),
    delete("/me/tokens/{id}", "person.revoke_token"),
    get("/settings", "settings.get"),
    post("/settings/switches", "settings.set_switches"),
    get("/registrations", "registration.list"),
    make("/registrations", "registration.create"),
    delete("/registrations/{id}", "registration.revoke"),
    post("/registrations/{id}/report", "registration.paste"),
    make("/registrations/{id}/accept", "registration.accept"),
    get("/secrets", "secret.list"),
    put("/secrets/{name}", "secret.set"),
    delete("/secrets/{name}", "secret.remove"),
];

impl Route {
    /// The verb. The table names only verbs that there are, which a test holds.
    pub fn verb(&self) -> Option<&'static Tool> {
        tools::find(self.tool)
    }

    /// What a caller has to be for it.
    pub fn need(&self) -> Need {
        let Some(tool) = self.verb() else { return Need::Proof };
        match (tool.audience, Scope::of(tool.effect, tool.category())) {
            (Audience::Model, Some(_)) if tool.category() == "audit" => Need::Scope(Scope::Audit),
            (Audience::Model, Some(scope)) => Need::Scope(scope),
            _ if tool.effect == Effect::Reads || is_harmless(tool) => Need::Session,
            _ => Need::Proof,
        }
    }

    /// The arguments that its path names.
    pub fn arguments(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(argument)
    }

    /// The arguments in a path that fits, still percent-encoded; `None` when it does not.
    pub fn matches<'p>(&self, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
        let (mut ours, mut theirs) = (self.path.split('/'), path.split('/'));
        let mut arguments = Vec::new();
        loop {
            match (ours.next(), theirs.next()) {
                (None, None) => return Some(arguments),
                (Some(our), Some(their)) => match argument(our) {
                    Some(name) if !their.is_empty() => arguments.push((name, their)),
                    None if our == their => {}
                    _ => return None,
                },
                _ => return None,
            }
        }
    }
}

/// The argument that a part of a path stands for.
fn argument(part: &str) -> Option<&str> {
    part.strip_prefix('{')?.strip_suffix('}')
}

/// Operators' verbs that give nobody more power and lose nothing: looking at a router, keeping a snapshot. Keeping a change
/// asks for a proof by itself where the risk is high; its clock runs.
fn is_harmless(tool: &Tool) -> bool {
    matches!(
        tool.name,
        "device.present"
            | "device.bootstrap"
            | "device.test"
            | "config.take_snapshot"
            | "config.set_baseline"
            | "plan.keep"
            | "alert.test"
            | "update.check"
    )
}

/// A route, and the arguments in the path that led to it.
type Found<'p> = (&'static Route, Vec<(&'static str, &'p str)>);

/// The route of a request; else the methods that the path takes, none for a path that is none.
pub fn find<'p>(method: &str, path: &'p str) -> Result<Found<'p>, Vec<&'static str>> {
    let mut others = Vec::new();
    // Words before arguments: `/devices/present` is no device.
    let mut fitting: Vec<_> = ROUTES.iter().filter_map(|route| route.matches(path).map(|arguments| (route, arguments))).collect();
    fitting.sort_by_key(|(_, arguments)| arguments.len());
    for (route, arguments) in fitting {
        if route.method == method {
            return Ok((route, arguments));
        }
        others.push(route.method);
    }
    Err(others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_a_verb_whose_arguments_the_path_names() {
        for route in ROUTES {
            let tool = route.verb().unwrap_or_else(|| panic!("{} is no verb", route.tool));
            assert_eq!(tool.name, route.tool);
            let schema = (tool.input)();
            for name in route.arguments() {
                assert!(schema["properties"].get(name).is_some(), "{} has no argument {name}", route.tool);
            }
        }
    }

    #[test]
    fn no_two_routes_are_the_same_address() {
        for (at, route) in ROUTES.iter().enumerate() {
            assert!(!ROUTES[..at].iter().any(|other| (other.method, other.path) == (route.method, route.path)), "{route:?}");
        }
    }

    #[test]
    fn whatever_decides_or_administers_needs_a_fresh_proof_and_no_token_reaches_it() {
        for route in ROUTES {
            let tool = route.verb().unwrap();
            let need = route.need();
            match tool.effect {
                Effect::Approves if tool.name != "plan.keep" => assert_eq!(need, Need::Proof, "{route:?}"),
                Effect::Administers => assert!(matches!(need, Need::Proof | Need::Session), "{route:?}"),
                _ => {}
            }
            if matches!(tool.category(), "user" | "token" | "secret") && route.method != "GET" {
                assert_eq!(need, Need::Proof, "{route:?}");
            }
        }
        assert_eq!(find("POST", "/plans/p1/confirm").unwrap().0.need(), Need::Session);
        assert_eq!(find("GET", "/devices").unwrap().0.need(), Need::Scope(Scope::Read));
        assert_eq!(find("GET", "/audit").unwrap().0.need(), Need::Scope(Scope::Audit));
        assert_eq!(find("GET", "/users").unwrap().0.need(), Need::Session);
    }

    #[test]
    fn words_win_over_arguments_and_a_known_path_says_its_methods() {
        assert_eq!(find("POST", "/devices/present").unwrap().0.tool, "device.present");
        assert_eq!(find("GET", "/devices/present").unwrap().1, [("device", "present")]);
        assert_eq!(find("PUT", "/devices").unwrap_err(), ["GET", "POST"]);
        for path in ["", "/", "/devices/", "/devices//test", "/nothing", "/devices/a/b/c/d"] {
            assert_eq!(find("GET", path).unwrap_err(), Vec::<&str>::new(), "{path}");
        }
    }
}
