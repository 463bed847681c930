//! What happens in a burst, made of a seed and the burst's number alone: burst 17 is the same whether or not the sixteen before it ran.

use super::faults::{self, Planned};
use super::outside::Mood;
use serde_json::{Value, json};

/// The routers of a scenario, by device name.
pub const ROUTERS: [&str; 2] = ["north", "south"];
/// Callers at the same time; each does its acts one after the other.
pub const CALLERS: usize = 4;
/// Menus that callers read; among them those with secrets.
const MENUS: [&str; 8] =
    ["/ip/address", "/ip/dns/static", "/ppp/secret", "/snmp/community", "/interface/wireguard", "/ip/firewall/filter", "/log", "/user"];

/// Dice that fall the same way for the same seed.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    pub fn of(seed: u64, burst: u32) -> Dice {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (u64::from(burst) << 32 | 0x5EED));
        dice.roll();
        dice
    }

    /// SplitMix64.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.roll() % n.max(1) as u64) as usize
    }

    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    /// One of these, each so many times as likely as its weight.
    pub fn weighed<T: Copy>(&mut self, of: &[(T, usize)]) -> T {
        let mut at = self.below(of.iter().map(|(_, weight)| weight).sum());
        for (one, weight) in of {
            if at < *weight {
                return *one;
            }
            at -= weight;
        }
        of[0].0
    }
}

/// The way a call comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Through dispatch, as the local stdio client.
    Inside,
    /// Over the listener, with a token of ours.
    Token,
    /// Over the listener, with a token of the identity provider.
    Provider,
    /// Over the listener, by somebody who hangs up before the answer.
    Gone,
}

/// What somebody does who waits for a manual plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    Keep,
    Undo,
    Extend,
    /// Nothing: the router undoes it by itself.
    Silent,
}

/// What a plan changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A static name: medium risk.
    Name,
    /// A rule of the forward chain: high risk, guarded.
    Rule,
    /// A rule that shuts us out: must never stay.
    ShutOut,
}

/// What a direct write changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Small {
    Identity,
    Comment,
    List,
}

