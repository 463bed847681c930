//! The token budget: a warning, a list cut to a page that fits, anything else refused.

use super::well_formed;
use crate::site::Site;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const LEASES: &str = "/ip/dhcp-server/lease";

#[tokio::test]
async fn above_the_warning_an_answer_says_so_and_below_it_does_not() {
    let site = Site::of(&[Profile::WispTower], &[("token_budget.warning_threshold", "1000")]).await;
    for limit in [1, 5, 50, 200] {
        let reply = site.good("menu.read", json!({"device": "wisp-tower", "menu": LEASES, "limit": limit})).await;
        let tokens = reply.meta["estimated_tokens"].as_u64().unwrap();
        assert_eq!(reply.meta.contains_key("token_warning"), tokens > 1_000, "{limit} rows, {tokens} tokens");
        assert_eq!(reply.structured["rows"].as_array().unwrap().len(), limit);
    }
    assert!(!site.good("system.get_clock", json!({"device": "wisp-tower"})).await.meta.contains_key("token_warning"));
}

#[tokio::test]
async fn a_list_above_the_limit_is_cut_to_fit_and_its_cursor_goes_on_rightly() {
    const MOST: u64 = 3_000;
    let site =
        Site::of(&[Profile::WispTower], &[("token_budget.warning_threshold", "2000"), ("token_budget.error_threshold", "3000")]).await;
    let read = tools::find("menu.read").unwrap();
    let (mut seen, mut cursor, mut pages, mut cut) = (Vec::new(), Value::Null, 0, 0);
    loop {
        let mut arguments = json!({"device": "wisp-tower", "menu": "/ip/firewall/address-list", "limit": 500, "cursor": cursor});
        arguments.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let reply = site.good("menu.read", arguments).await;
        well_formed(read, &reply);
        let rows = reply.structured["rows"].as_array().unwrap();
        assert!(reply.meta["estimated_tokens"].as_u64().unwrap() <= MOST, "{:?}", reply.meta);
        seen.extend(rows.iter().map(|row| format!("{} {}", row["list"], row["address"])));
        pages += 1;
        cursor = reply.structured["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
        assert!(!rows.is_empty() && rows.len() < 500, "{} rows", rows.len());
        assert!(reply.meta["token_warning"].as_str().unwrap().contains("next_cursor"));
        cut += 1;
    }
    let expected: Vec<String> = {
        let mut world = site.sim("wisp-tower").world();
        let text = |value: Option<&str>| json!(value.unwrap_or_default());
        world
            .rows("/ip/firewall/address-list")
            .iter()
            .map(|row| format!("{} {}", text(row.get("list")), text(row.get("address"))))
            .collect()
    };
    println!("{pages} pages, {cut} of them cut, {} rows", seen.len());
    assert!(cut >= 20 && seen.len() >= 2_000);
    assert!(seen == expected, "each row once, in the router's order");
    assert!(seen.iter().collect::<BTreeSet<_>>().len() > 1_000);
}

#[tokio::test]
async fn a_cut_page_uses_most_of_what_it_may() {
    let site =
        Site::of(&[Profile::WispTower], &[("token_budget.warning_threshold", "2000"), ("token_budget.error_threshold", "3000")]).await;
    let reply = site.good("menu.read", json!({"device": "wisp-tower", "menu": LEASES, "limit": 500})).await;
    let tokens = reply.meta["estimated_tokens"].as_u64().unwrap();
    assert!((2_000..=3_000).contains(&tokens), "{tokens} tokens of 3000");
}

#[tokio::test]
async fn what_is_no_list_is_refused_with_a_way_out() {
    let site = Site::of(&[Profile::HomeAp], &[("token_budget.warning_threshold", "100"), ("token_budget.error_threshold", "150")]).await;
    for (tool, arguments) in [
        ("menu.describe", json!({"device": "home-ap", "menu": "/ip/firewall/filter"})),
        ("device.get", json!({"device": "home-ap"})),
        ("menu.search", json!({"query": "firewall"})),
    ] {
        let error = site.bad(tool, arguments).await;
        assert_eq!(error["kind"], "bad_input", "{tool}: {error}");
        assert!(error["message"].as_str().unwrap().contains("tokens") && error["hint"].as_str().unwrap().contains("narrow"), "{error}");
    }
    let list = site.good("menu.read", json!({"device": "home-ap", "menu": "/ip/service", "fields": ["name"]})).await;
    assert!(list.meta["estimated_tokens"].as_u64().unwrap() <= 150);
}
