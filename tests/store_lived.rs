//! Stores that were lived in, of every release: `tests/data/store/vN-lived.redb.gz`, made by the appliance of that time with
//! routers, people, plans and whatever else it keeps. Today's appliance opens each, loses no row and reads them all.
//!
//! `BLESS=1` makes the one of today's schema if it is missing, and never touches another. What each record looks like, byte for
//! byte, is kept apart, in `tests/data/store/shapes/` (`store::golden`).

use crate::plan_tools::opened;
use crate::site::Site;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::store::{Options, SCHEMA, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Largest file kept in the repository.
const LARGEST_BYTES: u64 = 50_000;
const KEY: &str = "KioqKioqKioqKioqKioqKioqKioqKioqKioqKioqKio=";
const FLAGS: &[(&str, &str)] =
    &[("encryption_key", KEY), ("health_check.enabled", "false"), ("snapshot.enabled", "false"), ("mcp.toolsets", "all")];
/// Tables that have to be in it. The others take days or the world outside: an hour of use, a certificate authority, a release.
const TABLES: &[&str] = &[
    "api_token",
    "appliance",
    "config_head",
    "config_piece",
    "config_snapshot",
    "credential",
    "device",
    "device_status",
    "health_hour",
    "identity",
    "local_user",
    "menu_learnt",
    "meta",
    "plan",
    "plan_draft",
    "plan_progress",
    "registration",
    "sign_in_failures",
    "switches",
    "vault",
];

fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/store")
}

fn counts(path: &Path) -> BTreeMap<String, u64> {
    let store = Store::open(Options { volatile_ok: true, ..Options::at(path) }).unwrap();
    store.tables().unwrap().into_iter().filter(|(_, rows)| *rows > 0).collect()
}

#[tokio::test]
async fn a_store_of_every_release_opens_keeps_every_row_and_is_read_to_the_last() {
    let newest = dir().join(format!("v{SCHEMA}-lived.redb.gz"));
    if std::env::var_os("BLESS").is_some() && !newest.exists() {
        bless(&newest).await;
    }
    for schema in 1..=SCHEMA {
        let kept = dir().join(format!("v{schema}-lived.redb.gz"));
        let size = std::fs::metadata(&kept).unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 makes it", kept.display())).len();
        assert!(size < LARGEST_BYTES, "{}: {size} bytes", kept.display());
        let text = std::fs::read_to_string(kept.with_extension("").with_extension("json")).unwrap();
        opens(&kept, &serde_json::from_str(&text).unwrap()).await;
    }
}

async fn bless(path: &Path) {
    let site = lived().await;
    let state = site.close().await;
    let store = state.path().join("state/routeros-mcp.redb");
    let rows = counts(&store);
    // Of the file, without the room it once took.
    let small = state.path().join("small.redb");
    let opened = Store::open(Options::at(&store)).unwrap();
    opened.copy_to(&small).await.unwrap();
    opened.close().await.unwrap();
    let mut packed = GzEncoder::new(File::create(path).unwrap(), Compression::best());
    io::copy(&mut File::open(small).unwrap(), &mut packed).unwrap();
    packed.finish().unwrap().sync_all().unwrap();
    std::fs::write(path.with_extension("").with_extension("json"), serde_json::to_string_pretty(&rows).unwrap() + "\n").unwrap();
}

