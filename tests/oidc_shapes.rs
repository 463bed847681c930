//! What real providers' tokens look like. The claims follow the providers' own documentation; the keys are of the test. Each row says
//! how an operator would configure that provider, and what comes of the token.
//!
//! Source: <https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference>,
//! <https://developer.okta.com/docs/api/oauth2/>, <https://auth0.com/docs/secure/tokens/access-tokens>,
//! <https://www.keycloak.org/docs/latest/server_admin/>

use crate::oidc_rig::Key;
use data_encoding::BASE64URL_NOPAD;
use routeros_mcp::access::oidc::claims::{devices, name, role, scopes};
use routeros_mcp::access::oidc::jwt::{Jwt, Rules};
use routeros_mcp::access::oidc::keys::Keys;
use routeros_mcp::access::token::Refused;
use routeros_mcp::access::{Role, Scope};
use routeros_mcp::base::clock::Wall;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const NOW: i64 = 1_782_000_000;
const TENANT: &str = "9122040d-6c67-4c5b-b112-36a304b66dad";
const APP: &str = "ae4ad9a7-0b6c-4a11-b0f6-0bd9a0b1c1d2";

/// One provider, as configured, and one of its tokens.
struct Shape {
    what: &'static str,
    issuer: String,
    audience: String,
    role_claim: &'static str,
    value: &'static str,
    device_claim: &'static str,
    head: Value,
    claims: Value,
    expected: Result<Seen, Refused>,
}

#[derive(Debug, PartialEq)]
struct Seen {
    role: Option<Role>,
    subject: String,
    name: String,
    scopes: Vec<Scope>,
    devices: usize,
}

fn seen(role: Option<Role>, subject: &str, name: &str, scopes: &[Scope]) -> Result<Seen, Refused> {
    Ok(Seen { role, subject: subject.into(), name: name.into(), scopes: scopes.to_vec(), devices: 0 })
}

