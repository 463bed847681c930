//! The bandwidth test: between two devices that may, and no others.

use super::*;

/// Two routers that may test, the second one's server open to all.
async fn pair() -> Site {
    let mut site = Site::bare(&[]).await;
    for (profile, name) in [(Profile::Office, "a"), (Profile::Chr, "b")] {
        site.adopt(profile, name, json!({"capabilities": ["bandwidth_test"]})).await;
    }
    set(&site, "b", "/tool/bandwidth-server", "authenticate", "false");
    site
}

fn test() -> Value {
    json!({"device": "a", "target": "b", "seconds": 7})
}

#[tokio::test]
async fn a_bandwidth_test_runs_between_two_devices_that_may() {
    let site = pair().await;
    let reply = site.good("diagnose.bandwidth_test", test()).await;
    let result = &reply.structured;
    assert_eq!(
        (&result["outcome"], &result["seconds"], &result["from"], &result["to"]),
        (&json!("done"), &json!(7), &json!("a"), &json!("b"))
    );
    // The simulated line carries 850 to 930 Mbit/s; the seconds in which it starts are no part of the average.
    let (average, most) = (result["rx_bits_per_second"].as_u64().unwrap(), result["rx_max_bits_per_second"].as_u64().unwrap());
    assert!((850_000_000..=most).contains(&average) && most <= 930_000_000, "{result}");
    assert_eq!(reply.meta["device_id"], site.device("a").id.to_string());
    let bodies: Vec<String> =
        site.sim("a").requests().into_iter().filter(|seen| seen.path() == "/tool/bandwidth-test").map(|seen| seen.body).collect();
    assert_eq!(bodies.len(), 2);
    for body in bodies {
        assert!(body.contains("\"duration\"") && body.contains("\"address\":\"127.0.0.1\""), "{body}");
        assert!(!body.contains("user") && !body.contains("pass"), "no login is handed from router to router: {body}");
    }
}

#[tokio::test]
async fn a_bandwidth_test_is_refused_with_the_reason() {
    let site = pair().await;
    let mut cases = 0;
    let mut refused = async |kind: &str, word: &str, arguments: Value| {
        let error = site.bad("diagnose.bandwidth_test", arguments).await;
        assert_eq!(error["kind"], kind, "{error}");
        assert!(error["message"].as_str().unwrap().contains(word), "{word}: {error}");
        assert!(!error["hint"].as_str().unwrap_or("").is_empty(), "{error}");
        assert_eq!(site.sim("a").faults().requests_to("/tool/bandwidth-test"), 0);
        cases += 1;
    };
    refused("bad_input", "same", json!({"device": "a", "target": "a"})).await;
    refused("not_found", "no device", json!({"device": "a", "target": "203.0.113.9"})).await;
    set(&site, "b", "/tool/bandwidth-server", "authenticate", "true");
    refused("denied", "password", test()).await;
    set(&site, "b", "/tool/bandwidth-server", "enabled", "false");
    refused("conflict", "is off", test()).await;
    set(&site, "b", "/tool/bandwidth-server", "enabled", "true");
    set(&site, "b", "/tool/bandwidth-server", "authenticate", "false");
    set(&site, "a", "/system/device-mode", "bandwidth-test", "false");
    refused("denied", "device-mode", test()).await;
    set(&site, "a", "/system/device-mode", "bandwidth-test", "true");
    set(&site, "b", "/system/device-mode", "flagged", "true");
    refused("denied", "tampered", test()).await;
    set(&site, "b", "/system/device-mode", "flagged", "false");
    site.operator("device.update", json!({"device": "b", "capabilities": []})).await;
    refused("denied", "not granted", test()).await;
    assert_eq!(cases, 7);
    let reply = site.call_as(limited(Role::ReadOnly, &["all"]), "diagnose.bandwidth_test", test()).await;
    assert_eq!(reply.structured["error"]["kind"], "denied");
    let reply = site.call_as(limited(Role::OpsRw, &["a"]), "diagnose.bandwidth_test", test()).await;
    assert_eq!(reply.structured["error"]["kind"], if reply.text.contains("tier") { "denied" } else { "not_found" }, "{}", reply.text);
    let site = site.reopened(&[("read_only", "true")]).await;
    let error = site.bad("diagnose.bandwidth_test", test()).await;
    assert!(error["message"].as_str().unwrap().contains("read only"), "{error}");
}
