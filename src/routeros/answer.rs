//! What a REST answer says: rows, or which of RouterOS's refusals.
//!
//! ```json
//! {"detail":"no such command or directory (wifi)","error":400,"message":"Bad Request"}
//! ```
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/47579162/REST+API>, and error bodies recorded on 7.20 to 7.23

use crate::routeros::command;
use crate::routeros::fault::{Denial, RouterError, Stage, spoken};
use crate::routeros::row::{self, Row};

/// A whole HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

/// The rows of an answer to a read (`write` false) or a change.
///
/// An empty table is `[]`: a read that is answered with nothing at all says nothing of what is there, and least of all that it is
/// gone. Only a change may be answered so.
///
/// # Errors
/// What the router refused; for a change whose success cannot be read, [`RouterError::LostAnswer`].
pub(crate) fn rows(at: &str, write: bool, answer: &Answer) -> Result<Vec<Row>, RouterError> {
    if !(200..300).contains(&answer.status) {
        return Err(refusal(at, write, answer));
    }
    match answer.body.trim_ascii_start().first() {
        None if !write => Err(RouterError::Garbage { why: "it is empty".into() }),
        None | Some(b'[' | b'{') => row::rows(&answer.body)
            .map_err(|error| if write { RouterError::LostAnswer { at: at.into(), why: error.to_string() } } else { error }),
        Some(b'<') => Err(odd(at, write, "it answers with a web page")),
        Some(_) => Err(odd(at, write, "it answers with something that is not JSON")),
    }
}

fn not_routeros(at: &str, why: &str) -> RouterError {
    RouterError::NotRouterOs { at: at.into(), why: why.into() }
}

/// Somebody else may have answered, or the router in other words: what became of a change then is not known.
fn odd(at: &str, write: bool, why: &str) -> RouterError {
    if write { RouterError::LostAnswer { at: at.into(), why: why.into() } } else { not_routeros(at, why) }
}

/// What a status other than 2xx means.
fn refusal(at: &str, write: bool, answer: &Answer) -> RouterError {
    let denied = |denial| RouterError::Denied { at: at.into(), denial };
    let status = answer.status;
    // These two come without RouterOS's JSON in some versions.
    match status {
        401 => return denied(Denial::Login),
        403 => return denied(Denial::RestOff),
        _ => {}
    }
    let Some(body) = error_body(&answer.body) else {
        return odd(at, write, &format!("it answers status {status} and no RouterOS error"));
    };
    let detail = spoken(body.get("detail").unwrap_or(""));
    if status == 400
        && let Some(word) = missing_menu(&detail)
    {
        return RouterError::NoSuchMenu { word: word.into() };
    }
    match (status, detail.as_str()) {
        (400, "Session closed") if write => {
            RouterError::LostAnswer { at: at.into(), why: "the router ended the request at its limit of 60 s".into() }
        }
        (400, "Session closed") => RouterError::Timeout { at: at.into(), after: command::ROUTER_LIMIT, stage: Stage::RouterLimit },
        (404, "") => RouterError::NotFound,
        (_, text) if text.contains("not enough permissions") => denied(Denial::Policy),
        (500, text) if text.contains("std failure: not allowed") => denied(Denial::ApiPolicy),
        (_, "") => RouterError::Rejected { status, detail: spoken(body.get("message").unwrap_or("without a reason")) },
        _ => RouterError::Rejected { status, detail },
    }
}

/// The object of an error answer; it has a number `error`.
fn error_body(body: &[u8]) -> Option<Row> {
    let row = (body.trim_ascii_start().first() == Some(&b'{')).then(|| row::rows(body).ok()?.pop())??;
    row.get("error").is_some_and(|n| n.parse::<u16>().is_ok()).then_some(row)
}

/// `wifi` in `no such command or directory (wifi)`.
fn missing_menu(detail: &str) -> Option<&str> {
    detail.strip_prefix("no such command or directory (")?.strip_suffix(')')
}

