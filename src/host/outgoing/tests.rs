//! Whom we call, and how much we take.

use super::*;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;

fn lab() -> Outgoing {
    Outgoing::new(true)
}

/// Answers every connection with the same bytes, then with `more` until the other side has enough.
async fn server(head: &'static str, more: usize) -> (SocketAddr, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    #[allow(clippy::disallowed_methods, reason = "a test has no shutdown to wait for")]
    let done = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = [0; 4_096];
        let _ = stream.read(&mut heard).await;
        let _ = stream.write_all(head.as_bytes()).await;
        let (piece, mut sent) = (vec![b'x'; 64 << 10], 0);
        while sent < more && stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        sent
    });
    (at, done)
}

#[tokio::test]
async fn addresses_that_nobody_may_call_are_refused_before_anything_is_sent() {
    for (url, why) in [
        ("http://192.0.2.1/", "only https"),
        ("http://login.example/", "only https"),
        ("ftp://127.0.0.1/", "only https"),
        ("https://169.254.169.254/latest", "metadata"),
        ("https://[::ffff:169.254.169.254]/", "metadata"),
        ("https://[::ffff:a9fe:a9fe]/", "metadata"),
        ("https://[64:ff9b::a9fe:a9fe]/", "metadata"),
        ("https://2852039166/", "metadata"),
        ("https://0xa9fea9fe/", "metadata"),
        ("https://[fe80::1]/", "link-local"),
        ("https://169.254.1.1/", "link-local"),
        ("https://0.0.0.0/", "unspecified"),
        ("https://user:pass@login.example/", "passwords"),
    ] {
        let error = lab().get(url).await.unwrap_err();
        assert!(matches!(error, OutgoingError::Refused { .. }) && error.to_string().contains(why), "{url}: {error}");
        assert!(!error.to_string().contains("pass@"), "{error}");
    }
    let error = Outgoing::new(false).get("http://127.0.0.1:1/").await.unwrap_err();
    assert!(error.to_string().contains("lab only"), "{error}");
}

#[tokio::test]
async fn a_name_is_judged_by_what_it_resolves_to() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (name, found, why) in [
        ("login.example", vec!["169.254.169.254"], "metadata"),
        ("login.example", vec!["::ffff:169.254.169.254"], "metadata"),
        ("login.example", vec!["192.0.2.1", "fe80::1"], "link-local"),
        ("localhost", vec!["192.0.2.1"], "not this machine"),
    ] {
        let found: Vec<IpAddr> = found.iter().map(|ip| ip.parse().unwrap()).collect();
        let lookup = move |_: String| -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
            let found = found.clone();
            Box::pin(async move { Ok(found) })
        };
        let scheme = if name == "localhost" { "http" } else { "https" };
        let error = Outgoing::over(true, Box::new(lookup)).get(&format!("{scheme}://{name}:1/")).await.unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_name_is_asked_for_once_so_that_it_cannot_change_its_mind() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (at, _done) = server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 0).await;
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    // The first answer is good, every later one is the metadata service.
    let lookup = move |_: String| -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        let ip = if first { "127.0.0.1" } else { "169.254.169.254" };
        Box::pin(async move { Ok(vec![ip.parse().unwrap()]) })
    };
    let answer = Outgoing::over(true, Box::new(lookup)).get(&format!("http://localhost:{}/", at.port())).await.unwrap();
    assert_eq!((answer.body().as_slice(), asked.load(Ordering::SeqCst)), (&b"{}"[..], 1));
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let hundred = 100 << 20;
    for head in ["HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"] {
        let (at, done) = server(head, hundred).await;
        let error = lab().get(&format!("http://{at}/")).await.unwrap_err();
        assert!(matches!(error, OutgoingError::TooLong { .. }), "{error}");
        let sent = done.await.unwrap();
        assert!(sent < hundred / 5, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn silence_is_told_with_the_time_it_was_given() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Nobody accepts, so nobody answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let outgoing = lab();
    let (client, url, name) = outgoing.judged(&format!("http://{}/", listener.local_addr().unwrap())).await.unwrap();
    let error = client.get(url).timeout(Duration::from_millis(1)).send().await.unwrap_err();
    assert!(unreachable(&name, &error, DOWNLOAD).to_string().ends_with(&format!("nothing within {} s", DOWNLOAD.as_secs())), "{error:?}");
}

#[tokio::test]
async fn redirects_are_answers_and_go_nowhere() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (at, _done) = server("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n", 0).await;
    assert_eq!(lab().get(&format!("http://{at}/")).await.unwrap().status(), 302);
}
