//! The two wireless packages: the same settings by other names.

use crate::base::fault::{Fault, Kind};
use crate::fleet::{Device, Wifi};
use crate::plan::edit::{Edit, Op};
use serde_json::Value;

/// Where a package keeps what.
pub(super) struct Stack {
    pub is_wifi: bool,
    pub menu: &'static str,
    pub ssid: &'static str,
    pub hide: &'static str,
    pub vlan: &'static str,
    pub security: &'static str,
    pub frequency: &'static str,
    pub width: &'static str,
    pub power: &'static str,
    pub country: &'static str,
}

impl Stack {
    /// What this device has.
    pub fn of(device: &Device) -> Result<Stack, Fault> {
        match device.facts.can.wifi {
            Wifi::Wifi => Ok(Stack {
                is_wifi: true,
                menu: "/interface/wifi",
                ssid: "configuration.ssid",
                hide: "configuration.hide-ssid",
                vlan: "datapath.vlan-id",
                security: "security",
                frequency: "channel.frequency",
                width: "channel.width",
                power: "configuration.tx-power",
                country: "configuration.country",
            }),
            Wifi::Wireless => Ok(Stack {
                is_wifi: false,
                menu: "/interface/wireless",
                ssid: "ssid",
                hide: "hide-ssid",
                vlan: "vlan-id",
                security: "security-profile",
                frequency: "frequency",
                width: "channel-width",
                power: "tx-power",
                country: "country",
            }),
            Wifi::None => Err(Fault::new(Kind::NotFound, format!("device \"{}\" has no wireless package", device.name))
                .hint("device.get shows what it can do")),
        }
    }

    /// A new security profile with this passphrase.
    pub fn profile(&self, name: &str, passphrase: Value) -> Edit {
        if self.is_wifi {
            let edit = Edit::new("/interface/wifi/security", Op::Add).with("name", name);
            return edit.with("authentication-types", "wpa2-psk,wpa3-psk").with("passphrase", passphrase);
        }
        let edit = Edit::new("/interface/wireless/security-profiles", Op::Add).with("name", name).with("mode", "dynamic-keys");
        edit.with("authentication-types", "wpa2-psk").with("wpa2-pre-shared-key", passphrase)
    }
}
