//! People and their sessions: signing out everywhere, passwords, roles, and what ends whose session.

use crate::admin_rig::{Browser, OURS, PASSWORD, signed_in};
use crate::http_rig::Web;
use routeros_mcp::access::Role;
use serde_json::json;

const SESSION: &str = "/admin/api/v1/session";
const ALL: &str = "/admin/api/v1/session/all";
const OTHER: &str = "battery-staple-72";

async fn again(web: &Web, name: &str, password: &str) -> (u16, Browser) {
    let mut browser = Browser::of(web);
    let answer = browser.post(SESSION, json!({"user": name, "password": password})).await;
    (answer.status, browser)
}

async fn is_in(browser: &mut Browser) -> bool {
    browser.get(SESSION).await.status == 200
}

#[tokio::test]
async fn a_person_signs_out_everywhere_and_nobody_else_with_them() {
    let web = Web::open(&[]).await;
    let mut bert = signed_in(&web, "bert", Role::ReadOnly).await;
    let mut desk = signed_in(&web, "anna", Role::Admin).await;
    let (_, mut phone) = again(&web, "anna", PASSWORD).await;
    let listed = phone.send("GET", ALL, &format!("{OURS}User-Agent: a telephone\r\n"), "").await.message();
    let rows = listed["sessions"].as_array().unwrap();
    assert_eq!((rows.len(), rows.iter().filter(|row| row["this"] == true).count()), (2, 1), "{listed}");
    assert!(rows.iter().all(|row| row["address"] == "127.0.0.1"));
    assert!(!listed.to_string().contains(phone.cookie("rmcp").unwrap()));
    let foreign = phone.send("DELETE", ALL, "Sec-Fetch-Site: cross-site\r\n", "").await;
    assert_eq!(foreign.status, 403);
    let ended = phone.send("DELETE", ALL, OURS, "").await;
    assert_eq!((ended.status, phone.cookie("rmcp")), (204, None));
    assert!(!is_in(&mut desk).await && is_in(&mut bert).await);
    assert_eq!(Browser::of(&web).send("DELETE", ALL, OURS, "").await.status, 401);
    let row = web.site.operator("audit.get_events", json!({"tool": "session.sign_out_everywhere"})).await.structured["rows"][0].clone();
    assert_eq!((&row["principal"], &row["outcome"]), (&json!("anna"), &json!("ok")));
    web.close().await;
}

#[tokio::test]
async fn another_password_takes_the_old_one_and_ends_other_sessions() {
    let web = Web::open(&[]).await;
    let mut desk = signed_in(&web, "bert", Role::ReadOnly).await;
    let (_, mut phone) = again(&web, "bert", PASSWORD).await;
    let path = "/admin/api/v1/session/password";
    for (old, new, status) in [("wrong-password-1", OTHER, 401), (PASSWORD, "short", 400), (PASSWORD, PASSWORD, 400)] {
        assert_eq!(desk.post(path, json!({"old": old, "new": new})).await.status, status, "{new}");
    }
    assert!(is_in(&mut phone).await, "nothing changed");
    assert_eq!(desk.post(path, json!({"old": PASSWORD, "new": OTHER})).await.status, 200);
    assert!(is_in(&mut desk).await && !is_in(&mut phone).await);
    assert_eq!((again(&web, "bert", PASSWORD).await.0, again(&web, "bert", OTHER).await.0), (401, 200));
    web.close().await;
}

#[tokio::test]
async fn whoever_has_a_stolen_cookie_is_locked_out_of_guessing_the_password_too() {
    let web = Web::open(&[]).await;
    let mut thief = signed_in(&web, "bert", Role::ReadOnly).await;
    for _ in 0..5 {
        thief.post("/admin/api/v1/session/password", json!({"old": "wrong-password-1", "new": OTHER})).await;
    }
    let locked = thief.post("/admin/api/v1/session/password", json!({"old": PASSWORD, "new": OTHER})).await;
    assert!(locked.status == 401 && locked.body.contains("locked for another 15 min"), "{locked:?}");
    let page = thief.form("/admin/sign-in", &[("user", "bert"), ("password", PASSWORD)]).await;
    assert!(page.body.contains("locked for another 15 min"), "in words: {}", page.body);
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let people = anna.get("/admin/people").await.body;
    assert!(
        people.contains("Locked out after too many wrong passwords; that ends in 14 min") || people.contains("ends in 15 min"),
        "{people}"
    );
    web.close().await;
}

