//! No secret leaves: canaries planted in every router, and the password we log in with, are looked for in every byte that comes
//! out and every byte that is kept.

use super::{fitting, for_any_router, menus};
use crate::cli_rig::files;
use crate::site::{Site, arrival};
use routeros_mcp::audit::{self, Format};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// Passwords that go in: of the routers' users, and one for a router that is added in vain.
const PASSWORDS: [&str; 4] = ["sim-mcp-pass", "sim-admin-pass", "sim-monitor-pass", "CANARY-in-vain"];

/// Every secret value the simulated routers hold.
fn canaries() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sim/profiles");
    let mut found = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text = std::fs::read_to_string(file).unwrap();
        found.extend(text.split(['=', ' ', '\n', '"']).filter(|word| word.starts_with("CANARY")).map(str::to_owned));
    }
    found.extend(PASSWORDS.map(str::to_owned));
    // Of 180 subscribers, made by code.
    found.extend((0..180).map(|n| format!("CANARY-ppp-{n:04}")));
    found
}

/// Everything that is logged, at the finest level.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Captured {
    type Writer = Captured;

    fn make_writer(&'a self) -> Captured {
        self.clone()
    }
}

fn look(what: &str, bytes: &[u8], canaries: &BTreeSet<String>) {
    // All but three begin alike, so that one search finds most of them.
    let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    let leaked: Vec<&str> = if has("CANARY") || PASSWORDS.iter().any(|word| has(word)) {
        canaries.iter().map(String::as_str).filter(|word| has(word)).collect()
    } else {
        Vec::new()
    };
    assert!(leaked.is_empty() && !has("CANARY"), "{what} holds {leaked:?}");
}

#[tokio::test]
async fn no_secret_leaves_a_full_run_by_any_way() {
    let log = Captured::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false).with_writer(log.clone()).finish();
    // In a process of its own (nextest) this test has all there is; beside others it hears them too.
    let alone = tracing::subscriber::set_global_default(subscriber).is_ok();
    let canaries = canaries();
    assert!(canaries.len() >= 200, "only {} canaries", canaries.len());

    let site = Site::of(&Profile::ALL, &[]).await;
    let mut planted = 0;
    for profile in Profile::ALL {
        planted += site.sim(profile.name()).world().plant_secrets(|path, name| format!("CANARY-in{path}/{name}")).len();
    }
    assert!(planted >= 80, "only {planted} secrets planted");
    let mut calls = everything(&site).await;
    calls += guesses(&site).await;
    site.operator("device.list", json!({})).await;
    in_vain(&site).await;

    let heard = std::mem::take(&mut *site.heard.lock().unwrap());
    for (tool, result) in &heard {
        look(tool, result.to_string().as_bytes(), &canaries);
    }
    let shown = heard.iter().filter(|(_, result)| result.to_string().contains("(secret)")).count();
    println!("{calls} calls, {} answers, {shown} of them with secrets hidden", heard.len());
    assert!(calls >= 400 && shown >= 15, "{calls} calls, {shown} with secrets");

    for format in ["json", "csv"] {
        let made = site.app.ops().run("audit.export", json!({"format": format})).await.unwrap();
        let export = std::fs::read(made["path"].as_str().unwrap()).unwrap();
        assert!(export.len() > 50_000, "{format}: {} bytes", export.len());
        look(&format!("the {format} export"), &export, &canaries);
    }
    let runtime = site.app.places.runtime.clone();
    let dir = site.close().await;
    let kept = files(dir.path());
    assert!(runtime.is_dir(), "searched too");
    let names: Vec<String> = kept.iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    assert!(
        names.iter().any(|name| name.ends_with(".redb")) && kept.iter().any(|path| path.components().any(|c| c.as_os_str() == "audit")),
        "{names:?}"
    );
    for path in kept.iter().chain(&files(&runtime)) {
        look(&path.display().to_string(), &std::fs::read(path).unwrap(), &canaries);
    }
    let log = std::mem::take(&mut *log.0.lock().unwrap());
    assert!(!alone || log.len() > 10_000, "the log was not captured: {} bytes", log.len());
    look("the log", &log, &canaries);
    println!("{} files and {} bytes of log searched", kept.len(), log.len());
}

