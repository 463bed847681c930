//! The steps of a packet's way, in the order the router takes them, until it arrives, is refused or nobody can tell.

use super::chain::{Ended, Place, run};
use super::net::{address, protocol};
use super::packet::{Packet, Port, Truth};
use super::route::{self, Way};
use super::{Tables, Verdict, is_off, is_on};
use crate::routeros::row::Row;
use crate::routeros::value;
use std::net::IpAddr;

/// What to send.
#[derive(Debug, Clone)]
pub struct Flow {
    /// From.
    pub src: IpAddr,
    /// To.
    pub dst: IpAddr,
    /// IP protocol number.
    pub protocol: u8,
    /// Destination port.
    pub port: Option<u16>,
    /// The interface it comes in by; found from the routes unless given.
    pub ingress: Option<String>,
}

impl Flow {
    /// A flow of a named protocol; `None` for a name RouterOS does not know.
    pub fn of(src: IpAddr, dst: IpAddr, word: &str, port: Option<u16>) -> Option<Self> {
        Some(Flow { src, dst, protocol: protocol(word)?, port, ingress: None })
    }
}

/// One step.
#[derive(Debug)]
pub struct Hop<'a> {
    /// `ingress`, `raw`, `dstnat`, `route`, `filter_forward`, …
    pub step: &'static str,
    /// What became of the packet there.
    pub verdict: Verdict,
    /// In words; names only what the router's operator wrote.
    pub why: String,
    /// Menu of the rows below, without `/ip` or `/ipv6`.
    pub menu: &'static str,
    /// The rows that decided.
    pub rows: Vec<Place<'a>>,
}

/// The whole way.
#[derive(Debug)]
pub struct Journey<'a> {
    /// In the router's order; the last one is where it ended.
    pub hops: Vec<Hop<'a>>,
    /// `Accepted`, or why not, or `Unknown`.
    pub verdict: Verdict,
    /// What the verdict takes for granted.
    pub assumptions: Vec<&'static str>,
    /// The next hops it would be handed to, to be looked for among the neighbours.
    pub next: Vec<IpAddr>,
}

/// Follows the first packet of a flow.
pub fn trace<'a>(tables: &Tables<'a>, flow: &Flow) -> Journey<'a> {
    let mut packet = Packet::new(flow.src, flow.dst, flow.protocol, flow.port);
    let mut way = Trace::new(tables);
    let walked = way.walk(flow, &mut packet);
    let verdict = way.verdict(walked);
    let mut assumptions = vec!["first packet of a new connection"];
    let all = [tables.filter, tables.nat, tables.raw, tables.mangle];
    let asks = |name: &str| all.iter().flatten().flat_map(|rows| rows.iter()).any(|row| row.get(name).is_some() && !is_off(row));
    if asks("ipsec-policy") {
        assumptions.push("not inside an IPsec tunnel");
    }
    if tables.filter.into_iter().flatten().any(|row| row.get("action") == Some("fasttrack-connection") && !is_off(row)) {
        assumptions.push("later packets may take the fast track past filter and mangle rules");
    }
    Journey { hops: way.hops, verdict, assumptions, next: way.next }
}

pub(super) struct Trace<'a, 't> {
    pub(super) tables: &'t Tables<'a>,
    pub(super) hops: Vec<Hop<'a>>,
    doubt: bool,
    next: Vec<IpAddr>,
}

/// The packet got no further, with this verdict; otherwise it goes on.
pub(super) type Step = Result<(), Verdict>;

impl<'a, 't> Trace<'a, 't> {
    pub(super) fn new(tables: &'t Tables<'a>) -> Self {
        Trace { tables, hops: Vec::new(), doubt: false, next: Vec::new() }
    }

    /// What came of it: an arrival only counts where nothing on the way was in doubt.
    pub(super) fn verdict(&self, walked: Step) -> Verdict {
        match walked.err().unwrap_or(Verdict::Accepted) {
            // A later refusal is certain whatever came before; an arrival is not.
            verdict if verdict.is_end() => verdict,
            Verdict::Accepted if !self.doubt => Verdict::Accepted,
            _ => Verdict::Unknown,
        }
    }

    fn walk(&mut self, flow: &Flow, packet: &mut Packet) -> Step {
        if self.tables.own(flow.src).is_some() && flow.ingress.is_none() {
            return self.out(packet);
        }
        self.ingress(flow, packet);
        self.through(packet)
    }

