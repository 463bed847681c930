//! `update …`: another version of this program, looked for, tried out, and switched to on a person's word.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::{UpdateApply, UpdateCommand, UpdatePerson};
use crate::cli::fault::{io_words, unreadable};
use crate::cli::person::as_person;
use crate::cli::reach::Way;
use crate::cli::{output, prompt, told};
use crate::config::{self, Inputs, Loaded, Problem};
use crate::host::files::HeldDir;
use crate::shape::table;
use crate::store;
use crate::update::UpdateError;
use crate::update::manifest::Here;
use crate::update::root;
use crate::update::signature::Keys;
use crate::update::swap::Layout;
use serde_json::{Value, json};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A new version answers within; then it is on its own, and `update status` tells.
const COMES_UP: Duration = Duration::from_secs(60);
/// Asked so often.
const PAUSE: Duration = Duration::from_millis(500);
/// Of a bundle, copied at a time.
const COPIED_BYTES: usize = 64 << 10;

/// Runs one subcommand.
pub async fn run(way: &Way, loaded: &Loaded, command: UpdateCommand, as_json: bool) -> Result<(), Fault> {
    match command {
        UpdateCommand::Status => show(&way.operator("update.get_status", json!({})).await?, as_json),
        UpdateCommand::Check => show(&way.operator("update.check", json!({})).await?, as_json),
        UpdateCommand::Stage { file } => show(&stage(way, loaded, file.as_deref()).await?, as_json),
        UpdateCommand::Apply(asked) => apply(way, loaded, asked, as_json).await,
        UpdateCommand::RollBack { person, yes } => roll_back(way, loaded, person, yes, as_json).await,
        UpdateCommand::HandOver { .. } | UpdateCommand::StandBy { .. } => Err(Fault::bug("root's part came to the service's")),
    }
}

async fn stage(way: &Way, loaded: &Loaded, file: Option<&Path>) -> Result<Value, Fault> {
    let Some(file) = file else { return way.operator("update.stage", json!({})).await };
    let status = way.operator("update.get_status", json!({})).await?;
    let dir = crate::app::upload_dir(loaded);
    told::this(&dir, &status["upload_dir"])?;
    let name = bring(file, &dir)?;
    way.operator("update.stage", json!({"upload": name})).await
}

/// Copies a bundle to where the service reads it. It may run as another user, who owns what is above, and could have been taken
/// over: each step goes through the directory that is held, and only what was made here is given to it.
fn bring(file: &Path, dir: &Path) -> Result<String, Fault> {
    let mut from = File::open(file).map_err(|error| unreadable(file, &error))?;
    let there = |error: io::Error| {
        Fault::new(Kind::Storage, format!("{}: {}", dir.display(), io_words(&error)))
            .hint("the bundle is copied there: see that there is room")
            .cause(error)
    };
    let (Some(above), Some(last)) = (dir.parent(), dir.file_name().and_then(|name| name.to_str())) else {
        return Err(there(io::ErrorKind::InvalidInput.into()));
    };
    let name = crate::base::ids::hex(&crate::base::ids::random::<8>());
    let lay = || -> io::Result<(HeldDir, File)> {
        let above = HeldDir::open_unlinked(above)?;
        let owner = above.metadata()?;
        let uploads = above.fresh(last)?;
        let to = uploads.create(name.as_ref())?;
        // Given before it is filled: what a copy that is cut off leaves is the service's to remove.
        fchown(&to, Some(owner.uid()), Some(owner.gid()))?;
        uploads.give(owner.uid(), owner.gid())?;
        Ok((uploads, to))
    };
    let (uploads, mut to) = lay().map_err(there)?;
    let mut fill = || -> Result<(), Fault> {
        let mut piece = vec![0; COPIED_BYTES];
        loop {
            match from.read(&mut piece).map_err(|error| unreadable(file, &error))? {
                0 => return Ok(()),
                n => to.write_all(&piece[..n]).map_err(there)?,
            }
        }
    };
    fill().inspect_err(|_| drop(uploads.remove(name.as_ref())))?;
    Ok(name)
}

