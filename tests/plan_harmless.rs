//! Edits beside those that cut us off: a check that calls everything dangerous is one that nobody heeds.

use crate::plan_rig::{Process, Router, author, edit, home, request};
use routeros_mcp::plan::edit::Request;
use routeros_mcp::plan::record::Cut;
use routeros_mcp::sim::lockout::cases::{self, Case};
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use std::time::Duration;

/// Fewer than this many edits mean that the corpus has shrunk.
const CASES_MIN: usize = 200;
/// Fewer drafts mean that edits are refused which no router would refuse.
const DRAFTED_MIN: usize = 190;
/// Of a hundred harmless edits at most so many may be said to cut.
const FLAGGED_MAX_PERCENT: usize = 5;

#[derive(Default)]
struct Tally {
    drafted: usize,
    flagged: Vec<String>,
    refused: Vec<String>,
}

#[test]
fn of_a_hundred_harmless_edits_at_most_five_are_said_to_cut_us_off() {
    let tallies: Vec<(Profile, Tally)> = std::thread::scope(|scope| {
        let threads: Vec<_> = Profile::ALL.iter().map(|profile| (*profile, scope.spawn(|| walk(*profile)))).collect();
        threads.into_iter().map(|(profile, thread)| (profile, thread.join().unwrap())).collect()
    });
    let (mut cases, mut drafted, mut flagged) = (0, 0, 0);
    for (profile, tally) in tallies {
        let name = profile.name();
        println!("{name}: {} drafted, {} of them said to cut, {} refused", tally.drafted, tally.flagged.len(), tally.refused.len());
        tally.flagged.iter().for_each(|why| println!("  flagged: {why}"));
        tally.refused.iter().for_each(|why| println!("  refused: {why}"));
        cases += tally.drafted + tally.refused.len();
        (drafted, flagged) = (drafted + tally.drafted, flagged + tally.flagged.len());
    }
    println!("{cases} harmless edits, {drafted} drafted, {flagged} said to cut");
    assert!(cases >= CASES_MIN, "only {cases} cases");
    assert!(drafted >= DRAFTED_MIN, "only {drafted} drafted");
    assert!(flagged * 100 <= drafted * FLAGGED_MAX_PERCENT, "{flagged} of {drafted}");
}

fn walk(profile: Profile) -> Tally {
    let (router, base) = (Router::start(profile, true, Duration::ZERO), home());
    router.hand.move_by_itself();
    let process = Process::new(base.path(), &router);
    process
        .run(async |appliance| {
            appliance.enrol(&router, "edge").await;
            let mut tally = Tally::default();
            for case in &cases::harmless(profile) {
                tally.take(appliance, &router, case).await;
            }
            tally
        })
        .unwrap()
}

impl Tally {
    async fn take(&mut self, appliance: &crate::plan_rig::Appliance, router: &Router, case: &Case) {
        let request: Request = serde_json::from_value(request(json!([edit(case, router)]), "auto")).unwrap();
        match appliance.engine.create(&author(), request, "plan.create").await {
            Err(fault) => self.refused.push(format!("{}: {}", case.name, fault.said)),
            Ok(id) => {
                self.drafted += 1;
                let (plan, _) = appliance.engine.plan(&id).unwrap();
                if plan.cut != Cut::No {
                    self.flagged.push(format!("{}: {} ({})", case.name, plan.cut.as_str(), plan.cut_reasons.join("; ")));
                }
            }
        }
    }
}