#[tokio::test]
async fn a_session_ends_at_once_with_what_it_rested_on() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let mut bert = signed_in(&web, "bert", Role::OpsRw).await;
    for (verb, fields) in [("role", vec![("role", "approver")]), ("password", vec![("password", PASSWORD)]), ("disable", vec![])] {
        assert!(is_in(&mut bert).await, "before {verb}");
        let done = anna.form(&format!("/admin/people/bert/{verb}"), &fields).await;
        assert_eq!(done.status, 303, "{verb}: {done:?}");
        assert!(!is_in(&mut bert).await, "{verb}");
        bert = again(&web, "bert", PASSWORD).await.1;
    }
    assert_eq!(anna.form("/admin/people/bert/enable", &[]).await.status, 303);
    let mut stale = bert;
    assert!(!is_in(&mut stale).await);
    let (status, mut bert) = again(&web, "bert", PASSWORD).await;
    assert_eq!(status, 200);
    assert_eq!(bert.get(SESSION).await.message()["role"], "approver");
    web.close().await;
}

#[tokio::test]
async fn an_administrator_links_identities_and_they_are_shown_to_both() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let mut bert = signed_in(&web, "bert", Role::Approver).await;
    assert_eq!(anna.form("/admin/people/bert/link", &[("identity", "https://login.example|00u1")]).await.status, 303);
    let page = anna.get("/admin/people/bert").await.body;
    assert!(page.contains("https://login.example|00u1") && page.contains("/admin/people/bert/unlink"), "{page}");
    let me = bert.get("/admin/me").await.body;
    assert!(me.contains("https://login.example|00u1") && me.contains("this one"), "{me}");
    assert_eq!(anna.form("/admin/people/bert/unlink", &[("identity", "https://login.example|00u1")]).await.status, 303);
    assert!(!anna.get("/admin/people/bert").await.body.contains("login.example"));
    assert_eq!(anna.form("/admin/people/bert/link", &[("identity", "nonsense")]).await.status, 400);
    for path in ["/admin/people", "/admin/people/anna"] {
        assert_eq!(bert.get(path).await.status, 403, "{path}");
    }
    assert_eq!(bert.form("/admin/people/anna/disable", &[]).await.status, 403);
    assert_eq!(anna.get("/admin/people/nobody").await.status, 404);
    web.close().await;
}

