//! Every metric there is, once: its name, what it counts, how it is labelled.
//!
//! Labels are words of ours and ids of devices, never what a client or a router chose freely: an unknown tool is `unknown`,
//! an unknown method `other`. So the number of series is bounded by the catalogue and the fleet.

/// What kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, until the process ends.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Sorted into buckets.
    Histogram,
}

impl Kind {
    /// The word of the exposition format.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

/// One metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// As Prometheus has it.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: Kind,
    /// `seconds`, `bytes`, `ratio`, `tokens`; empty for plain numbers.
    pub unit: &'static str,
    /// Its labels, in the order values are given in.
    pub labels: &'static [&'static str],
    /// What it counts, in a sentence.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    pub buckets: &'static [f64],
    /// Values of its only label that are there from the start, at zero: Prometheus sees no rise from nothing to one.
    pub seeds: &'static [&'static str],
}

/// The label that `metrics.device_labels` takes away.
pub const DEVICE_ID: &str = "device_id";

/// From a cached answer to the slowest tool.
const CALLS: &[f64] = &[0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];
/// From a LAN to a router that is nearly gone.
const ROUTERS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0];
/// From an SSD to a tired SD card.
const DISKS: &[f64] = &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// From a word to what is refused.
const TOKENS: &[f64] = &[50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0, 5_000.0, 10_000.0, 25_000.0, 50_000.0];

/// One line a metric: its constant, kind, name, unit, labels, then what is particular to it, then its help.
macro_rules! metrics {
    ($($id:ident: $kind:ident $name:literal $unit:literal [$($label:expr),*] $($field:ident = $value:expr,)* $help:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: Metric = Metric {
                $($field: $value,)*
                ..Metric { name: $name, kind: Kind::$kind, unit: $unit, labels: &[$($label),*], help: $help, buckets: &[], seeds: &[] }
            };
        )*
        /// All of them.
        pub const METRICS: &[&Metric] = &[$(&$id),*];
    };
}

