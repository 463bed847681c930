//! Signing in through an identity provider: one in this process that lies in every way it can, and a real one.

use crate::admin_rig::{Browser, OURS};
use crate::http_rig::{Answer, Web, request, talk};
use crate::oidc_real::Real;
use crate::oidc_rig::{self, Idp, Key};
use hyper::Uri;
use routeros_mcp::access::{Identity, Role};
use routeros_mcp::base::secret::Secret;
use serde_json::{Value, json};
use tokio::net::TcpStream;

const SESSION: &str = "/admin/api/v1/session";
const START: &str = "/admin/api/v1/session/oidc/start";
const CALLBACK: &str = "/admin/api/v1/session/oidc/callback";
const AGAIN: &str = "/admin/api/v1/session/oidc/start?reauthenticate=1";

/// What a parameter of an address says.
fn parameter(url: &str, name: &str) -> Option<String> {
    let url: reqwest::Url = url.parse().unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

fn location(answer: &Answer) -> String {
    assert_eq!(answer.status, 302, "{answer:?}");
    answer.header("location").unwrap().to_owned()
}

/// A provider, an appliance, and a browser.
struct Journey {
    key: Key,
    idp: Idp,
    web: Web,
    browser: Browser,
}

impl Journey {
    async fn begin(flags: &[(&str, &str)]) -> Journey {
        let key = Key::ec("k");
        let idp = Idp::start(&[&key]).await;
        let web = oidc_rig::web(&idp.issuer(), flags).await;
        web.until_oidc_is("configured").await;
        let browser = Browser::of(&web);
        Journey { key, idp, web, browser }
    }

    /// An ID token for what the browser was sent off with.
    fn id_token(&self, sent_to: &str, more: Value) -> String {
        let now = self.web.now().0 / 1_000;
        let nonce = parameter(sent_to, "nonce").unwrap();
        let usual = json!({"aud": "rmcp-ui", "client_id": null, "nonce": nonce, "auth_time": now, "roles": ["ops"], "name": "Anna"});
        let mut said = oidc_rig::claims(&self.idp.issuer(), self.web.now().0, usual);
        for (name, value) in more.as_object().unwrap() {
            match value {
                Value::Null => said.as_object_mut().unwrap().remove(name),
                value => said.as_object_mut().unwrap().insert(name.clone(), value.clone()),
            };
        }
        self.key.sign_as(&json!({"alg": "ES256", "kid": "k"}), &said)
    }

    /// Off to the provider and back, with this of the ID token changed.
    async fn round(&mut self, start: &str, more: Value) -> Answer {
        let to = location(&self.browser.get(start).await);
        self.idp.hand_out(&self.id_token(&to, more));
        self.back(&to, "").await
    }

    /// Back from another site: no cookie that is `Strict` comes along.
    async fn back(&mut self, sent_to: &str, more: &str) -> Answer {
        let state = parameter(sent_to, "state").unwrap();
        let mine = self.browser.jar.clone();
        self.browser.jar.retain(|(name, _)| name == "rmcp-login");
        let path = format!("{CALLBACK}?code=c0de&state={state}{more}");
        let answer = self.browser.send("GET", &path, "Sec-Fetch-Site: cross-site\r\n", "").await;
        for (name, value) in mine {
            if name != "rmcp-login" && self.browser.cookie(&name).is_none() {
                self.browser.jar.push((name, value));
            }
        }
        answer
    }

    async fn who(&mut self) -> Value {
        self.browser.get(SESSION).await.message()
    }
}

#[tokio::test]
async fn a_person_goes_off_comes_back_and_is_signed_in() {
    let mut journey = Journey::begin(&[("oidc.scopes", "openid,profile,offline_access")]).await;
    let answer = journey.browser.get(&format!("{START}?return_to=/admin/plans/plan-1")).await;
    let to = location(&answer);
    let cookie = answer.header("set-cookie").unwrap();
    assert!(cookie.starts_with("rmcp-login=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax; Max-Age=600"), "{cookie}");
    assert!(to.starts_with(&format!("{}/auth?", journey.idp.issuer())), "{to}");
    let redirect = format!("http://{}{CALLBACK}", journey.web.at());
    for (name, expected) in [
        ("response_type", "code"),
        ("client_id", "rmcp-ui"),
        ("redirect_uri", redirect.as_str()),
        ("scope", "openid profile offline_access"),
        ("code_challenge_method", "S256"),
    ] {
        assert_eq!(parameter(&to, name).as_deref(), Some(expected), "{name}");
    }
    for (name, least) in [("state", 43), ("nonce", 43), ("code_challenge", 43)] {
        assert!(parameter(&to, name).unwrap().len() >= least, "{name}");
    }
    assert_eq!(parameter(&to, "max_age"), None);
    assert!(!cookie.contains(&parameter(&to, "nonce").unwrap()), "what a browser keeps it cannot read");

    journey.idp.hand_out(&journey.id_token(&to, json!({})));
    let back = journey.back(&to, "").await;
    assert_eq!(back.status, 200, "{back:?}");
    assert!(back.body.contains("http-equiv=\"refresh\" content=\"0;url=/admin/plans/plan-1\""), "{back:?}");
    assert!(back.header("content-security-policy").unwrap().starts_with("default-src 'none'"));
    assert_eq!(journey.browser.cookie("rmcp-login"), None, "it is used up");
    let who = journey.who().await;
    assert_eq!((&who["name"], &who["role"], &who["way"]), (&json!("Anna"), &json!("ops_rw"), &json!("oidc")));
    assert_eq!(who["identity"], json!(format!("{}|00u1", journey.idp.issuer())));
    assert!(who["fresh_until"].is_string() && who["person"].is_null(), "{who}");

    // The same once more, as somebody who listened would send it.
    let replay = journey.back(&to, "").await;
    assert_eq!((replay.status, replay.header("set-cookie").is_some_and(|set| set.starts_with("rmcp="))), (401, false));
    let access = journey.web.site.app.dispatch.world().access.clone();
    access.add("anna", Role::Approver, Secret::new("correct-horse-71")).await.unwrap();
    access.link("anna", &Identity { issuer: journey.idp.issuer(), subject: "00u1".into() }).await.unwrap();
    assert_eq!(journey.who().await["person"], json!(access.user("anna").unwrap().person.as_str()));
    access.set_disabled("anna", true).await.unwrap();
    assert_eq!(journey.browser.get(SESSION).await.status, 401, "a disabled person is out at once");
    journey.web.close().await;
}

#[tokio::test]
async fn an_id_token_that_is_not_the_end_of_this_sign_in_opens_nothing() {
    let mut journey = Journey::begin(&[("rate_limit.enabled", "false")]).await;
    let now = journey.web.now().0 / 1_000;
    for (changed, status) in [
        (json!({"nonce": "another"}), 401),
        (json!({"nonce": null}), 401),
        (json!({"iss": "https://evil.example"}), 401),
        (json!({"aud": "https://box.example/mcp"}), 401),
        (json!({"aud": ["rmcp-ui", "somebody-else"]}), 401),
        (json!({"aud": null}), 401),
        (json!({"exp": now - 60}), 401),
        (json!({"exp": null}), 401),
        (json!({"iat": now + 600}), 401),
        (json!({"sub": null}), 401),
        (json!({"sub": "a\nb"}), 401),
        (json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}), 401),
        (json!({"roles": ["strangers"]}), 403),
        (json!({"roles": null}), 403),
    ] {
        let answer = journey.round(START, changed.clone()).await;
        assert_eq!(answer.status, status, "{changed}: {answer:?}");
        assert!(answer.body.contains("Not signed in") && journey.browser.cookie("rmcp").is_none(), "{changed}");
    }
    // Signed by nobody, by somebody else, and with the secret that a client shares.
    let to = location(&journey.browser.get(START).await);
    let good = journey.id_token(&to, json!({}));
    let (stem, _) = good.rsplit_once('.').unwrap();
    let body = stem.split_once('.').unwrap().1;
    let none = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"none"}"#);
    let hmac = data_encoding::BASE64URL_NOPAD.encode(br#"{"alg":"HS256"}"#);
    for token in
        [format!("{stem}."), format!("{stem}.{}", "A".repeat(86)), format!("{none}.{body}."), format!("{hmac}.{body}.AAAA"), "x".into()]
    {
        journey.browser.jar.clear();
        let to = location(&journey.browser.get(START).await);
        journey.idp.hand_out(&token);
        assert_eq!(journey.back(&to, "").await.status, 401, "{token}");
    }
    assert_eq!(journey.round(START, json!({})).await.status, 200, "and the good one does");
    journey.web.close().await;
}

