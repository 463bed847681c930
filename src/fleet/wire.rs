//! What a lane asks of a router, apart from how: REST and SSH in the appliance (`ways.rs`), a script in the lane's tests.

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
    /// The same by way of a file of that name on the router, removed afterwards: a change of the router.
    ExportByFile(String),
}

impl Ask {
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
            Ask::Run { .. } | Ask::File { .. } | Ask::ExportByFile(_) => None,
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
                Ask::Run { path, command, args, within } => {
                    let args: Vec<(&str, &str)> = args.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                    self.run_within(path, command, &args, *within).await.map(Said::Rows)
                }
                Ask::Export => export_fetch::by_execute(self).await.map(Said::Text),
                Ask::ExportByFile(name) => export_fetch::by_file(self, name).await.map(Said::Text),
                Ask::File { .. } => {
                    Err(RouterError::Argument { why: "files are read over SSH, which is not set up for this device".into() })
                }
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
                Ask::ExportByFile(_) => Err(RouterError::Argument { why: "the console prints exports; it needs no file for them".into() }),
                Ask::File { path, max_bytes } => self.ssh().download(path, *max_bytes, FILE_MAX).await.map(Said::Bytes),
            };
            said.map(|said| (said, Via::Ssh))
        }
        .boxed()
    }

    fn let_go(&self) {
        self.ssh().hang_up();
    }
}
