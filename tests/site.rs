//! A whole appliance in this process, and the simulated routers it looks after: what the journeys below `mcp/` start from.

use routeros_mcp::access::{Limits, Principal, Role};
use routeros_mcp::app::App;
use routeros_mcp::base::clock::Clock;
use routeros_mcp::base::selector::Selector;
use routeros_mcp::config::{self, Inputs};
use routeros_mcp::dispatch::{Call, Reply};
use routeros_mcp::fleet::Device;
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use routeros_mcp::tools::spec::Audience;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// One appliance, its routers, and where it keeps things.
pub(crate) struct Site {
    pub app: App,
    /// By the device's name.
    pub sims: Vec<(String, Sim)>,
    /// Every reply so far as an MCP client gets it, with the tool asked for.
    pub heard: std::sync::Mutex<Vec<(String, Value)>>,
    dir: tempfile::TempDir,
}

impl Site {
    /// An appliance without devices, configured by `flags` (`("read_only", "true")`).
    pub async fn bare(flags: &[(&str, &str)]) -> Site {
        Site::bare_on(flags, Clock::system()).await
    }

    /// The same on another clock.
    pub async fn bare_on(flags: &[(&str, &str)], clock: Clock) -> Site {
        // The program does this first thing; a second time it says no, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // Not the system's temporary directory: that may be in RAM, where no credentials are kept.
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let app = App::build_on(&loaded(&dir, flags), clock).await.unwrap();
        Site { app, sims: Vec::new(), heard: std::sync::Mutex::default(), dir }
    }

    /// An appliance over what another one left in a directory.
    pub async fn over(dir: tempfile::TempDir, flags: &[(&str, &str)]) -> Site {
        Site::over_on(dir, flags, Clock::system()).await
    }

    /// The same on another clock.
    pub async fn over_on(dir: tempfile::TempDir, flags: &[(&str, &str)], clock: Clock) -> Site {
        let app = App::build_on(&loaded(&dir, flags), clock).await.unwrap();
        Site { app, sims: Vec::new(), heard: std::sync::Mutex::default(), dir }
    }

    /// An appliance that looks after one router of each profile, named for it.
    pub async fn of(profiles: &[Profile], flags: &[(&str, &str)]) -> Site {
        let mut site = Site::bare(flags).await;
        for profile in profiles {
            site.adopt(*profile, profile.name(), json!({})).await;
        }
        site
    }

    /// Starts a router and takes it into care as an operator would; `more` goes over the usual arguments.
    pub async fn adopt(&mut self, profile: Profile, name: &str, more: Value) {
        self.adopt_as(Options { plain: false, ..Options::new(profile, name) }, name, more).await;
    }

    /// The same for a router of any making.
    pub async fn adopt_as(&mut self, options: Options, name: &str, more: Value) {
        let options = Options { seed: self.sims.len() as u64 + 1, ..options };
        let sim = Sim::start(options).await.unwrap();
        let mut arguments = arrival(name, &sim);
        arguments.extend(more.as_object().cloned().unwrap_or_default());
        let reply = self.operator("device.add", Value::Object(arguments)).await;
        assert!(reply.fault.is_none(), "{name}: {}", reply.text);
        self.sims.push((name.to_owned(), sim));
    }

    /// As the local stdio client of a default installation.
    pub async fn call(&self, tool: &str, arguments: Value) -> Reply {
        self.call_as(self.app.stdio_principal(), tool, arguments).await
    }

    /// As anybody, through the edge for models.
    pub async fn call_as(&self, principal: Principal, tool: &str, arguments: Value) -> Reply {
        self.through(principal, Audience::Model, tool, arguments).await
    }

    /// As the operator at the command line.
    pub async fn operator(&self, tool: &str, arguments: Value) -> Reply {
        self.through(Principal::operator(), Audience::Operator, tool, arguments).await
    }

