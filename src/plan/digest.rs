//! What an approval is bound to: SHA-256 over everything a plan does, where, to what, and how it is undone. Pure.
//!
//! Each part goes in with its name and its length, so that no two plans read alike; the first bytes say what is digested, so that no
//! other digest of ours can stand for one of these. Written out by hand: a record may change its shape, an approved plan must not change
//! its digest for that.

use crate::base::ids::hex;
use crate::plan::edit::OnFailure;
use crate::plan::form::Pairs;
use crate::plan::record::{Change, Draft, Find, Place, Plan, SecretValue};
use ring::digest::{Context, SHA256};

/// What is digested, and in which form.
const DOMAIN: &str = "routeros-mcp plan v1";

/// Changes when policy itself changes its meaning: approvals given before are void.
pub const POLICY_VERSION: &str = "1";

/// [`digest`] under the policy of this build.
pub fn of(plan: &Plan, drafts: &[Draft]) -> [u8; 32] {
    digest(plan, drafts, POLICY_VERSION)
}

/// The digest of a plan: its id, each device with serial and pins, observed rows, wire operations, inverse, verify list, confirm mode
/// and timeout, whether it may go unguarded, its pace, and the version of the policy it was judged by.
pub fn digest(plan: &Plan, drafts: &[Draft], policy_version: &str) -> [u8; 32] {
    let mut to = Feed(Context::new(&SHA256));
    to.text("domain", DOMAIN);
    to.text("plan", plan.id.as_str());
    to.text("policy", policy_version);
    to.text("confirm", plan.confirm.as_str());
    to.number("confirm timeout", plan.confirm_timeout_s.into());
    to.number("unguarded", plan.unguarded.into());
    to.number("needed", plan.needed.into());
    to.number("size", plan.pace.size.into());
    to.number("canary", plan.pace.canary.into());
    to.number("pause", plan.pace.pause_s.into());
    to.number("roll back all", (plan.pace.on_failure == OnFailure::RollBackAll).into());
    to.number("checks", plan.verify.len() as u64);
    for check in &plan.verify {
        to.maybe("ping", check.ping.as_deref());
        to.maybe("from", check.from.as_deref());
        to.maybe("reach", check.reach.as_deref());
    }
    to.number("devices", plan.devices.len() as u64);
    plan.devices.iter().for_each(|device| to.text("device", device.as_str()));
    to.number("drafts", drafts.len() as u64);
    drafts.iter().for_each(|draft| to.draft(draft));
    let mut out = [0; 32];
    out.copy_from_slice(to.0.finish().as_ref());
    out
}

/// The digest as people compare it: `9f3a-22c1`, its first eight digits.
pub fn short_digest(digest: &[u8; 32]) -> String {
    let digits = hex(&digest[..4]);
    format!("{}-{}", &digits[..4], &digits[4..])
}

struct Feed(Context);

impl Feed {
    fn bytes(&mut self, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.0.update(&(part.len() as u64).to_be_bytes());
            self.0.update(part);
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.bytes(name, text.as_bytes());
    }

    fn number(&mut self, name: &str, number: u64) {
        self.bytes(name, &number.to_be_bytes());
    }

    fn maybe(&mut self, name: &str, text: Option<&str>) {
        self.number(name, text.is_some().into());
        self.text(name, text.unwrap_or_default());
    }

    fn pairs(&mut self, name: &str, pairs: &Pairs) {
        self.number(name, pairs.len() as u64);
        for (attribute, value) in pairs {
            self.text(attribute, value);
        }
    }

    fn find(&mut self, name: &str, find: Option<&Find>) {
        self.number(name, find.is_some().into());
        self.pairs(name, find.map_or(&Pairs::new(), |find| &find.by));
    }

    fn place(&mut self, name: &str, place: Option<&Place>) {
        self.number(name, place.is_some().into());
        self.find(name, place.and_then(|place| place.before.as_ref()));
    }

    fn written(&mut self, values: &Pairs, secrets: &[SecretValue], unset: &[String]) {
        self.pairs("values", values);
        self.number("secrets", secrets.len() as u64);
        secrets.iter().for_each(|secret| self.text(&secret.attribute, &secret.handle));
        self.number("unset", unset.len() as u64);
        unset.iter().for_each(|name| self.text("attribute", name));
    }

