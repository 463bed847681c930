//! Who may do what: the table of roles and tools as a file, and the limits of callers tried through the spine.

use crate::site::{Site, limited};
use routeros_mcp::access::policy::{self, Decision, Rules};
use routeros_mcp::access::{Principal, Role, Scope};
use routeros_mcp::base::tier::Environment;
use routeros_mcp::http::admin::routes::{ROUTES, token_scope};
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use routeros_mcp::tools::spec::Audience;
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::Path;

/// `yes`, or why not.
fn verdict(role: Role, tool: &tools::spec::Tool) -> String {
    match policy::decide(&Principal::stdio(role), &tool.target(), &Rules::open(Environment::Lab)) {
        Decision::Allow => "yes".into(),
        Decision::AllowLoosely(refusal) => format!("loosely ({})", refusal.reason),
        Decision::Deny(refusal) => format!("no ({})", refusal.reason),
    }
}

#[test]
fn roles_and_tools_are_the_committed_table() {
    let mut table = format!("{:<28}{:<10}", "tool", "audience");
    for role in Role::ALL {
        let _ = write!(table, "{:<12}", role.as_str());
    }
    for tool in tools::all() {
        let audience = if tool.audience == Audience::Model { "model" } else { "operator" };
        let _ = write!(table, "\n{:<28}{audience:<10}", tool.name);
        for role in Role::ALL {
            let _ = write!(table, "{:<12}", verdict(role, tool));
        }
    }
    let table: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snap/rbac.txt");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &table).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}; BLESS=1 makes it", path.display()));
    assert!(kept == table, "{} is not the table of this build; BLESS=1 rewrites it:\n{table}", path.display());
}

/// Acts that are decided alike, by what they do: which categories, with which scope, for which roles.
fn acts() -> String {
    let mut rows: Vec<(String, Vec<&str>)> = Vec::new();
    for tool in tools::all() {
        // Models' tools through MCP; the rest at the admin API, where it has an address there.
        let scope = match tool.audience {
            Audience::Model => Scope::of(tool.effect, tool.category()),
            Audience::Operator => token_scope(tool).filter(|_| ROUTES.iter().any(|route| route.tool == tool.name)),
        };
        let scope = scope.map_or_else(|| "a person".to_owned(), |scope| format!("`{}`", scope.as_str()));
        let may = Role::ALL.map(|role| if verdict(role, tool) == "yes" { "yes" } else { "no" });
        let row = format!("| {} | {scope} | {} |", tool.effect.as_str(), may.join(" | "));
        let category = tool.category();
        match rows.iter_mut().find(|(known, _)| *known == row) {
            Some((_, categories)) if categories.contains(&category) => {}
            Some((_, categories)) => categories.push(category),
            None => rows.push((row, vec![category])),
        }
    }
    rows.sort();
    let head =
        format!("| of | effect | scope | {} |\n|---|---|---|{}", Role::ALL.map(Role::as_str).join(" | "), "---|".repeat(Role::ALL.len()));
    rows.iter().fold(head, |table, (row, categories)| format!("{table}\n| {} {row}", categories.join(", ")))
}

/// What comes with each role.
fn roles() -> String {
    let words = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let row = |role: Role| {
        let scopes = words(role.scopes().iter().map(|scope| scope.as_str()).collect());
        let tiers = words(role.tiers().iter().map(|tier| tier.as_str()).collect());
        let trail = if role.sees_all_events() { "everybody's" } else { "own calls" };
        let approves = if role.approves() { "not own" } else { "no" };
        format!("\n| {} | {scopes} | {tiers} | {trail} | {approves} |", role.as_str())
    };
    Role::ALL
        .into_iter()
        .fold("| role | scopes of a token | tiers | trail | approves |\n|---|---|---|---|---|".to_owned(), |table, role| table + &row(role))
}

#[test]
fn the_security_page_says_what_the_policy_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/docs/security.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once("<!-- policy: begin -->\n").expect("a mark where the tables begin");
    let (_, after) = rest.split_once("<!-- policy: end -->").expect("a mark where they end");
    let (acts, roles) = (acts(), roles());
    assert!(acts.lines().count() > 8, "read no tools: {acts}");
    let made = format!("{before}<!-- policy: begin -->\n{acts}\n\n{roles}\n<!-- policy: end -->{after}");
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &made).unwrap();
        return;
    }
    assert!(page == made, "{} is not what the policy of this build says; BLESS=1 rewrites it:\n{made}", path.display());
}

