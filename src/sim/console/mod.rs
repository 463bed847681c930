//! The console's scripting language over the router's tables: what SSH lines, `/execute`, stored scripts and imports run in.
//!
//! | file | holds |
//! |---|---|
//! | `scan.rs`, `words.rs`, `parse.rs`, `values.rs`, `expr.rs`, `tree.rs` | from text to statements; names are looked up while reading |
//! | `value.rs`, `regex.rs` | what it computes with |
//! | `eval.rs`, `operate.rs`, `builtins.rs`, `convert.rs` | statements, variables, operators, words of the language |
//! | `command.rs`, `special.rs` | commands of menus, under the same policies and refusals as REST |
//! | `jobs.rs` | scripts that run by themselves |
//! | `print.rs`, `export.rs` | tables, details, configuration as text |
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579229/Scripting>

mod builtins;
mod command;
mod convert;
mod eval;
mod export;
mod expr;
mod jobs;
mod operate;
mod parse;
mod print;
mod regex;
mod scan;
mod special;
mod tree;
mod value;
mod values;
mod words;

pub(super) use eval::{Machine, Stop};
pub(super) use jobs::{Start, Text};
pub(super) use parse::Reader;
pub use value::Value;

use super::world::World;

/// Whether a stored script can be read on this router: `invalid` of `/system/script`.
pub(super) fn readable(world: &World, source: &str) -> bool {
    Reader::new(source, "", true, &world.defs, &world.model).script().is_ok()
}

/// The text of a line that is `:put` and one string: what a second reader makes of our quotes, for the fuzz targets.
#[cfg(any(test, feature = "fuzz"))]
pub(crate) fn one_text(line: &str) -> Option<String> {
    use super::{menus::Definitions, profiles::Model, profiles::Profile};
    use std::sync::{Arc, LazyLock};
    use tree::{Argument, Expr, Piece, Statement};
    static ROUTER: LazyLock<(Arc<Definitions>, Arc<Model>)> = LazyLock::new(|| (Definitions::own(), Profile::Office.model()));
    let script = Reader::new(line, "", false, &ROUTER.0, &ROUTER.1).script().ok()?;
    let [Statement::Word(put)] = script.statements.as_slice() else { return None };
    let ("put", [Argument::Bare(Expr::Text(pieces))]) = (put.word.as_str(), put.arguments.as_slice()) else { return None };
    pieces.iter().map(|piece| if let Piece::Plain(text) = piece { Some(text.as_str()) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::menus::Definitions;
    use crate::sim::profiles::Profile;
    use proptest::prelude::*;

    /// Pieces that scripts are made of, and pieces that break them.
    fn pieces() -> impl Strategy<Value = String> {
        let words = [
            ":put ",
            ":if (",
            ") do={",
            "} else={",
            "}",
            "{",
            "[",
            "]",
            "(",
            ")",
            "\"",
            "\\",
            "$x",
            "$",
            ";",
            "\n",
            "#",
            " ",
            "=",
            "/ip/address",
            "/print ",
            "where ",
            "find ",
            "a=b",
            "~\"",
            " or ",
            " and ",
            "!",
            "->",
            "..",
            "*1A",
            "1.2.3.4",
            "5m",
            "é",
            "\u{10fe00}",
            "as-value",
            "\\41",
            "-",
            "+",
            ",",
            ".",
        ];
        prop::collection::vec(
            prop_oneof![4 => prop::sample::select(words.to_vec()).prop_map(String::from), 1 => any::<char>().prop_map(String::from)],
            0..40,
        )
        .prop_map(|p| p.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

        #[test]
        fn any_text_is_read_or_refused(text in pieces()) {
            let (defs, model) = (Definitions::own(), Profile::Office.model());
            let _ = Reader::new(&text, "", false, &defs, &model).script();
            let _ = Reader::new(&text, "/ip/address", true, &defs, &model).leading();
        }

        #[test]
        fn any_string_comes_back_from_its_export_form(text in "\\PC{0,40}|[ -~\\r\\n\\t]{0,40}") {
            let form = export::quoted(&text);
            let line = format!(":put {form}");
            let want = match text.as_str() {
                "true" => "yes",
                "false" => "no",
                other => other,
            };
            if form.starts_with('"') {
                let told = one_text(&line);
                prop_assert_eq!(told.as_deref(), Some(want), "{}", line);
            } else {
                let (defs, model) = (Definitions::own(), Profile::Office.model());
                prop_assert!(form == want && Reader::new(&line, "", false, &defs, &model).script().is_ok(), "{}", line);
            }
        }
    }
}
