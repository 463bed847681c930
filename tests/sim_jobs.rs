//! Scripts on the simulated router: guards as they are armed, fired and disarmed, jobs, and what trips scripts up.

use crate::sim_rest::{admin, call, until};
use crate::sim_ssh::{login, said};
use crate::sim_time::{MINUTE, get, logged, note, pass, rig, rig_as, store};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::profiles::{Profile, Version};
use serde_json::json;

/// A roll-back: inverse of a set, of an add and of a remove; retried, and gone when it succeeded.
const GUARD: &str = r##"
  :log warning "rb-7f3a rollback start"
  :local bad 0
  # inverse of: set forward rule disabled, keyed by comment + chain, not by number
  :do {
    :local r [/ip/firewall/filter/find where comment="mgr:allow-iot" chain=forward]
    :if ([:len $r] = 1) do={ /ip/firewall/filter/set $r disabled=no src-address="192.168.30.0/24" } else={ :set bad ($bad + 1) }
  } on-error={ :set bad ($bad + 1) }
  # inverse of an add
  :do { /ip/address/remove [find where comment="mgr:7f3a"] } on-error={ :set bad ($bad + 1) }
  # inverse of a remove: add again only if absent
  :do { :if ([:len [/ip/route/find where comment="mgr:dflt"]] = 0) do={ /ip/route/add dst-address=198.18.0.0/15 gateway=10.20.99.7 comment="mgr:dflt" } } on-error={ :set bad ($bad + 1) }
  :log warning ("rb-7f3a rollback done, failed steps " . $bad)
  :local n 9
  :do { :set n [/system/scheduler/get [find where name="rb-7f3a"] run-count] } on-error={}
  :if (($bad = 0) or ($n >= 5)) do={
    :do { /system/scheduler/remove [find where name="rb-7f3a"] } on-error={}
    :do { /system/script/remove [find where name="rb-7f3a"] } on-error={}
  }
"##;

/// The state the guard goes back to.
async fn before(sim: &Sim) {
    let rule = json!({"chain": "forward", "action": "accept", "src-address": "192.168.30.0/24", "comment": "mgr:allow-iot"});
    assert_eq!(admin(sim, "PUT", "/ip/firewall/filter", Some(rule)).await.status, 201);
    let route = json!({"dst-address": "198.18.0.0/15", "gateway": "10.20.99.7", "comment": "mgr:dflt"});
    assert_eq!(admin(sim, "PUT", "/ip/route", Some(route)).await.status, 201);
}

/// What the guard protects from.
async fn apply(sim: &Sim) {
    let handle = login(sim, "admin", "sim-admin-pass").await;
    let change = "/ip/firewall/filter/set [find where comment=\"mgr:allow-iot\"] disabled=yes src-address=192.168.31.0/24; \
                  /ip/address/add address=192.0.2.99/24 interface=[/interface/get [find where name=ether1] name] comment=\"mgr:7f3a\"; \
                  /ip/route/remove [find where comment=\"mgr:dflt\"]; :put applied";
    assert_eq!(said(&handle, change).await, "applied");
}

fn state(sim: &Sim) -> (String, String, usize, usize) {
    let mut world = sim.world();
    let rule = world.rows("/ip/firewall/filter").into_iter().find(|r| r.get("comment") == Some("mgr:allow-iot")).unwrap();
    let count = |rows: Vec<routeros_mcp::sim::row::Row>, comment: &str| rows.iter().filter(|r| r.get("comment") == Some(comment)).count();
    let (addresses, routes) = (world.rows("/ip/address"), world.rows("/ip/route"));
    let of = |name: &str| rule.get(name).unwrap_or_default().to_string();
    // A rule that was never disabled says nothing of it.
    let disabled = if rule.is("disabled") { "true" } else { "false" };
    (disabled.into(), of("src-address"), count(addresses, "mgr:7f3a"), count(routes, "mgr:dflt"))
}

fn leftovers(sim: &Sim) -> usize {
    let mut world = sim.world();
    let named =
        |rows: Vec<routeros_mcp::sim::row::Row>| rows.iter().filter(|r| r.get("name").is_some_and(|n| n.starts_with("rb-"))).count();
    named(world.rows("/system/scheduler")) + named(world.rows("/system/script")) + world.rows("/system/script/job").len()
}

