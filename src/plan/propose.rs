//! A request worked out on every device it names, and kept as a draft.

use crate::access::policy::within;
use crate::access::principal::Principal;
use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::base::tier::Environment;
use crate::fleet::{Device, Status};
use crate::plan::config::{CONFIRM_MAX, CONFIRM_MIN, DRAFT_LIFE};
use crate::plan::edit::{Confirm, OnFailure, Request, Select};
use crate::plan::engine::{Ask, Engine};
use crate::plan::record::{Author, Change, Cut, Draft, Pace, Plan, PlanId, Risk, Step};
use crate::plan::state::PlanState;
use crate::plan::{approve, digest};
use crate::routeros::value;
use futures_util::future::try_join_all;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Devices drafted side by side.
const DRAFTS_AT_ONCE: usize = 8;
/// Most plans of one author that were written down within a draft's life and never begun.
const MOST_IDLE: usize = 200;
/// Most rows that one plan changes, on all its devices together.
const MOST_STEPS: usize = 5_000;
/// Most reasons kept why a plan may cut us off.
const MOST_REASONS: usize = 50;

impl Engine {
    /// Works a request out on every device it names, and keeps it as a draft. Changes nothing on any router.
    ///
    /// # Errors
    /// What is wrong with the request, or with the first device it cannot be drafted on.
    pub async fn create(&self, who: &Principal, request: Request, origin: &str) -> Result<PlanId, Fault> {
        self.create_for(who, None, request, origin).await
    }

    /// As `create`, with the person behind the caller, where one is known: nobody approves their own plans by another name.
    pub async fn create_for(&self, who: &Principal, person: Option<String>, request: Request, origin: &str) -> Result<PlanId, Fault> {
        self.has_room(who)?;
        let (plan, drafts) = self.drafted(who, person, request, origin, None).await?;
        self.core.book.create(&plan, &drafts).await?;
        Ok(plan.id)
    }

    /// A plan as it would be kept. What was read since `begun` need not be read again.
    pub(super) async fn drafted(
        &self,
        who: &Principal,
        person: Option<String>,
        request: Request,
        origin: &str,
        begun: Option<Duration>,
    ) -> Result<(Plan, Vec<Draft>), Fault> {
        request.check()?;
        self.drafter.check(who, &request.verify)?;
        let (devices, environment) = self.devices(who, &request)?;
        for device in &devices {
            self.core.fleet.takes_changes(device)?;
        }
        let timeout = self.confirm_timeout(&request)?;
        let pace = self.pace(&request)?;
        let id = PlanId::random();
        let mut drafts: Vec<Draft> = Vec::with_capacity(devices.len());
        for some in devices.chunks(DRAFTS_AT_ONCE) {
            let asks =
                some.iter().map(|device| self.drafter.draft(Ask { plan: &id, device, edits: &request.edits, author: who, origin, begun }));
            drafts.extend(try_join_all(asks).await?);
        }
        let risk = drafts.iter().map(|draft| draft.risk).max().unwrap_or(Risk::Low);
        let cut = drafts.iter().map(|draft| draft.cut).max().unwrap_or(Cut::No);
        if risk == Risk::Extreme && !self.core.settings.allow_extreme {
            return Err(
                Fault::denied("this is of extreme risk, and such plans are off here").hint("the operator can set plan.allow_extreme")
            );
        }
        let steps: usize = drafts.iter().map(|draft| draft.steps.len()).sum();
        if steps > MOST_STEPS {
            return Err(Fault::bad_input(format!("{steps} rows are too many for one plan (at most {MOST_STEPS})"))
                .hint("split it; a person has to read what they approve"));
        }
        let confirm = request.confirm.unwrap_or(if risk >= Risk::High && cut != Cut::No { Confirm::Manual } else { Confirm::Auto });
        let now = self.core.clock.wall();
        let mut reasons: Vec<String> = Vec::new();
        drafts.iter().flat_map(|draft| &draft.cut_reasons).for_each(|why| {
            if !reasons.contains(why) {
                reasons.push(why.clone());
            }
        });
        if reasons.len() > MOST_REASONS {
            let more = reasons.split_off(MOST_REASONS).len();
            reasons.push(format!("and {more} reasons more"));
        }
        let mut plan = Plan {
            id: id.clone(),
            reason: request.reason.clone(),
            origin: origin.to_owned(),
            author: Author::of(who, person),
            environment,
            request: String::new(),
            created_at: now,
            expires_at: Wall(now.0 + DRAFT_LIFE.as_millis() as i64),
            state: PlanState::Draft,
            risk,
            cut,
            cut_reasons: reasons,
            digest: [0; 32],
            // A secret of the vault leaves for a router: a person sees for which, even in a lab.
            needed: approve::needed(risk, cut, environment, request.unguarded).max(u8::from(drafts.iter().any(uses_vault))),
            approvals: Vec::new(),
            confirm,
            confirm_timeout_s: timeout.as_secs() as u32,
            verify: request.verify.clone(),
            pace,
            unguarded: request.unguarded,
            devices: devices.iter().map(|device| device.id.clone()).collect(),
            started_by: None,
            started_at: None,
            ended_at: None,
            why_ended: None,
            halt: None,
        };
        plan.digest = digest::of(&plan, &drafts);
        Ok((plan, drafts))
    }

