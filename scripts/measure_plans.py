"""What a change costs, from its draft to its end. `plans` takes `put(name, value)` and measures one group of rows.

Standard library only.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from unittest import mock

import rig
from figures import ALONE, UNPACED, ms, p50, timed
from peers import Counter, Wire, add_devices
from rig import expect

# Plans of each kind that are measured, and how long one may take (seconds).
PLANS, PLAN_ENDS = 5, 55
# What a firewall rule is given to settle before it is looked at, seconds: `settle_s` in src/plan/risk.rs.
SETTLES = 1.0


def plans(put) -> None:
    """What a change costs: a small one at once, and a planned one from its draft to the end, with every proof."""
    with rig.demo() as site, rig.state_dir() as place:
        routers = [Counter(site["devices"][0]) for _ in range(2)]
        try:
            changes(put, place / "paced", routers[0], {})
            changes(put, place / "unpaced", routers[1], UNPACED)
        finally:
            for router in routers:
                router.close()


def changes(put, data_dir: Path, router: Counter, pace: dict[str, str]) -> None:
    """At the usual pace of requests only the whole time is measured; without it, everything else."""
    name = router.seen_as["name"]
    # A lone operator approves: what is measured is the router's share, not a password's.
    with mock.patch.dict(os.environ, {**ALONE, **pace, "ROUTEROS_MCP_PLAN_SELF_APPROVAL": "lab"}):
        add_devices(data_dir, [router.seen_as])
        opened = [word for one in ("writes", "professional", "firewall") for word in ("--capability", one)]
        timed(data_dir, "device", "update", name, *opened)
        with Wire(data_dir) as mcp:
            mcp.open()
            mcp.call("device.check_connectivity", {"device": name})
            if not pace:
                put("a guarded apply of one edit, 5 requests a second (default)", p50([applied(mcp, data_dir, router)[1] for _ in range(2)]))
                return
            cold, took = counted(router, lambda: drafted(mcp, name))
            put("plan.create, one edit of a 56-rule firewall, router requests, cold", cold)
            put("plan.create, one edit of a 56-rule firewall, cold", ms(took))
            warm = [counted(router, lambda: drafted(mcp, name)) for _ in range(PLANS)]
            put("plan.create, router requests, menu known", p50([requests for requests, _ in warm]))
            put("plan.create, menu known, p50", ms(p50([took for _, took in warm])))
            guarded = [applied(mcp, data_dir, router) for _ in range(PLANS)]
            put("a guarded apply of one edit, auto confirm, router requests", max(requests for requests, _, _ in guarded))
            put("a guarded apply of one edit, beyond the router's own time and settling, p50", p50([took - busy - SETTLES for _, took, busy in guarded]))
            direct = [counted(router, lambda: renamed(mcp, name, number)) for number in range(PLANS)]
            put("a small change at once, router requests", max(requests for requests, _ in direct[1:]))
            put("a small change at once, p50", ms(p50([took for _, took in direct[1:]])))


def counted(router: Counter, work) -> tuple[int, float]:
    """Requests and seconds of a piece of work."""
    before, began = router.requests, time.perf_counter()
    work()
    return router.requests - before, time.perf_counter() - began


def drafted(mcp: Wire, device: str) -> dict:
    """The plan of a rule that can do no harm, and that no earlier one added."""
    drafted.number += 1
    rule = {"chain": "forward", "action": "accept", "in-interface": "vlan50-cameras", "protocol": "tcp"}
    rule |= {"dst-address": f"10.20.60.{drafted.number}", "comment": f"bench {drafted.number}"}
    edit = {"menu": "/ip/firewall/filter", "op": "add", "values": rule, "place_before": {"comment": "staff to printers"}}
    result, _ = mcp.call("plan.create", {"devices": [device], "reason": "bench", "edits": [edit], "confirm": "auto"})
    return result["structuredContent"]


drafted.number = 0


def applied(mcp: Wire, data_dir: Path, router: Counter) -> tuple[int, float, float]:
    """Requests, seconds, and the router's share of them, of a plan that is drafted and approved."""
    plan = drafted(mcp, router.seen_as["name"])
    expect(plan["risk"] == "high" and plan["can_cut_access"] == "no", f"another plan than thought: {plan['risk']}")
    timed(data_dir, "plan", "approve", plan["id"], "--digest", plan["short_digest"])
    busy = router.busy
    ended = {}
    asked = {"plan_id": plan["id"], "wait_seconds": PLAN_ENDS}
    requests, took = counted(router, lambda: ended.update(mcp.call("plan.apply", asked)[0]["structuredContent"]))
    expect(ended["state"] == "confirmed", f"the plan is {ended['state']}: {rig.short(json.dumps(ended['devices'][0]['error']))}")
    return requests, took, router.busy - busy


def renamed(mcp: Wire, device: str, number: int) -> None:
    result, _ = mcp.call("interface.update_comment", {"device": device, "name": "ether8", "comment": f"bench {number}"})
    expect(result["structuredContent"]["changed"] is True, "nothing was changed")