    fn draft(&mut self, draft: &Draft) {
        self.text("draft of", draft.device.as_str());
        self.maybe("serial", draft.serial.as_deref());
        self.bytes("tls", draft.pins.tls.as_ref().map_or(&[][..], |pin| &pin[..]));
        self.maybe("ssh", draft.pins.ssh.as_deref());
        self.text("risk", draft.risk.as_str());
        self.text("cut", draft.cut.as_str());
        self.number("observed", draft.observed.len() as u64);
        for seen in &draft.observed {
            self.text("menu", &seen.menu);
            self.find("find", seen.find.as_ref());
            self.pairs("row", &seen.row);
            self.find("next", seen.next.as_ref());
        }
        self.number("absent", draft.absent.len() as u64);
        for (menu, find) in &draft.absent {
            self.text("menu", menu);
            self.find("find", Some(find));
        }
        self.number("steps", draft.steps.len() as u64);
        for step in &draft.steps {
            self.number("edit", step.edit.into());
            self.text("menu", &step.menu);
            self.number("gives access", step.gives_access.into());
            self.change(&step.change);
        }
        self.text("inverse", &draft.inverse);
    }

    fn change(&mut self, change: &Change) {
        match change {
            Change::Add { values, secrets, place, find } => {
                self.text("change", "add");
                self.written(values, secrets, &[]);
                self.place("place", place.as_ref());
                self.find("find", Some(find));
            }
            Change::Set { find, before, values, secrets, unset } => {
                self.text("change", "set");
                self.find("find", Some(find));
                self.pairs("before", before);
                self.written(values, secrets, unset);
            }
            Change::SetSingle { before, values, secrets, unset } => {
                self.text("change", "set single");
                self.pairs("before", before);
                self.written(values, secrets, unset);
            }
            Change::Remove { find, before, place, by_disabling } => {
                self.text("change", "remove");
                self.find("find", Some(find));
                self.pairs("before", before);
                self.place("place", place.as_ref());
                self.number("by disabling", (*by_disabling).into());
            }
            Change::Move { find, row, from, to } => {
                self.text("change", "move");
                self.find("find", Some(find));
                self.pairs("row", row);
                self.place("from", Some(from));
                self.place("to", Some(to));
            }
            Change::Run { command, find, args } => {
                self.text("change", "run");
                self.text("command", command);
                self.find("find", find.as_ref());
                self.pairs("args", args);
            }
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::access::principal::Principal;
    use crate::access::role::Role;
    use crate::base::clock::Wall;
    use crate::base::ids::DeviceId;
    use crate::base::tier::Environment;
    use crate::fleet::Pins;
    use crate::plan::edit::{Check, Confirm};
    use crate::plan::record::{Author, Cut, Observed, Pace, PlanId, Risk, Step};
    use crate::plan::state::PlanState;

    fn pairs(pairs: &[(&str, &str)]) -> Pairs {
        pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
    }

    pub(in crate::plan) fn plan() -> Plan {
        Plan {
            id: PlanId("plan-000000000001".into()),
            reason: "r".into(),
            origin: "plan.create".into(),
            author: Author::of(&Principal::stdio(Role::OpsRw), None),
            environment: Environment::Lab,
            request: "{}".into(),
            created_at: Wall(0),
            expires_at: Wall(1),
            state: PlanState::Draft,
            risk: Risk::Medium,
            cut: Cut::No,
            cut_reasons: vec![],
            digest: [0; 32],
            needed: 1,
            approvals: vec![],
            confirm: Confirm::Auto,
            confirm_timeout_s: 600,
            verify: vec![Check { ping: Some("192.0.2.1".into()), from: None, reach: None }],
            pace: Pace { size: 5, canary: 1, pause_s: 60, on_failure: OnFailure::Stop },
            unguarded: false,
            devices: vec![DeviceId("dev_1".into())],
            started_by: None,
            started_at: None,
            ended_at: None,
            why_ended: None,
            halt: None,
        }
    }

    fn draft() -> Draft {
        let find = Find { by: pairs(&[("name", "a")]) };
        Draft {
            plan: PlanId("plan-000000000001".into()),
            device: DeviceId("dev_1".into()),
            name: "edge".into(),
            serial: Some("S".into()),
            pins: Pins { tls: Some([1; 32]), ssh: Some("SHA256:x".into()) },
            version: None,
            known: vec![],
            observed: vec![Observed { menu: "/x".into(), find: Some(find.clone()), row: pairs(&[("name", "a")]), next: None }],
            absent: vec![],
            steps: vec![Step {
                edit: 0,
                menu: "/x".into(),
                change: Change::Set {
                    find,
                    before: pairs(&[("name", "a"), ("b", "1")]),
                    values: pairs(&[("b", "2")]),
                    secrets: vec![],
                    unset: vec![],
                },
                gives_access: false,
            }],
            risk: Risk::Medium,
            cut: Cut::No,
            cut_reasons: vec![],
            settle_s: 0,
            inverse: "undo".into(),
        }
    }

    /// Each thing an approval is about, changed by itself.
    #[test]
    fn whatever_is_changed_the_digest_is_another() {
        type Change = fn(&mut Plan, &mut Draft);
        let changes: &[Change] = &[
            |plan, _| plan.id = PlanId("plan-000000000002".into()),
            |plan, _| plan.confirm = Confirm::Manual,
            |plan, _| plan.confirm_timeout_s = 601,
            |plan, _| plan.unguarded = true,
            |plan, _| plan.pace.size = 6,
            |plan, _| plan.pace.canary = 2,
            |plan, _| plan.pace.pause_s = 61,
            |plan, _| plan.pace.on_failure = OnFailure::RollBackAll,
            |plan, _| plan.verify[0].ping = Some("192.0.2.2".into()),
            |plan, _| plan.verify.clear(),
            |plan, _| plan.devices.push(DeviceId("dev_2".into())),
            |_, draft| draft.device = DeviceId("dev_2".into()),
            |_, draft| draft.serial = None,
            |_, draft| draft.serial = Some(String::new()),
            |_, draft| draft.pins.tls = Some([2; 32]),
            |_, draft| draft.pins.ssh = None,
            |_, draft| draft.observed[0].row = pairs(&[("name", "b")]),
            |_, draft| draft.observed[0].next = Some(Find { by: pairs(&[("name", "c")]) }),
            |_, draft| draft.observed.clear(),
            |_, draft| draft.absent.push(("/x".into(), Find { by: pairs(&[("name", "c")]) })),
            |_, draft| draft.steps[0].menu = "/y".into(),
            |_, draft| draft.steps[0].gives_access = true,
            |_, draft| draft.steps.clear(),
            |_, draft| draft.inverse.push(' '),
        ];
        let mut seen = vec![digest(&plan(), &[draft()], "1"), digest(&plan(), &[draft()], "2"), digest(&plan(), &[], "1")];
        for change in changes {
            let (mut plan, mut draft) = (plan(), draft());
            change(&mut plan, &mut draft);
            seen.push(digest(&plan, &[draft], "1"));
        }
        assert_eq!(digest(&plan(), &[draft()], "1"), seen[0], "the same plan has the same digest");
        let all = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!((seen.len(), all), (all, changes.len() + 3));
    }

    #[test]
    fn what_happens_to_a_plan_later_leaves_its_digest() {
        let mut later = plan();
        later.state = PlanState::Approved;
        later.digest = [9; 32];
        later.started_at = Some(Wall(5));
        assert_eq!(digest(&later, &[draft()], "1"), digest(&plan(), &[draft()], "1"));
    }

    #[test]
    fn a_value_cannot_move_into_its_neighbour() {
        let with = |values: Pairs| {
            let mut draft = draft();
            if let Change::Set { values: old, .. } = &mut draft.steps[0].change {
                *old = values;
            }
            digest(&plan(), &[draft], "1")
        };
        assert_ne!(with(pairs(&[("a", "bc")])), with(pairs(&[("ab", "c")])));
        assert_ne!(with(pairs(&[("a", "b"), ("c", "d")])), with(pairs(&[("a", "bcd")])));
    }

    #[test]
    fn people_compare_eight_digits() {
        let mut digest = [0; 32];
        digest[..4].copy_from_slice(&[0x9f, 0x3a, 0x22, 0xc1]);
        assert_eq!(short_digest(&digest), "9f3a-22c1");
    }
}
