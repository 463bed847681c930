"""Odd routers: rows without comments, bytes that are no text, guards of others, flagged devices, routers by SSH alone, entries that expire."""

from __future__ import annotations

import json
import time

import factory
from cases_cuts import FILTER, edit
from course import gone_over, wait_clean
from cases_trouble import TWO
from plant import difference, expect, honest, left_behind, short, site, unchanged

HTTPS, SSH = str(factory.HTTPS), str(factory.SSH)
NASTY = 'a "b" $c \\ d; [e] {f} ü #g \'h\' (i) ?j'


def bare_rules(router) -> None:
    """Rules as many have them: no comments."""
    for row in router.tables.stored(FILTER):
        row.pop("comment", None)


def dead_after(place, router, before: dict, edits, expected=("rolled_back",), prepare=None) -> str:
    """Applied, the program killed once the change is there, undone by the router."""
    made = place.try_draft(edits, confirm="manual")
    expect(made.code == 0, f"draft: {short(made.err)}")
    plan = json.loads(made.out)
    place.approve(plan)
    place.apply(plan, wait=False)
    ends = time.monotonic() + 60
    while time.monotonic() < ends and not gone_over(router, before):
        time.sleep(0.02)
    time.sleep(0.3)
    place.kill()
    expect(gone_over(router, before), "never applied")
    if prepare:
        prepare()
    wait_clean(router, before, 90)
    alone_it = difference(before, router.dump()) + left_behind(router)
    place.start()
    view = place.settled(plan, 90)
    expect(view["state"] in expected, f"ended {view['state']}: {short(view['devices'], 600)}; {difference(before, router.dump())}; log {short([line['message'] for line in router.lines][-8:], 800)}")
    expect(not alone_it or "rolled_back" not in expected, f"the router alone left {alone_it}")
    return view["state"]


