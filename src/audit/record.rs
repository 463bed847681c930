//! What the trail says of one call, and how it stands on the disk.

use crate::audit::error::AuditError;
use crate::base::clock::Wall;
use crate::base::ids::{CorrelationId, hex};
use crate::base::tier::{Effect, Tier};
use serde::{Deserialize, Serialize};

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Who {
    /// Who vouches for the subject: an OIDC issuer, or `local`.
    pub issuer: String,
    /// The issuer's name for the caller; never re-used.
    pub subject: String,
    /// The caller's name for people.
    pub name: String,
    /// The role the call was decided with.
    pub role: String,
}

/// What the caller called with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ClientInfo {
    /// As the client calls itself.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Where it called from: an address, `stdio`, `control`.
    pub address: String,
}

/// Before or after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// About to happen; durable before a router is touched.
    Intent,
    /// Happened, or was refused.
    Done,
}

/// One call, decision or change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Who called.
    pub principal: Who,
    /// With what.
    pub client: ClientInfo,
    /// The call's thread through answers, log and trail.
    pub correlation_id: String,
    /// Tool or API operation.
    pub tool: String,
    /// What it demands of a caller.
    pub tier: Tier,
    /// What it does to the world.
    pub effect: Effect,
    /// The device's id.
    pub device: Option<String>,
    /// The device's name at that time.
    pub device_name: Option<String>,
    /// The device's environment.
    pub environment: Option<String>,
    /// The plan it belongs to.
    pub plan_id: Option<String>,
    /// The job it belongs to.
    pub job_id: Option<String>,
    /// The plan's risk.
    pub risk: Option<String>,
    /// Before or after.
    pub phase: Phase,
    /// `ok`, `denied`, or the kind of fault.
    pub outcome: String,
    /// The kind of fault, if any.
    pub error_kind: Option<String>,
    /// How long it took.
    pub duration_ms: u64,
    /// Size of the answer.
    pub bytes: u64,
    /// The arguments as JSON, secrets masked. Cut after [`MAX_ARGUMENTS_BYTES`].
    pub arguments: String,
    /// SHA-256 of the whole arguments.
    pub arguments_digest: [u8; 32],
}

/// The appliance itself, as in `access::principal`.
pub(crate) const ISSUER: &str = "local";
pub(crate) const SUBJECT: &str = "background";

impl Record {
    /// What the appliance itself did, as the trail says it; `operation` is no tool's name.
    pub(crate) fn of_appliance(operation: &str, arguments: String) -> Record {
        let mut arguments_digest = [0; 32];
        arguments_digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, arguments.as_bytes()).as_ref());
        Record {
            principal: Who { issuer: ISSUER.into(), subject: SUBJECT.into(), name: "appliance".into(), role: String::new() },
            client: ClientInfo::default(),
            correlation_id: CorrelationId::random().to_string(),
            tool: operation.into(),
            tier: Tier::Free,
            effect: Effect::Administers,
            device: None,
            device_name: None,
            environment: None,
            plan_id: None,
            job_id: None,
            risk: None,
            phase: Phase::Done,
            outcome: "ok".into(),
            error_kind: None,
            duration_ms: 0,
            bytes: 0,
            arguments,
            arguments_digest,
        }
    }

    /// That records before it could not be written, as the trail itself says it.
    pub(crate) fn gap(lost: u64) -> Record {
        Record {
            outcome: "unwritten".into(),
            error_kind: Some("storage".into()),
            ..Record::of_appliance("trail.gap", format!("{{\"lost\":{lost}}}"))
        }
    }
}

/// A record of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its place: 1, 2, 3 …, without gaps.
    pub seq: u64,
    /// Wall time; may step back where the box's clock did.
    pub time: Wall,
    /// The boot it was written in: 32 hexadecimal digits.
    pub boot_id: String,
    /// What happened.
    pub record: Record,
}

/// Arguments kept in a record; the digest covers all of them.
pub const MAX_ARGUMENTS_BYTES: usize = 2048;
/// Any other text kept in a record.
pub const MAX_TEXT_BYTES: usize = 256;

/// Today's shape. `v1`, `v2` … stand beside it once it changes.
const VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct Body {
    time: Wall,
    boot: [u8; 16],
    record: Record,
}

/// The payload of a frame: a version byte and the body.
pub(crate) fn encode(time: Wall, boot: [u8; 16], record: Record) -> Vec<u8> {
    let body = Body { time, boot, record: bounded(record) };
    postcard::to_extend(&body, vec![VERSION]).expect("a record has no sequences of unknown length")
}

