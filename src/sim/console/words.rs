//! The words of the language and of the root menu, with the names of their arguments.
//!
//! Source: console command tree of RouterOS 7.24.

/// Words that came with a version; the rest were always there.
const SINCE: [(&str, (u32, u32)); 7] = [
    ("deserialize", (7, 13)),
    ("grep", (7, 13)),
    ("onerror", (7, 13)),
    ("serialize", (7, 13)),
    ("break", (7, 22)),
    ("continue", (7, 22)),
    ("exit", (7, 22)),
];

const WORDS: [(&str, &[&str]); 46] = [
    ("beep", &["frequency", "length"]),
    ("break", &[]),
    ("continue", &[]),
    ("delay", &["delay-time"]),
    ("deserialize", &["delimiter", "from", "options", "value"]),
    ("do", &["command", "if", "on-error", "while"]),
    ("environment", &[]),
    ("error", &["message"]),
    ("execute", &["as-string", "file", "script"]),
    ("exit", &[]),
    ("find", &["from", "in", "key"]),
    ("for", &["counter", "do", "from", "on-error", "step", "to"]),
    ("foreach", &["counter", "do", "in", "on-error"]),
    ("global", &["do", "name", "value"]),
    ("grep", &["after", "as-array", "before", "filename", "pattern", "script"]),
    ("if", &["condition", "do", "else"]),
    ("jobname", &[]),
    ("len", &["value"]),
    ("local", &["do", "name", "value"]),
    ("nothing", &[]),
    ("onerror", &["do", "error", "in"]),
    ("parse", &["value"]),
    ("pick", &["begin", "counter", "end"]),
    ("put", &["message"]),
    ("quit", &[]),
    ("range", &["from", "to"]),
    ("resolve", &["domain-name", "server", "server-port", "type"]),
    ("retry", &["command", "delay", "max", "on-error"]),
    ("return", &["value"]),
    ("rndnum", &["from", "to"]),
    ("rndstr", &["from", "length"]),
    ("serialize", &["delimiter", "file-name", "options", "order", "to", "value"]),
    ("set", &["do", "name", "value"]),
    ("time", &["command"]),
    ("timestamp", &["use-tz"]),
    ("toarray", &["delimiter", "value"]),
    ("tobool", &["value"]),
    ("toid", &["value"]),
    ("toip", &["value"]),
    ("toip6", &["value"]),
    ("tonsec", &["value"]),
    ("tonum", &["value"]),
    ("tostr", &["value"]),
    ("totime", &["value"]),
    ("typeof", &["value"]),
    ("while", &["condition", "do"]),
];

/// Most values without a name a word takes.
pub(super) const BARE_MAX: [(&str, usize); 10] = [
    ("put", 1),
    ("delay", 1),
    ("error", 1),
    ("len", 1),
    ("typeof", 1),
    ("tostr", 1),
    ("tonum", 1),
    ("return", 1),
    ("nothing", 0),
    ("serialize", 1),
];

/// Commands of the root menu.
pub(super) const ROOT: [(&str, &[&str]); 8] = [
    ("export", &EXPORT),
    ("import", &["dry-run", "file-name", "from-line", "verbose"]),
    ("password", &["confirm-new-password", "new-password", "old-password"]),
    ("ping", &["address", "arp-ping", "count", "do-not-fragment", "dscp", "interface", "interval", "size", "src-address", "ttl", "vrf"]),
    ("quit", &[]),
    ("redo", &[]),
    ("undo", &[]),
    ("recursive-print", &[]),
];

/// Arguments of `export`, of any menu.
pub(super) const EXPORT: [&str; 8] = ["compact", "file", "hide-sensitive", "path", "show-sensitive", "terse", "verbose", "where"];

/// Arguments of `print` besides those the menu lists.
pub(super) const PRINT: [&str; 17] = [
    "append",
    "as-value",
    "brief",
    "count-only",
    "detail",
    "file",
    "follow",
    "follow-only",
    "from",
    "interval",
    "once",
    "proplist",
    "show-ids",
    "stats",
    "terse",
    "value-list",
    "without-paging",
];

/// Arguments most commands take.
pub(super) const GENERIC: [&str; 11] =
    [".id", "as-value", "duration", "file", "freeze-frame-interval", "interval", "number", "numbers", "once", "proplist", "without-paging"];

/// The names of a word's arguments; `None` for a word this version does not have.
pub(super) fn arguments(word: &str, version: (u32, u32)) -> Option<&'static [&'static str]> {
    if SINCE.iter().any(|(w, since)| *w == word && version < *since) {
        return None;
    }
    let names = WORDS.iter().find(|(w, _)| *w == word)?.1;
    // The options of serialize came three versions after it.
    const EARLY: &[&str] = &["delimiter", "file-name", "to", "value"];
    Some(if word == "serialize" && version < (7, 16) { EARLY } else { names })
}
