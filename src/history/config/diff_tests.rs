//! What is said to have changed between two exports, and what is left in doubt.

use super::*;
use crate::routeros::export::{Export, parse};

fn whole(text: &str) -> Export {
    Export { ended: true, ..parse(text) }
}

fn compared(from: &str, to: &str) -> Diff {
    diff(&whole(from), &whole(to))
}

/// `+key`, `-key`, `~key(attribute …)`, `>key` of each menu.
fn told(diff: &Diff) -> Vec<String> {
    let mut out = Vec::new();
    for menu in &diff.menus {
        out.extend(menu.added.iter().map(|row| format!("{} +{}", menu.menu, row.key)));
        out.extend(menu.removed.iter().map(|row| format!("{} -{}", menu.menu, row.key)));
        for change in &menu.changed {
            let names: Vec<&str> = change.before.iter().map(|(name, _)| name.as_str()).collect();
            let moved = change.moved.map(|(from, to)| format!(" {from}>{to}")).unwrap_or_default();
            out.push(format!("{} ~{}({}){moved}", menu.menu, change.key, names.join(" ")));
        }
    }
    out
}

const BASE: &str = "/interface ethernet\nset [ find default-name=ether1 ] comment=uplink\n/ip address\nadd address=192.0.2.1/24 interface=ether1 network=192.0.2.0\n\
add address=198.51.100.1/24 comment=old interface=ether2\n/ip dns\nset servers=192.0.2.53\n/ip firewall filter\n\
add action=accept chain=input comment=established connection-state=established,related\nadd action=accept chain=input dst-port=22 protocol=tcp\n\
add action=accept chain=input dst-port=80 protocol=tcp\nadd action=drop chain=input\n/ip service\nset telnet disabled=yes\n";

#[test]
fn nothing_changed_is_nothing_said() {
    assert_eq!(compared(BASE, BASE), Diff::default());
    let other_order = "/ip address\nadd interface=ether2 comment=old address=198.51.100.1/24\nadd address=192.0.2.1/24 network=192.0.2.0 interface=ether1\n";
    let menu = "/ip address\nadd address=192.0.2.1/24 interface=ether1 network=192.0.2.0\nadd address=198.51.100.1/24 comment=old interface=ether2\n";
    assert_eq!(compared(menu, other_order), Diff::default(), "neither the order of attributes nor that of a plain list is content");
}

#[test]
fn rows_are_matched_by_their_natural_key() {
    let to = BASE
        .replace("comment=old interface=ether2", "comment=new interface=ether2")
        .replace("add address=192.0.2.1/24 interface=ether1 network=192.0.2.0\n", "add address=203.0.113.1/24 interface=ether1\n");
    assert_eq!(
        told(&compared(BASE, &to)),
        ["/ip/address +203.0.113.1/24|ether1", "/ip/address -192.0.2.1/24|ether1", "/ip/address ~198.51.100.1/24|ether2(comment)"]
    );
}

#[test]
fn settings_and_built_in_rows_change_and_never_come_or_go() {
    let to = BASE
        .replace("/ip dns\nset servers=192.0.2.53\n", "")
        .replace("[ find default-name=ether1 ] comment=uplink", "[ find default-name=ether1 ] comment=core mtu=9000");
    let difference = compared(BASE, &to);
    assert_eq!(told(&difference), ["/interface/ethernet ~default-name=ether1(comment mtu)", "/ip/dns ~settings(servers)"]);
    let dns = &difference.menus[1].changed[0];
    assert_eq!((&dns.before[0].1, &dns.after[0].1), (&Some(Some("192.0.2.53".into())), &None));
}

#[test]
fn a_changed_rule_is_one_change_and_not_a_loss_and_a_gain() {
    let to = BASE.replace("dst-port=22 protocol=tcp", "dst-port=2222 protocol=tcp");
    assert_eq!(told(&compared(BASE, &to)), ["/ip/firewall/filter ~#2(dst-port)"]);
    let unlike = BASE.replace("add action=accept chain=input dst-port=22 protocol=tcp", "add action=jump chain=forward jump-target=x");
    assert_eq!(told(&compared(BASE, &unlike)), ["/ip/firewall/filter +#2", "/ip/firewall/filter -#2"]);
}

#[test]
fn a_moved_rule_is_said_once_and_its_neighbours_are_not() {
    let to = "/ip firewall filter\nadd action=drop chain=input\nadd action=accept chain=input comment=established connection-state=established,related\n\
              add action=accept chain=input dst-port=22 protocol=tcp\nadd action=accept chain=input dst-port=80 protocol=tcp\n";
    let from = &BASE[BASE.find("/ip firewall").unwrap()..BASE.find("/ip service").unwrap()];
    assert_eq!(told(&compared(from, to)), ["/ip/firewall/filter ~#1() 4>1"]);
    let inserted =
        from.replace("add action=accept chain=input dst-port=22", "add action=log chain=input\nadd action=accept chain=input dst-port=22");
    assert_eq!(told(&compared(from, &inserted)), ["/ip/firewall/filter +#2"], "rows below an added one did not move");
}

