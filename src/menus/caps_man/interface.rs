//! `/caps-man/interface`: interfaces of access points under old CAPsMAN.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{COMMENT, DISABLED, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/caps-man/interface", "Interfaces of access points under old CAPsMAN")
    .key(&["name"])
    .attrs(&[
        attr("arp", Kind::Text, "How ARP is answered"),
        attr("arp-timeout", Kind::Span, "How long an ARP entry lives"),
        attr("channel", Kind::Name, "Channel profile"),
        attr("channel.band", Kind::Text, "Band"),
        attr("channel.control-channel-width", Kind::Text, ""),
        attr("channel.extension-channel", Kind::Text, ""),
        attr("channel.frequency", Kind::Text, "Frequencies, MHz"),
        attr("channel.reselect-interval", Kind::Span, "How often a channel is chosen anew"),
        attr("channel.save-selected", Kind::Text, ""),
        attr("channel.secondary-frequency", Kind::Text, "Second frequency, MHz"),
        attr("channel.skip-dfs-channels", Kind::Text, "Leaves out radar channels"),
        attr("channel.tx-power", Kind::Int, "Transmit power, dBm"),
        COMMENT,
        attr("configuration", Kind::Name, "Configuration profile"),
        attr("configuration.country", Kind::Text, "Country whose radio rules apply"),
        attr("configuration.disconnect-timeout", Kind::Span, ""),
        attr("configuration.distance", Kind::Int, "Distance to the farthest client, km"),
        attr("configuration.frame-lifetime", Kind::Span, ""),
        attr("configuration.guard-interval", Kind::Text, ""),
        attr("configuration.hide-ssid", Kind::Flag, "Network name is not announced"),
        attr("configuration.hw-protection-mode", Kind::Text, ""),
        attr("configuration.hw-retries", Kind::Text, ""),
        attr("configuration.installation", Kind::Text, "Indoor or outdoor"),
        attr("configuration.keepalive-frames", Kind::Text, ""),
        attr("configuration.load-balancing-group", Kind::Text, ""),
        attr("configuration.max-sta-count", Kind::Text, ""),
        attr("configuration.mode", Kind::Text, "Access point or station"),
        attr("configuration.multicast-helper", Kind::Text, ""),
        attr("configuration.rx-chains", Kind::Set, ""),
        attr("configuration.ssid", Kind::Text, "Network name").untrusted(),
        attr("configuration.tx-chains", Kind::Set, ""),
        attr("datapath", Kind::Name, "Datapath profile"),
        attr("datapath.bridge", Kind::Name, "Bridge clients join"),
        attr("datapath.bridge-cost", Kind::Int, "Path cost of its bridge port"),
        attr("datapath.bridge-horizon", Kind::Text, "Horizon of its bridge port"),
        attr("datapath.client-to-client-forwarding", Kind::Flag, "Clients reach each other"),
        attr("datapath.interface-list", Kind::Name, "Interface list it joins"),
        attr("datapath.local-forwarding", Kind::Flag, ""),
        attr("datapath.openflow-switch", Kind::Text, ""),
        attr("datapath.vlan-id", Kind::Int, "VLAN of clients"),
        attr("datapath.vlan-mode", Kind::Text, ""),
        attr("disable-running-check", Kind::Flag, ""),
        DISABLED,
        attr("l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes"),
        attr("mac-address", Kind::Mac, "MAC address"),
        attr("master-interface", Kind::Name, "Interface it is a virtual one of"),
        attr("mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("name", Kind::Name, "Name others refer to"),
        attr("radio-mac", Kind::Mac, "MAC address of the radio"),
        attr("radio-name", Kind::Text, "Name the radio calls itself").untrusted(),
        attr("rates", Kind::Text, ""),
        attr("rates.basic", Kind::Set, ""),
        attr("rates.ht-basic-mcs", Kind::Set, ""),
        attr("rates.ht-supported-mcs", Kind::Set, ""),
        attr("rates.supported", Kind::Set, ""),
        attr("rates.vht-basic-mcs", Kind::Text, ""),
        attr("rates.vht-supported-mcs", Kind::Text, ""),
        attr("security", Kind::Name, "Security profile"),
        attr("security.authentication-types", Kind::Set, "Ways to authenticate"),
        attr("security.disable-pmkid", Kind::Flag, ""),
        attr("security.eap-methods", Kind::Text, "EAP methods"),
        attr("security.eap-radius-accounting", Kind::Text, ""),
        attr("security.encryption", Kind::Set, "Ciphers"),
        attr("security.group-encryption", Kind::Text, "Cipher of broadcasts"),
        attr("security.group-key-update", Kind::Span, "How often the broadcast key changes"),
        attr("security.passphrase", Kind::Text, "WPA passphrase").secret(),
        attr("security.tls-certificate", Kind::Text, ""),
        attr("security.tls-mode", Kind::Text, ""),
    ])
    .synonyms(&["capsman interfaces", "cap interfaces"])
    .package("wireless")
    .commands(&["hw-info", "possible-channels", "reselect-channel", "scan"])
    .topic(Topic::Wireless)
    .cuts_access();
