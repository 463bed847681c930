//! Snapshots over days: what they cost, what comes out again, and what falls off the end.

use super::*;
use crate::base::clock::Wall;
use crate::base::ids::DeviceId;
use crate::routeros::export::{Export, parse, write};
use crate::store::{Options, Store};
use std::ops::Bound;

const DAY: i64 = 86_400_000;

struct Rig {
    store: Store,
    shelf: Shelf,
    device: DeviceId,
    dir: tempfile::TempDir,
}

fn rig(keep: usize) -> Rig {
    let dir = tempfile::tempdir().unwrap();
    let store = open(&dir);
    Rig { shelf: Shelf::new(store.clone(), keep), store, device: DeviceId::random(), dir }
}

fn open(dir: &tempfile::TempDir) -> Store {
    Store::open(Options { volatile_ok: true, ..Options::at(dir.path().join("s.redb")) }).unwrap()
}

fn taken(text: &str, day: i64) -> Taken {
    let export = Export { ended: true, ..normal(&parse(text)) };
    Taken { export, version: Some("7.20".into()), at: Wall(day * DAY), reason: Reason::Schedule }
}

/// Keys and bytes in the tables of this part.
fn weight(store: &Store) -> (usize, usize) {
    let (mut pieces, mut bytes) = (0, 0);
    for table in ["config_piece", "config_snapshot", "config_head"] {
        let rows = store.scan(table, Bound::Unbounded, 100_000).unwrap();
        pieces += if table == "config_piece" { rows.len() } else { 0 };
        bytes += rows.iter().map(|(key, value)| key.len() + value.len()).sum::<usize>();
    }
    (pieces, bytes)
}

/// A configuration of about 300 kB: rules, addresses, leases, names, as they are on a big router.
fn big(edits: u32) -> String {
    let mix = |n: u32| n.wrapping_mul(2_654_435_761) >> 7;
    let mut text = String::from("/interface bridge\nadd name=bridge1 vlan-filtering=yes\n/ip dhcp-server lease\n");
    for n in 0..1_500 {
        text.push_str(&format!(
            "add address=10.20.{}.{} comment=\"customer {}\" mac-address=48:8F:{:02X}:{:02X}:{:02X}:{:02X} server=dhcp{}\n",
            n >> 8,
            n & 255,
            mix(n) % 9_000,
            mix(n) & 255,
            mix(n + 7) & 255,
            n & 255,
            n >> 8,
            n % 5
        ));
    }
    text.push_str("/ip firewall address-list\n");
    for n in 0..1_500 {
        // An edit in the middle of the longest table.
        let comment = if n % 97 < edits && n > 600 { format!(" comment=\"edited {}\"", edits * 31 + n) } else { String::new() };
        text.push_str(&format!("add address=198.{}.{}.{}{comment} list=blocked-{}\n", mix(n) & 255, mix(n + 1) & 255, n & 255, n % 3));
    }
    text.push_str("/ip firewall filter\n");
    for n in 0..850 {
        text.push_str(&format!(
            "add action=accept chain=forward comment=\"rule {n} for site {}\" dst-port={} protocol=tcp src-address=10.{}.0.0/16\n",
            mix(n) % 400,
            1_024 + mix(n) % 60_000,
            n & 255
        ));
    }
    text.push_str("/system identity\nset name=edge\n");
    text
}

#[tokio::test]
async fn thirty_days_of_a_large_configuration_with_small_edits_fit_in_a_megabyte() {
    let rig = rig(30);
    let mut sizes = Vec::new();
    let empty = std::fs::metadata(rig.dir.path().join("s.redb")).unwrap().len();
    for day in 0..30 {
        // Every day: an address, a rule's port and a comment.
        let text = big(1 + day % 5)
            .replace("comment=\"rule 350 ", &format!("comment=\"rule 350 day {day} "))
            .replace("/ip firewall filter\n", &format!("add address=203.0.113.{day} list=new\n/ip firewall filter\n"))
            .replace("add address=10.20.2.9 comment=\"", &format!("add address=10.20.2.9 comment=\"day {day} "));
        sizes.push(text.len());
        let kept = rig.shelf.put(&rig.device, taken(&text, i64::from(day))).await.unwrap();
        assert!(kept.is_new);
    }
    let (pieces, bytes) = weight(&rig.store);
    rig.store.close().await.unwrap();
    let file = std::fs::metadata(rig.dir.path().join("s.redb")).unwrap().len() - empty;
    println!("30 snapshots of {} bytes: {bytes} bytes in {pieces} pieces and 30 records; the file grew by {file}", sizes[0]);
    assert!(sizes[0] >= 290_000, "{}", sizes[0]);
    assert!(bytes <= 1_000_000, "{bytes} bytes");
}

