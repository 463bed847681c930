//! Configuration files: all that is wrong is told without a secret in it, and what is right can be written down and read again.

use super::{Samples, Target, in_scratch};
use crate::config::{Entry, Inputs, KEYS, Key, Problem, Source, View, load, portable, show};
use std::fs;
use std::path::Path;

pub(super) const TARGET: Target = Target {
    name: "config",
    about: "configuration files in TOML, YAML and JSON",
    longest: 16 << 10,
    check,
    seeds,
    words: &[
        "[mcp]\n",
        "[oidc]\n",
        "[update]\n",
        "[alert]\n",
        "http_port = ",
        "environment = \"prod\"\n",
        "encryption_key",
        "_file = \"",
        "${HOME}",
        "$${",
        "= \"\"\"\n",
        "= '''",
        "[[x]]\n",
        "\ntransport: ",
        "\n  http_port: 1\n",
        "&a [*a]",
        "<<: *a",
        "{\"mcp\": {",
        "- ",
        "!!binary ",
        "---\n",
        "\u{feff}",
        "1979-05-27T07:32:00Z",
        "0xff",
        "1_000",
        "nan",
        "10m",
        "90s",
        "1MiB",
        "true",
        "null",
        "routers",
        "retention",
        "plan",
        "https://user:pw@host/",
    ],
};

/// Begins a secret that is put into each file; the rest makes it long enough to be one.
const PLANTED: &str = "hunter2-Zz9";

fn check(data: &[u8]) {
    let (kind, rest) = data.split_first().unwrap_or((&0, &[]));
    let Ok(text) = std::str::from_utf8(rest) else {
        return in_scratch(|dir| drop(read(dir, "config.toml", rest)));
    };
    let name = ["config.toml", "config.yaml", "config.json"][usize::from(*kind) % 3];
    let secrets: Vec<&Key> = KEYS.iter().filter(|key| key.is_secret()).collect();
    let secret = secrets[usize::from(*kind / 3) % secrets.len()];
    in_scratch(|dir| {
        let first = read(dir, name, rest);
        if name == "config.toml" {
            written_again(dir, &first.1);
        }
        if !text.contains(PLANTED) {
            planted(dir, name, secret, text);
        }
    });
}

/// Reads a file; what is wrong and what it would be.
fn read(dir: &Path, name: &str, bytes: &[u8]) -> (Vec<Problem>, View) {
    let path = dir.join(name);
    fs::write(&path, bytes).expect("there is room");
    let env = vec![("HOME".to_owned(), dir.display().to_string()), ("SOME_SECRET".to_owned(), PLANTED.to_owned())];
    let inputs = Inputs { config_flag: Some(path), data_dir: Some(dir.join("state")), flags: Vec::new(), env };
    match load(&inputs) {
        Ok(loaded) => (loaded.warnings, loaded.view),
        Err(problems) => {
            assert!(problems.errors().next().is_some(), "refused without a reason");
            let said = problems.list.iter().map(|problem| problem.said.as_str());
            assert!(said.clone().all(|said| !said.contains("mistake in the program")), "keys and sections disagree: {problems}");
            (problems.list, *problems.view)
        }
    }
}

/// The same file with a secret in it, first or last: nothing that is told or shown has it.
fn planted(dir: &Path, name: &str, key: &Key, text: &str) {
    let value = format!("{PLANTED}-0123456789abcdef0123456789");
    let (section, short) = key.parts();
    let with = match name {
        "config.toml" if section.is_empty() => format!("{short} = \"{value}\"\n{text}"),
        "config.toml" => format!("[{section}]\n{short} = \"{value}\"\n{text}"),
        "config.yaml" if section.is_empty() => format!("{short}: {value}\n{text}"),
        "config.yaml" => format!("{section}:\n  {short}: {value}\n{text}"),
        _ if section.is_empty() => format!("{{\"{short}\": \"{value}\", {text}"),
        _ => format!("{{\"{section}\": {{\"{short}\": \"{value}\"}}, {text}"),
    };
    let (problems, view) = read(dir, name, with.as_bytes());
    let told: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    // A text that goes on behind the value may make it part of something else: a name, or a value that is no secret.
    let still = view.entries.iter().all(|entry| !entry.value.to_string().contains(PLANTED));
    assert!(still || with.matches(PLANTED).count() != 1, "a secret is shown: {:?}", entry_with(&view.entries));
    assert!(!told.contains(PLANTED), "a secret is told: {told}");
    assert!(!show(&view, false).contains(PLANTED) && !show(&view, true).contains(PLANTED));
    let (portable, _) = portable(&view);
    assert!(!portable.contains(PLANTED), "{portable}");
}

fn entry_with(entries: &[Entry]) -> Option<&Entry> {
    entries.iter().find(|entry| entry.value.to_string().contains(PLANTED))
}

/// What differs from the defaults, written as a file for another box, means the same there.
fn written_again(dir: &Path, view: &View) {
    let (text, left_out) = portable(view);
    let (_, again) = read(dir, "again.toml", text.as_bytes());
    for (was, is) in view.entries.iter().zip(&again.entries) {
        let is_carried = was.source != Source::Default && !was.value.is_null() && !left_out.iter().any(|name| name == was.key);
        if is_carried {
            assert_eq!(was.value, is.value, "{} changed on its way: {text}", was.key);
        }
    }
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    const EXAMPLE: &str = include_str!("../../assets/config.toml");
    let mut all = vec![
        [b"\x00", EXAMPLE.as_bytes()].concat(),
        b"\x00environment = \"staging\"\n[mcp]\nhttp_port = 8443\nhttp_host = \"127.0.0.1\"\n[plan]\nconfirm_timeout = \"10m\"\n".to_vec(),
        b"\x03[mcp]\nhttp_port = 80.5\nunknown = \"${MISSING} ${HOME} $${x}\"\nhttp_prot = [1, {a = 2}]\n".to_vec(),
        b"\x01mcp:\n  http_port: 8443\n  allowed_origins: [\"https://a.example\", b]\noidc: {enabled: true, client_secret: x}\n".to_vec(),
        b"\x01a: &a [1, 2]\nb: *a\nc: !!binary eA==\n---\nd: 1\n".to_vec(),
        b"\x02{\"mcp\": {\"http_port\": 8443, \"http_port\": 1}, \"plan\": null, \"x\": [1e400]}".to_vec(),
        b"\x05\"mcp\": {\"http_port\": true}}".to_vec(),
    ];
    // Each section of the example by itself, so that pieces of it are soon tried in other places.
    all.extend(EXAMPLE.split("\n[").skip(1).map(|section| [b"\x00[", section.as_bytes()].concat()));
    all
}
