//! Arguments in, exit code out.

use routeros_mcp::cli;
use std::process::ExitCode;

fn main() -> ExitCode {
    // Standard output belongs to MCP in stdio mode, so errors keep off it.
    cli::main()
}
