//! The outside of a message: what is picked out of it while all else is passed over, however long it is.

use super::Id;
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Number, Value};
use std::fmt;

/// The outside of a message.
#[derive(Default)]
pub(super) struct Envelope {
    pub(super) jsonrpc: Option<Peek>,
    pub(super) id: Option<Peek>,
    pub(super) method: Option<Peek>,
    pub(super) params: Params,
    pub(super) has_result: bool,
    pub(super) has_error: bool,
}

impl<'de> Deserialize<'de> for Envelope {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Envelope;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON-RPC message")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Envelope, A::Error> {
                let (mut envelope, mut names) = (Envelope::default(), Vec::new());
                while let Some(name) = map.next_key::<String>()? {
                    match name.as_str() {
                        "jsonrpc" => envelope.jsonrpc = Some(map.next_value()?),
                        "id" => envelope.id = Some(map.next_value()?),
                        "method" => envelope.method = Some(map.next_value()?),
                        "params" => envelope.params = map.next_value()?,
                        "result" => (envelope.has_result, _) = (true, map.next_value::<IgnoredAny>()?),
                        "error" => (envelope.has_error, _) = (true, map.next_value::<IgnoredAny>()?),
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                            continue;
                        }
                    }
                    // Two readers could take different ones of two ids or methods.
                    if names.contains(&name) {
                        return Err(A::Error::custom("repeated name"));
                    }
                    names.push(name);
                }
                Ok(envelope)
            }
        }
        from.deserialize_map(Seen)
    }
}

/// The outside of a message's params.
#[derive(Default)]
pub(super) struct Params {
    pub(super) name: Option<String>,
    pub(super) request_id: Option<Id>,
    pub(super) version: Option<String>,
    pub(super) is_quirky: bool,
    pub(super) is_wrong: bool,
}

/// The key of a request's protocol version in `_meta`, since 2026-07-28.
const VERSION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

impl<'de> Deserialize<'de> for Params {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Params;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("params")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Params, A::Error> {
                let mut params = Params::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" => params.name = map.next_value::<Peek>()?.text(),
                        "requestId" => params.request_id = map.next_value::<Peek>()?.id(),
                        "arguments" => params.is_quirky = map.next_value::<Peek>()?.is_empty(),
                        "_meta" => params.version = map.next_value::<Meta>()?.0,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(params)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Params, A::Error> {
                let is_quirky = drain(seq)?;
                Ok(Params { is_quirky, is_wrong: !is_quirky, ..Params::default() })
            }
            fn visit_str<E>(self, text: &str) -> Result<Params, E> {
                Ok(Params { is_quirky: text.is_empty(), is_wrong: !text.is_empty(), ..Params::default() })
            }
            fn visit_unit<E>(self) -> Result<Params, E> {
                Ok(Params { is_quirky: true, ..Params::default() })
            }
            fn visit_bool<E>(self, _: bool) -> Result<Params, E> {
                Ok(Params { is_wrong: true, ..Params::default() })
            }
            fn visit_i64<E>(self, _: i64) -> Result<Params, E> {
                Ok(Params { is_wrong: true, ..Params::default() })
            }
            fn visit_u64<E>(self, _: u64) -> Result<Params, E> {
                Ok(Params { is_wrong: true, ..Params::default() })
            }
            fn visit_f64<E>(self, _: f64) -> Result<Params, E> {
                Ok(Params { is_wrong: true, ..Params::default() })
            }
        }
        from.deserialize_any(Seen)
    }
}

/// The protocol version of a request's `_meta`, if it is an object that has one.
struct Meta(Option<String>);

impl<'de> Deserialize<'de> for Meta {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        // `_meta` is small and its depth is bounded by serde_json itself.
        let value = Value::deserialize(from)?;
        Ok(Meta(value.get(VERSION_KEY).and_then(Value::as_str).map(str::to_owned)))
    }
}

/// A value looked at from outside.
pub(super) enum Peek {
    Null,
    Number(Number),
    Text(String),
    Empty,
    Other,
}

impl Peek {
    fn text(self) -> Option<String> {
        if let Peek::Text(text) = self { Some(text) } else { None }
    }

    fn id(self) -> Option<Id> {
        match self {
            Peek::Number(n) => Some(Id(n.to_string())),
            Peek::Text(text) => Some(Id(Value::String(text).to_string())),
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Peek::Empty | Peek::Null) || matches!(self, Peek::Text(text) if text.is_empty())
    }
}

/// Whether the list was empty.
fn drain<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<bool, A::Error> {
    let mut is_empty = true;
    while seq.next_element::<IgnoredAny>()?.is_some() {
        is_empty = false;
    }
    Ok(is_empty)
}

impl<'de> Deserialize<'de> for Peek {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Seen;
        impl<'de> Visitor<'de> for Seen {
            type Value = Peek;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }
            fn visit_unit<E>(self) -> Result<Peek, E> {
                Ok(Peek::Null)
            }
            fn visit_bool<E>(self, _: bool) -> Result<Peek, E> {
                Ok(Peek::Other)
            }
            fn visit_i64<E>(self, n: i64) -> Result<Peek, E> {
                Ok(Peek::Number(n.into()))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Peek, E> {
                Ok(Peek::Number(n.into()))
            }
            fn visit_f64<E>(self, n: f64) -> Result<Peek, E> {
                Ok(Number::from_f64(n).map_or(Peek::Other, Peek::Number))
            }
            fn visit_str<E>(self, text: &str) -> Result<Peek, E> {
                Ok(Peek::Text(text.into()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Peek, A::Error> {
                Ok(if drain(seq)? { Peek::Empty } else { Peek::Other })
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Peek, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Peek::Other)
            }
        }
        from.deserialize_any(Seen)
    }
}