#[tokio::test]
async fn the_spine_obeys_the_table() {
    let site = Site::bare(&[("mcp.toolsets", "all")]).await;
    let (mut yes, mut no) = (0, 0);
    for role in Role::ALL {
        let principal = Principal::stdio(role);
        let listed = site.listed(&principal);
        for tool in tools::all().filter(|tool| tool.audience == Audience::Model) {
            let may = verdict(role, tool) == "yes";
            assert_eq!(listed.iter().any(|shown| shown["name"] == tool.name), may, "{} lists {}", role.as_str(), tool.name);
            let reply = site.call_as(principal.clone(), tool.name, json!({"no such argument": true})).await;
            let kind = if may { "bad_input" } else { "denied" };
            assert_eq!(reply.structured["error"]["kind"], kind, "{} as {}: {}", tool.name, role.as_str(), reply.text);
            assert!(!reply.structured["error"]["hint"].as_str().unwrap_or("").is_empty(), "{}: no hint", tool.name);
            *(if may { &mut yes } else { &mut no }) += 1;
        }
    }
    println!("{yes} allowed, {no} refused");
    assert!(yes >= 40 && no >= 10, "{yes} and {no}");
}

#[tokio::test]
async fn another_device_looks_like_none() {
    let mut site = Site::of(&[Profile::HomeAp], &[]).await;
    site.adopt(Profile::Office, "hidden-office", json!({"tags": ["site=secret-place"]})).await;
    let hidden = site.device("hidden-office").id.to_string();
    let mut cases = 0;
    for role in [Role::ReadOnly, Role::OpsRw, Role::Admin] {
        let kept = limited(role, &["home-ap"]);
        for tool in tools::all().filter(|tool| tool.audience == Audience::Model) {
            let input = (tool.input)();
            // A bandwidth test takes two devices, and a grant (tests/diagnose.rs).
            // What changes or plans something is tried by another test.
            if input["properties"].get("device").is_none() || !tool.only_reads() || tool.name.starts_with("plan.") {
                continue;
            }
            let ask = async |device: &str| {
                let mut arguments = json!({"device": device});
                let fitting = [
                    ("menu", "/ip/address"),
                    ("query", "address"),
                    ("address", "192.0.2.7"),
                    ("interface", "ether1"),
                    ("src", "192.0.2.7"),
                    ("dst", "198.51.100.9"),
                    ("target", "home-ap"),
                    ("name", "ether1"),
                ];
                let required = input.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
                for (name, value) in fitting.into_iter().filter(|(name, _)| *name == "query" || required.iter().any(|word| word == name)) {
                    if input["properties"].get(name).is_some() {
                        arguments[name] = value.into();
                    }
                }
                let reply = site.call_as(kept.clone(), tool.name, arguments).await;
                let mut error = reply.structured["error"].clone();
                error["correlation_id"] = Value::Null;
                (error.to_string(), reply)
            };
            // The same length and letters, so that only what the words say can differ.
            for (name, nobody) in [("hidden-office", "absent-office"), (hidden.as_str(), "dev_000000000000")] {
                let (theirs, reply) = ask(name).await;
                let (none, _) = ask(nobody).await;
                assert_eq!(theirs.replace(name, nobody), none, "{} as {}", tool.name, role.as_str());
                assert_eq!(reply.structured["error"]["kind"], "not_found", "{}: {}", tool.name, reply.text);
                assert!(reply.meta.get("device_id").is_none() && reply.structured["error"].get("device_id").is_none());
                cases += 1;
            }
            assert!(ask("home-ap").await.1.fault.is_none(), "{} on its own device", tool.name);
        }
    }
    println!("{cases} cases");
    assert!(cases >= 50, "only {cases} cases");
    assert_eq!(site.sim("hidden-office").requests().iter().filter(|seen| seen.path() == "/ip/address").count(), 0);
}

