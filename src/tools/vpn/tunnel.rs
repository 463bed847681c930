//! One end of a tunnel, as answered: a WireGuard peer, an IPsec peer or policy, a PPP session, a tunnel this router dials.

use crate::tools::router::View;
use schemars::JsonSchema;
use serde::Serialize;

/// A WireGuard handshake is renewed every two minutes of traffic and void after three.
///
/// Source: <https://www.wireguard.com/papers/wireguard.pdf>, section 6.1
const HANDSHAKE_SECONDS: u64 = 180;

/// A WireGuard peer.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Peer {
    pub interface: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// up, stale (no handshake for 3 minutes: idle or gone), never, disabled.
    pub state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handshake_seconds: Option<u64>,
    /// Where it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Peer {
    pub(super) fn of(row: View<'_>) -> Self {
        let (handshake, rx_bytes) = (row.seconds("last-handshake"), row.count("rx"));
        let state = match handshake {
            _ if row.is("disabled") => "disabled",
            None => "never",
            // Some versions write zero for a handshake that never was.
            Some(0) if rx_bytes == Some(0) => "never",
            Some(seconds) if seconds <= HANDSHAKE_SECONDS => "up",
            Some(_) => "stale",
        };
        let name = row.string("name");
        // A name tells a peer apart; only without one does its key have to.
        let public_key = if name.is_none() { row.string("public-key") } else { None };
        let endpoint =
            end(row, "current-endpoint-address", "current-endpoint-port").or_else(|| end(row, "endpoint-address", "endpoint-port"));
        Peer {
            interface: row.string("interface").unwrap_or_default(),
            name,
            state,
            last_handshake_seconds: handshake.filter(|_| state != "never"),
            endpoint,
            allowed_address: row.string("allowed-address"),
            rx_bytes,
            tx_bytes: row.count("tx"),
            public_key,
            comment: row.string("comment"),
        }
    }
}

/// `192.0.2.1:51820`; nothing for an empty or zero address.
fn end(row: View<'_>, address: &str, port: &str) -> Option<String> {
    let host = row.string(address).filter(|host| !["0.0.0.0", "::"].contains(&host.as_str()))?;
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(match row.text(port).filter(|port| !["", "0"].contains(port)) {
        Some(port) => format!("{host}:{port}"),
        None => host,
    })
}

/// An IPsec peer that is connected.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Ipsec {
    pub remote_address: String,
    /// What it calls itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub state: String,
    /// Established, with a phase 2.
    pub up: bool,
    /// initiator or responder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub side: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase2_total: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_seen_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Ipsec {
    pub(super) fn of(row: View<'_>) -> Self {
        let (state, phase2_total) = (row.string("state").unwrap_or_default(), row.count("ph2-total"));
        let side = row
            .string("side")
            .or_else(|| row.flag("responder").map(|responder| if responder { "responder" } else { "initiator" }.to_owned()));
        Ipsec {
            remote_address: row.string("remote-address").or_else(|| row.string("dynamic-address")).unwrap_or_default(),
            id: row.string("id"),
            // A peer that does not tell its phase 2 is not called down for it.
            up: state == "established" && phase2_total != Some(0),
            state,
            side,
            phase2_total,
            uptime_seconds: row.seconds("uptime"),
            last_seen_seconds: row.seconds("last-seen"),
            rx_bytes: row.count("rx-bytes"),
            tx_bytes: row.count("tx-bytes"),
            comment: row.string("comment"),
        }
    }
}

/// An IPsec policy: traffic that is to be protected.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Policy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase2_state: Option<String>,
    pub up: bool,
    pub disabled: bool,
    pub invalid: bool,
    pub dynamic: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Policy {
    /// Nothing for a template, which protects nothing itself, and for an exception.
    pub(super) fn of(row: View<'_>) -> Option<Self> {
        if row.is("template") || row.text("action").is_some_and(|action| action != "encrypt") {
            return None;
        }
        let phase2_state = row.string("ph2-state");
        Some(Policy {
            src_address: row.string("src-address"),
            dst_address: row.string("dst-address"),
            peer: row.string("peer"),
            up: phase2_state.as_deref() == Some("established"),
            phase2_state,
            disabled: row.is("disabled"),
            invalid: row.is("invalid"),
            dynamic: row.is("dynamic"),
            comment: row.string("comment"),
        })
    }
}

