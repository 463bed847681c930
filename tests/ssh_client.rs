//! The SSH client and the console readers against a scripted server: logins, output of every sort, and what it means.

use crate::ssh_router::{Proof, Reply, SshRouter};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use routeros_mcp::base::fault::{Fault, Kind};
use routeros_mcp::base::secret::Secret;
use routeros_mcp::routeros::fault::{Denial, Stage};
use routeros_mcp::routeros::ssh::{Endpoint, Key, Login, Ssh};
use routeros_mcp::routeros::{Console, Filter, MenuPath, Query, RouterError, script};
use russh::keys::ssh_key::LineEnding;
use russh::keys::ssh_key::private::Ed25519Keypair;
use std::time::Duration;

/// Far above what a local answer takes: only what must time out gets near it.
const SOON: Duration = Duration::from_secs(10);
const VERSION: &str = ":put [/system/resource/get version]";

fn endpoint(router: &SshRouter, login: Login) -> Endpoint {
    Endpoint {
        host: "127.0.0.1".into(),
        port: router.port,
        pin: router.fingerprint.clone(),
        user: "mcp".into(),
        login,
        connect_timeout: Duration::from_secs(3),
        max_answer_bytes: 1 << 20,
    }
}

fn password(text: &str) -> Login {
    Login::Password(Secret::new(text))
}

async fn open_router() -> SshRouter {
    let router = SshRouter::start(1).await;
    router.lets_in(Proof::Password("right".into()));
    router
}

fn ssh(router: &SshRouter) -> Ssh {
    Ssh::new(endpoint(router, password("right"))).unwrap()
}

/// A console of that version which answers `lines` by what they contain, and every other line with a refusal.
fn console(router: &SshRouter, version: &'static str, lines: &'static [(&'static str, &'static str)]) -> Console {
    router.answers(move |line| match lines.iter().find(|(part, _)| line.contains(part)) {
        _ if line == VERSION => Reply::from(version),
        Some((_, answer)) => Reply::from(*answer),
        None => Reply::from("failure: not scripted"),
    });
    Console::new(ssh(router), SOON)
}

#[tokio::test]
async fn keys_may_take_three_times_what_connecting_may() {
    // Takes connections, and says nothing.
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let error = routeros_mcp::routeros::ssh::probe_host_key("127.0.0.1", port, Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(error, RouterError::Timeout { after, .. } if after == Duration::from_millis(150)), "{error}");
}

fn path(text: &str) -> MenuPath {
    MenuPath::parse(text).unwrap()
}

#[tokio::test]
async fn another_host_key_is_offered_no_login() {
    let router = open_router().await;
    let pin = SshRouter::start(2).await.fingerprint;
    let other = Ssh::new(Endpoint { pin: pin.clone(), ..endpoint(&router, password("right")) }).unwrap();
    let error = other.connect().await.unwrap_err();
    assert!(
        matches!(&error, RouterError::HostKeyChanged { expected, presented, .. } if *expected == pin && *presented == router.fingerprint)
    );
    assert_eq!(Fault::from(error).kind, Kind::Untrusted);
    assert_eq!(router.tries(), 0, "nobody tried to log in");
}

