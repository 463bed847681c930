//! All alerts of now, and what of them is told: pure, the time is an argument.
//!
//! Bounded: so many alerts and no more. Many of one kind at once are one message with a count: what is about to be told waits, for
//! a minute at most, for others of its kind that are known to be about to be; and after some messages of a kind the next ones of
//! that minute are gathered into one.

use crate::alert::kind::{Kind, Rule};
use crate::alert::life::{Life, Ms, Phase, Seen, Tell, due, step};
use crate::alert::message::{self, Message, NAMED, Status, Subject};
use crate::alert::record::{Past, Stands};
use crate::base::clock::Wall;
use std::collections::{BTreeMap, BTreeSet};

/// Alerts of one kind at one time: every device there may be. What would be one more is counted, and told by the log.
pub const MOST: usize = 5_000;
/// Messages of one kind that go out one by one; more within [`GATHER`] become one.
const FEW: usize = 5;
/// How long messages of one kind are gathered.
const GATHER: Ms = 60_000;

/// A moment, on both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Of the clock that never jumps.
    pub ms: Ms,
    /// For people.
    pub wall: Wall,
}

/// Which alert.
pub type Key = (Kind, String);

/// How an alert stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has to last longer before it is told.
    Waiting,
    /// It was told, and lasts.
    Firing,
    /// It is over, or happened.
    Over,
}

impl Standing {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Standing::Waiting => "waiting",
            Standing::Firing => "firing",
            Standing::Over => "over",
        }
    }
}

/// An alert as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Its kind.
    pub kind: Kind,
    /// How it stands.
    pub standing: Standing,
    /// Whom it is about.
    pub subject: Subject,
    /// More.
    pub details: String,
    /// Since when it is so.
    pub since: Wall,
    /// When it was told.
    pub told_at: Option<Wall>,
    /// When it was over.
    pub ended_at: Option<Wall>,
    /// How often it came again without being told.
    pub repeats: u32,
}

#[derive(Debug)]
struct Alert {
    subject: Subject,
    details: String,
    life: Life,
    since: Wall,
    told_at: Option<Wall>,
}

/// About to be told, of one kind and one status.
#[derive(Debug)]
struct Ready {
    since: Ms,
    items: BTreeMap<String, u32>,
}

/// What came of a moment.
#[derive(Debug, Default)]
pub struct Outcome {
    /// To be carried out.
    pub messages: Vec<Message>,
    /// Told, and still so.
    pub stands: Vec<Stands>,
    /// No longer so.
    pub gone: Vec<Key>,
    /// What is history now.
    pub past: Vec<Past>,
}

impl Outcome {
    /// Nothing came of it.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.stands.is_empty() && self.gone.is_empty() && self.past.is_empty()
    }
}

/// Whether it begins or is over.
type Over = bool;

/// All alerts of now.
pub struct Board {
    /// Kinds that are not here are off.
    rules: BTreeMap<Kind, Rule>,
    alerts: BTreeMap<Key, Alert>,
    ready: BTreeMap<(Kind, Over), Ready>,
    /// Messages since that moment.
    spent: BTreeMap<(Kind, Over), (Ms, usize)>,
    refused: u64,
}

impl Board {
    /// With what was told before this process and still stood then.
    pub fn new(rules: BTreeMap<Kind, Rule>, stands: Vec<Stands>, now: Now) -> Board {
        let mut board = Board { rules, alerts: BTreeMap::new(), ready: BTreeMap::new(), spent: BTreeMap::new(), refused: 0 };
        for stood in stands {
            // A clock that was set meanwhile tells nothing.
            let ago = if now.wall.is_plausible() { (now.wall.0 - stood.told_at.0).max(0) } else { 0 };
            let life = Life { phase: Phase::Told, told: Some(now.ms.saturating_sub(ago)), repeats: 0 };
            let key = (stood.kind, stood.subject.id.clone());
            let told_at = Some(stood.told_at);
            board.alerts.insert(key, Alert { subject: stood.subject, details: stood.details, life, since: stood.since, told_at });
        }
        board
    }