    /// From elsewhere: to the router, or through it.
    pub(super) fn through(&mut self, packet: &mut Packet) -> Step {
        self.rules("raw", "/firewall/raw", self.tables.raw, "prerouting", packet)?;
        self.rules("mangle_prerouting", "/firewall/mangle", self.tables.mangle, "prerouting", packet)?;
        self.dstnat(packet)?;
        let (gateways, is_local) = self.route(packet)?;
        if is_local {
            self.rules("mangle_input", "/firewall/mangle", self.tables.mangle, "input", packet)?;
            return self.rules("filter_input", "/firewall/filter", self.tables.filter, "input", packet);
        }
        let off = |row: &Row| ["ip-forward", "forward"].iter().any(|name| row.get(name).and_then(value::flag) == Some(false));
        if let Some(row) = self.tables.settings.first().filter(|row| off(row)) {
            self.push(
                "forwarding",
                Verdict::Dropped,
                "the router does not forward packets",
                "/settings",
                vec![Place { position: 0, row }],
            )?;
        }
        self.rules("mangle_forward", "/firewall/mangle", self.tables.mangle, "forward", packet)?;
        self.rules("filter_forward", "/firewall/filter", self.tables.filter, "forward", packet)?;
        self.leave(packet, &gateways)
    }

    /// From the router itself.
    fn out(&mut self, packet: &mut Packet) -> Step {
        let (gateways, is_local) = self.route(packet)?;
        if is_local {
            return Ok(());
        }
        self.rules("raw", "/firewall/raw", self.tables.raw, "output", packet)?;
        self.rules("mangle_output", "/firewall/mangle", self.tables.mangle, "output", packet)?;
        self.rules("filter_output", "/firewall/filter", self.tables.filter, "output", packet)?;
        self.leave(packet, &gateways)
    }

    fn leave(&mut self, packet: &mut Packet, gateways: &[IpAddr]) -> Step {
        self.rules("mangle_postrouting", "/firewall/mangle", self.tables.mangle, "postrouting", packet)?;
        self.srcnat(packet);
        self.neighbour(packet, gateways)
    }

    fn push(&mut self, step: &'static str, verdict: Verdict, why: impl Into<String>, menu: &'static str, rows: Vec<Place<'a>>) -> Step {
        self.doubt |= verdict == Verdict::Unknown;
        self.hops.push(Hop { step, verdict, why: why.into(), menu, rows });
        if verdict.is_end() { Err(verdict) } else { Ok(()) }
    }

    /// Where packets of the source come in: by the network it is in, or the way an answer would leave.
    pub(super) fn ingress(&mut self, flow: &Flow, packet: &mut Packet) {
        if let Some(name) = &flow.ingress {
            packet.ingress = Port::Named(name.clone());
            return;
        }
        let back = Packet::new(flow.dst, flow.src, flow.protocol, None);
        let (port, rows, menu, why) = match self.tables.network_of(flow.src) {
            Some((place, name)) => {
                let why = format!("the source is in a network of {name}");
                (Port::Named(name), vec![place], "/address", why)
            }
            None => match route::find(flow.src, &back, self.tables) {
                Way::Out { routes, port, .. } => {
                    let why = match port.name() {
                        Some(name) => format!("answers to the source leave by {name}, so it is taken to come in there"),
                        None => "several ways lead to the source".to_owned(),
                    };
                    (port, routes, "/route", why)
                }
                _ => (Port::Unknown, Vec::new(), "/route", "no route leads back to the source".to_owned()),
            },
        };
        // Not knowing it is only a doubt where a rule asks for it.
        let verdict = if port == Port::Unknown { Verdict::NotSeen } else { Verdict::Passed };
        packet.ingress = port;
        self.hops.push(Hop { step: "ingress", verdict, why, menu, rows });
    }