    /// Errs when a caller wrote down more plans than anybody reads: whoever only drafts, by mistake or not, must not fill the store.
    pub(super) fn has_room(&self, who: &Principal) -> Result<(), Fault> {
        let since = self.core.clock.wall().0 - DRAFT_LIFE.as_millis() as i64;
        let own = |plan: &&Plan| plan.author.issuer == who.issuer && plan.author.subject == who.subject;
        let plans = self.core.book.plans()?;
        let idle = plans.iter().filter(own).filter(|plan| plan.created_at.0 > since && plan.started_at.is_none()).count();
        if idle < MOST_IDLE {
            return Ok(());
        }
        Err(Fault::new(Kind::Busy, format!("{idle} plans you wrote down within a day were never applied; no more are taken"))
            .hint("plan.list shows them: have those approved and apply them, or go on tomorrow"))
    }

    fn devices(&self, who: &Principal, request: &Request) -> Result<(Vec<Arc<Device>>, Environment), Fault> {
        let visible = |device: &Device| within(&who.limits.devices, &device.traits());
        let mut devices: Vec<Arc<Device>> = Vec::new();
        for wanted in &request.devices {
            let device = self.core.fleet.find_among(wanted, visible)?;
            if devices.iter().any(|known| known.id == device.id) {
                return Err(Fault::bad_input(format!("devices: \"{}\" is named twice", device.name)));
            }
            devices.push(device);
        }
        if let Some(select) = &request.select {
            let all = self.core.fleet.list();
            let tags = tags(select)?;
            let environment =
                select.environment.as_deref().map(|word| word.parse::<Environment>().map_err(Fault::bad_input)).transpose()?;
            devices.extend(all.into_iter().filter(|device| {
                visible(device)
                    && device.status != Status::Decommissioned
                    && environment.is_none_or(|environment| device.environment == environment)
                    && tags.iter().all(|tag| device.tags.contains(tag))
            }));
        }
        let most = self.core.settings.max_devices;
        let Some(first) = devices.first() else {
            return Err(Fault::bad_input("select: no device fits").hint("device.list shows names and tags"));
        };
        if devices.len() > most {
            return Err(Fault::bad_input(format!("{} devices are too many for one plan (at most {most})", devices.len())));
        }
        let environment = first.environment;
        if let Some(other) = devices.iter().find(|device| device.environment != environment) {
            return Err(Fault::bad_input(format!("\"{}\" and \"{}\" are of different environments", first.name, other.name)));
        }
        Ok((devices, environment))
    }

    fn confirm_timeout(&self, request: &Request) -> Result<Duration, Fault> {
        let Some(text) = &request.confirm_timeout else { return Ok(self.core.settings.confirm_timeout) };
        let span = value::span(text).filter(|span| (CONFIRM_MIN..=CONFIRM_MAX).contains(span));
        span.ok_or_else(|| Fault::bad_input("confirm_timeout: from 30s to 1h, e.g. 10m"))
    }

    fn pace(&self, request: &Request) -> Result<Pace, Fault> {
        let settings = &self.core.settings;
        let batch = request.batch.as_ref();
        let size = batch.and_then(|batch| batch.size).unwrap_or(settings.batch_size);
        let canary = batch.and_then(|batch| batch.canary).unwrap_or(1);
        if !(1..=50).contains(&size) || canary > 50 {
            return Err(Fault::bad_input("batch: size is 1 to 50, canary 0 to 50"));
        }
        let pause = match batch.and_then(|batch| batch.pause.as_deref()) {
            None => settings.batch_pause,
            Some(text) => value::span(text)
                .filter(|span| *span <= Duration::from_secs(3_600))
                .ok_or_else(|| Fault::bad_input("batch.pause: from 0s to 1h, e.g. 60s"))?,
        };
        let on_failure = batch.and_then(|batch| batch.on_failure).unwrap_or(OnFailure::Stop);
        Ok(Pace { size, canary, pause_s: pause.as_secs() as u32, on_failure })
    }
}

/// `{"site": "north"}` or `["site=north"]`.
fn tags(select: &Select) -> Result<Vec<(String, String)>, Fault> {
    let wrong = || Fault::bad_input("select.tags: {\"KEY\": \"VALUE\"} or [\"KEY=VALUE\"]");
    match &select.tags {
        Value::Null => Ok(Vec::new()),
        Value::Object(map) => map.iter().map(|(key, value)| Ok((key.clone(), value.as_str().ok_or_else(wrong)?.to_owned()))).collect(),
        Value::Array(list) => list
            .iter()
            .map(|word| {
                let (key, value) = word.as_str().and_then(|word| word.split_once('=')).ok_or_else(wrong)?;
                Ok((key.to_owned(), value.to_owned()))
            })
            .collect(),
        _ => Err(wrong()),
    }
}

fn uses_vault(draft: &Draft) -> bool {
    let secrets = |step: &Step| match &step.change {
        Change::Add { secrets, .. } | Change::Set { secrets, .. } | Change::SetSingle { secrets, .. } => {
            secrets.iter().any(|secret| secret.handle.starts_with("vault:"))
        }
        _ => false,
    };
    draft.steps.iter().any(secrets)
}
