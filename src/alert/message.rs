//! What is told, and the JSON of it. Nothing of it is a secret, and nothing of it is longer than a line should be.

use crate::alert::kind::{Kind, Severity};
use crate::base::clock::Wall;
use crate::base::ids::{hex, random};
use crate::shape::untrusted;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// A router.
    Device,
    /// A plan.
    Plan,
    /// A caller.
    Principal,
    /// This appliance.
    Appliance,
}

impl What {
    /// The word used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            What::Device => "device",
            What::Plan => "plan",
            What::Principal => "principal",
            What::Appliance => "appliance",
        }
    }
}

/// Whom or what an alert is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// Which sort.
    pub what: What,
    /// Ours, for good.
    pub id: String,
    /// For people.
    pub name: String,
}

/// Longest name and id, in characters.
pub(super) const NAME: usize = 80;
/// Digits of a digest at the end of an id that is too long.
const MARK: usize = 16;
/// Longest details, in characters.
const DETAILS: usize = 300;
/// Subjects named in one message; the others are counted.
pub const NAMED: usize = 20;

impl Subject {
    /// Of that sort. Callers choose their names, and routers some others: what nobody sees is taken out.
    pub fn new(what: What, id: &str, name: &str) -> Subject {
        // The id tells subjects apart: one that is too long ends in what is its own.
        let id = match tidy(id, NAME) {
            short if short == id => short,
            cut => format!("{}~{}", tidy(&cut, NAME - MARK - 1), hex(&digest(&SHA256, id.as_bytes()).as_ref()[..MARK / 2])),
        };
        Subject { what, id, name: tidy(name, NAME) }
    }

    /// Of that sort, by an id that was one before.
    pub fn known(what: What, id: &str, name: &str) -> Subject {
        Subject { what, id: id.to_owned(), name: tidy(name, NAME) }
    }

    /// A router.
    pub fn device(id: &str, name: &str) -> Subject {
        Subject::new(What::Device, id, name)
    }

    /// A plan.
    pub fn plan(id: &str) -> Subject {
        Subject::new(What::Plan, id, id)
    }

    /// This appliance.
    pub fn appliance() -> Subject {
        Subject::new(What::Appliance, "appliance", "this appliance")
    }
}

/// One line without what nobody sees, so long at most.
pub fn tidy(text: &str, most: usize) -> String {
    untrusted::cut(&untrusted::strip(text), most).into_owned()
}

/// Details as they may leave.
pub fn details(text: &str) -> String {
    tidy(text, DETAILS)
}

/// Whether it begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is so, or happened.
    Firing,
    /// It is over.
    Resolved,
    /// Somebody tries whether messages arrive.
    Test,
}

impl Status {
    /// The word used in messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Firing => "firing",
            Status::Resolved => "resolved",
            Status::Test => "test",
        }
    }
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The same in every try to deliver it.
    pub id: String,
    /// None for a test.
    pub kind: Option<Kind>,
    /// Whether it begins or ends.
    pub status: Status,
    /// How bad.
    pub severity: Severity,
    /// In a sentence.
    pub summary: String,
    /// More, where one thing is told; routers' words may stand here.
    pub details: String,
    /// How many things it tells of.
    pub count: u32,
    /// The first of them.
    pub subjects: Vec<Subject>,
    /// How often it came since it was last told, beyond this once.
    pub repeats: u32,
    /// Since when the first of them is so.
    pub since: Wall,
    /// When it was told.
    pub at: Wall,
}

/// Who tells: stands in every message.
#[derive(Debug, Clone, Default)]
pub struct From {
    /// Our name.
    pub name: String,
    /// `lab`, `staging` or `prod`.
    pub environment: &'static str,
    /// Where people look: the address that `/admin/…` is appended to.
    pub url: Option<String>,
}

impl Message {
    /// An id of its own.
    pub fn new_id() -> String {
        format!("msg_{}", hex(&random::<12>()))
    }

    /// A try whether messages arrive.
    pub fn test(now: Wall) -> Message {
        Message {
            id: Message::new_id(),
            kind: None,
            status: Status::Test,
            severity: Severity::Info,
            summary: "a test: alerts arrive here".into(),
            details: String::new(),
            count: 1,
            subjects: vec![Subject::appliance()],
            repeats: 0,
            since: now,
            at: now,
        }
    }

    /// The word for its kind; `test` for a test.
    pub fn kind_word(&self) -> &'static str {
        self.kind.map_or("test", Kind::as_str)
    }

    /// As a webhook gets it.
    pub fn json(&self, from: &From) -> Value {
        let subject = |one: &Subject| json!({"type": one.what.as_str(), "id": one.id, "name": one.name});
        json!({
            "version": 1,
            "id": self.id,
            "kind": self.kind_word(),
            "status": self.status.as_str(),
            "severity": self.severity.as_str(),
            "summary": self.summary,
            "details": self.details,
            "count": self.count,
            "subjects": self.subjects.iter().map(subject).collect::<Vec<_>>(),
            "repeats": self.repeats,
            "since": self.since.rfc3339(),
            "at": self.at.rfc3339(),
            "url": self.url(from),
            "appliance": {"name": from.name, "version": env!("CARGO_PKG_VERSION"), "environment": from.environment},
        })
    }

    /// Where people look at it.
    fn url(&self, from: &From) -> Option<String> {
        let base = from.url.as_ref()?.trim_end_matches('/');
        let page = match self.subjects.as_slice() {
            [one] if one.what == What::Device => format!("devices/{}", one.id),
            [one] if one.what == What::Plan => format!("plans/{}", one.id),
            _ => "alerts".to_owned(),
        };
        Some(format!("{base}/admin/{page}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_that_are_too_long_still_tell_callers_apart() {
        let issuer = "https://login.microsoftonline.com/0123456789abcdef0123456789abcdef/v2.0/very-long";
        let of = |who: &str| Subject::new(What::Principal, &format!("{issuer} {who}"), who);
        let (anna, bert) = (of("anna"), of("bert"));
        assert_ne!(anna.id, bert.id);
        assert!(anna.id.chars().count() <= NAME && anna == of("anna"));
    }

    #[test]
    fn words_of_others_are_one_short_line() {
        let subject = Subject::device("dev_1", &format!("evil\r\n\u{202e}name{}", "x".repeat(500)));
        assert!(subject.name.starts_with("evil  name") && subject.name.chars().count() == NAME, "{}", subject.name);
        assert_eq!(details("a\u{0}b\nc"), "ab c");
    }

    #[test]
    fn one_thing_leads_to_its_page_and_many_to_the_list() {
        let from = From { url: Some("https://mcp.example/".into()), ..From::default() };
        let mut message = Message { subjects: vec![Subject::plan("plan-1")], ..Message::test(Wall(0)) };
        assert_eq!(message.json(&from)["url"], "https://mcp.example/admin/plans/plan-1");
        message.subjects.push(Subject::plan("plan-2"));
        assert_eq!(message.json(&from)["url"], "https://mcp.example/admin/alerts");
        assert!(message.json(&From::default())["url"].is_null());
    }
}
