//! Console strings: what comes from outside stays inside of its quotes. A second reader, the simulated router's, has to find
//! the same text in the line as our own.

use super::{Pieces, Samples, Target, seeds};
use crate::routeros::script::{call, print, put, put_json, put_marked, quote, unquote};
use crate::routeros::{MenuPath, Query};

pub(super) const TARGET: Target = Target {
    name: "quoting",
    about: "texts to console lines and back",
    longest: 8 << 10,
    check,
    seeds,
    words: &[
        "\"",
        "\\",
        "$",
        "?",
        "\\\"",
        "$[",
        "]; /quit; [",
        "\\C3\\BC",
        "\\n",
        "\\_",
        "\\\n  ",
        "where",
        "do={",
        "{\"",
        "\"}",
        ".id",
        "as-value",
    ],
};

fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    literal(&text);
    // As if it were the literal itself.
    for literal in [text.to_string(), format!("\"{text}\"")] {
        let Some(read) = unquote(&literal) else { continue };
        assert!(read.len() <= literal.len());
        if let Ok(text) = String::from_utf8(read) {
            assert_eq!(unquote(&quote(&text)).as_deref(), Some(text.as_bytes()));
        }
    }
    lines(data);
}

fn literal(text: &str) {
    let quoted = quote(text);
    assert!(is_printable(&quoted) && !quoted.contains('?'), "{quoted:?}");
    assert_eq!(unquote(&quoted).as_deref(), Some(text.as_bytes()), "{quoted:?}");
    #[cfg(feature = "sim")]
    assert_eq!(
        crate::sim::one_text(&format!(":put {quoted}")).as_deref(),
        Some(text),
        "the second reader finds another text in {quoted:?}"
    );
}

/// Names and values from outside in whole lines: either refused, or in their places.
fn lines(data: &[u8]) {
    let mut pieces = Pieces(data);
    let mut next = || String::from_utf8_lossy(pieces.short()).into_owned();
    let (menu, command, name, value) = (next(), next(), next(), next());
    let path = MenuPath::parse(&menu).unwrap_or_else(|_| MenuPath::parse("/ip/address").expect("a menu"));
    assert!(path.as_str().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"/-".contains(&byte)), "{path}");
    let args = [(name.clone(), value.clone())];
    if let Ok(line) = call(&path, &command, &args, &["as-value"]) {
        assert!(is_printable(&line), "{line:?}");
        let head = if path.is_root() { format!("/{command} ") } else { format!("{path}/{command} ") };
        let rest =
            line.strip_prefix(&head).and_then(|line| line.strip_suffix(" as-value")).expect("the line begins and ends as we wrote it");
        let shown = if name == ".id" { "numbers" } else { &name };
        let expected = if value.is_empty() && name != ".id" { shown.to_owned() } else { format!("{shown}={}", quote(&value)) };
        assert_eq!(rest, expected);
        for line in [put(&line), put_json(&line, true), put_marked(&line, "~mark~")] {
            assert!(is_printable(&line), "{line:?}");
        }
    }
    if let Ok(line) = print(&path, &["detail"], &[(&name, &value)]) {
        assert!(is_printable(&line) && line.ends_with(&format!(" where {name}={}", quote(&value))), "{line:?}");
    }
    let query = Query::new().eq(name, value);
    if query.check().is_ok()
        && let Some(words) = query.url_query(4_096)
    {
        assert!(words.bytes().all(|byte| byte.is_ascii_graphic()), "{words:?}");
    }
}

fn is_printable(line: &str) -> bool {
    line.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

fn seeds(samples: &Samples) -> Vec<Vec<u8>> {
    let mut all = seeds::texts(&[
        "ether1",
        "a \"b\" $c \\d",
        "x\"; /system/reset-configuration; :put \"",
        "$[/user/remove 0]",
        "one\r\n\ttwo ü? \u{1}",
        "\\\"\\C3\\BC\\_\\n\\\n  x",
        "\x0b/ip/address\x05print\x07comment\x0aa \"b\" ]; x",
        "\x05/tool\x04ping\x03.id\x02*1",
    ]);
    // Scripts in exports are what is quoted in earnest.
    let lines = samples.files("export", "rsc").into_iter().flat_map(|text| {
        let text = String::from_utf8_lossy(&text).into_owned();
        text.lines().filter(|line| line.contains('"')).take(20).map(|line| line.as_bytes().to_vec()).collect::<Vec<_>>()
    });
    all.extend(lines);
    all
}
