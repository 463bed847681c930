//! Sites from text, edits from lines, and a source of rows that counts what it is asked.

use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::menus::{self, Shape};
use crate::plan::form::{Form, Known, Pairs, get};
use crate::plan::lockout::site::{Source, read};
use crate::plan::lockout::{ManagementPath, Service, Site};
use crate::plan::record::{Change, Cut, Find, Place, Step};
use crate::plan::risk::{Judgement, judge};
use crate::routeros::{Query, Row};
use std::sync::Mutex;

/// `a=b c="d e"` as pairs.
pub fn pairs(line: &str) -> Pairs {
    words(line).iter().filter_map(|word| word.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Words; quotes hold spaces together and go.
pub fn words(line: &str) -> Vec<String> {
    let (mut all, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => (quoted, any) = (!quoted, true),
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    all.push(std::mem::take(&mut word));
                }
                any = false;
            }
            _ => word.push(c),
        }
    }
    if any || !word.is_empty() {
        all.push(word);
    }
    all
}

/// One of the four sites.
pub fn site(name: &str) -> Site {
    let text = match name {
        "home" => include_str!("home.txt"),
        "office" => include_str!("office.txt"),
        "tower" => include_str!("tower.txt"),
        "chr" => include_str!("chr.txt"),
        other => panic!("no site {other}"),
    };
    let mut site = Site::default();
    let mut menu = String::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(path) = line.strip_prefix("@ ") {
            let told = pairs(path);
            let services = get(&told, "services").unwrap().split(',').filter_map(|one| one.split_once(':'));
            site.path = ManagementPath {
                source: None,
                own: get(&told, "source").unwrap().parse().ok(),
                router: get(&told, "router").unwrap().parse().ok(),
                services: services.map(|(name, port)| Service { name: name.to_owned(), port: port.parse().unwrap() }).collect(),
                user: get(&told, "user").unwrap().to_owned(),
            };
        } else if line.starts_with('/') {
            menu = line.to_owned();
            site.rows.entry(menu.clone()).or_default();
        } else {
            site.rows.get_mut(&menu).unwrap().push(pairs(line));
        }
    }
    assert!(site.rows.len() > 20, "{name} has {} menus", site.rows.len());
    site
}

/// What a draft would know of the menus.
pub fn known(steps: &[Step]) -> Vec<Known> {
    let mut all: Vec<Known> = Vec::new();
    for step in steps.iter().filter(|step| menus::find(&step.menu).is_some()) {
        let facts = menus::find(&step.menu).unwrap();
        if all.iter().any(|known| known.menu == step.menu) {
            continue;
        }
        all.push(Known {
            menu: step.menu.clone(),
            singleton: facts.shape == Shape::Singleton,
            ordered: facts.shape == Shape::Ordered,
            key: facts.key.iter().map(|name| (*name).to_owned()).collect(),
            content: facts.attrs.iter().filter(|attr| !attr.read_only).map(|attr| (attr.name.to_owned(), Form::of(attr.kind))).collect(),
            secret: facts.secrets().map(str::to_owned).collect(),
            unset: false,
            marks: vec![],
            stranger: false,
        });
    }
    all
}

/// `home: set /ip/service [name=www-ssl] port=8443 ; …`: verb, menu, which row, values, `@` and the row to stand before.
pub fn plan(line: &str) -> (&str, Vec<Step>) {
    let (name, edits) = line.split_once(": ").unwrap();
    (name, steps(site(name), edits))
}

/// The edits of a plan on this site.
pub fn steps(mut site: Site, edits: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for (n, edit) in edits.split(" ; ").enumerate() {
        let step = Step { edit: n as u32, ..step(&site, edit) };
        // Later edits of a plan name rows that earlier ones made.
        if let (Change::Add { values, .. }, Some(rows)) = (&step.change, site.rows.get_mut(&step.menu)) {
            rows.push(values.clone());
        }
        steps.push(step);
    }
    steps
}

/// Judged on a site that is a little different, by all its rows and by those that would be read; both say the same.
pub fn judged_where(line: &str, differs: impl Fn(&mut Site)) -> Judgement {
    let (name, edits) = line.split_once(": ").unwrap();
    let mut whole = site(name);
    differs(&mut whole);
    let steps = steps(whole.clone(), edits);
    let all = judge(&whole, &steps, &known(&steps), Environment::Staging);
    let (read, _) = read_of(&whole, &steps);
    let read = judge(&read, &steps, &known(&steps), Environment::Staging);
    assert_eq!((all.cut, &all.cut_reasons), (read.cut, &read.cut_reasons), "{line}: all rows and those read");
    all
}

/// A change of a site: rows more of a menu, or another way.
pub type Differs = fn(&mut Site);

