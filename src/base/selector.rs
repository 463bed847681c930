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

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "all" {
            Ok(Selector::All)
        } else if let Some(tag) = text.strip_prefix("tag:") {
            let (key, value) = tag.split_once('=').ok_or_else(|| format!("`{text}`: write tag:KEY=VALUE"))?;
            Ok(Selector::Tag(key.into(), value.into()))
        } else if let Some(environment) = text.strip_prefix("env:") {
            environment.parse().map(Selector::Environment)
        } else if text.is_empty() {
            Err("a selector is NAME, tag:KEY=VALUE, env:ENVIRONMENT or all".into())
        } else {
            Ok(Selector::Named(text.into()))
        }
    }
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
        assert!("".parse::<Selector>().is_err());
    }
}
