//! `/caps-man/configuration`: configuration profiles of old CAPsMAN.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/7962638/CAPsMAN>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/caps-man/configuration", "Configuration profiles of old CAPsMAN")
    .key(&["name"])
    .attrs(&[
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
        attr("country", Kind::Text, "Country"),
        attr("datapath", Kind::Name, "Datapath profile"),
        attr("datapath.arp", Kind::Text, "How ARP is answered"),
        attr("datapath.bridge", Kind::Name, "Bridge clients join"),
        attr("datapath.bridge-cost", Kind::Int, "Path cost of its bridge port"),
        attr("datapath.bridge-horizon", Kind::Text, "Horizon of its bridge port"),
        attr("datapath.client-to-client-forwarding", Kind::Flag, "Clients reach each other"),
        attr("datapath.interface-list", Kind::Name, "Interface list it joins"),
        attr("datapath.l2mtu", Kind::Int, "Largest layer 2 frame without its MAC header, bytes"),
        attr("datapath.local-forwarding", Kind::Flag, ""),
        attr("datapath.mtu", Kind::Int, "Largest layer 3 packet, bytes"),
        attr("datapath.openflow-switch", Kind::Text, ""),
        attr("datapath.vlan-id", Kind::Int, "VLAN of clients"),
        attr("datapath.vlan-mode", Kind::Text, ""),
        attr("disconnect-timeout", Kind::Span, ""),
        attr("distance", Kind::Int, "Distance to the farthest client, km"),
        attr("frame-lifetime", Kind::Span, ""),
        attr("guard-interval", Kind::Text, ""),
        attr("hide-ssid", Kind::Flag, "Network name is not announced"),
        attr("hw-protection-mode", Kind::Text, ""),
        attr("hw-retries", Kind::Text, ""),
        attr("installation", Kind::Text, "Indoor or outdoor"),
        attr("keepalive-frames", Kind::Text, ""),
        attr("load-balancing-group", Kind::Text, ""),
        attr("max-sta-count", Kind::Text, ""),
        attr("mode", Kind::Text, "Mode"),
        attr("multicast-helper", Kind::Text, ""),
        attr("name", Kind::Name, "Name others refer to"),
        attr("rates", Kind::Text, ""),
        attr("rates.basic", Kind::Set, ""),
        attr("rates.ht-basic-mcs", Kind::Set, ""),
        attr("rates.ht-supported-mcs", Kind::Set, ""),
        attr("rates.supported", Kind::Set, ""),
        attr("rates.vht-basic-mcs", Kind::Text, ""),
        attr("rates.vht-supported-mcs", Kind::Text, ""),
        attr("rx-chains", Kind::Set, ""),
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
        attr("ssid", Kind::Text, "Network name").untrusted(),
        attr("tx-chains", Kind::Set, ""),
    ])
    .synonyms(&["capsman configuration", "capsman ssid"])
    .package("wireless")
    .topic(Topic::Wireless)
    .cuts_access();
