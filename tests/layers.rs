//! Imports point one way: a module may use only modules listed below it.

use std::{fs, path::Path};

const ORDER: &[&str] = &[
    "main", "lib", "fuzz", "cli", "app", "config", "control", "http", "mcp", "watch", "dispatch", "tools", "update", "backup", "alert",
    "plan", "history", "fleet", "access", "shape", "menus", "audit", "routeros", "store", "host", "docs", "sim", "base",
];

#[test]
fn imports_point_down() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    visit(Path::new("src"), &mut |file, line| {
        let from = rank(file.iter().nth(1).unwrap().to_str().unwrap().trim_end_matches(".rs"));
        for (at, _) in line.match_indices("crate::") {
            let to: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            seen += 1;
            // `use crate::{a, b}` hides the arrow: write one line per module.
            if to.is_empty() || rank(&to) < from {
                wrong.push(format!("{}: {line}", file.display()));
            }
        }
    });
    assert!(seen > 0, "read no imports: is the test run from the crate root?");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

fn rank(module: &str) -> usize {
    ORDER.iter().position(|m| *m == module).unwrap_or_else(|| panic!("{module} has no place in ORDER"))
}

fn visit(dir: &Path, each: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(dir).unwrap().map(|e| e.unwrap().path()) {
        if entry.is_dir() {
            visit(&entry, each);
        } else {
            for line in fs::read_to_string(&entry).unwrap().lines() {
                if !line.trim_start().starts_with("//") {
                    each(&entry, line);
                }
            }
        }
    }
}