    async fn through(&self, principal: Principal, audience: Audience, tool: &str, arguments: Value) -> Reply {
        let call = Call::new(tool, arguments.as_object().cloned().unwrap_or_default(), Arc::new(principal), audience);
        let reply = self.app.dispatch.call(call).await;
        self.heard.lock().unwrap().push((tool.to_owned(), reply.to_mcp()));
        reply
    }

    /// A call that must succeed.
    pub async fn good(&self, tool: &str, arguments: Value) -> Reply {
        let reply = self.call(tool, arguments.clone()).await;
        assert!(reply.fault.is_none(), "{tool} {arguments}: {}", reply.text);
        reply
    }

    /// A call that must fail; gives `structuredContent.error`.
    pub async fn bad(&self, tool: &str, arguments: Value) -> Value {
        let reply = self.call(tool, arguments.clone()).await;
        assert!(reply.fault.is_some(), "{tool} {arguments} was answered: {}", reply.text);
        reply.structured["error"].clone()
    }

    pub fn sim(&self, name: &str) -> &Sim {
        self.sims.iter().find(|(known, _)| known == name).map(|(_, sim)| sim).unwrap()
    }

    pub fn device(&self, name: &str) -> Arc<Device> {
        self.app.dispatch.world().fleet.find(name).unwrap()
    }

    /// Forgets what was read from a router, as time would.
    pub fn forget(&self, name: &str) {
        let fleet = &self.app.dispatch.world().fleet;
        fleet.lane(&fleet.find(name).unwrap()).forget();
    }

    /// What `tools/list` shows a model, in its order.
    pub fn listed(&self, principal: &Principal) -> Vec<Value> {
        let listed = self.app.dispatch.list(principal, Audience::Model);
        listed.iter().map(|tool| serde_json::to_value(routeros_mcp::mcp::tools::listed(tool)).unwrap()).collect()
    }

    /// Another process over the same state: the appliance after a restart, with other switches.
    pub async fn reopened(self, flags: &[(&str, &str)]) -> Site {
        self.reopened_on(flags, Clock::system()).await
    }

    /// The same on another clock.
    pub async fn reopened_on(self, flags: &[(&str, &str)], clock: Clock) -> Site {
        let Site { app, sims, heard, dir } = self;
        app.close().await;
        Site { sims, heard, ..Site::over_on(dir, flags, clock).await }
    }

    /// Stops everything but keeps the files.
    pub async fn close(self) -> tempfile::TempDir {
        self.app.close().await;
        for (_, sim) in self.sims {
            sim.stop().await;
        }
        self.dir
    }
}

/// The arguments of `device.add` for a simulated router.
pub(crate) fn arrival(name: &str, sim: &Sim) -> Map<String, Value> {
    let login = sim.credentials().mcp;
    let arguments = json!({
        "name": name, "address": "127.0.0.1", "rest_port": sim.https_port(), "ssh_port": sim.ssh_port(),
        "username": login.user, "password": login.password.expose(),
        "tls_fingerprint": format_fingerprint(&sim.fingerprint()),
    });
    arguments.as_object().cloned().unwrap()
}

/// A principal of that role, kept to the devices named.
pub(crate) fn limited(role: Role, devices: &[&str]) -> Principal {
    let devices = devices.iter().map(|name| name.parse::<Selector>().unwrap()).collect();
    let mut principal = Principal::stdio(role);
    principal.subject = format!("limited-{}", role.as_str());
    principal.limits = Limits { devices, ..Limits::of_role(role) };
    principal
}

fn loaded(dir: &tempfile::TempDir, flags: &[(&str, &str)]) -> config::Loaded {
    // As fast as the routers answer: what is tested is not the pace.
    let usual = [("routeros.requests_per_second", "1000"), ("log.level", "WARN")];
    let flags = usual.iter().chain(flags).map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let state = dir.path().join("state");
    let env = vec![("ROUTEROS_MCP_CONFIG_FILE".to_owned(), String::new())];
    config::load(&Inputs { config_flag: None, data_dir: Some(state), flags, env })
        .map_err(|problems| format!("{:?}", problems.list))
        .unwrap()
}
