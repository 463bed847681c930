//! Ctrl-C at a long `tool call`: what was measured until then is printed, whoever holds the store.

use crate::cli_rig::{Done, PATIENCE, Rig, kill, router};
use routeros_mcp::sim::Sim;
use routeros_mcp::sim::faults::{Fault, Rule};
use routeros_mcp::sim::profiles::Profile;
use rustix::process::Signal;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Calls a long ping, and presses Ctrl-C when its second piece is under way.
fn interrupted(rig: &Rig, sim: &Sim) -> Done {
    let before = sim.faults().requests_to("/tool/ping");
    let command = ["--json", "tool", "call", "diagnose.ping", "--args", r#"{"device":"edge","address":"192.0.2.7","count":20}"#];
    let mut child = rig.command(&command).spawn().unwrap();
    let began = Instant::now();
    while sim.faults().requests_to("/tool/ping") < before + 2 && began.elapsed() < PATIENCE {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        std::thread::yield_now();
    }
    kill(child.id(), Signal::INT);
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap_or(1000), out: text(output.stdout), err: text(output.stderr) }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_call_prints_what_it_has() {
    let (rig, sim) = (Rig::new(), router(Profile::Office).await);
    rig.add("edge", &sim);
    sim.faults().inject(Rule::always(Fault::Latency(Duration::from_millis(400))).on("/tool/ping"));
    let mut seen = Vec::new();
    seen.push(("alone", interrupted(&rig, &sim)));
    let daemon = rig.serve();
    seen.push(("through the daemon", interrupted(&rig, &sim)));
    for (who, done) in seen {
        assert_eq!(done.code, 0, "{who}: {done:?}");
        let result: Value = serde_json::from_str(&done.out).unwrap_or_else(|_| panic!("{who}: {done:?}"));
        let ping = &result["structuredContent"];
        assert_eq!((ping["complete"].as_bool(), ping["sent"].as_u64()), (Some(false), Some(2)), "{who}: {ping}");
    }
    assert_eq!(sim.faults().aborted(), 0, "nothing was cut off in flight");
    drop(daemon);
}
