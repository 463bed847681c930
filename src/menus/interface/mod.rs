//! `/interface` and what is below it.

pub mod bonding;
pub mod bridge;
pub mod eoip;
pub mod ethernet;
pub mod gre;
pub mod ipip;
pub mod l2tp_client;
pub mod l2tp_server_server;
pub mod list;
pub mod list_member;
pub mod lte;
pub mod lte_apn;
pub mod ovpn_client;
pub mod ovpn_server_server;
pub mod pppoe_client;
pub mod pppoe_server_server;
pub mod pptp_client;
pub mod root;
pub mod sstp_client;
pub mod sstp_server_server;
pub mod veth;
pub mod vlan;
pub mod vrrp;
pub mod vxlan;
pub mod vxlan_vteps;
pub mod wifi;
pub mod wireguard;
pub mod wireguard_peers;
pub mod wireless;

use super::Menu;

/// The menus of this folder.
pub const MENUS: &[&Menu] = &[
    &root::MENU,
    &ethernet::MENU,
    &vlan::MENU,
    &bonding::MENU,
    &list::MENU,
    &list_member::MENU,
    &wireguard::MENU,
    &wireguard_peers::MENU,
    &pppoe_client::MENU,
    &pppoe_server_server::MENU,
    &l2tp_client::MENU,
    &l2tp_server_server::MENU,
    &sstp_client::MENU,
    &sstp_server_server::MENU,
    &ovpn_client::MENU,
    &ovpn_server_server::MENU,
    &pptp_client::MENU,
    &gre::MENU,
    &ipip::MENU,
    &eoip::MENU,
    &vxlan::MENU,
    &vxlan_vteps::MENU,
    &vrrp::MENU,
    &lte::MENU,
    &lte_apn::MENU,
    &veth::MENU,
];
