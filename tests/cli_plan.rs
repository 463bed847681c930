//! `plan …` as a person and a script use it: with a daemon, and alone.

use crate::cli_rig::{Rig, says, words};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};

const PASSWORD: &str = "correct-horse-battery-71";

struct Machine {
    rig: Rig,
    sim: Sim,
    runtime: tokio::runtime::Runtime,
}

/// A machine with a router that may be changed, and anna, who approves.
fn machine() -> Machine {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sim = runtime.block_on(Sim::start(Options { plain: false, ..Options::new(Profile::HomeAp, "edge") })).unwrap();
    let rig = Rig::new();
    let mut flags = rig.adding("edge", sim.https_port(), sim.credentials().mcp.password.expose());
    for capability in ["writes", "professional", "firewall", "system"] {
        flags.extend(["--capability".to_owned(), capability.to_owned()]);
    }
    rig.json(&[&words(&flags)[..], &["--yes"]].concat());
    rig.json(&["user", "add", "anna", "--role", "approver", "--password-file", &password(&rig)]);
    Machine { rig, sim, runtime }
}

fn password(rig: &Rig) -> String {
    rig.private("anna.pass", PASSWORD)
}

impl Machine {
    fn end(self) {
        self.runtime.block_on(self.sim.stop());
    }

    fn create(&self, plan: &Value) -> Value {
        let file = self.rig.file("plan.json", plan.to_string());
        self.rig.json(&["plan", "create", "--file", &file])
    }

    fn records(&self) -> usize {
        self.sim.world().rows("/ip/dns/static").len()
    }
}

fn record(name: &str) -> Value {
    json!({"devices": ["edge"], "reason": "a name", "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": name, "address": "192.0.2.6"}}]})
}

fn rule() -> Value {
    let rule = json!({"chain": "forward", "action": "drop", "src-address": "203.0.113.7", "comment": "one"});
    json!({"devices": ["edge"], "confirm": "auto", "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": rule}]})
}

