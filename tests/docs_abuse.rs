//! The pages of abuse cases: every case names tests, and every test that they name is there and runs.

use crate::sources;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGES: [&str; 2] = ["abuse-cases", "abuse-cases-inside"];

/// Names of functions that a test attribute stands above, and that nothing leaves out.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (_, text) in ["src", "tests"].into_iter().flat_map(sources::below) {
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
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs");
    let mut cases = 0;
    for page in PAGES {
        let text = fs::read_to_string(docs.join(format!("{page}.md"))).unwrap();
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
