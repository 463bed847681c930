//! The admin pages, by what a browser without a script sends and gets.

use crate::admin_rig::{Browser, PASSWORD, encoded, signed_in, where_to};
use crate::http_rig::Web;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::time::Duration;

const USUAL: &[(&str, &str)] = &[("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false")];

/// A site of one router, and a plan on it that takes an approval, made by an assistant.
async fn with_plan(reason: &str, comment: &str) -> (Web, Value) {
    let mut site = Site::bare(USUAL).await;
    site.adopt(Profile::Office, Profile::Office.name(), json!({"capabilities": ["professional", "firewall"]})).await;
    planned(site, reason, comment).await
}

/// The plan on a site that has the router already.
async fn planned(site: Site, reason: &str, comment: &str) -> (Web, Value) {
    let edit = json!({"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "input", "action": "drop", "src-address": "198.51.100.0/24", "comment": comment}});
    let name = Profile::Office.name();
    let plan = site.good("plan.create", json!({"devices": [name], "edits": [edit], "reason": reason})).await.structured;
    (Web::over(site).await, plan)
}

#[tokio::test]
async fn who_is_nobody_comes_to_the_sign_in_and_from_there_to_where_they_wanted() {
    let web = Web::open(&[]).await;
    let mut nobody = Browser::of(&web);
    assert_eq!(where_to(&nobody.get("/admin/plans?state=draft").await), "/admin/sign-in?next=/admin/plans%3Fstate%3Ddraft");
    assert_eq!(where_to(&nobody.get("/admin").await), "/admin/");
    let page = nobody.get("/admin/sign-in?next=/admin/plans").await;
    assert!(page.status == 200 && page.body.contains(r#"name="next" value="/admin/plans""#), "{page:?}");
    let mut made = signed_in(&web, "anna", Role::Admin).await;
    let fields = |next| [("user", "anna"), ("password", PASSWORD), ("next", next)];
    assert_eq!(where_to(&made.form("/admin/sign-in", &fields("/admin/plans")).await), "/admin/plans");
    for elsewhere in ["https://evil.example/", "//evil.example", "/mcp"] {
        assert_eq!(where_to(&made.form("/admin/sign-in", &fields(elsewhere)).await), "/admin/");
    }
    let wrong = made.form("/admin/sign-in", &[("user", "anna"), ("password", "wrong-password-1")]).await;
    assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
    assert!(wrong.body.contains(r#"role="alert""#) && !wrong.body.contains("wrong-password-1"), "{wrong:?}");
    web.close().await;
}

#[tokio::test]
async fn every_page_is_there_for_every_role_and_loads_nothing_of_others() {
    let (web, plan) = with_plan("a reason", "a comment").await;
    let id = plan["id"].as_str().unwrap();
    let device = web.site.device(Profile::Office.name()).id.0.clone();
    let mut pages = 0;
    for role in Role::ALL {
        let mut person = signed_in(&web, role.as_str(), role).await;
        for path in [
            "/admin/",
            "/admin/plans",
            &format!("/admin/plans/{id}"),
            "/admin/alerts",
            "/admin/audit",
            "/admin/people",
            "/admin/docs",
            "/admin/docs/roles",
            "/admin/docs/performance",
            &format!("/admin/devices/{device}"),
            "/admin/prove?next=/admin/people",
        ] {
            let page = person.get(path).await;
            assert!(matches!(page.status, 200 | 403 | 404), "{} {path}: {page:?}", role.as_str());
            assert!(role != Role::Admin || page.status == 200, "{path}: {page:?}");
            let policy = page.header("content-security-policy").unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}: {policy}");
            // The texts of the documentation talk of addresses.
            let kinds = if path.contains("/docs") { 3 } else { 6 };
            for inline in &["<script>", " style=", " onclick=", "javascript:", "http://", "https://"][..kinds] {
                assert!(!page.body.contains(inline), "{path} has {inline}");
            }
            assert!(page.body.len() < 40_000, "{path}: {} bytes", page.body.len());
            pages += 1;
        }
    }
    println!("{pages} pages");
    assert!(pages >= 40);
    let mut person = signed_in(&web, "zoe", Role::Admin).await;
    for asset in person.get("/admin/").await.body.split('"').filter(|part| part.starts_with("/admin/assets/")) {
        let file = Browser::of(&web).get(asset).await;
        assert!(file.status == 200 && file.header("cache-control").unwrap().contains("immutable"), "{asset} {file:?}");
    }
    web.close().await;
}

#[tokio::test]
async fn strings_of_routers_and_models_are_text() {
    let hostile = r#""><script>alert(1)</script><img src=x onerror=alert(2)>&amp;'"#;
    let (web, plan) = with_plan(hostile, hostile).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    let id = plan["id"].as_str().unwrap();
    for path in ["/admin/plans", &format!("/admin/plans/{id}")] {
        let page = person.get(path).await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<img"), "{path}: {}", page.body);
        assert!(page.body.contains("script&#62;alert(1)") || page.body.contains("script&gt;alert(1)"), "{path}: it is shown as it is");
    }
    let page = person.get("/admin/?name=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(page.status == 200 && !page.body.contains("<script>alert"), "{page:?}");
    web.close().await;
}

#[tokio::test]
async fn a_person_approves_with_the_digest_and_an_assistant_applies() {
    let (web, plan) = with_plan("close a door", "no guests").await;
    let (id, digest) = (plan["id"].as_str().unwrap(), plan["short_digest"].as_str().unwrap());
    let mut person = signed_in(&web, "anna", Role::Approver).await;
    let page = person.get(&format!("/admin/plans/{id}")).await;
    assert!(page.body.contains(digest) && page.body.contains("no guests") && page.body.contains("/approve"), "{}", page.body);
    let wrong = person.form(&format!("/admin/plans/{id}/approve"), &[("digest", "0000-0000")]).await;
    assert!(matches!(wrong.status, 400 | 409), "{wrong:?}");
    let given = person.form(&format!("/admin/plans/{id}/approve"), &[("digest", digest)]).await;
    assert_eq!(where_to(&given), format!("/admin/plans/{id}"));
    let page = person.get(&format!("/admin/plans/{id}")).await;
    assert!(page.body.contains("1 of 1 approval"), "{}", page.body);
    let applied = web.site.good("plan.apply", json!({"plan_id": id, "wait_seconds": 30})).await;
    assert_eq!(applied.structured["state"], "confirmed", "{}", applied.text);
    web.close().await;
}

#[tokio::test]
async fn a_stale_proof_and_a_page_of_another_site_approve_nothing() {
    let (web, plan) = with_plan("close a door", "no guests").await;
    let (id, digest) = (plan["id"].as_str().unwrap(), plan["short_digest"].as_str().unwrap());
    let mut person = signed_in(&web, "anna", Role::Approver).await;
    let path = format!("/admin/plans/{id}/approve");
    let foreign = person.form_from(&path, "Sec-Fetch-Site: cross-site\r\n", &[("digest", digest)]).await;
    assert_eq!(foreign.status, 403, "{foreign:?}");
    let mut reader = signed_in(&web, "rita", Role::ReadOnly).await;
    assert_eq!(reader.form(&path, &[("digest", digest)]).await.status, 403);
    let token = web.token(Role::Admin).await;
    let headers = format!("Authorization: Bearer {token}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
    let by_token = web.ask("POST", &path, &headers, &encoded(&[("digest", digest)])).await;
    assert!(matches!(by_token.status, 401 | 403), "{by_token:?}");
    let left = web.site.good("plan.get", json!({"plan_id": id})).await.structured;
    assert_eq!(left["approvals"]["given"], json!([]), "{left}");
    web.close().await;
}

#[tokio::test]
async fn a_stale_proof_asks_for_the_password_and_takes_it_with_the_form() {
    let (web, hand) = Web::timed(&[]).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    hand.advance(Duration::from_secs(301));
    let fields = [("name", "bert"), ("role", "read_only"), ("password", "battery-staple-72")];
    assert_eq!(where_to(&person.form("/admin/people", &fields).await), "/admin/prove?next=/admin/people");
    let wrong = person.form("/admin/prove", &[("password", "wrong-password-1"), ("next", "/admin/people")]).await;
    assert_eq!(wrong.status, 401);
    let proved = person.form("/admin/prove", &[("password", PASSWORD), ("next", "/admin/people")]).await;
    assert_eq!(where_to(&proved), "/admin/people");
    assert_eq!(where_to(&person.form("/admin/people", &fields).await), "/admin/people");
    assert!(person.get("/admin/people").await.body.contains("bert"));
    web.close().await;
}

#[tokio::test]
async fn a_good_password_signs_nobody_out_whatever_comes_of_the_form_it_came_with() {
    let (web, hand) = Web::timed(&[]).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    // The second time the name is taken.
    for status in [303, 409] {
        hand.advance(Duration::from_secs(301));
        let before = person.cookie("rmcp").unwrap().to_owned();
        let fields = [("name", "bert"), ("role", "read_only"), ("password", "battery-staple-72"), ("proof", PASSWORD)];
        let done = person.form("/admin/people", &fields).await;
        assert_eq!(done.status, status, "{done:?}");
        assert_ne!(person.cookie("rmcp").unwrap(), before, "a new session");
        assert_eq!(person.get("/admin/people").await.status, 200, "after {status}");
    }
    web.close().await;
}

#[tokio::test]
async fn a_token_is_shown_in_one_answer_and_works() {
    let web = Web::open(&[]).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    let fields = [("name", "ci"), ("role", "read_only"), ("devices", "all"), ("expires", "30d")];
    let made = person.form("/admin/tokens", &fields).await;
    assert_eq!(made.status, 200, "{made:?}");
    let token = made.body.split(['<', '>']).find(|part| part.starts_with("rmcp_")).unwrap().to_owned();
    assert!(!person.get("/admin/people").await.body.contains(&token));
    let answer = web.say(&token, "", &crate::http_rig::hello("2025-11-25")).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = web.site.operator("token.list", json!({})).await.structured["rows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["name"] == "ci")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(where_to(&person.form(&format!("/admin/tokens/{id}/revoke"), &[]).await), "/admin/people");
    assert_eq!(web.say(&token, "", &crate::http_rig::hello("2025-11-25")).await.status, 401);
    web.close().await;
}

#[tokio::test]
async fn what_is_no_page_says_so_as_a_page() {
    let web = Web::open(&[]).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    for path in ["/admin/nothing", "/admin/devices/nobody", "/admin/plans/plan-0", "/admin/docs/none", "/admin//", "/admin/%2e%2e/mcp"] {
        let page = person.get(path).await;
        assert!(matches!(page.status, 400 | 404), "{path}: {page:?}");
        assert!(page.body.starts_with("<!doctype html>") && page.body.contains("<h1>"), "{path}: {page:?}");
    }
    assert_eq!(person.send("DELETE", "/admin/", "", "").await.status, 405);
    web.close().await;
}

#[tokio::test]
async fn a_link_followed_from_elsewhere_goes_on_as_one_of_ours() {
    let web = Web::open(&[]).await;
    let mut browser = Browser::of(&web);
    for site in ["cross-site", "same-site"] {
        // A `Strict` cookie does not come along: whoever followed the link may be signed in all the same.
        let page = browser.send("GET", "/admin/plans?state=draft", &format!("Sec-Fetch-Site: {site}\r\n"), "").await;
        assert_eq!(page.status, 200, "{page:?}");
        assert!(page.body.contains("http-equiv=\"refresh\"") && page.body.contains("0;url=/admin/plans?state=draft"), "{}", page.body);
    }
    assert_eq!(where_to(&browser.get("/admin/plans").await), "/admin/sign-in?next=/admin/plans", "ours, and still nobody");
    web.close().await;
}

#[tokio::test]
async fn a_person_who_asks_too_much_is_told_on_a_page_when_to_come_back() {
    let web = Web::open(&[("rate_limit.approver_per_minute", "2")]).await;
    let mut person = signed_in(&web, "anna", Role::Approver).await;
    for _ in 0..2 {
        assert_eq!(person.get("/admin/plans").await.status, 200);
    }
    let page = person.get("/admin/plans").await;
    assert_eq!(page.status, 429, "{page:?}");
    assert!(page.header("retry-after").is_some() && page.body.starts_with("<!doctype html>"), "{page:?}");
    web.close().await;
}

#[tokio::test]
async fn approving_with_a_stale_proof_leads_to_the_proof_and_back_or_takes_the_password_along() {
    let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let mut site = Site::bare_on(USUAL, clock).await;
    site.adopt(Profile::Office, Profile::Office.name(), json!({"capabilities": ["professional", "firewall"]})).await;
    let (web, plan) = planned(site, "close a door", "no guests").await;
    let (id, digest) = (plan["id"].as_str().unwrap(), plan["short_digest"].as_str().unwrap());
    let mut person = signed_in(&web, "anna", Role::Approver).await;
    hand.advance(Duration::from_secs(301));
    let approve = format!("/admin/plans/{id}/approve");
    let without = person.form(&approve, &[("digest", digest)]).await;
    assert_eq!(where_to(&without), format!("/admin/prove?next=/admin/plans/{id}"));
    assert_eq!(person.form(&approve, &[("digest", digest), ("proof", "wrong-password-1")]).await.status, 401);
    let left = web.site.good("plan.get", json!({"plan_id": id})).await.structured;
    assert_eq!(left["approvals"]["given"], json!([]), "{left}");
    let given = person.form(&approve, &[("digest", digest), ("proof", PASSWORD)]).await;
    assert_eq!(where_to(&given), format!("/admin/plans/{id}"));
    let left = web.site.good("plan.get", json!({"plan_id": id})).await.structured;
    assert_eq!(left["approvals"]["given"].as_array().map(Vec::len), Some(1), "{left}");
    web.close().await;
}
