//! Slow, silent and many: what a client takes without giving.

use super::*;

#[tokio::test]
async fn slow_and_half_open_clients_are_let_go() {
    let brief = Duration::from_millis(300);
    let web = with(Limits { head: brief, body: brief, handshake: brief, ..Limits::default() }).await;
    let token = web.token(Role::ReadOnly).await;
    let heads = [
        String::new(),
        "POST /mcp HT".to_owned(),
        format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nX-Slow: "),
    ];
    for head in heads {
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        stream.write_all(head.as_bytes()).await.unwrap();
        let (took, said) = closed(stream).await;
        assert!(took < Duration::from_secs(5) && !said.starts_with("HTTP/1.1 2"), "{head:?}: {took:?} {said}");
    }
    let head = format!("POST /mcp HTTP/1.1\r\nHost: localhost\r\n{JSON}Authorization: Bearer {token}\r\nContent-Length: 100\r\n\r\n{{");
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let (took, said) = closed(stream).await;
    assert!(took < Duration::from_secs(5) && said.starts_with("HTTP/1.1 408 "), "{took:?} {said}");
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let (took, said) = closed(stream).await;
    assert!(took < Duration::from_secs(5) && !said.starts_with("HTTP/1.1 2"), "half closed: {took:?} {said}");
    assert_eq!(web.calls().await, 0);
    web.close().await;
}

#[tokio::test]
async fn an_http2_connection_without_a_request_is_let_go() {
    let web = over(tls::Source::SelfSigned, Limits { head: Duration::from_millis(300), ..Limits::default() }).await;
    for said in [&b""[..], b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0"] {
        let (mut stream, _) = shaken(&web, b"h2").await;
        stream.write_all(said).await.unwrap();
        let (took, _) = closed(stream).await;
        assert!(took < Duration::from_secs(5), "{took:?} after {} bytes", said.len());
    }
    web.close().await;
}

#[tokio::test]
async fn whoever_asks_and_never_reads_is_let_go() {
    let web = with(Limits { taken: Duration::from_millis(300), ..Limits::default() }).await;
    let token = web.token(Role::Admin).await;
    let message = crate::http_rig::modern("tools/list", json!({})).to_string();
    let one = format!(
        "POST /mcp HTTP/1.1\r\nHost: localhost\r\n{JSON}Authorization: Bearer {token}\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n\
         Content-Length: {}\r\n\r\n{message}",
        message.len()
    );
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    // More answers than all buffers between us hold; the other side stops reading, and then gives up.
    let (asked, began) = (one.repeat(100), Instant::now());
    while stream.write_all(asked.as_bytes()).await.is_ok() {
        assert!(began.elapsed() < PATIENCE, "it is waited for without end");
    }
    web.close().await;
}

#[tokio::test]
async fn more_connections_than_allowed_are_turned_away_and_room_comes_back() {
    let web = with(Limits { connections: 4, ..Limits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..4 {
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        let mut first = [0; 12];
        tokio::time::timeout(PATIENCE, stream.read_exact(&mut first)).await.unwrap().unwrap();
        assert_eq!(&first, b"HTTP/1.1 200");
        held.push(stream);
    }
    assert_eq!(web.ask("GET", "/health/live", "", "").await.status, 0);
    held.clear();
    let began = Instant::now();
    while web.ask("GET", "/health/live", "", "").await.status != 200 {
        assert!(began.elapsed() < PATIENCE, "no room came back");
    }
    web.close().await;
}

#[tokio::test]
async fn a_refusal_reaches_who_is_still_sending_and_the_connection_goes_on() {
    let web = with(Limits::default()).await;
    for path in ["/mcp", "/admin/api/v1/devices"] {
        let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer rmcp_x\r\n{JSON}Content-Length: 2\r\n\r\n", web.at());
        let mut stream = TcpStream::connect(web.at()).await.unwrap();
        for _ in 0..2 {
            stream.write_all(head.as_bytes()).await.unwrap();
            // Meanwhile the head alone has been looked at.
            assert_eq!(web.ask("GET", "/health/live", "", "").await.status, 200);
            stream.write_all(b"{}").await.unwrap();
            let mut said = [0; 12];
            stream.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"HTTP/1.1 401", "{path}");
            let mut rest = vec![0; 4096];
            let _ = stream.read(&mut rest).await.unwrap();
        }
    }
    web.close().await;
}
