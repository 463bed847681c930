"""One store, several processes: bridges, taking over, two daemons, and a device that must not be stored.

`python3 holders.py READY.json`, standard library only. Uses the demo's routers, but state directories of its own.
"""

import contextlib
import json
import re
import socket
import sys
import time
from pathlib import Path

import rig
from rig import expect

# Exit codes: src/cli/fault.rs.
TEMPORARY, STORAGE, DENIED, UNREACHABLE = 75, 74, 77, 69
# How long another process may need to open the store after its holder left. Seconds.
TAKE_OVER = 10.0

# What may differ between two runs of one call: ids, times, and what the age of a cache or the load of a router says.
UUID = rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
STAMP = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
MOVING = rb'"(correlation_id|estimated_tokens|age_ms|cached|ms|seq|uptime_seconds|cpu_load_percent|memory_free_bytes|disk_free_bytes|value)":("[^"]*"|[^,}\]]+)'
SPOKEN = rb"((?:uptime|cpu_load|memory_free|disk_free)[a-z_]*: )[^\\\"]+"


def normal(line: bytes) -> bytes:
    """An answer without what moves; everything else stays byte for byte, the order of keys included."""
    for pattern, put in ((MOVING, rb'"\1":0'), (SPOKEN, rb"\1-"), (UUID, b"<id>"), (STAMP, b"<time>"), (rb"\d+(?:\.\d+)? ms\b", b"<ms>")):
        line = re.sub(pattern, put, line)
    return line


