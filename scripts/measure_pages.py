"""What scripts/bench --pages measures: the admin pages of a site with 500 routers and a trail of 1,000,000 records.

The trail is made of what the program itself wrote: its own records, copied and chained anew, in segments as it makes them, because
a million calls would take minutes. Standard library only.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import statistics
import struct
import time
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import rig
from figures import ms, progress
from measure_http import SETTINGS, Daemon
from peers import add_devices
from rig import expect

DEVICES, RECORDS = 500, 1_000_000
# Calls whose records are copied; more of them make the trail more varied, and its making slower.
CALLS = 120
# Looks at a page: the first finds caches cold and is told apart.
LOOKS = 20
# What a process keeps after its start is let settle. Seconds.
SETTLE = 3.0
PASSWORD = "a-password-of-the-bench-71"
# As in src/audit/segment.rs and src/audit/chain.rs.
SEGMENT, MAGIC, HEADER, HEAD = 4 << 20, b"RMCPAUD1", 60, 48

PAGES = [
    ("fleet", "/admin/"),
    ("fleet, filtered", "/admin/?name=3"),
    ("device", "/admin/devices/{device}"),
    ("plans", "/admin/plans"),
    ("alerts", "/admin/alerts"),
    ("audit", "/admin/audit"),
    ("audit, filtered", "/admin/audit?principal=nobody&outcome=ok"),
    ("people", "/admin/people"),
    ("help", "/admin/docs"),
]
ROWS = [
    *((f"{name} page, {DEVICES} devices, {RECORDS:,} audit records, worst of {LOOKS}", "ms", 100) for name, _ in PAGES),
    *((f"{name} page, first after a start", "ms", None) for name, _ in PAGES),
    (f"all pages {LOOKS} times, extra memory at the peak", "MB", 20),
    (f"start with {RECORDS:,} audit records", "ms", None),
]


def pages(put) -> None:
    with rig.demo(DEVICES) as site, rig.state_dir() as place:
        data_dir, audit = place / "s", place / "s" / "audit"
        progress(f"a site of {DEVICES} devices")
        add_devices(data_dir, site["devices"])
        secret = place / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD)
        rig.cli(data_dir, "user", "add", "anna", "--role", "admin", "--password-file", str(secret)).json()
        with rig.stdio(data_dir) as mcp:
            mcp.open()
            for at in range(CALLS):
                name = site["devices"][at % DEVICES]["name"]
                mcp.call(*(("system.get_overview", {"device": name}), ("device.list", {"limit": 5}), ("plan.list", {}))[at % 3])
        progress(f"a trail of {RECORDS:,} records")
        grow(audit, RECORDS)
        began = time.perf_counter()
        with daemon(data_dir) as served:
            put(f"start with {RECORDS:,} audit records", ms(time.perf_counter() - began))
            look(put, served, rig.cli(data_dir, "device", "list").json()[0]["id"])
        checked = rig.cli(data_dir, "audit", "verify", seconds=300)
        expect(checked.code == 0, f"the trail does not verify: {rig.short(checked.out or checked.err)}")


@contextlib.contextmanager
def daemon(data_dir: Path):
    """The daemon without health checks and snapshots, which would take processor time while pages are timed: days are empty here."""
    with rig.serve(data_dir, {**os.environ, **SETTINGS, "ROUTEROS_MCP_HTTP_TLS": "off"}) as ready:
        yield Daemon(data_dir, ready, tls=False)


def look(put, served: Daemon, device: str) -> None:
    """Every page, again and again, on one connection."""
    wire = http.client.HTTPConnection(served.host, served.port, timeout=60)
    ours = {"Sec-Fetch-Site": "same-origin", "Accept-Encoding": "gzip"}
    form = {**ours, "Content-Type": "application/x-www-form-urlencoded"}
    wire.request("POST", "/admin/sign-in", urlencode({"user": "anna", "password": PASSWORD}), form)
    answer = wire.getresponse()
    answer.read()
    expect(answer.status == 303, f"not signed in: {answer.status}")
    ours["Cookie"] = answer.getheader("Set-Cookie").split(";")[0]
    time.sleep(SETTLE)
    # Signing in takes 19 MiB for a moment, on purpose.
    served.reset_peak()
    before = served.memory()
    for name, path in PAGES:
        times = []
        for _ in range(LOOKS + 1):
            began = time.perf_counter()
            wire.request("GET", path.format(device=device), headers=ours)
            answer = wire.getresponse()
            body = answer.read()
            times.append(ms(time.perf_counter() - began))
            expect(answer.status == 200 and body, f"{path}: {answer.status}")
        put(f"{name} page, first after a start", times[0])
        put(f"{name} page, {DEVICES} devices, {RECORDS:,} audit records, worst of {LOOKS}", max(times[1:]))
        extra = (served.memory("VmHWM") - before) / 1e6
        progress(f"{name}: {statistics.median(times[1:]):.1f} ms, first {times[0]:.1f} ms, {len(body):,} B packed, peak {extra:.1f} MB more")
    put(f"all pages {LOOKS} times, extra memory at the peak", extra)


# --- a long trail ----------------------------------------------------------------------------------


@cache
def table() -> list[int]:
    """Of CRC-32C, a byte at a time."""

    def entry(value: int) -> int:
        for _ in range(8):
            value = (value >> 1) ^ 0x82F63B78 if value & 1 else value >> 1
        return value

    return [entry(byte) for byte in range(256)]


def stepped(state: int, data: bytes) -> int:
    """The inner state of a CRC after more bytes."""
    lookup = table()
    for byte in data:
        state = lookup[(state ^ byte) & 255] ^ (state >> 8)
    return state


class Payload:
    """A record's bytes, and what they do to the state of a CRC: that is linear, so no byte is looked at twice."""

    def __init__(self, data: bytes) -> None:
        self.data, self.own = data, stepped(0, data)
        nothing = bytes(len(data))
        bits = [stepped(1 << bit, nothing) for bit in range(32)]

        def moved(byte: int, shift: int) -> int:
            value = 0
            for bit in range(8):
                if byte >> bit & 1:
                    value ^= bits[shift + bit]
            return value

        self.moved = [[moved(byte, shift) for byte in range(256)] for shift in (0, 8, 16, 24)]

    def after(self, state: int) -> int:
        low, second, third, high = self.moved
        return self.own ^ low[state & 255] ^ second[state >> 8 & 255] ^ third[state >> 16 & 255] ^ high[state >> 24]


