//! What both views of an interface know: what type can do, and which name was meant.

use crate::base::fault::Fault;
use crate::tools::arguments::{distance, shown};
use crate::tools::router::{Router, Seen, View};

/// Types that are never a port of a bridge.
const NO_PORTS: &[&str] = &["bridge", "loopback", "wg"];
/// Beginnings of types that carry layer 3 only.
const NO_PORTS_LIKE: &[&str] = &["pppoe-", "ipip", "gre"];

/// Whether an interface of this type can be a port of a bridge.
pub(super) fn may_be_port(kind: &str) -> bool {
    !NO_PORTS.contains(&kind) && !NO_PORTS_LIKE.iter().any(|start| kind.starts_with(start))
}

/// Up, as the router says.
pub(super) fn is_up(row: View<'_>) -> bool {
    row.is("running") && !row.is("disabled")
}

/// The row of that name.
pub(super) fn find<'a>(router: &Router<'_>, faces: &'a Seen, name: &str) -> Result<View<'a>, Fault> {
    faces.iter().find(|row| row.text("name") == Some(name)).ok_or_else(|| unknown(&router.device.name, faces, name))
}

/// No interface of that name; the hint has the nearest ones.
fn unknown(device: &str, faces: &Seen, name: &str) -> Fault {
    let near = near(faces, name);
    let hint = match near.as_slice() {
        [] => "interface.list shows all".to_owned(),
        near => format!("near: {}; interface.list shows all", near.join(", ")),
    };
    Fault::not_found(format!("device \"{device}\" has no interface {}", shown(name))).hint(hint)
}

/// Names a caller may have meant, the nearest first. Names of dynamic interfaces are left out, and so is whatever could read
/// as a sentence: others choose those.
fn near<'a>(faces: &'a Seen, name: &str) -> Vec<&'a str> {
    let wanted = name.to_ascii_lowercase();
    let plain =
        |text: &str| text.len() <= 32 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'+' | b'/'));
    let mut found: Vec<(usize, &str)> = faces
        .iter()
        .filter(|row| !row.is("dynamic"))
        .filter_map(|row| {
            let known = row.text("name").filter(|text| plain(text))?;
            let lower = known.to_ascii_lowercase();
            let renamed = row.text("default-name").is_some_and(|text| text.eq_ignore_ascii_case(name));
            let within = wanted.len() >= 3 && (lower.contains(&wanted) || wanted.contains(&lower));
            let away = if renamed { 0 } else { distance(&wanted, &lower) };
            (within || away <= 2.max(wanted.chars().count() / 3) && away < wanted.len()).then_some((away, known))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(_, name)| name).take(5).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_name_is_answered_with_near_ones_and_never_with_a_sentence() {
        let faces = Seen::answered(
            "/interface",
            r#"[{"name":"ether1"},{"name":"ether10"},{"name":"wan","default-name":"ether3"},{"name":"ether2; reboot now"},
                {"name":"<pppoe-ether2>","dynamic":"true"},{"name":"bridge"}]"#,
        );
        assert_eq!(near(&faces, "ether2"), ["ether1", "ether10"]);
        assert_eq!(near(&faces, "ether3")[0], "wan", "it was renamed");
        assert_eq!(near(&faces, "Bridge"), ["bridge"]);
        assert!(near(&faces, "lte7").is_empty());
        assert!(unknown("r1", &faces, "ether2").hint.unwrap().starts_with("near: ether1"));
    }

    #[test]
    fn layer_3_tunnels_and_bridges_are_no_ports() {
        assert!(["ether", "vlan", "wifi", "wlan", "bond", "eoip", "veth", "vxlan"].iter().all(|kind| may_be_port(kind)));
        assert!(!["bridge", "loopback", "wg", "pppoe-out", "pppoe-in", "gre-tunnel", "ipip-tunnel"].iter().any(|kind| may_be_port(kind)));
    }
}
