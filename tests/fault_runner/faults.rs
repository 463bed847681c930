//! What goes wrong, and at which request of which router. A fault counts once it has struck.

use super::scenario::{Dice, ROUTERS};
use routeros_mcp::sim::faults::{Fault, Line};
use routeros_mcp::sim::hooks::{Verdict, When};
use std::time::Duration;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    LinkCut,
    LinkRefused,
    LinkHalfOpen,
    Slow,
    Hang,
    Lie,
    Lost,
    Reboot,
    PowerCut,
    RouterClock,
    OurClock,
    DeadTimers,
    Kill,
    Disk,
    Provider,
    Endpoint,
    HungUp,
}

impl Kind {
    pub const ALL: [Kind; 17] = [
        Kind::LinkCut,
        Kind::LinkRefused,
        Kind::LinkHalfOpen,
        Kind::Slow,
        Kind::Hang,
        Kind::Lie,
        Kind::Lost,
        Kind::Reboot,
        Kind::PowerCut,
        Kind::RouterClock,
        Kind::OurClock,
        Kind::DeadTimers,
        Kind::Kill,
        Kind::Disk,
        Kind::Provider,
        Kind::Endpoint,
        Kind::HungUp,
    ];

    pub fn words(self) -> &'static str {
        match self {
            Kind::LinkCut => "link cut in the middle of a request",
            Kind::LinkRefused => "router's ports closed",
            Kind::LinkHalfOpen => "link half open: nothing comes back",
            Kind::Slow => "slow router",
            Kind::Hang => "answer that never comes",
            Kind::Lie => "lying router: a wrong, torn or foreign answer",
            Kind::Lost => "request or its answer lost",
            Kind::Reboot => "router restarted",
            Kind::PowerCut => "router's power cut",
            Kind::RouterClock => "router's clock stepped an hour",
            Kind::OurClock => "our clock stepped an hour",
            Kind::DeadTimers => "router's timers do not fire",
            Kind::Kill => "our process killed",
            Kind::Disk => "disk refuses every write",
            Kind::Provider => "identity provider away or talking nonsense",
            Kind::Endpoint => "receiver of alerts away or talking nonsense",
            Kind::HungUp => "caller hung up before the answer",
        }
    }
}

/// What is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Blow {
    /// To the request and its router; a link that was cut comes back after so long.
    Verdict(Verdict, Duration),
    /// The answer is wrong.
    Answer(Fault),
    /// From now on for so long.
    Line(Line, Duration),
    /// The router's wall clock goes by so many hours.
    RouterClock(i64),
    OurClock(i64),
    DeadTimers,
    Kill,
    /// The disk takes nothing until so many more requests have come to this router, or all is made good.
    Disk(usize),
}

/// A fault and its moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Planned {
    pub kind: Kind,
    pub router: usize,
    /// The router's request, counted from 1 in each burst.
    pub at: usize,
    pub side: When,
    pub blow: Blow,
}

/// Answers that are wrong in one way or another.
const LIES: [Fault; 8] = [
    Fault::WrongBody,
    Fault::GarbageJson,
    Fault::CutJson,
    Fault::InvalidUtf8,
    Fault::RawControl,
    Fault::OthersAnswer,
    Fault::DoneButRefused,
    Fault::ServerError,
];
/// When a link that was cut comes back: before a guard fires, about then, and after.
const HEALS_S: [u64; 3] = [15, 150, 1_800];
/// Requests within which most faults of a burst strike.
const SPAN: usize = 60;

/// The faults of a burst. `disk`: whether this process may have its disk refuse.
pub fn planned(dice: &mut Dice, disk: bool) -> Vec<Planned> {
    let kinds = [
        (Kind::Lie, 30),
        (Kind::Lost, 24),
        (Kind::Slow, 14),
        (Kind::LinkCut, 5),
        (Kind::LinkRefused, 3),
        (Kind::Reboot, 5),
        (Kind::PowerCut, 4),
        (Kind::RouterClock, 8),
        (Kind::OurClock, 4),
        (Kind::DeadTimers, 1),
        (Kind::Kill, 3),
        (Kind::Disk, if disk { 2 } else { 0 }),
        (Kind::Hang, 2),
        (Kind::LinkHalfOpen, 1),
    ];
    let mut all: Vec<Planned> = (0..20 + dice.below(21))
        .map(|_| {
            let kind = dice.weighed(&kinds);
            one(dice, kind)
        })
        .collect();
    // One process, one death; what was to come after it comes to the next burst's.
    let mut killed = false;
    all.retain(|planned| planned.kind != Kind::Kill || !std::mem::replace(&mut killed, true));
    all
}

fn one(dice: &mut Dice, kind: Kind) -> Planned {
    let heals = Duration::from_secs(dice.one_of(&HEALS_S));
    let hour = dice.one_of(&[1, -1]);
    let blow = match kind {
        Kind::LinkCut => Blow::Verdict(Verdict::CutLink, heals),
        Kind::LinkRefused => Blow::Line(Line::Refuse, heals),
        Kind::LinkHalfOpen => Blow::Line(Line::HalfOpen, heals),
        Kind::Slow => Blow::Answer(dice.one_of(&[Fault::Latency(Duration::from_millis(40)), Fault::Late(Duration::from_secs(4))])),
        Kind::Hang => Blow::Verdict(Verdict::Silence, Duration::ZERO),
        Kind::Lie => Blow::Answer(dice.one_of(&LIES)),
        Kind::Lost => {
            dice.one_of(&[Blow::Answer(Fault::CloseBefore), Blow::Answer(Fault::CloseAfter), Blow::Verdict(Verdict::Close, Duration::ZERO)])
        }
        Kind::Reboot => Blow::Verdict(Verdict::Reboot, Duration::ZERO),
        Kind::PowerCut => Blow::Verdict(Verdict::PowerCut, Duration::ZERO),
        Kind::RouterClock => Blow::RouterClock(hour),
        Kind::OurClock => Blow::OurClock(hour),
        Kind::DeadTimers => Blow::DeadTimers,
        Kind::Kill => Blow::Kill,
        _ => Blow::Disk(1 + dice.below(12)),
    };
    let side = match blow {
        // It is the request it comes before that is answered wrongly.
        Blow::Answer(_) => When::Before,
        _ => dice.one_of(&[When::Before, When::After]),
    };
    // Most in the first half: few bursts have so many requests that the last ones strike.
    let at = 1 + dice.below(SPAN).min(dice.below(SPAN));
    Planned { kind, router: dice.below(ROUTERS.len()), at, side, blow }
}
