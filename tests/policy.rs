//! What may be linked into the binary: no second TLS or HTTP stack, known licences, the public registry only.
//!
//! Reads `cargo metadata` for the release target. `.cargo/deny.toml` says the same to cargo-deny.

use std::{collections::BTreeMap, fs, path::Path, process::Command, sync::LazyLock};

use serde_json::Value;

/// Each would bring a second TLS provider, and C code that every cross build has to carry.
const BANNED: &[&str] = &["aws-lc-rs", "aws-lc-sys", "boring-sys", "native-tls", "openssl", "openssl-sys"];

/// Two versions of one of these do not speak to each other, and cost megabytes.
const ONE_VERSION: &[&str] = &["h2", "http", "hyper", "reqwest", "ring", "rustls", "serde", "tokio"];

/// Choices such as `0BSD OR MIT` pass by their other half. MIT-0 comes with jsonschema, which only tests link.
const LICENCES: &[&str] = &[
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Zlib",
];

/// The release target; its crates are those that any build downloads, so this needs no network after one.
const TARGET: &str = "x86_64-unknown-linux-musl";

static PACKAGES: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let args = ["metadata", "--format-version", "1", "--locked", "--all-features", "--filter-platform", TARGET];
    let done = Command::new(env!("CARGO")).args(args).current_dir(env!("CARGO_MANIFEST_DIR")).output().expect("cargo starts");
    assert!(done.status.success(), "cargo metadata: {}", String::from_utf8_lossy(&done.stderr));
    let said: Value = serde_json::from_slice(&done.stdout).expect("cargo metadata prints JSON");
    let packages = said["packages"].as_array().expect("it lists packages").clone();
    assert!(packages.len() > 50, "only {} packages: is this the whole graph?", packages.len());
    packages
});

fn text<'a>(package: &'a Value, key: &str) -> &'a str {
    package[key].as_str().unwrap_or("")
}

fn named(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

#[test]
fn links_no_second_tls_provider() {
    let found: Vec<_> = PACKAGES.iter().filter(|p| BANNED.contains(&text(p, "name"))).map(named).collect();
    assert!(found.is_empty(), "banned (find who brings it with `cargo tree -i NAME`): {found:?}");
}

#[test]
fn links_one_version_of_each_stack() {
    let mut versions: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for package in PACKAGES.iter() {
        versions.entry(text(package, "name")).or_default().push(text(package, "version"));
    }
    for name in ["rustls", "tokio", "reqwest", "http"] {
        assert!(versions.contains_key(name), "{name} is gone: is this the whole graph?");
    }
    let twice: Vec<_> = ONE_VERSION.iter().filter_map(|name| versions.get_key_value(name)).filter(|(_, all)| all.len() > 1).collect();
    assert!(twice.is_empty(), "more than one version (see `cargo tree -d`): {twice:?}");
}

#[test]
fn links_only_known_licences() {
    let wrong: Vec<_> = PACKAGES
        .iter()
        .filter(|p| !allowed(text(p, "license")))
        .map(|p| format!("{} is under \"{}\"", named(p), text(p, "license")))
        .collect();
    assert!(wrong.is_empty(), "licences outside the list:\n{}", wrong.join("\n"));
}

#[test]
fn takes_crates_from_the_public_registry_only() {
    let wrong: Vec<_> = PACKAGES
        .iter()
        .filter(|p| text(p, "name") != env!("CARGO_PKG_NAME"))
        .filter(|p| !text(p, "source").starts_with("registry+https://github.com/rust-lang/crates.io-index"))
        .map(|p| format!("{} from \"{}\"", named(p), text(p, "source")))
        .collect();
    assert!(wrong.is_empty(), "from elsewhere:\n{}", wrong.join("\n"));
}

#[test]
fn tells_cargo_deny_the_same() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(".cargo/deny.toml");
    let deny: toml::Table = fs::read_to_string(file).unwrap().parse().unwrap();
    let entries = deny["bans"]["deny"].as_array().unwrap();
    let those = |multiple: bool| {
        let mut names: Vec<_> = entries
            .iter()
            .filter(|e| e.get("deny-multiple-versions").is_some() == multiple)
            .map(|e| e["crate"].as_str().unwrap())
            .collect();
        names.sort_unstable();
        names
    };
    assert_eq!(those(false), BANNED);
    assert_eq!(those(true), ONE_VERSION);
    let licences: Vec<_> = deny["licenses"]["allow"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    assert_eq!(licences, LICENCES);
}

#[test]
fn reads_licence_expressions() {
    for good in
        ["MIT", "MIT/Apache-2.0", "Unlicense OR MIT", "(MIT OR Apache-2.0) AND Unicode-3.0", "Apache-2.0 WITH LLVM-exception OR GPL-3.0"]
    {
        assert!(allowed(good), "{good}");
    }
    for bad in ["", "GPL-3.0", "MIT AND GPL-3.0", "Unlicense", "(GPL-2.0 OR MIT) AND AGPL-3.0", "MIT OR", "(MIT"] {
        assert!(!allowed(bad), "{bad}");
    }
}

/// Whether an SPDX expression can be satisfied by LICENCES alone; `/` is the old spelling of `OR`.
fn allowed(expression: &str) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let mut words: Vec<&str> = spaced.split_whitespace().rev().collect();
    any_of(&mut words) == Some(true) && words.is_empty()
}

/// `a OR b …`; None when it is not an expression.
fn any_of(words: &mut Vec<&str>) -> Option<bool> {
    let mut holds = all_of(words)?;
    while words.last() == Some(&"OR") {
        words.pop();
        holds |= all_of(words)?;
    }
    Some(holds)
}

/// `a AND b …`, which binds closer.
fn all_of(words: &mut Vec<&str>) -> Option<bool> {
    let mut holds = licence(words)?;
    while words.last() == Some(&"AND") {
        words.pop();
        holds &= licence(words)?;
    }
    Some(holds)
}

/// One licence, with its exception if it has one, or an expression in brackets.
fn licence(words: &mut Vec<&str>) -> Option<bool> {
    match words.pop()? {
        "(" => {
            let holds = any_of(words)?;
            (words.pop()? == ")").then_some(holds)
        }
        "OR" | "AND" | "WITH" | ")" => None,
        id if words.last() == Some(&"WITH") => {
            words.pop();
            let whole = format!("{id} WITH {}", words.pop()?);
            Some(LICENCES.contains(&whole.as_str()))
        }
        id => Some(LICENCES.contains(&id)),
    }
}
