//! Access tokens of an identity provider, from the wire to the call; and the provider's bad days.

use crate::cli_rig::Rig;
use crate::http_rig::{PATIENCE, call, in_session};
use crate::oidc_rig::{AUDIENCE, Idp, Key, Mood, claims, web};
use data_encoding::BASE64URL_NOPAD;
use routeros_mcp::access::oidc::provider::State;
use routeros_mcp::access::oidc::{Oidc, Settings};
use routeros_mcp::access::token::Refused;
use routeros_mcp::access::{Access, Bearer, Client, Identity, Lockout, Role, Scope};
use routeros_mcp::base::clock::{Clock, Hand, Wall};
use routeros_mcp::base::secret::Secret;
use routeros_mcp::host::outgoing::Outgoing;
use routeros_mcp::store::{Options, Seal, Store};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod rotation;

/// The middle of 2026.
const NOW: Wall = Wall(1_782_000_000_000);

fn list() -> Value {
    json!({"name": "device.list", "arguments": {}})
}

/// The resource server alone, on a clock that stands.
struct Bench {
    oidc: Oidc,
    access: Access,
    hand: Arc<Hand>,
    clock: Clock,
    tasks: TaskTracker,
    stop: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Bench {
    fn new(issuer: &str, change: impl FnOnce(&mut Settings)) -> Bench {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let (clock, hand) = Clock::by_hand(NOW);
        let store = Store::open(Options::at(dir.path().join("s.redb"))).unwrap();
        let access = Access::new(store, Seal::new(&[7; 32]), clock.clone(), Lockout::default());
        let mut settings = Settings {
            issuer: issuer.into(),
            client_id: "rmcp-ui".into(),
            client_secret: None,
            audience: AUDIENCE.into(),
            scopes: Vec::new(),
            redirect_uri: None,
            role_claim: "roles".into(),
            role_map: [("viewers".to_owned(), Role::ReadOnly), ("ops".to_owned(), Role::OpsRw)].into(),
            device_claim: None,
            skew: Duration::from_secs(30),
        };
        change(&mut settings);
        let oidc = Oidc::new(settings, access.clone(), Outgoing::new(true), clock.clone());
        Bench { oidc, access, hand, clock, tasks: TaskTracker::new(), stop: CancellationToken::new(), _dir: dir }
    }

    async fn opens(&self, token: &str) -> Result<Bearer, Refused> {
        self.oidc.bearer(token, Client::default()).await
    }

    fn claims(&self, idp: &Idp, more: Value) -> Value {
        claims(&idp.issuer(), self.clock.wall().0, more)
    }
}

#[tokio::test]
async fn each_accepted_algorithm_opens_for_the_mapped_role() {
    let (rsa, ec, ed) = (Key::rsa("r"), Key::ec("e"), Key::ed("d"));
    let idp = Idp::start(&[&rsa, &ec, &ed]).await;
    let web = web(&idp.issuer(), &[]).await;
    for (key, alg, group, role) in [
        (&rsa, "RS256", "viewers", "read_only"),
        (&rsa, "PS256", "ops", "ops_rw"),
        (&ec, "ES256", "admins", "admin"),
        (&ed, "EdDSA", "ops", "ops_rw"),
    ] {
        let said = claims(&idp.issuer(), web.now().0, json!({"roles": [group, "else"], "name": format!("Anna {alg}")}));
        let token = key.sign_as(&json!({"alg": alg, "kid": key.kid, "typ": "at+jwt"}), &said);
        let answer = web.modern(&token, "tools/call", list()).await;
        assert_eq!((answer.status, &answer.message()["result"]["isError"]), (200, &json!(false)), "{alg}: {answer:?}");
        let trail = web.site.operator("audit.get_events", json!({"limit": 1, "where": {"principal": format!("Anna {alg}")}})).await;
        assert_eq!(trail.structured["rows"][0]["role"], role, "{alg}: {}", trail.text);
    }
    assert_eq!(idp.asked(), 1, "keys are fetched once");
    web.close().await;
}

#[tokio::test]
async fn a_signature_is_judged_with_the_keys_of_the_issuer_and_as_their_kind_has_it() {
    let (rsa, ec, stranger) = (Key::rsa("r"), Key::ec("e"), Key::ec("e"));
    let idp = Idp::start(&[&rsa, &ec]).await;
    let bench = Bench::new(&idp.issuer(), |_| {});
    let said = bench.claims(&idp, json!({}));
    let good = ec.sign(&said);
    bench.opens(&good).await.unwrap();
    let parts: Vec<&str> = good.split('.').collect();
    let raised = BASE64URL_NOPAD.encode(bench.claims(&idp, json!({"sub": "other"})).to_string().as_bytes());
    // A public key as the secret of an HMAC, as libraries once took it.
    let hmac = |head: Value| {
        let signed = format!("{}.{}", BASE64URL_NOPAD.encode(head.to_string().as_bytes()), parts[1]);
        let secret = rsa.public()["n"].as_str().unwrap().to_owned();
        let tag = ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret.as_bytes()), signed.as_bytes());
        format!("{signed}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    };
    let unsigned = |alg: &str| format!("{}.{}.", BASE64URL_NOPAD.encode(json!({"alg": alg}).to_string().as_bytes()), parts[1]);
    for (what, token, why) in [
        ("another key of that name", stranger.sign(&said), Refused::Signature),
        ("claims changed", format!("{}.{raised}.{}", parts[0], parts[2]), Refused::Signature),
        ("a signature of nothing", format!("{}.{}.", parts[0], parts[1]), Refused::Signature),
        ("zeros", format!("{}.{}.{}", parts[0], parts[1], BASE64URL_NOPAD.encode(&[0; 64])), Refused::Signature),
        ("an RSA key's name on ES256", ec.sign_as(&json!({"alg": "ES256", "kid": "r"}), &said), Refused::Key),
        ("an EC key's name on RS256", rsa.sign_as(&json!({"alg": "RS256", "kid": "e"}), &said), Refused::Key),
        (
            "PS256 as RS256",
            rsa.sign_as(&json!({"alg": "PS256", "kid": "r"}), &said).replacen(
                &BASE64URL_NOPAD.encode(json!({"alg": "PS256", "kid": "r"}).to_string().as_bytes()),
                &BASE64URL_NOPAD.encode(json!({"alg": "RS256", "kid": "r"}).to_string().as_bytes()),
                1,
            ),
            Refused::Signature,
        ),
        ("a name nobody has", ec.sign_as(&json!({"alg": "ES256", "kid": "../../etc/passwd"}), &said), Refused::Key),
        ("none", unsigned("none"), Refused::Algorithm),
        ("NONE", unsigned("NONE"), Refused::Algorithm),
        ("HS256 with a public key", hmac(json!({"alg": "HS256", "kid": "r"})), Refused::Algorithm),
        ("the same as RS256", hmac(json!({"alg": "RS256", "kid": "r"})), Refused::Signature),
        (
            "a key of its own in the head",
            stranger.sign_as(&json!({"alg": "ES256", "kid": "e", "jwk": stranger.public()}), &said),
            Refused::Signature,
        ),
        ("another issuer", ec.sign(&bench.claims(&idp, json!({"iss": "https://evil.example"}))), Refused::Issuer),
        ("another audience", ec.sign(&bench.claims(&idp, json!({"aud": "https://other.example"}))), Refused::Audience),
        ("expired", ec.sign(&bench.claims(&idp, json!({"exp": NOW.0 / 1_000 - 31}))), Refused::Expired),
        ("not yet", ec.sign(&bench.claims(&idp, json!({"nbf": NOW.0 / 1_000 + 31}))), Refused::Early),
        ("no group of ours", ec.sign(&bench.claims(&idp, json!({"roles": ["admin"]}))), Refused::Role),
        ("no groups", ec.sign(&bench.claims(&idp, json!({"roles": null}))), Refused::Role),
    ] {
        let judged = bench.oidc.bearer_by_known_keys(&token, Client::default()).await;
        assert_eq!(judged.map(|_| ()), Err(why), "{what}");
    }
    // Without a name, any key of the kind will do.
    bench.opens(&ec.sign_as(&json!({"alg": "ES256"}), &said)).await.unwrap();
    // What was good once is judged anew each time, but for its signature.
    bench.hand.advance(Duration::from_secs(329));
    bench.opens(&good).await.unwrap();
    bench.hand.advance(Duration::from_secs(1));
    assert_eq!(bench.opens(&good).await.unwrap_err(), Refused::Expired);
}

#[tokio::test]
async fn a_provider_that_is_away_at_start_is_found_later_and_one_that_goes_away_is_not_missed() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    idp.set(Mood::Down);
    let bench = Bench::new(&idp.issuer(), |_| {});
    let token = key.sign(&bench.claims(&idp, json!({"exp": NOW.0 / 1_000 + 86_400})));
    assert_eq!(bench.opens(&token).await.unwrap_err(), Refused::Provider, "nobody can tell whether it is good");
    assert!(matches!(bench.oidc.state(), State::Bad(_)), "{:?}", bench.oidc.state());
    idp.set(Mood::Good);
    assert_eq!(bench.opens(&token).await.unwrap_err(), Refused::Provider, "asked a moment ago");
    bench.hand.advance(Duration::from_secs(5));
    bench.opens(&token).await.unwrap();
    assert_eq!(bench.oidc.state(), State::Good);
    for mood in [Mood::Down, Mood::Garbage, Mood::Error500, Mood::Redirect, Mood::NoKeys, Mood::Foreign, Mood::Endless] {
        idp.set(mood);
        bench.hand.advance(Duration::from_secs(5));
        // Somebody asks, and the answer is nothing that keys could come from.
        let made_up = key.sign_as(&json!({"alg": "ES256", "kid": "made-up"}), &bench.claims(&idp, json!({})));
        assert_eq!(bench.opens(&made_up).await.unwrap_err(), Refused::Key, "{mood:?}");
        assert!(matches!(bench.oidc.state(), State::Bad(_)), "{mood:?}: {:?}", bench.oidc.state());
        bench.opens(&token).await.unwrap_or_else(|why| panic!("{mood:?}: {why:?}"));
    }
    assert!(idp.sent() > 0 && idp.sent() < 20 << 20, "{} bytes of an endless answer were taken", idp.sent());
    // And in the background, without a token that asks.
    bench.hand.move_by_itself();
    bench.oidc.start(&bench.tasks, &bench.stop);
    let until = async |good: bool| {
        while (bench.oidc.state() == State::Good) != good {
            tokio::task::yield_now().await;
        }
    };
    idp.set(Mood::Good);
    tokio::time::timeout(PATIENCE, until(true)).await.expect("found again");
    idp.set(Mood::Down);
    tokio::time::timeout(PATIENCE, until(false)).await.expect("missed");
    bench.stop.cancel();
    bench.tasks.close();
    bench.tasks.wait().await;
}

