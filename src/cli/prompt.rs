//! Asking a person at the terminal: what is missing, a yes, a password that is not shown.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use rustix::termios::{self, LocalModes, OptionalActions};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Write};

/// A password longer than this is a file given by mistake.
const MOST_PASSWORD_BYTES: u64 = 4_096;

/// Whether somebody is there to answer.
pub fn someone_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line; the fault names the flag that would have answered.
pub fn line(question: &str, flag: &str) -> Result<String, Fault> {
    if !someone_there() {
        return Err(Fault::bad_input(format!("{flag} is missing")).hint(format!("add {flag}")));
    }
    eprint!("{question}: ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Fault::bug)?;
    let answer = answer.trim().to_owned();
    if answer.is_empty() { Err(Fault::bad_input(format!("{flag} is missing")).hint(format!("add {flag}"))) } else { Ok(answer) }
}

/// A yes, written out. Without a person the fault says which flag stands for it.
pub fn yes(question: &str, flag: &str) -> Result<(), Fault> {
    if !someone_there() {
        return Err(Fault::bad_input("nobody is here to say yes").hint(format!("add {flag}")));
    }
    eprint!("{question} [yes/no]: ");
    let _ = io::stderr().flush();
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Fault::bug)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" => Ok(()),
        _ => Err(Fault::denied("stopped: the answer was not yes")),
    }
}

/// A password from the terminal, not echoed.
pub fn password(question: &str) -> Result<Secret, Fault> {
    let missing = || Fault::bad_input("no password").hint("add --password-file FILE or --password-stdin");
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| missing())?;
    let before = termios::tcgetattr(&terminal).map_err(|_| missing())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    eprint!("{question}: ");
    let _ = io::stderr().flush();
    termios::tcsetattr(&terminal, OptionalActions::Now, &silent).map_err(|_| missing())?;
    let read = first_line(&terminal);
    let _ = termios::tcsetattr(&terminal, OptionalActions::Now, &before);
    eprintln!();
    read
}

/// The first line of standard input.
pub fn password_from_stdin() -> Result<Secret, Fault> {
    let mut line = String::new();
    io::Read::take(io::stdin().lock(), MOST_PASSWORD_BYTES).read_line(&mut line).map_err(Fault::bug)?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

/// The first line of a file.
pub fn password_from_file(path: &std::path::Path) -> Result<Secret, Fault> {
    let file = File::open(path).map_err(|error| {
        Fault::bad_input(format!("password file {}: {error}", path.display())).hint("a file with the password on its first line, mode 0600")
    })?;
    first_line(&file)
}

fn first_line(file: &File) -> Result<Secret, Fault> {
    let mut line = String::new();
    let mut reader = BufReader::new(io::Read::take(file, MOST_PASSWORD_BYTES));
    reader.read_line(&mut line).map_err(|error| Fault::bad_input(format!("password: {error}")))?;
    let secret = Secret::new(line.trim_end_matches(['\r', '\n']));
    zeroize::Zeroize::zeroize(&mut line);
    Ok(secret)
}
