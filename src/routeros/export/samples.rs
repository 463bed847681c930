//! Every line of every recorded export is accounted for, counted by a second reader that knows nothing of the first.

use super::{Line, parse, write};
use crate::routeros::script;
use std::path::Path;

/// What a plain look at the text finds.
#[derive(Default, Debug, PartialEq, Eq)]
struct Counted {
    comments: usize,
    gaps: usize,
    headers: usize,
    commands: usize,
    /// Name, value and whether it has one, of each attribute in order.
    pairs: Vec<(String, Option<Vec<u8>>)>,
}

/// Joins wrapped lines, then splits at blanks outside quotes.
fn count(text: &str) -> Counted {
    let mut joined = String::new();
    for line in text.lines() {
        let line = line.trim_end_matches('\r');
        let line = if joined.ends_with('\u{1}') { line.trim_start_matches(' ') } else { line };
        if joined.ends_with('\u{1}') {
            joined.pop();
        }
        match line.strip_suffix('\\') {
            Some(head) if !line.starts_with('#') => joined.push_str(&format!("{head}\u{1}")),
            _ => joined.push_str(&format!("{line}\n")),
        }
    }
    let mut counted = Counted::default();
    for line in joined.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            if comment.starts_with("error exporting") {
                counted.gaps += 1
            } else {
                counted.comments += 1
            }
            continue;
        }
        let words = words(line);
        counted.headers += usize::from(line.starts_with('/'));
        let Some(verb) = words.iter().position(|word| word == "add" || word == "set") else { continue };
        counted.commands += 1;
        let mut rest = &words[verb + 1..];
        if words[verb] == "set" && rest.first().is_some_and(|word| word == "[") {
            rest = &rest[rest.iter().position(|word| word == "]").unwrap() + 1..];
        } else if words[verb] == "set" && rest.first().is_some_and(|word| !word.contains('=')) {
            rest = &rest[1..];
        }
        for word in rest {
            let pair = match word.split_once('=') {
                None => (word.clone(), None),
                Some((name, value)) if value.starts_with('"') => (name.into(), Some(script::unquote(value).unwrap())),
                Some((name, value)) => (name.into(), Some(value.as_bytes().to_vec())),
            };
            counted.pairs.push(pair);
        }
    }
    counted
}

fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut escaped) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            ' ' if !quoted => words.push(std::mem::take(&mut word)),
            c => {
                quoted ^= c == '"' && !escaped;
                word.push(c);
            }
        }
        escaped = c == '\\' && !escaped;
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn every_line_key_and_value_of_the_recorded_exports_is_accounted_for() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/routeros/samples/export");
    let Ok(files) = std::fs::read_dir(&folder) else {
        eprintln!("no recorded exports at {}: nothing was checked", folder.display());
        return;
    };
    let (mut seen, mut commands, mut attributes) = (0, 0, 0);
    for path in files.map(|file| file.unwrap().path()) {
        let text = String::from_utf8(std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (counted, export) = (count(&text), parse(&text));
        assert_eq!(
            export.unread().count(),
            0,
            "{name}: {:?}",
            export.sections.iter().flat_map(|s| &s.lines).find(|l| matches!(l, Line::Unread(_)))
        );
        assert_eq!(export.gaps.len(), counted.gaps, "{name}");
        let notes = export.sections.iter().flat_map(|section| &section.lines).filter(|line| matches!(line, Line::Note(_))).count();
        assert_eq!(export.head.len() + notes, counted.comments, "{name}");
        assert_eq!(export.rows().count(), counted.commands, "{name}");
        assert!(export.version().is_some_and(|version| version.starts_with("7.")), "{name}: {:?}", export.head);
        let read: Vec<(&String, &Option<String>)> =
            export.rows().flat_map(|(_, row)| &row.values).map(|(name, value)| (name, value)).collect();
        assert_eq!(read.len(), counted.pairs.len(), "{name}");
        for ((key, value), (raw_key, raw_value)) in read.iter().zip(&counted.pairs) {
            assert!(*key == raw_key || (raw_key.starts_with('.') && key.ends_with(raw_key.as_str())), "{name}: {key} is not {raw_key}");
            assert_eq!(value.as_ref().map(String::as_bytes), raw_value.as_deref(), "{name}: {key}");
        }
        assert!(export.sections.iter().all(|section| section.menu.starts_with('/')), "{name}");
        assert_eq!(parse(&write(&export)), export, "{name}");
        seen += 1;
        commands += counted.commands;
        attributes += counted.pairs.len();
    }
    assert!(seen >= 14 && commands >= 1_000 && attributes >= 4_000, "{seen} exports, {commands} commands, {attributes} attributes");
}