fn shapes() -> Vec<Shape> {
    let all = Role::Admin.scopes();
    let v1 = format!("https://sts.windows.net/{TENANT}/");
    let v2 = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    let jwt = |kid: &str| json!({"typ": "JWT", "alg": "RS256", "kid": kid});
    let entra_v1 = json!({
        "aud": format!("api://{APP}"), "iss": v1, "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 4_000, "acr": "1",
        "aio": "AXQAi/8IAAAA", "amr": ["pwd", "mfa"], "appid": "04b07795-8ddb-461a-bbee-02f9e1bf7b46", "appidacr": "0",
        "family_name": "Berg", "given_name": "Anna", "ipaddr": "192.0.2.9", "name": "Anna Berg", "oid": "0a1b2c3d", "rh": "0.AX",
        "roles": ["Routers.Admin"], "scp": "mcp:read mcp:plan", "sub": "AAAAAvsRp", "tid": TENANT, "unique_name": "anna@corp.example",
        "upn": "anna@corp.example", "uti": "x", "ver": "1.0", "groups": ["6e5a7a0e-1111-2222-3333-444455556666"],
    });
    let entra_v2 = json!({
        "aud": APP, "iss": v2, "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 4_000, "aio": "AXQ", "azp": "04b07795", "azpacr": "0",
        "groups": ["6e5a7a0e-1111-2222-3333-444455556666"], "name": "Anna Berg", "oid": "0a1b2c3d", "preferred_username": "anna@corp.example",
        "rh": "0.AX", "scp": "access_as_user", "sub": "AAAAAvsRp", "tid": TENANT, "uti": "x", "ver": "2.0", "xms_ftd": "x",
    });
    // Of a program: no scp, app roles only.
    let entra_app = json!({
        "aud": APP, "iss": v2, "iat": NOW - 300, "nbf": NOW - 300, "exp": NOW + 4_000, "aio": "E2Z", "azp": "c0ffee", "azpacr": "1",
        "idtyp": "app", "oid": "f00d", "roles": ["Routers.Admin"], "sub": "f00d", "tid": TENANT, "ver": "2.0",
    });
    // More than 200 groups: the token names none, it points to where they could be asked for.
    let entra_overage = with(
        &entra_v2,
        json!({"groups": null, "_claim_names": {"groups": "src1"},
        "_claim_sources": {"src1": {"endpoint": "https://graph.windows.net/x/getMemberObjects"}}}),
    );
    let okta = json!({
        "ver": 1, "jti": "AT.x", "iss": "https://corp.okta.example/oauth2/aus1", "aud": "api://routeros-mcp", "iat": NOW, "exp": NOW + 3_600,
        "cid": "0oa1", "uid": "00u1", "scp": ["openid", "mcp:read", "mcp:write"], "auth_time": NOW - 10, "sub": "anna@corp.example",
        "groups": ["Everyone", "Net Admins"],
    });
    // The org server's tokens are for Okta itself, and say so.
    let okta_org = with(&okta, json!({"iss": "https://corp.okta.example", "aud": "https://corp.okta.example", "groups": null}));
    let auth0 = json!({
        "iss": "https://corp.eu.auth0.example/", "sub": "auth0|5f7c8ec7c33c6c004bbafe82", "iat": NOW, "exp": NOW + 86_400,
        "aud": ["https://box.example/mcp", "https://corp.eu.auth0.example/userinfo"], "azp": "my_client", "scope": "openid profile email",
        "https://box.example/roles": ["net-admin"], "https://box.example/devices": ["tag:site=north", "edge-9"],
        "permissions": ["mcp:read", "mcp:plan"],
    });
    let auth0_m2m = json!({
        "iss": "https://corp.eu.auth0.example/", "sub": "abc@clients", "aud": "https://box.example/mcp", "iat": NOW, "exp": NOW + 86_400,
        "azp": "abc", "gty": "client-credentials", "scope": "mcp:read", "permissions": ["mcp:read"],
    });
    let keycloak = json!({
        "exp": NOW + 300, "iat": NOW, "auth_time": NOW - 5, "jti": "onrtac:x", "iss": "https://sso.corp.example/realms/net", "typ": "Bearer",
        "aud": ["routeros-mcp", "account"], "sub": "f:1:anna", "azp": "claude", "sid": "s", "acr": "1", "allowed-origins": ["*"],
        "realm_access": {"roles": ["default-roles-net", "routers-admin"]},
        "resource_access": {"routeros-mcp": {"roles": ["admin"]}, "account": {"roles": ["manage-account"]}},
        "scope": "openid email profile", "email_verified": true, "name": "Anna Berg", "preferred_username": "anna",
    });
    let row = |what, issuer: &str, audience: &str, role_claim, value, head, claims, expected| Shape {
        what,
        issuer: issuer.into(),
        audience: audience.into(),
        role_claim,
        value,
        device_claim: "",
        head,
        claims,
        expected,
    };
    let of_realm = |what, head, claims, expected| {
        let (issuer, claim) = ("https://sso.corp.example/realms/net", "realm_access.roles");
        row(what, issuer, "routeros-mcp", claim, "routers-admin", head, claims, expected)
    };
    let anna = || seen(Some(Role::Admin), "f:1:anna", "Anna Berg", all);
    let api = format!("api://{APP}");
    let mut rows = vec![
        row(
            "Entra v1, app role",
            &v1,
            &api,
            "roles",
            "Routers.Admin",
            with(&jwt("k"), json!({"x5t": "k"})),
            entra_v1.clone(),
            seen(Some(Role::Admin), "AAAAAvsRp", "Anna Berg", &[Scope::Read, Scope::Plan]),
        ),
        row(
            "Entra v1, group",
            &v1,
            &api,
            "groups",
            "6e5a7a0e-1111-2222-3333-444455556666",
            jwt("k"),
            entra_v1.clone(),
            seen(Some(Role::Admin), "AAAAAvsRp", "Anna Berg", &[Scope::Read, Scope::Plan]),
        ),
        row(
            "Entra v1, scope as role",
            &v1,
            &api,
            "scp",
            "mcp:plan",
            jwt("k"),
            entra_v1.clone(),
            seen(Some(Role::Admin), "AAAAAvsRp", "Anna Berg", &[Scope::Read, Scope::Plan]),
        ),
        row("Entra v1 where v2 is configured", &v2, &api, "roles", "Routers.Admin", jwt("k"), entra_v1.clone(), Err(Refused::Issuer)),
        row("Entra v1 for the app's number", &v1, APP, "roles", "Routers.Admin", jwt("k"), entra_v1, Err(Refused::Audience)),
        row(
            "Entra v2, group",
            &v2,
            APP,
            "groups",
            "6e5a7a0e-1111-2222-3333-444455556666",
            jwt("k"),
            entra_v2.clone(),
            seen(Some(Role::Admin), "AAAAAvsRp", "Anna Berg", all),
        ),
        row("Entra v2 where v1 is configured", &v1, APP, "groups", "x", jwt("k"), entra_v2.clone(), Err(Refused::Issuer)),
        row("Entra v2 for another app", &v2, &api, "groups", "x", jwt("k"), entra_v2.clone(), Err(Refused::Audience)),
        row(
            "Entra v2 of another tenant",
            &v2.replace("9122", "0000"),
            APP,
            "groups",
            "x",
            jwt("k"),
            entra_v2.clone(),
            Err(Refused::Issuer),
        ),
        row("Entra v2, a program", &v2, APP, "roles", "Routers.Admin", jwt("k"), entra_app, seen(Some(Role::Admin), "f00d", "c0ffee", all)),
        row(
            "Entra v2, too many groups",
            &v2,
            APP,
            "groups",
            "6e5a7a0e-1111-2222-3333-444455556666",
            jwt("k"),
            entra_overage,
            seen(None, "AAAAAvsRp", "Anna Berg", all),
        ),
        // For Graph: its nonce in the head makes the signature one that only Graph can check.
        row(
            "Entra, a token for Graph",
            &v1,
            &api,
            "roles",
            "x",
            with(&jwt("k"), json!({"nonce": "n"})),
            with(&entra_v2, json!({"iss": v1, "aud": "https://graph.microsoft.com"})),
            Err(Refused::Audience),
        ),
        row(
            "Entra v2, an ID token",
            &v2,
            APP,
            "groups",
            "x",
            jwt("k"),
            with(&entra_v2, json!({"nonce": "n", "scp": null})),
            Err(Refused::Type),
        ),
        row(
            "Okta, custom server",
            "https://corp.okta.example/oauth2/aus1",
            "api://routeros-mcp",
            "groups",
            "Net Admins",
            json!({"kid": "k", "alg": "RS256"}),
            okta.clone(),
            seen(Some(Role::Admin), "anna@corp.example", "0oa1", &[Scope::Read, Scope::Write]),
        ),
        row(
            "Okta, scope as role",
            "https://corp.okta.example/oauth2/aus1",
            "api://routeros-mcp",
            "scp",
            "mcp:write",
            json!({"kid": "k", "alg": "RS256"}),
            okta,
            seen(Some(Role::Admin), "anna@corp.example", "0oa1", &[Scope::Read, Scope::Write]),
        ),
        row(
            "Okta, org server",
            "https://corp.okta.example",
            "api://routeros-mcp",
            "groups",
            "Net Admins",
            json!({"kid": "k", "alg": "RS256"}),
            okta_org,
            Err(Refused::Audience),
        ),
        row(
            "Auth0, namespaced roles",
            "https://corp.eu.auth0.example/",
            "https://box.example/mcp",
            "https://box.example/roles",
            "net-admin",
            json!({"alg": "RS256", "typ": "at+jwt", "kid": "k"}),
            auth0.clone(),
            seen(Some(Role::Admin), "auth0|5f7c8ec7c33c6c004bbafe82", "my_client", &[Scope::Read, Scope::Plan]),
        ),
        row(
            "Auth0, permissions as roles",
            "https://corp.eu.auth0.example/",
            "https://box.example/mcp",
            "permissions",
            "mcp:plan",
            jwt("k"),
            auth0.clone(),
            seen(Some(Role::Admin), "auth0|5f7c8ec7c33c6c004bbafe82", "my_client", &[Scope::Read, Scope::Plan]),
        ),
        row(
            "Auth0, the issuer without its slash",
            "https://corp.eu.auth0.example",
            "https://box.example/mcp",
            "permissions",
            "x",
            jwt("k"),
            auth0.clone(),
            Err(Refused::Issuer),
        ),
        row(
            "Auth0, a program",
            "https://corp.eu.auth0.example/",
            "https://box.example/mcp",
            "scope",
            "mcp:read",
            jwt("k"),
            auth0_m2m,
            seen(Some(Role::Admin), "abc@clients", "abc", &[Scope::Read]),
        ),
        of_realm("Keycloak, realm role", jwt("k"), keycloak.clone(), anna()),
        row(
            "Keycloak, client role",
            "https://sso.corp.example/realms/net",
            "routeros-mcp",
            "resource_access.routeros-mcp.roles",
            "admin",
            jwt("k"),
            keycloak.clone(),
            anna(),
        ),
        of_realm("Keycloak, an older one with its nonce", jwt("k"), with(&keycloak, json!({"nonce": "n"})), anna()),
        of_realm("Keycloak, an ID token", jwt("k"), with(&keycloak, json!({"typ": "ID"})), Err(Refused::Type)),
        of_realm(
            "Keycloak, a refresh token",
            json!({"typ": "JWT", "alg": "HS512", "kid": "k"}),
            with(&keycloak, json!({"typ": "Refresh"})),
            Err(Refused::Algorithm),
        ),
        of_realm("Keycloak, without an audience mapper", jwt("k"), with(&keycloak, json!({"aud": "account"})), Err(Refused::Audience)),
    ];
    rows.push(Shape {
        device_claim: "https://box.example/devices",
        expected: Ok(Seen {
            role: Some(Role::Admin),
            subject: "auth0|5f7c8ec7c33c6c004bbafe82".into(),
            name: "my_client".into(),
            scopes: vec![Scope::Read, Scope::Plan],
            devices: 2,
        }),
        ..row(
            "Auth0, devices",
            "https://corp.eu.auth0.example/",
            "https://box.example/mcp",
            "https://box.example/roles",
            "net-admin",
            jwt("k"),
            auth0,
            Err(Refused::Claims),
        )
    });
    rows
}