#[tokio::test]
async fn a_callback_that_this_browser_did_not_ask_for_opens_nothing() {
    let mut journey = Journey::begin(&[]).await;
    journey.idp.announce(json!({"authorization_response_iss_parameter_supported": true}));
    // Known from before the announcement: looked at again when somebody asks.
    let to = location(&journey.browser.get(START).await);
    journey.idp.hand_out(&journey.id_token(&to, json!({})));
    let state = parameter(&to, "state").unwrap();
    let mut stranger = Browser::of(&journey.web);
    let no_cookie = stranger.get(&format!("{CALLBACK}?code=c0de&state={state}")).await;
    assert_eq!(no_cookie.status, 401, "a victim's browser, with the attacker's code");
    let kept = journey.browser.jar.clone();
    for query in [
        "code=c0de&state=another".to_owned(),
        "code=c0de".to_owned(),
        format!("code=c0de&state={state}x"),
        format!("state={state}"),
        format!("code=&state={state}"),
        format!("code={}&state={state}", "x".repeat(4_050)),
        format!("code=c0de&state={state}&iss=https://evil.example"),
        format!("error=access_denied&error_description=<script>alert(1)</script>&state={state}"),
        String::new(),
    ] {
        journey.browser.jar = kept.clone();
        let answer = journey.browser.get(&format!("{CALLBACK}?{query}")).await;
        assert!(matches!(answer.status, 400 | 401 | 414), "{query}: {answer:?}");
        assert!(!answer.body.contains("<script>") && journey.browser.cookie("rmcp").is_none(), "{query}");
    }
    // A cookie that was not sealed here.
    journey.browser.jar = vec![("rmcp-login".into(), data_encoding::BASE64URL_NOPAD.encode(&[7; 200]))];
    assert_eq!(journey.browser.get(&format!("{CALLBACK}?code=c0de&state={state}")).await.status, 401);
    journey.browser.jar = kept;
    let iss = journey.idp.issuer();
    assert_eq!(journey.back(&to, &format!("&iss={iss}")).await.status, 200, "with all of it right");
    let away = journey.browser.send("GET", START, "Sec-Fetch-Site: cross-site\r\n", "").await;
    assert_eq!(away.status, 302, "a link from elsewhere may lead to a sign-in");
    journey.web.close().await;
}

