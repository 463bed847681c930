//! What a router is and can: a handful of reads, each of which may fail by itself.
//!
//! The first one (`/system/resource`) proves login and REST; without it there are no facts. One other read may stay
//! without an answer; a router that falls silent altogether is not asked on. One that has just started may answer with
//! another menu's row (`foreign.rs`): it is asked once more, and what it then says of that menu is not known. A menu that a router
//! lacks answers 400 `no such command or directory`: that is how packages and hardware are told apart. Nothing here
//! takes or changes anything, the safe mode above all: REST logins are shared and its owner would be undefined.

use crate::base::clock::Wall;
use crate::base::fault::{Fault, Kind};
use crate::fleet::device::{Facts, Package, Wifi, WwwSsl};
use crate::fleet::foreign::is_of_another_menu;
use crate::routeros::{MenuPath, Query, Row, Version};
use futures_util::future::BoxFuture;
use std::time::Duration;

/// How a survey asks: through a device's lane, or over a connection that is being tried.
pub(super) type Reader<'a> = dyn Fn(MenuPath, Query) -> BoxFuture<'a, Result<Vec<Row>, Fault>> + Sync + 'a;

/// Longest text kept of what a router says about itself, characters.
const TEXT_MAX: usize = 256;
/// Most packages kept; a router with everything installed has about 20.
const PACKAGES_MAX: usize = 64;
/// Before a router that answered with another menu's row is asked again: it is starting, and seconds make a difference.
const START_PAUSE: Duration = Duration::from_secs(1);

/// Asks everything. Errs when the first read does, or when the router falls silent on the way.
pub(super) async fn survey(read: &Reader<'_>, username: &str, now: Wall) -> Result<Facts, Fault> {
    let resource = one(read, "/system/resource").await?;
    let Some(version) = resource.as_ref().and_then(|row| text(row, "version")) else {
        return Err(Fault::new(Kind::Unreachable, "the router answers, but does not say its version; it may be starting")
            .hint("try again in half a minute"));
    };
    let resource = resource.expect("it has a version");
    let mut facts = Facts {
        board: text(&resource, "board-name"),
        architecture: text(&resource, "architecture-name"),
        version: Some(version),
        probed_at: now,
        ..Facts::default()
    };
    let mut survey = Survey { read, unanswered: Vec::new(), silence: None };
    facts.identity = survey.row("/system/identity", "name").await.and_then(|row| text(&row, "name"));
    facts.packages = survey.packages().await;
    survey.board(&mut facts).await;
    survey.device_mode(&mut facts).await;
    facts.can.wifi = survey.wifi().await;
    facts.policies = survey.policies(username).await;
    survey.services(&mut facts).await;
    facts.can.execute = true;
    facts.can.safe_mode = facts.version.as_deref().and_then(Version::parse).is_some_and(|version| version.at_least(7, 18));
    if let Some(Silence { fault, times: SILENCE_MAX.. }) = survey.silence {
        return Err(fault);
    }
    facts.unanswered = survey.unanswered;
    Ok(facts)
}

struct Survey<'a, 'r> {
    read: &'a Reader<'r>,
    unanswered: Vec<String>,
    silence: Option<Silence>,
}

/// What came of one read.
enum Asked {
    Rows(Vec<Row>),
    NoMenu,
    Failed,
}

/// Reads without an answer.
struct Silence {
    fault: Fault,
    times: usize,
}

/// This many reads without an answer end a survey: each may take the whole of a read's time limit.
const SILENCE_MAX: usize = 2;

impl Survey<'_, '_> {
    /// Rows, which have attribute `mark` in this menu; `None` when the router has no such menu. Other failures are noted and read as
    /// `None` too.
    async fn rows(&mut self, path: &str, query: Query, mark: &str) -> Option<Vec<Row>> {
        match self.ask(path, query, mark).await {
            Asked::Rows(rows) => Some(rows),
            Asked::NoMenu | Asked::Failed => None,
        }
    }

    async fn ask(&mut self, path: &str, query: Query, mark: &str) -> Asked {
        if self.silence.as_ref().is_some_and(|silence| silence.times >= SILENCE_MAX) {
            return Asked::Failed;
        }
        let mut asked = own_rows(self.read, path, &query, mark).await;
        if matches!(asked, Ok(None)) {
            tokio::time::sleep(START_PAUSE).await;
            asked = own_rows(self.read, path, &query, mark).await;
        }
        let fault = match asked {
            Ok(Some(rows)) => return Asked::Rows(rows),
            Ok(None) => {
                self.unanswered.push(format!("{path}: the router answers with rows of another menu; it may be starting"));
                return Asked::Failed;
            }
            Err(fault) if is_absent(&fault) => return Asked::NoMenu,
            Err(fault) => fault,
        };
        self.unanswered.push(format!("{path}: {}", cut(&fault.said)));
        if matches!(fault.kind, Kind::Unreachable | Kind::Untrusted | Kind::Busy) {
            let times = self.silence.as_ref().map_or(1, |silence| silence.times + 1);
            self.silence = Some(Silence { fault, times });
        }
        Asked::Failed
    }

