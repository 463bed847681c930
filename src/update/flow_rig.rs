//! A box whose processes come and go while its disk stays, for tests of updates from end to end.

use crate::base::clock::{Clock, Hand, Wall};
use crate::base::events::Bus;
use crate::host::outgoing::Outgoing;
use crate::store::{Durability, Options, Store};
use crate::update::bundle::{MANIFEST, SIGNATURE};
use crate::update::install::Way;
use crate::update::manifest::Here;
use crate::update::samples::*;
use crate::update::snapshot::Snapshots;
use crate::update::start::{self, Start};
use crate::update::{Parts, Settings, Source, Updates, Word};
use serde_json::Value;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

pub const NOW: Wall = Wall(1_795_737_600_000);

/// A box: its disk stays, its processes come and go.
pub struct Place {
    pub site: Site,
    pub state: tempfile::TempDir,
    pub clock: Clock,
    pub hand: Arc<Hand>,
    pub url: Option<String>,
    pub by_root: bool,
}

pub struct Life {
    pub store: Store,
    pub updates: Updates,
}

impl Place {
    pub fn new() -> Place {
        let (clock, hand) = Clock::by_hand(NOW);
        let state = tempfile::tempdir_in(concat!(env!("CARGO_MANIFEST_DIR"), "/target")).unwrap();
        Place { site: Site::new(), state, clock, hand, url: None, by_root: false }
    }

    pub fn store(&self) -> PathBuf {
        self.state.path().join("s.redb")
    }

    pub fn epoch(&self) -> PathBuf {
        self.state.path().join("epoch")
    }

    /// A start with the version that `current` names.
    pub async fn live(&self) -> Life {
        let way = match self.by_root {
            true => Way::Unit(self.site.layout.clone()),
            false => Way::Own(self.site.layout.clone()),
        };
        let mut version = self.site.layout.current().unwrap();
        if let Start::Become(_) = start::at_start(&way, &version).unwrap() {
            version = self.site.layout.current().unwrap();
        }
        Snapshots::beside(&self.store()).put_back(&self.site.layout, &self.store(), &self.epoch()).await.unwrap();
        let store = Store::open(Options { volatile_ok: true, ..Options::at(self.store()) }).unwrap();
        let dir = self.state.path().join("update");
        fs::create_dir_all(&dir).unwrap();
        let settings = Settings {
            url: self.url.clone(),
            keys: keys(),
            here: Here { version, ..here() },
            way,
            dir,
            store: self.store(),
            key_file: self.state.path().join("master.key"),
            config: None,
            // Whatever the service has set: it is the copies that are tried.
            environment: vec![("ROUTEROS_MCP_STORE_PATH".into(), "/the/real/one".into())],
            root_answers: Duration::from_secs(2),
        };
        let (clock, outgoing) = (self.clock.clone(), Outgoing::new(true));
        let parts = Parts { store: store.clone(), clock, meter: Default::default(), bus: Bus::default(), outgoing, settings };
        let updates = Updates::open(parts);
        updates.settle().await.unwrap();
        Life { store, updates }
    }
}

impl Life {
    pub async fn end(self) {
        drop(self.updates);
        self.store.close().await.unwrap();
    }

    /// Lays a bundle where uploads are, and stages it.
    pub async fn stage(&self, bundle: &[u8]) -> Result<String, crate::base::fault::Fault> {
        let (mut file, name) = self.updates.upload()?;
        file.write_all(bundle).unwrap();
        drop(file);
        Ok(self.updates.stage(Source::Upload(name)).await?.offer.version)
    }

    pub async fn put(&self, text: &str) {
        self.store.commit(crate::store::Batch::new().put("test", "said", text.as_bytes().to_vec()), Durability::Now).await.unwrap();
    }

    pub fn said(&self) -> String {
        self.store.get("test", "said").unwrap().map(|bytes| String::from_utf8(bytes).unwrap()).unwrap_or_default()
    }
}

pub fn bundle(manifest: &Value, artifact: &[u8]) -> Vec<u8> {
    let manifest = serde_json::to_vec(manifest).unwrap();
    let signature = sign(&manifest, "daily");
    let file = |name, bytes| Entry { name, kind: tar::EntryType::Regular, link: "", bytes };
    archive(&[file(MANIFEST, &manifest), file(SIGNATURE, &signature), file("routeros-mcp-1.1.0.tar.gz", artifact)])
}

pub fn good() -> Vec<u8> {
    let (artifact, manifest) = release();
    bundle(&manifest, &artifact)
}

pub fn word(version: &str) -> Word {
    Word { version: version.into(), digest: None, by: "anna".into(), had_routers: false }
}

/// Serves some files by their last name, until the process ends.
pub fn serve(files: Vec<(&'static str, Vec<u8>)>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut asked = [0; 2_048];
            let read = stream.read(&mut asked).unwrap_or(0);
            let head = String::from_utf8_lossy(&asked[..read]).into_owned();
            let path = head.split(' ').nth(1).unwrap_or_default();
            let found = files.iter().find(|(name, _)| path == format!("/stable/{name}"));
            let (status, body) = found.map_or(("404 Not Found", &[][..]), |(_, bytes)| ("200 OK", bytes));
            let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            let _ = stream.write_all(body);
        }
    });
    format!("http://{at}")
}

/// What was `before`, switched to 1.1.0, which changes the store's shape, and kept; and the manifest of 1.1.0.
pub async fn kept_in_another_shape(place: &Place) -> (Life, Value) {
    let life = place.live().await;
    life.put("before").await;
    let (artifact, mut manifest) = release();
    manifest["schema"]["store"] = serde_json::json!(2);
    life.stage(&bundle(&manifest, &artifact)).await.unwrap();
    life.updates.apply(word("1.1.0")).await.unwrap();
    life.end().await;
    let life = place.live().await;
    life.updates.commit().await.unwrap();
    (life, manifest)
}