#[tokio::test]
async fn a_guard_over_rest_undoes_set_add_and_remove_and_is_gone() {
    let (sim, hand) = rig(Profile::Office).await;
    before(&sim).await;
    let old = state(&sim);
    let script = store(&sim, "rb-7f3a", "read,write,test", GUARD).await;
    assert_eq!((script["invalid"].as_str(), script["source"].as_str()), (Some("false"), Some(GUARD)));
    let entry = json!({"name": "rb-7f3a", "start-time": "startup", "interval": "3m", "on-event": "rb-7f3a", "policy": "read,write,test"});
    let mcp = sim.credentials().mcp;
    assert_eq!(call(&sim, &mcp, "PUT", "/system/scheduler", Some(entry)).await.json()["next-run"], "2026-11-25 00:03:00");
    apply(&sim).await;
    assert_eq!(state(&sim), ("true".into(), "192.168.31.0/24".into(), 1, 0));
    pass(&hand, 179);
    assert_eq!(state(&sim).0, "true");
    pass(&hand, 1);
    assert_eq!((state(&sim), leftovers(&sim)), (old, 0));
    assert_eq!(logged(&sim, "script,warning"), ["rb-7f3a rollback start", "rb-7f3a rollback done, failed steps 0"]);
}

#[tokio::test]
async fn a_guard_that_cannot_finish_tries_again_and_gives_up_after_five_runs() {
    let (sim, hand) = rig(Profile::Office).await;
    store(&sim, "rb-7f3a", "read,write,test", GUARD).await;
    let entry = json!({"name": "rb-7f3a", "start-time": "startup", "interval": "1m", "on-event": "rb-7f3a", "policy": "read,write,test"});
    call(&sim, &sim.credentials().mcp, "PUT", "/system/scheduler", Some(entry)).await;
    pass(&hand, 4 * MINUTE);
    assert_eq!((get(&sim, "/system/scheduler", "rb-7f3a", "run-count").as_str(), leftovers(&sim)), ("4", 2));
    pass(&hand, 10 * MINUTE);
    assert_eq!(leftovers(&sim), 0);
    assert_eq!(logged(&sim, "script,warning").iter().filter(|m| m.ends_with("failed steps 1")).count(), 5);
}

#[tokio::test]
async fn a_guard_is_armed_and_disarmed_from_the_console() {
    let (sim, hand) = rig(Profile::Office).await;
    before(&sim).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    let add = format!("/system/script/add name=\"rb-7f3a\" dont-require-permissions=no policy=read,write,test source={{{GUARD}}}");
    assert_eq!(said(&handle, &add).await, "");
    assert_eq!(get(&sim, "/system/script", "rb-7f3a", "source"), GUARD);
    let arm = "/system/scheduler/add name=\"rb-7f3a\" start-time=startup interval=3m on-event=\"rb-7f3a\" policy=read,write,test \
               comment=\"mgr guard 7f3a\"\n";
    said(&handle, arm).await;
    assert_eq!(said(&handle, ":put [/system/scheduler/get [find where name=\"rb-7f3a\"] next-run]").await, "2026-11-25 00:03:00");
    apply(&sim).await;
    pass(&hand, 170);
    let confirm = ":onerror e in={ /system/scheduler/remove [find where name=\"rb-7f3a\"]; \
                   /system/script/remove [find where name=\"rb-7f3a\"]; :put \"DISARMED\" } do={ :put (\"ERR \" . $e) }";
    assert_eq!(said(&handle, confirm).await, "DISARMED");
    pass(&hand, 3_600);
    assert_eq!((state(&sim).0.as_str(), leftovers(&sim)), ("true", 0));
}

