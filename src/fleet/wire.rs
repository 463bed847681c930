//! What a lane asks of a router, apart from how: REST and SSH in the appliance (`ways.rs`), a script in the lane's tests.

use crate::base::fault::Fault;
use crate::fleet::fault::unsent;
use crate::fleet::ways;
use crate::routeros::{Console, MenuPath, Query, Rest, RouterError, Row, export_fetch};
use futures_util::future::{BoxFuture, FutureExt};
use std::sync::Arc;
use std::time::Duration;

/// How long a file may take to be read: a backup of a few MB from a slow board.
const FILE_MAX: Duration = Duration::from_secs(120);

/// One question.
#[derive(Debug, Clone)]
pub enum Ask {
    /// Rows of a menu.
    Print(MenuPath, Query),
    /// How many rows it has.
    Count(MenuPath, Query),
    /// A bounded command that changes nothing, such as `monitor once`.
    Run {
        /// Where the command is.
        path: MenuPath,
        /// `monitor`, `ping`.
        command: String,
        /// Its arguments.
        args: Vec<(String, String)>,
        /// How long its answer may take; the client cuts it to the router's own limit.
        within: Duration,
    },
    /// The whole configuration as text, one command a line, without secrets (`/export terse`).
    Export,
    /// A file's bytes.
    File {
        /// Its path there.
        path: String,
        /// The longest taken.
        max_bytes: usize,
    },
    /// The configuration by way of a file of that name on the router, removed afterwards: a change of the router.
    ExportByFile(String),
    /// A change of the router: never repeated, never shared, over REST alone.
    Write(Write),
}

/// One change of a router, as it goes over the wire. Rows are named by an `.id` that was looked up right before.
#[derive(Clone)]
pub enum Write {
    /// A new row; answers it. `place-before` is a value like others here.
    Add {
        /// Its menu.
        path: MenuPath,
        /// Its attributes.
        values: Vec<(String, String)>,
    },
    /// Other values in a row; answers the row where the router shows it.
    Set {
        /// Its menu.
        path: MenuPath,
        /// Its `.id`; none for a menu without rows.
        id: Option<String>,
        /// What to write.
        values: Vec<(String, String)>,
    },
    /// An attribute less.
    Unset {
        /// Its menu.
        path: MenuPath,
        /// The row's `.id`.
        id: String,
        /// The attribute.
        name: String,
    },
    /// A row less.
    Remove {
        /// Its menu.
        path: MenuPath,
        /// The row's `.id`.
        id: String,
    },
    /// Another place for a row.
    Move {
        /// Its menu.
        path: MenuPath,
        /// The row's `.id`.
        id: String,
        /// The row to stand before; none for the end.
        before: Option<String>,
    },
    /// A command of a menu.
    Command {
        /// Where it is.
        path: MenuPath,
        /// `flush`.
        command: String,
        /// Its arguments.
        args: Vec<(String, String)>,
    },
    /// Script source, run as a job; answers one row with the job's `.id` in `ret`.
    Start {
        /// Built with `routeros::script`.
        source: String,
    },
    /// Script source, run to its end; answers what it printed.
    Execute {
        /// Built with `routeros::script`.
        source: String,
        /// How long it may take.
        within: Duration,
    },
}

/// Values may be secrets: only what is changed is shown, never to what.
impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Write::Add { path, values } => write!(f, "add {path} ({} values)", values.len()),
            Write::Set { path, id, values } => write!(f, "set {path} {} ({} values)", id.as_deref().unwrap_or_default(), values.len()),
            Write::Unset { path, id, name } => write!(f, "unset {path} {id} {name}"),
            Write::Remove { path, id } => write!(f, "remove {path} {id}"),
            Write::Move { path, id, before } => write!(f, "move {path} {id} before {before:?}"),
            Write::Command { path, command, .. } => write!(f, "{path} {command}"),
            Write::Start { source } => write!(f, "start a script of {} bytes", source.len()),
            Write::Execute { source, .. } => write!(f, "run a script of {} bytes", source.len()),
        }
    }
}

impl Ask {
    /// Says of the fault of a change whether it was sent.
    pub(super) fn marked(&self, error: &RouterError, fault: Fault) -> Fault {
        match self {
            // Asked for in a second way after the first was refused.
            Ask::Write(Write::Unset { .. }) => fault,
            Ask::Write(_) if ways::never_left(error) => unsent(fault),
            _ => fault,
        }
    }

    /// Equal questions have equal keys; a command is never equal to another.
    pub fn key(&self) -> Option<Arc<str>> {
        let key = |verb: &str, path: &MenuPath, query: &Query| {
            // Neither column names nor words hold a line feed unescaped by Debug.
            format!("{verb} {path} {:?} {:?}", query.proplist, query.words).into()
        };
        match self {
            Ask::Print(path, query) => Some(key("print", path, query)),
            Ask::Count(path, query) => Some(key("count", path, query)),
            Ask::Export => Some("export".into()),
            Ask::Run { .. } | Ask::File { .. } | Ask::ExportByFile(_) | Ask::Write(_) => None,
        }
    }
}

