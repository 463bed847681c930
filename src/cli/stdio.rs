//! `stdio`: MCP on standard input and output.
//!
//! Whoever holds the store serves the session: a running appliance through its control socket, or this process. When a
//! holder leaves, this one takes its place or finds the next; the client notices a pause at most.

use crate::app::{self, App, AtStart};
use crate::base::fault::{Fault, Kind};
use crate::cli::makes_way::{MakesWay, Moment};
use crate::cli::reach::{HOLDER_WAIT, RETRY};
use crate::config::sections::Mode;
use crate::config::{Loaded, Problems};
use crate::control::{client, peer};
use crate::host::paths::Places;
use crate::host::signal::Signals;
use crate::mcp::backend::Backend;
use crate::mcp::front::Limits;
use crate::mcp::stdio;
use crate::tools;
use std::io::{self, IsTerminal};
use std::sync::Arc;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Serves the client until its stream ends or a signal says stop. Answers what to become before anything is read, where a new
/// version has to prove itself.
pub async fn run(loaded: &Loaded) -> Result<Option<MakesWay>, Fault> {
    peer::may_speak(io::stdin(), &peer::machine()).map_err(Fault::denied)?;
    let start = match app::at_start(loaded).await? {
        AtStart::Becomes(layout) => return Ok(Some(MakesWay::at_start(layout, Moment::CommandStarts))),
        start => start,
    };
    let stop = CancellationToken::new();
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    if io::stdin().is_terminal() {
        eprintln!("This speaks MCP to a client on standard input and output. Ctrl-D ends it; `routeros-mcp --help` lists the commands.");
    }
    let seat = Arc::new(Seat { loaded: loaded.clone(), app: Mutex::new(None), is_over: CancellationToken::new() });
    let first = seat.clone().first().await?;
    if start == AtStart::Counted && seat.app.lock().await.is_none() {
        app::forgive_start(loaded);
    }
    let limits = Limits {
        drain: loaded.config.shutdown.drain_seconds.0,
        permissive: loaded.config.mcp.client_compatibility_mode == Mode::Permissive,
        ..Limits::default()
    };
    let again = seat.clone();
    let session = stdio::serve(first, move || again.clone().backend(), only_reads, limits, stop.clone());
    tokio::pin!(session);
    let mut is_told = false;
    let ended = tokio::select! {
        ended = &mut session => ended,
        _ = signals.end() => {
            is_told = true;
            stop.cancel();
            session.await
        }
        () = seat.is_over.cancelled() => {
            is_told = true;
            stop.cancel();
            session.await.and(Err(taken_back()))
        }
    };
    if let Some(app) = seat.app.lock().await.take() {
        if ended.is_ok() {
            app.dispatch.world().updates.end_in_order();
        }
        if !is_told {
            // A router between armed and settled is not left alone; the control socket still takes a person's word.
            tokio::select! {
                _ = app.plans().rest(true) => {}
                _ = signals.end() => {}
            }
        }
        app.close().await;
    }
    ended.map(|()| None)
}

fn taken_back() -> Fault {
    Fault::new(Kind::Conflict, format!("version {} was taken back", env!("CARGO_PKG_VERSION"))).hint("the client has to start it anew")
}

/// Whether a tool, by either spelling of its name, may be called twice without harm.
fn only_reads(name: &str) -> bool {
    tools::find(name).is_some_and(|tool| tool.only_reads())
}

/// Serves the client through a running appliance although this process's own configuration cannot be used: a bridge goes
/// by the appliance's. Without one, the configuration's problems are the answer.
pub async fn bridge(problems: Problems) -> Result<(), Fault> {
    let socket = Places { state: problems.view.state_dir.clone(), runtime: problems.view.runtime_dir.clone() }.control_socket();
    let Ok(stream) = client::mcp_stream(&socket).await else { return Err(problems.into()) };
    let stop = CancellationToken::new();
    let mut signals = Signals::listen().map_err(Fault::bug)?;
    let reopen = move || {
        let socket = socket.clone();
        async move { client::mcp_stream(&socket).await.map(Backend::new).map_err(Fault::from) }
    };
    let session = stdio::serve(Backend::new(stream), reopen, only_reads, Limits::default(), stop.clone());
    tokio::pin!(session);
    tokio::select! {
        ended = &mut session => ended,
        _ = signals.end() => {
            stop.cancel();
            session.await
        }
    }
}

/// Where the session is served, and the store if it is ours.
struct Seat {
    loaded: Loaded,
    app: Mutex<Option<App>>,
    /// Ends the session: what it stores from now on would be lost.
    is_over: CancellationToken,
}

impl Seat {
    /// The first backend; a holder that starts or leaves just now is waited for.
    async fn first(self: Arc<Self>) -> Result<Backend, Fault> {
        let deadline = Instant::now() + HOLDER_WAIT;
        loop {
            match self.clone().backend().await {
                Err(fault) if fault.kind == Kind::Conflict && Instant::now() < deadline => tokio::time::sleep(RETRY).await,
                other => return other,
            }
        }
    }

    /// A stream to the holder, or a session of our own. `Conflict` while another process has the store but no socket yet.
    async fn backend(self: Arc<Self>) -> Result<Backend, Fault> {
        let mut ours = self.app.lock().await;
        if ours.is_none() {
            match client::mcp_stream(&app::places(&self.loaded).control_socket()).await {
                Ok(stream) => return Ok(Backend::new(stream)),
                Err(error) if error.is_nobody() => {}
                Err(error) => return Err(error.into()),
            }
            // Whoever serves comes as that version; the store may be none that this one can read any more.
            if let Some(turn) = app::next_version(&self.loaded).and_then(|layout| layout.pending()) {
                let said = format!("version {} takes the place of {}", turn.to, env!("CARGO_PKG_VERSION"));
                return Err(Fault::new(Kind::Conflict, said).hint("the client has to start it anew"));
            }
            let app = App::build(&self.loaded).await?;
            if let Err(fault) = app.open_doors().await {
                app.close().await;
                return Err(fault);
            }
            app.prove_without_listener();
            self.watch_updates(&app);
            *ours = Some(app);
        }
        let app = ours.as_ref().expect("it was just put there");
        Ok(stdio::local(app.dispatch.clone(), Arc::new(app.stdio_principal()), app.mcp(), &app.tasks, app.stop.child_token()))
    }

    /// A session is bound to this process: it cannot become another version under its client.
    fn watch_updates(&self, app: &App) {
        let (updates, is_over, stop) = (app.dispatch.world().updates.clone(), self.is_over.clone(), app.stop.clone());
        app.tasks.spawn(async move {
            if stop.run_until_cancelled(updates.restart().cancelled()).await.is_none() {
                return;
            }
            match updates.settings().way.layout().and_then(|layout| layout.pending()) {
                Some(turn) => tracing::warn!(version = turn.to, "another version is in place: it runs when the client starts this anew"),
                None => is_over.cancel(),
            }
        });
    }
}
