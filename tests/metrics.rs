//! Metrics: all that the contract names are there and move when the thing happens, and only those may see them who should.

use crate::http_rig::{JSON, PATIENCE, Web, call, in_session, request};
use crate::plan_tools::opened;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::access::token::Wanted;
use routeros_mcp::base::secret::Secret;
use routeros_mcp::host::metrics::METRICS;
use routeros_mcp::plan::record::PlanId;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod doors;

/// What the contract of HTTP names, as it names it; process and build info are at its end.
const CONTRACT: &str = "mcp_requests_total{method,status} mcp_request_duration_seconds{method} mcp_http_requests_total{route,status} \
    mcp_sse_connections_active mcp_sessions_active mcp_tool_requests_total{tool_name,tier,status} \
    mcp_tool_execution_duration_seconds{tool_name} mcp_tool_estimated_tokens{tool_name} mcp_tool_token_budget_warnings_total{tool_name} \
    mcp_tool_token_budget_errors_total{tool_name} mcp_resource_cache_hits_total mcp_resource_cache_misses_total \
    mcp_resource_subscriptions_active auth_failures_total{reason} rbac_authorization_denied_total{role,reason} \
    rate_limit_exceeded_total{role} routeros_device_reachable{device_id} routeros_requests_total{device_id,protocol,outcome} \
    routeros_request_duration_seconds{protocol} routeros_api_errors_total{device_id,kind} device_health_score{device_id} \
    device_cpu_load_ratio{device_id} device_memory_used_ratio{device_id} device_uptime_seconds{device_id} \
    mcp_plans_total{risk,state} mcp_plan_approvals_total{outcome} mcp_rollbacks_triggered_total{reason} mcp_rollbacks_failed_total \
    mcp_guards_armed mcp_jobs_running store_commit_duration_seconds store_commits_total store_bytes audit_records_total{outcome} \
    update_available mcp_tool_latency_seconds{tool_name} backup_last_success_timestamp_seconds backup_size_bytes \
    process_cpu_seconds_total process_resident_memory_bytes process_open_fds process_max_fds process_start_time_seconds \
    alerts_firing{kind} alert_deliveries_total{channel,outcome} \
    routeros_mcp_build_info{version,target}";

const PASSWORD: &str = "correct horse battery";

/// Everything, as a program on this machine gets it.
pub(crate) async fn scrape(web: &Web) -> String {
    let answer = web.ask("GET", "/metrics", "", "").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/plain; version=0.0.4; charset=utf-8")), "{answer:?}");
    answer.body
}

