//! The command line: one file a subcommand.
//!
//! Commands that need the store go through whoever holds it ([`reach`]); the others never touch it.

mod alert;
pub mod args;
mod audit;
mod backup;
mod bootstrap;
mod catalog;
mod check;
mod config;
#[cfg(feature = "sim")]
mod demo;
mod device;
mod doctor;
pub mod fault;
mod first_run;
mod health;
mod makes_way;
mod man;
mod output;
mod person;
mod plan;
mod prompt;
mod reach;
mod ready;
mod registration;
mod reload;
mod secret;
mod serve;
mod snapshot;
mod stdio;
mod token;
mod told;
mod tool;
mod update;
mod usage;
mod user;
mod version;

use crate::base::fault::Fault;
use crate::config::sections::Transport;
use crate::config::{Inputs, Loaded};
use crate::host::{log, signal};
use crate::update::guardian;
use crate::update::swap::Layout;
use args::{Cli, Command, DeviceCommand, UpdateCommand};
use clap::{CommandFactory, Parser};
use makes_way::{MakesWay, Moment};
use std::future::Future;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};

/// Worker threads: weak boxes have few cores, and routers are slower than any of them.
const WORKERS: usize = 2;

/// The process, from arguments to exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    let as_json = cli.json;
    if let Some(Command::Health) = cli.command {
        let _ = rustls::crypto::ring::default_provider().install_default();
        return health::run(&Inputs::from_process(cli.config, cli.data_dir, Vec::new()), as_json);
    }
    if let Some(Command::Update(UpdateCommand::StandBy { versions, copy, arguments })) = cli.command {
        let layout = Layout { root: versions, copy };
        return match block_on(makes_way::stand_by(&layout, &arguments)) {
            Ok(code) => ExitCode::from(code),
            Err(fault) => {
                fault::tell(&fault, as_json);
                fault::exit_code(fault.kind)
            }
        };
    }
    match run(cli).and_then(|()| output::complete()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            fault::tell(&fault, as_json);
            tracing::debug!(cause = fault.chain(), "exit");
            fault::exit_code(fault.kind)
        }
    }
}

/// Help goes to standard output with 0; a wrong command line is 64, as every bad input.
fn usage(error: &clap::Error) -> ExitCode {
    // The arguments could not be read, so whether JSON was asked for is looked up by hand.
    let given: Vec<String> = std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    let as_json = given.iter().any(|argument| argument == "--json");
    let fault = if error.use_stderr() {
        usage::fault(error, &given, as_json)
    } else {
        match error.print().map_or_else(output::lost, |()| output::complete()) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(fault) => fault,
        }
    };
    fault::tell(&fault, as_json);
    fault::exit_code(fault.kind)
}

fn run(cli: Cli) -> Result<(), Fault> {
    // One TLS provider for everything; before any client or server is built.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let as_json = cli.json;
    let inputs = Inputs::from_process(cli.config.clone(), cli.data_dir.clone(), Vec::new());
    let command = match cli.command {
        Some(Command::Version) => return version::run(as_json),
        Some(Command::Catalog { markdown }) => {
            if markdown {
                output::text(&catalog::markdown())
            } else {
                output::json(&catalog::json())
            }
            return Ok(());
        }
        Some(Command::Completions { shell }) => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "routeros-mcp", &mut script);
            output::text(&String::from_utf8_lossy(&script));
            return Ok(());
        }
        Some(Command::Man) => {
            output::text(&man::page(&Cli::command()).map_err(Fault::bug)?);
            return Ok(());
        }
        Some(Command::Device(DeviceCommand::Bootstrap(asked))) => return bootstrap::run(&asked, as_json),
        Some(Command::Config(command)) => return config::run(inputs, &command, as_json),
        Some(Command::Check(command)) => return check::run(inputs, &command, as_json),
        Some(Command::Doctor) => return doctor::run(&inputs, as_json),
        Some(Command::Audit(command)) => match audit::of_files(&command, as_json) {
            Some(done) => return done,
            None => Some(Command::Audit(command)),
        },
        Some(Command::Update(UpdateCommand::HandOver { versions, requests })) => {
            return update::hand_over(&inputs, versions, &requests);
        }
        #[cfg(feature = "sim")]
        Some(Command::Demo(command)) => return block_on(demo::run(inputs, command, as_json)),
        other => other,
    };
    let loaded = match crate::config::load(&inputs) {
        Ok(loaded) => loaded,
        Err(problems) if matches!(command, Some(Command::Stdio)) => return block_on(stdio::bridge(problems)),
        Err(problems) => return Err(problems.into()),
    };
    let log = start_log(&loaded, &command, as_json);
    for warning in &loaded.warnings {
        tracing::warn!("{warning}");
    }
    match command {
        Some(Command::Serve(serve)) => self::serve(loaded, (inputs, log), serve),
        None if loaded.config.mcp.transport != Transport::Stdio => self::serve(loaded, (inputs, log), args::Serve { once_ready_fd: None }),
        command => match block_on_workers(with_store(loaded, command, as_json))? {
            Some(next) => next.go(&args::Serve { once_ready_fd: None }),
            None => Ok(()),
        },
    }
}