    /// A table that filters or marks. Steps where no rule stands are left out.
    pub(super) fn rules(
        &mut self,
        step: &'static str,
        menu: &'static str,
        rows: Option<&'a [Row]>,
        chain: &str,
        packet: &mut Packet,
    ) -> Step {
        if rows.is_some_and(|rows| !rows.iter().any(|row| row.get("chain") == Some(chain) && !is_off(row))) {
            if step.starts_with("filter") {
                return self.push(step, Verdict::Passed, format!("no rule in chain {chain}: everything passes"), menu, Vec::new());
            }
            return Ok(());
        }
        let ended = run(rows, chain, false, packet, self.tables);
        let why = match (ended.verdict, ended.rules.first()) {
            (Verdict::Unknown, _) => format!("cannot be evaluated: {}", ended.doubt.as_deref().unwrap_or("the table")),
            (Verdict::Passed, None) => format!("no rule of chain {chain} stops it"),
            (verdict, Some(rule)) => format!("rule {} decides: {}", rule.position, verdict.as_str()),
            (verdict, None) => verdict.as_str().to_owned(),
        };
        // Marks alone stop nothing: what they leave unknown shows where it is asked for.
        let verdict = if step.starts_with("mangle") && rows.is_some() { Verdict::Passed } else { ended.verdict };
        self.push(step, verdict, why, menu, ended.rules)
    }

    fn dstnat(&mut self, packet: &mut Packet) -> Step {
        let ended = self.nat("dstnat", packet);
        match (ended.verdict, ended.rules.first().copied()) {
            (Verdict::Translated, Some(rule)) => {
                packet.dstnat = Truth::Yes;
                let why = match translate(rule.row, packet, self.tables) {
                    Some(why) => why,
                    None => {
                        let _ = self.push("dstnat", Verdict::Unknown, "its new address cannot be worked out", "/firewall/nat", ended.rules);
                        return Err(Verdict::Unknown);
                    }
                };
                self.push("dstnat", Verdict::Translated, why, "/firewall/nat", ended.rules)
            }
            (Verdict::Unknown, _) => {
                let why = format!("cannot be evaluated: {}", ended.doubt.as_deref().unwrap_or("the table"));
                let _ = self.push("dstnat", Verdict::Unknown, why, "/firewall/nat", ended.rules);
                // Without its destination nothing further can be said.
                Err(Verdict::Unknown)
            }
            (Verdict::Passed, Some(rule)) => {
                self.push("dstnat", Verdict::Passed, format!("rule {} leaves it as it is", rule.position), "/firewall/nat", ended.rules)
            }
            _ => Ok(()),
        }
    }

    fn srcnat(&mut self, packet: &mut Packet) {
        let ended = self.nat("srcnat", packet);
        let why = match (ended.verdict, ended.rules.first()) {
            (Verdict::Translated, Some(rule)) => {
                let to = rule.row.get("to-addresses").filter(|to| !to.is_empty());
                let action = rule.row.get("action").unwrap_or_default();
                to.map_or_else(|| format!("rule {}: {action}", rule.position), |to| format!("rule {}: {action} to {to}", rule.position))
            }
            (Verdict::Unknown, _) => format!("cannot be evaluated: {}", ended.doubt.as_deref().unwrap_or("the table")),
            (_, Some(rule)) => format!("rule {} leaves it as it is", rule.position),
            (_, None) => return,
        };
        let _ = self.push("srcnat", ended.verdict, why, "/firewall/nat", ended.rules);
    }

