//! What is known of one configuration key; the whole list is in `keys.rs`.
//!
//! Reading, defaults, environment names, ranges, what may not be loosened, the example file and `config show` all come from here.

use crate::base::span::Span;
use crate::base::tier::Environment;

/// One key of the configuration.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Full name: `mcp.http_port`.
    pub name: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// What it is when nobody sets it.
    pub default: Standard,
    /// What it means, in a sentence without a full stop.
    pub about: &'static str,
    /// Other environment variables that set it.
    pub aliases: &'static [&'static str],
    /// Which of two values is the stricter one; set for keys that the file alone may loosen.
    pub guard: Option<Strict>,
    /// A running appliance takes a new value at SIGHUP; the others count from the next start.
    pub live: bool,
}

/// What values of a key look like. Numbers in ranges are inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number, in `unit` (may be empty).
    Int(i64, i64, &'static str),
    /// A number, in `unit` (may be empty).
    Real(f64, f64, &'static str),
    /// A length of time: `90s`, `10m`. Range in seconds.
    Span(u64, u64),
    /// Bytes: a number or `1MiB`.
    Size(u64, u64),
    /// One word of a list.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
    /// Text that must not be empty.
    Name,
    /// A host name or address to listen on.
    Host,
    /// A file or directory.
    Path,
    /// An address of ours: `https://…` or `http://…`.
    Url,
    /// An address we call: https, http on loopback only, never link-local.
    Remote,
    /// An address we call over https alone, never link-local.
    Secure,
    /// Path of an HTTP route: `/mcp`.
    Route,
    /// A key of 32 bytes in base64; kept secret.
    SecretKey,
    /// Other secret text.
    Secret,
    /// Several values; text is split at commas and white space.
    List(Item),
    /// Text to role.
    Roles,
}

/// What a list holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Item {
    /// Any text.
    Text,
    /// Words of a list.
    Word(&'static [&'static str]),
    /// Address ranges; a lone address means itself.
    Net,
    /// Tool names and `category.*`.
    Tool,
    /// Origins: scheme, host and port.
    Origin,
    /// age recipients.
    Recipient,
}

/// A default.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Standard {
    /// There is none.
    Unset,
    /// The same everywhere, as one would write it.
    Same(&'static str),
    /// In lab, staging and prod.
    By(&'static str, &'static str, &'static str),
    /// A path below the state directory.
    State(&'static str),
}

/// Which of two values lets less through.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Strict {
    /// The smaller number, the shorter time, `false`.
    Less,
    /// The larger number, the longer time, `true`.
    More,
    /// The later word of the list.
    Later(&'static [&'static str]),
    /// Nobody can tell: every other value counts as looser.
    Never,
}

/// A key with no default.
pub(super) const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, default: Standard::Unset, about, aliases: &[], guard: None, live: false }
}

impl Key {
    /// The default, everywhere.
    pub(super) const fn is(mut self, text: &'static str) -> Key {
        self.default = Standard::Same(text);
        self
    }

    /// The default in lab, staging and prod.
    pub(super) const fn by(mut self, lab: &'static str, staging: &'static str, prod: &'static str) -> Key {
        self.default = Standard::By(lab, staging, prod);
        self
    }

    /// The default is this path below the state directory.
    pub(super) const fn below_state(mut self, path: &'static str) -> Key {
        self.default = Standard::State(path);
        self
    }

    /// Other environment variables for it.
    pub(super) const fn alias(mut self, aliases: &'static [&'static str]) -> Key {
        self.aliases = aliases;
        self
    }

    /// Only the file may loosen it.
    pub(super) const fn guard(mut self, strict: Strict) -> Key {
        self.guard = Some(strict);
        self
    }

    /// Counts from the next SIGHUP, not from the next start.
    pub(super) const fn live(mut self) -> Key {
        self.live = true;
        self
    }

    /// Its own environment variable: `ROUTEROS_MCP_MCP_HTTP_PORT`.
    pub fn env_name(&self) -> String {
        format!("ROUTEROS_MCP_{}", self.name.replace('.', "_").to_ascii_uppercase())
    }

    /// Whether its value must not be seen.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::SecretKey | Kind::Secret)
    }

    /// Section and the name within it; the top level is the empty section.
    pub fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }

    /// The default as one would write it, where it does not depend on the state directory.
    pub fn default_text(&self, environment: Environment) -> Option<&'static str> {
        match (self.default, environment) {
            (Standard::Same(text), _) => Some(text),
            (Standard::By(lab, _, _), Environment::Lab) => Some(lab),
            (Standard::By(_, staging, _), Environment::Staging) => Some(staging),
            (Standard::By(_, _, prod), Environment::Prod) => Some(prod),
            (Standard::Unset | Standard::State(_), _) => None,
        }
    }
}

impl Kind {
    /// What is allowed, for messages and the example file: `0 to 65535`.
    pub fn allowed(&self) -> String {
        match self {
            Kind::Flag => "true or false".into(),
            Kind::Int(min, max, unit) => range(min, max, unit),
            Kind::Real(min, max, unit) => range(min, max, unit),
            Kind::Span(min, max) => format!("a length of time, {} to {}", Span::secs(*min), Span::secs(*max)),
            Kind::Size(min, max) => format!("bytes, {} to {}", size(*min), size(*max)),
            Kind::Word(words) => words.join(", "),
            Kind::Text | Kind::Secret => "text".into(),
            Kind::Name => "text, not empty".into(),
            Kind::Host => "a host name or address without port".into(),
            Kind::Path => "a path".into(),
            Kind::Url => "an http or https address".into(),
            Kind::Remote => "an https address (http only on loopback), not link-local".into(),
            Kind::Secure => "an https address, not link-local".into(),
            Kind::Route => "a path such as /mcp, outside /admin, /health, /metrics and /.well-known".into(),
            Kind::SecretKey => "32 bytes in base64 (openssl rand -base64 32)".into(),
            Kind::List(item) => item.allowed(),
            Kind::Roles => "a table of claim value to role: read_only, ops_rw, approver, admin".into(),
        }
    }
}

impl Item {
    fn allowed(&self) -> String {
        match self {
            Item::Text => "a list of texts".into(),
            Item::Word(words) => format!("a list of {}", words.join(", ")),
            Item::Net => "a list of address ranges such as 10.0.0.0/8".into(),
            Item::Tool => "a list of tool names and category.*".into(),
            Item::Origin => "a list of origins such as https://host:port".into(),
            Item::Recipient => "a list of age recipients (age1…)".into(),
        }
    }
}

fn range(min: &impl std::fmt::Display, max: &impl std::fmt::Display, unit: &str) -> String {
    if unit.is_empty() { format!("{min} to {max}") } else { format!("{unit}, {min} to {max}") }
}

/// `1 MiB` where it is a whole number of them.
pub(super) fn size(bytes: u64) -> String {
    for (name, unit) in [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)] {
        if bytes >= unit && bytes.is_multiple_of(unit) {
            return format!("{}{name}", bytes / unit);
        }
    }
    bytes.to_string()
}