fn with(base: &Value, more: Value) -> Value {
    let mut claims = base.clone();
    for (name, value) in more.as_object().unwrap() {
        match value {
            Value::Null => claims.as_object_mut().unwrap().remove(name),
            value => claims.as_object_mut().unwrap().insert(name.clone(), value.clone()),
        };
    }
    claims
}

fn judged(shape: &Shape, token: &str, keys: &Keys) -> Result<Seen, Refused> {
    let rules = Rules { issuer: &shape.issuer, audience: &shape.audience, skew: Duration::from_secs(30) };
    let jwt = Jwt::parse(token)?;
    let checked = jwt.check(&rules, Wall(NOW * 1_000))?;
    jwt.is_signed(keys)?;
    let claims = jwt.into_claims();
    let map = BTreeMap::from([(shape.value.to_owned(), Role::Admin)]);
    let role = role(&claims, shape.role_claim, &map);
    let devices = if shape.device_claim.is_empty() { 0 } else { devices(&claims, shape.device_claim).len() };
    let name = name(&claims, &checked.subject);
    Ok(Seen { role, name, scopes: scopes(&claims, Role::Admin), devices, subject: checked.subject })
}

#[test]
fn tokens_of_entra_okta_auth0_and_keycloak_are_understood_or_refused_for_what_they_are() {
    let key = Key::rsa("k");
    let keys = Keys::parse(json!({"keys": [key.public()]}).to_string().as_bytes()).unwrap();
    let shapes = shapes();
    let mut wrong = Vec::new();
    for shape in &shapes {
        let found = judged(shape, &key.sign_as(&shape.head, &shape.claims), &keys);
        if found != shape.expected {
            wrong.push(format!("{}: {found:?}, not {:?}", shape.what, shape.expected));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        shapes.len() >= 25
            && ["Entra", "Okta", "Auth0", "Keycloak"].iter().all(|name| shapes.iter().any(|shape| shape.what.contains(name)))
    );
}

#[test]
fn an_opaque_token_of_the_okta_org_server_or_anybody_is_no_token_of_ours() {
    let encrypted = format!("{}.a.b.c.d", BASE64URL_NOPAD.encode(br#"{"alg":"dir","enc":"A256GCM"}"#));
    for token in ["00abcDEFghiJKL", "ya29.a0AfH6SMBx", "gho_16C7e42F292c6912E7710c838347Ae178B4a", encrypted.as_str()] {
        assert_eq!(Jwt::parse(token).map(|_| ()), Err(Refused::Malformed), "{token}");
    }
}
