//! The log: journald when systemd reads us, else standard error. Never standard output, which belongs to MCP.
//!
//! What a call is about stands in its span (`correlation_id`, `device`, `tool`, `outcome`); every line inside the span carries
//! it, in journald as native fields `RMCP_CORRELATION_ID`, `RMCP_DEVICE`, `RMCP_TOOL`, `RMCP_OUTCOME`.

use crate::base::fault::Fault;
use serde::Deserialize;
use std::io::Write;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::Registry;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, reload};

/// Libraries that tell too much: they stay at `warn` unless everything is written (`trace`).
const QUIET: [&str; 8] = ["rmcp", "hyper", "hyper_util", "h2", "reqwest", "rustls", "russh", "redb"];
/// Prefix of our native journald fields.
const FIELD_PREFIX: &str = "RMCP";

/// The least important line that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Only what failed.
    Error,
    /// And what looks wrong.
    Warn,
    /// And what happened.
    #[default]
    Info,
    /// And why.
    Debug,
    /// Everything.
    Trace,
}

/// How a line on standard error looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One JSON object a line.
    #[default]
    Json,
    /// For people.
    Text,
}

/// Where lines go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Target {
    /// journald when `JOURNAL_STREAM` says that systemd started us, else standard error.
    #[default]
    Auto,
    /// Standard error.
    Stderr,
    /// journald; standard error where there is none.
    Journald,
}

/// Changes the level of a running log, after a reload of the configuration.
#[derive(Debug, Clone)]
pub struct Handle(reload::Handle<Targets, Registry>);

impl Handle {
    /// From now on lines of this level are written.
    pub fn set_level(&self, level: Level) {
        // Fails only when the log is gone, and then there is nothing to set.
        let _ = self.0.reload(filter(level));
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
#[error("a log has been started already")]
pub struct LogError(#[source] tracing_subscriber::util::TryInitError);

impl From<LogError> for Fault {
    fn from(error: LogError) -> Self {
        Fault::bug(error)
    }
}

/// Starts the log of this process. Once only.
///
/// # Errors
/// When a log has been started before.
pub fn start(level: Level, format: Format, target: Target) -> Result<Handle, LogError> {
    let journal = wants_journal(target, std::env::var_os("JOURNAL_STREAM").is_some());
    let (out, why_not) = match journal.then(journald) {
        Some(Ok(layer)) => (layer, None),
        Some(Err(error)) => (lines(format, std::io::stderr), Some(error)),
        None => (lines(format, std::io::stderr), None),
    };
    let (filter, handle) = reload::Layer::new(filter(level));
    tracing_subscriber::registry().with(filter).with(out).try_init().map_err(LogError)?;
    if let Some(error) = why_not {
        tracing::warn!(%error, "no journald here; logging to standard error");
    }
    Ok(Handle(handle))
}

fn wants_journal(target: Target, started_by_systemd: bool) -> bool {
    match target {
        Target::Auto => started_by_systemd,
        Target::Stderr => false,
        Target::Journald => true,
    }
}

type Out<S> = Box<dyn Layer<S> + Send + Sync>;

/// journald counts `info` as "notice" unless told otherwise.
fn journald<S>() -> std::io::Result<Out<S>>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
{
    use tracing_journald::{Priority, PriorityMappings};
    let priorities = PriorityMappings { info: Priority::Informational, debug: Priority::Debug, ..PriorityMappings::new() };
    let layer = tracing_journald::layer()?.with_field_prefix(Some(FIELD_PREFIX.to_owned())).with_priority_mappings(priorities);
    Ok(layer.boxed())
}

fn lines<S, W>(format: Format, to: W) -> Out<S>
where
    S: tracing::Subscriber + for<'a> tracing_subscriber::registry::LookupSpan<'a>,
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Unbreakable(to));
    match format {
        Format::Json => layer.json().flatten_event(true).with_current_span(false).with_span_list(true).boxed(),
        Format::Text => layer.boxed(),
    }
}

/// What is written at a level. `Targets` rather than `EnvFilter`: the same without half a megabyte of regular expressions.
fn filter(level: Level) -> Targets {
    let wanted = match level {
        Level::Error => LevelFilter::ERROR,
        Level::Warn => LevelFilter::WARN,
        Level::Info => LevelFilter::INFO,
        Level::Debug => LevelFilter::DEBUG,
        Level::Trace => LevelFilter::TRACE,
    };
    let filter = Targets::new().with_default(wanted);
    match level {
        Level::Info | Level::Debug => filter.with_targets(QUIET.iter().map(|library| (*library, LevelFilter::WARN))),
        _ => filter,
    }
}

/// A writer whose failures nobody sees: an MCP client that closed our standard error must not stop the service.
struct Unbreakable<W>(W);

impl<'w, W: MakeWriter<'w>> MakeWriter<'w> for Unbreakable<W> {
    type Writer = Quiet<W::Writer>;

