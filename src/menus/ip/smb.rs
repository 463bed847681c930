//! `/ip/smb`: SMB file sharing settings.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/117145608/SMB>

use crate::menus::{COMMENT, Menu, attr, singleton};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = singleton("/ip/smb", "SMB file sharing settings")
    .attrs(&[
        COMMENT,
        attr("domain", Kind::Text, "Domain name"),
        attr("enabled", Kind::Enum(&["auto", "no", "yes"]), "Switched on"),
        attr("interfaces", Kind::Set, "Interfaces"),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&["smb", "samba", "file sharing", "windows share"]);
