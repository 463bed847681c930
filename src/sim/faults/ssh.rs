//! Faults of SSH commands, and what came over SSH.

use super::{Faults, Gauge, Line, NOTICE_OF_CLOSE, NOTICE_OF_DEATH, SEEN_MAX};
use crate::sim::hold;
use std::time::Duration;
use tokio::sync::watch;

/// What goes wrong with a command over SSH.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshFault {
    /// Half of the output comes, then all connections are cut.
    DropMidAnswer,
    /// Nothing is done, nothing comes, the channel stays open.
    Silent,
    /// It is done, but the output is bytes that mean nothing.
    Garbage,
    /// The channel closes without an exit status, as some versions do.
    NoExitStatus,
}

/// Which commands over SSH a fault hits.
#[derive(Debug, Clone)]
pub struct SshRule {
    fault: SshFault,
    word: Option<String>,
    times: Option<u32>,
}

impl SshRule {
    /// Every command, until cleared.
    pub fn always(fault: SshFault) -> Self {
        SshRule { fault, word: None, times: None }
    }

    /// The next command only.
    pub fn once(fault: SshFault) -> Self {
        SshRule { times: Some(1), ..SshRule::always(fault) }
    }

    /// Only commands that have this in them: `/export`.
    #[must_use]
    pub fn on(mut self, word: &str) -> Self {
        self.word = Some(word.to_string());
        self
    }
}

/// Something that came over SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshSeen {
    /// Who.
    pub user: String,
    /// `exec`, `shell` or `sftp`.
    pub kind: &'static str,
    /// The command line of an `exec`.
    pub text: String,
}

impl Faults {
    /// From now on, commands over SSH that fit the rule go wrong.
    pub fn inject_ssh(&self, rule: SshRule) {
        hold(&self.ssh_rules).push(rule);
    }

    /// How long after its connection broke a terminal that held safe mode counts as lost (the router's clock). Unless set, 2 s for one
    /// that was closed and 9 minutes for one that was cut.
    pub fn set_notice_of_loss(&self, after: Duration) {
        *hold(&self.notice_of_loss) = Some(after);
    }

    /// Open SSH connections: how many now, at most, in all.
    pub fn ssh_connections(&self) -> &Gauge {
        &self.ssh_connections
    }

    /// Commands that run over SSH: how many now, at most, in all.
    pub fn ssh_running(&self) -> &Gauge {
        &self.ssh_running
    }

    pub(in crate::sim) fn ssh_line(&self) -> watch::Receiver<Line> {
        self.ssh_line.subscribe()
    }

    pub(in crate::sim) fn ssh_seen(&self) -> Vec<SshSeen> {
        hold(&self.ssh_seen).clone()
    }

    pub(in crate::sim) fn see_ssh(&self, seen: SshSeen) {
        let mut all = hold(&self.ssh_seen);
        if all.len() >= SEEN_MAX {
            all.remove(0);
        }
        all.push(seen);
    }

    pub(in crate::sim) fn notice_of_loss(&self, cleanly: bool) -> Duration {
        (*hold(&self.notice_of_loss)).unwrap_or(if cleanly { NOTICE_OF_CLOSE } else { NOTICE_OF_DEATH })
    }

    /// The faults that hit this command; uses them up.
    pub(in crate::sim) fn strike_ssh(&self, text: &str) -> Vec<SshFault> {
        let mut rules = hold(&self.ssh_rules);
        let mut hits = Vec::new();
        for rule in rules.iter_mut().filter(|r| r.word.as_deref().is_none_or(|w| text.contains(w))) {
            rule.times = rule.times.map(|n| n - 1);
            hits.push(rule.fault);
        }
        rules.retain(|r| r.times != Some(0));
        hits
    }
}