#[tokio::test]
async fn a_provider_that_names_itself_must_do_so_each_time() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    idp.announce(json!({"authorization_response_iss_parameter_supported": true}));
    let web = oidc_rig::web(&idp.issuer(), &[]).await;
    web.until_oidc_is("configured").await;
    let browser = Browser::of(&web);
    let mut journey = Journey { key, idp, web, browser };
    assert_eq!(journey.round(START, json!({})).await.status, 401);
    journey.web.close().await;
}

#[tokio::test]
async fn proving_it_again_takes_the_same_person_and_a_fresh_proof() {
    let mut journey = Journey::begin(&[]).await;
    assert_eq!(journey.browser.get(AGAIN).await.status, 401, "nobody is signed in");
    let now = journey.web.now().0 / 1_000;
    assert_eq!(journey.round(START, json!({"auth_time": now - 3_600})).await.status, 200);
    let who = journey.who().await;
    assert!(who["fresh_until"].as_str().unwrap() < who["signed_in_at"].as_str().unwrap(), "an hour old at the provider: {who}");
    let to = location(&journey.browser.get(AGAIN).await);
    assert_eq!((parameter(&to, "prompt").as_deref(), parameter(&to, "max_age").as_deref()), (Some("login"), Some("300")));
    for (changed, status) in [
        (json!({"auth_time": null}), 401),
        (json!({"auth_time": now - 3_600}), 401),
        (json!({"auth_time": now + 3_600}), 401),
        (json!({"sub": "00u2"}), 403),
    ] {
        let answer = journey.round(AGAIN, changed.clone()).await;
        assert_eq!(answer.status, status, "{changed}: {answer:?}");
    }
    let before = journey.browser.cookie("rmcp").unwrap().to_owned();
    assert_eq!(journey.round(AGAIN, json!({})).await.status, 200);
    assert_ne!(journey.browser.cookie("rmcp").unwrap(), before);
    let proved = journey.who().await;
    assert!(proved["fresh_until"].as_str().unwrap() > proved["signed_in_at"].as_str().unwrap(), "{proved}");
    assert_eq!(proved["ends_at"], who["ends_at"], "it lasts no longer for that");
    let password = journey.browser.post("/admin/api/v1/session/reauthenticate", json!({"password": "x"})).await;
    assert_eq!(password.status, 409, "there is no password");
    journey.web.close().await;
}

