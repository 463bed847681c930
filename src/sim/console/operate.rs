//! What operators do, and what counts as equal and as true.

use super::eval::{Flow, Stop};
use super::regex;
use super::value::Value;
use crate::sim::query;
use crate::sim::row::Row;
use crate::sim::value as wire;

pub(super) fn attribute(row: Option<&Row>, name: &str) -> Value {
    let Some(row) = row else { return Value::Text(name.to_string()) };
    if name == ".id" {
        return row.id_text().map_or(Value::Nil, Value::Id);
    }
    row.get(name).map_or(Value::Nil, |v| match v {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        v => Value::Text(v.to_string()),
    })
}

/// A condition's verdict: an attribute that is there and not `false` holds.
pub(super) fn holds(value: &Value) -> bool {
    match value {
        Value::Nothing | Value::Nil => false,
        Value::Text(text) => text != "false" && text != "no",
        other => other.truth().unwrap_or(true),
    }
}

/// Equal as the console sees it: an attribute that is absent is empty and `no`.
pub(super) fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Nil | Value::Nothing, other) | (other, Value::Nil | Value::Nothing) => match other {
            Value::Bool(b) => !b,
            Value::Text(t) => t.is_empty() || t == "no" || t == "false",
            Value::Array(items) => items.is_empty(),
            other => matches!(other, Value::Nil | Value::Nothing),
        },
        (Value::Bool(b), other) | (other, Value::Bool(b)) => other.truth() == Some(*b),
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|((_, a), (_, b))| equal(a, b)),
        (Value::Array(items), one) | (one, Value::Array(items)) => items.len() == 1 && equal(&items[0].1, one),
        (Value::Time(ms), other) | (other, Value::Time(ms)) => milliseconds(other) == Some(*ms),
        (a, b) => {
            let (a, b) = (a.argument(), b.argument());
            query::same(&a, &b)
        }
    }
}

fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Time(ms) => Some(*ms),
        Value::Num(n) => Some(n.saturating_mul(1_000)),
        Value::Text(t) => wire::time(t).map(|ms| ms as i64),
        _ => None,
    }
}

pub(super) fn binary(operator: &str, left: Value, right: Value) -> Flow<Value> {
    let mismatch = || Stop::Error(format!("cannot {} these values", name(operator)));
    Ok(match operator {
        "or" | "||" | "and" | "&&" => Value::Bool(holds(&right)),
        "=" => Value::Bool(equal(&left, &right)),
        "!=" => Value::Bool(!equal(&left, &right)),
        "<" | ">" | "<=" | ">=" => {
            let order = match (left.number(), right.number(), milliseconds(&left), milliseconds(&right)) {
                (_, _, Some(a), Some(b)) if matches!(left, Value::Time(_)) || matches!(right, Value::Time(_)) => a.cmp(&b),
                (Some(a), Some(b), ..) => a.cmp(&b),
                _ => query::compare(&left.argument(), &right.argument()),
            };
            Value::Bool(match operator {
                "<" => order.is_lt(),
                ">" => order.is_gt(),
                "<=" => order.is_le(),
                _ => order.is_ge(),
            })
        }
        "~" => Value::Bool(regex::found(&right.text(), &left.text())),
        "in" => {
            let sides = wire::prefix(&left.text()).zip(wire::prefix(&right.text()));
            Value::Bool(sides.is_some_and(|((ip, _), network)| wire::covers(network, ip)))
        }
        "." => Value::Text(left.text() + &right.text()),
        "," => {
            let items = |value: Value| match value {
                Value::Array(items) => items,
                Value::Nothing | Value::Nil => Vec::new(),
                other => vec![(None, other)],
            };
            let mut all = items(left);
            all.extend(items(right));
            Value::Array(all)
        }
        "->" => left.element(&right),
        "+" | "-" if matches!(left, Value::Time(_)) || matches!(right, Value::Time(_)) => {
            let (a, b) = milliseconds(&left).zip(milliseconds(&right)).ok_or_else(mismatch)?;
            Value::Time(if operator == "+" { a.saturating_add(b) } else { a.saturating_sub(b) })
        }
        _ => {
            let (a, b) = left.number().zip(right.number()).ok_or_else(mismatch)?;
            let result = match operator {
                "+" => a.checked_add(b),
                "-" => a.checked_sub(b),
                "*" => a.checked_mul(b),
                "/" | "%" if b == 0 => return Stop::error("division by zero"),
                "/" => a.checked_div(b),
                "%" => a.checked_rem(b),
                "&" => Some(a & b),
                "|" => Some(a | b),
                "^" => Some(a ^ b),
                "<<" => u32::try_from(b).ok().and_then(|b| a.checked_shl(b)),
                ">>" => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
                _ => None,
            };
            Value::Num(result.ok_or_else(mismatch)?)
        }
    })
}

fn name(operator: &str) -> &'static str {
    match operator {
        "+" => "add",
        "-" => "subtract",
        "*" => "multiply",
        "/" => "divide",
        _ => "combine",
    }
}