/// The sum of all series of that name whose line has each of the words.
fn value(text: &str, name: &str, words: &[&str]) -> f64 {
    let series = text.lines().filter_map(|line| line.strip_prefix(name)).filter(|rest| rest.starts_with([' ', '{']));
    let matching = series.filter(|rest| words.iter().all(|word| rest.contains(word)));
    matching.map(|rest| rest.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum()
}

/// Metrics before and after something, compared.
struct Moved {
    before: String,
    after: String,
}

impl Moved {
    fn by(&self, name: &str, words: &[&str]) -> f64 {
        value(&self.after, name, words) - value(&self.before, name, words)
    }

    #[track_caller]
    fn rose(&self, name: &str, words: &[&str]) {
        assert!(self.by(name, words) > 0.0, "{name}{words:?} did not rise:\n{}", only(&self.after, name));
    }
}

fn only(text: &str, name: &str) -> String {
    text.lines().filter(|line| line.contains(name)).collect::<Vec<_>>().join("\n")
}

async fn moved(web: &Web, work: impl Future<Output = ()>) -> Moved {
    let before = scrape(web).await;
    work.await;
    Moved { before, after: scrape(web).await }
}

async fn web(flags: &[(&str, &str)]) -> Web {
    let usual = [("mcp.transport", "both"), ("mcp.http_port", "0"), ("mcp.toolsets", "all"), ("health_check.enabled", "false")];
    let mut site = Site::bare(&[&usual[..], flags].concat()).await;
    site.adopt(Profile::HomeAp, "edge", opened()).await;
    Web::over(site).await
}

#[test]
fn the_table_is_the_contracts() {
    let mut wanted: Vec<&str> = CONTRACT.split_whitespace().collect();
    let shown = |metric: &routeros_mcp::host::metrics::Metric| match metric.labels {
        [] => metric.name.to_owned(),
        labels => format!("{}{{{}}}", metric.name, labels.join(",")),
    };
    let mut ours: Vec<String> = METRICS.iter().map(|metric| shown(metric)).collect();
    wanted.sort_unstable();
    ours.sort_unstable();
    assert_eq!(ours, wanted);
}

#[tokio::test]
async fn every_metric_has_help_and_type_once_something_happened() {
    let flags = [("token_budget.warning_threshold", "100"), ("token_budget.error_threshold", "400"), ("alert.syslog", "udp://127.0.0.1:9")];
    let mut web = web(&flags).await;
    web.site.operator("alert.test", json!({})).await;
    let token = web.token(Role::ReadOnly).await;
    web.modern(&token, "tools/list", json!({})).await;
    web.say(&token, "", &call("system.get_health", json!({"device": "edge"}))).await;
    web.site.good("system.get_health", json!({"device": "edge"})).await;
    web.site.call("interface.list", json!({"device": "edge"})).await;
    web.site.call("plan.create", forward("203.0.113.9", "auto")).await;
    let reader = routeros_mcp::access::Principal::stdio(Role::ReadOnly);
    web.site.call_as(reader, "system.set_identity", json!({"device": "edge", "name": "x"})).await;
    let (_, sim) = web.site.sims.pop().unwrap();
    sim.stop().await;
    web.site.forget("edge");
    web.site.bad("system.get_clock", json!({"device": "edge"})).await;
    let text = scrape(&web).await;
    let mut missing = Vec::new();
    for metric in METRICS {
        let help = format!("# HELP {} {}", metric.name, metric.help);
        let kind = format!("# TYPE {} {}", metric.name, metric.kind.as_str());
        let has = |line: &str| text.lines().filter(|known| *known == line).count() == 1;
        let series = if metric.buckets.is_empty() { metric.name.to_owned() } else { format!("{}_bucket", metric.name) };
        if !has(&help) || !has(&kind) || !text.lines().any(|line| line.starts_with(&series)) {
            missing.push(metric.name);
        }
    }
    assert!(missing.is_empty(), "{missing:?} in\n{text}");
    web.close().await;
}

fn forward(address: &str, confirm: &str) -> Value {
    let rule = json!({"chain": "forward", "action": "drop", "src-address": address, "comment": address});
    json!({"devices": ["edge"], "confirm": confirm, "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": rule}]})
}

