//! `safe-change`: plans a change of one router, has a person approve it, and applies it without locking anybody out.

use crate::mcp::prompts::{DEVICE, Prompt, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "safe-change",
    title: "Make a safe change",
    about: "Plans a change of one router, has a person approve it, and applies it without locking anybody out.",
    arguments: &[DEVICE, words("goal", "What should be different afterwards", true)],
    facts: &["device://{id}/capabilities", "device://{id}/health", "device://{id}/overview"],
    text: r#"
Make this change of the router {device}: {goal}

A plan is drafted, approved by a person, applied under the router's own undo, verified, and kept or taken back. You draft and apply; you cannot approve.

1. Find the menu with menu.search, and what its attributes take on this device's version with menu.describe.
2. Read the state now with menu.read, and what depends on it: interface.list, ip.list_addresses, routing.list_routes, firewall.list_rules as far as the change touches them.
3. plan.create with the edits, the reason, and in `verify` what must work afterwards. A tool of its own (firewall.plan_rule, routing.plan_static_route, bridge.plan_port, dhcp.plan_pool …) writes the edits for you. Read what it answers: diff, risk, can_cut_access and why.
4. Is the diff exactly what was asked? If not, plan.cancel, and draft anew. If it can cut access, is there a way that cannot?
5. Tell the person, row by row, what will differ, the risk in your own words, and the plan's id and short digest. Where approvals are needed, they approve it: routeros-mcp plan approve ID. Wait for that.
6. plan.apply; then plan.get until it has ended or waits. A manual plan is kept by plan.confirm, or by a person where the risk is high; plan.roll_back takes it back; left alone, the router undoes it at fires_at.

Say how it ended in the words of its summary, and what `error` or `difference` says. If the goal is not clear enough for exact edits, ask instead of guessing.
"#,
};
