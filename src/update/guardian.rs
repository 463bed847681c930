//! Stands by a new version where nobody else does: the version before starts it as its child, and takes its own place again when the
//! new one does not stand.
//!
//! A lone file that the appliance replaced is started by something that only starts it again. A version that dies before it can count
//! its starts, or that hangs, would stay for ever. So the process that the supervisor knows stays the version before until the new one
//! is kept, and it is what stops when the supervisor says so. The child talks to it as to systemd: ready, more time, still alive.

use crate::base::ids::{hex, random};
use crate::host::signal::Signal;
use crate::update::disk::Real;
use crate::update::error::UpdateError;
use crate::update::swap::Layout;
use rustix::process::{Pid, Signal as Number, getppid, kill_process, kill_process_group, set_parent_process_death_signal};
use std::ffi::OsString;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram as Bound};
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;
use tokio::net::UnixDatagram;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, sleep_until};

/// Tells the child who stands by it: a process number.
const STANDS_BY: &str = "UPDATE_STANDS_BY";
/// Starts that a new version gets.
const STARTS: u32 = 2;
/// How often the notes are looked at beside the child's words.
const LOOK: Duration = Duration::from_secs(5);
/// How long a child has to say that it is stopping already: a supervisor may tell all processes of a service, and a second word is
/// taken for impatience.
const HEARD_ITSELF: Duration = Duration::from_millis(250);

/// How long a new version may be silent.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Until it is ready, or asks for more time.
    pub start: Duration,
    /// Between two signs of life after that.
    pub life: Duration,
    /// Before it is started again.
    pub pause: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { start: Duration::from_secs(120), life: Duration::from_secs(180), pause: Duration::from_secs(1) }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The child ended, and so do we, with its exit code.
    With(u8),
    /// The new version did not stand and the one before is in its place: become that.
    Back,
}

/// Whether this process is the child of one that stands by it.
pub fn is_stood_by() -> bool {
    let named = std::env::var(STANDS_BY).ok().and_then(|pid| pid.parse().ok()).and_then(Pid::from_raw);
    named.is_some() && named == getppid()
}

/// From now on this process ends when the one that stands by it does: nobody else would stop it.
pub fn end_with_who_stands_by() {
    if is_stood_by()
        && let Err(error) = set_parent_process_death_signal(Some(Number::TERM))
    {
        tracing::warn!(%error, "this process will not hear when the one that stands by it ends");
    }
}

/// Starts what lies in place, with these arguments, until it ends for good. `asked` is what the supervisor asks of us.
///
/// Errs when the version before cannot be put back.
pub async fn stand_by(
    layout: &Layout,
    arguments: &[OsString],
    mut asked: impl AsyncFnMut() -> Signal,
    limits: Limits,
) -> Result<Ended, UpdateError> {
    let words = Words::listen().map_err(UpdateError::io("listening to a new version", &layout.root))?;
    let mut failures = 0;
    loop {
        let said = match words.start(layout, arguments, limits) {
            Err(error) => {
                failures = STARTS;
                error.to_string()
            }
            Ok(child) => match attend(layout, child, &words, &mut asked, limits).await {
                Attended::Asked(status) => return Ok(Ended::With(code(status))),
                Attended::Ended(status) if layout.pending().is_none() => return Ok(Ended::With(code(status))),
                Attended::Ended(status) => format!("it ended before it was kept, {status}"),
                Attended::Silent => {
                    failures = STARTS;
                    "it gave no sign of life".to_owned()
                }
            },
        };
        failures += 1;
        let Some(turn) = layout.pending() else { return Ok(Ended::Back) };
        if failures >= STARTS {
            layout.back(&mut Real, &said)?;
            eprintln!("routeros-mcp: version {} did not stand: {said}: back to {}", turn.to, turn.from);
            return Ok(Ended::Back);
        }
        eprintln!("routeros-mcp: version {}: {said}: starting it once more", turn.to);
        tokio::select! {
            () = sleep(limits.pause) => {}
            () = async { while !asked().await.ends() {} } => return Ok(Ended::With(0)),
        }
    }
}

/// How a child was attended to the end.
enum Attended {
    /// It ended, as the supervisor had asked.
    Asked(ExitStatus),
    /// It ended by itself.
    Ended(ExitStatus),
    /// It gave no sign of life for too long before it was kept, and was killed.
    Silent,
}

