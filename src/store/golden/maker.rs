//! A deserializer that answers whatever it is asked for, and notes what that was.

use serde::de::value::U32Deserializer;
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error as _, IntoDeserializer, MapAccess, SeqAccess, VariantAccess, Visitor};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// A shape that holds itself ends here.
const DEEPEST: usize = 24;

/// What was asked for so far, and what it looks like.
#[derive(Default)]
pub(super) struct Seen {
    pub(super) word: &'static str,
    pub(super) round: usize,
    pub(super) made: u64,
    pub(super) most_variants: usize,
    /// The variant asked for last.
    pub(super) tried: Option<(&'static str, usize)>,
    /// How many variants an enum has whose names are more than that: other names for the same ones.
    pub(super) counts: BTreeMap<&'static str, usize>,
    /// What the value made last looks like.
    pub(super) last: String,
    pub(super) types: BTreeSet<String>,
    /// Variants in their order, and what each holds.
    pub(super) enums: BTreeMap<&'static str, (Vec<&'static str>, BTreeMap<&'static str, String>)>,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Cannot(pub(super) String);

impl serde::de::Error for Cannot {
    fn custom<T: std::fmt::Display>(said: T) -> Self {
        Cannot(said.to_string())
    }
}

/// Makes one value.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) seen: Rc<RefCell<Seen>>,
    pub(super) depth: usize,
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
