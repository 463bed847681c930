//! How a configuration is fetched, and how a text that was cut off is told from a whole one.

use super::server::{Reply, Server, answer, json, refusal};
use super::{plain, rest};
use routeros_mcp::routeros::export::parse;
use routeros_mcp::routeros::{Denial, RouterError, export_fetch};

const TEXT: &str = "# 2026-01-01 00:00:00 by RouterOS 7.20\\r\\n/ip dns set servers=192.0.2.1\\r\\n";

#[tokio::test]
async fn the_line_behind_an_export_proves_its_end() {
    for (printed, ended) in [(format!("{TEXT}# end of export\\r\\n"), true), (TEXT.to_owned(), false)] {
        let server = Server::http(move |_| Reply::Bytes(json(200, format!("{{\"ret\":\"{printed}\"}}")))).await;
        let export = parse(&export_fetch::by_execute(&rest(plain(server.port))).await.unwrap());
        assert_eq!((export.ended, export.rows().count(), server.seen().len()), (ended, 1, 1));
    }
}

#[tokio::test]
async fn a_console_that_knows_one_command_alone_is_asked_for_that() {
    let server = Server::http(|seen| {
        let whole = json(200, format!("{{\"ret\":\"{TEXT}\"}}"));
        Reply::Bytes(if seen.body.contains(":put") { refusal(400, "syntax error") } else { whole })
    })
    .await;
    assert_eq!(parse(&export_fetch::by_execute(&rest(plain(server.port))).await.unwrap()).rows().count(), 1);
    let server = Server::http(|_| Reply::Bytes(json(200, r#"{"ret":"not enough permissions (9)"}"#))).await;
    let refused = export_fetch::by_execute(&rest(plain(server.port))).await.unwrap_err();
    assert!(matches!(refused, RouterError::Denied { denial: Denial::Policy, .. }), "{refused}");
}

#[tokio::test]
async fn a_file_is_read_in_pieces_to_its_end_and_removed() {
    let server = Server::http(|seen| {
        let line = seen.line();
        Reply::Bytes(match line.split(' ').next().unwrap() {
            "GET" => json(200, r#"[{".id":"*8","name":"x.rsc"},{".id":"*9","name":"other.rsc"}]"#),
            "DELETE" => answer(204, "", ""),
            _ if line.contains("/export") => json(200, "[]"),
            _ if seen.body.contains(r#""offset":"0""#) => json(200, format!("[{{\"data\":\"{TEXT}/ip dns set \"}}]")),
            _ if seen.body.contains(r#""offset":"32768""#) => json(200, r#"[{"data":"cache-size=4096KiB\n"}]"#),
            _ => refusal(400, "failure: chunk out of file bounds"),
        })
    })
    .await;
    let export = parse(&export_fetch::by_file(&rest(plain(server.port)), "x").await.unwrap());
    assert_eq!((export.ended, export.rows().count()), (true, 2));
    assert_eq!(export.rows().last().unwrap().1.get("cache-size"), Some("4096KiB"));
    let seen = server.seen();
    let removed: Vec<&str> = seen.iter().map(|seen| seen.line()).filter(|line| line.starts_with("DELETE")).collect();
    assert_eq!(removed, ["DELETE /rest/file/*8 HTTP/1.1"], "ours and no other");
}
