//! Which row is meant, and how it is told from all others: by attributes, never by position or `.id`.

use super::sheet::{Line, Sheet};
use super::value::{is_rule_menu, scalar, shown};
use crate::base::fault::Fault;
use crate::fleet::nearest;
use crate::menus;
use crate::plan::form::{Form, Pairs, get, overlaid, same_value};
use crate::plan::record::{Change, Find};
use crate::routeros::value::Kind;
use crate::shape::untrusted;
use serde_json::{Map, Value};

/// Most candidates an error shows.
const SHOWN: usize = 5;
/// Most attributes shown of each, and most characters of a value.
const SHOWN_ATTRIBUTES: usize = 5;
const SHOWN_CHARS: usize = 40;

/// The end of a hint where several rows may be meant.
pub(super) const EACH_WOULD_DO: &str = "; or set each: true to change all of them";

/// A row that others have to be told from.
struct Other<'a> {
    row: &'a Pairs,
    /// Not on the router yet: what it does not say may get any default there.
    open: bool,
}

impl Sheet {
    /// The one row, or several with `each`, that a match names. Indexes into `lines`.
    ///
    /// # Errors
    /// `NotFound` for none and `BadInput` for too many, both showing candidates; `BadInput` for names and values no row can have.
    pub fn resolve(&self, which: &Map<String, Value>, each: bool) -> Result<Vec<usize>, Fault> {
        let wanted = self.wanted(which)?;
        let there = |at: &usize| self.lines[*at].is_there();
        let all: Vec<usize> = (0..self.lines.len()).filter(|at| self.matches(*at, &wanted)).collect();
        let found: Vec<usize> = all.iter().copied().filter(there).filter(|at| !self.is_dynamic(&self.lines[*at].row)).collect();
        match (found.len(), each) {
            (0, _) => Err(self.none(&wanted, &all)),
            (1, _) | (_, true) => Ok(found),
            (count, false) => Err(self.several(&wanted, &found, count)),
        }
    }

    /// What a match asks for; an empty value stands for a row without the attribute.
    fn wanted(&self, which: &Map<String, Value>) -> Result<Pairs, Fault> {
        let mut wanted = Pairs::new();
        for (name, json) in which {
            if !self.has(name) {
                return Err(self.unknown(name));
            }
            if !self.is_open(name) {
                return Err(
                    Fault::bad_input(format!("match: {name} is a secret; rows are not looked up by it")).hint("name another attribute")
                );
            }
            let text = match json {
                Value::Null => String::new(),
                json => scalar(json).ok_or_else(|| Fault::bad_input(format!("match: {} takes a text", shown(name))))?,
            };
            wanted.push((name.clone(), text));
        }
        if wanted.is_empty() {
            return Err(Fault::bad_input(format!("match is missing: which row of {}", self.menu)));
        }
        Ok(wanted)
    }

    fn matches(&self, at: usize, wanted: &Pairs) -> bool {
        wanted.iter().all(|(name, value)| self.same(name, get(&self.lines[at].row, name), value))
    }

    /// Whether a row's value is the one asked for; a flag that is not there is a no.
    fn same(&self, name: &str, has: Option<&str>, wanted: &str) -> bool {
        let form = match self.facts.and_then(|facts| facts.attr(name)) {
            Some(attr) => Form::in_menu(&self.menu, name, attr.kind),
            None => self.known.form(name),
        };
        match has {
            Some(has) => same_value(name, form, has, wanted),
            None => wanted.is_empty() || matches!(wanted, "no" | "false"),
        }
    }

    fn none(&self, wanted: &Pairs, all: &[usize]) -> Fault {
        let asked = self.told_apart(wanted);
        if let Some(at) = all.iter().find(|at| self.lines[**at].gone_by.is_some()) {
            let by = self.lines[*at].gone_by.unwrap_or_default();
            return Fault::bad_input(format!("edits[{by}] removes the row of {} with {asked}", self.menu))
                .hint("leave one of the two edits out");
        }
        if !all.is_empty() {
            return Fault::bad_input(format!(
                "the row of {} with {asked} is dynamic: the router made it, and makes it again as it likes",
                self.menu
            ))
            .hint("change what makes it, such as the DHCP client or the service it belongs to");
        }
        let fault = Fault::not_found(format!("no row of {} has {asked}", self.menu));
        let mut near: Vec<(usize, usize)> = (0..self.lines.len())
            .filter(|at| self.lines[*at].is_there() && !self.is_dynamic(&self.lines[*at].row))
            .map(|at| (wanted.iter().filter(|(name, value)| self.same(name, get(&self.lines[at].row, name), value)).count(), at))
            .collect();
        near.sort_by_key(|(alike, at)| (std::cmp::Reverse(*alike), *at));
        if near.is_empty() {
            return fault.hint("the menu has no rows to change");
        }
        let near: Vec<usize> = near.into_iter().map(|(_, at)| at).collect();
        let hint = format!("nearest: {}; menu.read shows all of them", self.told_of(&near));
        fault.hint(hint).candidates(self.candidates(&near))
    }

