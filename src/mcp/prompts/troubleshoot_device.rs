//! `troubleshoot-device`: finds out what is wrong with one router, from its health, log, interfaces and neighbours.

use crate::mcp::prompts::{DEVICE, Prompt, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "troubleshoot-device",
    title: "Troubleshoot a device",
    about: "Finds out what is wrong with one router, from its health, log, interfaces and neighbours.",
    arguments: &[DEVICE, words("symptom", "What is wrong, in your own words", false)],
    facts: &["device://{id}/capabilities", "device://{id}/health", "device://{id}/overview", "device://{id}/logs"],
    text: r#"
Find out what is wrong with the router {device}, and say it so that its operator can act.
The person says: {symptom}

1. If it cannot be reached, call device.check_connectivity: it says whether the address, the port, the certificate or the login is the trouble. Stop there if nothing answers.
2. Look at health and its trend: system.get_health with `hours` 168 shows whether this is new.
3. Read the log around the time it began: logs.get_recent with `severity` "warning" first, then with `contains` words of the symptom.
4. Look at interface.list for links that are down, flap or count errors, and at neighbor.list for what they lead to.
5. Follow what you found: routing.get_summary and routing.list_routes for reachability, dns.get_status and ntp.get_status for names and time, firewall.list_rules for dropped traffic, diagnose.ping and diagnose.path from the router itself.
6. Any other menu is found with menu.search and read with menu.read.

Answer with: what is wrong and since when; the rows that show it, each with the tool it came from; what it is not, if that was ruled out; and what the person should do next. If the evidence does not decide, say what would.
Change nothing. Name the change in RouterOS words; if the person wants it, plan.create drafts it for them to approve.
"#,
};
