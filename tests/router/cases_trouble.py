"""Everything that goes wrong around a change: lost answers, other people's edits, restarts, clocks, kill -9. It ends as planned and kept, or as it was, or says so."""

from __future__ import annotations

import json
import random
import threading
import time

from cases_cuts import CUTS, FILTER, edit
from course import gone_over, killed_once_there, wait_clean
from plant import difference, expect, honest, left_behind, short, site, unchanged

IOT = {"comment": "drop iot"}
RULE = edit(FILTER, "set", IOT, {"dst-address": "10.21.0.0/24"})
TWO = edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": "10.30.0.5", "comment": "iot to nvr"}, place_before=IOT) + edit(FILTER, "remove", {"comment": "forward invalid"})


def is_write(menu: str, method: str | None = None):
    """Requests that change a menu."""

    def when(asked: str, target: str, body: str) -> bool:
        path = target.split("?")[0]
        reading = asked == "GET" or path.endswith("/print")
        return path.startswith("/rest" + menu) and not reading and (method is None or asked == method)

    return when


def truth(place, router, before: dict, plan: dict, edits, view: dict) -> str:
    """The end state is one of two, the plan says which, and nothing is left."""
    now = difference(before, router.dump())
    left = left_behind(router)
    expect(not left, f"left behind: {left}; plan {view['state']}")
    honest(router)
    if view["state"] == "confirmed":
        expect(now, "confirmed, and the change is not on the router")
    elif view["state"] in ("rolled_back", "failed"):
        expect(not now, f"{view['state']}, and the router differs: {now}")
    elif view["state"] == "needs_attention":
        expect(view["devices"][0]["difference"] or view["devices"][0]["error"], "needs_attention without a difference")
    else:
        expect(False, f"ended {view['state']}: {short(view['devices'], 500)}")
    return view["state"]


def fault(menu: str, kind: str, method: str | None = None, edits=None, times: int = 1, allow=("confirmed", "rolled_back", "failed"), skip: int = 0):
    """A fault at a request of a plan that confirms itself or is confirmed by a person."""

    def run() -> str:
        with site() as place:
            router = place.router()
            before = router.dump()
            plan = place.draft(edits or RULE)
            place.approve(plan)
            router.rest.faults.append({"when": is_write(menu, method), "do": kind, "times": times})
            place.apply(plan)
            confirm_if_asked(place, plan)
            view = place.settled(plan, 120)
            wait_clean(router, before if view["state"] != "confirmed" else router.dump(), 70)
            said = truth(place, router, before, plan, edits or RULE, view)
            expect(view["state"] in allow, f"ended {view['state']}: {short(view['devices'], 500)}")
            return said

    return run


def confirm_if_asked(place, plan: dict) -> None:
    """A person's yes, where the plan waits for one."""
    view = place.show(plan)
    if view["state"] == "executing" and view["confirm"] == "manual":
        place.confirm(plan)