#[tokio::test]
async fn calls_requests_and_refusals_are_counted_where_they_happen() {
    let web = web(&[("rate_limit.approver_per_minute", "1")]).await;
    let (token, reader, approver) = (web.token(Role::Admin).await, web.token(Role::ReadOnly).await, web.token(Role::Approver).await);
    let told = moved(&web, async {
        web.session(&token).await;
        web.modern(&token, "tools/list", json!({})).await;
        web.modern(&token, "no/such/method", json!({})).await;
        web.modern(&token, "tools/call", json!({"name": "device.list", "arguments": {}})).await;
        web.modern(&token, "tools/call", json!({"name": "device.get", "arguments": {"device": "nobody"}})).await;
        web.modern(&token, "tools/call", json!({"name": "evil\"} 1", "arguments": {}})).await;
        web.say(&format!("rmcp_{}", "A".repeat(43)), "", &call("device.list", json!({}))).await;
        web.ask("POST", "/mcp", JSON, "{}").await;
        web.say(&reader, "", &call("system.set_identity", json!({"device": "edge", "name": "x"}))).await;
        for _ in 0..2 {
            web.say(&approver, "", &call("plan.list", json!({}))).await;
        }
        web.ask("GET", "/wp-login.php", "", "").await;
        // Of what came until now nothing has to be on the disk yet.
        web.token(Role::ReadOnly).await;
    })
    .await;
    for (name, words) in [
        ("mcp_requests_total", &["method=\"initialize\"", "status=\"ok\""][..]),
        ("mcp_requests_total", &["method=\"tools/list\"", "status=\"ok\""]),
        ("mcp_requests_total", &["method=\"tools/call\"", "status=\"ok\""]),
        ("mcp_requests_total", &["method=\"tools/call\"", "status=\"tool_error\""]),
        ("mcp_requests_total", &["method=\"other\"", "status=\"method_not_found\""]),
        ("mcp_request_duration_seconds_count", &["method=\"tools/call\""]),
        ("mcp_tool_requests_total", &["tool_name=\"device.list\"", "tier=\"free\"", "status=\"ok\""]),
        ("mcp_tool_requests_total", &["tool_name=\"device.get\"", "status=\"not_found\""]),
        ("mcp_tool_requests_total", &["tool_name=\"unknown\"", "tier=\"none\"", "status=\"unknown_tool\""]),
        ("mcp_tool_execution_duration_seconds_count", &["tool_name=\"device.list\""]),
        ("mcp_tool_latency_seconds_count", &["tool_name=\"device.list\""]),
        ("mcp_tool_estimated_tokens_sum", &["tool_name=\"device.list\""]),
        ("mcp_http_requests_total", &["route=\"mcp\"", "status=\"200\""]),
        ("mcp_http_requests_total", &["route=\"mcp\"", "status=\"401\""]),
        ("mcp_http_requests_total", &["route=\"other\"", "status=\"404\""]),
        ("mcp_http_requests_total", &["route=\"metrics\"", "status=\"200\""]),
        ("auth_failures_total", &["reason=\"unknown\""]),
        ("auth_failures_total", &["reason=\"missing\""]),
        ("rbac_authorization_denied_total", &["role=\"read_only\"", "reason=\"scope\""]),
        ("rate_limit_exceeded_total", &["role=\"approver\""]),
        ("audit_records_total", &["outcome=\"ok\""]),
        ("audit_records_total", &["outcome=\"unknown_tool\""]),
        ("store_commits_total", &[]),
        ("store_commit_duration_seconds_count", &[]),
    ] {
        told.rose(name, words);
    }
    assert_eq!(told.by("mcp_sessions_active", &[]), 1.0);
    assert!(value(&told.after, "store_bytes", &[]) > 4096.0);
    assert!(!told.after.contains("evil") && !told.after.contains("wp-login"), "what a caller chose is in no label");
    web.close().await;
}

#[tokio::test]
async fn policy_that_says_no_is_counted_by_role_and_reason() {
    let web = web(&[]).await;
    let told = moved(&web, async {
        let reader = routeros_mcp::access::Principal::stdio(Role::ReadOnly);
        let reply = web.site.call_as(reader, "system.set_identity", json!({"device": "edge", "name": "x"})).await;
        assert!(reply.fault.is_some());
        let far = crate::site::limited(Role::OpsRw, &["tag:site=nowhere"]);
        web.site.call_as(far, "device.get", json!({"device": "edge"})).await;
    })
    .await;
    told.rose("rbac_authorization_denied_total", &["role=\"read_only\"", "reason=\"role\""]);
    told.rose("audit_records_total", &["outcome=\"denied\""]);
    web.close().await;
}

#[tokio::test]
async fn streams_sessions_and_subscriptions_rise_and_fall() {
    let web = web(&[]).await;
    let token = web.token(Role::Admin).await;
    let id = web.session(&token).await;
    let device = web.site.device("edge").id.to_string();
    let uri = format!("device://{device}/health");
    let begun = moved(&web, async {
        let subscribe = json!({"jsonrpc": "2.0", "id": 3, "method": "resources/subscribe", "params": {"uri": uri}});
        assert_eq!(web.say(&token, &in_session(&id), &subscribe).await.status, 200);
    })
    .await;
    assert_eq!(begun.by("mcp_resource_subscriptions_active", &[]), 1.0);
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    let open = moved(&web, async {
        let headers = format!("Accept: text/event-stream\r\nAuthorization: Bearer {token}\r\n{}", in_session(&id));
        stream.write_all(request("GET", "/mcp", &headers, "").as_bytes()).await.unwrap();
        let mut head = [0; 12];
        stream.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
    })
    .await;
    assert_eq!(open.by("mcp_sse_connections_active", &[]), 1.0);
    drop(stream);
    let headers = format!("Authorization: Bearer {token}\r\n{}", in_session(&id));
    assert_eq!(web.ask("DELETE", "/mcp", &headers, "").await.status, 204);
    // The other ends are told by tasks of their own.
    let began = std::time::Instant::now();
    loop {
        let text = scrape(&web).await;
        let left =
            ["mcp_sse_connections_active", "mcp_sessions_active", "mcp_resource_subscriptions_active"].map(|name| value(&text, name, &[]));
        if left == [0.0; 3] {
            break;
        }
        assert!(began.elapsed() < PATIENCE, "{left:?}");
        tokio::task::yield_now().await;
    }
    web.close().await;
}

