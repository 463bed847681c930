//! One plan: what it changes, whether we would lock ourselves out, who said yes, what is armed, and what can be done now.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, items, maybe, spaced, text, words};
use super::{Desk, html, seen_other};
use crate::access::role::Role;
use crate::access::session::Way;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::tier::Effect;
use crate::http::fault::Refusal;
use crate::http::{Body, query};
use crate::shape::table::inner;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

#[derive(Template)]
#[template(path = "plan.html", config = "assets/ui/askama.toml")]
struct Plan {
    frame: Frame,
    id: String,
    reason: String,
    state: String,
    state_words: String,
    risk: String,
    by: String,
    at: String,
    exact: String,
    why: Option<String>,
    next: Option<String>,
    cut: String,
    cut_words: &'static str,
    undo_words: &'static str,
    unguarded: bool,
    cut_reasons: Vec<String>,
    keeps: String,
    verify: Vec<String>,
    batch: Option<String>,
    devices: Vec<Device>,
    names: String,
    given: Vec<Approval>,
    needed: u64,
    digest: String,
    can_approve: bool,
    fresh: bool,
    by_password: bool,
    acts: Vec<Act>,
    made: Vec<Made>,
    revealed: Option<String>,
}

/// A secret that was generated for the plan.
struct Made {
    secret: String,
    about: String,
    can_be_seen: bool,
    seen: Option<String>,
}

struct Device {
    id: String,
    name: String,
    state: String,
    state_words: String,
    guard: Option<String>,
    fires_at: Option<String>,
    error: Option<String>,
    difference: Option<String>,
    edits: Vec<Edit>,
    omitted: Option<String>,
}

struct Edit {
    op: String,
    menu: String,
    command: Option<String>,
    note: Option<String>,
    key: String,
    place: Option<String>,
    cells: Vec<Cell>,
}