#[tokio::test]
async fn an_error_while_applying_runs_the_roll_back_at_once() {
    let (sim, _hand) = rig(Profile::Office).await;
    before(&sim).await;
    store(&sim, "rb-7f3a", "read,write,test", GUARD).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    let apply = ":onerror e in={ /ip/firewall/filter/set [find where comment=\"mgr:allow-iot\"] src-address=192.168.31.0/24; \
                 /ip/firewall/address-list/add list=mgmt address=10.20.99.0/24; :put \"APPLIED-7f3a\" } \
                 do={ :put (\"FAILED-7f3a \" . $e); /system/script/run rb-7f3a }";
    assert_eq!(said(&handle, apply).await, "FAILED-7f3a failure: already have such entry");
    assert_eq!((state(&sim).1.as_str(), leftovers(&sim)), ("192.168.30.0/24", 0));
}

#[tokio::test]
async fn at_home_a_job_is_the_guard_and_its_removal_confirms() {
    let (sim, hand) = rig(Profile::HomeAp).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    store(&sim, "rb-7f3a", "read,write,test", "/system/note/set note=rolled-back").await;
    let arm = ":global g7f3a [:execute script={:delay 180s; /system/script/run rb-7f3a}]; :put $g7f3a";
    let job = said(&handle, arm).await;
    assert_eq!(sim.world().rows("/system/script/job")[0].id_text().unwrap(), job);
    pass(&hand, 100);
    said(&handle, ":global g7f3a; /system/script/job/remove [find where .id=$g7f3a]").await;
    assert!(sim.world().rows("/system/script/job").is_empty());
    pass(&hand, 3_600);
    assert_eq!(note(&sim), "");
    said(&handle, arm).await;
    pass(&hand, 180);
    assert_eq!(note(&sim), "rolled-back");
    assert_eq!(leftovers(&sim), 1, "the script alone");
}

#[tokio::test]
async fn removing_the_script_disarms_a_job_that_runs_it_and_leaves_an_error() {
    let (sim, hand) = rig(Profile::HomeAp).await;
    store(&sim, "rb", "read,write,test", "/system/note/set note=rolled-back").await;
    call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": ":delay 60s; /system/script/run rb"}))).await;
    assert!(sim.world().remove("/system/script", "rb"));
    pass(&hand, MINUTE);
    assert_eq!(note(&sim), "");
    assert_eq!(logged(&sim, "script,error"), ["executing script failed, please check it manually: no such item"]);
}

#[tokio::test]
async fn a_job_and_globals_are_lost_on_a_reboot() {
    let (sim, hand) = rig(Profile::Office).await;
    let job = json!({"script": ":global mark here; :delay 60s; /system/note/set note=late"});
    call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(job)).await;
    pass(&hand, 30);
    sim.reboot();
    assert!(sim.world().rows("/system/script/job").is_empty());
    pass(&hand, 3_600);
    assert_eq!(note(&sim), "");
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    assert_eq!(said(&handle, ":global mark; :put \"<$mark>\"").await, "<>");
}

#[tokio::test]
async fn delays_are_monotonic_and_steps_of_the_clock_do_not_move_them() {
    for step in [3_600_000, -3_600_000] {
        let (sim, hand) = rig(Profile::Office).await;
        call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": ":delay 60s; /system/note/set note=late"}))).await;
        sim.step_clock(step);
        pass(&hand, 59);
        assert_eq!(note(&sim), "", "{step}");
        pass(&hand, 1);
        assert_eq!(note(&sim), "late", "{step}");
    }
}

#[tokio::test]
async fn execute_takes_sixty_four_kilobytes_and_no_more() {
    let (sim, _hand) = rig(Profile::Office).await;
    let run = async |length: usize| {
        let script = format!("#{}\n:put ok", "x".repeat(length - 9));
        assert_eq!(script.len(), length);
        call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": script}))).await
    };
    assert_eq!(run(64 * 1024).await.status, 200);
    let refused = run(64 * 1024 + 1).await;
    assert_eq!((refused.status, refused.detail().as_str()), (400, "failure: script too long"));
}