def asked(data_dir: Path, device: str) -> dict[str, bytes]:
    """The answers that must not depend on how a client reached the store."""
    calls = (
        ("device.list", {}),
        ("device.get", {"device": device}),
        ("menu.search", {"query": "dhcp leases"}),
        ("menu.read", {"device": device, "menu": "/ip/address"}),
        ("menu.describe", {"device": device, "menu": "/ip/address"}),
        ("system.get_overview", {"device": device}),
        ("system.get_overview", {"device": "no-such-router"}),
        ("system.get_overview", {"divice": device}),
    )
    with rig.stdio(data_dir) as mcp:
        hello = {"protocolVersion": rig.HANDSHAKES[-1], "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        answers = {"initialize": mcp.exchange("initialize", hello)}
        mcp.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        answers["tools/list"] = mcp.exchange("tools/list")
        for tool, arguments in calls:
            answers[f"{tool} {json.dumps(arguments)}"] = mcp.exchange("tools/call", {"name": tool, "arguments": arguments})
        code, _ = mcp.close()
        expect(code == 0, f"exit code {code}")
    return answers


def add(data_dir: Path, router: dict, name: str) -> dict:
    return rig.cli(data_dir, *rig.add_args(router, name, data_dir.parent)).json()


def same_bytes(tally: rig.Tally, data_dir: Path, device: str) -> None:
    alone = asked(data_dir, device)
    with rig.serve(data_dir):
        bridged = asked(data_dir, device)
    for what, direct in alone.items():
        with tally.check(f"direct and bridged give the same bytes: {what}"):
            ours, theirs = normal(direct), normal(bridged[what])
            at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
            around = slice(max(0, at - 60), at + 60)
            expect(ours == theirs, f"they part at byte {at}: {ours[around]!r} against {theirs[around]!r}")


def three_clients(tally: rig.Tally, data_dir: Path, device: str) -> None:
    for leave in ("EOF", "SIGTERM", "SIGKILL"):
        with tally.check(f"three clients at once, and the holder leaves by {leave}: the others go on"), contextlib.ExitStack() as open_ones:
            clients = []
            for _ in range(3):
                client = open_ones.enter_context(rig.stdio(data_dir))
                client.open()
                expect(client.rows("system.get_overview", {"device": device})["identity"], "no identity")
                clients.append(client)
            holder, *others = clients
            {"EOF": holder.close, "SIGTERM": holder.terminate, "SIGKILL": lambda: rig.kill(holder.child)}[leave]()
            for client in others:
                expect(_until_answered(client, device), "no identity")
                expect(client.tools(), "lists nothing")
            # The next holder leaves too, and the last one is on its own.
            others[0].close()
            expect(_until_answered(others[1], device), "the last one has no identity")
            code, took = others[1].close()
            expect(code == 0 and took <= rig.LEAVE, f"the last one left with {code} after {took:.2f} s")
            expect(rig.cli(data_dir, "audit", "verify").code == 0, "the audit chain does not verify")


def _until_answered(client: rig.Session, device: str) -> str:
    """The identity by a client whose holder just left. An error that says to retry is taken until the time is up; silence is not."""
    deadline = time.monotonic() + TAKE_OVER
    while True:
        result = client.call("system.get_overview", {"device": device}, TAKE_OVER)
        if not result.get("isError"):
            return result["structuredContent"]["identity"]
        error = result["structuredContent"]["error"]
        expect(error.get("retryable") and time.monotonic() < deadline, rig.short(error))


def two_daemons(tally: rig.Tally, data_dir: Path) -> None:
    with rig.serve(data_dir) as first:
        with tally.check("a second daemon on one state directory is refused with a hint, and the first lives on"):
            second = rig.cli(data_dir, "serve")
            expect(second.code in (TEMPORARY, STORAGE), f"exit code {second.code}: {rig.short(second.err)}")
            error = json.loads(second.err.strip().splitlines()[-1])["error"]
            expect(error["message"] and error.get("hint"), rig.short(error))
            expect(first["process"].poll() is None, "the first one ended")
            expect(rig.cli(data_dir, "device", "list").json(), "the first one lost its devices")
        with tally.check("the daemon leaves on SIGTERM with exit code 0"):
            first["process"].terminate()
            expect(first["process"].wait(rig.ANSWER) == 0, f"exit code {first['process'].returncode}")


def bad_devices(tally: rig.Tally, data_dir: Path, router: dict) -> None:
    """What must be refused is refused by its kind, and leaves nothing behind."""

    def refused(claim: str, code: int, kinds: tuple[str, ...], changed: dict, *extra: str) -> None:
        with tally.check(f"device add, {claim}: refused as {' or '.join(kinds)}, nothing stored"):
            before = rig.cli(data_dir, "device", "list").json()
            done = rig.cli(data_dir, *rig.add_args({**router, **changed}, f"bad-{len(claim)}-{code}", data_dir.parent), *extra)
            expect(done.code == code, f"exit code {done.code}: {rig.short(done.err or done.out)}")
            error = json.loads(done.err.strip().splitlines()[-1])["error"]
            expect(error["kind"] in kinds and error.get("hint"), rig.short(error))
            expect(changed.get("password", "planted-secret") not in done.err + done.out, "it tells the password")
            expect(rig.cli(data_dir, "device", "list").json() == before, "the inventory changed")

    refused("a wrong password", DENIED, ("router_denied",), {"password": "planted-secret"})
    refused("a wrong fingerprint", DENIED, ("untrusted",), {}, "--tls-fingerprint", "sha256:" + "00" * 32)
    with socket.socket() as dead:
        # Bound and never listened on: refused for as long as it is held, and nobody else gets it.
        dead.bind(("127.0.0.1", 0))
        # Of REST alone would leave the router to be looked after over SSH.
        port = dead.getsockname()[1]
        refused("dead ports", UNREACHABLE, ("unreachable",), {"rest_port": port, "ssh_port": port})
    refused("another environment", 64, ("bad_input",), {}, "--environment", "prod")


def main() -> int:
    tally, site = rig.Tally("holders"), rig.site_file()
    router, other = site["devices"][0], site["devices"][-1]
    with rig.state_dir() as place:
        data_dir = place / "s"
        with tally.check("device add prints the device and keeps it"):
            added = add(data_dir, router, "edge-1")
            expect({"id", "name", "address", "environment", "status", "version", "board", "capabilities", "pins"} <= set(added), list(added))
            expect(added["name"] == "edge-1" and added["pins"]["tls"], rig.short(added))
            kept = rig.cli(data_dir, "device", "list").json()
            expect([device["name"] for device in kept] == ["edge-1"], rig.short(kept))
        parts = (
            lambda: same_bytes(tally, data_dir, "edge-1"),
            lambda: three_clients(tally, data_dir, "edge-1"),
            lambda: two_daemons(tally, data_dir),
            lambda: bad_devices(tally, data_dir, other),
        )
        for name, part in zip(("same bytes", "three clients", "two daemons", "bad devices"), parts):
            with tally.check(f"{name}: came to its end"):
                part()
    return tally.finish()


sys.exit(main())
