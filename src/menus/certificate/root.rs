//! `/certificate`: certificates and keys.
//!
//! Source: <https://help.mikrotik.com/docs/spaces/ROS/pages/2555969/Certificates>

use crate::menus::{DYNAMIC, Menu, Topic, attr, list};
use crate::routeros::value::Kind;

/// The facts.
pub const MENU: Menu = list("/certificate", "Certificates and keys")
    .key(&["name"])
    .attrs(&[
        attr("common-name", Kind::Text, "Common name").untrusted(),
        attr("country", Kind::Text, "Country").untrusted(),
        attr("days-valid", Kind::Int, "Days valid"),
        attr("digest-algorithm", Kind::Enum(&["md5", "sha1", "sha256", "sha384", "sha512"]), "Digest"),
        attr(
            "key-size",
            Kind::Enum(&["1024", "1536", "2048", "4096", "8192", "prime256v1", "secp384r1", "secp521r1"]),
            "Size of the key, bits",
        ),
        attr("key-usage", Kind::Set, "What the key is for"),
        attr("locality", Kind::Text, "Town").untrusted(),
        attr("name", Kind::Name, "Name others refer to"),
        attr("organization", Kind::Text, "Organisation").untrusted(),
        attr("state", Kind::Text, "State or province").untrusted(),
        attr("subject-alt-name", Kind::Enum(&["DNS", "IP", "email"]), "Alternative names").untrusted(),
        attr("trust-store", Kind::Set, ""),
        attr("trusted", Kind::Flag, "Trusted for DHCP snooping"),
        attr("unit", Kind::Text, "Unit").untrusted(),
        attr("acme-managed", Kind::Flag, "").read_only(),
        attr("akid", Kind::Text, "Authority key id").read_only(),
        attr("authority", Kind::Flag, "Is a CA").read_only(),
        attr("ca", Kind::Name, "CA that signed it").read_only(),
        attr("ca-fingerprint", Kind::Text, "Fingerprint of the CA").read_only(),
        attr("challenge-password", Kind::Text, "SCEP challenge password").read_only().secret(),
        attr("crl", Kind::Flag, "Has a revocation list").read_only(),
        attr("domain-names", Kind::Set, "").read_only(),
        DYNAMIC,
        attr("expired", Kind::Flag, "Past its end").read_only(),
        attr("expires-after", Kind::Span, "Time until it ends").read_only(),
        attr("fingerprint", Kind::Text, "Fingerprint").read_only(),
        attr("invalid-after", Kind::Time, "Valid until").read_only(),
        attr("invalid-before", Kind::Time, "Valid from").read_only(),
        attr("issued", Kind::Text, "Signed by our CA").read_only(),
        attr("issuer", Kind::Text, "Who signed it").read_only().untrusted(),
        attr("key-type", Kind::Text, "Kind of key").read_only(),
        attr("private-key", Kind::Flag, "The router holds the private key").read_only(),
        attr("revoked", Kind::Time, "When it was revoked").read_only(),
        attr("serial-number", Kind::Text, "Serial number").read_only(),
        attr("skid", Kind::Text, "Subject key id").read_only(),
        attr("smart-card-key", Kind::Flag, "The key is on a smart card").read_only(),
        attr("status", Kind::Text, "State as the router reports it").read_only(),
    ])
    .synonyms(&[
        "certificates",
        "ssl certificates",
        "tls",
        "https certificate",
        "ca",
        "certificate authority",
        "expiry",
        "letsencrypt",
        "certificate expiration",
    ])
    .commands(&[
        "acme-renew",
        "add-acme",
        "add-scep",
        "card-reinstall",
        "card-verify",
        "create-certificate-request",
        "enable-ssl-certificate",
        "export-certificate",
        "import",
        "issued-revoke",
        "scep-renew",
        "sign",
        "sign-certificate-request",
    ])
    .topic(Topic::System)
    .cuts_access();