    fn make_writer(&'w self) -> Self::Writer {
        Quiet(self.0.make_writer())
    }
}

struct Quiet<W>(W);

impl<W: Write> Write for Quiet<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.write_all(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        let _ = self.0.flush();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};
    use tracing::subscriber::with_default;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    /// What a log of this level and format writes while `act` runs.
    fn written(level: Level, format: Format, act: impl FnOnce()) -> String {
        let page = Page::default();
        let to = page.clone();
        let subscriber = tracing_subscriber::registry().with(filter(level)).with(lines(format, move || to.clone()));
        with_default(subscriber, act);
        let bytes = page.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn every_line_inside_a_call_carries_its_correlation_id() {
        let act = || {
            let call = tracing::info_span!("call", correlation_id = "c-1", tool = "system.get_overview", outcome = tracing::field::Empty);
            let _in = call.enter();
            let _deeper = tracing::info_span!("lane", device = "dev_1").entered();
            tracing::info!(ms = 3, "answered");
        };
        let json = written(Level::Info, Format::Json, act);
        let line: serde_json::Value = serde_json::from_str(json.trim()).unwrap();
        assert_eq!(line["message"], "answered");
        assert_eq!((&line["spans"][0]["correlation_id"], &line["spans"][1]["device"]), (&"c-1".into(), &"dev_1".into()), "{line}");
        let text = written(Level::Info, Format::Text, act);
        assert!(text.contains("c-1") && text.contains("dev_1") && text.contains("answered"), "{text}");
    }

    #[test]
    fn info_leaves_out_debug_and_what_libraries_tell_of_themselves() {
        let act = || {
            tracing::debug!("a detail");
            tracing::info!(target: "rmcp::service", "library talk");
            tracing::warn!(target: "rmcp::service", "library trouble");
            tracing::info!("news");
        };
        let info = written(Level::Info, Format::Text, act);
        assert!(!info.contains("a detail") && !info.contains("library talk"), "{info}");
        assert!(info.contains("library trouble") && info.contains("news"), "{info}");
        assert!(written(Level::Debug, Format::Text, act).contains("a detail"));
        assert!(written(Level::Trace, Format::Text, act).contains("library talk"));
        assert!(!written(Level::Error, Format::Text, act).contains("trouble"));
    }

    #[test]
    fn hostile_text_cannot_start_a_line_or_colour_the_terminal() {
        let hostile = "x\u{1b}[31m\nINFO forged";
        for format in [Format::Text, Format::Json] {
            let out = written(Level::Info, format, || tracing::info!(name = hostile, "seen"));
            assert!(out.lines().count() == 1 && !out.contains('\u{1b}'), "{format:?}: {out:?}");
        }
    }

    #[test]
    fn journald_is_for_those_systemd_started_unless_told_otherwise() {
        for (target, systemd, want) in
            [(Target::Auto, true, true), (Target::Auto, false, false), (Target::Stderr, true, false), (Target::Journald, false, true)]
        {
            assert_eq!(wants_journal(target, systemd), want, "{target:?} {systemd}");
        }
    }

    #[test]
    fn a_closed_standard_error_stops_nobody() {
        struct Closed;
        impl Write for Closed {
            fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> std::io::Result<()> {
                Err(std::io::ErrorKind::BrokenPipe.into())
            }
        }
        let mut out = Unbreakable(|| Closed).make_writer();
        assert!(out.write_all(b"line").is_ok() && out.flush().is_ok());
    }
}
