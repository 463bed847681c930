//! What is known of one attribute, and the words to say it in a `const`.

use crate::routeros::value::Kind;

/// What it means when a row does not have the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Absent {
    /// Nothing is known: absent stays absent.
    #[default]
    Unknown,
    /// RouterOS leaves it out when it is empty (`comment`).
    Empty,
    /// RouterOS leaves it out when it is false (`active` of a route).
    No,
}

/// One attribute of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attr {
    /// RouterOS name: `src-address`, `configuration.ssid`.
    pub name: &'static str,
    /// How it reads.
    pub kind: Kind,
    /// What it is, in a few words; empty where the name says it all.
    pub about: &'static str,
    /// `add` refuses a row without it.
    pub required: bool,
    /// The router sets it, callers cannot.
    pub read_only: bool,
    /// Reads as `(secret)` for everyone; goes in as a handle only.
    pub secret: bool,
    /// Others than the operator can write it: never prose, always marked.
    pub untrusted: bool,
    /// Meaning of a row without it.
    pub absent: Absent,
    /// An empty value is a yes (`blackhole` of a route reads `""`).
    pub empty_is_yes: bool,
}

/// An attribute that can be set and says nothing special.
pub const fn attr(name: &'static str, kind: Kind, about: &'static str) -> Attr {
    Attr {
        name,
        kind,
        about,
        required: false,
        read_only: false,
        secret: false,
        untrusted: false,
        absent: Absent::Unknown,
        empty_is_yes: false,
    }
}

impl Attr {
    /// `add` refuses a row without it.
    #[must_use]
    pub const fn required(self) -> Attr {
        Attr { required: true, ..self }
    }

    /// The router sets it, callers cannot.
    #[must_use]
    pub const fn read_only(self) -> Attr {
        Attr { read_only: true, ..self }
    }

    /// Never leaves the appliance.
    #[must_use]
    pub const fn secret(self) -> Attr {
        Attr { secret: true, ..self }
    }

    /// Others can write it on the router.
    #[must_use]
    pub const fn untrusted(self) -> Attr {
        Attr { untrusted: true, ..self }
    }

    /// Left out when false.
    #[must_use]
    pub const fn absent_no(self) -> Attr {
        Attr { absent: Absent::No, ..self }
    }

    /// Left out when empty.
    #[must_use]
    pub const fn absent_empty(self) -> Attr {
        Attr { absent: Absent::Empty, ..self }
    }

    /// An empty value is a yes.
    #[must_use]
    pub const fn empty_is_yes(self) -> Attr {
        Attr { empty_is_yes: true, ..self }
    }
}

/// `comment`: free text of whoever may write; absent when empty, never `""`.
pub const COMMENT: Attr = attr("comment", Kind::Text, "Free text note").untrusted().absent_empty();
/// `disabled` of a row that always has it.
pub const DISABLED: Attr = attr("disabled", Kind::Flag, "Kept in the table but not in use");
/// `dynamic`: made by the router, gone after a restart.
pub const DYNAMIC: Attr = attr("dynamic", Kind::Flag, "Made by the router, not by hand").read_only();
/// `invalid`: refers to something that is missing.
pub const INVALID: Attr = attr("invalid", Kind::Flag, "Refers to something missing or wrong; not in use").read_only();

/// Two runs of attributes as one; `N` is the sum of their lengths.
///
/// ```text
/// const ATTRS: [Attr; MATCHERS.len() + OWN.len()] = join(MATCHERS, OWN);
/// ```
pub const fn join<const N: usize>(first: &[Attr], second: &[Attr]) -> [Attr; N] {
    assert!(first.len() + second.len() == N, "N is the sum of both lengths");
    let mut all = [COMMENT; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < first.len() { first[at] } else { second[at - first.len()] };
        at += 1;
    }
    all
}
