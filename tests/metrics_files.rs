//! What ships for Prometheus and Grafana, and the pages about it, name our metrics and no others.

use routeros_mcp::docs;
use routeros_mcp::host::metrics::{Kind, METRICS, Metric};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/deploy").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn rules() -> Vec<Value> {
    let file: Value = serde_saphyr::from_str(&read("prometheus/routeros-mcp.rules.yml")).unwrap();
    let groups = file["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap().clone()).collect()
}

/// What a series of that name belongs to, with the label that its suffix brings.
fn metric(name: &str) -> Option<&'static Metric> {
    let of = |name: &str| METRICS.iter().copied().find(|metric| metric.name == name);
    of(name).filter(|metric| metric.kind != Kind::Histogram).or_else(|| {
        let base = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix))?;
        of(base).filter(|metric| metric.kind == Kind::Histogram)
    })
}

/// Names of series in an expression, each with the labels it is asked by.
fn series(expr: &str) -> Vec<(String, Vec<String>)> {
    let (mut found, mut rest) = (Vec::new(), expr);
    while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
        // A letter after a digit belongs to a span such as 15m.
        let is_span = rest[..at].chars().next_back().is_some_and(|c| c.is_ascii_digit());
        let end = rest[at..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').map_or(rest.len(), |n| at + n);
        let (word, after) = (&rest[at..end], rest[end..].trim_start());
        rest = after;
        if is_span {
            continue;
        }
        if word == "by" {
            rest = &after[after.find(')').unwrap() + 1..];
            continue;
        }
        // Functions, and aggregations that say by what.
        if after.starts_with('(') || after.starts_with("by ") || ["and", "or", "unless"].contains(&word) {
            continue;
        }
        let mut labels = Vec::new();
        if let Some(inner) = after.strip_prefix('{') {
            let end = inner.find('}').unwrap();
            labels = inner[..end].split(',').map(|pair| pair.split(['=', '!']).next().unwrap().trim().to_owned()).collect();
            rest = &inner[end + 1..];
        }
        found.push((word.to_owned(), labels));
    }
    found
}

#[test]
fn expressions_are_read_as_prometheus_reads_them() {
    let of = |expr: &str| series(expr).into_iter().map(|(name, labels)| format!("{name}[{}]", labels.join(" "))).collect::<Vec<_>>();
    assert_eq!(of("sum by (a, le) (rate(x_total{b=\"c\",d!~\"e\"}[15m])) > 0.5"), ["x_total[b d]"]);
    assert_eq!(of("a_b > 0 and c_d / e_f == 1"), ["a_b[]", "c_d[]", "e_f[]"]);
}

/// Says which of these expressions ask for what there is not.
fn check(expressions: &[String]) -> BTreeSet<&'static str> {
    let mut used = BTreeSet::new();
    for expr in expressions {
        let found = series(expr);
        assert!(!found.is_empty(), "{expr} asks for nothing");
        for (name, labels) in found {
            // `up` is Prometheus' own, and so are these labels.
            if name == "up" {
                continue;
            }
            let metric = metric(&name).unwrap_or_else(|| panic!("{name} in {expr} is no series of ours"));
            for label in labels.iter().filter(|label| !["job", "instance", "le"].contains(&label.as_str())) {
                assert!(metric.labels.contains(&label.as_str()), "{name} has no label {label}: {expr}");
            }
            used.insert(metric.name);
        }
    }
    used
}

#[test]
fn alerts_ask_for_our_metrics_and_each_has_a_runbook() {
    let rules = rules();
    assert!(rules.len() > 10);
    check(&rules.iter().map(|rule| rule["expr"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    let page = docs::page("alerts").unwrap().text();
    let mut named = BTreeSet::new();
    for rule in &rules {
        let name = rule["alert"].as_str().unwrap();
        assert!(named.insert(name.to_owned()), "{name} is there twice");
        assert!(page.contains(&format!("- **{name}**")), "docs://alerts does not tell what to do about {name}");
        assert_eq!(rule["annotations"]["runbook"], "docs://alerts", "{name}");
        assert!(["critical", "warning", "info"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{name}");
    }
    let told: BTreeSet<String> =
        page.lines().filter_map(|line| line.strip_prefix("- **")?.split_once("**").map(|(name, _)| name.to_owned())).collect();
    assert_eq!(told, named, "a runbook for an alert that there is not");
}

#[test]
fn the_dashboard_asks_for_our_metrics_and_shows_all_but_a_few() {
    let dashboard: Value = serde_json::from_str(&read("grafana/routeros-mcp.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let used = check(&targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect::<Vec<_>>());
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "an id of a panel is there twice");
    let unseen: Vec<&str> = METRICS.iter().map(|metric| metric.name).filter(|name| !used.contains(name)).collect();
    assert_eq!(
        unseen,
        ["mcp_tool_latency_seconds", "backup_last_success_timestamp_seconds", "process_start_time_seconds"],
        "the first is another's alias, the others are for alerts"
    );
}

/// One line of the page's table.
fn line(metric: &Metric) -> String {
    let labels = if metric.labels.is_empty() { String::new() } else { format!("{{{}}}", metric.labels.join(",")) };
    format!("| `{}{labels}` | {} | {} |", metric.name, metric.kind.as_str(), metric.help)
}

#[test]
fn the_page_about_monitoring_lists_every_metric_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/metrics.md");
    let is = fs::read_to_string(&path).unwrap_or_default();
    let (begin, end) = ("| metric | kind | what it counts |\n|---|---|---|\n", "\n\n");
    let (head, rest) = is.split_once(begin).expect("the page has its table");
    let (_, tail) = rest.split_once(end).expect("text after the table");
    let want = format!("{head}{begin}{}{end}{tail}", METRICS.iter().map(|metric| line(metric)).collect::<Vec<_>>().join("\n"));
    if std::env::var_os("BLESS").is_some() && is != want {
        fs::write(&path, &want).unwrap();
    }
    assert!(is == want || std::env::var_os("BLESS").is_some(), "assets/docs/metrics.md is not what the table says; BLESS=1 rewrites it");
}
