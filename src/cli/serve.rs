//! `serve`: the daemon.

use crate::app::{self, App, AtStart};
use crate::base::clock::Clock;
use crate::base::fault::{Fault, Kind};
use crate::cli::args::Serve;
use crate::cli::makes_way::{MakesWay, Moment};
use crate::cli::reload::Reloader;
use crate::config::Loaded;
use crate::host::notify::Notifier;
use crate::host::signal::{Signal, Signals};
use crate::http::Listener;
use crate::store::Progress;
use serde_json::json;
use std::time::Duration;

/// Between two words to the service manager that the start takes longer, and how many there are without anything going on.
const START_PAUSE: Duration = Duration::from_secs(10);
const START_ASKS: u32 = 60;
/// Between two tries of a start that lacks room on the disk.
const ROOM_PAUSE: Duration = Duration::from_secs(5);

/// How it ended.
pub enum Ended {
    /// Told to.
    Stopped,
    /// This process makes way for another version.
    MakesWay(MakesWay),
}

/// Runs until SIGTERM or SIGINT, or until another version takes its place.
pub async fn run(loaded: &Loaded, mut reloader: Reloader, arguments: &Serve) -> Result<Ended, Fault> {
    if let AtStart::Becomes(layout) = app::at_start(loaded).await? {
        return Ok(Ended::MakesWay(MakesWay::at_start(layout, Moment::DaemonStarts)));
    }
    // Listening first: a signal during start-up ends it in order.
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    let (notifier, progress) = (Notifier::from_process(), Progress::default());
    // A large store that the power cut is repaired, an old one brought up to date: the manager waits for that, not for ever.
    let app = tokio::select! {
        biased;
        app = built(loaded, &notifier, &progress) => app?,
        () = ask_for_time(&notifier, &progress, START_PAUSE) => return Err(Fault::new(Kind::Storage, "nothing went on for ten minutes while the store was opened").hint("look at the disk (kernel log)")),
        _ = signals.end() => return Ok(Ended::Stopped),
    };
    let listener = match open(&app, arguments).await {
        Ok(listener) => listener,
        Err(fault) => {
            app.close().await;
            return Err(fault);
        }
    };
    announce(&app, &listener).await;
    notifier.ready("serving");
    feed_watchdog(&app, &notifier);
    let restart = app.dispatch.world().updates.makes_way().clone();
    loop {
        let signal = tokio::select! {
            signal = signals.next() => signal,
            () = restart.cancelled() => {
                tracing::info!("stopping: another version takes this one's place");
                break;
            }
        };
        match signal {
            Signal::Reload => {
                notifier.reloading();
                let status = reloader.reload(&app, &listener).await;
                notifier.ready(&status);
            }
            signal => {
                tracing::info!(?signal, "stopping");
                break;
            }
        }
    }
    let way = app.dispatch.world().updates.settings().way.clone();
    // Whoever becomes another version goes on under the same supervisor, which hears that it is ready again.
    if !restart.is_cancelled() {
        notifier.stopping();
    }
    tokio::select! {
        () = app.close() => {}
        signal = signals.end() => tracing::warn!(?signal, "told twice: leaving without waiting for what runs"),
    }
    match way.layout() {
        Some(layout) if restart.is_cancelled() => Ok(Ended::MakesWay(MakesWay { layout: layout.clone(), moment: Moment::DaemonEnds })),
        _ => Ok(Ended::Stopped),
    }
}

/// Builds the appliance, when there is room for what that takes.
async fn built(loaded: &Loaded, notifier: &Notifier, progress: &Progress) -> Result<App, Fault> {
    let app = when_there_is_room(notifier, ROOM_PAUSE, || App::build_telling(loaded, Clock::system(), progress.clone())).await?;
    if let Err(fault) = when_there_is_room(notifier, ROOM_PAUSE, || app.may_open()).await {
        app.close().await;
        return Err(fault);
    }
    Ok(app)
}

/// Tries again for as long as it is only room that is missing: a supervisor that started us anew each time would soon give up, and
/// nobody would be there when somebody has made some.
async fn when_there_is_room<T, F>(notifier: &Notifier, pause: Duration, mut work: impl FnMut() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    loop {
        match work().await {
            Err(fault) if fault.is_for_want_of_room() => {
                tracing::error!(cause = fault.chain(), "the start waits for room on the disk");
                notifier.status("waiting for room on the disk");
            }
            done => return done,
        }
        tokio::time::sleep(pause).await;
    }
}

