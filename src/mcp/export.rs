//! A kept configuration as the text of a resource.
//!
//! The tool gives an export in pages, because a model asks for parts of it; a resource is read whole. So the pages are
//! read one after the other, of one snapshot, up to the budget of an answer.

use crate::mcp::caller::Caller;
use crate::mcp::fault;
use crate::mcp::resources::SCRIPT;
use crate::shape::budget;
use rmcp::ErrorData;
use rmcp::model::{MetaObject, ResourceContents};
use serde_json::{Map, Value, json};

/// The tool that tells what a kept configuration holds.
pub const TOOL: &str = "config.get_snapshot";

/// Lines asked for at once: the tool's most.
const PAGE: u64 = 500;
/// Pages read for one export; the budget ends it long before.
const MOST_PAGES: usize = 200;

/// Whether this build's tool can give text.
pub fn is_there() -> bool {
    Caller::tool(TOOL).is_some_and(|tool| Caller::argument(tool, &["format"]).is_some() && Caller::argument(tool, &["offset"]).is_some())
}

/// The id of the device a snapshot is of: `dev_0a1b2c3d4e5f` for `snap_0a1b2c3d4e5f_7`, and for what is begun of it.
pub fn device_of(snapshot: &str) -> Option<String> {
    let rest = snapshot.strip_prefix("snap_")?;
    let device = rest.split_once('_').map_or(rest, |(device, _)| device);
    let plain = device.len() == 12 && device.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| format!("dev_{device}"))
}

/// The newest configuration of the device `value`, or the snapshot `value`.
pub async fn read(caller: &Caller, is_device: bool, uri: &str, value: &str) -> Result<ResourceContents, ErrorData> {
    let device = if is_device { Some(value.to_owned()) } else { device_of(value) };
    let device = device.ok_or_else(|| fault::unknown_resource(uri))?;
    let mut snapshot = (!is_device).then(|| value.to_owned());
    let mut text = Text::default();
    let mut meta = Map::new();
    for _ in 0..MOST_PAGES {
        let mut arguments = Map::new();
        arguments.insert("device".into(), device.as_str().into());
        arguments.insert("format".into(), "text".into());
        arguments.insert("limit".into(), PAGE.into());
        arguments.insert("offset".into(), text.lines.into());
        if let Some(snapshot) = &snapshot {
            arguments.insert("snapshot".into(), snapshot.as_str().into());
        }
        let reply = caller.run(TOOL, arguments).await.map_err(|id| fault::bug(id.as_str()))?;
        if reply.is_error() {
            return Err(fault::unread(&reply, uri));
        }
        if meta.is_empty() {
            meta = reply.meta;
            snapshot = snapshot.or_else(|| named(&reply.structured));
        }
        if !text.add(&reply.structured, caller.dispatch.world().settings.most_tokens) {
            break;
        }
    }
    if let Some(snapshot) = snapshot {
        meta.insert("snapshot".into(), snapshot.into());
    }
    // Pointers into the tool's answer lead nowhere in plain text: all of it is the router's.
    meta.insert("untrusted".into(), json!([""]));
    let tokens = budget::tokens(text.out.len());
    // The first page's warning was about that page.
    meta.remove("token_warning");
    if tokens > caller.dispatch.world().settings.warn_tokens {
        meta.insert("token_warning".into(), format!("about {tokens} tokens; {TOOL} reads parts of it").into());
    }
    meta.insert("estimated_tokens".into(), tokens.into());
    Ok(ResourceContents::text(text.out, uri).with_mime_type(SCRIPT).with_meta(MetaObject(meta)))
}

/// The snapshot that the first page is of, so that the others are as well; the running configuration is none.
fn named(answer: &Value) -> Option<String> {
    let id = answer.pointer("/snapshot/snapshot").and_then(Value::as_str)?;
    device_of(id).map(|_| id.to_owned())
}

/// An export as far as it has been read.
#[derive(Debug, Default)]
struct Text {
    out: String,
    lines: u64,
}

impl Text {
    /// Takes a page; whether there is more to ask for.
    fn add(&mut self, answer: &Value, most_tokens: u64) -> bool {
        let lines = answer.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let total = answer.get("total").and_then(Value::as_u64).unwrap_or_default();
        for line in lines.iter().filter_map(Value::as_str) {
            if budget::tokens(self.out.len() + line.len() + 1) > most_tokens {
                let (shown, from) = (self.lines, self.lines);
                self.out.push_str(&format!("# {shown} of {total} lines; {TOOL} with format text and offset {from} goes on\n"));
                return false;
            }
            self.out.push_str(line);
            self.out.push('\n');
            self.lines += 1;
        }
        !lines.is_empty() && answer.get("next_offset").is_some_and(|next| next.as_u64() == Some(self.lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_tells_its_device() {
        for (id, device) in [
            ("snap_0a1b2c3d4e5f_7", Some("dev_0a1b2c3d4e5f")),
            ("snap_0a1b2c3d4e5f_", Some("dev_0a1b2c3d4e5f")),
            ("snap_0a1b2c3d4e5f", Some("dev_0a1b2c3d4e5f")),
            ("snap_0a1b", None),
            ("snap_../../../..._7", None),
            ("baseline", None),
            ("", None),
        ] {
            assert_eq!(device_of(id).as_deref(), device, "{id}");
        }
        assert_eq!(named(&json!({"snapshot": {"snapshot": "live"}})), None);
    }

    #[test]
    fn pages_become_one_text_until_the_budget_ends_it() {
        let page = |lines: &[&str], next: Option<u64>| json!({"lines": lines, "total": 4, "next_offset": next});
        let mut text = Text::default();
        assert!(text.add(&page(&["/ip dns", "set a=b"], Some(2)), 1_000));
        assert!(!text.add(&page(&["/ip route", "add"], None), 1_000));
        assert_eq!((text.out.as_str(), text.lines), ("/ip dns\nset a=b\n/ip route\nadd\n", 4));
        let mut short = Text::default();
        assert!(!short.add(&page(&["/ip dns", "set a=b"], Some(2)), 2));
        assert!(short.out.starts_with("/ip dns\n# 1 of 4 lines; config.get_snapshot with format text and offset 1"), "{}", short.out);
        assert!(!Text::default().add(&json!({}), 9), "an answer without lines ends it");
    }
}
