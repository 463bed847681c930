//! The values of an edit, checked against the menu as this device has it.

use super::Desk;
use super::sheet::Sheet;
use super::value::{self, Given, shown};
use crate::base::fault::Fault;
use crate::fleet::{learnt, nearest};
use crate::menus::Attr;
use crate::plan::edit::Edit;
use crate::plan::form::{Form, Pairs, get};
use crate::plan::record::SecretValue;
use crate::routeros::value::Kind;

/// What an edit writes.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub values: Pairs,
    pub secrets: Vec<SecretValue>,
    pub unset: Vec<String>,
}

/// The rights of a group as they are once it is written: the router changes those that are named, and leaves the others.
pub(super) fn whole_policies(old: &Pairs, written: &Written) -> Written {
    let bare = |word: &str| word.strip_prefix('!').unwrap_or(word).to_owned();
    let mut whole = written.clone();
    let given = whole.values.iter_mut().find(|(name, _)| name == "policy");
    if let (Some((_, given)), Some(has)) = (given, get(old, "policy")) {
        let mut words: Vec<String> = has.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        for word in given.split(',').filter(|word| !word.is_empty()) {
            match words.iter_mut().find(|known| bare(known) == bare(word)) {
                Some(known) => word.clone_into(known),
                None => words.push(word.to_owned()),
            }
        }
        *given = words.join(",");
    }
    whole
}

impl Desk<'_> {
    /// Reads and checks the values of an edit; `adds` a row, or writes into one that is there.
    pub async fn written(&self, sheet: &Sheet, edit: &Edit, adds: bool) -> Result<Written, Fault> {
        let mut out = Written::default();
        for (name, json) in &edit.values {
            writable(sheet, name, adds)?;
            let attr = sheet.facts.and_then(|facts| facts.attr(name));
            let code = sheet.is_code(name);
            let secret = sheet.known.is_secret(name) && !code;
            match value::given(name, json).map_err(|fault| hidden(fault, secret, name))? {
                Given::Handle(_) if !secret => {
                    return Err(Fault::bad_input(format!("{name} of {} is no secret: it takes a plain value", sheet.menu)));
                }
                Given::Handle(_) | Given::Text(_) | Given::Unset if !adds && (secret || code) => return Err(irreversible(sheet, name)),
                Given::Handle(handle) => out.secrets.push(SecretValue { attribute: name.clone(), handle }),
                Given::Text(_) if secret => {
                    return Err(Fault::bad_input(format!("{name} of {} is a secret: it is given as a handle, never as text", sheet.menu))
                        .hint("{\"secret\": \"generate\"} or {\"secret\": \"vault:NAME\"}; treat what was sent here as disclosed"));
                }
                Given::Text(text) => out.values.push((name.clone(), self.taken(sheet, attr, name, text, (adds, code)).await?)),
                Given::Unset if adds => {
                    return Err(
                        Fault::bad_input(format!("{name}: null takes an attribute away; a new row has none yet")).hint("leave it out")
                    );
                }
                Given::Unset => unset(sheet, attr, name, &mut out)?,
            }
        }
        if adds {
            let given =
                |name: &str| out.values.iter().any(|(known, _)| known == name) || out.secrets.iter().any(|one| one.attribute == name);
            let required = sheet.facts.iter().flat_map(|facts| facts.attrs).filter(|attr| attr.required && !attr.read_only);
            let missing: Vec<&str> = required.map(|attr| attr.name).filter(|name| sheet.takes(true, name) && !given(name)).collect();
            if !missing.is_empty() {
                return Err(Fault::bad_input(format!("a new row of {} needs {}", sheet.menu, missing.join(", "))));
            }
        }
        Ok(out)
    }

    /// A text the router takes, in the spelling it shows.
    async fn taken(
        &self,
        sheet: &Sheet,
        attr: Option<&Attr>,
        name: &str,
        text: String,
        (adds, code): (bool, bool),
    ) -> Result<String, Fault> {
        value::check(&sheet.menu, attr, name, &text, code)?;
        if value::is_strange_word(attr, &text) {
            // Our words may be older than the router: it is asked for its own before it is said no.
            let command = if adds { "add" } else { "set" };
            let words: Vec<&str> = sheet.menu.trim_start_matches('/').split('/').collect();
            let hangs = learnt::hangs(self.device, words.into_iter().chain([name]));
            let offered = if hangs { Vec::new() } else { learnt::offered(&sheet.menu, command, name, &self.lane).await? };
            let bare = text.strip_prefix('!').unwrap_or(&text);
            let ours: &[&str] = match attr.map(|attr| attr.kind) {
                Some(Kind::Enum(words)) => words,
                _ => &[],
            };
            if !bare.split(',').all(|word| offered.iter().any(|known| known == word) || ours.contains(&word)) {
                let all: Vec<&str> = if offered.is_empty() { ours.to_vec() } else { offered.iter().map(String::as_str).collect() };
                let near = nearest(bare, all.iter().copied());
                let hint = match near.as_slice() {
                    [] if all.is_empty() => "a length of time such as 10m".to_owned(),
                    [] => all.iter().take(30).copied().collect::<Vec<_>>().join(", "),
                    near => near.join(" or "),
                };
                return Err(Fault::bad_input(format!("{name} of {} cannot be {:?} on this device", sheet.menu, shown(&text)))
                    .hint(format!("it takes {hint}")));
            }
        }
        Ok(value::settled(&sheet.menu, attr, name, text))
    }
}

