//! Drafts on simulated routers, over a real fleet: what comes out, what is refused and in which words, and what it costs.

use super::*;
use crate::access::role::Role;
use crate::base::clock::{Clock, Wall};
use crate::base::events::Bus;
use crate::base::tier::Environment;
use crate::fleet::{Capability, Config, NewCredential, NewDevice, Parts, Pins, Place as Where, Settings};
use crate::plan::edit::Check;
use crate::plan::form::{Pairs, get};
use crate::plan::record::{Change, Place};
use crate::sim::profiles::{Profile, Version};
use crate::sim::{Options as SimOptions, Sim};
use crate::store::{Options, Seal};
use serde_json::{Value, json};

struct Rig {
    sim: Sim,
    fleet: Fleet,
    store: Store,
    clock: Clock,
    rules: Rules,
    author: Principal,
    device: Arc<Device>,
    _dir: tempfile::TempDir,
}

impl Rig {
    async fn new(profile: Profile) -> Rig {
        Rig::of(profile, None, &Capability::ALL).await
    }

    async fn of(profile: Profile, version: Option<Version>, capabilities: &[Capability]) -> Rig {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("store.redb")) }).unwrap();
        let (clock, _) = Clock::by_hand(Wall(1_790_000_000_000));
        let routeros = Config { requests_per_second: 1_000, ..Config::default() };
        let settings = Settings { routeros, ..Settings::new(Environment::Lab) };
        let parts = Parts { store: store.clone(), seal: Seal::new(&[3; 32]), clock: clock.clone(), bus: Bus::default(), settings };
        let fleet = Fleet::open(parts).unwrap();
        let sim = Sim::start(SimOptions { plain: false, version, ..SimOptions::new(profile, "edge") }).await.unwrap();
        let new = NewDevice {
            name: "edge".into(),
            place: Where { address: "127.0.0.1".into(), rest_port: sim.https_port(), ssh_port: sim.ssh_port(), plain_http: false },
            username: "mcp".into(),
            environment: Environment::Lab,
            tags: vec![],
            capabilities: capabilities.iter().copied().collect(),
            ssh_only: false,
        };
        let device = fleet.enroll(new, NewCredential::password(sim.credentials().mcp.password), Pins::default()).await.unwrap();
        let (rules, author) = (Rules::open(Environment::Lab), Principal::stdio(Role::OpsRw));
        Rig { sim, fleet, store, clock, rules, author, device, _dir: dir }
    }

    fn cx<'a>(&'a self, hear: &'a (dyn Fn(&Arc<Vec<Row>>) + Sync)) -> Drafting<'a> {
        Drafting {
            fleet: &self.fleet,
            store: &self.store,
            clock: &self.clock,
            rules: &self.rules,
            author: &self.author,
            origin: "plan.create",
            toolset: "core",
            hear,
        }
    }

    async fn draft(&self, edits: Value) -> Result<Draft, Fault> {
        self.draft_as("plan.create", edits).await
    }

    async fn draft_as(&self, origin: &str, edits: Value) -> Result<Draft, Fault> {
        let edits: Vec<Edit> = serde_json::from_value(edits).unwrap();
        let (cx, plan) = (Drafting { origin, ..self.cx(&|_| {}) }, PlanId("plan-0123456789ab".into()));
        let drafting = draft(&cx, &plan, &self.device, &edits);
        goes_between_threads(&drafting);
        drafting.await
    }

    async fn good(&self, edits: Value) -> Draft {
        let shown = edits.to_string();
        self.draft(edits).await.unwrap_or_else(|fault| panic!("{shown}: {} {:?}", fault.said, fault.hint))
    }

    /// Each must be refused with these words in what it says or advises.
    async fn refuses(&self, cases: Vec<(Value, &str)>) {
        let count = cases.len();
        for (edits, words) in cases {
            let shown = edits.to_string();
            match self.draft(edits).await {
                Ok(draft) => panic!("{shown} was drafted: {:?}", draft.steps),
                Err(fault) => {
                    let text = format!("{} | {}", fault.said, fault.hint.unwrap_or_default());
                    assert!(text.contains(words), "{shown}\n  {text}");
                    assert!(!text.contains("hunter2"), "{text}");
                }
            }
        }
        println!("{count} refusals");
    }
}

