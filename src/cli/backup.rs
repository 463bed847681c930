//! `backup …`: making, checking and restoring backups of this appliance.

use crate::backup::{self, Opener};
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::base::secret::Secret;
use crate::cli::args::{BackupCommand, BackupCreate, BackupOpen, BackupRestore};
use crate::cli::fault::unreadable;
use crate::cli::reach::{self, Way};
use crate::cli::told::Told;
use crate::cli::{output, prompt};
use crate::config::Loaded;
use crate::control::client;
use crate::shape::table;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Longest file of identities, bytes.
const IDENTITIES_MAX: u64 = 64 << 10;

/// Runs one subcommand.
pub async fn run(loaded: &Loaded, command: BackupCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        // These two look at a file, whoever holds the store.
        BackupCommand::Verify(open) => return verify(loaded, &open, as_json).await,
        BackupCommand::Restore(restore) => return self::restore(loaded, &restore, as_json).await,
        _ => {}
    }
    let way = reach::find(loaded).await?;
    let done = match command {
        BackupCommand::Create(create) => self::create(&way, loaded, create, as_json).await,
        BackupCommand::List => list(&way, as_json).await,
        BackupCommand::Remove { name, yes } => remove(&way, &name, yes, as_json).await,
        BackupCommand::Verify(_) | BackupCommand::Restore(_) => Ok(()),
    };
    way.close().await;
    done
}

async fn create(way: &Way, loaded: &Loaded, create: BackupCreate, as_json: bool) -> Result<(), Fault> {
    let mut arguments = json!({"recipients": create.recipients, "include_master_key": create.include_master_key});
    if let Some(path) = &create.passphrase_file {
        warn_if_open(path);
        arguments["passphrase"] = prompt::password_from_file(path)?.expose().into();
    }
    if let Some(out) = create.out.as_deref().filter(|out| out.exists()) {
        return Err(
            Fault::new(Kind::Conflict, format!("{} is there already", out.display())).hint("choose another name; nothing is written over")
        );
    }
    let mut made = way.operator("backup.create", arguments).await?;
    if let Some(out) = &create.out {
        move_to(&Told::of(way, loaded, &loaded.config.backup.path, &made["path"])?, out)?;
        made["path"] = out.display().to_string().into();
    }
    if as_json {
        output::json(&made);
    } else {
        let text = |name: &str| table::cell(&made[name]);
        output::text(&format!(
            "{} ({} bytes, {} rows, audit trail up to {})",
            text("path"),
            text("bytes"),
            text("rows"),
            text("audit_seq")
        ));
        for key in made["left_out"].as_array().into_iter().flatten() {
            output::text(&format!("not in it: {}", table::cell(key)));
        }
        if made["has_master_key"] == false {
            output::text(&format!("not in it: the master key ({}); keep a copy of it elsewhere", text("key_id")));
        }
    }
    Ok(())
}

/// Out of backup.path, which may be another file system.
fn move_to(told: &Told, to: &Path) -> Result<(), Fault> {
    let mut from = told.read()?;
    let mut copy = || -> io::Result<()> {
        let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut from, &mut out)?;
        out.sync_all()?;
        told.remove()
    };
    copy().map_err(|error| {
        Fault::new(Kind::Storage, format!("{}: {error}", to.display())).hint(format!("the backup is whole at {}", told.path().display()))
    })
}

async fn list(way: &Way, as_json: bool) -> Result<(), Fault> {
    let mut found = way.operator("backup.list", json!({})).await?;
    if as_json {
        output::json(&found["rows"].take());
        return Ok(());
    }
    match found["rows"].as_array() {
        Some(rows) if !rows.is_empty() => output::rows(&["name", "made_at", "bytes"], rows),
        _ => output::text(&format!("no backups in {} yet: `routeros-mcp backup create` makes one", table::cell(&found["path"]))),
    }
    Ok(())
}

async fn remove(way: &Way, name: &str, yes: bool, as_json: bool) -> Result<(), Fault> {
    if !yes && prompt::someone_there() {
        prompt::yes(&format!("Delete backup {name}?"), "--yes")?;
    }
    let gone = way.operator("backup.remove", json!({"name": name})).await?;
    if as_json {
        output::json(&gone);
    } else {
        output::text(&format!("{} is gone", table::cell(&gone["name"])));
    }
    Ok(())
}

async fn verify(loaded: &Loaded, open: &BackupOpen, as_json: bool) -> Result<(), Fault> {
    let places = crate::app::places(loaded);
    places.create()?;
    let manifest = backup::verify(&open.file, &opener(open)?, &places.state).await?;
    if as_json {
        output::json(&serde_json::to_value(&manifest).map_err(Fault::bug)?);
        return Ok(());
    }
    let rows: u64 = manifest.tables.values().sum();
    output::text(&format!(
        "whole: made {} by version {} in {}; {rows} rows, audit trail up to {}, secrets under master key {}{}",
        manifest.made_at,
        manifest.version,
        manifest.environment,
        manifest.audit.seq,
        manifest.key_id,
        if manifest.has_master_key() { ", which is in it" } else { "" }
    ));
    Ok(())
}