    fn several(&self, wanted: &Pairs, found: &[usize], count: usize) -> Fault {
        let asked = self.told_apart(wanted);
        let differ = self.differing(found);
        let apart = if differ.is_empty() {
            "nothing tells them apart: give one of them a comment first".to_owned()
        } else {
            format!("they differ in {}", differ.join(", "))
        };
        Fault::bad_input(format!("{count} rows of {} have {asked}", self.menu))
            .hint(format!("{apart}; candidates: {}{EACH_WOULD_DO}", self.told_of(found)))
            .candidates(self.candidates(found))
    }

    /// The first attributes in which rows differ.
    fn differing(&self, found: &[usize]) -> Vec<&str> {
        let differs = |name: &str| {
            let first = get(&self.lines[found[0]].row, name).unwrap_or_default();
            self.is_open(name) && found.iter().any(|at| !self.same(name, get(&self.lines[*at].row, name), first))
        };
        let names =
            std::iter::once("comment").filter(|name| self.known.is_content(name)).chain(self.names().filter(|name| *name != "comment"));
        names.filter(|name| differs(name)).take(SHOWN_ATTRIBUTES).collect()
    }

    /// The first few rows in words.
    fn told_of(&self, found: &[usize]) -> String {
        let differ = self.differing(found);
        let mut out: Vec<String> = found.iter().take(SHOWN).map(|at| self.candidate(*at, &differ)).collect();
        if found.len() > SHOWN {
            out.push(format!("and {} more", found.len() - SHOWN));
        }
        out.join(" ")
    }

    /// The same rows as data, what outsiders can write included.
    fn candidates(&self, found: &[usize]) -> Vec<Map<String, Value>> {
        let differ = self.differing(found);
        let row =
            |at: &usize| self.telling(*at, &differ, |_, _| true).into_iter().map(|(name, value)| (name, Value::from(value))).collect();
        found.iter().take(SHOWN).map(row).collect()
    }

    /// `{chain="input" action="drop" disabled="no"}`: what tells it apart first, and nothing that outsiders can write.
    fn candidate(&self, at: usize, differ: &[&str]) -> String {
        let ours = |name: &str, value: &str| !menus::untrusted_of(self.facts, name) && !untrusted::is_prose_text(value);
        format!("{{{}}}", self.told_apart(&self.telling(at, differ, ours)))
    }

    /// The first few attributes of a row, those in which it differs before its key.
    fn telling(&self, at: usize, differ: &[&str], shown: impl Fn(&str, &str) -> bool) -> Pairs {
        let row = &self.lines[at].row;
        let key = self.known.key.iter().map(String::as_str).chain(["chain", "action", "comment"]);
        let names = differ.iter().copied().chain(key).chain(self.names());
        let mut pairs = Pairs::new();
        for name in names {
            let value = get(row, name).filter(|value| !value.is_empty() && self.is_open(name) && shown(name, value));
            if let Some(value) = value
                && pairs.len() < SHOWN_ATTRIBUTES
                && !pairs.iter().any(|(known, _)| known == name)
            {
                pairs.push((name.to_owned(), value.to_owned()));
            }
        }
        pairs
    }

    /// `name="a", address="b"`; short, and nothing in it can end the quotes.
    fn told_apart(&self, pairs: &Pairs) -> String {
        let one = |(name, value): &(String, String)| {
            if value.is_empty() {
                return format!("no {name}");
            }
            let cut: String = value.chars().filter(|c| !untrusted::is_unseen(*c)).take(SHOWN_CHARS).collect();
            let dots = if value.chars().count() > SHOWN_CHARS { "…" } else { "" };
            format!("{name}={:?}", format!("{cut}{dots}"))
        };
        pairs.iter().map(one).collect::<Vec<_>>().join(", ")
    }

    /// Words for an error about one row.
    pub fn named(&self, at: usize) -> String {
        format!("{} {}", self.menu, self.candidate(at, &[]))
    }

    /// A name that no row of this menu has on this device.
    pub fn unknown(&self, name: &str) -> Fault {
        let name = shown(name);
        let near = nearest(&name, self.names());
        let fault = Fault::bad_input(format!("{} has no attribute {name} on this device", self.menu));
        fault.hint(match near.as_slice() {
            [] => "menu.describe names them all".to_owned(),
            near => format!("did you mean {}? menu.describe names them all", near.join(" or ")),
        })
    }

