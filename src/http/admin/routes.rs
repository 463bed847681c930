//! What the admin API offers: a table. A route is a verb of the catalogue under an address; paths name its arguments.
//!
//! Who may call a route follows from its verb, in [`Route::need`]: what a bearer token must be good for, if one will do at all
//! ([`token_scope`]), and whether a person who signed in has to have proved just now who they are.

use crate::access::scope::Scope;
use crate::base::tier::Effect;
use crate::tools;
use crate::tools::spec::{Audience, Tool};

/// A second spelling of `backups`: some documents have the one, some the other.
pub const BACKUP: &str = "backup";

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
pub struct Need {
    /// What a bearer token must be good for; `None`: none is enough, whatever its role.
    pub token: Option<Scope>,
    /// A signed-in person has to have proved within five minutes who they are.
    pub proof: bool,
}

impl Need {
    /// Nothing but a person who proved just now who they are.
    pub const PROOF: Need = Need { token: None, proof: true };

    /// For the OpenAPI document, and for people.
    pub fn about(self) -> String {
        let person = if self.proof { "a person who signed in, or proved who they are, within five minutes" } else { "a signed-in person" };
        match self.token {
            Some(scope) => format!("{person}, or a bearer token of the scope {}", scope.as_str()),
            None => person.to_owned(),
        }
    }
}

/// What a bearer token must be good for to reach a verb at the admin API; `None`: no token does, whatever its role.
///
/// A token lies in files, is handed to programs, and nobody is asked anything when it is used. So whatever gives access or takes it
/// away is a person's: deciding on plans, updates, users, tokens, settings, secrets, registrations, backups. A token reaches what
/// models have, what its role may look at when a person of that role is signed in, and the records of routers; and verbs that
/// give nobody more power. Policy judges the role afterwards, so that an administrator's token alone administers. What is
/// not written here is closed.
pub fn token_scope(tool: &Tool) -> Option<Scope> {
    match (tool.audience, tool.effect) {
        (_, Effect::Reads) if tool.category() == "audit" => Some(Scope::Audit),
        (Audience::Model, effect) => Scope::of(effect, tool.category()),
        // It makes us connect to wherever the caller says.
        (Audience::Operator, Effect::Reads) if tool.name == "device.present" => Some(Scope::Write),
        (Audience::Operator, Effect::Reads) => Some(Scope::Read),
        (Audience::Operator, Effect::Administers) if tool.category() == "device" || is_harmless(tool) => Some(Scope::Write),
        _ => None,
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
    get("/plans/{plan_id}/diff", "plan.get_diff"),
    post("/plans/{plan_id}/approve", "plan.approve"),
    post("/plans/{plan_id}/refuse", "plan.refuse"),
    post("/plans/{plan_id}/reveal", "plan.reveal"),
    post("/plans/{plan_id}/apply", "plan.apply"),
    post("/plans/{plan_id}/confirm", "plan.keep"),
    post("/plans/{plan_id}/roll-back", "plan.roll_back"),
    post("/plans/{plan_id}/cancel", "plan.cancel"),
    get("/jobs", "plan.list_jobs"),
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
        let Some(tool) = self.verb() else { return Need::PROOF };
        let is_of_models = tool.audience == Audience::Model && Scope::of(tool.effect, tool.category()).is_some();
        let proof = !is_of_models && tool.effect != Effect::Reads && !is_harmless(tool);
        Need { token: token_scope(tool), proof }
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
                    None if our == their || (our, their) == ("backups", BACKUP) => {}
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

    /// Every write that a token may ask for beside those of models.
    const OPEN: &[&str] = &[
        "alert.test",
        "config.set_baseline",
        "config.take_snapshot",
        "device.add",
        "device.bootstrap",
        "device.decommission",
        "device.import",
        "device.pin",
        "device.present",
        "device.remove",
        "device.rotate_credentials",
        "device.test",
        "device.update",
        "update.check",
    ];

    #[test]
    fn whatever_decides_or_administers_needs_a_fresh_proof_and_no_token_reaches_it() {
        let mut closed = 0;
        for route in ROUTES {
            let tool = route.verb().unwrap();
            let need = route.need();
            let is_open = OPEN.contains(&tool.name);
            match tool.effect {
                Effect::Approves => assert_eq!(need, Need { token: None, proof: tool.name != "plan.keep" }, "{route:?}"),
                Effect::Administers => {
                    assert_eq!(need.token.is_some(), is_open, "{route:?}");
                    assert!(need.proof || is_harmless(tool), "{route:?}");
                    closed += usize::from(!is_open);
                }
                _ => {}
            }
            let gives_access = ["user", "token", "secret", "settings", "registration", "backup", "person"].contains(&tool.category());
            if gives_access && tool.effect != Effect::Reads {
                assert_eq!(need, Need::PROOF, "{route:?}");
            }
        }
        assert!(closed >= 25, "only {closed} writes are closed to tokens");
        let of = |method, path| find(method, path).unwrap().0.need();
        assert_eq!(of("POST", "/plans/p1/confirm"), Need { token: None, proof: false });
        assert_eq!(of("POST", "/update/confirm"), Need::PROOF);
        assert_eq!(of("GET", "/backups/b1/content"), Need::PROOF);
        assert_eq!(of("POST", "/devices"), Need { token: Some(Scope::Write), proof: true });
        assert_eq!(of("DELETE", "/devices/edge"), Need { token: Some(Scope::Write), proof: true });
    }

    #[test]
    fn a_token_reads_whatever_its_role_reads() {
        for route in ROUTES.iter().filter(|route| route.verb().unwrap().effect == Effect::Reads && route.tool != "device.present") {
            let scope = if route.tool.starts_with("audit.") { Scope::Audit } else { Scope::Read };
            assert_eq!(route.need(), Need { token: Some(scope), proof: false }, "{route:?}");
        }
    }

    #[test]
    fn backups_have_two_spellings_and_nothing_else_has() {
        assert_eq!(find("GET", "/backup").unwrap().0.tool, "backup.list");
        assert_eq!(find("GET", "/backup/b1/content").unwrap().1, [("name", "b1")]);
        assert!(find("GET", "/device").is_err() && find("GET", "/plans/backups/backup").is_err());
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
