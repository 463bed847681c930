//! The console readers against the simulated router: the same rows as over REST, from 7.12 to 7.24.

use routeros_mcp::base::clock::{Clock, Wall};
use routeros_mcp::menus;
use routeros_mcp::routeros::pin::Trust;
use routeros_mcp::routeros::ssh::{Endpoint, Login};
use routeros_mcp::routeros::{Console, Endpoint as RestEndpoint, MenuPath, Query, Rest, RouterError, Row, Ssh, value};
use routeros_mcp::sim::profiles::{Profile, Version};
use routeros_mcp::sim::{Options, Sim};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

fn rest(sim: &Sim) -> Rest {
    let login = sim.credentials().mcp;
    let mut endpoint = RestEndpoint::new("127.0.0.1", sim.https_port(), login.user, login.password, Trust::Pin(sim.fingerprint()));
    endpoint.timeout = SOON;
    Rest::new(endpoint).unwrap()
}

fn console(sim: &Sim) -> Console {
    let login = sim.credentials().mcp;
    let endpoint = Endpoint {
        host: "127.0.0.1".into(),
        port: sim.ssh_port(),
        pin: sim.host_key(),
        user: login.user.into(),
        login: Login::Password(login.password),
        connect_timeout: SOON,
        max_answer_bytes: 8 << 20,
    };
    Console::new(Ssh::new(endpoint).unwrap(), SOON)
}

/// Values whose spelling the two ways do not share mean the same.
fn same(rest: &str, ssh: &str) -> bool {
    rest == ssh
        || (value::span(rest).is_some() && value::span(rest) == value::span(ssh))
        || (value::flag(rest).is_some() && value::flag(rest) == value::flag(ssh))
}

#[tokio::test]
async fn every_menu_reads_alike_over_both_ways() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut compared = 0;
    let mut wrong: Vec<String> = Vec::new();
    for (profile, version) in [
        (Profile::Office, Version::V7_12),
        (Profile::Office, Version::V7_16),
        (Profile::HomeAp, Version::V7_20),
        (Profile::WispTower, Version::V7_23),
        (Profile::Chr, Version::V7_24),
    ] {
        // Its time stands still, or a counter moves between the two readings.
        let (clock, _hand) = Clock::by_hand(Wall(1_795_000_000_000));
        let sim = Sim::start(Options { version: Some(version), clock, ..Options::new(profile, "edge") }).await.unwrap();
        let (rest, console) = (rest(&sim), console(&sim));
        for menu in menus::all() {
            let path = MenuPath::parse(menu.path).unwrap();
            let over_rest = rest.print(&path, &Query::new()).await;
            let over_ssh = console.print(&path, &Query::new()).await;
            let place = format!("{version:?} {path}");
            match (over_rest, over_ssh) {
                (Ok(rest), Ok(ssh)) => {
                    compared += 1;
                    compare(&place, &rest, &ssh, &mut wrong);
                }
                (Err(RouterError::NoSuchMenu { word: a }), Err(RouterError::NoSuchMenu { word: b })) => {
                    if a != b {
                        wrong.push(format!("{place}: missing {a} and {b}"));
                    }
                }
                (Err(a), Err(b)) if std::mem::discriminant(&a) == std::mem::discriminant(&b) => {}
                (a, b) => wrong.push(format!("{place}: rest {:?} ssh {:?}", a.map(|r| r.len()), b.map(|r| r.len()))),
            }
        }
        sim.stop().await;
    }
    eprintln!("{compared} menus compared");
    assert!(compared > 100, "{compared}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn compare(place: &str, rest: &[Row], ssh: &[Row], wrong: &mut Vec<String>) {
    if rest.len() != ssh.len() {
        wrong.push(format!("{place}: {} rows and {}", rest.len(), ssh.len()));
        return;
    }
    let menu = place.split(' ').nth(1).unwrap();
    for (a, b) in rest.iter().zip(ssh) {
        // The console leaves secrets out of `as-value`.
        for (name, value) in a.attributes().filter(|(name, _)| !menus::is_secret(menu, name)) {
            match b.get(name) {
                Some(other) if same(value, other) => {}
                other => wrong.push(format!("{place}: {name} is {value:?} and {other:?}")),
            }
        }
    }
}

#[tokio::test]
async fn any_string_goes_through_a_command_line_unchanged() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    let sim = Sim::start(Options::new(Profile::Office, "edge")).await.unwrap();
    let console = console(&sim);
    let mut runner = proptest::test_runner::TestRunner::default();
    let mut strings: Vec<String> = (0..200).map(|_| any::<String>().new_tree(&mut runner).unwrap().current()).collect();
    strings.extend(["\"; /quit; \"", "$[/user/print]", "a\\", "??", "😀", "\u{202e}x", "line\r\nline\ttab"].map(String::from));
    for text in strings {
        let line = format!(":put {}", routeros_mcp::routeros::script::quote(&text));
        let said = console.ssh().exec(&line, SOON).await.unwrap().stdout;
        let said = String::from_utf8(said).unwrap().replace("\r\n", "\n");
        let wanted = format!("{text}\n").replace("\r\n", "\n");
        assert_eq!(said, wanted, "{text:?}");
    }
    sim.stop().await;
}
