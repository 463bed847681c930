//! Who may log in, and how.

use super::Report;
use crate::routeros::row::Row;
use crate::routeros::value;
use crate::tools::security::finding::{Finding, Severity, set};
use crate::tools::security::picture::Picture;
use serde_json::json;

/// More users of group `full` than a router should have.
const MANY_FULL: usize = 3;

pub(super) fn users(picture: &Picture, report: &mut Report) {
    let on = |row: &&Row| row.get("disabled").and_then(value::flag) != Some(true);
    let users: Vec<&Row> = picture.rows("/user").unwrap_or_default().iter().filter(on).collect();
    let full: Vec<&&Row> = users.iter().filter(|row| row.get("group") == Some("full")).collect();
    let is_open = |row: &Row| row.get("address").is_none_or(|limit| matches!(limit, "" | "0.0.0.0/0" | "::/0"));
    let show = ["name", "group", "address"];
    let open: Vec<&&&Row> = full.iter().filter(|row| is_open(row)).collect();
    if !open.is_empty() {
        let mut finding = Finding::new(
            "full_user_from_anywhere",
            Severity::Medium,
            "users of group full may come from any address",
            "a stolen password is enough; an address limit asks for the right place too",
        )
        .advice("set address of these users to the networks you manage from");
        for row in open {
            finding = finding.proof("/user", row, &show);
        }
        report.found(finding);
    }
    if let Some(row) = users.iter().find(|row| row.get("name") == Some("admin")) {
        report.found(
            Finding::new(
                "default_admin",
                Severity::Low,
                "the user admin is in use",
                "its name is known to everybody who guesses passwords",
            )
            .proof("/user", row, &show)
            .advice("make users with names of their own, log in with one, then disable admin"),
        );
    }
    if full.len() > MANY_FULL {
        let mut finding = Finding::new(
            "many_full_users",
            Severity::Low,
            format!("{} users of group full", full.len()),
            "each of them can do everything, users included",
        )
        .advice("give groups with only the policies needed");
        for row in full {
            finding = finding.proof("/user", row, &show);
        }
        report.found(finding);
    }
}

/// The appliance should not be able to make itself more than it is.
pub(super) fn ourselves(picture: &Picture, report: &mut Report) {
    if picture.policies.iter().any(|policy| policy == "policy") {
        let row = Row::from_pairs([("name", picture.username.as_str()), ("policy", "policy")]);
        report.found(
            Finding::new(
                "own_user_too_strong",
                Severity::Low,
                "our own user may change users and groups",
                "with the policy `policy` it could grant itself everything",
            )
            .proof("/user", &row, &["name", "policy"])
            .advice("give it a group with read, write, test, api and rest-api only"),
        );
    }
}

pub(super) fn ssh(picture: &Picture, report: &mut Report) {
    let on = picture.services().any(|row| row.get("name") == Some("ssh"));
    if let Some(row) = picture.single("/ip/ssh").filter(|_| on && picture.is_on("/ip/ssh", "strong-crypto") == Some(false)) {
        report.found(
            Finding::new(
                "ssh_weak_crypto",
                Severity::Low,
                "SSH takes weak ciphers",
                "old clients may talk it into md5 and 1024-bit key exchange",
            )
            .proof("/ip/ssh", row, &["strong-crypto"])
            .fix(&picture.device, vec![set("/ip/ssh", json!({"strong-crypto": "yes"}))]),
        );
    }
}
