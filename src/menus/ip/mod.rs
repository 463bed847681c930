//! `/ip` and what is below it.

pub mod address;
pub mod arp;
pub mod cloud;
pub mod dhcp_client;
pub mod dhcp_relay;
pub mod dhcp_server;
pub mod dns;
pub mod firewall;
pub mod hotspot;
pub mod ipsec;
pub mod neighbor;
pub mod neighbor_discovery_settings;
pub mod pool;
pub mod pool_used;
pub mod proxy;
pub mod route;
pub mod service;
pub mod settings;
pub mod smb;
pub mod socks;
pub mod ssh;
pub mod traffic_flow;
pub mod traffic_flow_target;
pub mod upnp;
pub mod upnp_interfaces;
pub mod vrf;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &address::MENU,
    &arp::MENU,
    &route::MENU,
    &vrf::MENU,
    &dhcp_client::MENU,
    &dhcp_relay::MENU,
    &pool::MENU,
    &pool_used::MENU,
    &service::MENU,
    &ssh::MENU,
    &settings::MENU,
    &cloud::MENU,
    &neighbor::MENU,
    &neighbor_discovery_settings::MENU,
    &upnp::MENU,
    &upnp_interfaces::MENU,
    &proxy::MENU,
    &socks::MENU,
    &smb::MENU,
    &traffic_flow::MENU,
    &traffic_flow_target::MENU,
];