    async fn row(&mut self, path: &str, mark: &str) -> Option<Row> {
        self.rows(path, Query::new(), mark).await?.into_iter().next()
    }

    async fn packages(&mut self) -> Vec<Package> {
        let rows = self.rows("/system/package", Query::new(), "name").await.unwrap_or_default();
        // Since 7.18 the menu also lists what could be installed.
        let installed = |row: &&Row| !is(row, "disabled") && !is(row, "available");
        let package = |row: &Row| Some(Package { name: text(row, "name")?, version: text(row, "version").unwrap_or_default() });
        rows.iter().filter(installed).filter_map(package).take(PACKAGES_MAX).collect()
    }

    /// Virtual routers have no such menu, or say `{"routerboard":"false"}`.
    async fn board(&mut self, facts: &mut Facts) {
        let Some(row) = self.row("/system/routerboard", "routerboard").await else { return };
        facts.serial = text(&row, "serial-number");
        facts.firmware = text(&row, "current-firmware");
    }

    /// A router without the menu restricts nothing; one that does not answer may restrict everything.
    async fn device_mode(&mut self, facts: &mut Facts) {
        let rows = match self.ask("/system/device-mode", Query::new(), "mode").await {
            Asked::Rows(rows) => rows,
            Asked::NoMenu => {
                (facts.can.schedule, facts.can.fetch) = (true, true);
                return;
            }
            Asked::Failed => return,
        };
        let Some(row) = rows.first() else { return };
        facts.device_mode = text(row, "mode");
        facts.flagged = is(row, "flagged");
        let home = facts.device_mode.as_deref() == Some("home");
        let allows = |feature: &str| row.get(feature).map_or(!home, yes);
        facts.can.schedule = allows("scheduler") && !facts.flagged;
        facts.can.fetch = allows("fetch");
    }

    async fn wifi(&mut self) -> Wifi {
        let ids = || Query::new().columns([".id"]);
        if self.rows("/interface/wifi", ids(), ".id").await.is_some() {
            return Wifi::Wifi;
        }
        if self.rows("/interface/wireless", ids(), ".id").await.is_some() { Wifi::Wireless } else { Wifi::None }
    }

    /// What our user's group grants. A user who may not look finds nothing, which is no failure.
    async fn policies(&mut self, username: &str) -> Option<Vec<String>> {
        let ours = self.rows("/user", Query::new().eq("name", username), "name").await?;
        let group = ours.iter().find(|row| row.get("name") == Some(username))?.get("group")?.to_owned();
        let groups = self.rows("/user/group", Query::new().eq("name", &group), "policy").await?;
        let policy = groups.iter().find(|row| row.get("name") == Some(&group))?.get("policy")?;
        let granted = policy.split(',').map(str::trim).filter(|word| !word.is_empty() && !word.starts_with('!'));
        Some(granted.map(cut).collect())
    }

    async fn services(&mut self, facts: &mut Facts) {
        let Some(rows) = self.rows("/ip/service", Query::new(), "name").await else { return };
        // One row per open connection stands there too, under the same names.
        let service = |name: &str| rows.iter().find(|row| row.get("name") == Some(name) && !is(row, "connection") && !is(row, "dynamic"));
        let may_ssh = facts.policies.as_ref().is_none_or(|granted| granted.iter().any(|word| word == "ssh"));
        // As far as can be seen from here; whoever has the login tries it.
        facts.can.ssh = may_ssh && service("ssh").is_some_and(|row| !is(row, "disabled"));
        facts.www_ssl = service("www-ssl").map(|row| WwwSsl {
            enabled: !is(row, "disabled"),
            port: row.get("port").and_then(|port| port.parse().ok()).unwrap_or(443),
            certificate: text(row, "certificate").unwrap_or_else(|| "none".into()),
            // `available-from` since 7.24.
            address: text(row, "address").or_else(|| text(row, "available-from")).unwrap_or_default(),
        });
    }
}

async fn one(read: &Reader<'_>, path: &str) -> Result<Option<Row>, Fault> {
    Ok(rows(read, path, Query::new()).await?.into_iter().next())
}

async fn rows(read: &Reader<'_>, path: &str, query: Query) -> Result<Vec<Row>, Fault> {
    read(MenuPath::parse(path)?, query).await
}

