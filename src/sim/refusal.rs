//! What the router answers when it does not do as told.

use super::row::quote;

/// An error answer of the REST API.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{status} {}", detail.as_deref().unwrap_or_default())]
pub struct Refusal {
    /// HTTP status; also `error` in the body.
    pub status: u16,
    /// `detail` in the body; 401 and 404 have none.
    pub detail: Option<String>,
}

impl Refusal {
    /// 400 with the console's words.
    pub fn bad(detail: impl Into<String>) -> Self {
        Refusal { status: 400, detail: Some(detail.into()) }
    }

    /// 500 with the console's words.
    pub fn server(detail: impl Into<String>) -> Self {
        Refusal { status: 500, detail: Some(detail.into()) }
    }

    /// A status whose body has no detail.
    pub fn bare(status: u16) -> Self {
        Refusal { status, detail: None }
    }

    /// `no such command or directory (word)`
    pub fn no_menu(word: &str) -> Self {
        Refusal::bad(format!("no such command or directory ({word})"))
    }

    /// `no such command`
    pub fn no_command() -> Self {
        Refusal::bad("no such command")
    }

    /// `missing or invalid resource identifier`
    pub fn no_identifier() -> Self {
        Refusal::bad("missing or invalid resource identifier")
    }

    /// `Session closed`: what a request that takes longer than a session hears.
    pub fn session_closed() -> Self {
        Refusal::bad("Session closed")
    }

    /// `not enough permissions (9)`
    pub fn no_permission() -> Self {
        Refusal::server("not enough permissions (9)")
    }

    /// `missing =name=`
    pub fn missing(name: &str) -> Self {
        Refusal::bad(format!("missing ={name}="))
    }

    /// `input does not match any value of name`
    pub fn no_match(name: &str) -> Self {
        Refusal::bad(format!("input does not match any value of {name}"))
    }

    /// The answer's body.
    pub fn body(&self) -> Vec<u8> {
        let message = match self.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            404 => "Not Found",
            415 => "Unsupported Media Type",
            501 => "Not Implemented",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut out = b"{".to_vec();
        if let Some(detail) = &self.detail {
            out.extend(b"\"detail\":");
            quote(&mut out, detail);
            out.push(b',');
        }
        out.extend(format!("\"error\":{},\"message\":\"{message}\"}}", self.status).bytes());
        out
    }
}
