//! The trail in the pages: found by who, what, where and when, taken away as a file, and seen to be whole or not.

use crate::admin_rig::{Browser, signed_in};
use crate::http_rig::Web;
use crate::site::limited;
use routeros_mcp::access::{Principal, Role};
use routeros_mcp::audit::sign::SignedHead;
use routeros_mcp::sim::profiles::Profile;
use serde_json::{Value, json};

const AUDIT: &str = "/admin/api/v1/audit";
const EXPORT: &str = "/admin/api/v1/audit/export";

fn rows(answer: &Value) -> &[Value] {
    answer["rows"].as_array().map_or(&[], Vec::as_slice)
}

/// Calls of two principals, and of one that was refused.
async fn busy(web: &Web, calls: usize) {
    for _ in 0..calls {
        web.site.call_as(limited(Role::OpsRw, &["all"]), "fleet.get_summary", json!({})).await;
    }
    web.site.call_as(Principal::stdio(Role::ReadOnly), "plan.create", json!({"devices": ["x"], "edits": [], "reason": "r"})).await;
}

#[tokio::test]
async fn pages_by_cursor_give_the_whole_trail_once_while_it_grows() {
    let web = Web::open(&[]).await;
    busy(&web, 230).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let (mut seqs, mut cursor) = (Vec::new(), String::new());
    loop {
        // Each request is a record itself.
        let page = anna.get(&format!("{AUDIT}?limit=40{cursor}")).await.message();
        seqs.extend(rows(&page).iter().map(|row| row["seq"].as_u64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert!(seqs.len() >= 230 && seqs.windows(2).all(|pair| pair[0] == pair[1] + 1) && seqs.last() == Some(&1), "{seqs:?}");
    let first = anna.get(&format!("{AUDIT}?limit=3")).await.message();
    let other = anna.get(&format!("{AUDIT}?limit=3&outcome=denied&cursor={}", first["next_cursor"].as_str().unwrap())).await;
    assert_eq!(other.status, 400, "a cursor of other conditions: {other:?}");
    web.close().await;
}

#[tokio::test]
async fn records_are_found_by_who_what_outcome_time_and_call() {
    let web = Web::open(&[]).await;
    busy(&web, 3).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let mut found = async |query: &str| anna.get(&format!("{AUDIT}?limit=500&{query}")).await.message();
    assert_eq!(rows(&found("principal~=LOCAL+STDIO").await).len(), 4, "in any case");
    assert!(rows(&found("principal~=nobody").await).is_empty());
    assert_eq!(rows(&found("tool=fleet.*").await).len(), 3);
    assert_eq!(rows(&found("tool=fleet.get_summary&outcome=ok").await).len(), 3);
    let denied = found("outcome=denied").await;
    assert_eq!((rows(&denied).len(), &rows(&denied)[0]["tool"]), (1, &json!("plan.create")));
    assert_eq!(rows(&found("outcome=error").await).len(), 1);
    let call = rows(&denied)[0]["correlation_id"].as_str().unwrap().to_owned();
    assert!(rows(&found(&format!("correlation_id={call}")).await).iter().all(|row| row["correlation_id"] == call.as_str()));
    let anna_s = found("principal~=ANN").await;
    assert!(!rows(&anna_s).is_empty() && rows(&anna_s).iter().all(|row| row["principal"] == "anna"), "{anna_s}");
    let (today, long_ago) = (web.now().rfc3339()[..10].to_owned(), "2020-01-01");
    assert!(rows(&found(&format!("since={today}&until={today}")).await).len() > 5, "a day is all of it");
    assert!(rows(&found(&format!("until={long_ago}")).await).is_empty());
    for bad in ["since=yesterday", "outcome=bad", "device=nowhere"] {
        let no = anna.get(&format!("{AUDIT}?{bad}")).await;
        assert!(matches!(no.status, 400 | 404), "{bad}: {no:?}");
        let page = anna.get(&format!("/admin/audit?{bad}")).await;
        assert!(page.status == 200 && page.body.contains(r#"role="alert""#), "{bad}: {page:?}");
    }
    web.close().await;
}

#[tokio::test]
async fn an_export_is_what_fits_the_filter_with_a_head_that_vouches_for_it() {
    let mut web = Web::open(&[]).await;
    web.site.adopt(Profile::Office, "office", json!({})).await;
    busy(&web, 120).await;
    web.site.call("system.get_clock", json!({"device": "office"})).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let file = anna.get(&format!("{EXPORT}?format=json&tool=fleet.*")).await;
    assert_eq!(file.status, 200, "{file:?}");
    assert!(file.header("content-disposition").unwrap().contains("attachment"));
    let document = file.message();
    let head: SignedHead = serde_json::from_value(document["head"].clone()).unwrap();
    assert!(head.is_signed() && head.records == 120 && document["records"].as_array().map(Vec::len) == Some(120), "{head:?}");
    let lines = &file.body[file.body.find('\n').unwrap() + 1..file.body.rfind("],\"head\"").unwrap()];
    let digest = ring::digest::digest(&ring::digest::SHA256, lines.as_bytes());
    assert_eq!(head.digest, data_encoding::HEXLOWER.encode(digest.as_ref()), "over the records as they stand there");
    let csv = anna.get(&format!("{EXPORT}?format=csv&device=office")).await;
    assert!(csv.header("content-type").unwrap().starts_with("text/csv"), "{csv:?}");
    let lines: Vec<&str> = csv.body.lines().collect();
    assert!(lines[0].starts_with("seq,time,") && lines.len() >= 2 && lines[1..].iter().all(|line| line.contains("office")), "{lines:?}");
    assert_eq!(anna.get(&format!("{EXPORT}?format=xml")).await.status, 400);
    assert_eq!(anna.get(&format!("{EXPORT}?nothing=1")).await.status, 400);
    assert_eq!(anna.send("POST", EXPORT, crate::admin_rig::OURS, "").await.status, 405);
    let told = web.site.operator("audit.get_events", json!({"tool": "audit.export"})).await.structured;
    assert_eq!(rows(&told).iter().filter(|row| row["outcome"] == "ok" && row["principal"] == "anna").count(), 2, "{told}");
    web.close().await;
}

#[tokio::test]
async fn only_whom_the_trail_is_for_takes_it_away() {
    let web = Web::open(&[]).await;
    busy(&web, 3).await;
    assert_eq!(Browser::of(&web).get(EXPORT).await.status, 401);
    for (role, status) in [(Role::ReadOnly, 403), (Role::OpsRw, 403), (Role::Approver, 200), (Role::Admin, 200)] {
        let token = web.token(role).await;
        let answer = web.ask("GET", EXPORT, &format!("Authorization: Bearer {token}\r\n"), "").await;
        assert_eq!(answer.status, status, "{}: {answer:?}", role.as_str());
    }
    // Whoever is signed in takes what is theirs.
    let mut bert = signed_in(&web, "bert", Role::OpsRw).await;
    bert.get("/admin/").await;
    let mine = bert.get(EXPORT).await.message();
    let names: Vec<&Value> = mine["records"].as_array().unwrap().iter().map(|row| &row["name"]).collect();
    assert!(!names.is_empty() && names.iter().all(|name| **name == "bert"), "{names:?}");
    assert_eq!(bert.get("/admin/api/v1/audit/verify").await.status, 403);
    assert!(bert.get("/admin/audit").await.body.contains("You see what you did yourself"));
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    let off = anna.post("/admin/api/v1/settings/switches", json!({"disable_tools": ["audit.*"]})).await;
    assert_eq!(off.status, 200, "{off:?}");
    assert_eq!(anna.get(EXPORT).await.status, 403, "a switch is a switch");
    web.close().await;
}

#[tokio::test]
async fn a_trail_that_somebody_touched_is_said_to_be_broken_in_the_page_and_in_the_file() {
    let web = Web::open(&[]).await;
    busy(&web, 40).await;
    let mut anna = signed_in(&web, "anna", Role::Admin).await;
    assert!(anna.get("/admin/audit").await.body.contains("Nobody has looked"));
    let looked = anna.form("/admin/audit/verify", &[]).await;
    assert_eq!((looked.status, looked.header("location")), (303, Some("/admin/audit#chain")));
    let page = anna.get("/admin/audit").await.body;
    assert!(page.contains("The trail was whole") && page.contains("each as it was written"), "{page}");
    let (mut other, hand) = Web::timed(&[]).await;
    busy(&other, 40).await;
    let dir = other.site.app.dispatch.world().audit.dir();
    let segment = std::fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .max_by_key(|path| std::fs::metadata(path).unwrap().len())
        .unwrap();
    let mut bytes = std::fs::read(&segment).unwrap();
    let middle = bytes.windows(17).position(|word| word == b"fleet.get_summary").unwrap();
    bytes[middle] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    hand.advance(std::time::Duration::from_secs(10));
    let mut eve = signed_in(&other, "eve", Role::Admin).await;
    let answer = eve.get("/admin/api/v1/audit/verify?again=true").await.message();
    assert!(answer["whole"] == false && answer["broken"].as_str().unwrap().contains("record"), "{answer}");
    let page = eve.get("/admin/audit").await.body;
    assert!(page.contains("The trail is not as it was written") && page.contains("class=\"bad\""), "{page}");
    let file = eve.get(EXPORT).await.message();
    assert!(file["head"].is_null() && file["error"]["message"].is_string(), "{file}");
    let csv = eve.get(&format!("{EXPORT}?format=csv")).await.body;
    assert!(csv.lines().last().unwrap().starts_with("\"INCOMPLETE"), "{csv}");
    other.site.sims.clear();
    other.close().await;
    web.close().await;
}

#[tokio::test]
async fn the_page_names_its_filter_in_its_links_and_shows_what_clients_wrote_as_text() {
    let web = Web::open(&[]).await;
    let hostile = r#""><script>alert(1)</script>"#;
    let mut caller = limited(Role::OpsRw, &["all"]);
    caller.name = hostile.into();
    for _ in 0..60 {
        web.site.call_as(caller.clone(), "fleet.get_summary", json!({})).await;
    }
    let mut anna = signed_in(&web, "anna", Role::Approver).await;
    let page = anna.get("/admin/audit?tool=fleet.*&person=%3Cscript%3E").await.body;
    assert!(!page.contains("<script>alert") && page.contains("50") && page.contains(">Older<"), "{page}");
    for link in ["format=csv&#38;person=%3Cscript%3E&#38;tool=fleet.%2A", "cursor="] {
        assert!(page.contains(link), "{link}: {page}");
    }
    let next = page.split("href=\"").find(|part| part.starts_with("/admin/audit?cursor")).unwrap().split('"').next().unwrap();
    let older = anna.get(&next.replace("&#38;", "&").replace("&amp;", "&")).await.body;
    assert!(older.contains("further record") && !older.contains(">Older<"), "{older}");
    web.close().await;
}
