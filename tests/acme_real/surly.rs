//! An authority that answers as it was told to: what no real one does on request.

use super::pebble::certify;
use crate::surroundings::free_port;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// Listens until it is dropped.
pub struct Surly {
    pub dir: tempfile::TempDir,
    pub port: u16,
    /// Requests to `/order` so far.
    pub orders: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Surly {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Surly {
    /// One that takes accounts and answers every order with this status and problem. `host` is where its directory sends us.
    pub async fn start(host: &'static str, status: u16, problem: &'static str) -> Surly {
        let dir = tempfile::tempdir().unwrap();
        certify(dir.path());
        let port = free_port();
        let socket = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config(dir.path())));
        let orders = Arc::new(AtomicUsize::new(0));
        let counted = orders.clone();
        #[allow(clippy::disallowed_methods, reason = "a server of a test, ended with it")]
        let task = tokio::spawn(async move {
            loop {
                let Ok((stream, _)) = socket.accept().await else { return };
                let Ok(mut stream) = acceptor.accept(stream).await else { continue };
                let head = head(&mut stream).await;
                let path = head.split(' ').nth(1).unwrap_or_default();
                let answer = match path {
                    "/dir" => {
                        let of = |name: &str| format!("{host}:{port}/{name}");
                        let directory = serde_json::json!({"newNonce": of("nonce"), "newAccount": of("account"), "newOrder": of("order"), "revokeCert": of("x")});
                        said(200, &directory.to_string())
                    }
                    "/nonce" => said(200, ""),
                    "/account" => said(201, "{}"),
                    _ => {
                        counted.fetch_add(1, Ordering::Relaxed);
                        said(status, problem)
                    }
                };
                let _ = stream.write_all(answer.as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        });
        Surly { dir, port, orders, task }
    }

    /// The configuration that uses it.
    pub fn flags(&self) -> Vec<(String, String)> {
        let ca_file = self.dir.path().join("ca.pem").to_str().unwrap().to_owned();
        let directory = format!("https://127.0.0.1:{}/dir", self.port);
        [
            ("mcp.http_port", "0"),
            ("http.tls", "acme"),
            ("acme.domains", "mcp.example"),
            ("acme.directory_url", &directory),
            ("acme.ca_file", &ca_file),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }
}

fn config(dir: &Path) -> rustls::ServerConfig {
    let chain = CertificateDer::pem_file_iter(dir.join("tls.pem")).unwrap().map(Result::unwrap).collect();
    let key = PrivateKeyDer::from_pem_file(dir.join("tls.key")).unwrap();
    rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key).unwrap()
}

async fn head(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut read = Vec::new();
    while !read.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}

fn said(status: u16, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} X\r\nReplay-Nonce: abc\r\nLocation: https://127.0.0.1/account/1\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}
