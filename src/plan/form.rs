//! When two values are the same, whatever the spelling; and which attributes of a row are its content. Pure.
//!
//! A draft knows each menu it touches as a [`Known`], so that later steps need not ask the router again what an attribute is.

use crate::menus;
use crate::routeros::row::is_meta;
use crate::routeros::value::{self, Kind};
use ipnet::Ipv6Net;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr};

/// Attribute and value, in the router's order.
pub type Pairs = Vec<(String, String)>;

/// How values of an attribute are compared. New ones go at the end: records hold the position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Form {
    /// To the letter.
    Text,
    /// `yes` is `true`.
    Flag,
    /// Whole numbers.
    Int,
    /// `10m` is `00:10:00`.
    Span,
    /// Comma or semicolon between words; order counts.
    List,
    /// The same; order does not count. A `!` before the first word alone is said of all: `!established,related`.
    Set,
    /// Speeds: `10M` is `10000000`.
    Rate,
    /// Sizes: `1KiB` is `1024`.
    Bytes,
    /// Addresses and prefixes, to the letter but without regard to case; `x` is `x/32`.
    Address,
    /// `upload/download`: `10M/2M` is `10000000/2000000`.
    RatePair,
    /// Time left, which runs down: the same within a few minutes.
    Left,
}

/// Matchers of firewall rules that are words in any order.
const STATES: &[&str] = &["connection-state", "connection-nat-state", "tcp-flags", "ipv4-options", "src-address-type", "dst-address-type"];

impl Form {
    /// How values of a menu's attribute are compared.
    pub fn in_menu(menu: &str, name: &str, kind: Kind) -> Form {
        match name {
            // Free text in the facts, for a list holds names too, and a rule ranges.
            "address" if menu.ends_with("/firewall/address-list") => Form::Address,
            "src-address" | "dst-address" if menu.contains("/firewall/") => Form::Address,
            _ if menu.contains("/firewall/") && STATES.contains(&name) => Form::Set,
            _ => Form::of(kind),
        }
    }

    /// How values of this kind are compared.
    pub fn of(kind: Kind) -> Form {
        match kind {
            Kind::Flag => Form::Flag,
            Kind::Int | Kind::Count => Form::Int,
            Kind::Span => Form::Span,
            Kind::List => Form::List,
            Kind::Set => Form::Set,
            Kind::Rate => Form::Rate,
            Kind::RatePair => Form::RatePair,
            Kind::Bytes => Form::Bytes,
            Kind::Address | Kind::Prefix | Kind::Mac => Form::Address,
            Kind::Text | Kind::Name | Kind::Real | Kind::Enum(_) | Kind::Time | Kind::Percent | Kind::Script | Kind::Id | Kind::Any => {
                Form::Text
            }
        }
    }

    /// Whether both texts stand for the same value. What does not parse is compared to the letter.
    pub fn same(self, a: &str, b: &str) -> bool {
        if a == b {
            return true;
        }
        fn parsed<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            matches!((a, b), (Some(a), Some(b)) if a == b)
        }
        match self {
            Form::Text => {
                // Without facts a flag is told by its words.
                let word = |text: &str| match text {
                    "yes" | "true" => Some(true),
                    "no" | "false" => Some(false),
                    _ => None,
                };
                parsed(word(a), word(b))
            }
            // A flag that is there without a word (`blackhole` of a route) is on.
            Form::Flag => {
                let on = |text: &str| if text.is_empty() { Some(true) } else { value::flag(text) };
                parsed(on(a), on(b))
            }
            Form::Int => parsed(a.parse::<i128>().ok(), b.parse::<i128>().ok()),
            Form::Span => parsed(value::span_ms(a), value::span_ms(b)),
            Form::Left => matches!((value::span_ms(a), value::span_ms(b)), (Some(a), Some(b)) if a.abs_diff(b) <= LEFT_MS),
            Form::Rate => parsed(value::rate(a), value::rate(b)),
            Form::RatePair => parsed(value::pair(a), value::pair(b)),
            Form::Bytes => parsed(value::bytes(a), value::bytes(b)),
            Form::Address => plain(a).eq_ignore_ascii_case(&plain(b)),
            Form::List => words(a) == words(b),
            Form::Set => match (negated(a), negated(b)) {
                (Some(a), Some(b)) => sorted(a) == sorted(b),
                _ => sorted(a) == sorted(b),
            },
        }
    }
}

