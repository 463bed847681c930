"""scripts/bench --growth: what each operation costs at several sizes of what it works on.

Each function takes `put(name, unit, size, value)` and measures one series at all its sizes up to `most`. Processor time is the
process's own and the best of some rounds, times are medians: others work on the machine too. Standard library only.
"""

from __future__ import annotations

import contextlib
import os
import resource
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import rig
from figures import ALONE, UNPACED, ms, p50, progress
from measure_http import Daemon, daemon, head, modern, opened, request, session
from measure_pages import grow
from peers import Wire, add_devices
from rig import expect
from tables import MENU, Tables

DEVICES = (10, 30, 100, 300, 1_000)
ROWS = (100, 1_000, 10_000, 30_000, 100_000)
RECORDS = (1_000, 10_000, 100_000, 1_000_000)
STREAMS = (1, 10, 100, 1_000)
# Open streams that one token may have (`AT_ONCE` in src/http/limits.rs is 128).
OF_TOKEN = 100
ROUNDS, CALLS, SPAWNS = 5, 100, 7
# What a process keeps after a load is let settle, and what is gathered before it is told. Seconds.
SETTLE, TOLD = 1.5, 3.0

Put = Callable[[str, str, int, float], None]


def repeated(mcp, work: Callable[[], object], calls: int = CALLS) -> tuple[float, float]:
    """Milliseconds of processor time a call, of the best round, and the median of a call's time."""
    times, cpus = [], []
    work()
    for _ in range(ROUNDS):
        before = mcp.cpu()
        for _ in range(max(1, calls // ROUNDS)):
            began = time.perf_counter()
            work()
            times.append(ms(time.perf_counter() - began))
        cpus.append(ms(mcp.cpu() - before) / max(1, calls // ROUNDS))
    return min(cpus), p50(times)


def put_both(put: Put, name: str, size: int, found: tuple[float, float]) -> None:
    put(f"{name}, CPU", "ms", size, found[0])
    put(f"{name}, time", "ms", size, found[1])


def started(data_dir: Path) -> tuple[float, float]:
    """Processor time and time from spawn to the answer to `initialize`."""
    walls, cpus = [], []
    for _ in range(SPAWNS):
        with Wire(data_dir) as mcp:
            walls.append(ms(mcp.open()))
            cpus.append(ms(mcp.cpu()))
    return min(cpus), p50(walls)


# --- series --------------------------------------------------------------------------------------


def devices(put: Put, most: int) -> None:
    sizes = [size for size in DEVICES if size <= most]
    progress(f"a site of {sizes[-1]} devices")
    with mock.patch.dict(os.environ, {**ALONE, **UNPACED}), rig.demo(sizes[-1]) as site, rig.state_dir() as place:
        there = 0
        for size in sizes:
            progress(f"{size} devices")
            add_devices(place / "s", site["devices"][there:size])
            there = size
            put_both(put, "start to initialize", size, started(place / "s"))
            with Wire(place / "s") as mcp:
                mcp.open()
                put_both(put, "device.list, first page", size, repeated(mcp, lambda mcp=mcp: mcp.call("device.list", {})))
                put_both(put, "device.list, all on a page", size, repeated(mcp, lambda mcp=mcp: mcp.call("device.list", {"limit": 500})))
                put_both(put, "fleet.get_summary", size, repeated(mcp, lambda mcp=mcp: mcp.call("fleet.get_summary", {})))
                for router in site["devices"][:size]:
                    mcp.call("system.get_overview", {"device": router["name"]})
                put("memory, every device asked", "MB", size, mcp.memory() / 1e6)


def rows(put: Put, most: int) -> None:
    with mock.patch.dict(os.environ, {**ALONE, **UNPACED}), rig.demo(1) as site, rig.state_dir() as place:
        router = Tables(site["devices"][0], place)
        name = router.seen_as["name"]
        with contextlib.closing(router):
            add_devices(place / "s", [router.seen_as])
            opened_up = [word for one in ("writes", "professional", "firewall") for word in ("--capability", one)]
            rig.cli(place / "s", "device", "update", name, *opened_up).json()
            for size in [size for size in ROWS if size <= most]:
                progress(f"{size:,} rows")
                router.set_rows(size)
                seen = [page(place / "s", name, size) for _ in range(ROUNDS)]
                put("menu.read, a table read anew, CPU", "ms", size, min(cpu for cpu, _, _ in seen))
                put("menu.read, a table read anew, time", "ms", size, p50([took for _, took, _ in seen]))
                put("menu.read, extra memory at the peak", "MB", size, max(extra for _, _, extra in seen) / 1e6)
                with Wire(place / "s") as mcp:
                    mcp.open()
                    mcp.call("device.check_connectivity", {"device": name})
                    put_both(put, "plan.create, one row more", size, repeated(mcp, lambda mcp=mcp: drafted(mcp, name), ROUNDS * 2))


def page(data_dir: Path, device: str, size: int) -> tuple[float, float, int]:
    """The first page by a fresh process with a warm connection: processor time and time in ms, memory at the peak in bytes."""
    with Wire(data_dir) as mcp:
        mcp.open()
        mcp.call("system.get_overview", {"device": device})
        before, cpu = mcp.memory(), mcp.cpu()
        mcp.reset_peak()
        said, took = mcp.call("menu.read", {"device": device, "menu": MENU, "limit": 50})
        expect(said["structuredContent"]["total"] == size, f"{said['structuredContent']['total']} rows")
        return ms(mcp.cpu() - cpu), ms(took), max(0, mcp.memory("VmHWM") - before)


def drafted(mcp: Wire, device: str) -> None:
    drafted.number += 1
    values = {"list": "bench", "address": f"192.0.2.{drafted.number % 250}", "comment": f"draft {drafted.number}"}
    edit = {"menu": MENU, "op": "add", "values": values}
    mcp.call("plan.create", {"devices": [device], "reason": "growth", "edits": [edit], "confirm": "auto"})


drafted.number = 0


def records(put: Put, most: int) -> None:
    with mock.patch.dict(os.environ, {**ALONE, **UNPACED}), rig.demo(1) as site, rig.state_dir() as place:
        name = site["devices"][0]["name"]
        add_devices(place / "s", site["devices"])
        for size in [size for size in RECORDS if size <= most]:
            with Wire(place / "s") as mcp:
                mcp.open()
                for at in range(60):
                    mcp.call(*(("system.get_overview", {"device": name}), ("device.list", {"limit": 5}), ("plan.list", {}))[at % 3])
            progress(f"{size:,} audit records")
            grow(place / "s" / "audit", size)
            put_both(put, "start to initialize", size, started(place / "s"))
            with Wire(place / "s") as mcp:
                mcp.open()
                put_both(put, "audit.get_events, newest 20", size, repeated(mcp, lambda mcp=mcp: mcp.call("audit.get_events", {"limit": 20})))
                nobody = {"where": {"principal": "nobody"}, "limit": 20}
                put_both(put, "audit.get_events, of a caller that is not there", size, repeated(mcp, lambda mcp=mcp: mcp.call("audit.get_events", nobody), ROUNDS * 2))
                put_both(put, "device.list, with its own record", size, repeated(mcp, lambda mcp=mcp: mcp.call("device.list", {})))
                put("memory", "MB", size, mcp.memory() / 1e6)
            before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
            checked = rig.cli(place / "s", "audit", "verify", seconds=600)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            expect(checked.code == 0, f"the trail does not verify: {rig.short(checked.err or checked.out)}")
            put("audit verify, CPU", "ms", size, ms(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime))
            put("audit verify, time", "ms", size, ms(time.perf_counter() - began))


def sessions(put: Put, most: int) -> None:
    for size in [size for size in STREAMS if size <= most]:
        progress(f"{size:,} sessions with open streams")
        with rig.demo(1) as site, rig.state_dir() as place, daemon(place, site["devices"]) as served:
            tokens = [served.token(f"growth{n}") for n in range(size // OF_TOKEN + 2)]
            warm = opened(served, request(tokens[-1], {}, session(served, tokens[-1]), method="GET"))
            time.sleep(SETTLE)
            before, cpu, held = served.memory(), served.cpu(), []
            for n in range(size):
                held.append(opened(served, request(tokens[n // OF_TOKEN], {}, session(served, tokens[n // OF_TOKEN]), method="GET")))
            put("opening sessions and their streams, all, CPU", "ms", size, ms(served.cpu() - cpu))
            time.sleep(SETTLE)
            put("memory of sessions and streams, all", "MB", size, max(served.memory() - before, 4096) / 1e6)
            with contextlib.closing(served.connect()) as wire:
                asked = modern(tokens[-1], "tools/call", {"name": "device.list", "arguments": {}})
                put_both(put, "device.list beside them", size, repeated(served, lambda wire=wire, asked=asked: answered(wire, asked)))
            put("a device renamed, told to all, CPU", "ms", size, told_all(served, site["devices"][0], held))
            for wire in [warm, *held]:
                wire.close()


def answered(wire, asked: bytes) -> None:
    wire.sendall(asked)
    said, body = head(wire)
    expect(" 200 " in said.splitlines()[0], said)
    length = next((int(line.split(":")[1]) for line in said.splitlines() if line.lower().startswith("content-length:")), None)
    while len(body) < length if length is not None else not body.endswith(b"0\r\n\r\n"):
        chunk = wire.recv(1 << 16)
        expect(chunk, "closed")
        body += chunk


def told_all(served: Daemon, router: dict, held: list) -> float:
    """Processor time of a change that all streams hear of, less that of the same command when nobody would hear of it."""
    name, costs = router["name"], []
    for words in (["--tag", "n=1"], ["--name", f"{name}-2"]):
        before = served.cpu()
        rig.cli(served.data_dir, "device", "update", name, *words).json()
        time.sleep(TOLD)
        costs.append(ms(served.cpu() - before))
    for wire in held:
        wire.settimeout(rig.ANSWER)
        expect(b"list_changed" in wire.recv(1 << 16), "a stream heard nothing")
    return max(costs[1], 0.01)


SERIES = {"devices": devices, "rows": rows, "records": records, "sessions": sessions}


def measured(only: str | None, most: int) -> dict[str, dict[str, dict]]:
    """Series, its rows, and of each its unit and value at each size. What breaks says so and leaves what it has."""
    found: dict[str, dict[str, dict]] = {}
    for series, work in SERIES.items():
        if only and only not in series:
            continue
        rows_found = found.setdefault(series, {})

        def put(name: str, unit: str, size: int, value: float, into: dict = rows_found) -> None:
            into.setdefault(name, {"unit": unit, "at": {}})["at"][size] = round(value, 4)

        try:
            work(put, most)
        except (rig.Failed, OSError, subprocess.SubprocessError, KeyError) as fault:
            progress(f"{series}: not measured to the end: {rig.short(fault, 300)}")
            rows_found["broken off"] = {"unit": rig.short(fault, 160), "at": {}}
    return found
