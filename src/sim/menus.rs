//! Which menus the simulated router has, as data.
//!
//! A definition is a few lines of text in `menus/*.txt`, kept compact because a router has hundreds of menus:
//! ```text
//! /ip/address list add set remove
//!   address!:prefix interface!:@/interface disabled:bool=false comment
//!   ro actual-interface dynamic=false
//!   cmd flush .
//!   unique address : failure: already have such entry
//! ```
//! The first line names the path, its shape (`list`, `ordered`, `single`, `cmd`), its verbs and conditions (`since=7.18`, `pkg=wifi`,
//! `board`, `chr`). An attribute is `name[!$#][^since][:type][=default]`: `!` must be given on add, `$` is a secret, `#` is never shown;
//! with a default it is in every row, without one only when it was written. Types: [`super::value::Type`].
//!
//! Source: console command tree of RouterOS 7.24 and the rules of its REST API.

use super::profiles::Model;
use super::value::Type;
use crate::base::packed::{self, packed};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// What a menu holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Shape {
    /// Rows; with `ordered` their order has a meaning.
    #[default]
    List,
    /// One object without `.id`.
    Single,
    /// Commands or sub-menus only.
    Commands,
}

/// One attribute of a menu.
#[derive(Debug, Clone, Default)]
pub struct Attr {
    /// Its name on the wire, dots included.
    pub name: String,
    /// What values it takes.
    pub of: Type,
    /// Shown in every row with this value unless another was written.
    pub default: Option<String>,
    /// Has to be given on add.
    pub required: bool,
    /// Shown only to users with policy `sensitive`.
    pub secret: bool,
    /// Never shown, like the password of a user.
    pub hidden: bool,
    /// Set by the router alone.
    pub read_only: bool,
    /// First version that knows it.
    pub since: (u32, u32),
    /// Words a published tree lists for it, and its kind in the console's words: shown by `/console/inspect`, never enforced.
    pub hints: Vec<String>,
    /// See [`Attr::hints`].
    pub help: String,
}

/// Rows equal in `attrs` may not exist twice.
#[derive(Debug, Clone)]
pub struct Unique {
    /// Attributes that together make the key.
    pub attrs: Vec<String>,
    /// What the router says to the second.
    pub refusal: String,
}

/// One menu.
#[derive(Debug, Clone, Default)]
pub struct Menu {
    /// Slashes in front and between: `/ip/address`.
    pub path: String,
    /// Rows, one object, or commands.
    pub shape: Shape,
    /// Order of rows has a meaning; `move` and `place-before` work.
    pub ordered: bool,
    /// Rows can be addressed by their name.
    pub named: bool,
    /// `add` works.
    pub add: bool,
    /// `set` works.
    pub set: bool,
    /// `remove` works.
    pub remove: bool,
    /// First `.id`.
    pub first: u32,
    /// The menu that also shows these rows (`/interface`), and their `type` there.
    pub family: Option<(String, String)>,
    /// First version that has it.
    pub since: (u32, u32),
    /// Package it needs: `wifi`, `wireless`, `lte`.
    pub package: Option<String>,
    /// `Some(true)`: only on MikroTik boards; `Some(false)`: only on CHR.
    pub board: Option<bool>,
    /// Settable and readable attributes, in the order of the definition.
    pub attrs: Vec<Attr>,
    /// Commands besides those the verbs imply, with their arguments.
    pub commands: BTreeMap<String, Vec<String>>,
    /// Uniqueness rules.
    pub unique: Vec<Unique>,
}

impl Menu {
    /// The attribute of that name.
    pub fn attr(&self, name: &str) -> Option<&Attr> {
        self.attrs.iter().find(|a| a.name == name)
    }

    fn fits(&self, model: &Model) -> bool {
        self.since <= model.version
            && self.package.as_deref().is_none_or(|p| model.packages.contains(&p))
            && self.board.is_none_or(|b| b == model.board)
    }

    /// Every command word of this menu, sorted.
    pub fn command_names(&self) -> Vec<&str> {
        let mut words: BTreeSet<&str> = self.commands.keys().map(String::as_str).collect();
        if self.shape != Shape::Commands {
            words.extend(["export", "get", "print"]);
        }
        if self.shape == Shape::List {
            words.insert("find");
        }
        for (has, word) in [(self.add, "add"), (self.set, "set"), (self.remove, "remove"), (self.ordered, "move")] {
            if has {
                words.insert(word);
            }
        }
        if self.shape == Shape::List && self.set {
            words.extend(["unset", "edit"]);
            if self.attr("disabled").is_some() {
                words.extend(["disable", "enable"]);
            }
            if self.attr("comment").is_some() {
                words.insert("comment");
            }
        }
        words.into_iter().collect()
    }