async fn apply(way: &Way, loaded: &Loaded, asked: UpdateApply, as_json: bool) -> Result<(), Fault> {
    let UpdateApply { version, file, digest, person, yes } = asked;
    let mut status = match &file {
        Some(file) => stage(way, loaded, Some(file)).await?,
        None => way.operator("update.get_status", json!({})).await?,
    };
    let ready = |status: &Value| status["staged"]["version"].as_str().map(str::to_owned);
    if file.is_none() && ready(&status).is_none() {
        if status["available"].is_null() {
            let hint = "`update check` looks for one; `update apply --file BUNDLE` takes one along";
            return Err(Fault::new(Kind::Conflict, "no newer version is known").hint(hint));
        }
        status = stage(way, loaded, None).await?;
    }
    let Some(ready) = ready(&status) else { return Err(Fault::bug("what was staged is not there")) };
    if !as_json {
        output::text(&described(&status));
    }
    let version = match version {
        Some(version) => version,
        None if yes => ready.clone(),
        None if prompt::someone_there() => prompt::line(&format!("Type the version ({ready}) to switch to it"), "--yes")?,
        None => return Err(prompt::missing(&["VERSION"]).hint(format!("update apply {ready} --yes"))),
    };
    if !yes && prompt::someone_there() && file.is_none() && version == ready {
        prompt::yes(&format!("Switch from {} to {ready}?", table::cell(&status["version"])), "--yes")?;
    } else if !yes && !prompt::someone_there() {
        return Err(prompt::missing(&["--yes"]));
    }
    // What was shown is what is confirmed.
    let digest = digest.map_or_else(|| status["staged"]["digest"].clone(), Value::from);
    let arguments = json!({"version": version, "digest": digest});
    let done = as_person(way, "update.apply", arguments, person.user, &person.password, as_json).await?;
    ends(way, loaded, &ready, done, as_json).await
}

async fn roll_back(way: &Way, loaded: &Loaded, person: UpdatePerson, yes: bool, as_json: bool) -> Result<(), Fault> {
    let status = way.operator("update.get_status", json!({})).await?;
    let Some(to) = status["rollback"]["to"].as_str().map(str::to_owned) else {
        return Err(
            Fault::new(Kind::Conflict, "there is no version to go back to").hint("the one before the last update is kept, no older one")
        );
    };
    let lost = match status["rollback"]["restores_store"].as_bool() {
        Some(true) => {
            "The store of before the update is put back: what was stored since is lost, but for the audit trail; approvals and sessions are void."
        }
        _ => "Nothing that is stored is lost.",
    };
    if !as_json {
        output::text(&format!("from {} back to {to}. {lost}", table::cell(&status["version"])));
    }
    if !yes {
        prompt::yes(&format!("Go back to {to}?"), "--yes")?;
    }
    let done = as_person(way, "update.roll_back", json!({}), person.user, &person.password, as_json).await?;
    ends(way, loaded, &to, done, as_json).await
}

/// Waits for the other version to answer, where a daemon makes way for it.
async fn ends(way: &Way, loaded: &Loaded, version: &str, done: Value, as_json: bool) -> Result<(), Fault> {
    let (mut status, before) = (done.clone(), done["last"].clone());
    // What holds the store may be a session of a client's, which nobody but that client starts anew.
    let goes_on = matches!(way, Way::Holder(_)) && done["restarts"] == false;
    if matches!(way, Way::Holder(_)) && !goes_on {
        let deadline = tokio::time::Instant::now() + COMES_UP;
        while status["version"] != version && tokio::time::Instant::now() < deadline {
            tokio::time::sleep(PAUSE).await;
            let socket = crate::app::places(loaded).control_socket();
            if crate::control::client::hello(&socket).await.is_ok()
                && let Ok(now) = Way::Holder(socket).operator("update.get_status", json!({})).await
            {
                status = now;
            }
            // It has ended meanwhile, and not well: nobody waits for what does not come.
            let last = &status["last"];
            if *last != before && last["to"] == version && last["how"] != "kept" {
                let why = table::cell(&last["why"]);
                return Err(Fault::new(Kind::Rejected, format!("version {version} did not stand: {why}"))
                    .hint(format!("{} runs as before", table::cell(&status["version"]))));
            }
        }
        if status["version"] != version {
            return Err(Fault::new(Kind::UnknownOutcome, format!("version {version} does not answer yet"))
                .hint("`update status` tells how it went; it goes back by itself within three starts"));
        }
    }
    if as_json {
        output::json(&status);
    } else if status["version"] == version {
        let watched = if status["state"] == "probation" { "; it is watched for two minutes before it is kept" } else { "" };
        output::text(&format!("version {version} runs{watched}"));
    } else if goes_on {
        output::text(&format!(
            "version {version} is in place; the process that has the store goes on as {}: its MCP client has to start it anew (or whoever started it), and {version} runs",
            table::cell(&status["version"])
        ));
    } else {
        output::text(&format!("version {version} is in place: it runs with the next start"));
    }
    Ok(())
}

