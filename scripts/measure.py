"""What scripts/bench measures, and how. Each function takes `put(name, value)` and measures one group of rows.

Times are wall-clock, seen from a client that writes and reads the pipe itself; CPU is the process's own, from the
scheduler (nanoseconds), not from clock ticks. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path
from unittest import mock

import rig
from figures import ALONE, UNCHECKED, ms, p50, p99, progress, timed
from peers import Counter, Direct, Slow, Wire, add_devices
from rig import expect

# Enough for a steady middle; the slowest of them is not what a row shows.
SPAWNS = 20
LIST_CALLS = 2_000
PAIRS = 200
WRITES = 20
FLUSHES = 50
# 100 writers at a time, this often.
WRITERS, WAVES = 100, 20
# Audit records of reads reach the disk in groups, at the latest after 5 s. Seconds.
FLUSHED = 6.5
# A cache that keeps an overview longer than this cannot be waited for. Seconds.
OLDEST = 20.0
LEASES, PAGE, PAGES = 5_000, 50, 5
# Polls are spread over their interval: after some of them the rate is even. Seconds.
SETTLE, WATCH = 150.0, 130.0
# Routers of one fleet call, how often it is made, and how late the slowest of them answers (seconds).
TOGETHER, ROUNDS, LATE = 50, 5, 0.4
# What an overview may read, in the order in which the direct requests stand for it.
OVERVIEW = ("/system/resource", "/system/identity", "/system/routerboard")


# --- groups of rows ------------------------------------------------------------------------------


def starts(data_dir: Path) -> tuple[float, float]:
    """Median wall and CPU milliseconds from spawn to the answer to `initialize`."""
    walls, cpus = [], []
    for _ in range(SPAWNS):
        with Wire(data_dir) as mcp:
            walls.append(ms(mcp.open()))
            cpus.append(ms(mcp.cpu()))
    return p50(walls), p50(cpus)


def binary(put) -> None:
    put("release binary", rig.BINARY.stat().st_size / 1e6)


def empty(put) -> None:
    """A store that exists and has no device."""
    with rig.state_dir() as place:
        with Wire(place / "s") as first:
            put("first start on a new state directory, wall", ms(first.open()))
        wall, cpu = starts(place / "s")
        put("spawn to initialize, empty store, wall", wall)
        put("spawn to initialize, empty store, CPU", cpu)
        with Wire(place / "s") as mcp:
            mcp.open()
            put("memory after initialize", mcp.memory() / 1e6)
            line, _ = mcp.ask("tools/list", {})
            put("tools/list", len(line))


def fleet(put, size: int) -> None:
    """What grows with the number of devices, on a store with `size` of them."""
    progress(f"a site of {size} devices")
    with rig.demo(size) as site, rig.state_dir() as place:
        data_dir, names = place / "s", [router["name"] for router in site["devices"]]
        add_devices(data_dir, site["devices"][:1])
        with Wire(data_dir) as mcp:
            mcp.open()
            one, _ = mcp.ask("tools/list", {})
        add_devices(data_dir, site["devices"][1:])
        wall, cpu = starts(data_dir)
        put(f"spawn to initialize, {size} devices, wall", wall)
        put(f"spawn to initialize, {size} devices, CPU", cpu)
        device_list(put, data_dir, size)
        with Wire(data_dir) as mcp:
            mcp.open()
            line, _ = mcp.ask("tools/list", {})
            expect(json.loads(line)["result"] == json.loads(one)["result"] or len(line) != len(one), "same length, other tools")
            put(f"tools/list, {size} devices against 1", abs(len(line) - len(one)))
            parts = []
            if size > 100:
                # Before anything else fills the caches.
                parts.append(lambda: steady(put, mcp, size))
            parts.append(lambda: polled(put, mcp, size, names))
            if size == 100:
                parts.append(lambda: overhead(put, mcp, site["devices"]))
            all_of(parts)


def all_of(parts: list) -> None:
    """Runs every part, though one fails, and then says what failed."""
    faults = []
    for part in parts:
        try:
            part()
        except Exception as fault:  # its rows say why they are missing
            faults.append(rig.short(fault))
    expect(not faults, "; ".join(faults))


def device_list(put, data_dir: Path, size: int) -> None:
    """By a process that does nothing beside."""
    with mock.patch.dict(os.environ, ALONE), Wire(data_dir) as mcp:
        mcp.open()
        result, _ = mcp.call("device.list", {"limit": 500})
        expect(len(result["structuredContent"]["rows"]) == min(size, 500), "device.list leaves devices out")
        for name, arguments in ("CPU a call", {}), ("all on one page, CPU a call", {"limit": min(size, 500)}):
            before = mcp.cpu()
            for _ in range(LIST_CALLS):
                mcp.call("device.list", arguments)
            put(f"device.list, {size} devices, {name}", ms(mcp.cpu() - before) / LIST_CALLS)


def polled(put, mcp: Wire, size: int, names: list[str]) -> None:
    progress("asking every device")
    for name in names:
        mcp.call("system.get_overview", {"device": name})
    put(f"memory with {size} devices polled", mcp.memory() / 1e6)


def steady(put, mcp: Wire, size: int) -> None:
    """What looking after a fleet costs while nobody asks anything."""
    progress(f"leaving {size} devices to the health checks for {SETTLE + WATCH:.0f} s")
    time.sleep(SETTLE)
    began, cpu, written = time.monotonic(), mcp.cpu(), mcp.written()
    time.sleep(WATCH)
    took = time.monotonic() - began
    put(f"CPU share with {size} devices polled at 60 s", 100 * (mcp.cpu() - cpu) / took)
    put(f"memory with {size} devices polled at 60 s", mcp.memory() / 1e6)
    put(f"written, first snapshots included, {size} devices polled at 60 s", (mcp.written() - written) / took * 86_400 / size / 1e3)


def together(put) -> None:
    """One call that looks at every router, one of them slow, against the same call on a site of the slow one alone."""
    progress(f"a site of {TOGETHER} devices, one of them slow")
    with rig.demo(TOGETHER) as site, rig.state_dir() as place:
        slow = Slow(site["devices"][0], LATE)
        try:
            took = {}
            for name, routers in (("one", [slow.seen_as]), ("all", [slow.seen_as, *site["devices"][1:]])):
                add_devices(place / name, routers)
                with mock.patch.dict(os.environ, UNCHECKED), Wire(place / name) as mcp:
                    mcp.open()
                    took[name] = p50([looked(mcp, len(routers)) for _ in range(ROUNDS)])
        finally:
            slow.close()
    put("50 devices looked at by one call, against the slowest alone", took["all"] / took["one"])
    put("50 devices looked at by one call", ms(took["all"]))


def looked(mcp: Wire, routers: int) -> float:
    result, took = mcp.call("fleet.get_summary", {"refresh": True})
    said = result["structuredContent"]
    expect(said.get("refreshed") == routers and said["by_health"].get("healthy") == routers, f"not all were looked at: {said}")
    return took


def overhead(put, mcp: Wire, routers: list[dict]) -> None:
    """`system.get_overview` against the same number of direct requests, one after the other on the same routers."""
    with rig.state_dir() as place:
        each = requests_of_overview(put, place / "s", routers[0])
    age = cache_age(mcp, routers[0]["name"])
    directs = [Direct(router) for router in routers]
    paths = [path for path in OVERVIEW if answers(directs[0], path)]
    expect(paths, "no path to compare with")
    for direct in directs:
        direct.get(paths[0])
    calls, ours, single = [], [], []
    while len(calls) < PAIRS:
        progress(f"{len(calls)} of {PAIRS} overviews; waiting until the cache is old")
        time.sleep(age + 0.5)
        for router, direct in zip(routers, directs):
            result, took = mcp.call("system.get_overview", {"device": router["name"]})
            if result["_meta"].get("cached"):
                continue
            straight = [direct.get(paths[number % len(paths)])[1] for number in range(max(1, each))]
            calls.append(ms(took))
            ours.append(ms(took - sum(straight)))
            single.append(ms(straight[0]))
        expect(calls, "every answer came from the cache")
    put("system.get_overview, our overhead, p50", p50(ours))
    put("system.get_overview, our overhead, p99", p99(ours))
    put("one direct keep-alive REST request, p50", p50(single))
    put("system.get_overview against that request, p50", p50(calls) / p50(single))


def answers(direct: Direct, path: str) -> bool:
    try:
        direct.get(path)
    except rig.Failed:
        return False
    return True


def requests_of_overview(put, data_dir: Path, router: dict) -> int:
    """Requests that reach the router: for an overview over a warm lane, and for another within the cache's age."""
    counter = Counter(router)
    try:
        add_devices(data_dir, [counter.seen_as])
        with Wire(data_dir) as mcp:
            mcp.open()
            mcp.call("system.get_overview", {"device": router["name"]})
            before = counter.requests
            mcp.call("system.get_overview", {"device": router["name"]})
            within = counter.requests - before
            time.sleep(cache_age(mcp, router["name"]) + 0.5)
            before = counter.requests
            result, _ = mcp.call("system.get_overview", {"device": router["name"]})
            expect(not result["_meta"].get("cached"), "still from the cache")
            each = counter.requests - before
    finally:
        counter.close()
    put("system.get_overview, router requests, warm lane", each)
    put("system.get_overview, router requests within the cache's age", within)
    return each


