//! A list of routers as people keep it, CSV or JSON: read whole and judged line by line before anybody is asked.
//!
//! ```text
//! name,address,username,password,tls_fingerprint,tags
//! edge-1,192.0.2.1,mcp,s3cret,sha256:…,site=north rack=2
//! ```
//! JSON is an array of objects with the same names. What is wrong is told by line and without values: they may be passwords.

use crate::base::fault::Fault;
use crate::base::secret::Secret;
use crate::base::tier::Environment;
use crate::fleet::credential::{NewCredential, Password};
use crate::fleet::device::Pins;
use crate::fleet::enroll::NewDevice;
use crate::fleet::naming::folded;
use crate::fleet::registry::Fleet;
use crate::fleet::trust::Place;
use crate::routeros::pin::parse_fingerprint;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// The longest list, bytes.
pub const TEXT_MAX: usize = 3 * 1024 * 1024;
/// The most lines.
pub const LINES_MAX: usize = 10_000;
/// What a line may say.
const COLUMNS: &[&str] = &[
    "name",
    "address",
    "rest_port",
    "ssh_port",
    "plain_http",
    "ssh_only",
    "username",
    "password",
    "password_ref",
    "tls_fingerprint",
    "ssh_fingerprint",
    "tags",
    "capabilities",
];

/// What holds for lines that say nothing else.
pub struct Shared {
    /// Who we are there.
    pub username: Option<String>,
    /// How we log in.
    pub password: Option<Password>,
    /// Lines without a fingerprint are good: whatever the router presents is trusted.
    pub trust_first_use: bool,
    /// The appliance's own.
    pub environment: Environment,
    /// Where SSH listens.
    pub ssh_port: u16,
    /// Lines may say in which file of this box a password lies.
    pub may_refer: bool,
}

/// A router to be added.
pub struct Line {
    /// Of the file; of an entry its place, from 1.
    pub number: usize,
    /// The device.
    pub new: NewDevice,
    /// Its login.
    pub credential: NewCredential,
    /// What it must present.
    pub expected: Pins,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// As [`Line::number`].
    pub line: usize,
    /// In words without values of the list.
    pub what: String,
}

/// A line's cells by the names of their columns.
type Cells = BTreeMap<String, String>;
/// Lines that can be read, and what is wrong with the others.
type Rows = (Vec<(usize, Cells)>, Vec<Problem>);

/// Reads a list. Whatever is wrong with any line is told of that line; `fleet` judges what only it knows.
///
/// Errs with `BadInput` when it is no list at all.
pub fn read(text: &str, shared: &Shared, fleet: &Fleet) -> Result<(Vec<Line>, Vec<Problem>), Fault> {
    let (rows, mut problems) = rows(text)?;
    let mut lines: Vec<Line> = Vec::with_capacity(rows.len());
    let (mut names, mut places) = (HashMap::new(), HashMap::new());
    for (number, cells) in rows {
        let judged = line(number, &cells, shared).and_then(|line| fleet.check_new(&line.new, &line.expected).map(|()| line));
        let line = match judged {
            Ok(line) => line,
            Err(fault) => {
                problems.push(Problem { line: number, what: nameless(&fault.said, &cells) });
                continue;
            }
        };
        let earlier = names.insert(folded(&line.new.name), number);
        let place = &line.new.place;
        let port = if line.new.ssh_only { place.ssh_port } else { place.rest_port };
        let same = places.insert((place.address.to_ascii_lowercase(), port), number);
        match (earlier, same) {
            (Some(earlier), _) => problems.push(Problem { line: number, what: format!("has the name of line {earlier}") }),
            (None, Some(same)) => problems.push(Problem { line: number, what: format!("is the same address and port as line {same}") }),
            (None, None) => lines.push(line),
        }
    }
    if let Err(fault) = fleet.has_room(lines.len()) {
        problems.push(Problem { line: 0, what: fault.said });
    }
    Ok((lines, problems))
}

/// Messages of the fleet may quote what a cell says: names and addresses are fine to tell, logins are not.
fn nameless(said: &str, cells: &Cells) -> String {
    let secret = cells.get("password").filter(|password| password.len() > 3 && said.contains(password.as_str()));
    secret.map_or_else(|| said.to_owned(), |password| said.replace(password.as_str(), "•••"))
}

