//! Direct writes: small changes that are made at once, and those that wait for a person.

use super::*;

#[tokio::test]
async fn a_small_write_is_three_requests_and_asking_again_writes_nothing() {
    let site = site(Profile::HomeAp, &[]).await;
    // What the router says of its menus is learnt once.
    site.good("system.set_identity", of(json!({"name": "warm"}))).await;
    for (tool, arguments, most) in [
        ("system.set_identity", json!({"name": "gate"}), 3),
        ("interface.update_comment", json!({"name": "ether2", "comment": "to the shed"}), 3),
        ("firewall.update_address_list", json!({"list": "mcp-block", "add": [{"address": "192.0.2.7", "comment": "c"}]}), 3),
    ] {
        let warm = site
            .good(
                tool,
                of({
                    let mut dry = arguments.clone();
                    dry["dry_run"] = true.into();
                    dry
                }),
            )
            .await;
        assert_eq!((&warm.structured["changed"], &warm.structured["dry_run"]), (&json!(false), &json!(true)), "{tool}");
        assert_ne!(warm.structured["before"], warm.structured["after"], "{tool}: {}", warm.text);
        site.forget("edge");
        site.sim("edge").forget_requests();
        let done = site.good(tool, of(arguments.clone())).await;
        let requests: Vec<String> = site.sim("edge").requests().iter().map(|seen| format!("{} {}", seen.method, seen.target)).collect();
        assert_eq!(done.structured["changed"], true, "{tool}: {}", done.text);
        assert_eq!(
            (&done.structured["before"], &done.structured["after"]),
            (&warm.structured["before"], &warm.structured["after"]),
            "{tool}"
        );
        assert!(requests.len() <= most, "{tool} took {}: {requests:#?}", requests.len());
        println!("{tool}: {} requests", requests.len());
        site.forget("edge");
        site.sim("edge").forget_requests();
        let again = site.good(tool, of(arguments)).await;
        assert_eq!(again.structured["changed"], false, "{tool}: {}", again.text);
        assert_eq!(writes(site.sim("edge")), 0, "{tool}");
    }
    let name = site.sim("edge").world().rows("/system/identity").first().map(|row| format!("{row:?}"));
    assert!(name.is_some_and(|row| row.contains("gate")));
}

#[tokio::test]
async fn each_direct_write_answers_before_and_after_and_leaves_a_plan_in_the_trail() {
    let site = site(Profile::HomeAp, &[]).await;
    for (tool, arguments, before, after) in [
        ("system.set_identity", json!({"name": "gate"}), None, json!({"name": "gate"})),
        ("dns.update_servers", json!({"servers": ["192.0.2.53", "192.0.2.54"]}), None, json!({"servers": ["192.0.2.53", "192.0.2.54"]})),
        ("ntp.update_servers", json!({"servers": ["192.0.2.124"]}), None, json!({"servers": ["192.0.2.124"], "enabled": true})),
        (
            "ip.add_secondary_address",
            json!({"address": "198.51.100.1/24", "interface": "ether1"}),
            Some(Value::Null),
            json!({"address": "198.51.100.1/24", "interface": "ether1", "comment": ""}),
        ),
        (
            "ip.remove_secondary_address",
            json!({"address": "198.51.100.1/24"}),
            Some(json!({"address": "198.51.100.1/24", "interface": "ether1", "comment": ""})),
            json!(null),
        ),
        (
            "firewall.update_address_list",
            json!({"list": "mcp-a", "add": [{"address": "192.0.2.7", "timeout": "1h"}, {"address": "192.0.2.8"}]}),
            Some(json!({"entries": []})),
            json!({"entries": ["192.0.2.7", "192.0.2.8"]}),
        ),
        (
            "firewall.update_address_list",
            json!({"list": "mcp-a", "remove": ["192.0.2.7", "192.0.2.99"]}),
            Some(json!({"entries": ["192.0.2.7"]})),
            json!({"entries": []}),
        ),
    ] {
        let done = site.good(tool, of(arguments.clone())).await;
        assert_eq!(done.structured["changed"], true, "{tool} {arguments}: {}", done.text);
        assert_eq!(done.structured["after"], after, "{tool} {arguments}");
        match before {
            Some(before) => assert_eq!(done.structured["before"], before, "{tool} {arguments}"),
            // What the profile set there.
            None => assert!(done.structured["before"].is_object() && done.structured["before"] != after, "{tool}: {}", done.text),
        }
        let events = site.call_as(Principal::stdio(Role::Admin), "audit.get_events", json!({"where": {"tool": tool}})).await;
        assert!(events.structured["rows"][0]["plan_id"].as_str().is_some_and(|id| id.starts_with("plan-")), "{tool}: {}", events.text);
    }
    assert_eq!(guards(&site), 0, "nothing is left on the router");
}

#[tokio::test]
async fn an_empty_cache_is_left_alone_and_a_full_one_flushed() {
    let site = site(Profile::Office, &[]).await;
    let done = site.good("dns.flush_cache", of(json!({}))).await;
    assert_eq!(done.structured["changed"], true, "{}", done.text);
    assert!(done.structured["before"]["entries"].as_u64().is_some_and(|count| count > 0));
    let again = site.good("dns.flush_cache", of(json!({}))).await;
    assert_eq!(again.structured["changed"], false, "{}", again.text);
}

