//! What a stored shape looks like, told by the type itself: names, fields, variants in their order, and the bytes of made-up
//! values. Tests compare it with `tests/data/store/shapes/TABLE.vN`, which nobody edits once version N has shipped.
//!
//! A made-up value comes from a deserializer that answers whatever it is asked for; each enum is asked for each of its variants
//! in turn, a round for each.

use crate::store::record::{Record, decode, encode};
use serde::de::value::U32Deserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Rounds at most: no stored enum has more variants.
const MOST_ROUNDS: usize = 64;
/// Shapes from before they were kept; no release wrote them.
const BEFORE: &[(&str, u8)] = &[("credential", 1), ("health_hour", 1), ("menu_learnt", 1), ("ui_session", 1)];
/// A shape that holds itself ends here.
const DEEPEST: usize = 24;

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
        values.insert(crate::base::ids::hex(&bytes));
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

#[derive(Default)]
struct Seen {
    word: &'static str,
    round: usize,
    made: u64,
    most_variants: usize,
    /// The variant asked for last.
    tried: Option<(&'static str, usize)>,
    /// How many variants an enum has whose names are more than that: other names for the same ones.
    counts: BTreeMap<&'static str, usize>,
    /// What the value made last looks like.
    last: String,
    types: BTreeSet<String>,
    /// Variants in their order, and what each holds.
    enums: BTreeMap<&'static str, (Vec<&'static str>, BTreeMap<&'static str, String>)>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Cannot(String);

impl serde::de::Error for Cannot {
    fn custom<T: std::fmt::Display>(said: T) -> Self {
        Cannot(said.to_string())
    }
}

#[derive(Clone)]
struct Maker {
    seen: Rc<RefCell<Seen>>,
    depth: usize,
}

impl Maker {
    fn is(&self, what: impl Into<String>) -> u64 {
        let mut seen = self.seen.borrow_mut();
        seen.last = what.into();
        seen.made += 1;
        seen.made
    }

    fn last(&self) -> String {
        self.seen.borrow().last.clone()
    }

    fn deeper(&self) -> Maker {
        Maker { seen: self.seen.clone(), depth: self.depth + 1 }
    }

    fn parts(&self, left: usize) -> Parts {
        Parts { maker: self.deeper(), left, told: Vec::new(), out: Rc::default() }
    }

    /// Visits so many parts; answers what they look like too.
    fn visit<'de, V: Visitor<'de>>(&self, count: usize, visitor: V) -> Result<(V::Value, Vec<String>), Cannot> {
        let parts = self.parts(count);
        let out = parts.out.clone();
        let value = visitor.visit_seq(parts)?;
        let told = out.borrow().clone();
        Ok((value, told))
    }
}

macro_rules! numbers {
    ($($name:ident $visit:ident $type:ty),+) => {
        $(fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
            let n = self.is(stringify!($type));
            visitor.$visit((n % 100) as $type)
        })+
    };
}

impl<'de> Deserializer<'de> for Maker {
    type Error = Cannot;

    fn is_human_readable(&self) -> bool {
        false
    }

