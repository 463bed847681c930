//! `version`.

use crate::base::fault::Fault;
use crate::base::ids::hex;
use crate::cli::{catalog, output};
use crate::store;
use serde_json::json;

/// Prints what this binary is.
pub fn run(as_json: bool) -> Result<(), Fault> {
    let version = env!("CARGO_PKG_VERSION");
    if !as_json {
        output::text(&format!("routeros-mcp {version}"));
        return Ok(());
    }
    let tools = catalog::json().to_string();
    let hash = ring::digest::digest(&ring::digest::SHA256, tools.as_bytes());
    output::json(&json!({
        "version": version,
        "commit": option_env!("ROUTEROS_MCP_COMMIT"),
        "target": self_update::get_target(),
        "schema": {"store": store::SCHEMA, "config": 1},
        "tools_hash": format!("sha256:{}", hex(hash.as_ref())),
    }));
    Ok(())
}
