"""A backup made by one machine's build and restored by another's."""

from __future__ import annotations

import os
import time
from pathlib import Path
from unittest import mock

import rig
from peers import Wire, add_devices
from rig import expect

DEVICES = 100
# From the command to its end, natively. Seconds.
BAR = 30
# The demo only lends its routers: it does not look after them itself, and nobody else writes meanwhile.
LENDING = {"ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false", "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false"}
LISTS = [("device", "list"), ("user", "list"), ("token", "list"), ("plan", "list"), ("secret", "list"), ("registration", "list")]
EDIT = {"menu": "/ip/dns/static", "op": "add", "values": {"name": "drill.lan", "address": "192.0.2.9"}}


def drill(tally, ours: Path | None, theirs: Path, seconds: float, is_emulated: bool) -> None:
    """`ours` makes the backup, `theirs` restores it. Restoring holds the store against its digest, so every byte; here the lists must
    say the same afterwards, a backup made by `theirs` must count the same records, and the sealed logins must open."""
    with tally.check(f"a backup of {DEVICES} devices comes back on it, every record the same"), rig.state_dir() as place:
        expect(ours, "no build of this machine's own to make it: scripts/build")
        with mock.patch.dict(os.environ, LENDING), mock.patch.object(rig, "BINARY", ours), rig.demo(DEVICES) as site:
            key, backup, again = place / "key", place / "b.age", place / "again.age"
            key.touch(mode=0o600)
            key.write_text("a-passphrase-of-the-drill-1")
            opened = ("--passphrase-file", str(key))
            add_devices(place / "s", site["devices"])
            last = site["devices"][-1]["name"]
            fill(place / "s", last, key)
            rig.cli(place / "s", "backup", "create", "--out", str(backup), *opened, "--include-master-key").json()
            before = told(place / "s", seconds)
            with mock.patch.object(rig, "BINARY", theirs):
                began = time.monotonic()
                restored = rig.cli(place / "r", "backup", "restore", str(backup), *opened, "--yes", seconds=seconds).json()
                took = time.monotonic() - began
                after = told(place / "r", seconds)
                rig.cli(place / "r", "backup", "create", "--out", str(again), *opened, seconds=seconds).json()
                asked = rig.cli(place / "r", "device", "test", last, seconds=seconds)
            counted = rig.cli(place / "s", "backup", "verify", str(again), *opened).json()["tables"]
            print(f"  {sum(counted.values())} records restored in {took:.1f} s{', emulated' if is_emulated else ''}", flush=True)
            expect(len(before[LISTS[0]]) == DEVICES, f"{len(before[LISTS[0]])} devices")
            for words in LISTS:
                expect(before[words] == after[words], f"{' '.join(words)}: {rig.short(before[words])}, and after it {rig.short(after[words])}")
            expect(counted == restored["manifest"]["tables"], f"{restored['manifest']['tables']}, and after it {counted}")
            expect(asked.code == 0, f"its login does not open: {rig.short(asked.err)}")
            expect(is_emulated or took <= BAR, f"{took:.1f} s")


def fill(data_dir: Path, device: str, password: Path) -> None:
    """A person, a token, and a plan."""
    rig.cli(data_dir, "user", "add", "anna", "--role", "approver", "--password-file", str(password)).json()
    rig.cli(data_dir, "token", "create", "--name", "drill", "--role", "read_only").json()
    rig.cli(data_dir, "device", "update", device, "--capability", "writes", "--capability", "professional").json()
    with Wire(data_dir) as mcp:
        mcp.open()
        drafted, _ = mcp.call("plan.create", {"devices": [device], "reason": "drill", "edits": [EDIT]})
        expect(not drafted.get("isError"), f"draft: {rig.short(drafted)}")


def told(data_dir: Path, seconds: float) -> dict[tuple, list]:
    return {words: rig.cli(data_dir, *words, seconds=seconds).json() for words in LISTS}
