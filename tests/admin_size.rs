//! How little the pages weigh on the wire: what a weak link carries to somebody with a hundred routers.

use crate::admin_rig::{Browser, OURS, signed_in};
use crate::http_rig::{Web, request};
use crate::plan_tools::opened;
use crate::site::Site;
use routeros_mcp::access::Role;
use routeros_mcp::alert::{Kind, Subject};
use routeros_mcp::base::clock::Wall;
use routeros_mcp::history::health::Sample;
use routeros_mcp::sim::profiles::Profile;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const DEVICES: usize = 100;
/// A page, and all of them with their files, packed.
const MOST: (usize, usize) = (8 << 10, 60 << 10);

/// What came over the wire, and what it was.
struct Got {
    head: String,
    wire: usize,
    text: String,
}

/// One request of a browser that takes gzip.
async fn get(browser: &Browser, path: &str) -> Got {
    let cookies: Vec<String> = browser.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let headers = format!("Host: {}\r\nCookie: {}\r\nAccept-Encoding: gzip, deflate, br\r\n{OURS}", browser.at, cookies.join("; "));
    let mut stream = TcpStream::connect(&browser.at).await.unwrap();
    stream.write_all(request("GET", path, &headers, "").as_bytes()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    let end = all.windows(4).position(|four| four == b"\r\n\r\n").unwrap() + 4;
    let (head, body) = (String::from_utf8(all[..end].to_vec()).unwrap().to_ascii_lowercase(), &all[end..]);
    let is_packed = head.contains("content-encoding: gzip");
    let plain = if is_packed { miniz_oxide::inflate::decompress_to_vec(&body[10..body.len() - 8]).unwrap() } else { body.to_vec() };
    Got { wire: body.len(), text: String::from_utf8(plain).unwrap(), head }
}

/// The pages and files a page leads to, without their queries; what the API gives to take along is neither.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let parts = text.split("href=\"").chain(text.split("src=\"")).skip(1);
    parts
        .filter_map(|part| part.split(['"', '?', '#']).next())
        .filter(|path| path.starts_with("/admin/") && !path.starts_with("/admin/api/"))
}

/// Pages of one making: a device is like another, and so is a plan.
fn making(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        ["", "admin", sort @ ("devices" | "plans"), _, ref rest @ ..] => format!("/admin/{sort}/ID/{}", rest.join("/")),
        _ => path.to_owned(),
    }
}