def cache_age(mcp: Wire, device: str) -> float:
    """How long an overview is answered from the cache, to a quarter of a second."""
    began = time.monotonic()
    while time.monotonic() - began < OLDEST:
        result, _ = mcp.call("system.get_overview", {"device": device})
        if not result["_meta"].get("cached"):
            # This one was fresh: from here on, ask until the next fresh one.
            fresh = time.monotonic()
            while time.monotonic() - fresh < OLDEST:
                time.sleep(0.25)
                result, _ = mcp.call("system.get_overview", {"device": device})
                if not result["_meta"].get("cached"):
                    return time.monotonic() - fresh
            break
        time.sleep(0.25)
    raise rig.Failed(f"an overview stays in the cache for more than {OLDEST:.0f} s")


def leases(put) -> None:
    """The first page of a table with 5,000 rows, and what it costs in memory."""
    with rig.demo() as site, rig.state_dir() as place:
        router, direct = tower(site["devices"])
        add_devices(place / "s", [router])
        runs = [page_of_leases(place / "s", router["name"]) for _ in range(PAGES)]
        straight = p50([direct.get("/ip/dhcp-server/lease")[1] for _ in range(5)])
        put("the router's own answer, 5,000 leases", ms(straight))
        put("menu.read, 5,000 leases, first page, on top of it", ms(p50([took for took, _ in runs]) - straight))
        put("menu.read, 5,000 leases, extra memory at the peak", max(extra for _, extra in runs) / 1e6)
        put("menu.read, 5,000 leases, CPU a row from bytes to shaped rows", p50(rereads(place / "s", router["name"])) * 1e6 / LEASES)