/// Tools run on whichever thread is free.
fn goes_between_threads(_: &impl Send) {}

fn pairs(pairs: &[(&str, &str)]) -> Pairs {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[tokio::test]
async fn the_plan_of_the_contract_becomes_two_steps_with_all_it_takes_to_undo_them() {
    let rig = Rig::new(Profile::Office).await;
    let draft = rig
        .good(json!([
            {"menu": "/ip/firewall/filter", "op": "add",
             "values": {"chain": "input", "action": "accept", "src-address": "10.0.30.0/24", "dst-address": "10.0.20.5", "comment": "iot to nvr"},
             "place_before": {"comment": "drop the rest"}},
            {"menu": "/ip/dns", "op": "set", "values": {"servers": ["9.9.9.9", "1.1.1.1"], "allow-remote-requests": true}},
        ]))
        .await;
    assert_eq!(draft.steps.len(), 2);
    let Change::Add { values, place, find, .. } = &draft.steps[0].change else { panic!("{:?}", draft.steps[0]) };
    assert_eq!(get(values, "src-address"), Some("10.0.30.0/24"));
    assert_eq!(place.as_ref().unwrap().before.as_ref().unwrap().by, pairs(&[("comment", "drop the rest"), ("chain", "input")]));
    assert_eq!(find.by, pairs(&[("comment", "iot to nvr")]));
    assert_eq!(draft.absent, [("/ip/firewall/filter".to_owned(), find.clone())]);
    let Change::SetSingle { before, values, .. } = &draft.steps[1].change else { panic!("{:?}", draft.steps[1]) };
    assert_eq!(values[0], ("servers".to_owned(), "9.9.9.9,1.1.1.1".to_owned()));
    assert!(get(before, "servers").is_some() && get(before, "dynamic-servers").is_none(), "content, and no state: {before:?}");
    let beside: Vec<_> = draft.observed.iter().filter(|seen| seen.menu == "/ip/firewall/filter").collect();
    assert_eq!(beside.len(), 2, "the rows on both sides of the new one: {beside:?}");
    assert_eq!(get(&beside[0].row, "jump-target"), Some("wan-input"));
    assert_eq!(beside[0].next.as_ref().unwrap().by, pairs(&[("comment", "drop the rest"), ("chain", "input")]));
    let filter = draft.known("/ip/firewall/filter").unwrap();
    assert!(filter.ordered && filter.is_content("src-address") && !filter.is_content("bytes") && !filter.stranger);
    assert!(draft.known("/ip/dns").unwrap().singleton);
    assert_eq!((draft.serial.clone(), draft.pins.clone()), (rig.device.facts.serial.clone(), rig.device.pins.clone()));
}

#[tokio::test]
async fn one_edit_costs_four_requests_at_first_and_two_later() {
    let rig = Rig::new(Profile::Office).await;
    let edits = |n: u32| {
        json!([{"menu": "/ip/firewall/filter", "op": "add",
            "values": {"chain": "forward", "action": "drop", "in-interface": "bridge", "comment": format!("n{n}")}}])
    };
    rig.sim.forget_requests();
    rig.good(edits(1)).await;
    let cold = rig.sim.requests().len();
    rig.sim.forget_requests();
    rig.good(edits(2)).await;
    let warm = rig.sim.requests().len();
    println!("{cold} requests cold, {warm} warm");
    assert!(cold <= 4 && warm <= 1, "{cold} cold, {warm} warm");
    let written = rig.sim.requests().iter().any(|seen| !matches!(seen.method.as_str(), "GET" | "POST"));
    assert!(!written, "a draft changes nothing");
}

#[tokio::test]
async fn what_is_as_asked_takes_no_step() {
    let rig = Rig::new(Profile::Office).await;
    let draft = rig
        .good(json!([
            {"menu": "/ip/firewall/filter", "op": "enable", "match": {"comment": "blocked hosts"}},
            {"menu": "/interface/vlan", "op": "set", "match": {"name": "vlan10-staff"}, "values": {"vlan-id": 10}},
            {"menu": "/interface/vlan", "op": "add", "values": {"name": "vlan20-voice", "vlan-id": "20", "interface": "bridge"}},
            {"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "connection-state": "invalid"}},
            {"menu": "/ip/firewall/filter", "op": "move", "match": {"chain": "input", "jump-target": "wan-input"}, "place_before": {"comment": "drop the rest"}},
            {"menu": "/ip/firewall/filter", "op": "set", "match": {"chain": "input", "comment": "drop the rest"}, "values": {"src-address": null}, "match_all": true},
        ]))
        .await;
    assert!(draft.is_done_already(), "{:?}", draft.steps);
}

#[tokio::test]
async fn names_values_and_rows_that_cannot_be_are_refused_with_what_would_be_right() {
    let rig = Rig::new(Profile::Office).await;
    let filter = |values: Value| json!([{"menu": "/ip/firewall/filter", "op": "add", "values": values}]);
    rig.refuses(vec![
        (filter(json!({"chain": "input", "action": "drop", "src-adress": "10.0.0.1"})), "src-address"),
        (filter(json!({"chain": "input", "action": "dorp", "src-address": "10.0.0.1"})), "drop"),
        (filter(json!({"chain": "input", "action": "drop", "src-address": "10.0.0.1", "bytes": 5})), "only be read"),
        (filter(json!({"action": "drop", "src-address": "10.0.0.1"})), "needs chain"),
        (filter(json!({"chain": "input", "action": "drop"})), "match_all"),
        (filter(json!({"chain": "input", "action": "drop", "in-interface": "ehter1"})), "ether1"),
        (filter(json!({"chain": "input", "action": "drop", "src-address": {"secret": "generate"}})), "no secret"),
        (filter(json!({"chain": "input", "action": "drop", "src-address": null})), "leave it out"),
        (json!([{"menu": "/ip/firewal/filter", "op": "add", "values": {"chain": "input"}}]), "no menu"),
        (
            json!([{"menu": "/interface/vlan", "op": "add", "values": {"name": "vlan10-staff", "vlan-id": 11, "interface": "bridge"}}]),
            "taken",
        ),
        (json!([{"menu": "/interface/vlan", "op": "add", "values": {"name": "v", "vlan-id": 5000, "interface": "bridge"}}]), "1 to 4095"),
        (json!([{"menu": "/interface/vlan", "op": "set", "match": {"name": "vlan20-voice"}, "values": {"name": "vlan10-staff"}}]), "taken"),
        (json!([{"menu": "/ip/firewall/filter", "op": "remove", "match": {"comment": "drop teh rest"}}]), "nearest"),
        (json!([{"menu": "/ip/firewall/filter", "op": "remove", "match": {"chain": "input", "action": "drop"}}]), "differ in comment"),
        (json!([{"menu": "/ip/firewall/filter", "op": "remove", "match": {}}]), "match is missing"),
        (json!([{"menu": "/ip/dns", "op": "set", "match": {"servers": "x"}, "values": {"servers": "9.9.9.9"}}]), "no rows"),
        (json!([{"menu": "/ip/dns", "op": "add", "values": {"servers": "9.9.9.9"}}]), "use set"),
        (json!([{"menu": "/ip/address", "op": "move", "match": {"interface": "bridge"}, "place_before": null}]), "order"),
        (json!([{"menu": "/log", "op": "remove", "match": {"message": "x"}}]), "only be read"),
        (json!([{"menu": "/ppp/profile", "op": "remove", "match": {"name": "default"}}]), "cannot be removed"),
        (json!([{"menu": "/user/group", "op": "remove", "match": {"name": "mcp"}}]), "in use by a row"),
    ])
    .await;
}

#[tokio::test]
async fn secrets_go_in_as_handles_and_are_never_repeated() {
    let rig = Rig::new(Profile::Office).await;
    let secret = |op: &str, which: Value, password: Value| {
        let values = if op == "add" { json!({"name": "bob", "password": password}) } else { json!({"password": password}) };
        let mut edit = json!({"menu": "/ppp/secret", "op": op, "values": values});
        if op == "set" {
            edit["match"] = which;
        }
        json!([edit])
    };
    let draft = rig.good(secret("add", Value::Null, json!({"secret": "vault:bob"}))).await;
    let Change::Add { values, secrets, .. } = &draft.steps[0].change else { panic!() };
    assert_eq!(
        (values.clone(), secrets[0].attribute.as_str(), secrets[0].handle.as_str()),
        (pairs(&[("name", "bob")]), "password", "vault:bob")
    );
    rig.sim.world().add("/ppp/secret", &[("name", "eve"), ("password", "hunter2")]);
    rig.refuses(vec![
        (secret("add", Value::Null, json!("hunter2")), "handle"),
        (secret("add", Value::Null, json!({"secret": "hunter2"})), "vault:NAME"),
        (secret("set", json!({"name": "eve"}), json!({"secret": "generate"})), "add a new row"),
        (secret("set", json!({"name": "eve"}), json!("hunter2")), "add a new row"),
        (secret("set", json!({"password": "hunter2"}), json!("x")), "cannot be kept"),
        (json!([{"menu": "/ppp/secret", "op": "remove", "match": {"password": "hunter2"}}]), "is a secret"),
        (json!([{"menu": "/ppp/secret", "op": "remove", "match": {"name": "evil"}}]), "eve"),
    ])
    .await;
    let draft = rig.good(json!([{"menu": "/ppp/secret", "op": "remove", "match": {"name": "eve"}}])).await;
    let Change::Remove { by_disabling, before, .. } = &draft.steps[0].change else { panic!() };
    assert!(*by_disabling && get(before, "password").is_none(), "{before:?}");
    assert!(!format!("{draft:?}").contains("hunter2"));
}

#[tokio::test]
async fn what_others_refer_to_is_not_removed_unless_the_plan_takes_it_out_of_there() {
    let rig = Rig::new(Profile::Office).await;
    {
        let mut world = rig.sim.world();
        world.add("/interface/list", &[("name", "SPARE")]);
        world.add("/ip/pool", &[("name", "old"), ("ranges", "10.99.0.2-10.99.0.9")]);
        world.add("/ip/pool", &[("name", "older"), ("ranges", "10.99.1.2-10.99.1.9"), ("next-pool", "old")]);
    }
    let remove = |menu: &str, name: &str| json!({"menu": menu, "op": "remove", "match": {"name": name}});
    rig.refuses(vec![
        (json!([remove("/interface/list", "MGMT")]), "in use by"),
        (json!([remove("/ip/pool", "old")]), "in use by a row of /ip/pool"),
    ])
    .await;
    for edits in [
        json!([remove("/interface/list", "SPARE")]),
        json!([remove("/ip/pool", "older")]),
        json!([{"menu": "/ip/pool", "op": "set", "match": {"name": "older"}, "values": {"next-pool": "none"}}, remove("/ip/pool", "old")]),
    ] {
        let steps = rig.good(edits).await.steps;
        assert!(matches!(steps.last().unwrap().change, Change::Remove { by_disabling: false, .. }), "{steps:?}");
    }
}

#[tokio::test]
async fn edits_see_those_before_them_and_contradictions_name_both() {
    let rig = Rig::new(Profile::Office).await;
    let rule = |comment: &str| json!({"chain": "input", "action": "accept", "src-address": "192.0.2.7", "comment": comment});
    let draft = rig
        .good(json!([
            {"menu": "/ip/firewall/filter", "op": "add", "values": rule("one"), "place_before": {"comment": "drop the rest"}},
            {"menu": "/ip/firewall/filter", "op": "add", "values": rule("zero"), "place_before": {"comment": "one"}},
            {"menu": "/interface/vlan", "op": "add", "values": {"name": "vlan70", "vlan-id": 70, "interface": "bridge"}},
            {"menu": "/ip/address", "op": "add", "values": {"address": "10.70.0.1/24", "interface": "vlan70"}},
        ]))
        .await;
    let Change::Add { place: Some(Place { before: Some(before) }), .. } = &draft.steps[1].change else { panic!("{:?}", draft.steps[1]) };
    assert_eq!(before.by, pairs(&[("comment", "one")]));
    let set = |value: &str| json!({"menu": "/ip/firewall/filter", "op": "set", "match": {"comment": "management"}, "values": {"src-address": value}});
    let remove = json!({"menu": "/ip/firewall/filter", "op": "remove", "match": {"comment": "management"}});
    let add = json!({"menu": "/ip/firewall/filter", "op": "add", "values": rule("one")});
    rig.refuses(vec![
        (json!([set("192.0.2.1"), set("192.0.2.2")]), "edits[1]: edits[0] sets src-address"),
        (json!([set("192.0.2.1"), remove]), "edits[1]: edits[0] changes"),
        (json!([remove, set("192.0.2.1")]), "edits[1]: edits[0] removes"),
        (json!([remove, remove]), "edits[1]: edits[0] removes"),
        (json!([add, add]), "edits[1]: edits[0] adds the same"),
        (
            json!([{"menu": "/ip/firewall/filter", "op": "disable", "match": {"comment": "management"}},
                   {"menu": "/ip/firewall/filter", "op": "enable", "match": {"comment": "management"}}]),
            "edits[1]: edits[0] sets disabled",
        ),
    ])
    .await;
}

#[tokio::test]
async fn a_row_is_found_by_as_little_as_tells_it_from_all_others() {
    let rig = Rig::new(Profile::Office).await;
    rig.sim.world().add("/ip/firewall/filter", &[("chain", "lone"), ("action", "accept"), ("protocol", "tcp")]);
    rig.sim.world().add("/ip/firewall/filter", &[("chain", "lone"), ("action", "accept")]);
    rig.sim.world().add("/ip/firewall/filter", &[("chain", "twin"), ("action", "accept"), ("protocol", "udp")]);
    rig.sim.world().add("/ip/firewall/filter", &[("chain", "twin"), ("action", "accept"), ("protocol", "udp")]);
    let find = async |which: Value| {
        let edits = json!([{"menu": "/ip/firewall/filter", "op": "disable", "match": which}]);
        let draft = rig.good(edits).await;
        let Change::Set { find, .. } = draft.steps[0].change.clone() else { panic!() };
        find.by
    };
    assert_eq!(find(json!({"comment": "blocked hosts"})).await, pairs(&[("comment", "blocked hosts")]));
    assert_eq!(find(json!({"chain": "lone", "protocol": "tcp"})).await, pairs(&[("chain", "lone"), ("protocol", "tcp")]));
    assert_eq!(find(json!({"chain": "lone", "protocol": null})).await, pairs(&[("chain", "lone"), ("protocol", "")]), "by what it lacks");
    let by = find(json!({"jump-target": "wan-input"})).await;
    assert!(by.len() <= 2 && !by.iter().any(|(name, _)| name == "disabled"), "{by:?}");
    rig.refuses(vec![
        (json!([{"menu": "/ip/firewall/filter", "op": "disable", "match": {"chain": "twin"}}]), "give one of them a comment"),
        (json!([{"menu": "/ip/firewall/filter", "op": "disable", "match": {"chain": "twin"}, "each": true}]), "give the row a comment"),
    ])
    .await;
}

#[tokio::test]
async fn each_makes_a_step_a_row_and_a_removal_remembers_its_place() {
    let rig = Rig::new(Profile::Office).await;
    let draft = rig
        .good(json!([{"menu": "/interface/vlan", "op": "set", "match": {"interface": "bridge"}, "each": true, "values": {"mtu": 1400}}]))
        .await;
    assert_eq!(draft.steps.len(), 7, "{:?}", draft.steps);
    assert!(draft.observed.len() == 7 && draft.observed.iter().all(|seen| seen.next.is_none()), "a menu without order");
    let draft = rig.good(json!([{"menu": "/ip/firewall/filter", "op": "remove", "match": {"comment": "blocked hosts"}}])).await;
    let Change::Remove { place: Some(Place { before: Some(next) }), before, by_disabling: false, .. } = &draft.steps[0].change else {
        panic!("{:?}", draft.steps)
    };
    assert!(next.by.iter().any(|(_, value)| value == "icmp" || value.contains("packet")), "{next:?}");
    assert_eq!(get(before, "log-prefix"), Some("blocked"));
    let draft =
        rig.good(json!([{"menu": "/ip/firewall/filter", "op": "move", "match": {"comment": "blocked hosts"}, "place_before": null}])).await;
    let Change::Move { to: Place { before: None }, from: Place { before: Some(_) }, .. } = &draft.steps[0].change else {
        panic!("{:?}", draft.steps)
    };
}

#[tokio::test]
async fn run_runs_what_is_harmless_and_nothing_else() {
    let rig = Rig::new(Profile::Office).await;
    for edit in [
        json!({"menu": "/ip/dns/cache", "op": "run", "command": "flush"}),
        json!({"menu": "/ip/dns/cache/flush", "op": "run"}),
        json!({"menu": "/tool/wol", "op": "run", "values": {"mac": "00:11:22:33:44:55", "interface": "bridge"}}),
        json!({"menu": "/ip/firewall/filter", "op": "run", "command": "reset-counters-all"}),
        json!({"menu": "/ip/firewall/filter", "op": "run", "command": "reset-counters", "match": {"comment": "management"}}),
    ] {
        let draft = rig.good(json!([edit])).await;
        assert!(matches!(&draft.steps[0].change, Change::Run { .. }), "{edit}");
    }
    let run = |menu: &str, command: &str| json!([{"menu": menu, "op": "run", "command": command}]);
    rig.refuses(vec![
        (run("/system/script", "run"), "never for scripts"),
        (run("/system", "reboot"), "never for scripts"),
        (run("/system", "shutdown"), "never for scripts"),
        (run("/system/reset-configuration", ""), "never for scripts"),
        (run("/ip/arp", "flush"), "never for scripts"),
        (run("/tool", "fetch"), "never for scripts"),
        (run("/ip/dhcp-client", "renew"), "match is missing"),
        (json!([{"menu": "/tool/wol", "op": "run", "values": {"mac": "nonsense"}}]), "does not go with it"),
        (json!([{"menu": "/ip/dns/cache", "op": "run", "command": "flush", "values": {"x": "y"}}]), "does not go with it"),
    ])
    .await;
}

#[tokio::test]
async fn policy_capabilities_and_the_state_of_the_device_are_asked_before_the_router() {
    let rig = Rig::of(Profile::Office, None, &[Capability::Writes, Capability::Professional]).await;
    rig.sim.forget_requests();
    let rule = json!([{"menu": "/ip/firewall/filter", "op": "disable", "match": {"comment": "management"}}]);
    rig.refuses(vec![(rule.clone(), "capability firewall")]).await;
    assert_eq!(rig.sim.requests().len(), 0, "nothing was asked");
    assert!(rig.draft_as("firewall.enable_rule", rule.clone()).await.is_ok(), "what is no plan needs the capability writes alone");

    let mut rig = Rig::of(Profile::Office, None, &[Capability::Firewall]).await;
    rig.refuses(vec![(rule.clone(), "capability professional")]).await;
    assert!(rig.draft_as("firewall.enable_rule", rule.clone()).await.unwrap_err().said.contains("writes"));

    rig = Rig::new(Profile::Office).await;
    rig.author = Principal::stdio(Role::ReadOnly);
    rig.refuses(vec![(rule.clone(), "role")]).await;
    rig.author = Principal::stdio(Role::OpsRw);
    rig.author.limits.devices.clear();
    assert_eq!(rig.draft(rule.clone()).await.unwrap_err().kind, Kind::NotFound);
    rig.author = Principal::stdio(Role::OpsRw);
    rig.rules.read_only = true;
    rig.refuses(vec![(rule.clone(), "read only")]).await;
    rig.rules.read_only = false;
    let with = |change: fn(&mut Device)| {
        let mut device = (*rig.device).clone();
        change(&mut device);
        Arc::new(device)
    };
    let cases: [(Arc<Device>, &str); 3] = [
        (with(|device| device.plain_http = true), "plain HTTP"),
        (with(|device| device.facts.flagged = true), "tampering"),
        (with(|device| device.status = crate::fleet::Status::Decommissioned), "decommissioned"),
    ];
    for (device, words) in cases {
        rig.device = device;
        rig.refuses(vec![(rule.clone(), words)]).await;
    }
}

#[tokio::test]
async fn device_mode_is_heard_before_anything_is_planned() {
    let rig = Rig::new(Profile::HomeAp).await;
    let entry = json!([{"menu": "/system/scheduler", "op": "add", "values": {"name": "x", "interval": "1h", "on-event": ":log info x"}}]);
    rig.refuses(vec![(entry, "device-mode")]).await;
}

#[tokio::test]
async fn code_is_written_as_text_into_new_rows_and_never_kept() {
    let rig = Rig::of(Profile::Office, Some(Version::V7_23), &Capability::ALL).await;
    let draft =
        rig.good(json!([{"menu": "/system/script", "op": "add", "values": {"name": "x", "source": ":log info 1\n:log info 2"}}])).await;
    let Change::Add { values, find, .. } = &draft.steps[0].change else { panic!() };
    assert_eq!((get(values, "source"), find.by.clone()), (Some(":log info 1\n:log info 2"), pairs(&[("name", "x")])));
    rig.sim.world().add("/system/script", &[("name", "old"), ("source", ":put hunter2")]);
    rig.refuses(vec![
        (json!([{"menu": "/system/script", "op": "set", "match": {"name": "old"}, "values": {"source": "x"}}]), "holds code"),
        (json!([{"menu": "/system/script", "op": "remove", "match": {"name": "old"}}]), "undo"),
    ])
    .await;
}

#[tokio::test]
async fn a_menu_without_facts_is_known_from_the_router_alone() {
    let rig = Rig::new(Profile::Office).await;
    assert!(crate::menus::find("/ip/dhcp-server/option/sets").is_none());
    let draft = rig.draft(json!([{"menu": "/ip/dhcp-server/option/sets", "op": "add", "values": {"name": "a", "options": ""}}])).await;
    match draft {
        Ok(draft) => assert!(draft.known("/ip/dhcp-server/option/sets").unwrap().stranger),
        Err(fault) => assert!(fault.said.contains("no menu"), "{}", fault.said),
    }
}

#[tokio::test]
async fn what_the_router_made_is_not_changed() {
    let rig = Rig::new(Profile::Office).await;
    rig.sim
        .world()
        .add("/ip/firewall/address-list", &[("list", "scanners"), ("address", "192.0.2.99"), ("dynamic", "true"), ("timeout", "1h")]);
    rig.refuses(vec![(json!([{"menu": "/ip/firewall/address-list", "op": "remove", "match": {"address": "192.0.2.99"}}]), "dynamic")])
        .await;
}

#[tokio::test]
async fn checks_name_addresses_and_devices_that_exist() {
    let rig = Rig::new(Profile::Office).await;
    let hear = |_: &Arc<Vec<Row>>| {};
    let cx = rig.cx(&hear);
    let check = |ping: Option<&str>, from: Option<&str>, reach: Option<&str>| {
        let own = |text: Option<&str>| text.map(str::to_owned);
        [Check { ping: own(ping), from: own(from), reach: own(reach) }]
    };
    verify_list(&cx, &check(Some("192.0.2.1"), Some("edge"), None)).unwrap();
    verify_list(&cx, &check(None, None, Some("edge"))).unwrap();
    assert!(verify_list(&cx, &check(Some("example.com"), None, None)).is_err());
    assert_eq!(verify_list(&cx, &check(None, None, Some("nobody"))).unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn a_console_that_would_hang_is_not_asked() {
    let rig = Rig::new(Profile::Office).await;
    rig.sim.forget_requests();
    let draft = rig.draft(json!([{"menu": "/routing/filter/rule", "op": "add", "values": {"chain": "bgp-in", "rule": "accept"}}])).await;
    assert!(draft.is_ok_and(|draft| draft.steps.len() == 1));
    assert!(rig.sim.requests().iter().all(|seen| !seen.path().contains("inspect")), "7.20 hangs on the word rule");
}
