//! Other routers as witnesses of a change: they have to answer before it to be missed after it.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[test]
fn a_router_that_was_away_before_speaks_against_no_change_and_one_that_goes_away_does() {
    let site = Site::of(3);
    site.hand.move_by_itself();
    // By its record it answers still.
    site.sims[1].hook(|_, _| Verdict::Close);
    let is_written = Arc::new(AtomicBool::new(false));
    let ended = |site: &Site, edit: Value| {
        let made = site.run(async |appliance| {
            let id = appliance.approved(0..1, edit, json!({})).await;
            appliance.start(&id).await;
            let ended = appliance.ended(&id).await;
            (ended.plan.state, ended.devices[0].error.clone().unwrap_or_default())
        });
        made.unwrap()
    };
    assert_eq!(ended(&site, guarded()), (PlanState::Confirmed, String::new()));
    let seen = is_written.clone();
    site.sims[0].hook(move |step, _| {
        if step.method == "DELETE" && step.path.starts_with(FILTER) {
            seen.store(true, Ordering::SeqCst);
        }
        Verdict::Go
    });
    site.sims[2].hook(move |_, _| if is_written.load(Ordering::SeqCst) { Verdict::Close } else { Verdict::Go });
    let (state, why) = ended(&site, json!({"menu": FILTER, "op": "remove", "match": {"comment": "rollout"}}));
    assert!(
        state == PlanState::RolledBack && why.contains(&format!("\"{}\" answered before and does not now", name(2))),
        "{state:?}: {why}"
    );
}
