//! Tables too large for memory: paged, refused, or drained.

use super::*;

/// A server that has the device, and the router's own count of requests cut off by their client.
async fn serving(profile: Profile) -> (Rig, Sim, Running) {
    let rig = Rig::new().with("ROUTEROS_MCP_HEALTH_CHECK_ENABLED", "false").with("ROUTEROS_MCP_ROUTEROS_REST_TIMEOUT_SECONDS", "10");
    let sim = router(profile).await;
    rig.add("edge", &sim);
    let running = rig.stdio();
    (rig, sim, running)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_a_hundred_thousand_rows_is_paged_or_refused_in_bounded_memory() {
    let (_rig, sim, mut client) = serving(Profile::WispTower).await;
    sim.faults().inject(Rule::always(Fault::BigTable(100_000)).on("/ip/dhcp-server/lease"));
    let read = client.call("menu.read", json!({"device": "edge", "menu": "/ip/dhcp-server/lease", "limit": 50}));
    if read["isError"] == true {
        let error = &read["structuredContent"]["error"];
        assert!(error["hint"].is_string(), "{error}");
        eprintln!("refused: {error}");
    } else {
        assert_eq!(read["structuredContent"]["rows"].as_array().unwrap().len(), 50);
        assert!(read["structuredContent"]["next_cursor"].is_string());
    }
    let most = client.status_kb("VmHWM");
    eprintln!("VmHWM of the server: {most} kB");
    assert!(most <= MOST_MEMORY_KB, "{most} kB");
    sim.faults().clear();
    let after = client.call("system.get_clock", json!({"device": "edge"}));
    assert_ne!(after["isError"], true, "{after}");
    assert_eq!(sim.faults().aborted(), 0, "a request was cut off in flight");
    assert_eq!(client.eof().code, 0);
}

/// Longer than any answer that is read: refused with a way out, and read to its end all the same, for a router whose answer
/// is cut off hands the next one out wrong.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_beyond_all_bounds_is_refused_and_still_drained() {
    let (_rig, sim, mut client) = serving(Profile::HomeAp).await;
    sim.faults().inject(Rule::always(Fault::BigTable(400_000)).on("/ip/dhcp-server/lease"));
    let read = client.call("menu.read", json!({"device": "edge", "menu": "/ip/dhcp-server/lease"}));
    let error = &read["structuredContent"]["error"];
    assert_eq!(read["isError"], true, "{}", read["_meta"]);
    assert!(error["hint"].is_string(), "{error}");
    let most = client.status_kb("VmHWM");
    eprintln!("VmHWM of the server: {most} kB; {error}");
    assert!(most <= MOST_MEMORY_KB, "{most} kB");
    sim.faults().clear();
    let after = client.call("system.get_clock", json!({"device": "edge"}));
    assert_ne!(after["isError"], true, "{after}");
    assert_eq!(sim.faults().aborted(), 0, "a request was cut off in flight");
    assert_eq!(client.eof().code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_end_is_refused_in_bounded_memory_and_time() {
    let (_rig, sim, mut client) = serving(Profile::HomeAp).await;
    sim.faults().inject(Rule::once(Fault::EndlessJson).on("/system/clock"));
    let began = Instant::now();
    let read = client.call("system.get_clock", json!({"device": "edge"}));
    assert_eq!(read["isError"], true, "{read}");
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    let most = client.status_kb("VmHWM");
    eprintln!("VmHWM of the server: {most} kB");
    assert!(most <= MOST_MEMORY_KB, "{most} kB");
    assert_eq!(client.eof().code, 0);
}
