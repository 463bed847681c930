//! The pages of abuse cases: every case names tests, and every test that they name is there and runs.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const PAGES: [&str; 2] = ["abuse-cases", "abuse-cases-inside"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => sources(&path, found),
            path if path.extension().is_some_and(|kind| kind == "rs") => found.push(path),
            _ => {}
        }
    }
}

/// Names of functions that a test attribute stands above, and that nothing leaves out.
fn tests() -> BTreeSet<String> {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    sources(&root().join("tests"), &mut files);
    let mut names = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(file).unwrap();
        let mut marked = false;
        for line in text.lines().map(str::trim) {
            let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
            if let Some(name) = name {
                names.extend(marked.then(|| name.to_owned()));
                marked = false;
            } else if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
                marked = true;
            } else if line.starts_with("#[ignore") {
                marked = false;
            }
        }
    }
    assert!(names.len() > 1_000, "only {} tests: is this the whole tree?", names.len());
    names
}

#[test]
fn every_abuse_case_names_tests_that_are_there() {
    let known = tests();
    let mut cases = 0;
    for page in PAGES {
        let text = fs::read_to_string(root().join(format!("assets/docs/{page}.md"))).unwrap();
        for line in text.lines().filter(|line| line.starts_with("- ")) {
            let named: Vec<&str> = line.split('`').skip(1).step_by(2).collect();
            assert!(!named.is_empty(), "{page}: a case without a test: {line}");
            for name in named {
                assert!(known.contains(name), "{page}: there is no test {name}");
            }
            cases += 1;
        }
    }
    assert!(cases >= 90, "only {cases} cases");
}