#[tokio::test]
async fn of_a_command_whose_answer_is_lost_nobody_says_that_it_ran_or_did_not() {
    for fault in [Fault::CloseBefore, Fault::CloseAfter, Fault::GarbageJson, Fault::DoneButRefused] {
        let site = site(Profile::Office, &[]).await;
        site.sim("edge").faults().inject(Rule::once(fault).on("/ip/dns/cache/flush"));
        let error = site.bad("dns.flush_cache", of(json!({}))).await;
        assert_eq!(error["kind"], "unknown_outcome", "{fault:?}: {error}");
        let said = error["message"].as_str().unwrap();
        assert!(said.contains("whether flush of /ip/dns/cache ran is not known"), "{fault:?}: {said}");
        assert!(!said.contains("nothing was changed") && !said.contains("taken back"), "{fault:?}: {said}");
    }
}

#[tokio::test]
async fn what_somebody_changed_since_another_call_looked_is_read_before_a_direct_write() {
    let site = site(Profile::HomeAp, &[]).await;
    site.good("menu.read", of(json!({"menu": "/system/identity"}))).await;
    site.sim("edge").world().by_hand("admin").set("/system/identity", "", &[("name", "by-hand")]).unwrap();
    let done = site.good("system.set_identity", of(json!({"name": "gate"}))).await;
    assert_eq!(done.structured["before"]["name"], "by-hand", "{}", done.text);
}

#[tokio::test]
async fn what_a_direct_write_may_not_do_is_refused_or_waits_for_a_person() {
    let site = site(Profile::HomeAp, &[]).await;
    site.sim("edge").forget_requests();
    for (tool, arguments) in [
        ("firewall.update_address_list", json!({"list": "blocklist", "add": [{"address": "192.0.2.7"}]})),
        ("ip.remove_secondary_address", json!({"address": "127.0.0.1/8"})),
    ] {
        assert_eq!(site.bad(tool, of(arguments)).await["kind"], "denied", "{tool}");
    }
    for (tool, arguments) in [
        ("dns.update_servers", json!({"servers": ["dns.example.net"]})),
        ("ntp.update_servers", json!({"servers": ["a b"]})),
        ("ip.add_secondary_address", json!({"address": "somewhere", "interface": "ether1"})),
        ("firewall.update_address_list", json!({"list": "mcp-a"})),
        ("firewall.update_address_list", json!({"list": "mcp-a", "add": [{"address": "192.0.2.7"}], "remove": ["2001:db8::7"]})),
    ] {
        assert_eq!(site.bad(tool, of(arguments)).await["kind"], "bad_input", "{tool}");
    }
    assert_eq!(writes(site.sim("edge")), 0);
}

#[tokio::test]
async fn a_refusal_for_want_of_a_right_says_so_and_that_nothing_was_changed() {
    let site = site(Profile::HomeAp, &[]).await;
    site.good("system.set_identity", of(json!({"name": "warm"}))).await;
    {
        let mut world = site.sim("edge").world();
        world.by_hand("admin").set("/user/group", "mcp", &[("policy", "read,test,api,rest-api,ssh,!write")]).unwrap();
        world.forget_logins();
    }
    for (tool, arguments) in [
        ("interface.update_comment", json!({"name": "ether2", "comment": "to the shed"})),
        ("system.set_identity", json!({"name": "gate"})),
    ] {
        let said = site.bad(tool, of(arguments)).await["message"].as_str().unwrap().to_owned();
        assert!(said.contains("nothing was changed") && !said.contains("taken back"), "{tool}: {said}");
        assert!(said.contains("policy"), "{tool}: {said}");
    }
}

#[tokio::test]
async fn what_needs_a_yes_is_kept_as_a_plan_and_not_done() {
    // In staging a medium risk needs one.
    let site = site(Profile::HomeAp, &[("environment", "staging"), ("http.public_url", "https://mcp.example.net")]).await;
    site.sim("edge").forget_requests();
    let waits = site.good("dns.update_servers", of(json!({"servers": ["192.0.2.53"]}))).await;
    assert_eq!((&waits.structured["changed"], &waits.structured["before"]), (&json!(false), &waits.structured["after"]), "{}", waits.text);
    let plan = &waits.structured["plan"];
    let id = plan["id"].as_str().unwrap();
    assert_eq!((&plan["state"], &plan["approvals"]["needed"]), (&json!("draft"), &json!(1)));
    assert_eq!(plan["approvals"]["url"], format!("https://mcp.example.net/admin/plans/{id}"));
    assert_eq!(writes(site.sim("edge")), 0);
    let error = site.bad("plan.apply", json!({"plan_id": id})).await;
    assert_eq!(error["kind"], "conflict");
    assert!(error["message"].as_str().unwrap().contains("1 of 1 approvals missing"), "{error}");
    assert_eq!(writes(site.sim("edge")), 0, "not without a person");
}
