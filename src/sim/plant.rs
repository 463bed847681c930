//! Strings planted all over a router: what an attacker would write, and secrets that must not come out.

use super::menus::{Attr, Menu, Shape};
use super::row::{Row, show_id};
use super::value::Type;
use super::world::World;

/// Menus whose rows hold up the router itself: their rows are copied before anything is planted, or left alone.
const UNTOUCHED: [&str; 8] =
    ["/user", "/user/group", "/user/active", "/user/ssh-keys", "/ip/service", "/ip/service/webserver", "/safe-mode", "/system/device-mode"];
/// What others than the operator write, shown in attributes nobody can set: neighbours, clients, log lines.
const HEARD: [(&str, &[&str]); 13] = [
    ("/ip/neighbor", &["identity", "board", "platform", "version", "interface-name", "system-description", "software-id"]),
    ("/ip/dhcp-server/lease", &["host-name", "class-id", "active-client-id"]),
    ("/interface/wifi/registration-table", &["ssid", "eap-identity"]),
    ("/interface/wireless/registration-table", &["radio-name", "comment", "routeros-version"]),
    ("/caps-man/registration-table", &["ssid", "eap-identity", "comment"]),
    ("/caps-man/remote-cap", &["identity", "board", "name", "serial"]),
    ("/interface/wifi/capsman/remote-cap", &["identity", "board-name", "common-name", "serial"]),
    ("/log", &["message"]),
    ("/ppp/active", &["name", "caller-id", "comment"]),
    ("/ip/hotspot/active", &["user", "domain", "comment"]),
    ("/ip/dns/cache", &["name", "data"]),
    ("/ip/ipsec/active-peers", &["id", "comment"]),
    ("/system/history", &["action", "by", "undo", "redo"]),
];

/// A place where a string was planted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planted {
    /// The menu.
    pub path: String,
    /// The attribute.
    pub attribute: String,
    /// What stands there now.
    pub text: String,
}

impl World {
    /// Plants a string in every writable text attribute of every menu this router has, and in those that others fill (neighbours,
    /// clients, log lines). Lists get a new row of their own, or a copy of a row where only the router makes them. Logins and services
    /// stay as they are.
    pub fn plant(&mut self, text: impl Fn(&str, &str) -> String) -> Vec<Planted> {
        let writable = |attr: &Attr| !attr.read_only && !attr.secret && !attr.hidden && matches!(attr.of, Type::Text);
        let mut planted = self.plant_where(&writable, &text);
        for (path, names) in HEARD {
            if self.menu(path).is_none() {
                continue;
            }
            let mut row = self.rows(path).into_iter().next().unwrap_or_else(|| self.blank(path));
            for name in names {
                let value = text(path, name);
                row.put(name, value.as_str());
                planted.push(Planted { path: path.to_string(), attribute: name.to_string(), text: value });
            }
            self.append(path, row);
        }
        planted
    }

    /// Plants a string in every secret attribute of every menu this router has, hidden ones included.
    pub fn plant_secrets(&mut self, text: impl Fn(&str, &str) -> String) -> Vec<Planted> {
        self.plant_where(&|attr: &Attr| attr.secret || attr.hidden, &text)
    }

    fn plant_where(&mut self, wanted: &dyn Fn(&Attr) -> bool, text: &dyn Fn(&str, &str) -> String) -> Vec<Planted> {
        let (defs, model) = (self.defs.clone(), self.model.clone());
        let mut planted = Vec::new();
        for menu in defs.served(&model) {
            if UNTOUCHED.contains(&menu.path.as_str()) || menu.path == "/interface" || menu.shape == Shape::Commands {
                continue;
            }
            let attrs: Vec<&Attr> = menu.attrs.iter().filter(|a| a.since <= model.version && wanted(a)).collect();
            if attrs.is_empty() {
                continue;
            }
            let mut row = self.ground(menu);
            for attr in attrs {
                let value = text(&menu.path, &attr.name);
                row.put(&attr.name, value.as_str());
                planted.push(Planted { path: menu.path.clone(), attribute: attr.name.clone(), text: value });
            }
            match menu.shape {
                Shape::Single => self.table(&menu.path).rows = vec![row],
                _ => drop(self.append(&menu.path, row)),
            }
        }
        planted
    }

    /// What is planted in: the object itself, or a row that looks like those that are there.
    fn ground(&mut self, menu: &Menu) -> Row {
        let first = self.table(&menu.path).rows.first().cloned();
        if menu.shape == Shape::Single {
            return first.unwrap_or_default();
        }
        let mut row = first.unwrap_or_else(|| self.blank(&menu.path));
        let count = self.table(&menu.path).rows.len() as u32;
        if menu.named {
            row.put("name", format!("planted{}", show_id(count).trim_start_matches('*')));
        }
        row.take("default-name");
        row
    }
}
