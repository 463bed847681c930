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

mod refused;

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
            only_named: false,
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
            begun: None,
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
async fn one_edit_costs_at_most_five_requests_at_first_and_one_later() {
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
    assert!(cold <= 5 && warm <= 1, "{cold} cold, {warm} warm");
    let written = rig.sim.requests().iter().any(|seen| !matches!(seen.method.as_str(), "GET" | "POST"));
    assert!(!written, "a draft changes nothing");
}

#[tokio::test]
async fn what_a_change_gives_a_row_for_the_first_time_is_taken_away_by_the_undo_not_emptied() {
    let rig = Rig::new(Profile::Office).await;
    let edit = |values: Value| json!([{"menu": "/ip/firewall/filter", "op": "set", "match": {"comment": "drop the rest", "chain": "input"}, "values": values, "match_all": true}]);
    // Nothing asked the router about this menu before.
    let draft = rig.good(edit(json!({"in-interface": "bridge", "protocol": "tcp"}))).await;
    for name in ["in-interface", "protocol"] {
        assert!(draft.inverse.contains(&format!("/ip/firewall/filter/unset $mcprow value-name={name}\n")), "{}", draft.inverse);
    }
    assert!(!draft.inverse.contains("=\"\""), "a router takes no empty interface or protocol: {}", draft.inverse);
    for menu in ["/ip/firewall/filter", "/queue/simple", "/ip/dhcp-server/lease", "/interface/bridge/port"] {
        let learnt = crate::fleet::learnt::remembered(&rig.store, &rig.device, menu, crate::fleet::learnt::Extent::Rows).unwrap();
        if let Some(learnt) = learnt {
            assert!(!learnt.commands.is_empty(), "{menu}: which commands there are decides how it is undone");
        }
    }
}

#[tokio::test]
async fn a_rule_is_written_with_the_network_it_means() {
    let rig = Rig::new(Profile::Office).await;
    let rule = |address: &str| json!([{"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "src-address": address, "comment": "c"}}]);
    for (given, shown) in [
        ("10.77.0.250/16", "10.77.0.0/16"),
        ("!10.77.0.250/16", "!10.77.0.0/16"),
        ("10.77.0.1/32", "10.77.0.1"),
        ("10.77.0.1", "10.77.0.1"),
    ] {
        let draft = rig.good(rule(given)).await;
        let Change::Add { values, .. } = &draft.steps[0].change else { panic!("{:?}", draft.steps[0]) };
        assert_eq!(get(values, "src-address"), Some(shown), "{given}");
    }
}

#[tokio::test]
async fn a_new_rule_that_keeps_us_out_is_also_found_by_what_no_router_respells() {
    let rig = Rig::new(Profile::Office).await;
    let (hear, plan) = (|_: &Arc<Vec<Row>>| {}, PlanId("plan-0123456789ab".into()));
    let cx = rig.cx(&hear);
    // One like it is there already: then nothing but all of it tells them apart.
    for (action, letters) in [("tarpit", Some(pairs(&[("chain", "input"), ("action", "tarpit")]))), ("drop", None)] {
        let values = json!({"chain": "input", "action": action, "src-address": "10.77.0.0/16", "comment": "naïve rule"});
        let edit: Edit = serde_json::from_value(json!({"menu": "/ip/firewall/filter", "op": "add", "values": values})).unwrap();
        let task = task(0, &edit).unwrap();
        let mut desk = Desk::open(&cx, &rig.device, std::slice::from_ref(&task)).await.unwrap();
        desk.work(&task).await.unwrap();
        let found = std::mem::take(&mut desk.letters);
        assert_eq!(found.get(&0).map(|find| find.by.clone()), letters);
        let mut draft = desk.draft(&plan);
        for always in [true, false] {
            draft.steps[0].gives_access = always;
            let source = inverse::script(&plan, &draft.steps, &draft.known, &found).unwrap();
            let by_letters = source.contains("where chain=\"input\" action=\"tarpit\"]");
            assert_eq!(by_letters, always && letters.is_some(), "{action}: {source}");
        }
    }
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
    let menu = "/ip/dns/adlist";
    assert!(crate::menus::find(menu).is_none(), "it has facts now: take another one");
    let draft = rig.good(json!([{"menu": menu, "op": "add", "values": {"url": "https://example.com/hosts"}}])).await;
    let known = draft.known(menu).unwrap();
    assert!(known.stranger && known.is_content("url") && !known.singleton, "{known:?}");
    assert_eq!(draft.risk, Risk::High, "what nobody knows is never small");
}

#[tokio::test]
async fn a_route_is_told_from_others_by_what_it_shows_while_it_is_disabled() {
    let rig = Rig::new(Profile::Office).await;
    let found = |draft: &Draft| match &draft.steps[0].change {
        Change::Set { find, .. } | Change::Remove { find, .. } => find.by.clone(),
        change => panic!("{change:?}"),
    };
    let disable = |which: Value| json!([{"menu": "/ip/route", "op": "disable", "match": which}]);
    let by = found(&rig.good(disable(json!({"comment": "site 1"}))).await);
    assert_eq!(by, pairs(&[("dst-address", "10.101.0.0/16"), ("gateway", "wg-sites")]));
    // One to the same place in another table, and with it only the comment tells.
    rig.sim.world().add("/routing/table", &[("name", "other"), ("fib", "")]);
    let twin = [("dst-address", "10.101.0.0/16"), ("gateway", "wg-sites"), ("routing-table", "other")];
    rig.sim.world().add("/ip/route", &twin);
    let by = found(&rig.good(disable(json!({"comment": "site 1"}))).await);
    assert!(get(&by, "comment") == Some("site 1") && get(&by, "routing-table").is_none(), "{by:?}");
    // Without a comment the table does, as long as the other one shows its own.
    let by = found(&rig.good(disable(json!({"dst-address": "10.101.0.0/16", "routing-table": "other"}))).await);
    assert_eq!(get(&by, "routing-table"), Some("other"));
}
