//! A wrong command line in one line and a hint, out of what clap says about it in several.

use crate::base::fault::Fault;
use crate::cli::args::Cli;
use clap::CommandFactory;
use clap::error::ErrorKind;

/// What is wrong with the arguments that were `given`, and what was probably meant or where it stands. Scripts get all of clap's words.
pub fn fault(error: &clap::Error, given: &[String], as_json: bool) -> Fault {
    let command = named(given);
    let see = format!("see `{command} --help`");
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Fault::bad_input(format!("`{command}` needs a further word")).hint(see);
    }
    let Said { wrong, tips, rest } = said(&error.render().to_string());
    let hint = match as_json {
        true if tips.is_empty() && rest.is_empty() => see,
        true => [tips, rest].concat().join("; "),
        false if tips.is_empty() => see,
        false => tips.iter().map(|tip| tip.trim_start_matches("tip: ")).collect::<Vec<_>>().join("; "),
    };
    Fault::bad_input(wrong).hint(hint)
}

/// The command that was named, as far as there is one: `routeros-mcp device add`.
fn named(given: &[String]) -> String {
    let (mut name, root) = ("routeros-mcp".to_owned(), Cli::command());
    let mut command = &root;
    for word in given {
        if let Some(found) = command.find_subcommand(word) {
            command = found;
            name = format!("{name} {}", found.get_name());
        }
    }
    name
}

/// Clap's paragraphs.
struct Said {
    wrong: String,
    /// What was probably meant.
    tips: Vec<String>,
    /// Usage, and where more is to be read.
    rest: Vec<String>,
}

fn said(text: &str) -> Said {
    let one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut parts = text.split("\n\n").map(one_line).map(|part| part.trim_end_matches('.').to_owned()).filter(|part| !part.is_empty());
    let first = parts.next().unwrap_or_default();
    let wrong = first.strip_prefix("error: ").unwrap_or(&first).to_owned();
    let (tips, rest) = parts.partition(|part: &String| part.starts_with("tip: "));
    Said { wrong, tips, rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn of(line: &str, as_json: bool) -> (String, String) {
        let given: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let error = Cli::try_parse_from([&["routeros-mcp".to_owned()], &given[..]].concat()).unwrap_err();
        let fault = fault(&error, &given, as_json);
        (fault.said, fault.hint.unwrap())
    }

    #[test]
    fn a_wrong_command_line_is_one_line_and_what_to_do() {
        for (line, wrong, hint) in [
            ("device discovr", "unrecognized subcommand 'discovr'", "a similar subcommand exists: 'discover'"),
            ("--data-dir x device list --colour", "unexpected argument '--colour' found", "see `routeros-mcp device list --help`"),
            ("device", "`routeros-mcp device` needs a further word", "see `routeros-mcp device --help`"),
            (
                "token create --name x",
                "the following required arguments were not provided: --role <R>",
                "see `routeros-mcp token create --help`",
            ),
            ("frobnicate", "unrecognized subcommand 'frobnicate'", "see `routeros-mcp --help`"),
        ] {
            assert_eq!(of(line, false), (wrong.to_owned(), hint.to_owned()), "{line}");
        }
    }

    #[test]
    fn scripts_get_the_usage_too() {
        let (wrong, hint) = of("device discovr", true);
        assert_eq!(wrong, "unrecognized subcommand 'discovr'");
        assert!(hint.starts_with("tip: a similar subcommand exists: 'discover'; Usage: routeros-mcp device"), "{hint}");
    }
}
