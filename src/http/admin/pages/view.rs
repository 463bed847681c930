//! How values of answers are written in pages.

use crate::base::clock::Wall;
use serde_json::Value;

/// A text member; empty when it is none.
pub fn text(value: &Value, name: &str) -> String {
    words(&value[name])
}

/// A member that may be missing.
pub fn maybe(value: &Value, name: &str) -> Option<String> {
    let said = words(&value[name]);
    (!said.is_empty()).then_some(said)
}

/// Any value in words.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".into(),
        Value::Bool(false) => "no".into(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(members) => members.iter().map(|(name, value)| format!("{name}={}", words(value))).collect::<Vec<_>>().join(" "),
        Value::Number(number) => number.to_string(),
    }
}

/// A text of many lines, which answers have one by one.
pub fn script(value: &Value, name: &str) -> Option<String> {
    let lines = value[name].as_array()?.iter().map(|line| line.as_str().unwrap_or_default());
    Some(lines.fold(String::new(), |text, line| text + line + "\n"))
}

/// The items of a list; none where there is no list.
pub fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

/// The rows of a page of a list.
pub fn rows(page: &Value) -> impl Iterator<Item = &Value> {
    items(&page["rows"])
}

/// `rolled_back` as people read it.
pub fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// How long ago, or how long until; the exact time belongs beside it.
pub fn ago(at: &str, now: Wall) -> String {
    let Ok(at) = chrono::DateTime::parse_from_rfc3339(at) else { return at.to_owned() };
    let seconds = (now.0 - at.timestamp_millis()) / 1000;
    let (past, seconds) = (seconds >= 0, seconds.unsigned_abs());
    let span = match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    };
    if past { format!("{span} ago") } else { format!("in {span}") }
}

/// How long ago something was that may never have been.
pub fn ever(value: &Value, name: &str, now: Wall) -> String {
    maybe(value, name).map_or_else(|| "never".to_owned(), |at| ago(&at, now))
}

/// Points of a line: `values` over time, from 0 to `most` in a box of that size. Where nothing is known the line breaks.
pub fn lines(samples: &[(f64, Option<f64>)], most: f64, width: f64, height: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for (x, value) in samples {
        match value {
            Some(value) => {
                let y = height - 1.0 - (value / most).clamp(0.0, 1.0) * (height - 2.0);
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&format!("{:.0},{y:.1}", x * width));
            }
            None if !line.is_empty() => lines.push(std::mem::take(&mut line)),
            None => {}
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn times_are_told_as_people_tell_them() {
        let now = Wall(1_790_000_000_000);
        let at = |seconds: i64| Wall(now.0 - seconds * 1000).rfc3339();
        for (seconds, said) in
            [(0, "0 s ago"), (59, "59 s ago"), (61, "1 min ago"), (7_300, "2 h ago"), (864_000, "10 days ago"), (-90, "in 1 min")]
        {
            assert_eq!(ago(&at(seconds), now), said);
        }
        assert_eq!(ago("never", now), "never");
    }

    #[test]
    fn a_line_breaks_where_nothing_is_known() {
        let lines = lines(&[(0.0, Some(100.0)), (0.5, None), (0.75, Some(0.0)), (1.0, Some(50.0))], 100.0, 100.0, 10.0);
        assert_eq!(lines, ["0,1.0", "75,9.0 100,5.0"]);
    }

    #[test]
    fn values_are_words() {
        assert_eq!(words(&json!({"a": [1, true], "b": null})), "a=1, yes b=");
    }
}
