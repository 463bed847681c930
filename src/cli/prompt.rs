//! Asking a person at the terminal: what is missing, a yes, a password that is not shown.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::cli::args::PersonPassword;
use rustix::termios::{self, LocalModes, OptionalActions};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use zeroize::Zeroizing;

/// A password longer than this is a file given by mistake.
const MOST_PASSWORD_BYTES: u64 = 4_096;

/// Whether somebody is there to answer.
pub fn someone_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// One line from the person at the terminal; the fault names the flag that would have answered.
pub fn line(question: &str, flag: &str) -> Result<String, Fault> {
    ask(&format!("{question}: "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Fault::bug)?;
    let answer = answer.trim().to_owned();
    if answer.is_empty() { Err(missing(&[flag])) } else { Ok(answer) }
}

/// What to say when nobody is there to be asked: every flag that is missing, at once.
pub fn missing(flags: &[&str]) -> Fault {
    let verb = if flags.len() == 1 { "is" } else { "are" };
    Fault::bad_input(format!("{} {verb} missing", flags.join(", ")))
        .hint("give it on the command line, or run this on a terminal to be asked")
}

/// In one write: half a question looks like all of it.
fn ask(question: &str) {
    let _ = io::stderr().write_all(question.as_bytes());
    let _ = io::stderr().flush();
}

/// A yes, written out. Without a person the fault says which flag stands for it.
pub fn yes(question: &str, flag: &str) -> Result<(), Fault> {
    if !someone_there() {
        return Err(Fault::bad_input("nobody is here to say yes").hint(format!("add {flag}")));
    }
    ask(&format!("{question} [yes/no]: "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Fault::bug)?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "yes" | "y" => Ok(()),
        _ => Err(Fault::denied("stopped: the answer was not yes")),
    }
}

/// A password from the terminal, not echoed.
///
/// Every key is read by itself and Ctrl-C is one of them: a signal would end the process and leave the terminal mute.
pub fn password(question: &str) -> Result<Secret, Fault> {
    let missing = || Fault::bad_input("the password is missing").hint("add --password-file FILE or --password-stdin");
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(|_| missing())?;
    let before = termios::tcgetattr(&terminal).map_err(|_| missing())?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG);
    // Silent before it asks: a quick hand, or a script, answers at once.
    termios::tcsetattr(&terminal, OptionalActions::Now, &silent).map_err(|_| missing())?;
    ask(&format!("{question} (not shown): "));
    let typed = keys(&terminal);
    let _ = termios::tcsetattr(&terminal, OptionalActions::Now, &before);
    eprintln!();
    typed
}

/// A new password, typed twice.
pub fn new_password() -> Result<Secret, Fault> {
    let first = password("New password")?;
    if password("The same again")? == first { Ok(first) } else { Err(Fault::bad_input("the two are not the same; nothing was changed")) }
}

/// What is typed until Enter.
fn keys(terminal: &File) -> Result<Secret, Fault> {
    const CTRL_C: u8 = 3;
    const CTRL_D: u8 = 4;
    const BACKSPACE: u8 = 8;
    const CTRL_U: u8 = 21;
    const DELETE: u8 = 127;
    let stopped = || Err(Fault::denied("stopped: no password was given"));
    let mut typed = Zeroizing::new(Vec::with_capacity(MOST_PASSWORD_BYTES as usize));
    // Key by key: a buffer would keep the password after us.
    #[allow(clippy::unbuffered_bytes, reason = "a terminal gives one key at a time")]
    for key in terminal.bytes() {
        match key.map_err(Fault::bug)? {
            b'\n' | b'\r' => return secret(&typed),
            CTRL_C | CTRL_D => return stopped(),
            CTRL_U => typed.clear(),
            BACKSPACE | DELETE => {
                // A character may be several bytes.
                while typed.pop().is_some_and(|byte| byte & 0xc0 == 0x80) {}
            }
            _ if typed.len() as u64 >= MOST_PASSWORD_BYTES => return Err(Fault::bad_input("the password is too long")),
            key => typed.push(key),
        }
    }
    stopped()
}

/// A password or another secret, and what is to be said about where it lay. People hear it now, programs in the answer: their
/// standard error holds nothing but an error.
///
/// Without a person to `ask`, the fault says that `flag` is missing.
pub fn given(
    from: &PersonPassword,
    flag: &str,
    ask: impl FnOnce() -> Result<Secret, Fault>,
    as_json: bool,
) -> Result<(Secret, Option<String>), Fault> {
    match from {
        PersonPassword { password_file: Some(file), .. } => {
            let secret = password_from_file(file)?;
            let warning = readable_by_others(file);
            if let Some(warning) = warning.as_deref().filter(|_| !as_json) {
                eprintln!("note: {warning}");
            }
            Ok((secret, warning))
        }
        PersonPassword { password_stdin: true, .. } => Ok((password_from_stdin()?, None)),
        _ if someone_there() => Ok((ask()?, None)),
        _ => Err(missing(&[flag])),
    }
}

/// Whether standard input is somebody's terminal, and not a file or a program.
pub fn types_stdin() -> bool {
    io::stdin().is_terminal()
}

/// The first line of standard input; typed unseen when that is a terminal.
pub fn password_from_stdin() -> Result<Secret, Fault> {
    if types_stdin() {
        return password("Password");
    }
    first_line(io::stdin().lock(), "standard input")
}

/// The first line of a file.
pub fn password_from_file(path: &Path) -> Result<Secret, Fault> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| unreadable(&name, &error))?;
    first_line(BufReader::new(file), &name)
}

/// What to tell whoever keeps a secret in a file that others can read.
pub fn readable_by_others(path: &Path) -> Option<String> {
    let mode = std::fs::metadata(path).ok().filter(std::fs::Metadata::is_file)?.mode();
    (mode & 0o077 != 0).then(|| format!("{} can be read by others (mode {:04o}); chmod 600 keeps it yours", path.display(), mode & 0o7777))
}

fn unreadable(name: &str, error: &io::Error) -> Fault {
    Fault::bad_input(format!("the password cannot be read from {name}: {}", crate::cli::fault::io_words(error)))
        .hint("name a file with the password on its first line, mode 0600")
}

fn first_line(from: impl BufRead, name: &str) -> Result<Secret, Fault> {
    let mut line = Zeroizing::new(Vec::with_capacity(MOST_PASSWORD_BYTES as usize + 1));
    from.take(MOST_PASSWORD_BYTES + 1).read_until(b'\n', &mut line).map_err(|error| unreadable(name, &error))?;
    if line.len() as u64 > MOST_PASSWORD_BYTES {
        return Err(Fault::bad_input(format!("the first line of {name} is no password: it is longer than {MOST_PASSWORD_BYTES} bytes")));
    }
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    secret(&line[..end])
}

fn secret(bytes: &[u8]) -> Result<Secret, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|_| Fault::bad_input("the password is not UTF-8 text"))?;
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_first_line_whole_and_without_its_end() {
        let read = |text: &[u8]| first_line(text, "f").map(|secret| secret.expose().to_owned()).map_err(|fault| fault.said);
        assert_eq!(read(b" a b \r\nsecond\n").unwrap(), " a b ");
        assert_eq!(read(b"no end").unwrap(), "no end");
        assert_eq!(read(b"").unwrap(), "");
        assert!(read(&[b'x'; 4_097]).unwrap_err().contains("longer than 4096"));
        assert!(read(b"\xff\n").unwrap_err().contains("UTF-8"));
    }
}
