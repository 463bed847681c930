//! The undo script, run by a router: whatever an edit did to a menu with facts, the script takes it back exactly, order included.
//!
//! Edits are made over REST as the engine makes them; the script runs as the router's own. Cases are generated from the rows that
//! the simulated routers have, and counted.

use routeros_mcp::menus::{self, Menu, Shape};
use routeros_mcp::plan::form::{Form, Known, Pairs, get, overlaid};
use routeros_mcp::plan::inverse;
use routeros_mcp::plan::record::{Change, Find, Place, PlanId, Step, disabled};
use routeros_mcp::routeros::value::Kind;
use routeros_mcp::routeros::{Endpoint, MenuPath, Query, Rest, RouterError, Row, Trust};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::sim::{Options, Sim};
use std::collections::BTreeMap;
use std::time::Duration;

/// Fewer than this many edits applied and undone means that the generator has gone blind.
const CASES_MIN: usize = 1_500;
/// Rows of one menu that are edited.
const ROWS_MAX: usize = 4;

struct Router {
    sim: Sim,
    rest: Rest,
    plan: PlanId,
}

impl Router {
    async fn start(profile: Profile) -> Router {
        let sim = Sim::start(Options { ssh: false, ..Options::new(profile, "edge") }).await.unwrap();
        let admin = sim.credentials().admin;
        let mut endpoint = Endpoint::new("127.0.0.1", sim.http_port(), admin.user, admin.password, Trust::Off);
        endpoint.plain = true;
        Router { sim, rest: Rest::new(endpoint).unwrap(), plan: PlanId("plan-0123456789ab".into()) }
    }

    /// An edit has shut this test out.
    fn is_shut(&self) -> bool {
        let admin = self.sim.credentials().admin;
        !self.sim.lockout_as(admin.user, admin.password.expose()).is_open("www")
    }

    async fn rows(&self, menu: &str) -> Result<Vec<Row>, RouterError> {
        self.rest.print(&MenuPath::parse(menu).unwrap(), &Query::new()).await
    }

    async fn id_of(&self, known: &Known, find: &Find) -> Result<String, RouterError> {
        let rows = self.rows(&known.menu).await?;
        let found: Vec<&Row> = rows.iter().filter(|row| fits(known, find, row) && row.get("dynamic") != Some("true")).collect();
        match found[..] {
            [row] => Ok(row.id().unwrap().to_owned()),
            _ => Err(RouterError::Garbage { why: format!("{} rows of {} for {find:?}", found.len(), known.menu) }),
        }
    }

    /// Puts the script on the router and has it run.
    async fn undo(&self, known: &Known, steps: &[Step]) -> Result<(), String> {
        let source = inverse::script(&self.plan, steps, std::slice::from_ref(known), &Default::default()).unwrap();
        let scripts = MenuPath::parse("/system/script").unwrap();
        let name = inverse::name(&self.plan);
        let made = self.rest.add(&scripts, &[("name", &name), ("source", &source), ("policy", "read,write,policy,test")]).await.unwrap();
        assert_eq!(made.get("source"), Some(source.as_str()));
        assert_ne!(made.get("invalid"), Some("true"), "{source}");
        let ran = self.rest.run_within(&scripts, "run", &[(".id", made.id().unwrap())], Duration::from_secs(60)).await;
        let left = self.rows("/system/script").await.unwrap();
        let is_left = left.iter().any(|row| row.get("name") == Some(&name));
        match ran {
            Ok(_) if !is_left => Ok(()),
            Ok(_) => Err(format!("the script is still there\n{source}")),
            Err(error) => Err(format!("{error}\n{source}")),
        }
    }

