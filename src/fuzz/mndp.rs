//! Announcements of neighbours: hearsay, so short, visible and few.

use super::{Pieces, Samples, Target};
use crate::base::clock::Wall;
use crate::fleet::discover::mndp::{Announcement, PACKET_MAX};
use crate::fleet::discover::table::{MOST, Table};
use crate::shape::untrusted::is_unseen;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

pub(super) const TARGET: Target = Target {
    name: "mndp",
    about: "packets of neighbours",
    longest: 4 << 10,
    check,
    seeds,
    words: &[
        "\u{0}\u{5}\u{0}\u{6}",
        "\u{0}\u{1}\u{0}\u{6}",
        "\u{0}\u{a}\u{0}\u{4}",
        "\u{0}\u{f}\u{0}\u{10}",
        "\u{0}\u{11}\u{0}\u{4}",
        "\u{202e}",
        "\u{1b}[2J",
        "e\u{301}",
    ],
};

/// Characters of one text.
const TEXT_MAX: usize = 64;

fn check(data: &[u8]) {
    if let Some(said) = Announcement::parse(data) {
        assert!(data.len() <= PACKET_MAX);
        let kept = seen(&said);
        match Announcement::parse(&packet(&said)) {
            Some(again) => assert_eq!(Announcement { altered: said.altered, ..again }, kept),
            // Of its name nothing could be shown, and nameless packets are none.
            None => assert!(kept.mac.is_none() && kept.identity.is_none(), "what was kept can be sent"),
        }
        for text in texts(&said) {
            assert!(text.chars().count() <= TEXT_MAX && !text.chars().any(is_unseen), "{text:?}");
        }
    }
    crowd(data);
}

fn texts(said: &Announcement) -> impl Iterator<Item = &String> {
    [&said.identity, &said.version, &said.platform, &said.board, &said.software_id, &said.interface].into_iter().flatten()
}

/// What is left once texts of which nothing could be shown count as not said: an empty part says nothing.
fn seen(said: &Announcement) -> Announcement {
    let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
    Announcement {
        identity: text(&said.identity),
        version: text(&said.version),
        platform: text(&said.platform),
        board: text(&said.board),
        software_id: text(&said.software_id),
        interface: text(&said.interface),
        ..said.clone()
    }
}

/// The announcement as a packet.
fn packet(said: &Announcement) -> Vec<u8> {
    let mut packet = vec![0, 0, 0, 7];
    let mut part = |kind: u16, value: &[u8]| {
        packet.extend(kind.to_be_bytes());
        packet.extend((value.len() as u16).to_be_bytes());
        packet.extend(value);
    };
    if let Some(mac) = &said.mac {
        part(1, &data_encoding::HEXUPPER.decode(mac.replace(':', "").as_bytes()).expect("a hardware address"));
    }
    let texts =
        [(5, &said.identity), (7, &said.version), (8, &said.platform), (11, &said.software_id), (12, &said.board), (16, &said.interface)];
    for (kind, text) in texts {
        if let Some(text) = text {
            part(kind, text.as_bytes());
        }
    }
    said.uptime_seconds.iter().for_each(|uptime| part(10, &uptime.to_le_bytes()));
    said.ipv6.iter().for_each(|address| part(15, &address.octets()));
    said.ipv4.iter().for_each(|address| part(17, &address.octets()));
    packet
}

/// Many packets from many senders: the table ends somewhere.
fn crowd(data: &[u8]) {
    let (mut pieces, mut table, mut now) = (Pieces(data), Table::default(), Duration::ZERO);
    while !pieces.is_empty() {
        let sender = IpAddr::V4(Ipv4Addr::new(192, 0, 2, pieces.byte()));
        now += Duration::from_millis(u64::from(pieces.byte()) * 100);
        if let Some(said) = Announcement::parse(pieces.short()) {
            table.hear(sender, said, now, Wall(now.as_millis() as i64));
        }
    }
    assert!(table.all(now).len() <= MOST);
}

fn seeds(_: &Samples) -> Vec<Vec<u8>> {
    let usual = Announcement {
        mac: Some("B8:69:F4:01:02:03".into()),
        identity: Some("edge-7".into()),
        version: Some("7.20.5 (stable)".into()),
        platform: Some("MikroTik".into()),
        board: Some("RB5009UG+S+".into()),
        software_id: Some("ABCD-1234".into()),
        interface: Some("bridge/ether2".into()),
        uptime_seconds: Some(3_600),
        ipv4: Some(Ipv4Addr::new(192, 0, 2, 7)),
        ipv6: Some([0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9].into()),
        altered: false,
    };
    let whole = packet(&usual);
    let small = packet(&Announcement { identity: Some("caf\u{e9}".into()), ..Announcement::default() });
    let hostile = packet(&Announcement { identity: Some("a\u{202e}b\u{1b}[2J".into()), ..Announcement::default() });
    let two = [&[1, 30, small.len() as u8], small.as_slice(), &[2, 200, hostile.len() as u8], &hostile].concat();
    vec![whole, small, hostile, two, vec![0; 4]]
}
