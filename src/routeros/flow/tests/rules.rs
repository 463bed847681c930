//! What the filter decides, case by case.

use super::*;

#[test]
fn filter_rules_decide_as_the_router_would() {
    use Verdict::*;
    for (filter, packet, wanted) in [
        // No rules, default accept, order.
        ("", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=accept\nchain=input action=drop", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop disabled=true", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop invalid=true", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=reject", SSH_FROM_OUTSIDE, Rejected),
        ("chain=input action=tarpit protocol=tcp", SSH_FROM_OUTSIDE, Dropped),
        ("chain=forward action=drop", SSH_FROM_OUTSIDE, Accepted),
        ("chain=forward action=drop", OUT, Dropped),
        ("chain=input", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=log\nchain=input action=passthrough\nchain=input action=drop", SSH_FROM_OUTSIDE, Dropped),
        // Protocol and ports.
        ("chain=input action=drop protocol=udp", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop protocol=!udp", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=6", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=tcp dst-port=22", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=tcp dst-port=80,20-25", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=tcp dst-port=!22", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop protocol=tcp dst-port=23", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop protocol=tcp port=22", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=tcp src-port=53", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop protocol=tcp src-port=1024-65535", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop protocol=tcp src-port=5000", SSH_FROM_OUTSIDE, Unknown),
        ("chain=input action=drop dst-port=22", "icmp 203.0.113.5@ether1 > 198.51.100.7", Accepted),
        ("chain=input action=drop protocol=icmp icmp-options=8:0-255", "icmp 203.0.113.5@ether1 > 198.51.100.7", Dropped),
        ("chain=input action=drop protocol=icmp icmp-options=3:0-255", "icmp 203.0.113.5@ether1 > 198.51.100.7", Accepted),
        // Addresses.
        ("chain=input action=drop src-address=203.0.113.0/24", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop src-address=!203.0.113.0/24", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop src-address=203.0.113.1-203.0.113.5", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop src-address=203.0.113.6", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop dst-address=127.0.0.1", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop dst-address-type=local", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop dst-address-type=!local", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop src-address-type=unicast", SSH_FROM_OUTSIDE, Dropped),
        // Address lists.
        ("chain=input action=drop src-address-list=ranges", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop src-address-list=!ranges", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop src-address-list=no-such-list", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=accept src-address-list=trusted\nchain=input action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=accept src-address-list=trusted\nchain=input action=drop", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=accept src-address-list=trusted\nchain=input action=drop", "tcp 172.20.0.1@bridge > 192.168.88.1#22", Dropped),
        ("chain=input action=drop src-address-list=named", SSH_FROM_OUTSIDE, Unknown),
        ("chain=input action=drop src-address-list=solved", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop src-address-list=solved", "tcp 203.0.113.77@ether1 > 198.51.100.7#22", Dropped),
        // Knocking: a rule on the way lists the packet itself.
        (
            "chain=input action=add-src-to-address-list address-list=seen\nchain=input action=drop src-address-list=seen",
            SSH_FROM_OUTSIDE,
            Dropped,
        ),
        (
            "chain=input action=add-src-to-address-list address-list=seen content=x\nchain=input action=drop src-address-list=seen",
            SSH_FROM_OUTSIDE,
            Unknown,
        ),
        // Interfaces and their lists.
        ("chain=input action=drop in-interface=ether1", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop in-interface=!ether1", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop in-interface-list=!LAN", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop in-interface-list=!LAN", SSH_FROM_LAN, Accepted),
        ("chain=input action=drop in-interface-list=WAN", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop in-interface-list=all", SSH_FROM_OUTSIDE, Dropped),
        ("chain=input action=drop in-interface-list=none", SSH_FROM_OUTSIDE, Accepted),
        ("chain=input action=drop in-interface-list=dynamic", SSH_FROM_OUTSIDE, Unknown),
        ("chain=input action=drop in-interface=all-ppp", SSH_FROM_OUTSIDE, Unknown),
        ("chain=input action=drop in-interface-list=INSIDE", SSH_FROM_LAN, Dropped),
        ("chain=input action=drop in-interface-list=INSIDE", "tcp 10.99.0.2 > 10.99.0.1#22", Accepted),
        ("chain=forward action=drop out-interface-list=WAN", OUT, Dropped),
        ("chain=forward action=drop out-interface=bridge", OUT, Accepted),
        // State.
        ("chain=input action=accept connection-state=established,related\nchain=input action=drop", SSH_FROM_LAN, Dropped),
        ("chain=input action=drop connection-state=new", SSH_FROM_LAN, Dropped),
        ("chain=input action=drop connection-state=!new", SSH_FROM_LAN, Accepted),
        ("chain=input action=drop connection-state=invalid", SSH_FROM_LAN, Accepted),
        ("chain=forward action=drop connection-state=new connection-nat-state=!dstnat in-interface-list=WAN", OUT, Accepted),
        ("chain=input action=drop protocol=tcp tcp-flags=syn,!ack", SSH_FROM_LAN, Dropped),
        ("chain=input action=drop protocol=tcp tcp-flags=ack", SSH_FROM_LAN, Accepted),
        // Chains.
        ("chain=input action=jump jump-target=x\nchain=x action=drop", SSH_FROM_LAN, Dropped),
        ("chain=input action=jump jump-target=x\nchain=x action=return\nchain=x action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=jump jump-target=x\nchain=x action=accept\nchain=input action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=jump jump-target=x\nchain=input action=drop\nchain=x action=log", SSH_FROM_LAN, Dropped),
        ("chain=input action=jump jump-target=x protocol=udp\nchain=x action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=return\nchain=input action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=jump jump-target=nowhere\nchain=input action=drop", SSH_FROM_LAN, Dropped),
        ("chain=input action=jump jump-target=a\nchain=a action=jump jump-target=input", SSH_FROM_LAN, Unknown),
        // What cannot be evaluated is unknown, unless it makes no difference.
        ("chain=input action=drop layer7-protocol=x", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop content=x", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop random=50", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop hotspot=auth", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop limit=5,5:packet", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop time=8h-17h,mon", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop something-new=7", SSH_FROM_LAN, Unknown),
        ("chain=input action=conjure", SSH_FROM_LAN, Unknown),
        ("chain=input action=drop layer7-protocol=x protocol=udp", SSH_FROM_LAN, Accepted),
        ("chain=input action=drop layer7-protocol=x\nchain=input action=drop", SSH_FROM_LAN, Dropped),
        ("chain=input action=accept layer7-protocol=x\nchain=input action=accept", SSH_FROM_LAN, Accepted),
        ("chain=input action=accept layer7-protocol=x\nchain=input action=drop", SSH_FROM_LAN, Unknown),
        ("chain=input action=log content=x\nchain=input action=accept\nchain=input action=drop", SSH_FROM_LAN, Accepted),
        ("chain=input action=jump jump-target=x content=y\nchain=x action=drop\nchain=input action=accept", SSH_FROM_LAN, Unknown),
        ("chain=input action=jump jump-target=x content=y\nchain=x action=drop\nchain=input action=drop", SSH_FROM_LAN, Dropped),
        ("chain=input action=jump jump-target=x\nchain=x action=return content=y\nchain=x action=drop", SSH_FROM_LAN, Unknown),
        (
            "chain=input action=jump jump-target=x\nchain=x action=return content=y\nchain=x action=drop\nchain=input action=drop",
            SSH_FROM_LAN,
            Dropped,
        ),
        ("chain=input action=drop ipsec-policy=in,none", SSH_FROM_LAN, Dropped),
        ("chain=input action=accept ipsec-policy=in,ipsec\nchain=input action=drop", SSH_FROM_LAN, Dropped),
        ("chain=forward action=fasttrack-connection\nchain=forward action=drop", OUT, Dropped),
        // IPv6.
        ("chain=input action=drop in-interface-list=!LAN", "tcp 2001:db8:9::5@ether1 > 2001:db8:1::1#22", Dropped),
        ("chain=input action=drop src-address=fe80::/10", "tcp 2001:db8:9::5@ether1 > 2001:db8:1::1#22", Accepted),
        ("chain=forward action=drop src-address=2001:db8:1::/64", "tcp 2001:db8:1::7 > 2001:db8:9::5#22", Dropped),
        ("chain=forward action=accept", "tcp 2001:db8:1::7 > 2001:db8:9::5#22", Accepted),
    ] {
        let mut router = Router::new();
        router.filter = rows(filter);
        assert_eq!(router.verdict(&flow(packet)), wanted, "{packet} through\n{filter}");
    }
}

#[test]
fn raw_and_mangle_come_first() {
    use Verdict::*;
    for (raw, mangle, filter, packet, wanted) in [
        ("chain=prerouting action=drop src-address=203.0.113.0/24", "", "", SSH_FROM_OUTSIDE, Dropped),
        ("chain=prerouting action=accept\nchain=prerouting action=drop", "", "", SSH_FROM_OUTSIDE, Accepted),
        ("chain=prerouting action=notrack", "", "chain=input action=drop connection-state=!untracked", SSH_FROM_OUTSIDE, Accepted),
        ("chain=prerouting action=notrack", "", "chain=input action=drop connection-state=untracked", SSH_FROM_OUTSIDE, Dropped),
        ("chain=prerouting action=drop content=x", "", "", SSH_FROM_OUTSIDE, Unknown),
        ("chain=prerouting action=drop content=x", "", "chain=input action=drop", SSH_FROM_OUTSIDE, Dropped),
        (
            "",
            "chain=prerouting action=mark-connection new-connection-mark=a",
            "chain=input action=drop connection-mark=a",
            SSH_FROM_OUTSIDE,
            Dropped,
        ),
        ("", "", "chain=input action=drop connection-mark=no-mark", SSH_FROM_OUTSIDE, Dropped),
        (
            "",
            "chain=prerouting action=mark-packet new-packet-mark=a content=x",
            "chain=input action=drop packet-mark=a",
            SSH_FROM_OUTSIDE,
            Unknown,
        ),
        (
            "",
            "chain=prerouting action=mark-packet new-packet-mark=a passthrough=false\nchain=prerouting action=mark-packet new-packet-mark=b",
            "chain=input action=drop packet-mark=b",
            SSH_FROM_OUTSIDE,
            Accepted,
        ),
        (
            "",
            "chain=prerouting action=accept content=x\nchain=prerouting action=mark-packet new-packet-mark=b",
            "chain=input action=drop packet-mark=b",
            SSH_FROM_OUTSIDE,
            Unknown,
        ),
        ("", "chain=prerouting action=mark-routing new-routing-mark=vpn", "chain=forward action=drop out-interface=wg-home", OUT, Dropped),
        ("", "chain=prerouting action=mark-routing new-routing-mark=vpn random=50", "", OUT, Unknown),
        ("", "chain=prerouting action=route route-dst=10.0.0.1", "", OUT, Unknown),
    ] {
        let mut router = Router::new();
        router.raw = rows(raw);
        router.mangle = rows(mangle);
        router.filter = rows(filter);
        let tables = router.tables();
        let journey = trace(&tables, &flow(packet));
        assert_eq!(journey.verdict, wanted, "{raw} {mangle} {filter} {:?}", journey.hops);
    }
}

#[test]
fn a_verdict_names_the_rule_and_its_matcher() {
    let mut router = Router::new();
    router.filter = rows("chain=input action=accept protocol=udp\nchain=input action=drop layer7-protocol=x\nchain=input action=accept");
    let tables = router.tables();
    let journey = trace(&tables, &flow(SSH_FROM_LAN));
    let hop = journey.hops.last().unwrap();
    assert_eq!((hop.step, hop.verdict), ("filter_input", Verdict::Unknown));
    assert!(hop.why.contains("layer7-protocol of rule 1"), "{}", hop.why);
    assert_eq!(hop.rows.iter().map(|place| place.position).collect::<Vec<_>>(), [1, 2]);
    let mut router = Router::new();
    router.filter = rows("chain=input action=jump jump-target=x\nchain=x action=return content=y\nchain=x action=drop");
    let tables = router.tables();
    let journey = trace(&tables, &flow(SSH_FROM_LAN));
    let hop = journey.hops.last().unwrap();
    assert!(hop.why.contains("content of rule 1"), "the rule in doubt is the return: {}", hop.why);
}

#[test]
fn a_million_jumps_end() {
    let mut router = Router::new();
    let mut filter = String::new();
    for depth in 0..12 {
        for _ in 0..6 {
            filter.push_str(&format!("chain=c{depth} action=jump jump-target=c{}\n", depth + 1));
        }
    }
    router.filter = rows(&(filter.replace("chain=c0 ", "chain=input ") + "chain=c12 action=log"));
    assert_eq!(router.verdict(&flow(SSH_FROM_LAN)), Verdict::Unknown);
}
