"""Changes that stay, and reading: what was planned is on the router in its own spelling, nothing else moved, nothing is left."""

from __future__ import annotations

import factory
from cases_cuts import FILTER, edit
from course import stays, wait_clean
from plant import expect, honest, short, site, unchanged

READ = (
    "/ip/address", "/ip/route", "/ip/firewall/filter", "/ip/firewall/nat", "/ip/firewall/address-list", "/ip/service", "/ip/dns", "/ip/dns/static", "/ip/pool", "/interface", "/interface/ethernet", "/interface/bridge", "/interface/bridge/port",
    "/interface/list/member", "/user", "/user/group", "/system/identity", "/system/resource", "/system/clock", "/system/device-mode", "/system/script", "/system/scheduler", "/system/package", "/queue/simple", "/routing/table", "/certificate", "/ip/settings", "/ip/ssh",
)

# name: (edits, what must then differ, in words that all stand in the difference, options)
KEPT = {
    "identity": (edit("/system/identity", "set", None, {"name": "gate-7"}), ["gate-7"], {}),
    "name servers": (edit("/ip/dns", "set", None, {"servers": "9.9.9.9,1.1.1.1"}), ["9.9.9.9,1.1.1.1"], {}),
    "time to live in seconds": (edit("/ip/dns/static", "set", {"name": "nvr"}, {"ttl": "7200"}), ["2h"], {}),
    "time to live as a clock": (edit("/ip/dns/static", "set", {"name": "nvr"}, {"ttl": "00:30:00"}), ["30m"], {}),
    "cache time as days": (edit("/ip/dns", "set", None, {"cache-max-ttl": "2d 00:00:00"}), ["2d"], {}),
    "queue rate": (edit("/queue/simple", "set", {"name": "guest"}, {"max-limit": "5M/2M"}), ["5000000/2000000"], {}),
    "queue added": (edit("/queue/simple", "add", None, {"name": "iot", "target": "10.9.0.77", "max-limit": "1M/1M"}), ["1000000/1000000"], {}),
    "address without a prefix": (edit("/ip/address", "add", None, {"address": "10.9.9.9", "interface": "ether4"}), ["10.9.9.9/32"], {}),
    "secondary address": (edit("/ip/address", "add", None, {"address": "10.9.1.1/24", "interface": "ether4", "comment": "more"}), ["10.9.1.1/24"], {}),
    "route with host bits": (edit("/ip/route", "add", None, {"dst-address": "10.88.1.1/16", "gateway": "10.9.0.254"}), ["10.88.0.0/16"], {}),
    "black hole of a connected network": (edit("/ip/route", "add", None, {"dst-address": "10.9.0.0/24", "blackhole": "yes", "comment": "hole"}), ["hole"], {}),
    "route distance unset": (edit("/ip/route", "set", {"comment": "branch"}, {"distance": "20"}), ["20"], {}),
    "route disabled": (edit("/ip/route", "disable", {"comment": "branch"}), ["true"], {}),
    "forward rule added in place": (edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.5/32", "dst-address": "10.20.0.5", "comment": "iot to nvr"}, place_before={"comment": "drop iot"}), ["10.30.0.5"], {}),
    "forward rule with states out of order": (edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "connection-state": "related,established", "src-address": "10.30.0.0/24", "comment": "x"}), ["established,related"], {}),
    "forward rule with a range": (edit(FILTER, "add", None, {"chain": "forward", "action": "drop", "src-address": "10.30.0.5-10.30.0.9", "comment": "x"}), ["10.30.0.5-10.30.0.9"], {}),
    "forward rule removed": (edit(FILTER, "remove", {"comment": "drop iot"}), ["drop iot"], {}),
    "forward rule moved": (edit(FILTER, "move", {"comment": "drop iot"}, place_before={"comment": "forward invalid"}), ["another order"], {}),
    "forward rule set": (edit(FILTER, "set", {"comment": "drop iot"}, {"dst-address": "10.20.0.0/16", "protocol": "udp"}), ["10.20.0.0/16"], {}),
    "matcher unset": (edit(FILTER, "set", {"comment": "drop iot"}, {"dst-address": None}), ["10.20.0.0/24"], {}),
    "comment taken away": (edit(FILTER, "set", {"comment": "drop iot"}, {"comment": None}), ["drop iot"], {}),
    "comment emptied": (edit("/ip/address", "set", {"comment": "guests"}, {"comment": ""}), ["guests"], {}),
    "comment with quotes": (edit("/ip/address", "set", {"comment": "guests"}, {"comment": 'a "b" $c \\ d; [e] {f} ü #g'}), ["$c"], {}),
    "rule made to log": (edit(FILTER, "set", {"comment": "forward invalid"}, {"log": "yes", "log-prefix": "inv"}), ["inv"], {}),
    "two edits": (edit("/ip/dns", "set", None, {"servers": "1.1.1.1"}) + edit(FILTER, "disable", {"comment": "drop iot"}), ["1.1.1.1", "drop iot"], {}),
    "a list and a rule that uses it": (edit("/ip/firewall/address-list", "add", None, {"list": "mcp-x", "address": "10.0.0.0/8"}) + edit(FILTER, "add", None, {"chain": "forward", "action": "drop", "src-address-list": "mcp-x", "comment": "x"}), ["mcp-x"], {}),
    "an interface and an address on it": (edit("/interface/vlan", "add", None, {"name": "vlan33", "interface": "ether4", "vlan-id": "33"}) + edit("/ip/address", "add", None, {"address": "10.33.0.1/24", "interface": "vlan33"}), ["vlan33", "10.33.0.1/24"], {}),
    "a rule put in place of another": (edit(FILTER, "add", None, {"chain": "forward", "action": "reject", "src-address": "10.30.0.0/24", "comment": "reject iot"}, place_before={"comment": "drop iot"}) + edit(FILTER, "remove", {"comment": "drop iot"}), ["reject iot"], {}),
    "two rules at the end": (edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.1", "comment": "one"}) + edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.2", "comment": "two"}), ["one", "two"], {}),
    "two rules before the same": (edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.1", "comment": "one"}, place_before={"comment": "drop iot"}) + edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.2", "comment": "two"}, place_before={"comment": "drop iot"}), ["one", "two"], {}),
    "a rule moved and its neighbour removed": (edit(FILTER, "move", {"comment": "drop iot"}, place_before={"comment": "forward invalid"}) + edit(FILTER, "remove", {"comment": "forward invalid"}), ["forward invalid"], {}),
    "two neighbours removed": (edit(FILTER, "remove", {"comment": "forward invalid"}) + edit(FILTER, "remove", {"comment": "drop iot"}), ["drop iot"], {}),
    "two rules moved": (edit(FILTER, "move", {"comment": "drop iot"}, place_before={"comment": "forward established"}) + edit(FILTER, "move", {"comment": "forward invalid"}, place_before={"comment": "drop iot"}), ["another order"], {}),
    "a row set twice": (edit("/ip/dns/static", "set", {"name": "nvr"}, {"ttl": "2h"}) + edit("/ip/dns/static", "set", {"name": "nvr"}, {"address": "10.9.0.6"}), ["2h", "10.9.0.6"], {}),
    "a row renamed and set": (edit("/queue/simple", "set", {"name": "guest"}, {"name": "visitors"}) + edit("/queue/simple", "set", {"name": "visitors"}, {"max-limit": "3M/3M"}), ["visitors"], {}),
    "each of several": (edit(FILTER, "set", {"chain": "forward"}, {"log": True}, each=True), ["true"], {}),
    "ethernet address in lower case": (edit("/interface/ethernet", "set", {"name": "ether4"}, {"mac-address": "0c:00:e6:0a:3d:aa"}), ["0C:00:E6:0A:3D:AA"], {}),
    "ethernet renamed": (edit("/interface/ethernet", "set", {"name": "ether4"}, {"name": "guests"}), ["guests"], {}),
    "service we do not use": (edit("/ip/service", "disable", {"name": "winbox"}), ["winbox"], {}),
    "service with an address list": (edit("/ip/service", "set", {"name": "winbox"}, {"address": "10.0.0.0/8,192.0.2.1"}), ["192.0.2.1/32"], {}),
    "our own service narrowed": (edit("/ip/service", "set", {"name": "www-ssl"}, {"address": "10.0.0.0/8,192.0.2.1"}), ["192.0.2.1/32"], {}),
    "input rule that lets us in": (edit(FILTER, "add", None, {"chain": "input", "action": "drop", "protocol": "tcp", "dst-port": "8291", "comment": "no winbox"}, place_before={"comment": "management"}), ["no winbox"], {}),
    "NAT rule": (edit("/ip/firewall/nat", "add", None, {"chain": "dstnat", "action": "dst-nat", "protocol": "tcp", "dst-port": "8080", "to-addresses": "10.9.0.5", "to-ports": "80", "in-interface-list": "WAN", "comment": "nvr"}), ["10.9.0.5"], {}),
    "another port's PVID": (edit("/interface/bridge/port", "set", {"interface": "ether3"}, {"pvid": "30"}), ["30"], {"layout": "vlan"}),
    "another user": (edit("/user", "set", {"name": "admin"}, {"comment": "keep out"}), ["keep out"], {"policy": factory.GROUP + ",policy"}),
    "pool": (edit("/ip/pool", "set", {"name": "dhcp"}, {"ranges": "10.9.0.20-10.9.0.30,10.9.0.40-10.9.0.50"}), ["10.9.0.40"], {}),
}