/// The daemon, and what it becomes afterwards, when nothing of it runs any more.
fn serve(loaded: Loaded, (inputs, log): (Inputs, Option<log::Handle>), arguments: args::Serve) -> Result<(), Fault> {
    guardian::end_with_who_stands_by();
    let reloader = reload::Reloader::new(inputs, &loaded, log);
    let arguments = Arc::new(arguments);
    let given = arguments.clone();
    match block_on_workers(async move { serve::run(&loaded, reloader, &given).await })? {
        serve::Ended::MakesWay(next) => next.go(&arguments),
        serve::Ended::Stopped => Ok(()),
    }
}

/// The log of a daemon or a stdio server. One-off commands stay quiet unless something is wrong, and with `--json` even
/// then: what a program reads on standard error is the error object alone. `log.level = "DEBUG"` opens both up.
fn start_log(loaded: &Loaded, command: &Option<Command>, as_json: bool) -> Option<log::Handle> {
    let lasting = matches!(command, None | Some(Command::Serve(_) | Command::Stdio));
    let log = &loaded.config.log;
    let started = if lasting || matches!(log.level, log::Level::Debug | log::Level::Trace) {
        log::start(log.level, log.format, log.target)
    } else if as_json {
        return None;
    } else {
        log::start(log::Level::Error, log::Format::Text, log.target)
    };
    started.inspect_err(|error| eprintln!("routeros-mcp: no log: {error}")).ok()
}

/// Answers what this process has to become instead, if it has.
async fn with_store(loaded: Loaded, command: Option<Command>, as_json: bool) -> Result<Option<MakesWay>, Fault> {
    let command = match command {
        None if loaded.config.mcp.transport == Transport::Stdio => return stdio::run(&loaded).await,
        Some(Command::Stdio) => return stdio::run(&loaded).await,
        None => return Err(Fault::bug("the daemon came here")),
        Some(Command::Backup(command)) => return backup::run(&loaded, command, as_json).await.map(|()| None),
        Some(command) => command,
    };
    let way = match reach::find(&loaded).await {
        Ok(way) => way,
        // What a new version in its probation made of the store, and says, it understands itself.
        Err(fault) => {
            let next = crate::app::next_version(&loaded).filter(|layout| layout.copy.is_some());
            return next.map(|layout| Some(MakesWay { layout, moment: Moment::CommandStarts })).ok_or(fault);
        }
    };
    let done = match command {
        Command::Device(command) => device::run(&way, command, as_json).await,
        Command::Registration(command) => registration::run(&way, command, as_json).await,
        Command::Alert(command) => alert::run(&way, command, as_json).await,
        Command::Tool(command) => tool::run(&way, command, as_json).await,
        Command::Snapshot(command) => snapshot::run(&way, command, as_json).await,
        Command::Plan(command) => plan::run(&way, command, as_json).await,
        Command::User(command) => user::run(&way, command, as_json).await,
        Command::Secret(command) => secret::run(&way, command, as_json).await,
        Command::Token(command) => token::run(&way, command, as_json).await,
        Command::Update(command) => update::run(&way, &loaded, command, as_json).await,
        Command::Key(args::KeyCommand::Rotate { new_key_file }) => backup::rotate(&way, new_key_file.as_deref(), as_json).await,
        Command::SetupToken => first_run::run(&way, as_json).await,
        Command::Audit(command) => audit::run(&way, &loaded, command, as_json).await,
        _ => Err(Fault::bug("a command without store came here")),
    };
    way.close().await;
    done.map(|()| None)
}

fn block_on<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    with_runtime(|runtime| runtime.block_on(ready(work)))
}

/// As [`block_on`], but among the workers: from this thread every request would cost a switch to one of them and back.
fn block_on_workers<T: Send + 'static>(work: impl Future<Output = Result<T, Fault>> + Send + 'static) -> Result<T, Fault> {
    with_runtime(|runtime| runtime.block_on(runtime.spawn(ready(work))).map_err(Fault::bug)?)
}

async fn ready<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    // Ours to report like a full disk, not to die of half-way.
    signal::survive_file_size_limit().map_err(Fault::bug)?;
    work.await
}

fn with_runtime<T>(run: impl FnOnce(&Runtime) -> Result<T, Fault>) -> Result<T, Fault> {
    let runtime = Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build().map_err(Fault::bug)?;
    let done = run(&runtime);
    // A thread that blocks on standard input must not keep the process.
    runtime.shutdown_background();
    done
}
