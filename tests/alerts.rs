//! Alerts through real receivers: signed, retried, kept over a restart, never in the way of whoever raised them.

mod real;
mod syslog;

use crate::admin_rig::signed_in;
use crate::alerts_rig::{Authority, Logs, Receiver, Reply, caller, until};
use crate::http_rig::Web;
use crate::site::Site;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::alert::webhook::signature;
use routeros_mcp::alert::{Alerts, Kind, Subject, What};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::secret::Secret;
use routeros_mcp::config::{self, Inputs};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const SECRET: &str = "whsec_planted_0123456789";
/// At once, and again at once.
const PROMPT: [(&str, &str); 5] = [
    ("health_check.enabled", "false"),
    ("snapshot.enabled", "false"),
    ("alert.unusual_use_for", "0s"),
    ("alert.unusual_use_cooldown", "0s"),
    ("alert.webhook_secret", SECRET),
];

/// An appliance that tells, on a clock that a test moves.
async fn site(flags: &[(&str, &str)]) -> (Site, Arc<Hand>) {
    let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let site = Site::bare_on(&[&PROMPT[..], flags].concat(), clock).await;
    site.app.open_doors().await.unwrap();
    (site, hand)
}

fn alerts(site: &Site) -> &Alerts {
    &site.app.dispatch.world().alerts
}

fn raise(site: &Site, n: usize) {
    alerts(site).raise(Kind::UnusualUse, &caller(n), "61 writes");
}

/// The outcome of the first channel's last try.
fn outcome(site: &Site) -> Option<&'static str> {
    alerts(site).channels()[0].outcome
}

/// Messages on their way through the first channel.
fn waiting(site: &Site) -> usize {
    alerts(site).channels()[0].waiting
}

async fn test_of(site: &Site) -> Value {
    let reply = site.operator("alert.test", json!({})).await;
    assert!(reply.fault.is_none(), "{}", reply.text);
    reply.structured["channels"][0].clone()
}

#[tokio::test]
async fn a_webhook_gets_signed_json_over_tls_from_whom_its_authority_vouches_for() {
    let authority = Authority::new();
    let mut receiver = Receiver::open(Some(authority.config.clone())).await;
    let url = format!("https://localhost:{}/hook?key=PLANTED-KEY", receiver.port);
    let (site, hand) = site(&[("alert.webhook_url", &url), ("alert.ca_file", &authority.file())]).await;
    raise(&site, 1);
    let got = receiver.next().await;
    assert!(got.head.starts_with("POST /hook?key=PLANTED-KEY HTTP/1.1"), "{}", got.head);
    assert_eq!(got.header("content-type"), "application/json");
    let seconds: i64 = got.header("rmcp-signature").split(['=', ',']).nth(1).unwrap().parse().unwrap();
    assert_eq!(got.header("rmcp-signature"), signature(&Secret::new(SECRET), seconds, got.body.as_bytes()));
    assert_eq!(seconds, 1_790_000_000);
    let message = got.json();
    assert_eq!(
        (&message["version"], &message["kind"], &message["status"], &message["severity"], &message["count"]),
        (&json!(1), &json!("unusual_use"), &json!("firing"), &json!("warning"), &json!(1)),
        "{message}"
    );
    assert_eq!(message["subjects"], json!([{"type": "principal", "id": "local u001", "name": "user-001"}]));
    assert_eq!(message["id"], got.header("rmcp-message"));
    until("it is off our hands", || waiting(&site) == 0).await;
    hand.advance(Duration::from_secs(60));
    alerts(&site).end(Kind::UnusualUse, &caller(1));
    let over = receiver.next().await.json();
    assert_eq!((&over["status"], &over["since"]), (&json!("resolved"), &message["since"]), "{over}");
    let shown = serde_json::to_string(&site.operator("alert.get_status", json!({})).await.structured).unwrap();
    assert!(shown.contains("https://localhost:") && !shown.contains("PLANTED") && !shown.contains(SECRET), "{shown}");
    site.close().await;
}

#[tokio::test]
async fn a_receiver_that_nobody_vouches_for_gets_nothing() {
    let authority = Authority::new();
    let mut receiver = Receiver::open(Some(authority.config.clone())).await;
    let url = format!("https://localhost:{}/hook", receiver.port);
    let (site, _) = site(&[("alert.webhook_url", &url)]).await;
    let tried = test_of(&site).await;
    assert_eq!(tried["delivered"], false);
    assert!(tried["said"].as_str().unwrap().contains("certificate"), "{tried}");
    assert!(receiver.is_silent());
    site.close().await;
}

