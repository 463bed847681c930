//! Another password for our own login on a router: changed, proven, stored, the old one seen refused; and every way it can go wrong.

mod cuts;

use crate::cli_rig::{Rig, router as rig_router};
use crate::plan_rig::{Appliance, Process, Router, author, home, operator, request, trail};
use crate::site::Site;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::base::ids::DeviceId;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::fleet::{Changes, Device, NewCredential, Password, Read, Stage, Which};
use routeros_mcp::routeros::MenuPath;
use routeros_mcp::sim::hooks::{Verdict, When};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::watch::rotation::Schedule;
use serde_json::{Value, json};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What our user came with.
const FIRST: &str = "sim-mcp-pass";
/// Its own password it may change itself.
const OWN: &str = "ssh,ftp,reboot,read,write,test,password,sensitive,api,rest-api";
/// It may change users.
const USERS: &str = "ssh,ftp,reboot,read,write,policy,test,sensitive,api,rest-api,!password";

fn grant(router: &Router, policy: &str) {
    router.sim.world().by_hand("admin").set("/user/group", "mcp", &[("policy", policy)]).unwrap();
}

/// The password the router has for our user.
fn actual(router: &Router) -> String {
    let mut world = router.sim.world();
    let rows = &world.table("/user").rows;
    rows.iter().find(|row| row.get("name") == Some("mcp")).unwrap().get("password").unwrap_or_default().to_owned()
}

fn give(router: &Router, password: &str) {
    router.sim.world().set("/user", "mcp", "password", password);
}

/// A router with SSH whose user may do this, and a place for an appliance.
fn bench(policy: &str) -> (Router, tempfile::TempDir) {
    let router = Router::start(Profile::Office, true, Duration::ZERO);
    router.hand.move_by_itself();
    grant(&router, policy);
    (router, home())
}

async fn kept(appliance: &Appliance, id: &DeviceId) -> String {
    let device = appliance.fleet.get(id).unwrap();
    appliance.fleet.sealed_password(&device).await.unwrap().expose().to_owned()
}

async fn answers(appliance: &Appliance, device: &Device) {
    appliance.fleet.lane(device).read(Read::fresh(MenuPath::parse("/system/identity").unwrap())).await.unwrap();
}

/// Every byte of the files below a directory.
fn bytes(dir: &Path) -> Vec<u8> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        all.extend(if path.is_dir() { bytes(&path) } else { std::fs::read(&path).unwrap_or_default() });
    }
    all
}

fn holds(haystack: &[u8], needle: &str) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle.as_bytes())
}

/// What is logged.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<u8>>>);

impl Write for Heard {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_login_gets_another_password_over_both_services_and_the_old_one_ends() {
    for (policy, how) in [(OWN, "/password"), (USERS, "/user set")] {
        let (router, home) = bench(policy);
        let heard = Heard::default();
        let into = heard.clone();
        let log = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(move || into.clone()).finish();
        let process = Process::new(home.path(), &router);
        let made = tracing::subscriber::with_default(log, || {
            process.run(async |appliance| {
                let device = appliance.enrol(&router, "edge").await;
                answers(appliance, &device).await;
                let rotated = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap();
                assert_eq!((rotated.how, rotated.services), (how, vec!["rest", "ssh"]));
                assert!(rotated.done && rotated.old_refused);
                let made = kept(appliance, &device.id).await;
                assert_eq!(made, actual(&router));
                let rotation = appliance.fleet.rotation(&device.id).unwrap().unwrap();
                assert_eq!(rotation.stage, Stage::Done);
                for which in [Which::New, Which::Previous] {
                    assert!(appliance.fleet.rotation_secret(&device.id, &rotation, which).unwrap().is_none());
                }
                answers(appliance, &device).await;
                made
            })
        });
        let made = made.unwrap();
        assert_ne!(made, FIRST);
        let said = heard.0.lock().unwrap().clone();
        assert!(holds(&said, "another password"), "nothing was logged");
        for secret in [FIRST, &made] {
            assert!(!holds(&said, secret), "in the log");
            assert!(!holds(&bytes(home.path()), secret), "in a file");
        }
        assert!(trail(home.path()).unwrap() >= 2);
        // Another process finds it.
        Process::new(home.path(), &router).run(async |appliance| answers(appliance, &appliance.fleet.list()[0]).await).unwrap();
    }
}

#[test]
fn a_dry_run_says_what_would_be_done_and_changes_nothing() {
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            let before = router.rows();
            router.sim.forget_requests();
            let told = appliance.engine.rotate(&operator(), &device.id, true).await.unwrap();
            assert_eq!((told.how, told.services, told.done), ("/password", vec!["rest", "ssh"], false));
            assert!(router.sim.requests().iter().all(|seen| seen.method == "GET" || seen.path().ends_with("/print")));
            assert_eq!(router.rows(), before);
            assert_eq!((actual(&router).as_str(), kept(appliance, &device.id).await.as_str()), (FIRST, FIRST));
            assert!(appliance.fleet.rotation(&device.id).unwrap().is_none());
        })
        .unwrap();
}