async fn attend(layout: &Layout, mut child: Child, words: &Words, asked: &mut impl AsyncFnMut() -> Signal, limits: Limits) -> Attended {
    let mut is_asked = false;
    // What was asked and not passed on yet, and when it will be.
    let mut owed: Option<(Instant, Signal)> = None;
    // A version that becomes another one in the same process is watched anew.
    let mut watched = layout.pending().map(|turn| turn.id);
    let mut until = Instant::now() + limits.start;
    loop {
        let is_due = watched.is_some() && !is_asked;
        let look = Instant::now() + LOOK;
        let look = sleep_until(if is_due { until.min(look) } else { look });
        tokio::select! {
            status = child.wait() => {
                let status = status.unwrap_or_else(|_| ExitStatus::from_raw(0));
                return if is_asked { Attended::Asked(status) } else { Attended::Ended(status) };
            }
            signal = asked() => {
                if signal.ends() && !is_asked {
                    is_asked = true;
                    owed = Some((Instant::now() + HEARD_ITSELF, signal));
                } else {
                    owed = None;
                    pass_on(&child, signal);
                }
            }
            Some(signal) = until_due(owed) => {
                owed = None;
                pass_on(&child, signal);
            }
            word = words.next() => match word {
                Word::Alive => until = Instant::now() + limits.life,
                Word::Wait(more) => until = until.max(Instant::now() + more),
                Word::Stopping => owed = None,
                Word::Other => {}
            },
            () = look => {
                let pending = layout.pending().map(|turn| turn.id);
                if pending != watched {
                    until = Instant::now() + limits.start;
                    watched = pending;
                } else if is_due && Instant::now() >= until {
                    // With whatever it started: it is a group of its own.
                    let _ = number_of(&child).map(|pid| kill_process_group(pid, Number::KILL));
                    let _ = child.wait().await;
                    return Attended::Silent;
                }
            }
        }
    }
}

async fn until_due(owed: Option<(Instant, Signal)>) -> Option<Signal> {
    let (when, signal) = owed?;
    sleep_until(when).await;
    Some(signal)
}

fn pass_on(child: &Child, signal: Signal) {
    let number = match signal {
        Signal::Terminate => Number::TERM,
        Signal::Interrupt => Number::INT,
        Signal::Reload => Number::HUP,
    };
    if let Some(Err(error)) = number_of(child).map(|pid| kill_process(pid, number)) {
        tracing::warn!(%error, "the signal was not passed on");
    }
}

fn number_of(child: &Child) -> Option<Pid> {
    child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw)
}

/// As a shell tells it: the exit code, or 128 and the signal.
fn code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    u8::try_from(code).unwrap_or(1)
}

/// What a child says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    /// It is ready, or still alive.
    Alive,
    /// It takes that much longer.
    Wait(Duration),
    /// It is stopping.
    Stopping,
    /// Something else.
    Other,
}

/// Where a child says it, as it would to systemd.
struct Words {
    name: String,
    socket: UnixDatagram,
}

impl Words {
    fn listen() -> std::io::Result<Words> {
        let name = format!("routeros-mcp-{}-{}", std::process::id(), hex(&random::<8>()));
        let socket = Bound::bind_addr(&SocketAddr::from_abstract_name(&name)?)?;
        socket.set_nonblocking(true)?;
        Ok(Words { name, socket: UnixDatagram::from_std(socket)? })
    }

    /// In a process group of its own: what a terminal asks of all of us comes to it once, through us.
    fn start(&self, layout: &Layout, arguments: &[OsString], limits: Limits) -> std::io::Result<Child> {
        Command::new(layout.started())
            .args(arguments)
            .env("NOTIFY_SOCKET", format!("@{}", self.name))
            .env("WATCHDOG_USEC", (limits.life / 3).as_micros().to_string())
            .env_remove("WATCHDOG_PID")
            .env(STANDS_BY, std::process::id().to_string())
            .process_group(0)
            .spawn()
    }

    async fn next(&self) -> Word {
        let mut text = [0; 4_096];
        match self.socket.recv(&mut text).await {
            Ok(length) => word(&String::from_utf8_lossy(&text[..length])),
            Err(_) => Word::Other,
        }
    }
}

