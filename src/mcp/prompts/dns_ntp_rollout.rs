//! `dns-ntp-rollout`: prepares the same DNS and NTP servers for several routers, by comparing what each has now.

use crate::mcp::prompts::{ENVIRONMENT, Prompt, words};

pub(super) const PROMPT: Prompt = Prompt {
    name: "dns-ntp-rollout",
    title: "Plan a DNS and NTP rollout",
    about: "Prepares the same DNS and NTP servers for several routers, by comparing what each has now.",
    arguments: &[
        ENVIRONMENT,
        words("dns_servers", "Addresses of the DNS servers wanted, with commas between", false),
        words("ntp_servers", "NTP servers wanted, with commas between", false),
    ],
    facts: &["fleet://devices/{environment}"],
    text: r#"
Prepare a rollout of DNS and NTP servers.
Devices: those of the environment {environment} in the inventory.
DNS servers wanted: {dns_servers}
NTP servers wanted: {ntp_servers}

1. Choose the devices from device.list and name them. Leave out what is not reachable, and say which.
2. For each: dns.get_status and ntp.get_status. Note servers that come from DHCP or PPP: they come back unless the client is told not to take them.
3. From each site, diagnose.ping to each wanted server: a server that does not answer from there must not be rolled out there.
4. Compare: which devices have the wanted state already, which differ, which have something special (DoH, static entries, another zone) that the rollout would break.

5. Show the person a table (device, now, wanted, special). When they agree, config.plan_dns_ntp_rollout drafts one plan for the devices that differ: it is applied to one device first, then in batches.
6. Say the plan's id, risk and short digest, and that a person approves it (routeros-mcp plan approve ID). Only then plan.apply; plan.get says how far it is. Say only what its summary says.
"#,
};