/// One thing a caller does.
#[derive(Debug, Clone)]
pub enum Act {
    Read { way: Way, tool: &'static str, arguments: Value },
    Write { way: Way, router: usize, small: Small, tag: String },
    Plan { routers: Vec<usize>, change: Change, manual: bool, word: Word, tag: String },
}

/// One burst: what callers do, and what goes wrong meanwhile.
#[derive(Debug, Clone)]
pub struct Burst {
    pub number: u32,
    pub acts: Vec<Act>,
    pub faults: Vec<Planned>,
    /// How the identity provider and the receiver of alerts are meanwhile.
    pub provider: Mood,
    pub endpoint: Mood,
    /// Seconds that pass before anybody is back, after a process was killed.
    pub away: u64,
}

/// What marks an act's rows on a router and in the records; none is the beginning of another.
pub fn tag(burst: u32, n: usize) -> String {
    format!("fr{burst}x{n}z")
}

/// The burst with that number.
pub fn burst(seed: u64, number: u32, disk: bool) -> Burst {
    let mut dice = Dice::of(seed, number);
    let acts = (0..CALLERS + 2 + dice.below(7)).map(|n| act(&mut dice, tag(number, n))).collect();
    let moods = [(Mood::Good, 5), (Mood::Down, 2), (Mood::Hangs, 1), (Mood::Broken, 2), (Mood::Garbage, 1)];
    let (provider, endpoint) = (dice.weighed(&moods), dice.weighed(&moods));
    // A provider that hangs holds up whoever comes with its tokens, as it should; seldom is enough.
    let provider = if provider == Mood::Hangs && dice.below(4) > 0 { Mood::Broken } else { provider };
    let faults = faults::planned(&mut dice, disk);
    Burst { number, acts, faults, provider, endpoint, away: dice.one_of(&[0, 0, 30, 600]) }
}

fn act(dice: &mut Dice, tag: String) -> Act {
    let way = dice.weighed(&[(Way::Inside, 4), (Way::Token, 4), (Way::Provider, 2), (Way::Gone, 1)]);
    let router = dice.below(ROUTERS.len());
    match dice.below(10) {
        0..=3 => read(dice, way, router),
        4..=6 => Act::Write { way, router, small: dice.one_of(&[Small::Identity, Small::Comment, Small::List]), tag },
        _ => {
            let routers = if dice.below(5) == 0 { vec![0, 1] } else { vec![router] };
            let change = dice.weighed(&[(Change::Name, 4), (Change::Rule, 4), (Change::ShutOut, 1)]);
            let word = dice.weighed(&[(Word::Keep, 4), (Word::Undo, 2), (Word::Silent, 1), (Word::Extend, 1)]);
            Act::Plan { routers, change, manual: dice.below(3) == 0, word, tag }
        }
    }
}

fn read(dice: &mut Dice, way: Way, router: usize) -> Act {
    let device = ROUTERS[router];
    let (tool, arguments) = match dice.below(7) {
        0 => ("device.list", json!({})),
        1 => ("plan.list", json!({})),
        2 => ("fleet.get_summary", json!({})),
        3 => ("system.get_health", json!({ "device": device })),
        4 => ("system.get_overview", json!({ "device": device })),
        _ => ("menu.read", json!({ "device": device, "menu": dice.one_of(&MENUS) })),
    };
    Act::Read { way, tool, arguments }
}

impl Act {
    pub fn tag(&self) -> Option<&str> {
        match self {
            Act::Read { .. } => None,
            Act::Write { tag, .. } | Act::Plan { tag, .. } => Some(tag),
        }
    }
}

impl Small {
    /// The tool and its arguments.
    pub fn call(self, router: usize, tag: &str) -> (&'static str, Value) {
        let device = ROUTERS[router];
        match self {
            Small::Identity => ("system.set_identity", json!({ "device": device, "name": tag })),
            Small::Comment => ("interface.update_comment", json!({ "device": device, "name": "ether2", "comment": tag })),
            Small::List => {
                let entry = json!({ "address": address(tag), "comment": tag });
                ("firewall.update_address_list", json!({ "device": device, "list": "mcp-runner", "add": [entry] }))
            }
        }
    }

    /// The next one takes its place: only the last is there.
    pub fn is_one_of_its_kind(self) -> bool {
        self != Small::List
    }
}

impl Change {
    /// The request of a plan that does it.
    pub fn request(self, routers: &[usize], manual: bool, tag: &str) -> Value {
        let devices: Vec<&str> = routers.iter().map(|router| ROUTERS[*router]).collect();
        let edit = match self {
            Change::Name => {
                json!({ "menu": "/ip/dns/static", "op": "add", "values": { "name": format!("{tag}.lan"), "address": address(tag) } })
            }
            Change::Rule => json!({ "menu": "/ip/firewall/filter", "op": "add",
                "values": { "chain": "forward", "action": "drop", "src-address": address(tag), "comment": tag } }),
            Change::ShutOut => json!({ "menu": "/ip/firewall/filter", "op": "add", "match_all": true,
                "values": { "chain": "input", "action": "reject", "reject-with": "tcp-reset", "protocol": "tcp", "connection-state": "new",
                    "comment": tag }, "place_before": { "comment": FIRST_INPUT_RULE } }),
        };
        let confirm = if manual { "manual" } else { "auto" };
        json!({ "devices": devices, "reason": tag, "edits": [edit], "confirm": confirm, "confirm_timeout": "60s" })
    }
}

/// The rule of both routers' input chain that lets our packets in.
const FIRST_INPUT_RULE: &str = "accept established";

/// An address of its own for each tag, so that no two rows are alike.
fn address(tag: &str) -> String {
    let sum = tag.bytes().fold(0_u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)));
    format!("10.{}.{}.{}", 100 + sum % 100, sum / 100 % 250, 1 + sum / 25_000 % 250)
}
