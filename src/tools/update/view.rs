//! How an update looks in answers.

use crate::base::clock::Wall;
use crate::store::SCHEMA;
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::object;
use crate::update::install::Way;
use crate::update::record::{Ended, Offer, Staged};
use crate::update::swap::Turn;
use crate::update::{STAGED_FOR, Status};
use serde_json::{Map, Value, json};

/// Digits of a digest that people compare.
const SHORT: usize = 12;

/// All of it.
pub(super) fn status(cx: &Cx, status: &Status) -> Map<String, Value> {
    let (settings, now) = (cx.world.updates.settings(), cx.world.clock.wall());
    let (by, command) = match &settings.way {
        Way::Managed { by, command } => (by.as_str(), Some(command.as_str())),
        Way::Unit(_) => ("root's update unit", None),
        Way::Own(_) => ("itself", None),
    };
    let looked = status.state.looked.as_ref();
    let turn = |turn: &Turn| json!({"from": turn.from, "to": turn.to});
    let answer = json!({
        "state": status.word(now),
        "version": settings.here.version,
        "channel": settings.here.channel,
        "url": settings.url,
        "updated_by": by,
        "command": command,
        "looked_at": looked.map(|looked| looked.at.rfc3339()),
        "look_failed": looked.and_then(|looked| looked.failed.clone()),
        "available": status.state.offer.as_ref().map(|offer| self::offer(offer, now)),
        "staged": status.state.staged.as_ref().filter(|staged| !staged.is_over(now)).map(|staged| self::staged(staged, now)),
        "pending": status.pending.as_ref().map(turn),
        "rollback": status.back.as_ref().map(|back| json!({"to": back.from, "restores_store": status.loses})),
        "last": status.state.last.as_ref().map(ended),
        "restarts": cx.world.updates.restarts(),
        "upload_dir": cx.world.updates.upload_dir().display().to_string(),
    });
    object(answer)
}

/// The members of [`status`].
pub(super) fn status_schema() -> Map<String, Value> {
    let (text, maybe, object) = (json!({"type": "string"}), json!({"type": ["string", "null"]}), json!({"type": ["object", "null"]}));
    let words = json!({"type": "string", "enum": ["idle", "available", "awaiting_confirmation", "switching", "probation"]});
    schema::written(
        &[
            ("state", words),
            ("version", text.clone()),
            ("channel", text.clone()),
            ("url", maybe.clone()),
            ("updated_by", text.clone()),
            ("command", maybe.clone()),
            ("looked_at", maybe.clone()),
            ("look_failed", maybe),
            ("available", object.clone()),
            ("staged", object.clone()),
            ("pending", object.clone()),
            ("rollback", object.clone()),
            ("last", object),
            ("restarts", json!({"type": "boolean"})),
            ("upload_dir", text),
        ],
        &["state", "version", "channel", "updated_by"],
    )
}

/// A release.
fn offer(offer: &Offer, now: Wall) -> Value {
    json!({
        "version": offer.version,
        "severity": offer.severity,
        "notes": offer.notes,
        "notes_url": offer.notes_url,
        "released": offer.released,
        "is_stale": Wall::parse(&offer.stale_after).is_some_and(|after| now.is_plausible() && now.0 > after.0),
        "size": offer.size,
        "store_schema": offer.store_schema,
        "changes_store": offer.store_schema != SCHEMA,
        "key_id": offer.key_id,
        "digest": offer.digest,
        "short_digest": offer.digest.get(..SHORT),
    })
}

/// One that lies ready.
fn staged(staged: &Staged, now: Wall) -> Value {
    let mut value = offer(&staged.offer, now);
    value["staged_at"] = staged.at.rfc3339().into();
    value["expires_at"] = Wall(staged.at.0 + STAGED_FOR.as_millis() as i64).rfc3339().into();
    value["from_file"] = staged.is_from_file.into();
    value
}

fn ended(ended: &Ended) -> Value {
    json!({
        "from": ended.of.from,
        "to": ended.of.to,
        "confirmed_by": ended.of.by,
        "confirmed_at": ended.of.at.rfc3339(),
        "how": ended.how.as_str(),
        "why": ended.why,
        "at": ended.at.rfc3339(),
    })
}
