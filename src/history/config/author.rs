//! Who is likely to have changed something: what a router's log and its history of changes say, matched to menus by
//! their words. Both name a user and a kind of thing (`filter rule changed by admin`), never the row; both are written
//! on the router and may be false. So an author is a hint, and says where it comes from.

use std::collections::BTreeSet;

/// A change the router tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The user, as the router writes it: `admin`, `scheduler:night/action:8`.
    pub by: String,
    /// `filter rule changed`
    pub what: String,
    /// When, on the router's clock and in its words.
    pub at: String,
    /// `history` or `log`.
    pub source: &'static str,
    /// The menu, where the line has the command.
    path: Option<String>,
}

/// What joins the kind of thing and the user in a log line.
const BY: [&str; 4] = ["changed by ", "added by ", "removed by ", "moved by "];

impl Event {
    /// A row of `/system/history`.
    pub fn of_history(action: &str, by: &str, at: &str) -> Option<Event> {
        let named = !action.trim().is_empty() && !by.trim().is_empty();
        named.then(|| Event { by: by.trim().to_owned(), what: action.trim().to_owned(), at: at.to_owned(), source: "history", path: None })
    }

    /// A line of the log, if it tells of a change: `device changed by admin (/interface set guest-wifi disabled=yes)`.
    pub fn of_log(message: &str, at: &str) -> Option<Event> {
        let (joint, at_byte) = BY.iter().filter_map(|joint| Some((joint, message.find(joint)?))).min_by_key(|(_, at)| *at)?;
        let what = format!("{}{}", &message[..at_byte], joint.trim_end_matches(" by "));
        // The command behind it may hold what was typed, secrets too: only its menu is read, and nothing of it kept.
        let (by, command) = message[at_byte + joint.len()..].split_once(" (").unwrap_or((&message[at_byte + joint.len()..], ""));
        let path = command.starts_with('/').then(|| {
            let words = command.split([' ', '/']).filter(|word| !word.is_empty());
            let steps: Vec<&str> = words
                .take_while(|word| !matches!(*word, "add" | "set" | "remove" | "move" | "unset" | "enable" | "disable" | "comment"))
                .collect();
            format!("/{}", steps.join("/"))
        });
        let by = by.trim();
        // Where no user stands before it, the command would be taken for one.
        (!by.is_empty() && !by.starts_with('(')).then(|| Event { by: by.to_owned(), what, at: at.to_owned(), source: "log", path })
    }

    /// How well it fits a menu; zero is not at all.
    fn fits(&self, menu: &str) -> usize {
        if let Some(path) = &self.path {
            let below = menu.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            return if below { 100 } else { 0 };
        }
        let said: BTreeSet<String> = words(&self.what).collect();
        let steps: Vec<&str> = menu.split('/').filter(|step| !step.is_empty()).collect();
        let Some((last, above)) = steps.split_last() else { return 0 };
        // RouterOS calls an interface a device.
        if steps[0] == "interface" && (said.contains("device") || said.contains("interface")) {
            return 1;
        }
        if !words(last).all(|word| said.contains(&word)) {
            return 0;
        }
        words(last).count() * 2 + above.iter().flat_map(|step| words(step)).filter(|word| said.contains(word)).count()
    }
}

/// Words in lower case, singular.
fn words(text: &str) -> impl Iterator<Item = String> {
    let parts = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_ascii_lowercase);
    parts.map(|word| if word.len() > 3 && word.ends_with('s') && !word.ends_with("ss") { word[..word.len() - 1].to_owned() } else { word })
}

/// The events that fit `menu` at least as well as any other menu that changed, newest first as given, one for each
/// user and kind of thing.
pub fn likely<'e>(menu: &str, changed: &[&str], events: &'e [Event], most: usize) -> Vec<&'e Event> {
    let mut seen = BTreeSet::new();
    let fitting = events.iter().filter(|event| {
        let fit = event.fits(menu);
        fit > 0 && changed.iter().all(|other| event.fits(other) <= fit)
    });
    fitting.filter(|event| seen.insert((&event.by, &event.what))).take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_lines_tell_who_and_where_and_never_what_was_typed() {
        let event =
            Event::of_log("device changed by scheduler:guest-wifi-off/action:8 (/interface set guest-wifi password=CANARY)", "08:00:00")
                .unwrap();
        assert_eq!(
            (event.by.as_str(), event.what.as_str(), event.path.as_deref()),
            ("scheduler:guest-wifi-off/action:8", "device changed", Some("/interface"))
        );
        assert!(!format!("{event:?}").contains("CANARY"));
        let event = Event::of_log("filter rule added by admin", "x").unwrap();
        assert_eq!((event.by.as_str(), event.what.as_str(), event.path), ("admin", "filter rule added", None));
        for other in ["user admin logged in from 192.0.2.1 via ssh", "link up", "changed by ", ""] {
            assert_eq!(Event::of_log(other, "x"), None, "{other}");
        }
    }

    #[test]
    fn an_event_goes_to_the_menu_it_fits_best() {
        let menus = [
            "/ip/address",
            "/ip/dns",
            "/ip/dns/static",
            "/ip/firewall/address-list",
            "/ip/firewall/filter",
            "/interface/ethernet",
            "/ip/firewall/nat",
        ];
        for (what, menu) in [
            ("address changed", "/ip/address"),
            ("address list entry added", "/ip/firewall/address-list"),
            ("filter rule changed", "/ip/firewall/filter"),
            ("static dns entry removed", "/ip/dns/static"),
            ("dns changed", "/ip/dns"),
            ("device changed", "/interface/ethernet"),
            ("nat rule moved", "/ip/firewall/nat"),
        ] {
            let events = [Event::of_history(what, "alice", "t").unwrap()];
            let fits: Vec<&str> = menus.iter().copied().filter(|menu| !likely(menu, &menus, &events, 3).is_empty()).collect();
            assert_eq!(fits, [menu], "{what}");
        }
        let events = [Event::of_log("item changed by bob (/ip/dns/static set *1 ttl=1d)", "t").unwrap()];
        assert_eq!(likely("/ip/dns/static", &menus, &events, 3)[0].by, "bob");
        assert!(likely("/ip/dns", &menus, &events, 3).is_empty());
    }
}