/// What may pass between writing a time to live and reading it.
const LEFT_MS: u64 = 5 * 60 * 1_000;

fn words(text: &str) -> Vec<Cow<'_, str>> {
    text.split([',', ';']).map(str::trim).filter(|word| !word.is_empty()).map(plain).collect()
}

fn sorted(text: &str) -> Vec<Cow<'_, str>> {
    let mut words = words(text);
    words.sort_unstable();
    words
}

/// The words of a list that is negated as a whole.
pub fn negated(text: &str) -> Option<&str> {
    text.strip_prefix('!').filter(|rest| !rest.contains('!'))
}

/// A network of one address is that address; routers write it either way.
pub fn host(word: &str) -> &str {
    let Some((address, length)) = word.rsplit_once('/') else { return word };
    let longest = match address.strip_prefix('!').unwrap_or(address).parse() {
        Ok(IpAddr::V4(_)) => "32",
        Ok(IpAddr::V6(_)) => "128",
        Err(_) => return word,
    };
    if length == longest { address } else { word }
}

/// An address or prefix as all spell it that mean the same: IPv6 short and in small letters, one address without its length.
pub fn plain(word: &str) -> Cow<'_, str> {
    let short = host(word);
    let (not, bare) = short.strip_prefix('!').map_or(("", short), |bare| ("!", bare));
    six(bare).map_or_else(|| short.into(), |six| format!("{not}{six}").into())
}

/// An IPv6 address or prefix in its one spelling, with the length it came with.
pub fn six(text: &str) -> Option<String> {
    let address = text.parse::<Ipv6Addr>().map(|ip| ip.to_string());
    address.ok().or_else(|| text.parse::<Ipv6Net>().ok().map(|net| net.to_string()))
}

/// A menu as a draft knows it on one device: from our facts and the router's own description.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// `/ip/address`.
    pub menu: String,
    /// One row without `.id`.
    pub singleton: bool,
    /// The order of its rows is content.
    pub ordered: bool,
    /// Attributes that tell rows apart; empty where content does.
    pub key: Vec<String>,
    /// Attributes that can be written, each with how it is compared. The others are state: counters, what the router computes.
    pub content: Vec<(String, Form)>,
    /// Attributes of `content` that are secret: never read, shown, stored or put into an inverse.
    pub secret: Vec<String>,
    /// It has the command `unset`: an attribute can be taken away, not only emptied.
    pub unset: bool,
    /// Attributes of its rows that say, when true, that the router made the row itself: `dynamic`, `connection`.
    pub marks: Vec<String>,
    /// No facts of ours: known from the router alone.
    pub stranger: bool,
}

impl Known {
    /// How values of an attribute are compared.
    pub fn form(&self, name: &str) -> Form {
        self.content.iter().find(|(known, _)| known == name).map_or(Form::Text, |(_, form)| *form)
    }

    /// Whether both texts are the same value of an attribute.
    pub fn same(&self, name: &str, a: &str, b: &str) -> bool {
        same_value(name, self.form(name), a, b)
    }

    /// Whether it is a flag that is there or not, and has no word to compare (`blackhole` of a route).
    pub fn is_bare(&self, name: &str) -> bool {
        menus::find(&self.menu).and_then(|menu| menu.attr(name)).is_some_and(|attr| attr.empty_is_yes)
    }

    /// Whether a row that is disabled does not show it, though it holds it: everything of a static route but where it leads.
    pub fn hides(&self, name: &str) -> bool {
        self.menu.ends_with("/route") && !matches!(name, "dst-address" | "gateway" | "comment" | "disabled")
    }

