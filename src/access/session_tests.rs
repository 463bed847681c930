//! Sessions over a real store, with time moved by hand.

use super::*;
use crate::access::local::tests::{access, good_password};
use crate::access::oidc::Settings;
use crate::access::proof::FRESH;
use crate::base::clock::Hand;
use crate::host::outgoing::Outgoing;
use std::sync::Arc;

const IDLE: Duration = Duration::from_secs(3_600);
const MOST: Duration = Duration::from_secs(86_400);

struct Bench {
    sessions: Sessions,
    access: Access,
    hand: Arc<Hand>,
    _dir: tempfile::TempDir,
}

async fn bench() -> Bench {
    let (access, hand, dir) = access();
    for name in ["anna", "bert"] {
        access.add(name, Role::Admin, good_password()).await.unwrap();
    }
    Bench { sessions: Sessions::new(access.clone(), None, IDLE, MOST), access, hand, _dir: dir }
}

fn provider(access: &Access, role_claim: &str) -> Oidc {
    let settings = Settings {
        issuer: "https://login.example".into(),
        client_id: "ui".into(),
        client_secret: None,
        audience: "us".into(),
        scopes: Vec::new(),
        redirect_uri: None,
        role_claim: role_claim.into(),
        role_map: [("ops".to_owned(), Role::OpsRw)].into(),
        device_claim: None,
        skew: Duration::ZERO,
    };
    Oidc::new(settings, access.clone(), Outgoing::new(true), crate::base::clock::Clock::system())
}

impl Bench {
    async fn proof(&self, name: &str) -> Proof {
        let proved = self.access.authenticate(name, good_password()).await.unwrap();
        Proof { principal: proved.principal(Client::default()), way: Way::Local, at: Some(proved.at) }
    }

    async fn sign_in(&self, name: &str) -> Secret {
        self.sessions.begin(&self.proof(name).await).await.unwrap().0
    }

    async fn lasts(&self, id: &Secret) -> bool {
        self.sessions.find(id.expose()).await.unwrap().is_some()
    }
}

fn foreign(role: Role) -> Proof {
    let limits = Limits { devices: vec!["edge".parse().unwrap()], ..Limits::of_role(role) };
    let principal =
        Principal { issuer: "https://login.example".into(), subject: "00u1".into(), name: "Anna".into(), limits, ..Principal::stdio(role) };
    Proof { principal, way: Way::Oidc, at: None }
}

#[tokio::test]
async fn a_session_lasts_while_it_is_used_and_not_beyond_its_time() {
    let bench = bench().await;
    let (used, left) = (bench.sign_in("anna").await, bench.sign_in("bert").await);
    for _ in 0..23 {
        bench.hand.advance(IDLE - Duration::from_secs(1));
        assert!(bench.lasts(&used).await);
    }
    assert!(!bench.lasts(&left).await, "nobody used it");
    bench.hand.advance(Duration::from_secs(1_800));
    assert!(bench.lasts(&used).await);
    bench.hand.advance(Duration::from_secs(1_900));
    assert!(!bench.lasts(&used).await, "a day is over");
    let again = bench.sign_in("anna").await;
    bench.hand.step_wall(Wall(bench.access.now().0 - 2 * 86_400_000));
    assert!(!bench.lasts(&again).await, "a clock that stepped keeps no session");
}

#[tokio::test]
async fn a_session_is_its_users_and_goes_with_them() {
    let bench = bench().await;
    let (anna, bert) = (bench.sign_in("anna").await, bench.sign_in("bert").await);
    let session = bench.sessions.find(anna.expose()).await.unwrap().unwrap();
    assert_eq!((session.name.as_str(), session.role, session.way), ("anna", Role::Admin, Way::Local));
    assert_eq!(session.person, Some(bench.access.user("anna").unwrap().person));
    assert_eq!(session.actor().identity, Identity::of_user("anna"));
    bench.access.set_role("anna", Role::Approver).await.unwrap();
    assert!(!bench.lasts(&anna).await && bench.lasts(&bert).await, "a new role is signed in for anew");
    let anna = bench.sign_in("anna").await;
    assert_eq!(bench.sessions.find(anna.expose()).await.unwrap().unwrap().role, Role::Approver);
    bench.access.set_disabled("anna", true).await.unwrap();
    assert!(!bench.lasts(&anna).await && bench.lasts(&bert).await);
    bench.access.set_disabled("anna", false).await.unwrap();
    assert!(!bench.lasts(&anna).await, "being let in again opens nothing that was closed");
    bench.hand.advance(Duration::from_secs(1));
    bench.access.set_password("bert", good_password()).await.unwrap();
    assert!(!bench.lasts(&bert).await, "a new password ends what the old one opened");
}

