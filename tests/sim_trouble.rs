//! What goes wrong on the simulated router, and who else is there: device-mode, people, hooks, links that die.

use crate::sim_rest::{admin, call, until};
use crate::sim_ssh::{Terminal, login, said};
use crate::sim_time::{MINUTE, get, logged, note, pass, rig, rig_as, store};
use routeros_mcp::sim::faults::{Fault, Line, Rule};
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{NotAllowed, Sim};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const REFUSED: &str = "failure: not allowed by device-mode (/system/scheduler/add; line 1)";

fn guard() -> serde_json::Value {
    json!({"name": "g", "start-time": "startup", "interval": "1m", "on-event": "/system/note/set note=fired"})
}

fn address(list: &str) -> serde_json::Value {
    json!({"list": list, "address": "198.51.100.9"})
}

fn listed(sim: &Sim, list: &str) -> usize {
    sim.world().rows("/ip/firewall/address-list").iter().filter(|r| r.get("list") == Some(list)).count()
}

#[tokio::test]
async fn mode_home_refuses_the_scheduler_and_takes_scripts_and_jobs() {
    let (sim, hand) = rig(Profile::HomeAp).await;
    let refused = admin(&sim, "PUT", "/system/scheduler", Some(guard())).await;
    assert_eq!((refused.status, refused.detail().as_str()), (400, REFUSED));
    assert_eq!(said(&login(&sim, "admin", "sim-admin-pass").await, "/system/scheduler/add name=g").await, REFUSED);
    assert!(sim.world().rows("/system/scheduler").is_empty());
    store(&sim, "s", "read,write,test", ":log info x").await;
    call(&sim, &sim.credentials().mcp, "POST", "/execute", Some(json!({"script": ":delay 1s; /system/note/set note=job"}))).await;
    pass(&hand, 1);
    assert_eq!(note(&sim), "job");
}

#[tokio::test]
async fn an_inactive_entry_is_added_with_a_note_and_never_runs() {
    let (sim, hand) = rig(Profile::HomeAp).await;
    sim.world().when_not_allowed = NotAllowed::Inactive;
    let made = admin(&sim, "PUT", "/system/scheduler", Some(guard())).await;
    assert_eq!(
        (made.status, made.json()[".about"].as_str(), made.json().get("next-run")),
        (201, Some("inactivated, not allowed by device-mode"), None)
    );
    pass(&hand, 10 * MINUTE);
    assert_eq!(note(&sim), "");
    sim.world().set_device_feature("scheduler", true);
    assert_eq!(get(&sim, "/system/scheduler", "g", "next-run"), "2026-11-25 00:11:00");
    pass(&hand, MINUTE);
    assert_eq!(note(&sim), "fired");
}

#[tokio::test]
async fn a_change_of_mode_takes_the_effect_of_an_armed_entry() {
    let (sim, hand) = rig(Profile::Office).await;
    admin(&sim, "PUT", "/system/scheduler", Some(guard())).await;
    sim.world().set_device_mode("home");
    assert_eq!(get(&sim, "/system/scheduler", "g", ".about"), "inactivated, not allowed by device-mode");
    pass(&hand, 10 * MINUTE);
    assert_eq!(note(&sim), "");
}

#[tokio::test]
async fn a_flagged_router_makes_and_enables_nothing_that_malware_likes() {
    let (sim, _hand) = rig(Profile::Office).await;
    let made = admin(&sim, "PUT", "/system/scheduler", Some(json!({"name": "off", "disabled": "yes"}))).await.json();
    sim.world().set_flagged(true);
    let said = admin(&sim, "PUT", "/system/scheduler", Some(guard())).await.detail();
    assert!(said.starts_with("failure: configuration flagged, check all router configuration"), "{said}");
    let path = format!("/system/scheduler/{}", made[".id"].as_str().unwrap());
    assert!(admin(&sim, "PATCH", &path, Some(json!({"disabled": "no"}))).await.detail().starts_with("failure: configuration flagged"));
    assert_eq!(admin(&sim, "PATCH", &path, Some(json!({"comment": "x"}))).await.status, 200, "a disabled one may be written");
    let sniffer = admin(&sim, "POST", "/tool/sniffer/start", None).await.detail();
    assert!(sniffer.starts_with("failure: configuration flagged"), "{sniffer}");
    assert_eq!(admin(&sim, "GET", "/system/device-mode", None).await.json()["flagged"], "true");
}