    /// NAT sees tracked packets only.
    fn nat(&self, chain: &str, packet: &mut Packet) -> Ended<'a> {
        let none = || Ended { verdict: Verdict::Passed, rules: Vec::new(), doubt: None };
        if packet.untracked == Truth::Yes {
            return none();
        }
        let mut ended = run(self.tables.nat, chain, true, packet, self.tables);
        if packet.untracked == Truth::Maybe && ended.verdict == Verdict::Translated {
            ended.verdict = Verdict::Unknown;
            ended.doubt = Some("whether the connection is tracked".into());
        }
        ended
    }

    /// Gateways to ask for, and whether the router itself is meant.
    pub(super) fn route(&mut self, packet: &mut Packet) -> Result<(Vec<IpAddr>, bool), Verdict> {
        let to = packet.dst;
        if self.tables.is_broadcast(to) || (to.is_loopback() && !self.tables.loopback_outside) {
            self.push("route", Verdict::Passed, "the router itself is meant", "/address", Vec::new())?;
            return Ok((Vec::new(), true));
        }
        match route::find(to, packet, self.tables) {
            Way::Local(place) => {
                self.push("route", Verdict::Passed, "the router itself is meant", "/address", vec![place])?;
                Ok((Vec::new(), true))
            }
            Way::Out { routes, gateways, port, table } => {
                let by = port.name().map_or("by several or unknown interfaces".to_owned(), |name| format!("by {name}"));
                let through = if gateways.is_empty() {
                    "directly".to_owned()
                } else {
                    format!("through {}", gateways.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
                };
                let several = if routes.len() > 1 || gateways.len() > 1 { "; equal routes share the load (ECMP)" } else { "" };
                let of = if table == "main" { String::new() } else { format!(" in table {table}") };
                packet.egress = port;
                self.push("route", Verdict::Passed, format!("leaves {by} {through}{of}{several}"), "/route", routes)?;
                Ok((gateways, false))
            }
            Way::Blackhole(menu, place) => {
                let why = if menu == "/route" { "a blackhole route takes it" } else { "a routing rule drops it" };
                self.push("route", Verdict::Dropped, why, menu, vec![place])?;
                Err(Verdict::Dropped)
            }
            Way::Nothing => {
                self.push("route", Verdict::NoRoute, format!("no active route to {to}"), "/route", Vec::new())?;
                Err(Verdict::NoRoute)
            }
            Way::Unknown(what, place) => {
                let why = format!("cannot be evaluated: {what}");
                let _ = self.push("route", Verdict::Unknown, why, "/routing/rule", place.into_iter().collect());
                Err(Verdict::Unknown)
            }
        }
    }

    /// Whether the next hop answered lately. A missing entry means only that nobody asked.
    fn neighbour(&mut self, packet: &Packet, gateways: &[IpAddr]) -> Step {
        let next: Vec<IpAddr> = if gateways.is_empty() { vec![packet.dst] } else { gateways.to_vec() };
        self.next.clone_from(&next);
        let Some(rows) = self.tables.neighbours else { return Ok(()) };
        let mut dead = Vec::new();
        for hop in &next {
            let of_port = |row: &Row| packet.egress.name().is_none_or(|name| row.get("interface").is_none_or(|on| on == name));
            let known = rows.iter().enumerate().filter(|(_, row)| row.get("address").and_then(address) == Some(*hop) && of_port(row));
            let known: Vec<Place<'a>> = known.map(|(position, row)| Place { position, row }).collect();
            match known.iter().find(|place| answers(place.row)) {
                Some(place) => {
                    return self.push("neighbour", Verdict::Passed, format!("{hop} is known"), NEIGHBOURS, vec![*place]);
                }
                None if known.is_empty() => {
                    return self.push("neighbour", Verdict::NotSeen, format!("{hop} was not heard of lately"), NEIGHBOURS, Vec::new());
                }
                None => dead.extend(known),
            }
        }
        let why = format!("{} does not answer", next.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        self.push("neighbour", Verdict::Unreachable, why, NEIGHBOURS, dead)
    }
}

/// Stands for `/ip/arp` or `/ipv6/neighbor`.
const NEIGHBOURS: &str = "neighbour";

fn answers(row: &Row) -> bool {
    if is_off(row) {
        return false;
    }
    match row.get("status").unwrap_or_default() {
        "failed" | "incomplete" => false,
        "" => row.get("complete").is_none() || is_on(row, "complete"),
        _ => true,
    }
}

/// Puts a dstnat rule's new destination on the packet, and says it; `None` when it cannot be told.
fn translate(rule: &Row, packet: &mut Packet, tables: &Tables<'_>) -> Option<String> {
    let port = rule.get("to-ports").filter(|text| !text.is_empty());
    // A range of ports or addresses is a choice the router makes each time.
    if port.is_some_and(|text| text.contains(['-', ','])) {
        return None;
    }
    let new_port = match port {
        Some(text) if packet.has_ports() => Some(text.parse::<u16>().ok()?),
        _ => packet.dst_port,
    };
    match rule.get("action")? {
        "redirect" => {
            let on = packet.ingress.name()?;
            let own = |row: &&Row| !is_off(row) && (row.get("interface") == Some(on) || row.get("actual-interface") == Some(on));
            packet.dst = tables.addresses.iter().find(own)?.get("address").and_then(address)?;
        }
        "dst-nat" => {
            let to = rule.get("to-addresses").or(rule.get("to-address")).filter(|text| !text.is_empty());
            if let Some(to) = to {
                packet.dst = value::bare_address(to).parse().ok()?;
            }
        }
        _ => return None,
    }
    packet.dst_port = new_port;
    Some(match packet.dst_port {
        Some(port) if packet.dst.is_ipv6() => format!("to [{}]:{port}", packet.dst),
        Some(port) => format!("to {}:{port}", packet.dst),
        None => format!("to {}", packet.dst),
    })
}
