//! Which routers can be simulated, and what is in their tables.
//!
//! A profile is a model (version, board, packages) and texts in `profiles/*.txt`, rows as an export would have them:
//! ```text
//! /ip/address
//! address=192.168.88.1/24 interface=bridge comment="defconf"
//! ```
//! `base.txt` holds what every router has; a profile's text adds to lists and overrides singletons, or replaces what is there with
//! `# instead` on top. Read-only attributes are written too. Addresses that belong to nobody here are from the documentation ranges.

use super::hold;
use super::row::raw_byte;
use crate::base::packed::{self, packed};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, OnceLock};

/// A router to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Profile {
    /// hAP ax²: arm64, 7.20, wifi menus, device-mode `home`.
    HomeAp,
    /// RB5009: VLANs, some 60 firewall rules, queues, WireGuard.
    Office,
    /// Cloud Hosted Router: x86_64, 7.24, no routerboard, BGP and OSPF.
    Chr,
    /// CCR at a wireless provider: 7.16, old `wireless` package, 5,000 leases, 2,000 address-list rows, PPP sessions.
    WispTower,
}

/// Versions any profile can be simulated with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Version {
    /// 7.12: before `/interface/wifi`, `:serialize` and `/file/read`.
    V7_12,
    /// 7.16
    V7_16,
    /// 7.20
    V7_20,
    /// 7.23
    V7_23,
    /// 7.24
    V7_24,
}

impl Version {
    /// All of them, oldest first.
    pub const ALL: [Version; 5] = [Version::V7_12, Version::V7_16, Version::V7_20, Version::V7_23, Version::V7_24];

    fn facts(self) -> ((u32, u32), &'static str, &'static str) {
        match self {
            Version::V7_12 => ((7, 12), "7.12.2 (stable)", "2023-12-20 13:41:52"),
            Version::V7_16 => ((7, 16), "7.16.2 (stable)", "2024-11-26 12:09:40"),
            Version::V7_20 => ((7, 20), "7.20.8 (long-term)", "2026-02-11 10:12:33"),
            Version::V7_23 => ((7, 23), "7.23.2 (stable)", "2026-07-14 09:20:11"),
            Version::V7_24 => ((7, 24), "7.24.1 (stable)", "2026-10-19 07:40:21"),
        }
    }
}

/// What is fixed about a simulated router.
#[derive(Debug, Clone)]
pub struct Model {
    /// The profile it comes from.
    pub profile: Profile,
    /// `(7, 20)`: decides which menus and attributes there are.
    pub version: (u32, u32),
    /// `7.20.5 (stable)`
    pub version_text: &'static str,
    /// When that version was built.
    pub build_time: &'static str,
    /// A MikroTik board; otherwise a CHR.
    pub board: bool,
    /// As in `/system/resource`.
    pub board_name: &'static str,
    /// `arm64`
    pub architecture: &'static str,
    /// CPU name, cores, MHz.
    pub cpu: (&'static str, u32, u32),
    /// Memory and disk in bytes.
    pub memory: (u64, u64),
    /// Packages whose menus are there, besides `routeros`.
    pub packages: &'static [&'static str],
    /// Where our requests come from unless a test says otherwise: the management station.
    pub seen_from: IpAddr,
    /// The address that the management station uses.
    pub management: &'static str,
    /// Where the management station's frames arrive.
    pub entry: Entry,
}

/// Where a station's frames arrive at the router, and with which hardware address: what no table of the router says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The port's `default-name`, which a rename leaves alone: `ether2`.
    pub port: &'static str,
    /// Its frames carry this tag.
    pub vlan: Option<u16>,
    /// Its hardware address.
    pub mac: &'static str,
}

impl Profile {
    /// All profiles.
    pub const ALL: [Profile; 4] = [Profile::HomeAp, Profile::Office, Profile::Chr, Profile::WispTower];

