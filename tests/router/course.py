"""Courses that plans of many kinds take: a change that cuts us off and is undone, one that stays."""

from __future__ import annotations

import json
import time

from plant import difference, expect, honest, left_behind, short, unchanged


def undone(place, router, edits: list[dict], dead: bool, refusal: str = "") -> str:
    """Told of in the draft, and undone: by the router alone if `dead`, since the program is then killed after the change. With `refusal`
    no draft comes of it, for that reason and no other.
    """
    before = router.dump()
    made = place.try_draft(edits, confirm="auto")
    if refusal or made.code != 0:
        expect(made.code != 0 and refusal and refusal in made.err, f"the draft: {short(made.err or made.out)}")
        unchanged(router, before)
        honest(router)
        return f"refused: {short(made.err, 160)}"
    plan = json.loads(made.out)
    expect(plan["can_cut_access"] != "no", f"can_cut_access is no for an edit that cuts; risk {plan['risk']}")
    expect(plan["risk"] in ("high", "extreme"), f"risk {plan['risk']}")
    place.approve(plan)
    place.apply(plan, wait=not dead)
    if dead:
        killed_once_there(place, router, before)
    view = place.settled(plan, 120)
    expect(view["state"] in ("rolled_back", "failed"), f"ended {view['state']}: {short(view['devices'], 700)}")
    unchanged(router, before)
    test = place.run("device", "test", "edge")
    expect(test.code == 0, f"device test afterwards: {short(test.err)}")
    honest(router)
    return f"{plan['can_cut_access']}, {view['state']} by {view['devices'][0].get('guard')}: {short(plan['cut_reasons'], 200)}"


def stays(place, router, edits: list[dict], words: list[str], anywhere: bool = False) -> str:
    """Drafted, approved, applied, confirmed by a person where that is asked; then all else is as it was, but where `anywhere` may follow."""
    before = router.dump()
    plan = place.draft(edits)
    expect(router.dump() == before, f"drafting changed the router: {difference(before, router.dump())}")
    place.approve(plan)
    place.apply(plan)
    view = place.show(plan)
    if view["state"] == "executing" and view["confirm"] == "manual":
        made = place.confirm(plan)
        expect(made.code == 0, f"plan confirm: {short(made.err)}")
    view = place.settled(plan, 100)
    changed = difference(before, router.dump())
    requests = len(router.rest.requests)
    expect(view["state"] == "confirmed", f"ended {view['state']}: {short([one['error'] or one['difference'] for one in view['devices']], 700)} {short(changed, 300)}")
    expect(all(any(word in line for line in changed) for word in words), f"the change is not there: {changed}")
    extra = [line for line in changed if not anywhere and line.split(":")[0] not in {one["menu"] for one in edits}]
    expect(not extra, f"also changed: {extra}")
    expect(not left_behind(router), f"left behind: {left_behind(router)}")
    honest(router)
    return f"risk {plan['risk']}, can cut {plan['can_cut_access']} {short(plan.get('cut_reasons'), 200)}, {requests} requests"


def killed_once_there(place, router, before: dict, seconds: float = 120) -> None:
    """Kills the program as soon as the change is on the router, and starts it again when the router has undone it by itself."""
    ends = time.monotonic() + 40
    while time.monotonic() < ends and not gone_over(router, before):
        time.sleep(0.02)
    place.kill()
    wait_clean(router, before, seconds)
    unchanged(router, before)
    place.start()


def gone_over(router, before: dict) -> bool:
    """Whether the change is there: something differs besides the guard."""
    now = router.dump()
    ours = ("/system/script", "/system/scheduler")
    return any(now.get(path) != before.get(path) for path in set(now) | set(before) if path not in ours)


def wait_clean(router, before: dict, seconds: float) -> None:
    """Until the router has undone it, or the time is up."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends and (gone_over(router, before) or left_behind(router)):
        time.sleep(0.2)
