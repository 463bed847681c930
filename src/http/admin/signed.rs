//! Who sent a request to the admin API: a person with a session, or a program with a bearer token.

use crate::access::principal::Principal;
use crate::access::scope::Scope;
use crate::access::session::Session;
use crate::access::token::Bearer;
use crate::base::clock::Wall;
use crate::http::admin::cookie::Cookie;
use crate::http::admin::{client, from_our_page};
use crate::http::fault::Refusal;
use crate::http::{Asked, Edge, bearer};
use hyper::{Method, Request, StatusCode, header};
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
        /// One was shown; else it is a program on this machine, where those are let in without.
        is_token: bool,
        /// When the token ends, where it does.
        expires_at: Option<Wall>,
    },
    /// With a session.
    Person {
        /// Who.
        principal: Arc<Principal>,
        /// Their session.
        session: Box<Session>,
    },
}

impl Signed {
    /// As the spine knows them.
    pub fn principal(&self) -> &Arc<Principal> {
        match self {
            Signed::Bearer { principal, .. } | Signed::Person { principal, .. } => principal,
        }
    }

    /// Errs with `Unauthenticated` for a program that showed nothing, where those are let in without: it has what models have, and no more.
    pub fn shown(&self) -> Result<(), Refusal> {
        match self {
            Signed::Bearer { is_token: false, .. } => {
                Err(Refusal::of(StatusCode::UNAUTHORIZED, "missing", "this takes a token, from a program on this machine as well")
                    .hint("send Authorization: Bearer with a token of `routeros-mcp token create`"))
            }
            _ => Ok(()),
        }
    }

    /// The caller of a request. A token wins over a cookie: a page cannot lend its session to a program's request.
    pub async fn of<B>(edge: &Edge, asked: &Asked, request: &Request<B>) -> Result<Signed, Refusal> {
        let headers = request.headers();
        if headers.contains_key(header::AUTHORIZATION) || Cookie::Session.of(headers, edge.admin.secure)?.is_none() {
            let bearer = bearer::caller(edge, asked, headers).await?;
            let is_token = headers.contains_key(header::AUTHORIZATION);
            let Bearer { principal, scopes, expires_at } = bearer;
            return Ok(Signed::Bearer { principal: Arc::new(principal), scopes, is_token, expires_at });
        }
        let session = edge.admin.session(headers).await?;
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            from_our_page(edge, asked, headers)?;
        }
        let principal = Arc::new(session.principal(client(asked, headers)));
        Ok(Signed::Person { principal, session: Box::new(session) })
    }
}