def alone(edits, setup=None, after=None, expected=("rolled_back",), **options):
    """Undone by the router; `after` looks at it."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            if setup:
                setup(router)
            before = router.dump()
            state = dead_after(place, router, before, edits, expected)
            if state == "rolled_back":
                unchanged(router, before)
            honest(router)
            return state

    return run


def overwritten(edits, menu: str, match: dict, mine: dict, menu_row: dict):
    """Somebody sets the same attribute again in the window, the program is dead: theirs must stay."""

    def run() -> str:
        with site() as place:
            router = place.router()
            tables = router.tables

            def meddle() -> None:
                tables.set(menu, tables.find(menu, **match)[".id"], mine)

            made = place.try_draft(edits, confirm="manual")
            expect(made.code == 0, f"draft: {short(made.err)}")
            plan = json.loads(made.out)
            place.approve(plan)
            place.apply(plan)
            view = place.show(plan)
            if not view["devices"][0]["guard"]:
                place.run("plan", "cancel", plan["id"])
                return f"no guard at risk {plan['risk']}"
            place.kill()
            meddle()
            ends = time.monotonic() + 90
            while time.monotonic() < ends and left_behind(router):
                time.sleep(0.2)
            row = tables.find(menu, **match)
            log = [line["message"] for line in router.lines if "guard" in line["message"]]
            expect(all(row.get(key) == value for key, value in menu_row.items()), f"theirs was overwritten: {short({key: row.get(key) for key in menu_row})}; log {log}")
            place.start()
            view = place.settled(plan, 60)
            expect(view["state"] == "needs_attention", f"ended {view['state']} although it was not as before")
            return f"{log[-1:]}"

    return run


def bytes_in_comments() -> str:
    """A comment of another code page, and control characters: read, and the table changed all the same."""
    with site() as place:
        router = place.router()
        row = router.tables.stored(FILTER)[6]
        row["comment"] = b"r\xe9gle \x07".decode("utf-8", "surrogateescape")
        before = router.dump()
        rows = place.call("menu.read", device="edge", menu=FILTER)["rows"]
        expect(len(rows) == 8, f"{len(rows)} rows")
        view = place.through(edit(FILTER, "set", {"comment": "drop iot"}, {"protocol": "udp"}))
        expect(view["state"] == "confirmed", f"ended {view['state']}: {short(view['devices'], 500)}")
        changed = difference(before, router.dump())
        expect(len(changed) == 1 and "udp" in changed[0] and not left_behind(router), f"{changed} {left_behind(router)}")
        return ""


def guard_of_others() -> str:
    """A guard that is not ours stays, and a plan goes on or says so; the sweep at the start leaves it."""
    with site() as place:
        router = place.router()
        add = lambda path, **more: factory.put(router.tables, path, **more)
        add("/system/script", **{"name": "mcp-guard-0123456789ab", "owner": "mcp", "policy": "read,write,test", "source": ":log info \"theirs\"", "dont-require-permissions": "false", "invalid": "false"})
        router.tables.add("/system/scheduler", {"name": "mcp-guard-0123456789ab", "interval": "1h", "start-time": "startup", "on-event": "mcp-guard-0123456789ab", "policy": "read,write,test"})
        before = router.dump()
        plan = place.begun(edit(FILTER, "disable", {"comment": "drop iot"}))
        view = place.settled(plan, 60)
        place.kill()
        place.start()
        time.sleep(4)
        now = router.dump()
        for path in ("/system/script", "/system/scheduler"):
            expect(now.get(path) == before.get(path), f"{path} is {short(now.get(path))}")
        expect(bool(difference(before, now)) == (view["state"] == "confirmed"), f"{view['state']}: {difference(before, now)}")
        return f"{view['state']} {short(view['devices'][0]['error'])}"


def second_appliance() -> str:
    """Two appliances, one router: one wins, the other is told; both edits never mix."""
    with site() as one, site() as two:
        router = one.router()
        made = two.add("edge", router)
        expect(made.code == 0, short(made.err))
        before = router.dump()
        first = one.draft(TWO, confirm="manual")
        second = two.draft(edit(FILTER, "set", {"comment": "drop iot"}, {"protocol": "tcp"}), confirm="auto")
        one.approve(first)
        two.approve(second)
        one.apply(first)
        expect(one.show(first)["state"] == "executing", short(one.show(first)["devices"]))
        two.apply(second)
        view = two.settled(second, 60)
        expect(view["state"] != "confirmed" or "udp" in str(router.dump()), f"second: {view['state']}")
        told = short(view["devices"][0]["error"], 300)
        end = one.settled(first, 120)
        expect(end["state"] in ("rolled_back", "needs_attention"), f"first ended {end['state']}")
        expect(not left_behind(router), f"left behind {left_behind(router)}")
        if view["state"] == "failed":
            expect(not difference(before, router.dump()), f"{difference(before, router.dump())}")
        return f"second {view['state']}: {told}; first {end['state']}"


def flagged() -> str:
    """A flagged device takes no scheduler entry."""
    with site() as place:
        router = place.router()
        router.tables.one("/system/device-mode")["flagged"] = "true"
        before = router.dump()
        made = place.try_draft(edit(FILTER, "disable", {"comment": "management"}))
        if made.code:
            unchanged(router, before)
            return f"refused: {short(made.err, 200)}"
        plan = json.loads(made.out)
        place.approve(plan)
        place.apply(plan)
        view = place.settled(plan, 120)
        unchanged(router, before)
        expect(view["state"] in ("failed", "rolled_back"), f"ended {view['state']}")
        return f"{view['state']}: {short(view['devices'][0]['error'], 200)}"


def expiring() -> str:
    """An entry of an address list that runs out: its time goes down between writing and reading."""
    with site() as place:
        router = place.router()
        view = place.through(edit("/ip/firewall/address-list", "add", None, {"list": "mcp-block", "address": "198.51.100.7", "timeout": "1h"}))
        row = router.tables.find("/ip/firewall/address-list", list="mcp-block")
        expect(view["state"] == "confirmed" and row, f"ended {view['state']}: {short(view['devices'], 500)}")
        made = place.call("firewall.update_address_list", device="edge", list="mcp-block", add=[{"address": "198.51.100.8"}])
        return short(made, 200)


def by_ssh(version: str):
    """REST is off, SSH alone: the router is added, read and changed."""

    def run() -> str:
        with site() as place:
            router = place.router(add=False, version=version)
            tables = router.tables
            tables.set("/ip/service", tables.find("/ip/service", name="www-ssl")[".id"], {"disabled": "yes"})
            made = place.add("edge", router)
            expect(made.code == 0, f"device add: {short(made.err)}")
            for menu in ("/ip/address", FILTER, "/ip/dns", "/interface", "/ip/service", "/system/script", "/queue/simple"):
                read = place.run("tool", "call", "menu.read", "--args", json.dumps({"device": "edge", "menu": menu}))
                expect(read.code == 0, f"{menu}: {short(read.err or read.out)}")
                rows = read.json()["structuredContent"]["rows"]
                expect(menu == "/ip/dns" or len(rows) == len(router.console.rows(menu, set())) or menu == "/ip/service", f"{menu}: {len(rows)} rows")
            told = ""
            for edits in (edit("/system/identity", "set", None, {"name": "gate-8"}), edit(FILTER, "disable", {"comment": "drop iot"})):
                before = router.dump()
                made = place.try_draft(edits)
                if made.code:
                    told += f"refused: {short(made.err, 150)}; "
                    unchanged(router, before)
                    continue
                plan = json.loads(made.out)
                place.approve(plan)
                place.apply(plan)
                view = place.settled(plan, 100)
                changed = difference(before, router.dump())
                expect(bool(changed) == (view["state"] == "confirmed"), f"{view['state']}: {changed} {short(view['devices'], 400)}")
                expect(not left_behind(router), f"left behind: {left_behind(router)}")
                told += f"{view['state']} {short(view['devices'][0]['error'], 150)}; "
            honest(router)
            return told

    return run


def direct() -> str:
    """Tools that write at once: what they say is what is there."""
    with site() as place:
        router = place.router()
        told = []
        for tool, arguments, menu, word in (
            ("system.set_identity", {"name": "north"}, "/system/identity", "north"), ("dns.update_servers", {"servers": ["1.1.1.1", "9.9.9.9"]}, "/ip/dns", "1.1.1.1,9.9.9.9"), ("ntp.update_servers", {"servers": ["192.0.2.5"]}, "/system/ntp/client", "192.0.2.5"),
            ("interface.update_comment", {"name": "ether3", "comment": "to the barn"}, "/interface/ethernet", "to the barn"), ("ip.add_secondary_address", {"interface": "ether4", "address": "10.9.5.1/24"}, "/ip/address", "10.9.5.1/24"), ("firewall.update_address_list", {"list": "mcp-x", "add": [{"address": "198.51.100.8"}]}, "/ip/firewall/address-list", "198.51.100.8"),
        ):
            for round_ in (1, 2):
                made = place.run("tool", "call", tool, "--args", json.dumps({"device": "edge", **arguments}))
                expect(made.code == 0, f"{tool}: {short(made.err or made.out)}")
                content = made.json()["structuredContent"]
                expect(word in str(router.dump().get(menu)), f"{tool}: says {short(content)}, router has {short(router.dump().get(menu))}")
                expect(content.get("changed") == (round_ == 1), f"{tool} round {round_}: {short(content)}")
        expect(not left_behind(router), f"left behind {left_behind(router)}")
        return ", ".join(told)


LISTS = "/ip/firewall/address-list"


def drop_bad(router) -> None:
    """Whoever is on a list is dropped before we are let in."""
    tables = router.tables
    tables.add(FILTER, {"chain": "input", "action": "drop", "src-address-list": "bad", "comment": "drop bad", "place-before": tables.find(FILTER, comment="management")[".id"]})


def runs_out() -> str:
    """The entry that lets us in is put in place of one for good, with a timeout: told as a cut."""
    with site() as place:
        router = place.router()
        row = router.tables.find(FILTER, comment="management")
        row.pop("src-address")
        row["src-address-list"] = "mgr"
        factory.put(router.tables, LISTS, list="mgr", address=router.client, disabled="false", comment="us")
        plan = place.draft(edit(LISTS, "add", None, {"list": "mgr", "address": "10.10.0.48/28", "timeout": "40s"}) + edit(LISTS, "remove", {"comment": "us"}))
        expect(plan["can_cut_access"] != "no", f"called harmless, risk {plan['risk']}")
        return plan["can_cut_access"]


def truth_words() -> str:
    """A comment `true` is not the comment `yes`."""
    with site() as place:
        router = place.router()
        router.tables.find(FILTER, comment="drop iot")["comment"] = "true"
        made = place.try_draft(edit(FILTER, "disable", {"comment": "yes"}))
        expect(made.code != 0, f"drafted: {short(made.out)}")
        return short(made.err, 100)


def cases() -> dict:
    """All of them."""
    bridge = "/interface/bridge"
    ours = {"chain": "input", "dst-port": f"{HTTPS},{SSH}"}
    made = {
        "odd: bytes in comments": bytes_in_comments, "odd: a guard of others": guard_of_others, "odd: two appliances": second_appliance, "odd: flagged": flagged, "odd: an entry that expires": expiring, "odd: direct writes": direct,
        "odd: an entry that expires cuts us off": alone(edit(LISTS, "add", None, {"list": "bad", "address": "10.10.0.50", "timeout": "10h"}), drop_bad),
        "odd: an entry that expires, undone by the router": alone(edit(LISTS, "add", None, {"list": "other", "address": "192.0.2.77", "timeout": "10h"}) + edit(FILTER, "disable", {"comment": "drop iot"})),
        "odd: our entry comes to expire": runs_out, "odd: truth words in text": truth_words,
        "odd: by SSH alone 7.23.2": by_ssh("7.23.2"), "odd: by SSH alone 7.12.2": by_ssh("7.12.2"),
        "odd: our rule without comment, disabled": alone(edit(FILTER, "disable", ours), bare_rules), "odd: our rule without comment, removed": alone(edit(FILTER, "remove", ours), bare_rules),
        "odd: our rule without comment, moved": alone(edit(FILTER, "move", ours, place_before={"chain": "forward", "connection-state": "invalid"}), bare_rules),
        "odd: our rule without comment, another port": alone(edit(FILTER, "set", ours, {"dst-port": "1"}), bare_rules), "odd: invalid drop without comment takes new": alone(edit(FILTER, "set", {"chain": "input", "connection-state": "invalid"}, {"connection-state": "invalid,new"}), bare_rules),
        "odd: rule before one without comment": alone(edit(FILTER, "add", None, {"chain": "input", "action": "drop", "protocol": "tcp", "dst-port": HTTPS}, place_before=ours), bare_rules),
        "odd: the last drop without comment moved up": alone(edit(FILTER, "move", {"chain": "input", "action": "drop", "log-prefix": "in"}, place_before=ours), bare_rules),
        "odd: nasty comment, rule removed": alone(edit(FILTER, "remove", {"comment": NASTY}), lambda router: router.tables.stored(FILTER)[3].update(comment=NASTY)),
        "odd: nasty comment, rule disabled": alone(edit(FILTER, "disable", {"comment": NASTY}), lambda router: router.tables.stored(FILTER)[3].update(comment=NASTY)),
        "odd: nasty comment set": alone(edit(FILTER, "set", {"comment": "management"}, {"comment": NASTY, "dst-port": "1"})),
        "odd: ageing time undone": alone(edit(bridge, "set", {"name": "bridge"}, {"ageing-time": "00:10:00"})),
        "odd: theirs stays, ageing time": overwritten(edit(bridge, "set", {"name": "bridge"}, {"ageing-time": "10m"}), bridge, {"name": "bridge"}, {"ageing-time": "7m"}, {"ageing-time": "7m"}),
        "odd: theirs stays, vlan id": overwritten(edit(bridge, "set", {"name": "bridge"}, {"priority": "0x4000"}), bridge, {"name": "bridge"}, {"priority": "0x6000"}, {"priority": "0x6000"}),
        "odd: theirs stays, states": overwritten(edit(FILTER, "set", {"comment": "forward invalid"}, {"connection-state": "invalid,untracked"}), FILTER, {"comment": "forward invalid"}, {"connection-state": "invalid,new"}, {"connection-state": "invalid,new"}),
        "odd: theirs stays, log prefix": overwritten(edit(FILTER, "set", {"comment": "forward invalid"}, {"log": "yes", "action": "reject"}), FILTER, {"comment": "forward invalid"}, {"action": "tarpit"}, {"action": "tarpit"}),
        "odd: theirs stays, service address": overwritten(edit("/ip/service", "set", {"name": "winbox"}, {"address": "10.0.0.0/8"}), "/ip/service", {"name": "winbox"}, {"address": "10.1.0.0/16"}, {"address": "10.1.0.0/16"}),
    }
    for name, options in (("strict", {"strict_types": True}), ("absent is an error", {"absent_is_error": True}), ("strict, absent is an error", {"strict_types": True, "absent_is_error": True})):
        for what, edits, more in (
            ("rule disabled", edit(FILTER, "disable", {"comment": "management"}), {}), ("rule removed", edit(FILTER, "remove", {"comment": "management"}), {}), ("states changed", edit(FILTER, "set", {"comment": "defconf: drop invalid"}, {"connection-state": "invalid,new"}), {}),
            ("address changed", edit("/ip/address", "set", {"comment": "management"}, {"address": "10.99.0.1/24"}), {}), ("PVID changed", edit("/interface/bridge/port", "set", {"interface": "ether2"}, {"pvid": "20"}), {"layout": "vlan"}), ("VLAN row changed", edit("/interface/bridge/vlan", "set", {"vlan-ids": "10"}, {"tagged": "ether5"}), {"layout": "vlan"}),
            ("VLAN row removed", edit("/interface/bridge/vlan", "remove", {"vlan-ids": "10"}), {"layout": "vlan"}), ("VLAN interface id", edit("/interface/vlan", "set", {"name": "vlan10"}, {"vlan-id": "11"}), {"layout": "vlan"}), ("default route elsewhere", edit("/ip/route", "set", {"comment": "default"}, {"gateway": "10.9.0.254"}), {"layout": "routed"}), ("default route removed", edit("/ip/route", "remove", {"comment": "default"}), {"layout": "routed"}),
            ("distance of the default route", edit("/ip/route", "set", {"comment": "default"}, {"distance": "9", "gateway": "10.9.0.254"}), {"layout": "routed"}), ("service off", edit("/ip/service", "disable", {"name": "www-ssl"}), {}), ("bridge filtering", edit(bridge, "set", {"name": "bridge"}, {"vlan-filtering": "no", "ageing-time": "1m"}), {"layout": "vlan"}), ("rule without comment", edit(FILTER, "disable", ours), {"bare": True}),
        ):
            bare = more.get("bare")
            made[f"odd: {name}: {what}"] = alone(edits, bare_rules if bare else None, **{key: value for key, value in more.items() if key != "bare"}, **options)
    return made
