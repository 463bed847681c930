//! Syslog over every way, to receivers of this test's own.

use super::{alerts, outcome, raise, site, test_of, unused, waiting};
use crate::alerts_rig::{Authority, Logs, until};
use routeros_mcp::alert::{Kind, Subject, What};

/// A name that would be a second line, another field or another frame.
pub const HOSTILE: &str = "gw\"] <0>1 x\r\n26 <0>1 - evil\n\u{0}\u{202e}";

#[tokio::test]
async fn syslog_gets_whole_messages_over_every_way_whatever_routers_are_called() {
    let authority = Authority::new();
    let dir = tempfile::tempdir().unwrap();
    let ways = [
        Logs::udp().await,
        Logs::stream(None).await,
        Logs::stream(Some(authority.config.clone())).await,
        Logs::unix(dir.path().join("log")).await,
    ];
    for mut logs in ways {
        let (site, _) = site(&[("alert.syslog", &logs.url), ("alert.ca_file", &authority.file())]).await;
        for (n, name) in [(1, HOSTILE), (2, "edge-2")] {
            let subject = Subject::new(What::Principal, &format!("u{n}"), name);
            alerts(&site).raise(Kind::UnusualUse, &subject, &format!("as {name}"));
            let line = logs.next().await;
            assert!(line.starts_with("<28>") && !line.chars().any(char::is_control), "{}: {line:?}", logs.url);
            assert!(line.contains(if n == 1 { ": as gw" } else { "edge-2 does far more than usual: as edge-2" }), "{line}");
            if logs.url.starts_with("unix:") {
                assert!(line.contains(" routeros-mcp[") && !line.contains("alert@"), "{line}");
            } else {
                assert!(line.starts_with("<28>1 2026-") && line.contains(" unusual_use [alert@32473 "), "{line}");
                assert!(line.contains(if n == 1 { r#"name="gw\"\] <0>1 x  26"# } else { r#"name="edge-2""# }), "{line}");
            }
        }
        site.close().await;
    }
}

#[tokio::test]
async fn a_syslog_receiver_that_is_away_or_is_not_who_it_says_is_told_of() {
    let authority = Authority::new();
    let logs = Logs::stream(Some(authority.config.clone())).await;
    // Nobody vouches for it here.
    let (site, _) = site(&[("alert.syslog", &logs.url)]).await;
    let tried = test_of(&site).await;
    assert!(tried["delivered"] == false && tried["said"].as_str().unwrap().contains("certificate"), "{tried}");
    site.close().await;
    let away = format!("tcp://127.0.0.1:{}", unused().await);
    let (site, _) = super::site(&[("alert.syslog", &away)]).await;
    raise(&site, 1);
    until("it fails", || outcome(&site) == Some("failed")).await;
    assert_eq!(waiting(&site), 1);
    site.close().await;
}