#[tokio::test]
async fn what_fails_is_tried_again_later_in_its_order_and_is_the_same_message() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (site, hand) = site(&[("alert.webhook_url", &url)]).await;
    for status in ["500 Oops", "429 Slow down", "302 Found\r\nlocation: /elsewhere", "404 Gone"] {
        receiver.says(status);
    }
    raise(&site, 1);
    let first = receiver.next().await;
    raise(&site, 2);
    let mut ids = vec![first.header("rmcp-message").to_owned()];
    for _ in 0..4 {
        let now = Some(site.app.dispatch.world().clock.wall());
        until("the failure is known", || outcome(&site) == Some("failed") && alerts(&site).channels()[0].at == now).await;
        assert!(receiver.is_silent(), "not before its pause is over");
        hand.advance(Duration::from_secs(300));
        let again = receiver.next().await;
        assert!(again.head.starts_with("POST / "), "redirects are not followed: {}", again.head);
        ids.push(again.header("rmcp-message").to_owned());
    }
    assert!(ids.iter().all(|id| *id == ids[0]), "one message, five tries: {ids:?}");
    let second = receiver.next().await.json();
    assert_eq!(second["subjects"][0]["name"], "user-002");
    until("both are off our hands", || waiting(&site) == 0).await;
    site.close().await;
}

#[tokio::test]
async fn a_message_that_is_not_taken_does_not_stand_in_the_way_of_the_next() {
    let mut receiver = Receiver::plain().await;
    let (site, _) = site(&[("alert.webhook_url", &format!("http://127.0.0.1:{}/", receiver.port))]).await;
    receiver.says("422 Unprocessable");
    raise(&site, 1);
    raise(&site, 2);
    let seen = [receiver.next().await.json(), receiver.next().await.json()];
    assert_ne!(seen[0]["id"], seen[1]["id"]);
    until("none waits", || waiting(&site) == 0).await;
    site.close().await;
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_nobody_up() {
    let mut receiver = Receiver::plain().await;
    let (site, _) = site(&[("alert.webhook_url", &format!("http://127.0.0.1:{}/", receiver.port))]).await;
    receiver.answers(&[Reply::Hangs]);
    raise(&site, 1);
    receiver.next().await;
    let began = Instant::now();
    for n in 2..1_000 {
        raise(&site, n);
    }
    assert!(began.elapsed() < Duration::from_millis(500), "raising waits for nobody: {:?}", began.elapsed());
    site.good("device.list", json!({})).await;
    site.close().await;
}

#[tokio::test]
async fn a_receiver_that_is_away_is_given_up_after_a_day() {
    let away = format!("http://127.0.0.1:{}/", unused().await);
    let (site, hand) = site(&[("alert.webhook_url", &away)]).await;
    raise(&site, 1);
    until("it fails", || outcome(&site) == Some("failed")).await;
    assert!(alerts(&site).channels()[0].said.contains("refused"), "{:?}", alerts(&site).channels());
    hand.advance(Duration::from_secs(25 * 3_600));
    until("it is given up", || outcome(&site) == Some("expired") && waiting(&site) == 0).await;
    site.close().await;
}

/// A port where nobody listens.
async fn unused() -> u16 {
    tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn a_restart_loses_nothing_and_tells_nothing_twice() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let flags: Vec<(&str, &str)> = PROMPT.iter().copied().chain([("alert.webhook_url", url.as_str())]).collect();
    let (site, _) = site(&[("alert.webhook_url", &url)]).await;
    receiver.says("503 Away");
    for n in 1..4 {
        raise(&site, n);
        until("told", || waiting(&site) == n).await;
    }
    receiver.next().await;
    until("it failed", || outcome(&site) == Some("failed")).await;
    let site = site.reopened(&flags).await;
    assert_eq!(waiting(&site), 3);
    site.app.open_doors().await.unwrap();
    for n in 1..4 {
        let message = receiver.next().await.json();
        assert_eq!((&message["status"], &message["subjects"][0]["name"]), (&json!("firing"), &json!(format!("user-00{n}"))), "{message}");
    }
    // Still so: no news.
    (1..4).for_each(|n| raise(&site, n));
    until("all are off our hands", || waiting(&site) == 0).await;
    assert!(receiver.is_silent());
    for n in 1..4 {
        alerts(&site).end(Kind::UnusualUse, &caller(n));
        let message = receiver.next().await.json();
        assert_eq!((&message["status"], &message["subjects"][0]["name"]), (&json!("resolved"), &json!(format!("user-00{n}"))), "{message}");
    }
    let list = site.operator("alert.list", json!({})).await.structured;
    assert_eq!((&list["total"], &list["rows"][0]["state"]), (&json!(3), &json!("over")), "{list}");
    site.close().await;
}

#[tokio::test]
async fn nothing_is_sent_unsigned_and_a_secret_put_on_the_page_signs() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (clock, _hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let flags = [("health_check.enabled", "false"), ("alert.webhook_url", url.as_str())];
    let site = Site::bare_on(&flags, clock).await;
    site.app.open_doors().await.unwrap();
    raise(&site, 1);
    until("it fails", || outcome(&site) == Some("failed")).await;
    assert!(receiver.is_silent() && alerts(&site).channels()[0].said.contains("nothing to sign with"));
    let short = site.operator("alert.set_secret", json!({"secret": "short"})).await;
    assert_eq!(short.structured["error"]["kind"], "bad_input", "{}", short.text);
    let set = site.operator("alert.set_secret", json!({"secret": SECRET})).await;
    assert!(set.fault.is_none() && !set.text.contains(SECRET), "{}", set.text);
    let got = receiver.next().await;
    assert_eq!(got.header("rmcp-signature"), signature(&Secret::new(SECRET), 1_790_000_000, got.body.as_bytes()), "and at once");
    let stored = std::fs::read(site.app.config.store.path.clone()).unwrap();
    assert!(!stored.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "it lies sealed");
    let dir = site.close().await;
    let mut looked = 0;
    for segment in std::fs::read_dir(dir.path().join("state/audit")).unwrap() {
        let bytes = std::fs::read(segment.unwrap().path()).unwrap();
        assert!(!bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes()), "the trail has it");
        looked += 1;
    }
    assert!(looked > 0);
}

