//! What the audit trail says of a call.

use crate::access::person::Identity;
use crate::access::principal::{Client, Principal};
use crate::audit::{ClientInfo, Phase, Record, Who};
use crate::base::fault::Kind;
use crate::base::ids::CorrelationId;
use crate::base::tier::{Effect, Tier};
use crate::dispatch::call::{Call, Reply};
use crate::shape::redact;
use crate::tools::context::{Cx, Notes};
use serde_json::{Map, Value};
use std::time::Duration;

/// About to be done: written before a router is touched.
pub(super) fn intent(cx: &Cx, given: &Map<String, Value>) -> Record {
    let mut record = blank(&cx.principal, cx.correlation_id.as_str(), given);
    record.tool = cx.tool.name.into();
    record.tier = cx.tool.tier;
    record.effect = cx.tool.effect;
    record.phase = Phase::Intent;
    record.outcome = "intent".into();
    record
}

/// Done, or refused.
pub(super) fn done(cx: &Cx, notes: &Notes, given: &Map<String, Value>, reply: &Reply, took: Duration) -> Record {
    let mut record = blank(&cx.principal, cx.correlation_id.as_str(), given);
    record.tool = cx.tool.name.into();
    record.tier = cx.tool.tier;
    record.effect = cx.tool.effect;
    if let Some((id, name, environment)) = &notes.device {
        record.device = Some(id.clone());
        record.device_name = Some(name.clone());
        record.environment = Some(environment.clone());
    }
    if let Some((id, risk)) = &notes.plan {
        record.plan_id = Some(id.clone());
        record.risk = Some(risk.clone());
    }
    record.outcome = outcome(reply.fault).into();
    record.error_kind = reply.fault.map(|kind| kind.as_str().to_owned());
    record.duration_ms = took.as_millis() as u64;
    record.bytes = reply.text.len() as u64;
    record
}

/// An operation of the local socket that is no call of the catalogue.
pub(super) fn operation(principal: &Principal, name: &str, given: &Map<String, Value>, outcome: Option<Kind>) -> Record {
    let mut record = blank(principal, CorrelationId::random().as_str(), given);
    record.tool = name.into();
    record.effect = Effect::Administers;
    record.outcome = self::outcome(outcome).into();
    record.error_kind = outcome.map(|kind| kind.as_str().to_owned());
    record
}

/// Who is seen doing something at the admin API.
#[derive(Debug)]
pub enum Witness<'w> {
    /// Somebody who proved who they are.
    Known(&'w Principal),
    /// Somebody who did not, or who has no access.
    Unproven {
        /// Whom they claimed to be, where there is such a one.
        identity: Option<Identity>,
        /// What they came with.
        client: &'w Client,
    },
}

/// An act at the admin API. Whoever did not prove who they are has no role in it.
pub(super) fn witnessed(
    who: Witness<'_>,
    name: &str,
    given: &Map<String, Value>,
    outcome: Option<Kind>,
    correlation_id: &CorrelationId,
) -> Record {
    let mut record = match who {
        Witness::Known(principal) => blank(principal, correlation_id.as_str(), given),
        Witness::Unproven { identity, client } => {
            let nobody = Principal { client: client.clone(), ..Principal::background() };
            let mut record = blank(&nobody, correlation_id.as_str(), given);
            let subject = identity.as_ref().map_or_else(|| "(nobody)".to_owned(), |identity| identity.subject.clone());
            let issuer = identity.map_or_else(String::new, |identity| identity.issuer);
            record.principal = Who { issuer, name: subject.clone(), subject, role: String::new() };
            record
        }
    };
    record.tool = name.into();
    record.effect = Effect::Administers;
    record.outcome = self::outcome(outcome).into();
    record.error_kind = outcome.map(|kind| kind.as_str().to_owned());
    record
}

/// A name that is no tool.
pub(super) fn unknown(call: &Call, name: &str) -> Record {
    let mut record = blank(&call.principal, call.correlation_id.as_str(), &call.arguments);
    record.tool = name.into();
    record.outcome = "unknown_tool".into();
    record.error_kind = Some(Kind::NotFound.as_str().into());
    record
}

pub(super) fn outcome(fault: Option<Kind>) -> &'static str {
    fault.map_or("ok", Kind::as_str)
}

fn blank(principal: &Principal, correlation_id: &str, given: &Map<String, Value>) -> Record {
    let arguments = redact::arguments(&Value::Object(given.clone())).to_string();
    let mut digest = [0; 32];
    // Over the masked form: a digest of a password could be guessed.
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, arguments.as_bytes()).as_ref());
    Record {
        principal: Who {
            issuer: principal.issuer.clone(),
            subject: principal.subject.clone(),
            name: principal.name.clone(),
            role: principal.role.as_str().into(),
        },
        client: ClientInfo {
            name: principal.client.name.clone(),
            version: principal.client.version.clone(),
            address: principal.client.address.clone(),
        },
        correlation_id: correlation_id.into(),
        tool: String::new(),
        tier: Tier::Free,
        effect: Effect::Reads,
        device: None,
        device_name: None,
        environment: None,
        plan_id: None,
        job_id: None,
        risk: None,
        phase: Phase::Done,
        outcome: String::new(),
        error_kind: None,
        duration_ms: 0,
        bytes: 0,
        arguments,
        arguments_digest: digest,
    }
}
