"""The binary, started by what the init script told the stub: every word and variable must be one that it knows."""

import contextlib
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import time
import urllib.request
from pathlib import Path

from checks import ROOT
from init_cases import Box, instance

# A start under emulation takes longer than one on the machine itself.
PATIENCE = 60


def run(checks, bin_dir, scratch, binary, emulator=()):
    name = "emulated" if emulator else "live"
    # State in memory would be refused, so it lies in the repository's own target directory.
    place = ROOT / "target" / f"openwrt-{name}-{os.getpid()}"
    try:
        with started(checks, bin_dir, place, scratch, binary, list(emulator), name) as (process, box, port):
            if process:
                serves(checks, box, process, port, binary, bool(emulator), name)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def started(checks, bin_dir, place, scratch, binary, emulator, name):
    port = free_port()
    # Every option that becomes an argument or a variable.
    settings = {"enabled": "1", "listen": f"127.0.0.1:{port}", "data_dir": str(place / "state/data"), "log_level": "info"}
    settings |= {"cache_mb": "4", "flush_seconds": "60"}
    box = Box(bin_dir, place, settings, {"etc/config.toml": (ROOT / "openwrt/files/config.toml").read_text()})
    runtime = Path(scratch / f"run-{name}")
    box.more = {"STUB_PROG": str(binary), "STUB_RUNTIME": str(runtime)}
    # The stub's mounts are a router's, and may call the directory one in memory; so this variable is tried as well.
    box.settings["volatile"] = "1"
    box.ask("start", **box.more)
    kept = instance(box.calls())
    if not checks.that(f"{name}: the script starts an instance", "command" in kept, box.record()):
        yield None, box, port
        return
    for directory in (place / "state/data", runtime):
        directory.mkdir(parents=True, mode=0o700)
        directory.chmod(0o700)
    env = dict(word.split("=", 1) for word in kept["env"])
    more = emulators_own(emulator, binary) if emulator else 0
    log = place / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [*emulator, *kept["command"]], env=env, stdout=out, stderr=out, stdin=subprocess.DEVNULL, preexec_fn=limits(kept["limits"], more)
        )
    try:
        yield process, box, port
        if more:
            print(f"{name}: the emulator's own {more >> 20} MiB were allowed on top of the program's 64")
    finally:
        process.kill()
        process.wait()


def emulators_own(emulator, binary):
    """Bytes of data below which the emulator does not even print a version: its buffer for translated code. Not the program's, so it is allowed on top."""
    low, high = 0, 4096

    def works(mib):
        bound = limits([f"data={mib << 20} {mib << 20}"])
        return subprocess.run([*emulator, binary, "version"], env={}, capture_output=True, preexec_fn=bound).returncode == 0

    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if works(middle) else (middle, high)
    return high << 20


def limits(words, more=0):
    """As procd sets them, before the program is there; MORE is added to the limit of data."""
    kinds = {"core": resource.RLIMIT_CORE, "nofile": resource.RLIMIT_NOFILE, "data": resource.RLIMIT_DATA}
    pairs = [word.split("=", 1) for word in words]
    wanted = [(kinds[name], tuple(int(number) + (more if name == "data" else 0) for number in value.split())) for name, value in pairs]

    def set_all():
        for kind, (soft, hard) in wanted:
            resource.setrlimit(kind, (soft, hard))

    return set_all


def serves(checks, box, process, port, binary, emulated, name):
    began = time.monotonic()
    answer = asked(f"http://127.0.0.1:{port}/health/live", process)
    log = (box.place / "log").read_text(errors="replace")
    if not checks.that(f"{name}: serves under the limits, knows every variable and flag", answer == '{"status":"live"}', f"{answer} {process.poll()}\n{log[-2000:]}"):
        return
    text = memory(process.pid)
    print(f"{name}: /health/live after {time.monotonic() - began:.1f} s under 64 MB of data; {text}")
    odd = [line for line in log.splitlines() if re.search("unknown|deprecated|not yet|not used|ERROR", line)]
    checks.that(f"{name}: complains of nothing it was started with", not odd, "\n".join(odd))
    if emulated:
        return ended(checks, process, name)
    done = box.ask("cli", "device", "list", **box.more)
    checks.that(f"{name}: `cli` reaches the running appliance", done.returncode == 0, f"{done}")
    done = box.ask("setup_token", **box.more)
    checks.that(f"{name}: `setup_token` gives the address to begin at", "/admin/setup#setup=" in done.stdout + done.stderr, f"{done}")
    process.send_signal(signal.SIGHUP)
    deadline = time.monotonic() + PATIENCE
    while "SIGHUP" not in (box.place / "log").read_text(errors="replace") and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.05)
    checks.that(f"{name}: the reload signal is heard and ends nothing", "SIGHUP" in (box.place / "log").read_text(errors="replace") and process.poll() is None)
    second = subprocess.run([binary, "serve", "--data-dir", box.settings["data_dir"]], env={}, capture_output=True, text=True, timeout=PATIENCE)
    checks.that(f"{name}: a second one at the same state is turned away, so a restart has to wait", second.returncode == 75, second.stderr)
    ended(checks, process, name)


def ended(checks, process, name):
    process.terminate()
    try:
        code = process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        code = None
    checks.that(f"{name}: ends in order at SIGTERM", code == 0, f"{code}")


def asked(address, process):
    """The answer once it listens; nothing when it ended or time is over."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5) as response:
                return response.read().decode()
        except OSError:
            time.sleep(0.05)
    return None


def memory(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return ", ".join(" ".join(line.split()) for line in lines if line.startswith(("VmRSS", "VmData", "VmHWM")))