def killed_at(number: int, when: str, edits=None, seed: int = 0, **options):
    """kill -9 before or after the router's n-th request of an apply, then a restart."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            plan = place.draft(edits or TWO, confirm="auto")
            place.approve(plan)
            count, done = [0], threading.Event()

            def hook(stage: str, _noted: dict) -> None:
                if stage == "before":
                    count[0] += 1
                if count[0] == number and stage == when and not done.is_set():
                    done.set()
                    place.kill()

            router.rest.hooks.append(hook)
            place.apply(plan, wait=False)
            done.wait(45)
            router.rest.hooks.clear()
            fired = done.is_set()
            if fired:
                time.sleep(random.Random(number).choice((0.1, 2, 40)))
                place.start()
            view = place.settled(plan, 120)
            if view["state"] == "approved":
                unchanged(router, before)
                return "not begun"
            wait_clean(router, before if view["state"] != "confirmed" else router.dump(), 60)
            said = truth(place, router, before, plan, edits or TWO, view)
            expect(view["state"] != "needs_attention", f"needs_attention: {short(view['devices'], 600)}")
            audit = place.run("audit", "verify")
            expect(audit.code == 0, f"audit verify: {short(audit.err or audit.out)}")
            return said + ("" if fired else " (never that far)")

    return run


def manual_timeout() -> str:
    """Nobody confirms."""
    with site() as place:
        router = place.router()
        before = router.dump()
        plan = place.begun(TWO, confirm="manual", confirm_timeout="30s")
        view = place.show(plan)
        expect(view["state"] == "executing" and view["devices"][0]["guard"], f"{view['state']} {short(view['devices'])}")
        expect(set(view["devices"][0]["guard"]) == {"scheduler", "execute"}, f"guards: {view['devices'][0]['guard']}")
        view = place.settled(plan, 120)
        expect(view["state"] == "rolled_back", f"ended {view['state']}: {short(view['devices'])}")
        unchanged(router, before)
    return ""


def out_of_band(when: str, what: str, expected: tuple[str, ...]):
    """Somebody else edits the router: before the apply, in the confirm window, and then nobody confirms, or somebody does."""

    def run() -> str:
        with site() as place:
            router = place.router()
            tables = router.tables
            before = router.dump()
            plan = place.draft(RULE, confirm="manual")
            place.approve(plan)
            row = tables.find(FILTER, comment="drop iot")

            def meddle() -> None:
                if what == "same value":
                    tables.set(FILTER, row[".id"], {"dst-address": "10.99.0.0/24"})
                elif what == "other value":
                    tables.set(FILTER, row[".id"], {"protocol": "udp"})
                elif what == "removed":
                    tables.remove(FILTER, row[".id"])
                elif what == "twin":
                    tables.add(FILTER, {key: value for key, value in row.items() if key not in (".id",) and not key.startswith("_")})
                elif what == "moved":
                    tables.move(FILTER, [row[".id"]], tables.find(FILTER, comment="forward established")[".id"])
                elif what == "another row":
                    tables.set(FILTER, tables.find(FILTER, comment="forward invalid")[".id"], {"log": "yes"})
                elif what == "guard script":
                    script = next(one for one in tables.stored("/system/script") if "guard" in one["name"])
                    tables.set("/system/script", script[".id"], {"source": ":log info \"nothing\""})
                elif what == "guard entry":
                    tables.remove("/system/scheduler", next(one for one in tables.stored("/system/scheduler") if "guard" in one["name"])[".id"])
                elif what == "guard off":
                    tables.set("/system/scheduler", next(one for one in tables.stored("/system/scheduler") if "guard" in one["name"])[".id"], {"disabled": "yes"})
                elif what == "guard job":
                    router.console.remove_jobs([router.jobs[0][".id"]])

            if when == "draft":
                meddle()
                theirs = router.dump()
                place.apply(plan)
                view = place.settled(plan, 60)
                expect(not difference(theirs, router.dump()), f"changed in spite of it: {difference(theirs, router.dump())}")
                expect(not left_behind(router), f"left behind: {left_behind(router)}")
                expect(view["state"] in expected, f"ended {view['state']}: {short(view['devices'])}")
                return view["state"]
            place.apply(plan)
            meddle()
            theirs = router.dump()
            if when == "confirm":
                place.confirm(plan)
            view = place.settled(plan, 120)
            time.sleep(2)
            wait_left(router, 70)
            after = router.dump()
            left = left_behind(router)
            honest(router)
            expect(view["state"] in expected, f"ended {view['state']}: {short(view['devices'], 500)}; against before: {difference(before, after)}")
            expect(not left or what in ("guard entry", "guard off") and view["state"] == "needs_attention", f"left behind: {left}; {view['state']}")
            now = tables.find(FILTER, comment="drop iot")
            if what == "same value":
                expect(now and now.get("dst-address") == "10.99.0.0/24", f"their value was overwritten: {short(now)}; plan {view['state']}")
            if what == "other value":
                expect(now and now.get("protocol") == "udp", f"their value was overwritten: {short(now)}; plan {view['state']}")
            if what == "removed":
                expect(now is None, f"their removal was undone: {short(now)}; plan {view['state']}")
            if what == "another row":
                expect(tables.find(FILTER, comment="forward invalid").get("log") == "true", "their edit of another row was undone")
            if view["state"] == "rolled_back" and what not in ("another row",):
                expect(not difference(before, after), f"rolled_back, and differs: {difference(before, after)}")
            return f"{view['state']}; {short(view['devices'][0]['difference'], 150)}"

    return run


def wait_left(router, seconds: float) -> None:
    """Until nothing of ours is there, or the time is up."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and left_behind(router):
        time.sleep(0.2)


def reading_of(edits, expected=("confirmed",), **options):
    """The same plan under another reading of what nobody documented, kept; and undone by the router alone."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            plan = place.begun(edits, confirm="auto")
            view = place.settled(plan, 100)
            said = truth(place, router, before, plan, edits, view)
            expect(view["state"] in expected, f"ended {view['state']}: {short(view['devices'], 500)}")
            return said + f" {short(view['devices'][0]['error'], 200)}"

    return run


def window(action, edits=None, seconds: float = 120, expected=("rolled_back",), **options):
    """Something happens to the router while the plan waits for a confirmation that never comes; the program is dead."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            before = router.dump()
            plan = place.begun(edits or TWO, confirm="manual")
            view = place.show(plan)
            expect(view["state"] == "executing", f"after apply {view['state']}: {short(view['devices'], 400)}")
            place.kill()
            action(router)
            wait_clean(router, before, seconds)
            place.start()
            view = place.settled(plan, 90)
            said = truth(place, router, before, plan, edits or TWO, view)
            expect(view["state"] in expected, f"ended {view['state']}: {short(view['devices'], 500)}")
            return said

    return run


