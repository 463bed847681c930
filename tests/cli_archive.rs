//! The trail and its archives at the command line: on the box, anywhere else, and gone.

use crate::cli_rig::{Rig, says};
use crate::retention::record;
use routeros_mcp::audit::{self, Age, Audit};
use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::store::Durability;
use serde_json::{Value, json};
use std::time::Duration;

const BEGAN: Wall = Wall(1_790_000_000_000);
const DAY_MS: i64 = 86_400_000;

/// A machine with 200 records, of which so many were archived.
async fn archived() -> (Rig, u64) {
    let rig = Rig::new();
    rig.json(&["device", "list"]);
    std::fs::remove_dir_all(rig.state().join("audit")).unwrap();
    let (clock, hand) = Clock::by_hand(BEGAN);
    let options = audit::Options { segment_bytes: 4_000, ..audit::Options::default() };
    let audit = Audit::open(&rig.state().join("audit"), clock, options).unwrap();
    for n in 0..200 {
        if n == 150 {
            hand.advance(Duration::from_secs(50 * 86_400));
        }
        audit.append(record(1, "{}".into()), Durability::Now).await.unwrap();
    }
    let age = Age { until: Wall(BEGAN.0 + 20 * DAY_MS), now: Wall(BEGAN.0 + 50 * DAY_MS) };
    let gone = audit.archive(age, &audit::sign::generate_key()).await.unwrap();
    audit.close().await.unwrap();
    (rig, gone.last().unwrap().last_seq)
}

#[tokio::test]
async fn a_trail_that_was_cut_and_its_archives_are_verified_and_exported() {
    let (rig, last) = archived().await;
    let archive = rig.state().join("audit/archive/00000001.seg.gz");
    let elsewhere = rig.at("moved.seg.gz");
    std::fs::copy(&archive, &elsewhere).unwrap();
    let (file, moved) = (archive.to_string_lossy().into_owned(), elsewhere.to_string_lossy().into_owned());
    let live = rig.json(&["audit", "verify"]);
    assert_eq!((&live["ok"], &live["archived_up_to"]), (&json!(true), &json!(last)), "{live}");
    assert!(rig.run(&["audit", "verify"]).out.contains(&format!("those up to {last} were archived")));
    let all = rig.json(&["audit", "verify", "--archives"]);
    assert_eq!((&all["ok"], &all["archived_up_to"], &all["last_seq"]), (&json!(true), &json!(0), &live["last_seq"]), "{all}");
    let one = rig.json(&["audit", "verify", &moved]);
    assert_eq!((&one[0]["first_seq"], &one[0]["segment"]), (&json!(1), &json!(1)), "{one}");
    let export = |more: &[&str]| -> Value {
        let done = rig.run(&[&["audit", "export"][..], more].concat());
        assert_eq!(done.code, 0, "{done:?}");
        serde_json::from_str(&done.out).unwrap()
    };
    // On a machine that has no appliance, and gets none by that.
    let bare = Rig::new().with("ROUTEROS_MCP_ENVIRONMENT", "prod");
    assert_eq!(bare.json(&["audit", "verify", &moved])[0]["sha256"], one[0]["sha256"]);
    assert!(!bare.state().exists());
    let from = export(&["--from", &moved]);
    assert_eq!(from["records"].as_array().unwrap().len() as u64, one[0]["last_seq"].as_u64().unwrap());
    assert_eq!(from["archive"]["sha256"], one[0]["sha256"]);
    let trail = export(&[]);
    assert_eq!((&trail["archived"]["seq"], &trail["records"][0]["seq"]), (&json!(last), &json!(last + 1)));
    assert_eq!(export(&["--archives"])["records"][0]["seq"], 1);
    let doctor = rig.run(&["doctor"]);
    assert!(doctor.out.contains("audit/archive"), "{doctor:?}");
    // Moved away it is no loss, changed it is named.
    let mut bytes = std::fs::read(&elsewhere).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&elsewhere, bytes).unwrap();
    says(&rig.error(&["audit", "verify", &moved], 74)["message"], &moved);
    says(&rig.error(&["audit", "export", "--from", &moved], 74)["message"], &moved);
    std::fs::copy(&elsewhere, &archive).unwrap();
    says(&rig.error(&["audit", "verify", "--archives"], 74)["message"], "broken at record");
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true, "the trail itself is whole");
    std::fs::remove_file(file).unwrap();
    assert!(rig.json(&["audit", "verify", "--archives"])["archived_up_to"].as_u64() > Some(0));
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true);
}

#[test]
fn a_trail_that_is_gone_altogether_is_missed_until_somebody_says_that_it_may_be() {
    let rig = Rig::new();
    assert_eq!(rig.json(&["audit", "verify"])["records"], 0, "nothing was recorded yet");
    for _ in 0..3 {
        rig.json(&["device", "list"]);
    }
    assert_eq!(rig.json(&["audit", "verify"])["ok"], true);
    std::fs::remove_dir_all(rig.state().join("audit")).unwrap();
    let broken = |what: &str| {
        let error = rig.error(&["audit", "verify"], 74);
        let message = error["message"].as_str().unwrap();
        assert!(message.contains("broken at record 1") && message.contains("up to") && message.contains("missing"), "{what}: {message}");
    };
    broken("before anything opened it");
    let doctor = rig.run(&["doctor"]);
    assert!(doctor.out.contains("broken at record 1"), "{doctor:?}");
    let check = rig.json(&["check"]);
    assert!(check["warnings"].to_string().contains("missing"), "{check}");
    for _ in 0..6 {
        rig.json(&["device", "list"]);
    }
    broken("with more records than there were");
    std::fs::remove_file(rig.state().join("trail.reached")).unwrap();
    assert_eq!(rig.json(&["audit", "verify"])["records"], 6);
}