#[test]
fn words_whose_order_the_router_chooses_are_compared_without_it() {
    let from = "/system logging\nadd action=memory topics=info,!dns\n/user group\nadd name=mcp policy=read,api,!write\n";
    let to = "/system logging\nadd action=memory topics=!dns,info\n/user group\nadd name=mcp policy=api,read,!write\n";
    assert_eq!(compared(from, to), Diff::default());
    assert_eq!(told(&compared(from, &to.replace("!write", "write"))), ["/user/group ~mcp(policy)"]);
}

#[test]
fn equal_rows_are_counted_and_not_merged() {
    let one = "/ip firewall nat\nadd action=masquerade chain=srcnat out-interface=ether1\n";
    let two = format!("{one}add action=masquerade chain=srcnat out-interface=ether1\n");
    assert_eq!(told(&compared(one, &two)), ["/ip/firewall/nat +#2"]);
    assert_eq!(told(&compared(&two, one)).len(), 1);
    let secrets = "/snmp community\nadd addresses=10.0.0.0/8 name=\"(secret)\"\nadd addresses=::/0 name=\"(secret)\"\n";
    let fewer = "/snmp community\nadd addresses=::/0 name=\"(secret)\"\n";
    let difference = compared(secrets, fewer);
    assert_eq!((difference.menus[0].removed.len(), difference.menus[0].changed.len()), (1, 0));
}

#[test]
fn what_a_router_failed_to_export_is_never_called_removed() {
    let failed = "/interface ethernet\nset [ find default-name=ether1 ] comment=uplink\n/ip dns\nset servers=192.0.2.53\n#error exporting \"/ip/firewall/filter\" (timeout)\n";
    let difference = compared(BASE, failed);
    assert_eq!(difference.menus, [], "{:?}", told(&difference));
    let doubted: Vec<(&str, usize)> = difference.doubts.iter().map(|doubt| (doubt.menu.as_str(), doubt.rows)).collect();
    assert_eq!(doubted, [("/ip/address", 2), ("/ip/firewall/filter", 4), ("/ip/service", 1)]);
    // And when it works again, nothing was added.
    assert_eq!(compared(failed, BASE).menus, []);
    // Values that are there on both sides can be compared all the same.
    assert_eq!(told(&compared(BASE, &failed.replace("192.0.2.53", "192.0.2.54"))), ["/ip/dns ~settings(servers)"]);
    assert_eq!(compared(BASE, "/ip dns\nset servers=192.0.2.53\n# error exporting something\n").menus, []);
}

#[test]
fn a_menu_that_always_fails_hides_only_itself() {
    let fails = |text: &str| format!("{text}#error exporting /ip/firewall/calea\n");
    let to = BASE.replace("add action=drop chain=input\n", "");
    assert_eq!(told(&compared(&fails(BASE), &fails(&to))), ["/ip/firewall/filter -#4"]);
}

#[test]
fn an_unread_line_hides_only_its_menu() {
    let to = BASE
        .replace("add action=drop chain=input\n", "add action=drop chain=\"input\n")
        .replace("add address=198.51.100.1/24 comment=old interface=ether2\n", "");
    let difference = compared(BASE, &to);
    assert!(told(&difference).iter().any(|line| line.starts_with("/ip/address -")), "{:?}", told(&difference));
    assert!(difference.menus.iter().all(|menu| menu.menu != "/ip/firewall/filter" || menu.removed.is_empty()));
}

#[test]
fn rows_behind_the_end_of_a_text_that_may_be_cut_off_are_in_doubt() {
    let cut = &BASE[..BASE.find("add action=accept chain=input dst-port=80").unwrap()];
    let cut = cut.replace("add address=198.51.100.1/24 comment=old interface=ether2\n", "");
    let difference = diff(&whole(BASE), &parse(&cut));
    assert_eq!(told(&difference), ["/ip/address -198.51.100.1/24|ether2"], "what stood before the end is gone for sure");
    assert_eq!(difference.doubts.iter().map(|doubt| doubt.rows).sum::<usize>(), 3);
    assert_eq!(told(&diff(&parse(&cut), &whole(BASE))), ["/ip/address +198.51.100.1/24|ether2"]);
}

#[test]
fn big_tables_are_compared_in_no_time() {
    let rows = |skip: u32| {
        (0..20_000)
            .filter(|n| n % 7_000 != skip)
            .map(|n| format!("add address=10.{}.{}.{} list=blocked\n", n >> 16, (n >> 8) & 255, n & 255))
            .collect::<String>()
    };
    let (from, to) = (format!("/ip firewall address-list\n{}", rows(5)), format!("/ip firewall address-list\n{}", rows(6)));
    let began = std::time::Instant::now();
    let difference = compared(&from, &to);
    assert_eq!((difference.menus[0].added.len(), difference.menus[0].removed.len()), (3, 3));
    assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
}