def kept(name: str, **more):
    """Drafted, approved, applied, confirmed by a person where that is asked; then all else is as it was."""

    def run() -> str:
        edits, words, options = KEPT[name]
        with site() as place:
            router = place.router(**{**options, **more})
            # An interface that is renamed is so in other menus too.
            return stays(place, router, edits, words, anywhere=name == "ethernet renamed")

    return run


def back(name: str):
    """The same change, not confirmed: undone by the program as asked, row for row."""

    def run() -> str:
        edits, _, options = KEPT[name]
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            plan = place.begun(edits, confirm="manual")
            view = place.show(plan)
            expect(view["state"] == "executing", f"after apply: {view['state']}: {short(view['devices'], 500)}")
            made = place.run("plan", "roll-back", plan["id"])
            expect(made.code == 0, f"roll-back: {short(made.err)}")
            view = place.settled(plan, 100)
            expect(view["state"] == "rolled_back", f"ended {view['state']}: {short([one['error'] or one['difference'] for one in view['devices']], 700)}")
            unchanged(router, before)
            honest(router)
            return plan["risk"]

    return run


def alone(name: str):
    """The same change with the program killed while it waits for a confirmation: undone by the router."""

    def run() -> str:
        edits, _, options = KEPT[name]
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            plan = place.begun(edits, confirm="manual")
            view = place.show(plan)
            expect(view["state"] == "executing", f"after apply: {view['state']}: {short(view['devices'], 500)}")
            if not view["devices"][0]["guard"]:
                return f"no guard, risk {plan['risk']}"
            place.kill()
            wait_clean(router, before, 80)
            unchanged(router, before)
            place.start()
            view = place.settled(plan, 60)
            expect(view["state"] == "rolled_back", f"after the restart: {view['state']}: {short([one['error'] or one['difference'] for one in view['devices']], 700)}")
            unchanged(router, before)
            honest(router)
            return plan["risk"]

    return run


