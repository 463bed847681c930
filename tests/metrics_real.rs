//! Metrics as Prometheus itself sees them: its own tools judge the text and the rules, and a server of it scrapes over TLS with a token.

use crate::http_rig::{Web, call, request, talk};
use crate::metrics::scrape;
use crate::plan_tools::opened;
use crate::site::Site;
use crate::surroundings::program;
use routeros_mcp::access::Role;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;

/// From the start of Prometheus to its first scrape, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two looks at another process.
const LOOK: Duration = Duration::from_millis(100);

fn assets(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy/prometheus").join(file)
}

fn judged(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[track_caller]
fn is_clean(output: &Output, what: &str) {
    let said = [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned()).concat();
    assert!(output.status.success(), "{what}: {said}");
}

async fn busy(flags: &[(&str, &str)]) -> Web {
    let usual = [("mcp.transport", "both"), ("mcp.http_port", "0"), ("mcp.toolsets", "all")];
    let mut site = Site::bare(&[&usual[..], flags].concat()).await;
    site.adopt(Profile::HomeAp, "edge", opened()).await;
    site.good("system.get_health", json!({"device": "edge"})).await;
    site.call("no.such_tool", json!({})).await;
    Web::over(site).await
}

#[tokio::test]
async fn promtool_finds_nothing_to_say_about_our_text() {
    let Some(promtool) = program("promtool") else { return };
    let web = busy(&[]).await;
    let token = web.token(Role::Admin).await;
    web.say(&token, "", &call("interface.list", json!({"device": "edge"}))).await;
    let text = scrape(&web).await;
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]);
    let output = judged(command, &text);
    is_clean(&output, "check metrics");
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    web.close().await;
}

#[test]
fn promtool_takes_the_shipped_rules() {
    let Some(promtool) = program("promtool") else { return };
    let mut command = Command::new(promtool);
    command.args(["check", "rules"]).arg(assets("routeros-mcp.rules.yml"));
    is_clean(&judged(command, ""), "check rules");
}

/// A running Prometheus; ended when dropped.
struct Prometheus {
    dir: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Prometheus {
    /// With the shipped configuration, but for addresses, files and haste.
    fn start(program: &Path, promtool: &Path, at: &str, certificate: &[u8], token: &str) -> Prometheus {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
        let pem = data_encoding::BASE64.encode(certificate);
        fs::write(path("ca.pem"), format!("-----BEGIN CERTIFICATE-----\n{pem}\n-----END CERTIFICATE-----\n")).unwrap();
        fs::write(path("token"), token).unwrap();
        fs::copy(assets("routeros-mcp.rules.yml"), path("routeros-mcp.rules.yml")).unwrap();
        let mut config = fs::read_to_string(assets("prometheus.yml")).unwrap();
        for (shipped, here) in [
            ("mcp.example:8443", at),
            ("/etc/prometheus/routeros-mcp.token", &path("token")),
            ("/etc/prometheus/routeros-mcp.pem", &path("ca.pem")),
            ("scrape_interval: 30s", "scrape_interval: 1s"),
            ("evaluation_interval: 30s", "evaluation_interval: 1s"),
        ] {
            assert!(config.contains(shipped), "{shipped} is not in the shipped file");
            config = config.replace(shipped, here);
        }
        fs::write(path("prometheus.yml"), config).unwrap();
        let mut command = Command::new(promtool);
        command.args(["check", "config", &path("prometheus.yml")]);
        is_clean(&judged(command, ""), "check config");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let log = fs::File::create(path("log")).unwrap();
        let mut command = Command::new(program);
        command.args(["--config.file", &path("prometheus.yml"), "--storage.tsdb.path", &path("data")]);
        command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
        let child = command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Prometheus { dir, port, child }
    }

    async fn ask(&self, path: &str) -> Option<Value> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await.ok()?;
        let answer = talk(stream, request("GET", path, "", "").as_bytes()).await;
        serde_json::from_str(&answer.body).ok()
    }

    /// The value of an expression that has one series, once it has one.
    async fn value(&self, expr: &str) -> f64 {
        self.until(expr, |_| true).await
    }

    /// The same once it is as wanted. Asked again and again: a program of others' tells nobody when it has scraped.
    async fn until(&self, expr: &str, wanted: impl Fn(f64) -> bool) -> f64 {
        let mut look = tokio::time::interval(LOOK);
        let path =
            format!("/api/v1/query?query={}", expr.replace('"', "%22").replace(['{'], "%7B").replace('}', "%7D").replace(' ', "%20"));
        let began = Instant::now();
        loop {
            let answer = self.ask(&path).await;
            let found = answer.as_ref().and_then(|answer| answer["data"]["result"][0]["value"][1].as_str());
            if let Some(value) = found.and_then(|value| value.parse().ok()).filter(|value| wanted(*value)) {
                return value;
            }
            let log = || fs::read_to_string(self.dir.path().join("log")).unwrap_or_default();
            assert!(began.elapsed() < PATIENCE, "{expr}: {answer:?}\n{}", log());
            look.tick().await;
        }
    }
}

#[tokio::test]
async fn prometheus_scrapes_over_tls_with_a_token_and_the_shipped_configuration() {
    let (Some(prometheus), Some(promtool)) = (program("prometheus"), program("promtool")) else { return };
    // Behind a proxy that is trusted and says nothing, nobody is on this machine: the token has to do.
    let flags = [("http.tls", "self-signed"), ("http.behind_proxy", "true"), ("http.trusted_proxies", "127.0.0.1/32")];
    let web = busy(&flags).await;
    let token = web.token_as(None, |_| {}).await;
    let certificate = web.listener.certificate().unwrap();
    let server = Prometheus::start(&prometheus, &promtool, &web.at().to_string(), &certificate, &token);
    let began = Instant::now();
    server.until("up{job=\"routeros-mcp\"}", |up| up == 1.0).await;
    eprintln!("first scrape after {:.1} s", began.elapsed().as_secs_f64());
    let id = web.site.device("edge").id.to_string();
    assert_eq!(server.value(&format!("routeros_device_reachable{{device_id=\"{id}\"}}")).await, 1.0);
    assert!(server.value("sum(routeros_requests_total{outcome=\"ok\"})").await > 0.0);
    assert!(server.value("histogram_quantile(0.9, sum by (le) (store_commit_duration_seconds_bucket))").await > 0.0);
    let metadata = server.ask("/api/v1/targets/metadata?metric=mcp_guards_armed").await.unwrap();
    assert_eq!(metadata["data"][0]["type"], "gauge", "{metadata}");
    let rules = server.ask("/api/v1/rules").await.unwrap();
    let health = |rule: &Value| rule["health"].as_str().unwrap_or_default().to_owned();
    let healths: Vec<String> = rules["data"]["groups"][0]["rules"].as_array().unwrap().iter().map(health).collect();
    assert!(healths.len() > 10 && healths.iter().all(|health| health != "err"), "{rules}");
    drop(server);
    web.close().await;
}
