//! What the audit trail says of a call.

use crate::access::person::Identity;
use crate::access::principal::{Client, Principal};
use crate::audit::{ClientInfo, Phase, Record, Who};
use crate::base::fault::Kind;
use crate::base::ids::CorrelationId;
use crate::base::tier::Effect;
use crate::dispatch::call::{Call, Reply};
use crate::shape::redact;
use crate::tools::context::{Cx, Notes};
use serde_json::{Map, Value};
use std::time::Duration;

/// About to be done: written before a router is touched.
pub(super) fn intent(cx: &Cx, given: &Map<String, Value>) -> Record {
    Record { phase: Phase::Intent, outcome: "intent".into(), ..of_call(cx, given) }
}

/// Done, or refused.
pub(super) fn done(cx: &Cx, notes: &Notes, given: &Map<String, Value>, reply: &Reply, took: Duration) -> Record {
    let mut record = ended(of_call(cx, given), reply.fault);
    if let Some((id, name, environment)) = &notes.device {
        record.device = Some(id.clone());
        record.device_name = Some(name.clone());
        record.environment = Some(environment.clone());
    }
    if let Some((id, risk)) = &notes.plan {
        record.plan_id = Some(id.clone());
        record.risk = Some(risk.clone());
    }
    record.duration_ms = took.as_millis() as u64;
    record.bytes = reply.text.len() as u64;
    record
}

/// An operation of the local socket that is no call of the catalogue.
pub(super) fn operation(principal: &Principal, name: &str, given: &Map<String, Value>, outcome: Option<Kind>) -> Record {
    let record = blank(principal, &CorrelationId::random(), given);
    ended(Record { tool: name.into(), effect: Effect::Administers, ..record }, outcome)
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
    let record = match who {
        Witness::Known(principal) => blank(principal, correlation_id, given),
        Witness::Unproven { identity, client } => {
            let nobody = Principal { client: client.clone(), ..Principal::background() };
            let subject = identity.as_ref().map_or_else(|| "(nobody)".to_owned(), |identity| identity.subject.clone());
            let issuer = identity.map_or_else(String::new, |identity| identity.issuer);
            let principal = Who { issuer, name: subject.clone(), subject, role: String::new() };
            Record { principal, ..blank(&nobody, correlation_id, given) }
        }
    };
    ended(Record { tool: name.into(), effect: Effect::Administers, ..record }, outcome)
}

/// A name that is no tool.
pub(super) fn unknown(call: &Call, name: &str) -> Record {
    Record {
        tool: name.into(),
        outcome: "unknown_tool".into(),
        error_kind: Some(Kind::NotFound.as_str().into()),
        ..blank(&call.principal, &call.correlation_id, &call.arguments)
    }
}

pub(super) fn outcome(fault: Option<Kind>) -> &'static str {
    fault.map_or("ok", Kind::as_str)
}

fn ended(record: Record, fault: Option<Kind>) -> Record {
    Record { outcome: outcome(fault).into(), error_kind: fault.map(|kind| kind.as_str().to_owned()), ..record }
}

fn of_call(cx: &Cx, given: &Map<String, Value>) -> Record {
    let record = blank(&cx.principal, &cx.correlation_id, given);
    Record { tool: cx.tool.name.into(), tier: cx.tool.tier, effect: cx.tool.effect, ..record }
}

fn blank(principal: &Principal, correlation_id: &CorrelationId, given: &Map<String, Value>) -> Record {
    // The digest is over the masked form too: one of a password could be guessed.
    let arguments = redact::arguments(&Value::Object(given.clone())).to_string();
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
        correlation_id: correlation_id.to_string(),
        effect: Effect::Reads,
        ..Record::of_appliance("", arguments)
    }
}
