//! Local operations beside the catalogue: what the command line asks of the process that holds the store.

use crate::access::principal::Principal;
use crate::app::first_run::{Door, FirstRun};
use crate::app::{audit_dir, keys};
use crate::audit::{self, Format, Reach};
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::ids::{hex, random};
use crate::control;
use crate::dispatch::Dispatch;
use crate::host::paths::Places;
use crate::mcp;
use crate::store::{Seal, reseal, seal};
use crate::tools::spec::Audience;
use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, OnceLock};

impl control::Ops for Ops {
    fn run(&self, op: &str, arguments: Map<String, Value>) -> Option<BoxFuture<'static, Result<Value, Fault>>> {
        let (ops, op) = (self.clone(), op.to_owned());
        Some(Box::pin(async move { Ops::run(&ops, &op, Value::Object(arguments)).await }))
    }
}

/// Local operations beside the catalogue.
#[derive(Clone)]
pub struct Ops {
    pub(super) dispatch: Arc<Dispatch>,
    pub(super) principal: Principal,
    pub(super) places: Places,
    pub(super) seal: Arc<Seal>,
    /// The configuration gives the master key.
    pub(super) is_configured: bool,
    pub(super) door: Arc<OnceLock<Door>>,
}

impl Ops {
    /// Runs one by name.
    pub async fn run(&self, name: &str, arguments: Value) -> Result<Value, Fault> {
        match name {
            "tools.list" => {
                let listed = self.dispatch.list(&self.principal, Audience::Model);
                let tools: Result<Vec<Value>, _> = listed.iter().map(|tool| serde_json::to_value(mcp::tools::listed(tool))).collect();
                Ok(json!({"tools": tools.map_err(Fault::bug)?}))
            }
            "listener" => {
                let door = self.door.get();
                Ok(json!({"url": door.map(Door::local), "at": door.map(Door::all).unwrap_or_default()}))
            }
            "audit.export" => {
                let made = self.export(&arguments).await;
                let given = arguments.as_object().cloned().unwrap_or_default();
                let outcome = made.as_ref().err().map(|fault| fault.kind);
                self.dispatch.note(&Principal::operator(), "audit.export", &given, outcome).await?;
                made
            }
            "backup.restored" => {
                let given = arguments.as_object().cloned().unwrap_or_default();
                self.dispatch.note(&Principal::operator(), "backup.restore", &given, None).await?;
                Ok(json!({}))
            }
            "key.rotate" => {
                let made = self.rotate(&arguments).await;
                let outcome = made.as_ref().err().map(|fault| fault.kind);
                // The new key is no matter for the trail.
                self.dispatch.note(&Principal::operator(), "key.rotate", &Map::new(), outcome).await?;
                made
            }
            "setup.token" => {
                let made = self.first_run().await;
                let outcome = made.as_ref().err().map(|fault| fault.kind);
                self.dispatch.note(&Principal::operator(), "setup.token", &Map::new(), outcome).await?;
                serde_json::to_value(made?).map_err(Fault::bug)
            }
            other => {
                Err(Fault::bad_input(format!("unknown operation: {other}"))
                    .hint("the running appliance may be another version: restart it"))
            }
        }
    }

    /// The address at which the first administrator is made.
    ///
    /// Errs with `Conflict` once there is a user, and where nothing listens.
    pub async fn first_run(&self) -> Result<FirstRun, Fault> {
        let Some(door) = self.door.get() else {
            return Err(Fault::new(Kind::Conflict, "no daemon runs here, so there is no address to open")
                .hint("`routeros-mcp serve` listens, and prints the address when it starts"));
        };
        FirstRun::open(&self.dispatch.world().access, door, &self.places).await
    }

    /// Writes the trail with a signed head to a file of its own; the signing key stays here.
    async fn export(&self, arguments: &Value) -> Result<Value, Fault> {
        let format = if arguments["format"] == "csv" { Format::Csv } else { Format::Json };
        let since = arguments["since"].as_i64().map(Wall);
        let reach = if arguments["archives"] == true { Reach::WithArchives } else { Reach::Trail };
        let key = audit::sign::box_key(&self.dispatch.world().store, &self.seal).await?;
        let (dir, path) = (audit_dir(&self.places), self.places.runtime.join(format!("export-{}", hex(&random::<8>()))));
        let to = path.clone();
        let write = move || -> Result<(), Fault> {
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&to);
            let mut file = BufWriter::new(file.map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))?);
            audit::export(&dir, reach, format, since, Some(&key), &mut file)?;
            file.flush().map_err(|error| Fault::new(Kind::Storage, format!("export file: {error}")))
        };
        tokio::task::spawn_blocking(write).await.map_err(Fault::bug)??;
        Ok(json!({"path": path}))
    }

    /// Seals everything anew, under the key that is given or a random one.
    async fn rotate(&self, arguments: &Value) -> Result<Value, Fault> {
        let key = |text| {
            let wrong = || Fault::bad_input("a master key is 32 bytes in base64").hint("make one with: head -c 32 /dev/urandom | base64");
            seal::parse_master(text).ok_or_else(wrong)
        };
        let new = arguments["key"].as_str().map(key).transpose()?;
        let (store, file, before) = (&self.dispatch.world().store, self.places.master_key(), self.seal.key_id());
        let sealed = reseal::rotate(store, &self.seal, &keys::sealed(), &file, new, self.is_configured).await?;
        let lies = if self.is_configured { reseal::next_file(&file) } else { file };
        Ok(json!({"before": before, "key_id": self.seal.key_id(), "sealed": sealed, "file": lies, "configured": self.is_configured}))
    }
}
