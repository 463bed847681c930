//! API tokens over a real store, with time moved by hand.

use super::*;
use crate::access::local::tests::{access, good_password};
use crate::access::principal::Client;
use std::collections::HashSet;
use std::time::Duration;

fn wanted(name: &str, secret: &Secret, role: Option<Role>) -> Wanted {
    Wanted { name: name.into(), digest: digest(secret.expose()), role, devices: vec![Selector::All], owner: None, expires_at: None }
}

async fn opens(access: &Access, token: &str) -> Result<Bearer, Refused> {
    access.bearer(token, Client::default()).await
}

#[tokio::test]
async fn a_token_opens_for_its_role_and_only_as_it_was_made() {
    let (access, _hand, _dir) = access();
    let (ops, metrics) = (make(), make());
    access.add_token(wanted("ops", &ops, Some(Role::OpsRw))).await.unwrap();
    access.add_token(wanted("prometheus", &metrics, None)).await.unwrap();
    let bearer = opens(&access, ops.expose()).await.unwrap();
    assert_eq!((bearer.principal.role, bearer.principal.name.as_str()), (Role::OpsRw, "ops"));
    assert_eq!(bearer.scopes, [Scope::Read, Scope::Write, Scope::Plan]);
    let bearer = opens(&access, metrics.expose()).await.unwrap();
    assert_eq!(bearer.scopes, [Scope::Metrics]);
    assert_eq!((bearer.principal.limits.devices.len(), bearer.principal.limits.tiers.len()), (0, 0), "touches nothing");
    let text = ops.expose();
    let other = if text.ends_with('A') { "B" } else { "A" };
    for (token, why) in [
        (String::new(), Refused::Malformed),
        (PREFIX.to_owned(), Refused::Malformed),
        (text.replacen(PREFIX, "", 1), Refused::Malformed),
        (text.to_uppercase(), Refused::Malformed),
        (format!("{text}A"), Refused::Malformed),
        (format!("{} ", &text[..text.len() - 1]), Refused::Malformed),
        (make().expose().to_owned(), Refused::Unknown),
        (format!("{}{other}{}", &text[..10], &text[11..]), Refused::Unknown),
    ] {
        assert_eq!(opens(&access, &token).await.unwrap_err(), why, "{} characters", token.len());
    }
}

#[tokio::test]
async fn a_token_ends_with_its_time_its_revocation_and_its_owner() {
    let (access, hand, _dir) = access();
    access.add("anna", Role::Admin, good_password()).await.unwrap();
    let (short, owned, lasting) = (make(), make(), make());
    let end = Wall(access.now().0 + 60_000);
    access.add_token(Wanted { expires_at: Some(end), ..wanted("short", &short, Some(Role::ReadOnly)) }).await.unwrap();
    access.add_token(Wanted { owner: Some("ANNA".into()), ..wanted("hers", &owned, Some(Role::ReadOnly)) }).await.unwrap();
    let kept = access.add_token(wanted("lasting", &lasting, Some(Role::ReadOnly))).await.unwrap();
    for token in [&short, &owned, &lasting] {
        opens(&access, token.expose()).await.unwrap();
    }
    hand.advance(Duration::from_secs(60));
    assert_eq!(opens(&access, short.expose()).await.unwrap_err(), Refused::Expired);
    access.set_disabled("anna", true).await.unwrap();
    assert_eq!(opens(&access, owned.expose()).await.unwrap_err(), Refused::Owner);
    access.set_disabled("anna", false).await.unwrap();
    opens(&access, owned.expose()).await.unwrap();
    access.revoke_token("lasting").await.unwrap();
    assert_eq!(opens(&access, lasting.expose()).await.unwrap_err(), Refused::Revoked);
    let again = access.revoke_token(&kept.id).await.unwrap();
    assert_eq!(again.revoked_at, Some(access.now()), "revoking twice keeps the first time");
    assert_eq!(access.revoke_token("lasting").await.unwrap_err().kind, Kind::NotFound);
    let fresh = make();
    access.add_token(wanted("lasting", &fresh, Some(Role::ReadOnly))).await.unwrap();
}

#[tokio::test]
async fn revoking_by_name_means_the_token_in_force() {
    let (access, hand, _dir) = access();
    // Tokens stand in the order of their digests: either may come first.
    for n in 0..16 {
        let (old, new, name) = (make(), make(), format!("ci-{n}"));
        let end = Wall(access.now().0 + 60_000);
        access.add_token(Wanted { expires_at: Some(end), ..wanted(&name, &old, Some(Role::ReadOnly)) }).await.unwrap();
        hand.advance(Duration::from_secs(60));
        access.add_token(wanted(&name, &new, Some(Role::ReadOnly))).await.unwrap();
        access.revoke_token(&name).await.unwrap();
        assert_eq!(opens(&access, new.expose()).await.unwrap_err(), Refused::Revoked);
    }
}

#[tokio::test]
async fn a_token_is_the_same_person_as_its_owner() {
    let (access, _hand, _dir) = access();
    let anna = access.add("anna", Role::Admin, good_password()).await.unwrap();
    let secret = make();
    access.add_token(Wanted { owner: Some("anna".into()), ..wanted("hers", &secret, Some(Role::OpsRw)) }).await.unwrap();
    let caller = opens(&access, secret.expose()).await.unwrap().principal;
    assert_eq!(access.actor(&caller).unwrap().person, Some(anna.person));
    let nobody = Wanted { owner: Some("bert".into()), ..wanted("his", &make(), Some(Role::OpsRw)) };
    assert_eq!(access.add_token(nobody).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn names_ends_and_limits_have_rules_and_uses_are_noted_to_the_minute() {
    let (access, hand, _dir) = access();
    let secret = make();
    let token = access.add_token(wanted("a", &secret, Some(Role::ReadOnly))).await.unwrap();
    assert_eq!(access.add_token(wanted("a", &make(), Some(Role::ReadOnly))).await.unwrap_err().kind, Kind::Conflict);
    for name in ["", " a", "a\n", &"x".repeat(65)] {
        assert_eq!(access.add_token(wanted(name, &make(), None)).await.unwrap_err().kind, Kind::BadInput, "{name:?}");
    }
    let past = Wanted { expires_at: Some(access.now()), ..wanted("b", &make(), None) };
    assert_eq!(access.add_token(past).await.unwrap_err().kind, Kind::BadInput);
    let many = Wanted { devices: vec![Selector::All; 65], ..wanted("c", &make(), None) };
    assert_eq!(access.add_token(many).await.unwrap_err().kind, Kind::BadInput);
    assert_eq!(access.token_used_at(&token).unwrap(), None);
    let first = access.now();
    opens(&access, secret.expose()).await.unwrap();
    hand.advance(Duration::from_secs(30));
    opens(&access, secret.expose()).await.unwrap();
    assert_eq!(access.token_used_at(&token).unwrap(), Some(first));
    hand.advance(Duration::from_secs(30));
    opens(&access, secret.expose()).await.unwrap();
    assert_eq!(access.token_used_at(&token).unwrap(), Some(access.now()));
}

#[test]
fn tokens_differ_and_hold_256_bits() {
    let made: HashSet<String> = (0..100).map(|_| make().expose().to_owned()).collect();
    assert_eq!(made.len(), 100);
    assert!(made.iter().all(|token| token.starts_with(PREFIX) && token.len() == PREFIX.len() + 43));
}
