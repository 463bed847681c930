//! `troubleshoot-dns-ntp`: checks name resolution and the clock of one router, and what depends on them.

use crate::mcp::prompts::{DEVICE, Prompt};

pub(super) const PROMPT: Prompt = Prompt {
    name: "troubleshoot-dns-ntp",
    title: "Troubleshoot DNS and NTP",
    about: "Checks name resolution and the clock of one router, and what depends on them.",
    arguments: &[DEVICE],
    facts: &["device://{id}/overview", "device://{id}/health"],
    text: r#"
Check DNS and time on the router {device}.

1. dns.get_status tells the servers in use, whether they came from DHCP, whether the router answers others, and the cache's size. dns.get_cache shows whether entries are resolved at all.
2. ntp.get_status tells whether the clock is synchronised, to which server and by how much it was off; system.get_clock tells the time, the zone and the difference to ours.
3. If names do not resolve: diagnose.ping from the router to each DNS server by address. If none answers, it is routing, not DNS: routing.list_routes and diagnose.path to UDP port 53.
4. If the clock is wrong: a clock before the certificates' dates breaks TLS and DoH, and DoH needed to find the NTP server by name is a circle; then NTP servers should be given by address.
5. A router that answers DNS for the Internet is an open resolver: check firewall.list_rules for UDP and TCP port 53 on the outside, and say so plainly.

Answer with the state of both, what depends on what here, the rows that show it, and what to change.
Change nothing unless the person asks for it: then dns.update_servers, ntp.update_servers or plan.create.
"#,
};
