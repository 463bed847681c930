"""Rows that hold secrets: none ever stands in a script on the router, and they come back whole."""

from __future__ import annotations

import json

import factory
import menus as m
from cases_cuts import FILTER, edit
from cases_odd import dead_after
from plant import difference, expect, honest, left_behind, short, site, unchanged

KEY, WORD = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=", "p4ss-w0rd-of-ppp"


def furnished(router) -> None:
    """A tunnel with a peer, and two PPP users."""
    tables = router.tables
    factory.put(tables, "/interface/wireguard", **{"name": "wg1", "listen-port": "13231", "mtu": "1420", "private-key": KEY, "public-key": "uIe7NfdxuDNF7qaPqImiVSBzGPJXop1ENsDzZ2Y5So0=", "disabled": "false"})
    factory.put(tables, "/interface/wireguard/peers", **{"name": "peer1", "interface": "wg1", "public-key": "fisZCbhQ2ME8dpxcV9Lk55uh29vOi0YsAirGNCSmO3c=", "preshared-key": KEY, "allowed-address": "10.66.0.2/32", "disabled": "false"})
    for name in ("joe", "sue"):
        factory.put(tables, "/ppp/secret", **{**m.DEFAULTS["/ppp/secret"], "name": name, "password": WORD})
    factory.put(tables, "/user", **{"name": "guest", "group": "read", "address": "", "disabled": "false", "password": WORD})


def silent(router) -> None:
    """Nothing secret went into a script or the log."""
    for one in router.rest.requests:
        if one["target"].startswith(("/rest/system/script", "/rest/system/scheduler", "/rest/execute")):
            expect(not any(word in one["body"] for word in (KEY, WORD, factory.PASSWORD, "*****")), f"a secret in a script: {one['body'][:200]}")


def kept(edits, check, **options):
    """Confirmed; `check` looks at the router."""

    def run() -> str:
        with site() as place:
            router = place.router(policy=options.get("policy", factory.GROUP))
            furnished(router)
            before = router.dump()
            made = place.try_draft(edits)
            if made.code:
                unchanged(router, before)
                return f"refused: {short(made.err, 200)}"
            expect(WORD not in made.out and KEY not in made.out, "a secret in the plan")
            plan = json.loads(made.out)
            place.approve(plan)
            place.apply(plan)
            view = place.show(plan)
            if view["state"] == "executing" and view["confirm"] == "manual":
                place.confirm(plan)
            view = place.settled(plan, 100)
            silent(router)
            expect(not left_behind(router), f"left behind {left_behind(router)}")
            expect(view["state"] == "confirmed", f"ended {view['state']}: {short(view['devices'], 500)} {difference(before, router.dump())}")
            expect(check(router), f"not there: {difference(before, router.dump())}")
            honest(router)
            return plan["risk"]

    return run


def alone(edits, policy: str = factory.GROUP):
    """Undone by the router."""

    def run() -> str:
        with site() as place:
            router = place.router(policy=policy)
            furnished(router)
            before = router.dump()
            made = place.try_draft(edits, confirm="manual")
            if made.code:
                unchanged(router, before)
                return f"refused: {short(made.err, 200)}"
            plan = json.loads(made.out)
            if plan["risk"] in ("low", "medium"):
                return f"no guard at risk {plan['risk']}"
            state = dead_after(place, router, before, edits)
            silent(router)
            unchanged(router, before)
            return state

    return run


def cases() -> dict:
    """All of them."""
    policy = factory.GROUP + ",policy"
    peers, wg, ppp = "/interface/wireguard/peers", "/interface/wireguard", "/ppp/secret"
    find = lambda path, **wanted: lambda router: router.tables.find(path, **wanted)
    generate = {"secret": "generate"}
    changed = lambda path, name, key, old: lambda router: any(row.get("name") == name and row.get(key) not in (None, old, "") for row in router.tables.stored(path))
    made = {
        "secrets: tunnel removed": kept(edit(wg, "remove", {"name": "wg1"}), lambda router: not find(wg, name="wg1")(router)),
        "secrets: peer removed": kept(edit(peers, "remove", {"name": "peer1"}), lambda router: not find(peers, name="peer1")(router)),
        "secrets: peer set": kept(edit(peers, "set", {"name": "peer1"}, {"allowed-address": "10.66.0.3/32"}), find(peers, allowed_address="10.66.0.3/32")),
        "secrets: PPP user removed": kept(edit(ppp, "remove", {"name": "joe"}), lambda router: not find(ppp, name="joe")(router)),
        "secrets: PPP user added": kept(edit(ppp, "add", None, {"name": "new", "password": generate}), changed(ppp, "new", "password", WORD)),
        "secrets: PPP password": kept(edit(ppp, "set", {"name": "joe"}, {"password": generate}), changed(ppp, "joe", "password", WORD)),
        "secrets: PPP user by a plain password": kept(edit(ppp, "add", None, {"name": "new", "password": "plain-text"}), lambda router: False),
        "secrets: another user's password": kept(edit("/user", "set", {"name": "guest"}, {"password": generate}), changed("/user", "guest", "password", WORD), policy=policy),
        "secrets: another user added": kept(edit("/user", "add", None, {"name": "new", "group": "read", "password": generate}), changed("/user", "new", "password", WORD), policy=policy),
        "secrets: key of the tunnel": kept(edit(wg, "set", {"name": "wg1"}, {"private-key": generate}), changed(wg, "wg1", "private-key", KEY)),
    }
    for name, edits, more in (
        ("tunnel removed", edit(wg, "remove", {"name": "wg1"}), {}), ("peer removed", edit(peers, "remove", {"name": "peer1"}), {}), ("peer disabled", edit(peers, "disable", {"name": "peer1"}), {}), ("PPP user removed", edit(ppp, "remove", {"name": "joe"}), {}), ("PPP password", edit(ppp, "set", {"name": "joe"}, {"password": generate}), {}),
        ("another user removed", edit("/user", "remove", {"name": "guest"}), {"policy": policy}), ("another user's password", edit("/user", "set", {"name": "guest"}, {"password": generate}), {"policy": policy}), ("PPP user added", edit(ppp, "add", None, {"name": "new", "password": generate}), {}),
        ("tunnel and a rule", edit(wg, "remove", {"name": "wg1"}) + edit(FILTER, "disable", {"comment": "drop iot"}), {}),
    ):
        made[f"secrets: undone by the router, {name}"] = alone(edits, **more)
    return made
