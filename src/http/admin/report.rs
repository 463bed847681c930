//! `POST registrations/report`: a router says under a one-time token what certificate it shows.
//!
//! No session and no cookie: the token in the body is all there is. Whatever is wrong with it is answered in the same words and
//! counts against the address, as wrong passwords do.

use crate::access::principal::Client;
use crate::base::fault::Kind;
use crate::base::ids::hex;
use crate::dispatch::Witness;
use crate::fleet::registration::{REPORT_MAX, Report, refused};
use crate::http::fault::{self, Refusal};
use crate::http::inflow::Inflow;
use crate::http::{Asked, Body, Edge, intake};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::Map;
use std::time::Duration;

/// Below the API.
pub const PATH: &str = "/registrations/report";
/// What the trail calls it.
const VERB: &str = "registration.report";
/// It comes within.
const TIME: Duration = Duration::from_secs(10);

/// Takes one in.
pub async fn answer(edge: &Edge, asked: &Asked, request: Request<Inflow>) -> Result<Response<Body>, Refusal> {
    if request.method() != Method::POST {
        return Err(Refusal::method("POST"));
    }
    let attempt = edge.attempt(asked.client)?;
    let bytes = intake::body(request.into_body(), REPORT_MAX, TIME).await?;
    let world = edge.dispatch.world();
    let from = asked.client.to_string();
    let taken = async {
        let text = std::str::from_utf8(&bytes).map_err(|_| refused())?;
        let (report, token) = Report::parse(text, world.clock.wall(), Some(from.clone())).map_err(|_| refused())?;
        world.fleet.take_report(report, &token.ok_or_else(refused)?).await
    };
    let client = Client { address: from.clone(), ..Client::default() };
    let unproven = Witness::Unproven { identity: None, client: &client };
    let mut given = Map::new();
    match taken.await {
        Ok(one) => {
            attempt.is_good();
            given.insert("id".into(), one.id.into());
            given.insert("tls_fingerprint".into(), one.report.map(|report| format!("sha256:{}", hex(&report.tls))).into());
            // It is taken whatever becomes of the record: the router must not be told otherwise.
            if let Err(fault) = edge.dispatch.witness(unproven, VERB, &given, None, &asked.correlation).await {
                tracing::error!(cause = fault.chain(), "a report of a router is not in the trail");
            }
            Ok(fault::text(StatusCode::OK, "taken: a person compares the fingerprint now\n".to_owned()))
        }
        Err(fault) => {
            edge.dispatch.witness(unproven, VERB, &given, Some(fault.kind), &asked.correlation).await?;
            if fault.kind == Kind::Unauthenticated {
                edge.meter().auth_failed("registration");
            } else {
                attempt.is_good();
            }
            Err(fault.into())
        }
    }
}
