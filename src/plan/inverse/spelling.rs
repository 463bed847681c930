//! How the console writes what REST writes, and what it takes.

use crate::base::fault::Fault;
use crate::plan::form::{Form, Known, host, negated, plain};
use crate::routeros::query::is_attribute;
use crate::routeros::script::quote;
use crate::routeros::value::span_ms;
use ipnet::IpNet;
use std::net::IpAddr;

/// Most words of which every order is written out.
const ORDERED: usize = 2;

/// The condition that a variable holds what REST writes so; nothing: the attribute is absent.
pub(super) fn condition(form: Form, variable: &str, value: Option<&str>) -> String {
    let is = |text: &String| format!("(${variable} = {})", quote(text));
    match (form, value) {
        (Form::Set, Some(value)) if value.split(',').count() > ORDERED => among(variable, value),
        _ => spellings(form, value).iter().map(is).collect::<Vec<_>>().join(" || "),
    }
}

/// The condition that a variable holds these words in whatever order: all of them, and nothing beside.
fn among(variable: &str, value: &str) -> String {
    let words: Vec<&str> = value.split(',').map(host).collect();
    let bare: usize = words.iter().map(|word| word.len() + 1).sum::<usize>() - 1;
    // Each address may have the length of a single host.
    let longer: usize =
        words.iter().filter_map(|word| word.parse().ok().map(|address: IpAddr| if address.is_ipv4() { 3 } else { 4 })).sum();
    let lengths: Vec<String> = [bare, bare + longer].iter().map(|length| format!("([:len ${variable}] = {length})")).collect();
    let lengths = if longer == 0 { lengths[0].clone() } else { lengths.join(" || ") };
    let holds = |text: &str| format!("([:typeof [:find ${variable} {}]] = \"num\")", quote(text));
    let has = |word: &&str| holds(if negated(value).is_some() { word.trim_start_matches('!') } else { word });
    let not = negated(value).map(|_| holds("!"));
    let all: Vec<String> = [format!("({lengths})")].into_iter().chain(words.iter().map(has)).chain(not).collect();
    format!("({})", all.join(" && "))
}

/// How the console may write a value that REST writes so; nothing: the attribute is absent.
fn spellings(form: Form, value: Option<&str>) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (form, value) {
        (Form::Flag, None) => words(&["false", "no", ""]),
        (_, None) => words(&[""]),
        (Form::Flag, Some(value)) if flag(value) == "no" => words(&["false", "no", ""]),
        (Form::Flag, Some(_)) => words(&["true", "yes"]),
        (Form::List, Some(value)) => joined(&value.split(',').collect::<Vec<_>>(), ""),
        (Form::Set, Some(value)) => {
            let (not, rest) = negated(value).map_or(("", value), |rest| ("!", rest));
            let mut words: Vec<&str> = rest.split(',').collect();
            let mut all = joined(&words, not);
            words.reverse();
            all.extend(joined(&words, not));
            unique(all)
        }
        (Form::Address, Some(value)) => addresses(value),
        (Form::Span, Some(value)) => spans(value),
        (_, Some(value)) => match flag_word(value) {
            Some(true) => words(&["true", "yes"]),
            Some(false) => words(&["false", "no", ""]),
            None => vec![value.to_owned()],
        },
    }
}

/// Words joined as REST does, and as the console does those of an array; addresses with and without the length of a single host.
fn joined(words: &[&str], before: &str) -> Vec<String> {
    let with_length = |word: &&str| word.parse::<IpAddr>().map_or((*word).to_owned(), |address| IpNet::from(address).to_string());
    let as_given: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    let short: Vec<String> = words.iter().map(|word| host(word).to_owned()).collect();
    let long: Vec<String> = words.iter().map(with_length).collect();
    let plain: Vec<String> = words.iter().map(|word| plain(word).into_owned()).collect();
    unique([as_given, short, long, plain].iter().flat_map(|words| [",", ";"].map(|by| format!("{before}{}", words.join(by)))).collect())
}

