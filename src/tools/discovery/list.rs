//! `discovery.list`: asks the networks of this machine who is there.

use crate::base::address::forbidden;
use crate::base::fault::Fault;
use crate::base::span::Span;
use crate::base::tier::{Effect, Tier};
use crate::fleet::Device;
use crate::fleet::discover::table::Neighbour;
use crate::fleet::discover::{Ears, mndp};
use crate::tools::context::Cx;
use crate::tools::schema;
use crate::tools::spec::{Audience, Tool, run};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

pub(super) const TOOL: Tool = Tool {
    name: "discovery.list",
    title: "Listen for routers",
    about: "Asks the networks of this machine by MNDP which routers are there, listens a few seconds, and tells which of them are managed already.",
    toolset: "core",
    tier: Tier::Free,
    effect: Effect::Reads,
    audience: Audience::Operator,
    timeout: Span::secs(120),
    paths: &[],
    untrusted: &["/rows/*/identity", "/rows/*/version", "/rows/*/board", "/rows/*/platform", "/rows/*/interface", "/rows/*/software_id"],
    input: schema::input::<Args>,
    output: schema::output::<Answer>,
    run: run!(run),
};

#[derive(Deserialize, JsonSchema)]
struct Args {
    /// How long to listen, 0 to 30; 5 unless set. 0 opens nothing and tells who was heard lately.
    #[serde(default = "five")]
    #[schemars(range(min = 0, max = 30))]
    seconds: u64,
    /// The UDP port where MNDP is spoken; 5678 unless set.
    #[serde(default = "usual")]
    #[schemars(range(min = 1024))]
    port: u16,
}

fn five() -> u64 {
    5
}

fn usual() -> u16 {
    mndp::PORT
}

#[derive(Serialize, JsonSchema)]
struct Answer {
    /// Who was heard lately: those not managed yet first.
    rows: Vec<Row>,
    /// How long was listened now.
    listened_seconds: u64,
    /// Addresses the question went to.
    asked: usize,
    /// Announcements that found no room since the start.
    dropped: u64,
    /// Why somebody may be missing.
    troubles: Vec<String>,
}

#[derive(Serialize, JsonSchema)]
struct Row {
    /// Where its packets come from: the address to add it by.
    address: String,
    /// Another address it says it has.
    claims: Option<String>,
    /// Of the interface it speaks from.
    mac: Option<String>,
    /// Its name, as it says.
    identity: Option<String>,
    /// Its RouterOS.
    version: Option<String>,
    /// Its board.
    board: Option<String>,
    /// Its maker.
    platform: Option<String>,
    /// Its interface towards us.
    interface: Option<String>,
    /// Of its licence.
    software_id: Option<String>,
    /// Since it started.
    uptime_seconds: Option<u32>,
    /// When it was heard last.
    last_heard: String,
    /// Name of the device that it is, or seems to be.
    managed: Option<String>,
    /// address, or identity: a name alone proves nothing.
    managed_by: Option<&'static str>,
    /// It can be added at this address; routers cannot be reached at link-local ones.
    can_add: bool,
    /// Two senders of one kind claim this hardware address: one of them lies.
    contested: bool,
    /// Some of its texts were cut or held what nobody sees.
    altered: bool,
}

async fn run(cx: &Cx, args: Args) -> Result<Answer, Fault> {
    let heard = cx.world.fleet.discover(Ears::of_site(args.port), Duration::from_secs(args.seconds)).await?;
    let devices = cx.devices();
    let all = &heard.neighbours;
    let mut rows: Vec<Row> = all.iter().map(|one| row(one, all, &devices)).collect();
    rows.sort_by_key(|row| (row.managed.is_some(), !row.can_add));
    Ok(Answer { rows, listened_seconds: args.seconds, asked: heard.asked, dropped: heard.dropped, troubles: heard.troubles })
}

fn row(one: &Neighbour, all: &[Neighbour], devices: &[Arc<Device>]) -> Row {
    let said = &one.said;
    let claimed = [said.ipv4.map(IpAddr::V4), said.ipv6.map(IpAddr::V6)].into_iter().flatten();
    let claims = claimed.filter(|ip| *ip != one.from).map(|ip| ip.to_string()).next();
    let by_address = devices.iter().find(|device| device.address.parse() == Ok(one.from)).map(|device| (device, "address"));
    let managed = by_address.or_else(|| namesake(one, devices).map(|device| (device, "identity")));
    let is_other = |other: &&Neighbour| other.from != one.from && other.from.is_ipv4() == one.from.is_ipv4() && other.said.mac == said.mac;
    Row {
        address: one.from.to_string(),
        claims,
        mac: said.mac.clone(),
        identity: said.identity.clone(),
        version: said.version.clone(),
        board: said.board.clone(),
        platform: said.platform.clone(),
        interface: said.interface.clone(),
        software_id: said.software_id.clone(),
        uptime_seconds: said.uptime_seconds,
        last_heard: one.last.rfc3339(),
        managed: managed.map(|(device, _)| device.name.clone()),
        managed_by: managed.map(|(_, by)| by),
        can_add: forbidden(one.from).is_none(),
        contested: said.mac.is_some() && all.iter().filter(is_other).count() > 0,
        altered: said.altered,
    }
}

/// The one device that says the same of itself: name, board and version. A router that is reached by another address.
fn namesake<'d>(one: &Neighbour, devices: &'d [Arc<Device>]) -> Option<&'d Arc<Device>> {
    let identity = one.said.identity.as_deref()?;
    let version = one.said.version.as_deref()?.split(' ').next()?;
    let is_it = |device: &&Arc<Device>| {
        let facts = &device.facts;
        facts.identity.as_deref() == Some(identity)
            && facts.board == one.said.board
            && facts.version.as_deref().is_some_and(|known| known.split(' ').next() == Some(version))
    };
    let mut found = devices.iter().filter(is_it);
    found.next().filter(|_| found.next().is_none())
}