    /// Takes in what is seen of one thing.
    pub fn see(&mut self, kind: Kind, subject: &Subject, details: &str, seen: Seen, now: Now) {
        let Some(rule) = self.rules.get(&kind).copied() else { return };
        let key = (kind, subject.id.clone());
        let known = self.alerts.get(&key);
        if known.is_none() && matches!(seen, Seen::IsNot | Seen::Time) {
            return;
        }
        if known.is_none() && self.of(kind).count() >= MOST {
            self.refused += 1;
            if self.refused.is_power_of_two() {
                tracing::warn!(kind = kind.as_str(), refused = self.refused, "no room for more alerts");
            }
            return;
        }
        let was_live = known.is_some_and(|alert| matches!(alert.life.phase, Phase::Held { .. } | Phase::Told));
        let (life, tell) = step(known.map(|alert| alert.life), seen, now.ms, rule);
        if matches!(seen, Seen::Is | Seen::Happens) {
            let fresh = Alert {
                subject: subject.clone(),
                details: String::new(),
                life: Life { phase: Phase::Over, told: None, repeats: 0 },
                since: now.wall,
                told_at: None,
            };
            let alert = self.alerts.entry(key.clone()).or_insert(fresh);
            alert.details = message::details(details);
            alert.subject.name.clone_from(&subject.name);
            if !was_live {
                alert.since = now.wall;
            }
        }
        self.became(&key, life, tell, now);
    }

    /// Of this kind exactly these are so.
    pub fn only(&mut self, kind: Kind, those: &[(Subject, String)], now: Now) {
        let here: BTreeSet<&str> = those.iter().map(|(subject, _)| subject.id.as_str()).collect();
        let others: Vec<Subject> =
            self.of(kind).filter(|(id, _)| !here.contains(id.as_str())).map(|(_, alert)| alert.subject.clone()).collect();
        others.iter().for_each(|subject| self.see(kind, subject, "", Seen::IsNot, now));
        those.iter().for_each(|(subject, details)| self.see(kind, subject, details, Seen::Is, now));
    }

    fn of(&self, kind: Kind) -> impl Iterator<Item = (&String, &Alert)> {
        self.alerts.range((kind, String::new())..).take_while(move |((of, _), _)| *of == kind).map(|((_, id), alert)| (id, alert))
    }

    fn became(&mut self, key: &Key, life: Option<Life>, tell: Option<Tell>, now: Now) {
        let (kind, id) = key;
        if let (Some(life), Some(alert)) = (life, self.alerts.get_mut(key)) {
            alert.life = life;
        }
        let begins = self.ready.get_mut(&(*kind, false)).and_then(|ready| ready.items.remove(id));
        match tell {
            // Nobody heard that it began.
            Some(Tell::Ends) if begins.is_some() => {
                self.alerts.remove(key);
            }
            Some(Tell::Ends) => self.make_ready(key, true, 0, now),
            // Its end was not told yet: then it never ended.
            Some(Tell::Begins { .. }) if self.is_ready(*kind, id, true) => {
                self.ready.entry((*kind, true)).and_modify(|ready| ready.items.retain(|ending, _| ending != id));
            }
            Some(Tell::Begins { repeats }) => self.make_ready(key, false, repeats + begins.map_or(0, |before| before + 1), now),
            None => {
                if let Some(repeats) = begins.filter(|_| life.is_some()) {
                    self.ready.get_mut(&(*kind, false)).and_then(|ready| ready.items.insert(id.clone(), repeats));
                }
                if life.is_none() && !self.is_ready(*kind, id, true) {
                    self.alerts.remove(key);
                }
            }
        }
        self.ready.retain(|_, ready| !ready.items.is_empty());
    }