#[tokio::test]
async fn an_id_is_what_was_given_out_and_nothing_that_can_be_read_from_the_store() {
    let bench = bench().await;
    let id = bench.sign_in("anna").await;
    let key = bench.sessions.find(id.expose()).await.unwrap().unwrap().key;
    for bad in ["", "x", &key, &key[..43], &id.expose()[..42], &format!("{}A", id.expose()), &format!("{}=", &id.expose()[..42])] {
        assert!(bench.sessions.find(bad).await.unwrap().is_none(), "{bad}");
    }
    let other = Secret::new(BASE64URL_NOPAD.encode(&random::<32>()));
    assert!(!bench.lasts(&other).await && bench.lasts(&id).await);
    let session = bench.sessions.find(id.expose()).await.unwrap().unwrap();
    bench.sessions.end(&session).await.unwrap();
    assert!(!bench.lasts(&id).await);
}

#[tokio::test]
async fn proving_again_replaces_a_session_and_does_not_make_it_longer() {
    let bench = bench().await;
    let old = bench.sign_in("anna").await;
    bench.hand.advance(Duration::from_secs(1_800));
    let session = bench.sessions.find(old.expose()).await.unwrap().unwrap();
    assert!(!session.is_fresh(bench.access.now()));
    let (new, renewed) = bench.sessions.renew(&session, &bench.proof("anna").await).await.unwrap();
    assert!(renewed.is_fresh(bench.access.now()) && renewed.ends_at == session.ends_at);
    assert!(!bench.lasts(&old).await && bench.lasts(&new).await);
    bench.hand.advance(FRESH);
    assert!(!bench.sessions.find(new.expose()).await.unwrap().unwrap().is_fresh(bench.access.now()));
}

#[tokio::test]
async fn one_identity_has_so_many_and_ending_all_ends_all() {
    let bench = bench().await;
    let bert = bench.sign_in("bert").await;
    let mut ids = Vec::new();
    for _ in 0..=EACH {
        ids.push(bench.sign_in("anna").await);
        bench.hand.advance(Duration::from_secs(61));
    }
    assert!(!bench.lasts(&ids[0]).await && bench.lasts(&ids[1]).await && bench.lasts(&bert).await);
    bench.sessions.end_all().await.unwrap();
    assert!(!bench.lasts(&ids[EACH]).await && !bench.lasts(&bert).await);
    assert!(bench.sessions.kept().all().unwrap().is_empty() && bench.sessions.uses().all().unwrap().is_empty());
}

#[tokio::test]
async fn a_person_sees_and_ends_their_own_sessions_wherever_they_are() {
    let bench = bench().await;
    let sessions = Sessions::new(bench.access.clone(), Some(provider(&bench.access, "roles")), IDLE, MOST);
    let from = |mut proof: Proof, name: &str| {
        proof.principal.client = Client { name: name.into(), version: String::new(), address: "192.0.2.7".into() };
        proof
    };
    let (desk, session) = sessions.begin(&from(bench.proof("anna").await, "a desk")).await.unwrap();
    bench.hand.advance(Duration::from_secs(61));
    let (away, _) = sessions.begin(&from(foreign(Role::OpsRw), "a telephone")).await.unwrap();
    let (bert, _) = sessions.begin(&bench.proof("bert").await).await.unwrap();
    let names = |session: &Session| sessions.of_person(session).unwrap().into_iter().map(|one| one.client).collect::<Vec<_>>();
    assert_eq!(names(&session), ["a desk"], "nobody said yet that the other is hers");
    bench.access.link("anna", &"https://login.example|00u1".parse().unwrap()).await.unwrap();
    assert_eq!(names(&session), ["a telephone", "a desk"]);
    assert_eq!(sessions.of_person(&session).unwrap()[0].address, "192.0.2.7");
    assert_eq!(sessions.end_all_of(&session).await.unwrap(), 2);
    assert!(!bench.lasts(&desk).await && sessions.find(away.expose()).await.unwrap().is_none());
    assert!(bench.lasts(&bert).await, "nobody else's");
}

#[tokio::test]
async fn who_came_through_a_provider_goes_with_it_and_with_the_person_it_is_linked_to() {
    let bench = bench().await;
    let with = |oidc| Sessions::new(bench.access.clone(), oidc, IDLE, MOST);
    let sessions = with(Some(provider(&bench.access, "roles")));
    let (id, session) = sessions.begin(&foreign(Role::OpsRw)).await.unwrap();
    assert_eq!((session.person.clone(), session.role, session.limits.devices.len()), (None, Role::OpsRw, 1));
    assert!(!session.is_fresh(bench.access.now()), "the provider did not say when");
    let lasts = async |sessions: &Sessions| sessions.find(id.expose()).await.unwrap().is_some();
    assert!(lasts(&with(Some(provider(&bench.access, "roles")))).await, "a restart changes nothing");
    assert!(!lasts(&with(Some(provider(&bench.access, "groups")))).await, "roles come from elsewhere now");
    assert!(!lasts(&with(None)).await, "there is no provider any more");
    bench.access.link("anna", &session.identity).await.unwrap();
    assert!(lasts(&sessions).await);
    bench.access.set_disabled("anna", true).await.unwrap();
    assert!(!lasts(&sessions).await);
}
