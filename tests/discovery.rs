//! Routers that announce themselves, over real UDP on this machine: who is heard, what lies and floods come to, and what is
//! said when the port is somebody else's.

#![allow(clippy::disallowed_methods, reason = "whoever announces here ends with its test, and no shutdown waits for it")]

use crate::site::Site;
use routeros_mcp::fleet::discover::{Ears, mndp, table};
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::net::UdpSocket;

/// A packet of these parts.
pub fn packet(parts: &[(u16, &[u8])]) -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 1];
    for (kind, value) in parts {
        packet.extend(kind.to_be_bytes());
        packet.extend((value.len() as u16).to_be_bytes());
        packet.extend(*value);
    }
    packet
}

/// A port nobody has just now.
async fn free_port() -> u16 {
    UdpSocket::bind("0.0.0.0:0").await.unwrap().local_addr().unwrap().port()
}

/// Says something to a port until nobody wants it any more; the one who listens may not be there yet.
async fn announcing(port: u16, packets: Vec<Vec<u8>>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    loop {
        tick.tick().await;
        for packet in &packets {
            // Nobody there yet is an error of the packet before.
            let _ = socket.send_to(packet, ("127.0.0.1", port)).await;
        }
    }
}

/// Listens at the verb while somebody announces.
async fn heard(site: &Site, packets: Vec<Vec<u8>>) -> Value {
    let port = free_port().await;
    let speaker = tokio::spawn(announcing(port, packets));
    let reply = site.operator("discovery.list", json!({"seconds": 1, "port": port})).await;
    speaker.abort();
    assert!(reply.fault.is_none(), "{}", reply.text);
    reply.structured
}

#[tokio::test]
async fn a_router_that_is_asked_answers_and_is_listed() {
    let site = Site::bare(&[]).await;
    let router = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let there = router.local_addr().unwrap();
    let answering = tokio::spawn(async move {
        let mut buffer = [0; 64];
        let (length, from) = router.recv_from(&mut buffer).await.unwrap();
        assert_eq!(buffer[..length], mndp::QUESTION);
        let answer =
            packet(&[(1, &[0xb8, 0x69, 0xf4, 0, 0, 1]), (5, b"edge-7"), (7, b"7.20.5 (stable)"), (10, &[60, 0, 0, 0]), (12, b"hAP ax^2")]);
        router.send_to(&answer, from).await.unwrap();
    });
    let ears = Ears { at: vec!["127.0.0.1:0".parse().unwrap()], ask: vec![there] };
    let heard = site.app.dispatch.world().fleet.discover(ears, Duration::from_millis(500)).await.unwrap();
    answering.await.unwrap();
    assert_eq!((heard.asked, heard.troubles.len(), heard.neighbours.len()), (1, 0, 1), "{heard:?}");
    let said = &heard.neighbours[0].said;
    assert_eq!((said.identity.as_deref(), said.uptime_seconds), (Some("edge-7"), Some(60)));
    site.close().await;
}

#[tokio::test]
async fn who_is_managed_already_is_told_and_comes_last() {
    let mut site = Site::bare(&[]).await;
    site.adopt(Profile::Office, "office", json!({})).await;
    let rows = heard(&site, vec![packet(&[(1, &[2, 0, 0, 0, 0, 1]), (5, b"MikroTik"), (17, &[192, 0, 2, 7])])]).await["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(
        (&rows[0]["managed"], &rows[0]["managed_by"]),
        (&json!("office"), &json!("address")),
        "the simulated router is at 127.0.0.1"
    );
    assert_eq!((&rows[0]["claims"], &rows[0]["mac"]), (&json!("192.0.2.7"), &json!("02:00:00:00:00:01")));
    let known = site.operator("discovery.list", json!({"seconds": 0})).await.structured;
    assert_eq!(known["rows"], rows, "who was heard is known without listening");
    assert_eq!((&known["asked"], &known["listened_seconds"]), (&json!(0), &json!(0)));
    site.close().await;
}

#[tokio::test]
async fn floods_and_lies_leave_the_table_small_and_the_answer_marked() {
    let site = Site::bare(&[]).await;
    let mut packets: Vec<Vec<u8>> = (0..2_000u32)
        .map(|n| packet(&[(1, &[2, 0, n.to_be_bytes()[0], n.to_be_bytes()[1], n.to_be_bytes()[2], n.to_be_bytes()[3]]), (5, b"flood")]))
        .collect();
    packets.insert(0, packet(&[(1, &[2, 9, 9, 9, 9, 9]), (5, b"edge\x1b[31m\xe2\x80\xae7\n")]));
    packets.insert(1, vec![0, 0, 0, 1, 0, 5, 0xff, 0xff, b'x']);
    packets.insert(2, vec![7; 3]);
    let answer = heard(&site, packets).await;
    let rows = answer["rows"].as_array().unwrap();
    assert!(!rows.is_empty() && rows.len() <= 8, "one sender has few rows: {}", rows.len());
    assert!(rows.len() <= table::MOST && answer["dropped"].as_u64().unwrap() > 100, "{answer}");
    let hostile = rows.iter().find(|row| row["mac"] == "02:09:09:09:09:09").unwrap();
    assert_eq!((&hostile["identity"], &hostile["altered"]), (&json!("edge[31m7 "), &json!(true)));
    site.close().await;
}

#[tokio::test]
async fn a_port_of_another_program_is_said_in_the_answer_and_fails_nothing() {
    let site = Site::bare(&[]).await;
    let other = UdpSocket::bind("0.0.0.0:0").await.unwrap();
    let reply = site.operator("discovery.list", json!({"seconds": 1, "port": other.local_addr().unwrap().port()})).await;
    assert!(reply.fault.is_none(), "{}", reply.text);
    assert!(reply.structured["troubles"][0].as_str().unwrap().contains("another program"), "{}", reply.structured);
    for bad in [json!({"seconds": 31}), json!({"port": 53})] {
        assert!(site.operator("discovery.list", bad).await.fault.is_some());
    }
    site.close().await;
}