/// Rows that are this menu's own; `None` for those of another.
async fn own_rows(read: &Reader<'_>, path: &str, query: &Query, mark: &str) -> Result<Option<Vec<Row>>, Fault> {
    let menu = MenuPath::parse(path)?;
    let rows = read(menu.clone(), query.clone()).await?;
    let has_mark = rows.is_empty() || rows.iter().any(|row| row.get(mark).is_some());
    Ok((has_mark && !is_of_another_menu(&menu, query, &rows)).then_some(rows))
}

/// The menu does not exist there (some builds say so without naming the word).
fn is_absent(fault: &Fault) -> bool {
    fault.kind == Kind::NotFound || (fault.kind == Kind::Rejected && fault.said.contains("no such command"))
}

fn is(row: &Row, flag: &str) -> bool {
    row.get(flag).is_some_and(yes)
}

fn yes(value: &str) -> bool {
    matches!(value, "true" | "yes")
}

fn text(row: &Row, name: &str) -> Option<String> {
    row.get(name).filter(|value| !value.is_empty()).map(cut)
}

fn cut(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fleet::device::Can;
    use futures_util::future::FutureExt;
    use std::collections::HashMap;

    /// Answers by path; a path not listed is no menu there, `!` refuses, `?` knows no such command, `…` is silent.
    async fn facts_of(menus: &[(&'static str, &'static str)]) -> Result<Facts, Fault> {
        let menus: HashMap<&str, &str> = menus.iter().copied().collect();
        let read = |path: MenuPath, _query: Query| {
            let answer = match menus.get(path.as_str()) {
                None => Err(Fault::not_found("this router has no menu")),
                Some(&"!") => Err(Fault::new(Kind::RouterDenied, "our user lacks a policy")),
                Some(&"…") => Err(Fault::new(Kind::Unreachable, "no answer")),
                Some(&"?") => Err(Fault::new(Kind::Rejected, "the router refused: no such command")),
                Some(json) => Ok(crate::routeros::rows(json.as_bytes()).unwrap()),
            };
            async move { answer }.boxed()
        };
        survey(&read, "mcp", Wall(7)).await
    }

    const RESOURCE: &str = r#"{"architecture-name":"arm64","board-name":"hAP ax^2","version":"7.20.5 (stable)"}"#;

    #[tokio::test]
    async fn a_home_router_says_what_it_is_and_may() {
        let facts = facts_of(&[
            ("/system/resource", RESOURCE),
            ("/system/identity", r#"{"name":"home"}"#),
            ("/system/package", r#"[{"name":"routeros","version":"7.20.5","disabled":"false"},{"name":"wifi-qcom","version":"7.20.5"},{"name":"zerotier","version":"7.20.5","available":"true"},{"name":"iot","version":"7.20.5","disabled":"true"}]"#),
            ("/system/routerboard", r#"{"routerboard":"true","serial-number":"HXX00000000","current-firmware":"7.20.5"}"#),
            ("/system/device-mode", r#"{"mode":"home","flagged":"false","scheduler":"false","fetch":"false"}"#),
            ("/interface/wifi", "[]"),
            ("/user", r#"[{"name":"mcp","group":"reader"}]"#),
            ("/user/group", r#"[{"name":"reader","policy":"read,api,rest-api,!ssh,!write"}]"#),
            ("/ip/service", r#"[{"name":"ssh","disabled":"false","port":"22"},{"name":"www-ssl","connection":"true","dynamic":"true"},{"name":"www-ssl","certificate":"web","disabled":"false","port":"8443","address":""}]"#),
        ])
        .await
        .unwrap();
        assert_eq!(
            (facts.identity.as_deref(), facts.board.as_deref(), facts.serial.as_deref()),
            (Some("home"), Some("hAP ax^2"), Some("HXX00000000"))
        );
        assert_eq!(facts.packages.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["routeros", "wifi-qcom"]);
        assert_eq!(facts.can, Can { schedule: false, execute: true, fetch: false, ssh: false, wifi: Wifi::Wifi, safe_mode: true });
        assert_eq!(facts.policies.unwrap(), ["read", "api", "rest-api"]);
        assert_eq!(facts.www_ssl, Some(WwwSsl { enabled: true, port: 8443, certificate: "web".into(), address: String::new() }));
        assert!(facts.unanswered.is_empty());
    }

    #[tokio::test]
    async fn a_bare_virtual_router_without_device_mode_restricts_nothing() {
        let old = r#"{"version":"7.16.2 (stable)","board-name":"CHR"}"#;
        let facts =
            facts_of(&[("/system/resource", old), ("/system/device-mode", "?"), ("/system/routerboard", r#"{"routerboard":"false"}"#)])
                .await
                .unwrap();
        assert_eq!(facts.can, Can { schedule: true, execute: true, fetch: true, ssh: false, wifi: Wifi::None, safe_mode: false });
        assert_eq!((facts.device_mode, facts.serial), (None, None));
        assert!(facts.unanswered.is_empty(), "{:?}", facts.unanswered);
    }

    #[tokio::test]
    async fn what_is_refused_is_named_and_never_taken_for_allowed() {
        let facts =
            facts_of(&[("/system/resource", RESOURCE), ("/system/device-mode", "!"), ("/user", "!"), ("/ip/service", "!")]).await.unwrap();
        assert!(!facts.can.schedule && !facts.can.fetch && !facts.can.ssh);
        let named: Vec<&str> = facts.unanswered.iter().filter_map(|line| line.split(':').next()).collect();
        assert_eq!(named, ["/system/device-mode", "/user", "/ip/service"]);
    }

    #[tokio::test]
    async fn one_silence_is_noted_and_a_second_ends_it() {
        let facts = facts_of(&[("/system/resource", RESOURCE), ("/user", "…")]).await.unwrap();
        assert_eq!(facts.unanswered, ["/user: no answer"]);
        let silent = facts_of(&[("/system/resource", RESOURCE), ("/system/package", "…"), ("/user", "…")]).await;
        assert_eq!(silent.unwrap_err().kind, Kind::Unreachable);
    }

    #[tokio::test]
    async fn what_another_menu_answers_is_not_known_and_never_taken_for_allowed() {
        // As seen seconds after a start, whole and in part.
        let whole = r#"{"uptime":"3s","version":"7.20.5 (stable)","free-memory":"1","cpu-load":"3","board-name":"x","total-memory":"2"}"#;
        for body in [whole, r#"{"version":"7.20.5 (stable)","uptime":"3s","board-name":"x"}"#] {
            let menus = ["/system/identity", "/system/package", "/system/routerboard", "/system/device-mode", "/user", "/ip/service"];
            let answers: Vec<(&str, &str)> = menus.iter().map(|menu| (*menu, body)).chain([("/system/resource", RESOURCE)]).collect();
            let facts = facts_of(&answers).await.unwrap();
            let named: Vec<&str> = facts.unanswered.iter().filter_map(|line| line.split(':').next()).collect();
            assert_eq!(named, menus, "{body}");
            assert!(!facts.can.schedule && !facts.can.fetch && !facts.can.ssh && facts.policies.is_none(), "{body}: {:?}", facts.can);
            assert!(facts.identity.is_none() && facts.packages.is_empty() && facts.www_ssl.is_none(), "{body}: {facts:?}");
        }
    }

    #[tokio::test]
    async fn a_router_that_was_starting_is_asked_again() {
        let asked = std::sync::Mutex::new(Vec::new());
        let read = |path: MenuPath, _query: Query| {
            let mut asked = asked.lock().unwrap();
            let again = asked.contains(&path.to_string());
            asked.push(path.to_string());
            let answer = match path.as_str() {
                "/system/resource" => Ok(RESOURCE),
                "/system/identity" | "/system/device-mode" if !again => Ok(r#"{"uptime":"3s","version":"7.20.5 (stable)"}"#),
                "/system/identity" => Ok(r#"{"name":"home"}"#),
                "/system/device-mode" => Ok(r#"{"mode":"advanced","scheduler":"true","fetch":"true"}"#),
                _ => Err(Fault::not_found("this router has no menu")),
            };
            async move { answer.map(|json| crate::routeros::rows(json.as_bytes()).unwrap()) }.boxed()
        };
        let facts = survey(&read, "mcp", Wall(7)).await.unwrap();
        assert_eq!((facts.identity.as_deref(), facts.can.schedule), (Some("home"), true));
        assert!(facts.unanswered.is_empty(), "{:?}", facts.unanswered);
    }

    #[tokio::test]
    async fn a_flagged_router_cannot_schedule() {
        let mode = r#"{"mode":"advanced","flagged":"true","scheduler":"true","fetch":"true"}"#;
        let facts = facts_of(&[("/system/resource", RESOURCE), ("/system/device-mode", mode)]).await.unwrap();
        assert!(facts.flagged && !facts.can.schedule && facts.can.fetch);
    }

    #[tokio::test]
    async fn without_login_or_with_another_menus_answer_there_are_no_facts() {
        assert_eq!(facts_of(&[("/system/resource", "!")]).await.unwrap_err().kind, Kind::RouterDenied);
        // Seconds after a boot a router may answer with another menu's body.
        assert_eq!(facts_of(&[("/system/resource", r#"{"name":"home"}"#)]).await.unwrap_err().kind, Kind::Unreachable);
    }
}
