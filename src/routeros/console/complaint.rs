//! The console's refusals, as the errors REST gives for the same trouble.
//!
//! They come on standard output, with exit status 0, in one line: `bad command name foo (line 1 column 7)`. The place is
//! that of the line we sent, which tells whether the console stumbled over a menu, a condition or our own frame around them.
//!
//! Source: texts recorded on 7.12 to 7.24

use crate::routeros::fault::{Denial, RouterError, spoken};
use std::ops::Range;

/// Longest output that can be a refusal rather than garbage, bytes.
const MAX_BYTES: usize = 4_096;

/// What a console said instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    /// Without its place, cleaned; empty when it said nothing.
    words: String,
    /// Where it stumbled in the line sent, counted from 0.
    at: Option<usize>,
    line: String,
    /// What of the line is the caller's, not our frame.
    inner: Range<usize>,
    is_garbage: bool,
}

impl Complaint {
    /// Reads an output that was no answer to `line`.
    pub(super) fn of(output: &str, line: &str) -> Self {
        let first = output.lines().map(str::trim).find(|text| !text.is_empty()).unwrap_or("");
        let (words, at) = placed(first);
        Complaint {
            words: spoken(words),
            at,
            line: line.to_owned(),
            inner: 0..line.len(),
            is_garbage: output.len() > MAX_BYTES || first.is_empty() || first.contains('\u{fffd}'),
        }
    }

    /// Says which part of the line is the caller's.
    pub(super) fn within(mut self, inner: Range<usize>) -> Self {
        self.inner = inner;
        self
    }

    /// Whether it stumbled over this word of the line.
    pub(super) fn is_about(&self, word: &str) -> bool {
        if !self.is_grammar() {
            return false;
        }
        match self.at {
            _ if self.words.contains(word) => true,
            // It names the place where the word begins, or where it ends and something else was expected.
            Some(at) => self.line.match_indices(&format!(" {word}")).any(|(start, found)| (start..=start + found.len() + 1).contains(&at)),
            None => true,
        }
    }

    /// Whether it stumbled over what we put around the caller's expression. Without a place only a console that has never
    /// answered so is suspected.
    pub(super) fn is_about_the_frame(&self, proven: bool) -> bool {
        if ["serialize", "json", "foreach", "typeof", "tostr"].iter().any(|word| self.words.contains(word)) {
            return true;
        }
        match self.at {
            Some(at) => self.is_grammar() && !(self.inner.start..=self.inner.end).contains(&at),
            None => self.is_grammar() && !proven,
        }
    }

    /// It names neither a menu nor a row nor a right.
    pub(super) fn is_unclear(&self) -> bool {
        matches!(self.error(""), RouterError::Rejected { .. } | RouterError::Garbage { .. })
    }

    /// It could not read the line, rather than do what it says.
    fn is_grammar(&self) -> bool {
        let starts =
            ["bad command name", "syntax error", "expected", "bad argument", "invalid argument", "unknown parameter", "no such argument"];
        starts.iter().any(|start| self.words.starts_with(start))
    }

    /// As REST would put it.
    pub(super) fn error(&self, at: &str) -> RouterError {
        if self.is_garbage {
            return RouterError::Garbage { why: "the console's output is no answer to what was asked".into() };
        }
        let words = self.words.as_str();
        if words.contains("not enough permissions") {
            return RouterError::Denied { at: at.into(), denial: Denial::Policy };
        }
        if words.starts_with("no such item") {
            return RouterError::NotFound;
        }
        match self.missing() {
            Some(word) => RouterError::NoSuchMenu { word },
            None => RouterError::Rejected { status: 400, detail: words.to_owned() },
        }
    }

    /// The menu or command it does not know.
    fn missing(&self) -> Option<String> {
        if let Some(word) = self.words.strip_prefix("bad command name ") {
            return Some(word.to_owned());
        }
        if let Some(word) = self.words.strip_prefix("no such command or directory (") {
            return Some(word.trim_end_matches(')').to_owned());
        }
        // Some menus are missed in general words: then the place tells.
        let vague = self.words.starts_with("syntax error") || self.words.starts_with("expected command name");
        let path = self.line.get(self.inner.clone())?.split(' ').next()?;
        let at = self.at.filter(|_| vague)?.checked_sub(self.inner.start)?;
        if at > path.len() || !path.starts_with('/') {
            return None;
        }
        let start = path[..at].rfind('/').map_or(0, |slash| slash + 1);
        path[start..].split('/').next().filter(|word| !word.is_empty()).map(str::to_owned)
    }
}

