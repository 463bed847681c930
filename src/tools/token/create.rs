//! `token.create`: lets a program in over HTTP.
//!
//! Whoever asks has made the token and gives its digest only: the token itself passes neither the control socket nor the
//! trail.

use crate::access::person::Identity;
use crate::access::token::Wanted;
use crate::base::clock::Wall;
use crate::base::fault::Fault;
use crate::base::selector::Selector;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use crate::tools::token::view;
use data_encoding::HEXLOWER_PERMISSIVE;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};

pub(super) const TOOL: Tool = Tool {
    name: "token.create",
    title: "Create an API token",
    about: "Keeps an API token by its digest: a name, a role (or metrics), the devices it is limited to, its owner and its end.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Administers,
    audience: Audience::Operator,
    timeout: Span::secs(30),
    paths: &[],
    untrusted: &[],
    input: schema::input::<Args>,
    output: view::output,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// A name of your choice.
    #[schemars(length(min = 1))]
    name: String,
    /// read_only, ops_rw, approver, admin, or metrics.
    role: String,
    /// SHA-256 of the whole token, 64 hexadecimal digits.
    #[schemars(length(min = 64, max = 64))]
    digest: String,
    /// The local user whose it is; whoever makes it in the admin pages, unless set.
    owner: Option<String>,
    /// How long it is good for: 90d, 12h; for ever when absent.
    expires: Option<String>,
    /// Devices it is limited to: NAME, tag:KEY=VALUE, env:ENVIRONMENT or all.
    #[schemars(length(min = 1))]
    devices: Vec<String>,
}

async fn run(cx: &Cx, args: Args) -> Result<Map<String, Value>, Fault> {
    let role = match args.role.as_str() {
        "metrics" => None,
        role => Some(role.parse().map_err(|said: String| Fault::bad_input(format!("{said}; or metrics")))?),
    };
    let digest = HEXLOWER_PERMISSIVE.decode(args.digest.as_bytes()).ok().and_then(|bytes| bytes.try_into().ok());
    let digest = digest.ok_or_else(|| Fault::bad_input("digest is 64 hexadecimal digits"))?;
    let devices: Vec<Selector> =
        args.devices.iter().map(|selector| selector.parse().map_err(Fault::bad_input)).collect::<Result<_, _>>()?;
    let own = &cx.principal.limits.devices;
    if !own.contains(&Selector::All) && devices.iter().any(|one| !own.contains(one)) {
        return Err(Fault::denied("a token reaches no devices that its maker does not").hint("name the devices you are limited to"));
    }
    let expires_at = args.expires.as_deref().map(|text| end(text, cx.world.clock.wall())).transpose()?;
    let owner = match args.owner {
        Some(owner) => Some(owner),
        // Whoever makes a token for a program of theirs does not become somebody else by it.
        None => cx.world.access.user_behind(&Identity::of(&cx.principal))?.map(|user| user.name),
    };
    let wanted = Wanted { name: args.name, digest, role, devices, owner, expires_at };
    let token = cx.world.access.add_token(wanted).await?;
    let mut answer = view::token(cx, &token)?;
    answer.insert("unmatched".into(), json!(cx.unmatched(&token.devices)));
    Ok(answer)
}

fn end(text: &str, now: Wall) -> Result<Wall, Fault> {
    let span: Span = text.parse().map_err(Fault::bad_input)?;
    let ms = i64::try_from(span.0.as_millis()).ok().and_then(|ms| now.0.checked_add(ms));
    ms.map(Wall).ok_or_else(|| Fault::bad_input(format!("`{text}` is too long")).hint("leave it out for a token without an end"))
}
