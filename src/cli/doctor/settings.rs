//! The configuration as it stands, and how it could be harder.

use super::{Finding, Weight};
use crate::base::tier::Environment;
use crate::config::sections::{Config, Mode, SelfApproval, Tls, Transport, VerifyTls};
use crate::config::{Loaded, Problem, Weight as Said};

/// Which files it comes from.
pub(super) fn files(loaded: &Loaded) -> Finding {
    let files: Vec<String> = loaded.view.files.iter().map(|path| path.display().to_string()).collect();
    let said = if files.is_empty() { "no file: defaults and environment".to_owned() } else { files.join(", ") };
    Finding::new("config", Weight::Ok, format!("{said}; environment {}", loaded.config.environment.as_str()))
}

/// What its own checks say.
pub(super) fn warned(problem: &Problem) -> Finding {
    let weight = if problem.weight == Said::Error { Weight::Problem } else { Weight::Warning };
    let key = problem.key.as_deref().map(|key| format!("{key}: ")).unwrap_or_default();
    let finding = Finding::new("config", weight, format!("{key}{}", problem.said));
    match &problem.hint {
        Some(hint) => finding.next(hint.clone()),
        None => finding,
    }
}

/// The checklist: what is open, loose, or not watched.
pub(super) fn hardening(config: &Config) -> Vec<Finding> {
    let listens = config.mcp.transport != Transport::Stdio;
    let is_prod = config.environment == Environment::Prod;
    let loopback = crate::config::is_loopback(&config.mcp.http_host);
    let mut list = Vec::new();
    let mut add = |is: bool, weight, said: &str, next: &str| {
        if is {
            list.push(Finding::new("hardening", weight, said).next(next));
        }
    };
    add(
        listens && config.http.tls == Tls::Off && !loopback && !config.http.behind_proxy,
        Weight::Problem,
        "it listens beyond this machine without TLS",
        "http.tls = \"self-signed\", \"files\" or \"acme\"",
    );
    add(
        config.auth.allow_anonymous_loopback,
        Weight::Warning,
        "programs on this machine need no token",
        "auth.allow_anonymous_loopback = false",
    );
    add(
        config.mcp.rbac_mode == Mode::Permissive,
        Weight::Warning,
        "roles that may not read are let through with a note",
        "mcp.rbac_mode = \"strict\"",
    );
    add(
        config.plan.self_approval == SelfApproval::Lab && config.environment != Environment::Lab,
        Weight::Warning,
        "plan.self_approval counts in a lab only",
        "take it out",
    );
    add(
        config.routeros.verify_tls == VerifyTls::Off,
        Weight::Warning,
        "certificates of routers are not looked at: whoever stands between gets their passwords",
        "routeros.verify_tls = \"pin\"",
    );
    add(
        config.store.volatile,
        Weight::Warning,
        "state is in RAM: no credentials are kept, and all is gone with a reboot",
        "move the state directory to a disk",
    );
    add(config.debug, Weight::Note, "errors tell callers what only the log should", "debug = false");
    add(
        !config.backup.enabled,
        Weight::Note,
        "no backup is made by itself",
        "backup.recipients, then backup.enabled = true; or `routeros-mcp backup create` from cron",
    );
    add(
        config.alert.webhook_url.is_none() && config.alert.syslog.is_none(),
        if is_prod { Weight::Warning } else { Weight::Note },
        "nobody is told of alerts",
        "alert.webhook_url or alert.syslog",
    );
    add(
        !config.update.check,
        Weight::Note,
        "nobody looks for newer versions",
        "update.url and update.check = true, or `update apply --file`",
    );
    add(!config.health_check.enabled, Weight::Note, "routers are not looked at by themselves", "health_check.enabled = true");
    add(!config.metrics.enabled, Weight::Note, "nothing is counted for Prometheus", "metrics.enabled = true");
    if list.iter().all(|finding| finding.weight == Weight::Note) {
        list.push(Finding::new("hardening", Weight::Ok, "nothing is open or loose that need not be"));
    }
    list
}
