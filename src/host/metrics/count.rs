//! Counting: a function for each thing that happens.

use super::{Meter, Piped, Up, table};
use crate::base::clock::Wall;
use metrics::SharedString;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// The word of ours in a text that should be one: what is none counts as `other`, so that nobody can make series at will.
fn word(text: &str) -> SharedString {
    let is_word = !text.is_empty() && text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    if is_word { text.to_owned().into() } else { "other".into() }
}

impl Meter {
    /// A request of the protocol was answered. `method` is one of the protocol's, or `other`.
    pub fn request(&self, method: &'static str, status: &'static str, took: Option<Duration>) {
        self.counter(&table::REQUESTS, [method.into(), status.into()]).increment(1);
        if let Some(took) = took {
            self.histogram(&table::REQUEST_SECONDS, [method.into()]).record(took.as_secs_f64());
        }
    }

    /// An HTTP request was answered.
    pub fn http(&self, route: &'static str, status: u16) {
        self.counter(&table::HTTP_REQUESTS, [route.into(), status.to_string().into()]).increment(1);
    }

    /// A stream of events is open until the answer is dropped.
    pub fn stream(&self) -> Up {
        Up::new(self.gauge(&table::STREAMS, []))
    }

    /// A call of a tool has ended. An unknown tool is `unknown`, of tier `none`.
    pub fn tool(&self, name: &'static str, tier: &'static str, status: &'static str, took: Duration, tokens: Option<u64>) {
        self.counter(&table::TOOLS, [name.into(), tier.into(), status.into()]).increment(1);
        for metric in [&table::TOOL_SECONDS, &table::TOOL_LATENCY] {
            self.histogram(metric, [name.into()]).record(took.as_secs_f64());
        }
        if let Some(tokens) = tokens {
            self.histogram(&table::TOOL_TOKENS, [name.into()]).record(tokens as f64);
        }
    }

    /// A tool's answer was longer than wanted; with `is_over` longer than allowed.
    pub fn budget(&self, tool: &'static str, is_over: bool) {
        let metric = if is_over { &table::BUDGET_ERRORS } else { &table::BUDGET_WARNINGS };
        self.counter(metric, [tool.into()]).increment(1);
    }

    /// A read that may be answered from the cache was or was not.
    pub fn cache(&self, hit: bool) {
        self.counter(if hit { &table::CACHE_HITS } else { &table::CACHE_MISSES }, []).increment(1);
    }

    /// Somebody could not prove to be anybody.
    pub fn auth_failed(&self, reason: &'static str) {
        self.counter(&table::AUTH_FAILURES, [reason.into()]).increment(1);
    }

    /// A caller may not do what was asked.
    pub fn denied(&self, role: &'static str, reason: &'static str) {
        self.counter(&table::DENIED, [role.into(), reason.into()]).increment(1);
    }

    /// A caller asked too often; `anonymous` has no role.
    pub fn rate_limited(&self, role: &'static str) {
        self.counter(&table::RATE_LIMITED, [role.into()]).increment(1);
    }

    /// A router was asked. `trouble` is what stood against an answer.
    pub fn router(&self, device: &str, protocol: &'static str, outcome: &'static str, trouble: Option<&'static str>, took: Duration) {
        self.counter(&table::ROUTER_REQUESTS, [device.to_owned().into(), protocol.into(), outcome.into()]).increment(1);
        self.histogram(&table::ROUTER_SECONDS, [protocol.into()]).record(took.as_secs_f64());
        if let Some(kind) = trouble {
            self.counter(&table::ROUTER_ERRORS, [device.to_owned().into(), kind.into()]).increment(1);
        }
    }

    /// A plan came into a state.
    pub fn plan(&self, risk: &'static str, state: &'static str) {
        self.counter(&table::PLANS, [risk.into(), state.into()]).increment(1);
    }

    /// A person decided on a plan, or was denied to: `approved`, `refused`, `denied`.
    pub fn approval(&self, outcome: &'static str) {
        self.counter(&table::APPROVALS, [outcome.into()]).increment(1);
    }

    /// A change is being taken back on a device.
    pub fn rollback(&self, reason: &'static str) {
        self.counter(&table::ROLLBACKS, [reason.into()]).increment(1);
    }

    /// It could not be shown that a router is as it was.
    pub fn rollback_failed(&self) {
        self.counter(&table::ROLLBACKS_FAILED, []).increment(1);
    }

    /// So many routers hold a guard.
    pub fn guards(&self, armed: usize) {
        self.gauge(&table::GUARDS, []).set(armed as f64);
    }

    /// A job runs until the answer is dropped.
    pub fn job(&self) -> Up {
        Up::new(self.gauge(&table::JOBS, []))
    }

    /// The store tried to commit.
    pub fn commit(&self, is_done: bool, took: Duration) {
        self.histogram(&table::COMMIT_SECONDS, []).record(took.as_secs_f64());
        if is_done {
            self.counter(&table::COMMITS, []).increment(1);
        }
    }

    /// The store's file has this size.
    pub fn store_size(&self, bytes: u64) {
        self.gauge(&table::STORE_BYTES, []).set(bytes as f64);
    }

    /// The newest backup was made then and has this size.
    pub fn backup(&self, at: Wall, bytes: u64) {
        self.gauge(&table::BACKUP_AT, []).set(at.0 as f64 / 1000.0);
        self.gauge(&table::BACKUP_BYTES, []).set(bytes as f64);
    }

    /// An audit record was written.
    pub fn audit(&self, outcome: &str) {
        self.counter(&table::AUDIT_RECORDS, [word(outcome)]).increment(1);
    }

    /// Audit records could not be written.
    pub fn audit_unwritten(&self, records: usize) {
        self.counter(&table::AUDIT_RECORDS, ["unwritten".into()]).increment(records as u64);
    }

    /// Whether a newer version is known.
    pub fn update_available(&self, is: bool) {
        self.gauge(&table::UPDATE, []).set(f64::from(u8::from(is)));
    }

    /// So many alerts of a kind were told and last.
    pub fn alerts(&self, kind: &'static str, firing: usize) {
        self.gauge(&table::ALERTS, [kind.into()]).set(firing as f64);
    }

    /// An alert was carried to a channel, or was not: `delivered`, `failed`, `refused`, `expired`, `dropped`.
    pub fn delivery(&self, channel: &'static str, outcome: &'static str, times: usize) {
        self.counter(&table::DELIVERIES, [channel.into(), outcome.into()]).increment(times as u64);
    }

    /// A byte stream's MCP session is open until the answer is dropped.
    pub fn session(&self) -> Option<Piped> {
        let piped = self.0.as_ref()?.piped.clone();
        piped.fetch_add(1, Ordering::Relaxed);
        Some(Piped(piped))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_word_of_ours_makes_no_series() {
        for odd in ["", "a b", "Robert\"}", "x".repeat(33).as_str(), "é"] {
            assert_eq!(&*word(odd), "other", "{odd}");
        }
        assert_eq!(&*word("unknown_tool"), "unknown_tool");
    }
}