/// Arguments with which a tool would do something to the device named.
fn change(name: &str, device: &str) -> Value {
    let mut arguments = match name {
        "plan.create" => json!({"devices": [device], "edits": [{"menu": "/ip/dns", "op": "set", "values": {"servers": "192.0.2.53"}}]}),
        "config.plan_dns_ntp_rollout" => json!({"devices": [device], "dns_servers": ["192.0.2.53"]}),
        "config.plan_address_list_sync" => json!({"devices": [device], "list": "mcp-a", "entries": ["192.0.2.7"]}),
        "system.set_identity" => json!({"name": "other"}),
        "ntp.update_servers" | "dns.update_servers" => json!({"servers": ["192.0.2.53"]}),
        "dns.flush_cache" => json!({}),
        "interface.update_comment" => json!({"name": "ether1", "comment": "c"}),
        "ip.add_secondary_address" => json!({"address": "198.51.100.1/24", "interface": "ether1"}),
        "ip.remove_secondary_address" => json!({"address": "198.51.100.1/24"}),
        "firewall.update_address_list" => json!({"list": "mcp-a", "add": [{"address": "192.0.2.7"}]}),
        "dhcp.plan_pool" => json!({"action": "add", "name": "p", "ranges": ["192.0.2.10-192.0.2.20"]}),
        "routing.plan_static_route" => json!({"action": "add", "dst": "198.51.100.0/24", "gateway": "192.0.2.1"}),
        "firewall.plan_rule" => json!({"action": "add", "rule": {"chain": "forward", "action": "drop", "src_address": "192.0.2.7"}}),
        "bridge.plan_port" => json!({"action": "remove", "interface": "ether2"}),
        "bridge.plan_settings" => json!({"bridge": "bridge", "igmp_snooping": true}),
        "wireless.plan_ssid" => json!({"action": "modify", "interface": "wifi1", "ssid": "other"}),
        "wireless.plan_radio" => json!({"interface": "wifi1", "disabled": true}),
        "config.plan_restore" => json!({"snapshot": "latest", "menus": ["/ip/dns"]}),
        other => panic!("no arguments for {other}: add them"),
    };
    if arguments.get("devices").is_none() {
        arguments["device"] = device.into();
    }
    arguments
}

/// Tools that do something to a device they are told.
fn changers() -> Vec<&'static tools::spec::Tool> {
    let of_plans = |name: &str| name.starts_with("plan.") && name != "plan.create";
    tools::all()
        .filter(|tool| {
            tool.audience == Audience::Model && !tool.only_reads() && !of_plans(tool.name) && tool.name != "diagnose.bandwidth_test"
        })
        .collect()
}

#[tokio::test]
async fn another_device_cannot_be_changed_or_planned_for_by_any_tool() {
    let mut site = Site::of(&[Profile::HomeAp], &[]).await;
    let grants = json!({"capabilities": ["writes", "professional", "firewall", "routing", "wireless", "dhcp", "bridge", "system"]});
    site.adopt(Profile::Office, "hidden-office", grants).await;
    site.sim("hidden-office").forget_requests();
    let mut cases = 0;
    for role in [Role::OpsRw, Role::Admin] {
        let kept = limited(role, &["home-ap"]);
        for tool in changers() {
            let ask = async |device: &str| {
                let reply = site.call_as(kept.clone(), tool.name, change(tool.name, device)).await;
                let mut error = reply.structured["error"].clone();
                error["correlation_id"] = Value::Null;
                (error.to_string(), reply)
            };
            let (theirs, reply) = ask("hidden-office").await;
            let (none, _) = ask("absent-office").await;
            assert_eq!(theirs.replace("hidden-office", "absent-office"), none, "{} as {}", tool.name, role.as_str());
            assert_eq!(reply.structured["error"]["kind"], "not_found", "{}: {}", tool.name, reply.text);
            cases += 1;
        }
    }
    println!("{cases} cases");
    assert!(cases >= 30, "only {cases} cases");
    assert_eq!(site.sim("hidden-office").requests().len(), 0, "not one request");
}

#[tokio::test]
async fn a_device_that_grants_nothing_is_neither_changed_nor_planned_for() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    site.good("config.get_drift", json!({"device": "home-ap"})).await;
    let mut cases = 0;
    for tool in changers() {
        let error = site.bad(tool.name, change(tool.name, "home-ap")).await;
        // Where nothing would differ there is nothing to refuse.
        let nothing = tool.name == "config.plan_restore";
        assert!(error["kind"] == "denied" || nothing, "{}: {error}", tool.name);
        cases += 1;
    }
    assert!(cases >= 15, "only {cases} cases");
    let writes = |seen: &routeros_mcp::sim::faults::Seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE");
    assert!(!site.sim("home-ap").requests().iter().any(writes));
}