    numbers!(
        deserialize_i8 visit_i8 i8, deserialize_i16 visit_i16 i16, deserialize_i32 visit_i32 i32, deserialize_i64 visit_i64 i64,
        deserialize_u8 visit_u8 u8, deserialize_u16 visit_u16 u16, deserialize_u32 visit_u32 u32, deserialize_u64 visit_u64 u64,
        deserialize_f32 visit_f32 f32, deserialize_f64 visit_f64 f64
    );

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Cannot> {
        Err(Cannot::custom("a stored shape must say what it wants"))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.deserialize_any(visitor)
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.deserialize_any(visitor)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.is("bool");
        visitor.visit_bool(true)
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.is("char");
        visitor.visit_char('c')
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.is("str");
        let word = self.seen.borrow().word;
        visitor.visit_str(word)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.is("bytes");
        visitor.visit_bytes(&[1, 2])
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        if self.depth > DEEPEST {
            self.is("option");
            return visitor.visit_none();
        }
        let value = visitor.visit_some(self.deeper())?;
        let inner = self.last();
        self.is(format!("option {inner}"));
        Ok(value)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        self.is("()");
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Cannot> {
        self.is(name);
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Cannot> {
        let value = visitor.visit_newtype_struct(self.deeper())?;
        let inner = self.last();
        self.seen.borrow_mut().types.insert(format!("{name}({inner})"));
        self.is(name);
        Ok(value)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        let count = usize::from(self.depth <= DEEPEST);
        let (value, told) = self.visit(count, visitor)?;
        self.is(format!("list of {}", told.join("")));
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Cannot> {
        let (value, told) = self.visit(len, visitor)?;
        let is_same = told.len() > 2 && told.iter().all(|one| *one == told[0]);
        self.is(if is_same { format!("[{}; {len}]", told[0]) } else { format!("({})", told.join(", ")) });
        Ok(value)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(self, name: &'static str, len: usize, visitor: V) -> Result<V::Value, Cannot> {
        let (value, told) = self.visit(len, visitor)?;
        self.seen.borrow_mut().types.insert(format!("{name}({})", told.join(", ")));
        self.is(name);
        Ok(value)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cannot> {
        let parts = self.parts(usize::from(self.depth <= DEEPEST));
        let out = parts.out.clone();
        let value = visitor.visit_map(parts)?;
        let told = out.borrow().join(" to ");
        self.is(format!("map of {told}"));
        Ok(value)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Cannot> {
        let (value, told) = self.visit(fields.len(), visitor)?;
        self.seen.borrow_mut().types.insert(format!("{name} {}", named(fields, &told)));
        self.is(name);
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Cannot> {
        let at = {
            let mut seen = self.seen.borrow_mut();
            let count = seen.counts.get(name).copied().unwrap_or(variants.len());
            seen.most_variants = seen.most_variants.max(count);
            seen.enums.entry(name).or_default().0 = variants.to_vec();
            // Deep down the first one, which holds nothing of itself.
            let at = if self.depth > DEEPEST { 0 } else { seen.round % count };
            seen.tried = Some((name, at));
            at
        };
        let value = visitor.visit_enum(Variant { maker: self.clone(), name, variant: variants[at], at: at as u32 })?;
        self.is(name);
        Ok(value)
    }
}

fn named(fields: &[&str], told: &[String]) -> String {
    let all: Vec<String> = fields.iter().zip(told).map(|(name, what)| format!("{name}: {what}")).collect();
    format!("{{ {} }}", all.join(", "))
}

struct Parts {
    maker: Maker,
    left: usize,
    told: Vec<String>,
    out: Rc<RefCell<Vec<String>>>,
}

impl Parts {
    fn note(&mut self) {
        self.told.push(self.maker.last());
        *self.out.borrow_mut() = self.told.clone();
    }
}

impl<'de> SeqAccess<'de> for Parts {
    type Error = Cannot;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Cannot> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let value = seed.deserialize(self.maker.clone())?;
        self.note();
        Ok(Some(value))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

impl<'de> MapAccess<'de> for Parts {
    type Error = Cannot;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, Cannot> {
        self.next_element_seed(seed)
    }

    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<T::Value, Cannot> {
        let value = seed.deserialize(self.maker.clone())?;
        self.note();
        Ok(value)
    }
}

struct Variant {
    maker: Maker,
    name: &'static str,
    variant: &'static str,
    at: u32,
}

impl Variant {
    fn holds(&self, what: String) {
        let mut seen = self.maker.seen.borrow_mut();
        seen.enums.entry(self.name).or_default().1.insert(self.variant, what);
    }
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Cannot;
    type Variant = Variant;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Variant), Cannot> {
        let at: U32Deserializer<Cannot> = self.at.into_deserializer();
        Ok((seed.deserialize(at)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Cannot;

    fn unit_variant(self) -> Result<(), Cannot> {
        self.holds(String::new());
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Cannot> {
        let value = seed.deserialize(self.maker.deeper())?;
        self.holds(format!("({})", self.maker.last()));
        Ok(value)
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Cannot> {
        let (value, told) = self.maker.visit(len, visitor)?;
        self.holds(format!("({})", told.join(", ")));
        Ok(value)
    }

    fn struct_variant<V: Visitor<'de>>(self, fields: &'static [&'static str], visitor: V) -> Result<V::Value, Cannot> {
        let (value, told) = self.maker.visit(fields.len(), visitor)?;
        self.holds(format!(" {}", named(fields, &told)));
        Ok(value)
    }
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