    /// Argument names of a command, sorted.
    pub fn arguments(&self, command: &str) -> Vec<String> {
        let settable = || self.attrs.iter().filter(|a| !a.read_only).map(|a| a.name.clone());
        let mut names: BTreeSet<String> = match command {
            "add" => settable().chain(["copy-from".into()]).collect(),
            "set" if self.shape == Shape::List => settable().chain(["numbers".into()]).collect(),
            "set" => settable().collect(),
            "remove" | "enable" | "disable" => ["numbers".to_string()].into(),
            "comment" => ["comment".to_string(), "numbers".into()].into(),
            "move" => ["destination".to_string(), "numbers".into()].into(),
            "unset" | "get" => ["numbers".to_string(), "value-name".into()].into(),
            "print" => ["append", "as-value", "brief", "count-only", "detail", "file", "follow", "from", "proplist", "where"]
                .into_iter()
                .map(String::from)
                .collect(),
            other => self.commands.get(other).into_iter().flatten().cloned().collect(),
        };
        if command == "add" && self.ordered {
            names.insert("place-before".into());
        }
        names.into_iter().collect()
    }
}

/// All menus a simulated router may have.
#[derive(Debug, Default)]
pub struct Definitions {
    menus: Vec<Menu>,
    /// Paths and their parents: `/ip` is here although it holds no rows.
    by_path: BTreeMap<String, Vec<usize>>,
    /// Serve menus although the model would not have them.
    pub(super) ungated: bool,
}

impl Definitions {
    /// The simulator's own menus; parsed once in a process.
    pub fn own() -> Arc<Self> {
        static OWN_PARSED: OnceLock<Arc<Definitions>> = OnceLock::new();
        OWN_PARSED.get_or_init(|| Arc::new(Definitions::from_menus(own_menus(), false))).clone()
    }

    pub(super) fn from_menus(menus: Vec<Menu>, ungated: bool) -> Self {
        let mut by_path: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (i, menu) in menus.iter().enumerate() {
            by_path.entry(menu.path.clone()).or_default().push(i);
            let mut parent = menu.path.as_str();
            while let Some(cut) = parent.rfind('/').filter(|cut| *cut > 0) {
                parent = &parent[..cut];
                by_path.entry(parent.to_string()).or_default();
            }
        }
        Definitions { menus, by_path, ungated }
    }

    /// Menus that hold rows or an object.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.menus.iter().filter(|m| m.shape != Shape::Commands).map(|m| m.path.as_str())
    }

    /// The menu at `path` as this model has it.
    pub fn menu(&self, path: &str, model: &Model) -> Option<&Menu> {
        let candidates = self.by_path.get(path)?;
        let fitting = candidates.iter().map(|i| &self.menus[*i]).find(|m| m.fits(model));
        fitting.or_else(|| candidates.first().filter(|_| self.ungated).map(|i| &self.menus[*i]))
    }

    /// Whether `path` is a menu or leads to one on this model.
    pub fn knows(&self, path: &str, model: &Model) -> bool {
        self.menu(path, model).is_some() || self.children(path, model).next().is_some()
    }

    /// Names of the menus right below `path`, sorted.
    pub fn children<'a>(&'a self, path: &'a str, model: &'a Model) -> impl Iterator<Item = &'a str> {
        let below = if path == "/" { "/".to_string() } else { format!("{path}/") };
        let len = below.len();
        let under = self.by_path.range(below.clone()..).take_while(move |(p, _)| p.starts_with(&below));
        under.map(|(p, _)| p.as_str()).filter(move |p| !p[len..].contains('/') && self.knows(p, model)).map(move |p| &p[len..])
    }

    /// Menus whose rows are also rows of `path`.
    pub fn family<'a>(&'a self, path: &'a str, model: &'a Model) -> impl Iterator<Item = &'a Menu> {
        self.menus.iter().filter(move |m| m.family.as_ref().is_some_and(|(of, _)| of == path) && m.fits(model))
    }

    /// The menus this model has.
    pub(super) fn served(&self, model: &Model) -> impl Iterator<Item = &Menu> {
        self.menus.iter().filter(move |m| self.menu(&m.path, model).is_some_and(|found| std::ptr::eq(found, *m)))
    }
}

pub(super) fn own_menus() -> Vec<Menu> {
    let mut menus = Vec::new();
    for (_, text) in packed::texts(&packed::unpacked(packed!("menus"))) {
        for line in text.lines() {
            if line.starts_with('/') {
                menus.push(head(line));
            } else if !line.trim().is_empty() {
                body(menus.last_mut().expect("a definition starts with its path"), line.trim());
            }
        }
    }
    menus
}

