//! Nothing that is sent makes the listener fail, hang or fall: made-up requests and frames, by the thousand, with and
//! without a good token. Every case follows from its number, which a failure tells.
//!
//! `FUZZ_CASES=200000 FUZZ_FROM=7000000` asks for more of them, or others.

mod dice;
mod frames;
mod messages;
mod requests;

use crate::http_limits::{over, shaken};
use crate::http_rig::{PATIENCE, Web, list_by_http2};
use dice::Dice;
use futures_util::StreamExt;
use requests::{Case, Ground};
use routeros_mcp::access::Role;
use routeros_mcp::http::{Limits, tls};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// Cases of each kind in a usual run, and the fewest that must have run: a generator that breaks runs none.
const CASES: (usize, usize) = (4_000, 600);
const FLOOR: (usize, usize) = (4_000, 600);
/// Sent at one time.
const AT_ONCE: usize = 32;
/// After so many, somebody with an honest request must be answered.
const HONEST: usize = 200;

/// Panics in this test's own process or threads.
static PANICS: AtomicUsize = AtomicUsize::new(0);

fn count_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        // Tests beside us, where one process runs them all, may panic as they like.
        if std::thread::current().name().is_some_and(|name| name.contains("http_fuzz") || name == "main") {
            PANICS.fetch_add(1, Ordering::SeqCst);
        }
        before(panic);
    }));
}

fn asked(name: &str, usual: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(usual)
}

/// Impatient, so that whatever is never finished ends soon; and with no limit on who fails.
fn limits() -> Limits {
    let brief = Duration::from_millis(250);
    Limits {
        head: brief,
        body: brief,
        handshake: PATIENCE,
        taken: Duration::from_secs(2),
        failures: 0,
        sessions: 100_000,
        ..Limits::default()
    }
}

/// Sends a case and reads to the end, or to where a stream of events begins. Gives all that came.
async fn sent(stream: impl AsyncRead + AsyncWrite, case: &Case) -> Vec<u8> {
    let (mut reading, mut writing) = tokio::io::split(stream);
    let write = async {
        for piece in &case.pieces {
            // Whoever was refused in the middle of a sentence need not finish it.
            if writing.write_all(piece).await.is_err() || writing.flush().await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
        if case.half_closed {
            let _ = writing.shutdown().await;
        }
    };
    let read = async {
        let mut all = Vec::new();
        while reading.read_buf(&mut all).await.is_ok_and(|n| n > 0) {
            if all.windows(17).any(|part| part == b"text/event-stream") {
                break;
            }
        }
        all
    };
    tokio::join!(write, read).1
}

/// Statuses in what came: pipelined requests have several answers.
fn statuses(came: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(came);
    text.match_indices("HTTP/1.1 ").filter_map(|(at, found)| text.get(at + found.len()..at + found.len() + 3)?.parse().ok()).collect()
}

async fn is_honest_with(web: &Web, token: &str) -> bool {
    let answer = web.modern(token, "tools/call", json!({"name": "device.list", "arguments": {}})).await;
    answer.status == 200 && answer.message()["result"]["isError"] == false
}

/// What is wrong with how a case was answered.
fn fault(came: Option<&[u8]>) -> Option<String> {
    let Some(came) = came else { return Some("it hangs".into()) };
    if let Some(status) = statuses(came).into_iter().find(|status| *status >= 500) {
        return Some(format!("status {status}"));
    }
    // Our own mistake, as JSON-RPC says it; the digits alone stand in a correlation id now and then.
    String::from_utf8_lossy(came).contains(r#""code":-32603"#).then(|| "an internal error".into())
}

fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(1_500)].escape_ascii().to_string()
}