#[tokio::test]
async fn a_request_ends_after_sixty_seconds_of_the_routers_clock() {
    let (sim, hand) = rig(Profile::Office).await;
    let mcp = sim.credentials().mcp;
    let run = |seconds: u32| {
        let script = format!(":delay {seconds}s; /system/note/set note=n{seconds}; :put done");
        call(&sim, &mcp, "POST", "/execute", Some(json!({"script": script, "as-string": ""})))
    };
    let later = async |seconds| {
        until(|| sim.faults().working().now() > 0).await;
        pass(&hand, seconds);
    };
    let (quick, ()) = tokio::join!(run(59), later(59));
    assert_eq!(quick.json(), json!({"ret": "done"}));
    let (slow, ()) = tokio::join!(run(61), later(3_600));
    assert_eq!((slow.status, slow.detail().as_str(), note(&sim).as_str()), (400, "Session closed", "n59"));
}

#[tokio::test]
async fn one_scripts_delay_holds_nobody_else() {
    let (sim, hand) = rig(Profile::Office).await;
    let mcp = sim.credentials().mcp;
    call(&sim, &mcp, "POST", "/execute", Some(json!({"script": ":delay 1h; /system/note/set note=hour"}))).await;
    call(&sim, &mcp, "POST", "/execute", Some(json!({"script": ":delay 1s; /system/note/set note=second"}))).await;
    pass(&hand, 1);
    assert_eq!(note(&sim), "second");
    assert_eq!(sim.world().rows("/system/script/job").len(), 1);
}

#[tokio::test]
async fn a_job_knows_its_parent_and_can_end_itself() {
    let (sim, hand) = rig(Profile::Office).await;
    let script = ":log info parent; :execute script={:delay 1h}; :delay 1s; /system/script/job/remove [find where script~\"parent\" owner=mcp]; \
                  /system/note/set note=went-on";
    let job = call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": script}))).await.json()["ret"].clone();
    let jobs = admin(&sim, "GET", "/system/script/job", None).await.json();
    assert!(job.is_string(), "{jobs}");
    assert_eq!((jobs[0][".id"].clone(), jobs[1]["parent"].clone()), (job.clone(), job));
    pass(&hand, 2);
    let left = sim.world().rows("/system/script/job");
    let log = logged(&sim, "script,error");
    assert_eq!((note(&sim).as_str(), left.len()), ("", 1), "{jobs} {left:?} {log:?}");
}

#[tokio::test]
async fn a_job_has_the_policies_of_who_started_it() {
    let (sim, _hand) = rig(Profile::Office).await;
    call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": "/user/add name=x group=full password=y"}))).await;
    assert_eq!(logged(&sim, "script,error"), ["executing script failed, please check it manually: not enough permissions (9)"]);
}

#[tokio::test]
async fn a_script_can_run_with_its_own_permissions() {
    let (sim, _hand) = rig(Profile::Office).await;
    let source = "/user/group/set read comment=by-script";
    let body = json!({"name": "wide", "policy": "read,write,policy", "source": source});
    admin(&sim, "PUT", "/system/script", Some(body)).await;
    let handle = login(&sim, "mcp", "sim-mcp-pass").await;
    assert_eq!(said(&handle, "/system/script/run wide").await, "not enough permissions (9)");
    assert_eq!(said(&handle, "/system/script/run wide use-script-permissions").await, "");
    assert_eq!(get(&sim, "/user/group", "read", "comment"), "by-script");
}

#[tokio::test]
async fn globals_of_others_are_seen_with_enough_policies_alone() {
    let (sim, _hand) = rig(Profile::Office).await;
    said(&login(&sim, "mcp", "sim-mcp-pass").await, ":global shared 7").await;
    let admins = login(&sim, "admin", "sim-admin-pass").await;
    assert_eq!(said(&admins, ":global shared; :put \"<$shared>\"").await, "<7>");
    said(&admins, ":global own 8").await;
    assert_eq!(said(&login(&sim, "mcp", "sim-mcp-pass").await, ":global own; :put \"<$own>\"").await, "<>");
}

