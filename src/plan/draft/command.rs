//! The few commands that `run` may run: they change no configuration, and there is nothing to undo.

use super::value;
use crate::base::fault::Fault;
use crate::base::unseen::is_unseen;
use crate::menus;
use crate::plan::edit::{Edit, Op};
use crate::plan::form::Pairs;

/// Commands, and the menus they are harmless in; an empty list stands for every menu whose facts name the command.
const HARMLESS: &[(&str, &[&str])] = &[
    ("flush", &["/ip/dns/cache"]),
    ("renew", &["/ip/dhcp-client", "/ipv6/dhcp-client"]),
    ("release", &["/ip/dhcp-client", "/ipv6/dhcp-client"]),
    ("reset-counters", &[]),
    ("reset-counters-all", &[]),
    ("wol", &["/tool"]),
];

/// What an edit of kind `run` runs: menu and command, which may stand as the path's last word.
pub(super) fn split(edit: &Edit, menu: &str) -> (String, Option<String>) {
    if edit.op != Op::Run {
        return (menu.to_owned(), None);
    }
    match &edit.command {
        Some(command) => {
            // `/tool/wol` with `command: wol` says it twice.
            let menu = menu.strip_suffix(&format!("/{command}")).filter(|menu| !menu.is_empty()).unwrap_or(menu);
            (menu.to_owned(), Some(command.clone()))
        }
        None => match menu.rsplit_once('/') {
            Some((menu, command)) if !menu.is_empty() => (menu.to_owned(), Some(command.to_owned())),
            _ => (menu.to_owned(), None),
        },
    }
}

/// Whether it needs to know which row.
pub(super) fn is_about_a_row(command: &str) -> bool {
    matches!(command, "renew" | "release" | "reset-counters")
}

/// Refuses whatever is not on the list.
pub(super) fn check(menu: &str, command: &str, edit: &Edit) -> Result<(), Fault> {
    let named = |menus: &[&str]| match menus {
        [] => menus::find(menu).is_some_and(|facts| facts.commands.contains(&command)),
        menus => menus.contains(&menu),
    };
    if !HARMLESS.iter().any(|(known, menus)| *known == command && named(menus)) {
        let shown: String = command.chars().filter(|c| c.is_ascii_graphic()).take(40).collect();
        return Err(Fault::bad_input(format!("run does not run {menu} {shown}")).hint(
            "run is for /ip/dns/cache flush, renew and release of a dhcp-client, reset-counters, reset-counters-all and /tool wol; \
             never for scripts",
        ));
    }
    if is_about_a_row(command) == edit.which.is_empty() {
        let said = if edit.which.is_empty() { "match is missing: which row" } else { "it is about no row; leave match out" };
        return Err(Fault::bad_input(format!("run {menu} {command}: {said}")));
    }
    Ok(())
}

/// The command's arguments. Only wake-on-LAN takes any.
pub(super) fn arguments(command: &str, edit: &Edit) -> Result<Pairs, Fault> {
    let mut args = Pairs::new();
    for (name, given) in &edit.values {
        let text = value::scalar(given).ok_or_else(|| Fault::bad_input(format!("run {command}: {} takes a text", value::shown(name))))?;
        let ok = match (command, name.as_str()) {
            ("wol", "mac") => value::is_mac(&text),
            ("wol", "interface") => !text.is_empty() && text.len() <= 64 && !text.chars().any(is_unseen),
            _ => false,
        };
        if !ok {
            let hint = "wol takes mac (a MAC address) and interface; other commands take nothing";
            return Err(
                Fault::bad_input(format!("run {command}: {} does not go with it, or not with this value", value::shown(name))).hint(hint)
            );
        }
        args.push((name.clone(), text));
    }
    if command == "wol" && !args.iter().any(|(name, _)| name == "mac") {
        return Err(Fault::bad_input("run wol: mac is missing: whom to wake"));
    }
    Ok(args)
}
