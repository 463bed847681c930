//! Progress of long calls, as notifications.
//!
//! The tool tells from wherever it is; the notifications leave from the task that serves the request, because rmcp
//! finds the request's own stream by task. A client that reads slowly misses steps, never the answer.

use crate::dispatch::Progress;
use rmcp::RoleServer;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::service::RequestContext;
use std::sync::{Mutex, PoisonError};
use tokio::sync::mpsc;

/// How many steps wait for the client; more are dropped, since a newer one says more.
const BACKLOG: usize = 16;

/// The tool's end.
pub struct Told {
    steps: mpsc::Sender<Step>,
    /// The last step sent: the protocol wants each to be greater.
    last: Mutex<f64>,
}

/// One step on its way to the client.
struct Step {
    done: f64,
    total: Option<f64>,
    message: String,
}

/// The client's end.
pub struct Steps {
    steps: mpsc::Receiver<Step>,
    token: ProgressToken,
}

/// A pair of ends for a request that carries `token`.
pub fn channel(token: ProgressToken) -> (Told, Steps) {
    let (sender, receiver) = mpsc::channel(BACKLOG);
    (Told { steps: sender, last: Mutex::new(f64::NEG_INFINITY) }, Steps { steps: receiver, token })
}

impl Progress for Told {
    fn tell(&self, done: f64, total: Option<f64>, message: &str) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let rises = done > *last;
        if rises && self.steps.try_send(Step { done, total, message: message.into() }).is_ok() {
            *last = done;
        }
    }
}

impl Steps {
    /// Awaits `work`, sending each step as it comes; all steps leave before the answer does.
    pub async fn pass_on_during<W: Future + Unpin>(mut self, mut work: W, cx: &RequestContext<RoleServer>) -> W::Output {
        let mut telling = true;
        let output = loop {
            tokio::select! {
                output = &mut work => break output,
                step = self.next(), if telling => match step {
                    Some(step) => drop(cx.peer.notify_progress(step).await),
                    None => telling = false,
                },
            }
        };
        while !cx.ct.is_cancelled()
            && let Some(step) = self.ready()
        {
            // A client that has gone away needs no progress; the answer will find out.
            let _ = cx.peer.notify_progress(step).await;
        }
        output
    }

    /// The next notification; `None` when the tool told its last.
    async fn next(&mut self) -> Option<ProgressNotificationParam> {
        let step = self.steps.recv().await?;
        Some(self.notification(step))
    }

    /// The next notification that is already there.
    fn ready(&mut self) -> Option<ProgressNotificationParam> {
        let step = self.steps.try_recv().ok()?;
        Some(self.notification(step))
    }

    fn notification(&self, step: Step) -> ProgressNotificationParam {
        let mut param = ProgressNotificationParam::new(self.token.clone(), step.done);
        param.total = step.total;
        param.message = (!step.message.is_empty()).then_some(step.message);
        param
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rmcp::model::NumberOrString;

    #[test]
    fn steps_only_rise_and_a_full_queue_drops_them() {
        let (told, mut steps) = channel(ProgressToken(NumberOrString::Number(7)));
        told.tell(1.0, Some(3.0), "one");
        told.tell(1.0, Some(3.0), "again");
        told.tell(0.5, None, "back");
        for n in 0..100 {
            told.tell(f64::from(n) + 2.0, None, "");
        }
        let first = steps.ready().unwrap();
        assert_eq!((first.progress, first.total, first.message.as_deref()), (1.0, Some(3.0), Some("one")));
        let mut rest = Vec::new();
        while let Some(step) = steps.ready() {
            rest.push(step.progress);
        }
        assert_eq!(rest.len(), BACKLOG - 1);
        assert!(rest.is_sorted());
    }
}