    async fn apply(&self, known: &Known, change: &Change) -> Result<(), RouterError> {
        let path = MenuPath::parse(&known.menu).unwrap();
        fn words(pairs: &Pairs) -> Vec<(&str, &str)> {
            pairs.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect()
        }
        match change {
            Change::Add { values, place, .. } => {
                let mut values = values.clone();
                if let Some(Place { before: Some(next) }) = place {
                    values.push(("place-before".into(), self.id_of(known, next).await?));
                }
                self.rest.add(&path, &words(&values)).await.map(drop)
            }
            Change::Set { find, values, unset, .. } => {
                let id = self.id_of(known, find).await?;
                for name in unset {
                    self.rest.unset(&path, &id, name).await?;
                }
                if !values.is_empty() {
                    self.rest.set(&path, &id, &words(values)).await?;
                }
                Ok(())
            }
            Change::SetSingle { values, .. } => self.rest.set_singleton(&path, &words(values)).await,
            Change::Remove { find, by_disabling: true, .. } => {
                let id = self.id_of(known, find).await?;
                self.rest.set(&path, &id, &words(&disabled())).await.map(drop)
            }
            Change::Remove { find, .. } => {
                let id = self.id_of(known, find).await?;
                self.rest.remove(&path, &id).await
            }
            Change::Move { find, to, .. } => {
                let id = self.id_of(known, find).await?;
                let before = match &to.before {
                    Some(next) => Some(self.id_of(known, next).await?),
                    None => None,
                };
                self.rest.mv(&path, &id, before.as_deref()).await
            }
            Change::Run { .. } => Ok(()),
        }
    }
}

fn known(menu: &Menu, rows: &[Row]) -> Known {
    let own = |name: &str| menu.attr(name).is_none_or(|attr| !attr.read_only);
    let mut content: BTreeMap<String, Form> =
        menu.attrs.iter().filter(|attr| !attr.read_only).map(|attr| (attr.name.to_owned(), Form::of(attr.kind))).collect();
    for (name, _) in rows.iter().flat_map(Row::attributes).filter(|(name, _)| own(name)) {
        content.entry(name.to_owned()).or_insert(Form::Text);
    }
    Known {
        menu: menu.path.into(),
        singleton: menu.shape == Shape::Singleton,
        ordered: menu.shape == Shape::Ordered,
        key: menu.key.iter().map(|name| (*name).to_owned()).collect(),
        content: content.into_iter().collect(),
        secret: menu.secrets().map(str::to_owned).collect(),
        unset: menu.path.contains("/firewall/") || menu.path.ends_with("/route"),
        marks: marks(rows),
        stranger: false,
    }
}

fn marks(rows: &[Row]) -> Vec<String> {
    let seen = |mark: &&&str| rows.iter().any(|row| row.get(mark).is_some());
    ["dynamic", "connection"].iter().filter(seen).map(|mark| (*mark).to_owned()).collect()
}

fn fits(known: &Known, find: &Find, row: &Row) -> bool {
    find.by.iter().all(|(name, value)| row.get(name).is_some_and(|found| known.form(name).same(found, value)))
}

/// What tells the row from the others: its key, else its comment, else all its texts.
fn find(known: &Known, rows: &[Row], row: &Row) -> Option<Find> {
    let by = |names: &mut dyn Iterator<Item = &str>| -> Option<Find> {
        let by: Pairs = names.filter_map(|name| Some((name.to_owned(), row.get(name)?.to_owned()))).collect();
        let find = Find { by };
        (!find.by.is_empty() && rows.iter().filter(|other| fits(known, &find, other)).count() == 1).then_some(find)
    };
    // A disabled route shows no table.
    let key = known.key.iter().map(String::as_str).filter(|name| known.menu != "/ip/route" || *name != "routing-table");
    by(&mut key.into_iter())
        .or_else(|| by(&mut ["comment"].into_iter()))
        .or_else(|| by(&mut ["chain", "comment", "action", "src-address", "dst-address", "dst-port", "in-interface"].into_iter()))
}

/// Another value than this one that the router may take.
fn other(menu: &Menu, name: &str, value: Option<&str>, turn: usize) -> Option<String> {
    const TEXTS: [&str; 4] = ["plain", "a \"b\" $c; [/quit] \\d?", "ü € \u{1f980}", "two\nlines"];
    let kind = menu.attr(name).map_or(Kind::Any, |attr| attr.kind);
    let other = match (kind, value) {
        (Kind::Flag, value) => if matches!(value, Some("true" | "yes" | "")) { "no" } else { "yes" }.to_owned(),
        (Kind::Int | Kind::Count, Some(value)) => (value.parse::<i64>().ok()? + 1).to_string(),
        (Kind::Text, _) if name == "comment" => TEXTS[turn % TEXTS.len()].to_owned(),
        (Kind::Enum(words), Some(value)) => (*words.iter().find(|word| **word != value)?).to_owned(),
        (Kind::Span, Some(_)) => "37m".to_owned(),
        (Kind::Set | Kind::List, Some(value)) if value.contains('.') => "192.0.2.9,198.51.100.9".to_owned(),
        (Kind::Text | Kind::Any, Some(value)) if value.bytes().all(|b| b.is_ascii_alphabetic()) => format!("{value}x"),
        _ => return None,
    };
    (Some(other.as_str()) != value).then_some(other)
}

