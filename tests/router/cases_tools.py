"""Plans that tools write, and rollouts whose canary is cut off."""

from __future__ import annotations

import json

import factory
from cases_cuts import CUTS, FILTER, prepared
from cases_trouble import wait_left
from plant import difference, expect, honest, left_behind, short, site, unchanged

PLANS = {
    "rule added": ("firewall.plan_rule", {"table": "filter", "action": "add", "rule": {"chain": "forward", "action": "accept", "src-address": "10.30.0.9", "comment": "by tool"}, "place_before": {"comment": "drop iot"}}, FILTER, "by tool"),
    "route added": ("routing.plan_static_route", {"action": "add", "dst": "10.88.0.0/16", "gateway": "10.9.0.254", "comment": "by tool"}, "/ip/route", "10.88.0.0/16"),
    "rule moved": ("firewall.plan_rule", {"action": "move", "match": {"comment": "drop iot"}, "place_before": {"comment": "forward invalid"}}, FILTER, "another order"),
    "rule modified": ("firewall.plan_rule", {"action": "modify", "match": {"comment": "drop iot"}, "rule": {"protocol": "udp"}}, FILTER, "udp"),
    "route removed": ("routing.plan_static_route", {"action": "remove", "dst": "10.77.0.0/16"}, "/ip/route", "branch"),
    "pool changed": ("dhcp.plan_pool", {"action": "modify", "name": "dhcp", "ranges": ["10.9.0.20-10.9.0.30"]}, "/ip/pool", "10.9.0.20-10.9.0.30"),
    "port set": ("bridge.plan_port", {"action": "modify", "interface": "ether3", "pvid": 30}, "/interface/bridge/port", '"pvid": "30"'),
}


def tool(name: str):
    """Drafted by a tool, kept."""

    def run() -> str:
        called, arguments, menu, word = PLANS[name]
        with site() as place:
            router = place.router()
            before = router.dump()
            made = place.run("tool", "call", called, "--args", json.dumps({"device": "edge", **arguments}))
            expect(made.code == 0, f"{called}: {short(made.err or made.out, 500)}")
            unchanged(router, before)
            plan = made.json()["structuredContent"]
            plan = plan.get("plan", plan)
            place.approve(place.show(plan))
            place.apply(plan)
            view = place.show(plan)
            if view["state"] == "executing":
                place.confirm(plan)
                view = place.settled(plan, 100)
            changed = difference(before, router.dump())
            expect(view["state"] == "confirmed", f"ended {view['state']}: {short(view['devices'], 400)}")
            expect(len(changed) == 1 and changed[0].startswith(menu) and word in changed[0], f"{changed}")
            expect(not left_behind(router), f"left behind {left_behind(router)}")
            return plan["risk"]

    return run


def canary(name: str):
    """A rollout that cuts: the canary comes back by itself, the others are never touched."""

    def run() -> str:
        with site() as place:
            routers = {one: place.router(one) for one in "abc"}
            edits = [prepared(router, CUTS[name][0]) for router in routers.values()][0]
            before = {one: router.dump() for one, router in routers.items()}
            plan = place.begun(edits, list(routers), confirm="auto", batch={"size": 2, "canary": 1, "pause": "0s", "on_failure": "stop"}, wait=False)
            view = place.settled(plan, 150)
            touched = 0
            for one, router in routers.items():
                wait_left(router, 60)
                unchanged(router, before[one])
                honest(router)
                touched += any(request["method"] in ("PUT", "PATCH", "DELETE") and request["target"].startswith("/rest/ip/") for request in router.rest.requests)
            expect(touched == 1, f"{touched} routers were changed")
            return f"{view['state']}: {view['summary']}"

    return run


def filters() -> str:
    """Filters and pages of `menu.read` against the rows themselves."""
    with site() as place:
        router = place.router()
        tables, lists = router.tables, "/ip/firewall/address-list"
        odd = ["a b", "a=b", "*1", "#x", "-x", ">x", "<x", "!x", 'q"q', "ü", "a&b", "50%", "yes", "true", "?a", "a,b", "a\\b", ".query", " lead", "007"]
        for at in range(130):
            factory.put(tables, lists, **{"list": f"l{at % 3}", "address": f"198.51.100.{at}", "disabled": "true" if at % 5 == 0 else "false", "creation-time": "2026-09-28 16:48:57", **({"comment": odd[at]} if at < len(odd) else {})})
        rows = router.console.rows(lists, set())
        seen, cursor = [], None
        while True:
            page = place.call("menu.read", device="edge", menu=lists, limit=50, **({"cursor": cursor} if cursor else {}))
            expect(page["total"] == len(rows), f"total {page['total']} of {len(rows)}")
            seen += [row["address"] for row in page["rows"]]
            cursor = page.get("next_cursor")
            if not cursor:
                break
        expect(seen == [row["address"] for row in rows], "pages do not make the whole")
        for text in odd:
            for where in ({"comment": text}, {"comment~": text}):
                page = place.call("menu.read", device="edge", menu=lists, where=where)
                wanted = [row for row in rows if (text.lower() in row.get("comment", "").lower() if "comment~" in where else row.get("comment") == text)]
                expect(page["total"] == len(wanted), f"{where}: {page['total']} rows, not {len(wanted)}")
        for where, wanted in (({"disabled": True}, 26), ({"disabled": False}, len(rows) - 26), ({"list": "l1", "disabled": False}, sum(row["list"] == "l1" and row["disabled"] == "false" for row in rows)), ({"dynamic": False}, len(rows)), ({"timeout": "1d"}, 0)):
            page = place.call("menu.read", device="edge", menu=lists, where=where)
            expect(page["total"] == wanted, f"{where}: {page['total']} rows, not {wanted}")
        ports = place.call("menu.read", device="edge", menu="/ip/service", where={"name": "www-ssl"})
        expect(len(ports["rows"]) >= 1, "no www-ssl")
        static = place.call("menu.read", device="edge", menu="/ip/route", where={"dynamic": False})
        expect(static["total"] == len(tables.stored("/ip/route")), f"static routes: {static['total']}")
        return f"{len(rows)} rows"


def cases() -> dict:
    """All of them."""
    made = {f"tools: {name}": tool(name) for name in PLANS}
    made["reading: filters and pages"] = filters
    return made | {f"rollout: canary cut, {name}": canary(name) for name in ("our rule removed", "drop by in-interface", "www-ssl certificate none")}
