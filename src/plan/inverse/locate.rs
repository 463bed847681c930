//! How the script finds a row: by what it holds, and never one that the router made itself.
//!
//! A `where` finds what the console takes for equal. That is sure for words, names and addresses. A number or a list written in quotes
//! may equal nothing, and an attribute that a disabled row keeps back may be missing in the console too; such attributes are read of
//! each row, or read anew where a `where` found nothing.

use super::spelling::{condition, flag, is_comparable, word};
use crate::base::fault::Fault;
use crate::plan::form::{Form, Known, Pairs, get, host};
use crate::plan::record::Find;
use crate::routeros::script::quote;
use std::net::Ipv6Addr;

/// How an attribute is asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// In the `where`.
    Where,
    /// Of each row: it has this value.
    Each,
    /// Of each row: it has this value, or does not show it.
    Shown,
    /// Of each row: it has none.
    Absent,
}

/// Lines that put into `mcprow` the row that one of these finds, the first before the second. One that gives access back is also looked
/// for without a `where`, and then by what still tells it from all others.
pub(super) fn located(known: &Known, finds: &[&Find], weaker: &[Find], gives_access: bool) -> Result<String, Fault> {
    let mut lines = String::new();
    let mut tried: Vec<&Find> = Vec::new();
    for find in finds {
        if !tried.contains(find) {
            lines.push_str(&match tried.is_empty() {
                true => locating(known, find, "mcprow")?,
                false => otherwise(&locating(known, find, "mcpold")?, false),
            });
            tried.push(find);
        }
    }
    if !gives_access {
        return Ok(lines);
    }
    for find in &tried {
        if let Some(locating) = surely(known, find, "mcpold")? {
            lines.push_str(&otherwise(&locating, false));
        }
    }
    for find in weaker {
        if !tried.contains(&find) {
            lines.push_str(&otherwise(&locating(known, find, "mcpold")?, true));
            tried.push(find);
        }
    }
    Ok(lines)
}

/// Lines to go on with where nothing was found; `alone`: only if it is a single row.
fn otherwise(locating: &str, alone: bool) -> String {
    let take = if alone { ":if ([:len $mcpold] = 1) do={ :set mcprow $mcpold }" } else { ":set mcprow $mcpold" };
    format!("    :if ([:len $mcprow] = 0) do={{\n{locating}      {take}\n    }}\n")
}

/// What is left of a row's key without what it may not show, or could be without: mostly still the only one of its kind.
pub(super) fn weaker(known: &Known, row: &Pairs) -> Option<Find> {
    let is_route = known.menu.ends_with("/route");
    let names = known.key.iter().filter(|name| if is_route { !known.hides(name) } else { known.is_needed(name) });
    let by: Option<Pairs> = names
        .map(|name| Some((name.clone(), get(row, name).filter(|value| !value.is_empty() && !known.is_secret(name))?.to_owned())))
        .collect();
    by.filter(|by| !by.is_empty()).map(|by| Find { by })
}

/// Lines that put into a variable the rows this finds.
pub(super) fn locating(known: &Known, find: &Find, variable: &str) -> Result<String, Fault> {
    asking(known, find, variable, false)
}

/// The same without relying on what a console takes for equal; nothing where there is no doubt.
fn surely(known: &Known, find: &Find, variable: &str) -> Result<Option<String>, Fault> {
    let is_doubtful = find.by.iter().any(|(name, value)| asked(known, name, value, true) == Asked::Each);
    is_doubtful.then(|| asking(known, find, variable, true)).transpose()
}

fn asked(known: &Known, name: &str, value: &str, each: bool) -> Asked {
    let form = known.form(name);
    let is_number = value.bytes().all(|b| b.is_ascii_digit() || matches!(b, b',' | b'-'));
    // Whether the length of a single IPv6 address is kept with it is not known.
    let is_either = host(value).parse::<Ipv6Addr>().is_ok();
    let is_sure = form == Form::Flag || (form == Form::Address && !is_either) || (form == Form::Text && !is_number);
    match value {
        "" if !known.is_bare(name) => Asked::Absent,
        _ if known.hides(name) => Asked::Shown,
        _ if each && !is_sure && is_comparable(form) => Asked::Each,
        _ => Asked::Where,
    }
}