/// Rows by number, and what is wrong with those that are none.
fn rows(text: &str) -> Result<Rows, Fault> {
    if text.len() > TEXT_MAX {
        return Err(Fault::bad_input("the list is longer than 3 MiB").hint("import it in parts"));
    }
    let text = text.trim_start_matches('\u{feff}');
    let (rows, problems) = if text.trim_start().starts_with(['[', '{']) { from_json(text)? } else { from_csv(text)? };
    if rows.is_empty() && problems.is_empty() {
        return Err(Fault::bad_input("the list is empty").hint("a first line with the columns' names, then a line a router"));
    }
    if rows.len() + problems.len() > LINES_MAX {
        return Err(Fault::bad_input(format!("the list has more than {LINES_MAX} lines")).hint("import it in parts"));
    }
    Ok((rows, problems))
}

fn known(column: &str) -> Result<(), Fault> {
    match COLUMNS.contains(&column) {
        true => Ok(()),
        // A first line that is missing may hold a password where a name should be: it is not repeated.
        false => Err(Fault::bad_input("the first line, or an entry, names a column that there is not")
            .hint(format!("columns are {}", COLUMNS.join(", ")))),
    }
}

fn from_csv(text: &str) -> Result<Rows, Fault> {
    let first = text.lines().next().unwrap_or_default();
    // Spreadsheets of half of Europe separate by semicolons.
    let separator = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator)
        .flexible(true)
        .trim(csv::Trim::Headers)
        .comment(Some(b'#'))
        .from_reader(text.as_bytes());
    let unreadable = || Fault::bad_input("the list is neither CSV nor JSON");
    let head: Vec<String> = reader.headers().map_err(|_| unreadable())?.iter().map(str::to_ascii_lowercase).collect();
    if head.len() == 1 && head[0].is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    for (at, column) in head.iter().enumerate() {
        known(column)?;
        if head[..at].contains(column) {
            return Err(Fault::bad_input(format!("the first line names {column} twice")));
        }
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let mut lines = Lines { text, at: 0, number: 1 };
    for record in reader.records() {
        let record = record.map_err(|_| unreadable())?;
        let number = lines.of(record.position().map_or(0, |at| at.byte() as usize));
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if record.len() != head.len() {
            problems.push(Problem { line: number, what: format!("has {} cells, the first line {}", record.len(), head.len()) });
        } else {
            // A password may begin or end with a blank.
            let cells = head.iter().zip(&record).map(|(name, cell)| (name, if name == "password" { cell } else { cell.trim() }));
            let cells = cells.filter(|(_, cell)| !cell.is_empty());
            rows.push((number, cells.map(|(name, cell)| (name.clone(), cell.to_owned())).collect()));
        }
        if rows.len() + problems.len() > LINES_MAX {
            break;
        }
    }
    Ok((rows, problems))
}

/// Counts lines. The reader's own count stands before the blank lines and notes that it passes over, and between CR and LF.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    number: usize,
}

impl Lines<'_> {
    /// The line of the record that the reader began to look for at a byte; bytes only rise.
    fn of(&mut self, byte: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(next) = bytes.get(self.at) {
            let is_before = self.at < byte;
            match next {
                b'\n' => self.number += 1,
                b'\r' => {}
                b'#' if !is_before => {
                    let rest = bytes[self.at..].iter().position(|byte| *byte == b'\n');
                    self.at += rest.unwrap_or(bytes.len() - self.at);
                    continue;
                }
                _ if is_before => {}
                _ => break,
            }
            self.at += 1;
        }
        self.number
    }
}

fn from_json(text: &str) -> Result<Rows, Fault> {
    let Entries(entries) = serde_json::from_str(text).map_err(|error| {
        // The library's words may quote the text.
        Fault::bad_input(format!("the list is no JSON array of objects (line {}, column {})", error.line(), error.column()))
    })?;
    if entries.len() > LINES_MAX {
        return Err(Fault::bad_input(format!("the list has more than {LINES_MAX} entries")).hint("import it in parts"));
    }
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter().enumerate() {
        let number = at + 1;
        let Value::Object(members) = entry else {
            problems.push(Problem { line: number, what: "is no object".into() });
            continue;
        };
        let mut cells = Cells::new();
        let mut wrong = None;
        for (name, value) in members {
            match (known(name), cell(value)) {
                (Ok(()), Some(text)) if text.is_empty() => {}
                (Ok(()), Some(text)) => drop(cells.insert(name.clone(), text)),
                (Ok(()), None) => wrong = Some(format!("{name} is no text")),
                (Err(_), _) => wrong = Some("names a column that there is not".to_owned()),
            }
        }
        match wrong {
            Some(what) => problems.push(Problem { line: number, what }),
            None => rows.push((number, cells)),
        }
    }
    Ok((rows, problems))
}

/// A JSON array; of a longer one than is taken, one entry too many.
struct Entries(Vec<Value>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Entries;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while entries.len() <= LINES_MAX
                    && let Some(entry) = items.next_element()?
                {
                    entries.push(entry);
                }
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Entries(entries))
            }
        }
        from.deserialize_seq(Reader)
    }
}