#[tokio::test]
async fn a_test_says_what_each_channel_said() {
    let mut receiver = Receiver::plain().await;
    let mut logs = Logs::udp().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (site, _) = site(&[("alert.webhook_url", &url), ("alert.syslog", &logs.url)]).await;
    receiver.says("403 Forbidden");
    let tried = site.operator("alert.test", json!({})).await.structured["channels"].clone();
    assert_eq!(tried[0]["said"], "answered 403 Forbidden", "{tried}");
    assert_eq!((&tried[0]["delivered"], &tried[1]["delivered"]), (&json!(false), &json!(true)), "{tried}");
    assert_eq!(receiver.next().await.json()["status"], "test");
    assert!(logs.next().await.contains(" test [alert@32473 "));
    let refused = site.call("alert.test", json!({})).await;
    assert!(refused.unknown_tool, "no model sends tests: {}", refused.text);
    site.close().await;
    let (quiet, _) = self::site(&[]).await;
    let nowhere = quiet.operator("alert.test", json!({})).await;
    assert!(nowhere.text.contains("alert.webhook_url"), "{}", nowhere.text);
    quiet.close().await;
}

#[tokio::test]
async fn metadata_and_link_local_addresses_are_never_called() {
    for url in ["https://169.254.169.254/latest?key=PLANTED", "https://[fe80::1]/PLANTED", "http://hooks.example/PLANTED", "PLANTED"] {
        let flags = vec![("alert.webhook_url".to_owned(), url.to_owned()), ("alert.syslog".to_owned(), "nowhere".to_owned())];
        let state = Some(tempfile::tempdir().unwrap().path().to_owned());
        let problems = config::check(&Inputs { config_flag: None, data_dir: state, flags, env: Vec::new() });
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            said.iter().any(|one| one.contains("alert.webhook_url")) && said.iter().any(|one| one.contains("alert.syslog")),
            "{said:?}"
        );
        assert!(!said.concat().contains("PLANTED"), "{said:?}");
    }
    for target in ["udp://169.254.169.254:514", "tcp://169.254.169.254:514"] {
        let (site, _) = site(&[("alert.syslog", target)]).await;
        let tried = test_of(&site).await;
        assert!(tried["said"].as_str().unwrap().contains("metadata"), "{tried}");
        site.close().await;
    }
}