fn show(status: &Value, as_json: bool) -> Result<(), Fault> {
    if as_json {
        output::json(status);
    } else {
        output::text(&described(status));
    }
    Ok(())
}

fn described(status: &Value) -> String {
    let mut text = String::new();
    let mut line = |name: &str, value: String| {
        if !value.is_empty() {
            text.push_str(&format!("{name:<12}{value}\n"));
        }
    };
    let cell = |value: &Value| table::cell(value);
    line(
        "version",
        format!("{} (channel {}, updated by {})", cell(&status["version"]), cell(&status["channel"]), cell(&status["updated_by"])),
    );
    line("state", cell(&status["state"]));
    line("command", cell(&status["command"]));
    line("looked at", cell(&status["looked_at"]));
    line("failed", cell(&status["look_failed"]));
    for name in ["staged", "available"] {
        let release = &status[name];
        if release.is_null() || (name == "available" && !status["staged"].is_null()) {
            continue;
        }
        line(
            name,
            format!(
                "{} ({}, released {}, {} bytes)",
                cell(&release["version"]),
                cell(&release["severity"]),
                cell(&release["released"]),
                cell(&release["size"])
            ),
        );
        line("notes", cell(&release["notes"]));
        line("more", cell(&release["notes_url"]));
        if release["changes_store"] == true {
            line("store", format!("it changes the store to schema {}", cell(&release["store_schema"])));
        }
        if release["is_stale"] == true {
            line("note", "it is older than its maker thought: there is probably a newer one that does not get here".into());
        }
        line("digest", cell(&release["short_digest"]));
        line("waits until", cell(&release["expires_at"]));
    }
    if !status["rollback"].is_null() {
        line("back to", cell(&status["rollback"]["to"]));
    }
    if let Value::Object(last) = &status["last"] {
        let why = last["why"].as_str().map(|why| format!(": {}", table::cell(&why.into()))).unwrap_or_default();
        line("last", format!("{} to {}, {} at {}{why}", cell(&last["from"]), cell(&last["to"]), cell(&last["how"]), cell(&last["at"])));
    }
    text
}

/// `update hand-over`: root's part. The configuration says whose signature counts besides the built-in keys'.
pub fn hand_over(inputs: &Inputs, versions: PathBuf, requests: &Path) -> Result<(), Fault> {
    let judge = || {
        let (keys, channel) = settings(inputs)?;
        let keys = Keys::built_in()?.with(&keys)?;
        if keys.is_empty() {
            return Err(UpdateError::refused("nobody's signature counts: this build has no key, and update.public_keys names none"));
        }
        let here = Here {
            version: env!("CARGO_PKG_VERSION").into(),
            target: self_update::get_target().into(),
            channel,
            store_schema: store::SCHEMA,
        };
        Ok((keys, here))
    };
    Ok(root::answer(&Layout::at_root(versions), requests, judge)?)
}

/// `update.public_keys` and `update.channel`. What the service has from elsewhere, a credential say, root does not have: for root
/// the configuration may be incomplete, as long as these two can be read.
fn settings(inputs: &Inputs) -> Result<(Vec<String>, String), UpdateError> {
    let view = match config::load(inputs) {
        Ok(loaded) => loaded.view,
        Err(problems) => {
            // A file that cannot be read may say anything about us.
            let about_us = |problem: &&Problem| problem.key.as_deref().is_none_or(|key| key.starts_with("update."));
            if let Some(problem) = problems.errors().find(about_us) {
                return Err(UpdateError::refused(problem.to_string()));
            }
            *problems.view
        }
    };
    let value = |name: &str| view.entries.iter().find(|entry| entry.key == name).map(|entry| &entry.value);
    let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect();
    let channel = value("update.channel").and_then(Value::as_str).unwrap_or_default().to_owned();
    Ok((value("update.public_keys").map(texts).unwrap_or_default(), channel))
}
