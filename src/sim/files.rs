//! Files of a router: text and bytes in `/file`, one row each.

use super::live;
use super::row::{Row, from_bytes, show_id, to_bytes};
use super::world::World;

/// Room for files a router gives; a test that uploads for ever gets told.
const DISK_MAX: usize = 64 * 1024 * 1024;

/// What can go wrong with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileError {
    /// No file of that name.
    Missing,
    /// The disk is full.
    Full,
}

/// The name as the router keeps it: no slash in front.
pub(super) fn tidy(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty() && *part != ".").collect::<Vec<_>>().join("/")
}

/// Writes a file, new or over the old one.
pub(super) fn write(world: &mut World, path: &str, bytes: &[u8]) -> Result<(), FileError> {
    let name = tidy(path);
    let others: usize = world
        .table("/file")
        .rows
        .iter()
        .filter(|r| r.get("name") != Some(name.as_str()))
        .filter_map(|r| r.get("contents"))
        .map(str::len)
        .sum();
    if others + bytes.len() > DISK_MAX {
        return Err(FileError::Full);
    }
    let kind = match name.rsplit_once('.').map(|(_, end)| end) {
        Some("backup") => "backup".to_string(),
        Some("rsc") => "script".to_string(),
        Some(end) => format!(".{end} file"),
        None => "file".to_string(),
    };
    let now = live::date_time(world.now());
    let (size, contents) = (bytes.len().to_string(), from_bytes(bytes));
    if world.find("/file", &name).is_none() {
        world.add("/file", &[("name", &name), ("type", &kind)]);
    }
    for (attr, value) in [("contents", contents.as_str()), ("size", &size), ("last-modified", &now)] {
        world.set("/file", &name, attr, value);
    }
    Ok(())
}

/// The bytes of a file.
pub(super) fn read(world: &mut World, path: &str) -> Result<Vec<u8>, FileError> {
    let row = world.find("/file", &tidy(path)).ok_or(FileError::Missing)?;
    Ok(to_bytes(row.get("contents").unwrap_or_default()))
}

/// Takes a file away.
pub(super) fn remove(world: &mut World, path: &str) -> Result<(), FileError> {
    let row = world.find("/file", &tidy(path)).ok_or(FileError::Missing)?;
    world.remove("/file", &row.id.map(show_id).unwrap_or_default());
    Ok(())
}

/// Whether the row is a folder.
pub(super) fn is_folder(row: &Row) -> bool {
    matches!(row.get("type"), Some("directory" | "disk"))
}

/// Names right below a folder, with their rows.
pub(super) fn list(world: &mut World, folder: &str) -> Vec<(String, Row)> {
    let below = match tidy(folder) {
        root if root.is_empty() => root,
        folder => format!("{folder}/"),
    };
    let rows = world.rows("/file").into_iter();
    rows.filter_map(|row| {
        let name = row.get("name")?.strip_prefix(&below)?.to_string();
        (!name.is_empty() && !name.contains('/')).then_some((name, row))
    })
    .collect()
}
