//! The SSH port shows its key and learns nothing.

use super::server::{PATIENCE, listen};
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::routeros::ssh::is_fingerprint;
use routeros_mcp::routeros::{RouterError, probe_host_key};
use russh::keys::ssh_key::{EcdsaCurve, private::RsaKeypair};
use russh::keys::{Algorithm, HashAlg, PrivateKey, key::safe_rng};
use russh::server::{Auth, Config, Handler, run_stream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

struct Counts(Arc<AtomicUsize>);

impl Handler for Counts {
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, russh::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Auth::reject())
    }

    async fn auth_password(&mut self, _user: &str, _password: &str) -> Result<Auth, russh::Error> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(Auth::reject())
    }
}

#[tokio::test]
async fn every_kind_of_host_key_is_shown_and_nobody_logs_in() {
    let p256 = Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 };
    for algorithm in [Algorithm::Ed25519, p256, Algorithm::Rsa { hash: None }] {
        let key = match algorithm {
            // RouterOS's size; the library's own default takes many seconds to find.
            Algorithm::Rsa { .. } => PrivateKey::from(RsaKeypair::random(&mut safe_rng(), 2048).unwrap()),
            _ => PrivateKey::random(&mut safe_rng(), algorithm.clone()).unwrap(),
        };
        let fingerprint = key.public_key().fingerprint(HashAlg::Sha256).to_string();
        let logins = Arc::new(AtomicUsize::new(0));
        let config = Arc::new(Config { keys: vec![key], ..Config::default() });
        let counter = logins.clone();
        let (done, mut ended) = tokio::sync::mpsc::channel(1);
        let (port, _tasks) = listen(move |stream| {
            let (config, counter, done) = (config.clone(), counter.clone(), done.clone());
            async move {
                if let Ok(session) = run_stream(config, stream, Counts(counter)).await {
                    let _ = session.await;
                }
                let _ = done.send(()).await;
            }
        })
        .await;
        let shown = probe_host_key("127.0.0.1", port, PATIENCE).await.unwrap();
        assert_eq!(shown.fingerprint, fingerprint);
        assert!(is_fingerprint(&shown.fingerprint));
        assert_eq!(shown.algorithm, algorithm.as_str());
        // The probe hangs up by itself: the server's session ends.
        tokio::time::timeout(PATIENCE, ended.recv()).await.unwrap();
        assert_eq!(logins.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn a_port_that_is_no_ssh_is_told() {
    for greeting in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"SSH-1.5-old\r\n", b"SSH-2.0-x\r\n\x00\x00\x00\x05zzzzzzzzzzzz", b""] {
        let (port, _tasks) = listen(move |mut stream| async move {
            let _ = stream.write_all(greeting).await;
            let _ = stream.shutdown().await;
            let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
        })
        .await;
        let error = probe_host_key("127.0.0.1", port, PATIENCE).await.unwrap_err();
        assert!(matches!(error, RouterError::HostKey { .. }), "{error}");
        let fault = Fault::from(error);
        assert!(fault.kind == Kind::Unreachable && fault.hint.is_some());
    }
}

#[tokio::test]
async fn silence_and_endless_greetings_end_at_the_deadline() {
    let (silent, _tasks) = listen(|mut stream| async move {
        let mut hello = [0; 64];
        while let Ok(1..) = stream.read(&mut hello).await {}
    })
    .await;
    let (endless, _more) = listen(|mut stream| async move { while stream.write_all(b"welcome to my router\r\n").await.is_ok() {} }).await;
    for port in [silent, endless] {
        let error = probe_host_key("127.0.0.1", port, Duration::from_millis(200)).await.unwrap_err();
        assert!(matches!(error, RouterError::Timeout { .. } | RouterError::HostKey { .. }), "{error}");
    }
}
