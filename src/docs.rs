//! The built-in operator documentation: a few pages, each true of this build.
//!
//! MCP clients read them as `docs://{page}`; the files are embedded, so that a page is never of another version.

use crate::base::packed::{self, packed};

/// One page.
#[derive(Debug, PartialEq, Eq)]
pub struct Page {
    /// `getting-started`: in addresses, and the file's name.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// What it tells, in a sentence.
    pub about: &'static str,
    /// Length of its text in bytes.
    pub bytes: usize,
}

impl Page {
    /// Markdown.
    pub fn text(&self) -> String {
        packed::text(packed!("docs"), self.name).unwrap_or_default()
    }
}

macro_rules! page {
    ($name:literal, $title:literal, $about:literal) => {
        Page { name: $name, title: $title, about: $about, bytes: const { include_str!(concat!("../assets/docs/", $name, ".md")).len() } }
    };
}

/// Every page, in reading order.
pub const PAGES: &[Page] = &[
    page!("getting-started", "Getting started", "From the binary to a first answer about a router."),
    page!("install", "Install", "What the machine needs, where things go, and the first start."),
    page!("configuration", "Configuration", "File, variables and flags; what wins, and how mistakes are told."),
    page!("connecting-clients", "Connecting clients", "How MCP clients start the program, and what they see."),
    page!("client-setup", "Client set-up", "What to paste into Claude, Cursor, VS Code, Inspector and SDKs."),
    page!("tls-and-proxies", "TLS and proxies", "Certificates from files, certbot or an authority, systemd sockets, and proxies in front."),
    page!("certificates", "Certificates, step by step", "certbot, a corporate authority, self-signed."),
    page!("deployment", "Deployment", "Behind nginx, HAProxy or Cloudflare Tunnel, and which shape fits."),
    page!("devices", "Devices", "Taking routers into care: login, pins, environments, tags, status."),
    page!("router-side", "The router's side", "Least privilege, what to close, and what device-mode changes."),
    page!("adding-routers", "Adding routers", "By address, from those nearby, by a script that registers itself, or from a list."),
    page!(
        "walkthrough",
        "Walkthrough",
        "The first quarter of an hour, scene by scene: first run, a router, a client, a change and one undone."
    ),
    page!("tools", "Tools", "What can be asked, how lists and answers look, and what an answer costs."),
    page!("admin", "Admin pages and API", "Signing in, approving, users and tokens in a browser, and the API below."),
    page!("safe-change", "How a change stays safe", "Plans: who says yes, what the router holds meanwhile, and how a change is undone."),
    page!("roles", "Roles", "Who may do what, and the switches that bind everybody."),
    page!("identity", "Identity", "Identity providers, signing in, and the way in when they are down."),
    page!("identity-providers", "Identity providers, step by step", "Entra ID, Okta, Auth0 and Keycloak."),
    page!("security", "Who may do what", "The table of roles, scopes and acts, as this build decides."),
    page!("security-model", "Security model", "What is trusted, what is kept back, and what is written down."),
    page!("monitoring", "Monitoring", "Prometheus and Grafana: who may fetch metrics, where, and how to read them."),
    page!("metrics", "Metrics", "Every metric, with its labels and what it counts."),
    page!("log-shipping", "Log shipping", "What a line of the log looks like, and how it gets to Loki or Elasticsearch."),
    page!("notifications", "Notifications", "What is told by webhook and syslog, when, and how a receiver checks it."),
    page!("alerts", "Alerts", "What each shipped alert of Prometheus means, and what to do about it."),
    page!("update", "Update and go back", "Looking for versions, trying them out, switching, and the way back."),
    page!("openwrt", "OpenWrt", "Packages for 24.10 and 25.12, where state lies, memory, sysupgrade, firewall, updates."),
    page!("backup", "Backup and disaster recovery", "Making, checking and restoring backups, and changing the master key."),
    page!("disaster-recovery", "Disaster recovery", "What can be lost, how long it takes to come back, and the steps."),
    page!("performance", "Performance", "What operations cost, and how that grows with devices, rows, records and sessions."),
    page!("troubleshooting", "Troubleshooting", "What errors mean, and what to do about them."),
    page!("runbook-callers", "Runbook: callers", "Protocol errors, denied access, a provider that is down, token budget, slow answers."),
    page!("runbook-routers", "Runbook: routers", "Routers that do not answer or answer no, old numbers, logins that have to change."),
    page!("runbook-changes", "Runbook: changes and tools", "Kill switches, misbehaving tools, plans that do not end."),
    page!("runbook-appliance", "Runbook: the appliance", "Disk full, starts that fail, a broken trail, certificates, the clock."),
    page!("incident-response", "Incident response", "The first ten minutes, a template to fill in, and what to do by what may be known."),
    page!("checklists", "Checklists", "Before others use it, hardening, and what to do each week, month and year."),
    page!("threat-model", "Threat model", "Who may attack what, what holds against it, and what does not."),
    page!("abuse-cases", "Abuse cases: callers", "What callers, people and the network may try, and the test that holds each."),
    page!(
        "abuse-cases-inside",
        "Abuse cases: routers and the box",
        "What routers, files, releases and a service that was taken over may try, and the test that holds each."
    ),
    page!("supply-chain", "Supply chain", "What is checked of crates and releases, and the ten riskiest crates."),
    page!("earlier-deployments", "Earlier deployments", "What replaces the database pool, Redis and replicas of an earlier service."),
    page!("config-server", "Configuration: the server", "Environment, log, store, listener, certificates, metrics."),
    page!("config-access", "Configuration: clients", "What MCP clients are offered, and how much of it."),
    page!("config-identity", "Configuration: people and changes", "Identity provider, sign-in, plans, updates, backups."),
    page!("config-routers", "Configuration: routers", "Requests to routers, health, snapshots, retention."),
    page!("config-alerts", "Configuration: alerts", "What is told by webhook and syslog, when, and how often."),
    page!("tools-look", "Tools: looking", "Devices, menus, plans, the system, diagnosis."),
    page!("tools-network", "Tools: network", "Interfaces, addresses, wireless, VPN."),
    page!("tools-rules", "Tools: rules", "Routing, firewall, configuration, security."),
];

/// The page of that name.
pub fn page(name: &str) -> Option<&'static Page> {
    PAGES.iter().find(|page| page.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longest page, in bytes: about 1,500 tokens.
    const MOST_BYTES: usize = 6_000;

    #[test]
    fn every_page_is_short_and_begins_with_its_title() {
        for page in PAGES {
            let text = page.text();
            assert!(text.starts_with(&format!("# {}\n", page.title)), "{}", page.name);
            assert!(text.len() > 400 && text.len() <= MOST_BYTES, "{}: {} bytes", page.name, text.len());
            assert_eq!(text.len(), page.bytes, "{}", page.name);
            assert_eq!(super::page(page.name), Some(page));
        }
        assert!(super::page("no-such-page").is_none());
    }
}
