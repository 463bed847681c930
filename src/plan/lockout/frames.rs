//! Bridges and VLANs: whether the frames that bring our packets still do. Pure.
//!
//! Frames are followed by how they are tagged on the cable: what carries them to the router's interface now has to carry them
//! then. Which port of a bridge we are behind is told by its host table; without it, any port may be ours.

use crate::plan::form::get;
use crate::plan::lockout::link::{Link, ports};
use crate::plan::lockout::state::{State, is_on, is_yes};
use crate::plan::lockout::{Finding, Touch};
use crate::plan::record::Cut;
use crate::routeros::row::Row;
use crate::routeros::value;

/// How frames are marked on the cable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tag {
    None,
    Vlan(u16),
}

/// Walks frames from every port that may be ours to the interface we come in by.
pub(super) fn check(touch: &Touch<'_>, before: &State, after: &State, link: &Link, l3: &str, found: &mut Vec<Finding>) {
    let concerns = touch.menu().starts_with("/interface/bridge") || touch.menu() == "/interface/vlan";
    let Some(bridge) = link.bridge.as_deref().filter(|_| concerns) else {
        return vlan_alone(touch, link, found);
    };
    let known = ports(before, bridge);
    let candidates: Vec<&str> = known.iter().map(String::as_str).filter(|port| link.has(port)).collect();
    let (mut lost, mut kept, mut unclear) = (Vec::new(), 0, 0);
    let names_it =
        touch.rows().any(|row| row.iter().any(|(_, value)| value::list(value).any(|word| word == bridge || candidates.contains(&word))));
    for port in &candidates {
        match (tag(before, bridge, port, l3), tag(after, bridge, port, l3)) {
            (Some(was), Some(will)) if was == will => kept += 1,
            (Some(was), _) => lost.push((*port, was)),
            (None, _) => unclear += 1,
        }
    }
    if is_twice(after, bridge) && !is_twice(before, bridge) {
        found.push(Finding::unknown(format!(
            "{bridge} would be a tagged member of the VLAN that is its own pvid; which of both counts cannot be told"
        )));
    }
    // A port that cannot be ours now needs no look; if none can, the picture is wrong.
    if kept == 0 && lost.is_empty() && unclear > 0 && names_it {
        found.push(Finding::unknown(format!("how our frames come through {bridge} cannot be told")));
    }
    for (port, was) in lost {
        let how = match was {
            Tag::None => "untagged frames".to_owned(),
            Tag::Vlan(vid) => format!("frames of VLAN {vid}"),
        };
        let why = format!("{how} from {port} would no longer reach {l3}");
        if found.iter().any(|finding| finding.cut == Cut::Yes) {
            return;
        }
        found.push(if kept == 0 && (link.sure.contains(port) || candidates.len() == 1) {
            Finding::yes(why)
        } else {
            Finding::unknown(format!("{why}, and we may come by it"))
        });
    }
}

/// A VLAN interface on no bridge: its number and its parent are all there is.
fn vlan_alone(touch: &Touch<'_>, link: &Link, found: &mut Vec<Finding>) {
    let Some(name) = touch.before.and_then(|row| get(row, "name")).filter(|name| touch.menu() == "/interface/vlan" && link.has(name))
    else {
        return;
    };
    if touch.after.is_some() && (touch.changes("vlan-id") || touch.changes("interface")) {
        found.push(link.finding(name, format!("{name} would carry another VLAN or stand on another interface")));
    }
}

/// How frames have to be tagged on a port so that they reach the interface; none when they cannot.
fn tag(state: &State, bridge: &str, port: &str, l3: &str) -> Option<Tag> {
    let row = state.row("/interface/bridge/port", &[("interface", port), ("bridge", bridge)]).filter(|row| !is_on(row, "disabled"))?;
    let own = state.row("/interface/bridge", &[("name", bridge)]);
    let down = |name: &str| state.row("/interface", &[("name", name)]).is_some_and(|row| is_on(row, "disabled"));
    if down(bridge) || down(port) || down(l3) {
        return None;
    }
    let vlan = if l3 == bridge {
        None
    } else {
        let row =
            state.row("/interface/vlan", &[("name", l3)]).filter(|row| row.get("interface") == Some(bridge) && !is_on(row, "disabled"))?;
        Some(row.get("vlan-id")?.parse::<u16>().ok()?)
    };
    if !is_yes(own.and_then(|row| row.get("vlan-filtering"))) {
        return Some(vlan.map_or(Tag::None, Tag::Vlan));
    }
    let number = |row: Option<&Row>| row.and_then(|row| row.get("pvid")?.parse::<u16>().ok()).unwrap_or(1);
    let admits = |row: Option<&Row>| row.and_then(|row| row.get("frame-types")).unwrap_or("admit-all").to_owned();
    let vid = match vlan {
        Some(vid) if is_member(state, bridge, vid, bridge, &["tagged", "current-tagged"]) => vid,
        Some(_) => return None,
        None if admits(own) == "admit-only-vlan-tagged" => return None,
        None => number(own),
    };
    let types = admits(Some(row));
    // A port that carries its own VLAN tagged takes untagged frames and answers with tagged ones.
    let answers_tagged = is_member(state, bridge, vid, port, &["tagged"]);
    if types != "admit-only-vlan-tagged" && number(Some(row)) == vid && !answers_tagged {
        return Some(Tag::None);
    }
    let carried = is_member(state, bridge, vid, port, &["tagged", "current-tagged"]);
    (types != "admit-only-untagged-and-priority-tagged" && carried).then_some(Tag::Vlan(vid))
}

/// Whether the router's own end of a bridge has a VLAN both tagged and untagged.
fn is_twice(state: &State, bridge: &str) -> bool {
    let Some(own) = state.row("/interface/bridge", &[("name", bridge)]).filter(|row| is_yes(row.get("vlan-filtering"))) else {
        return false;
    };
    let pvid = own.get("pvid").and_then(|pvid| pvid.parse().ok()).unwrap_or(1);
    is_member(state, bridge, pvid, bridge, &["tagged"])
}

fn is_member(state: &State, bridge: &str, vid: u16, port: &str, attributes: &[&str]) -> bool {
    let of =
        |row: &&Row| row.get("bridge") == Some(bridge) && !is_on(row, "disabled") && row.get("vlan-ids").is_some_and(|ids| holds(ids, vid));
    let named = |row: &Row| attributes.iter().any(|name| row.get(name).is_some_and(|list| value::list(list).any(|word| word == port)));
    state.rows("/interface/bridge/vlan").iter().filter(of).any(named)
}

/// Whether `10,20-30` holds a number.
fn holds(ids: &str, vid: u16) -> bool {
    value::list(ids).any(|word| match word.split_once('-') {
        Some((first, last)) => {
            matches!((first.parse::<u16>(), last.parse::<u16>()), (Ok(first), Ok(last)) if (first..=last).contains(&vid))
        }
        None => word.parse() == Ok(vid),
    })
}
