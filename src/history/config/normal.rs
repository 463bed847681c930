//! An export as it may be kept: the same text for the same configuration, and no secret in it.

use crate::menus::{self, Menu};
use crate::routeros::export::{Command, Export, Line, Section, Target};
use crate::shape::redact::{HIDDEN, without_login};
use crate::shape::untrusted;

/// Longest reason kept for a menu that could not be exported, in characters.
const MOST_GAP: usize = 120;

/// Takes out what is not configuration (date, serial number, comments the router writes about its state), and what must
/// not be kept: secrets, script bodies, and lines that could not be read, for nobody knows what they hold.
pub fn normal(export: &Export) -> Export {
    let sections = export.sections.iter().map(section).filter(|section| !section.lines.is_empty()).fold(Vec::new(), joined);
    Export { head: Vec::new(), sections, gaps: export.gaps.iter().map(|said| gap(said)).collect(), ended: export.ended }
}

/// Without blanks at its ends, wherever it is cut: they would not be read back.
fn gap(said: &str) -> String {
    untrusted::strip(said).trim_start().chars().take(MOST_GAP).collect::<String>().trim_end().to_owned()
}

/// Sections that only comments kept apart are one.
fn joined(mut sections: Vec<Section>, next: Section) -> Vec<Section> {
    match sections.last_mut() {
        Some(last) if last.menu == next.menu => last.lines.extend(next.lines),
        _ => sections.push(next),
    }
    sections
}

fn section(section: &Section) -> Section {
    let hider = Hider { menu: &section.menu, facts: menus::find(&section.menu) };
    let lines = section.lines.iter().filter_map(|line| match line {
        Line::Row(row) => Some(Line::Row(hider.row(row))),
        Line::Note(_) => None,
        Line::Unread(_) => Some(Line::Unread(String::new())),
    });
    Section { menu: section.menu.clone(), lines: lines.collect() }
}

struct Hider<'a> {
    menu: &'a str,
    facts: Option<&'static Menu>,
}

impl Hider<'_> {
    fn row(&self, row: &Command) -> Command {
        let target = row.target.as_ref().map(|target| match target {
            Target::Item(name) => Target::Item(self.value("name", name)),
            Target::Find(pairs) => Target::Find(self.pairs(pairs)),
        });
        Command { verb: row.verb.clone(), target, values: self.pairs(&row.values) }
    }

    fn pairs(&self, pairs: &[(String, Option<String>)]) -> Vec<(String, Option<String>)> {
        pairs.iter().map(|(name, value)| (name.clone(), value.as_ref().map(|value| self.value(name, value)))).collect()
    }

    fn value(&self, name: &str, value: &str) -> String {
        let name = name.trim_start_matches('!');
        if !value.is_empty() && menus::secret_of(self.facts, self.menu, name) {
            HIDDEN.to_owned()
        } else {
            without_login(value).into_owned()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routeros::export::{parse, write};

    const EXPORT: &str = r#"# 2026-01-21 01:17:52 by RouterOS 7.21
# software id = ABCD-1234
# serial number = HXX00000000
/interface wireguard
add listen-port=51820 name=wg1 private-key="CANARY-wg"
/interface wireless
# managed by CAPsMAN
# channel: 2412/20/gn(17dBm), SSID: CANARY-live
set [ find default-name=wlan1 ] ssid=home
/ppp secret
add comment="used by \$X" name=bob password=CANARY-ppp profile=null
/snmp community
set [ find default=yes ] name=CANARY-community
set CANARY-other addresses=::/0
/system script
add name=run policy=read source="/ppp secret set bob password=\"CANARY-script\"\r\n"
/system scheduler
add name=s on-event=CANARY-event interval=1d
/ip dns adlist
add url="https://u:CANARY-url@lists.example.net/a"
/new menu
add api-token=CANARY-token empty-password="" !auth-key=CANARY-not x=1
add name="CANARY-torn
/interface l2tp-client
add name=l password=CANARY-l2tp user=site
"#;

    #[test]
    fn no_secret_and_no_noise_is_kept() {
        let kept = write(&normal(&parse(EXPORT)));
        assert!(!kept.contains("CANARY"), "{kept}");
        for noise in ["2026", "7.21", "ABCD", "HXX", "CAPsMAN", "2412"] {
            assert!(!kept.contains(noise), "{noise} in {kept}");
        }
        for content in [
            "listen-port=51820",
            "name=bob",
            "used by \\$X",
            "ssid=home",
            "interval=1d",
            "user=site",
            "empty-password=\"\"",
            "x=1",
            "lists.example.net/a",
        ] {
            assert!(kept.contains(content), "{content} is not in {kept}");
        }
    }

    #[test]
    fn a_secret_leaves_neither_digest_nor_length() {
        let with = |password: &str| write(&normal(&parse(&format!("/ppp secret\nadd name=bob password={password}\n"))));
        assert_eq!(with("a"), with("a-much-longer-one"));
    }

    #[test]
    fn what_is_kept_is_what_is_read_back() {
        let kept = normal(&parse(EXPORT));
        assert_eq!(parse(&write(&kept)), kept);
        assert_eq!(normal(&kept), kept);
    }

    #[test]
    fn the_same_configuration_is_the_same_text_at_any_time() {
        let later = EXPORT.replace("2026-01-21 01:17:52", "2027-03-01 00:00:00").replace("2412/20", "2462/20").replace('\n', "\r\n");
        assert_eq!(normal(&parse(EXPORT)), normal(&parse(&later)));
    }
}
