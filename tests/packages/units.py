"""The unit files as systemd reads them, and the words between the release binary and a notify socket."""

import configparser
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from checks import PATIENCE, ROOT, check, is_absent, run, until

UNITS = ROOT / "systemd"
SERVICES = ["routeros-mcp.service", "routeros-mcp@.service", "routeros-mcp-stdio@.service", "routeros-mcp-update.service"]
# The highest exposure that systemd-analyze may find, tenths: 12 is the bar, and root's one-shot without a network has one of its own.
EXPOSURE = {"routeros-mcp.service": 12, "routeros-mcp@.service": 12, "routeros-mcp-stdio@.service": 12, "routeros-mcp-update.service": 15}
# What a service has of its own; all else below its line "what it may not do" is the same in each.
MARK = "# --- what it may not do"


def all_of_it(binary):
    if shutil.which("systemd-analyze"):
        for name in ("as a package has them", "as self-update has them"):
            check(f"units: systemd-analyze verify is silent, {name}", verifies, binary, "self-update" in name)
        for unit, most in EXPOSURE.items():
            check(f"units: {unit} is exposed by {most / 10} at most", exposure, unit, most)
    else:
        is_absent("systemd-analyze", "units were not verified or scored")
    check("units: services are confined by the same lines", same_lines)
    if os.geteuid() == 0:
        for unit in SERVICES[:2]:
            check(f"units: {unit} is given what root left in its state, and no file of root's that was linked there", gives, unit)
    else:
        is_absent("root", "what a unit does as root before its start was not tried")
    check("units: a service comes back more often than the guard counts", outlives_the_guard)
    check("units: shellcheck has nothing to say of guard and package scripts", shells)
    check("notify: ready, fed, reloading, ready again, stopping, in systemd's words", notify, binary)
    check("notify: a process that hangs feeds no watchdog", hangs, binary)
    if shutil.which("systemd-socket-activate"):
        check("sockets: a passed socket is served under its name", activated, binary)
    else:
        is_absent("systemd-socket-activate", "socket activation was tested by tests/sockets.rs alone")


