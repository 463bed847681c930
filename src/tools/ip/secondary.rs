//! Addresses beside the one a router is managed by.

use crate::base::fault::Fault;
use crate::fleet::Device;
use crate::tools::arguments::shown;
use ipnet::IpNet;
use std::net::IpAddr;

/// What is shown of a row.
pub(super) const NAMES: &[(&str, &str)] = &[("address", "address"), ("interface", "interface"), ("comment", "comment")];

/// `192.0.2.1/24`: an address of a host, with the length of its prefix.
pub(super) fn prefix(text: &str) -> Result<IpNet, Fault> {
    text.trim().parse().map_err(|_| {
        Fault::bad_input(format!("address: \"{}\" is no address with prefix length", shown(text))).hint("such as 192.0.2.1/24")
    })
}

/// The menu of its family.
pub(super) fn menu(net: IpNet) -> &'static str {
    if net.addr().is_ipv4() { "/ip/address" } else { "/ipv6/address" }
}

/// Errs for the address the device is managed by.
pub(super) fn not_ours(device: &Device, net: IpNet) -> Result<(), Fault> {
    if device.address.parse::<IpAddr>().is_ok_and(|ours| ours == net.addr()) {
        let said = format!("device \"{}\" is managed by {}; that address is not touched", device.name, net.addr());
        return Err(Fault::denied(said).hint("plan.create can plan it, for a person to approve"));
    }
    Ok(())
}