/// Claims that each of these edits is one that can cut us off, or may.
pub fn none_is_harmless(edits: &[(&str, Differs)]) {
    let is_harmless = |(line, differs): &&(&str, Differs)| judged_where(line, differs).cut == Cut::No;
    let wrong: Vec<&str> = edits.iter().filter(is_harmless).map(|(line, _)| *line).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Claims that none of these edits can.
pub fn all_are_harmless(edits: &[(&str, Differs)]) {
    let judged = edits.iter().map(|(line, differs)| (line, judged_where(line, differs))).filter(|(_, judged)| judged.cut != Cut::No);
    let wrong: Vec<String> = judged.map(|(line, judged)| format!("{line}: {:?}", judged.cut_reasons)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn step(site: &Site, edit: &str) -> Step {
    let (edit, place) = match edit.split_once(" @") {
        Some((edit, before)) => (edit, Some(Place { before: Some(Find { by: pairs(before) }).filter(|find| !find.by.is_empty()) })),
        None => (edit, None),
    };
    let (head, tail) = match edit.split_once('[') {
        Some((head, rest)) => {
            let (find, tail) = rest.split_once(']').unwrap();
            (head.to_owned(), (Some(pairs(find)), tail))
        }
        None => (edit.to_owned(), (None, "")),
    };
    let mut head = head.trim().splitn(3, ' ');
    let (verb, menu) = (head.next().unwrap(), head.next().unwrap());
    let rest = head.next().unwrap_or(tail.1);
    let (unset, values): (Vec<String>, Vec<String>) =
        words(rest).into_iter().partition(|word| word.starts_with('!') && !word.contains('='));
    let unset: Vec<String> = unset.iter().map(|word| word[1..].to_owned()).collect();
    let (secret, values): (Pairs, Pairs) = values
        .iter()
        .filter_map(|word| word.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .partition(|(_, value)| value == "(secret)");
    let secrets: Vec<_> =
        secret.into_iter().map(|(attribute, _)| crate::plan::record::SecretValue { attribute, handle: "generate".into() }).collect();
    let ordered = menus::find(menu).is_some_and(|facts| facts.shape == Shape::Ordered);
    let rows = site.rows.get(menu).cloned().unwrap_or_default();
    let find = tail.0.map(|by| Find { by });
    let row = || -> Pairs {
        let Some(find) = &find else { return rows.first().cloned().unwrap_or_default() };
        let fits = |row: &&Pairs| find.by.iter().all(|(name, value)| get(row, name) == Some(value)) && get(row, "connection").is_none();
        let content = |name: &str| menus::find(menu).is_none_or(|facts| facts.attr(name).is_none_or(|attr| !attr.read_only));
        let whole = rows.iter().find(fits).unwrap_or_else(|| panic!("{menu} has no {:?}", find.by)).clone();
        whole.into_iter().filter(|(name, _)| content(name) || name == "name").collect()
    };
    let change = match verb {
        "add" => {
            let place = place.or(ordered.then_some(Place { before: None }));
            Change::Add { find: Find { by: values.clone() }, values, secrets, place }
        }
        "set" if find.is_none() => Change::SetSingle { before: row(), values, secrets, unset },
        "set" => Change::Set { before: row(), find: find.unwrap(), values, secrets, unset },
        "disable" | "enable" => {
            let values = vec![("disabled".to_owned(), if verb == "disable" { "yes" } else { "no" }.to_owned())];
            Change::Set { before: row(), find: find.unwrap(), values, secrets, unset }
        }
        "remove" => {
            Change::Remove { before: row(), find: find.unwrap(), place: ordered.then_some(Place { before: None }), by_disabling: false }
        }
        "move" => {
            Change::Move { row: row(), find: find.unwrap(), from: Place { before: None }, to: place.unwrap_or(Place { before: None }) }
        }
        "run" => Change::Run { command: get(&values, "command").unwrap().to_owned(), find, args: vec![] },
        other => panic!("no verb {other}"),
    };
    Step { edit: 0, menu: menu.to_owned(), change, gives_access: false }
}

/// Judged on everything the site has.
pub fn judged(line: &str) -> Judgement {
    let (name, steps) = plan(line);
    judge(&site(name), &steps, &known(&steps), Environment::Staging)
}

/// Judged on what would have been read for it; and how many requests that took.
pub fn judged_on_read(line: &str) -> (Judgement, usize) {
    let (name, steps) = plan(line);
    let (site, asked) = site_read(name, &steps);
    (judge(&site, &steps, &known(&steps), Environment::Staging), asked.len())
}

/// The site as it would be read, and the menus asked for.
pub fn site_read(name: &str, steps: &[Step]) -> (Site, Vec<String>) {
    read_of(&site(name), steps)
}

fn read_of(whole: &Site, steps: &[Step]) -> (Site, Vec<String>) {
    let router = Router { site: whole, asked: Mutex::new(Vec::new()), denied: &[] };
    let found = futures_util::FutureExt::now_or_never(read(&router, whole.path.clone(), steps)).unwrap().unwrap();
    let asked = router.asked.into_inner().unwrap();
    (found, asked)
}

/// A router that answers from a site's rows.
pub struct Router<'s> {
    pub site: &'s Site,
    pub asked: Mutex<Vec<String>>,
    pub denied: &'s [&'s str],
}

impl Source for Router<'_> {
    async fn rows(&self, menu: &str, query: Query) -> Result<Vec<Row>, Fault> {
        query.check()?;
        self.asked.lock().unwrap().push(menu.to_owned());
        if self.denied.contains(&menu) {
            return Err(Fault::new(Kind::RouterDenied, "not enough permissions (9)"));
        }
        let Some(rows) = self.site.rows.get(menu) else { return Err(Fault::new(Kind::NotFound, "no such command")) };
        let rows = rows.iter().map(|row| Row::from_pairs(row.iter().map(|(name, value)| (name, value))));
        Ok(rows.filter(|row| query.keeps(row)).collect())
    }
}