#[tokio::test]
async fn a_provider_with_a_private_ca_is_believed_where_its_root_is_the_systems() {
    let key = Key::ec("k");
    let (idp, root) = Idp::start_tls(&[&key]).await;
    let rig = Rig::new();
    let roots = rig.file("root.pem", root);
    let config = format!(
        "environment = \"staging\"\n[oidc]\nenabled = true\nprovider_url = \"{}\"\nclient_id = \"c\"\naudience = \"{AUDIENCE}\"\nrole_map = {{ ops = \"ops_rw\" }}\n",
        idp.issuer()
    );
    let config = rig.file("config.toml", config);
    let checked = async |more: Option<&str>| {
        let mut command = rig.command(&["--config", &config, "check"]);
        if let Some(roots) = more {
            command.env("SSL_CERT_FILE", roots);
        }
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let strange = checked(None).await;
    assert!(strange.contains("cannot be used: no answer from") && strange.contains("certificate"), "{strange}");
    let known = checked(Some(&roots)).await;
    assert!(!known.contains("cannot be used"), "{known}");
    assert_eq!(idp.asked(), 1);
}

#[tokio::test]
async fn with_a_clock_of_1970_the_provider_is_not_asked_and_nothing_opens() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let bench = Bench::new(&idp.issuer(), |_| {});
    let token = key.sign(&claims(&idp.issuer(), NOW.0, json!({})));
    bench.hand.step_wall(Wall(60_000));
    assert_eq!(bench.opens(&token).await.unwrap_err(), Refused::Provider);
    let forever = key.sign(&claims(&idp.issuer(), 60_000, json!({"exp": NOW.0 / 1_000})));
    assert_eq!(bench.opens(&forever).await.unwrap_err(), Refused::Provider);
    assert_eq!((idp.asked(), bench.oidc.state()), (0, State::NoClock));
    bench.hand.step_wall(NOW);
    bench.opens(&token).await.unwrap();
}

