//! What the supervisor or a person at the terminal asks of the process.

use tokio::signal::unix::{Signal as Stream, SignalKind, signal};

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM: stop accepting, finish what runs, leave.
    Terminate,
    /// SIGINT: the same, from a terminal.
    Interrupt,
    /// SIGHUP: read the configuration again.
    Reload,
}

impl Signal {
    /// Whether the process is to end.
    pub fn ends(self) -> bool {
        !matches!(self, Signal::Reload)
    }
}

/// Listens from the moment it is made; a signal that comes between two waits is kept.
#[derive(Debug)]
pub struct Signals {
    terminate: Stream,
    interrupt: Stream,
    reload: Stream,
}

impl Signals {
    /// Starts listening. Needs a running tokio runtime.
    ///
    /// # Errors
    /// When the system refuses a handler.
    pub fn listen() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
        })
    }

    /// The next signal. Has no deadline: a daemon waits here for its whole life.
    pub async fn next(&mut self) -> Signal {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => Signal::Terminate,
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.reload.recv() => Signal::Reload,
        }
    }

    /// Waits until the process is to end, and forgets reloads: for commands that cannot reload.
    pub async fn end(&mut self) -> Signal {
        loop {
            let signal = self.next().await;
            if signal.ends() {
                return signal;
            }
        }
    }
}

/// From now on a write beyond the limit on file sizes (`ulimit -f`) fails like one on a full disk, instead of ending the
/// process with SIGXFSZ. Needs a running tokio runtime.
///
/// # Errors
/// When the system refuses a handler.
pub fn survive_file_size_limit() -> std::io::Result<()> {
    // Listened to once, the signal stays caught; nobody has to wait for it.
    signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw())).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// One test for all of them: signals go to the whole process, and plain `cargo test` shares one.
    #[tokio::test]
    async fn each_signal_arrives_as_what_it_asks() {
        let mut signals = Signals::listen().unwrap();
        let me = rustix::process::getpid();
        for (sent, want) in [
            (rustix::process::Signal::HUP, Signal::Reload),
            (rustix::process::Signal::INT, Signal::Interrupt),
            (rustix::process::Signal::TERM, Signal::Terminate),
        ] {
            rustix::process::kill_process(me, sent).unwrap();
            let got = tokio::time::timeout(Duration::from_secs(5), signals.next()).await.unwrap();
            assert_eq!((got, got.ends()), (want, want != Signal::Reload));
        }
        rustix::process::kill_process(me, rustix::process::Signal::HUP).unwrap();
        rustix::process::kill_process(me, rustix::process::Signal::TERM).unwrap();
        assert_eq!(tokio::time::timeout(Duration::from_secs(5), signals.end()).await.unwrap(), Signal::Terminate);
    }
}
