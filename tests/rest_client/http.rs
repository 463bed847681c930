//! What goes over the wire, and what each answer or its absence means.

use super::server::{PATIENCE, Reply, Server, answer, json, listen, refusal};
use super::{kind, menu, plain, rest};
use futures_util::poll;
use routeros_mcp::base::fault::Kind;
use routeros_mcp::routeros::fault::Stage;
use routeros_mcp::routeros::{Denial, Filter, Query, Rest, RouterError};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Notify;

fn always(bytes: Vec<u8>) -> impl Fn(&super::server::Seen) -> Reply {
    move |_| Reply::Bytes(bytes.clone())
}

async fn read(rest: &Rest) -> Result<Vec<routeros_mcp::routeros::Row>, RouterError> {
    tokio::time::timeout(PATIENCE, rest.print(&menu("/interface"), &Query::new())).await.expect("the client has deadlines")
}

async fn write(rest: &Rest) -> Result<(), RouterError> {
    let setting = menu("/interface");
    tokio::time::timeout(PATIENCE, rest.set(&setting, "*1", &[("comment", "x")])).await.expect("the client has deadlines").map(drop)
}

#[tokio::test]
async fn requests_share_a_connection_and_carry_what_routeros_wants() {
    let server = Server::http(always(json(200, r#"[{".id":"*1","name":"ether1"}]"#))).await;
    let rest = rest(plain(server.port));
    for _ in 0..3 {
        assert_eq!(read(&rest).await.unwrap()[0].get("name"), Some("ether1"));
    }
    write(&rest).await.unwrap();
    assert_eq!(server.connections(), 1);
    let seen = server.seen();
    assert_eq!(seen[0].line(), "GET /rest/interface HTTP/1.1");
    assert_eq!(seen[0].header("authorization"), Some("Basic bWNwOmh1bnRlcjI="));
    assert!(seen[0].header("user-agent").unwrap().starts_with("routeros-mcp/"));
    assert_eq!(seen[0].header("content-type"), None);
    assert!(seen[3].head.contains("\r\nContent-Type: application/json\r\n"), "to the letter: {}", seen[3].head);
}

#[tokio::test]
async fn each_verb_has_its_form_and_asterisks_stay() {
    let server = Server::http(|seen| {
        Reply::Bytes(match seen.line().split(' ').next().unwrap() {
            "PUT" => answer(201, "Location: /rest/ip/address/*5\r\n", r#"{".id":"*5","address":"192.0.2.1/24"}"#),
            "PATCH" => json(200, r#"{".id":"*1A","comment":"x"}"#),
            "DELETE" => answer(204, "", ""),
            _ => json(200, "[]"),
        })
    })
    .await;
    let rest = rest(plain(server.port));
    let address = menu("/ip address");
    let row = rest.add(&address, &[("address", "192.0.2.1/24"), ("interface", "ether1")]).await.unwrap();
    assert_eq!(row.id(), Some("*5"));
    let row = rest.set(&address, "*1A", &[("comment", "x\n\"y\"")]).await.unwrap().unwrap();
    assert_eq!(row.get("comment"), Some("x"));
    rest.remove(&address, "*1A").await.unwrap();
    rest.set_singleton(&menu("/ip/dns"), &[("servers", "192.0.2.53")]).await.unwrap();
    rest.mv(&address, "*F", Some("*C")).await.unwrap();
    rest.mv(&address, "*F", None).await.unwrap();
    rest.unset(&address, "*1", "comment").await.unwrap();
    rest.run(&menu("/interface"), "monitor-traffic", &[("interface", "ether1"), ("once", "")]).await.unwrap();
    assert_eq!(rest.execute(":put 1", Duration::from_secs(5)).await.unwrap(), "");
    let said: Vec<_> = server.seen().iter().map(|s| (s.line().trim_end_matches(" HTTP/1.1").to_owned(), s.body.clone())).collect();
    let expected = [
        ("PUT /rest/ip/address", r#"{"address":"192.0.2.1/24","interface":"ether1"}"#),
        ("PATCH /rest/ip/address/*1A", r#"{"comment":"x\n\"y\""}"#),
        ("DELETE /rest/ip/address/*1A", ""),
        ("POST /rest/ip/dns/set", r#"{"servers":"192.0.2.53"}"#),
        ("POST /rest/ip/address/move", r#"{"numbers":"*F","destination":"*C"}"#),
        ("POST /rest/ip/address/move", r#"{"numbers":"*F"}"#),
        ("POST /rest/ip/address/unset", r#"{".id":"*1","value-name":"comment"}"#),
        ("POST /rest/interface/monitor-traffic", r#"{"interface":"ether1","once":""}"#),
        ("POST /rest/execute", r#"{"script":":put 1","as-string":""}"#),
    ];
    assert_eq!(said, expected.map(|(line, body)| (line.to_owned(), body.to_owned())));
}

#[tokio::test]
async fn older_routers_answer_adds_with_200_and_removals_with_a_body() {
    let server = Server::http(|seen| Reply::Bytes(json(200, if seen.line().starts_with("PUT") { r#"{".id":"*5"}"# } else { "[]" }))).await;
    let rest = rest(plain(server.port));
    assert_eq!(rest.add(&menu("/ip/address"), &[]).await.unwrap().id(), Some("*5"));
    rest.remove(&menu("/ip/address"), "*5").await.unwrap();
}

#[tokio::test]
async fn queries_go_by_url_or_by_print_as_they_fit() {
    let server =
        Server::http(|seen| Reply::Bytes(json(200, if seen.body.contains("count-only") { r#"{"ret":"12"}"# } else { "[]" }))).await;
    let rest = rest(plain(server.port));
    let leases = menu("/ip/dhcp-server/lease");
    rest.print(&leases, &Query::new().columns(["address", "host-name"]).eq("dynamic", "true")).await.unwrap();
    let filter = Filter::Any(vec![Filter::eq("host-name", "ü & co"), Filter::has("comment")]);
    rest.print(&leases, &Query::new().columns(["address"]).matching(&filter)).await.unwrap();
    assert_eq!(rest.count(&leases, &Query::new().columns(["address"]).lacks("comment")).await.unwrap(), 12);
    let seen = server.seen();
    assert_eq!(seen[0].line(), "GET /rest/ip/dhcp-server/lease?dynamic=true&.proplist=.id,address,host-name HTTP/1.1");
    assert_eq!(seen[1].line(), "POST /rest/ip/dhcp-server/lease/print HTTP/1.1");
    assert_eq!(seen[1].body, "{\".proplist\":\".id,address\",\".query\":[\"host-name=ü & co\",\"comment\",\"#|\"]}");
    assert_eq!(seen[2].body, r#"{".query":["-comment"],"count-only":""}"#);
}

#[tokio::test]
async fn refusals_keep_their_meaning_and_their_words() {
    let server = Server::http(|seen| {
        let path = seen.line().split(' ').nth(1).unwrap().trim_start_matches("/rest/").to_owned();
        Reply::Bytes(match path.as_str() {
            "a401" => answer(401, "WWW-Authenticate: Basic realm=\"RouterOS\"\r\n", r#"{"error":401,"message":"Unauthorized"}"#),
            "a403" => answer(403, "Content-Type: text/html\r\n", "<html>403</html>"),
            "a404" => refusal(404, ""),
            "a415" => refusal(415, ""),
            "a500" => refusal(500, "not enough permissions (9)"),
            "wifi" => refusal(400, "no such command or directory (wifi)"),
            "html" => answer(200, "Content-Type: text/html\r\n", "<html>webfig</html>"),
            "junk" => json(200, "[{\"a\":"),
            _ => refusal(400, "failure: already have such entry"),
        })
    })
    .await;
    let rest = rest(plain(server.port));
    let at = rest.at().to_owned();
    let denied = |denial| RouterError::Denied { at: at.clone(), denial };
    for (path, meaning, fault) in [
        ("/a401", denied(Denial::Login), Kind::RouterDenied),
        ("/a403", denied(Denial::RestOff), Kind::RouterDenied),
        ("/a404", RouterError::NotFound, Kind::NotFound),
        ("/a415", RouterError::Rejected { status: 415, detail: "X".into() }, Kind::Rejected),
        ("/a500", denied(Denial::Policy), Kind::RouterDenied),
        ("/wifi", RouterError::NoSuchMenu { word: "wifi".into() }, Kind::NotFound),
        ("/dup", RouterError::Rejected { status: 400, detail: "failure: already have such entry".into() }, Kind::Rejected),
    ] {
        let error = rest.print(&menu(path), &Query::new()).await.unwrap_err();
        assert_eq!(error, meaning);
        assert_eq!(kind(&error), fault, "{path}");
    }
    assert!(matches!(rest.print(&menu("/html"), &Query::new()).await, Err(RouterError::NotRouterOs { .. })));
    assert!(matches!(rest.print(&menu("/junk"), &Query::new()).await, Err(RouterError::Garbage { .. })));
    assert_eq!(server.connections(), 1, "refusals do not cost the connection");
}

#[tokio::test]
async fn an_unset_refused_in_one_spelling_is_asked_in_the_other() {
    let server = Server::http(|seen| {
        Reply::Bytes(if seen.line().starts_with("PATCH") { json(200, r#"{".id":"*1"}"#) } else { refusal(400, "no such command") })
    })
    .await;
    let rest = rest(plain(server.port));
    rest.unset(&menu("/ip/route"), "*1", "comment").await.unwrap();
    let last = server.seen().pop().unwrap();
    assert_eq!((last.line(), last.body.as_str()), ("PATCH /rest/ip/route/*1 HTTP/1.1", r#"{"!comment":""}"#));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Server::http(always(json(200, "[]"))).await;
    let to = format!("Location: http://127.0.0.1:{}/rest/interface\r\n", elsewhere.port);
    let server = Server::http(always(answer(307, &to, ""))).await;
    let error = read(&rest(plain(server.port))).await.unwrap_err();
    assert!(matches!(error, RouterError::NotRouterOs { .. }), "{error}");
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn foreign_bytes_and_control_characters_arrive_as_rows() {
    let server = Server::http(always(json(200, b"[{\".id\":\"*1\",\"comment\":\"caf\xe9\nzwei\x02\"}]"))).await;
    let rows = read(&rest(plain(server.port))).await.unwrap();
    assert_eq!(rows[0].get("comment"), Some("caf\u{fffd}\nzwei\u{2}"));
}

#[tokio::test]
async fn answers_without_end_are_cut_at_the_bound() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n[".to_vec();
    let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n[".to_vec();
    for piece in [[head, b"{\"a\":\"b\"},".repeat(1000)].concat(), announced] {
        let server = Server::http(move |_| Reply::Endless(piece.clone())).await;
        let mut endpoint = plain(server.port);
        endpoint.max_answer_bytes = 100_000;
        let rest = rest(endpoint);
        let error = read(&rest).await.unwrap_err();
        assert_eq!(error, RouterError::TooLarge { limit: 100_000 });
        assert_eq!(kind(&write(&rest).await.unwrap_err()), Kind::UnknownOutcome);
    }
    let server = Server::http(|_| Reply::Endless(b"HTTP/1.1 200 OK\r\nA: b\r\n".repeat(50))).await;
    let error = read(&rest(plain(server.port))).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Unreachable, "{error}");
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_costs_the_connection() {
    let first = AtomicUsize::new(0);
    let server = Server::http(move |_| match first.fetch_add(1, Ordering::SeqCst) {
        0 | 2 => Reply::Silence,
        _ => Reply::Bytes(json(200, "[]")),
    })
    .await;
    let mut endpoint = plain(server.port);
    endpoint.timeout = Duration::from_millis(1200);
    let rest = rest(endpoint);
    let error = read(&rest).await.unwrap_err();
    assert_eq!(error.to_string(), format!("no answer from 127.0.0.1:{} within 1s200ms", server.port));
    assert_eq!(kind(&error), Kind::Unreachable);
    assert_eq!(read(&rest).await, Ok(Vec::new()));
    assert_eq!(kind(&write(&rest).await.unwrap_err()), Kind::UnknownOutcome);
    assert_eq!(read(&rest).await, Ok(Vec::new()));
    assert_eq!(server.seen().iter().map(|s| s.connection).collect::<Vec<_>>(), [1, 2, 2, 3]);
}

#[tokio::test]
async fn a_body_that_trickles_ends_at_the_deadline() {
    let server = Server::http(|_| Reply::Silence).await;
    let (port, _tasks) = listen(|mut stream| async move {
        use tokio::io::AsyncWriteExt;
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{").await;
        std::future::pending::<()>().await;
    })
    .await;
    for port in [server.port, port] {
        let mut endpoint = plain(port);
        endpoint.timeout = Duration::from_millis(1200);
        let error = read(&rest(endpoint)).await.unwrap_err();
        assert!(matches!(error, RouterError::Timeout { stage: Stage::Answer, .. }), "{error}");
    }
}

#[tokio::test]
async fn a_lost_answer_is_an_outage_for_a_read_and_unknown_for_a_write() {
    for reply in [Vec::new(), b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[{".to_vec(), b"HTTP/1.1 2".to_vec()] {
        let server = Server::http(move |_| Reply::Last(reply.clone())).await;
        let error = read(&rest(plain(server.port))).await.unwrap_err();
        assert!(matches!(error, RouterError::Unreachable { .. }), "{error}");
        assert_eq!(server.seen().len(), 1);
        let error = write(&rest(plain(server.port))).await.unwrap_err();
        assert!(matches!(error, RouterError::LostAnswer { .. }), "{error}");
        assert_eq!(kind(&error), Kind::UnknownOutcome);
        assert_eq!(server.seen().len(), 2, "a write is never sent twice");
    }
    // `print` is posted and still only looks.
    let server = Server::http(|_| Reply::Last(Vec::new())).await;
    let error = rest(plain(server.port)).print(&menu("/log"), &Query::new().has("topics")).await.unwrap_err();
    assert_eq!(kind(&error), Kind::Unreachable);
}

#[tokio::test]
async fn a_read_on_a_connection_the_router_just_closed_is_asked_again() {
    let n = AtomicUsize::new(0);
    let server = Server::http(move |_| match n.fetch_add(1, Ordering::SeqCst) {
        // The first connection dies with its second request unanswered, as an idle limit does.
        1 => Reply::Last(Vec::new()),
        _ => Reply::Bytes(json(200, "[]")),
    })
    .await;
    let rest = rest(plain(server.port));
    for _ in 0..2 {
        assert_eq!(read(&rest).await, Ok(Vec::new()));
    }
    assert_eq!(server.seen().iter().map(|s| s.connection).collect::<Vec<_>>(), [1, 1, 2]);
}

#[tokio::test]
async fn what_never_connected_was_never_sent() {
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
    let rest_gone = rest(plain(gone));
    for error in [read(&rest_gone).await.unwrap_err(), write(&rest_gone).await.unwrap_err()] {
        assert_eq!(error, RouterError::Unreachable { at: format!("127.0.0.1:{gone}"), why: "connection refused".into() });
    }
    let mut endpoint = plain(80);
    endpoint.host = "no-such-host.invalid".into();
    let error = write(&rest(endpoint)).await.unwrap_err();
    assert_eq!(error, RouterError::Unreachable { at: "no-such-host.invalid:80".into(), why: "the name does not resolve".into() });
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_cut_its_request_off() {
    let gate = Arc::new(Notify::new());
    let held = gate.clone();
    let server = Server::http(move |seen| match seen.line().starts_with("PATCH") {
        true => Reply::Held(held.clone(), json(200, r#"{".id":"*1"}"#)),
        false => Reply::Bytes(json(200, "[]")),
    })
    .await;
    let rest = rest(plain(server.port));
    let long = "x".repeat(300_000);
    let path = menu("/interface");
    let values = [("comment", long.as_str())];
    let mut setting = Box::pin(rest.set(&path, "*1", &values));
    // Asked once, then dropped: nothing has reached the socket yet.
    assert!(poll!(&mut setting).is_pending());
    drop(setting);
    let seen = server.received(1).await;
    assert_eq!(seen.body.len(), long.len() + r#"{"comment":""}"#.len());
    gate.notify_one();
    server.replied(1).await;
    assert_eq!(read(&rest).await, Ok(Vec::new()));
}

#[tokio::test]
async fn closing_waits_for_what_is_in_flight_and_refuses_the_rest() {
    let gate = Arc::new(Notify::new());
    let held = gate.clone();
    let server = Server::http(move |_| Reply::Held(held.clone(), json(200, "[]"))).await;
    let rest = rest(plain(server.port));
    let path = menu("/interface");
    let query = Query::new();
    let mut reading = Box::pin(rest.print(&path, &query));
    assert!(poll!(&mut reading).is_pending());
    server.received(1).await;
    let mut closing = Box::pin(rest.close());
    assert!(poll!(&mut closing).is_pending());
    assert!(matches!(read(&rest).await, Err(RouterError::Closed { .. })));
    gate.notify_one();
    assert_eq!(reading.await, Ok(Vec::new()));
    tokio::time::timeout(PATIENCE, closing).await.unwrap();
}

#[tokio::test]
async fn arguments_no_router_can_be_asked_reach_none() {
    let server = Server::http(always(json(200, "[]"))).await;
    let port = server.port;
    let rest = rest(plain(port));
    let address = menu("/ip/address");
    let errors = [
        rest.set(&address, "0", &[]).await.map(drop),
        rest.remove(&address, "*1,*2").await,
        rest.mv(&address, "*1", Some("ether1")).await,
        rest.unset(&address, "*1", "a=b").await,
        rest.add(&address, &[("=.id", "*1")]).await.map(drop),
        rest.run(&address, "../reboot", &[]).await.map(drop),
        rest.get(&address, "..").await.map(drop),
        rest.print(&address, &Query::new().columns(["a b"])).await.map(drop),
        Rest::new({
            let mut endpoint = plain(port);
            endpoint.host = "127.0.0.1/x?".into();
            endpoint
        })
        .map(drop),
    ];
    for outcome in errors {
        assert_eq!(kind(&outcome.unwrap_err()), Kind::BadInput);
    }
    assert_eq!(server.connections(), 0);
}