async fn restore(loaded: &Loaded, restore: &BackupRestore, as_json: bool) -> Result<(), Fault> {
    let places = crate::app::places(loaded);
    places.create()?;
    if client::hello(&places.control_socket()).await.is_ok() {
        return Err(Fault::new(Kind::Conflict, "the appliance runs, and nothing is put in its place meanwhile")
            .hint("stop it first: systemctl stop routeros-mcp"));
    }
    let target = crate::app::restore_target(loaded);
    if target.store.exists() && !restore.yes {
        prompt::yes(&format!("Put {} in the place of what is in {}?", restore.open.file.display(), places.state.display()), "--yes")?;
    }
    let now = Clock::system().wall();
    let done = backup::restore(&restore.open.file, &opener(&restore.open)?, &target, restore.without_secrets, now).await?;
    let told = told(loaded, &done).await;
    if as_json {
        output::json(&json!({
            "manifest": done.manifest, "before": done.before, "config": done.config, "with_master_key": done.with_master_key,
            "new_master_key": done.new_master_key,
            "missing": done.missing, "switches": done.switches, "switches_lost": done.switches_lost, "audited": told.is_ok(),
        }));
        return told;
    }
    output::text(&format!("restored what was made {} by version {}", done.manifest.made_at, done.manifest.version));
    if let Some(before) = &done.before {
        output::text(&format!("what was here before is in {}", before.display()));
    }
    output::text(&format!("its settings are in {}; look through them and put them into your configuration file", done.config.display()));
    if let Some(switches) = &done.switches {
        output::text(&format!("stays as it was before the restore, and is changed under Settings: {switches}"));
    }
    if let Some(why) = &done.switches_lost {
        eprintln!("note: what was switched off here could not be read ({why}); set the kill switches again before anybody works with it");
    }
    if done.new_master_key {
        output::text(&format!(
            "no master key was here: a new one is in {0}; with the old one ({1}) in its place, restoring again with --yes brings the secrets back",
            target.key_file.display(),
            done.manifest.key_id
        ));
    }
    for missing in &done.missing {
        output::text(&format!("enter again: {missing}{}", how(missing)));
    }
    if !done.missing.is_empty() {
        output::text("stays as it was: API tokens and who may do what; sign-ins are void");
    }
    told
}

/// How something is entered again.
fn how(missing: &str) -> &'static str {
    match missing.split(':').next().unwrap_or_default() {
        "logins of routers" => " (device update NAME --password-file FILE, for each)",
        "passwords of local users" => " (user password NAME, for each)",
        "secrets in the vault" => " (secret set NAME, for each)",
        "keys of this appliance itself" => " (made anew by themselves; a webhook's secret is not)",
        _ => "",
    }
}

/// The trail learns of it; it is this box's own, whatever was restored.
async fn told(loaded: &Loaded, done: &backup::Restored) -> Result<(), Fault> {
    let way = reach::find(loaded).await?;
    let about = json!({"made_at": done.manifest.made_at, "version": done.manifest.version, "audit_seq": done.manifest.audit.seq, "audit_hash": done.manifest.audit.hash});
    let told = way.op("backup.restored", about).await;
    way.close().await;
    told.map(drop)
}

fn opener(open: &BackupOpen) -> Result<Opener, Fault> {
    match (&open.passphrase_file, &open.identity) {
        (Some(path), _) => {
            warn_if_open(path);
            Ok(Opener::Passphrase(prompt::password_from_file(path)?))
        }
        (None, Some(path)) => {
            warn_if_open(path);
            let mut text = String::new();
            let read = std::fs::File::open(path).and_then(|file| file.take(IDENTITIES_MAX).read_to_string(&mut text));
            read.map_err(|error| unreadable(path, &error))?;
            Ok(Opener::Identities(Secret::new(text)))
        }
        (None, None) if prompt::someone_there() => Ok(Opener::Passphrase(prompt::password("Passphrase of the backup")?)),
        (None, None) => Err(prompt::missing(&["--identity or --passphrase-file"])),
    }
}

fn warn_if_open(path: &Path) {
    if let Some(warning) = prompt::readable_by_others(path) {
        eprintln!("note: {warning}");
    }
}

/// `key rotate`.
pub async fn rotate(way: &Way, new_key_file: Option<&Path>, as_json: bool) -> Result<(), Fault> {
    let mut arguments = json!({});
    if let Some(path) = new_key_file {
        warn_if_open(path);
        arguments["key"] = prompt::password_from_file(path)?.expose().into();
    }
    let done: Value = way.op("key.rotate", arguments).await?;
    if as_json {
        output::json(&done);
        return Ok(());
    }
    let text = |name: &str| table::cell(&done[name]);
    output::text(&format!("{} values are sealed under key {} now, and none under {}", text("sealed"), text("key_id"), text("before")));
    if done["configured"] == true {
        output::text(&format!(
            "set encryption_key to what {} holds before the next start; until then that file is needed, and afterwards it is removed",
            text("file")
        ));
    }
    Ok(())
}
