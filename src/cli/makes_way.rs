//! One version of this program becoming another, in the process that the supervisor, or the client, knows.

use crate::base::fault::{Fault, Kind};
use crate::cli::args::Serve;
use crate::host::signal::Signals;
use crate::update::disk::Real;
use crate::update::guardian;
use crate::update::start::{COUNTED, may_try};
use crate::update::swap::{Layout, is_executable};
use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// This process makes way for another version.
pub struct MakesWay {
    /// Where that lies.
    pub layout: Layout,
    /// What this process was to be, or was.
    pub moment: Moment,
}

/// When it makes way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// As a daemon, before it began.
    DaemonStarts,
    /// As a daemon that served: sockets that a supervisor passed are closed by now.
    DaemonEnds,
    /// As a command or a stdio session, before it began: whoever waits for it starts it anew when it hangs.
    CommandStarts,
}

impl MakesWay {
    /// Before this process began: says so where people and supervisors look.
    pub fn at_start(layout: Layout, moment: Moment) -> MakesWay {
        match layout.pending() {
            Some(turn) => eprintln!("routeros-mcp: version {} is tried", turn.to),
            None => eprintln!("routeros-mcp: version {} did not stand and makes way for the one before", env!("CARGO_PKG_VERSION")),
        }
        MakesWay { layout, moment }
    }

    /// Becomes it, with the same arguments. Where sockets would have to be passed on and cannot be, it ends, and is started again.
    pub fn go(self, arguments: &Serve) -> Result<(), Fault> {
        let MakesWay { layout, moment } = self;
        let has_sockets = std::env::var_os("LISTEN_FDS").is_some();
        if has_sockets && moment == Moment::DaemonEnds {
            return Ok(());
        }
        let passed = passed(arguments, moment);
        // One who stands by would be whom the supervisor gave the sockets to.
        if moment != Moment::CommandStarts && !has_sockets && is_nobodys(&layout) {
            stand_by_it(&layout, &passed, moment);
        }
        let error = become_it(&layout, &passed, moment);
        let said = format!("{}: {error}", layout.started().display());
        // It started when it was tried out, and does not now: the version before does.
        if layout.pending().is_some() && layout.back(&mut Real, &said).is_ok() {
            become_it(&layout, &passed, moment);
        }
        Err(Fault::new(Kind::Storage, said).hint("start it by hand; `update status` tells how the update went"))
    }
}

fn passed(arguments: &Serve, moment: Moment) -> Vec<OsString> {
    let mut passed: Vec<OsString> = std::env::args_os().skip(1).collect();
    if arguments.once_ready_fd.is_some() && moment == Moment::DaemonEnds {
        // Said once; the descriptor is closed.
        let flag = |argument: &OsString| argument.to_string_lossy().starts_with("--once-ready-fd");
        if let Some(at) = passed.iter().position(flag) {
            let more = usize::from(passed[at] == "--once-ready-fd");
            passed.drain(at..=(at + more).min(passed.len() - 1));
        }
    }
    passed
}

fn become_it(layout: &Layout, passed: &[OsString], moment: Moment) -> std::io::Error {
    let next = layout.started();
    if !is_executable(&next) {
        return std::io::Error::other("no program for this machine");
    }
    counted(&mut Command::new(next), layout, moment).args(passed).exec()
}

/// Stands by the new version until it is kept. Returns where that does not start: then the new one is on its own.
fn stand_by_it(layout: &Layout, passed: &[OsString], moment: Moment) {
    let Some(turn) = layout.pending() else { return };
    let before = layout.binary(&turn.from);
    if !is_executable(&before) {
        return;
    }
    let mut command = Command::new(&before);
    command.args(["update", "stand-by", "--versions"]).arg(&layout.root);
    if let Some(copy) = &layout.copy {
        command.arg("--copy").arg(copy);
    }
    let error = counted(&mut command, layout, moment).arg("--").args(passed).exec();
    eprintln!("routeros-mcp: nobody stands by the new version: {}: {error}", before.display());
}

/// Tells the new version of a lone file that its start was counted: it would not come to count itself when it dies at once.
fn counted<'c>(command: &'c mut Command, layout: &Layout, moment: Moment) -> &'c mut Command {
    match layout.pending().filter(|_| layout.copy.is_some()) {
        Some(turn) => {
            if moment == Moment::DaemonEnds {
                may_try(layout, &turn);
            }
            command.env(COUNTED, turn.id)
        }
        None => command.env_remove(COUNTED),
    }
}

/// Whether nobody else sees to a version that does not stand: no guard of root's, no systemd, and no parent that stands by.
fn is_nobodys(layout: &Layout) -> bool {
    !layout.is_guarded() && std::env::var_os("NOTIFY_SOCKET").is_none() && !guardian::is_stood_by()
}

/// Stands by the version in place, and becomes the one before when it does not stand. Answers the exit code.
pub async fn stand_by(layout: &Layout, arguments: &[OsString]) -> Result<u8, Fault> {
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    match guardian::stand_by(layout, arguments, async || signals.next().await, guardian::Limits::default()).await? {
        guardian::Ended::With(code) => Ok(code),
        guardian::Ended::Back => {
            let error = Command::new(layout.started()).args(arguments).exec();
            Err(Fault::new(Kind::Storage, format!("{}: {error}", layout.started().display())).hint("start it by hand"))
        }
    }
}
