//! Imports point one way: a module may use only modules listed below it.

use crate::sources;

const ORDER: &[&str] = &[
    "main", "lib", "fuzz", "cli", "app", "config", "control", "http", "mcp", "watch", "dispatch", "tools", "update", "backup", "alert",
    "plan", "history", "fleet", "access", "shape", "menus", "audit", "routeros", "store", "host", "docs", "sim", "base",
];

#[test]
fn imports_point_down() {
    let mut seen = 0;
    let mut wrong = Vec::new();
    for (file, text) in sources::below("src") {
        let from = rank(file.iter().nth(1).unwrap().to_str().unwrap().trim_end_matches(".rs"));
        for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for (at, _) in line.match_indices("crate::") {
                let to: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                seen += 1;
                // `use crate::{a, b}` hides the arrow: write one line per module.
                if to.is_empty() || rank(&to) < from {
                    wrong.push(format!("{}: {line}", file.display()));
                }
            }
        }
    }
    assert!(seen > 0, "read no imports");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

/// RouterOS and its simulator know nothing of us: they could be published as they are.
#[test]
fn routeros_and_the_simulator_use_base_alone() {
    for (own, allowed) in [("routeros", &["routeros", "base"][..]), ("sim", &["sim", "base"])] {
        let mut seen = 0;
        for (file, text) in sources::below("src")
            .into_iter()
            .filter(|(file, _)| file.iter().nth(1).is_some_and(|room| room.to_str().unwrap().trim_end_matches(".rs") == own))
        {
            for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for (at, _) in line.match_indices("crate::") {
                    let to: String = line[at + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                    assert!(allowed.contains(&to.as_str()), "{}: {line}", file.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 0, "read no imports of {own}");
    }
}

fn rank(module: &str) -> usize {
    ORDER.iter().position(|m| *m == module).unwrap_or_else(|| panic!("{module} has no place in ORDER"))
}
