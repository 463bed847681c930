//! Cases as an operator would tell them: a router's rows, a packet, and what becomes of it.

use super::*;

mod rules;

/// Rows from lines of `name=value`, without spaces in values.
fn rows(text: &str) -> Vec<Row> {
    let line = |line: &str| Row::from_pairs(line.split_whitespace().map(|pair| pair.split_once('=').unwrap()));
    text.lines().map(str::trim).filter(|l| !l.is_empty()).map(line).collect()
}

/// A home router: a bridge, an uplink, a tunnel; one list of each kind.
struct Router {
    addresses: Vec<Row>,
    routes: Vec<Row>,
    rules: Vec<Row>,
    arp: Vec<Row>,
    raw: Vec<Row>,
    mangle: Vec<Row>,
    nat: Vec<Row>,
    filter: Vec<Row>,
    listed: Vec<Row>,
    lists: Vec<Row>,
    members: Vec<Row>,
}

impl Router {
    fn new() -> Self {
        Router {
            addresses: rows(
                "address=192.168.88.1/24 interface=bridge
                 address=198.51.100.7/24 interface=ether1 dynamic=true
                 address=10.99.0.1/24 interface=wg-home
                 address=2001:db8:1::1/64 interface=bridge
                 address=2001:db8:ffff::2/64 interface=ether1",
            ),
            routes: rows(
                "dst-address=0.0.0.0/0 gateway=198.51.100.1 immediate-gw=198.51.100.1%ether1 distance=1 active=true
                 dst-address=192.168.88.0/24 gateway=bridge connect=true active=true distance=0
                 dst-address=198.51.100.0/24 gateway=ether1 connect=true active=true distance=0
                 dst-address=10.99.0.0/24 gateway=wg-home connect=true active=true distance=0
                 dst-address=10.50.0.0/16 gateway=192.168.88.2 active=true distance=1
                 dst-address=10.60.0.0/16 gateway=192.168.88.3 disabled=true inactive=true
                 dst-address=10.70.0.0/16 blackhole= active=true distance=1
                 dst-address=10.80.0.0/16 gateway=192.168.88.8,10.99.0.8 active=true ecmp=true distance=1
                 dst-address=0.0.0.0/0 gateway=10.99.0.9 routing-table=vpn active=true distance=1
                 dst-address=::/0 gateway=fe80::1%ether1 active=true distance=1
                 dst-address=2001:db8:1::/64 gateway=bridge connect=true active=true distance=0",
            ),
            rules: Vec::new(),
            arp: rows(
                "address=198.51.100.1 interface=ether1 complete=true status=reachable
                 address=192.168.88.10 interface=bridge complete=true status=stale
                 address=192.168.88.66 interface=bridge complete=false status=failed
                 address=fe80::1 interface=ether1 status=reachable",
            ),
            raw: Vec::new(),
            mangle: Vec::new(),
            nat: Vec::new(),
            filter: Vec::new(),
            listed: rows(
                "list=trusted address=192.168.88.10
                 list=trusted address=172.20.0.0/16 disabled=true
                 list=ranges address=203.0.113.5-203.0.113.9
                 list=named address=host.example
                 list=solved address=host.example
                 list=solved address=203.0.113.77 dynamic=true",
            ),
            lists: rows("name=WAN\nname=LAN\nname=INSIDE include=LAN,VPN exclude=GUEST\nname=VPN\nname=GUEST"),
            members: rows("list=WAN interface=ether1\nlist=LAN interface=bridge\nlist=VPN interface=wg-home\nlist=GUEST interface=wg-home"),
        }
    }

    fn tables(&self) -> Tables<'_> {
        Tables {
            addresses: &self.addresses,
            routes: &self.routes,
            rules: Some(&self.rules),
            neighbours: Some(&self.arp),
            raw: Some(&self.raw),
            mangle: Some(&self.mangle),
            nat: Some(&self.nat),
            filter: Some(&self.filter),
            address_lists: Some(&self.listed),
            lists: Some(&self.lists),
            members: Some(&self.members),
            settings: &[],
            loopback_outside: false,
        }
    }

    fn verdict(&self, flow: &Flow) -> Verdict {
        trace(&self.tables(), flow).verdict
    }
}

/// `tcp 203.0.113.5 > 198.51.100.7:22`, with `@interface` after the source if it is to come in there.
fn flow(text: &str) -> Flow {
    let words: Vec<&str> = text.split_whitespace().collect();
    let (src, ingress) = match words[1].split_once('@') {
        Some((src, on)) => (src, Some(on.to_owned())),
        None => (words[1], None),
    };
    let (dst, port) = match words[3].rsplit_once('#') {
        Some((dst, port)) => (dst, Some(port.parse().unwrap())),
        None => (words[3], None),
    };
    Flow { ingress, ..Flow::of(src.parse().unwrap(), dst.parse().unwrap(), words[0], port).unwrap() }
}