/// What a router says to it.
#[derive(Debug)]
pub enum Said {
    /// Rows, in the router's order.
    Rows(Vec<Row>),
    /// A number of rows.
    Count(u64),
    /// Printed text.
    Text(String),
    /// A file's content.
    Bytes(Vec<u8>),
}

/// Which way an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Via {
    /// REST, the usual way.
    #[default]
    Rest,
    /// The console, through SSH.
    Ssh,
}

impl Via {
    /// The word used in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Via::Rest => "rest",
            Via::Ssh => "ssh",
        }
    }
}

/// A way to one router. Its requests end by themselves within its own time limits.
pub trait Wire: Send + Sync {
    /// Asks one question.
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>>;

    /// Gets in and has one harmless question answered: the least that proves the way open.
    fn knock(&self) -> BoxFuture<'_, Result<(), RouterError>> {
        async move {
            let path = MenuPath::parse("/system/identity")?;
            self.ask(&Ask::Print(path, Query::new())).await.map(drop)
        }
        .boxed()
    }

    /// Why the usual way does not work, while answers come another way.
    fn trouble(&self) -> Option<RouterError> {
        None
    }

    /// Closes what it keeps open, as soon as nothing is under way.
    fn let_go(&self) {}
}

impl Wire for Rest {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>> {
        async move {
            let said = match ask {
                Ask::Print(path, query) => self.print(path, query).await.map(Said::Rows),
                Ask::Count(path, query) => self.count(path, query).await.map(Said::Count),
                Ask::Run { path, command, args, within } => self.run_within(path, command, &words(args), *within).await.map(Said::Rows),
                Ask::Export => export_fetch::by_execute(self).await.map(Said::Text),
                Ask::ExportByFile(name) => export_fetch::by_file(self, name).await.map(Said::Text),
                Ask::Write(write) => return written(self, write).await.map(|said| (said, Via::Rest)),
                Ask::File { .. } => Err(RouterError::argument("files are read over SSH, which is not set up for this device")),
            };
            said.map(|said| (said, Via::Rest))
        }
        .boxed()
    }
}

impl Wire for Console {
    fn ask<'a>(&'a self, ask: &'a Ask) -> BoxFuture<'a, Result<(Said, Via), RouterError>> {
        async move {
            let said = match ask {
                Ask::Print(path, query) => self.print(path, query).await.map(Said::Rows),
                Ask::Count(path, query) => self.count(path, query).await.map(Said::Count),
                Ask::Run { path, command, args, within } => self.run(path, command, args, *within).await.map(Said::Rows),
                Ask::Export => self.export().await.map(Said::Text),
                Ask::ExportByFile(_) => Err(RouterError::argument("the console prints exports; it needs no file for them")),
                Ask::Write(_) => Err(RouterError::argument("changes are made over REST")),
                Ask::File { path, max_bytes } => self.ssh().download(path, *max_bytes, FILE_MAX).await.map(Said::Bytes),
            };
            said.map(|said| (said, Via::Ssh))
        }
        .boxed()
    }

    fn knock(&self) -> BoxFuture<'_, Result<(), RouterError>> {
        async move { self.version().await.map(drop) }.boxed()
    }

    fn let_go(&self) {
        self.ssh().hang_up();
    }
}

fn words(values: &[(String, String)]) -> Vec<(&str, &str)> {
    values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

async fn written(rest: &Rest, write: &Write) -> Result<Said, RouterError> {
    let none = |()| Said::Rows(Vec::new());
    match write {
        Write::Add { path, values } => rest.add(path, &words(values)).await.map(|row| Said::Rows(vec![row])),
        Write::Set { path, id: Some(id), values } => {
            rest.set(path, id, &words(values)).await.map(|row| Said::Rows(row.into_iter().collect()))
        }
        Write::Set { path, id: None, values } => rest.set_singleton(path, &words(values)).await.map(none),
        Write::Unset { path, id, name } => rest.unset(path, id, name).await.map(none),
        Write::Remove { path, id } => rest.remove(path, id).await.map(none),
        Write::Move { path, id, before } => rest.mv(path, id, before.as_deref()).await.map(none),
        Write::Command { path, command, args } => rest.run(path, command, &words(args)).await.map(Said::Rows),
        Write::Start { source } => rest.start(source).await.map(|id| Said::Rows(vec![Row::from_pairs([("ret", id)])])),
        Write::Execute { source, within } => rest.execute(source, *within).await.map(Said::Text),
    }
}