#[tokio::test]
async fn what_is_put_in_comes_out_and_an_unchanged_configuration_costs_nothing() {
    let rig = rig(5);
    let first = rig.shelf.put(&rig.device, taken(&big(0), 1)).await.unwrap();
    let weight_then = weight(&rig.store);
    let again = rig.shelf.put(&rig.device, taken(&format!("# 2026-01-02 by RouterOS 7.20\n{}", big(0)), 2)).await.unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!((again.snapshot.number, again.snapshot.taken_at, again.snapshot.seen_at), (1, Wall(DAY), Wall(2 * DAY)));
    assert_eq!(weight(&rig.store).0, weight_then.0);
    let read = rig.shelf.read(&rig.device, &again.snapshot).unwrap();
    assert_eq!(read, taken(&big(0), 1).export);
    assert_eq!(rig.shelf.text(&rig.device, &again.snapshot).unwrap(), write(&Export { ended: false, ..read }));
    assert_eq!(again.snapshot.changed, None);
    let third = rig.shelf.put(&rig.device, taken(&big(0).replace("name=edge", "name=core"), 3)).await.unwrap();
    assert_eq!(third.snapshot.changed, Some(vec!["/system/identity".into()]));
    assert_eq!((third.snapshot.menus, third.snapshot.rows), (5, 3_852));
}

#[tokio::test]
async fn the_oldest_fall_off_the_end_with_their_pieces_and_the_baseline_stays() {
    let rig = rig(3);
    let text = |day: i64| format!("/system identity\nset name=day{day}\n/ip dns\nset servers=192.0.2.{day}\n");
    for day in 1..=6 {
        rig.shelf.put(&rig.device, taken(&text(day), day)).await.unwrap();
    }
    let numbers = || rig.shelf.list(&rig.device).unwrap().iter().map(|snapshot| snapshot.number).collect::<Vec<_>>();
    assert_eq!(numbers(), [1, 4, 5, 6], "the first is the baseline");
    assert_eq!(weight(&rig.store).0, 4);
    assert!(rig.shelf.set_baseline(&rig.device, 5).await.unwrap());
    assert_eq!(numbers(), [4, 5, 6]);
    assert_eq!(weight(&rig.store).0, 3);
    assert!(!rig.shelf.set_baseline(&rig.device, 2).await.unwrap(), "it is gone");
    assert_eq!(rig.shelf.baseline(&rig.device).unwrap().unwrap().number, 5);
    assert_eq!(rig.shelf.latest(&rig.device).unwrap().unwrap().number, 6);
    for snapshot in rig.shelf.list(&rig.device).unwrap() {
        rig.shelf.read(&rig.device, &snapshot).unwrap();
    }
    let other = DeviceId::random();
    rig.shelf.put(&other, taken(&text(1), 1)).await.unwrap();
    rig.shelf.forget(&rig.device).await.unwrap();
    assert_eq!((numbers(), weight(&rig.store).0), (vec![], 1), "another device's history stays");
    assert_eq!(rig.shelf.list(&other).unwrap().len(), 1);
}

#[tokio::test]
async fn changes_at_once_do_not_lose_each_other() {
    let rig = rig(30);
    let texts: Vec<String> = (0..4).map(|n| format!("/system identity\nset name=at-once-{n}\n")).collect();
    let all = futures_util::future::join_all(texts.iter().map(|text| rig.shelf.put(&rig.device, taken(text, 1)))).await;
    let mut numbers: Vec<u32> = all.into_iter().map(|kept| kept.unwrap().snapshot.number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4]);
    assert_eq!(rig.shelf.list(&rig.device).unwrap().len(), 4);
}

#[tokio::test]
async fn history_survives_a_restart_and_damage_is_told() {
    let rig = rig(5);
    rig.shelf.put(&rig.device, taken(&big(0), 1)).await.unwrap();
    rig.store.close().await.unwrap();
    drop(rig.shelf);
    let store = open(&rig.dir);
    let shelf = Shelf::new(store.clone(), 5);
    let snapshot = shelf.latest(&rig.device).unwrap().unwrap();
    assert_eq!(shelf.read(&rig.device, &snapshot).unwrap(), taken(&big(0), 1).export);
    let (key, _) = store.scan("config_piece", Bound::Unbounded, 1).unwrap().remove(0);
    store.commit(crate::store::Batch::new().delete("config_piece", key), crate::store::Durability::Now).await.unwrap();
    let said = shelf.text(&rig.device, &snapshot).unwrap_err().to_string();
    assert!(said.contains("missing or damaged"), "{said}");
}