#[tokio::test]
async fn logs_in_the_way_the_server_wants() {
    let router = open_router().await;
    let pair = russh::keys::PrivateKey::from(Ed25519Keypair::from_seed(&[5; 32]));
    let key = Key::parse(&pair.to_openssh(LineEnding::LF).unwrap()).unwrap();
    for (proof, login) in [
        (Proof::Password("right".into()), password("right")),
        (Proof::Answer("right".into()), password("right")),
        (Proof::None, password("")),
        (Proof::Password(String::new()), password("")),
        (Proof::Key(key.fingerprint()), Login::Key(key.clone())),
    ] {
        router.lets_in(proof);
        Ssh::new(endpoint(&router, login)).unwrap().connect().await.unwrap();
    }
    let (before, denied) = (router.tries(), |denial| RouterError::Denied { at: format!("127.0.0.1:{}", router.port), denial });
    router.lets_in(Proof::Password("right".into()));
    let wrong = Ssh::new(endpoint(&router, password("wrong-one"))).unwrap().connect().await.unwrap_err();
    assert_eq!(wrong, denied(Denial::SshPassword));
    assert_eq!(router.tries() - before, 1, "a password that was refused is not tried in another way");
    let refused = Ssh::new(endpoint(&router, Login::Key(key))).unwrap();
    assert_eq!(refused.connect().await.unwrap_err(), denied(Denial::SshKey));
    assert_eq!(router.tries() - before, 2, "no password after a key");
    assert!(!format!("{wrong:?} {:?} {refused:?}", endpoint(&router, password("hunter2"))).contains("hunter2"));
}

#[tokio::test]
async fn commands_share_a_connection_and_come_back_whole() {
    let router = open_router().await;
    let big = vec![b'x'; 900_000];
    let copy = big.clone();
    router.answers(move |line| if line == "big" { Reply::Says(copy.clone()) } else { Reply::from("one\ntwo") });
    let ssh = ssh(&router);
    let (first, second) = tokio::join!(ssh.exec("small", SOON), ssh.exec("big", SOON));
    assert_eq!(first.unwrap().stdout, b"one\r\ntwo\r\n");
    assert!(second.unwrap().stdout == big);
    assert_eq!(router.connections(), 1);
    ssh.hang_up();
    router.is_left_alone().await;
    assert!(ssh.exec("small", SOON).await.is_ok(), "a new connection is made");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_no_answer() {
    let router = open_router().await;
    router.answers(|line| if line == "cut" { Reply::Breaks(b"[{\".id\":\"*1\"}]".to_vec()) } else { Reply::from("fine") });
    let ssh = ssh(&router);
    assert!(matches!(ssh.exec("cut", SOON).await, Err(RouterError::Unreachable { .. })), "though it looks whole");
    assert!(ssh.exec("next", SOON).await.is_ok(), "the next command connects anew");
}

#[tokio::test]
async fn too_much_silence_or_output_closes_the_channel() {
    let router = open_router().await;
    router.answers(|line| if line == "flood" { Reply::Endless(vec![b'y'; 20_000]) } else { Reply::Silent });
    let ssh = ssh(&router);
    assert_eq!(ssh.exec("flood", SOON).await, Err(RouterError::TooLarge { limit: 1 << 20 }));
    router.runs(0).await;
    let late = ssh.exec("silent", Duration::from_millis(50)).await.unwrap_err();
    assert!(matches!(late, RouterError::Timeout { stage: Stage::Answer, .. }), "{late}");
    router.runs(0).await;
    // A caller who goes away while the command runs; the connection stays.
    tokio::select! {
        biased;
        _ = ssh.exec("given up", SOON) => panic!("it does not end by itself"),
        () = router.runs(1) => {}
    }
    router.runs(0).await;
    assert!(ssh.is_connected());
}

#[tokio::test]
async fn a_server_that_runs_nothing_and_lines_that_are_none_are_told() {
    let router = open_router().await;
    router.answers(|_| Reply::Refuses);
    let ssh = ssh(&router);
    assert!(matches!(ssh.exec("x", SOON).await, Err(RouterError::Denied { denial: Denial::SshExec, .. })));
    for line in ["a\nb", "a\rb", "a\0b", &"x".repeat(40_000)] {
        assert!(matches!(ssh.exec(line, SOON).await, Err(RouterError::Argument { .. })));
    }
    assert_eq!(router.lines(), ["x"]);
}

#[tokio::test]
async fn any_string_goes_through_a_command_line_unchanged() {
    let router = open_router().await;
    // The far end reads the literal back as a console would, and says it in hexadecimal.
    router.answers(|line| {
        let literal = line.strip_prefix("/log/info message=").unwrap_or_default();
        let bytes = script::unquote(literal).unwrap_or_default();
        Reply::Says(data_encoding::HEXLOWER.encode(&bytes).into_bytes())
    });
    let ssh = ssh(&router);
    let mut runner = TestRunner::default();
    let mut strings: Vec<String> = (0..60).map(|_| any::<String>().new_tree(&mut runner).unwrap().current()).collect();
    strings.extend(["\"; /quit; \"", "$[/user/print]", "a\\", "??", "😀", "\u{202e}x", "line\r\nline"].map(String::from));
    for text in strings.iter().filter(|text| !text.is_empty()) {
        let args = [("message".to_owned(), text.clone())];
        let line = script::call(&path("/log"), "info", &args, &[]).unwrap();
        let heard = ssh.exec(&line, SOON).await.unwrap().stdout;
        assert_eq!(data_encoding::HEXLOWER.decode(&heard).unwrap(), text.as_bytes(), "{text:?}");
    }
}

#[tokio::test]
async fn rows_come_as_rest_gives_them_whatever_they_hold() {
    let router = open_router().await;
    let console = console(
        &router,
        "7.20.5 (stable)",
        &[(
            "/ip/address/print detail",
            r#"[{".id":"*1","address":"192.0.2.1/24","comment":"failure: no such item","disabled":false,"interface":"ether1"},
{".id":"*2","address":"192.0.2.2/24","comment":"","interface":"ether2","topics":["a","b"],"mtu":1500}]"#,
        )],
    );
    let rows = console.print(&path("/ip/address"), &Query::new()).await.unwrap();
    let pairs: Vec<Vec<(&str, &str)>> = rows.iter().map(|row| row.iter().collect()).collect();
    assert_eq!(
        pairs[0],
        [(".id", "*1"), ("address", "192.0.2.1/24"), ("comment", "failure: no such item"), ("disabled", "false"), ("interface", "ether1")]
    );
    assert_eq!(pairs[1], [(".id", "*2"), ("address", "192.0.2.2/24"), ("interface", "ether2"), ("topics", "a,b"), ("mtu", "1500")]);
    let some = Query::new().columns(["address"]).matching(&Filter::eq("disabled", "false").negate());
    let rows = console.print(&path("/ip/address"), &some).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.iter().collect::<Vec<_>>()).collect::<Vec<_>>(), [[(".id", "*2"), ("address", "192.0.2.2/24")]]);
    assert_eq!(router.lines().iter().filter(|line| *line == VERSION).count(), 1, "asked once a connection");
}

