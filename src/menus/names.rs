//! What a name alone says: the rules for menus and attributes without facts.
//!
//! A name that looks like a secret is one, until somebody reviewed it and wrote it into [`OPEN`]: a secret shown once
//! cannot be taken back, a value hidden for nothing is a nuisance.

/// Words that make a name a secret wherever they stand in it.
const WORDS: &[&str] = &[
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passphrases",
    "secret",
    "secrets",
    "psk",
    "token",
    "tokens",
    "cak",
    "pin",
    "puk",
    "credential",
    "credentials",
];

/// Last words that make a name a secret: `auth-key`, `static-key-0`, `key-val`, `up-script`.
const ENDS: &[&str] = &["key", "keys", "community", "script", "scripts", "cookie", "qrcode", "privkey", "bindkey"];

/// Whole names that are secrets: script bodies, file bodies, undo commands that repeat what was typed.
const WHOLE: &[&str] = &[
    "source",
    "contents",
    "key-val",
    "undo",
    "redo",
    "http-data",
    "http-header-field",
    "vpn-wireguard-client-config",
    "client-config",
    "tls-auth",
    "tls-crypt",
    "environment",
];

/// Beginnings of names that hold scripts: `on-event`, `on-up`.
const STARTS: &[&str] = &["on-"];

/// Names that look like secrets and are none, with why.
const OPEN: &[(&str, &str)] = &[
    ("public-key", "meant to be shown"),
    ("vpn-public-key", "meant to be shown"),
    ("vpn-peer-public-key", "meant to be shown"),
    ("gre-key", "tunnel number in a packet header"),
    ("lacp-user-key", "number of a link group"),
    ("smart-card-key", "flag: the key lives on a card"),
    ("minimum-password-length", "a number"),
    ("password-format", "how a RADIUS password is made up, not the password"),
    ("password-authentication", "whether SSH takes passwords"),
    ("always-allow-password-login", "flag"),
    ("allow-sharedkey", "flag"),
    ("token-refresh-handicap", "a duration"),
    ("multi-passphrase-group", "name of a group"),
    ("on-interface", "name of an interface"),
    ("on-link", "flag"),
    ("on-demand", "flag"),
    ("on-line", "flag of a UPS"),
    ("on-smart-card", "flag"),
    ("on-fail-retry-time", "a duration"),
    ("send-cookie", "number in a tunnel header"),
    ("peer-cookie", "number in a tunnel header"),
    ("add-mac-cookie", "flag"),
    ("mac-cookie", "flag"),
    ("secret-download", "flag"),
];

/// Names that look like secrets and are none in one menu.
const OPEN_IN: &[(&str, &str, &str)] = &[
    ("/certificate", "private-key", "flag: the router holds the private key"),
    ("/certificate/scep-server/ra", "private-key", "flag: the router holds the private key"),
    ("/ip/ipsec/identity", "key", "name of a key pair"),
    ("/ip/ipsec/identity", "remote-key", "name of a public key"),
    ("/container/envs", "key", "name of an environment variable"),
    ("/user/ssh-keys", "key", "public half of a key pair"),
    ("/routing/igmp-proxy/mfc", "source", "address of a multicast sender"),
    ("/routing/pimsm/uib-sg", "source", "address of a multicast sender"),
    ("/system/package/local-update", "source", "address of a package source"),
    ("/routing/filter/community-list", "community", "BGP community"),
    ("/routing/filter/community-ext-list", "community", "BGP community"),
    ("/routing/filter/community-large-list", "community", "BGP community"),
];

/// Whether a name looks like a secret in any menu. Takes RouterOS spelling and snake_case.
pub fn looks_secret(name: &str) -> bool {
    looks_secret_in("", name)
}

/// Whether a name looks like a secret in this menu.
pub fn looks_secret_in(menu: &str, name: &str) -> bool {
    let spelled = last(name).replace('_', "-").to_ascii_lowercase();
    if OPEN.iter().any(|(open, _)| *open == spelled) || OPEN_IN.iter().any(|(path, open, _)| *path == menu && *open == spelled) {
        return false;
    }
    WHOLE.contains(&spelled.as_str())
        || STARTS.iter().any(|start| spelled.starts_with(start))
        || spelled.split('-').any(|word| WORDS.contains(&word))
        || ends_secret(&spelled)
}

/// `passphrase` of `security.passphrase`.
fn last(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// Whether the last word, numbers aside, is one of [`ENDS`].
fn ends_secret(name: &str) -> bool {
    let word = name.split('-').rev().find(|word| !word.bytes().all(|b| b.is_ascii_digit()));
    word.is_some_and(|word| ENDS.contains(&word))
}

/// Why a name that looks like a secret is shown, if somebody reviewed it.
pub fn reviewed(menu: &str, name: &str) -> Option<&'static str> {
    let last = last(name);
    let anywhere = OPEN.iter().find(|(open, _)| *open == last).map(|(_, why)| *why);
    anywhere.or_else(|| OPEN_IN.iter().find(|(path, open, _)| *path == menu && *open == last).map(|(_, _, why)| *why))
}

/// Names whose values outsiders choose: what clients, neighbours and peers call themselves, and free text.
const OUTSIDERS: &[&str] = &[
    "comment",
    "host-name",
    "hostname",
    "ssid",
    "message",
    "extra-info",
    "caller-id",
    "called-station-id",
    "class-id",
    "client-id",
    "common-name",
    "subject-alt-name",
    "system-description",
    "interface-name",
    "user-agent",
    "network-name",
    "description",
    "radio-name",
    "ac-name",
    "banner",
    "motd",
    "identity",
    "eap-identity",
    "phone",
    "last-caller-id",
];

/// Whether a name is one that outsiders usually fill.
pub fn looks_untrusted(name: &str) -> bool {
    OUTSIDERS.contains(&last(name))
}
