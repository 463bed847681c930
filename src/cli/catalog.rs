//! `catalog`, and whole schemas of single tools.

use crate::base::fault::Fault;
use crate::tools;
use crate::tools::spec::{Audience, Tool};
use serde_json::{Value, json};
use std::fmt::Write;

/// Every tool a model can reach, with whole schemas.
pub fn json() -> Value {
    let tools: Vec<Value> = tools::all().filter(|tool| tool.audience == Audience::Model).map(entry).collect();
    json!({"version": env!("CARGO_PKG_VERSION"), "tools": tools})
}

/// A table for the docs.
pub fn markdown() -> String {
    let mut out = String::from("| tool | toolset | tier | effect | what |\n|---|---|---|---|---|\n");
    for tool in tools::all().filter(|tool| tool.audience == Audience::Model) {
        let _ =
            writeln!(out, "| `{}` | {} | {} | {} | {} |", tool.name, tool.toolset, tool.tier.as_str(), tool.effect.as_str(), tool.about);
    }
    out
}

/// One tool.
pub fn one(name: &str) -> Result<Value, Fault> {
    let tool = tools::find(name).filter(|tool| tool.audience == Audience::Model);
    tool.map(entry).ok_or_else(|| Fault::not_found(format!("unknown tool: {name}")).hint("`tool list` shows them"))
}

fn entry(tool: &'static Tool) -> Value {
    json!({
        "name": tool.name,
        "title": tool.title,
        "description": tool.about,
        "toolset": tool.toolset,
        "tier": tool.tier.as_str(),
        "effect": tool.effect.as_str(),
        "menus": tool.paths,
        "untrusted": tool.untrusted,
        "timeout_seconds": tool.timeout.0.as_secs(),
        "inputSchema": (tool.input)(),
        "outputSchema": (tool.output)(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::schema;

    /// Fewest schemas there are.
    const LEAST: usize = 170;

    #[test]
    fn a_build_carries_the_schema_of_every_type() {
        for tool in tools::all() {
            let _ = ((tool.input)(), (tool.output)());
        }
        crate::http::admin::export::input();
        let made: String = schema::SEEN.with_borrow(|lines| lines.iter().map(|line| format!("{line}\n")).collect());
        let carried = std::fs::read_to_string("assets/schemas.txt").unwrap();
        if std::env::var_os("BLESS").is_some() && carried != made {
            std::fs::write("assets/schemas.txt", &made).unwrap();
        }
        println!("{} schemas", made.lines().count());
        assert!(made.lines().count() >= LEAST, "only {}", made.lines().count());
        assert!(
            carried == made || std::env::var_os("BLESS").is_some(),
            "assets/schemas.txt is not what the types say; BLESS=1 rewrites it"
        );
    }
}