def reading(version: str):
    """Menus as they are read, on a version: every row is there, and nothing in them is an id or a secret."""

    def run() -> str:
        with site() as place:
            router = place.router(version=version)
            count = 0
            for menu in READ:
                if not router.tables.menus.exists(menu) or menu == "/system/device-mode" and version < "7.17":
                    continue
                made = place.run("tool", "call", "menu.read", "--args", f'{{"device": "edge", "menu": "{menu}", "limit": 200}}')
                expect(made.code == 0, f"{menu}: {short(made.err or made.out)}")
                rows = made.json()["structuredContent"]["rows"]
                text = str(rows)
                expect(factory.PASSWORD not in text and "admin-pass" not in text, f"{menu}: a password")
                expect(not any(".id" in row for row in rows), f"{menu}: .id")
                if not router.tables.menus.singleton(menu) and menu not in ("/ip/service", "/ip/route"):
                    expect(len(rows) == len(router.console.rows(menu, set())), f"{menu}: {len(rows)} rows of {len(router.console.rows(menu, set()))}")
                count += 1
            for menu in ("/ip/firewall/filter", "/interface/bridge/port", "/ip/dns", "/system/scheduler", "/ip/route"):
                told = place.call("menu.describe", device="edge", menu=menu)
                names = {one["name"] for one in told["attributes"]}
                lacking = router.tables.menus.arguments(menu, "set") - names
                expect(not lacking, f"menu.describe {menu} on {version} lacks {sorted(lacking)[:8]}")
            test = place.run("device", "test", "edge")
            expect(test.code == 0, f"device test: {short(test.err)}")
            return f"{count} menus"

    return run


