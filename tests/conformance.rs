//! The official MCP conformance suite against this very listener: `scripts/test --conformance`.
//!
//! What the suite calls (tools, prompts and resources of its own) stands in `conformance/` and is put before the
//! appliance's answers by a second provider; transport, sessions, tokens, limits and the appliance's own answers are
//! those of the product. Needs Node 22 and the suite, which scripts/test installs, so these run when they are asked for.

#![allow(deprecated, reason = "2025-11-25 has logging and resources/subscribe, and its suite asks for them")]

mod calls;
mod catalog;
mod door;
mod inputs;
pub(crate) mod provider;
mod tasks;

use crate::http_rig::Web;
use crate::site::Site;
use provider::Fixtures;
use routeros_mcp::access::Role;
use routeros_mcp::mcp::provider::{Appliance, Provider};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

/// The revisions that the contract names.
const REVISIONS: [&str; 2] = ["2025-11-25", "2026-07-28"];

/// A run takes some seconds; one that hangs fails. Two cores do other work beside.
const PATIENCE: Duration = Duration::from_secs(300);

/// The suite opens sessions and leaves them open, and asks faster than people do.
const FLAGS: [(&str, &str); 4] =
    [("mcp.transport", "http"), ("mcp.http_port", "0"), ("http.max_sessions_per_principal", "1000"), ("rate_limit.enabled", "false")];

/// The suite itself skips all of these: its own rewrite of them is to come.
const UNFINISHED: [&str; 1] = ["tasks-status-notifications"];

/// Scenarios that ask for nothing of the suite's own: the appliance passes them by itself.
const WITHOUT_FIXTURES: [&[&str]; REVISIONS.len()] = [
    &[
        "server-initialize",
        "ping",
        "tools-list",
        "resources-list",
        "prompts-list",
        "dns-rebinding-protection",
        "server-sse-multiple-streams",
        "server-session-lifecycle",
    ],
    &[
        "tools-list",
        "resources-list",
        "prompts-list",
        "sep-2164-resource-not-found",
        "caching",
        "http-header-validation",
        "dns-rebinding-protection",
        "server-sse-multiple-streams",
    ],
];

/// An appliance that looks after nothing, and the door to it.
struct Stand {
    web: Web,
    door: tokio::task::JoinHandle<()>,
    url: String,
}

impl Stand {
    async fn of<P: Provider>(provider: impl FnOnce(Appliance) -> P) -> Stand {
        let site = Site::bare(&FLAGS).await;
        let appliance = Appliance::new(site.app.dispatch.clone(), site.app.mcp());
        let listener = site.app.listen_for(provider(appliance)).await.unwrap();
        let web = Web { site, listener };
        let token = web.token(Role::OpsRw).await;
        let (at, door) = door::open(web.at(), token).await;
        Stand { web, door, url: format!("http://{at}/mcp") }
    }

    async fn close(self) {
        self.door.abort();
        self.web.close().await;
    }
}

/// One check of the suite: its scenario, what it looks at, how that went, and what was wrong.
struct Check {
    scenario: String,
    id: String,
    status: String,
    said: String,
}

/// The suite, with what it needs.
struct Suite {
    node: PathBuf,
    program: PathBuf,
    requirements: PathBuf,
}

impl Suite {
    fn find() -> Suite {
        let clients = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("clients");
        let suite = clients.join("conformance/node_modules/@modelcontextprotocol/conformance");
        let node = clients.join("node22/node_modules/.bin/node");
        let found = Suite { node, program: suite.join("dist/index.js"), requirements: suite.join("requirements") };
        for needed in [&found.node, &found.program] {
            assert!(needed.exists(), "{} is missing: scripts/test --conformance installs it", needed.display());
        }
        found
    }

    /// The scenarios that a server of this revision must pass.
    fn required(&self, revision: &str) -> Vec<String> {
        let list = std::fs::read_to_string(self.requirements.join(format!("{revision}.yaml"))).unwrap();
        let of_servers = list.lines().skip_while(|line| *line != "server:").skip(1);
        let names = of_servers.take_while(|line| !line.starts_with(char::is_alphabetic)).filter_map(|line| line.trim().strip_prefix("- "));
        names.map(str::to_owned).collect()
    }

