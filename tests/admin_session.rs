//! People in the admin API: signing in, proving it again, deciding, signing out; and what others' pages and cookies get.

use crate::admin_rig::{PASSWORD, Person, ask, cookie_of, document, sign_in};
use crate::http_rig::{Answer, Web};
use routeros_mcp::access::Role;
use routeros_mcp::base::secret::Secret;
use serde_json::json;
use std::time::Duration;

/// What the trail has of an operation: outcome and name, newest first.
async fn trail(web: &Web, operation: &str) -> Vec<(String, String)> {
    let reply = web.site.operator("audit.get_events", json!({"limit": 200, "where": {"tool": operation}})).await;
    let rows = reply.structured["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| (row["outcome"].as_str().unwrap().to_owned(), row["principal"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn who_signs_in_is_somebody_until_they_sign_out() {
    let web = Web::open(&[]).await;
    let anna = Person::of(&web, "anna", Role::Admin).await;
    let me = document(&anna.ask("GET", "/session", None).await);
    assert_eq!((me["name"].as_str(), me["role"].as_str(), me["proof_is_fresh"].as_bool()), (Some("anna"), Some("admin"), Some(true)));
    assert_eq!(anna.ask("GET", "/devices", None).await.status, 200);
    assert_eq!(anna.ask("GET", "/users", None).await.status, 200, "operators' verbs are for persons");
    let out = anna.ask("DELETE", "/session", None).await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"), "{out:?}");
    assert_eq!(anna.ask("GET", "/session", None).await.status, 401, "the cookie opens nothing any more");
    assert_eq!(anna.ask("GET", "/devices", None).await.status, 401);
    assert_eq!(trail(&web, "session.sign_in").await, [("ok".to_owned(), "anna".to_owned())]);
    assert_eq!(trail(&web, "session.sign_out").await.len(), 1);
    web.close().await;
}

#[tokio::test]
async fn the_cookie_is_one_that_scripts_and_other_sites_never_see() {
    let web = Web::open(&[]).await;
    web.site.app.dispatch.world().access.add("anna", Role::Admin, Secret::new(PASSWORD)).await.unwrap();
    let plain = sign_in(&web, "anna", PASSWORD, "").await;
    let set = plain.header("set-cookie").unwrap();
    for part in ["rmcp=", "HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(part), "{set}");
    }
    assert!(!set.contains("Secure") && !set.contains("__Host-"), "loopback without TLS: {set}");
    assert!(!plain.body.contains(set.split(['=', ';']).nth(1).unwrap()), "the secret is in the cookie alone");
    web.close().await;
}

#[tokio::test]
async fn a_wrong_password_says_one_thing_for_everybody_and_locks_after_some() {
    let web = Web::open(&[("auth.lockout_attempts", "3")]).await;
    web.site.app.dispatch.world().access.add("anna", Role::Admin, Secret::new(PASSWORD)).await.unwrap();
    let (wrong, nobody) = (sign_in(&web, "anna", "wrong-password-1", "").await, sign_in(&web, "nobody", "wrong-password-1", "").await);
    assert_eq!((wrong.status, nobody.status), (401, 401));
    let said = |answer: &Answer| document(answer)["error"]["message"].clone();
    assert_eq!(said(&wrong), said(&nobody), "names are not told apart");
    for _ in 0..2 {
        sign_in(&web, "anna", "wrong-password-1", "").await;
    }
    let locked = sign_in(&web, "anna", PASSWORD, "").await;
    assert_eq!((locked.status, locked.header("set-cookie")), (401, None), "{locked:?}");
    let mut failed = trail(&web, "session.sign_in").await;
    failed.sort();
    failed.dedup();
    let unauthenticated = |name: &str| ("unauthenticated".to_owned(), name.to_owned());
    assert_eq!(failed, [unauthenticated("(nobody)"), unauthenticated("anna")], "a name nobody has may be a password typed too early");
    web.close().await;
}

#[tokio::test]
async fn what_other_sites_make_a_browser_send_is_refused() {
    let web = Web::open(&[]).await;
    let anna = Person::of(&web, "anna", Role::Admin).await;
    let user = json!({"name": "eve", "role": "admin", "password": "battery-staple-72"});
    for foreign in
        ["Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n", "Sec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n"]
    {
        let answer = anna.ask_with("POST", "/users", foreign, Some(&user)).await;
        assert_eq!((answer.status, document(&answer)["error"]["kind"].as_str()), (403, Some("denied")), "{foreign}");
        assert_eq!(sign_in(&web, "anna", PASSWORD, foreign).await.status, 403, "nor is anybody signed in from there: {foreign}");
        let proof = anna.ask_with("POST", "/session/reauthenticate", foreign, Some(&json!({"password": PASSWORD}))).await;
        assert_eq!(proof.status, 403, "{foreign}");
    }
    for other in ["Origin: https://evil.example\r\n", "Origin: null\r\n", "Origin: http://127.0.0.1:1\r\n"] {
        assert_eq!(anna.ask_with("POST", "/users", other, Some(&user)).await.status, 403, "{other}");
    }
    for own in ["Sec-Fetch-Site: same-origin\r\n", "Origin: http://localhost\r\n"] {
        let answer = anna.ask_with("POST", "/users/anna/link", own, Some(&json!({"identity": "local|stdio"}))).await;
        assert_eq!(answer.status, 200, "{own} {answer:?}");
    }
    assert_eq!(document(&anna.ask("GET", "/users", None).await)["total"], 1, "eve never came to be");
    web.close().await;
}

#[tokio::test]
async fn what_decides_or_administers_takes_a_fresh_proof_and_a_stolen_cookie_has_none() {
    let (web, hand) = Web::timed(&[]).await;
    let mut anna = Person::of(&web, "anna", Role::Admin).await;
    hand.advance(Duration::from_secs(301));
    let user = json!({"name": "bert", "role": "read_only", "password": "battery-staple-72"});
    let stale = anna.ask("POST", "/users", Some(&user)).await;
    assert_eq!((stale.status, document(&stale)["error"]["kind"].as_str()), (401, Some("unauthenticated")), "{stale:?}");
    assert_eq!(anna.ask("GET", "/users", None).await.status, 200, "looking needs no proof");
    let wrong = anna.ask("POST", "/session/reauthenticate", Some(&json!({"password": "wrong-password-1"}))).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(anna.ask("POST", "/users", Some(&user)).await.status, 401);
    let proved = anna.ask("POST", "/session/reauthenticate", Some(&json!({"password": PASSWORD}))).await;
    assert_eq!(proved.status, 200, "{proved:?}");
    let stolen = std::mem::replace(&mut anna.cookie, cookie_of(&proved));
    assert_ne!(stolen, anna.cookie);
    let thief = Person { web: &web, cookie: stolen };
    assert_eq!(thief.ask("GET", "/session", None).await.status, 401, "the bits of before are worth nothing");
    assert_eq!(anna.ask("POST", "/users", Some(&user)).await.status, 201);
    web.close().await;
}

#[tokio::test]
async fn a_role_bounds_a_person_as_it_bounds_a_token() {
    let web = Web::open(&[]).await;
    let reader = Person::of(&web, "rita", Role::ReadOnly).await;
    for (method, path, body) in [
        ("GET", "/users", None),
        ("POST", "/users", Some(json!({"name": "eve", "role": "admin", "password": "battery-staple-72"}))),
        ("POST", "/plans/p1/approve", Some(json!({}))),
        ("DELETE", "/devices/x", None),
        ("PUT", "/secrets/x", Some(json!({"menus": ["/ppp/secret"], "devices": ["all"]}))),
    ] {
        let answer = reader.ask(method, path, body.as_ref()).await;
        assert!(matches!(answer.status, 403 | 404), "{method} {path}: {answer:?}");
    }
    assert_eq!(reader.ask("GET", "/devices", None).await.status, 200);
    web.close().await;
}

#[tokio::test]
async fn a_token_beats_a_cookie_and_is_made_once_and_shown_once() {
    let web = Web::open(&[]).await;
    let anna = Person::of(&web, "anna", Role::Admin).await;
    let made = anna.ask("POST", "/tokens", Some(&json!({"name": "ci", "role": "read_only", "devices": ["all"]}))).await;
    assert_eq!(made.status, 201, "{made:?}");
    let token = document(&made)["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("rmcp_"));
    assert!(!anna.ask("GET", "/tokens", None).await.body.contains(&token));
    let both = anna.ask_with("GET", "/users", &format!("Authorization: Bearer {token}\r\n"), None).await;
    assert_eq!(both.status, 403, "the cookie lends nothing to a request with a token: {both:?}");
    let trail = web.site.operator("audit.get_events", json!({"limit": 200})).await;
    assert!(!trail.structured.to_string().contains(&token));
    web.close().await;
}

#[tokio::test]
async fn everywhere_means_everywhere() {
    let web = Web::open(&[]).await;
    let here = Person::of(&web, "anna", Role::Admin).await;
    let there = Person { web: &web, cookie: cookie_of(&sign_in(&web, "anna", PASSWORD, "").await) };
    assert_eq!(there.ask("GET", "/session", None).await.status, 200);
    assert_eq!(here.ask("DELETE", "/session/all", None).await.status, 204);
    for person in [&here, &there] {
        assert_eq!(person.ask("GET", "/session", None).await.status, 401);
    }
    web.close().await;
}

#[tokio::test]
async fn what_is_no_sign_in_is_told_so() {
    let web = Web::open(&[]).await;
    for body in
        [json!({}), json!({"user": "anna"}), json!({"user": 1, "password": "x"}), json!({"user": "a", "password": "b", "role": "admin"})]
    {
        let answer = ask(&web, "POST", "/session", "", Some(&body)).await;
        assert_eq!(answer.status, 400, "{body} {answer:?}");
    }
    assert_eq!(ask(&web, "PUT", "/session", "", None).await.status, 405);
    assert_eq!(ask(&web, "GET", "/session/nothing", "", None).await.status, 404);
    assert_eq!(ask(&web, "GET", "/session", "Cookie: rmcp=x; rmcp=y\r\n", None).await.status, 401);
    web.close().await;
}
