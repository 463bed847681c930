//! Wrong arguments: each is an answer that says what is wrong and what would be right, and asks no router.

use super::{fitting, for_models};
use crate::site::Site;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

/// A value of another type than the schema's.
fn wrong_type(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("string") => json!(7),
        Some("boolean") => json!("false"),
        Some("integer" | "number") => json!("12"),
        Some("array") => json!("name"),
        Some("object") => json!("name=a"),
        other => panic!("no wrong value for {other:?}"),
    }
}

/// Values outside what the schema allows.
fn out_of_range(schema: &Value) -> Vec<Value> {
    let mut wrong = Vec::new();
    if let Some(least) = schema["minimum"].as_i64() {
        wrong.push(json!(least - 1));
    }
    if let Some(most) = schema["maximum"].as_i64() {
        wrong.extend([json!(most + 1), json!(u64::MAX), json!(1e300)]);
    }
    if schema.get("enum").is_some() {
        wrong.push(json!("no such word"));
    }
    if schema["minLength"] == 1 {
        wrong.push(json!(""));
    }
    if let Some(most) = schema["maxLength"].as_u64() {
        wrong.push(json!("x".repeat(most as usize + 1)));
    }
    if let Some(most) = schema["maxItems"].as_u64() {
        wrong.push(json!(vec!["name"; most as usize + 1]));
    }
    wrong
}

#[tokio::test]
async fn a_wrong_argument_is_an_answer_that_says_what_would_be_right() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let before = site.sim("home-ap").faults().requests_total();
    let mut cases = 0;
    for tool in for_models() {
        let input = (tool.input)();
        let good = fitting(tool, "home-ap");
        let with = |name: &str, value: Value| {
            let mut arguments = good.clone();
            arguments[name] = value;
            (name.to_owned(), arguments)
        };
        let mut wrong = vec![with("no_such_argument", json!(1)), with("Device", json!("home-ap")), with("x\u{202e}\n", json!(1))];
        for (name, schema) in input["properties"].as_object().unwrap() {
            wrong.push(with(name, wrong_type(schema)));
            wrong.push(with(name, Value::Null));
            wrong.extend(out_of_range(schema).into_iter().map(|value| with(name, value)));
        }
        for name in input.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            let mut arguments = good.clone();
            arguments.as_object_mut().unwrap().remove(name);
            wrong.push((name.to_owned(), arguments));
        }
        for (name, arguments) in wrong {
            let reply = site.call(tool.name, arguments.clone()).await;
            let error = &reply.structured["error"];
            assert_eq!(error["kind"], "bad_input", "{} {arguments:.200}: {:.300}", tool.name, reply.text);
            assert_eq!((&error["retryable"], &reply.to_mcp()["isError"]), (&json!(false), &json!(true)));
            let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            assert!(error["message"].as_str().unwrap().contains(&plain), "{} does not name {name}: {}", tool.name, reply.text);
            assert!(error["message"].as_str().unwrap().len() < 600, "{}: {}", tool.name, reply.text);
            assert!(error["hint"].as_str().is_some_and(|hint| hint.contains(tool.name)), "{}: {}", tool.name, reply.text);
            assert!(!reply.text.contains('\u{202e}'), "{}", tool.name);
            cases += 1;
        }
    }
    println!("{cases} wrong arguments");
    assert!(cases >= 150, "only {cases} cases");
    assert_eq!(site.sim("home-ap").faults().requests_total(), before, "no router was asked");
}

#[tokio::test]
async fn what_a_schema_cannot_say_is_refused_in_the_same_way() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let read = |more: Value| {
        let mut arguments = json!({"device": "home-ap", "menu": "/ip/address"});
        arguments.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        ("menu.read", arguments)
    };
    let cases = [
        read(json!({"menu": "ip address; /system reboot"})),
        read(json!({"menu": "/ip/address/../user"})),
        read(json!({"menu": "/"})),
        read(json!({"where": {"address": ["a"]}})),
        read(json!({"where": {"address": {"a": 1}}})),
        read(json!({"where": {"address": null}})),
        read(json!({"where": {".id": "*1"}})),
        read(json!({"where": {"": "x"}})),
        read(json!({"where": (0..17).map(|n| (format!("a{n}"), json!(1))).collect::<serde_json::Map<_, _>>()})),
        read(json!({"fields": ["address", "a b"]})),
        read(json!({"fields": [1]})),
        read(json!({"cursor": "not a cursor"})),
        read(json!({"cursor": ""})),
        read(json!({"menu": "/ppp/secret", "where": {"password~": "a"}})),
        ("device.list", json!({"environment": "moon"})),
        ("device.list", json!({"tag": "no-value"})),
        ("device.list", json!({"status": "sleepy"})),
        ("device.list", json!({"where": {"name": {"x": 1}}})),
    ];
    assert!(cases.len() >= 18);
    for (tool, arguments) in cases {
        let error = site.bad(tool, arguments.clone()).await;
        assert_eq!(error["kind"], "bad_input", "{tool} {arguments}: {error}");
        assert!(error["message"].as_str().is_some_and(|said| said.len() > 8 && said.len() < 400), "{error}");
    }
}

#[tokio::test]
async fn both_names_of_a_device_at_once_are_refused_and_unknown_ones_not_found() {
    let site = Site::of(&[Profile::HomeAp], &[]).await;
    let error = site.bad("system.get_clock", json!({"device": "home-ap", "device_id": "home-ap"})).await;
    assert_eq!(error["kind"], "bad_input");
    let error = site.bad("system.get_clock", json!({"device": "home-app"})).await;
    assert_eq!(error["kind"], "not_found");
    assert!(error["hint"].as_str().unwrap().contains("home-ap"), "{error}");
    let error = site.bad("fleet.get_summary", json!({"device_id": "home-ap"})).await;
    assert_eq!(error["kind"], "bad_input", "no alias where there is no device");
}
