//! A run of a scheduler entry: the policies it has, what it may, and what the log says of it.

use super::{MINUTE, entry, get, logged, note, pass, rig, schedule, store};
use crate::sim_rest::{admin, call};
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;

#[tokio::test]
async fn the_policy_of_an_entry_is_its_adders_and_never_more() {
    let (sim, _hand) = rig(Profile::Office).await;
    let made = schedule(&sim, json!({"name": "own", "on-event": ":log info x"})).await;
    assert_eq!(made["policy"], "ftp,reboot,read,write,test,sensitive");
    assert_eq!(schedule(&sim, json!({"name": "less", "policy": "test,write,read"})).await["policy"], "read,write,test");
    let mcp = sim.credentials().mcp;
    let wider = json!({"name": "more", "policy": "read,write,policy"});
    let refused = call(&sim, &mcp, "PUT", "/system/scheduler", Some(wider.clone())).await;
    assert_eq!((refused.status, refused.detail().as_str()), (500, "not enough permissions (9)"));
    let path = format!("/system/scheduler/{}", made[".id"].as_str().unwrap());
    assert_eq!(call(&sim, &mcp, "PATCH", &path, Some(json!({"policy": "policy"}))).await.status, 500);
    assert_eq!(admin(&sim, "PUT", "/system/scheduler", Some(wider)).await.json()["owner"], "admin");
    let unknown = call(&sim, &mcp, "PUT", "/system/scheduler", Some(json!({"name": "u", "policy": "read,rule"}))).await;
    assert_eq!(unknown.detail(), "input does not match any value of policy");
    let monitor = sim.credentials().monitor;
    let unwritable = call(&sim, &monitor, "PATCH", &path, Some(json!({"interval": "1m"}))).await;
    assert_eq!((unwritable.status, unwritable.detail().as_str()), (400, "missing or invalid resource identifier"));
}

#[tokio::test]
async fn adding_scripts_can_be_made_to_need_policy() {
    let (sim, _hand) = rig(Profile::Office).await;
    sim.world().scripts_need_policy = true;
    let mcp = sim.credentials().mcp;
    for path in ["/system/script", "/system/scheduler"] {
        assert_eq!(call(&sim, &mcp, "PUT", path, Some(json!({"name": "x"}))).await.detail(), "not enough permissions (9)", "{path}");
        assert_eq!(admin(&sim, "PUT", path, Some(json!({"name": "x"}))).await.status, 201, "{path}");
    }
}

#[tokio::test]
async fn a_script_with_more_policies_than_its_entry_is_refused_in_the_log_alone() {
    let (sim, hand) = rig(Profile::Office).await;
    store(&sim, "wide", "read,write,policy", "/system/note/set note=wide").await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "wide", "policy": "read,write,test"})).await;
    pass(&hand, MINUTE);
    assert_eq!((note(&sim).as_str(), entry(&sim, "g", "run-count").as_str()), ("", "1"));
    assert_eq!(logged(&sim, "script,error"), ["executing script wide"]);
    assert_eq!(logged(&sim, "script,error,debug"), ["(scheduler:g) not enough permissions (9)"]);
    sim.world().set("/system/script", "wide", "dont-require-permissions", "true");
    pass(&hand, MINUTE);
    assert_eq!(note(&sim), "wide");
}

#[tokio::test]
async fn a_run_has_the_entrys_policies_and_no_more() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(
        &sim,
        json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "/system/note/set note=x", "policy": "read,test"}),
    )
    .await;
    pass(&hand, MINUTE);
    assert_eq!(note(&sim), "");
    assert_eq!(logged(&sim, "script,error,debug"), ["(scheduler:g) not enough permissions (9)"]);
}

#[tokio::test]
async fn changes_of_an_entry_are_logged_with_its_name_and_the_command() {
    let (sim, hand) = rig(Profile::Office).await;
    schedule(
        &sim,
        json!({"name": "off", "start-time": "startup", "interval": "1m", "on-event": "/interface/ethernet/set ether5 comment=gone"}),
    )
    .await;
    pass(&hand, MINUTE);
    let lines = logged(&sim, "system,info");
    let line = lines.iter().find(|l| l.contains("scheduler:")).unwrap();
    assert!(line.starts_with("ethernet changed by scheduler:off/action:") && line.ends_with(" comment=gone)"), "{line}");
    assert!(line.contains(" (/interface ethernet set *"), "{line}");
}

#[tokio::test]
async fn an_error_of_an_entry_is_logged_with_its_place() {
    let (sim, hand) = rig(Profile::Office).await;
    let source =
        ":log info begin\n:log info next\n/ip/firewall/address-list/add list=mgmt address=10.20.99.0/24\n/system/note/set note=after";
    store(&sim, "bad", "read,write,test", source).await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "bad", "policy": "read,write,test"})).await;
    pass(&hand, MINUTE);
    assert_eq!(note(&sim), "", "a script stops at its first error");
    assert_eq!(logged(&sim, "script,error"), ["executing script bad"]);
    let want = "(scheduler:g) failure: already have such entry (/ip/firewall/address-list/add; line 3)";
    assert_eq!(logged(&sim, "script,error,debug"), [want]);
}

#[tokio::test]
async fn the_name_of_an_absent_script_is_taken_and_fails_in_the_log() {
    let (sim, hand) = rig(Profile::Office).await;
    store(&sim, "there", "read,write,test", "/system/note/set note=there").await;
    for name in ["absent", "there"] {
        schedule(&sim, json!({"name": name, "start-time": "startup", "interval": "1m", "on-event": name, "policy": "read,write,test"}))
            .await;
    }
    pass(&hand, MINUTE);
    assert_eq!((note(&sim).as_str(), entry(&sim, "absent", "run-count").as_str()), ("there", "1"));
    assert_eq!(
        (get(&sim, "/system/script", "there", "run-count").as_str(), get(&sim, "/system/script", "there", "last-started").as_str()),
        ("1", "2026-11-25 00:01:00")
    );
    assert_eq!(logged(&sim, "script,error"), ["executing script absent"]);
}

#[tokio::test]
async fn removing_an_entry_or_its_script_does_not_stop_the_run() {
    let (sim, hand) = rig(Profile::Office).await;
    store(&sim, "slow", "read,write,test", ":delay 30s; /system/note/set note=done").await;
    schedule(&sim, json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "slow", "policy": "read,write,test"})).await;
    pass(&hand, MINUTE);
    let jobs = admin(&sim, "GET", "/system/script/job", None).await.json();
    assert_eq!((&jobs[0]["script"], &jobs[0]["owner"], &jobs[0]["policy"]), (&json!("slow"), &json!("mcp"), &json!("read,write,test")));
    assert!(sim.world().remove("/system/scheduler", "g") && sim.world().remove("/system/script", "slow"));
    pass(&hand, 30);
    assert_eq!(note(&sim), "done");
    assert!(sim.world().rows("/system/script/job").is_empty());
}
