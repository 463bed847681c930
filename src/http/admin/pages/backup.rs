//! Backups of this appliance: what there is, making one, checking one, taking one along.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, maybe, rows, text, words};
use super::{Desk, html, seen_other};
use crate::base::fault::Fault;
use crate::http::Body;
use crate::http::admin::download;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/backup";

#[derive(Template)]
#[template(path = "backup.html", config = "assets/ui/askama.toml")]
struct Page {
    frame: Frame,
    /// What was just found out.
    said: Option<String>,
    dir: String,
    keep: String,
    recipients: String,
    failed: Option<String>,
    backups: Vec<Kept>,
}

struct Kept {
    name: String,
    at: String,
    exact: String,
    size: String,
}

/// The page.
pub async fn page(desk: &Desk<'_>, said: Option<String>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let found = desk.ask("backup.list", json!({})).await?;
    let kept = |row: &Value| {
        let exact = text(row, "made_at");
        Kept { name: text(row, "name"), at: ago(&exact, now), exact, size: size(row["bytes"].as_u64().unwrap_or_default()) }
    };
    html(&Page {
        frame: desk.frame(),
        said,
        dir: text(&found, "path"),
        keep: text(&found, "keep"),
        recipients: words(&found["recipients"]),
        failed: maybe(&found["last"], "failed"),
        backups: rows(&found).map(kept).collect(),
    })
}

/// A new one.
pub async fn create(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    let mut arguments = json!({"include_master_key": given.get("include_master_key") == "yes"});
    if !given.get("passphrase").is_empty() {
        if given.get("passphrase") != given.get("again") {
            return Err(Fault::bad_input("the two passphrases differ").hint("type the same one twice").into());
        }
        arguments["passphrase"] = given.get("passphrase").into();
    }
    let made = desk.ask("backup.create", arguments).await?;
    let left_out = words(&made["left_out"]);
    let mut said =
        format!("{} is made: {} rows, audit trail up to record {}.", text(&made, "name"), text(&made, "rows"), text(&made, "audit_seq"));
    if made["has_master_key"] == false {
        said.push_str(&format!(" The master key ({}) is not in it: keep a copy of it elsewhere.", text(&made, "key_id")));
    }
    if !left_out.is_empty() {
        said.push_str(&format!(" Not in it either: {left_out}."));
    }
    page(desk, Some(said)).await
}

/// Checked, taken along or deleted.
pub async fn act(desk: &mut Desk<'_>, name: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    match verb {
        "verify" => {
            let opener = given.need("opener")?;
            let by = if opener.trim_start().starts_with("AGE-SECRET-KEY-") { "secret_key" } else { "passphrase" };
            let found = desk.ask("backup.verify", json!({"name": name, by: opener})).await?;
            let said = format!(
                "{name} is whole: version {}, {} rows, secrets under master key {}.",
                text(&found, "version"),
                text(&found, "rows"),
                text(&found, "key_id")
            );
            page(desk, Some(said)).await
        }
        "download" => {
            let found = desk.ask("backup.download", json!({"name": name})).await?;
            Ok(download::backup(&desk.edge.dispatch.world().backups, &text(&found, "name"))?)
        }
        "remove" => {
            desk.ask("backup.remove", json!({"name": name})).await?;
            Ok(seen_other(PAGE))
        }
        _ => Err(Fault::not_found("nothing is done at this address").into()),
    }
}

/// A size as people say it.
fn size(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}