#[tokio::test]
async fn every_mode_has_its_documented_features() {
    let (sim, _hand) = rig(Profile::Office).await;
    let modes = [
        ("home", "ipsec,l2tp,pptp,smb"),
        ("basic", "email,fetch,ipsec,l2tp,pptp,romon,scheduler,smb,sniffer"),
        ("advanced", "bandwidth-test,email,fetch,hotspot,ipsec,l2tp,pptp,proxy,romon,scheduler,smb,sniffer,socks,zerotier"),
        ("rose", "bandwidth-test,container,email,fetch,hotspot,ipsec,l2tp,pptp,proxy,romon,scheduler,smb,sniffer,socks,zerotier"),
    ];
    for (mode, want) in modes {
        sim.world().set_device_mode(mode);
        let row = admin(&sim, "GET", "/system/device-mode", None).await.json();
        let has: Vec<&str> =
            row.as_object().unwrap().iter().filter(|(n, v)| *v == "true" && *n != "flagging-enabled").map(|(n, _)| n.as_str()).collect();
        assert_eq!((row["mode"].as_str().unwrap(), has.join(",").as_str()), (mode, want));
    }
}

#[tokio::test]
async fn commands_of_features_that_are_off_are_refused() {
    let (sim, _hand) = rig(Profile::HomeAp).await;
    let handle = login(&sim, "admin", "sim-admin-pass").await;
    for command in
        ["/tool/fetch url=\"http://192.0.2.1/x\"", "/tool/e-mail/send to=a@example.com", "/tool/sniffer/quick", "/ip/socks/set enabled=yes"]
    {
        assert_eq!(said(&handle, command).await, "failure: not allowed by device-mode", "{command}");
    }
}

#[tokio::test]
async fn device_mode_changes_with_the_button_alone() {
    let (sim, _hand) = rig(Profile::HomeAp).await;
    let update = || admin(&sim, "POST", "/system/device-mode/update", Some(json!({"mode": "advanced"})));
    assert_eq!(update().await.detail(), "update canceled");
    sim.world().button_pressed = true;
    assert_eq!(update().await.status, 200);
    assert_eq!(admin(&sim, "PUT", "/system/scheduler", Some(guard())).await.status, 201);
}

#[tokio::test]
async fn a_person_in_winbox_leaves_history_and_log_lines() {
    let (sim, _hand) = rig(Profile::Office).await;
    let id = sim.world().by_hand("admin").add("/ip/firewall/address-list", &[("list", "w"), ("address", "192.0.2.5")]).unwrap();
    sim.world().by_hand("admin").set("/ip/firewall/address-list", &id, &[("comment", "mine")]).unwrap();
    sim.world().by_hand("admin").set("/system/identity", "", &[("name", "renamed")]).unwrap();
    let history = sim.world().rows("/system/history");
    let last = history.last().unwrap();
    assert_eq!((last.get("by"), last.get("undo")), (Some("admin"), Some("/system identity set name=gw")));
    let log = logged(&sim, "system,info");
    assert!(log.iter().any(|l| l == "address-list changed by winbox:admin@10.20.99.10"), "{log:?}");
    sim.world().by_hand("admin").remove("/ip/firewall/address-list", &id).unwrap();
    assert_eq!(listed(&sim, "w"), 0);
    let refused = sim.world().by_hand("monitor").set("/system/identity", "", &[("name", "x")]).unwrap_err();
    assert_eq!(refused.detail.as_deref(), Some("not enough permissions (9)"));
    assert!(sim.world().by_hand("admin").remove("/ip/firewall/address-list", "*FFFF").is_err());
}