/// Takes `(line 1 column 7)` off, and reads the column from 0.
fn placed(text: &str) -> (&str, Option<usize>) {
    let Some((words, place)) = text.rsplit_once(" (line ") else { return (text, None) };
    let column =
        place.strip_suffix(')').and_then(|place| place.split_once(" column ")).and_then(|(_, column)| column.parse::<usize>().ok());
    match column {
        Some(column) => (words, column.checked_sub(1)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::{Fault, Kind};
    use crate::routeros::script;

    const AT: &str = "192.0.2.7:22";

    fn error(output: &str) -> RouterError {
        Complaint::of(output, ":put [/ip/x/print]").error(AT)
    }

    #[test]
    fn every_refusal_has_the_meaning_rest_gives_it() {
        let rejected = |detail: &str| RouterError::Rejected { status: 400, detail: detail.into() };
        for (output, meaning) in [
            ("bad command name foo (line 1 column 1)\r\n", RouterError::NoSuchMenu { word: "foo".into() }),
            ("no such command or directory (wifi)\n", RouterError::NoSuchMenu { word: "wifi".into() }),
            ("not enough permissions (9)\n", RouterError::Denied { at: AT.into(), denial: Denial::Policy }),
            ("no such item\n", RouterError::NotFound),
            ("no such item (4)\n", RouterError::NotFound),
            ("expected end of command (line 1 column 12)", rejected("expected end of command")),
            ("syntax error (line 1 column 80)", rejected("syntax error")),
            ("failure: CA not found", rejected("failure: CA not found")),
            ("input does not match any value of certificate", rejected("input does not match any value of certificate")),
            ("invalid value for argument address", rejected("invalid value for argument address")),
            (
                "ambiguous value of interface, more than one possible value matches input",
                rejected("ambiguous value of interface, more than one possible value matches input"),
            ),
            (
                "failure: not allowed by device-mode (/system/scheduler/add; line 1)",
                rejected("failure: not allowed by device-mode (/system/scheduler/add; line 1)"),
            ),
        ] {
            assert_eq!(error(output), meaning, "{output}");
        }
        assert!(Fault::from(error("failure: not allowed by device-mode")).hint.unwrap().contains("person"));
        assert_eq!(Fault::from(error("not enough permissions (9)")).kind, Kind::RouterDenied);
    }

    #[test]
    fn noise_is_no_refusal() {
        for noise in ["", "\r\n", &"x".repeat(5_000), "\u{fffd}\u{fffd}"] {
            assert!(matches!(error(noise), RouterError::Garbage { .. }), "{noise:.20}");
        }
    }

    #[test]
    fn the_place_tells_menu_condition_and_frame_apart() {
        let expression = "/interface/wifi/print detail as-value where x=\"1\"";
        let line = script::put_json(expression, true);
        let start = script::PUT_JSON.len();
        let at = |words: &str, column: usize| {
            Complaint::of(&format!("{words} (line 1 column {column})"), &line).within(start..start + expression.len())
        };
        // `wifi` begins after `/interface/`; columns count from 1.
        let menu = at("syntax error", start + 11 + 1);
        assert_eq!(menu.error(AT), RouterError::NoSuchMenu { word: "wifi".into() });
        assert!(!menu.is_about_the_frame(false) && !menu.is_about("detail"));
        let detail = at("expected end of command", start + expression.find("detail").unwrap() + 1);
        assert!(detail.is_about("detail") && !detail.is_about_the_frame(false));
        let condition = at("expected end of command", start + expression.find("x=").unwrap() + 1);
        assert!(!condition.is_about("detail") && !condition.is_about_the_frame(false));
        assert!(matches!(condition.error(AT), RouterError::Rejected { .. }));
        assert!(at("bad command name serialize", 7).is_about_the_frame(true));
        assert!(at("expected end of command", start + expression.len() + 3).is_about_the_frame(true));
        let nowhere = Complaint::of("syntax error", &line);
        assert!(nowhere.is_about_the_frame(false) && !nowhere.is_about_the_frame(true));
        assert!(!Complaint::of("failure: busy", &line).is_about_the_frame(false));
    }
}
