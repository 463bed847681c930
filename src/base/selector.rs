//! Which devices somebody means: `NAME`, `tag:K=V`, `env:E` or `all`.

use crate::base::tier::Environment;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// One condition on devices.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Selector {
    /// A device's id or name.
    Named(String),
    /// A tag with exactly this value.
    Tag(String, String),
    /// Devices of one environment.
    Environment(Environment),
    /// Every device, spelled out.
    All,
}

/// What a selector needs to know of a device.
#[derive(Debug, Clone, Copy)]
pub struct Traits<'a> {
    /// Our id.
    pub id: &'a str,
    /// The operator's name for it.
    pub name: &'a str,
    /// Where it belongs.
    pub environment: Environment,
    /// `(key, value)` pairs.
    pub tags: &'a [(String, String)],
}

impl Selector {
    /// Whether the device is meant.
    pub fn matches(&self, device: &Traits<'_>) -> bool {
        match self {
            Selector::Named(name) => device.id == name || device.name == name,
            Selector::Tag(key, value) => device.tags.iter().any(|(k, v)| k == key && v == value),
            Selector::Environment(environment) => device.environment == *environment,
            Selector::All => true,
        }
    }
}

impl FromStr for Selector {
    type Err = String;

    /// Errs for what can mean no device, whichever there will be: a slip in a limit must not become a limit to nothing.
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            return Ok(Selector::All);
        }
        match text.split_once(':') {
            Some(("tag", tag)) => {
                let (key, value) = tag.split_once('=').ok_or_else(|| wrong(text, "write tag:KEY=VALUE"))?;
                if !is_name(key) {
                    return Err(wrong(text, "a tag's key has 1 to 63 letters, digits, dots, dashes and underscores"));
                }
                if value.chars().count() > NAME_MAX || value.chars().any(char::is_control) {
                    return Err(wrong(text, "a tag's value has at most 63 characters, none of them a control character"));
                }
                Ok(Selector::Tag(key.into(), value.into()))
            }
            Some(("env", environment)) => environment.parse().map(Selector::Environment),
            None if is_name(text) => Ok(Selector::Named(text.into())),
            _ => Err(wrong(text, "write NAME, tag:KEY=VALUE, env:ENVIRONMENT or all")),
        }
    }
}

/// The longest name of a device, key and value of a tag, characters; their spelling is checked where devices are made.
const NAME_MAX: usize = 63;

/// What a device, by its id or name, or the key of a tag may be called.
fn is_name(text: &str) -> bool {
    (1..=NAME_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
}

fn wrong(text: &str, how: &str) -> String {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(NAME_MAX).collect();
    format!("`{shown}` is no selector of devices: {how}")
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Selector::Named(name) => f.write_str(name),
            Selector::Tag(key, value) => write!(f, "tag:{key}={value}"),
            Selector::Environment(environment) => write!(f, "env:{}", environment.as_str()),
            Selector::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_reads_back_and_matches_what_it_says() {
        let tags = [("site".to_owned(), "north".to_owned())];
        let device = Traits { id: "dev_1", name: "edge-7", environment: Environment::Lab, tags: &tags };
        for (text, hit) in [
            ("edge-7", true),
            ("dev_1", true),
            ("edge", false),
            ("tag:site=north", true),
            ("tag:site=n", false),
            ("env:lab", true),
            ("env:prod", false),
            ("all", true),
        ] {
            let selector: Selector = text.parse().unwrap();
            assert_eq!(selector.to_string(), text);
            assert_eq!(selector.matches(&device), hit, "{text}");
        }
    }

    #[test]
    fn what_can_mean_no_device_is_none() {
        for text in [
            "",
            " ",
            "bogus:x",
            "Tag:site=a",
            "tags:a=b",
            "tag:",
            "tag:site",
            "tag:=x",
            "tag:a b=c",
            "env:",
            "env:moon",
            "all:",
            ":x",
            "a b",
            "edge,core",
            "é",
            "tag:site=a\nb",
        ] {
            let said = text.parse::<Selector>().expect_err(text);
            assert!(!said.contains('\n'), "{said}");
        }
        for text in ["tag:site=", "tag:site=a b: c=d", "all-sites", "a".repeat(63).as_str()] {
            assert_eq!(text.parse::<Selector>().expect(text).to_string(), text);
        }
    }
}