def frames(segment: Path):
    """The number, hash and payload of each record of a segment."""
    data, at = segment.read_bytes(), HEADER
    while at + HEAD <= len(data):
        length, _, seq = struct.unpack_from("<IIQ", data, at)
        previous, payload = data[at + 16 : at + HEAD], data[at + HEAD : at + HEAD + length]
        yield seq, hashlib.sha256(struct.pack("<Q", seq) + previous + payload).digest(), payload
        at += HEAD + length


def grow(audit: Path, records: int) -> None:
    """Goes on with a closed trail until it has so many records."""
    segments = sorted(audit.glob("*.seg"))
    known = [frame for segment in segments for frame in frames(segment)]
    expect(known, "there is no record to copy")
    seq, last, _ = known[-1]
    payloads = [Payload(data) for data in sorted({payload for _, _, payload in known})]
    number, full = int(segments[-1].stem), 0xFFFFFFFF
    while seq < records:
        number += 1
        head = MAGIC + struct.pack("<QQ", number, seq + 1) + last
        out = bytearray(head + struct.pack("<I", stepped(full, head) ^ full))
        while len(out) < SEGMENT and seq < records:
            seq += 1
            payload = payloads[seq % len(payloads)]
            link = struct.pack("<Q", seq) + last
            crc = payload.after(stepped(full, link)) ^ full
            out += struct.pack("<II", len(payload.data), crc) + link + payload.data
            last = hashlib.sha256(link + payload.data).digest()
        (audit / f"{number:08}.seg").write_bytes(out)
    (audit / "head").write_text(f"{seq:020} {last.hex()}\n")