#[tokio::test]
async fn no_request_of_http1_makes_it_fail_hang_or_fall() {
    count_panics();
    let web = over(tls::Source::Off, limits()).await;
    let token = web.token(Role::OpsRw).await;
    let (from, cases) = (asked("FUZZ_FROM", 1), asked("FUZZ_CASES", CASES.0));
    let (mut ran, mut answered, mut wrong) = (0, BTreeMap::<u16, usize>::new(), Vec::new());
    for batch in (from..from + cases).collect::<Vec<_>>().chunks(HONEST) {
        // Cases end sessions as well.
        let ground = Ground { session: web.session(&token).await, token: token.clone() };
        let one = |number: &usize| {
            let (case, at, number) = (requests::case(&mut Dice::of(*number as u64), &ground), web.at(), *number);
            async move {
                let came = async { sent(TcpStream::connect(at).await.unwrap(), &case).await };
                let came = tokio::time::timeout(PATIENCE, came).await.ok();
                let fault = fault(came.as_deref()).map(|fault| {
                    format!(
                        "case {number}: {fault}\n  sent {}\n  came {}",
                        shown(&case.pieces.concat()),
                        shown(came.as_deref().unwrap_or_default())
                    )
                });
                (fault, statuses(&came.unwrap_or_default()))
            }
        };
        let mut outcomes = futures_util::stream::iter(batch).map(one).buffer_unordered(AT_ONCE);
        while let Some((fault, statuses)) = outcomes.next().await {
            ran += 1;
            wrong.extend(fault);
            for status in statuses {
                *answered.entry(status).or_insert(0) += 1;
            }
        }
        assert!(is_honest_with(&web, &token).await, "an honest request was not answered after case {:?}", batch.last());
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a panic among the cases up to {:?}", batch.last());
    }
    eprintln!("http/1.1: {ran} cases ran; answers by status: {answered:?}");
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    // They get past every door, and are stopped at every door.
    let has = |status: u16, share: usize| answered.get(&status).is_some_and(|count| count * share > ran);
    assert!(ran >= FLOOR.0.min(cases) && has(200, 6) && has(400, 10) && has(401, 50) && has(413, 2_000) && has(431, 1_000), "{answered:?}");
    web.close().await;
}

#[tokio::test]
async fn no_frame_of_http2_makes_it_fail_hang_or_fall() {
    count_panics();
    let web = over(tls::Source::SelfSigned, limits()).await;
    let token = web.token(Role::OpsRw).await;
    let (from, cases) = (asked("FUZZ_FROM", 1), asked("FUZZ_CASES", CASES.1));
    let (mut ran, mut answered, mut wrong) = (0, 0, Vec::new());
    for batch in (from..from + cases).collect::<Vec<_>>().chunks(HONEST) {
        let one = |number: &usize| {
            let (bytes, web, number) = (frames::frames(&mut Dice::of(*number as u64), &token), &web, *number);
            async move {
                let case = Case { pieces: vec![bytes], half_closed: false };
                let came = tokio::time::timeout(PATIENCE, async { sent(shaken(web, b"h2").await.0, &case).await }).await.ok();
                let hangs = came.is_none().then(|| format!("case {number} hangs\n  sent {}", shown(&case.pieces[0])));
                (hangs, came.is_some_and(|came| !came.is_empty()))
            }
        };
        let mut outcomes = futures_util::stream::iter(batch).map(one).buffer_unordered(AT_ONCE);
        while let Some((fault, has_answer)) = outcomes.next().await {
            ran += 1;
            answered += usize::from(has_answer);
            wrong.extend(fault);
        }
        assert!(speaks(&web, &token).await, "an honest request was not answered after case {:?}", batch.last());
        assert_eq!(PANICS.load(Ordering::SeqCst), 0, "a panic among the cases up to {:?}", batch.last());
    }
    eprintln!("http/2: {ran} cases ran, {answered} were answered");
    assert!(wrong.is_empty(), "{} of {ran}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    assert!(ran >= FLOOR.1.min(cases) && answered * 2 > ran, "{ran} cases ran and {answered} were answered");
    web.close().await;
}

/// An honest request of HTTP/2.
async fn speaks(web: &Web, token: &str) -> bool {
    let (mut client, connection) = h2::client::handshake(shaken(web, b"h2").await.0).await.unwrap();
    let driver = web.site.app.tasks.spawn(connection);
    let status = list_by_http2(&mut client, &format!("Bearer {token}")).await;
    drop(client);
    driver.abort();
    status == 200
}
