//! Where a menu is: `/ip/address` as REST spells it, `/ip address` as the console does.
//!
//! Only letters, digits and hyphens pass, so a path can neither climb out of `/rest` nor carry a query.

use crate::routeros::fault::RouterError;
use std::{fmt, str::FromStr};

/// Longest path taken, in bytes; the longest known menu has 58.
const MAX_BYTES: usize = 160;
/// Deepest menu taken; the deepest known one has 5 words.
const MAX_WORDS: usize = 10;

/// A menu's path in REST spelling; `/` is the root, where `execute` and `export` live.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MenuPath(Box<str>);

impl MenuPath {
    /// The root menu.
    pub fn root() -> Self {
        MenuPath("/".into())
    }

    /// Reads `/ip/address`, `ip/address`, `/ip address` and `/ip/firewall filter`.
    ///
    /// # Errors
    /// [`RouterError::Argument`] for anything a RouterOS menu cannot be called.
    pub fn parse(text: &str) -> Result<Self, RouterError> {
        let text = text.trim();
        let wrong = |why: &str| Err(RouterError::argument(format!("a menu path {why}, as in /ip/address")));
        if text.len() > MAX_BYTES {
            return wrong("is shorter than 160 characters");
        }
        if text == "/" {
            return Ok(MenuPath::root());
        }
        let inner = text.strip_prefix('/').unwrap_or(text);
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let mut path = String::with_capacity(inner.len() + 1);
        let mut words = 0;
        for word in inner.split('/').flat_map(str::split_ascii_whitespace) {
            if !is_word(word) {
                return wrong("is made of lower-case letters, digits and hyphens");
            }
            path.push('/');
            path.push_str(word);
            words += 1;
        }
        // `//` and `/ /` have empty parts that the split by blanks swallows.
        if words == 0 || words > MAX_WORDS || inner.split('/').any(|part| part.trim().is_empty()) {
            return wrong("has one to ten words");
        }
        Ok(MenuPath(path.into()))
    }

    /// `/ip/address`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below `https://host:port`: `/rest/ip/address`.
    pub fn url(&self) -> String {
        if self.is_root() { "/rest".into() } else { format!("/rest{}", self.0) }
    }

    /// Whether this is `/`.
    pub fn is_root(&self) -> bool {
        &*self.0 == "/"
    }
}

/// A menu or command word: `ip`, `6to4`, `caps-man`.
pub(crate) fn is_word(word: &str) -> bool {
    let inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !word.is_empty() && word.bytes().all(inside) && !word.starts_with('-') && !word.ends_with('-')
}

impl fmt::Display for MenuPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for MenuPath {
    type Err = RouterError;

    fn from_str(text: &str) -> Result<Self, RouterError> {
        MenuPath::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings_name_the_same_menu() {
        for text in [
            "/ip/firewall/filter",
            "ip/firewall/filter",
            "/ip firewall filter",
            "/ip/firewall filter",
            "/ip/firewall/filter/",
            " /ip  firewall filter",
        ] {
            let path = MenuPath::parse(text).unwrap();
            assert_eq!(path.as_str(), "/ip/firewall/filter", "{text}");
            assert_eq!(path.url(), "/rest/ip/firewall/filter");
        }
        assert_eq!(MenuPath::parse("/interface/6to4").unwrap().as_str(), "/interface/6to4");
        assert_eq!(MenuPath::parse("/").unwrap(), MenuPath::root());
        assert_eq!(MenuPath::root().url(), "/rest");
    }

    #[test]
    fn nothing_that_could_leave_the_menu_passes() {
        for text in
            ["", "//", "/ip//address", "/ip/../user", "/ip/address?x=1", "/ip/*1", "/IP", "/ip/a%2f", "/ip/a\nb;c", "/-x", "/ip/ü", "/ / "]
        {
            assert!(MenuPath::parse(text).is_err(), "{text:?}");
        }
        assert!(MenuPath::parse(&"/a".repeat(11)).is_err());
        assert!(MenuPath::parse(&format!("/{}", "a".repeat(200))).is_err());
    }
}
