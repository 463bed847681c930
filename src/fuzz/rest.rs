//! REST: from bytes to rows, from texts to values, and what a refusal says.

use super::{Samples, Target, is_fit_to_say, seeds};
use crate::base::fault::Fault;
use crate::routeros::answer::{self, Answer};
use crate::routeros::row::{Row, console_rows, is_name, rows};
use crate::routeros::value::{self, Kind, typed};
use crate::routeros::{RouterError, Version};
use serde_json::{Map, Value};

pub(super) const TARGET: Target = Target {
    name: "rest",
    about: "REST bytes to rows, values and refusals",
    longest: 64 << 10,
    check,
    seeds,
    words: &[
        "{\"",
        "\":\"",
        "\",\"",
        "[{",
        "}]",
        "\\u0000",
        "\\ud800",
        "\\\"",
        "null",
        "true",
        "-0.0",
        "1e999",
        "1w2d3h4m5s6ms",
        "00:01:02.5",
        "\"error\":400",
        "\"detail\":\"",
        "no such command or directory (",
        "Session closed",
        "2026-11-27 04:05:06",
        "jan/02/2026",
        "12.5MiB",
        "10M/2M",
        "\".id\":\"*1\"",
        "\u{202e}",
        "nan",
        "inf",
        "18446744073709551616",
    ],
};

const KINDS: &[Kind] = &[
    Kind::Flag,
    Kind::Int,
    Kind::Count,
    Kind::Real,
    Kind::Span,
    Kind::Bytes,
    Kind::Rate,
    Kind::RatePair,
    Kind::List,
    Kind::Time,
    Kind::Percent,
    Kind::Text,
];

/// Values looked at in an answer: enough of them to see each kind go wrong.
const LOOKED_AT: usize = 64;

fn check(data: &[u8]) {
    let read = rows(data);
    for read in [&read, &console_rows(data)] {
        match read {
            Ok(rows) => hold(rows, data.len()),
            Err(RouterError::Garbage { why }) => assert!(why.is_ascii() && why.len() < 100, "says what the router sent: {why}"),
            Err(other) => panic!("no answer is {other:?}"),
        }
    }
    if let Ok(value) = serde_json::from_slice::<Value>(data) {
        agrees(&value, read);
    }
    answers(data);
}

/// What is read stays what it is when it is written and read again, and takes no more room than it came with.
fn hold(found: &[Row], bytes: usize) {
    // A row of one empty value is seven bytes on the wire.
    let weight: usize = found.iter().map(Row::weight).sum();
    assert!(weight <= 64 * bytes + 1_024, "{weight} bytes of rows from {bytes}");
    let full: Vec<&Row> = found.iter().filter(|row| !row.is_empty()).collect();
    let written = serde_json::to_vec(&full).expect("rows are written");
    let again = rows(&written).expect("what we write can be read");
    assert!(again.iter().eq(full), "rows changed on their way: {}", String::from_utf8_lossy(&written));
    for (name, text) in found.iter().flat_map(Row::iter).take(LOOKED_AT) {
        for kind in KINDS {
            assert!(!typed(*kind, text).is_null(), "{name}: {text:?} as {} is nothing", kind.as_str());
        }
        let _ = (value::date(text), value::span_ms(text), value::wifi_rate(text), Version::parse(text));
    }
}

/// A plain tree of the same bytes says the same.
fn agrees(value: &Value, read: Result<Vec<Row>, RouterError>) {
    let objects: Option<Vec<&Map<String, Value>>> = match value {
        Value::Object(map) => Some(vec![map]),
        Value::Array(items) => items.iter().map(Value::as_object).collect(),
        _ => None,
    };
    let Some(objects) = objects else {
        assert!(read.is_err(), "rows of what is none: {value}");
        return;
    };
    let read = read.expect("objects are rows");
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let full: Vec<&Row> = read.iter().filter(|row| !row.is_empty()).collect();
    // What no attribute is called is left out.
    let named = |object: &Map<String, Value>| -> Vec<(String, String)> {
        object.iter().filter(|(name, _)| is_name(name)).map(|(name, value)| (name.clone(), text(value))).collect()
    };
    let objects: Vec<_> = objects.into_iter().map(named).filter(|object| !object.is_empty()).collect();
    assert_eq!(full.len(), objects.len(), "rows were lost or made up");
    for (row, expected) in full.into_iter().zip(objects) {
        assert!(row.iter().eq(expected.iter().map(|(name, text)| (name.as_str(), text.as_str()))), "{row:?} is not {expected:?}");
    }
}

/// The same bytes as answers of several statuses: whatever is refused is refused in words that can be shown.
fn answers(data: &[u8]) {
    const AT: &str = "192.0.2.7:443";
    for status in [200, 400, 404, 500] {
        let answer = Answer { status, body: data.to_vec() };
        let _ = answer::is_routeros(AT, &answer, false);
        for write in [false, true] {
            let Err(error) = answer::rows(AT, write, &answer) else { continue };
            assert!(write || !matches!(error, RouterError::LostAnswer { .. }), "nothing was written, so nothing is unknown");
            let fault = Fault::from(error);
            is_fit_to_say(&fault.said);
            fault.hint.as_deref().into_iter().for_each(is_fit_to_say);
        }
    }
}

fn seeds(samples: &Samples) -> Vec<Vec<u8>> {
    let mut all = seeds::texts(&[
        r#"[{".id":"*1","address":"192.0.2.1/24","disabled":"false","interface":"ether1"},{".id":"*2","address":"192.0.2.2/24"}]"#,
        r#"{"uptime":"1w2d3h4m5s","version":"7.20.5 (stable)","free-memory":"900.5MiB","cpu-load":"7","build-time":"2026-01-02 03:04:05"}"#,
        r#"{"detail":"no such command or directory (wifi)","error":400,"message":"Bad Request"}"#,
        r#"{"ret":"*7"}"#,
        r#"[{"a":null,"b":true,"c":-1.5e3,"d":["x",1],"e":{"f":"g"},"a":"again"}]"#,
        "[{\"comment\":\"caf\\u00e9 \\ud83d\\ude00 \u{1}\ttab\"}]",
        "[]",
    ]);
    all.push(b"[{\"comment\":\"caf\xe9 \\ud800 \\q\"}]".to_vec());
    for folder in ["rest-", "docs", "errors"] {
        all.extend(samples.files(folder, "json"));
    }
    all
}
