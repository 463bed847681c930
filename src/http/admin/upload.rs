//! `POST update/upload`: a bundle with a release, straight to the disk as it comes. What it is worth is found out by
//! `update.stage`, to which the answer's name is given.

use crate::base::fault::{Fault, Kind};
use crate::base::ids::hex;
use crate::dispatch::Witness;
use crate::http::admin::api;
use crate::http::admin::routes::Need;
use crate::http::admin::signed::Signed;
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge};
use crate::tools;
use crate::update::bundle::BUNDLE_MAX;
use http_body_util::BodyExt;
use hyper::body::Body as _;
use hyper::{Method, Request, Response, StatusCode, header};
use ring::digest::{Context, SHA256};
use serde_json::{Map, json};
use std::fs::File;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

/// Below the API.
pub const PATH: &str = "/update/upload";
/// What the trail calls it.
const OPERATION: &str = "update.upload";
/// What it is for, and so who may.
const VERB: &str = "update.stage";
/// What a bundle is sent as.
const MEDIA_TYPE: &str = "application/octet-stream";
/// The next piece comes within.
const PIECE: Duration = Duration::from_secs(30);

/// Takes one in.
pub async fn answer(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::method("POST"));
    }
    let signed = Signed::of(edge, asked, &request).await.map_err(Refusal::closing)?;
    let _running = edge.enter(signed.principal())?;
    edge.take(signed.principal())?;
    // Nothing of it is read before it is known that this person may.
    api::may(edge, asked, Need::PROOF, &signed).map_err(Refusal::closing)?;
    let is_bytes =
        request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().eq_ignore_ascii_case(MEDIA_TYPE.as_bytes()));
    if !is_bytes || request.headers().contains_key(header::CONTENT_ENCODING) {
        let said = format!("send the file as it is, with Content-Type: {MEDIA_TYPE}");
        return Err(Refusal::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "content_type", said).closing());
    }
    let taken = take(edge, &signed, request.into_body()).await;
    let given = match &taken {
        Ok((name, bytes, sha256)) => json!({"upload": name, "bytes": bytes, "sha256": sha256}),
        Err(_) => json!({}),
    };
    let given = given.as_object().cloned().unwrap_or_default();
    let outcome = taken.as_ref().err().map(|(kind, _)| *kind);
    edge.dispatch.witness(Witness::Known(signed.principal()), OPERATION, &given, outcome, &asked.correlation).await?;
    match taken {
        Ok((name, bytes, sha256)) => Ok(fault::json(StatusCode::CREATED, &json!({"upload": name, "bytes": bytes, "sha256": sha256}))),
        Err((_, refusal)) => Err(refusal),
    }
}

/// Its name, its bytes and their SHA-256.
async fn take(edge: &Edge, signed: &Signed, body: Inflow) -> Result<(String, u64, String), (Kind, Refusal)> {
    let world = edge.dispatch.world();
    let tool = tools::find(VERB).ok_or_else(|| of_fault(Fault::bug("uploads have no verb")))?;
    api::may_use(edge, &tool.target(), signed.principal()).map_err(of_fault)?;
    if body.size_hint().lower() > BUNDLE_MAX {
        return Err(large());
    }
    let (file, name) = world.updates.upload().map_err(|error| of_fault(error.into()))?;
    match receive(edge, body, file).await {
        Ok((bytes, sha256)) => Ok((name, bytes, sha256)),
        Err(refusal) => {
            // This one alone: another may have come in its place meanwhile.
            world.updates.forget_part(&name);
            Err(refusal)
        }
    }
}

fn of_fault(fault: Fault) -> (Kind, Refusal) {
    (fault.kind, Refusal::from(fault).closing())
}

fn refused(status: StatusCode, said: String) -> (Kind, Refusal) {
    (Kind::BadInput, Refusal::of(status, "body", said).closing())
}

fn large() -> (Kind, Refusal) {
    refused(StatusCode::PAYLOAD_TOO_LARGE, format!("a bundle has at most {} MB", BUNDLE_MAX >> 20))
}

/// Its bytes and their SHA-256.
async fn receive(edge: &Edge, mut body: Inflow, file: File) -> Result<(u64, String), (Kind, Refusal)> {
    let mut file = tokio::fs::File::from_std(file);
    let (mut bytes, mut digest) = (0, Context::new(&SHA256));
    let storage = |error: std::io::Error| of_fault(Fault::new(Kind::Storage, format!("the upload could not be written: {error}")));
    loop {
        let piece = tokio::select! {
            () = edge.stop.cancelled() => return Err(refused(StatusCode::SERVICE_UNAVAILABLE, "the appliance stops".into())),
            piece = tokio::time::timeout(PIECE, body.frame()) => piece,
        };
        let late = |_| refused(StatusCode::REQUEST_TIMEOUT, "the file did not come in time".into());
        let Some(piece) = piece.map_err(late)? else { break };
        let piece = piece.map_err(|_| refused(StatusCode::BAD_REQUEST, "the file broke off".into()))?;
        let Ok(piece) = piece.into_data() else { continue };
        bytes += piece.len() as u64;
        if bytes > BUNDLE_MAX {
            return Err(large());
        }
        digest.update(&piece);
        file.write_all(&piece).await.map_err(storage)?;
    }
    file.sync_all().await.map_err(storage)?;
    Ok((bytes, hex(digest.finish().as_ref())))
}

/// What it answers, for the OpenAPI document.
pub fn output() -> Map<String, serde_json::Value> {
    let schema = json!({
        "type": "object",
        "properties": {"upload": {"type": "string"}, "bytes": {"type": "integer"}, "sha256": {"type": "string"}},
        "required": ["upload", "bytes", "sha256"]
    });
    schema.as_object().cloned().unwrap_or_default()
}