/// Some days of an appliance, in seconds.
async fn lived() -> Site {
    let mut site = Site::bare(FLAGS).await;
    site.adopt(Profile::HomeAp, "edge", opened()).await;
    site.adopt(Profile::Chr, "core", json!({"tags": ["site=north"]})).await;
    let act = async |tool: &str, arguments: Value| {
        let reply = site.operator(tool, arguments).await;
        assert!(reply.fault.is_none(), "{tool}: {}", reply.text);
        reply.structured
    };
    for (name, role) in [("anna", "approver"), ("ben", "admin")] {
        act("user.add", json!({"name": name, "role": role, "password": "correct horse battery"})).await;
    }
    act("user.link", json!({"name": "anna", "identity": "https://login.example|00u1"})).await;
    act(
        "token.create",
        json!({"name": "prometheus", "role": "read_only", "digest": "ab".repeat(32), "devices": ["all"], "expires": "90d"}),
    )
    .await;
    let _ = site.operator("user.check", json!({"name": "anna", "password": "wrong"})).await;
    act("registration.create", json!({"name": "attic", "url": "https://mcp.example.net:8443"})).await;
    let binding = |name: &str| json!({"name": name, "menus": ["/ppp/secret"], "devices": ["all"]});
    act("secret.set", binding("made")).await;
    let mut given = binding("given");
    given["secret"] = "a planted passphrase".into();
    act("secret.set", given).await;
    act("settings.set_switches", json!({"no_tools": false, "disable_tools": ["diagnose.ping"], "reason": "noisy"})).await;
    for device in ["edge", "core"] {
        site.good("system.get_overview", json!({"device": device})).await;
        act("config.take_snapshot", json!({"device": device})).await;
    }
    site.good("fleet.get_summary", json!({"refresh": true})).await;
    let dns = |name: &str| json!({"devices": ["edge"], "reason": "a record", "edits": [{"menu": "/ip/dns/static", "op": "add", "values": {"name": name, "address": "192.0.2.6"}}]});
    let made = site.good("plan.create", dns("nvr.lan")).await.structured["id"].clone();
    site.good("plan.apply", json!({"plan_id": made, "wait_seconds": 55})).await;
    site.good("plan.create", dns("draft.lan")).await;
    site
}

async fn opens(kept: &Path, rows: &BTreeMap<String, u64>) {
    let missing: Vec<&&str> = TABLES.iter().filter(|table| !rows.contains_key(**table)).collect();
    assert!(missing.is_empty(), "{}: nothing in {missing:?}, only in {:?}", kept.display(), rows.keys());
    let site = Site::bare(FLAGS).await;
    let state = site.close().await;
    let store = state.path().join("state/routeros-mcp.redb");
    io::copy(&mut GzDecoder::new(File::open(kept).unwrap()), &mut File::create(&store).unwrap()).unwrap();
    assert_eq!(counts(&store), *rows, "{}", kept.display());
    let site = Site::over(state, FLAGS).await;
    let shown = async |tool: &str| {
        let reply = site.operator(tool, json!({})).await;
        assert!(reply.fault.is_none(), "{}: {tool}: {}", kept.display(), reply.text);
        let listed = &reply.structured;
        let rows = listed["rows"].as_array().or_else(|| listed.as_array()).map(Vec::len);
        rows.unwrap_or_else(|| panic!("{tool}: {listed}")) as u64
    };
    for (table, tool) in [
        ("device", "device.list"),
        ("plan", "plan.list"),
        ("local_user", "user.list"),
        ("api_token", "token.list"),
        ("registration", "registration.list"),
        ("vault", "secret.list"),
    ] {
        assert_eq!(shown(tool).await, rows[table], "{}: {tool}", kept.display());
    }
    let world = site.app.dispatch.world();
    let (mut samples, mut snapshots) = (0, 0);
    for device in world.fleet.list() {
        samples += world.history.since(&device.id, routeros_mcp::base::clock::Wall(0)).unwrap().len();
        snapshots += world.configs.list(&device.id).unwrap().len() as u64;
    }
    assert!(samples > 0 && snapshots == rows["config_snapshot"], "{samples} samples, {snapshots} snapshots");
    for plan in world.plans.list().unwrap() {
        let (plan, devices) = world.plans.plan(&plan.id).unwrap();
        assert_eq!(devices.len(), plan.devices.len());
    }
    let switches = site.operator("settings.get", json!({})).await.structured;
    assert!(switches.to_string().contains("noisy"), "{switches}");
    // What is sealed opens under its key.
    let login = world.access.authenticate("anna", routeros_mcp::base::secret::Secret::new("correct horse battery")).await;
    assert!(login.is_ok(), "a password of then is good today");
    let state = site.close().await;
    let after = counts(&state.path().join("state/routeros-mcp.redb"));
    // Whoever signs in has no failures any more.
    let lost: Vec<_> = rows.iter().filter(|(table, n)| *table != "sign_in_failures" && after.get(*table) < Some(*n)).collect();
    assert!(lost.is_empty(), "{}: {lost:?}, now {after:?}", kept.display());
}
