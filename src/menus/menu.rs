//! What is known of one menu, and the words to say it in a `const`.

use super::attr::Attr;
use crate::base::tier::Tier;

/// How rows of a menu stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Rows; their order means nothing.
    List,
    /// Rows; the first that matches wins, so order is content.
    Ordered,
    /// One row without `.id`, changed by `set`.
    Singleton,
}

impl Shape {
    /// `list` or `singleton`, the words of `menu.describe`.
    pub fn as_str(self) -> &'static str {
        match self {
            Shape::List | Shape::Ordered => "list",
            Shape::Singleton => "singleton",
        }
    }
}

/// The device capability that plans on a menu need.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Topic {
    /// None beyond `professional`.
    None,
    /// `firewall`
    Firewall,
    /// `routing`
    Routing,
    /// `wireless`
    Wireless,
    /// `dhcp`
    Dhcp,
    /// `bridge`
    Bridge,
    /// `system`
    System,
}

impl Topic {
    /// Name of the device capability; nothing for [`Topic::None`].
    pub fn capability(self) -> Option<&'static str> {
        match self {
            Topic::None => None,
            Topic::Firewall => Some("firewall"),
            Topic::Routing => Some("routing"),
            Topic::Wireless => Some("wireless"),
            Topic::Dhcp => Some("dhcp"),
            Topic::Bridge => Some("bridge"),
            Topic::System => Some("system"),
        }
    }
}

/// One RouterOS menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Menu {
    /// REST path without `/rest`: `/ip/address`.
    pub path: &'static str,
    /// What its rows are, in one line.
    pub about: &'static str,
    /// Attributes that tell rows apart; `.id` changes when a row is re-made. Empty: rows have no identity of their own
    /// (rules, log lines), compare their content.
    pub key: &'static [&'static str],
    /// What is known of its attributes.
    pub attrs: &'static [Attr],
    /// How its rows stand.
    pub shape: Shape,
    /// What people call it.
    pub synonyms: &'static [&'static str],
    /// Package that brings it; `None` for the system package.
    pub package: Option<&'static str>,
    /// Commands beside print, add, set, remove.
    pub commands: &'static [&'static str],
    /// A change here can cut our own access: always guarded.
    pub cuts_access: bool,
    /// The device capability that plans here need.
    pub topic: Topic,
    /// What a principal must be allowed to change it.
    pub change: Tier,
    /// First RouterOS 7 minor version that has it.
    pub since: (u8, u8),
    /// Callers can only read it.
    pub read_only: bool,
}

/// A list of rows that says nothing special: changed by plans, part of the system package since 7.1.
pub const fn list(path: &'static str, about: &'static str) -> Menu {
    Menu {
        path,
        about,
        key: &[],
        attrs: &[],
        shape: Shape::List,
        synonyms: &[],
        package: None,
        commands: &[],
        cuts_access: false,
        topic: Topic::None,
        change: Tier::Professional,
        since: (7, 1),
        read_only: false,
    }
}

/// A list whose order is content.
pub const fn ordered(path: &'static str, about: &'static str) -> Menu {
    Menu { shape: Shape::Ordered, ..list(path, about) }
}

/// One row, changed by `set`.
pub const fn singleton(path: &'static str, about: &'static str) -> Menu {
    Menu { shape: Shape::Singleton, ..list(path, about) }
}

impl Menu {
    /// Rows equal in these are the same row.
    #[must_use]
    pub const fn key(self, key: &'static [&'static str]) -> Menu {
        Menu { key, ..self }
    }

    /// Its attributes.
    #[must_use]
    pub const fn attrs(self, attrs: &'static [Attr]) -> Menu {
        Menu { attrs, ..self }
    }

    /// What people call it.
    #[must_use]
    pub const fn synonyms(self, synonyms: &'static [&'static str]) -> Menu {
        Menu { synonyms, ..self }
    }

    /// The package that brings it.
    #[must_use]
    pub const fn package(self, package: &'static str) -> Menu {
        Menu { package: Some(package), ..self }
    }

    /// Commands beside print, add, set, remove.
    #[must_use]
    pub const fn commands(self, commands: &'static [&'static str]) -> Menu {
        Menu { commands, ..self }
    }

    /// A change here can cut our own access.
    #[must_use]
    pub const fn cuts_access(self) -> Menu {
        Menu { cuts_access: true, ..self }
    }

    /// The device capability that plans here need.
    #[must_use]
    pub const fn topic(self, topic: Topic) -> Menu {
        Menu { topic, ..self }
    }

    /// Small writes with an undo are enough to change it.
    #[must_use]
    pub const fn basic(self) -> Menu {
        Menu { change: Tier::Basic, ..self }
    }

    /// First RouterOS version that has it.
    #[must_use]
    pub const fn since(self, major: u8, minor: u8) -> Menu {
        Menu { since: (major, minor), ..self }
    }

    /// Callers can only read it.
    #[must_use]
    pub const fn read_only(self) -> Menu {
        Menu { read_only: true, ..self }
    }

    /// What is known of one attribute.
    pub fn attr(&self, name: &str) -> Option<&'static Attr> {
        self.attrs.iter().find(|attr| attr.name == name)
    }

    /// The names of its attributes that are known to be secrets; [`super::is_secret`] judges the others by name.
    pub fn secrets(&self) -> impl Iterator<Item = &'static str> {
        self.attrs.iter().filter(|attr| attr.secret).map(|attr| attr.name)
    }
}
