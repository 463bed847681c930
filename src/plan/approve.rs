//! Whether a plan's approvals let it start: as many as it needs, by different persons, none run out, each signed over the digest
//! as it is now.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::plan::record::{Approval, Cut, Plan, Risk};
use crate::store::Seal;
use ring::hmac;

/// How much later than now an approval may have been given.
const SKEW_MS: i64 = 60_000;

/// How many persons have to say yes. What may be applied without a guard is seen by one at least.
pub fn needed(risk: Risk, cut: Cut, environment: Environment, unguarded: bool) -> u8 {
    let by_risk = match risk {
        Risk::Low => 0,
        Risk::Medium if environment == Environment::Lab => 0,
        Risk::Medium | Risk::High => 1,
        Risk::Extreme => 2,
    };
    let exposed = unguarded || cut != Cut::No;
    by_risk.max(u8::from(exposed))
}

/// Whether the plan may start now.
///
/// # Errors
/// `Conflict` saying how many approvals are missing.
pub fn usable(plan: &Plan, key: &hmac::Key, now: Wall) -> Result<(), Fault> {
    if plan.needed == 0 {
        return Ok(());
    }
    let mut persons: Vec<&str> = Vec::new();
    // One given later than now was given before the clock was set back: how old it is nobody knows.
    let holds = |approval: &&Approval| approval.expires_at > now && approval.at.0 <= now.0 + SKEW_MS && is_signed(plan, approval, key);
    for approval in plan.approvals.iter().filter(holds) {
        if !persons.contains(&approval.person.as_str()) {
            persons.push(&approval.person);
        }
    }
    let missing = usize::from(plan.needed).saturating_sub(persons.len());
    if missing == 0 {
        return Ok(());
    }
    let given = plan.approvals.len();
    let why = if given > persons.len() { ", given ones ran out or were for another state" } else { "" };
    Err(Fault::new(Kind::Conflict, format!("{}: {missing} of {} approvals missing{why}", plan.id, plan.needed))
        .hint("a person approves it in the admin UI or with: routeros-mcp plan approve"))
}

/// The key approvals are signed with.
pub fn key(seal: &Seal) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &*seal.derived("plan approval"))
}

/// The signature of an approval over this plan.
pub fn sign(plan: &Plan, approval: &Approval, key: &hmac::Key) -> [u8; 32] {
    let mut mac = [0; 32];
    mac.copy_from_slice(hmac::sign(key, &signed(plan, approval)).as_ref());
    mac
}

fn is_signed(plan: &Plan, approval: &Approval, key: &hmac::Key) -> bool {
    hmac::verify(key, &signed(plan, approval), &approval.mac).is_ok()
}

/// Plan id, digest, person, expiry, nonce; each text with its length.
fn signed(plan: &Plan, approval: &Approval) -> Vec<u8> {
    let mut bytes = b"approval 1".to_vec();
    for text in [plan.id.as_str(), approval.person.as_str()] {
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    }
    bytes.extend(plan.digest);
    bytes.extend(approval.expires_at.0.to_le_bytes());
    bytes.extend(approval.nonce);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::digest::tests::plan;

    #[test]
    fn approvals_follow_the_table() {
        for (risk, environment, persons) in [
            (Risk::Low, Environment::Lab, 0),
            (Risk::Low, Environment::Staging, 0),
            (Risk::Medium, Environment::Lab, 0),
            (Risk::Medium, Environment::Staging, 1),
            (Risk::Medium, Environment::Prod, 1),
            (Risk::High, Environment::Lab, 1),
            (Risk::High, Environment::Prod, 1),
            (Risk::Extreme, Environment::Lab, 2),
            (Risk::Extreme, Environment::Prod, 2),
        ] {
            assert_eq!(needed(risk, Cut::No, environment, false), persons, "{risk:?} in {environment:?}");
            assert_eq!(needed(risk, Cut::Unknown, environment, false), persons.max(1));
            assert_eq!(needed(risk, Cut::No, environment, true), persons.max(1));
        }
    }

    #[test]
    fn an_approval_counts_in_its_time_and_not_before_it_though_the_clock_went_back() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &[7; 32]);
        let mut plan = plan();
        let mut given = Approval {
            person: "per_1".into(),
            name: "anna".into(),
            at: Wall(1_000_000),
            expires_at: Wall(1_900_000),
            nonce: [0; 16],
            mac: [0; 32],
        };
        given.mac = sign(&plan, &given, &key);
        plan.approvals.push(given);
        for (now, counts) in [(1_000_000, true), (1_899_999, true), (1_900_000, false), (940_000, true), (939_999, false), (0, false)] {
            assert_eq!(usable(&plan, &key, Wall(now)).is_ok(), counts, "at {now}");
        }
    }
}
