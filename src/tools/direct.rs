//! Direct writes, as every tool that makes one asks for it and answers.
//!
//! Read first, write only the difference, read back: the engine does that ([`crate::plan::direct`]). A tool says which edit it is, and
//! how its own words stand for the rows.

use crate::base::fault::Fault;
use crate::plan::edit::Edit;
use crate::plan::form::{Form, Pairs, get};
use crate::plan::record::{Change, Draft};
use crate::plan::{Came, Wish};
use crate::tools::context::Cx;
use crate::tools::router::Router;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

/// What became of a direct write.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Written {
    /// Whether the router was changed.
    pub changed: bool,
    /// As it was.
    pub before: Option<Map<String, Value>>,
    /// As it is now, or would be.
    pub after: Option<Map<String, Value>>,
    /// Set when nothing was to be written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// The plan it needs, when a person has to approve it first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Waiting>,
    /// What to know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Written {
    /// Nothing was to be written: both sides are the same.
    pub(super) fn unchanged(side: Option<Map<String, Value>>, dry_run: bool, note: &str) -> Self {
        Written { changed: false, before: side.clone(), after: side, dry_run: dry_run.then_some(true), plan: None, note: Some(note.into()) }
    }
}

/// A plan that waits for approval.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Waiting {
    /// Its id.
    pub id: String,
    /// Its state.
    pub state: String,
    /// How many it needs, and how to give them.
    pub approvals: Approvals,
}

/// What it needs.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Approvals {
    /// Persons who have to say yes.
    pub needed: u8,
    /// Where, if there is a page for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// At the command line.
    pub how: String,
}

/// What a tool shows of both sides.
pub type Sides = (Option<Map<String, Value>>, Option<Map<String, Value>>);

/// Makes the change, or says why it is not made. `fits` may refuse what the draft came to, `sides` says it in the tool's words.
pub async fn write(
    cx: &Cx,
    router: &Router<'_>,
    (edits, reason): (Vec<Edit>, String),
    dry_run: bool,
    fits: impl FnOnce(&Draft) -> Result<(), Fault>,
    sides: impl FnOnce(&Draft) -> Sides,
) -> Result<Written, Fault> {
    let wish = Wish {
        who: &cx.principal,
        person: cx.person()?,
        origin: cx.tool.name,
        device: &router.device,
        edits,
        reason,
        dry_run,
        begun: cx.begun,
    };
    let direct = cx.world.plans.direct(wish, fits).await?;
    let (before, mut after) = sides(&direct.draft);
    let plan = &direct.plan;
    if matches!(direct.came, Came::Done | Came::Waits) {
        cx.about_plan(plan);
    }
    let mut written =
        Written { changed: direct.came == Came::Done, before, after: None, dry_run: dry_run.then_some(true), plan: None, note: None };
    match direct.came {
        Came::Done => {}
        Came::Already => written.note = Some("it is so already; nothing was written".into()),
        Came::Dry if plan.needed > 0 => written.note = Some(format!("{} risk: a person would have to approve it", plan.risk.as_str())),
        Came::Dry => {}
        Came::Waits => {
            after.clone_from(&written.before);
            let approvals = Approvals {
                needed: plan.needed,
                url: cx.world.settings.plan_url(&plan.id),
                how: format!("a person runs: routeros-mcp plan approve {}; then plan.apply", plan.id),
            };
            written.plan = Some(Waiting { id: plan.id.to_string(), state: plan.state.as_str().into(), approvals });
            written.note = Some(format!("{} risk: nothing was written, a person has to approve it first", plan.risk.as_str()));
        }
    }
    written.after = after;
    Ok(written)
}

/// Nothing more to say about a draft.
pub fn whatever(_draft: &Draft) -> Result<(), Fault> {
    Ok(())
}

/// One row before and after, under the tool's own names: `(attribute, name)`.
pub fn one_row<'a>(names: &'a [(&'a str, &'a str)]) -> impl FnOnce(&Draft) -> Sides + 'a {
    move |draft| {
        let step = draft.steps.iter().find(|step| !matches!(step.change, Change::Run { .. }));
        let observed = draft.observed.first().map(|seen| (seen.menu.as_str(), &seen.row));
        let (menu, before, after): (&str, Option<Pairs>, Option<Pairs>) = match step {
            None => match observed {
                Some((menu, row)) => (menu, Some(row.clone()), Some(row.clone())),
                None => return (None, None),
            },
            Some(step) => {
                let before = match &step.change {
                    Change::Set { before, .. } | Change::SetSingle { before, .. } | Change::Remove { before, .. } => Some(before.clone()),
                    Change::Add { .. } | Change::Move { .. } | Change::Run { .. } => None,
                };
                (&step.menu, before, step.change.after())
            }
        };
        let shown = |pairs: Pairs| named(draft, menu, &pairs, names);
        (before.map(shown), after.map(shown))
    }
}

fn named(draft: &Draft, menu: &str, pairs: &Pairs, names: &[(&str, &str)]) -> Map<String, Value> {
    let form = |name: &str| draft.known(menu).map_or(Form::Text, |known| known.form(name));
    let value = |name: &str| match (get(pairs, name).unwrap_or_default(), form(name)) {
        (text, Form::List | Form::Set) => Value::from(text.split(',').filter(|word| !word.is_empty()).collect::<Vec<_>>()),
        (text, Form::Flag) => Value::from(matches!(text, "yes" | "true")),
        (text, _) => Value::from(text),
    };
    names.iter().map(|(attribute, name)| ((*name).to_owned(), value(attribute))).collect()
}
