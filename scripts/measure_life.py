"""What scripts/bench --all measures of a longer life: a look at each way in, idle writes, backups and updates.

Each function takes `put(name, value)` and measures one group of rows. Standard library only, and strace, minisign and tar, which
are named where they are missing.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import time
import urllib.request
from pathlib import Path
from unittest import mock

import rig
from figures import ALONE, ms, p50, p99, progress
from measure_growth import answered
from measure_http import SETTINGS, Daemon, daemon, modern
from peers import Wire, add_devices
from rig import expect

CALLS = 500
# Devices that are only polled; what the first looks and snapshots take, and how long is watched: samples are stored every five
# minutes (`SAVE_EVERY_MS` in src/history/series.rs). Seconds.
IDLE, IDLE_SETTLE, IDLE_WATCH = 20, 120.0, 600.0
BACKED_UP, BACKUPS = 100, 3
PASSPHRASE = "a-passphrase-of-the-bench-71"

CALL_ROWS = [
    (f"{way}, {name}, {what}", "ms", goal)
    for way in ("stdio", "HTTP")
    for name, cpu_goal in (("device.list", 0.3), ("menu.read within the cache's age", None), ("plan.list", None), ("tools/list", None))
    for what, goal in (("CPU", cpu_goal), ("p50", None), ("p99", None))
]
IDLE_ROWS = [
    (f"{IDLE} devices polled, nobody asks: flushes", "a minute", 1),
    (f"{IDLE} devices polled, nobody asks: written", "MB a day", 50),
    (f"{IDLE} devices polled, nobody asks: CPU share", "% of a core", None),
]
BACKUP_ROWS = [
    (f"backup create, {BACKED_UP} devices", "s", None),
    (f"its size, {BACKED_UP} devices", "kB", None),
    (f"backup restore, {BACKED_UP} devices, until it serves again", "s", 30),
]
UPDATE_ROWS = [
    (f"update stage from a file, tried out on copies of {BACKED_UP} devices", "s", None),
    ("update apply, until the new version serves", "s", None),
    ("update rollback, until the old version serves", "s", None),
]


# --- a call, by each way in ----------------------------------------------------------------------


def calls(put) -> None:
    with mock.patch.dict(os.environ, ALONE), rig.demo(20) as site, rig.state_dir() as place:
        read = {"device": site["devices"][0]["name"], "menu": "/ip/address"}
        wanted = {
            "device.list": ("tools/call", {"name": "device.list", "arguments": {}}),
            "menu.read within the cache's age": ("tools/call", {"name": "menu.read", "arguments": read}),
            "plan.list": ("tools/call", {"name": "plan.list", "arguments": {}}),
            "tools/list": ("tools/list", {}),
        }
        add_devices(place / "s", site["devices"])
        with Wire(place / "s") as mcp:
            mcp.open()
            for name, (method, params) in wanted.items():
                called(put, f"stdio, {name}", mcp, lambda method=method, params=params: mcp.ask(method, params))
        with daemon(place) as served, contextlib.closing(served.connect()) as wire:
            token = served.token("bench")
            for name, (method, params) in wanted.items():
                asked = modern(token, method, params)
                called(put, f"HTTP, {name}", served, lambda asked=asked: answered(wire, asked))


def called(put, name: str, of, work) -> None:
    work()
    before, times = of.cpu(), []
    for _ in range(CALLS):
        began = time.perf_counter()
        work()
        times.append(ms(time.perf_counter() - began))
    put(f"{name}, CPU", ms(of.cpu() - before) / CALLS)
    put(f"{name}, p50", p50(times))
    put(f"{name}, p99", p99(times))


# --- idle writes ---------------------------------------------------------------------------------


def idle(put) -> None:
    """A daemon that polls as usual, and flushes of it counted by strace: that counts what reaches the disk, whoever asks for it."""
    lending = {"ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false", "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false"}
    with mock.patch.dict(os.environ, lending), rig.demo(IDLE) as site, rig.state_dir() as place:
        add_devices(place / "s", site["devices"])
        env = {name: value for name, value in os.environ.items() if name not in lending}
        with rig.serve(place / "s", env) as ready:
            served = Daemon(place / "s", ready, tls=False)
            progress(f"leaving {IDLE} devices to the health checks for {IDLE_SETTLE + IDLE_WATCH:.0f} s")
            time.sleep(IDLE_SETTLE)
            began, written, cpu = time.monotonic(), served.written(), served.cpu()
            flushes = flushes_of(ready["pid"], IDLE_WATCH, place / "flushes")
            took = time.monotonic() - began
            kind = f"{IDLE} devices polled, nobody asks"
            put(f"{kind}: written", (served.written() - written) / took * 86_400 / 1e6)
            put(f"{kind}: CPU share", 100 * (served.cpu() - cpu) / took)
            put(f"{kind}: flushes", flushes / took * 60)


def flushes_of(pid: int, seconds: float, out: Path) -> int:
    """Calls that wait for the disk, within this time."""
    expect(shutil.which("strace"), "strace is not installed")
    command = ["strace", "-f", "-qq", "-e", "trace=fsync,fdatasync,sync_file_range,msync", "-o", str(out), "-p", str(pid)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as tracer:
        try:
            tracer.wait(seconds)
        except subprocess.TimeoutExpired:
            tracer.send_signal(signal.SIGINT)
        else:
            raise rig.Failed(f"strace: {rig.short(tracer.stderr.read().decode())}")
    return sum("sync" in line and "resumed" not in line for line in out.read_text().splitlines())


# --- backups -------------------------------------------------------------------------------------


def backups(put) -> None:
    with mock.patch.dict(os.environ, ALONE), rig.demo(BACKED_UP) as site, rig.state_dir() as place:
        add_devices(place / "s", site["devices"])
        asked_all(place / "s", site["devices"])
        key = place / "passphrase"
        key.touch(mode=0o600)
        key.write_text(PASSPHRASE)
        made, took = [], []
        with Wire(place / "s") as holder:
            holder.open()
            for number in range(BACKUPS):
                made.append(place / f"{number}.age")
                began = time.perf_counter()
                rig.cli(place / "s", "backup", "create", "--out", str(made[-1]), "--passphrase-file", str(key), "--include-master-key").json()
                took.append(time.perf_counter() - began)
        put(f"backup create, {BACKED_UP} devices", p50(took))
        put(f"its size, {BACKED_UP} devices", made[-1].stat().st_size / 1e3)
        took = []
        for number, backup in enumerate(made):
            began = time.perf_counter()
            rig.cli(place / f"r{number}", "backup", "restore", str(backup), "--passphrase-file", str(key), "--yes", seconds=120).json()
            with Wire(place / f"r{number}") as mcp:
                mcp.open()
                result, _ = mcp.call("device.list", {"limit": 500})
                took.append(time.perf_counter() - began)
                expect(len(result["structuredContent"]["rows"]) == BACKED_UP, "devices are missing after the restore")
        put(f"backup restore, {BACKED_UP} devices, until it serves again", p50(took))


def asked_all(data_dir: Path, routers: list[dict]) -> None:
    with Wire(data_dir) as mcp:
        mcp.open()
        for router in routers:
            mcp.call("system.get_overview", {"device": router["name"]})


# --- updates -------------------------------------------------------------------------------------


def updates(put) -> None:
    """From this binary to a copy of it that calls itself newer, and back, on a site of 100 devices."""
    for tool in ("minisign", "tar"):
        expect(shutil.which(tool), f"{tool} is not installed")
    with mock.patch.dict(os.environ, ALONE), rig.demo(BACKED_UP) as site, rig.state_dir() as place:
        add_devices(place / "s", site["devices"])
        bundle, key, old, new = bundled(place)
        program = place / "bin" / "routeros-mcp"
        program.parent.mkdir()
        shutil.copy2(rig.BINARY, program)
        env = {**os.environ, **SETTINGS, "ROUTEROS_MCP_UPDATE_PUBLIC_KEYS": key, "ROUTEROS_MCP_MCP_HTTP_PORT": str(free_port())}
        with mock.patch.object(rig, "BINARY", program), mock.patch.dict(os.environ, env), rig.serve(place / "s", env) as ready:
            secret = place / "password"
            secret.touch(mode=0o600)
            secret.write_text(PASSPHRASE)
            rig.cli(place / "s", "user", "add", "anna", "--role", "admin", "--password-file", str(secret)).json()
            began = time.perf_counter()
            rig.cli(place / "s", "update", "stage", "--file", str(bundle), seconds=120).json()
            put(UPDATE_ROWS[0][0], time.perf_counter() - began)
            for row, words, version in ((1, ("apply", new), new), (2, ("rollback",), old)):
                began = time.perf_counter()
                said = rig.cli(place / "s", "update", *words, "--user", "anna", "--password-file", str(secret), "--yes", seconds=120)
                expect(said.code == 0, f"update {words[0]}: {rig.short(said.err or said.out)}")
                serves(ready["http"], version)
                put(UPDATE_ROWS[row][0], time.perf_counter() - began)


def free_port() -> int:
    """A port that stays the same over a restart."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]