#[test]
fn what_cannot_be_changed_is_refused_with_what_to_do_before_anything_is_asked() {
    let (router, home) = bench("ssh,read,write,test,api,rest-api,!password,!policy");
    let file = home.path().join("password");
    std::fs::write(&file, FIRST).unwrap();
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert_eq!(fault.kind, Kind::RouterDenied);
            assert!(fault.said.contains("lacks the policy password"), "{}", fault.said);
            assert!(fault.hint.unwrap().contains("/user/group/set mcp policy=password"));
            let reference = format!("file:{}", file.display()).parse().unwrap();
            let credential = Some(NewCredential { password: Password::At(reference), ssh_key_file: None });
            appliance.fleet.update(&device.id, Changes { credential, ..Changes::default() }).await.unwrap();
            router.sim.forget_requests();
            for dry_run in [true, false] {
                let fault = appliance.engine.rotate(&operator(), &device.id, dry_run).await.unwrap_err();
                assert_eq!(fault.kind, Kind::Conflict);
                assert!(fault.said.contains("outside the store") && fault.hint.unwrap().contains("--password-file"));
            }
            assert!(router.sim.requests().is_empty());
        })
        .unwrap();
    assert_eq!(actual(&router), FIRST);
}

#[test]
fn a_plan_and_a_change_of_the_login_exclude_each_other() {
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            let edit = json!([{"menu": "/ip/dns", "op": "set", "values": {"servers": "9.9.9.9"}}]);
            let waits = appliance.approved(&request(edit.clone(), "manual")).await.unwrap();
            let other = appliance.approved(&request(edit, "manual")).await.unwrap();
            appliance.applied(&waits).await.unwrap();
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Conflict);
            assert!(fault.said.contains(waits.as_str()), "{}", fault.said);
            appliance.engine.roll_back(&waits, "enough").await.unwrap();
            appliance.settled(&waits).await.unwrap();
            // The plan's job lets go of the device a moment after its end.
            while appliance.engine.rotate(&operator(), &device.id, true).await.is_err() {
                tokio::task::yield_now().await;
            }
            // The router takes its time over the password; meanwhile nobody else gets at it.
            let began = Arc::new(tokio::sync::Notify::new());
            let bell = began.clone();
            router.sim.hook(move |step, _| {
                let asked = step.path == "/password" && step.when == When::Before;
                if asked {
                    bell.notify_one();
                }
                if asked { Verdict::Silence } else { Verdict::Go }
            });
            let meanwhile = async {
                began.notified().await;
                let fault = appliance.engine.apply(&author(), &other).await.unwrap_err();
                assert_eq!(fault.kind, Kind::Conflict);
                assert!(fault.said.contains("its login is being changed"), "{}", fault.said);
                assert_eq!(appliance.engine.login_rests(&device).unwrap_err().kind, Kind::Conflict);
            };
            let who = operator();
            tokio::select! {
                ended = appliance.engine.rotate(&who, &device.id, false) => panic!("{ended:?}"),
                () = meanwhile => {}
            }
        })
        .unwrap();
}

