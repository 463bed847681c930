//! `audit/export`: the trail as a file, streamed as it is read, whatever its length. With the conditions of `audit`, as JSON
//! with a signed head, or as CSV.
//!
//! The whole chain is checked on the way. Where it is broken the file ends with that in place of the head, so that nobody
//! takes it for a whole one.

use crate::access::policy;
use crate::access::scope::Scope;
use crate::audit::{AuditError, Format, Reach, export_if, sign};
use crate::base::fault::{Fault, Kind};
use crate::dispatch::Witness;
use crate::http::admin::api::{may, may_use, queried};
use crate::http::admin::routes::Need;
use crate::http::admin::signed::Signed;
use crate::http::fault::Refusal;
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge};
use crate::tools::audit::wanted::{Further, Wanted, may_see};
use crate::tools::{self, arguments, schema};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::convert::Infallible;
use std::io::{self, Write};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// Below the API.
pub const PATH: &str = "/audit/export";

const OPERATION: &str = "audit.export";
/// Bytes sent at a time.
const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow reader; with the one being filled, all the memory that an export takes.
const WAITING: usize = 4;
/// A reader who takes nothing for so long is gone.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Deserialize, JsonSchema)]
struct Given {
    /// json, with a signed head, or csv.
    #[serde(default = "json_word")]
    #[schemars(extend("enum" = ["json", "csv"]))]
    format: String,
    #[serde(flatten)]
    wanted: Wanted,
    #[serde(flatten)]
    further: Further,
}

fn json_word() -> String {
    "json".into()
}

/// What it takes, for the OpenAPI document.
pub fn input() -> Map<String, Value> {
    schema::input::<Given>()
}

/// Answers a request at [`PATH`].
pub async fn answer(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    if request.method() != Method::GET {
        return Err(Refusal::method("GET"));
    }
    let signed = Signed::of(edge, asked, &request).await?;
    let running = edge.enter(signed.principal())?;
    edge.take(signed.principal())?;
    may(edge, asked, Need { token: Some(Scope::Audit), proof: false }, &signed)?;
    let given = queried(&input(), request.uri().query().unwrap_or_default())?;
    let begun = begin(edge, &signed, given.clone());
    let outcome = begun.as_ref().err().map(|fault| fault.kind);
    edge.dispatch.witness(Witness::Known(signed.principal()), OPERATION, &given, outcome, &asked.correlation).await?;
    let (format, wants) = begun?;
    let world = edge.dispatch.world();
    let key = sign::box_key(&world.store, &edge.admin.seal).await.map_err(Fault::from)?;
    let (to, mut chunks) = mpsc::channel(WAITING);
    let (dir, stop) = (world.audit.dir(), edge.stop.clone());
    edge.tasks.spawn_blocking(move || {
        let mut pipe = Pipe { to, chunk: Vec::with_capacity(CHUNK), stop };
        let done = export_if(&dir, Reach::Trail, format, &*wants, Some(&key), &mut pipe);
        if let Err(error) = &done {
            tracing::warn!(%error, "an export of the trail ended early");
            let _ = pipe.write_all(tail(format, error).as_bytes()).and_then(|()| pipe.flush());
        }
        drop(running);
    });
    let frames = stream::poll_fn(move |cx| chunks.poll_recv(cx).map(|chunk| chunk.map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)))));
    let mut response = Response::new(StreamBody::new(frames).boxed());
    let (kind, name) = match format {
        Format::Json => ("application/json", "attachment; filename=\"audit.json\""),
        Format::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
    };
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, HeaderValue::from_static(name));
    Ok(response)
}

type Wants = Box<dyn Fn(&crate::audit::Stored) -> bool + Send>;

/// Whether this caller may, and which records they get.
fn begin(edge: &Edge, signed: &Signed, given: Map<String, Value>) -> Result<(Format, Wants), Fault> {
    let (world, principal) = (edge.dispatch.world().clone(), signed.principal().clone());
    let tool = tools::find("audit.get_events").ok_or_else(|| Fault::bug("the trail has no verb"))?;
    // What may not be looked at in pages may not be taken away in one piece.
    may_use(edge, &tool.target(), &principal)?;
    arguments::check(OPERATION, &input(), &given)?;
    let Given { format, wanted, further } = arguments::typed(given)?;
    let format = format.parse().map_err(Fault::bad_input)?;
    let visible = |device: &crate::fleet::Device| policy::within(&principal.limits.devices, &device.traits());
    // One that is gone is found by what its records call it.
    let device = wanted.device.as_deref().map(|name| match world.fleet.find_among(name, visible) {
        Ok(device) => device.id.to_string(),
        Err(_) => name.to_owned(),
    });
    let filter = wanted.filter(further, &principal, device)?;
    Ok((format, Box::new(move |stored| filter.matches(stored) && may_see(&world, &principal, &stored.record))))
}

/// How a file ends that is not whole.
fn tail(format: Format, error: &AuditError) -> String {
    match format {
        Format::Json => format!("],\"error\":{}}}\n", json!({"kind": Kind::Storage.as_str(), "message": error.to_string()})),
        Format::Csv => format!("\"INCOMPLETE: {}\"\r\n", error.to_string().replace('"', "'")),
    }
}

/// Where an export is written: chunks to whoever reads them.
struct Pipe {
    to: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
    stop: CancellationToken,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let chunk = Bytes::from(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK)));
        let (to, stop) = (&self.to, &self.stop);
        Handle::current().block_on(async {
            tokio::select! {
                () = stop.cancelled() => Err(io::ErrorKind::Interrupted.into()),
                sent = to.send_timeout(chunk, PATIENCE) => sent.map_err(|_| io::ErrorKind::BrokenPipe.into()),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_waits_for_its_reader_and_ends_when_nobody_reads() {
        let (to, mut read) = mpsc::channel(WAITING);
        let writing = tokio::task::spawn_blocking(move || {
            let mut pipe = Pipe { to, chunk: Vec::new(), stop: CancellationToken::new() };
            let line = [b'x'; 1000];
            (0..).find(|_| pipe.write_all(&line).is_err()).unwrap()
        });
        for _ in 0..100 {
            assert!(read.recv().await.unwrap().len() >= CHUNK);
        }
        drop(read);
        let lines = writing.await.unwrap();
        assert!(lines * 1000 <= (100 + WAITING + 2) * (CHUNK + 1000), "{lines} lines were written to nobody");
    }

    #[test]
    fn a_file_that_is_not_whole_says_so() {
        let error = AuditError::Closed;
        let whole = format!("{{\"records\":[\n{}", tail(Format::Json, &error));
        let read: Value = serde_json::from_str(&whole).unwrap();
        assert!(read["head"].is_null() && read["error"]["message"].is_string());
        assert!(tail(Format::Csv, &error).starts_with("\"INCOMPLETE"));
    }
}