/// Checks the answer to `GET /rest/system/resource` without a login.
pub(crate) fn is_routeros(at: &str, answer: &Answer, offers_basic: bool) -> Result<(), RouterError> {
    match answer.status {
        401 if offers_basic || error_body(&answer.body).is_some() => Ok(()),
        401 => Err(not_routeros(at, "it asks for another kind of login")),
        403 => Err(RouterError::Denied { at: at.into(), denial: Denial::RestOff }),
        300..=399 => Err(not_routeros(at, "it redirects elsewhere")),
        // A RouterOS error of another number is RouterOS still.
        _ if error_body(&answer.body).is_some() => Ok(()),
        status => Err(not_routeros(at, &format!("it answers status {status} without asking for a login"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::fault::{Fault, Kind};

    const AT: &str = "192.0.2.7:443";

    fn refused(status: u16, body: &str) -> RouterError {
        rows(AT, false, &Answer { status, body: body.into() }).unwrap_err()
    }

    fn detail(status: u16, detail: &str) -> RouterError {
        refused(status, &format!(r#"{{"detail":"{detail}","error":{status},"message":"Bad Request"}}"#))
    }

    #[test]
    fn every_refusal_of_the_manual_has_its_meaning() {
        let denied = |denial| RouterError::Denied { at: AT.into(), denial };
        let rejected = |status, detail: &str| RouterError::Rejected { status, detail: detail.into() };
        for (error, meaning) in [
            (refused(401, r#"{"error":401,"message":"Unauthorized"}"#), denied(Denial::Login)),
            (refused(401, ""), denied(Denial::Login)),
            (refused(403, "<html>Forbidden</html>"), denied(Denial::RestOff)),
            (refused(404, r#"{"error":404,"message":"Not Found"}"#), RouterError::NotFound),
            (detail(400, "no such command or directory (wifi)"), RouterError::NoSuchMenu { word: "wifi".into() }),
            (detail(400, "no such command"), rejected(400, "no such command")),
            (detail(400, "no such command prefix"), rejected(400, "no such command prefix")),
            (detail(400, "value of priority out of range (1..254)"), rejected(400, "value of priority out of range (1..254)")),
            (detail(400, "failure: already have such entry"), rejected(400, "failure: already have such entry")),
            (detail(406, "no such command or directory (remove)"), rejected(406, "no such command or directory (remove)")),
            (detail(415, ""), rejected(415, "Bad Request")),
            (detail(500, "not enough permissions (9)"), denied(Denial::Policy)),
            (detail(500, "std failure: not allowed (9)"), denied(Denial::ApiPolicy)),
            (detail(500, "not allowed by device-mode"), rejected(500, "not allowed by device-mode")),
            (refused(502, "<html>"), not_routeros(AT, "it answers status 502 and no RouterOS error")),
            (refused(302, ""), not_routeros(AT, "it answers status 302 and no RouterOS error")),
            (refused(400, r#"{"oops":1}"#), not_routeros(AT, "it answers status 400 and no RouterOS error")),
            (refused(200, "<!doctype html>"), not_routeros(AT, "it answers with a web page")),
            (refused(200, "hello"), not_routeros(AT, "it answers with something that is not JSON")),
        ] {
            assert_eq!(error, meaning);
        }
        assert_eq!(Fault::from(detail(500, "not enough permissions (9)")).kind, Kind::RouterDenied);
        assert!(Fault::from(detail(500, "not allowed by device-mode")).hint.unwrap().contains("person"));
        assert!(Fault::from(detail(400, "missing or invalid resource identifier")).hint.unwrap().contains("write"));
    }

    #[test]
    fn the_sixty_second_limit_leaves_a_write_unknown() {
        let answer = Answer { status: 400, body: br#"{"detail":"Session closed","error":400,"message":"Bad Request"}"#.to_vec() };
        assert!(matches!(rows(AT, true, &answer), Err(RouterError::LostAnswer { .. })));
        assert!(matches!(rows(AT, false, &answer), Err(RouterError::Timeout { stage: Stage::RouterLimit, .. })));
    }

    #[test]
    fn an_unreadable_success_of_a_write_is_unknown() {
        let answer = Answer { status: 201, body: b"{\".id\":".to_vec() };
        assert!(matches!(rows(AT, true, &answer), Err(RouterError::LostAnswer { .. })));
        assert!(matches!(rows(AT, false, &answer), Err(RouterError::Garbage { .. })));
        assert_eq!(rows(AT, true, &Answer { status: 204, body: Vec::new() }), Ok(Vec::new()));
    }

    #[test]
    fn an_empty_body_is_no_empty_table() {
        for body in ["", "\r\n"] {
            let answer = |status| Answer { status, body: body.into() };
            assert!(matches!(rows(AT, false, &answer(200)), Err(RouterError::Garbage { .. })), "{body:?}");
            assert_eq!(rows(AT, true, &answer(200)), Ok(Vec::new()), "{body:?}");
        }
        assert_eq!(rows(AT, false, &Answer { status: 200, body: "[]".into() }), Ok(Vec::new()));
    }

    #[test]
    fn error_texts_with_foreign_bytes_are_read() {
        let body = b"{\"detail\":\"failure: bad name Caf\xe9\x01\",\"error\":400,\"message\":\"Bad Request\"}".to_vec();
        let error = rows(AT, false, &Answer { status: 400, body }).unwrap_err();
        assert_eq!(error, RouterError::Rejected { status: 400, detail: "failure: bad name Caf\u{fffd}".into() });
    }
}