/// Every edit of this menu that can be thought of from its rows.
fn changes(menu: &Menu, known: &Known, rows: &[Row]) -> Vec<Change> {
    let own = |row: &Row| row.get("dynamic") != Some("true") && row.get("builtin") != Some("true") && row.get("default") != Some("true");
    let mut changes = Vec::new();
    for (turn, row) in rows.iter().enumerate().filter(|(_, row)| own(row)).take(ROWS_MAX) {
        let before = known.content_of(row.iter());
        if known.singleton {
            for (name, _) in &known.content {
                if let Some(value) = other(menu, name, get(&before, name), turn).filter(|_| !known.is_secret(name)) {
                    let values = vec![(name.clone(), value)];
                    changes.push(Change::SetSingle { before: before.clone(), values, secrets: vec![], unset: vec![] });
                }
            }
            continue;
        }
        let Some(which) = find(known, rows, row) else { continue };
        let holds_secret = row.iter().any(|(name, value)| known.is_secret(name) && !value.is_empty());
        // Other rows may refer to it: they would refer to a dead one for good, even if it is made again under its name.
        let stays = holds_secret || (known.key == ["name"] && known.is_content("disabled"));
        for name in known.content.iter().map(|(name, _)| name).filter(|name| !known.is_secret(name)) {
            let value = other(menu, name, get(&before, name), turn);
            // Written over what tells it apart it must still be told apart; a draft looks for that.
            let after = |value: &String| Find { by: overlaid(&which.by, &vec![(name.clone(), value.clone())], &[]) };
            let told =
                |value: &String| which.by.iter().all(|(by, _)| by != name) || !rows.iter().any(|row| fits(known, &after(value), row));
            if let Some(value) = value.filter(told) {
                let values = vec![(name.clone(), value)];
                changes.push(Change::Set { find: which.clone(), before: before.clone(), values, secrets: vec![], unset: vec![] });
            }
            // What a rule must have reads as its default once it is taken away; a draft refuses that.
            let can_go = known.unset && name != "disabled" && menu.attr(name).is_some_and(|attr| !attr.required);
            if can_go && get(&before, name).is_some() && !which.by.iter().any(|(by, _)| by == name) {
                let unset = vec![name.clone()];
                changes.push(Change::Set { find: which.clone(), before: before.clone(), values: vec![], secrets: vec![], unset });
            }
        }
        let next = rows[turn + 1..].iter().find(|row| own(row)).and_then(|next| find(known, rows, next));
        let place = known.ordered.then(|| Place { before: next.clone() });
        // A row that ends up elsewhere because it cannot be told what stands after it is no case.
        // Nor is one with a name that others may use and that cannot be disabled: a draft refuses it.
        let exact = stays || known.key != ["name"];
        if exact && (!known.ordered || next.is_some() || turn + 1 == rows.len()) {
            changes.push(Change::Remove { find: which.clone(), before: before.clone(), place: place.clone(), by_disabling: stays });
        }
        if let Some(from) = place.filter(|place| place.before.is_some()) {
            let to = Place { before: find(known, rows, &rows[0]).filter(|first| *first != which) };
            changes.push(Change::Move { find: which.clone(), row: before.clone(), from, to });
        }
        if !holds_secret {
            let mut values: Pairs = before.iter().filter(|(name, value)| name != "default-name" && !value.is_empty()).cloned().collect();
            let told: Vec<String> = if known.key.is_empty() { vec!["comment".into()] } else { known.key.clone() };
            for name in &told {
                values.retain(|(known, _)| known != name);
                let old = get(&before, name).unwrap_or("new");
                let new = match Form::of(menu.attr(name).map_or(Kind::Any, |attr| attr.kind)) {
                    Form::Address => match old.split_once('/') {
                        Some((_, length)) => format!("203.0.113.{}/{length}", turn + 1),
                        None => format!("203.0.113.{}", turn + 1),
                    },
                    Form::Text if name != "interface" => format!("{old}-{turn}"),
                    _ => old.to_owned(),
                };
                values.push((name.clone(), new));
            }
            let find = Find { by: values.iter().filter(|(name, _)| told.contains(name)).cloned().collect() };
            if !rows.iter().any(|row| fits(known, &find, row)) {
                let place = known.ordered.then(|| Place { before: Some(which.clone()) });
                changes.push(Change::Add { values, secrets: vec![], place, find });
            }
        }
    }
    changes
}