fn asking(known: &Known, find: &Find, variable: &str, each: bool) -> Result<String, Fault> {
    let menu = &known.menu;
    let mut finding = format!("[{menu}/find");
    let (mut looks, mut is_first) = (String::new(), true);
    for (name, value) in &find.by {
        let name_word = word(name)?;
        let read = format!("[:tostr [{menu}/get $mcpone {name_word}]]");
        match asked(known, name, value, each) {
            Asked::Where => {
                finding.push_str(if is_first { " where" } else { "" });
                is_first = false;
                finding.push_str(&format!(" {name_word}="));
                match known.form(name) {
                    // Numbers are compared as numbers, and flags as flags; a text would be neither.
                    Form::Int if value.bytes().all(|b| b.is_ascii_digit()) => finding.push_str(value),
                    Form::Flag => finding.push_str(flag(value)),
                    _ => finding.push_str(&quote(value)),
                }
            }
            Asked::Absent => looks.push_str(&format!("      :do {{ :set mcpodd ($mcpodd . {read}) }} on-error={{}}\n")),
            way => {
                let is = condition(known.form(name), "mcplook", Some(value));
                let is = if way == Asked::Shown { format!("(($mcplook = \"\") || {is})") } else { is };
                looks.push_str(&format!(
                    "      :set mcplook \"\"\n      :do {{ :set mcplook {read} }} on-error={{}}\n      :if ({is}) do={{}} else={{ :set mcpodd \"x\" }}\n"
                ));
            }
        }
    }
    finding.push(']');
    if known.marks.is_empty() && looks.is_empty() {
        return Ok(format!("    :local {variable} {finding}\n"));
    }
    // Nothing has a length of 0 on every version; whether a list made of an empty text has, nobody wrote down.
    let mut lines = format!("    :local {variable} \"\"\n    :foreach mcpone in={finding} do={{\n      :local mcpodd \"\"\n");
    if looks.contains("mcplook") {
        lines.push_str("      :local mcplook \"\"\n");
    }
    for mark in &known.marks {
        let read = format!("[:tostr [{menu}/get $mcpone {}]]", word(mark)?);
        let is_marked = format!("(({read} = \"true\") || ({read} = \"yes\"))");
        lines.push_str(&format!("      :do {{ :if {is_marked} do={{ :set mcpodd \"x\" }} }} on-error={{}}\n"));
    }
    lines.push_str(&looks);
    lines.push_str(&format!(
        "      :if ([:len $mcpodd] = 0) do={{ \
         :if ([:len ${variable}] = 0) do={{ :set {variable} [:toarray $mcpone] }} else={{ :set {variable} (${variable} , $mcpone) }} }}\n    }}\n"
    ));
    Ok(lines)
}

/// Lines that put into a variable which row stands right after the one found; rows the router made itself may stand between.
pub(super) fn following(menu: &str) -> String {
    let dynamic = format!("[:tostr [{menu}/get $mcpone dynamic]]");
    format!(
        "    :local mcpseen 0\n    :local mcpnow \"\"\n    :foreach mcpone in=[{menu}/find] do={{\n      :local mcpodd \"\"\n\
         \x20     :do {{ :if (({dynamic} = \"true\") || ({dynamic} = \"yes\")) do={{ :set mcpodd \"x\" }} }} on-error={{}}\n\
         \x20     :if (($mcpseen = 1) && ([:len $mcpodd] = 0)) do={{ :set mcpnow [:tostr $mcpone]\n :set mcpseen 2 }}\n\
         \x20     :if ([:tostr $mcpone] = [:tostr $mcprow]) do={{ :set mcpseen 1 }}\n    }}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(menu: &str, key: &[&str], form: Form) -> Known {
        Known {
            menu: menu.into(),
            singleton: false,
            ordered: false,
            key: key.iter().map(|name| (*name).to_owned()).collect(),
            content: key.iter().map(|name| ((*name).to_owned(), form)).collect(),
            secret: vec![],
            unset: true,
            marks: vec![],
            stranger: false,
        }
    }

    fn find(by: &[(&str, &str)]) -> Find {
        Find { by: by.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect() }
    }

    #[test]
    fn what_a_disabled_route_does_not_show_is_never_asked_of_all_rows() {
        let known = known("/ip/route", &["dst-address", "gateway", "routing-table"], Form::Text);
        let by = find(&[("dst-address", "0.0.0.0/0"), ("gateway", "192.0.2.1"), ("routing-table", "main")]);
        let lines = located(&known, &[&by], &[weaker(&known, &by.by).unwrap()], true).unwrap();
        assert!(lines.contains("[/ip/route/find where dst-address=\"0.0.0.0/0\" gateway=\"192.0.2.1\"]"), "{lines}");
        assert!(!lines.contains("where dst-address=\"0.0.0.0/0\" gateway=\"192.0.2.1\" routing-table"), "{lines}");
        assert!(lines.contains("(($mcplook = \"\") || ($mcplook = \"main\"))"), "{lines}");
    }

    #[test]
    fn a_number_that_gives_access_back_is_also_looked_for_row_by_row() {
        let known = known("/interface/bridge/vlan", &["bridge", "vlan-ids"], Form::Set);
        let by = find(&[("vlan-ids", "10")]);
        let plain = "    :local mcprow [/interface/bridge/vlan/find where vlan-ids=\"10\"]\n";
        assert_eq!(located(&known, &[&by], &[], false).unwrap(), plain);
        let lines = located(&known, &[&by], &[], true).unwrap();
        assert!(
            lines.starts_with(plain) && lines.contains(":set mcplook [:tostr [/interface/bridge/vlan/get $mcpone vlan-ids]]"),
            "{lines}"
        );
    }
}
