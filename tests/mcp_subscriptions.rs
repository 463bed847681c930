//! Who hears of changes, how often, and when it ends: sessions and `subscriptions/listen`, in this process and through
//! the control socket.

use crate::mcp_client::{Client, LEGACY, MODERN};
use crate::site::{Site, limited};
use routeros_mcp::access::Role;
use routeros_mcp::base::events::Event;
use routeros_mcp::base::ids::DeviceId;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

/// Changes are gathered for so long here: the shortest that may be configured.
const QUICK: (&str, &str) = ("sse.update_batch_interval_seconds", "0.1");

fn tell(site: &Site, event: Event) {
    site.app.dispatch.world().fleet.bus().tell(event);
}

fn updated(notice: &Value) -> &str {
    assert_eq!(notice["method"], "notifications/resources/updated", "{notice}");
    notice["params"]["uri"].as_str().unwrap()
}

fn listen(uris: &[&str]) -> Value {
    json!({"notifications": {
        "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": uris,
    }})
}

#[tokio::test]
async fn changes_are_gathered_and_told_once_to_whoever_subscribed() {
    let site = Site::of(&[Profile::HomeAp, Profile::Office], &[QUICK]).await;
    let (id, other) = (site.device("home-ap").id.clone(), site.device("office").id.clone());
    for version in LEGACY {
        let mut client = Client::open(&site, version).await;
        let health = "device://home-ap/health";
        for _ in 0..2 {
            client.good("resources/subscribe", json!({"uri": health})).await;
        }
        client.good("resources/subscribe", json!({"uri": "docs://tools"})).await;
        for _ in 0..3 {
            tell(&site, Event::Health(id.clone()));
            tell(&site, Event::Health(other.clone()));
            tell(&site, Event::Config(id.clone()));
        }
        assert_eq!(updated(&client.notice().await), health, "{version}");
        client.good("resources/subscribe", json!({"uri": "fleet://summary"})).await;
        tell(&site, Event::Health(id.clone()));
        assert_eq!(updated(&client.notice().await), health, "{version}: told once, then again for the next change");
        assert_eq!(updated(&client.notice().await), "fleet://summary", "{version}");
        client.good("resources/unsubscribe", json!({"uri": health})).await;
        client.good("resources/unsubscribe", json!({"uri": "device://home-ap/never"})).await;
        tell(&site, Event::Health(id.clone()));
        assert_eq!(updated(&client.notice().await), "fleet://summary", "{version}: nothing of what was ended");
        client.leave().await;
    }
}

#[tokio::test]
async fn what_is_read_after_a_notice_is_what_is_true_now() {
    let site = Site::of(&[Profile::HomeAp], &[QUICK]).await;
    let mut client = Client::open(&site, "2025-11-25").await;
    let uri = "device://home-ap/health";
    client.good("resources/subscribe", json!({"uri": uri})).await;
    client.read(uri).await;
    site.sim("home-ap").forget_requests();
    tell(&site, Event::Health(site.device("home-ap").id.clone()));
    assert_eq!(updated(&client.notice().await), uri);
    assert_eq!(client.read(uri).await["_meta"]["cached"], false);
    assert!(!site.sim("home-ap").requests().is_empty());
    client.leave().await;
}

