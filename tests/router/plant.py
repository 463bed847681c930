"""One appliance with its routers: the program as an operator uses it, and what is left on a router afterwards."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import factory

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "clients"))
import rig  # noqa: E402
from rig import Failed, expect, short  # noqa: E402, F401

PERSON, SECRET = "anna", "a long enough passphrase 7"
CONFIG = """environment = "lab"
[mcp]
http_port = 0
stdio_role = "ops_rw"
tool_tiers = ["free", "basic", "professional"]
toolsets = ["all"]
[routeros]
requests_per_second = 100
rest_timeout_seconds = 4
connect_timeout_seconds = 2
retry_attempts = 1
retry_backoff_seconds = 0.3
[health_check]
enabled = false
[snapshot]
enabled = false
[plan]
guard_timeout = "30s"
confirm_timeout = "30s"
allow_extreme = true
batch_pause_seconds = 0
"""
CAPABILITIES = ("writes", "professional", "firewall", "routing", "wireless", "dhcp", "bridge", "system")
PREFIX = "mcp-guard"
_numbers = itertools.count()


def loopback(number: int) -> str:
    """An address of its own for each router of a run, however many; runs beside each other differ by their process."""
    high, low = divmod(number, 239)
    return f"127.{77 + high}.{os.getpid() % 250 + 1}.{11 + low}"


class Site:
    """A state directory, a daemon on it, and routers that it knows."""

    def __init__(self, place: Path, config: str = "") -> None:
        self.place, self.data = place, place / "d"
        self.config = place / "config.toml"
        self.config.write_text(CONFIG + config)
        self.routers: dict[str, object] = {}
        self.daemon: subprocess.Popen | None = None
        self.people = 0
        self.env = {**os.environ}
        for name, password in (("person", SECRET), ("router", factory.PASSWORD)):
            file = place / name
            file.touch(mode=0o600)
            file.write_text(password)

    # --- the program ---------------------------------------------------------------------------

    def start(self) -> None:
        """The daemon; back when it is ready."""
        mine, theirs = os.pipe()
        log = (self.place / "serve.log").open("ab")
        args = [str(rig.BINARY), "--config", str(self.config), "--data-dir", str(self.data), "serve", "--once-ready-fd", str(theirs)]
        self.daemon = subprocess.Popen(args, pass_fds=[theirs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, start_new_session=True, env=self.env)
        os.close(theirs)
        log.close()
        try:
            rig.read_line(mine, self.daemon, rig.START)
        except Failed as fault:
            raise Failed(f"{fault}: {short((self.place / 'serve.log').read_text(errors='replace')[-800:])}") from None
        finally:
            os.close(mine)

    def kill(self) -> None:
        """kill -9."""
        if self.daemon:
            rig.kill(self.daemon)
            self.daemon = None

    def stop(self) -> None:
        """The end, in good order."""
        if self.daemon:
            self.daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.daemon.wait(5)
            rig.kill(self.daemon)
        for router in self.routers.values():
            router.stopping = True
            router.doors.close()
            router.shell.close()

    def run(self, *args: str, seconds: float = 120, stdin: str | None = None) -> rig.Ran:
        """One command of the program."""
        command = [str(rig.BINARY), "--json", "--config", str(self.config), "--data-dir", str(self.data), *args]
        done = subprocess.run(command, input=stdin.encode() if stdin else None, stdin=None if stdin else subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False, env=self.env)
        return rig.Ran(done)

    # --- routers -------------------------------------------------------------------------------

    def router(self, name: str = "edge", version: str = "7.23.2", ssh: bool = True, capabilities=CAPABILITIES, add: bool = True, **options):
        """A router, and its device record."""
        made = options.pop("make", factory.router)(self.place, loopback(next(_numbers)), version, **options)
        self.routers[name] = made
        if add:
            self.add(name, made, ssh, capabilities).json()
            made.rest.requests.clear()
        return made

    def add(self, name: str, made, ssh: bool = True, capabilities=CAPABILITIES, user: str = factory.USER) -> rig.Ran:
        """`device add`."""
        args = ["device", "add", "--name", name, "--address", made.address, "--rest-port", str(made.rest_port), "--ssh-port", str(made.ssh_port if ssh else 9), "--username", user, "--password-file", str(self.place / "router"), "--yes"]
        for one in capabilities:
            args += ["--capability", one]
        return self.run(*args)

    def call(self, tool: str, **arguments) -> dict:
        """`tool call`: the structured content, or Failed."""
        made = self.run("tool", "call", tool, "--args", json.dumps(arguments))
        return made.json()["structuredContent"]

    # --- plans ---------------------------------------------------------------------------------

    def person(self) -> None:
        """People who may approve: extreme plans need two."""
        if not self.people:
            for name in (PERSON, "bert"):
                self.run("user", "add", name, "--role", "approver", "--password-file", str(self.place / "person")).json()
            self.people = 2

    def draft(self, edits: list[dict], devices=("edge",), **more) -> dict:
        """`plan create`, which must succeed."""
        made = self.try_draft(edits, devices, **more)
        expect(made.code == 0, f"plan create: exit code {made.code}: {short(made.err or made.out, 900)}")
        return json.loads(made.out)

    def try_draft(self, edits: list[dict], devices=("edge",), **more) -> rig.Ran:
        """`plan create`, whatever comes of it."""
        plan = {"devices": list(devices), "reason": "a scenario", "edits": edits, **more}
        return self.run("plan", "create", "--file", "-", stdin=json.dumps(plan))

    def approve(self, plan: dict) -> None:
        """Whoever it takes."""
        needed = plan["approvals"]["needed"] - len(plan["approvals"].get("given", []))
        if needed:
            self.person()
        for name in (PERSON, "bert")[:needed]:
            made = self.run("plan", "approve", plan["id"], "--user", name, "--password-file", str(self.place / "person"), "--yes")
            expect(made.code == 0, f"plan approve: {short(made.err or made.out)}")

    def apply(self, plan: dict, wait: bool = True) -> rig.Ran:
        """`plan apply`."""
        return self.run("plan", "apply", plan["id"], *(["--wait"] if wait else []), seconds=240)

    def begun(self, edits: list[dict], devices=("edge",), wait: bool = True, **more) -> dict:
        """A plan as it was drafted, then approved by whoever it takes, and applied."""
        plan = self.draft(edits, devices, **more)
        self.approve(plan)
        self.apply(plan, wait)
        return plan

    def confirm(self, plan: dict) -> rig.Ran:
        """`plan confirm`, by a person."""
        self.person()
        return self.run("plan", "confirm", plan["id"], "--user", PERSON, "--password-file", str(self.place / "person"))

    def show(self, plan: dict) -> dict:
        """`plan show`."""
        return self.run("plan", "show", plan["id"]).json()

    def settled(self, plan: dict, seconds: float = 150) -> dict:
        """The plan once nothing moves any more."""
        ends = time.monotonic() + seconds
        while True:
            view = self.show(plan)
            if view["state"] not in ("draft", "approved", "executing") or time.monotonic() > ends:
                return view
            time.sleep(0.5)

    def through(self, edits: list[dict], devices=("edge",), seconds: float = 150, **more) -> dict:
        """Draft, approve, apply, and the end of it."""
        plan = self.draft(edits, devices, **more)
        self.approve(plan)
        self.apply(plan)
        return self.settled(plan, seconds)


@contextlib.contextmanager
def site(config: str = "", daemon: bool = True):
    """A fresh appliance. Its directory is on the disk that holds target/."""
    base = rig.TARGET / "t"
    base.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="r", dir=base))
    made = Site(place, config)
    try:
        if daemon:
            made.start()
        yield made
    finally:
        made.stop()
        if not os.environ.get("ROUTER_KEEP"):
            shutil.rmtree(place, ignore_errors=True)


# --- what must hold on a router ----------------------------------------------------------------


def left_behind(router) -> list[str]:
    """Everything with our prefix, and every job."""
    tables = router.tables
    found = [f"{path} {row['name']}" for path in ("/system/script", "/system/scheduler") for row in tables.stored(path) if row["name"].startswith(PREFIX) or "guard" in row["name"]]
    found += [f"job {job['.id']}" for job in router.jobs]
    found += [f"file {row['name']}" for row in router.files]
    found += [f"variable {name}" for name in router.globals]
    return found


def difference(before: dict, after: dict) -> list[str]:
    """What two dumps of a router do not share, a menu a line. A flag written where it was absent and says the default is no difference."""
    made = []
    for path in sorted(set(before) | set(after)):
        old, new = before.get(path, []), after.get(path, [])
        if bare(path, old) != bare(path, new):
            made.append(f"{path}: {told(bare(path, old), bare(path, new))}")
    return made


def told(old, new) -> str:
    """What left and what came, a singleton by attribute."""
    if isinstance(old, dict) and isinstance(new, dict):
        return "; ".join(f"{key} was {old.get(key)!r} is {new.get(key)!r}" for key in sorted(set(old) | set(new)) if old.get(key) != new.get(key))
    gone, come = [row for row in old if row not in new], [row for row in new if row not in old]
    return f"was {short(gone, 2500)} is {short(come, 2500)}" if gone or come else "another order"


def bare(path: str, held):
    """Rows without flags that say what their absence says."""
    if not isinstance(held, list):
        return held
    usual = {("disabled", "false"), ("log", "false"), ("log-prefix", ""), ("comment", ""), ("dynamic", "false")}
    return [{key: value for key, value in row.items() if (key, value) not in usual} if isinstance(row, dict) else row for row in held]


def unchanged(router, before: dict) -> None:
    """The router is as it was, and holds nothing of ours."""
    wrong = difference(before, router.dump()) + left_behind(router)
    expect(not wrong, "; ".join(wrong) + f"; log: {short([line['message'] for line in router.lines if 'error' in line['topics'] or 'warning' in line['topics']][-6:], 600)}")


def honest(router) -> None:
    """The simulator itself made no mistake."""
    wrong = [line["message"] for line in router.lines if line["topics"].startswith("simulator")]
    expect(not wrong, f"SIMULATOR: {short(wrong, 3000)}")
