//! What single values cannot tell: refusals of prod, keys that need each other, and features this build does not have.

use super::key::{Key, Standard};
use super::keys::KEYS;
use super::merge::{Merged, default_value};
use super::report::{Problem, Source, nearest};
use super::value::{self, is_loopback};
use crate::alert::syslog::Target;
use crate::base::tier::Environment;
use crate::tools;
use crate::update::signature::Keys;
use std::path::Path;

/// Days that audit records stay in prod, at least.
const PROD_AUDIT_DAYS: f64 = 365.0;

/// Characters of the secret that signs webhooks, at least.
const WEBHOOK_SECRET: usize = 16;

/// The key whose unknown names are told.
pub const DISABLE_TOOLS: &str = "mcp.disable_tools";

/// Collects problems about one merged configuration.
pub(super) struct Checks<'c> {
    /// Everybody's values.
    pub values: &'c Merged,
    /// Whose rules count.
    pub environment: Environment,
    /// For defaults that are paths.
    pub state_dir: &'c Path,
    /// What was found.
    pub problems: &'c mut Vec<Problem>,
}

impl Checks<'_> {
    /// All of them.
    pub fn run(&mut self) {
        if self.environment == Environment::Prod {
            self.prod();
        }
        self.environments();
        self.identity();
        self.listener();
        self.needed();
        self.conflicts();
        self.tools();
        self.thresholds();
        self.alerts();
        self.update();
        if self.values.text("http.tls") == "acme" {
            self.acme();
        }
    }

    fn error(&mut self, key: &str, said: impl Into<String>) {
        let at = self.values.source(key).clone();
        self.problems.push(Problem::error(Some(at), key, said));
    }

    fn warn(&mut self, key: &str, said: impl Into<String>) {
        let at = self.values.source(key).clone();
        self.problems.push(Problem::warning(Some(at), key, said));
    }

    /// A warning that comes after the critical threshold would never be seen.
    fn thresholds(&mut self) {
        for key in KEYS.iter().filter(|key| key.name.starts_with("health_check.") && key.name.contains("_warning")) {
            let critical = key.name.replace("_warning", "_critical");
            let (warns, is_critical) = (self.values.number(key.name), self.values.number(&critical));
            let falling = key.name.contains("voltage");
            let (word, wrong) = if falling { ("below", warns < is_critical) } else { ("above", warns > is_critical) };
            if wrong {
                self.warn(key.name, format!("{warns} is {word} {critical} ({is_critical}): it is never just a warning"));
            }
        }
    }

    /// Where alerts go. The address of a webhook may be a secret, so it is never repeated.
    fn alerts(&mut self) {
        let url = self.values.text("alert.webhook_url").to_owned();
        let is_plain = url.starts_with("http://");
        if !url.is_empty() && !value::is_remote(&url) {
            self.error("alert.webhook_url", "must be an https address (http only on loopback), not link-local");
        } else if is_plain && self.environment != Environment::Lab {
            self.error("alert.webhook_url", "plain http is for lab only; allowed: https");
        }
        let secret = self.values.text("alert.webhook_secret").len();
        if secret > 0 && secret < WEBHOOK_SECRET {
            self.error("alert.webhook_secret", format!("must be {WEBHOOK_SECRET} characters or more"));
        }
        if secret > 0 && url.is_empty() {
            self.warn("alert.webhook_secret", "has no effect: alert.webhook_url is not set");
        }
        let syslog = self.values.text("alert.syslog").to_owned();
        if !syslog.is_empty()
            && let Err(why) = syslog.parse::<Target>()
        {
            self.error("alert.syslog", why);
        }
    }

    /// A switch that switches nothing: whoever wrote it believes that something is off. No error, for a tool that a newer build
    /// does not have any more must not keep it from starting; `check` fails on it.
    fn tools(&mut self) {
        for name in self.values.texts(DISABLE_TOOLS) {
            let known = match name.strip_suffix(".*") {
                Some(category) => tools::all().any(|tool| tool.category() == category),
                None => tools::find(&name).is_some(),
            };
            if !known {
                let at = self.values.source(DISABLE_TOOLS).clone();
                let problem = Problem::warning(Some(at), DISABLE_TOOLS, format!("there is no tool {name}"));
                let meant = nearest(&name, tools::all().map(|tool| tool.name));
                self.problems.push(match meant {
                    Some(_) => problem.meant(meant),
                    None => problem.hint("`tool list` and `catalog` show the names"),
                });
            }
        }
    }

    fn prod(&mut self) {
        if self.values.flag("debug") {
            self.error("debug", "true is refused in prod");
        }
        if self.values.text("routeros.verify_tls") == "off" {
            self.error("routeros.verify_tls", "\"off\" is refused in prod; allowed: pin, ca");
        }
        if self.values.text("mcp.rbac_mode") == "permissive" {
            self.error("mcp.rbac_mode", "\"permissive\" is refused in prod; allowed: strict");
        }
        if self.values.number("retention.audit_days") < PROD_AUDIT_DAYS {
            self.error("retention.audit_days", "must be at least 365 in prod");
        }
        if self.values.is_empty("encryption_key") && !self.already_about("encryption_key") {
            let said = "prod needs a named source for the master key";
            let how = "encryption_key_file = \"PATH\", ROUTEROS_MCP_ENCRYPTION_KEY, or a systemd credential encryption_key";
            self.problems.push(Problem::error(None, "encryption_key", said).hint(how));
        }
    }

    fn already_about(&self, key: &str) -> bool {
        self.problems.iter().any(|problem| problem.key.as_deref() == Some(key))
    }

    fn environments(&mut self) {
        if self.values.flag("oidc.skip_verification") && self.environment != Environment::Lab {
            self.error("oidc.skip_verification", "true is refused outside lab");
        }
        if self.values.text("plan.self_approval") == "lab" && self.environment != Environment::Lab {
            self.warn("plan.self_approval", format!("\"lab\" has no effect in {}", self.environment.as_str()));
        }
        let from_outside = matches!(self.values.source("environment"), Source::Env { .. } | Source::Flag(_));
        for key in KEYS.iter().filter(|key| from_outside && matches!(key.default, Standard::By(..))) {
            self.left_from_another_environment(key);
        }
    }

    /// A file made for lab, started as prod, keeps lab's defaults; that is allowed and easily overlooked.
    fn left_from_another_environment(&mut self, key: &'static Key) {
        let mine = default_value(key, self.environment, self.state_dir);
        let lab = default_value(key, Environment::Lab, self.state_dir);
        let value = self.values.value(key.name);
        if matches!(self.values.source(key.name), Source::File { .. }) && *value == lab && lab != mine {
            self.warn(key.name, format!("{value} is lab's default; {}'s is {mine}", self.environment.as_str()));
        }
    }

    /// Who vouches for callers, and who needs nobody to.
    fn identity(&mut self) {
        let v = self.values;
        if v.flag("oidc.skip_verification") && self.environment == Environment::Lab {
            self.warn("oidc.skip_verification", "true has no effect: tokens are verified always and everywhere; take it out");
        }
        if v.flag("oidc.enabled") {
            if v.text("oidc.provider_url").starts_with("http://") && self.environment != Environment::Lab {
                self.error("oidc.provider_url", "plain http is for lab only; allowed: https");
            }
            if v.value("oidc.role_map").as_object().is_none_or(|map| map.is_empty()) {
                self.warn("oidc.role_map", "is empty: nobody the identity provider vouches for has any access");
            }
        }
        if v.flag("auth.allow_anonymous_loopback") {
            if self.environment == Environment::Prod {
                self.error("auth.allow_anonymous_loopback", "true is refused in prod");
            }
            if v.flag("http.behind_proxy") {
                let said = "true is refused with http.behind_proxy: behind a proxy on this machine everybody would come from loopback";
                self.error("auth.allow_anonymous_loopback", said);
            }
        }
    }

    /// Who can reach us must prove who they are, over an encrypted line.
    fn listener(&mut self) {
        let v = self.values;
        let is_apart = v.flag("metrics.enabled") && v.number("metrics.port") > 0.0;
        let open = is_apart && !is_loopback(v.text("metrics.host")) && !v.text("metrics.host").is_empty();
        if open && v.text("http.tls") == "off" && !v.flag("http.behind_proxy") {
            self.error("metrics.host", "not loopback needs http.tls or http.behind_proxy: the token must not go over an open line");
        }
        if v.text("mcp.http_host").is_empty() || is_loopback(v.text("mcp.http_host")) {
            return;
        }
        if v.text("http.tls") == "off" && !v.flag("http.behind_proxy") {
            self.error("mcp.http_host", "not loopback needs http.tls or http.behind_proxy");
        }
        if !v.flag("auth.tokens") && !v.flag("oidc.enabled") {
            self.error("mcp.http_host", "not loopback needs authentication: auth.tokens or oidc.enabled");
        }
    }

    /// Keys that are nothing without another.
    fn needed(&mut self) {
        let tls = self.values.text("http.tls").to_owned();
        let needs: [(bool, &str, &[&str]); 5] = [
            (tls == "files", "http.tls = \"files\"", &["http.tls_cert_file", "http.tls_key_file"]),
            (tls == "acme", "http.tls = \"acme\"", &["acme.domains"]),
            (self.values.flag("oidc.enabled"), "oidc.enabled", &["oidc.provider_url", "oidc.client_id", "oidc.audience"]),
            (self.values.flag("update.check"), "update.check", &["update.url"]),
            (self.values.flag("backup.enabled"), "backup.enabled", &["backup.recipients"]),
        ];
        for (on, what, keys) in needs {
            for key in keys.iter().filter(|key| on && self.values.is_empty(key)).copied().collect::<Vec<_>>() {
                if !self.already_about(key) {
                    self.error(key, format!("{what} needs it"));
                }
            }
        }
    }

    /// A key that is none would stop the start only after everything else was read.
    fn update(&mut self) {
        let keys = self.values.texts("update.public_keys");
        if let Err(error) = Keys::built_in().and_then(|built_in| built_in.with(&keys)) {
            self.error("update.public_keys", error.why());
        }
    }

    /// What an authority would refuse after minutes, told at once.
    fn acme(&mut self) {
        let v = self.values;
        for domain in v.texts("acme.domains").iter().filter(|domain| !is_dns_name(domain)) {
            let said =
                format!("\"{domain}\" is no name that a certificate authority checks: no addresses, wildcards or names without a dot");
            self.error("acme.domains", said);
        }
        let (listens, asks) = (v.number("mcp.http_port"), v.number("acme.external_tls_port"));
        if v.text("acme.challenge") == "http-01" {
            if listens > 0.0 && v.number("acme.http_port") == listens {
                self.error("acme.http_port", "is the listener's port; http-01 needs one of its own for plain HTTP");
            }
        } else if listens != asks && !v.is_set("acme.external_tls_port") {
            let said = format!(
                "authorities call port {asks} for tls-alpn-01, and mcp.http_port is {listens}: listen on {asks}, use the systemd socket, or forward it \
                 and say so by setting acme.external_tls_port = {asks}"
            );
            self.warn("mcp.http_port", said);
        }
        if is_loopback(v.text("mcp.http_host")) {
            self.warn(
                "mcp.http_host",
                "on loopback no certificate authority outside this box can check a name, unless its calls are forwarded here",
            );
        }
    }

    fn conflicts(&mut self) {
        let v = self.values;
        if v.number("token_budget.error_threshold") < v.number("token_budget.warning_threshold") {
            self.error("token_budget.error_threshold", "must not be below token_budget.warning_threshold");
        }
        if v.flag("http.behind_proxy") && v.is_empty("http.trusted_proxies") {
            self.warn("http.behind_proxy", "nobody's forwarding headers are believed: http.trusted_proxies is empty");
        }
        if v.flag("mcp.enable_resources") && !v.flag("resource_cache.enabled") {
            self.warn("resource_cache.enabled", "resources are on and their cache is off: each read asks the router");
        }
        let tiers = v.value("mcp.tool_tiers").as_array().cloned().unwrap_or_default();
        if !tiers.contains(v.value("mcp.default_tool_tier")) {
            self.warn("mcp.default_tool_tier", format!("{} is not in mcp.tool_tiers", v.value("mcp.default_tool_tier")));
        }
        let port = v.number("metrics.port");
        if port > 0.0 && port == v.number("mcp.http_port") {
            self.error("metrics.port", "is the listener's port; 0 means the same listener");
        }
    }
}

/// Lower or upper case, punycode for others; at least two labels.
fn is_dns_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253
        && name.contains('.')
        && name.split('.').all(is_label)
        // An address, or what a resolver would take for one.
        && !name.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()))
}
