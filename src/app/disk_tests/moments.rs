//! Moments at which a full disk hurts most, each by its name.

use super::fate::{Fate, Trouble};
use super::site::{ENDING, LOOK, Site};
use super::{FILTER, KEPT, Run, STEPS, finish, uncut};
use crate::app::App;
use crate::base::fault::Kind;
use crate::fleet::Stage;
use crate::plan::record::PlanId;
use crate::plan::state::PlanState;
use crate::sim::hooks::{Verdict, When};
use serde_json::json;

/// The disk is full from the moment the router has done such a request.
fn full_after(site: &Site, method: &'static str, path: &'static str) {
    let fate = site.fate.clone();
    site.sim.hook(move |at, _| {
        if at.when == When::After && at.method == method && at.path.starts_with(path) && fate.failed() == 0 {
            fate.begin(Trouble::Full);
        }
        Verdict::Go
    });
}

/// An appliance with the router in its care does something while the disk fills up; then there is room, and it comes to its end.
fn filled<T>(site: &Site, work: impl AsyncFnOnce(&App) -> T, after: impl AsyncFnOnce(&App, T)) {
    site.process(async || {
        let app = site.build().await.unwrap();
        assert!(site.call(&app, "device.add", site.arrival()).await.fault.is_none());
        let came = work(&app).await;
        assert!(site.fate.failed() > 0, "the disk was never full");
        site.fate.heal();
        site.settled(&app).await.unwrap();
        after(&app, came).await;
        finish(site, &app).await.unwrap();
        app.close().await;
    });
    site.much_later();
    site.reckoning().unwrap();
}

#[test]
fn a_guard_fires_while_the_disk_is_full_and_the_record_follows_when_there_is_room() {
    let site = Site::start(Fate::default());
    let before = site.value(FILTER, KEPT, "dst-port");
    full_after(&site, "PATCH", FILTER);
    let work = async |app: &App| {
        let mut run = Run::default();
        for name in ["draft", "approve", "apply"] {
            run.step(&site, app, name).await;
        }
        assert_eq!(site.value(FILTER, KEPT, "dst-port"), "13232", "it was sent");
        site.tempo.set(ENDING);
        let plan = PlanId(run.plans["kept"].clone());
        while site.value(FILTER, KEPT, "dst-port") != before {
            site.clock.sleep(LOOK).await;
        }
        assert_eq!(app.plans().head(&plan).unwrap().state, PlanState::Executing, "nothing could be written down");
        plan
    };
    filled(&site, work, async |app, plan| {
        let (plan, devices) = app.plans().plan(&plan).unwrap();
        assert_eq!(plan.state, PlanState::RolledBack);
        let error = devices[0].1.error.clone().unwrap_or_default();
        assert!(error.starts_with("the disk took no writes"), "{error}");
    });
    assert_eq!(site.value(FILTER, KEPT, "dst-port"), before);
}

#[test]
fn a_login_that_was_changed_and_could_not_be_written_down_is_unknown_and_settles_without_a_restart() {
    let site = Site::start(Fate::default());
    full_after(&site, "POST", "/password");
    let work = async |app: &App| site.call(app, "device.rotate_credentials", json!({"device": "edge"})).await;
    filled(&site, work, async |app, reply| {
        assert_eq!(reply.fault, Some(Kind::UnknownOutcome), "{}", reply.text);
        let world = app.dispatch.world();
        let rotation = world.fleet.rotation(&world.fleet.find("edge").unwrap().id).unwrap().unwrap();
        assert_eq!(rotation.stage, Stage::Done, "the new password is the device's, the old one was seen refused");
    });
}

#[test]
fn a_change_that_was_made_while_its_end_could_not_be_written_down_is_not_called_refused() {
    let (begins, _) = uncut();
    let end = begins[STEPS.iter().position(|step| *step == "small write").unwrap() + 1];
    let mut unknown = 0;
    for at in end - 5..=end {
        let site = Site::start(Fate::of(at, Trouble::Once));
        let reply = site.process(async || {
            let app = site.build().await.unwrap();
            site.call(&app, "device.add", site.arrival()).await;
            site.call(&app, "interface.list", json!({"device": "edge"})).await;
            let reply =
                site.call(&app, "interface.update_comment", json!({"device": "edge", "name": "ether2", "comment": "written"})).await;
            app.close().await;
            reply
        });
        assert_eq!(site.value("/interface", ("name", "ether2"), "comment"), "written");
        unknown += usize::from(reply.fault == Some(Kind::UnknownOutcome));
        assert!(reply.fault.is_none_or(|kind| kind == Kind::UnknownOutcome), "{at}: {}", reply.text);
    }
    assert!(unknown > 0, "its last record was never the one that failed");
}
