//! A list of routers as people keep it, CSV or JSON: read whole and judged line by line before anybody is asked.
//!
//! ```text
//! name,address,username,password,tls_fingerprint,tags
//! edge-1,192.0.2.1,mcp,s3cret,sha256:…,site=north rack=2
//! ```
//! JSON is an array of objects with the same names. What is wrong is told by line and without values: they may be passwords.

mod text;

pub use text::TEXT_MAX;

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
use std::collections::HashMap;
use text::{Cells, rows};

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
    let expected = expected(cells, shared)?;
    let username = get("username").map(str::to_owned).or_else(|| shared.username.clone());
    let password = password(cells, shared)?;
    let words = |name: &str| get(name).unwrap_or_default().split([',', ' ', '|']).filter(|word| !word.is_empty());
    let tag = |tag: &str| tag.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
    let tags = words("tags").map(|text| tag(text).ok_or_else(|| Fault::bad_input("tags are KEY=VALUE"))).collect::<Result<_, _>>()?;
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
        capabilities: words("capabilities")
            .map(|word| word.parse().map_err(|_| Fault::bad_input("capabilities has a word that is none")))
            .collect::<Result<_, _>>()?,
        // A host key alone was compared: REST is left alone.
        ssh_only: flag("ssh_only")? || (expected.tls.is_none() && expected.ssh.is_some() && !shared.trust_first_use),
        only_named: !shared.trust_first_use,
    };
    Ok(Line { number, new, credential: NewCredential { password, ssh_key_file: None }, expected })
}

/// What the router must present. Errs where the line names nothing and that is not good enough.
fn expected(cells: &Cells, shared: &Shared) -> Result<Pins, Fault> {
    let wrong = || Fault::bad_input("tls_fingerprint is sha256: and 64 hexadecimal digits");
    let tls = cells.get("tls_fingerprint").map(|text| parse_fingerprint(text).ok_or_else(wrong)).transpose()?;
    let expected = Pins { tls, ssh: cells.get("ssh_fingerprint").cloned() };
    if expected.tls.is_none() && expected.ssh.is_none() && !shared.trust_first_use {
        return Err(Fault::bad_input("names no fingerprint, and trusting whatever is presented was not asked for"));
    }
    Ok(expected)
}

/// The line's own password, or the one that holds for all.
fn password(cells: &Cells, shared: &Shared) -> Result<Password, Fault> {
    match (cells.get("password"), cells.get("password_ref")) {
        (Some(_), Some(_)) => Err(Fault::bad_input("has both password and password_ref")),
        (Some(password), None) => Ok(Password::Given(Secret::new(password.as_str()))),
        (None, Some(_)) if !shared.may_refer => {
            Err(Fault::bad_input("has a password_ref, which names a file of this box: only its command line may"))
        }
        (None, Some(reference)) => Ok(Password::At(reference.parse()?)),
        (None, None) => shared.password.clone().ok_or_else(|| Fault::bad_input("password is missing")),
    }
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
