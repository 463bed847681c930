"""Time: slow routers, the last seconds before the undo, restarts of the program in the middle of a rollout, a way that moved since the draft."""

from __future__ import annotations

import datetime
import json
import threading
import time

import factory
from cases_cuts import ADDRESS, FILTER, OURS, ROUTE, edit, prepared
from course import gone_over, wait_clean
from cases_trouble import TWO, truth, wait_left
from plant import difference, expect, honest, left_behind, short, site, unchanged

MANY = [one for at in range(8) for one in edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": f"10.31.0.{at}", "comment": f"many {at}"})]


def slow(seconds: float, edits: list[dict], confirm: str = "auto"):
    """Every request takes so long; the undo's time is 30 s all the same."""

    def run() -> str:
        with site() as place:
            router = place.router()
            before = router.dump()
            plan = place.draft(edits, confirm=confirm)
            place.approve(plan)
            router.rest.faults.append({"when": lambda *_: True, "do": f"slow:{seconds}", "times": 10_000})
            place.apply(plan, wait=False)
            view = place.settled(plan, 200)
            router.rest.faults.clear()
            wait_left(router, 100)
            said = truth(place, router, before, plan, edits, view)
            if view["state"] == "confirmed":
                expect(sum("many" in str(row.get("comment")) for row in router.tables.stored(FILTER)) in (0, 8), "part of it is there")
            return f"{said}: {short(view['devices'][0]['error'], 150)}"

    return run


def at_the_last(left: float):
    """A confirmation so many seconds before the undo."""

    def run() -> str:
        with site() as place:
            router = place.router()
            before = router.dump()
            plan = place.begun(TWO, confirm="manual")
            view = place.show(plan)
            fires = datetime.datetime.fromisoformat(view["devices"][0]["fires_at"].replace("Z", "+00:00")).timestamp()
            time.sleep(max(0.0, fires - time.time() - left))
            made = place.confirm(plan)
            view = place.settled(plan, 120)
            wait_left(router, 60)
            said = truth(place, router, before, plan, TWO, view)
            if left < 9:
                expect(view["state"] == "rolled_back", f"ended {view['state']}")
            return f"{said}; confirm exit {made.code} {short(made.err, 120)}"

    return run


def extended() -> str:
    """Confirmed late, after the time was extended: the first timer is gone."""
    with site() as place:
        router = place.router()
        before = router.dump()
        plan = place.begun(TWO, confirm="manual", confirm_timeout="60s")
        made = place.confirm(plan)
        expect(made.code == 0, short(made.err))
        view = place.settled(plan, 60)
        time.sleep(3)
        return truth(place, router, before, plan, TWO, view)


def moved_way(dead: bool):
    """Our way depends on what the plan removes only since somebody changed something else after the draft."""

    def run() -> str:
        with site() as place:
            router = place.router(layout="routed")
            factory.put(router.tables, ROUTE, **{"dst-address": "172.20.0.0/16", "gateway": "10.10.0.254", "distance": "1", "scope": "30", "target-scope": "10", "routing-table": "main", "disabled": "false", "comment": "second way"})
            plan = place.draft(edit(ROUTE, "remove", {"comment": "second way"}))
            place.approve(plan)
            router.tables.set(ROUTE, router.tables.find(ROUTE, comment="default")[".id"], {"gateway": "10.9.0.254"})
            before = router.dump()
            place.apply(plan, wait=False)
            ends = time.monotonic() + 30
            while time.monotonic() < ends and not gone_over(router, before) and place.show(plan)["state"] in ("draft", "approved", "executing"):
                time.sleep(0.2)
            if dead and gone_over(router, before):
                place.kill()
                wait_clean(router, before, 70)
                place.start()
            view = place.settled(plan, 70)
            unchanged(router, before)
            expect(view["state"] in ("failed", "rolled_back"), f"ended {view['state']}")
            return f"drafted {plan['can_cut_access']}, risk {plan['risk']}; {view['state']} {short(view['devices'][0]['error'], 150)}"

    return run


def confirm_killed(number: int):
    """kill -9 at the n-th request after a person's confirmation."""

    def run() -> str:
        with site() as place:
            router = place.router()
            before = router.dump()
            plan = place.begun(TWO, confirm="manual")
            count, done = [0], threading.Event()

            def hook(stage: str, _noted: dict) -> None:
                count[0] += stage == "after"
                if count[0] == number and not done.is_set():
                    done.set()
                    place.kill()

            router.rest.hooks.append(hook)
            threading.Thread(target=place.confirm, args=(plan,), daemon=True).start()
            done.wait(20)
            router.rest.hooks.clear()
            time.sleep((0.1, 45)[number % 2])
            if done.is_set():
                place.start()
            view = place.settled(plan, 120)
            wait_left(router, 70)
            said = truth(place, router, before, plan, TWO, view)
            expect(view["state"] in ("confirmed", "rolled_back"), f"ended {view['state']}: {short(view['devices'], 500)}")
            return said

    return run


def rollout_killed(number: int):
    """kill -9 at the n-th write to any router of a rollout; the job goes on or ends, and each router is one or the other."""

    def run() -> str:
        with site() as place:
            routers = {name: place.router(name) for name in "abcd"}
            before = {name: router.dump() for name, router in routers.items()}
            plan = place.draft(TWO, list(routers), confirm="auto", batch={"size": 2, "canary": 1, "pause": "0s", "on_failure": "stop"})
            place.approve(plan)
            count, done, lock = [0], threading.Event(), threading.Lock()

            def hook(stage: str, noted: dict) -> None:
                with lock:
                    count[0] += stage == "after" and noted["method"] != "GET"
                    if count[0] == number and not done.is_set():
                        done.set()
                        place.kill()

            for router in routers.values():
                router.rest.hooks.append(hook)
            place.apply(plan, wait=False)
            done.wait(60)
            time.sleep(0.5)
            if done.is_set():
                place.start()
            view = place.settled(plan, 200)
            states = {one["name"]: one["state"] for one in view["devices"]}
            for name, router in routers.items():
                wait_left(router, 60)
                changed = difference(before[name], router.dump())
                expect(not left_behind(router), f"{name}: left behind {left_behind(router)}")
                expect(bool(changed) == (states[name] == "confirmed"), f"{name} is {states[name]}: {changed}; {view['summary']}")
                honest(router)
            return f"{view['state']}: {view['summary']}"

    return run


def restart_in_apply(number: int):
    """The router restarts right after the n-th write of an apply."""

    def run() -> str:
        with site() as place:
            router = place.router()
            before = router.dump()
            plan = place.draft(TWO, confirm="auto")
            place.approve(plan)
            count = [0]

            def hook(stage: str, noted: dict) -> None:
                count[0] += stage == "after" and noted["method"] != "GET" and not noted["target"].endswith("print")
                if count[0] == number:
                    router.rest.hooks.clear()
                    threading.Thread(target=router.reboot, args=(6,), daemon=True).start()

            router.rest.hooks.append(hook)
            place.apply(plan, wait=False)
            view = place.settled(plan, 150)
            wait_left(router, 90)
            said = truth(place, router, before, plan, TWO, view)
            return f"{said}: {short(view['devices'][0]['error'], 150)}"

    return run


def two_at_once() -> str:
    """Two plans on one device: one wins, the other is told."""
    with site() as place:
        router = place.router()
        before = router.dump()
        plans = [place.draft(edit(FILTER, "add", None, {"chain": "forward", "action": "accept", "src-address": f"10.44.0.{at}", "comment": f"plan {at}"}), confirm="manual") for at in (1, 2)]
        for plan in plans:
            place.approve(plan)
        ran: list = []
        threads = [threading.Thread(target=lambda plan=plan: ran.append(place.apply(plan))) for plan in plans]
        [one.start() for one in threads]
        [one.join() for one in threads]
        views = [place.show(plan) for plan in plans]
        states = sorted(view["state"] for view in views)
        expect(states.count("executing") == 1, f"states {states}")
        for plan, view in zip(plans, views):
            if view["state"] == "executing":
                expect(place.confirm(plan).code == 0, "not confirmed")
        time.sleep(1)
        wait_left(router, 60)
        changed = difference(before, router.dump())
        expect(str(changed).count("plan ") == 1, f"{changed}")
        return f"{states} {[one.code for one in ran]}"


def cut_options(edits: list[dict], dead: bool, **options):
    """A cut under another option of the router."""

    def run() -> str:
        with site() as place:
            router = place.router(**options)
            made = prepared(router, edits)
            before = router.dump()
            answer = place.try_draft(made)
            expect(answer.code == 0, short(answer.err))
            plan = json.loads(answer.out)
            expect(plan["can_cut_access"] != "no", f"called harmless, risk {plan['risk']}")
            place.approve(plan)
            place.apply(plan, wait=False)
            ends = time.monotonic() + 40
            while time.monotonic() < ends and not gone_over(router, before):
                time.sleep(0.02)
            if dead:
                place.kill()
                wait_clean(router, before, 80)
                place.start()
            view = place.settled(plan, 120)
            wait_left(router, 40)
            unchanged(router, before)
            expect(view["state"] in ("rolled_back", "failed"), f"ended {view['state']}: {short(view['devices'], 500)}")
            return view["state"]

    return run


def cases() -> dict:
    """All of them."""
    made = {"late: slow router, 1 s": slow(1, TWO), "late: slow router, 2 s": slow(2, TWO), "late: slow router, 3.5 s": slow(3.5, TWO), "late: slow router, many edits": slow(0.8, MANY), "late: slow router, many edits, 1.5 s": slow(1.5, MANY), "late: extended": extended, "late: two plans at once": two_at_once}
    for left in (20, 11, 9, 5, 1.5, 0.2):
        made[f"late: confirmed {left} s before the end"] = at_the_last(left)
    made["late: our way moved since the draft"] = moved_way(False)
    made["late: our way moved since the draft (program dead)"] = moved_way(True)
    for number in range(1, 9):
        made[f"late: killed at request {number} of a confirmation"] = confirm_killed(number)
    for number in (4, 9, 12, 15, 18, 22, 26):
        made[f"late: rollout killed at write {number}"] = rollout_killed(number)
    for number in range(1, 8):
        made[f"late: restart after write {number}"] = restart_in_apply(number)
    drop = [{"menu": FILTER, "op": "add", "values": {"chain": "input", "action": "drop", "protocol": "tcp", "dst-port": f"{factory.HTTPS},{factory.SSH}"}, "place_before": OURS}]
    for name, edits in (("drop", drop), ("address disabled", edit(ADDRESS, "disable", OURS)), ("service off", edit("/ip/service", "disable", {"name": "www-ssl"}))):
        made[f"late: answer of the cut lost, {name}"] = cut_options(edits, False, lost_when_cut=True)
        made[f"late: answer of the cut lost, {name} (program dead)"] = cut_options(edits, True, lost_when_cut=True)
        made[f"late: old status codes, {name}"] = cut_options(edits, False, old_codes=True)
        made[f"late: 7.12.2, {name}"] = cut_options(edits, True, version="7.12.2")
        made[f"late: silent scheduler, {name}"] = cut_options(edits, True, silent_scheduler=True)
    made["late: available-from"] = cut_options(edit("/ip/service", "set", {"name": "www-ssl"}, {"available-from": "10.77.0.0/16"}), True, version="7.24.1")
    return made
