//! Many routers from a list. What was sent is never shown again: passwords may stand in it.

use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{text, words};
use super::{Desk, html_as};
use crate::fleet::roster::TEXT_MAX;
use crate::http::Body;
use crate::http::fault::{self, Refusal};
use askama::Template;
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

/// Where it is.
const PAGE: &str = "/admin/import";
/// The longest form: a list, half of it percent-encoded.
pub const FORM_MAX: usize = 2 * TEXT_MAX;

#[derive(Template)]
#[template(path = "import.html", config = "assets/ui/askama.toml")]
struct Import {
    frame: Frame,
    wrong: Option<(String, Option<String>)>,
    done: Option<Done>,
    ask_proof: bool,
}

struct Done {
    good: bool,
    said: String,
    problems: Vec<(String, String)>,
    more: usize,
}

/// Problems shown; the API tells all of them.
const SHOWN: usize = 200;

/// The page.
pub fn page(desk: &Desk<'_>) -> Result<Response<Body>, Refusal> {
    show(desk, StatusCode::OK, None, None)
}

fn show(
    desk: &Desk<'_>,
    status: StatusCode,
    wrong: Option<(String, Option<String>)>,
    done: Option<Done>,
) -> Result<Response<Body>, Refusal> {
    html_as(status, &Import { frame: desk.frame(), wrong, done, ask_proof: desk.takes_password() })
}

/// Checks a list, or imports it.
pub async fn act(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let dry_run = given.is_on("dry_run");
    let mut asked = json!({
        "secret_list": given.need("list")?, "dry_run": dry_run, "all_or_nothing": given.is_on("all_or_nothing"),
        "trust_first_use": given.is_on("trust_first_use"),
    });
    for name in ["username", "password"] {
        if !given.get(name).is_empty() {
            asked[name] = given.get(name).into();
        }
    }
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    match desk.ask("device.import", asked).await {
        Ok(answer) => {
            let done = done(&answer, dry_run);
            show(desk, if done.good { StatusCode::OK } else { StatusCode::BAD_REQUEST }, None, Some(done))
        }
        Err(fault) => show(desk, fault::status(fault.kind), Some((fault.said, fault.hint)), None),
    }
}

fn done(answer: &Value, dry_run: bool) -> Done {
    let (lines, added, wrong) = (words(&answer["lines"]), words(&answer["added"]), answer["wrong"].as_u64().unwrap_or_default());
    let said = match (wrong, dry_run, answer["added"] == 0) {
        (0, true, _) => format!("All {lines} lines are good. No router was asked yet."),
        (0, false, _) => format!("{added} of {lines} routers were added."),
        (_, _, true) => format!("Nothing was added: {wrong} of {lines} lines are wrong."),
        _ => format!("{added} of {lines} routers were added; {wrong} were not."),
    };
    let problems = answer["problems"].as_array().map(Vec::as_slice).unwrap_or_default();
    Done {
        good: wrong == 0,
        said,
        problems: problems.iter().take(SHOWN).map(|one| (text(one, "lines"), text(one, "what"))).collect(),
        more: problems.len().saturating_sub(SHOWN),
    }
}