/// Rows by content, in order where order is content; nothing of how they came to be.
fn contents(known: &Known, rows: &[Row]) -> Vec<Pairs> {
    let lasting = |row: &&Row| row.get("dynamic") != Some("true");
    let mut contents: Vec<Pairs> = rows.iter().filter(lasting).map(|row| known.content_of(row.iter())).collect();
    for row in &mut contents {
        // An absent flag says no, an absent text nothing, a flag without a word yes: only then may rows be put in order.
        row.retain(|(name, value)| !matches!(value.as_str(), "no" | "false") && (!value.is_empty() || known.form(name) == Form::Flag));
        row.sort();
    }
    if !known.ordered {
        contents.sort();
    }
    contents
}

fn same(known: &Known, a: &[Pairs], b: &[Pairs]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| known.same_content(a, b))
}

#[tokio::test]
async fn every_edit_of_a_menu_with_facts_is_taken_back_exactly_by_the_routers_own_script() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut refused, mut shut, mut menus_seen, mut wrong) = (0, 0, 0, Vec::new());
    for profile in [Profile::Office, Profile::HomeAp] {
        let mut router = Router::start(profile).await;
        for menu in menus::all().iter().filter(|menu| !menu.read_only && is_edited(menu)) {
            let Ok(rows) = router.rows(menu.path).await else { continue };
            let known = known(menu, &rows);
            menus_seen += 1;
            for change in changes(menu, &known, &rows) {
                if wrong.len() > 4 {
                    break;
                }
                let before = contents(&known, &router.rows(menu.path).await.unwrap());
                let applied = router.apply(&known, &change).await;
                if router.is_shut() {
                    // What the router does about those by itself is shown in `plan_lockout.rs`.
                    shut += 1;
                    router = Router::start(profile).await;
                    continue;
                }
                match applied {
                    Ok(()) => {}
                    Err(RouterError::Garbage { why }) => {
                        wrong.push(why);
                        continue;
                    }
                    Err(_) => {
                        refused += 1;
                        continue;
                    }
                }
                let between = contents(&known, &router.rows(menu.path).await.unwrap());
                let verb = change.verb();
                // Unconditional steps are the simpler ones: every third case sees them too.
                let also = if counts.values().sum::<usize>() % 3 == 0 { 2 } else { 1 };
                for gives_access in [false, true].into_iter().take(also) {
                    let step = Step { edit: 0, menu: menu.path.into(), change: change.clone(), gives_access };
                    if let Err(why) = router.undo(&known, std::slice::from_ref(&step)).await {
                        wrong.push(why);
                    }
                    let after = contents(&known, &router.rows(menu.path).await.unwrap());
                    if !same(&known, &before, &after) {
                        let odd = |these: &[Pairs], those: &[Pairs]| {
                            these
                                .iter()
                                .filter(|row| !those.iter().any(|other| known.same_content(row, other)))
                                .cloned()
                                .collect::<Vec<_>>()
                        };
                        let (lost, new) = (odd(&before, &after), odd(&after, &before));
                        let was_done = before != between;
                        wrong.push(format!("{} {change:?}\ndone {was_done}, lost {lost:?}\nnew {new:?}", menu.path));
                        break;
                    }
                }
                *counts.entry(verb).or_default() += 1;
            }
        }
    }
    let total: usize = counts.values().sum();
    println!(
        "{total} edits of {menus_seen} menus applied and undone: {counts:?}; {refused} refused by the router, {shut} would shut us out"
    );
    assert!(shut * 10 <= total, "{shut} edits were left to another test");
    assert!(wrong.is_empty(), "{} not undone:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n\n"));
    for verb in ["add", "set", "remove", "move"] {
        assert!(counts.get(verb).copied().unwrap_or_default() >= 20, "{verb}: {counts:?}");
    }
    assert!(total >= CASES_MIN, "{total} cases, at least {CASES_MIN}");
}

/// Menus whose edits would cut off the test itself, or are code.
fn is_edited(menu: &Menu) -> bool {
    !matches!(menu.path, "/ip/service" | "/user" | "/user/group" | "/system/script" | "/system/scheduler" | "/file")
}
