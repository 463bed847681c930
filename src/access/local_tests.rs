//! Users, passwords and lock-outs over a real store, with time moved by hand.

use super::*;
use crate::access::principal::Client;
use crate::base::clock::Hand;
use crate::store::Options;
use tempfile::TempDir;

/// A password within the rules.
pub(in crate::access) fn good_password() -> Secret {
    Secret::new("correct-horse-71")
}

/// Users in a store of their own, and the hand on their clock.
pub(in crate::access) fn access() -> (Access, Arc<Hand>, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (clock, hand) = Clock::by_hand(Wall(1_790_000_000_000));
    let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
    let lockout = Lockout { attempts: 3, window: Duration::from_secs(60) };
    (Access::new(store, Seal::new(&[7; 32]), clock, lockout), hand, dir)
}

async fn with_anna() -> (Access, Arc<Hand>, TempDir) {
    let made = access();
    made.0.add("anna", Role::Approver, good_password()).await.unwrap();
    made
}

async fn refused(access: &Access, name: &str, password: &str) -> Fault {
    access.authenticate(name, Secret::new(password)).await.unwrap_err()
}

#[tokio::test]
async fn the_right_password_says_who_it_is_and_since_when() {
    let (access, hand, _dir) = with_anna().await;
    hand.advance(Duration::from_secs(5));
    let proved = access.authenticate("ANNA", good_password()).await.unwrap();
    let anna = access.user("anna").unwrap();
    assert_eq!((&proved.person, proved.user.as_str(), proved.role), (&anna.person, "anna", Role::Approver));
    assert_eq!((proved.at, anna.seen_at), (access.now(), Some(access.now())));
    assert_eq!(proved.actor().person, Some(anna.person.clone()));
    let principal = proved.principal(Client::default());
    assert_eq!(access.actor(&principal).unwrap().person, Some(anna.person), "as a caller it is still her");
    assert_eq!(principal.role, Role::Approver);
}

#[tokio::test]
async fn a_proof_is_fresh_for_five_minutes_and_stale_after_a_step_of_the_clock() {
    let (access, hand, _dir) = with_anna().await;
    let proved = access.authenticate("anna", good_password()).await.unwrap();
    assert!(proved.is_fresh(access.now()));
    hand.advance(Duration::from_secs(299));
    assert!(proved.is_fresh(access.now()));
    hand.advance(Duration::from_secs(1));
    assert!(!proved.is_fresh(access.now()));
    hand.step_wall(Wall(0));
    assert!(!proved.is_fresh(access.now()));
}

#[tokio::test]
async fn nobody_and_a_wrong_password_are_told_the_same() {
    let (access, ..) = with_anna().await;
    for n in 0..4 {
        let (theirs, nobodys) = (refused(&access, "anna", "correct-horse-72").await, refused(&access, "bert", "correct-horse-72").await);
        assert_eq!((theirs.kind, nobodys.kind), (Kind::Unauthenticated, Kind::Unauthenticated));
        assert_eq!((&theirs.said, &theirs.hint), (&nobodys.said, &nobodys.hint), "attempt {n}");
    }
    assert!(refused(&access, "no name at all", "x").await.said.contains("wrong"));
}

#[tokio::test]
async fn a_lock_out_refuses_even_the_right_password_and_ends_by_itself() {
    let (access, hand, _dir) = with_anna().await;
    for expected in ["wrong", "wrong", "locked for another 60 s"] {
        let fault = refused(&access, "anna", "nonsense").await;
        assert!(fault.said.contains(expected), "{fault}");
        hand.advance(Duration::from_secs(1));
    }
    let fault = refused(&access, "anna", good_password().expose()).await;
    assert_eq!(fault.kind, Kind::Unauthenticated);
    assert!(fault.said.contains("locked for another 59 s"), "{fault}");
    assert!(access.locked_for(&access.user("anna").unwrap()).unwrap().is_some());
    hand.advance(Duration::from_secs(59));
    access.authenticate("anna", good_password()).await.unwrap();
    assert_eq!(access.locked_for(&access.user("anna").unwrap()).unwrap(), None);
}

#[tokio::test]
async fn a_right_password_forgives_the_wrong_ones_before_it() {
    let (access, ..) = with_anna().await;
    for _ in 0..3 {
        refused(&access, "anna", "nonsense").await;
        refused(&access, "anna", "nonsense").await;
        access.authenticate("anna", good_password()).await.unwrap();
    }
}

#[tokio::test]
async fn attempts_that_nobody_waits_for_count() {
    let (access, hand, _dir) = with_anna().await;
    for _ in 0..3 {
        let mut attempt = Box::pin(access.authenticate("anna", Secret::new("nonsense")));
        // Polled until the attempt is written down and its hash is being made, then dropped.
        while access.failures().get("anna").unwrap().is_none_or(|seen| seen.last() != Some(access.now())) {
            tokio::select! {
                biased;
                _ = &mut attempt => panic!("judged before it was counted"),
                () = tokio::task::yield_now() => {}
            }
        }
        drop(attempt);
        hand.advance(Duration::from_millis(1));
    }
    assert!(refused(&access, "anna", good_password().expose()).await.said.contains("locked"));
}

#[tokio::test]
async fn many_attempts_at_once_get_no_more_tries_than_one_after_another() {
    let (access, ..) = with_anna().await;
    let guesses = (0..8).map(|n| access.authenticate("anna", Secret::new(format!("guess number {n}"))));
    let said: Vec<String> = futures_util::future::join_all(guesses).await.into_iter().map(|guess| guess.unwrap_err().said).collect();
    assert_eq!(said.iter().filter(|said| said.ends_with("is wrong")).count(), 2, "{said:?}");
    assert_eq!(said.iter().filter(|said| said.contains("locked")).count(), 6, "{said:?}");
}