#[tokio::test]
async fn a_person_moves_rules() {
    let (sim, _hand) = rig(Profile::Office).await;
    let filter = "/ip/firewall/filter";
    let ids: Vec<String> = sim.world().rows(filter).iter().filter_map(|r| r.id_text()).collect();
    sim.world().by_hand("admin").move_before(filter, &ids[2], Some(&ids[0])).unwrap();
    sim.world().by_hand("admin").move_before(filter, &ids[1], None).unwrap();
    let now: Vec<String> = sim.world().rows(filter).iter().filter_map(|r| r.id_text()).collect();
    assert_eq!((&now[0], &now[1], now.last()), (&ids[2], &ids[0], Some(&ids[1])));
}

#[tokio::test]
async fn a_test_edits_between_two_requests() {
    let (sim, _hand) = rig(Profile::Office).await;
    sim.edit_at(When::Before, "PUT", "/ip/firewall/address-list", |world| {
        world.by_hand("admin").add("/ip/firewall/address-list", &[("list", "a"), ("address", "198.51.100.9")]).unwrap();
    });
    let late = admin(&sim, "PUT", "/ip/firewall/address-list", Some(address("a"))).await;
    assert_eq!(late.detail(), "failure: already have such entry");
    sim.unhook();
    sim.edit_at(When::After, "PUT", "/ip/firewall/address-list", |world| {
        world.by_hand("admin").set("/ip/firewall/address-list", "theirs", &[("disabled", "yes")]).unwrap();
    });
    let mine = json!({"list": "b", "address": "198.51.100.9", "comment": "theirs"});
    assert_eq!(admin(&sim, "PUT", "/ip/firewall/address-list", Some(mine)).await.json()["disabled"], "false", "the answer was made before");
    assert!(sim.world().rows("/ip/firewall/address-list").iter().any(|r| r.get("list") == Some("b") && r.is("disabled")));
    sim.unhook();
    sim.edit_at_request(When::Before, 2, |world| world.put_single("/system/note", "note", "second"));
    admin(&sim, "GET", "/system/note", None).await;
    assert_eq!(note(&sim), "");
    assert_eq!(admin(&sim, "GET", "/system/note", None).await.json()["note"], "second");
}

#[tokio::test]
async fn a_hook_counts_every_request_and_command_on_both_sides() {
    let (sim, _hand) = rig(Profile::Office).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let steps = seen.clone();
    sim.hook(move |step, _| {
        steps.lock().unwrap().push((step.number, step.when, format!("{} {}", step.method, step.path)));
        Verdict::Go
    });
    admin(&sim, "GET", "/system/identity", None).await;
    said(&login(&sim, "admin", "sim-admin-pass").await, ":put 1").await;
    let want = [
        (1, When::Before, "GET /system/identity"),
        (1, When::After, "GET /system/identity"),
        (2, When::Before, "exec :put 1"),
        (2, When::After, "exec :put 1"),
    ];
    assert_eq!(*seen.lock().unwrap(), want.map(|(n, w, s)| (n, w, s.to_string())));
}

/// Sends a request that may get no answer; true when it got one.
async fn answered(sim: &Sim, list: &str) -> bool {
    let who = sim.credentials().mcp;
    let body = address(list).to_string();
    crate::sim_rest::raw(sim, &crate::sim_rest::request("PUT", "/ip/firewall/address-list", Some(&who), Some(&body))).await.is_some()
}

#[tokio::test]
async fn a_request_stopped_before_did_nothing_and_one_stopped_after_did_it() {
    for verdict in [Verdict::Close, Verdict::CutLink, Verdict::Reboot, Verdict::PowerCut] {
        for (when, done) in [(When::Before, 0), (When::After, 1)] {
            let (sim, _hand) = rig(Profile::Office).await;
            let boots = sim.world().uptime();
            sim.hook(move |step, _| if step.when == when && step.number == 1 { verdict } else { Verdict::Go });
            assert!(!answered(&sim, "k").await, "{verdict:?} {when:?}");
            assert_eq!(listed(&sim, "k"), done, "{verdict:?} {when:?}");
            assert_eq!(sim.world().uptime() < boots, matches!(verdict, Verdict::Reboot | Verdict::PowerCut), "{verdict:?}");
            if verdict == Verdict::CutLink {
                sim.faults().set_line(Line::Open);
            }
            sim.unhook();
            while !answered(&sim, "again").await {}
        }
    }
}