    /// What tells a row of `lines` from all others that stand on the router at this moment of the plan.
    ///
    /// # Errors
    /// `BadInput` where nothing does.
    pub fn find(&self, at: usize) -> Result<Find, Fault> {
        let new = |line: &Line| line.added_by.is_some() && !is_rule_menu(&self.menu);
        let row = Other { row: &self.lines[at].row, open: new(&self.lines[at]) };
        let stands = |other: &usize| *other != at && self.lines[*other].stands();
        let others = |with_dynamic: bool| {
            let wanted = move |line: &&Line| with_dynamic || !self.is_dynamic(&line.row);
            let lines = (0..self.lines.len()).filter(stands).map(|other| &self.lines[other]);
            lines.filter(wanted).map(|line| Other { row: &line.row, open: new(line) }).collect::<Vec<_>>()
        };
        // Rows the router made are told from it too where that can be; else those who look it up leave them out.
        let found = self.tell(&row, &others(true)).or_else(|| self.tell(&row, &others(false)));
        found.ok_or_else(|| {
            Fault::bad_input(format!("nothing tells {} from another row", self.named(at)))
                .hint("give the row a comment first, so that it can be found again and the change undone")
        })
    }

    /// What tells a row from all others before it is written and after: the undo has to find it too.
    ///
    /// # Errors
    /// `BadInput` where nothing does.
    pub fn find_through(&self, at: usize, values: &Pairs, unset: &[String]) -> Result<Find, Fault> {
        let find = self.find(at)?;
        let is_off = |row: &Pairs| get(row, "disabled").is_some_and(|word| matches!(word, "yes" | "true"));
        let is_hidden = |(name, _): &&(String, String)| self.known.hides(name);
        if find.by.iter().any(|pair| is_hidden(&pair)) && is_off(&overlaid(&self.lines[at].row, values, unset)) {
            let rest: Pairs = find.by.iter().filter(|pair| !is_hidden(pair)).cloned().collect();
            let stand = self.lines.iter().enumerate().filter(|(other, line)| *other != at && line.stands() && is_off(&line.row));
            if stand.map(|(_, line)| Other { row: &line.row, open: false }).any(|other| self.fits(&other, &rest)) {
                return Err(Fault::bad_input(format!("nothing would tell {} from another disabled row", self.named(at)))
                    .hint("give the row a comment first, so that it can be found again and the change undone"));
            }
        }
        let left = Change::Set { find: find.clone(), before: Pairs::new(), values: values.clone(), secrets: vec![], unset: unset.to_vec() };
        let Some(then) = left.find_after().filter(|then| *then != find) else { return Ok(find) };
        let others = |with_dynamic: bool| {
            let lines = self.lines.iter().enumerate().filter(move |(other, line)| *other != at && line.stands());
            let lines = lines.filter(move |(_, line)| with_dynamic || !self.is_dynamic(&line.row));
            lines.map(|(_, line)| Other { row: &line.row, open: false }).collect::<Vec<_>>()
        };
        if !others(false).iter().any(|other| self.fits(other, &then.by)) {
            return Ok(find);
        }
        let is_written = |name: &str| values.iter().any(|(written, _)| written == name) || unset.iter().any(|written| written == name);
        let rest: Pairs = self.lines[at].row.iter().filter(|(name, _)| !is_written(name)).cloned().collect();
        let row = Other { row: &rest, open: true };
        let found = self.tell(&row, &others(true)).or_else(|| self.tell(&row, &others(false)));
        found.ok_or_else(|| {
            Fault::bad_input(format!("nothing would tell {} from another row then", self.named(at)))
                .hint("give the row a comment first, so that it can be found again and the change undone")
        })
    }