fn head(line: &str) -> Menu {
    let mut words = line.split_whitespace();
    let mut menu = Menu { path: words.next().unwrap_or_default().to_string(), first: 1, ..Menu::default() };
    let mut kind = String::new();
    for word in words {
        match word.split_once('=').unwrap_or((word, "")) {
            ("single", _) => menu.shape = Shape::Single,
            ("cmd", _) => menu.shape = Shape::Commands,
            ("ordered", _) => menu.ordered = true,
            ("named", _) => menu.named = true,
            ("add", _) => menu.add = true,
            ("set", _) => menu.set = true,
            ("remove", _) => menu.remove = true,
            ("board", _) => menu.board = Some(true),
            ("chr", _) => menu.board = Some(false),
            ("first", n) => menu.first = n.parse().expect("`first` is a number"),
            ("since", v) => menu.since = version(v),
            ("pkg", p) => menu.package = Some(p.to_string()),
            ("of", path) => menu.family = Some((path.to_string(), String::new())),
            ("kind", k) => kind = k.to_string(),
            _ => {}
        }
    }
    if let Some((_, k)) = &mut menu.family {
        *k = kind;
    }
    menu
}

fn body(menu: &mut Menu, line: &str) {
    if let Some(rule) = line.strip_prefix("unique ") {
        let (attrs, refusal) = rule.split_once(" : ").expect("a rule has its refusal after ` : `");
        menu.unique.push(Unique { attrs: attrs.split(',').map(String::from).collect(), refusal: refusal.to_string() });
    } else if let Some(command) = line.strip_prefix("cmd ") {
        let (name, args) = command.split_once(' ').unwrap_or((command, "."));
        let args = args.split(',').filter(|a| *a != ".").map(String::from).collect();
        menu.commands.insert(name.to_string(), args);
    } else {
        let read_only = line.starts_with("ro ");
        let words = line.strip_prefix("ro ").unwrap_or(line);
        menu.attrs.extend(words.split_whitespace().map(|word| {
            let attr = attr(word);
            // Names of 550 menus give secrets away; a read-only `private-key` only says that there is one.
            let secret = attr.secret || !read_only && is_secret(&attr.name);
            Attr { read_only, secret, ..attr }
        }));
    }
}

/// Whether an attribute of that name holds a secret.
pub(super) fn is_secret(name: &str) -> bool {
    const PARTS: [&str; 7] = ["password", "passphrase", "secret", "private-key", "preshared-key", "pre-shared-key", "md5-key"];
    const ENDS: [&str; 5] = ["auth-key", "enc-key", "encryption-key", "sync-secret", "static-key-0"];
    const NONE: [&str; 8] = [
        "passphrase-group",
        "password-format",
        "allow-password",
        "password-authentication",
        "minimum-password",
        "send-password",
        "ppk-secret",
        "password-length",
    ];
    let hit = PARTS.iter().any(|p| name.contains(p)) || ENDS.iter().any(|e| name.ends_with(e));
    hit && !NONE.iter().any(|n| name.contains(n))
}

fn attr(word: &str) -> Attr {
    let (word, default) = word.split_once('=').map_or((word, None), |(w, d)| (w, Some(d.to_string())));
    let (word, of) = word.split_once(':').unwrap_or((word, ""));
    let (word, since) = word.split_once('^').map_or((word, (0, 0)), |(w, v)| (w, version(v)));
    let name = word.trim_end_matches(['!', '$', '#']);
    let marks = &word[name.len()..];
    Attr {
        name: name.to_string(),
        of: Type::parse(of),
        default,
        required: marks.contains('!'),
        secret: marks.contains('$'),
        hidden: marks.contains('#'),
        since,
        ..Attr::default()
    }
}

/// `7.18` as `(7, 18)`.
pub(super) fn version(text: &str) -> (u32, u32) {
    let mut parts = text.split('.').map(|n| n.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_menus_are_well_formed() {
        let menus = own_menus();
        assert!(menus.len() > 150, "only {} menus", menus.len());
        let known: BTreeSet<&str> = menus.iter().map(|m| m.path.as_str()).collect();
        let mut wrong = Vec::new();
        for menu in &menus {
            let mut seen = BTreeSet::new();
            for attr in &menu.attrs {
                let at = format!("{} {}", menu.path, attr.name);
                if !seen.insert(&attr.name) {
                    wrong.push(format!("{at} stands there twice"));
                }
                wrong.extend(
                    attr.of.targets().iter().filter(|t| !known.contains(t.as_str())).map(|t| format!("{at} points to unknown {t}")),
                );
                let default = attr.default.as_deref().filter(|d| !attr.read_only && !d.is_empty() && !attr.of.allows_default(d));
                wrong.extend(default.map(|d| format!("{at} cannot be its default {d}")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn an_attribute_word_says_everything() {
        let a = attr("listen-port!$^7.15:1..65535=13231");
        assert_eq!((a.name.as_str(), a.required, a.secret, a.hidden, a.since), ("listen-port", true, true, false, (7, 15)));
        assert_eq!((a.default.as_deref(), a.of), (Some("13231"), Type::Number(1, 65535)));
    }
}