    /// Whether its beginning or its end is about to be told.
    fn is_ready(&self, kind: Kind, id: &str, over: Over) -> bool {
        self.ready.get(&(kind, over)).is_some_and(|ready| ready.items.contains_key(id))
    }

    fn make_ready(&mut self, (kind, id): &Key, over: Over, repeats: u32, now: Now) {
        let ready = self.ready.entry((*kind, over)).or_insert_with(|| Ready { since: now.ms, items: BTreeMap::new() });
        ready.items.insert(id.clone(), repeats);
    }

    /// Lets time pass, and says what is told now.
    pub fn pass(&mut self, now: Now) -> Outcome {
        let late: Vec<Key> = self
            .alerts
            .iter()
            .filter(|(key, alert)| self.due(key, alert).is_some_and(|due| due <= now.ms))
            .map(|(key, _)| key.clone())
            .collect();
        for key in late {
            let (Some(alert), Some(rule)) = (self.alerts.get(&key), self.rules.get(&key.0)) else { continue };
            let (life, tell) = step(Some(alert.life), Seen::Time, now.ms, *rule);
            self.became(&key, life, tell, now);
        }
        let mut outcome = Outcome::default();
        self.forget_what_is_off(&mut outcome);
        for of in self.ready.keys().copied().collect::<Vec<_>>() {
            self.emit(of, now, &mut outcome);
        }
        outcome
    }

    /// Kinds that were switched off since are over without a word.
    fn forget_what_is_off(&mut self, outcome: &mut Outcome) {
        let off: Vec<Key> = self.alerts.keys().filter(|(kind, _)| !self.rules.contains_key(kind)).cloned().collect();
        for key in off {
            self.alerts.remove(&key);
            outcome.gone.push(key);
        }
    }

    /// When time changes something about it. What is over and not told yet is kept until it is.
    fn due(&self, (kind, id): &Key, alert: &Alert) -> Option<Ms> {
        let due = due(&alert.life, *self.rules.get(kind)?);
        due.filter(|_| match alert.life.phase {
            Phase::Over => !self.is_ready(*kind, id, true),
            Phase::Happened => !self.is_ready(*kind, id, false),
            Phase::Held { .. } | Phase::Told => true,
        })
    }

    /// When [`Board::pass`] may have something to tell.
    pub fn next(&self) -> Option<Ms> {
        let of_life = self.alerts.iter().filter_map(|(key, alert)| self.due(key, alert)).min();
        let of_ready = self.ready.values().map(|ready| ready.since + GATHER).min();
        of_life.into_iter().chain(of_ready).min()
    }

    /// Those that will be told with what is ready, if it waits for them.
    fn coming(&self, (kind, over): (Kind, Over), since: Ms) -> usize {
        if over {
            // Whatever else is down may come back as well.
            return self.of(kind).filter(|(_, alert)| alert.life.phase == Phase::Told).count();
        }
        let soon = |alert: &Alert| {
            let is_held = matches!(alert.life.phase, Phase::Held { .. });
            is_held && self.rules.get(&kind).and_then(|rule| due(&alert.life, *rule)).is_some_and(|due| due <= since + GATHER)
        };
        self.of(kind).filter(|(_, alert)| soon(alert)).count()
    }

    fn emit(&mut self, of: (Kind, Over), now: Now, outcome: &mut Outcome) {
        let Some(ready) = self.ready.get(&of) else { return };
        let coming = self.coming(of, ready.since);
        let spent = self.spent.get(&of).filter(|(since, _)| now.ms - since < GATHER).map_or(0, |(_, count)| *count);
        let few = ready.items.len() + coming + spent <= FEW;
        let whole = now.ms - ready.since >= GATHER || (coming == 0 && spent == 0);
        if !few && !whole {
            return;
        }
        let Some(ready) = self.ready.remove(&of) else { return };
        let items: Vec<(String, u32)> = ready.items.into_iter().collect();
        let groups: Vec<&[(String, u32)]> = if few { items.chunks(1).collect() } else { vec![&items] };
        for group in groups {
            outcome.messages.extend(self.message(of, group, now));
        }
        let spent = self.spent.entry(of).or_insert((now.ms, 0));
        if now.ms - spent.0 >= GATHER {
            *spent = (now.ms, 0);
        }
        spent.1 += if few { items.len() } else { FEW };
        for (id, repeats) in items {
            self.settle((of.0, id), of.1, repeats, now, outcome);
        }
    }

