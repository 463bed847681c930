//! A drafter small enough to read: values as they are, one row a match.

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use routeros_mcp::base::fault::Fault;
use routeros_mcp::fleet::{Fleet, Read};
use routeros_mcp::menus::{self, Shape};
use routeros_mcp::plan::edit::{Edit, Op};
use routeros_mcp::plan::form::{Form, Known, Pairs};
use routeros_mcp::plan::record::{Change, Cut, Draft, Find, Observed, Place, Risk, Step};
use routeros_mcp::plan::{Ask, Drafter, inverse, rows};
use routeros_mcp::routeros::{MenuPath, Row};
use serde_json::{Map, Value};
use std::sync::Mutex;

/// Drafts what these tests ask for.
pub(crate) struct Mini {
    /// Of the appliance's life that drafts now.
    pub(super) fleet: Mutex<Option<Fleet>>,
    /// What every draft is said to risk.
    pub danger: Mutex<(Risk, Cut)>,
}

impl Default for Mini {
    fn default() -> Self {
        Mini { fleet: Mutex::default(), danger: Mutex::new((Risk::Medium, Cut::No)) }
    }
}

impl Mini {
    /// From now on drafts want a guard, and so an approval.
    pub fn guarded(&self) {
        *self.danger.lock().unwrap() = (Risk::High, Cut::No);
    }
}

impl Drafter for Mini {
    fn draft<'a>(&'a self, ask: Ask<'a>) -> BoxFuture<'a, Result<Draft, Fault>> {
        async move {
            let fleet = self.fleet.lock().unwrap().clone().unwrap();
            let lane = fleet.lane(ask.device);
            let (risk, cut) = *self.danger.lock().unwrap();
            let mut draft = Draft {
                plan: ask.plan.clone(),
                device: ask.device.id.clone(),
                name: ask.device.name.clone(),
                serial: ask.device.facts.serial.clone(),
                pins: ask.device.pins.clone(),
                version: ask.device.facts.version.clone(),
                known: vec![],
                observed: vec![],
                absent: vec![],
                steps: vec![],
                risk,
                cut,
                cut_reasons: vec![],
                settle_s: 0,
                inverse: String::new(),
            };
            for edit in ask.edits {
                let rows = lane.read(Read::fresh(MenuPath::parse(&edit.menu)?)).await?.rows;
                add_edit(&mut draft, edit, &rows);
            }
            draft.inverse = inverse::script(ask.plan, &draft.steps, &draft.known, &Default::default())?;
            Ok(draft)
        }
        .boxed()
    }
}

pub(super) fn known(menu: &str) -> Known {
    let facts = menus::find(menu).unwrap();
    let content = facts.attrs.iter().filter(|attr| !attr.read_only).map(|attr| (attr.name.to_owned(), Form::of(attr.kind))).collect();
    Known {
        menu: menu.into(),
        singleton: facts.shape == Shape::Singleton,
        ordered: facts.shape == Shape::Ordered,
        key: facts.key.iter().map(|name| (*name).to_owned()).collect(),
        content,
        secret: facts.attrs.iter().filter(|attr| attr.secret).map(|attr| attr.name.to_owned()).collect(),
        unset: menu.starts_with("/ip/firewall"),
        marks: vec![],
        stranger: false,
    }
}

fn pairs(map: &Map<String, Value>) -> Pairs {
    map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}

fn add_edit(draft: &mut Draft, edit: &Edit, menu_rows: &[Row]) {
    let known = known(&edit.menu);
    let values = pairs(&edit.values);
    let find = Find { by: pairs(&edit.which) };
    let see = |draft: &mut Draft, at: usize, find: Option<Find>| {
        let row = rows::content(&known, &menu_rows[at]);
        let next = menu_rows.get(at + 1).filter(|_| known.ordered).map(|next| Find { by: rows::content(&known, next) });
        draft.observed.push(Observed { menu: edit.menu.clone(), find, row: row.clone(), next: next.clone() });
        (row, next)
    };
    let found = |find: &Find| rows::one(&known, menu_rows, find).unwrap().0;
    let change = match edit.op {
        Op::Add => {
            let before = edit.place_before.as_ref().and_then(Value::as_object).map(|which| Find { by: pairs(which) });
            if let Some(before) = &before {
                see(draft, found(before), Some(before.clone()));
            }
            let place = known.ordered.then_some(Place { before });
            draft.absent.push((edit.menu.clone(), Find { by: values.clone() }));
            Change::Add { find: Find { by: values.clone() }, values, secrets: vec![], place }
        }
        Op::Set if known.singleton => Change::SetSingle { before: see(draft, 0, None).0, values, secrets: vec![], unset: vec![] },
        Op::Set => {
            let before = see(draft, found(&find), Some(find.clone())).0;
            Change::Set { find, before, values, secrets: vec![], unset: vec![] }
        }
        Op::Remove => {
            let (before, next) = see(draft, found(&find), Some(find.clone()));
            Change::Remove { find, before, place: known.ordered.then_some(Place { before: next }), by_disabling: edit.each }
        }
        Op::Run => Change::Run { command: edit.command.clone().unwrap(), find: None, args: vec![] },
        other => panic!("these tests do not {}", other.as_str()),
    };
    draft.steps.push(Step { edit: draft.steps.len() as u32, menu: edit.menu.clone(), change, gives_access: false });
    if !draft.known.iter().any(|other| other.menu == known.menu) {
        draft.known.push(known);
    }
}