    /// `home-ap`, `office`, `chr`, `wisp-tower`.
    pub fn name(self) -> &'static str {
        match self {
            Profile::HomeAp => "home-ap",
            Profile::Office => "office",
            Profile::Chr => "chr",
            Profile::WispTower => "wisp-tower",
        }
    }

    /// The facts about this router had it that version; shared by all of its kind.
    pub fn model_as(self, version: Version) -> Arc<Model> {
        static MODELS: Mutex<Vec<(Version, Arc<Model>)>> = Mutex::new(Vec::new());
        let own = self.model();
        let mut models = hold(&MODELS);
        if let Some((_, known)) = models.iter().find(|(of, model)| (*of, model.profile) == (version, self)) {
            return known.clone();
        }
        let (number, text, built) = version.facts();
        let made = Arc::new(Model { version: number, version_text: text, build_time: built, ..(*own).clone() });
        models.push((version, made.clone()));
        made
    }

    /// The facts about this router; shared by all of its kind.
    pub fn model(self) -> Arc<Model> {
        static MODELS: OnceLock<[Arc<Model>; 4]> = OnceLock::new();
        let models = MODELS.get_or_init(|| [home_ap(), office(), chr(), wisp_tower()].map(Arc::new));
        models[self as usize].clone()
    }
}

fn home_ap() -> Model {
    Model {
        profile: Profile::HomeAp,
        version: (7, 20),
        version_text: "7.20.5 (stable)",
        build_time: "2025-11-27 08:17:04",
        board: true,
        board_name: "hAP ax^2",
        architecture: "arm64",
        cpu: ("ARM64", 4, 864),
        memory: (1_073_741_824, 134_217_728),
        packages: &["wifi"],
        seen_from: IpAddr::V4(Ipv4Addr::new(192, 168, 88, 10)),
        management: "192.168.88.1",
        entry: Entry { port: "ether2", vlan: None, mac: "02:00:5E:00:53:10" },
    }
}

fn office() -> Model {
    Model {
        profile: Profile::Office,
        version: (7, 20),
        version_text: "7.20.8 (long-term)",
        build_time: "2026-02-11 10:12:33",
        board: true,
        board_name: "RB5009UG+S+",
        architecture: "arm64",
        cpu: ("ARM64", 4, 1400),
        memory: (1_073_741_824, 1_073_741_824),
        packages: &[],
        seen_from: IpAddr::V4(Ipv4Addr::new(10, 20, 99, 10)),
        management: "10.20.99.1",
        entry: Entry { port: "ether6", vlan: None, mac: "02:00:5E:00:53:99" },
    }
}

fn chr() -> Model {
    Model {
        profile: Profile::Chr,
        version: (7, 24),
        version_text: "7.24.1 (stable)",
        build_time: "2026-10-19 07:40:21",
        board: false,
        board_name: "CHR QEMU Standard PC (Q35 + ICH9, 2009)",
        architecture: "x86_64",
        cpu: ("Common", 2, 2100),
        memory: (1_073_741_824, 134_217_728),
        packages: &[],
        seen_from: IpAddr::V4(Ipv4Addr::new(172, 31, 255, 29)),
        management: "172.31.255.30",
        entry: Entry { port: "ether1", vlan: None, mac: "02:00:5E:00:53:29" },
    }
}

fn wisp_tower() -> Model {
    Model {
        profile: Profile::WispTower,
        version: (7, 16),
        version_text: "7.16.2 (stable)",
        build_time: "2024-11-26 12:09:40",
        board: true,
        board_name: "CCR2004-16G-2S+",
        architecture: "arm64",
        cpu: ("ARM64", 4, 1200),
        memory: (4_294_967_296, 134_217_728),
        packages: &["wireless"],
        seen_from: IpAddr::V4(Ipv4Addr::new(10, 200, 0, 10)),
        management: "10.200.0.1",
        entry: Entry { port: "ether1", vlan: Some(100), mac: "02:00:5E:00:53:64" },
    }
}

/// Rows of one menu as the texts have them: base first, then the profile's.
pub(super) fn rows(model: &Model, path: &str) -> Vec<Vec<(String, String)>> {
    let own = sections(model.profile).get(path).copied().unwrap_or_default();
    // A profile's rows come after the base's, and on top of them in a singleton; with `# instead` they replace them.
    let base = base_sections().get(path).copied().unwrap_or_default();
    let replaces = own.starts_with("# instead");
    let parse = |text: &str| text.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).map(pairs).collect::<Vec<_>>();
    let mut rows = if replaces { Vec::new() } else { parse(base) };
    rows.extend(parse(own));
    rows
}

