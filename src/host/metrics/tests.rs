use super::*;
use std::time::Instant;

fn vitals(device: &str, score: u8, reachable: bool) -> Vitals {
    Vitals { device: device.into(), reachable: Some(reachable), score: Some(score), cpu: Some(0.5), memory: None, uptime: Some(60) }
}

fn has(text: &str, line: &str) -> bool {
    text.lines().any(|known| known == line)
}

#[test]
fn two_meters_do_not_count_each_others_doings() {
    let (one, other) = (Meter::default(), Meter::default());
    one.cache(true);
    one.clone().cache(true);
    assert!(has(&one.page(&Page::default()), "mcp_resource_cache_hits_total 2"));
    assert!(has(&other.page(&Page::default()), "mcp_resource_cache_hits_total 0"));
    let off = Meter::off();
    off.cache(true);
    assert!(!off.page(&Page::default()).contains("mcp_resource"));
}

#[test]
fn known_labels_begin_at_zero_and_histograms_have_their_buckets() {
    let meter = Meter::default();
    meter.commit(true, Duration::from_millis(3));
    let text = meter.page(&Page::default());
    for line in [
        "mcp_rollbacks_triggered_total{reason=\"asked\"} 0",
        "auth_failures_total{reason=\"unknown\"} 0",
        "store_commit_duration_seconds_bucket{le=\"0.0025\"} 0",
        "store_commit_duration_seconds_bucket{le=\"0.005\"} 1",
        "store_commit_duration_seconds_count 1",
        "store_commits_total 1",
        "# TYPE store_commit_duration_seconds histogram",
        "update_available 0",
    ] {
        assert!(has(&text, line), "{line}\n{text}");
    }
}

#[test]
fn every_metric_is_named_once_from_the_first_look_on() {
    for meter in [Meter::default(), Meter::new(false)] {
        let empty = meter.page(&Page::default());
        meter.plan("low", "draft");
        meter.denied("read_only", "scope");
        let counted = meter.page(&Page { devices: vec![vitals("dev_1", 100, true)], ..Page::default() });
        for (text, metric) in [&empty, &counted].into_iter().flat_map(|text| METRICS.iter().map(move |metric| (text, metric))) {
            for line in [format!("# TYPE {} {}", metric.name, metric.kind.as_str()), format!("# HELP {} {}", metric.name, metric.help)] {
                assert_eq!(text.lines().filter(|known| *known == line).count(), 1, "{line}");
            }
        }
        assert!(!empty.contains("mcp_plans_total{") && counted.contains("mcp_plans_total{risk=\"low\",state=\"draft\"} 1"), "{counted}");
    }
}

#[test]
fn what_of_a_device_that_is_gone_is_gone_too() {
    let meter = Meter::default();
    for id in ["dev_1", "dev_2"] {
        meter.router(id, "rest", "ok", None, Duration::from_millis(1));
    }
    let text = meter.page(&Page { devices: vec![vitals("dev_1", 100, true)], ..Page::default() });
    assert!(has(&text, "routeros_requests_total{device_id=\"dev_1\",protocol=\"rest\",outcome=\"ok\"} 1"), "{text}");
    assert!(has(&text, "device_health_score{device_id=\"dev_1\"} 100") && has(&text, "device_uptime_seconds{device_id=\"dev_1\"} 60"));
    assert!(!text.contains("device_memory_used_ratio{"), "what was not read is not told");
    assert!(!text.contains("dev_2"), "{text}");
}

#[test]
fn without_labels_of_devices_counters_add_up_and_gauges_tell_the_worst() {
    let meter = Meter::new(false);
    for id in ["dev_1", "dev_2"] {
        meter.router(id, "rest", "timeout", Some("timeout"), Duration::from_millis(1));
    }
    let text = meter.page(&Page { devices: vec![vitals("dev_1", 100, true), vitals("dev_2", 0, false)], ..Page::default() });
    for line in [
        "routeros_requests_total{protocol=\"rest\",outcome=\"timeout\"} 2",
        "routeros_api_errors_total{kind=\"timeout\"} 2",
        "device_health_score 0",
        "routeros_device_reachable 0",
        "device_cpu_load_ratio 0.5",
    ] {
        assert!(has(&text, line), "{line}\n{text}");
    }
    assert!(!text.contains("device_id"), "{text}");
}

#[test]
fn the_process_tells_of_itself() {
    let text = Meter::default().page(&Page::default());
    let value = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("no {name}"));
        line.trim().parse().unwrap()
    };
    assert!(value("process_cpu_seconds_total ") > 0.0 && value("process_resident_memory_bytes ") > 1e6);
    assert!(value("process_open_fds ") >= 3.0 && value("process_open_fds ") <= value("process_max_fds "));
    assert!(value("process_start_time_seconds ") > 0.0);
    assert!(text.contains("routeros_mcp_build_info{version=\""));
}

#[test]
fn counting_costs_next_to_nothing() {
    let meter = Meter::default();
    const TIMES: u32 = 2_000;
    let began = Instant::now();
    for _ in 0..TIMES {
        meter.router("dev_1", "rest", "ok", None, Duration::from_millis(1));
    }
    let one = began.elapsed() / TIMES;
    eprintln!("a request to a router, counted twice and timed: {one:?}");
    assert!(one < Duration::from_micros(200), "{one:?}");
}
