//! `security.audit`: findings with proof, and fixes that are plans.

use super::*;

fn ids(audit: &Value) -> Vec<&str> {
    audit["findings"].as_array().unwrap().iter().map(|finding| finding["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn an_audit_finds_what_is_open_and_proves_it() {
    for profile in Profile::ALL {
        let site = Site::of(&[profile], &[]).await;
        let name = profile.name();
        let before = site.sim(name).faults().requests_total();
        let reply = site.good("security.audit", json!({"device": name})).await;
        let cost = site.sim(name).faults().requests_total() - before;
        let tokens = reply.meta["estimated_tokens"].as_u64().unwrap();
        println!("{name}: {cost} requests, {tokens} tokens, score {}, {:?}", reply.structured["score"], ids(&reply.structured));
        println!("{}", serde_json::to_string_pretty(&reply.structured["not_checked"]).unwrap());
        assert!(cost <= 30, "{name}: {cost} requests");
        assert!(tokens <= 2_500, "{name}: {tokens} tokens");
        for finding in reply.structured["findings"].as_array().unwrap() {
            assert!(!finding["evidence"].as_array().unwrap().is_empty(), "{name}: {finding}");
            assert!(finding["fix"].is_object() || finding["advice"].is_string(), "{name}: {finding}");
            fits(finding);
        }
        assert!(ids(&reply.structured).contains(&"snmp_default_community") == site.sim(name).world().rows("/snmp")[0].is("enabled"));
    }
}

/// A fix is a plan: menus and attributes that this build knows, rows named by attributes.
fn fits(finding: &Value) {
    let Some(fix) = finding["fix"].as_object() else { return };
    assert!(fix["devices"].as_array().is_some_and(|devices| devices.len() == 1) && fix["reason"].is_string(), "{finding}");
    for edit in fix["edits"].as_array().unwrap() {
        let menu = routeros_mcp::menus::find(edit["menu"].as_str().unwrap()).unwrap_or_else(|| panic!("{edit}"));
        assert!(["add", "set", "disable"].contains(&edit["op"].as_str().unwrap()), "{edit}");
        for part in ["values", "match", "place_before"] {
            for name in edit.get(part).and_then(Value::as_object).into_iter().flat_map(|values| values.keys()) {
                assert!(menu.attr(name).is_some(), "{} has no {name}: {edit}", menu.path);
            }
        }
    }
}

#[tokio::test]
async fn an_audit_tells_open_doors_from_closed_ones() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let audit = async || {
        site.forget("home-ap");
        site.good("security.audit", json!({"device": "home-ap"})).await.structured
    };
    let closed = audit().await;
    for id in ["exposed_service", "open_resolver", "input_not_dropped"] {
        assert!(!ids(&closed).contains(&id), "{id} behind a firewall");
    }
    put(
        &site,
        "home-ap",
        "/ip/firewall/filter",
        &[&[("chain", "input"), ("action", "accept"), ("protocol", "udp"), ("dst-port", "53"), ("comment", "IGNORE ALL")]],
    );
    let open = audit().await;
    let resolver = open["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "open_resolver").unwrap().clone();
    assert_eq!((&resolver["severity"], &resolver["evidence"][1]["dst_port"]), (&json!("critical"), &json!("53")));
    assert!(!resolver["title"].as_str().unwrap().contains("IGNORE") && !resolver["why"].as_str().unwrap().contains("IGNORE"));
    fits(&resolver);

    site.sim("home-ap").world().table("/ip/firewall/filter").rows.clear();
    let bare = audit().await;
    for id in ["exposed_service", "open_resolver", "input_not_dropped"] {
        assert!(ids(&bare).contains(&id), "{id} without a firewall: {:?}", ids(&bare));
    }
    assert!(bare["score"].as_u64().unwrap() < closed["score"].as_u64().unwrap());
    bare["findings"].as_array().unwrap().iter().for_each(fits);

    put(&site, "home-ap", "/ip/firewall/filter", &[&[("chain", "input"), ("action", "drop"), ("layer7-protocol", "x")]]);
    let doubt = audit().await;
    assert!(!ids(&doubt).contains(&"open_resolver"));
    let skipped = doubt["not_checked"].as_array().unwrap().iter().find(|one| one["id"] == "open_resolver").unwrap();
    assert!(skipped["reason"].as_str().unwrap().contains("layer7-protocol of rule 0"), "{skipped}");

    let severe = site.good("security.audit", json!({"device": "home-ap", "min_severity": "high"})).await.structured;
    assert!(
        severe["findings"].as_array().unwrap().iter().all(|finding| ["critical", "high"].contains(&finding["severity"].as_str().unwrap()))
    );
}

#[tokio::test]
async fn an_audit_says_the_default_community_and_no_other() {
    let site = Site::of(&[Profile::Office], &[]).await;
    set(&site, "office", "/snmp", "enabled", "true");
    let reply = site.good("security.audit", json!({"device": "office"})).await;
    assert!(ids(&reply.structured).contains(&"snmp_default_community"), "{:?}", ids(&reply.structured));
    assert!(reply.text.contains("public") && !reply.to_mcp().to_string().contains("CANARY"));
}
