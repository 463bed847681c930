//! Next steps, for whoever just came: a router, an assistant with what to paste into it, and whether it came.

use super::clients::{Reach, Snippet, snippets};
use super::form::Form;
use super::frame::Frame;
use super::sign::prove_first;
use super::view::{ago, rows, text};
use super::{Desk, html};
use crate::access::role::Role;
use crate::access::session::Way;
use crate::access::token;
use crate::base::fault::Kind;
use crate::base::ids::hex;
use crate::base::secret::Secret;
use crate::http::Body;
use crate::http::fault::Refusal;
use askama::Template;
use hyper::Response;
use serde_json::{Value, json};

/// Where it is.
pub const PAGE: &str = "/admin/start";

/// Clients shown.
const SHOWN: u64 = 5;

#[derive(Template)]
#[template(path = "start.html", config = "assets/ui/askama.toml")]
struct Start {
    frame: Frame,
    routers: u64,
    /// Where MCP is, over the network.
    url: Option<String>,
    /// A token was just made.
    made: bool,
    can_make: bool,
    own_certificate: bool,
    name: String,
    snippets: Vec<Snippet>,
    clients: Vec<Seen>,
}

struct Seen {
    name: String,
    version: String,
    principal: String,
    address: String,
    at: String,
    exact: String,
}

/// The page; `token` is one that was just made.
pub async fn page(desk: &Desk<'_>, token: Option<Secret>) -> Result<Response<Body>, Refusal> {
    let now = desk.edge.dispatch.world().clock.wall();
    let routers = desk.ask_if_allowed("device.list", json!({"limit": 1})).await?.unwrap_or_default();
    let clients = desk.ask_if_allowed("client.list", json!({"limit": SHOWN})).await?.unwrap_or_default();
    let seen = |row: &Value| {
        let exact = text(row, "last_seen");
        let of = |name| text(row, name);
        Seen { name: of("client"), version: of("version"), principal: of("principal"), address: of("address"), at: ago(&exact, now), exact }
    };
    let base = desk.edge.settings.base.as_ref();
    let url = base.map(|base| format!("{}{base}", desk.asked.origin));
    let reach = match &url {
        Some(url) => Reach::Http { url, token: token.as_ref().map_or("TOKEN", Secret::expose) },
        None => Reach::Stdio,
    };
    let program = std::env::current_exe().ok().and_then(|path| path.to_str().map(str::to_owned));
    let snippets = snippets(&reach, program.as_deref().unwrap_or("routeros-mcp"));
    html(&Start {
        frame: desk.frame(),
        routers: routers["total"].as_u64().unwrap_or_default(),
        made: token.is_some(),
        can_make: desk.principal.role == Role::Admin,
        own_certificate: desk.edge.tls.as_ref().is_some_and(|tls| tls.is_own()),
        name: free_name(desk).await?,
        snippets,
        clients: rows(&clients).map(seen).collect(),
        url,
    })
}

/// A name that no token has.
async fn free_name(desk: &Desk<'_>) -> Result<String, Refusal> {
    let tokens = match desk.all("token.list").await {
        Err(fault) if fault.kind == Kind::Denied => Vec::new(),
        found => found?,
    };
    let is_taken = |name: &str| tokens.iter().any(|row| row["name"] == name);
    let more = (2..).map(|n| format!("assistant-{n}"));
    Ok(std::iter::once("assistant".to_owned()).chain(more).find(|name| !is_taken(name)).unwrap_or_default())
}

/// A token for one program: shown in the answer to the form, and nowhere after.
pub async fn make_token(desk: &mut Desk<'_>, given: Form) -> Result<Response<Body>, Refusal> {
    let secret = token::make();
    let mut arguments = json!({
        "name": given.need("name")?, "role": given.need("role")?, "devices": ["all"], "digest": hex(&token::digest(secret.expose())),
        "expires": given.need("expires")?,
    });
    // Only local users own tokens; who came through the identity provider says under People whose it is.
    if desk.session.way == Way::Local {
        arguments["owner"] = desk.session.name.as_str().into();
    }
    if let Some(page) = prove_first(desk, &given, PAGE).await? {
        return Ok(page);
    }
    desk.ask("token.create", arguments).await?;
    page(desk, Some(secret)).await
}