/// One attribute, before and after.
pub struct Cell {
    pub name: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

struct Approval {
    by: String,
    at: String,
    until: String,
}

/// One thing that can be done with the plan as it is now.
struct Act {
    verb: &'static str,
    name: &'static str,
    about: String,
    proof: bool,
    danger: bool,
}

/// The page.
pub async fn page(desk: &Desk<'_>, id: &str) -> Result<Response<Body>, Refusal> {
    let plan = desk.ask("plan.get", json!({"plan_id": id})).await?;
    html(&shown(desk, &plan))
}

/// The page with a secret that was generated for the plan: in the answer to the form, and nowhere after.
async fn reveal(desk: &mut Desk<'_>, id: &str, given: Form) -> Result<Response<Body>, Refusal> {
    if let Some(page) = prove_first(desk, &given, &format!("/admin/plans/{}", query::encoded(id))).await? {
        return Ok(page);
    }
    let seen = desk.ask("plan.reveal", json!({"plan_id": id, "secret": given.need("secret")?})).await?;
    let plan = desk.ask("plan.get", json!({"plan_id": id})).await?;
    html(&Plan { revealed: maybe(&seen, "value"), ..shown(desk, &plan) })
}

fn shown(desk: &Desk<'_>, plan: &Value) -> Plan {
    let now = desk.edge.dispatch.world().clock.wall();
    let (state, exact, risk) = (text(plan, "state"), text(plan, "created_at"), text(plan, "risk"));
    let devices: Vec<Device> = items(&plan["devices"]).map(device).collect();
    let given = items(&plan["approvals"]["given"]);
    let given: Vec<Approval> =
        given.map(|one| Approval { by: text(one, "by"), at: ago(&text(one, "at"), now), until: text(one, "expires_at") }).collect();
    let needed = plan["approvals"]["needed"].as_u64().unwrap_or_default();
    let names = devices.iter().map(|device| device.name.as_str()).collect::<Vec<_>>().join(", ");
    let cut = text(plan, "can_cut_access");
    let role = desk.session.role;
    let unguarded = plan["unguarded"] == true;
    // Nobody says yes to what they were not shown.
    let is_whole = devices.iter().all(|device| device.omitted.is_none());
    Plan {
        frame: desk.frame().live("plan"),
        id: text(plan, "id"),
        reason: text(plan, "reason"),
        state_words: spaced(&state),
        by: text(plan, "created_by"),
        at: ago(&exact, now),
        why: maybe(plan, "why"),
        next: maybe(plan, "next"),
        cut_words: match cut.as_str() {
            "yes" => "This change would cut the connection we reach the router by.",
            "no" => "This change does not touch the way we reach the router.",
            _ => "Whether this change cuts the way we reach the router cannot be told beforehand.",
        },
        undo_words: match (cut.as_str(), unguarded) {
            (_, true) => {
                "It is to be applied UNGUARDED: where the router lets us have no guard, nothing undoes it when we do not come back."
            }
            ("no", false) => "",
            _ => "It is undone by the router itself when we do not come back.",
        },
        unguarded,
        cut_reasons: items(&plan["cut_reasons"]).map(words).collect(),
        keeps: match text(plan, "confirm").as_str() {
            "manual" => format!("Once it is made, a person has {} s to keep it; then it is undone.", text(plan, "confirm_timeout_seconds")),
            _ => "It is kept by itself once new logins, the rows and every check show that all is well; else it is undone.".to_owned(),
        },
        verify: items(&plan["verify"]).map(pairs).collect(),
        batch: maybe(plan, "batch").map(|_| spaced(&pairs(&plan["batch"]))),
        can_approve: needed > 0 && is_whole && matches!(state.as_str(), "draft" | "approved") && role.approves(),
        acts: acts(&state, &risk, &names, role, given.len() as u64 >= needed),
        digest: text(plan, "short_digest"),
        fresh: desk.is_fresh(),
        by_password: desk.session.way == Way::Local,
        made: items(&plan["made"]).map(|one| made(one, now)).collect(),
        revealed: None,
        devices,
        names,
        given,
        needed,
        cut,
        state,
        risk,
        exact,
    }
}

fn made(made: &Value, now: Wall) -> Made {
    Made {
        secret: text(made, "secret"),
        about: format!("{} of {} on {}", text(made, "attribute"), text(made, "menu"), text(made, "device")),
        can_be_seen: made["can_be_seen"] == true,
        seen: maybe(made, "seen_by").map(|by| format!("{by}, {}", ago(&text(made, "seen_at"), now))),
    }
}

fn device(device: &Value) -> Device {
    let state = text(device, "state");
    Device {
        id: text(device, "device_id"),
        name: text(device, "name"),
        state_words: spaced(&state),
        guard: maybe(device, "guard").map(|guard| spaced(&guard)),
        fires_at: maybe(device, "fires_at"),
        error: maybe(device, "error"),
        difference: maybe(device, "difference"),
        edits: items(&device["diff"]).map(edit).collect(),
        omitted: maybe(device, "diff_omitted"),
        state,
    }
}

fn edit(edit: &Value) -> Edit {
    Edit {
        op: text(edit, "op"),
        menu: text(edit, "menu"),
        command: maybe(edit, "command"),
        note: maybe(edit, "note"),
        key: pairs(&edit["key"]),
        place: place(&edit["place"]),
        cells: cells(&edit["before"], &edit["after"]),
    }
}

/// A row's name in one line: `chain=input comment="for guests"`.
fn pairs(row: &Value) -> String {
    let members = row.as_object().into_iter().flatten();
    members.map(|(name, value)| format!("{name}={}", inner(value))).collect::<Vec<_>>().join(" ")
}

/// Where a rule goes: `place before comment=…`; nothing for the end.
fn place(place: &Value) -> Option<String> {
    let said = |(name, at): (&String, &Value)| Some(pairs(at)).filter(|at| !at.is_empty()).map(|at| format!("{} {at}", spaced(name)));
    let said: Vec<String> = place.as_object()?.iter().filter_map(said).collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// What differs between two rows, attribute by attribute; all of a row that is new or goes.
pub fn cells(before: &Value, after: &Value) -> Vec<Cell> {
    let mut names: Vec<&String> = before.as_object().into_iter().flatten().map(|(name, _)| name).collect();
    let more = after.as_object().into_iter().flatten().map(|(name, _)| name);
    names.extend(more.filter(|name| before.get(name.as_str()).is_none()));
    let told = |value: &Value| match value {
        // Code comes line by line.
        Value::Array(lines) => lines.iter().map(words).collect::<Vec<_>>().join("\n"),
        Value::Object(_) => pairs(value),
        value => words(value),
    };
    let of = |row: &Value, name: &str| row.get(name).map(told);
    let cell = |name: &String| Cell { name: name.clone(), before: of(before, name), after: of(after, name) };
    names.into_iter().map(cell).filter(|cell| cell.before != cell.after || cell.before.is_none()).collect()
}

/// What the state lets this person do.
fn acts(state: &str, risk: &str, names: &str, role: Role, is_approved: bool) -> Vec<Act> {
    let act = |verb, name, about: String, proof, danger| Act { verb, name, about, proof, danger };
    let mut acts = Vec::new();
    let may_work = role.covers(Effect::Decides, "plan");
    if may_work && matches!(state, "draft" | "approved") {
        if is_approved {
            let about = format!("Arms the undo on {names}, then makes the change. It stays only if it is confirmed.");
            acts.push(act("apply", "Apply", about, false, false));
        }
        acts.push(act("cancel", "Cancel", "Puts the plan away. Nothing was changed.".into(), false, true));
    }
    if may_work && state == "executing" {
        let high = matches!(risk, "high" | "extreme");
        acts.push(act("confirm", "Keep the change", format!("Takes the undo off {names}. From then on the change stays."), high, false));
        acts.push(act("roll-back", "Undo it now", format!("Puts {names} back to what was before."), false, true));
    }
    acts
}

/// Does it, and comes back to the plan.
pub async fn act(desk: &mut Desk<'_>, id: &str, verb: &str, given: Form) -> Result<Response<Body>, Refusal> {
    let (tool, mut arguments, proof) = match verb {
        "reveal" => return reveal(desk, id, given).await,
        "approve" => ("plan.approve", json!({"digest": dashed(given.need("digest")?)}), true),
        "refuse" => ("plan.refuse", json!({"reason": given.need("reason")?}), true),
        "apply" => ("plan.apply", json!({}), false),
        "confirm" => ("plan.keep", json!({}), is_high(desk, id).await?),
        "roll-back" => ("plan.roll_back", json!({}), false),
        "cancel" => ("plan.cancel", json!({}), false),
        _ => return Err(Fault::not_found("nothing is done at this address").into()),
    };
    let page = format!("/admin/plans/{}", query::encoded(id));
    if proof && let Some(page) = prove_first(desk, &given, &page).await? {
        return Ok(page);
    }
    arguments["plan_id"] = id.into();
    desk.ask(tool, arguments).await?;
    Ok(seen_other(&page))
}

/// Whether keeping a change takes a proof: by the plan, whatever the form says.
async fn is_high(desk: &Desk<'_>, id: &str) -> Result<bool, Fault> {
    Ok(matches!(text(&desk.ask("plan.get", json!({"plan_id": id})).await?, "risk").as_str(), "high" | "extreme"))
}

/// People leave the dash out.
fn dashed(digest: &str) -> String {
    let digest = digest.trim().to_ascii_lowercase();
    match digest.as_bytes() {
        bytes if bytes.len() == 8 && bytes.iter().all(u8::is_ascii_hexdigit) => format!("{}-{}", &digest[..4], &digest[4..]),
        _ => digest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_before_and_after_is_left_out() {
        let cells = cells(&json!({"a": "1", "b": "2"}), &json!({"a": "1", "b": "3", "c": true}));
        let told: Vec<_> = cells.iter().map(|cell| (cell.name.as_str(), cell.before.as_deref(), cell.after.as_deref())).collect();
        assert_eq!(told, [("b", Some("2"), Some("3")), ("c", None, Some("yes"))]);
    }

    #[test]
    fn a_place_is_told_where_there_is_one() {
        assert_eq!(place(&json!({"place_before": {"comment": "x"}})).as_deref(), Some("place before comment=x"));
        for none in [json!({"place_before": null}), json!({}), json!(null)] {
            assert_eq!(place(&none), None);
        }
    }

    #[test]
    fn a_plan_is_applied_once_enough_people_said_yes() {
        let verbs = |state, approved| acts(state, "high", "gw", Role::OpsRw, approved).iter().map(|act| act.verb).collect::<Vec<_>>();
        assert_eq!(verbs("draft", false), ["cancel"]);
        assert_eq!(verbs("approved", true), ["apply", "cancel"]);
        assert_eq!(verbs("executing", true), ["confirm", "roll-back"]);
        assert!(verbs("confirmed", true).is_empty());
        assert!(acts("approved", "low", "gw", Role::ReadOnly, true).is_empty());
    }

    #[test]
    fn a_digest_may_come_without_its_dash() {
        assert_eq!(dashed(" 3592E012 "), "3592-e012");
        assert_eq!(dashed("3592-e012"), "3592-e012");
        assert_eq!(dashed("ä"), "ä");
    }
}
