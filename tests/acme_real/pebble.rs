//! A real certificate authority of one's own: Let's Encrypt's Pebble, and the DNS server that comes with it.

use crate::http_rig::{Answer, request, talk};
use crate::surroundings::{free_port, program};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// Nothing here takes longer.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at something that another process does.
const LOOK: Duration = Duration::from_millis(25);

/// How an authority is to be.
#[derive(Clone)]
pub struct Wanted {
    /// Nonces it refuses, of a hundred; its default is 5.
    pub refused_nonces: Option<u8>,
    /// Seconds its certificates are good for; its default is five years.
    pub validity: Option<u64>,
    /// It wants an account that was made elsewhere.
    pub external_accounts: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted { refused_nonces: Some(0), validity: None, external_accounts: false }
    }
}

/// Ports of one authority, chosen before it runs.
pub struct Pebble {
    dir: tempfile::TempDir,
    wanted: Wanted,
    programs: (PathBuf, PathBuf),
    directory: u16,
    management: u16,
    dns: u16,
    /// Where it looks for tls-alpn-01.
    pub tls_port: u16,
    /// Where it looks for http-01.
    pub http_port: u16,
    running: Vec<Child>,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        self.stop();
    }
}

/// A root of one's own in `ca.pem`, and a certificate of it for this machine in `tls.pem` and `tls.key`.
pub fn certify(dir: &Path) {
    let authority = rcgen::KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    std::fs::write(dir.join("ca.pem"), params.self_signed(&authority).unwrap().pem()).unwrap();
    let issuer = rcgen::Issuer::new(params, authority);
    let key = rcgen::KeyPair::generate().unwrap();
    let leaf = rcgen::CertificateParams::new(vec!["127.0.0.1".into(), "localhost".into()]).unwrap().signed_by(&key, &issuer).unwrap();
    std::fs::write(dir.join("tls.pem"), leaf.pem()).unwrap();
    std::fs::write(dir.join("tls.key"), key.serialize_pem()).unwrap();
}

impl Pebble {
    /// One that is not running yet. `None`, said loudly, where Pebble is not installed.
    pub fn new(wanted: Wanted) -> Option<Pebble> {
        let programs = (program("pebble")?, program("pebble-challtestsrv")?);
        let _ = rustls::crypto::ring::default_provider().install_default();
        let dir = tempfile::tempdir().unwrap();
        let [directory, management, dns, tls_port, http_port] = [(); 5].map(|()| free_port());
        certify(dir.path());
        Some(Pebble { dir, wanted, programs, directory, management, dns, tls_port, http_port, running: Vec::new() })
    }

    /// Starts it, and waits until it answers.
    pub async fn start(&mut self) {
        let at = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        let mut config = json!({"pebble": {
            "listenAddress": format!("127.0.0.1:{}", self.directory), "managementListenAddress": format!("127.0.0.1:{}", self.management),
            "certificate": at("tls.pem"), "privateKey": at("tls.key"), "httpPort": self.http_port, "tlsPort": self.tls_port,
            "ocspResponderURL": "", "externalAccountBindingRequired": self.wanted.external_accounts, "retryAfter": {"authz": 1, "order": 1},
        }});
        if self.wanted.external_accounts {
            config["pebble"]["externalAccountMACKeys"] =
                json!({"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"});
        }
        if let Some(validity) = self.wanted.validity {
            config["pebble"]["certificateValidityPeriod"] = validity.into();
        }
        std::fs::write(at("config.json"), config.to_string()).unwrap();
        let mut dns = Command::new(&self.programs.1);
        dns.args(["-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        dns.args(["-dns01", &format!("127.0.0.1:{}", self.dns), "-management", &format!("127.0.0.1:{}", free_port())]);
        let mut pebble = Command::new(&self.programs.0);
        pebble.args(["-config", &at("config.json"), "-dnsserver", &format!("127.0.0.1:{}", self.dns)]).env("PEBBLE_VA_NOSLEEP", "1");
        if let Some(percent) = self.wanted.refused_nonces {
            pebble.env("PEBBLE_WFE_NONCEREJECT", percent.to_string());
        }
        let log = std::fs::File::create(at("log")).unwrap();
        for mut command in [dns, pebble] {
            let command = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log.try_clone().unwrap());
            self.running.push(command.spawn().unwrap());
        }
        until("the authority answers", async || self.ask("/roots/0").await.is_some()).await;
    }

    /// Ends it; it can be started again, and has forgotten everything.
    pub fn stop(&mut self) {
        for mut child in self.running.drain(..) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// The address of its directory.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.directory)
    }

    /// The root of its own TLS certificate.
    pub fn ca_file(&self) -> String {
        self.dir.path().join("ca.pem").to_str().unwrap().to_owned()
    }

    /// What it wrote.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// Orders that were placed with it.
    pub fn orders(&self) -> usize {
        self.log().lines().filter(|line| line.contains("Added order")).count()
    }

    /// The root of the certificates it gives. Made anew at each start.
    pub async fn root(&self) -> CertificateDer<'static> {
        let answer = self.ask("/roots/0").await.unwrap();
        CertificateDer::from_pem_slice(answer.body.as_bytes()).unwrap()
    }

    async fn ask(&self, path: &str) -> Option<Answer> {
        let own = CertificateDer::from_pem_file(self.ca_file()).unwrap();
        let stream = connect(self.management, "localhost", own).await.ok()?;
        let answer = talk(stream, request("GET", path, "", "").as_bytes()).await;
        (answer.status == 200).then_some(answer)
    }

    /// The configuration that uses it for `mcp.example`.
    pub fn flags(&self, challenge: &str) -> Vec<(String, String)> {
        [
            ("mcp.transport", "both"),
            ("mcp.http_port", &self.tls_port.to_string()),
            ("http.tls", "acme"),
            ("http.public_url", "https://mcp.example"),
            ("http.allowed_hosts", "localhost"),
            ("acme.domains", "mcp.example"),
            ("acme.contact", "ops@mcp.example"),
            ("acme.directory_url", &self.url()),
            ("acme.ca_file", &self.ca_file()),
            ("acme.challenge", challenge),
            ("acme.http_port", &self.http_port.to_string()),
        ]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .to_vec()
    }
}

/// A TLS connection to this machine that trusts this root alone.
pub async fn connect(port: u16, name: &str, root: CertificateDer<'static>) -> std::io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root).unwrap();
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(("127.0.0.1", port)).await?;
    tokio_rustls::TlsConnector::from(Arc::new(config)).connect(ServerName::try_from(name.to_owned()).unwrap(), stream).await
}

/// Looks until something is so; how long that took.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) -> Duration {
    let began = Instant::now();
    let mut look = tokio::time::interval(LOOK);
    while !is_so().await {
        assert!(began.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        look.tick().await;
    }
    began.elapsed()
}

/// What `/health` says to a token.
pub async fn health(port: u16, root: CertificateDer<'static>, token: &str) -> Value {
    let stream = connect(port, "mcp.example", root).await.unwrap();
    talk(stream, request("GET", "/health", &format!("Authorization: Bearer {token}\r\n"), "").as_bytes()).await.message()
}