def serves(url: str, version: str) -> None:
    """Waits until this version answers."""
    until = time.monotonic() + 90
    while time.monotonic() < until:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{url}/metrics", timeout=5) as answer:
            if f'version="{version}"' in answer.read().decode():
                return
        time.sleep(0.02)
    raise rig.Failed(f"version {version} does not answer")


def bundled(place: Path) -> tuple[Path, str, str, str]:
    """A signed bundle of a newer version, the public key, and both versions' numbers.

    The newer one is this binary with its number changed in place: what is measured is the way, not what is in a release.
    """
    said = json.loads(subprocess.run([rig.BINARY, "--json", "version"], capture_output=True, check=True, stdin=subprocess.DEVNULL).stdout)
    old, target = said["version"], said["target"]
    new = old[:-1] + str((int(old[-1]) + 1) % 10)
    expect(new > old, f"no number of the same length after {old}")
    program = rig.BINARY.read_bytes().replace(old.encode(), new.encode())
    at = place / "release"
    at.mkdir()
    artifact = at / f"routeros-mcp-{new}.gz"
    artifact.write_bytes(gzip.compress(program, 6))
    found = {"target": target, "kind": "bin", "url": artifact.name, "size": artifact.stat().st_size, "unpacked_size": len(program)}
    found["sha256"] = hashlib.sha256(artifact.read_bytes()).hexdigest()
    now = time.time()
    moments = {name: time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + after)) for name, after in (("released", -60), ("stale_after", 7_000_000))}
    manifest = {"format": 1, "product": "routeros-mcp", "channel": "stable", "seq": 1, "version": new, **moments, "severity": "feature"}
    manifest |= {"notes_url": None, "notes": None, "min_from_version": old, "artifacts": [found]}
    manifest |= {"schema": {"store": schema(), "store_min_readable": 1, "config": 1}}
    (at / "latest.json").write_text(json.dumps(manifest))
    subprocess.run(["minisign", "-G", "-W", "-p", at / "key.pub", "-s", at / "key"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    bundle = place / "bundle.tar"
    subprocess.run([rig.ROOT / "scripts" / "release-sign", at / "key", at / "latest.json", artifact, bundle], check=True, capture_output=True, stdin=subprocess.DEVNULL)
    with tarfile.open(bundle) as tar:
        expect(len(tar.getnames()) == 3, "the bundle is not whole")
    return bundle, (at / "key.pub").read_text().splitlines()[1], old, new


def schema() -> int:
    """Of the store, as scripts/packages/manifest.py takes it."""
    text = (rig.ROOT / "src" / "store" / "migrate.rs").read_text()
    return int(text.split("pub const SCHEMA: u32 = ")[1].split(";")[0])