/// A client that dialled in.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Session {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uptime_seconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Session {
    pub(super) fn of(row: View<'_>) -> Self {
        Session {
            name: row.string("name").unwrap_or_default(),
            service: row.string("service"),
            caller_id: row.string("caller-id"),
            address: row.string("address"),
            uptime_seconds: row.seconds("uptime"),
            encoding: row.string("encoding"),
            comment: row.string("comment"),
        }
    }
}

/// A tunnel this router dials.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Client {
    pub name: String,
    /// l2tp, sstp, ovpn, pptp, pppoe or ppp.
    pub kind: String,
    pub running: bool,
    pub disabled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_link_up: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tx_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Client {
    /// Nothing for an interface of another kind.
    pub(super) fn of(row: View<'_>) -> Option<Self> {
        let kind = row.text("type")?.strip_suffix("-out")?;
        Some(Client {
            name: row.string("name").unwrap_or_default(),
            kind: kind.to_owned(),
            running: row.is("running"),
            disabled: row.is("disabled"),
            last_link_up: row.string("last-link-up-time"),
            rx_bytes: row.count("rx-byte"),
            tx_bytes: row.count("tx-byte"),
            comment: row.string("comment"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::router::Seen;

    #[test]
    fn a_handshake_tells_whether_a_peer_is_there() {
        let seen = Seen::answered(
            "/interface/wireguard/peers",
            r#"[{"interface":"wg","name":"a","last-handshake":"14s","rx":"8395000","tx":"58834536","current-endpoint-address":"172.19.120.142","current-endpoint-port":"51209","endpoint-address":"","endpoint-port":"0","public-key":"PK"},
               {"interface":"wg","public-key":"PK","last-handshake":"3m1s","rx":"5"},{"interface":"wg","public-key":"PK"},
               {"interface":"wg","name":"d","disabled":"true","last-handshake":"1s"},{"interface":"wg","name":"e","last-handshake":"0s","rx":"0"},
               {"interface":"wg","name":"f","endpoint-address":"2001:db8::1","endpoint-port":"51820","private-key":"hush","preshared-key":"hush"}]"#,
        );
        let peers: Vec<Peer> = seen.iter().map(Peer::of).collect();
        assert_eq!(peers.iter().map(|peer| peer.state).collect::<Vec<_>>(), ["up", "stale", "never", "disabled", "never", "never"]);
        assert_eq!((peers[0].endpoint.as_deref(), peers[0].last_handshake_seconds), (Some("172.19.120.142:51209"), Some(14)));
        assert_eq!((peers[1].public_key.as_deref(), peers[0].public_key.as_deref()), (Some("PK"), None));
        assert_eq!((peers[4].last_handshake_seconds, peers[5].endpoint.as_deref()), (None, Some("[2001:db8::1]:51820")));
        assert!(!serde_json::to_string(&peers).unwrap().contains("hush"));
    }

    #[test]
    fn phase_one_without_phase_two_is_not_up() {
        let seen = Seen::answered(
            "/ip/ipsec/active-peers",
            r#"[{"remote-address":"192.0.2.1","state":"established","ph2-total":"2","side":"initiator","uptime":"1h","rx-bytes":"10"},
               {"remote-address":"192.0.2.2","state":"established","ph2-total":"0","responder":"true"},{"remote-address":"192.0.2.3","state":"message-1-sent"},
               {"remote-address":"192.0.2.4","state":"established"}]"#,
        );
        let peers: Vec<Ipsec> = seen.iter().map(Ipsec::of).collect();
        assert_eq!(peers.iter().map(|peer| peer.up).collect::<Vec<_>>(), [true, false, false, true]);
        assert_eq!((peers[0].side.as_deref(), peers[1].side.as_deref()), (Some("initiator"), Some("responder")));
        let seen = Seen::answered(
            "/ip/ipsec/policy",
            r#"[{"action":"encrypt","active":"false","disabled":"false","dst-address":"::/0","peer":"peer1","ph2-count":"0","ph2-state":"no-phase2","src-address":"::/0"},
               {"template":"true","src-address":"::/0"},{"action":"none"},{"src-address":"10.0.0.0/24","ph2-state":"established","dynamic":"true"}]"#,
        );
        let policies: Vec<Policy> = seen.iter().filter_map(Policy::of).collect();
        assert_eq!(policies.iter().map(|policy| (policy.up, policy.dynamic)).collect::<Vec<_>>(), [(false, false), (true, true)]);
    }
}