    /// The same for a row as it was read, among the rows as they were read.
    pub fn find_as_read(&self, at: usize) -> Option<Find> {
        let row = Other { row: &self.was[at], open: false };
        let others = |with_dynamic: bool| {
            let rows = self.was.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, row)| row);
            rows.filter(|row| with_dynamic || !self.is_dynamic(row)).map(|row| Other { row, open: false }).collect::<Vec<_>>()
        };
        self.tell(&row, &others(true)).or_else(|| self.tell(&row, &others(false)))
    }

    /// Everything a row says, for a place beside which it stands: it need not be the only one of its kind.
    pub fn loosely(&self, at: usize) -> Find {
        let content = self.known.content_of(self.was[at].iter().map(|(name, value)| (name.as_str(), value.as_str())));
        Find { by: content.into_iter().filter(|(name, _)| self.is_open(name) && self.known.form(name) != Form::Flag).collect() }
    }

    /// What tells a new row from all others by what a router takes to the letter alone (words, names, numbers): how it is found when
    /// the router spells its comment or its addresses otherwise than they were written.
    pub fn to_the_letter(&self, at: usize) -> Option<Find> {
        let literal = |name: &str| {
            let kind = self.facts.and_then(|facts| facts.attr(name)).map(|attr| attr.kind);
            matches!(kind, Some(Kind::Enum(_) | Kind::Name | Kind::Int | Kind::Id)) || matches!(name, "chain" | "action" | "protocol")
        };
        let row = Other { row: &self.lines[at].row, open: true };
        let names = self.lines[at].row.iter().map(|(name, _)| name.as_str());
        let names = names.filter(|name| *name != "comment" && self.known.is_content(name) && self.known.form(name) != Form::Flag);
        let by: Pairs = names.filter(|name| literal(name)).filter_map(|name| Some((name.to_owned(), self.usable(name, &row)?))).collect();
        let mut others = self.lines.iter().enumerate().filter(|(other, line)| *other != at && line.stands());
        let is_taken = others.any(|(_, line)| self.fits(&Other { row: &line.row, open: line.added_by.is_some() }, &by));
        (!by.is_empty() && !is_taken).then_some(Find { by })
    }

    /// The natural key where it tells, else as few attributes as do, a comment first.
    fn tell(&self, row: &Other<'_>, others: &[Other<'_>]) -> Option<Find> {
        let key = self.known.key.iter().map(String::as_str);
        let lasting: Vec<&str> = key.clone().filter(|name| !self.known.hides(name)).collect();
        let is_part = lasting.len() < self.known.key.len();
        let commented = ["comment"].into_iter().filter(|name| is_part && self.known.is_content(name)).chain(lasting.clone());
        // What a disabled row does not show is no way to find it, as long as there is another.
        for names in [lasting, commented.collect(), key.collect()] {
            let by: Pairs = names.into_iter().filter_map(|name| Some((name.to_owned(), self.usable(name, row)?))).collect();
            if !by.is_empty() && !others.iter().any(|other| self.fits(other, &by)) {
                return Some(Find { by });
            }
        }
        let mut left: Vec<&Other<'_>> = others.iter().collect();
        let mut by = Pairs::new();
        let mut names: Vec<&str> = ["comment"].into_iter().chain(self.known.key.iter().map(String::as_str)).chain(self.names()).collect();
        names.retain(|name| self.known.is_content(name) && self.is_open(name) && self.known.form(name) != Form::Flag);
        let present: Pairs = names.iter().filter_map(|name| Some(((*name).to_owned(), self.usable(name, row)?))).collect();
        // That an attribute is not there is said last, and never of a row whose defaults the router has yet to fill in.
        let is_lacking = |name: &&&str| !row.open && !self.known.hides(name) && get(row.row, name).is_none_or(str::is_empty);
        let lacking = names.iter().filter(is_lacking);
        let lacking: Pairs = lacking.map(|name| ((*name).to_owned(), String::new())).collect();
        for pool in [present, lacking] {
            while !left.is_empty() {
                let rest = |pair: &(String, String)| left.iter().filter(|other| self.fits_one(other, pair)).count();
                // The first of the best: a comment that helps at all goes before everything else.
                let comment = pool.iter().find(|pair| pair.0 == "comment" && !pair.1.is_empty() && rest(pair) < left.len());
                let best = comment.or_else(|| pool.iter().min_by_key(|pair| rest(pair)));
                let Some(best) = best.filter(|pair| rest(pair) < left.len()) else { break };
                left.retain(|other| self.fits_one(other, best));
                by.push(best.clone());
            }
        }
        if by.is_empty() {
            // The only row there is: what it says of itself, lest another one that comes meanwhile is taken for it.
            let first = names.iter().find_map(|name| Some(((*name).to_owned(), self.usable(name, row)?)));
            by.extend(first);
        }
        // What came early may have become superfluous.
        for at in (0..by.len()).rev() {
            let without: Pairs = by.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, pair)| pair.clone()).collect();
            if !without.is_empty() && by[at].0 != "comment" && !others.iter().any(|other| self.fits(other, &without)) {
                by = without;
            }
        }
        (left.is_empty() && !by.is_empty()).then_some(Find { by })
    }

    /// A value that can be looked for: there, no secret, and nothing that was no text.
    fn usable(&self, name: &str, row: &Other<'_>) -> Option<String> {
        let value = get(row.row, name)?;
        (self.is_open(name) && !value.is_empty() && !value.contains('\u{FFFD}')).then(|| value.to_owned())
    }

    fn fits(&self, other: &Other<'_>, by: &Pairs) -> bool {
        by.iter().all(|pair| self.fits_one(other, pair))
    }

    fn fits_one(&self, other: &Other<'_>, (name, value): &(String, String)) -> bool {
        match get(other.row, name) {
            Some(has) => self.known.same(name, has, value),
            None => value.is_empty() || other.open,
        }
    }
}
