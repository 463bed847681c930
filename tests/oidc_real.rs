//! The resource server against a provider that others wrote: npm's `oidc-provider`, a certified one, on Node 22. `scripts/test`
//! installs both below `target/clients`.

use crate::http_rig::{PATIENCE, Web, call, request, talk};
use crate::oidc_rig;
use data_encoding::BASE64;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use tokio::net::TcpStream;

/// The provider, on a port that stays its own over restarts.
pub struct Real {
    child: Option<Child>,
    said: Option<Lines<BufReader<ChildStdout>>>,
    node: PathBuf,
    packages: PathBuf,
    pub port: u16,
}

impl Drop for Real {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Real {
    /// Not started yet; nothing where it is not installed, which is said.
    pub fn find() -> Option<Real> {
        let clients = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("clients");
        let (node, packages) = (clients.join("node22/node_modules/node/bin/node"), clients.join("oidc"));
        if !node.exists() || !packages.join("node_modules/oidc-provider").exists() {
            eprintln!("oidc-provider on Node 22 is not installed (scripts/test does): nothing was tested against it");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Some(Real { child: None, said: None, node, packages, port })
    }

    pub fn issuer(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Starts it, with new keys; people come back to `redirect`.
    pub async fn start(&mut self, redirect: &str) {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/oidc_provider.mjs");
        let mut command = Command::new(&self.node);
        command.arg(script).arg(&self.packages).arg(self.port.to_string()).arg(redirect);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        self.child = Some(child);
        let ready = tokio::task::spawn_blocking(move || {
            while lines.next().expect("it ended before it was ready").unwrap() != "ready" {}
            lines
        });
        // Kept: a program that nobody listens to any more ends.
        self.said = Some(tokio::time::timeout(PATIENCE, ready).await.expect("the provider starts in time").unwrap());
    }

    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// An access token of a program.
    pub async fn token(&self, client: &str) -> String {
        let basic = BASE64.encode(format!("{client}:a-secret-of-the-tests").as_bytes());
        let host = format!("Host: 127.0.0.1:{}\r\n", self.port);
        let headers = format!("{host}Authorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\n");
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        let answer = talk(stream, request("POST", "/token", &headers, "grant_type=client_credentials").as_bytes()).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"));
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

async fn list(web: &Web, token: &str) -> u16 {
    web.modern(token, "tools/call", json!({"name": "device.list", "arguments": {}})).await.status
}

#[tokio::test]
async fn tokens_of_a_real_provider_open_in_every_algorithm_and_its_restart_with_new_keys_is_followed() {
    let Some(mut idp) = Real::find() else { return };
    // It is not there when we start.
    let web = oidc_rig::web(&idp.issuer(), &[("rate_limit.enabled", "false")]).await;
    web.until_oidc_is("unreachable").await;
    idp.start("http://127.0.0.1:1/unused").await;
    web.until_oidc_is("configured").await;
    let mut first = Vec::new();
    for alg in ["RS256", "PS256", "ES256", "EdDSA"] {
        let token = idp.token(alg).await;
        let head: Value =
            serde_json::from_slice(&data_encoding::BASE64URL_NOPAD.decode(token.split('.').next().unwrap().as_bytes()).unwrap()).unwrap();
        assert_eq!(head["alg"], alg);
        assert_eq!(list(&web, &token).await, 200, "{alg}");
        first.push(token);
    }
    let trail = web.site.operator("audit.get_events", json!({"limit": 1, "where": {"principal": "EdDSA"}})).await;
    assert_eq!(trail.structured["rows"][0]["role"], "ops_rw", "{}", trail.text);
    let reader = idp.token("reader").await;
    let write = web.modern(&reader, "tools/call", json!({"name": "system.set_identity", "arguments": {"device": "x", "name": "y"}})).await;
    assert_eq!(write.status, 403, "{write:?}");
    assert_eq!(list(&web, &idp.token("wrong").await).await, 401, "a token for somebody else");

    idp.kill();
    assert_eq!(list(&web, &first[0]).await, 200, "what was known goes on while it is away");
    idp.start("http://127.0.0.1:1/unused").await;
    let renewed = idp.token("ES256").await;
    // Asked for anew at once, unless somebody did so a few seconds ago.
    let followed = async { while list(&web, &renewed).await != 200 {} };
    tokio::time::timeout(PATIENCE, followed).await.expect("new keys are found");
    assert_eq!(list(&web, &first[2]).await, 401, "and the old ones are forgotten");
    let session = web.session(&renewed).await;
    let said = web.say(&renewed, &crate::http_rig::in_session(&session), &call("device.list", json!({}))).await;
    assert_eq!(said.status, 200);
    web.close().await;
}