#[tokio::test]
async fn updates_backups_certificates_and_disks_are_one_line_each_to_raise() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (site, hand) = site(&[("alert.webhook_url", &url), ("alert.disk_low_for", "0s")]).await;
    let (day, now) = (86_400_000, site.app.dispatch.world().clock.wall());
    let mut told = Vec::new();
    alerts(&site).update_available(Some("9.9.9"));
    told.push(receiver.next().await.json());
    alerts(&site).backup_failed(Some("the disk is full"));
    told.push(receiver.next().await.json());
    alerts(&site).certificate_ends(Some(Wall(now.0 + 13 * day)));
    told.push(receiver.next().await.json());
    alerts(&site).disk_free(2);
    told.push(receiver.next().await.json());
    let said: Vec<String> = told
        .iter()
        .map(|one| format!("{}: {}: {}", one["kind"].as_str().unwrap(), one["summary"].as_str().unwrap(), one["details"].as_str().unwrap()))
        .collect();
    assert_eq!(
        said,
        [
            "update_available: a newer version is available: 9.9.9",
            "backup_failed: the backup failed: the disk is full",
            "certificate_expiring: the certificate ends soon: it ends 2026-10-04T14:13:20.000Z",
            "disk_low: the disk is nearly full: 2 % free",
        ]
    );
    alerts(&site).update_available(None);
    alerts(&site).backup_failed(None);
    alerts(&site).certificate_ends(Some(Wall(now.0 + 90 * day)));
    alerts(&site).disk_free(50);
    for _ in 0..4 {
        assert_eq!(receiver.next().await.json()["status"], "resolved");
    }
    hand.advance(Duration::from_secs(77 * 86_400));
    assert_eq!(receiver.next().await.json()["kind"], "certificate_expiring", "time alone makes it so");
    site.close().await;
}

#[tokio::test]
async fn a_caller_that_runs_wild_is_told_by_name() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/", receiver.port);
    let (site, _) = site(&[("alert.webhook_url", &url)]).await;
    let reader = Principal::stdio(Role::ReadOnly);
    for _ in 0..31 {
        let denied = site.call_as(reader.clone(), "plan.create", json!({"devices": ["x"], "edits": []})).await;
        assert_eq!(denied.structured["error"]["kind"], "denied", "{}", denied.text);
    }
    let message = receiver.next().await.json();
    assert_eq!((&message["kind"], &message["subjects"][0]["name"]), (&json!("unusual_use"), &json!("local stdio client")));
    assert_eq!(message["details"], "more than 30 denials within an hour; 0 in its busiest one before");
    site.close().await;
}

#[tokio::test]
async fn the_page_shows_what_is_so_where_it_goes_and_what_came_of_a_test() {
    let mut receiver = Receiver::plain().await;
    let url = format!("http://127.0.0.1:{}/PLANTED", receiver.port);
    let (clock, _hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let flags = [("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false"), ("alert.webhook_url", url.as_str())];
    let site = Site::bare_on(&flags, clock).await;
    site.app.open_doors().await.unwrap();
    let web = Web::over(site).await;
    let mut admin = signed_in(&web, "anna", Role::Admin).await;
    let page = admin.get("/admin/alerts").await;
    assert!(
        page.status == 200 && page.body.contains("Nothing that somebody has to know") && page.body.contains("no secret to sign with"),
        "{}",
        page.body
    );
    assert_eq!(admin.form("/admin/alerts/secret", &[("secret", SECRET)]).await.status, 303);
    let tried = admin.form("/admin/alerts/test", &[]).await;
    assert!(tried.status == 200 && tried.body.contains("answered 200 OK"), "{}", tried.body);
    assert_eq!(receiver.next().await.json()["status"], "test");
    alerts(&web.site).raise(Kind::UnusualUse, &Subject::new(What::Principal, "x", "<script>alert(1)</script>"), "61 writes & <b>more</b>");
    receiver.next().await;
    let page = admin.get("/admin/alerts").await;
    assert!(page.body.contains("&#60;script&#62;alert(1)") && page.body.contains("61 writes &#38; &#60;b&#62;"), "{}", page.body);
    assert!(!page.body.contains("<script>alert") && !page.body.contains("PLANTED") && !page.body.contains(SECRET), "{}", page.body);
    assert!(admin.get("/admin/").await.body.contains("<a href=\"/admin/alerts\">One alert</a>"), "the first page leads there");
    let mut reader = signed_in(&web, "rita", Role::ReadOnly).await;
    let page = reader.get("/admin/alerts").await;
    assert!(page.status == 200 && !page.body.contains("/admin/alerts/test") && !page.body.contains("script&#62;"), "{}", page.body);
    assert_eq!(reader.form("/admin/alerts/test", &[]).await.status, 403);
    assert!(receiver.is_silent());
    web.close().await;
}
