//! `/ip/ssh`: SSH server settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/132350014/SSH>

use crate::menus::{Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/ssh", "SSH server settings")
    .attrs(&[
        attr("ciphers", Kind::Set, "Ciphers taken"),
        attr("forwarding-enabled", Kind::Text, "Which SSH tunnels are allowed"),
        attr("host-key-size", Kind::Enum(&["1024", "1536", "2048", "4096", "8192"]), "Size of the host key, bits"),
        attr("host-key-type", Kind::Enum(&["ed25519", "rsa"]), "Kind of host key"),
        attr("password-authentication", Kind::Enum(&["no", "yes", "yes-if-no-key"]), "Whether passwords are taken"),
        attr("publickey-authentication-options", Kind::Enum(&["none", "touch-required", "verify-required"]), ""),
        attr("strong-crypto", Kind::Flag, "Only strong ciphers"),
    ])
    .synonyms(&["ssh", "ssh server", "ssh settings", "host key", "strong crypto", "ssh password login"])
    .commands(&["export-host-key", "import-host-key", "regenerate-host-key"])
    .cuts_access();