#[tokio::test]
async fn everybody_has_a_page_of_their_own_that_works_without_a_script() {
    let web = Web::open(&[]).await;
    web.site.app.dispatch.world().access.add("zoe", Role::ReadOnly, routeros_mcp::base::secret::Secret::new(PASSWORD)).await.unwrap();
    let token = web.token_as(Some(Role::ReadOnly), |wanted| (wanted.name, wanted.owner) = ("mine".into(), Some("zoe".into()))).await;
    web.token_as(Some(Role::ReadOnly), |wanted| wanted.name = "another".into()).await;
    for role in Role::ALL {
        let mut person = signed_in(&web, role.as_str(), role).await;
        assert_eq!(person.get("/admin/me").await.status, 200, "{}", role.as_str());
    }
    let (_, mut zoe) = again(&web, "zoe", PASSWORD).await;
    let me = zoe.get("/admin/me").await.body;
    assert!(me.contains("<b>mine</b>") && !me.contains("another") && !me.contains(&token), "{me}");
    let wrong = zoe.form("/admin/me/password", &[("old", "wrong-password-1"), ("new", OTHER)]).await;
    assert!(wrong.status == 401 && wrong.body.contains(r#"role="alert""#), "{wrong:?}");
    let set = zoe.form("/admin/me/password", &[("old", PASSWORD), ("new", OTHER)]).await;
    assert_eq!((set.status, set.header("location")), (303, Some("/admin/me?done=password")));
    assert!(zoe.get("/admin/me?done=password").await.body.contains("The new password is set"));
    let out = zoe.form("/admin/me/sign-out-everywhere", &[]).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/admin/sign-in")));
    assert!(!is_in(&mut zoe).await);
    web.close().await;
}

#[tokio::test]
async fn an_open_stream_hears_nothing_more_once_its_session_is_over() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let web = Web::open(&[]).await;
    let bert = signed_in(&web, "bert", Role::ReadOnly).await;
    let mut stream = tokio::net::TcpStream::connect(web.at()).await.unwrap();
    let cookie = bert.cookie("rmcp").unwrap();
    stream
        .write_all(format!("GET /admin/api/v1/events HTTP/1.1\r\nHost: {}\r\nCookie: rmcp={cookie}\r\n\r\n", web.at()).as_bytes())
        .await
        .unwrap();
    let mut heard = vec![0; 4_096];
    let mut text = String::new();
    while !text.contains("retry:") {
        let n = stream.read(&mut heard).await.unwrap();
        text.push_str(&String::from_utf8_lossy(&heard[..n]));
    }
    web.site.app.dispatch.world().access.set_disabled("bert", true).await.unwrap();
    web.site.app.dispatch.world().fleet.bus().tell(routeros_mcp::base::events::Event::Plan("plan-secret".into()));
    let rest = async {
        let mut rest = Vec::new();
        // The connection stays for other requests; the stream on it ends.
        while !rest.windows(5).any(|end| end == b"0\r\n\r\n") {
            let n = stream.read(&mut heard).await.unwrap();
            assert!(n > 0 || !rest.is_empty(), "closed");
            rest.extend_from_slice(&heard[..n]);
        }
        String::from_utf8(rest).unwrap()
    };
    let rest = tokio::time::timeout(crate::http_rig::PATIENCE, rest).await.unwrap();
    assert!(!rest.contains("plan-secret"), "{rest}");
    web.close().await;
}

#[tokio::test]
async fn the_last_administrator_cannot_stop_being_one_by_themselves() {
    let web = Web::open(&[]).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let demoted = anna.post("/admin/api/v1/users/anna/role", json!({"role": "approver"})).await;
    assert_eq!((demoted.status, &demoted.message()["error"]["kind"]), (409, &json!("conflict")), "{demoted:?}");
    assert_eq!(anna.post("/admin/api/v1/users/ANNA/disable", json!({})).await.status, 409);
    assert!(is_in(&mut anna).await);
    let mut bert = signed_in(&web, "bert", Role::Admin).await;
    assert_eq!(anna.post("/admin/api/v1/users/anna/role", json!({"role": "approver"})).await.status, 200);
    assert_eq!(bert.post("/admin/api/v1/users/bert/disable", json!({})).await.status, 409, "now it is bert");
    assert_eq!(web.site.operator("user.disable", json!({"name": "bert"})).await.fault, None, "the command line may");
    web.close().await;
}

#[tokio::test]
async fn whoever_owns_a_token_takes_it_back_without_an_administrator_and_nobody_elses() {
    let web = Web::open(&[]).await;
    let mut zoe = signed_in(&web, "zoe", Role::ReadOnly).await;
    let mine = web.token_as(Some(Role::ReadOnly), |wanted| (wanted.name, wanted.owner) = ("mine".into(), Some("zoe".into()))).await;
    let spare = web.token_as(Some(Role::ReadOnly), |wanted| (wanted.name, wanted.owner) = ("spare".into(), Some("zoe".into()))).await;
    let other = web.token_as(Some(Role::ReadOnly), |wanted| wanted.name = "another".into()).await;
    let rows = web.site.operator("token.list", json!({})).await.structured["rows"].clone();
    let id = |name: &str| rows.as_array().unwrap().iter().find(|row| row["name"] == name).unwrap()["id"].as_str().unwrap().to_owned();
    let works = async |token: &str| web.modern(token, "tools/call", json!({"name": "device.list", "arguments": {}})).await.status;
    assert_eq!((works(&mine).await, works(&other).await), (200, 200));
    for stranger in [id("another"), "tok_none".into(), "mine".into()] {
        let refused = zoe.send("DELETE", &format!("/admin/api/v1/me/tokens/{stranger}"), OURS, "").await;
        assert_eq!(refused.status, 404, "{stranger}: {refused:?}");
    }
    let page = zoe.get("/admin/me").await.body;
    assert!(page.contains(&format!("/admin/me/tokens/{}/revoke", id("mine"))), "{page}");
    assert_eq!(zoe.form(&format!("/admin/me/tokens/{}/revoke", id("mine")), &[]).await.status, 303);
    assert_eq!(zoe.send("DELETE", &format!("/admin/api/v1/me/tokens/{}", id("spare")), OURS, "").await.status, 200);
    assert_eq!((works(&mine).await, works(&spare).await, works(&other).await), (401, 401, 200));
    assert!(!zoe.get("/admin/me").await.body.contains("/revoke"), "what is revoked has no button");
    assert_eq!(zoe.form(&format!("/admin/tokens/{}/revoke", id("another")), &[]).await.status, 403, "the other door stays shut");
    let row = web.site.operator("audit.get_events", json!({"tool": "person.revoke_token"})).await.structured["rows"][0].clone();
    assert_eq!(row["principal"], "zoe", "{row}");
    web.close().await;
}
