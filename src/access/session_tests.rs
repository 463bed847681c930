//! Sessions over real users, with time moved by hand.

use super::*;
use crate::access::local::tests::{PASSWORD, access};

const IDLE: Duration = Duration::from_secs(3_600);
const MOST: Duration = Duration::from_secs(86_400);

fn browser() -> Client {
    Client { name: "Mozilla/5.0".into(), address: "192.0.2.7".into(), ..Client::default() }
}

struct Rig {
    access: Access,
    sessions: Sessions,
    hand: std::sync::Arc<crate::base::clock::Hand>,
    _dir: tempfile::TempDir,
}

async fn rig() -> Rig {
    let (access, hand, dir) = access();
    access.add("anna", Role::Approver, PASSWORD()).await.unwrap();
    Rig { sessions: Sessions::new(access.clone(), Spans { idle: IDLE, most: MOST }), access, hand, _dir: dir }
}

impl Rig {
    async fn anna(&self) -> String {
        self.sessions.begin(Holder::User("anna".into()), &browser()).await.unwrap().expose().to_owned()
    }

    async fn find(&self, secret: &str) -> Option<Open> {
        self.sessions.find(secret, browser()).await.unwrap()
    }
}

#[tokio::test]
async fn the_secret_alone_opens_it_and_the_store_has_no_secret() {
    let rig = rig().await;
    let secret = rig.anna().await;
    let open = rig.find(&secret).await.unwrap();
    assert_eq!((open.principal.name.as_str(), open.principal.role), ("anna", Role::Approver));
    assert_eq!(open.proof.actor.person, Some(rig.access.user("anna").unwrap().person));
    assert!(open.proof.is_fresh(rig.access.now()));
    for bad in ["", "x", &secret[1..], &secret.to_uppercase(), &format!("{secret}A"), &"A".repeat(43)] {
        assert!(rig.find(bad).await.is_none(), "{bad}");
    }
    let stored = rig.access.store().scan(Session::TABLE, std::ops::Bound::Unbounded, 10).unwrap();
    assert!(stored.iter().all(|(key, value)| !key.contains(&secret) && !String::from_utf8_lossy(value).contains(&secret)));
}

#[tokio::test]
async fn it_ends_when_nothing_is_asked_and_after_its_longest_time() {
    let rig = rig().await;
    let idle = rig.anna().await;
    rig.hand.advance(IDLE);
    assert!(rig.find(&idle).await.is_none());
    let busy = rig.anna().await;
    let rounds = MOST.as_secs() / 1_800 - 1;
    for round in 0..rounds {
        rig.hand.advance(Duration::from_secs(1_800));
        assert!(rig.find(&busy).await.is_some(), "round {round}");
    }
    rig.hand.advance(Duration::from_secs(1_800));
    assert!(rig.find(&busy).await.is_none(), "used all the time, and over after a day");
}

#[tokio::test]
async fn it_ends_with_its_user_and_follows_the_role() {
    let rig = rig().await;
    let secret = rig.anna().await;
    rig.access.set_role("anna", Role::ReadOnly).await.unwrap();
    assert_eq!(rig.find(&secret).await.unwrap().principal.role, Role::ReadOnly);
    rig.access.set_disabled("anna", true).await.unwrap();
    assert!(rig.find(&secret).await.is_none());
    rig.access.set_disabled("anna", false).await.unwrap();
    assert!(rig.find(&secret).await.is_none(), "what ended stays ended");
    let secret = rig.anna().await;
    rig.hand.advance(Duration::from_secs(1));
    rig.access.set_password("anna", Secret::new("battery-staple-72")).await.unwrap();
    assert!(rig.find(&secret).await.is_none(), "another password ends sessions of before");
}

#[tokio::test]
async fn a_proof_gives_new_bits_and_grows_stale() {
    let rig = rig().await;
    let secret = rig.anna().await;
    rig.hand.advance(Duration::from_secs(301));
    let open = rig.find(&secret).await.unwrap();
    assert!(!open.proof.is_fresh(rig.access.now()));
    let renewed = rig.sessions.proved(&open).await.unwrap().expose().to_owned();
    assert!(rig.find(&secret).await.is_none(), "whoever copied the old bits has nothing");
    let open = rig.find(&renewed).await.unwrap();
    assert!(open.proof.is_fresh(rig.access.now()));
    rig.hand.advance(MOST - Duration::from_secs(3_000));
    assert!(rig.find(&renewed).await.is_none(), "proving again does not make it last longer than a session may");
}

#[tokio::test]
async fn one_is_ended_alone_and_all_of_a_person_together() {
    let rig = rig().await;
    let (one, two) = (rig.anna().await, rig.anna().await);
    rig.sessions.end(&one).await.unwrap();
    assert!(rig.find(&one).await.is_none() && rig.find(&two).await.is_some());
    assert_eq!(rig.sessions.end_all(&Holder::User("anna".into())).await.unwrap(), 1);
    assert!(rig.find(&two).await.is_none());
}

#[tokio::test]
async fn somebody_has_so_many_sessions_and_no_more() {
    let rig = rig().await;
    let first = rig.anna().await;
    rig.hand.advance(Duration::from_secs(60));
    for _ in 0..MOST_OF_ONE {
        rig.anna().await;
        rig.hand.advance(Duration::from_secs(1));
    }
    assert!(rig.find(&first).await.is_none(), "the one unused for longest made room");
    assert_eq!(rig.sessions.table().all().unwrap().len(), MOST_OF_ONE);
}

#[tokio::test]
async fn who_is_kept_out_as_a_local_user_is_kept_out_however_they_come() {
    let rig = rig().await;
    let identity = Identity { issuer: "https://idp.example".into(), subject: "00u1".into() };
    rig.access.link("anna", &identity).await.unwrap();
    let holder = Holder::Vouched { identity, name: "Anna".into(), role: Role::Approver, devices: vec![Selector::All] };
    let secret = rig.sessions.begin(holder, &browser()).await.unwrap();
    let open = rig.find(secret.expose()).await.unwrap();
    assert_eq!(open.proof.actor.person, Some(rig.access.user("anna").unwrap().person), "one person, however they come");
    rig.access.set_disabled("anna", true).await.unwrap();
    assert!(rig.find(secret.expose()).await.is_none());
}