/// A value as a cell would say it.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Array(items) => {
            items.iter().map(|item| item.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>().map(|all| all.join(","))
        }
        Value::Object(pairs) => pairs
            .iter()
            .map(|(key, value)| value.as_str().map(|value| format!("{key}={value}")))
            .collect::<Option<Vec<_>>>()
            .map(|all| all.join(",")),
    }
}

fn line(number: usize, cells: &Cells, shared: &Shared) -> Result<Line, Fault> {
    let get = |name: &str| cells.get(name).map(String::as_str);
    let need = |name: &str| get(name).map(str::to_owned).ok_or_else(|| Fault::bad_input(format!("{name} is missing")));
    let flag = |name: &str| match get(name).map(str::to_ascii_lowercase).as_deref() {
        None | Some("no" | "false" | "0") => Ok(false),
        Some("yes" | "true" | "1") => Ok(true),
        Some(_) => Err(Fault::bad_input(format!("{name} is yes or no"))),
    };
    let port = |name: &str, usual: u16| match get(name) {
        None => Ok(usual),
        Some(text) => {
            text.parse().ok().filter(|port| *port > 0).ok_or_else(|| Fault::bad_input(format!("{name} is a number from 1 to 65535")))
        }
    };
    let plain_http = flag("plain_http")?;
    let tls = get("tls_fingerprint")
        .map(|text| parse_fingerprint(text).ok_or_else(|| Fault::bad_input("tls_fingerprint is sha256: and 64 hexadecimal digits")))
        .transpose()?;
    let expected = Pins { tls, ssh: get("ssh_fingerprint").map(str::to_owned) };
    if expected.tls.is_none() && expected.ssh.is_none() && !shared.trust_first_use {
        return Err(Fault::bad_input("names no fingerprint, and trusting whatever is presented was not asked for"));
    }
    let username = get("username").map(str::to_owned).or_else(|| shared.username.clone());
    let password = match (get("password"), get("password_ref")) {
        (Some(_), Some(_)) => return Err(Fault::bad_input("has both password and password_ref")),
        (Some(password), None) => Password::Given(Secret::new(password)),
        (None, Some(_)) if !shared.may_refer => {
            return Err(Fault::bad_input("has a password_ref, which names a file of this box: only its command line may"));
        }
        (None, Some(reference)) => Password::At(reference.parse()?),
        (None, None) => shared.password.clone().ok_or_else(|| Fault::bad_input("password is missing"))?,
    };
    let tags = get("tags").unwrap_or_default().split([',', ' ', '|']).filter(|tag| !tag.is_empty());
    let tag = |tag: &str| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let tags = tags.map(|text| tag(text).ok_or_else(|| Fault::bad_input("tags are KEY=VALUE"))).collect::<Result<_, _>>()?;
    let words = get("capabilities").unwrap_or_default().split([',', ' ', '|']).filter(|word| !word.is_empty());
    let new = NewDevice {
        name: need("name")?,
        place: Place {
            address: need("address")?,
            rest_port: port("rest_port", if plain_http { 80 } else { 443 })?,
            ssh_port: port("ssh_port", shared.ssh_port)?,
            plain_http,
        },
        username: username.ok_or_else(|| Fault::bad_input("username is missing"))?,
        environment: shared.environment,
        tags,
        capabilities: words
            .map(|word| word.parse().map_err(|_| Fault::bad_input("capabilities has a word that is none")))
            .collect::<Result<_, _>>()?,
        // A host key alone was compared: REST is left alone.
        ssh_only: flag("ssh_only")? || (expected.tls.is_none() && expected.ssh.is_some() && !shared.trust_first_use),
        only_named: !shared.trust_first_use,
    };
    Ok(Line { number, new, credential: NewCredential { password, ssh_key_file: None }, expected })
}

/// Problems in the same words together, with their lines: `("password is missing", "2-5, 9")`.
pub fn grouped(problems: &[Problem]) -> Vec<(String, String)> {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    let mut at: HashMap<&str, usize> = HashMap::new();
    for problem in problems {
        let place = *at.entry(problem.what.as_str()).or_insert_with(|| {
            groups.push((problem.what.as_str(), Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(problem.line);
    }
    groups.into_iter().map(|(what, lines)| (what.to_owned(), ranges(lines))).collect()
}

fn ranges(mut lines: Vec<usize>) -> String {
    lines.sort_unstable();
    lines.dedup();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == line => *last = line,
            _ => spans.push((line, line)),
        }
    }
    let told = |(first, last): &(usize, usize)| if first == last { first.to_string() } else { format!("{first}-{last}") };
    spans.iter().map(told).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