/// Reads a payload of any version this build knows.
pub(crate) fn decode(seq: u64, payload: &[u8]) -> Result<Stored, AuditError> {
    let broken = |why: &str| AuditError::Broken { seq, why: why.into() };
    match payload.split_first() {
        Some((&VERSION, body)) => match postcard::take_from_bytes::<Body>(body) {
            Ok((Body { time, boot, record }, [])) => Ok(Stored { seq, time, boot_id: hex(&boot), record }),
            _ => Err(broken("its content cannot be read")),
        },
        Some((&version, _)) if version > VERSION => Err(AuditError::NewerRecord { seq, found: version, known: VERSION }),
        _ => Err(broken("its version is unknown")),
    }
}

/// When it was written, read without the rest. None for a version that is not today's.
pub(crate) fn time(payload: &[u8]) -> Option<Wall> {
    let (version, body) = payload.split_first()?;
    let read = (*version == VERSION).then(|| postcard::take_from_bytes::<Wall>(body))?;
    read.ok().map(|(time, _)| time)
}

/// Whose record it is, read without the rest: enough to leave most of a long trail out. None for a version that is not today's.
pub(crate) fn subject(payload: &[u8]) -> Option<&str> {
    #[derive(Deserialize)]
    struct Beginning<'p> {
        _time: Wall,
        _boot: [u8; 16],
        _issuer: &'p str,
        subject: &'p str,
    }
    let (version, body) = payload.split_first()?;
    let read = (*version == VERSION).then(|| postcard::take_from_bytes::<Beginning<'_>>(body))?;
    read.ok().map(|(beginning, _)| beginning.subject)
}

/// A record no longer than the disk should bear: callers and routers choose some of these words.
fn bounded(mut record: Record) -> Record {
    let Record { principal, client, .. } = &mut record;
    let Who { issuer, subject, name, role } = principal;
    for text in [issuer, subject, name, role, &mut client.name, &mut client.version, &mut client.address] {
        cut(text, MAX_TEXT_BYTES);
    }
    for text in [&mut record.correlation_id, &mut record.tool, &mut record.outcome] {
        cut(text, MAX_TEXT_BYTES);
    }
    let Record { device, device_name, environment, plan_id, job_id, risk, error_kind, .. } = &mut record;
    for text in [device, device_name, environment, plan_id, job_id, risk, error_kind].into_iter().flatten() {
        cut(text, MAX_TEXT_BYTES);
    }
    cut(&mut record.arguments, MAX_ARGUMENTS_BYTES);
    record
}

fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        let more = text.len();
        text.truncate(text.floor_char_boundary(max));
        text.push_str(&format!("… ({more} bytes)"));
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn sample(n: u64) -> Record {
        Record {
            principal: Who { issuer: "local".into(), subject: format!("user-{}", n % 3), name: "Ann".into(), role: "admin".into() },
            client: ClientInfo { name: "inspector".into(), version: "1.2.3".into(), address: "stdio".into() },
            correlation_id: format!("00000000-0000-4000-8000-{n:012}"),
            tool: if n.is_multiple_of(2) { "system.get_overview" } else { "interface.set" }.into(),
            tier: Tier::Basic,
            effect: Effect::Changes,
            device: Some(format!("dev_{:012x}", n % 5)),
            device_name: Some(format!("edge-{}", n % 5)),
            environment: Some("lab".into()),
            plan_id: None,
            job_id: None,
            risk: None,
            phase: Phase::Done,
            outcome: "ok".into(),
            error_kind: None,
            duration_ms: 12,
            bytes: 345,
            arguments: format!("{{\"device\":\"edge-{}\",\"n\":{n}}}", n % 5),
            arguments_digest: [7; 32],
        }
    }

    #[test]
    fn reads_back_what_was_written() {
        let stored = decode(9, &encode(Wall(1), [0xab; 16], sample(1))).unwrap();
        assert_eq!((stored.seq, stored.time, stored.boot_id.as_str()), (9, Wall(1), "ab".repeat(16).as_str()));
        assert_eq!(stored.record, sample(1));
        assert_eq!(subject(&encode(Wall(1), [0xab; 16], sample(1))), Some("user-1"));
        assert_eq!((subject(&[VERSION]), subject(&[VERSION + 1, 0]), subject(&[])), (None, None, None));
    }

    #[test]
    fn a_long_record_is_cut_and_says_so() {
        let long = Record { arguments: "ä".repeat(5000), tool: "x".repeat(999), ..sample(1) };
        let payload = encode(Wall(1), [0; 16], long);
        assert!(payload.len() < 4096, "{}", payload.len());
        let stored = decode(1, &payload).unwrap();
        assert!(stored.record.arguments.ends_with("… (10000 bytes)"));
    }

    #[test]
    fn a_newer_record_is_refused_by_name() {
        let mut payload = encode(Wall(1), [0; 16], sample(1));
        payload[0] = VERSION + 1;
        assert!(matches!(decode(3, &payload), Err(AuditError::NewerRecord { seq: 3, .. })));
    }
}
