//! The reference pages of the help: made from the keys and tools of this build; `BLESS=1` rewrites them.

use routeros_mcp::base::tier::Environment;
use routeros_mcp::config::{KEYS, Key, Standard};
use routeros_mcp::tools;
use routeros_mcp::tools::spec::{Audience, Tool};
use std::collections::BTreeSet;
use std::path::Path;

const BEGIN: &str = "<!-- made: begin -->\n";
const END: &str = "<!-- made: end -->";

/// Page, and the sections of the configuration on it; the empty one is the top level.
const SETTINGS: &[(&str, &[&str])] = &[
    ("config-server", &["", "log", "store", "http", "acme", "metrics", "shutdown"]),
    ("config-access", &["mcp", "token_budget", "resource_cache", "rate_limit", "sse"]),
    ("config-identity", &["oidc", "auth", "plan", "update", "backup"]),
    ("config-routers", &["routeros", "health_check", "snapshot", "retention"]),
    ("config-alerts", &["alert"]),
];

/// Page, and the toolsets on it.
const TOOLS: &[(&str, &[&str])] = &[
    ("tools-look", &["core", "system", "diagnose"]),
    ("tools-network", &["interface", "ip", "wireless", "vpn"]),
    ("tools-rules", &["routing", "firewall", "config", "security"]),
];

/// Puts what was made between the marks of a page, or says that it is not what stands there.
fn hold(page: &str, made: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs").join(format!("{page}.md"));
    let is = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = is.split_once(BEGIN).expect("a mark where the tables begin");
    let (_, after) = rest.split_once(END).expect("a mark where they end");
    let want = format!("{before}{BEGIN}{made}{END}{after}");
    assert!(want.len() <= 6_000, "{page} would have {} bytes: move a section to another page", want.len());
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &want).unwrap();
    } else {
        assert!(is == want, "{} is not what this build has; BLESS=1 rewrites it", path.display());
    }
}

fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn default(key: &Key) -> String {
    match key.default {
        Standard::Unset => "-".into(),
        Standard::State(below) => format!("`<state>/{below}`"),
        Standard::Same("") => "empty".into(),
        Standard::Same(text) => escaped(text),
        Standard::By(..) if key.name == "environment" => "lab".into(),
        Standard::By(lab, _, prod) => format!("{lab}; {}: {prod}", Environment::Prod.as_str()),
    }
}

fn key_row(key: &Key) -> String {
    let star = if key.guard.is_some() { " \\*" } else { "" };
    // Where every word is allowed, the table of defaults says enough.
    let allowed = if key.name == "alert.kinds" { "a list of kinds".to_owned() } else { key.kind.allowed() };
    format!("| `{}`{star} | {} | {} | {} |\n", key.parts().1, default(key), escaped(&allowed), escaped(key.about))
}

fn settings(section: &str) -> String {
    let rows: String = KEYS.iter().filter(|key| key.parts().0 == section).map(key_row).collect();
    assert!(!rows.is_empty(), "no keys in {section:?}");
    let heading = if section.is_empty() { "Top level".to_owned() } else { format!("[{section}]") };
    format!("## {heading}\n| key | default | allowed | what |\n|---|---|---|---|\n{rows}\n")
}

#[test]
fn the_configuration_reference_has_every_key_of_this_build() {
    let sections: BTreeSet<&str> = KEYS.iter().map(|key| key.parts().0).collect();
    let told: Vec<&str> = SETTINGS.iter().flat_map(|(_, sections)| sections.iter().copied()).collect();
    assert_eq!(told.iter().copied().collect::<BTreeSet<_>>(), sections);
    assert_eq!(told.len(), sections.len(), "a section is on two pages");
    for (page, sections) in SETTINGS {
        hold(page, &sections.iter().map(|section| settings(section)).collect::<String>());
    }
}

fn tool_row(tool: &Tool) -> String {
    format!("| `{}` | {} | {} | {} |\n", tool.name, tool.tier.as_str(), tool.effect.as_str(), escaped(tool.about))
}

fn toolset(name: &str) -> String {
    let of_set = tools::all().filter(|tool| tool.audience == Audience::Model && tool.toolset == name);
    let rows: String = of_set.map(tool_row).collect();
    assert!(!rows.is_empty(), "no tools in {name}");
    format!("## {name}\n| tool | tier | effect | what |\n|---|---|---|---|\n{rows}\n")
}

#[test]
fn the_tool_reference_has_every_tool_of_this_build() {
    let sets: BTreeSet<&str> = tools::all().filter(|tool| tool.audience == Audience::Model).map(|tool| tool.toolset).collect();
    let told: BTreeSet<&str> = TOOLS.iter().flat_map(|(_, sets)| sets.iter().copied()).collect();
    assert_eq!(told, sets);
    for (page, sets) in TOOLS {
        hold(page, &sets.iter().map(|set| toolset(set)).collect::<String>());
    }
}
