"""What is said must be so: answers that are lost in other ways, commands that leave no trace, removals that remove nothing, rows as they are now."""

from __future__ import annotations

import json
import time

import factory
from cases_cuts import FILTER, edit
from plant import expect, short, site


def call(place, tool: str, **arguments):
    """One tool call by the command line."""
    return place.run("tool", "call", tool, "--args", json.dumps({"device": "edge", **arguments}))


def flushed(how: str):
    """A command whose answer never came: whether it ran is not known, and nobody says that nothing was changed."""

    def run() -> str:
        with site() as place:
            router = place.router()
            router.rest.commands["flush"] = lambda menu: router.tables.stored(menu).clear()
            factory.put(router.tables, "/ip/dns/cache", name="h.lan", type="A", data="192.0.2.4", ttl="10s")
            router.rest.faults.append({"when": lambda m, t, b: "flush" in t, "do": how, "times": 1})
            made = call(place, "dns.flush_cache")
            said = made.out + made.err
            expect(made.code != 0 and "unknown_outcome" in said, f"exit {made.code}: {short(said)}")
            expect("nothing was changed" not in said and "taken back" not in said, short(said))
            return short(said, 150)

    return run


def on_a_row() -> str:
    """A harmless command about a row is run."""
    with site() as place:
        router, ran = place.router(), []
        router.rest.commands["reset-counters"] = ran.append
        plan = place.begun([{"menu": FILTER, "op": "run", "command": "reset-counters", "match": {"comment": "drop iot"}}])
        view = place.settled(plan, 60)
        expect(len(ran) == 1 and view["state"] == "confirmed", f"ran {len(ran)} times, {view['state']}: {view['devices'][0]['error']}")
        return view["state"]


def removed_in_name_only() -> str:
    """The router takes the removal and does nothing: it is said."""
    with site() as place:
        router = place.router()
        factory.put(router.tables, "/ppp/secret", name="bob", password="canary-of-bob", service="any", profile="default", disabled="false")
        router.rest.faults.append({"when": lambda m, t, b: m == "DELETE" and t.startswith("/rest/ppp/secret"), "do": "ignored", "times": 99})
        plan = place.begun(edit("/ppp/secret", "remove", {"name": "bob"}))
        if place.show(plan)["state"] == "executing":
            place.confirm(plan)
        place.settled(plan, 60)
        deadline = time.monotonic() + 30
        while not (error := place.show(plan)["devices"][0]["error"]) and time.monotonic() < deadline:
            time.sleep(0.2)
        expect(router.tables.find("/ppp/secret", name="bob"), "it is gone")
        expect(error and "still shows it" in error, f"error {error}")
        return short(error, 120)


def job_by_a_web_page() -> str:
    """The job was started, and somebody else's page answered: no time is promised that the router does not keep."""
    with site() as place:
        router = place.router()
        router.rest.faults.append({"when": lambda m, t, b: t.startswith("/rest/execute") and "delay" in b, "do": "web_page", "times": 1})
        plan = place.begun(edit(FILTER, "set", {"comment": "management"}, {"dst-port": "1,443"}))
        view = place.settled(plan, 120)
        expect(view["state"] in ("failed", "rolled_back"), f"{view['state']} with a job nobody knows of")
        return f"{view['state']}: {short(view['devices'][0]['error'], 120)}"


def changed_just_now() -> str:
    """What somebody changed a moment ago is read, not remembered."""
    with site() as place:
        router = place.router()
        call(place, "menu.read", menu="/system/identity")
        router.tables.one("/system/identity")["name"] = "by-hand"
        made = call(place, "system.set_identity", name="gate-8")
        expect(made.code == 0 and "by-hand" in made.out, f"before is not what it was: {short(made.out)}")
        return short(made.out, 120)


def export_cut_off() -> str:
    """An export over SSH that ends in the middle is no reason to remove what it does not show."""
    with site() as place:
        router = place.router()
        plain = router.shell.run

        def half(line, user):
            text = plain(line, user)
            return text[: text.rfind("\n", 0, len(text) // 2) + 1] if "export" in line else text

        router.shell.run = half
        call(place, "config.get_drift")
        router.shell.run = plain
        time.sleep(6)
        listed = call(place, "config.list_snapshots").out.replace(" ", "")
        expect('"complete":true,"baseline":true' not in listed, f"taken for whole: {short(listed)}")
        made = call(place, "config.plan_restore", snapshot="baseline", menus=["/ip/route"])
        expect('"op":"remove"' not in made.out.replace(" ", ""), f"removes what the export did not come to: {short(made.out)}")
        return short(made.out + made.err, 150)


def key_that_nobody_can_give_back() -> str:
    """A certificate with its private key is not removed by a plan: no undo could bring it back."""
    with site() as place:
        place.router()
        for name, why in (("spare", "private key"), ("web", "in use")):
            made = place.try_draft(edit("/certificate", "remove", {"name": name}))
            expect(made.code != 0 and why in made.err, f"{name} drafted: {short(made.out + made.err)}")
        return short(made.err, 120)


def cases() -> dict:
    """All of them."""
    return {
        "words: a flush whose answer was lost": flushed("lose_answer"), "words: a flush that never arrived": flushed("close"), "words: a flush answered by a web page": flushed("web_page"),
        "words: a command about a row": on_a_row, "words: a removal that removes nothing": removed_in_name_only, "words: a job answered by a web page": job_by_a_web_page,
        "words: changed by hand just now": changed_just_now, "words: a certificate with its key": key_that_nobody_can_give_back, "words: an export cut off over SSH": export_cut_off,
    }
