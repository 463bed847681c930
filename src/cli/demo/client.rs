//! An MCP client as small as can be: a child process of ours on standard input and output, one call at a time.

use crate::base::fault::{Fault, Kind};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

/// A client that shook hands; clones share its process, which ends with the last of them.
#[derive(Clone)]
pub(super) struct Client(Arc<Mutex<Process>>);

struct Process {
    child: Child,
    /// Taken when it ends: a server on standard input leaves when that is closed.
    to: Option<ChildStdin>,
    from: Lines<BufReader<ChildStdout>>,
    number: u64,
}

impl Client {
    /// Starts the program as a client would, on this state directory.
    pub async fn start(command: &Path, dir: &Path) -> Result<Client, Fault> {
        let (command, dir) = (command.to_owned(), dir.to_owned());
        let process = tokio::task::spawn_blocking(move || Process::start(&command, &dir)).await.map_err(Fault::bug)??;
        Ok(Client(Arc::new(Mutex::new(process))))
    }

    /// Calls a tool: the MCP result, which may be an error of the tool.
    pub async fn call(&self, tool: &str, arguments: Value) -> Result<Value, Fault> {
        let (process, params) = (self.0.clone(), json!({"name": tool, "arguments": arguments}));
        let ask = move || process.lock().unwrap_or_else(PoisonError::into_inner).ask("tools/call", &params);
        tokio::task::spawn_blocking(ask).await.map_err(Fault::bug)?
    }
}

impl Process {
    fn start(command: &Path, dir: &Path) -> Result<Process, Fault> {
        let mut child = Command::new(command)
            .arg("--data-dir")
            .arg(dir)
            .arg("stdio")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What goes wrong is said where the demo runs; the log of a healthy client is noise there.
            .env("ROUTEROS_MCP_LOG_LEVEL", "ERROR")
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(gone)?;
        let to = child.stdin.take();
        let Some(out) = child.stdout.take() else { return Err(Fault::bug("a client without standard output")) };
        let mut process = Process { child, to, from: BufReader::new(out).lines(), number: 0 };
        let hello = json!({"protocolVersion": "2025-06-18", "capabilities": {},
            "clientInfo": {"name": "routeros-mcp demo", "version": env!("CARGO_PKG_VERSION")}});
        process.ask("initialize", &hello)?;
        process.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))?;
        Ok(process)
    }

    fn ask(&mut self, method: &str, params: &Value) -> Result<Value, Fault> {
        self.number += 1;
        self.send(&json!({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}))?;
        for line in self.from.by_ref() {
            let mut answer: Value = serde_json::from_str(&line.map_err(gone)?).map_err(Fault::bug)?;
            if answer["id"] == self.number {
                return Ok(answer["result"].take());
            }
        }
        Err(Fault::new(Kind::Bug, "the demo's client got no answer"))
    }

    fn send(&mut self, message: &Value) -> Result<(), Fault> {
        let Some(to) = &mut self.to else { return Err(Fault::bug("a client that has ended")) };
        writeln!(to, "{message}").map_err(gone)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.to.take());
        let _ = self.child.wait();
    }
}

fn gone(error: std::io::Error) -> Fault {
    Fault::new(Kind::Bug, "the demo's client failed").cause(error)
}
