//! What a book keeps across servers.

use super::*;
use crate::mcp::message::{Message, inspect};

fn admit(book: &mut Book, line: &str) -> Result<String, String> {
    let Ok(Message::Request(request)) = inspect(line.as_bytes()) else { panic!("a request: {line}") };
    let id = request.id.clone();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    let wire = book.admit(request, line.as_bytes().to_vec(), None, false).map_err(text)?;
    book.sent(&id);
    Ok(text(wire))
}

fn call(id: u32, tool: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
}

fn id_of(answer: &[u8]) -> Id {
    match inspect(answer) {
        Ok(Message::Answer { id, .. }) => id,
        other => panic!("{other:?}"),
    }
}

fn reads(tool: &str) -> bool {
    tool.starts_with("get")
}

#[test]
fn at_a_handover_reads_are_sent_again_and_writes_are_not() {
    let mut book = Book::default();
    for line in [call(1, "get.a"), call(2, "set.b"), r#"{"jsonrpc":"2.0","id":3,"method":"tools/list"}"#.into()] {
        admit(&mut book, &line).unwrap();
    }
    let lost = book.lost(&reads);
    assert_eq!(lost.iter().map(|entry| entry.id.json()).collect::<Vec<_>>(), ["2"]);
    let answer: Value = serde_json::from_slice(&lost[0].lost_answer(&reads)).unwrap();
    assert_eq!(answer["result"]["structuredContent"]["error"]["kind"], "unknown_outcome");
    assert_eq!((&answer["result"]["isError"], &answer["id"]), (&json!(true), &json!(2)));
    assert!(answer["result"].get("resultType").is_none(), "older clients do not know it");
    assert_eq!(book.replay().len(), 2);
}

#[test]
fn a_new_server_hears_what_the_session_subscribed_to_and_the_client_that_it_may_have_changed() {
    let mut book = Book::default();
    let about =
        |id: u32, method: &str, uri: &str| format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{{"uri":"{uri}"}}}}"#);
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let lines = [
        hello.to_owned(),
        about(1, "resources/subscribe", "a://1"),
        about(2, "resources/subscribe", "a://2"),
        about(3, "resources/unsubscribe", "a://1"),
    ];
    for (id, line) in lines.iter().enumerate() {
        admit(&mut book, line).unwrap();
        let answer = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        let entry = book.settle(&id_of(answer.as_bytes())).unwrap();
        book.remember(&entry, answer.as_bytes());
    }
    book.lost(&reads);
    let replayed: Vec<Value> = book.replay().iter().map(|line| serde_json::from_slice(line).unwrap()).collect();
    let said: Vec<_> = replayed.iter().map(|line| (line["method"].as_str().unwrap(), line["params"]["uri"].as_str())).collect();
    assert_eq!(said, [("initialize", None), ("resources/subscribe", Some("a://2"))]);
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, replayed[1]["id"]);
    assert!(book.settle(&id_of(answer.as_bytes())).is_none(), "the client did not ask again");
    assert_eq!(book.missed().len(), 1);
    assert!(String::from_utf8(book.missed().remove(0)).unwrap().contains("a://2"));
}

#[test]
fn an_open_subscription_goes_to_every_new_server_and_ends_with_an_answer() {
    let mut book = Book::default();
    admit(&mut book, r#"{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{}}}"#).unwrap();
    for _ in 0..4 {
        assert!(book.lost(&reads).is_empty());
        assert_eq!(book.replay().len(), 1);
    }
    let answer: Value = serde_json::from_slice(&book.take_all().remove(0).lost_answer(&reads)).unwrap();
    assert_eq!((&answer["id"], &answer["result"]["resultType"]), (&json!("s"), &json!("complete")));
    assert_eq!(answer["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], "s");
}

#[test]
fn a_request_that_ended_two_servers_is_not_given_to_a_third() {
    let mut book = Book::default();
    admit(&mut book, &call(1, "get.a")).unwrap();
    assert!(book.lost(&reads).is_empty());
    book.replay();
    assert_eq!(book.lost(&reads).len(), 1);
    assert!(book.is_empty());
}

#[test]
fn a_write_that_was_never_sent_is_sent_to_the_next_server() {
    let mut book = Book::default();
    let line = call(1, "set.a");
    let Ok(Message::Request(request)) = inspect(line.as_bytes()) else { panic!("a request") };
    book.admit(request, line.into_bytes(), None, false).unwrap();
    assert!(book.lost(&reads).is_empty());
    assert_eq!(book.replay().len(), 1);
}

#[test]
fn the_greeting_is_repeated_under_our_id_and_its_answer_swallowed() {
    let mut book = Book::default();
    let hello = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-03-26"}}"#;
    admit(&mut book, hello).unwrap();
    let entry = book.settle(&id_of(br#"{"jsonrpc":"2.0","id":0,"result":{}}"#)).unwrap();
    book.remember(&entry, br#"{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-03-26"}}"#);
    book.initialized(b"{\"method\":\"notifications/initialized\"}");
    assert!(book.takes_batches());
    book.lost(&reads);
    let lines = book.replay();
    let again: Value = serde_json::from_slice(&lines[0]).unwrap();
    assert_eq!((again["method"].as_str(), lines.len()), (Some("initialize"), 2));
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{},"result":{{}}}}"#, again["id"]);
    assert!(book.settle(&id_of(answer.as_bytes())).is_none());
    assert!(admit(&mut book, hello).is_err(), "a session begins once");
}

#[test]
fn an_id_rmcp_cannot_repeat_is_stood_in_for() {
    let mut book = Book::default();
    let sent = admit(&mut book, r#"{"jsonrpc":"2.0","id":7.5,"method":"ping"}"#).unwrap();
    let wire = serde_json::from_str::<Value>(&sent).unwrap()["id"].clone();
    assert!(wire.is_string());
    let answer = format!(r#"{{"jsonrpc":"2.0","id":{wire},"result":{{}}}}"#).into_bytes();
    let entry = book.settle(&id_of(&answer)).unwrap();
    assert_eq!(serde_json::from_slice::<Value>(&entry.answer(answer)).unwrap()["id"], 7.5);
}

#[test]
fn too_much_in_flight_is_busy_until_something_is_answered() {
    let mut book = Book::default();
    for n in 0..MAX_IN_FLIGHT {
        assert_eq!(book.is_full(), n >= FULL_IN_FLIGHT);
        admit(&mut book, &call(n as u32, "get.a")).unwrap();
    }
    let answer: Value = serde_json::from_str(&admit(&mut book, &call(999, "get.a")).unwrap_err()).unwrap();
    assert_eq!((&answer["id"], &answer["result"]["structuredContent"]["error"]["kind"]), (&json!(999), &json!("busy")));
    book.settle(&id_of(br#"{"jsonrpc":"2.0","id":5,"result":{}}"#)).unwrap();
    admit(&mut book, &call(999, "get.a")).unwrap();
}

#[test]
fn an_id_in_flight_is_not_taken_twice() {
    let mut book = Book::default();
    let ping = r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;
    let held = admit(&mut book, ping).unwrap().len();
    assert!(admit(&mut book, ping).unwrap_err().contains("-32600"));
    assert_eq!((book.len(), book.bytes()), (1, held));
    book.settle(&id_of(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#)).unwrap();
    assert_eq!((book.len(), book.bytes()), (0, 0));
    admit(&mut book, ping).unwrap();
}