#[tokio::test]
async fn roles_that_the_id_token_does_not_tell_are_asked_for_and_only_of_the_same_person() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    idp.announce(json!({"userinfo_endpoint": format!("{}/userinfo", idp.issuer())}));
    let web = oidc_rig::web(&idp.issuer(), &[]).await;
    web.until_oidc_is("configured").await;
    let browser = Browser::of(&web);
    let mut journey = Journey { key, idp, web, browser };
    journey.idp.tell_more(json!({"sub": "00u2", "roles": ["admins"]}));
    assert_eq!(journey.round(START, json!({"roles": null})).await.status, 403, "of somebody else");
    journey.idp.tell_more(json!({"sub": "00u1", "roles": ["admins"], "name": "Other"}));
    assert_eq!(journey.round(START, json!({"roles": null})).await.status, 200);
    let who = journey.who().await;
    assert_eq!((&who["role"], &who["name"]), (&json!("admin"), &json!("Anna")), "what is signed wins");
    journey.web.close().await;
}

#[tokio::test]
async fn people_come_back_where_the_operator_said() {
    let mut journey = Journey::begin(&[("oidc.redirect_uri", "http://localhost/oidc/callback")]).await;
    let to = location(&journey.browser.get(START).await);
    assert_eq!(parameter(&to, "redirect_uri").as_deref(), Some("http://localhost/oidc/callback"));
    journey.idp.hand_out(&journey.id_token(&to, json!({})));
    let state = parameter(&to, "state").unwrap();
    assert_eq!(journey.browser.get(&format!("/oidc/callback?code=c0de&state={state}")).await.status, 200);
    assert_eq!(journey.who().await["name"], json!("Anna"));
    journey.web.close().await;
}

/// Through the pages of the real provider, as somebody would click. Gives the address that it sends the browser back to.
async fn clicked(provider: &mut Browser, start: &str, user: &str, back: &str) -> String {
    let mut at = start.to_owned();
    for _ in 0..12 {
        if at.starts_with(back) {
            return at;
        }
        let uri: Uri = at.parse().unwrap();
        let mut answer = provider.send("GET", uri.path_and_query().unwrap().as_str(), "", "").await;
        if answer.status == 200 {
            let field = |before: &str| {
                let found = answer.body.split(before).nth(1).and_then(|rest| rest.split('"').next());
                found.unwrap_or_else(|| panic!("no {before} in {answer:?}")).to_owned()
            };
            let (prompt, action) = (field("name=\"prompt\" value=\""), field("action=\""));
            let form = if prompt == "login" { format!("prompt=login&login={user}&password=x") } else { format!("prompt={prompt}") };
            let path = action.parse::<Uri>().unwrap().path().to_owned();
            answer = provider.send("POST", &path, "Content-Type: application/x-www-form-urlencoded\r\n", &form).await;
        }
        let next = answer.header("location").unwrap_or_else(|| panic!("{at}: {answer:?}"));
        at = if next.starts_with('/') { format!("http://{}{next}", uri.authority().unwrap()) } else { next.to_owned() };
    }
    panic!("the provider sends nobody back: {at}");
}