    /// Whether a row cannot be without it.
    pub fn is_needed(&self, name: &str) -> bool {
        menus::find(&self.menu).and_then(|menu| menu.attr(name)).is_some_and(|attr| attr.required)
    }

    /// Whether our access can hang on it.
    pub fn bears_access(&self, name: &str) -> bool {
        const BRIDGE: &[&str] = &["ageing-time", "priority", "forward-delay", "max-message-age", "transmit-hold-count"];
        !(matches!(name, "comment" | "log" | "log-prefix") || (self.menu == "/interface/bridge" && BRIDGE.contains(&name)))
    }

    /// Whether callers can write it.
    pub fn is_content(&self, name: &str) -> bool {
        self.content.iter().any(|(known, _)| known == name)
    }

    /// Whether its value must never leave the router or us.
    pub fn is_secret(&self, name: &str) -> bool {
        self.secret.iter().any(|known| known == name) || menus::is_secret(&self.menu, name)
    }

    /// The content of a row: what can be written, without secrets, meta attributes, counters and other state.
    pub fn content_of<'a>(&self, row: impl IntoIterator<Item = (&'a str, &'a str)>) -> Pairs {
        let own = |name: &str| !is_meta(name) && self.is_content(name) && !self.is_secret(name);
        row.into_iter().filter(|(name, _)| own(name)).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Whether two rows have the same content. An absent flag is `no`, an absent comment is empty; other absences count.
    pub fn same_content(&self, a: &Pairs, b: &Pairs) -> bool {
        self.differences(a, b).is_empty()
    }

    /// The attributes in which two rows differ.
    pub fn differences(&self, a: &Pairs, b: &Pairs) -> Vec<String> {
        let names = a.iter().chain(b).map(|(name, _)| name);
        let mut differing: Vec<String> = Vec::new();
        for name in names {
            let same = match (get(a, name), get(b, name)) {
                (Some(a), Some(b)) => self.same(name, a, b),
                (one, other) => self.means_absent(name, one.or(other).unwrap_or_default()),
            };
            if !same && !differing.contains(name) {
                differing.push(name.clone());
            }
        }
        differing
    }

    /// What puts a row back of which this was written and that taken away: its old values, and attributes that were not there.
    pub fn put_back(&self, before: &Pairs, values: &Pairs, unset: &[String]) -> (Pairs, Vec<String>) {
        let (mut old, mut away) = (Pairs::new(), Vec::new());
        for name in values.iter().map(|(name, _)| name).chain(unset) {
            match get(before, name) {
                Some(value) => old.push((name.clone(), value.to_owned())),
                // What it was is not known.
                None if self.is_secret(name) => {}
                None if name == "disabled" || self.form(name) == Form::Flag => old.push((name.clone(), "no".into())),
                None if name == "comment" || self.singleton || !self.unset => old.push((name.clone(), String::new())),
                None => away.push(name.clone()),
            }
        }
        (old, away)
    }

    /// Whether a row without the attribute says the same as one with this value.
    fn means_absent(&self, name: &str, value: &str) -> bool {
        value.is_empty() && self.form(name) != Form::Flag || matches!(value, "no" | "false")
    }
}

/// Whether both texts are the same value of an attribute that is compared like this.
pub fn same_value(name: &str, form: Form, a: &str, b: &str) -> bool {
    a == b || (!menus::is_prose(name) && form.same(a, b))
}

/// An attribute's value.
pub fn get<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