    /// Runs everything of a revision against an address; gives all checks.
    async fn run(&self, url: &str, revision: &str, place: &Path) -> Vec<Check> {
        let mut command = std::process::Command::new("timeout");
        command.arg(PATIENCE.as_secs().to_string()).arg(&self.node).arg(&self.program);
        command.args(["server", "--url", url, "--requirements", revision, "-o"]).arg(place).stdin(Stdio::null());
        let done = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let checks = checks(place);
        assert!(!checks.is_empty(), "the suite said: {}", String::from_utf8_lossy(&done.stderr));
        checks
    }
}

/// What the suite wrote: a folder a scenario, `server-NAME-TIME`, with a list of checks.
fn checks(place: &Path) -> Vec<Check> {
    let mut all = Vec::new();
    for folder in std::fs::read_dir(place).unwrap().map(|entry| entry.unwrap()) {
        let name = folder.file_name().into_string().unwrap();
        let scenario = &name["server-".len()..name.len() - "-2026-11-26T16-25-38-455Z".len()];
        let written: Value = serde_json::from_slice(&std::fs::read(folder.path().join("checks.json")).unwrap()).unwrap();
        for check in written.as_array().unwrap() {
            let text = |name: &str| check[name].as_str().unwrap_or_default().to_owned();
            all.push(Check { scenario: scenario.to_owned(), id: text("id"), status: text("status"), said: text("errorMessage") });
        }
    }
    all
}

/// Prints what failed of these scenarios; gives how many checks passed and failed. One that did not run has failed.
fn judged(label: &str, checks: &[Check], scenarios: &[String]) -> (usize, usize) {
    let (mut passed, mut failed) = (0, 0);
    for scenario in scenarios {
        let of_it: Vec<&Check> = checks.iter().filter(|check| check.scenario == *scenario).collect();
        let good = of_it.iter().filter(|check| check.status == "SUCCESS").count();
        let bad: Vec<&&Check> = of_it.iter().filter(|check| !matches!(check.status.as_str(), "SUCCESS" | "INFO" | "SKIPPED")).collect();
        for check in &bad {
            eprintln!("  FAIL {label} {scenario}: {} {} {}", check.id, check.status, check.said);
        }
        if good == 0 && bad.is_empty() {
            eprintln!("  FAIL {label} {scenario}: not one check passed");
            failed += 1;
        }
        passed += good;
        failed += bad.len();
    }
    (passed, failed)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Node 22 and the suite: scripts/test --conformance"]
async fn the_official_suite_passes() {
    let suite = Suite::find();
    let (mut passed, mut failed) = (0, 0);
    for (revision, own) in REVISIONS.into_iter().zip(WITHOUT_FIXTURES) {
        let own: Vec<String> = own.iter().map(|name| (*name).to_owned()).collect();
        let required = suite.required(revision);
        assert!(required.len() >= 30, "{revision} requires more than {required:?}");
        let stand = Stand::of(Fixtures::over).await;
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let all = suite.run(&stand.url, revision, place.path()).await;
        stand.close().await;
        let scored = judged(revision, &all, &required);
        eprintln!("  {revision}: {} of {} required checks passed", scored.0, scored.0 + scored.1);
        let mut others: Vec<String> = all.iter().map(|check| check.scenario.clone()).filter(|name| !required.contains(name)).collect();
        others.sort();
        others.dedup();
        // Extensions and what is younger than the revision: run by the suite without a verdict, held here all the same.
        others.retain(|name| !UNFINISHED.contains(&name.as_str()));
        let beside = judged(revision, &all, &others);
        eprintln!("  {revision}: {} of {} checks beside passed", beside.0, beside.0 + beside.1);
        let stand = Stand::of(|appliance| appliance).await;
        let place = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let all = suite.run(&stand.url, revision, place.path()).await;
        stand.close().await;
        let alone = judged(&format!("{revision} without fixtures"), &all, &own);
        eprintln!("  {revision}: {} of {} checks passed by the appliance alone", alone.0, alone.0 + alone.1);
        for (good, bad) in [scored, beside, alone] {
            passed += good;
            failed += bad;
        }
    }
    eprintln!("conformance: {passed} passed, {failed} failed");
    assert_eq!(failed, 0);
}