/// The router's answer is yes or no; what it did is something else.
#[test]
fn what_the_router_has_counts_and_not_what_it_answers() {
    let back = |router: &Router, to: &'static str| {
        router.sim.hook(move |step, world| {
            if step.path == "/password" && step.when == When::After {
                world.set("/user", "mcp", "password", to);
            }
            Verdict::Go
        });
    };
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            // It agrees, and keeps the old one.
            back(&router, FIRST);
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert_eq!(fault.kind, Kind::Rejected, "{}", fault.said);
            router.sim.unhook();
            // The answer is lost, and it was done.
            router.sim.hook(|step, _| if step.path == "/password" && step.when == When::After { Verdict::Close } else { Verdict::Go });
            assert!(appliance.engine.rotate(&operator(), &device.id, false).await.unwrap().done);
            assert_eq!(kept(appliance, &device.id).await, actual(&router));
            router.sim.unhook();
            // Somebody else gives it a third one that moment: nobody knows it, both are kept, and a person ends it.
            back(&router, "by-another-hand");
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert_eq!(fault.kind, Kind::UnknownOutcome);
            assert!(fault.said.contains("needs a person"), "{}", fault.said);
            router.sim.unhook();
            let tried = router.sim.requests().len();
            appliance.engine.settle_logins(false).unwrap();
            appliance.engine.rest(false).await.unwrap();
            assert_eq!(router.sim.requests().len(), tried, "a refused login is not tried again by itself");
            let credential = Some(NewCredential::password(Secret::new("by-another-hand")));
            appliance.fleet.update(&device.id, Changes { credential, ..Changes::default() }).await.unwrap();
            let rotation = appliance.fleet.rotation(&device.id).unwrap().unwrap();
            assert!(!rotation.is_open() && rotation.attention.is_none(), "a person's word ends it: {rotation:?}");
            assert!(appliance.engine.rotate(&operator(), &device.id, false).await.unwrap().done);
            assert_eq!(kept(appliance, &device.id).await, actual(&router));
        })
        .unwrap();
}

#[test]
fn a_password_that_one_service_does_not_take_is_taken_back() {
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            // From the moment the new one is there, SSH lets nobody in.
            router.sim.hook(|step, world| {
                if step.path == "/password" && step.when == When::After {
                    world.by_hand("admin").set("/user/group", "mcp", &[("policy", &OWN.replace("ssh,", "!ssh,"))]).unwrap();
                }
                Verdict::Go
            });
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert!(fault.said.contains("over SSH") && fault.said.contains("the old password is back"), "{}", fault.said);
            assert_eq!((actual(&router).as_str(), kept(appliance, &device.id).await.as_str()), (FIRST, FIRST));
            answers(appliance, &device).await;
        })
        .unwrap();
}

#[test]
fn an_old_password_that_still_lets_us_in_is_kept_and_told_and_not_tried_again() {
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            let asked = Arc::new(AtomicUsize::new(usize::MAX));
            let seen = asked.clone();
            router.sim.hook(move |step, world| {
                match (step.path.as_str(), step.when) {
                    ("/password", When::After) => seen.store(0, SeqCst),
                    // The first login after the change is the one with the new password, the second that with the old one.
                    (_, When::Before) if seen.fetch_update(SeqCst, SeqCst, |n| n.checked_add(1)).is_ok_and(|before| before == 1) => {
                        world.set("/user", "mcp", "password", FIRST);
                    }
                    _ => {}
                }
                Verdict::Go
            });
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert_eq!(fault.kind, Kind::UnknownOutcome, "{}", fault.said);
            assert!(fault.said.contains("the old password still lets us in"), "{}", fault.said);
            let rotation = appliance.fleet.rotation(&device.id).unwrap().unwrap();
            assert!(rotation.stage == Stage::Stored && rotation.attention.is_some(), "{rotation:?}");
            let old = appliance.fleet.rotation_secret(&device.id, &rotation, Which::Previous).unwrap().unwrap();
            assert_eq!(old.expose(), FIRST, "it may be the only one that works");
            let before = router.sim.requests().len();
            appliance.engine.settle_logins(false).unwrap();
            appliance.engine.rest(false).await.unwrap();
            assert_eq!(router.sim.requests().len(), before, "a person has to look first");
        })
        .unwrap();
}

