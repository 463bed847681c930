//! `vpn.get_status`: which tunnels stand.
//!
//! Three menus: WireGuard peers, IPsec peers connected, PPP clients that dialled in. What takes another request (tunnels this
//! router dials, IPsec policies) is added for who asks, and named as left out otherwise.

use super::tunnel::{Client, Ipsec, Peer, Policy, Session};
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::routeros::query::Query;
use crate::tools::context::Cx;
use crate::tools::router::{FRESH, Router, Seen, View};
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub(super) const TOOL: Tool = Tool {
    name: "vpn.get_status",
    title: "VPN status",
    about: "WireGuard peers (up, stale, never), IPsec peers and PPP sessions (L2TP, SSTP, OpenVPN, PPTP, PPPoE) connected now. clients adds tunnels the router dials.",
    toolset: "vpn",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Model,
    timeout: Span::secs(30),
    paths: &["/interface/wireguard/peers", "/ip/ipsec/active-peers", "/ip/ipsec/policy", "/ppp/active", "/interface"],
    untrusted: &[
        "/wireguard_peers/*/name",
        "/wireguard_peers/*/comment",
        "/ipsec_peers/*/id",
        "/ipsec_peers/*/comment",
        "/ipsec_policies/*/comment",
        "/ppp_sessions/*/name",
        "/ppp_sessions/*/caller_id",
        "/ppp_sessions/*/comment",
        "/clients/*/comment",
        "/clients/*/name",
    ],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

/// Rows of each part unless asked for more.
const USUAL_ROWS: u16 = 12;
/// Attributes of an interface that tell of a tunnel.
const ASKED: [&str; 8] = ["name", "type", "running", "disabled", "comment", "last-link-up-time", "rx-byte", "tx-byte"];

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// Id or name.
    #[schemars(length(min = 1))]
    device: String,
    /// Also the L2TP, SSTP, OpenVPN, PPTP and PPPoE tunnels this router dials.
    #[serde(default)]
    clients: bool,
    /// Also the IPsec policies with the state of phase 2.
    #[serde(default)]
    policies: bool,
    /// Rows of each part, 12 unless set.
    #[schemars(range(min = 1, max = 200))]
    limit: Option<u16>,
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// Peers by state: up, stale, never, disabled.
    wireguard: BTreeMap<&'static str, usize>,
    /// Connected peers, and how many of them are up.
    ipsec: Ipsecs,
    /// Sessions by service.
    ppp: Ppp,
    wireguard_peers: Vec<Peer>,
    ipsec_peers: Vec<Ipsec>,
    ppp_sessions: Vec<Session>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ipsec_policies: Option<Vec<Policy>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    clients: Option<Vec<Client>>,
    /// What was not looked at, and the argument that adds it.
    not_asked: Vec<&'static str>,
    /// Parts of which not every row is shown.
    shortened: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Ipsecs {
    peers: usize,
    up: usize,
}

#[derive(Serialize, JsonSchema)]
struct Ppp {
    sessions: usize,
    services: Vec<Service>,
}

#[derive(Serialize, JsonSchema)]
struct Service {
    service: String,
    sessions: usize,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let router = cx.router(&args.device)?;
    let (peers, ipsec, ppp, policies, interfaces) = futures_util::try_join!(
        router.all_if_there("/interface/wireguard/peers", FRESH),
        router.all_if_there("/ip/ipsec/active-peers", FRESH),
        router.all_if_there("/ppp/active", FRESH),
        asked(args.policies, &router, "/ip/ipsec/policy", Query::new()),
        asked(args.clients, &router, "/interface", Query::new().columns(ASKED)),
    )?;
    let mut peers: Vec<Peer> = rows(&peers).map(Peer::of).collect();
    let mut ipsec: Vec<Ipsec> = rows(&ipsec).map(Ipsec::of).collect();
    let mut sessions: Vec<Session> = rows(&ppp).map(Session::of).collect();
    let mut policies: Option<Vec<Policy>> = args.policies.then(|| rows(&policies).filter_map(Policy::of).collect());
    let mut clients: Option<Vec<Client>> = args.clients.then(|| rows(&interfaces).filter_map(Client::of).collect());
    let (wireguard, ipsecs, ppp) =
        (states(&peers), Ipsecs { peers: ipsec.len(), up: ipsec.iter().filter(|peer| peer.up).count() }, by_service(&sessions));
    let most = usize::from(args.limit.unwrap_or(USUAL_ROWS));
    let mut shortened = Vec::new();
    shorten(&mut peers, most, "wireguard_peers", "/interface/wireguard/peers", &mut shortened);
    shorten(&mut ipsec, most, "ipsec_peers", "/ip/ipsec/active-peers", &mut shortened);
    shorten(&mut sessions, most, "ppp_sessions", "/ppp/active", &mut shortened);
    policies.iter_mut().for_each(|rows| shorten(rows, most, "ipsec_policies", "/ip/ipsec/policy", &mut shortened));
    clients.iter_mut().for_each(|rows| shorten(rows, most, "clients", "/interface", &mut shortened));
    let wanting = [(args.clients, "clients"), (args.policies, "policies")];
    Ok(Answer {
        wireguard,
        ipsec: ipsecs,
        ppp,
        wireguard_peers: peers,
        ipsec_peers: ipsec,
        ppp_sessions: sessions,
        ipsec_policies: policies,
        clients,
        not_asked: wanting.iter().filter(|(asked, _)| !asked).map(|(_, name)| *name).collect(),
        shortened,
    })
}

async fn asked(wanted: bool, router: &Router<'_>, menu: &str, query: Query) -> Result<Option<Seen>, Fault> {
    if wanted { router.rows_if_there(menu, query, FRESH).await } else { Ok(None) }
}

fn rows(seen: &Option<Seen>) -> impl Iterator<Item = View<'_>> {
    seen.iter().flat_map(Seen::iter)
}

fn states(peers: &[Peer]) -> BTreeMap<&'static str, usize> {
    let mut states = BTreeMap::from([("up", 0)]);
    peers.iter().for_each(|peer| *states.entry(peer.state).or_default() += 1);
    states
}

fn by_service(sessions: &[Session]) -> Ppp {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    sessions.iter().for_each(|session| *counts.entry(session.service.as_deref().unwrap_or("unknown")).or_default() += 1);
    let services = counts.into_iter().take(8).map(|(service, sessions)| Service { service: service.to_owned(), sessions }).collect();
    Ppp { sessions: sessions.len(), services }
}

/// Keeps the first rows and says where all are.
fn shorten<T>(rows: &mut Vec<T>, most: usize, name: &str, menu: &str, said: &mut Vec<String>) {
    if rows.len() > most {
        said.push(format!("{name}: {most} of {}; menu.read {menu} pages all", rows.len()));
        rows.truncate(most);
    }
}
