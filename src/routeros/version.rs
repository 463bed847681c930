//! RouterOS versions: `7.20.5 (stable)`, `7.20beta4 (testing)`, `7.15 (stable) 2024-05-29 12:44:08`.

use std::fmt;

/// How finished a build is; ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// `alpha2`.
    Alpha(u32),
    /// `beta4`.
    Beta(u32),
    /// `rc1`.
    Rc(u32),
    /// A release.
    Release,
}

/// The release train, as the router names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// No channel was named.
    Unnamed,
    /// `development`.
    Development,
    /// `testing`.
    Testing,
    /// `stable`.
    Stable,
    /// `long-term`.
    LongTerm,
}

/// A version; ordered by number, a beta before its release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// 7 in `7.20.5`.
    pub major: u32,
    /// 20 in `7.20.5`.
    pub minor: u32,
    /// 5 in `7.20.5`; 0 when left out.
    pub patch: u32,
    /// Release, or how far before it.
    pub stage: Stage,
    /// The release train.
    pub channel: Channel,
}

impl Version {
    /// Reads what `/system/resource`, packages and neighbours show; what follows the channel is left out.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let number = words.next()?;
        let channel = words.next().map_or(Channel::Unnamed, channel);
        let (major, rest) = digits(number)?;
        let (minor, rest) = digits(rest.strip_prefix('.')?)?;
        let (patch, rest) = match rest.strip_prefix('.') {
            Some(rest) => digits(rest)?,
            None => (0, rest),
        };
        Some(Version { major, minor, patch, stage: stage(rest)?, channel })
    }

    /// Whether menus of `major.minor` can be expected; betas of it count, since they carry them.
    pub fn at_least(&self, major: u32, minor: u32) -> bool {
        (self.major, self.minor) >= (major, minor)
    }
}

fn digits(text: &str) -> Option<(u32, &str)> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..end].parse().ok()?, &text[end..]))
}

fn stage(text: &str) -> Option<Stage> {
    if text.is_empty() {
        return Some(Stage::Release);
    }
    let number = |word: &str| text.strip_prefix(word)?.parse().ok();
    number("beta").map(Stage::Beta).or_else(|| number("rc").map(Stage::Rc)).or_else(|| number("alpha").map(Stage::Alpha))
}

fn channel(word: &str) -> Channel {
    match word {
        "(stable)" => Channel::Stable,
        "(long-term)" => Channel::LongTerm,
        "(testing)" => Channel::Testing,
        "(development)" => Channel::Development,
        _ => Channel::Unnamed,
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)?;
        if self.patch > 0 {
            write!(f, ".{}", self.patch)?;
        }
        match self.stage {
            Stage::Alpha(n) => write!(f, "alpha{n}")?,
            Stage::Beta(n) => write!(f, "beta{n}")?,
            Stage::Rc(n) => write!(f, "rc{n}")?,
            Stage::Release => {}
        }
        match self.channel {
            Channel::Unnamed => Ok(()),
            Channel::Development => f.write_str(" (development)"),
            Channel::Testing => f.write_str(" (testing)"),
            Channel::Stable => f.write_str(" (stable)"),
            Channel::LongTerm => f.write_str(" (long-term)"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_prints() {
        for text in [
            "7.20.5 (stable)",
            "7.23.7 (long-term)",
            "7.20beta4 (testing)",
            "7.1beta4 (development)",
            "7.22rc1 (testing)",
            "6.49.18",
            "7.24",
        ] {
            assert_eq!(Version::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(Version::parse("7.15 (stable) 2024-05-29 12:44:08").unwrap().to_string(), "7.15 (stable)");
    }

    #[test]
    fn orders_as_they_were_published() {
        let order = ["6.49.18", "7.1beta4", "7.1", "7.9", "7.20alpha1", "7.20beta4", "7.20rc1", "7.20", "7.20.5", "7.24"];
        let versions: Vec<_> = order.iter().map(|t| Version::parse(t).unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b), "{versions:?}");
        assert!(versions[5].at_least(7, 20) && !versions[3].at_least(7, 20));
    }

    #[test]
    fn what_is_no_version_is_none() {
        for text in ["", "7", "seven", "7.x", "7.20gamma1", "7.20beta", "99999999999.1", ".1", "7.1.2.3"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
