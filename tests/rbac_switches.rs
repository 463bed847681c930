//! The switches of the configuration, each tried through the spine: what is off is off for everybody, by any name.

use crate::site::Site;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::base::tier::Tier;
use routeros_mcp::sim::profiles::Profile;
use routeros_mcp::tools;
use routeros_mcp::tools::spec::Audience;
use serde_json::json;

#[tokio::test]
async fn a_disabled_tool_is_neither_listed_nor_found_nor_called() {
    for off in ["system.get_overview", "system_get_overview", "system.*"] {
        let site = Site::of(&[Profile::HomeAp], &[("mcp.disable_tools", off)]).await;
        let principal = Principal::stdio(Role::Admin);
        assert!(site.listed(&principal).iter().all(|tool| tool["name"] != "system.get_overview"), "{off}: listed");
        for name in ["system.get_overview", "system_get_overview"] {
            let reply = site.call_as(principal.clone(), name, json!({"device": "home-ap"})).await;
            assert_eq!(reply.structured["error"]["kind"], "denied", "{off}, {name}: {}", reply.text);
            assert!(reply.text.contains("switched off"), "{}", reply.text);
            let operator = site.operator(name, json!({"device": "home-ap"})).await;
            assert_eq!(operator.structured["error"]["kind"], "denied", "{off}, {name}: not for operators either");
        }
        let found = site.call("tools.search", json!({"query": "system overview"})).await;
        assert!(!found.structured.to_string().contains("system.get_overview"), "{off}: found");
        assert!(site.call("device.list", json!({})).await.fault.is_none(), "{off}: others work");
    }
}

#[tokio::test]
async fn no_tools_means_none_by_any_name() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.enable_tools", "false")]).await;
    let admin = Principal::stdio(Role::Admin);
    assert!(site.listed(&admin).is_empty());
    for tool in tools::all().filter(|tool| tool.audience == Audience::Model) {
        let reply = site.call_as(admin.clone(), tool.name, json!({"device": "home-ap"})).await;
        assert_eq!(reply.structured["error"]["kind"], "denied", "{}: {}", tool.name, reply.text);
        assert!(reply.text.contains("switched off"), "{}", reply.text);
    }
    assert!(site.operator("device.list", json!({})).await.fault.is_none(), "the command line still works");
}

#[tokio::test]
async fn a_tier_that_is_off_takes_its_tools_along() {
    let site = Site::of(&[Profile::HomeAp], &[("mcp.tool_tiers", "basic,professional")]).await;
    let admin = Principal::stdio(Role::Admin);
    let left = site.listed(&admin);
    assert!(left.iter().all(|shown| tools::find(shown["name"].as_str().unwrap()).unwrap().tier != Tier::Free), "{left:?}");
    for tool in tools::all().filter(|tool| tool.audience == Audience::Model && tool.tier == Tier::Free) {
        let reply = site.call_as(admin.clone(), tool.name, json!({})).await;
        assert_eq!(reply.structured["error"]["kind"], "denied", "{}: {}", tool.name, reply.text);
    }
    assert!(site.operator("device.test", json!({"device": "home-ap"})).await.fault.is_none(), "operators' verbs have no tier");
}

#[tokio::test]
async fn read_only_leaves_reading_and_the_books() {
    let site = Site::of(&[Profile::HomeAp], &[("read_only", "true")]).await;
    let admin = Principal::stdio(Role::Admin);
    for shown in site.listed(&admin) {
        assert_eq!(shown["annotations"]["readOnlyHint"], true, "{}", shown["name"]);
    }
    site.sim("home-ap").forget_requests();
    assert!(site.call_as(admin.clone(), "system.get_overview", json!({"device": "home-ap"})).await.fault.is_none());
    assert!(site.operator("device.update", json!({"device": "home-ap", "tags": ["a=b"]})).await.fault.is_none());
    for tool in tools::all().filter(|tool| tool.audience == Audience::Model && !tool.only_reads()) {
        let reply = site.call_as(admin.clone(), tool.name, json!({"device": "home-ap"})).await;
        assert_eq!(reply.structured["error"]["kind"], "denied", "{}: {}", tool.name, reply.text);
    }
    // Singletons are read with POST too; nothing else may be.
    let writes = |seen: &routeros_mcp::sim::faults::Seen| matches!(seen.method.as_str(), "PUT" | "PATCH" | "DELETE");
    assert!(!site.sim("home-ap").requests().iter().any(writes));
}
