//! The console over SSH: whatever it prints is rows, or a refusal in words that can be shown.

use super::{Pieces, Samples, Target, is_fit_to_say, seeds};
use crate::base::fault::Fault;
use crate::history::config::Event;
use crate::routeros::console::read_as;
use crate::routeros::fault::spoken;
use crate::routeros::script::read_marked;
use crate::routeros::{RouterError, Row};

pub(super) const TARGET: Target = Target {
    name: "console",
    about: "console output to rows and refusals",
    longest: 32 << 10,
    check,
    seeds,
    words: &[
        "~mark~",
        "~mark~*\n",
        "~mark~str ",
        "~mark~array ",
        "~mark~.",
        ".id=*1",
        ";name=",
        " (line 1 column 7)",
        "bad command name ",
        "no such item",
        "not enough permissions (9)",
        "syntax error",
        "expected end of command",
        "no such command or directory (",
        "\r\n",
        " changed by ",
        "added by admin (/ip/address add ",
        "failure: ",
        "ambiguous value of ",
        "\u{1b}[2J",
        "\u{202e}",
    ],
};

/// Stands for the random mark of one command.
const MARK: &str = "~mark~";

fn check(data: &[u8]) {
    for dialect in 0..4 {
        match read_as(dialect, MARK, data) {
            Ok(rows) => {
                let weight: usize = rows.iter().map(Row::weight).sum();
                assert!(weight <= 128 * data.len() + 1_024, "{weight} bytes of rows from {}", data.len());
            }
            Err(error) => refused(error),
        }
    }
    let text = String::from_utf8_lossy(data);
    let said = spoken(&text);
    is_fit_to_say(&said);
    assert!(said.chars().count() <= 257, "the router's words are cut");
    log(&text);
    marked(data);
}

fn refused(error: RouterError) {
    let fault = Fault::from(error);
    is_fit_to_say(&fault.said);
    fault.hint.as_deref().into_iter().for_each(is_fit_to_say);
}

/// A line of the log: of the command behind a user's name nothing is kept.
fn log(text: &str) {
    let Some(event) = Event::of_log(text, "now") else { return };
    let typed = text.split_once(" (").map_or("", |(_, typed)| typed);
    assert!(event.by.len() + event.what.len() <= text.len() + 8);
    assert!(typed.len() < 8 || !event.by.ends_with(typed), "what was typed is taken for a user: {event:?}");
}

/// Rows printed the marked way, as the console prints them, come back whatever their values hold.
fn marked(data: &[u8]) {
    let mut pieces = Pieces(data);
    let (mut printed, mut expected) = (String::new(), Vec::new());
    while !pieces.is_empty() && expected.len() < 32 {
        printed.push_str(&format!("{MARK}*\n"));
        let mut row = Vec::new();
        for _ in 0..pieces.byte() % 4 {
            let value = String::from_utf8_lossy(pieces.short()).replace(MARK, "");
            // Its two halves may have met.
            if value.contains(MARK) {
                return;
            }
            printed.push_str(&format!("{MARK}str comment={value}\n"));
            row.push(("comment".to_owned(), value));
        }
        expected.push(row);
    }
    printed.push_str(&format!("{MARK}.\n"));
    // A value may make a mark together with what stands around it: nobody knows it, so this only happens here.
    if printed.matches(MARK).count() == expected.iter().map(|row| row.len() + 1).sum::<usize>() + 1 {
        assert_eq!(read_marked(&printed, MARK), Some(expected), "{printed:?}");
    }
}

fn seeds(samples: &Samples) -> Vec<Vec<u8>> {
    let mut all = seeds::texts(&[
        "[{\".id\":\"*1\",\"topics\":[\"system\",\"info\"],\"message\":\"user admin logged in\"}]\r\n",
        "\"7.20.5 (stable)\"\n",
        "7\n",
        "~mark~*\n~mark~str .id=*1\n~mark~str comment=x;.id=*9\n~mark~array topics=system;info\n~mark~.\n",
        ".id=*1;topics=system;info;message=a;b=c.id=*9;.id=*2;comment=x;y z;disabled=false\n~mark~\n",
        "bad command name foo (line 1 column 1)\r\n",
        "not enough permissions (9)\n",
        "device changed by admin (/interface set guest-wifi disabled=yes)",
        "\u{2}\u{9}comment\u{3}abc\u{0}",
    ]);
    all.extend(samples.files("cli", "txt"));
    all
}