/// Nothing of a value that belongs to a secret is repeated.
fn hidden(fault: Fault, secret: bool, name: &str) -> Fault {
    if secret { Fault::bad_input(format!("{name}: {{\"secret\": \"generate\"}} or {{\"secret\": \"vault:NAME\"}}")) } else { fault }
}

/// Whether `add` or `set` takes this name here.
fn writable(sheet: &Sheet, name: &str, adds: bool) -> Result<(), Fault> {
    if sheet.takes(adds, name) {
        return Ok(());
    }
    // A menu nobody describes takes what its caller says; the router judges it.
    if sheet.told.is_none() && sheet.facts.is_none() && !name.starts_with('.') {
        return Ok(());
    }
    if sheet.takes(!adds, name) {
        let (verb, hint) =
            if adds { ("add", "set it afterwards, in an edit of its own") } else { ("set", "it is given once, when the row is added") };
        return Err(Fault::bad_input(format!("{verb} of {} does not take {name}", sheet.menu)).hint(hint));
    }
    if sheet.has(name) {
        return Err(
            Fault::bad_input(format!("{name} of {} can only be read", sheet.menu)).hint("menu.describe tells which attributes can be set")
        );
    }
    Err(sheet.unknown(name))
}

/// What was there cannot be kept, so that nothing could give it back.
fn irreversible(sheet: &Sheet, name: &str) -> Fault {
    let what = if sheet.is_code(name) { "holds code" } else { "is a secret" };
    Fault::bad_input(format!("{name} of {} {what}: what it is now cannot be kept in an undo, so it is not changed in place", sheet.menu))
        .hint("add a new row with it and disable the old one, in one plan")
}

/// Takes an attribute away: by an empty text or a no where the router knows those, else by its own `unset`.
fn unset(sheet: &Sheet, attr: Option<&Attr>, name: &str, out: &mut Written) -> Result<(), Fault> {
    if attr.is_some_and(|attr| attr.required) {
        return Err(Fault::bad_input(format!("{name} of {} cannot be taken away", sheet.menu)).hint("give it another value"));
    }
    match sheet.known.form(name) {
        Form::Flag => out.values.push((name.to_owned(), "no".to_owned())),
        _ if name == "comment" || sheet.known.singleton => out.values.push((name.to_owned(), String::new())),
        _ => out.unset.push(name.to_owned()),
    }
    Ok(())
}
