//! Lists of routers: judged whole before anybody is asked, told by line, and nothing half done.

use crate::site::Site;
use routeros_mcp::routeros::pin::format_fingerprint;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::fmt::Write;
use std::time::Instant;

const HEAD: &str = "name,address,rest_port,ssh_port,username,password,tls_fingerprint,tags\n";

async fn routers(count: u64) -> Vec<Sim> {
    let mut sims = Vec::new();
    for seed in 1..=count {
        sims.push(Sim::start(Options { plain: false, seed, ..Options::new(Profile::Office, "office") }).await.unwrap());
    }
    sims
}

fn line(name: &str, sim: &Sim, password: &str) -> String {
    let print = format_fingerprint(&sim.fingerprint());
    format!(
        "{name},127.0.0.1,{},{},{},{password},{print},\"site=north,rack=2\"\n",
        sim.https_port(),
        sim.ssh_port(),
        sim.credentials().mcp.user
    )
}

async fn import(site: &Site, list: &str, more: Value) -> Value {
    let mut asked = json!({"secret_list": list});
    asked.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let reply = site.operator("device.import", asked).await;
    assert_eq!(reply.fault, None, "{}", reply.text);
    reply.structured
}

fn count(site: &Site) -> usize {
    site.app.dispatch.world().fleet.len()
}

#[tokio::test]
async fn ten_thousand_lines_with_errors_are_told_by_line_and_nothing_is_done() {
    let site = Site::bare(&[]).await;
    let mut list = HEAD.to_owned();
    let print = format!("sha256:{}", "ab".repeat(32));
    for n in 2..=10_001 {
        let (name, password) = if n % 2 == 0 { (format!("edge-{n}"), "") } else { (format!("edge {n}"), "hunter2-seven") };
        writeln!(list, "{name},10.{}.{}.{},,,mcp,{password},{print},", n >> 16, (n >> 8) & 255, n & 255).unwrap();
    }
    let began = Instant::now();
    let answer = import(&site, &list, json!({})).await;
    assert!(began.elapsed().as_secs() < 10, "{:?}", began.elapsed());
    assert_eq!((&answer["lines"], &answer["wrong"], &answer["added"]), (&json!(10_000), &json!(10_000), &json!(0)));
    let problems = answer["problems"].as_array().unwrap();
    let lines: String = problems.iter().map(|one| format!("{}, ", one["lines"].as_str().unwrap())).collect();
    let told: Vec<&str> = lines.split(", ").filter(|line| !line.is_empty()).collect();
    assert_eq!((problems.len(), told.len()), (2, 10_000), "{:?}", problems.iter().map(|one| &one["what"]).collect::<Vec<_>>());
    assert!(!answer.to_string().contains("hunter2"), "no password comes back");
    assert_eq!(count(&site), 0);
    site.close().await;
}

#[tokio::test]
async fn one_wrong_line_stops_all_before_any_router_is_asked() {
    let (site, sims) = (Site::bare(&[]).await, routers(1).await);
    let good = sims[0].credentials().mcp.password;
    for (wrong, what) in [
        ("edge-2,192.0.2.2,,,mcp,x,,\n".to_owned(), "names no fingerprint"),
        (line("edge-1", &sims[0], "x"), "has the name of line 2"),
        (line("edge-2", &sims[0], "x"), "is the same address and port as line 2"),
        ("edge-2,192.0.2.2\n".to_owned(), "has 2 cells"),
        ("edge-2,169.254.169.254,,,mcp,x,,\n".to_owned(), "fingerprint"),
    ] {
        let answer = import(&site, &format!("{HEAD}{}{wrong}", line("edge-1", &sims[0], good.expose())), json!({})).await;
        assert_eq!((&answer["added"], &answer["problems"][0]["lines"]), (&json!(0), &json!("3")), "{answer}");
        assert!(answer["problems"][0]["what"].as_str().unwrap().contains(what), "{answer}");
        assert_eq!(count(&site), 0);
    }
    let dry = import(&site, &format!("{HEAD}{}", line("edge-1", &sims[0], good.expose())), json!({"dry_run": true})).await;
    assert_eq!((&dry["wrong"], &dry["added"], count(&site)), (&json!(0), &json!(0), 0));
    site.close().await;
}

#[tokio::test]
async fn routers_that_work_are_kept_or_with_all_or_nothing_none_before_all_do() {
    let (site, sims) = (Site::bare(&[]).await, routers(3).await);
    let good = sims[0].credentials().mcp.password;
    let bad = format!("{HEAD}{}{}{}", line("a", &sims[0], good.expose()), line("b", &sims[1], "wrong-pass-77"), line("c", &sims[2], ""));
    let shared = json!({"password": good.expose(), "all_or_nothing": true});
    let answer = import(&site, &bad, shared).await;
    assert_eq!(
        (&answer["added"], &answer["wrong"], &answer["problems"][0]["lines"], count(&site)),
        (&json!(0), &json!(1), &json!("3"), 0),
        "{answer}"
    );
    let answer = import(&site, &bad, json!({"password": good.expose()})).await;
    assert_eq!((&answer["added"], &answer["wrong"], count(&site)), (&json!(2), &json!(1), 2), "{answer}");
    assert_eq!(site.device("a").tags.len(), 2);
    let rest = format!("{HEAD}{}", line("b", &sims[1], good.expose()));
    assert_eq!(import(&site, &rest, json!({"all_or_nothing": true})).await["names"], json!(["b"]));
    let trail = site.operator("audit.get_events", json!({"limit": 200})).await.structured.to_string();
    assert!(!trail.contains(good.expose()) && !trail.contains("wrong-pass-77"), "no password stands in the trail");
    for name in ["\"a\"", "\"b\"", "\"c\""] {
        assert!(trail.contains(name), "the trail names {name}");
    }
    let told = site.operator("audit.get_events", json!({"tool": "device.import", "limit": 200})).await.structured["rows"].clone();
    let of_b: Vec<&str> =
        told.as_array().unwrap().iter().filter(|row| row["device"] == "b").map(|row| row["outcome"].as_str().unwrap()).collect();
    assert_eq!(of_b, ["ok", "intent"], "the trail knows of a device before the store does: {told}");
    let json =
        json!([{"name": "d", "address": "127.0.0.1", "rest_port": sims[0].https_port(), "username": "mcp", "password": "x"}]).to_string();
    assert_eq!(import(&site, &json, json!({"dry_run": true})).await["problems"][0]["lines"], "1", "JSON is told by entry");
    site.close().await;
    for sim in sims {
        sim.stop().await;
    }
}

#[tokio::test]
async fn a_router_whose_record_cannot_be_written_to_the_trail_is_not_added() {
    let (site, sims) = (Site::bare(&[]).await, routers(1).await);
    let list = format!("{HEAD}{}", line("a", &sims[0], sims[0].credentials().mcp.password.expose()));
    site.app.dispatch.world().audit.clone().close().await.unwrap();
    let reply = site.operator("device.import", json!({"secret_list": list})).await;
    assert!(reply.fault.is_some() || reply.structured["wrong"] == 1, "{}", reply.text);
    assert_eq!(count(&site), 0, "no audit, no device");
    for sim in sims {
        sim.stop().await;
    }
}