/// A length of time as REST writes it, and as the console does: `1w2d03:04:05`.
fn spans(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    if let Some(ms) = span_ms(value).filter(|ms| ms % 1_000 == 0) {
        let s = ms / 1_000;
        let part = |count: u64, unit: &str| if count == 0 { String::new() } else { format!("{count}{unit}") };
        let (weeks, days) = (part(s / 604_800, "w"), part(s / 86_400 % 7, "d"));
        let (h, m, s) = (s / 3_600 % 24, s / 60 % 60, s % 60);
        all.push(format!("{weeks}{days}{h:02}:{m:02}:{s:02}"));
        let rest = format!("{weeks}{days}{}{}{}", part(h, "h"), part(m, "m"), part(s, "s"));
        all.push(if rest.is_empty() { "0s".to_owned() } else { rest });
    }
    unique(all)
}

fn unique(texts: Vec<String>) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for text in texts {
        if !all.contains(&text) {
            all.push(text);
        }
    }
    all
}

/// How a router may write an address or prefix it was given: also without host bits, with and without the length of a single host.
fn addresses(value: &str) -> Vec<String> {
    if let Some(bare) = value.strip_prefix('!') {
        return addresses(bare).into_iter().map(|other| format!("!{other}")).collect();
    }
    let mut all = vec![value.to_owned()];
    if let Ok(net) = value.parse::<IpNet>() {
        all.extend([net.to_string(), net.trunc().to_string()]);
        if net.prefix_len() == net.max_prefix_len() {
            all.push(net.addr().to_string());
        }
    } else if let Ok(address) = value.parse::<IpAddr>() {
        all.extend([address.to_string(), IpNet::from(address).to_string()]);
    }
    unique(all)
}

/// Whether `:tostr` of it is what REST writes.
pub(super) fn is_comparable(form: Form) -> bool {
    match form {
        Form::Text | Form::Flag | Form::Int | Form::Address | Form::List | Form::Set | Form::Span => true,
        Form::Left | Form::Rate | Form::RatePair | Form::Bytes => false,
    }
}

/// ` name="value"`.
pub(super) fn assignment(known: &Known, name: &str, value: &str) -> Result<String, Fault> {
    let value = match known.form(name) {
        // A flag that is there or not (`blackhole` of a route) has no value.
        Form::Flag if value.is_empty() => return Ok(format!(" {}", word(name)?)),
        Form::Flag => flag(value).to_owned(),
        _ => quote(value),
    };
    Ok(format!(" {}={value}", word(name)?))
}

pub(super) fn flag(value: &str) -> &'static str {
    if flag_word(value) == Some(false) { "no" } else { "yes" }
}

fn flag_word(value: &str) -> Option<bool> {
    match value {
        "yes" | "true" => Some(true),
        "no" | "false" => Some(false),
        _ => None,
    }
}

/// An attribute's name: it cannot carry anything into the script.
pub(super) fn word(name: &str) -> Result<&str, Fault> {
    if is_attribute(name) && !matches!(name, "where" | "do" | "else" | "on-error") {
        return Ok(name);
    }
    Err(Fault::bad_input("an attribute's name is made of letters, digits, dots, hyphens and underscores"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_may_write_a_value_its_own_way() {
        for (form, value, spelt) in [
            (Form::Set, "b,a", vec!["b,a", "b;a", "a,b", "a;b"]),
            (Form::Set, "!b,a", vec!["!b,a", "!b;a", "!a,b", "!a;b"]),
            (Form::Set, "192.0.2.1", vec!["192.0.2.1", "192.0.2.1/32"]),
            (Form::List, "2001:db8::1/128", vec!["2001:db8::1/128", "2001:db8::1"]),
            (Form::Span, "10m", vec!["10m", "00:10:00"]),
            (Form::Span, "1w2d03:04:05", vec!["1w2d03:04:05", "1w2d3h4m5s"]),
            (Form::Span, "0s", vec!["0s", "00:00:00"]),
            (Form::Span, "none", vec!["none"]),
        ] {
            assert_eq!(spellings(form, Some(value)), spelt, "{form:?} {value}");
        }
    }

    #[test]
    fn longer_lists_are_compared_by_their_words() {
        let has = |word: &str| format!("([:typeof [:find $v \"{word}\"]] = \"num\")");
        let all = format!("((([:len $v] = 8)) && {} && {} && {})", has("new"), has("!b"), has("c"));
        assert_eq!(condition(Form::Set, "v", Some("new,!b,c")), all);
        let lists = condition(Form::Set, "v", Some("192.0.2.1,10.0.0.0/8,192.0.2.2"));
        assert!(lists.contains("([:len $v] = 30) || ([:len $v] = 36)"), "{lists}");
    }
}