    fn message(&self, (kind, over): (Kind, Over), group: &[(String, u32)], now: Now) -> Option<Message> {
        let alerts: Vec<&Alert> = group.iter().filter_map(|(id, _)| self.alerts.get(&(kind, id.clone()))).collect();
        let first = alerts.first()?;
        let mut subjects: Vec<Subject> = alerts.iter().map(|alert| alert.subject.clone()).collect();
        subjects.sort_by(|a, b| a.name.cmp(&b.name));
        subjects.truncate(NAMED);
        let (summary, details) = match alerts.as_slice() {
            [one] if over => (kind.ends(&one.subject.name), String::new()),
            [one] => (kind.begins(&one.subject.name), one.details.clone()),
            many => {
                let named: Vec<&str> = subjects.iter().map(|subject| subject.name.as_str()).collect();
                let rest = many.len() - named.len();
                let more = if rest == 0 { String::new() } else { format!(" and {rest} more") };
                (kind.many(many.len(), over), format!("{}{more}", message::tidy(&named.join(", "), 280)))
            }
        };
        Some(Message {
            id: Message::new_id(),
            kind: Some(kind),
            status: if over { Status::Resolved } else { Status::Firing },
            severity: kind.severity(),
            summary,
            details,
            count: alerts.len() as u32,
            subjects,
            repeats: group.iter().map(|(_, repeats)| *repeats).sum(),
            since: alerts.iter().map(|alert| alert.since).min().unwrap_or(first.since),
            at: now.wall,
        })
    }

    /// One of those that were just told.
    fn settle(&mut self, key: Key, over: Over, repeats: u32, now: Now, outcome: &mut Outcome) {
        let Some(alert) = self.alerts.get_mut(&key) else { return };
        if !over {
            alert.told_at = Some(now.wall);
        }
        let told_at = alert.told_at.unwrap_or(now.wall);
        let (subject, details, since) = (alert.subject.clone(), alert.details.clone(), alert.since);
        let kind = key.0;
        let is_past = over || alert.life.phase == Phase::Happened;
        if is_past {
            let ended_at = over.then_some(now.wall);
            outcome.past.push(Past { kind, subject, details, since, told_at, ended_at, repeats });
            outcome.gone.push(key);
        } else {
            outcome.stands.push(Stands { kind, subject, details, since, told_at });
        }
    }

    /// Every alert that lasts.
    pub fn live(&self) -> Vec<View> {
        let live = self.alerts.iter().filter_map(|((kind, id), alert)| {
            let standing = match alert.life.phase {
                Phase::Told if !self.is_ready(*kind, id, false) => Standing::Firing,
                Phase::Told | Phase::Held { .. } => Standing::Waiting,
                Phase::Over | Phase::Happened => return None,
            };
            Some(View {
                kind: *kind,
                standing,
                subject: alert.subject.clone(),
                details: alert.details.clone(),
                since: alert.since,
                told_at: alert.told_at,
                ended_at: None,
                repeats: alert.life.repeats,
            })
        });
        live.collect()
    }

    /// How many of each kind were told and last.
    pub fn firing(&self) -> impl Iterator<Item = (Kind, usize)> {
        Kind::ALL.into_iter().map(|kind| (kind, self.of(kind).filter(|(_, alert)| alert.life.phase == Phase::Told).count()))
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