#[test]
fn a_comment_cannot_pass_for_the_rest_of_a_rule() {
    let machine = machine();
    let rule = json!({"chain": "forward", "action": "accept", "protocol": "tcp", "comment": "office src-address=10.20.0.5 log=no"});
    let plan = json!({"devices": ["edge"], "unguarded": true, "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": rule}]});
    let shown = machine.rig.run(&["plan", "show", machine.create(&plan)["id"].as_str().unwrap()]).out;
    assert!(shown.contains(r#"protocol=tcp comment="office src-address=10.20.0.5 log=no""#), "{shown}");
    assert!(shown.contains("guard        NONE where the router lets us have none"), "{shown}");
    machine.end();
}

#[test]
fn without_a_daemon_a_plan_is_made_shown_applied_and_taken_to_its_end() {
    let machine = machine();
    let rig = &machine.rig;
    assert_eq!(rig.json(&["plan", "list"]), json!([]));
    let before = machine.records();
    let plan = machine.create(&record("nvr.lan"));
    let id = plan["id"].as_str().unwrap();
    assert_eq!((&plan["state"], machine.records()), (&json!("draft"), before));
    assert_eq!(rig.json(&["plan", "show", id])["digest"], plan["digest"]);
    let shown = rig.run(&["plan", "show", id]).out;
    assert!(
        shown.contains("add /ip/dns/static") && shown.contains("nvr.lan") && shown.contains(plan["short_digest"].as_str().unwrap()),
        "{shown}"
    );
    let done = rig.json(&["plan", "apply", id, "--wait"]);
    assert_eq!((&done["state"], machine.records()), (&json!("confirmed"), before + 1), "{done}");
    let listed = rig.json(&["plan", "list"]);
    assert_eq!((&listed[0]["id"], &listed[0]["state"]), (&plan["id"], &json!("confirmed")));
    // Without waiting the command stays until nothing hangs in the air.
    let second = machine.create(&record("cam.lan"));
    rig.json(&["plan", "apply", second["id"].as_str().unwrap()]);
    assert_eq!(rig.json(&["plan", "show", second["id"].as_str().unwrap()])["state"], "confirmed");
    machine.end();
}

#[test]
fn approving_takes_a_person_and_the_digest_that_was_seen() {
    let machine = machine();
    let rig = &machine.rig;
    let plan = machine.create(&rule());
    let (id, short) = (plan["id"].as_str().unwrap(), plan["short_digest"].as_str().unwrap());
    assert_eq!(rig.error(&["plan", "apply", id], 75)["kind"], "conflict");
    says(&rig.error(&["plan", "approve", id], 64)["message"], "--digest");
    says(&rig.error(&["plan", "approve", id, "--digest", short], 77)["message"], "takes a person");
    says(&rig.error(&["plan", "approve", id, "--digest", short, "--user", "anna"], 64)["message"], "--password-file");
    let file = password(rig);
    let anna = ["--user", "anna", "--password-file", &file];
    assert_eq!(rig.error(&[&["plan", "approve", id, "--digest", "0000-0000"], &anna[..]].concat(), 75)["kind"], "conflict");
    let yes = rig.json(&[&["plan", "approve", id, "--digest", short], &anna[..]].concat());
    assert_eq!((&yes["state"], &yes["approvals"]["given"][0]["by"]), (&json!("approved"), &json!("anna")));
    let done = rig.json(&["plan", "apply", id, "--wait"]);
    assert_eq!(done["state"], "confirmed", "{done}");
    let other = machine
        .create(&json!({"devices": ["edge"], "edits": [{"menu": "/ip/firewall/filter", "op": "disable", "match": {"comment": "one"}}]}));
    let other = other["id"].as_str().unwrap();
    let no = rig.json(&[&["plan", "refuse", other, "--reason", "it is needed"], &anna[..]].concat());
    assert_eq!((&no["state"], &no["why"]), (&json!("refused"), &json!("it is needed")));
    let people = rig.run(&[&["plan", "approve", other, "--yes"], &anna[..]].concat());
    assert_eq!(people.code, 75, "{people:?}");
    rig.holds_no_bytes(PASSWORD);
    machine.end();
}

#[test]
fn a_manual_plan_is_kept_by_another_command_than_the_one_that_applied_it() {
    let machine = machine();
    let rig = &machine.rig;
    let manual = |name: &str| {
        let mut plan = record(name);
        plan["confirm"] = "manual".into();
        plan
    };
    let before = machine.records();
    let daemon = rig.serve();
    let plan = machine.create(&manual("kept.lan"));
    let id = plan["id"].as_str().unwrap();
    let waits = rig.json(&["plan", "apply", id, "--wait"]);
    assert_eq!((&waits["state"], &waits["devices"][0]["state"]), (&json!("executing"), &json!("verified")), "{waits}");
    assert_eq!(rig.json(&["plan", "confirm", id])["state"], "confirmed");
    let plan = machine.create(&manual("undone.lan"));
    let id = plan["id"].as_str().unwrap();
    rig.json(&["plan", "apply", id, "--wait"]);
    assert_eq!(rig.json(&["plan", "roll-back", id])["state"], "rolled_back");
    let plan = machine.create(&manual("never.lan"));
    assert_eq!(rig.json(&["plan", "cancel", plan["id"].as_str().unwrap()])["state"], "cancelled");
    drop(daemon);
    assert_eq!(machine.records(), before + 1);
    machine.end();
}

#[test]
fn alone_a_manual_plan_waits_for_the_next_command() {
    let machine = machine();
    let rig = &machine.rig;
    let mut plan = record("alone.lan");
    plan["confirm"] = "manual".into();
    let id = machine.create(&plan)["id"].as_str().unwrap().to_owned();
    assert_eq!(rig.json(&["plan", "apply", &id, "--wait"])["devices"][0]["state"], "verified");
    assert_eq!(rig.json(&["plan", "confirm", &id])["state"], "confirmed");
    machine.end();
}

#[test]
fn what_is_no_plan_is_said_before_anything_is_asked() {
    let machine = machine();
    let rig = &machine.rig;
    says(&rig.error(&["plan", "create", "--file", "/no/such/file"], 64)["message"], "no such file");
    let file = rig.file("bad.json", "[1]");
    says(&rig.error(&["plan", "create", "--file", &file], 64)["message"], "no JSON object");
    assert_eq!(rig.error(&["plan", "show", "plan-000000000000"], 66)["kind"], "not_found");
    assert_eq!(rig.error(&["plan", "refuse", "plan-000000000000"], 64)["kind"], "bad_input", "a no has a reason");
    machine.end();
}
