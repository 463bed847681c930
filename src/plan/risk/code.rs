//! Which attributes hold code, or send out what only the router should see.

use crate::menus;
use crate::routeros::value::Kind;

/// Menus that are code or exfiltration as a whole.
const WHOLE: &[&str] = &[
    "/app",
    "/container",
    "/system/backup",
    "/system/reset-configuration",
    "/system/scheduler",
    "/system/script",
    "/system/upgrade",
    "/tool/fetch",
];

/// Attributes of one menu that send things out, or run them.
const OF_MENU: &[(&str, &[&str])] = &[
    ("/system/logging/action", &["email-cc", "email-to", "remote", "remote-port", "remote-protocol", "script", "target"]),
    ("/tool/sniffer", &["streaming-enabled", "streaming-server"]),
    ("/interface/wireless/sniffer", &["streaming-enabled", "streaming-server"]),
    ("/ip/firewall/mangle", &["sniff-id", "sniff-target", "sniff-target-port"]),
    ("/ipv6/firewall/mangle", &["sniff-id", "sniff-target", "sniff-target-port"]),
    ("/ip/firewall/calea", &["sniff-id", "sniff-target", "sniff-target-port"]),
    ("/system/watchdog", &["auto-send-supout", "send-email-to", "send-smtp-server"]),
    ("/tr069-client", &["acs-url", "password", "username"]),
    ("/file", &["contents"]),
];

/// Whether an attribute sends out what only the router should see, and runs nothing there.
pub fn sends_out(menu: &str, attribute: &str) -> bool {
    attribute != "script" && OF_MENU.iter().any(|(of, names)| *of == menu && names.contains(&attribute))
}

/// Names that begin with `on-` and hold no code.
const NO_CODE: &[&str] = &["on-demand", "on-fail-retry-time", "on-interface", "on-line", "on-link", "on-smart-card"];

/// Names that hold a script or a command in whatever menu they stand.
const NAMES: &[&str] = &["cmd", "command", "entrypoint", "script", "scripts"];

/// The whole menu is code: what stands in it is run, or makes the router another one.
pub(super) fn is_code(menu: &str) -> bool {
    WHOLE.iter().any(|whole| menu == *whole || menu.strip_prefix(whole).is_some_and(|rest| rest.starts_with('/')))
}

/// Whether an attribute holds code that the router runs, or says where it sends what only it should see. By the menu's facts,
/// and by name: a menu of tomorrow may have one too.
///
/// ```text
/// /ip/dhcp-server lease-script · /ppp/profile on-up · /tool/sniffer streaming-server
/// ```
pub fn code_in(menu: &str, attribute: &str) -> bool {
    if attribute == "comment" {
        return false;
    }
    if is_code(menu) || OF_MENU.iter().any(|(of, names)| *of == menu && names.contains(&attribute)) {
        return true;
    }
    if menus::find(menu).and_then(|facts| facts.attr(attribute)).is_some_and(|attr| attr.kind == Kind::Script) {
        return true;
    }
    let last = attribute.rsplit('.').next().unwrap_or(attribute).to_ascii_lowercase();
    (last.starts_with("on-") && !NO_CODE.contains(&last.as_str()))
        || last.ends_with("-script")
        || last.ends_with("-scripts")
        || NAMES.contains(&last.as_str())
}