type Sections = HashMap<&'static str, &'static str>;

fn base_sections() -> &'static Sections {
    static PARSED: OnceLock<Sections> = OnceLock::new();
    PARSED.get_or_init(|| split(text("base")))
}

fn sections(profile: Profile) -> &'static Sections {
    static PARSED: [OnceLock<Sections>; 4] = [const { OnceLock::new() }; 4];
    PARSED[profile as usize].get_or_init(|| split(text(profile.name())))
}

/// What `profiles/` has under that name.
fn text(name: &str) -> &'static str {
    static PLAIN: OnceLock<String> = OnceLock::new();
    let plain = PLAIN.get_or_init(|| packed::unpacked(packed!("profiles")));
    packed::texts(plain).find(|(known, _)| known.replace('_', "-") == name).map(|(_, text)| text).unwrap_or_default()
}

fn split(text: &'static str) -> Sections {
    let mut sections = HashMap::new();
    let mut rest = text;
    while let Some(start) = rest.find("/").filter(|at| *at == 0).or_else(|| rest.find("\n/").map(|at| at + 1)) {
        rest = &rest[start..];
        let line = rest.find('\n').unwrap_or(rest.len());
        let body = &rest[line..];
        let end = body.find("\n/").map_or(body.len(), |at| at + 1);
        sections.insert(rest[..line].trim(), body[..end].trim_start_matches('\n'));
        rest = &body[end..];
    }
    sections
}

/// `a=b c="d e"` as pairs; `\n`, `\"`, `\\` and `\xNN` in quotes (a raw byte) are understood.
fn pairs(line: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut chars = line.trim().chars().peekable();
    while chars.peek().is_some() {
        let name: String = std::iter::from_fn(|| chars.next_if(|c| *c != '=' && *c != ' ')).collect();
        let mut value = String::new();
        if chars.next_if_eq(&'=').is_some() {
            if chars.next_if_eq(&'"').is_some() {
                quoted(&mut chars, &mut value);
            } else {
                value.extend(std::iter::from_fn(|| chars.next_if(|c| *c != ' ')));
            }
        }
        while chars.next_if_eq(&' ').is_some() {}
        found.push((name, value));
    }
    found
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, value: &mut String) {
    while let Some(c) = chars.next() {
        match c {
            '"' => return,
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some('r') => value.push('\r'),
                Some('t') => value.push('\t'),
                Some('x') => {
                    let hex: String = chars.by_ref().take(2).collect();
                    value.push(raw_byte(u8::from_str_radix(&hex, 16).unwrap_or(b'?')));
                }
                Some(other) => value.push(other),
                None => return,
            },
            other => value.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::menus::Definitions;
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn profiles_hold_only_menus_and_attributes_their_router_has() {
        let defs = Definitions::own();
        let mut wrong = BTreeSet::new();
        for profile in Profile::ALL {
            let model = profile.model();
            for path in base_sections().keys().chain(sections(profile).keys()) {
                let Some(menu) = defs.menu(path, &model) else {
                    if !base_sections().contains_key(path) {
                        wrong.insert(format!("{} has no {path}", profile.name()));
                    }
                    continue;
                };
                for (name, value) in rows(&model, path).into_iter().flatten() {
                    if !name.starts_with('.') && menu.attr(&name).is_none() {
                        wrong.insert(format!("{} {path} has no attribute {name} ({value})", profile.name()));
                    }
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
    }

    #[test]
    fn a_row_of_text_keeps_quotes_spaces_and_raw_bytes() {
        let got = pairs(r#"name="a \"b\" \\ c" flag= x=1 evil="\x1b\n""#);
        assert_eq!(got[0], ("name".into(), r#"a "b" \ c"#.into()));
        assert_eq!((got[1].1.as_str(), got[2].1.as_str()), ("", "1"));
        assert_eq!(got[3].1, format!("{}\n", raw_byte(0x1b)));
    }
}
