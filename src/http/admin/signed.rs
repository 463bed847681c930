//! Who sent a request to the admin API: a person with a session, or a program with a bearer token.

use crate::access::Proof;
use crate::access::principal::Principal;
use crate::access::scope::Scope;
use crate::http::fault::Refusal;
use crate::http::{Asked, Edge, bearer};
use hyper::Request;
use std::sync::Arc;

/// One caller.
#[derive(Debug, Clone)]
pub enum Signed {
    /// With a token: what it may ask for.
    Bearer {
        /// Who.
        principal: Arc<Principal>,
        /// What for.
        scopes: Vec<Scope>,
    },
    /// With a session.
    Person {
        /// Who.
        principal: Arc<Principal>,
        /// Who they proved to be, and when.
        proof: Proof,
    },
}

impl Signed {
    /// The caller of a request. A bearer token wins over a cookie, so that a page cannot lend its session to a program's
    /// request.
    pub async fn of<B>(edge: &Edge, asked: &Asked, request: &Request<B>) -> Result<Signed, Refusal> {
        let bearer = bearer::caller(edge, asked, request.headers()).await?;
        Ok(Signed::Bearer { principal: Arc::new(bearer.principal), scopes: bearer.scopes })
    }
}