def verifies(binary, with_self_update):
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        at = root / "usr/lib/systemd/system"
        shutil.copytree("/lib/systemd/system", at, symlinks=True)
        shutil.copytree(UNITS, at, dirs_exist_ok=True, ignore=shutil.ignore_patterns("debian", "10-*", "*-update.*", "*.toml"))
        programs = ["/bin/kill", "/bin/sh", "/usr/bin/find", "/usr/bin/routeros-mcp"]
        if with_self_update:
            shutil.copytree(UNITS, at, dirs_exist_ok=True, ignore=shutil.ignore_patterns("debian", "*.toml"))
            programs += ["/usr/local/bin/routeros-mcp", "/usr/local/lib/routeros-mcp/routeros-mcp-guard", "/var/lib/routeros-mcp-bin/current/routeros-mcp"]
        for program in programs:
            path = root / program[1:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
            path.chmod(0o755)
        ours = sorted(path.name.replace("@.", "@x.") for path in at.glob("routeros-mcp*.*") if path.is_file())
        assert len(ours) == (9 if with_self_update else 7), ours
        said = run("systemd-analyze", "verify", "--man=no", f"--root={root}", *ours)
        assert not [line for line in said.splitlines() if "routeros-mcp" in line], said


def exposure(unit, most):
    said = run("systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={most}", UNITS / unit)
    return re.search(r"exposure level for \S+: ([0-9.]+)", said)[1]


def lines_of(unit):
    text = (UNITS / unit).read_text()
    lines = text[text.index(MARK) :].split("\n[Install]")[0].splitlines()
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def same_lines():
    first = lines_of(SERVICES[0])
    assert first.count("\n") > 25
    assert lines_of(SERVICES[1]) == first
    # No network at all: one family less.
    assert lines_of(SERVICES[2]) == first.replace("AF_INET AF_INET6 AF_UNIX", "AF_UNIX")


def gives(unit):
    """The unit's own line, for another directory and user."""
    line = next(line for line in (UNITS / unit).read_text().splitlines() if line.startswith("ExecStartPre=-+/usr/bin/find "))
    with tempfile.TemporaryDirectory() as scratch:
        state, shadow = Path(scratch) / "state", Path(scratch) / "shadow"
        (state / "deeper").mkdir(parents=True)
        (state / "deeper/left").write_text("by root's command line")
        shadow.write_text("root's own")
        # What fs.protected_hardlinks forbids elsewhere, and not every kernel does.
        os.link(shadow, state / "linked")
        (state / "symlink").symlink_to(shadow)
        words = line.removeprefix("ExecStartPre=-+").replace("routeros-mcp:routeros-mcp", "65534:65534").split()
        run(*[str(state) if word.startswith("%S/") else word for word in words])
        owners = {str(path.relative_to(scratch)): path.lstat().st_uid for path in Path(scratch).rglob("*")}
        assert owners.pop("shadow") == owners.pop("state/linked") == 0, "root's file was given away"
        assert set(owners.values()) == {65534}, owners


def outlives_the_guard():
    guard = int(re.search(r"^most=(\d+)$", (UNITS / "routeros-mcp-guard").read_text(), re.M)[1])
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read(UNITS / "routeros-mcp.service")
    # Two bad starts, the one that goes back, and one to spare.
    assert int(unit["Unit"]["StartLimitBurst"]) > guard + 2
    assert unit["Service"]["Restart"] == "always"


def shells():
    scripts = [UNITS / "routeros-mcp-guard", *sorted((UNITS / "debian").glob("p*")), ROOT / "tests/packages/boot.sh"]
    run("shellcheck", *scripts)


class Served:
    """`serve` with a notify socket of ours."""

    def __init__(self, binary):
        self.dir = tempfile.TemporaryDirectory()
        at = Path(self.dir.name)
        self.manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.manager.bind(str(at / "notify"))
        self.manager.settimeout(PATIENCE)
        environment = {"PATH": os.environ["PATH"], "NOTIFY_SOCKET": str(at / "notify"), "WATCHDOG_USEC": "400000", "STATE_DIRECTORY": str(at / "state")}
        environment |= {"RUNTIME_DIRECTORY": str(at / "run"), "ROUTEROS_MCP_MCP_HTTP_PORT": "0", "ROUTEROS_MCP_LOG_TARGET": "stderr"}
        self.process = subprocess.Popen([binary, "serve"], env=environment, stderr=subprocess.DEVNULL, cwd=at)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.manager.close()
        self.dir.cleanup()

    def hears(self, word):
        """The next message with this in it, and those before."""
        seen = []
        while True:
            seen.append(self.manager.recv(4096).decode())
            if word in seen[-1]:
                return seen


def notify(binary):
    with Served(binary) as served:
        began = time.monotonic()
        assert "STATUS=" in served.hears("READY=1")[-1]
        ready = time.monotonic() - began
        for _ in range(3):
            served.hears("WATCHDOG=1")
        served.process.send_signal(signal.SIGHUP)
        assert re.search(r"MONOTONIC_USEC=\d+", served.hears("RELOADING=1")[-1])
        served.hears("READY=1")
        served.process.send_signal(signal.SIGTERM)
        began = time.monotonic()
        served.hears("STOPPING=1")
        assert served.process.wait(PATIENCE) == 0
        stopped = time.monotonic() - began
        assert stopped < 1, f"stopping idle took {stopped:.1f} s"
        return f"ready after {ready:.2f} s, stopped within {stopped:.2f} s"


def hangs(binary):
    with Served(binary) as served:
        served.hears("READY=1")
        served.hears("WATCHDOG=1")
        served.process.send_signal(signal.SIGSTOP)
        until(lambda: Path(f"/proc/{served.process.pid}/stat").read_text().split()[2] == "T", "it stands")
        served.manager.setblocking(False)
        try:
            while True:
                served.manager.recv(4096)
        except BlockingIOError:
            pass
        # Three times what systemd would wait; nothing may come.
        served.manager.settimeout(1.2)
        try:
            raise AssertionError(f"it said {served.manager.recv(4096)}")
        except TimeoutError:
            pass


def activated(binary):
    with tempfile.TemporaryDirectory() as scratch, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        words = ["systemd-socket-activate", "-l", f"127.0.0.1:{port}", "--fdname=https", "-E", f"STATE_DIRECTORY={scratch}/s", "-E", f"RUNTIME_DIRECTORY={scratch}/r"]
        words += ["-E", "ROUTEROS_MCP_HTTP_TLS=self-signed", "-E", "ROUTEROS_MCP_LOG_TARGET=stderr", binary, "serve"]
        process = subprocess.Popen(words, stderr=subprocess.DEVNULL)
        try:
            # The first connection is what starts it.
            said = until(lambda: subprocess.run(["curl", "-fsk", "-m", "20", f"https://127.0.0.1:{port}/health/live"], capture_output=True, text=True).stdout, "an answer")
            assert json.loads(said), said
        finally:
            process.terminate()
            process.wait(PATIENCE)
