//! What may not be: in prod, from outside, together, or in this build.

use super::*;

#[test]
fn prod_refuses_what_it_must_and_is_stricter_by_default() {
    let prod = || Machine::new().file("config.toml", "environment = \"prod\"\n");
    let with_key = || prod().env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
    assert!(prod().one().contains("encryption_key: prod needs a named source"), "{}", prod().one());
    let config = with_key().good().config;
    assert_eq!(config.auth.session_idle.to_string(), "1h");
    assert_eq!(config.mcp.client_compatibility_mode, config::sections::Mode::Strict);
    let lab = Machine::new().good().config;
    assert_eq!(lab.auth.session_idle.to_string(), "12h");
    assert_eq!(lab.mcp.client_compatibility_mode, config::sections::Mode::Permissive);
    for (key, value) in [
        ("debug", "true"),
        ("routeros.verify_tls", "off"),
        ("mcp.rbac_mode", "permissive"),
        ("retention.audit_days", "364"),
        ("oidc.skip_verification", "true"),
    ] {
        let said = with_key().flag(key, value).one();
        assert!(said.starts_with(&format!("flag {key}: ")), "{said}");
        if key != "retention.audit_days" {
            Machine::new().flag(key, value).good();
        }
    }
    assert!(Machine::new().flag("environment", "staging").flag("oidc.skip_verification", "true").one().contains("outside lab"));
}

#[test]
fn a_security_key_in_the_file_cannot_be_loosened_from_outside() {
    let mut tried = 0;
    for (key, set, looser, stricter) in [
        ("environment", "'staging'", "lab", ""),
        ("read_only", "true", "false", ""),
        ("mcp.stdio_role", "'ops_rw'", "admin", "read_only"),
        ("mcp.rbac_mode", "'strict'", "permissive", ""),
        ("routeros.verify_tls", "'pin'", "off", "pin"),
        ("routeros.verify_tls", "'pin'", "ca", "pin"),
        ("auth.tokens", "false", "true", ""),
        ("auth.allow_anonymous_loopback", "false", "true", ""),
        ("auth.session_idle", "'2h'", "3h", "1h"),
        ("auth.session_max", "'2h'", "3h", "1h"),
        ("auth.lockout_attempts", "5", "6", "4"),
        ("auth.lockout_window", "'10m'", "9m", "11m"),
        ("oidc.audience", "'us'", "them", "us"),
        ("oidc.skip_verification", "false", "true", ""),
        ("oidc.clock_skew_seconds", "30", "31", "29"),
        ("plan.approval_timeout_seconds", "900", "901", "899"),
        ("plan.confirm_timeout", "'10m'", "11m", "9m"),
        ("plan.guard_timeout", "'90s'", "91s", "89s"),
        ("plan.self_approval", "'off'", "lab", "off"),
        ("plan.allow_extreme", "false", "true", ""),
        ("plan.max_devices", "5", "6", "4"),
        ("plan.batch_size", "5", "6", "4"),
        ("plan.batch_pause_seconds", "60", "59", "61"),
        ("update.check", "false", "true", ""),
        ("update.url", "'https://a.example/'", "https://b.example/", ""),
    ] {
        let key = config::find(key).unwrap();
        let machine = || Machine::new().file("config.toml", &as_toml(key, set));
        for outside in [machine().env(&key.env_name(), looser), machine().flag(key.name, looser)] {
            let said = outside.problems().join("\n");
            assert!(said.contains(key.name) && said.contains("cannot loosen") && said.contains("config.toml:"), "{}: {said}", key.name);
        }
        if !stricter.is_empty() {
            let said = machine().env(&key.env_name(), stricter).problems().join("\n");
            assert!(!said.contains("cannot loosen"), "{}: {said}", key.name);
        }
        // Where the file says nothing, outside may say what it likes.
        assert!(!Machine::new().env(&key.env_name(), looser).problems().join("\n").contains("cannot loosen"), "{}", key.name);
        tried += 1;
    }
    assert_eq!(tried, 25);
}

#[test]
fn exactly_the_contracts_security_keys_are_guarded() {
    let named = ["environment", "read_only", "encryption_key", "mcp.stdio_role", "mcp.rbac_mode", "routeros.verify_tls"];
    for key in KEYS {
        let want = named.contains(&key.name) || ["auth", "oidc", "plan", "update"].contains(&key.parts().0);
        assert_eq!(key.guard.is_some(), want, "{}", key.name);
    }
}

#[test]
fn a_file_for_lab_started_as_prod_says_what_it_leaves_lax() {
    let machine = Machine::new()
        .file("config.toml", "[auth]\nsession_idle = \"12h\"\n")
        .env("MCP_ENV", "prod")
        .env("ROUTEROS_MCP_ENCRYPTION_KEY", MASTER);
    assert!(
        machine.warnings().iter().any(|w| w.contains("auth.session_idle: \"12h\" is lab's default; prod's is \"1h\"")),
        "{:?}",
        machine.warnings()
    );
}

#[test]
fn defaults_never_raise_a_warning_and_neither_does_keeping_things_shorter_or_longer() {
    assert_eq!(Machine::new().warnings(), Vec::<String>::new());
    for (key, value) in [("retention.audit_days", "400"), ("retention.job_days", "7")] {
        let machine = Machine::new().flag(key, value);
        machine.good();
        assert_eq!(machine.warnings(), Vec::<String>::new(), "{key}");
    }
}