def silent(alive: bool):
    """The entry shows all it should and never fires."""

    def run() -> str:
        with site() as place:
            router = place.router(silent_scheduler=True)
            before = router.dump()
            edits = CUTS["our rule disabled"][0]
            plan = place.begun(edits, wait=False)
            ends = time.monotonic() + 40
            while time.monotonic() < ends and not gone_over(router, before):
                time.sleep(0.05)
            if not alive:
                place.kill()
            wait_clean(router, before, 90)
            if not alive:
                place.start()
            view = place.settled(plan, 120)
            wait_left(router, 60)
            expect(not difference(before, router.dump()), f"{view['state']}: {difference(before, router.dump())}")
            return truth(place, router, before, plan, edits, view)

    return run


def home(kind: str):
    """Device-mode `home`: no scheduler, a job alone holds the undo."""

    def run() -> str:
        with site() as place:
            router = place.router(home=True, home_code=400 if kind != "500" else 500)
            before = router.dump()
            edits = CUTS["our rule disabled"][0] if kind != "kept" else TWO
            made = place.try_draft(edits)
            if made.code:
                unchanged(router, before)
                return f"refused: {short(made.err)}"
            plan = json.loads(made.out)
            place.approve(plan)
            place.apply(plan, wait=kind == "kept")
            if kind == "kept":
                confirm_if_asked(place, plan)
            else:
                killed_once_there(place, router, before, 90)
            view = place.settled(plan, 90)
            expect(view["state"] == ("confirmed" if kind == "kept" else "rolled_back"), f"ended {view['state']}: {short(view['devices'], 500)}")
            return truth(place, router, before, plan, edits, view)

    return run


def rollout(case: str) -> str:
    """Four routers: canary, then the rest; one of them misbehaves or not."""
    with site() as place:
        names = ["a", "b", "c", "d"]
        routers = {name: place.router(name) for name in names}
        before = {name: router.dump() for name, router in routers.items()}
        edits = TWO
        batch = {"size": 2, "canary": 1, "pause": "0s", "on_failure": "roll_back_all" if case == "roll back all" else "stop"}
        plan = place.draft(edits, names, confirm="auto", batch=batch)
        place.approve(plan)
        if case == "moved":
            tables = routers["c"].tables
            tables.set(FILTER, tables.find(FILTER, comment="forward invalid")[".id"], {"log": "yes"})
            before["c"] = routers["c"].dump()
        if case in ("one fails", "roll back all"):
            routers["c"].rest.faults.append({"when": is_write(FILTER), "do": "refuse", "times": 50})
        if case == "one dies":
            def hook(stage: str, noted: dict) -> None:
                if stage == "after" and is_write(FILTER)(noted["method"], noted["target"], ""):
                    threading.Thread(target=routers["c"].reboot, args=(8,), daemon=True).start()
                    routers["c"].rest.hooks.clear()
            routers["c"].rest.hooks.append(hook)
        place.apply(plan)
        view = place.settled(plan, 240)
        for name in names:
            wait_left(routers[name], 60)
        states = {one["name"]: one["state"] for one in view["devices"]}
        for name, router in routers.items():
            changed = difference(before[name], router.dump())
            expect(not left_behind(router), f"{name}: left behind {left_behind(router)}")
            expect(bool(changed) == (states[name] == "confirmed"), f"{name} is {states[name]} and {'differs' if changed else 'is as before'}: {changed}; {view['summary']}")
            honest(router)
        if case == "roll back all":
            expect(not any(difference(before[name], routers[name].dump()) for name in names), f"roll_back_all left changes: {states}")
        return f"{view['state']}: {view['summary']}"


def rotated(applied: bool):
    """`device rotate-credentials`, also where the answer says 400 and the password is the new one all the same."""

    def run() -> str:
        with site() as place:
            router = place.router()
            if applied:
                router.rest.faults.append({"when": lambda method, target, body: "password" in body and method in ("PATCH", "POST"), "do": "400_applied", "times": 1})
            made = place.run("device", "rotate-credentials", "edge")
            test = place.run("device", "test", "edge")
            expect(test.code == 0, f"no login any more: {short(test.err)}; rotate said {short(made.err or made.out)}")
            expect(not left_behind(router), f"left behind: {left_behind(router)}")
            return f"exit {made.code} {short(made.err or made.out, 150)}"

    return run


