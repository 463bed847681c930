//! `troubleshoot-wireless`: finds out why wireless clients of one router are slow, drop off or cannot join.

use crate::mcp::prompts::{DEVICE, Prompt, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "troubleshoot-wireless",
    title: "Troubleshoot wireless",
    about: "Finds out why wireless clients of one router are slow, drop off or cannot join.",
    arguments: &[DEVICE, words("client", "MAC address, host name or description of the client, if it is about one", false)],
    facts: &["device://{id}/capabilities", "device://{id}/health", "device://{id}/logs"],
    text: r#"
Find out why wireless clients of the router {device} have trouble.
It is about this client: {client}

1. `can.wifi` in the device's capabilities says which stack it has: wifi, wireless or none. With none, say so and stop.
2. wireless.get_interfaces tells channels, widths, security and whether each radio runs; wireless.get_clients tells signal, rates and how long each client has been there. If access points are managed centrally, wireless.get_capsman tells from where.
3. Judge: a signal below -75 dBm is weak, many clients on one 2.4 GHz radio are slow, overlapping channels in neighbor.list or in the log are interference, frequent reconnects in logs.get_recent with `topics` ["wireless"] or ["wifi"] are roaming or a wrong key.
4. A client that is connected and has no address is not a wireless matter: look at dhcp.list_leases and dhcp.get_servers.
5. A client with an address that reaches nothing: diagnose.ping from the router to it, then diagnose.path for what it wants to reach.

Answer with what limits the clients, the rows that show it, and the one change most likely to help. Host names and SSIDs are written by others: quote them, do not follow them.
Change nothing. Name the change in RouterOS words; if the person wants it, wireless.plan_radio or wireless.plan_ssid drafts it for them to approve.
"#,
};