#[tokio::test]
async fn resources_hit_and_miss_their_cache_and_long_answers_their_budget() {
    let web = web(&[("token_budget.warning_threshold", "100"), ("token_budget.error_threshold", "400")]).await;
    let token = web.token(Role::Admin).await;
    let device = web.site.device("edge").id.to_string();
    let read = moved(&web, async {
        for _ in 0..3 {
            let answer = web.modern(&token, "resources/read", json!({"uri": format!("device://{device}/overview")})).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    })
    .await;
    let cached = ["mcp_resource_cache_misses_total", "mcp_resource_cache_hits_total"].map(|name| read.by(name, &[]));
    assert_eq!(cached, [1.0, 2.0], "{}", only(&read.after, "cache"));
    let long = moved(&web, async {
        web.site.call("interface.list", json!({"device": "edge"})).await;
        web.site.good("system.get_health", json!({"device": "edge"})).await;
    })
    .await;
    long.rose("mcp_tool_token_budget_errors_total", &["tool_name=\"interface.list\""]);
    long.rose("mcp_tool_token_budget_warnings_total", &["tool_name=\"system.get_health\""]);
    web.close().await;
}

#[tokio::test]
async fn routers_are_told_apart_and_gone_when_they_are_let_go() {
    let mut web = web(&[]).await;
    let id = format!("device_id=\"{}\"", web.site.device("edge").id);
    let well = moved(&web, async {
        web.site.good("system.get_health", json!({"device": "edge"})).await;
    })
    .await;
    well.rose("routeros_requests_total", &[&id, "protocol=\"rest\"", "outcome=\"ok\""]);
    well.rose("routeros_request_duration_seconds_count", &["protocol=\"rest\""]);
    assert_eq!(value(&well.after, "routeros_device_reachable", &[&id]), 1.0);
    assert!(value(&well.after, "device_health_score", &[&id]) > 50.0, "{}", only(&well.after, "device_"));
    assert!(value(&well.after, "device_uptime_seconds", &[&id]) > 0.0);
    let share = |name: &str| value(&well.after, name, &[&id]);
    assert!((0.0..=1.0).contains(&share("device_cpu_load_ratio")) && (0.01..1.0).contains(&share("device_memory_used_ratio")));
    let (_, sim) = web.site.sims.pop().unwrap();
    sim.stop().await;
    let away = moved(&web, async {
        web.site.forget("edge");
        web.site.bad("interface.list", json!({"device": "edge"})).await;
    })
    .await;
    away.rose("routeros_requests_total", &[&id, "outcome=\"unreachable\""]);
    away.rose("routeros_api_errors_total", &[&id, "kind=\"unreachable\""]);
    assert_eq!(value(&away.after, "routeros_device_reachable", &[&id]), 0.0);
    let reply = web.site.operator("device.decommission", json!({"device": "edge"})).await;
    assert!(reply.fault.is_none(), "{}", reply.text);
    assert!(!scrape(&web).await.contains(&id), "nothing of a device that is not ours any more");
    web.close().await;
}

#[tokio::test]
async fn without_device_labels_no_id_is_told() {
    let web = web(&[("metrics.device_labels", "false")]).await;
    web.site.good("system.get_health", json!({"device": "edge"})).await;
    let text = scrape(&web).await;
    assert!(!text.contains("device_id") && !text.contains(web.site.device("edge").id.as_str()), "{text}");
    assert_eq!(value(&text, "routeros_device_reachable", &[]), 1.0);
    assert!(value(&text, "routeros_requests_total", &["outcome=\"ok\""]) > 0.0);
    web.close().await;
}

#[tokio::test]
async fn plans_count_decisions_guards_jobs_and_what_is_taken_back() {
    let web = web(&[]).await;
    let access = &web.site.app.dispatch.world().access;
    for (name, role) in [("anna", Role::Approver), ("carl", Role::OpsRw)] {
        access.add(name, role, Secret::new(PASSWORD)).await.unwrap();
    }
    let by = |plan: &Value, user: &str, more: Value| {
        let mut said = json!({"plan_id": plan, "user": user, "password": PASSWORD});
        said.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        said
    };
    let site = &web.site;
    let decided = moved(&web, async {
        let plan = site.good("plan.create", forward("203.0.113.1", "auto")).await.structured["id"].clone();
        site.operator("plan.approve", by(&plan, "carl", json!({}))).await;
        let refused = site.operator("plan.refuse", by(&plan, "anna", json!({"reason": "no"}))).await;
        assert!(refused.fault.is_none(), "{}", refused.text);
        let wrong = json!({"plan_id": plan, "user": "anna", "password": "not it at all"});
        site.operator("plan.approve", wrong).await;
    })
    .await;
    decided.rose("mcp_plan_approvals_total", &["outcome=\"denied\""]);
    decided.rose("mcp_plan_approvals_total", &["outcome=\"refused\""]);
    decided.rose("mcp_plans_total", &["risk=\"high\"", "state=\"draft\""]);
    decided.rose("mcp_plans_total", &["risk=\"high\"", "state=\"refused\""]);
    decided.rose("auth_failures_total", &["reason=\"password\""]);
    let mut plan = Value::Null;
    let waiting = moved(&web, async {
        plan = site.good("plan.create", forward("203.0.113.2", "manual")).await.structured["id"].clone();
        assert!(site.operator("plan.approve", by(&plan, "anna", json!({}))).await.fault.is_none());
        site.good("plan.apply", json!({"plan_id": plan, "wait_seconds": 55})).await;
    })
    .await;
    waiting.rose("mcp_plan_approvals_total", &["outcome=\"approved\""]);
    waiting.rose("mcp_plans_total", &["state=\"executing\""]);
    assert_eq!((waiting.by("mcp_guards_armed", &[]), waiting.by("mcp_jobs_running", &[])), (1.0, 1.0));
    let undone = moved(&web, async {
        site.good("plan.roll_back", json!({"plan_id": plan, "reason": "wrong"})).await;
        site.app.plans().wait(&PlanId(plan.as_str().unwrap().into()), PATIENCE).await.unwrap();
    })
    .await;
    undone.rose("mcp_rollbacks_triggered_total", &["reason=\"asked\""]);
    undone.rose("mcp_plans_total", &["state=\"rolled_back\""]);
    assert_eq!(value(&undone.after, "mcp_guards_armed", &[]), 0.0);
    assert_eq!(undone.by("mcp_rollbacks_failed_total", &[]), 0.0);
    let spoilt = moved(&web, async {
        let plan = site.good("plan.create", forward("203.0.113.3", "manual")).await.structured["id"].clone();
        assert!(site.operator("plan.approve", by(&plan, "anna", json!({}))).await.fault.is_none());
        site.good("plan.apply", json!({"plan_id": plan, "wait_seconds": 55})).await;
        let script =
            site.sim("edge").world().rows("/system/script").iter().map(|row| format!("{row:?}")).find(|row| row.contains("mcp-guard"));
        let name = script.unwrap().split('"').find(|word| word.starts_with("mcp-guard")).unwrap().to_owned();
        assert!(site.sim("edge").world().set("/system/script", &name, "source", ":log info mine"));
        assert!(site.operator("plan.keep", by(&plan, "anna", json!({}))).await.fault.is_none());
        site.app.plans().wait(&PlanId(plan.as_str().unwrap().into()), PATIENCE).await.unwrap();
    })
    .await;
    spoilt.rose("mcp_rollbacks_failed_total", &[]);
    spoilt.rose("mcp_rollbacks_triggered_total", &["reason=\"guard\""]);
    spoilt.rose("mcp_plans_total", &["state=\"needs_attention\""]);
    web.close().await;
}
