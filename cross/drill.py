"""A backup made by one machine's build and restored by another's."""

from __future__ import annotations

import os
import time
from pathlib import Path
from unittest import mock

import rig
from peers import add_devices
from rig import expect

DEVICES = 100
# From the command to its end, natively. Seconds.
BAR = 30
# The demo only lends its routers: it does not look after them itself, and nobody else writes meanwhile.
LENDING = {"ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false", "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false"}
LISTS = [("device", "list"), ("user", "list"), ("token", "list"), ("plan", "list"), ("secret", "list"), ("registration", "list"), ("alert", "list")]


def drill(tally, ours: Path, theirs: Path, seconds: float, is_emulated: bool) -> None:
    """`ours` makes the backup, `theirs` restores it; every list must say the same afterwards, and the sealed logins open."""
    with tally.check(f"a backup of {DEVICES} devices comes back on it, every record the same"), rig.state_dir() as place:
        with mock.patch.dict(os.environ, LENDING), mock.patch.object(rig, "BINARY", ours), rig.demo(DEVICES) as site:
            key, backup, password = place / "key", place / "b.age", place / "password"
            for secret in (key, password):
                secret.touch(mode=0o600)
                secret.write_text(f"of-the-drill-{secret.name}-1")
            add_devices(place / "s", site["devices"])
            rig.cli(place / "s", "user", "add", "anna", "--role", "approver", "--password-file", str(password)).json()
            rig.cli(place / "s", "token", "create", "--name", "drill", "--role", "read_only").json()
            opened = ("--passphrase-file", str(key))
            rig.cli(place / "s", "backup", "create", "--out", str(backup), *opened, "--include-master-key").json()
            before = told(place / "s", seconds)
            with mock.patch.object(rig, "BINARY", theirs):
                began = time.monotonic()
                rig.cli(place / "r", "backup", "restore", str(backup), *opened, "--yes", seconds=seconds).json()
                took = time.monotonic() - began
                after = told(place / "r", seconds)
                asked = rig.cli(place / "r", "device", "test", site["devices"][-1]["name"], seconds=seconds)
            print(f"  restored in {took:.1f} s{', emulated' if is_emulated else ''}", flush=True)
            expect(len(before[LISTS[0]]) == DEVICES, f"{len(before[LISTS[0]])} devices")
            for words in LISTS:
                expect(before[words] == after[words], f"{' '.join(words)}: {rig.short(before[words])}, and after it {rig.short(after[words])}")
            expect(asked.code == 0, f"its login does not open: {rig.short(asked.err)}")
            expect(is_emulated or took <= BAR, f"{took:.1f} s")


def told(data_dir: Path, seconds: float) -> dict[tuple, list]:
    found = {}
    for words in LISTS:
        said = rig.cli(data_dir, *words, seconds=seconds).json()
        found[words] = said if isinstance(said, list) else said.get("rows", said)
    return found