const SSH_FROM_OUTSIDE: &str = "tcp 203.0.113.5@ether1 > 198.51.100.7#22";

const SSH_FROM_LAN: &str = "tcp 192.168.88.10 > 192.168.88.1#22";

const OUT: &str = "tcp 192.168.88.10 > 203.0.113.80#443";

#[test]
fn routes_decide_as_the_router_would() {
    use Verdict::*;
    for (rules, routes, packet, wanted, said) in [
        ("", "", OUT, Accepted, "leaves by ether1 through 198.51.100.1"),
        ("", "", "tcp 192.168.88.10 > 10.50.1.1#80", Accepted, "leaves by bridge through 192.168.88.2"),
        ("", "", "tcp 192.168.88.10 > 10.60.1.1#80", Accepted, "leaves by ether1"),
        ("", "", "tcp 192.168.88.10 > 10.70.1.1#80", Dropped, "blackhole"),
        ("", "", "tcp 192.168.88.10 > 10.80.1.1#80", Accepted, "ECMP"),
        ("", "", "tcp 192.168.88.10 > 192.168.88.66#80", Unreachable, "leaves by bridge directly"),
        ("", "", "tcp 198.51.100.9 > 192.168.88.10#80", Accepted, "leaves by bridge directly"),
        ("", "dst-address=10.50.1.0/24 gateway=10.99.0.2 active=true", "tcp 192.168.88.10 > 10.50.1.1#80", Accepted, "leaves by wg-home"),
        (
            "",
            "dst-address=10.50.0.0/16 gateway=10.99.0.2 active=true distance=5",
            "tcp 192.168.88.10 > 10.50.1.1#80",
            Accepted,
            "by bridge",
        ),
        ("", "dst-address=10.50.1.0/24 gateway=10.99.0.2", "tcp 192.168.88.10 > 10.50.1.1#80", Accepted, "leaves by bridge"),
        ("action=lookup table=vpn src-address=192.168.88.10", "", OUT, Accepted, "leaves by wg-home through 10.99.0.9 in table vpn"),
        ("action=lookup table=vpn src-address=192.168.88.11", "", OUT, Accepted, "leaves by ether1"),
        ("action=lookup table=empty", "", OUT, Accepted, "leaves by ether1"),
        ("action=lookup-only-in-table table=empty", "", OUT, NoRoute, "no active route"),
        ("action=drop dst-address=203.0.113.0/24", "", OUT, Dropped, "routing rule"),
        ("action=unreachable interface=bridge", "", OUT, Dropped, "routing rule"),
        ("action=drop disabled=true", "", OUT, Accepted, "leaves by ether1"),
        ("chain=main action=drop default=true", "", OUT, Accepted, "leaves by ether1"),
        ("action=lookup table=vpn min-prefix=0", "", OUT, Unknown, "routing rule 0"),
    ] {
        let mut router = Router::new();
        router.rules = rows(rules);
        router.routes.extend(rows(routes));
        let tables = router.tables();
        let journey = trace(&tables, &flow(packet));
        assert_eq!(journey.verdict, wanted, "{packet} {rules} {routes} {:?}", journey.hops);
        let route = journey.hops.iter().find(|hop| hop.step == "route").unwrap();
        assert!(route.why.contains(said), "{packet}: {}", route.why);
    }
}

#[test]
fn without_a_route_there_is_none() {
    let mut router = Router::new();
    router.routes.remove(0);
    assert_eq!(router.verdict(&flow(OUT)), Verdict::NoRoute);
}

#[test]
fn a_router_that_lists_no_connected_routes_reaches_its_own_networks() {
    let mut router = Router::new();
    router.routes = rows("dst-address=0.0.0.0/0 gateway=198.51.100.1");
    let tables = router.tables();
    let journey = trace(&tables, &flow("tcp 198.51.100.9 > 192.168.88.10#80"));
    assert_eq!(journey.verdict, Verdict::Accepted, "{:?}", journey.hops);
    assert!(trace(&tables, &flow(OUT)).hops.iter().any(|hop| hop.why.contains("leaves by ether1")));
}