fn word(text: &str) -> Word {
    let said = |line: &str| match line.split_once('=') {
        Some(("READY" | "WATCHDOG", "1")) => Some(Word::Alive),
        Some(("STOPPING", "1")) => Some(Word::Stopping),
        Some(("EXTEND_TIMEOUT_USEC", usec)) => usec.parse().ok().map(|usec| Word::Wait(Duration::from_micros(usec))),
        _ => None,
    };
    text.lines().find_map(said).unwrap_or(Word::Other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::update::manifest::Seen;
    use crate::update::samples::*;
    use crate::update::swap::Turn;
    use std::fs;
    use tokio::sync::mpsc::channel;

    const QUICK: Limits = Limits { start: Duration::from_millis(300), life: Duration::from_millis(300), pause: Duration::ZERO };
    const PATIENT: Limits = Limits { start: Duration::from_secs(600), ..QUICK };

    /// Version 1.1.0, this script, in the place of 1.0.0.
    fn switched(script: &str) -> (Site, Layout) {
        let site = Site::new();
        let (layout, fresh) = (site.layout.clone(), site.update.join("new"));
        fs::write(&fresh, format!("#!/bin/sh\ncd {}\n{script}\n", layout.root.display())).unwrap();
        let turn = Turn { from: "1.0.0".into(), to: "1.1.0".into(), id: ID.into(), reason: String::new() };
        layout.switch(&mut Real, &fresh, &turn, &Seen::default()).unwrap();
        (site, layout)
    }

    async fn stood_by(script: &str, limits: Limits) -> (Result<Ended, UpdateError>, Site, Layout) {
        let (site, layout) = switched(script);
        let ended = stand_by(&layout, &["serve".into()], std::future::pending, limits).await;
        (ended, site, layout)
    }

    #[tokio::test]
    async fn a_version_that_ends_twice_before_it_is_kept_makes_way() {
        for script in ["echo $1 >>starts; exit 3", "echo $1 >>starts; kill -ABRT $$", "echo $1 >>starts"] {
            let (ended, _site, layout) = stood_by(script, PATIENT).await;
            assert_eq!(ended.unwrap(), Ended::Back, "{script}");
            assert_eq!(fs::read_to_string(layout.root.join("starts")).unwrap(), "serve\nserve\n", "{script}");
            assert_eq!(fs::read(layout.started()).unwrap(), program("1.0.0"), "{script}");
            assert!(layout.pending().is_none() && layout.rolled_back().unwrap().reason.contains("ended before it was kept"), "{script}");
        }
    }

    #[tokio::test]
    async fn a_version_that_says_nothing_is_killed_with_all_it_started_and_makes_way_at_once() {
        let (ended, _site, layout) = stood_by("echo $$ >>starts; sleep 3000 & echo $! >>starts; wait", QUICK).await;
        assert_eq!(ended.unwrap(), Ended::Back);
        assert!(layout.rolled_back().unwrap().reason.contains("no sign of life"));
        // On a machine that has much to do it was killed before it had started anything.
        let started = fs::read_to_string(layout.root.join("starts")).unwrap_or_default();
        assert!(started.lines().count() <= 2, "started once: {started}");
        let is_gone = |pid: &str| fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "));
        while !started.lines().all(is_gone) {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_version_that_was_kept_ends_as_it_likes() {
        let (ended, _site, layout) = stood_by("rm pending; exit 7", PATIENT).await;
        assert_eq!(ended.unwrap(), Ended::With(7));
        assert!(layout.rolled_back().is_none());
        let (ended, ..) = stood_by("rm pending; kill -TERM $$", PATIENT).await;
        assert_eq!(ended.unwrap(), Ended::With(128 + 15));
    }

    #[tokio::test]
    async fn what_the_supervisor_asks_is_passed_on_and_no_failure() {
        let script = "trap 'exit 5' TERM; trap 'touch reloaded' HUP; touch ready; while :; do sleep 0.01; done";
        let (_site, layout) = switched(script);
        let (asking, mut asked) = channel(1);
        let arguments = ["serve".into()];
        let asks = async {
            for (file, signal) in [("ready", Signal::Reload), ("reloaded", Signal::Terminate)] {
                while !layout.root.join(file).exists() {
                    tokio::task::yield_now().await;
                }
                asking.send(signal).await.unwrap();
            }
        };
        let asked = async || match asked.recv().await {
            Some(signal) => signal,
            None => std::future::pending().await,
        };
        let (ended, ()) = tokio::join!(stand_by(&layout, &arguments, asked, PATIENT), asks);
        assert_eq!(ended.unwrap(), Ended::With(5));
        assert!(layout.pending().is_some() && layout.rolled_back().is_none());
    }

    #[test]
    fn words_are_read_as_systemd_reads_them() {
        for (text, said) in [
            ("READY=1\nSTATUS=serving\n", Word::Alive),
            ("WATCHDOG=1\n", Word::Alive),
            ("STATUS=x\nEXTEND_TIMEOUT_USEC=30000000\n", Word::Wait(Duration::from_secs(30))),
            ("STOPPING=1", Word::Stopping),
            ("READY=0", Word::Other),
            ("EXTEND_TIMEOUT_USEC=x", Word::Other),
        ] {
            assert_eq!(word(text), said, "{text}");
        }
    }
}
