//! `safe-change`: prepares a change of one router so that a person can make it without being locked out.

use crate::mcp::prompts::{DEVICE, Prompt, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "safe-change",
    title: "Prepare a safe change",
    about: "Prepares a change of one router so that a person can make it without being locked out.",
    arguments: &[DEVICE, words("goal", "What should be different afterwards", true)],
    facts: &["device://{id}/capabilities", "device://{id}/health", "device://{id}/overview"],
    text: r#"
Prepare this change of the router {device}: {goal}

This build reads; it changes nothing on a router. What you prepare, a person does.

1. Find the menu with menu.search, and what its attributes take on this device's version with menu.describe.
2. Read the state now with menu.read, and what depends on it: interface.list, ip.list_addresses, routing.list_routes, firewall.list_rules as far as the change touches them.
3. Ask whether it can cut off the appliance or the person: it touches the management address, its interface, bridge or VLAN, the input chain, the route back, the service that is used, or the login. diagnose.path shows the way a packet takes now.
4. Look at config.list_snapshots: is there a snapshot from before? If not, the person should make an export first.

Answer with: what will differ, row by row, before and after; the risk and what would be cut off; the exact commands, in order; the commands that undo them; and how to check, with the tool and what it should show. If it can cut access, tell the person to work in RouterOS safe mode (Ctrl+X in the terminal), which undoes the change when the session is lost, and to leave it only after the check.
If the goal is not clear enough for exact commands, ask instead of guessing. Do not say that anything was changed.
"#,
};
