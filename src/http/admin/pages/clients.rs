//! What to paste into programs that speak MCP, so that they find this appliance.
//!
//! Source: <https://code.claude.com/docs/en/mcp>, <https://cursor.com/docs/mcp>,
//! <https://code.visualstudio.com/docs/copilot/reference/mcp-configuration>, <https://github.com/geelen/mcp-remote>,
//! <https://github.com/modelcontextprotocol/inspector>

use serde_json::{Value, json};

/// One program, and what it takes.
pub struct Snippet {
    pub name: &'static str,
    pub about: &'static str,
    pub text: String,
}

/// How they find us.
pub enum Reach<'a> {
    /// Over the network: the address of MCP, and a token.
    Http {
        /// `https://box:8443/mcp`.
        url: &'a str,
        /// A token, or a word in its place.
        token: &'a str,
    },
    /// Not at all over the network.
    Stdio,
}

/// For each program; `program` is where ours lies.
pub fn snippets(reach: &Reach<'_>, program: &str) -> Vec<Snippet> {
    let mut all = Vec::new();
    if let Reach::Http { url, token } = reach {
        over_http(&mut all, url, token);
    }
    let stdio = json!({"mcpServers": {"routeros": {"command": program, "args": ["stdio"]}}});
    all.push(Snippet {
        name: "Any program on this machine (stdio)",
        about: "No token and no network: started by the user whom the appliance belongs to. Goes into the program's list of MCP servers.",
        text: pretty(&stdio),
    });
    all.push(Snippet {
        name: "Claude Code on this machine (stdio)",
        about: "The same, as a command.",
        text: format!("claude mcp add routeros -- {} stdio", word(program)),
    });
    all
}

fn over_http(all: &mut Vec<Snippet>, url: &str, token: &str) {
    let bearer = format!("Bearer {token}");
    let headers = json!({"Authorization": bearer});
    let mut remote = json!(["-y", "mcp-remote", url, "--header", "Authorization:${AUTH}"]);
    if let (true, Some(words)) = (url.starts_with("http:"), remote.as_array_mut()) {
        words.push("--allow-http".into());
    }
    // A blank within an argument is lost on Windows: so it stands in a variable.
    let desktop = json!({"mcpServers": {"routeros": {"command": "npx", "args": remote, "env": {"AUTH": bearer}}}});
    for (name, about, text) in [
        (
            "Claude Code",
            "In a terminal.",
            format!("claude mcp add --transport http routeros {} --header {}", word(url), word(&format!("Authorization: {bearer}"))),
        ),
        ("Claude Desktop", "In claude_desktop_config.json (Settings, Developer, Edit Config); needs Node.js.", pretty(&desktop)),
        ("Cursor", "In ~/.cursor/mcp.json.", pretty(&json!({"mcpServers": {"routeros": {"url": url, "headers": headers}}}))),
        ("VS Code", "In .vscode/mcp.json.", pretty(&json!({"servers": {"routeros": {"type": "http", "url": url, "headers": headers}}}))),
        (
            "MCP Inspector",
            "In a terminal: lists the tools.",
            format!(
                "npx @modelcontextprotocol/inspector --cli {} --transport http --method tools/list --header {}",
                word(url),
                word(&format!("Authorization: {bearer}"))
            ),
        ),
    ] {
        all.push(Snippet { name, about, text });
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// A word as a shell takes it.
fn word(text: &str) -> String {
    if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/.:_-@".contains(&byte)) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_json_can_be_read_and_what_is_a_command_is_quoted() {
        let all = snippets(&Reach::Http { url: "https://[fd00::1]:8443/mcp", token: "rmcp_x" }, "/opt/my programs/routeros-mcp");
        assert_eq!(all.len(), 7);
        for one in &all {
            let is_json = one.text.starts_with('{');
            assert!(!is_json || serde_json::from_str::<Value>(&one.text).is_ok(), "{}", one.text);
            let is_stdio = one.name.contains("stdio");
            assert_eq!(one.text.contains("rmcp_x"), !is_stdio, "{}", one.text);
        }
        let of = |name: &str| all.iter().find(|one| one.name == name).unwrap().text.clone();
        assert_eq!(
            of("Claude Code"),
            "claude mcp add --transport http routeros 'https://[fd00::1]:8443/mcp' --header 'Authorization: Bearer rmcp_x'"
        );
        assert_eq!(of("Claude Code on this machine (stdio)"), "claude mcp add routeros -- '/opt/my programs/routeros-mcp' stdio");
        assert!(!of("Claude Desktop").contains("--allow-http"));
        let plain = snippets(&Reach::Http { url: "http://127.0.0.1:8080/mcp", token: "T" }, "x");
        assert!(plain.iter().any(|one| one.text.contains("--allow-http")));
        assert_eq!(snippets(&Reach::Stdio, "x").len(), 2);
    }
}