#[tokio::test]
async fn a_token_says_who_calls_with_which_role_devices_and_scopes() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let bench = Bench::new(&idp.issuer(), |settings| settings.device_claim = Some("https://box.example/devices".into()));
    let of = async |more: Value| bench.opens(&key.sign(&bench.claims(&idp, more))).await.unwrap();
    let bearer = of(json!({"https://box.example/devices": ["edge-1", "tag:site=north"], "name": "Anna"})).await;
    let who = &bearer.principal;
    assert_eq!(
        (who.issuer.as_str(), who.subject.as_str(), who.name.as_str(), who.role),
        (idp.issuer().as_str(), "00u1", "Anna", Role::OpsRw)
    );
    assert_eq!(who.limits.devices.len(), 2);
    assert_eq!(bearer.scopes, Role::OpsRw.scopes());
    assert_eq!(bearer.expires_at, Some(Wall(NOW.0 + 330_000)));
    assert!(of(json!({})).await.principal.limits.devices.is_empty(), "limited, and none is named");
    assert_eq!(of(json!({"scope": "openid mcp:read"})).await.scopes, [Scope::Read]);
}

#[tokio::test]
async fn a_person_who_is_disabled_is_out_with_every_identity() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let bench = Bench::new(&idp.issuer(), |_| {});
    let token = key.sign(&bench.claims(&idp, json!({})));
    bench.access.add("anna", Role::ReadOnly, Secret::new("correct-horse-71")).await.unwrap();
    bench.access.link("anna", &Identity { issuer: idp.issuer(), subject: "00u1".into() }).await.unwrap();
    let who = bench.opens(&token).await.unwrap().principal;
    assert_eq!(bench.access.actor(&who).unwrap().person, Some(bench.access.user("anna").unwrap().person));
    assert!(bench.access.still_open(&who, None));
    bench.access.set_disabled("anna", true).await.unwrap();
    assert_eq!(bench.opens(&token).await.unwrap_err(), Refused::Owner);
    assert!(!bench.access.still_open(&who, None), "streams that are open end");
}

