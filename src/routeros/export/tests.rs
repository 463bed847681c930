use super::*;
use proptest::prelude::*;

fn row(text: &str) -> Command {
    let export = parse(&format!("/x\n{text}\n"));
    let rows: Vec<&Command> = export.rows().map(|(_, row)| row).collect();
    assert_eq!(rows.len(), 1, "{text:?}: {export:?}");
    rows[0].clone()
}

fn pairs(command: &Command) -> Vec<(&str, Option<&str>)> {
    command.values.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

#[test]
fn wrapped_and_terse_say_the_same() {
    let wrapped = "# 2026-08-02 01:44:02 by RouterOS 7.23.2\r\n# software id = ABCD-1234\r\n#\r\n/interface bridge\r\nadd name=bridge1 \\\r\n    \
                   vlan-filtering=yes\r\n/interface pppoe-client\r\nadd add-default-route=yes name=\\\r\n    \"PPPoE Tele\\\r\n    kom\" user=\\\r\n    x\r\n";
    let terse = "# 2026-08-02 01:44:02 by RouterOS 7.23.2\n# software id = ABCD-1234\n#\n/interface bridge add name=bridge1 vlan-filtering=yes\n\
                 /interface/pppoe-client/add add-default-route=yes name=\"PPPoE Telekom\" user=x\n";
    let export = parse(wrapped);
    assert_eq!(export, parse(terse));
    assert_eq!(export.version(), Some("7.23.2"));
    assert_eq!(export.head.len(), 3);
    let menus: Vec<&str> = export.rows().map(|(menu, _)| menu).collect();
    assert_eq!(menus, ["/interface/bridge", "/interface/pppoe-client"]);
    assert_eq!(export.rows().nth(1).unwrap().1.get("name"), Some("PPPoE Telekom"));
}

#[test]
fn shortened_names_are_written_out() {
    let peer = row("add instance=default local.role=ebgp name=R14 remote.address=198.51.100.1 .as=4040 comment=x .port=179");
    assert_eq!(peer.get("remote.as"), Some("4040"));
    assert_eq!(peer.get("remote.port"), Some("179"));
    assert_eq!(pairs(&row("add .as=1")), [(".as", Some("1"))], "nothing to take a beginning from");
}

#[test]
fn every_escape_of_the_console_is_read() {
    let source = row(r#"add source=":log info \"a\_b\"\r\n\t\$x \\ \D0\9F\3F\?" comment=caf\C3"#);
    assert_eq!(source.get("source"), Some(":log info \"a b\"\r\n\t$x \\ П??"));
    assert_eq!(row(r#"add comment="\CF\F0\E8""#).get("comment"), Some("\u{FFFD}CF\u{FFFD}F0\u{FFFD}E8"), "CP1251 stays distinguishable");
    assert_ne!(row(r#"add comment="\CF\F0""#), row(r#"add comment="\CF\F1""#));
    assert_eq!(row("add source=\"one\n#two\r\nthree\"").get("source"), Some("one\n#two\nthree"));
    assert_eq!(row("add source={:put \"}\"; /x}").get("source"), Some("{:put \"}\"; /x}"));
}

#[test]
fn targets_flags_and_singletons_are_told_apart() {
    let ethernet = row("set [ find default-name=ether1 ] comment=\"to core\"");
    assert_eq!(ethernet.target, Some(Target::Find(vec![("default-name".into(), Some("ether1".into()))])));
    assert_eq!(
        row("set [find where name=\"a b\" !disabled] x=1").target,
        Some(Target::Find(vec![("name".into(), Some("a b".into())), ("!disabled".into(), None)]))
    );
    assert_eq!(row("set ssh address=10.0.0.0/8").target, Some(Target::Item("ssh".into())));
    assert_eq!(row("set 0 name=serial0").target, Some(Target::Item("0".into())));
    assert_eq!(row("set enabled=yes").target, None);
    assert_eq!(pairs(&row("add fib name=to_VLAN10")), [("fib", None), ("name", Some("to_VLAN10"))]);
    assert_eq!(row("add interfaces=lo1 passive").get("passive"), Some(""));
}

#[test]
fn what_the_router_could_not_export_is_told() {
    let export = parse(
        "/ip dns set x=1\n#error exporting /interface/bridge/calea\n#error exporting \"/ip firewall filter\" (timeout)\n# error exporting something\n",
    );
    assert_eq!(export.gap_menus().collect::<Vec<_>>(), ["/interface/bridge/calea", "/ip/firewall/filter", ""]);
    assert_eq!(export.gaps[1], "\"/ip firewall filter\" (timeout)");
    assert_eq!(parse(&write(&export)), export);
}

#[test]
fn a_line_nobody_can_read_costs_no_other_line() {
    let export = parse(
        "/ip dns\nset servers=1.1.1.1\nadd name=\"never ends\nfailure: interrupted\nset cache-size=4096KiB\n/ip firewall filter frob x=1\n",
    );
    assert_eq!(export.unread().collect::<Vec<_>>(), ["/ip/dns", "/ip/dns", "/ip/dns"]);
    assert_eq!(export.rows().count(), 2);
    assert_eq!(parse(&write(&export)), export);
    assert_eq!(parse("bad command name export (line 1 column 2)").rows().count(), 0);
}

#[test]
fn the_end_is_known_only_when_it_was_seen() {
    assert!(!parse("/x\nadd a=b\n").ended);
    let export = parse(&format!("/x\nadd a=b\n{END}\n"));
    assert!(export.ended && write(&export).ends_with(&format!("{END}\n")));
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9./:-]{1,12}", "(?s).{0,30}", Just(String::new())]
}

fn line() -> impl Strategy<Value = Line> {
    let name = "[a-z][a-z0-9-]{0,8}(\\.[a-z-]{1,6})?";
    let pairs = proptest::collection::vec((name, proptest::option::of(words())), 0..6);
    let target = prop_oneof![
        words().prop_map(|name| Some(Target::Item(name))),
        proptest::collection::vec((name, words().prop_map(Some)), 0..3).prop_map(|pairs| Some(Target::Find(pairs))),
        Just(None),
    ];
    (prop_oneof![Just("add"), Just("set"), Just("remove")], target, pairs).prop_map(|(verb, target, mut values)| {
        let target = if verb == "add" { None } else { target };
        // A bare word that comes first names a row.
        if target.is_none() && verb != "add" && values.first().is_some_and(|(_, value)| value.is_none()) {
            values.clear();
        }
        Line::Row(Command { verb: verb.into(), target, values })
    })
}

#[test]
fn brackets_that_never_close_do_not_make_the_reader_read_a_text_for_each_of_its_lines() {
    // Half a megabyte: sixty thousand readings of it would take a minute and more.
    let text = "/system script\n".to_owned() + &"add a={\n".repeat(60_000);
    let export = parse(&text);
    assert_eq!(export.unread().count(), 60_000);
    // And the same by way of lines that go on.
    let wrapped = parse(&("/system script\n".to_owned() + &"x \\\n".repeat(60_000)));
    assert_eq!(wrapped.unread().count(), 60_000);
    let few = parse("/system script\nadd a={\nadd b={x\ny}\n");
    assert_eq!((few.unread().count(), few.rows().next().unwrap().1.get("b")), (1, Some("{x\ny}")));
    assert_eq!(parse(&write(&export)), export);
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        menus in proptest::collection::vec(("(/[a-z][a-z0-9-]{0,8}){1,3}", proptest::collection::vec(line(), 0..4)), 0..5),
        gap in "[a-z/ ()]{0,20}", ended in any::<bool>(),
    ) {
        let mut export = Export { ended, gaps: vec![gap.trim().to_owned()], ..Export::default() };
        let verbs = ["add", "set", "remove", "unset", "enable", "disable", "move", "reset"];
        for (menu, lines) in menus {
            let clashes = menu.split('/').any(|step| verbs.contains(&step));
            if !clashes && export.sections.last().is_none_or(|last| last.menu != menu) {
                export.sections.push(Section { menu, lines });
            }
        }
        prop_assert_eq!(parse(&write(&export)), export);
    }

    #[test]
    fn a_wrapped_line_reads_the_same(texts in proptest::collection::vec("([a-z ,\"\\\\$\n\u{1}]|[а-я]|  ){0,80}", 1..5)) {
        let values = texts.into_iter().map(|text| ("comment".to_owned(), Some(text))).collect();
        let lines = vec![Line::Row(Command { verb: "add".into(), target: None, values })];
        let export = Export { sections: vec![Section { menu: "/x".into(), lines }], ..Export::default() };
        let text = write(&export);
        let wrapped: Vec<String> = text.lines().flat_map(|line| wrapped(line, 40)).collect();
        prop_assert_eq!(parse(&wrapped.join("\n")), export);
        prop_assert!(text.len() < 100 || wrapped.iter().all(|line| line.chars().count() < 120), "{:?}", wrapped);
    }

    #[test]
    fn any_text_is_read_without_loss_of_what_was_read(text in "(?s)([/#\\[\\]\"\\\\{}= \r\nafset.d_$?]|add |set |/ip |\\\\\n    |find |error exporting ){0,60}") {
        let once = parse(&text);
        prop_assert_eq!(parse(&write(&once)), once);
    }

    #[test]
    fn no_text_stops_the_reader(text in any::<String>()) {
        let once = parse(&text);
        prop_assert_eq!(parse(&write(&once)), once);
    }
}