#[tokio::test]
async fn lists_summaries_and_the_trail_leave_out_other_devices() {
    let mut site = Site::of(&[Profile::HomeAp], &[]).await;
    site.adopt(Profile::Office, "hidden-office", json!({"tags": ["site=secret-place"]})).await;
    let id = site.device("hidden-office").id.to_string();
    site.good("system.get_overview", json!({"device": "hidden-office"})).await;
    site.good("system.get_overview", json!({"device": "home-ap"})).await;
    site.sim("hidden-office").faults().set_line(routeros_mcp::sim::faults::Line::Refuse);
    for role in [Role::ReadOnly, Role::OpsRw, Role::Admin] {
        for devices in [&["home-ap"][..], &[]] {
            let kept = limited(role, devices);
            for (tool, arguments) in [
                ("device.list", json!({})),
                ("device.list", json!({"where": {"name~": "hidden"}})),
                ("device.list", json!({"tag": "site=secret-place"})),
                ("fleet.get_summary", json!({})),
                ("audit.get_events", json!({"limit": 500})),
                ("audit.get_events", json!({"where": {"device": "hidden-office"}})),
                ("device.get", json!({"device": "hidden-offic"})),
            ] {
                let reply = site.call_as(kept.clone(), tool, arguments.clone()).await;
                let all = reply.to_mcp().to_string();
                for word in ["hidden-office", id.as_str(), "secret-place", "RB5009"] {
                    assert!(!all.contains(word), "{tool} {arguments} as {} tells {word}", role.as_str());
                }
            }
            let summary = site.call_as(kept.clone(), "fleet.get_summary", json!({})).await;
            assert_eq!(summary.structured["devices"], devices.len());
            let list = site.call_as(kept, "device.list", json!({})).await;
            assert_eq!(list.structured["total"], devices.len());
        }
    }
    let all = site.call_as(Principal::stdio(Role::Admin), "audit.get_events", json!({"where": {"device": "hidden-office"}})).await;
    assert!(all.structured["total"].as_u64().unwrap() >= 1, "an administrator of all devices sees it");
}

#[tokio::test]
async fn a_reader_sees_only_its_own_events() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    site.call_as(Principal::stdio(Role::ReadOnly), "device.list", json!({})).await;
    let ops = limited(Role::OpsRw, &["all"]);
    site.call_as(ops.clone(), "fleet.get_summary", json!({})).await;
    let own = site.call_as(ops, "audit.get_events", json!({})).await;
    let tools: Vec<&str> = own.structured["rows"].as_array().unwrap().iter().map(|row| row["tool"].as_str().unwrap()).collect();
    assert_eq!(tools, ["fleet.get_summary"]);
}

#[tokio::test]
async fn a_device_of_another_environment_is_not_touched() {
    let mut site = Site::bare(&[]).await;
    site.adopt(Profile::HomeAp, "stray", json!({})).await;
    let site = site.reopened(&[("environment", "staging")]).await;
    site.sim("stray").forget_requests();
    let mut cases = 0;
    for role in [Role::ReadOnly, Role::OpsRw, Role::Admin] {
        let may = |tool: &&tools::spec::Tool| tool.audience == Audience::Model && verdict(role, tool) == "yes";
        for tool in tools::all().filter(|tool| may(tool) && !tool.paths.is_empty()) {
            let mut arguments = json!({"device": "stray"});
            for name in (tool.input)().get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
                arguments[name] = match name {
                    "device" | "target" => "stray",
                    "menu" => "/ip/address",
                    "interface" | "name" => "ether1",
                    _ => "192.0.2.7",
                }
                .into();
            }
            if (tool.input)()["properties"].get("menu").is_some() {
                arguments["menu"] = "/ip/address".into();
            }
            if changers().iter().any(|other| other.name == tool.name) {
                arguments = change(tool.name, "stray");
            }
            let reply = site.call_as(Principal::stdio(role), tool.name, arguments).await;
            assert_eq!(reply.structured["error"]["kind"], "denied", "{} as {}: {}", tool.name, role.as_str(), reply.text);
            assert!(reply.text.contains("staging") && reply.text.contains("lab"), "{}", reply.text);
            cases += 1;
        }
    }
    let reply = site.call("menu.read", json!({"device": "stray", "menu": "/ip/address"})).await;
    assert_eq!(reply.structured["error"]["kind"], "denied");
    assert_eq!(site.sim("stray").requests().len(), 0, "not one request");
    assert!(site.operator("device.remove", json!({"device": "stray"})).await.fault.is_none(), "its record can still be mended");
    println!("{cases} cases");
    assert!(cases >= 20, "only {cases} cases");
}
