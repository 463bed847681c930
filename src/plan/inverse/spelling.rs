//! How the console writes what REST writes, and what it takes.

use crate::base::fault::Fault;
use crate::plan::form::{Form, Known};
use crate::routeros::query::is_attribute;
use crate::routeros::script::quote;
use ipnet::IpNet;
use std::net::IpAddr;

/// How the console may write a value that REST writes so; nothing: the attribute is absent.
pub(super) fn spellings(form: Form, value: Option<&str>) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match (form, value) {
        (Form::Flag, None) => words(&["false", "no", ""]),
        (_, None) => words(&[""]),
        (Form::Flag, Some(value)) if flag(value) == "no" => words(&["false", "no", ""]),
        (Form::Flag, Some(_)) => words(&["true", "yes"]),
        // An array's words are joined by semicolons.
        (Form::List | Form::Set, Some(value)) => vec![value.to_owned(), value.replace(',', ";")],
        (Form::Address, Some(value)) => addresses(value),
        (_, Some(value)) => match flag_word(value) {
            Some(true) => words(&["true", "yes"]),
            Some(false) => words(&["false", "no", ""]),
            None => vec![value.to_owned()],
        },
    }
}

/// How a router may write an address or prefix it was given: also without host bits, with and without the length of a single host.
fn addresses(value: &str) -> Vec<String> {
    let mut all = vec![value.to_owned()];
    if let Ok(net) = value.parse::<IpNet>() {
        all.push(net.trunc().to_string());
        if net.prefix_len() == net.max_prefix_len() {
            all.push(net.addr().to_string());
        }
    } else if let Ok(address) = value.parse::<IpAddr>() {
        all.push(IpNet::from(address).to_string());
    }
    all.dedup();
    all
}

/// Whether `:tostr` of it is what REST writes.
pub(super) fn is_comparable(form: Form) -> bool {
    match form {
        Form::Text | Form::Flag | Form::Int | Form::Address | Form::List | Form::Set => true,
        Form::Span | Form::Left | Form::Rate | Form::RatePair | Form::Bytes => false,
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