#[test]
fn a_request_that_arrives_long_after_its_answer_was_given_up_is_found_out() {
    let (router, home) = bench(OWN);
    Process::new(home.path(), &router)
        .run(async |appliance| {
            let device = appliance.enrol(&router, "edge").await;
            let late: Arc<Mutex<String>> = Arc::default();
            let sent = late.clone();
            router.sim.hook(move |step, _| {
                if step.path != "/password" || step.when != When::Before {
                    return Verdict::Go;
                }
                let body: Value = serde_json::from_str(&step.body).unwrap();
                *sent.lock().unwrap() = body["new-password"].as_str().unwrap().to_owned();
                Verdict::Close
            });
            let fault = appliance.engine.rotate(&operator(), &device.id, false).await.unwrap_err();
            assert!(fault.said.contains("the old password still lets us in"), "{}", fault.said);
            let late = late.lock().unwrap().clone();
            // Within the hour in which a request may still come in, but only just.
            router.pass(Duration::from_secs(3_000));
            give(&router, &late);
            appliance.engine.settle_logins(false).unwrap();
            appliance.engine.rest(false).await.unwrap();
            assert_eq!(kept(appliance, &device.id).await, late);
            answers(appliance, &device).await;
        })
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_changes_a_login_and_the_schedule_does_when_it_is_old() {
    let site = Site::of(&[Profile::Chr, Profile::Office], &[]).await;
    for name in ["chr", "office"] {
        site.sim(name).world().by_hand("admin").set("/user/group", "mcp", &[("policy", OWN)]).unwrap();
        // The router remembers for a while what a login may do.
        site.sim(name).reboot();
    }
    let password = |name: &str| {
        let mut world = site.sim(name).world();
        world.table("/user").rows.iter().find(|row| row.get("name") == Some("mcp")).unwrap().get("password").unwrap_or_default().to_owned()
    };
    let told = site.operator("device.rotate_credentials", json!({"device": "chr", "dry_run": true})).await;
    assert_eq!((told.structured["rotated"].clone(), password("chr").as_str()), (json!(false), FIRST), "{}", told.text);
    let done = site.operator("device.rotate_credentials", json!({"device": "chr"})).await;
    assert_eq!(done.structured["rotated"], true, "{}", done.text);
    let (by_operator, untouched) = (password("chr"), password("office"));
    assert!(by_operator != FIRST && untouched == FIRST);
    assert!(!done.text.contains(&by_operator));
    // A model has no such tool.
    assert!(site.call("device.rotate_credentials", json!({"device": "chr"})).await.fault.is_some());
    let dispatch = &site.app.dispatch;
    let (mut never, mut yearly) = (Schedule::new(Duration::ZERO), Schedule::new(Duration::from_secs(31_536_000)));
    assert_eq!((never.look(dispatch).await, yearly.look(dispatch).await), (None, None), "none is old");
    assert_eq!((&password("chr"), &password("office")), (&by_operator, &untouched));
    // One a look, the one that waits longest first.
    let mut restless = Schedule::new(Duration::from_millis(1));
    assert_eq!(restless.look(dispatch).await, Some(site.device("office").id.clone()));
    assert!(password("office") != untouched && password("chr") == by_operator);
    site.forget("office");
    site.good("system.get_overview", json!({"device": "office"})).await;
    let _ = site.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_changes_a_login_and_says_so_in_a_line_a_field() {
    let (rig, sim) = (Rig::new(), rig_router(Profile::Office).await);
    sim.world().by_hand("admin").set("/user/group", "mcp", &[("policy", OWN)]).unwrap();
    rig.add("edge", &sim);
    let told = rig.json(&["device", "rotate-credentials", "edge", "--dry-run"]);
    assert_eq!((&told["dry_run"], &told["rotated"], &told["how"]), (&json!(true), &json!(false), &json!("/password")));
    let done = rig.run(&["device", "rotate-credentials", "edge"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("rotated") && done.out.contains("old_refused"), "{}", done.out);
    assert_eq!(rig.json(&["device", "test", "edge"])["status"], "reachable");
    let error = rig.error(&["device", "rotate-credentials", "nowhere"], 66);
    assert_eq!(error["kind"], "not_found", "{error}");
}