/// The row with these values written and those attributes taken away.
pub fn overlaid(row: &Pairs, values: &Pairs, unset: &[String]) -> Pairs {
    let mut after: Pairs = row.iter().filter(|(name, _)| !unset.contains(name)).cloned().collect();
    for (name, value) in values {
        match after.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => old.clone_from(value),
            None => after.push((name.clone(), value.clone())),
        }
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_value_are_the_same() {
        for (form, a, b, same) in [
            (Form::Flag, "yes", "true", true),
            (Form::Flag, "no", "true", false),
            (Form::Flag, "yes", "", true),
            (Form::Flag, "no", "", false),
            (Form::Span, "10m", "00:10:00", true),
            (Form::Span, "1w", "7d", true),
            (Form::Set, "a,b", "b,a", true),
            (Form::List, "a,b", "b,a", false),
            (Form::List, "9.9.9.9,1.1.1.1", "9.9.9.9;1.1.1.1", true),
            (Form::Text, "yes", "true", true),
            (Form::Text, "Yes", "yes", false),
            (Form::Address, "AA:bb:00:00:00:01", "aa:BB:00:00:00:01", true),
            (Form::Address, "192.0.2.1", "192.0.2.1/32", true),
            (Form::Address, "2001:db8::1/128", "2001:DB8::1", true),
            (Form::Address, "192.0.2.1", "192.0.2.1/24", false),
            (Form::Address, "2001:0DB8:0::1/64", "2001:db8::1/64", true),
            (Form::Address, "2001:db8::1/64", "2001:db8::/64", false),
            (Form::Set, "10.0.0.0/8,2001:DB8:0::/32", "2001:db8::/32,10.0.0.0/8", true),
            (Form::List, "!2001:DB8::1/128", "!2001:db8::1", true),
            (Form::Set, "192.0.2.1,10.0.0.0/8", "10.0.0.0/8;192.0.2.1/32", true),
            (Form::Set, "read,!write,!test", "!test,read,!write", true),
            (Form::Set, "!read,write,!test", "!write,read,!test", false),
            (Form::Set, "related,established", "established,related", true),
            (Form::Set, "!related,established", "!established,related", true),
            (Form::Set, "!related,established", "established,related", false),
            (Form::Int, "08", "8", true),
            (Form::RatePair, "10M/2M", "10000000/2000000", true),
            (Form::RatePair, "10M/2M", "2M/10M", false),
            (Form::Int, "x", "8", false),
        ] {
            assert_eq!(form.same(a, b), same, "{form:?} {a} {b}");
        }
    }

    #[test]
    fn words_of_people_are_the_same_to_the_letter() {
        for (name, same) in [("comment", false), ("name", false), ("use-ipsec", true)] {
            assert_eq!(same_value(name, Form::Text, "yes", "true"), same, "{name}");
        }
    }

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    fn filter() -> Known {
        Known {
            menu: "/ip/firewall/filter".into(),
            singleton: false,
            ordered: true,
            key: vec![],
            content: ["chain", "comment", "disabled"].map(|name| (name.to_owned(), Form::Text)).to_vec(),
            secret: vec![],
            unset: true,
            marks: vec![],
            stranger: false,
        }
    }

    #[test]
    fn absent_is_no_for_flags_and_empty_for_texts() {
        let known = filter();
        assert!(known.same_content(&pairs(&[("chain", "input"), ("disabled", "false")]), &pairs(&[("chain", "input")])));
        assert!(known.same_content(&pairs(&[("chain", "input")]), &pairs(&[("chain", "input"), ("comment", "")])));
        assert_eq!(known.differences(&pairs(&[("chain", "input"), ("disabled", "true")]), &pairs(&[("chain", "input")])), ["disabled"]);
    }

    #[test]
    fn what_was_not_there_is_taken_away_again_or_emptied_where_nothing_can_be() {
        let (before, values) =
            (pairs(&[("chain", "input")]), pairs(&[("chain", "output"), ("protocol", "tcp"), ("comment", "a"), ("disabled", "yes")]));
        let put_back = |known: &Known| known.put_back(&before, &values, &[]);
        let old = pairs(&[("chain", "input"), ("comment", ""), ("disabled", "no")]);
        assert_eq!(put_back(&filter()), (old, vec!["protocol".to_owned()]));
        let old = pairs(&[("chain", "input"), ("protocol", ""), ("comment", ""), ("disabled", "no")]);
        assert_eq!(put_back(&Known { unset: false, ..filter() }), (old, vec![]));
    }
}
