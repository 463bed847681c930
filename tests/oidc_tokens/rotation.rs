//! Keys that nobody knows yet: when they are fetched anew, who waits for that, and how often at most.

use super::*;

#[tokio::test]
async fn keys_are_fetched_anew_for_a_key_nobody_knows_and_not_for_every_such_token() {
    let (old, new, never) = (Key::ec("old"), Key::ec("new"), Key::ec("never"));
    let idp = Idp::start(&[&old]).await;
    let bench = Bench::new(&idp.issuer(), |_| {});
    let said = bench.claims(&idp, json!({"exp": NOW.0 / 1_000 + 86_400}));
    let (first, second) = (old.sign(&said), new.sign(&said));
    bench.opens(&first).await.unwrap();
    assert_eq!(idp.asked(), 1);
    idp.publish(&[&new]);
    // Within a few seconds of the last look nobody is asked again: whoever has a new key waits for that, and no longer.
    let mut waits = Box::pin(bench.opens(&second));
    assert!(futures_util::poll!(&mut waits).is_pending() && idp.asked() == 1);
    bench.hand.advance(Duration::from_millis(4_999));
    assert!(futures_util::poll!(&mut waits).is_pending() && idp.asked() == 1);
    let known = bench.oidc.bearer_by_known_keys(&second, Client::default()).await;
    assert_eq!(known.unwrap_err(), Refused::Key, "an address that shows bad tokens all the time waits for nothing");
    bench.hand.advance(Duration::from_millis(1));
    waits.await.unwrap();
    assert_eq!(idp.asked(), 2);
    let withdrawn = bench.oidc.bearer_by_known_keys(&first, Client::default()).await;
    assert_eq!(withdrawn.unwrap_err(), Refused::Key, "a key that was withdrawn opens nothing, signed before or not");
    bench.hand.advance(Duration::from_secs(5));
    let many: Vec<String> =
        (0..50).map(|n| never.sign_as(&json!({"alg": "ES256", "kid": format!("made-up-{n}"), "typ": "at+jwt"}), &said)).collect();
    let all = futures_util::future::join_all(many.iter().map(|token| bench.opens(token)));
    // The first look had begun when the others asked: one more answers them all, and not before its time.
    let pass = async {
        while idp.asked() < 3 {
            tokio::task::yield_now().await;
        }
        bench.opens(&second).await.unwrap();
        assert_eq!(idp.asked(), 3);
        bench.hand.move_by_itself();
    };
    let (all, ()) = tokio::join!(all, pass);
    assert!(all.iter().all(|answer| matches!(answer, Err(Refused::Key))));
    assert_eq!(idp.asked(), 4, "one look in five seconds for all of them");
    bench.opens(&second).await.unwrap();
}

#[tokio::test]
async fn a_key_published_after_the_look_of_the_start_opens_at_once_and_few_wait_at_one_time() {
    let (old, new, never) = (Key::ec("old"), Key::ec("new"), Key::ec("never"));
    let idp = Idp::start(&[&old]).await;
    let bench = Bench::new(&idp.issuer(), |_| {});
    bench.oidc.start(&bench.tasks, &bench.stop);
    while bench.oidc.state() != State::Good {
        tokio::task::yield_now().await;
    }
    idp.publish(&[&new]);
    let said = bench.claims(&idp, json!({}));
    bench.opens(&new.sign(&said)).await.unwrap();
    assert_eq!(idp.asked(), 2, "the look of the start was nobody's");
    let many: Vec<String> =
        (0..100).map(|n| never.sign_as(&json!({"alg": "ES256", "kid": format!("made-up-{n}"), "typ": "at+jwt"}), &said)).collect();
    let mut waiting: Vec<_> = many.iter().map(|token| Box::pin(bench.opens(token))).collect();
    let mut refused = 0;
    for one in &mut waiting {
        refused += usize::from(futures_util::poll!(one).is_ready());
    }
    assert_eq!((refused, idp.asked()), (36, 2), "64 wait, the others are refused at once");
    drop(waiting);
    bench.stop.cancel();
    bench.tasks.close();
    bench.tasks.wait().await;
}