#[tokio::test]
async fn a_lock_out_survives_a_restart() {
    let (access, _hand, dir) = with_anna().await;
    for _ in 0..3 {
        refused(&access, "anna", "nonsense").await;
    }
    let Inner { seal, clock, lockout, .. } = &*access.0;
    let (seal, clock, lockout) = (seal.clone(), clock.clone(), *lockout);
    access.store().clone().close().await.unwrap();
    let store = Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap();
    let again = Access::new(store, seal, clock, lockout);
    assert!(refused(&again, "anna", good_password().expose()).await.said.contains("locked"));
}

#[tokio::test]
async fn a_new_password_ends_a_lock_out_and_the_old_one() {
    let (access, ..) = with_anna().await;
    for _ in 0..3 {
        refused(&access, "anna", "nonsense").await;
    }
    access.set_password("anna", Secret::new("another-horse-72")).await.unwrap();
    assert_eq!(refused(&access, "anna", good_password().expose()).await.kind, Kind::Unauthenticated);
    access.authenticate("anna", Secret::new("another-horse-72")).await.unwrap();
}

#[tokio::test]
async fn a_disabled_user_is_kept_out_and_only_its_password_learns_why() {
    let (access, ..) = with_anna().await;
    access.set_disabled("anna", true).await.unwrap();
    assert_eq!(refused(&access, "anna", "nonsense").await.kind, Kind::Unauthenticated);
    let fault = refused(&access, "anna", good_password().expose()).await;
    assert_eq!(fault.kind, Kind::Denied);
    assert!(fault.said.contains("disabled"), "{fault}");
    assert_eq!(access.user("anna").unwrap().seen_at, None, "it never got in");
    access.set_disabled("anna", false).await.unwrap();
    access.authenticate("anna", good_password()).await.unwrap();
}

#[tokio::test]
async fn made_up_names_are_forgotten_first_and_never_push_out_a_users_lock_out() {
    let (access, hand, _dir) = with_anna().await;
    for _ in 0..3 {
        refused(&access, "anna", "nonsense").await;
    }
    // As so many attempts would leave them, without their price.
    let made_up = async |from: usize, to: usize, batch: bool| {
        let mut whole = Batch::new();
        for n in from..to {
            hand.advance(Duration::from_millis(1));
            let mut seen = Failures::default();
            seen.add(access.now(), access.0.lockout);
            if batch {
                whole = access.failures().put_into(whole, &format!("nobody{n}"), &seen);
            } else {
                access.remember(&format!("nobody{n}"), &seen, access.now()).await.unwrap();
            }
        }
        access.store().commit(whole, Durability::Now).await.unwrap();
    };
    made_up(0, FAILURES_KEPT - 2, true).await;
    made_up(FAILURES_KEPT - 2, FAILURES_KEPT + 2, false).await;
    let kept = access.failures().all().unwrap();
    assert_eq!(kept.len(), FAILURES_KEPT, "bounded");
    assert!(kept.iter().any(|(name, _)| name == "anna"));
    assert!(!kept.iter().any(|(name, _)| name == "nobody0"), "the oldest went");
    hand.advance(Duration::from_secs(3_600));
    refused(&access, "bert", "nonsense").await;
    assert_eq!(access.failures().all().unwrap().len(), 1, "and what is over went too");
}

#[tokio::test]
async fn names_are_taken_in_any_case_and_keep_to_the_alphabet() {
    let (access, ..) = with_anna().await;
    assert_eq!(access.add("Anna", Role::Admin, good_password()).await.unwrap_err().kind, Kind::Conflict);
    for bad in ["", "a b", "-anna", ".x", "é", "a|b", "a\n", &"x".repeat(65)] {
        let fault = access.add(bad, Role::Admin, good_password()).await.unwrap_err();
        assert_eq!(fault.kind, Kind::BadInput, "{bad:?}");
        assert!(fault.said.contains("a user name"), "{fault}");
    }
    for good in ["b", "anna.lee@example.net", "0x", &"x".repeat(64)] {
        access.add(good, Role::ReadOnly, good_password()).await.unwrap();
    }
    assert_eq!(access.users().unwrap().len(), 5);
    assert_eq!(access.user("zoe").unwrap_err().kind, Kind::NotFound);
    assert_eq!(access.set_role("zoe", Role::Admin).await.unwrap_err().kind, Kind::NotFound);
}

#[tokio::test]
async fn a_hash_is_sealed_and_opens_in_its_own_row_only() {
    let (access, _hand, dir) = with_anna().await;
    let anna = access.user("anna").unwrap();
    let hash = access.opened(&anna).unwrap();
    assert!(hash.matches(&good_password()).unwrap());
    assert!(access.opened(&User { name: "bert".into(), ..anna.clone() }).is_err(), "moved to another row");
    assert!(!format!("{anna:?}").contains(good_password().expose()));
    let plain = postcard::to_allocvec(&hash).unwrap();
    access.store().clone().close().await.unwrap();
    let stored = std::fs::read(dir.path().join("s.redb")).unwrap();
    for secret in [good_password().expose().as_bytes(), &plain[..16], &plain[plain.len() - 32..]] {
        assert!(!stored.windows(secret.len()).any(|bytes| bytes == secret), "a part of it stands in the file");
    }
}
