//! `/user/ssh-keys`: SSH keys users log in with.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/8978504/User>

use crate::menus::{COMMENT, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/user/ssh-keys", "SSH keys users log in with")
    .key(&["user", "fingerprint"])
    .attrs(&[
        COMMENT,
        attr("key", Kind::Text, "Public key").required(),
        attr("user", Kind::Name, "User name").required(),
        attr("bits", Kind::Int, "Size of the key, bits").read_only(),
        attr("fingerprint", Kind::Text, "Fingerprint").read_only(),
        attr("info", Kind::Text, "What the owner says of itself").read_only().untrusted(),
        attr("key-type", Kind::Text, "Kind of key").read_only(),
    ])
    .synonyms(&["ssh keys", "public keys", "authorized keys", "key login"])
    .commands(&["import"])
    .topic(Topic::System)
    .cuts_access();
