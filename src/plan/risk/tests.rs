//! The contract's table, row by row.

use super::*;
use crate::plan::form::Pairs;
use crate::plan::lockout::{ManagementPath, Service};
use crate::plan::record::{Find, SecretValue};

fn pairs(text: &str) -> Pairs {
    text.split_whitespace().filter_map(|word| word.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A home site with what our user is known by.
fn site() -> Site {
    let rows = [
        ("/user", vec![pairs("name=mcp group=mcp disabled=false"), pairs("name=anna group=read disabled=false")]),
        ("/user/group", vec![pairs("name=mcp policy=read,write,api,rest-api"), pairs("name=read policy=read")]),
        ("/user/active", vec![pairs("name=mcp address=10.0.0.50 via=rest-api")]),
        ("/ip/address", vec![pairs("address=10.0.0.1/24 interface=bridge")]),
        ("/ip/route", vec![pairs("dst-address=10.0.0.0/24 gateway=bridge connect=true active=true")]),
        ("/ip/service", vec![pairs("name=www-ssl port=443 certificate=c"), pairs("name=winbox port=8291")]),
        ("/ip/firewall/filter", vec![]),
        ("/ip/firewall/nat", vec![]),
        ("/ip/firewall/raw", vec![]),
        ("/ip/firewall/mangle", vec![]),
        ("/ip/firewall/address-list", vec![]),
        ("/interface/list", vec![]),
        ("/interface/list/member", vec![]),
        ("/routing/rule", vec![]),
        ("/interface", vec![pairs("name=bridge type=bridge"), pairs("name=ether1 type=ether"), pairs("name=ether2 type=ether")]),
        ("/interface/bridge", vec![pairs("name=bridge")]),
        ("/interface/bridge/port", vec![pairs("bridge=bridge interface=ether2")]),
        ("/interface/bridge/vlan", vec![]),
        ("/interface/vlan", vec![]),
    ];
    Site {
        rows: rows.into_iter().map(|(menu, rows)| (menu.to_owned(), rows)).collect(),
        path: ManagementPath {
            source: None,
            own: None,
            router: "10.0.0.1".parse().ok(),
            services: vec![Service { name: "www-ssl".into(), port: 443 }],
            user: "mcp".into(),
        },
        ..Site::default()
    }
}

fn step(menu: &str, change: Change) -> Step {
    Step { edit: 0, menu: menu.to_owned(), change, gives_access: false }
}

fn add(menu: &str, values: &str) -> Step {
    step(menu, Change::Add { values: pairs(values), secrets: vec![], place: None, find: Find { by: pairs(values) } })
}

fn set(menu: &str, before: &str, values: &str) -> Step {
    let find = Find { by: pairs(before).into_iter().take(1).collect() };
    step(menu, Change::Set { find, before: pairs(before), values: pairs(values), secrets: vec![], unset: vec![] })
}

fn remove(menu: &str, before: &str) -> Step {
    step(menu, Change::Remove { find: Find { by: pairs(before) }, before: pairs(before), place: None, by_disabling: false })
}

fn risk(step: Step, environment: Environment) -> Risk {
    let known: Vec<Known> = menus::find(&step.menu)
        .map(|facts| Known {
            menu: step.menu.clone(),
            singleton: false,
            ordered: false,
            key: vec![],
            content: facts.attrs.iter().map(|attr| (attr.name.to_owned(), crate::plan::form::Form::of(attr.kind))).collect(),
            secret: vec![],
            unset: false,
            marks: vec![],
            stranger: false,
        })
        .into_iter()
        .collect();
    judge(&site(), &[step], &known, environment).risk
}

#[test]
fn each_row_of_the_table_has_its_level() {
    let cases = [
        // low
        (set("/ip/firewall/filter", "chain=input action=drop comment=a", "comment=b"), Risk::Low),
        (set("/ip/address", "address=10.0.0.1/24 interface=bridge", "comment=lan"), Risk::Low),
        (set("/system/identity", "name=a", "name=b"), Risk::Low),
        // medium
        (add("/ip/address", "address=10.9.0.1/24 interface=ether1"), Risk::Medium),
        (add("/ip/pool", "name=a ranges=10.9.0.2-10.9.0.9"), Risk::Medium),
        (set("/ip/dns", "servers=1.1.1.1", "servers=9.9.9.9"), Risk::Medium),
        (set("/system/ntp/client", "enabled=no", "enabled=yes"), Risk::Medium),
        (add("/ip/dns/static", "name=a address=10.0.0.9"), Risk::Medium),
        (add("/ip/route", "dst-address=172.16.0.0/16 gateway=10.0.0.9"), Risk::Medium),
        (set("/queue/simple", "name=a max-limit=1M/1M", "max-limit=2M/2M"), Risk::Medium),
        // high
        (add("/ip/route", "dst-address=0.0.0.0/0 gateway=10.0.0.9 distance=9"), Risk::High),
        (add("/ip/firewall/filter", "chain=input action=drop protocol=udp"), Risk::High),
        (add("/ip/firewall/filter", "chain=forward action=drop"), Risk::High),
        (add("/ip/firewall/nat", "chain=srcnat action=masquerade out-interface=ether1"), Risk::High),
        (add("/ip/firewall/mangle", "chain=forward action=mark-packet new-packet-mark=a"), Risk::High),
        (set("/ip/service", "name=winbox port=8291", "disabled=yes"), Risk::High),
        (remove("/ip/address", "address=10.0.0.1/24 interface=bridge"), Risk::High),
        (set("/interface/ethernet", "name=ether1 disabled=false", "disabled=yes"), Risk::High),
        (set("/interface/wifi", "name=wifi1 disabled=false", "disabled=yes"), Risk::High),
        (set("/user", "name=anna group=read", "disabled=yes"), Risk::High),
        (add("/ip/firewall/address-list", "list=blocked address=203.0.113.9"), Risk::High),
        (add("/interface/macsec", "name=a interface=ether1"), Risk::High),
        (set("/iot/mqtt/brokers", "name=a", "comment=b"), Risk::High),
        // extreme
        (set("/user", "name=mcp group=mcp", "comment=b"), Risk::Extreme),
        (set("/user/group", "name=mcp policy=read", "policy=read,write"), Risk::Extreme),
        (add("/user/ssh-keys", "user=mcp key=AAAA"), Risk::Extreme),
        (add("/system/script", "name=a source=x"), Risk::Extreme),
        (set("/system/scheduler", "name=a on-event=x disabled=yes", "disabled=no"), Risk::Extreme),
        (add("/tool/netwatch", "host=10.0.0.9 down-script=x"), Risk::Extreme),
        (set("/ppp/profile", "name=default", "on-up=x"), Risk::Extreme),
        (set("/ip/dhcp-server", "name=a interface=bridge", "lease-script=x"), Risk::Extreme),
        (set("/interface/vrrp", "name=a", "on-master=x"), Risk::Extreme),
        (set("/ip/hotspot/user/profile", "name=a", "on-login=x"), Risk::Extreme),
        (set("/ip/dhcp-client", "interface=ether1", "script=x"), Risk::Extreme),
        (add("/tool/traffic-monitor", "interface=ether1 on-event=x"), Risk::Extreme),
        (add("/system/logging/action", "name=a target=remote remote=203.0.113.9"), Risk::Extreme),
        (set("/tool/sniffer", "streaming-enabled=no", "streaming-enabled=yes"), Risk::Extreme),
        (add("/ip/firewall/mangle", "chain=forward action=sniff-tzsp sniff-target=203.0.113.9 src-address=10.0.0.9"), Risk::Extreme),
        (set("/system/watchdog", "auto-send-supout=no", "auto-send-supout=yes"), Risk::Extreme),
        (set("/tr069-client", "enabled=no", "acs-url=https://acs.example.net"), Risk::Extreme),
        (add("/container", "file=a.tar interface=veth1"), Risk::Extreme),
        (add("/file", "name=x.auto.rsc contents=y"), Risk::Extreme),
        (add("/file", "name=x.txt contents=y"), Risk::Extreme),
    ];
    println!("{} rows of the table", cases.len());
    assert!(cases.len() >= 40);
    for (step, level) in cases {
        let said = format!("{step:?}");
        assert_eq!(risk(step, Environment::Staging), level, "{said}");
    }
}

#[test]
fn our_own_lists_are_low_where_the_entry_is_not_us() {
    let mut site = site();
    site.path.own = "10.0.0.50".parse().ok();
    for (address, risk) in [("203.0.113.9", Risk::Low), ("10.0.0.50", Risk::High), ("0.0.0.0/0", Risk::High), ("host.example", Risk::High)]
    {
        site.rows.remove("/ip/firewall/filter");
        let steps = [add("/ip/firewall/address-list", &format!("list=mcp-block address={address}"))];
        assert_eq!(judge(&site, &steps, &[], Environment::Lab).risk, risk, "{address}");
    }
}

#[test]
fn prod_takes_small_things_more_seriously() {
    let identity = || set("/system/identity", "name=a", "name=b");
    let dns = || set("/ip/dns", "servers=1.1.1.1", "servers=9.9.9.9");
    for (environment, low, medium) in [
        (Environment::Lab, Risk::Low, Risk::Medium),
        (Environment::Staging, Risk::Low, Risk::Medium),
        (Environment::Prod, Risk::Medium, Risk::High),
    ] {
        assert_eq!((risk(identity(), environment), risk(dns(), environment)), (low, medium), "{environment:?}");
    }
}

#[test]
fn code_is_told_by_facts_and_by_name() {
    for (menu, attribute) in [
        ("/system/script", "source"),
        ("/system/scheduler", "on-event"),
        ("/tool/netwatch", "up-script"),
        ("/tool/netwatch", "test-script"),
        ("/ppp/profile", "on-down"),
        ("/interface/vrrp", "on-backup"),
        ("/interface/vrrp", "on-fail"),
        ("/ip/dhcp-server", "lease-script"),
        ("/ip/dhcp-client", "script"),
        ("/ip/hotspot/user/profile", "on-logout"),
        ("/tool/traffic-monitor", "on-event"),
        ("/iot/mqtt/subscriptions", "on-message"),
        ("/system/logging/action", "remote"),
        ("/tool/sniffer", "streaming-server"),
        ("/container", "cmd"),
        ("/container/envs", "value"),
        ("/a/menu/of/tomorrow", "on-whatever"),
        ("/a/menu/of/tomorrow", "x.run-script"),
    ] {
        assert!(code_in(menu, attribute), "{menu} {attribute}");
    }
    for (menu, attribute) in [
        ("/ip/address", "address"),
        ("/ip/dhcp-server", "name"),
        ("/system/scheduler", "comment"),
        ("/interface/bridge/host", "on-interface"),
        ("/ipv6/address", "on-link"),
        ("/system/logging/action", "memory-lines"),
        ("/certificate", "name"),
        ("/tool/sniffer", "filter-port"),
    ] {
        assert!(!code_in(menu, attribute), "{menu} {attribute}");
    }
}

#[test]
fn an_empty_script_is_no_code_and_a_secret_one_is() {
    assert_eq!(risk(set("/ip/dhcp-server", "name=a interface=bridge lease-script=x", "lease-script="), Environment::Lab), Risk::Medium);
    let secrets = vec![SecretValue { attribute: "lease-script".into(), handle: "vault:x".into() }];
    let before = pairs("name=a interface=bridge");
    let change = Change::Set { find: Find { by: before.clone() }, before, values: vec![], secrets, unset: vec![] };
    assert_eq!(risk(step("/ip/dhcp-server", change), Environment::Lab), Risk::Extreme);
}

#[test]
fn harmless_commands_are_low_and_others_extreme() {
    let run =
        |menu: &str, command: &str| risk(step(menu, Change::Run { command: command.into(), find: None, args: vec![] }), Environment::Lab);
    assert_eq!(run("/ip/dns/cache", "flush"), Risk::Low);
    assert_eq!(run("/interface", "reset-counters"), Risk::Low);
    for (menu, command) in [
        ("/system", "reset-configuration"),
        ("/system/backup", "load"),
        ("/system/package", "downgrade"),
        ("/system/script", "run"),
        ("/tool", "fetch"),
    ] {
        assert_eq!(run(menu, command), Risk::Extreme, "{menu} {command}");
    }
}

#[test]
fn settling_is_as_long_as_the_slowest_step() {
    for (step, seconds) in [
        (set("/interface/bridge", "name=bridge", "protocol-mode=none"), 45),
        (set("/interface/bridge/port", "interface=ether2 bridge=bridge pvid=1", "pvid=2"), 45),
        (set("/interface/wifi/configuration", "name=a ssid=b", "ssid=c"), 20),
        (set("/interface/ethernet", "name=ether1", "disabled=yes"), 10),
        (add("/ip/route", "dst-address=172.16.0.0/16 gateway=10.0.0.9"), 3),
        (add("/ip/firewall/filter", "chain=forward action=drop"), 1),
        (add("/interface/list/member", "list=a interface=ether1"), 1),
        (set("/ip/dns", "servers=1.1.1.1", "servers=9.9.9.9"), 0),
        (set("/interface/bridge", "name=bridge", "comment=a"), 0),
    ] {
        let said = format!("{step:?}");
        let steps = [set("/system/identity", "name=a", "name=b"), step];
        assert_eq!(judge(&site(), &steps, &[], Environment::Lab).settle_s, seconds, "{said}");
    }
}