metrics! {
    REQUESTS: Counter "mcp_requests_total" "" ["method", "status"] "Requests of the MCP protocol, by how they were answered";
    REQUEST_SECONDS: Histogram "mcp_request_duration_seconds" "seconds" ["method"] buckets = CALLS, "Time to answer a request of the MCP protocol";
    HTTP_REQUESTS: Counter "mcp_http_requests_total" "" ["route", "status"] "HTTP requests, refused ones included";
    STREAMS: Gauge "mcp_sse_connections_active" "" [] "Open streams of server-sent events";
    SESSIONS: Gauge "mcp_sessions_active" "" [] "Open MCP sessions, over HTTP and over pipes";
    TOOLS: Counter "mcp_tool_requests_total" "" ["tool_name", "tier", "status"] "Calls of tools, whoever made them";
    TOOL_SECONDS: Histogram "mcp_tool_execution_duration_seconds" "seconds" ["tool_name"] buckets = CALLS, "Time a call of a tool took";
    TOOL_LATENCY: Histogram "mcp_tool_latency_seconds" "seconds" ["tool_name"] buckets = CALLS, "The same as mcp_tool_execution_duration_seconds, under its older name";
    TOOL_TOKENS: Histogram "mcp_tool_estimated_tokens" "tokens" ["tool_name"] buckets = TOKENS, "Estimated tokens of a tool's answer";
    BUDGET_WARNINGS: Counter "mcp_tool_token_budget_warnings_total" "" ["tool_name"] "Answers above token_budget.warning_threshold";
    BUDGET_ERRORS: Counter "mcp_tool_token_budget_errors_total" "" ["tool_name"] "Answers above token_budget.error_threshold, cut or refused";
    CACHE_HITS: Counter "mcp_resource_cache_hits_total" "" [] "Reads of resources answered from the cache";
    CACHE_MISSES: Counter "mcp_resource_cache_misses_total" "" [] "Reads of resources for which a router was asked";
    SUBSCRIPTIONS: Gauge "mcp_resource_subscriptions_active" "" [] "Subscriptions to resources";
    AUTH_FAILURES: Counter "auth_failures_total" "" ["reason"]
        seeds = &["missing", "malformed", "unknown", "expired", "revoked", "owner", "password", "locked", "disabled"],
        "Callers that are nobody: bad tokens, wrong passwords, lock-outs";
    DENIED: Counter "rbac_authorization_denied_total" "" ["role", "reason"] "Calls that policy or a token's scopes did not allow";
    RATE_LIMITED: Counter "rate_limit_exceeded_total" "" ["role"]
        seeds = &["read_only", "ops_rw", "approver", "admin", "anonymous"], "Requests refused because there were too many";
    REACHABLE: Gauge "routeros_device_reachable" "" [DEVICE_ID] "Whether the router answered when it was last asked: 1 or 0";
    ROUTER_REQUESTS: Counter "routeros_requests_total" "" [DEVICE_ID, "protocol", "outcome"] "Requests to routers";
    ROUTER_SECONDS: Histogram "routeros_request_duration_seconds" "seconds" ["protocol"] buckets = ROUTERS, "Time a router took to answer";
    ROUTER_ERRORS: Counter "routeros_api_errors_total" "" [DEVICE_ID, "kind"] "Requests to routers that came to no good answer, by what stood against it";
    HEALTH_SCORE: Gauge "device_health_score" "" [DEVICE_ID] "How the router is: 100 is well, 0 is gone";
    CPU_LOAD: Gauge "device_cpu_load_ratio" "ratio" [DEVICE_ID] "The router's processor load, 0 to 1";
    MEMORY_USED: Gauge "device_memory_used_ratio" "ratio" [DEVICE_ID] "The router's memory in use, 0 to 1";
    UPTIME: Gauge "device_uptime_seconds" "seconds" [DEVICE_ID] "Time since the router started, when it was last asked";
    PLANS: Counter "mcp_plans_total" "" ["risk", "state"] "Plans that came into a state";
    APPROVALS: Counter "mcp_plan_approvals_total" "" ["outcome"] seeds = &["approved", "refused", "denied"], "Decisions of persons on plans, and tries to decide that were denied";
    ROLLBACKS: Counter "mcp_rollbacks_triggered_total" "" ["reason"]
        seeds = &["asked", "timeout", "apply_failed", "verify_failed", "guard", "restart", "halt"], "Devices on which a change was taken back";
    ROLLBACKS_FAILED: Counter "mcp_rollbacks_failed_total" "" [] "Devices whose router is not known to be as it was after its change was taken back: a person has to look";
    GUARDS: Gauge "mcp_guards_armed" "" [] "Routers that hold an undo of ours and its timer";
    JOBS: Gauge "mcp_jobs_running" "" [] "Plans that are being worked on";
    COMMIT_SECONDS: Histogram "store_commit_duration_seconds" "seconds" [] buckets = DISKS, "Time of a commit of the store, flush included";
    COMMITS: Counter "store_commits_total" "" [] "Commits of the store";
    STORE_BYTES: Gauge "store_bytes" "bytes" [] "Size of the store's file";
    BACKUP_AT: Gauge "backup_last_success_timestamp_seconds" "seconds" [] "When the newest backup in backup.path was made, seconds since 1970; 0 while there is none";
    BACKUP_BYTES: Gauge "backup_size_bytes" "bytes" [] "Its size";
    AUDIT_RECORDS: Counter "audit_records_total" "" ["outcome"] seeds = &["ok", "unwritten"], "Audit records by outcome of what they tell; unwritten ones could not be put into the trail";
    UPDATE: Gauge "update_available" "" [] "Whether a newer version is known: 1 or 0";
    ALERTS: Gauge "alerts_firing" "" ["kind"]
        seeds = &["plan_waiting", "device_down", "guard_fired", "plan_attention", "update_available", "certificate_expiring", "backup_failed", "disk_low", "unusual_use"],
        "Alerts that were told and last, by kind";
    DELIVERIES: Counter "alert_deliveries_total" "" ["channel", "outcome"] "Tries to deliver an alert, by channel and by what came of it";
    BUILD: Gauge "routeros_mcp_build_info" "" ["version", "target"] "Always 1; its labels name the build";
    PROCESS_CPU: Counter "process_cpu_seconds_total" "seconds" [] "Processor time of this process";
    PROCESS_MEMORY: Gauge "process_resident_memory_bytes" "bytes" [] "Memory of this process that is in RAM";
    PROCESS_FILES: Gauge "process_open_fds" "" [] "File descriptors this process has open";
    PROCESS_FILES_MAX: Gauge "process_max_fds" "" [] "File descriptors this process may have open";
    PROCESS_START: Gauge "process_start_time_seconds" "seconds" [] "When this process started, seconds since 1970";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_kind_and_unit_and_only_histograms_have_buckets() {
        let mut names = std::collections::HashSet::new();
        for metric in METRICS {
            let name = metric.name;
            assert!(names.insert(name), "{name} is there twice");
            assert_eq!(metric.kind == Kind::Counter, name.ends_with("_total"), "{name}");
            assert_eq!(metric.kind == Kind::Histogram, !metric.buckets.is_empty(), "{name}");
            assert!(metric.buckets.is_sorted(), "{name}");
            assert!(!metric.help.is_empty() && !metric.help.ends_with('.') && !metric.help.contains('\n'), "{name}");
            assert!(metric.seeds.is_empty() || metric.labels.len() == 1, "{name}");
            if !metric.unit.is_empty() {
                assert!(name.contains(metric.unit), "{name} does not say {}", metric.unit);
            }
        }
        assert!(names.len() > 35);
    }
}
