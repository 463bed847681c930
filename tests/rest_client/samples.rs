//! Every recorded answer is read whole: no key and no value is lost.

use crate::surroundings::shared;
use routeros_mcp::routeros::rows;
use serde_json::Value;
use std::path::{Path, PathBuf};

fn json_files(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            json_files(&entry, found);
        } else if entry.extension().is_some_and(|e| e == "json") {
            found.push(entry);
        }
    }
}

/// The text a value is kept as.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[test]
fn every_recorded_answer_is_read_whole() {
    let Some(dir) = shared("routeros/samples") else { return };
    let mut files = Vec::new();
    json_files(&dir, &mut files);
    let mut values = 0;
    for file in &files {
        let bytes = std::fs::read(file).unwrap();
        let read = rows(&bytes).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let objects = match serde_json::from_slice(&bytes).unwrap() {
            Value::Array(all) => all,
            one => vec![one],
        };
        assert_eq!(read.len(), objects.len(), "{}", file.display());
        for (row, object) in read.iter().zip(&objects) {
            let object = object.as_object().unwrap();
            assert_eq!(row.len(), object.len(), "{}", file.display());
            for (name, value) in object {
                assert_eq!(row.get(name), Some(text(value).as_str()), "{}: {name}", file.display());
                values += 1;
            }
        }
    }
    eprintln!("recorded answers: {} files, {values} values", files.len());
    assert!(files.len() >= 200, "only {} files", files.len());
}