#[tokio::test]
async fn the_router_is_asked_for_fewer_rows_where_it_can_be() {
    let router = open_router().await;
    let console = console(&router, "7.20.5 (stable)", &[("/ip/address/print", "[]")]);
    let query = Query::new().eq("comment", "a \"b\" $c").eq("disabled", "true");
    assert!(console.print(&path("/ip/address"), &query).await.unwrap().is_empty());
    let lines = router.lines();
    let asked = lines.iter().filter(|line| line.contains(r#"where comment="a \"b\" \$c"] options"#)).count();
    assert_eq!(asked, 1, "{lines:?}");
    let counted = lines.last().unwrap();
    assert!(counted.contains(r#"count-only where comment="a \"b\" \$c""#), "no row shown is not yet none there: {counted}");
}

#[tokio::test]
async fn a_console_that_shows_nothing_and_counts_rows_has_no_empty_table() {
    let router = open_router().await;
    let console = console(&router, "7.20.5 (stable)", &[("count-only", "8"), ("/ip/firewall/filter/print", "")]);
    let error = console.print(&path("/ip/firewall/filter"), &Query::new()).await.unwrap_err();
    assert!(error.to_string().contains("counts 8"), "{error}");
}

#[tokio::test]
async fn a_menu_without_rows_is_asked_again_without_detail_and_remembered() {
    let router = open_router().await;
    let console = console(
        &router,
        "7.23 (stable)",
        &[
            ("/system/identity/print detail", "expected end of command (line 1 column 59)"),
            ("/system/identity/print as-value", r#"{"name":"home"}"#),
        ],
    );
    for _ in 0..2 {
        let rows = console.print(&path("/system/identity"), &Query::new()).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].get("name"), Some("home"));
    }
    assert_eq!(router.lines().iter().filter(|line| line.contains("detail")).count(), 1);
}

#[tokio::test]
async fn counters_are_fetched_and_joined_by_id() {
    let router = open_router().await;
    let console = console(
        &router,
        "7.20.5 (stable)",
        &[
            ("print detail", r#"[{".id":"*1","chain":"input"},{".id":"*2","chain":"forward"}]"#),
            ("print stats", r#"[{".id":"*2","bytes":10,"packets":1},{".id":"*1","bytes":20,"packets":2,"chain":"input"}]"#),
            ("count-only", "2"),
        ],
    );
    let rows = console.print(&path("/ip/firewall/filter"), &Query::new()).await.unwrap();
    assert_eq!(
        rows.iter().map(|row| (row.get("chain").unwrap(), row.get("bytes").unwrap())).collect::<Vec<_>>(),
        [("input", "20"), ("forward", "10")]
    );
    let narrow = Query::new().columns(["chain"]);
    router.lines();
    console.print(&path("/ip/firewall/filter"), &narrow).await.unwrap();
    assert!(!router.lines().last().unwrap().contains("stats"), "nobody asked for counters");
    assert_eq!(console.count(&path("/ip/firewall/filter"), &Query::new()).await.unwrap(), 2);
    assert_eq!(console.count(&path("/ip/firewall/filter"), &Query::new().eq("chain", "input")).await.unwrap(), 1);
}

#[tokio::test]
async fn an_old_console_is_read_by_marked_lines_that_no_comment_can_forge() {
    let router = open_router().await;
    router.answers(|line| {
        if line == VERSION {
            return Reply::from("7.12.2 (stable)");
        }
        let mark = line.split('"').find(|part| part.starts_with('~')).unwrap().trim_end_matches('*').to_owned();
        if line.contains("/ip/address/print detail") {
            let row = |id: &str, comment: &str| format!("{mark}*\n{mark}str .id={id}\n{mark}str comment={comment}\n{mark}array topics=a;b");
            return Reply::from(
                format!("{}\n{}\n{mark}.", row("*1", "x;.id=*9;name=evil\n~0123~str name=evil"), row("*2", "failure: none")).as_str(),
            );
        }
        Reply::from("bad command name wifi (line 1 column 28)")
    });
    let console = Console::new(ssh(&router), SOON);
    let rows = console.print(&path("/ip/address"), &Query::new()).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(
        rows[0].iter().collect::<Vec<_>>(),
        [(".id", "*1"), ("comment", "x;.id=*9;name=evil\n~0123~str name=evil"), ("topics", "a,b")]
    );
    let missing = console.print(&path("/interface/wifi"), &Query::new()).await.unwrap_err();
    assert_eq!(missing, RouterError::NoSuchMenu { word: "wifi".into() });
}

#[tokio::test]
async fn a_console_that_stumbles_over_a_way_is_asked_in_a_simpler_one() {
    let router = open_router().await;
    // It says 7.20 and knows neither `:serialize` nor `:typeof`.
    router.answers(|line| match line {
        VERSION => Reply::from("7.20.5 (stable)"),
        json if json.contains(":serialize") => Reply::from("bad command name serialize (line 1 column 7)"),
        marked if marked.contains(":foreach") => Reply::from("syntax error (line 1 column 80)"),
        plain => {
            let mark = plain.rsplit('"').nth(1).unwrap();
            Reply::from(format!(".id=*1;name=ether1;.id=*2;name=ether2\n{mark}").as_str())
        }
    });
    let console = Console::new(ssh(&router), SOON);
    for expected_lines in [5, 1] {
        let before = router.lines().len();
        let rows = console.print(&path("/interface/list"), &Query::new()).await.unwrap();
        assert_eq!(rows.iter().filter_map(|row| row.get("name")).collect::<Vec<_>>(), ["ether1", "ether2"]);
        assert_eq!(router.lines().len() - before, expected_lines, "what works is remembered");
    }
}

#[tokio::test]
async fn refusals_are_those_of_rest() {
    let router = open_router().await;
    let console = console(
        &router,
        "7.20.5 (stable)",
        &[
            ("/interface/wifi/", "bad command name wifi (line 1 column 44)"),
            ("/user/", "not enough permissions (9)"),
            ("/tool/", "failure: not allowed by device-mode"),
            ("/log/", "a line of nonsense \u{fffd}"),
        ],
    );
    let kind = async |menu: &str| Fault::from(console.print(&path(menu), &Query::new()).await.unwrap_err()).kind;
    assert_eq!(kind("/interface/wifi").await, Kind::NotFound);
    assert_eq!(kind("/user").await, Kind::RouterDenied);
    assert_eq!(kind("/tool/sniffer").await, Kind::Rejected);
    assert_eq!(kind("/log").await, Kind::Unreachable, "garbage");
}

#[tokio::test]
async fn hostile_bytes_are_repaired_as_over_rest() {
    let router = open_router().await;
    let long = "ж".repeat(32_000);
    let copy = long.clone();
    router.answers(move |line| {
        if line == VERSION {
            return Reply::from("7.20.5 (stable)");
        }
        let mut bytes = b"[{\".id\":\"*1\",\"comment\":\"\xcf\xf0\xe8\x01 \xf0\x9f\x98\x80\"},{\".id\":\"*2\",\"comment\":\"".to_vec();
        bytes.extend_from_slice(copy.as_bytes());
        bytes.extend_from_slice(b"\"}]\r\n");
        Reply::Says(bytes)
    });
    let console = Console::new(ssh(&router), SOON);
    let rows = console.print(&path("/ip/address"), &Query::new()).await.unwrap();
    assert_eq!(rows[0].get("comment"), Some("\u{fffd}\u{fffd}\u{fffd}\u{1} 😀"));
    assert_eq!(rows[1].get("comment"), Some(long.as_str()), "64 kB");
}

#[tokio::test]
async fn an_export_is_told_from_a_refusal() {
    let router = open_router().await;
    let export = "# 2026-08-02 01:44:02 by RouterOS 7.23.2\n/ip address add address=192.0.2.1/24 comment=\"failure: x\"\n#error exporting \"/interface/lte\" (timeout)";
    router.answers(move |line| if line == "/export terse" { Reply::from(export) } else { Reply::from("x") });
    let console = Console::new(ssh(&router), SOON);
    assert_eq!(console.export().await.unwrap(), format!("{export}\n"));
    router.answers(|_| Reply::from("not enough permissions (9)"));
    assert!(matches!(console.export().await, Err(RouterError::Denied { .. })));
    router.answers(|_| Reply::from(""));
    assert!(matches!(console.export().await, Err(RouterError::Garbage { .. })));
}

#[tokio::test]
async fn bounded_commands_give_their_rows() {
    let router = open_router().await;
    let console = console(&router, "7.20.5 (stable)", &[("/tool/ping", r#"[{"host":"192.0.2.1","seq":0,"time":"00:00:00.000551"}]"#)]);
    let args = [("address", "192.0.2.1"), ("count", "1")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let rows = console.run(&path("/tool"), "ping", &args, SOON).await.unwrap();
    assert_eq!(rows[0].get("seq"), Some("0"));
    assert!(router.lines().last().unwrap().contains(r#"[/tool/ping address="192.0.2.1" count="1" as-value]"#));
}