#[test]
fn nat_changes_where_a_packet_goes() {
    use Verdict::*;
    let forward = "tcp 203.0.113.5 > 198.51.100.7#8443";
    let guarded = "chain=forward action=drop connection-state=new connection-nat-state=!dstnat in-interface-list=WAN";
    for (nat, filter, packet, wanted, said) in [
        (
            "chain=dstnat action=dst-nat protocol=tcp dst-port=8443 to-addresses=192.168.88.10 to-ports=443",
            guarded,
            forward,
            Accepted,
            "192.168.88.10:443",
        ),
        ("chain=dstnat action=dst-nat protocol=tcp dst-port=8443 to-addresses=192.168.88.10", "", forward, Accepted, "192.168.88.10:8443"),
        ("chain=dstnat action=dst-nat to-addresses=192.168.88.66", "", forward, Unreachable, "192.168.88.66"),
        ("chain=dstnat action=dst-nat to-addresses=192.168.88.10/32", "", forward, Accepted, "192.168.88.10:8443"),
        (
            "chain=dstnat action=redirect protocol=tcp to-ports=22",
            "chain=input action=drop dst-port=22",
            forward,
            Dropped,
            "198.51.100.7:22",
        ),
        (
            "chain=dstnat action=accept src-address=203.0.113.5\nchain=dstnat action=dst-nat to-addresses=192.168.88.10",
            "",
            forward,
            Accepted,
            "leaves it",
        ),
        ("chain=dstnat action=dst-nat to-addresses=192.168.88.10-192.168.88.20", "", forward, Unknown, "worked out"),
        ("chain=dstnat action=netmap to-addresses=192.168.88.0/24", "", forward, Unknown, "worked out"),
        ("chain=dstnat action=dst-nat random=50 to-addresses=192.168.88.10", "", forward, Unknown, "random of rule 0"),
        ("chain=srcnat action=masquerade out-interface-list=WAN", "", OUT, Accepted, "masquerade"),
        ("chain=srcnat action=src-nat to-addresses=198.51.100.8 out-interface=ether1", "", OUT, Accepted, "198.51.100.8"),
        ("chain=srcnat action=masquerade nth=2,1", "", OUT, Unknown, "nth of rule 0"),
    ] {
        let mut router = Router::new();
        router.nat = rows(nat);
        router.filter = rows(filter);
        let tables = router.tables();
        let journey = trace(&tables, &flow(packet));
        assert_eq!(journey.verdict, wanted, "{nat} {:?}", journey.hops);
        assert!(journey.hops.iter().any(|hop| hop.step.ends_with("nat") && hop.why.contains(said)), "{nat}: {:?}", journey.hops);
    }
    let mut router = Router::new();
    router.filter = rows(guarded);
    assert_eq!(router.verdict(&flow("tcp 203.0.113.5 > 192.168.88.10#80")), Dropped, "without dstnat strangers stay out");
}

#[test]
fn what_could_not_be_read_is_never_accepted() {
    let router = Router::new();
    let all = router.tables();
    let missing = [
        Tables { raw: None, ..all },
        Tables { mangle: None, ..all },
        Tables { nat: None, ..all },
        Tables { filter: None, ..all },
        Tables { rules: None, ..all },
    ];
    for tables in &missing {
        assert_eq!(trace(tables, &flow(OUT)).verdict, Verdict::Unknown);
    }
    let mut router = Router::new();
    router.filter = rows("chain=input action=drop src-address-list=trusted\nchain=input action=drop in-interface-list=VPN");
    for tables in [Tables { address_lists: None, ..router.tables() }, Tables { members: None, ..router.tables() }] {
        assert_eq!(trace(&tables, &flow(SSH_FROM_OUTSIDE)).verdict, Verdict::Unknown);
    }
}

#[test]
fn a_router_that_does_not_forward_is_still_reached_itself() {
    let router = Router::new();
    for (settings, through) in
        [("ip-forward=false", Verdict::Dropped), ("forward=no", Verdict::Dropped), ("ip-forward=true", Verdict::Accepted)]
    {
        let settings = rows(settings);
        let tables = Tables { settings: &settings, ..router.tables() };
        assert_eq!(trace(&tables, &flow(OUT)).verdict, through);
        assert_eq!(trace(&tables, &flow(SSH_FROM_LAN)).verdict, Verdict::Accepted);
    }
}

#[test]
fn the_router_itself_sends_through_output() {
    let mut router = Router::new();
    router.filter = rows("chain=output action=drop protocol=udp dst-port=53\nchain=forward action=drop");
    assert_eq!(router.verdict(&flow("udp 198.51.100.7 > 203.0.113.53#53")), Verdict::Dropped);
    assert_eq!(router.verdict(&flow("tcp 198.51.100.7 > 203.0.113.53#53")), Verdict::Accepted);
}

#[test]
fn the_lists_that_rules_use_are_told() {
    let filter = rows("src-address-list=a\ndst-address-list=!b\nsrc-address-list=c disabled=true\nsrc-address-list=a");
    assert_eq!(used([filter.as_slice()], &["src-address-list", "dst-address-list"]), ["a", "b"]);
}