#[tokio::test]
async fn over_http_a_good_token_calls_and_whoever_has_no_role_is_told_so() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let web = web(&idp.issuer(), &[]).await;
    let token = |more: Value| key.sign(&claims(&idp.issuer(), web.now().0, more));
    assert_eq!(web.modern(&token(json!({})), "tools/call", list()).await.status, 200);

    let nobody = web.modern(&token(json!({"roles": ["strangers"]})), "tools/call", list()).await;
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (403, None), "another token would not help");
    assert!(nobody.message()["error"]["message"].as_str().unwrap().contains("no role here"), "{nobody:?}");

    let narrow = web.modern(&token(json!({"scope": "mcp:read"})), "tools/call", json!({"name": "plan.create"})).await;
    let challenge = narrow.header("www-authenticate").unwrap();
    assert!(narrow.status == 403 && challenge.contains("insufficient_scope") && challenge.contains("mcp:plan"), "{narrow:?}");

    let metadata = web.ask("GET", "/.well-known/oauth-protected-resource/mcp", "", "").await.message();
    assert_eq!(metadata["authorization_servers"], json!([idp.issuer()]));
    assert_eq!(web.ask("GET", "/health", "", "").await.message()["oidc"], "configured");
    // An API token goes on working beside it.
    let api = web.token(Role::ReadOnly).await;
    assert_eq!(web.modern(&api, "tools/call", list()).await.status, 200);
    web.close().await;
}

#[tokio::test]
async fn while_no_key_is_known_a_token_is_neither_good_nor_bad() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    idp.set(Mood::Garbage);
    let web = web(&idp.issuer(), &[]).await;
    web.until_oidc_is("unreachable").await;
    let list = call("device.list", json!({}));
    let unsure = web.say(&key.sign(&claims(&idp.issuer(), web.now().0, json!({}))), "", &list).await;
    assert_eq!((unsure.status, unsure.header("retry-after")), (503, Some("5")), "{unsure:?}");
    // What would be bad in any case is bad now.
    let expired = web.say(&key.sign(&claims(&idp.issuer(), web.now().0, json!({"exp": 1}))), "", &list).await;
    assert_eq!(expired.status, 401);
    let api = web.token(Role::ReadOnly).await;
    let health = web.ask("GET", "/health", &format!("Authorization: Bearer {api}\r\n"), "").await.message();
    assert_eq!((&health["status"], &health["errors"][0]), (&json!("healthy"), &json!("the identity provider cannot be used")));
    assert_eq!(web.calls().await, 0);
    web.close().await;
}

#[tokio::test]
async fn a_session_goes_on_with_a_new_token_of_the_same_power_and_ends_with_less() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let web = web(&idp.issuer(), &[]).await;
    let token = |more: Value| key.sign(&claims(&idp.issuer(), web.now().0, more));
    let (first, renewed) = (token(json!({})), token(json!({"jti": "2"})));
    let session = web.session(&first).await;
    let list = call("device.list", json!({}));
    assert_eq!(web.say(&renewed, &in_session(&session), &list).await.status, 200);
    for other in [json!({"roles": ["viewers"]}), json!({"roles": ["admins"]}), json!({"sub": "00u2"})] {
        let answer = web.say(&token(other.clone()), &in_session(&session), &list).await;
        assert_eq!(answer.status, 404, "{other}: {answer:?}");
    }
    web.close().await;
}

#[tokio::test]
async fn a_stream_ends_with_its_token() {
    let key = Key::ec("k");
    let idp = Idp::start(&[&key]).await;
    let web = web(&idp.issuer(), &[("oidc.clock_skew_seconds", "0")]).await;
    let now = web.now().0;
    let lasting = key.sign(&claims(&idp.issuer(), now, json!({})));
    let session = web.session(&lasting).await;
    // Long enough to be let in.
    let short = key.sign(&claims(&idp.issuer(), now, json!({"exp": now / 1_000 + 4})));
    let stream = web
        .ask("GET", "/mcp", &format!("Accept: text/event-stream\r\nAuthorization: Bearer {short}\r\n{}", in_session(&session)), "")
        .await;
    assert_eq!(stream.status, 200, "{stream:?}");
    assert!(web.now().0 >= now / 1_000 * 1_000 + 4_000, "it ended before its token did");
    web.close().await;
}