#[tokio::test]
async fn a_silent_link_keeps_the_connection_open_and_serves_others() {
    let (sim, _hand) = rig(Profile::Office).await;
    sim.hook(|step, _| if (step.when, step.number) == (When::After, 1) { Verdict::Silence } else { Verdict::Go });
    tokio::select! {
        _ = answered(&sim, "k") => panic!("it was silent"),
        () = async {
            until(|| sim.faults().working().total() > 0 && sim.faults().working().now() == 0).await;
            assert!(answered(&sim, "next").await, "the same user's next request on a new connection");
        } => {}
    }
    assert_eq!((listed(&sim, "k"), listed(&sim, "next")), (1, 1));
}

#[tokio::test]
async fn a_late_router_does_it_after_what_was_due_by_its_clock() {
    let (sim, hand) = rig(Profile::Office).await;
    admin(&sim, "PUT", "/system/scheduler", Some(guard())).await;
    sim.faults().inject(Rule::once(Fault::Late(Duration::from_secs(90))).on("/system/note"));
    let (read, ()) = tokio::join!(admin(&sim, "GET", "/system/note", None), async {
        until(|| sim.faults().working().now() > 0).await;
        pass(&hand, 90);
    });
    assert_eq!(read.json()["note"], "fired");
}

#[tokio::test]
async fn a_terminal_takes_safe_mode_by_command_and_it_covers_all_sessions() {
    let (sim, hand) = rig_as(Profile::Office, Some(Version::V7_20)).await;
    let first = login(&sim, "admin", "sim-admin-pass").await;
    let mut terminal = Terminal::open(&first).await;
    terminal.until("> ").await;
    terminal.send("/safe-mode/take on-error=abort\r").await;
    terminal.until("<SAFE> ").await;
    let held = admin(&sim, "GET", "/safe-mode", None).await.json();
    assert_eq!((held["enabled"].as_str(), held["user"].as_str()), (Some("true"), Some("admin")));
    let other = login(&sim, "admin", "sim-admin-pass").await;
    let mut second = Terminal::open(&other).await;
    second.until("> ").await;
    second.send("/safe-mode/take on-error=abort\r").await;
    second.until("failure: Safe Mode is taken by current user in another session").await;
    assert_eq!(admin(&sim, "POST", "/safe-mode/take", Some(json!({}))).await.detail(), "failure: can not use safe mode in this session");
    admin(&sim, "PUT", "/ip/firewall/address-list", Some(address("s"))).await;
    assert!(sim.world().rows("/system/history").last().unwrap().is("floating-undo"));
    // The link dies without a close: the router takes nine minutes to notice.
    sim.cut_connections();
    until(|| sim.faults().ssh_connections().now() == 0).await;
    pass(&hand, 539);
    assert_eq!(listed(&sim, "s"), 1);
    pass(&hand, 1);
    assert_eq!((listed(&sim, "s"), sim.world().rows("/safe-mode")[0].is("enabled")), (0, false));
}

#[tokio::test]
async fn there_is_no_safe_mode_menu_before_7_18() {
    let (sim, _hand) = rig_as(Profile::Office, Some(Version::V7_16)).await;
    assert_eq!(admin(&sim, "GET", "/safe-mode", None).await.detail(), "no such command or directory (safe-mode)");
}

#[tokio::test]
async fn files_and_passwords_are_in_no_history() {
    let (sim, _hand) = rig(Profile::Office).await;
    let count = || sim.world().rows("/system/history").len();
    let before = count();
    admin(&sim, "PUT", "/file", Some(json!({"name": "x.txt", "contents": "x"}))).await;
    let monitor = sim.world().find("/user", "monitor").unwrap().id_text().unwrap();
    admin(&sim, "PATCH", &format!("/user/{monitor}"), Some(json!({"password": "changed-pass"}))).await;
    assert_eq!(count(), before);
    admin(&sim, "PATCH", &format!("/user/{monitor}"), Some(json!({"comment": "changed"}))).await;
    assert_eq!(count(), before + 1);
}
