//! `/export`: nothing of it is lost, and what is kept of it reads back the same.

use super::{Samples, Target, seeds};
use crate::history::config::{diff, normal};
use crate::routeros::export::{Export, Line, parse, readable, wrapped, write};

pub(super) const TARGET: Target = Target {
    name: "export",
    about: "configuration exports to rows and back",
    longest: 64 << 10,
    check,
    seeds,
    words: &[
        "/ip address\n",
        "/interface/bridge\n",
        "add ",
        "set [ find default-name=ether1 ] ",
        "set 0 ",
        "name=",
        "comment=\"",
        "\\\r\n    ",
        "\\\n",
        "# end of export\n",
        "#error exporting \"/interface/wifi\" (timeout)\n",
        "#?? \"",
        "# by RouterOS 7.20.8\n",
        "[ find ",
        " ]",
        "={",
        "}",
        "remote.address=",
        " .as=",
        "\\\"",
        "\\\\",
        "\\$",
        "\\0A",
        "\\_",
        "password=",
        "!src-address",
        "on-event=\"",
    ],
};

/// Where lines are wrapped when they are shown.
const WIDTHS: [usize; 2] = [20, 80];

fn check(data: &[u8]) {
    let text = readable(data);
    let export = parse(&text);
    keeps_words(&text, &export);
    let written = write(&export);
    assert_eq!(parse(&written), export, "written as {written:?}");
    for line in written.lines().take(64) {
        for width in WIDTHS {
            assert_eq!(parse(&wrapped(line, width).join("\n")), parse(line), "{line:?} wrapped at {width}");
        }
    }
    kept(&export);
    let half = parse(&text[..text.floor_char_boundary(text.len() / 2)]);
    let _ = (diff(&half, &export), diff(&export, &half));
    let _ = (export.version(), export.unread().count(), export.gap_menus().count());
}

/// What is kept of it is the same each time, and differs from itself in nothing.
fn kept(export: &Export) {
    let once = normal(export);
    assert_eq!(normal(&once), once, "what is kept depends on how often it was kept");
    assert_eq!(parse(&write(&once)), once);
    let same = diff(&once, &once);
    assert!(same.menus.is_empty(), "it differs from itself: {same:?}");
}

/// Every plain word of the text stands somewhere in what was read of it.
fn keeps_words(text: &str, export: &Export) {
    // Quotes, wraps and brackets join and part words: for those there is the way back, and the recordings.
    if text.contains(['"', '\\', '[', '{', '(', '#']) {
        return;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || "._:,*!-+@=/".contains(c);
    let written = write(export);
    // A line that could not be read is kept as a literal, with escapes in it.
    let unread: Vec<&str> = export
        .sections
        .iter()
        .flat_map(|section| &section.lines)
        .filter_map(|line| if let Line::Unread(text) = line { Some(text.as_str()) } else { None })
        .collect();
    // A value with an equals sign in it is written in quotes.
    let words = text.split([' ', '\t', '\r', '\n']).filter(|word| word.chars().all(plain) && word.matches('=').count() < 2);
    for word in words {
        for step in word.split('/').filter(|step| !step.is_empty()) {
            let is_there = written.contains(step) || unread.iter().any(|line| line.contains(step));
            assert!(is_there, "{step:?} of {word:?} is lost");
        }
    }
}

fn seeds(samples: &Samples) -> Vec<Vec<u8>> {
    let mut all = seeds::texts(&[
        "# 2026-02-25 14:41:32 by RouterOS 7.20.8\n# model = CHR\n/ip address\nadd address=192.0.2.1/24 comment=\"a \\\"b\\\"; \\$c\" interface=ether1\n",
        "/interface ethernet\nset [ find default-name=ether1 ] comment=\"long \\\r\n    wrapped\" disabled=yes\n/ip service\nset www disabled=yes\n",
        "/interface/bgp/connection/add name=a remote.address=192.0.2.9 .as=65000 local.role=ebgp password=secret\n#error exporting \"/interface/wifi\" (timeout)\n# end of export\n",
        "/system script\nadd name=x source={:put \"a]\"; [/quit]}\n:put what\nadd unread \"open\n#?? \"kept\"\n",
    ]);
    all.push(b"/ip address\nadd comment=\"caf\xe9\" address=10.0.0.1\n".to_vec());
    all.extend(samples.files("export", "rsc"));
    all.extend(samples.files("cli-ansible", "txt").into_iter().filter(|text| text.starts_with(b"#")));
    all
}