def refused(name: str, edits: list[dict], words: tuple[str, ...], **options):
    """A draft that cannot be: refused with a reason, and nothing is touched."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            made = place.try_draft(edits)
            unchanged(router, before)
            expect(made.code != 0, f"drafted: {short(made.out, 500)}")
            expect(any(word in made.err for word in words), f"says: {short(made.err)}")
            return short(made.err, 140)

    return run


def wrong_login() -> str:
    """A wrong password stores nothing; a right one over a cut path neither."""
    with site() as place:
        router = place.router(add=False)
        (place.place / "router").write_text("wrong")
        made = place.add("edge", router)
        expect(made.code != 0, "a wrong password was taken")
        expect(place.run("device", "list").json() == [], "a device was stored")
        (place.place / "router").write_text(factory.PASSWORD)
        router.tables.set("/ip/firewall/filter", router.tables.find(FILTER, comment="management")[".id"], {"disabled": "yes"})
        expect(place.add("edge", router).code != 0, "a router behind a drop was taken")
        expect(place.run("device", "list").json() == [], "a device was stored")
    return ""


def cases() -> dict:
    """All of them."""
    made = {"device add refuses": wrong_login}
    made |= {f"reading {version}": reading(version) for version in ("7.12.2", "7.15.3", "7.20.8", "7.24.1")}
    made |= {f"kept: {name}": kept(name) for name in KEPT}
    for at, name in enumerate(KEPT):
        made[f"back: {name}" if at % 2 else f"alone: {name}"] = back(name) if at % 2 else alone(name)
        made[f"alone: {name}" if at % 2 else f"back: {name}"] = alone(name) if at % 2 else back(name)
    made |= {
        "refused: two rows match": refused("", edit(FILTER, "disable", {"chain": "forward"}), ("rows", "match", "candidates")),
        "refused: no row matches": refused("", edit(FILTER, "disable", {"comment": "nobody"}), ("no row", "match", "none")),
        "refused: unknown attribute": refused("", edit("/ip/dns", "set", None, {"serverz": "1.1.1.1"}), ("serverz",)),
        "refused: attribute of a later version": refused("", edit("/ip/service", "set", {"name": "winbox"}, {"available-from": "10.0.0.0/8"}), ("available-from",), version="7.23.2"),
        "refused: rule with no matcher": refused("", edit(FILTER, "add", None, {"chain": "forward", "action": "drop"}), ("match_all",)),
        "refused: taken address list entry": refused("", edit("/ip/firewall/address-list", "add", None, {"list": "blocked", "address": "203.0.113.9", "comment": "another"}), ("taken",)),
        "refused: unknown interface": refused("", edit("/ip/address", "add", None, {"address": "10.1.1.1/24", "interface": "ether77"}), ("ether77", "interface")),
        "refused: group in use": refused("", edit("/user/group", "remove", {"name": "mcp-group"}), ("group", "user"), policy=factory.GROUP + ",policy"),
    }
    return made