#[tokio::test]
async fn every_page_is_within_8_kb_and_all_with_their_files_within_60_kb() {
    let mut site =
        Site::bare(&[("mcp.transport", "both"), ("mcp.http_port", "0"), ("health_check.enabled", "false"), ("mcp.toolsets", "all")]).await;
    for n in 0..DEVICES {
        site.adopt(Profile::HomeAp, &format!("edge-{n:03}"), opened()).await;
    }
    let rule =
        |n: usize| json!({"chain": "forward", "action": "drop", "src-address": format!("203.0.113.{n}"), "comment": format!("plan {n}")});
    for n in 0..60 {
        let edit = json!({"menu": "/ip/firewall/filter", "op": "add", "values": rule(n)});
        let request = json!({"devices": ["edge-000"], "reason": format!("keep visitors off the printers, part {n}"), "edits": [edit]});
        site.good("plan.create", request).await;
    }
    site.good("system.get_health", json!({"device": "edge-000"})).await;
    for n in 0..DEVICES {
        let device = site.device(&format!("edge-{n:03}"));
        let subject = Subject::device(device.id.as_str(), &device.name);
        site.app.dispatch.world().alerts.raise(Kind::DeviceDown, &subject, "no answer from 192.0.2.7:443 within 5 s");
    }
    // No two lines of a day are alike.
    let now = site.app.dispatch.world().clock.wall();
    for n in 0..DEVICES as i64 {
        let id = site.device(&format!("edge-{n:03}")).id.clone();
        for step in 0..145 {
            let cpu = ((step * 7919 + n * 104_729) % 101) as u8;
            let sample = Sample { reachable: true, cpu_percent: Some(cpu), ..Sample::silent(Wall(now.0 - (145 - step) * 600_000)) };
            site.app.dispatch.world().history.add(&id, sample).await.unwrap();
        }
    }
    let web = Web::over(site).await;
    let person = signed_in(&web, "anna", Role::Admin).await;
    let nobody = Browser::of(&web);
    let (mut sizes, mut helps): (BTreeMap<String, usize>, BTreeMap<String, usize>) = Default::default();
    sizes.insert("/admin/sign-in".into(), get(&nobody, "/admin/sign-in").await.wire);
    let mut open = VecDeque::from(["/admin/".to_owned(), "/admin/nothing".into(), "/admin/prove".into()]);
    let mut seen: BTreeSet<String> = open.iter().cloned().collect();
    while let Some(path) = open.pop_front() {
        let got = get(&person, &path).await;
        let is_small = got.wire < 1_000;
        assert!(is_small || got.head.contains("content-encoding: gzip"), "{path}: {}", got.head);
        assert!(is_small || got.head.contains("vary: accept-encoding"), "{path}: {}", got.head);
        // Help is read a page at a time, and by few.
        let is_help = path.starts_with("/admin/docs/");
        if is_help { &mut helps } else { &mut sizes }.insert(path.clone(), got.wire);
        if !path.contains("/assets/") {
            open.extend(links(&got.text).filter(|link| seen.insert(making(link))).map(str::to_owned));
        }
    }
    let of = |sizes: &BTreeMap<String, usize>| sizes.values().sum::<usize>();
    for (path, bytes) in sizes.iter().chain(&helps) {
        println!("{bytes:>6} {path}");
        assert!(*bytes <= MOST.0 || path.contains("/assets/"), "{path}: {bytes} bytes packed");
    }
    println!("{:>6} in all, and {} of help", of(&sizes), of(&helps));
    assert!(sizes.len() >= 14 && helps.len() >= 10, "{sizes:?}");
    assert!(of(&sizes) <= MOST.1, "{} bytes packed, in all", of(&sizes));
    web.close().await;
}

#[tokio::test]
async fn what_is_secret_and_new_is_not_packed_and_a_stream_is_not() {
    let web = Web::open(&[]).await;
    let mut person = signed_in(&web, "anna", Role::Admin).await;
    let gzip = format!("{OURS}Accept-Encoding: gzip\r\n");
    let fields = [("name", "ci"), ("role", "read_only"), ("devices", "all"), ("expires", "30d")];
    let made = person.form_from("/admin/tokens", &gzip, &fields).await;
    assert!(made.body.contains("rmcp_") && made.header("content-encoding").is_none(), "{made:?}");
    let api = format!("{gzip}Content-Type: application/json\r\n");
    let body = json!({"name": "ci2", "role": "read_only", "devices": ["all"]}).to_string();
    let made = person.send("POST", "/admin/api/v1/tokens", &api, &body).await;
    assert!(made.status == 201 && made.body.contains("rmcp_") && made.header("content-encoding").is_none(), "{made:?}");
    let document = person.send("GET", "/admin/api/v1/openapi.json", &gzip, "").await;
    assert_eq!((document.status, document.header("content-encoding")), (200, Some("gzip")));
    let plain = person.send("GET", "/admin/api/v1/openapi.json", OURS, "").await;
    assert!(plain.header("content-encoding").is_none() && plain.header("vary").is_some() && plain.body.starts_with('{'));
    let mut stream = TcpStream::connect(web.at()).await.unwrap();
    let cookies: Vec<String> = person.jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let asked = request("GET", "/admin/api/v1/events", &format!("Cookie: {}\r\nAccept-Encoding: gzip\r\n", cookies.join("; ")), "");
    stream.write_all(asked.as_bytes()).await.unwrap();
    let mut head = vec![0; 2_048];
    let n = stream.read(&mut head).await.unwrap();
    let head = String::from_utf8_lossy(&head[..n]).to_ascii_lowercase();
    assert!(head.contains("text/event-stream") && !head.contains("content-encoding"), "{head}");
    drop(stream);
    web.close().await;
}