#[tokio::test]
async fn one_device_takes_so_many_subscriptions_and_a_session_that_ends_gives_its_own_back() {
    let site = Site::of(&[Profile::HomeAp], &[QUICK, ("sse.max_subscriptions_per_device", "3")]).await;
    let id = site.device("home-ap").id.clone();
    let watchers = site.app.mcp().watchers.clone();
    let mut one = Client::open(&site, "2025-11-25").await;
    let mut two = Client::open(&site, "2025-06-18").await;
    for what in ["health", "overview"] {
        one.good("resources/subscribe", json!({"uri": format!("device://home-ap/{what}")})).await;
    }
    // Another spelling is another subscription: it is told under its own address.
    two.good("resources/subscribe", json!({"uri": "device://HOME-AP/health"})).await;
    let error = two.bad("resources/subscribe", json!({"uri": "device://home-ap/logs"})).await;
    assert_eq!((&error["data"]["kind"], &error["data"]["retryable"]), (&json!("busy"), &json!(true)), "{error}");
    two.good("resources/subscribe", json!({"uri": "fleet://summary"})).await;
    assert_eq!(watchers.count(&id), 3);
    let mut modern = Client::open(&site, MODERN).await;
    modern.send("subscriptions/listen", listen(&["device://home-ap/health", "fleet://summary"])).await;
    let accepted = modern.notice().await["params"]["notifications"]["resourceSubscriptions"].clone();
    assert_eq!(accepted, json!(["fleet://summary"]), "what is full is not accepted");
    one.leave().await;
    while watchers.count(&id) != 1 {
        tokio::task::yield_now().await;
    }
    two.good("resources/subscribe", json!({"uri": "device://home-ap/logs"})).await;
    two.leave().await;
    modern.leave().await;
    while watchers.count(&id) != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn listening_tells_what_was_accepted_under_its_own_id_and_ends_when_taken_back() {
    let site = Site::of(&[Profile::HomeAp, Profile::Office], &[QUICK]).await;
    let (id, hidden) = (site.device("home-ap").id.clone(), site.device("office").id.clone());
    let mut client = Client::of(&site, limited(Role::ReadOnly, &["home-ap"]), MODERN).await;
    let health = format!("device://{id}/health");
    let wanted = [health.as_str(), "device://office/health", "nonsense", "fleet://summary", "docs://no-such"];
    let stream = client.send("subscriptions/listen", listen(&wanted)).await;
    let acknowledged = client.notice().await;
    assert_eq!(acknowledged["method"], "notifications/subscriptions/acknowledged");
    assert_eq!(
        acknowledged["params"]["notifications"],
        json!({"toolsListChanged": true, "resourcesListChanged": true, "resourceSubscriptions": [health, "fleet://summary"]}),
        "prompts never change, others' devices are nobody's"
    );
    tell(&site, Event::Health(hidden));
    tell(&site, Event::Health(id.clone()));
    for uri in [health.as_str(), "fleet://summary"] {
        let notice = client.notice().await;
        assert_eq!(updated(&notice), uri);
        assert_eq!(notice["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], stream, "{notice}");
    }
    // Requests go on beside it.
    assert!(client.read("fleet://summary").await["text"].is_string());
    client.cancel(stream).await;
    let watchers = site.app.mcp().watchers.clone();
    while watchers.count(&id) != 0 {
        tokio::task::yield_now().await;
    }
    let error = client.bad("resources/subscribe", json!({"uri": health})).await;
    assert_eq!(error["code"], -32601, "sessions' own way does not exist here");
    client.leave().await;
}

#[tokio::test]
async fn told_to_stop_an_open_subscription_is_answered() {
    let site = Site::of(&[Profile::HomeAp], &[QUICK]).await;
    let mut client = Client::open(&site, MODERN).await;
    let stream = client.send("subscriptions/listen", listen(&["fleet://summary"])).await;
    client.notice().await;
    client.stop.cancel();
    let answer = client.answer(stream).await;
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], stream, "{answer}");
    client.leave().await;
}

#[tokio::test]
async fn a_device_that_comes_or_goes_changes_the_list_for_whoever_sees_it() {
    let mut site = Site::of(&[Profile::HomeAp], &[QUICK]).await;
    let mut all = Client::open(&site, "2025-11-25").await;
    let mut narrow = Client::of(&site, limited(Role::ReadOnly, &["home-ap"]), "2025-03-26").await;
    let mut modern = Client::open(&site, MODERN).await;
    for client in [&mut all, &mut narrow] {
        client.good("resources/subscribe", json!({"uri": "fleet://summary"})).await;
    }
    modern.send("subscriptions/listen", listen(&[])).await;
    modern.notice().await;
    site.adopt(Profile::Office, "newcomer", json!({})).await;
    for client in [&mut all, &mut modern] {
        assert_eq!(client.notice().await["method"], "notifications/resources/list_changed");
    }
    assert_eq!(updated(&all.notice().await), "fleet://summary");
    tell(&site, Event::Health(site.device("home-ap").id.clone()));
    assert_eq!(updated(&narrow.notice().await), "fleet://summary", "the first it hears is of its own device");
    for client in [all, narrow, modern] {
        client.leave().await;
    }
}

#[tokio::test]
async fn a_bridge_hears_what_the_holder_sees() {
    let mut site = Site::of(&[Profile::HomeAp], &[QUICK, ("health_check.enabled", "false")]).await;
    site.app.open_doors().await.unwrap();
    let id = site.device("home-ap").id.clone();
    let uri = format!("device://{id}/health");
    let mut legacy = Client::bridged(&site, "2025-11-25").await;
    let mut modern = Client::bridged(&site, MODERN).await;
    legacy.good("resources/subscribe", json!({"uri": uri})).await;
    let stream = modern.send("subscriptions/listen", listen(&[&uri])).await;
    modern.notice().await;
    tell(&site, Event::Health(id.clone()));
    for client in [&mut legacy, &mut modern] {
        assert_eq!(updated(&client.notice().await), uri);
        assert!(client.read(&uri).await["text"].is_string());
    }
    // The router goes away: that is noticed by whoever asks next, and told to everybody.
    let (_, sim) = site.sims.remove(0);
    sim.stop().await;
    site.forget("home-ap");
    let reply = site.call("system.get_overview", json!({"device": "home-ap"})).await;
    assert!(reply.is_error());
    for client in [&mut legacy, &mut modern] {
        assert_eq!(updated(&client.notice().await), uri);
    }
    let watchers = site.app.mcp().watchers.clone();
    assert_eq!(watchers.count(&id), 2);
    site.app.stop.cancel();
    let answer = modern.answer(stream).await;
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    drop((legacy, modern));
    while watchers.count(&id) != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn events_of_a_device_nobody_knows_are_nobodys() {
    let site = Site::of(&[Profile::HomeAp], &[QUICK]).await;
    let mut client = Client::open(&site, "2025-11-25").await;
    client.good("resources/subscribe", json!({"uri": "fleet://summary"})).await;
    tell(&site, Event::Health(DeviceId("dev_gone".into())));
    tell(&site, Event::Device(DeviceId("dev_gone".into())));
    let id = client.send("ping", json!({})).await;
    client.answer(id).await;
    client.good("resources/subscribe", json!({"uri": "device://home-ap/health"})).await;
    tell(&site, Event::Health(site.device("home-ap").id.clone()));
    assert_eq!(updated(&client.notice().await), "device://home-ap/health".to_owned());
    client.leave().await;
}
