//! Who sent a request to the admin API: a person with a session, or a program with a bearer token.

use crate::access::Proof;
use crate::access::principal::Principal;
use crate::access::scope::Scope;
use crate::http::admin::session;
use crate::http::fault::Refusal;
use crate::http::{Asked, Edge, bearer};
use hyper::{Method, Request, header};
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
    /// The caller of a request. A token wins over a cookie: a page cannot lend its session to a program's request.
    pub async fn of<B>(edge: &Edge, asked: &Asked, request: &Request<B>) -> Result<Signed, Refusal> {
        let headers = request.headers();
        if !headers.contains_key(header::AUTHORIZATION)
            && let Some(open) = session::current(edge, asked, headers).await?
        {
            if !matches!(*request.method(), Method::GET | Method::HEAD) {
                session::own_page(asked, headers)?;
            }
            return Ok(Signed::Person { principal: Arc::new(open.principal), proof: open.proof });
        }
        let bearer = bearer::caller(edge, asked, headers).await?;
        Ok(Signed::Bearer { principal: Arc::new(bearer.principal), scopes: bearer.scopes })
    }
}