/// Every tool on every router, and every menu of each, whole and by the fields that hurt.
async fn everything(site: &Site) -> usize {
    let mut calls = 0;
    for profile in Profile::ALL {
        for tool in for_any_router() {
            site.good(tool.name, fitting(tool, profile.name())).await;
            calls += 1;
        }
        for menu in menus::menus_of(profile) {
            site.good("menu.read", json!({"device": profile.name(), "menu": menu, "limit": 500})).await;
            let secret = ["password", "secret", "private-key", "preshared-key", "passphrase", "wpa2-pre-shared-key", "tcp-md5-key", "name"];
            for field in secret {
                let reply = site.call("menu.read", json!({"device": profile.name(), "menu": menu, "fields": [field], "limit": 500})).await;
                // A name that is nearly one of the menu's is refused as a slip.
                assert!(reply.fault.is_none() || reply.text.contains("has no attribute"), "{menu} {field}: {}", reply.text);
            }
            calls += 1 + secret.len();
        }
        let export = site.app.dispatch.world().audit.page(&audit::Filter::default(), None, 10).unwrap();
        assert!(!export.rows.is_empty());
    }
    calls
}

/// Questions whose answers would tell a secret bit by bit; none of the guesses stays anywhere either.
async fn guesses(site: &Site) -> usize {
    let guesses = [
        ("/ppp/secret", "password", "CANARY-ppp-password"),
        ("/ppp/secret", "password~", "CANARY"),
        ("/snmp/community", "name", "CANARY-snmp-community"),
        ("/snmp/community", "_key", "CANARY-snmp-community"),
        ("/snmp/community", "_key~", "CANARY"),
        ("/radius", "secret", "CANARY-radius-secret"),
        ("/interface/wireguard", "private-key~", "CANARY"),
    ];
    for (menu, name, value) in guesses {
        let reply = site.call("menu.read", json!({"device": "office", "menu": menu, "where": {name: value}})).await;
        let none = reply.structured.get("total").is_none_or(|total| total == 0);
        assert!(reply.fault.is_some() || none, "{menu} {name}: {}", reply.text);
    }
    guesses.len()
}

/// A router that cannot be added leaves nothing of its password; neither does an unknown tool or a wrong argument.
async fn in_vain(site: &Site) {
    let sim = Sim::start(Options { plain: false, ..Options::new(Profile::HomeAp, "in-vain") }).await.unwrap();
    let mut arguments = arrival("in-vain", &sim);
    arguments.insert("password".into(), "CANARY-in-vain".into());
    let arguments = Value::Object(arguments);
    assert!(site.operator("device.add", arguments.clone()).await.fault.is_some());
    let mut wrong = arguments.clone();
    wrong["password"] = json!(["CANARY-in-vain"]);
    assert!(site.operator("device.add", wrong).await.fault.is_some());
    assert!(site.call("device.add", arguments.clone()).await.unknown_tool);
    assert!(site.call("no.such_tool", arguments).await.unknown_tool);
    assert!(site.call("device.list", json!({"password": "CANARY-in-vain"})).await.fault.is_some());
}

#[tokio::test]
async fn the_printed_catalogue_holds_no_value_of_any_router() {
    for arguments in [&["catalog"][..], &["catalog", "--markdown"], &["config", "default"], &["version", "--json"]] {
        let done = Command::new(env!("CARGO_BIN_EXE_routeros-mcp")).args(arguments).env("ROUTEROS_MCP_CONFIG_FILE", "").output().unwrap();
        assert!(done.status.success() && done.stdout.len() > 20, "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        look(&arguments.join(" "), &done.stdout, &canaries());
    }
}

#[tokio::test]
async fn an_export_is_refused_when_the_trail_was_touched() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    for _ in 0..5 {
        site.good("device.list", json!({})).await;
    }
    let dir = site.close().await;
    let trail = dir.path().join("state/audit");
    let before = audit::verify(&trail).unwrap();
    assert!(before.records >= 7);
    let segment = files(&trail).into_iter().max_by_key(|path| path.metadata().unwrap().len()).unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    assert!(audit::verify(&trail).is_err());
    assert!(audit::export(&trail, audit::Reach::Trail, Format::Json, None, None, &mut Vec::new()).is_err());
}