/// Opens every door, and tells a starter who waits for that.
async fn open(app: &App, arguments: &Serve) -> Result<Listener, Fault> {
    app.open_doors().await?;
    let listener = app.listen().await?;
    for name in app.sockets.left() {
        tracing::warn!(name, "a passed socket is not used: https needs http.tls, metrics needs metrics.enabled");
    }
    if let Some(fd) = arguments.once_ready_fd {
        let line = json!({"ready": true, "http": listener.url, "control": app.places.control_socket(), "pid": std::process::id()});
        crate::cli::ready::tell(fd, &line)?;
    }
    Ok(listener)
}

/// Says on standard error where it is.
async fn announce(app: &App, listener: &Listener) {
    let control = app.places.control_socket();
    eprintln!("routeros-mcp {} ready: control socket {}, {}", env!("CARGO_PKG_VERSION"), control.display(), listener.url);
    if let Some(fingerprint) = listener.fingerprint() {
        let until = if listener.is_provisional() { " (our own, until the certificate authority has given us one)" } else { "" };
        eprintln!("certificate {fingerprint}{until}");
    }
    if let Some(url) = &listener.metrics_url {
        eprintln!("metrics at {url}");
    }
    match app.first_run().await {
        Ok(Some(first)) => crate::cli::first_run::announce(&first),
        Ok(None) => {}
        // Whoever has a key to the box makes the first user with the command line.
        Err(fault) => tracing::error!("no address for the first run: {}", fault.chain()),
    }
}

/// Feeds the service manager's watchdog, if it has one: only while the event loop turns and the store answers a read.
fn feed_watchdog(app: &App, notifier: &Notifier) {
    let Some(every) = notifier.watchdog_every() else { return };
    let (alive, store, stop) = (notifier.clone(), app.dispatch.world().store.clone(), app.stop.clone());
    app.tasks.spawn(async move {
        let mut tick = tokio::time::interval(every);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = tick.tick() => if store.get("watchdog", "read").is_ok() { alive.alive() },
            }
        }
    });
}

/// Says again and again that the start takes longer, and how far a migration of the store is; returns when nothing went on for too
/// long.
async fn ask_for_time(notifier: &Notifier, progress: &Progress, pause: Duration) {
    let (mut quiet, mut before) = (0, progress.done());
    while quiet < START_ASKS {
        tokio::time::sleep(pause).await;
        notifier.extend_timeout(pause * 3);
        if let Some(words) = progress.words() {
            notifier.status(&words);
        }
        quiet = if progress.done() == before { quiet + 1 } else { 0 };
        before = progress.done();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreError;
    use std::os::unix::net::UnixDatagram;

    #[tokio::test]
    async fn a_start_that_brings_the_store_up_to_date_says_so_for_as_long_as_it_goes_on() {
        const PAUSE: Duration = Duration::from_millis(10);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let notifier = Notifier::from_env(|name| (name == "NOTIFY_SOCKET").then(|| path.display().to_string()), 1);
        let progress = Progress::default();
        progress.begin(2, 100_000);
        let heard = {
            let progress = progress.clone();
            std::thread::spawn(move || {
                let (mut buffer, mut said) = ([0; 256], Vec::new());
                // Each word is answered by some more rows, far longer than a start without any would be waited for.
                while said.len() < 4 * START_ASKS as usize {
                    let n = manager.recv(&mut buffer).unwrap();
                    said.push(String::from_utf8_lossy(&buffer[..n]).into_owned());
                    progress.add(64);
                }
                (said, manager)
            })
        };
        ask_for_time(&notifier, &progress, PAUSE).await;
        let (said, _manager) = heard.join().unwrap();
        assert_eq!(said[0], "EXTEND_TIMEOUT_USEC=30000\n");
        assert!(
            said.iter().any(|word| word.starts_with("STATUS=bringing the store to schema 2: ") && word.contains("of about 100000 rows"))
        );
        assert!(said.iter().filter(|word| word.starts_with("EXTEND")).count() > START_ASKS as usize);
    }

    #[tokio::test]
    async fn a_start_that_only_lacks_room_is_tried_again_and_every_other_failure_ends_it() {
        let (mut tries, nobody) = (0, Notifier::from_env(|_| None, 1));
        let failing = |kind: std::io::ErrorKind| Fault::new(Kind::Storage, "store: committing").cause(std::io::Error::from(kind));
        let ended: Result<(), Fault> = when_there_is_room(&nobody, Duration::ZERO, || {
            tries += 1;
            std::future::ready(Err(match tries {
                // As the store tells it, and as everybody else does.
                1 => StoreError::io("committing", std::io::ErrorKind::StorageFull.into()).into(),
                2 => failing(std::io::ErrorKind::QuotaExceeded),
                _ => failing(std::io::ErrorKind::PermissionDenied),
            }))
        })
        .await;
        assert!(ended.is_err());
        assert_eq!(tries, 3);
    }
}