#[tokio::test]
async fn people_sign_in_and_prove_it_again_through_a_real_provider() {
    let Some(mut idp) = Real::find() else { return };
    let web = oidc_rig::web(&idp.issuer(), &[("oidc.client_secret", "a-secret-of-the-ui")]).await;
    idp.start(&format!("http://{}{CALLBACK}", web.at())).await;
    web.until_oidc_is("configured").await;
    let back = format!("http://{}", web.at());
    let mut sessions = Vec::new();
    for (user, role) in [("anna", Some("admin")), ("bert", Some("ops_rw")), ("carl", None)] {
        let (mut browser, mut provider) = (Browser::of(&web), Browser::at(&format!("127.0.0.1:{}", idp.port)));
        let to = location(&browser.get(START).await);
        let returned = clicked(&mut provider, &to, user, &back).await;
        assert!(returned.contains("&iss=") || returned.contains("?iss="), "RFC 9207: {returned}");
        let answer = browser.send("GET", &returned[back.len()..], "Sec-Fetch-Site: cross-site\r\n", "").await;
        let Some(role) = role else {
            assert!(answer.status == 403 && answer.body.contains("no role here"), "{user}: {answer:?}");
            continue;
        };
        assert_eq!(answer.status, 200, "{user}: {answer:?}");
        let who = browser.get(SESSION).await.message();
        assert_eq!((&who["name"], &who["role"]), (&json!(format!("{user} of the tests")), &json!(role)));
        sessions.push((browser, provider, user));
    }
    let (browser, provider, user) = &mut sessions[0];
    let to = location(&browser.get(AGAIN).await);
    // `prompt=login`: the provider asks for the password although it knows who it is.
    let returned = clicked(provider, &to, user, &back).await;
    let answer = browser.get(&returned[back.len()..]).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let to = location(&browser.get(AGAIN).await);
    let mut window = Browser::at(&format!("127.0.0.1:{}", idp.port));
    let returned = clicked(&mut window, &to, "bert", &back).await;
    assert_eq!(browser.get(&returned[back.len()..]).await.status, 403, "somebody else at the same desk");

    idp.kill();
    let answer = browser.get(SESSION).await;
    assert_eq!(answer.status, 200, "who is signed in stays so while the provider is away");
    let stream = TcpStream::connect(web.at()).await.unwrap();
    let health = talk(stream, request("GET", "/health", "", "").as_bytes()).await;
    assert_eq!(health.status, 200);
    assert_eq!(browser.send("DELETE", SESSION, OURS, "").await.status, 204);
    web.close().await;
}

#[tokio::test]
async fn a_stream_tells_of_no_device_that_its_person_may_not_see() {
    use routeros_mcp::base::events::Event;
    use routeros_mcp::sim::profiles::Profile;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut journey = Journey::begin(&[("oidc.device_claim", "devices"), ("health_check.enabled", "false")]).await;
    journey.web.site.adopt(Profile::Office, "office", json!({})).await;
    journey.web.site.adopt(Profile::Office, "shop", json!({})).await;
    let (office, shop) = (journey.web.site.device("office").id.clone(), journey.web.site.device("shop").id.clone());
    let answer = journey.round(START, json!({"devices": ["office"]})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = journey.browser.cookie("rmcp").unwrap().to_owned();
    let mut stream = TcpStream::connect(journey.web.at()).await.unwrap();
    let head = format!("GET /admin/api/v1/events HTTP/1.1\r\nHost: {}\r\nCookie: rmcp={cookie}\r\n\r\n", journey.web.at());
    stream.write_all(head.as_bytes()).await.unwrap();
    let (mut piece, mut text) = (vec![0; 4_096], String::new());
    let heard = async {
        let mut told = false;
        while !text.contains(office.as_str()) {
            let n = stream.read(&mut piece).await.unwrap();
            assert!(n > 0, "closed: {text}");
            text.push_str(&String::from_utf8_lossy(&piece[..n]));
            if !told && text.contains("retry:") {
                told = true;
                let bus = journey.web.site.app.dispatch.world().fleet.bus();
                bus.tell(Event::Health(shop.clone()));
                bus.tell(Event::Health(office.clone()));
            }
        }
    };
    tokio::time::timeout(crate::http_rig::PATIENCE, heard).await.unwrap();
    assert!(!text.contains(shop.as_str()), "{text}");
    journey.web.close().await;
}