def page_of_leases(data_dir: Path, device: str) -> tuple[float, int]:
    """The first page by a fresh process with a warm connection: seconds, and bytes of memory at the peak."""
    with Wire(data_dir) as mcp:
        mcp.open()
        mcp.call("system.get_overview", {"device": device})
        before = mcp.memory()
        mcp.reset_peak()
        said, took = leases_page(mcp, device)
        expect(len(said["structuredContent"]["rows"]) == PAGE, f"{len(said['structuredContent']['rows'])} rows")
        peak = mcp.memory("VmHWM")
    return took, peak - before


def leases_page(mcp: Wire, device: str) -> tuple[dict, float]:
    result, took = mcp.call("menu.read", {"device": device, "menu": "/ip/dhcp-server/lease", "limit": PAGE})
    expect(result["structuredContent"]["total"] == LEASES, f"{result['structuredContent']['total']} leases")
    return result, took


def rereads(data_dir: Path, device: str) -> list[float]:
    """CPU seconds of reading the whole table anew, by a process that does nothing beside."""
    with mock.patch.dict(os.environ, ALONE), Wire(data_dir) as mcp:
        mcp.open()
        leases_page(mcp, device)
        cpus, until = [], time.monotonic() + OLDEST * PAGES
        while len(cpus) < PAGES:
            expect(time.monotonic() < until, f"a table stays in the cache for more than {OLDEST:.0f} s")
            time.sleep(0.25)
            before = mcp.cpu()
            result, _ = leases_page(mcp, device)
            if not result["_meta"]["cached"]:
                cpus.append(mcp.cpu() - before)
    return cpus


def tower(routers: list[dict]) -> tuple[dict, Direct]:
    """The demo's router with 5,000 leases."""
    for router in routers:
        direct = Direct(router)
        with contextlib.suppress(rig.Failed, ValueError):
            # Host names are bytes of any sort, as on real routers.
            if len(json.loads(direct.get("/ip/dhcp-server/lease")[0].decode(errors="replace"), strict=False)) == LEASES:
                return router, direct
    raise rig.Failed("no router of the demo has 5,000 leases")


def durable(put) -> None:
    """A device record, changed by the CLI, against a read by the same way and a bare flush of the same disk."""
    with rig.demo() as site, rig.state_dir() as place:
        add_devices(place / "s", site["devices"][:1])
        flush = p50(flushes(place / "flush"))
        put("a bare write and fsync of the same disk, p50", flush)
        name = site["devices"][0]["name"]
        with Wire(place / "s") as holder:
            holder.open()
            shows, updates = [], []
            for number in range(WRITES):
                shows.append(timed(place / "s", "device", "show", name))
                updates.append(timed(place / "s", "device", "update", name, "--tag", f"n={number}"))
        put("one record durable, beyond that flush, p50", p50(updates) - p50(shows) - flush)


def flushes(path: Path) -> list[float]:
    took = []
    with path.open("wb", buffering=0) as file:
        for _ in range(FLUSHES):
            began = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took.append(ms(time.perf_counter() - began))
    return took


def writers(put) -> None:
    """100 calls in flight, each with its audit record: bytes to the disk for each."""
    with rig.state_dir() as place, Wire(place / "s") as mcp:
        mcp.open()
        mcp.call("device.list", {})
        time.sleep(FLUSHED)
        first, before = last_seq(mcp), mcp.written()
        for _ in range(WAVES):
            for _ in range(WRITERS):
                mcp.send("tools/call", {"name": "device.list", "arguments": {}})
            for _ in range(WRITERS):
                expect(b'"isError":true' not in mcp.line().replace(b" ", b""), "a call failed")
        time.sleep(FLUSHED)
        records = last_seq(mcp) - first
        expect(records >= WRITERS * WAVES, f"{records} audit records for {WRITERS * WAVES} calls")
        put("bytes written for an audit record, 100 writers", (mcp.written() - before) / records)


def last_seq(mcp: Wire) -> int:
    result, _ = mcp.call("audit.get_events", {"limit": 1})
    return int(result["structuredContent"]["rows"][0]["seq"])