#[tokio::test]
async fn lists_scopes_escapes_and_loops_are_those_of_the_console() {
    let (sim, _hand) = rig(Profile::Office).await;
    let handle = login(&sim, "admin", "sim-admin-pass").await;
    let list = "/ip/firewall/address-list";
    for address in ["198.51.100.1", "198.51.100.2"] {
        said(&handle, &format!("{list}/add list=two address={address}")).await;
    }
    let cases = [
        // A list of rows is an array, and a set of it hits them all.
        (
            format!(
                ":local x [{list}/find where list=two]; :put [:typeof $x]; {list}/set $x comment=both; :put [{list}/print count-only where comment=both]"
            ),
            "array\r\n2",
        ),
        // Nothing found is nothing done, without a word.
        (format!("{list}/set [find where list=none] comment=x; {list}/remove [find where list=none]; :put fine"), "fine"),
        // A line is a scope of its own.
        (":local x 5; :put \"<$x>\"".into(), "<5>"),
        (":put \"<$x>\"".into(), "<>"),
        (":do { :error \"no\" } on-error={ :put caught }".into(), "caught"),
        (":onerror e in={ :error \"why\" } do={ :put \"caught $e\" }".into(), "caught why"),
        (":put \"a\\\"b\\\\c\\$d\\41\\n\\_e\"".into(), "a\"b\\c$dA\r\n e"),
        (
            ":local a {1;2;3}; :local s 0; :foreach i in=$a do={ :set s ($s + $i) }; :put $s; :put [:pick $a 1]; :put [:len $a]".into(),
            "6\r\n2\r\n3",
        ),
        (":for i from=1 to=3 do={ :put $i }".into(), "1\r\n2\r\n3"),
        (":local i 0; :while ($i < 3) do={ :set i ($i + 1) }; :put $i".into(), "3"),
        (
            ":put [:find \"abc\" \"c\"]; :put [:typeof [:find \"abc\" \"x\"]]; :put [:tostr 12]; :put [:pick \"abcdef\" 1 3]".into(),
            "2\r\nnil\r\n12\r\nbc",
        ),
        (":local f do={ :return ($1 . \"!\") }; :put [$f \"hi\"]".into(), "hi!"),
        (format!("{list}/unset [find where list=two] comment; :put [{list}/print count-only where comment=both]"), "0"),
    ];
    for (script, want) in &cases {
        assert_eq!(said(&handle, script).await, *want, "{script}");
    }
}

#[tokio::test]
async fn rows_are_placed_and_moved_by_what_finds_them() {
    let (sim, _hand) = rig(Profile::Office).await;
    let handle = login(&sim, "admin", "sim-admin-pass").await;
    let menu = "/ip/firewall/mangle";
    let script = format!(
        "{menu}/add chain=forward action=accept comment=m1; {menu}/add chain=forward action=accept comment=m2; \
         {menu}/add chain=forward action=accept comment=m0 place-before=[find where comment=m1]"
    );
    said(&handle, &script).await;
    let order = || {
        let rows = sim.world().rows(menu);
        rows.iter().filter_map(|r| r.get("comment").filter(|c| c.starts_with('m') && c.len() == 2).map(String::from)).collect::<Vec<_>>()
    };
    assert_eq!(order(), ["m0", "m1", "m2"]);
    said(&handle, &format!("{menu}/move [find where comment=m2] destination=[find where comment=m0]")).await;
    assert_eq!(order(), ["m2", "m0", "m1"]);
    said(&handle, &format!("{menu}/move [find where comment=m2] destination=[find where comment=absent]")).await;
    assert_eq!(order(), ["m0", "m1", "m2"], "to the end, without a word");
    said(&handle, &format!("{menu}/disable [find where comment=m1]")).await;
    assert_eq!(said(&handle, &format!(":put [{menu}/get [find where comment=m1] disabled]")).await, "true");
}

#[tokio::test]
async fn before_7_13_there_is_no_onerror_and_a_script_with_it_is_invalid() {
    let (sim, _hand) = rig_as(Profile::Office, Some(Version::V7_12)).await;
    let made = store(&sim, "new", "read,write,test", ":onerror e in={ :put 1 } do={ :put 2 }").await;
    assert_eq!(made["invalid"], "true");
    assert_eq!(store(&sim, "old", "read,write,test", ":do { :put 1 } on-error={ :put 2 }").await["invalid"], "false");
}