def cases() -> dict:
    """All of them."""
    script, entry = "/system/script", "/system/scheduler"
    made = {"manual, nobody confirms": manual_timeout}
    for kind in ("lose_answer", "400_applied", "truncate", "close", "refuse", "other_body", "slow:3", "slow:6", "hang"):
        made[f"fault: {kind} at the change"] = fault(FILTER, kind)
        made[f"fault: {kind} at the guard's script"] = fault(script, kind, "PUT")
        made[f"fault: {kind} at the guard's entry"] = fault(entry, kind, "PUT")
        made[f"fault: {kind} at the guard's removal"] = fault(entry, kind, "DELETE")
        made[f"fault: {kind} at the script's removal"] = fault(script, kind, "DELETE")
        made[f"fault: {kind} at the second guard"] = fault("/execute", kind)
        made[f"fault: {kind} at an add and a removal"] = fault(FILTER, kind, edits=TWO, times=2)
    for what in ("same value", "other value", "removed", "twin", "moved"):
        made[f"others: {what} before the apply"] = out_of_band("draft", what, ("failed",))
        made[f"others: {what} in the window, nobody confirms"] = out_of_band("window", what, ("rolled_back", "needs_attention"))
        made[f"others: {what} in the window, confirmed"] = out_of_band("confirm", what, ("rolled_back", "needs_attention", "confirmed"))
    made["others: another row in the window, nobody confirms"] = out_of_band("window", "another row", ("rolled_back",))
    made["others: another row in the window, confirmed"] = out_of_band("confirm", "another row", ("confirmed", "rolled_back"))
    for what in ("guard script", "guard entry", "guard off", "guard job"):
        made[f"others: {what} in the window, nobody confirms"] = out_of_band("window", what, ("rolled_back", "needs_attention"))
        made[f"others: {what} in the window, confirmed"] = out_of_band("confirm", what, ("rolled_back", "needs_attention", "confirmed"))
    for number in (*range(1, 34, 2),):
        made[f"killed before request {number}"] = killed_at(number, "before")
        made[f"killed after request {number + 1}"] = killed_at(number + 1, "after")
    for name, options in (("strict types", {"strict_types": True}), ("no next-run shown", {"hide_next_run": True}), ("scripts need policy", {"script_policy": True}), ("entries by the wall clock", {"startup_by_clock": True}), ("connections without ports", {"service_ports": False}), ("policies at once", {"policy_cache": 0}), ("7.12.2", {"version": "7.12.2"}), ("7.15.3", {"version": "7.15.3"}), ("7.17.2", {"version": "7.17.2"}), ("7.20.8", {"version": "7.20.8"}), ("7.24.1", {"version": "7.24.1"}), ("without SSH", {"ssh": False}), ("routed", {"layout": "routed"}), ("vlan", {"layout": "vlan"})):
        made[f"reading of facts: {name}, kept"] = reading_of(TWO, ("confirmed", "failed"), **options)
        made[f"reading of facts: {name}, undone by the router"] = window(lambda router: None, **options) if name != "scripts need policy" else reading_of(RULE, ("failed", "confirmed"), **options)
    made |= {
        "window: restart": window(lambda router: router.reboot(3)),
        "window: late restart": window(lambda router: (time.sleep(25), router.reboot(4))),
        "window: restart by the wall clock": window(lambda router: router.reboot(3), startup_by_clock=True),
        "window: clock an hour on": window(lambda router: router.clock_step(3600)),
        "window: clock an hour back": window(lambda router: router.clock_step(-3600)),
        "window: clock an hour on, by the wall clock": window(lambda router: router.clock_step(3600), startup_by_clock=True),
        "window: clock an hour back, by the wall clock": window(lambda router: router.clock_step(-3600), startup_by_clock=True),
        "window: restart at 1970": window(lambda router: (router.clock_step(-1_700_000_000), router.reboot(2))),
        "silent scheduler, program alive": silent(True), "silent scheduler, program dead": silent(False),
        "home: cut, program dead": home("dead"), "home: refused with 500": home("500"), "home: kept": home("kept"),
        "password rotated": rotated(False), "password rotated, 400 though applied": rotated(True),
    }
    for case in ("all well", "one fails", "roll back all", "moved", "one dies"):
        made[f"rollout: {case}"] = lambda case=case: rollout(case)
    return made
