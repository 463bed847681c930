//! What others see of it: alerts, ways out, and a test of them.

use crate::alert::board::{Standing, View};
use crate::alert::channel::{Channel, Failure, Tried};
use crate::alert::deliver::Line;
use crate::alert::hub::{Alerts, held};
use crate::alert::kind::{Kind, Rule};
use crate::alert::message::Message;
use crate::base::clock::Wall;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A channel as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelView {
    /// `webhook` or `syslog`.
    pub channel: &'static str,
    /// Where it leads.
    pub to: String,
    /// Messages on their way.
    pub waiting: usize,
    /// What came of the last try.
    pub outcome: Option<&'static str>,
    /// In words.
    pub said: String,
    /// When it was.
    pub at: Option<Wall>,
    /// When it is tried again.
    pub next: Option<Wall>,
    /// Where the secret that signs is: `file`, `store`, or none.
    pub secret: Option<&'static str>,
}

impl Alerts {
    /// Every alert that lasts, the worst first, then those that are over, the newest first.
    pub fn list(&self) -> Vec<View> {
        let mut views = held(&self.0.board).live();
        views.sort_by(|a, b| b.kind.severity().cmp(&a.kind.severity()).then(b.since.cmp(&a.since)));
        let past = held(&self.0.past);
        let over = past.iter().rev().map(|(_, past)| View {
            kind: past.kind,
            standing: Standing::Over,
            subject: past.subject.clone(),
            details: past.details.clone(),
            since: past.since,
            told_at: Some(past.told_at),
            ended_at: past.ended_at,
            repeats: past.repeats,
        });
        views.extend(over);
        views
    }

    /// When each kind is told; those that are missing are not.
    pub fn rules(&self) -> &BTreeMap<Kind, Rule> {
        &self.0.settings.rules
    }

    /// The ways out, and how each does.
    pub fn channels(&self) -> Vec<ChannelView> {
        let view = |line: &Arc<Line>| {
            let condition = line.condition();
            ChannelView {
                channel: line.channel.name(),
                to: line.channel.to(),
                waiting: line.queue.len(),
                outcome: condition.outcome,
                said: condition.said,
                at: condition.at,
                next: condition.next,
                secret: matches!(line.channel, Channel::Webhook(_)).then(|| self.0.where_secret_is()).flatten(),
            }
        };
        self.0.lines.iter().map(view).collect()
    }

    /// Sends a test through each channel now, and says what came back. What waits is tried again where that went well.
    pub async fn test(&self) -> Vec<Tried> {
        let message = Message::test(self.0.clock.wall());
        let tries = self.0.lines.iter().map(|line| async {
            let began = self.0.clock.mono();
            let sent = self.0.send(line, &message).await;
            let outcome = sent.as_ref().map_or_else(Failure::outcome, |_| "delivered");
            self.0.meter.delivery(line.channel.name(), outcome, 1);
            if sent.is_ok() {
                line.again.notify_one();
            }
            let took_ms = self.0.clock.mono().saturating_sub(began).as_millis() as u64;
            let delivered = sent.is_ok();
            let said = sent.unwrap_or_else(|failure| failure.said);
            Tried { channel: line.channel.name(), to: line.channel.to(), delivered, said, took_ms }
        });
        futures_util::future::join_all(tries).await
    }
}
