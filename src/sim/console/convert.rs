//! The words that make a value of values: conversions, parts, JSON.

use super::builtins::{Given, TURNS_MAX, script_of};
use super::eval::{Flow, Machine, Stop};
use super::value::Value;
use crate::sim::generate::jitter;

impl Machine {
    pub(super) async fn convert(&mut self, given: &Given<'_>) -> Flow<Value> {
        let value = self.given(given.either("value", 0)).await?;
        Ok(match given.word.word.as_str() {
            "len" => Value::Num(value.len() as i64),
            "typeof" => Value::Text(value.type_name().to_string()),
            "tostr" => Value::Text(value.text()),
            "tonum" => value.number().map_or(Value::Nil, Value::Num),
            "tobool" => value.truth().map_or(Value::Nil, Value::Bool),
            "toid" => Value::Id(value.text()),
            "toip" | "toip6" => crate::sim::value::prefix(&value.text()).map_or(Value::Nil, |_| Value::Ip(value.text())),
            "totime" => match value {
                Value::Num(n) => Value::Time(n.saturating_mul(1_000)),
                Value::Time(_) => value,
                other => crate::sim::value::time(&other.text()).map_or(Value::Nil, |ms| Value::Time(ms as i64)),
            },
            "tonsec" => match value {
                Value::Time(ms) => Value::Num(ms.saturating_mul(1_000_000)),
                other => other.number().map_or(Value::Nil, Value::Num),
            },
            "toarray" => match value {
                Value::Array(_) => value,
                Value::Nothing | Value::Nil => Value::Array(Vec::new()),
                other => {
                    let text = other.text();
                    let mark = match given.named("delimiter") {
                        Some(mark) => self.eval(mark, None).await?.text(),
                        None => ",".to_string(),
                    };
                    Value::list(text.split(mark.as_str()).map(Value::of_word))
                }
            },
            "parse" => match self.read(&value.text(), "", true) {
                Ok(_) => Value::Code(value.text()),
                Err(said) => return Stop::error(said),
            },
            "pick" => {
                let begin = self.given(given.either("begin", 1)).await?.number().unwrap_or(0).max(0) as usize;
                let end = self.given(given.either("end", 2)).await?.number().map(|n| n.max(0) as usize);
                match value {
                    Value::Array(items) => match end {
                        None => items.into_iter().nth(begin).map_or(Value::Nothing, |(_, v)| v),
                        Some(end) => Value::Array(items.into_iter().take(end).skip(begin).collect()),
                    },
                    other => Value::Text(other.text().chars().take(end.unwrap_or(begin + 1)).skip(begin).collect()),
                }
            }
            "find" => {
                let inside = self.given(given.either("in", 0)).await?;
                let key = self.given(given.either("key", 1)).await?;
                let from = self.given(given.either("from", 2)).await?.number().map_or(0, |n| n.saturating_add(1).max(0) as usize);
                let at = match &inside {
                    Value::Array(items) => items.iter().skip(from).position(|(_, v)| super::operate::equal(v, &key)).map(|at| at + from),
                    other => {
                        let text = other.text();
                        let tail: String = text.chars().skip(from).collect();
                        tail.find(&key.text()).map(|at| tail[..at].chars().count() + from)
                    }
                };
                at.map_or(Value::Nil, |at| Value::Num(at as i64))
            }
            "range" => {
                let from = self.given(given.either("from", 0)).await?.number().unwrap_or(0);
                let to = self.given(given.either("to", 1)).await?.number().unwrap_or(0).min(from.saturating_add(TURNS_MAX as i64));
                Value::list((from..=to).map(Value::Num))
            }
            "serialize" => self.serialize(given, &value).await?,
            "deserialize" => {
                let text = self.given(given.either("value", 0)).await?.text();
                serde_json::from_str(&text)
                    .map(|json: serde_json::Value| from_json(&json))
                    .or_else(|_| Stop::error("failed to parse json"))?
            }
            "resolve" => {
                let name = self.given(given.either("domain-name", 0)).await?.text();
                let row = self.world().rows("/ip/dns/static").into_iter().find(|r| r.get("name") == Some(name.as_str()));
                let found = row.and_then(|r| r.get("address").map(String::from));
                found.map(Value::Ip).map_or_else(|| Stop::error("failure: dns server failure"), Ok)?
            }
            "rndnum" => {
                let from = self.given(given.named("from")).await?.number().unwrap_or(0);
                let to = self.given(given.named("to")).await?.number().unwrap_or(0xFFFF_FFFF).max(from);
                let world = self.world();
                Value::Num(from.saturating_add(jitter(
                    world.seed,
                    &world.mono().as_nanos().to_string(),
                    to.saturating_sub(from).saturating_add(1).unsigned_abs(),
                ) as i64))
            }
            "rndstr" => {
                let length = self.given(given.named("length")).await?.number().unwrap_or(16).clamp(0, 1_024);
                let world = self.world();
                let word = world.mono().as_nanos().to_string();
                let letter = |i: i64| char::from(b'a' + jitter(world.seed, &format!("{word}{i}"), 26) as u8);
                Value::Text((0..length).map(letter).collect())
            }
            "timestamp" => Value::Time(self.world().now().0),
            "jobname" => self.script.clone().map_or(Value::Nothing, Value::Text),
            "time" => {
                let script = given.script("command").or_else(|| script_of(given.bare(0)?));
                if let Some(script) = script {
                    self.scoped(&script).await?;
                }
                Value::Time(0)
            }
            "grep" => {
                let pattern = self.given(given.either("pattern", 0)).await?.text();
                let before = std::mem::take(&mut self.out);
                if let Some(script) = given.script("script") {
                    self.scoped(&script).await?;
                }
                let said = std::mem::replace(&mut self.out, before);
                let hits: Vec<&str> = said.lines().filter(|l| super::regex::found(&pattern, l)).collect();
                Value::Text(hits.join("\n"))
            }
            _ => Value::Nothing,
        })
    }

    async fn serialize(&mut self, given: &Given<'_>, value: &Value) -> Flow<Value> {
        let to = self.given(given.named("to")).await?.text();
        let options = self.given(given.named("options")).await?.argument();
        match to.as_str() {
            "json" => {
                let bytes = value.json(!options.split(',').any(|o| o == "json.no-string-conversion"));
                Ok(Value::Text(crate::sim::row::from_bytes(&bytes)))
            }
            "dsv" => Ok(Value::Text(value.text())),
            _ => Stop::error("input does not match any value of to"),
        }
    }
}

fn from_json(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => n.as_i64().map_or_else(|| Value::Text(n.to_string()), Value::Num),
        serde_json::Value::String(t) => Value::Text(t.clone()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(from_json)),
        serde_json::Value::Object(map) => Value::Array(map.iter().map(|(k, v)| (Some(k.clone()), from_json(v))).collect()),
    }
}