#[test]
fn identity_is_never_looser_than_it_looks() {
    let oidc = |flags: &[(&str, &str)]| {
        let usual = [("oidc.enabled", "true"), ("oidc.client_id", "c"), ("oidc.audience", "a")];
        usual.iter().chain(flags).fold(Machine::new(), |machine, (key, value)| machine.flag(key, value))
    };
    let here = ("oidc.provider_url", "http://127.0.0.1:4000");
    let empty = oidc(&[here]);
    empty.good();
    assert!(empty.warnings().join("\n").contains("oidc.role_map: is empty"), "{:?}", empty.warnings());
    assert_eq!(oidc(&[here, ("oidc.role_map", "ops=ops_rw")]).warnings(), Vec::<String>::new());
    assert!(oidc(&[here, ("environment", "staging")]).problems().join("\n").contains("plain http is for lab only"));
    let skipped = Machine::new().flag("oidc.skip_verification", "true");
    skipped.good();
    assert!(skipped.warnings().join("\n").contains("tokens are verified always"), "{:?}", skipped.warnings());
    let anonymous = || Machine::new().flag("auth.allow_anonymous_loopback", "true");
    anonymous().good();
    assert!(
        anonymous().flag("environment", "prod").problems().join("\n").contains("auth.allow_anonymous_loopback: true is refused in prod")
    );
    let proxied = anonymous().flag("http.behind_proxy", "true").flag("http.trusted_proxies", "127.0.0.1");
    assert!(proxied.problems().join("\n").contains("refused with http.behind_proxy"));
}

#[test]
fn keys_that_need_each_other_are_checked_together() {
    for (flags, want) in [
        (&[("http.tls", "files")][..], "http.tls_key_file: http.tls = \"files\" needs it"),
        (&[("http.tls", "acme")][..], "acme.domains: http.tls = \"acme\" needs it"),
        (&[("oidc.enabled", "true")][..], "oidc.audience: oidc.enabled needs it"),
        (&[("update.check", "true")][..], "update.url: update.check needs it"),
        (&[("backup.enabled", "true")][..], "backup.recipients: backup.enabled needs it"),
        (&[("mcp.http_host", "192.0.2.1")][..], "not loopback needs http.tls or http.behind_proxy"),
        (&[("mcp.http_host", "::"), ("auth.tokens", "false")][..], "not loopback needs authentication"),
        (&[("token_budget.error_threshold", "4000")][..], "must not be below token_budget.warning_threshold"),
        (&[("metrics.port", "8080")][..], "is the listener's port"),
        (&[("metrics.port", "9436"), ("metrics.host", "0.0.0.0")][..], "must not go over an open line"),
    ] {
        let machine = flags.iter().fold(Machine::new(), |machine, (key, value)| machine.flag(key, value));
        let said = machine.problems().join("\n");
        assert!(said.contains(want), "{flags:?}: {said}");
    }
    let quiet = Machine::new().flag("resource_cache.enabled", "false").warnings().join("\n");
    assert!(quiet.contains("resources are on and their cache is off"), "{quiet}");
}

#[test]
fn what_a_certificate_authority_would_refuse_is_told_before_it_is_asked() {
    let machine = |domains: &str| Machine::new().flag("http.tls", "acme").flag("acme.domains", domains);
    for bad in [
        "192.0.2.1",
        "2001:db8::1",
        "*.example.com",
        "router",
        "a..example",
        "-a.example",
        "a_b.example",
        "münchen.example",
        "a.example:443",
    ] {
        let said = machine(bad).problems().join("\n");
        assert!(said.contains("acme.domains: ") && said.contains("is no name that a certificate authority checks"), "{bad}: {said}");
    }
    let plain = machine("a.example").flag("acme.directory_url", "http://127.0.0.1:14000/dir").problems().join("\n");
    assert!(plain.contains("acme.directory_url") && plain.contains("an https address, not link-local"), "{plain}");
    let one = machine("a.example").flag("acme.challenge", "http-01").flag("acme.http_port", "8080").problems().join("\n");
    assert!(one.contains("acme.http_port: is the listener's port"), "{one}");
    let told = machine("MCP.Example,xn--mnchen-3ya.example").flag("mcp.http_host", "0.0.0.0");
    let warned = told.warnings().join("\n");
    assert!(
        told.warnings().len() == 1 && warned.contains("authorities call port 443 for tls-alpn-01, and mcp.http_port is 8080"),
        "{warned}"
    );
    for (key, value) in [("acme.external_tls_port", "443"), ("mcp.http_port", "443"), ("acme.challenge", "http-01")] {
        let quiet = machine("a.example").flag("mcp.http_host", "0.0.0.0").flag(key, value).warnings();
        assert_eq!(quiet, Vec::<String>::new(), "{key}");
    }
    let inside = machine("a.example").flag("mcp.http_port", "443").warnings().join("\n");
    assert!(inside.contains("on loopback no certificate authority outside this box"), "{inside}");
}

#[test]
fn addresses_we_call_are_https_and_not_link_local() {
    for bad in ["http://a.example/", "https://169.254.169.254/", "https://[fe80::1]/", "ftp://a.example/", "a.example", "https://0.0.0.0/"]
    {
        assert!(Machine::new().flag("update.url", bad).one().contains("allowed: an https address"), "{bad}");
    }
    for good in ["https://a.example/x", "http://127.0.0.1:8080/", "http://localhost/", "http://[::1]/"] {
        Machine::new().flag("update.url", good).good();
    }
}
