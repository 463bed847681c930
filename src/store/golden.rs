//! What a stored shape looks like, told by the type itself: names, fields, variants in their order, and the bytes of made-up
//! values. Tests compare it with `tests/data/store/shapes/TABLE.vN`, which nobody edits once version N has shipped.
//!
//! Each enum is asked for each of its variants in turn, a round for each (`maker.rs`).

mod maker;

use crate::base::ids::hex;
use crate::store::record::{Record, decode, encode};
use maker::{Maker, Seen};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Rounds at most: no stored enum has more variants.
const MOST_ROUNDS: usize = 64;
/// Shapes from before they were kept; no release wrote them.
const BEFORE: &[(&str, u8)] = &[("credential", 1), ("health_hour", 1), ("menu_learnt", 1), ("ui_session", 1)];

/// `golden!(Device, Token)`: their shapes are kept. `golden!(Device; "192.0.2.1")`: texts in them are read as such.
macro_rules! golden {
    ($($record:ident),+ $(; $word:literal)?) => {
        #[cfg(test)]
        mod golden {
            #[test]
            fn shapes_that_are_stored_are_kept() {
                #[allow(unused_mut, unused_assignments, reason = "most texts may be any")]
                let mut word = "text";
                $(word = $word;)?
                $(crate::store::golden::check::<super::$record>(word);)+
            }
        }
    };
}
pub(crate) use golden;

/// Compares a record's shape with the one that is kept, and reads every older one that is.
pub(crate) fn check<R: Record>(word: &'static str) {
    let (table, version, told) = (R::TABLE, R::VERSION, tell::<R>(word));
    let file = file(table, version);
    if std::env::var_os("BLESS").is_some() && !file.exists() {
        std::fs::write(&file, &told).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 makes it", file.display()));
    assert!(
        told == kept,
        "table {table}: what version {version} looks like has changed. Raise VERSION and read the old shape in `upgrade`; or, where this \
         version never shipped, remove {} and run with BLESS=1\n--- kept\n{kept}\n--- now\n{told}",
        file.display()
    );
    for older in (1..version).filter(|older| !BEFORE.contains(&(table, *older))) {
        let file = self::file(table, older);
        let kept = std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}; it must never be removed", file.display()));
        let mut seen = 0;
        for hex in kept.lines().filter_map(|line| line.strip_prefix("= ")) {
            let bytes = data_encoding::HEXLOWER.decode(hex.as_bytes()).unwrap();
            decode::<R>(&bytes).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            seen += 1;
        }
        assert!(seen > 0, "{}", file.display());
    }
}

fn file(table: &str, version: u8) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/data/store/shapes/{table}.v{version}"))
}

fn tell<R: Record>(word: &'static str) -> String {
    let seen = Rc::new(RefCell::new(Seen { word, ..Seen::default() }));
    let mut values = BTreeSet::new();
    let mut rounds = 1;
    while seen.borrow().round < rounds {
        let made = R::deserialize(Maker { seen: seen.clone(), depth: 0 });
        let mut seen = seen.borrow_mut();
        seen.made = 0;
        let value = match made {
            Ok(value) => value,
            Err(error) => {
                let (name, at) = seen.tried.take().unwrap_or_else(|| panic!("table {}: {error}", R::TABLE));
                assert!(error.0.contains("variant index"), "table {}: {error}", R::TABLE);
                seen.counts.insert(name, at);
                continue;
            }
        };
        let bytes = encode(&value);
        assert_eq!(encode(&decode::<R>(&bytes).unwrap()), bytes, "table {}: reads back another value", R::TABLE);
        values.insert(hex(&bytes));
        rounds = seen.most_variants.clamp(1, MOST_ROUNDS);
        seen.round += 1;
    }
    let seen = seen.borrow();
    let mut told = format!("{} v{}: {}\n", R::TABLE, R::VERSION, seen.last);
    seen.types.iter().for_each(|line| told.push_str(&format!("{line}\n")));
    for (name, variants) in &seen.enums {
        let all: Vec<String> =
            variants.0.iter().map(|variant| format!("{variant}{}", variants.1.get(variant).map_or("?", |s| s))).collect();
        let _ = writeln!(told, "{name} = {}", all.join(" | "));
    }
    values.iter().for_each(|hex| told.push_str(&format!("= {hex}\n")));
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};

    macro_rules! record {
        ($name:ident) => {
            impl Record for $name {
                const TABLE: &'static str = "golden";
                const VERSION: u8 = 1;
            }
        };
    }

    #[derive(Serialize, Deserialize)]
    enum Kind {
        Plain,
        Named { name: String, tries: u8 },
        Pair(u16, Option<bool>),
    }
    #[derive(Serialize, Deserialize)]
    struct Sample {
        id: [u8; 4],
        kinds: Vec<Kind>,
        at: Option<i64>,
    }
    record!(Sample);

    #[test]
    fn a_shape_is_told_with_every_name_and_variant() {
        let told = tell::<Sample>("text");
        for line in [
            "Sample { id: [u8; 4], kinds: list of Kind, at: option i64 }",
            "Kind = Plain | Named { name: str, tries: u8 } | Pair(u16, option bool)",
        ] {
            assert!(told.contains(line), "{told}");
        }
        assert_eq!(told.matches("\n= ").count(), 3, "{told}");
    }

    mod other {
        use super::*;
        #[derive(Serialize, Deserialize)]
        enum Kind {
            Plain,
            Pair(u16, Option<bool>),
            Named { name: String, tries: u8 },
        }
        #[derive(Serialize, Deserialize)]
        pub struct Sample {
            id: [u8; 4],
            kinds: Vec<Kind>,
            at: Option<i64>,
        }
        record!(Sample);
    }

    #[test]
    fn variants_in_another_order_are_another_shape() {
        assert_ne!(tell::<Sample>("text"), tell::<other::Sample>("text"));
    }
}
