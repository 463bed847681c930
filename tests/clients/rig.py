"""What the Python drivers share: the program, a demo site, a line-by-line MCP session, and the tally.

Standard library only: raw.py, holders.py, crash.py and scripts/bench run wherever python3 does.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import select
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve()
BINARY = Path(os.environ.get("RMCP_BIN") or TARGET / "release" / "routeros-mcp")
# Daemons side by side: each takes a free port for its listener.
os.environ.setdefault("ROUTEROS_MCP_MCP_HTTP_PORT", "0")

# Versions that open with `initialize`; the last one of all needs no handshake.
HANDSHAKES = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
STATELESS = "2026-07-28"

# Generous, because CI has two cores and other work: a hang fails, slowness does not. Seconds.
START = 60.0
ANSWER = 30.0
# At EOF and on SIGTERM an idle process leaves within this. Seconds.
LEAVE = 1.0


class Failed(Exception):
    """A claim that does not hold; its text is what the tally prints."""


def expect(claim: bool, why: object) -> None:
    """Fails the running check unless `claim` holds."""
    if not claim:
        raise Failed(str(why))


class Tally:
    """Counts checks, prints a line for each, and closes with the line that test runners read."""

    def __init__(self, name: str) -> None:
        self.name, self.passed, self.failed = name, 0, 0

    @contextlib.contextmanager
    def check(self, claim: str):
        """One claim. Whatever goes wrong inside counts against it, and the run goes on."""
        started = time.monotonic()
        try:
            yield
        except Exception as fault:  # a driver reports every fault as a failed claim
            self.failed += 1
            kind = "" if isinstance(fault, Failed) else f"{type(fault).__name__}: "
            print(f"  FAIL {claim}: {kind}{short(fault, 1500)}", flush=True)
        else:
            self.passed += 1
            print(f"  ok   {claim} ({(time.monotonic() - started) * 1000:.0f} ms)", flush=True)

    def finish(self) -> int:
        """Prints the closing line and gives the exit code. No check at all is a failure."""
        if self.passed + self.failed == 0:
            self.failed = 1
        print(f"{self.name}: {self.passed} passed, {self.failed} failed", flush=True)
        return 1 if self.failed else 0


def short(value: object, limit: int = 300) -> str:
    """`value` as text on one line, cut at `limit` characters."""
    text = value if isinstance(value, str) else str(value) if isinstance(value, Exception) else json.dumps(value, default=str)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[:limit] + " …"


# --- processes ---------------------------------------------------------------------------------


def spawn(args: list[str], **options) -> subprocess.Popen:
    """Starts the program. Each child leads a process group, so that `kill` reaches what it started."""
    return subprocess.Popen([str(BINARY), *args], start_new_session=True, **options)


def kill(child: subprocess.Popen) -> None:
    """Ends a child and its children the hard way and reaps it. Safe to call twice."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@contextlib.contextmanager
def state_dir():
    """A fresh directory on the disk that holds target/ (the program refuses tmpfs), short enough for a socket path."""
    base = TARGET / "t"
    base.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=base))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def read_line(fd: int, child: subprocess.Popen, seconds: float) -> bytes:
    """One line from `fd`, or Failed when the child ends or the time is up."""
    deadline, got = time.monotonic() + seconds, b""
    while not got.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise Failed(f"no ready line within {seconds:.0f} s")
        ready, _, _ = select.select([fd], [], [], min(left, 0.2))
        chunk = os.read(fd, 65536) if ready else b""
        got += chunk
        if (ready and not chunk) or (not ready and child.poll() is not None):
            raise Failed(f"ended with exit code {child.wait()} before it was ready")
    return got


@contextlib.contextmanager
def started(args: list[str], ready_flag: str, log: Path, seconds: float = START, env: dict | None = None):
    """Runs `args` until the block ends and yields its ready line as JSON, with the process under `process`."""
    mine, theirs = os.pipe()
    with log.open("wb") as errors:
        child = spawn([*args, ready_flag, str(theirs)], pass_fds=[theirs], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors, env=env)
    os.close(theirs)
    try:
        try:
            ready = json.loads(read_line(mine, child, seconds))
        except (Failed, ValueError) as fault:
            raise Failed(f"{' '.join(args)}: {fault}; it said: {short(log.read_text(errors='replace'))}") from None
        ready["process"] = child
        yield ready
        if child.poll() is None:
            child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(10)
    finally:
        os.close(mine)
        kill(child)


@contextlib.contextmanager
def demo(devices: int | None = None):
    """A demo site: simulated routers and the appliance that manages them.

    The ready line: `{"ready":true,"data_dir","command","args":[…],"control","devices":[{"id","name","profile","address",
    "rest_port","ssh_port","username","password","environment"}]}`; `command` with `args` is a stdio server on it.
    """
    size = ["--devices", str(devices)] if devices else []
    patience = START + (devices or 0) / 5
    with state_dir() as place, started(["--json", "demo", *size], "--ready-fd", place / "demo.log", patience) as ready:
        expect(ready.get("devices"), "demo: its ready line names no devices")
        yield ready


def serve_log(data_dir: Path) -> Path:
    """Where the daemon's standard error goes."""
    return data_dir.with_suffix(".serve.log")


@contextlib.contextmanager
def serve(data_dir: Path, env: dict | None = None):
    """The daemon on `data_dir`; yields its ready line."""
    with started(["--data-dir", str(data_dir), "serve"], "--once-ready-fd", serve_log(data_dir), env=env) as ready:
        yield ready
    serve_log(data_dir).unlink(missing_ok=True)


class Ran:
    """A command that ended."""

    def __init__(self, done: subprocess.CompletedProcess) -> None:
        self.code, self.out, self.err = done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")

    def json(self):
        """Standard output as JSON, or Failed with what it said instead."""
        expect(self.code == 0, f"exit code {self.code}: {short(self.err or self.out)}")
        try:
            return json.loads(self.out)
        except ValueError:
            raise Failed(f"not JSON on standard output: {short(self.out)}") from None


def cli(data_dir: Path, *args: str, seconds: float = ANSWER) -> Ran:
    """Runs one command with `--json` on `data_dir` to its end."""
    command = [str(BINARY), "--json", "--data-dir", str(data_dir), *args]
    return Ran(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=False))


def add_args(router: dict, name: str, secrets: Path) -> list[str]:
    """`device add` for one of the demo's routers; its password goes into a file of its own under `secrets`."""
    held = secrets / f"{name}.password"
    if not held.exists():
        held.touch(mode=0o600)
        held.write_text(router["password"])
    args = ["device", "add", "--name", name, "--address", router["address"], "--rest-port", str(router["rest_port"])]
    if router.get("ssh_port"):
        args += ["--ssh-port", str(router["ssh_port"])]
    return [*args, "--username", router["username"], "--password-file", str(held), "--yes"]


def change(site: dict, device: str) -> None:
    """A change of a device's record, which subscribers hear of."""
    tag = f"round={time.monotonic_ns()}"
    cli(site["data_dir"], "device", "update", device, "--tag", tag).json()


def prompt_arguments(names: list[str], device: str) -> dict[str, str]:
    """A value for each argument a prompt takes."""
    known = {"device": device, "environment": "lab"}
    return {name: known.get(name, "what the person says") for name in names}


def ask_router(router: dict, path: str):
    """GET of one REST path straight from a simulated router: what is true there."""
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    keys = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    url = f"https://{router['address']}:{router['rest_port']}/rest{path}"
    keys.add_password(None, url, router["username"], router["password"])
    ways = (urllib.request.HTTPSHandler(context=trust), urllib.request.HTTPBasicAuthHandler(keys))
    with urllib.request.build_opener(*ways).open(url, timeout=ANSWER) as answer:
        return json.load(answer)


# --- MCP over a child's stdin and stdout ---------------------------------------------------------


class Session:
    """An MCP session with a child, one JSON-RPC message a line, nothing hidden by a library."""

    def __init__(self, command: list[str], env: dict | None = None) -> None:
        self.stderr = tempfile.TemporaryFile()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.stderr}
        self.child = subprocess.Popen(command, start_new_session=True, env={**os.environ, **(env or {})}, **pipes)
        self.lines: queue.Queue[bytes | None] = queue.Queue()
        self.next_id, self.stateless = 0, False
        threading.Thread(target=self._pump, daemon=True).start()

    def _pump(self) -> None:
        for line in self.child.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def said(self) -> str:
        """What the child wrote to standard error so far."""
        self.stderr.seek(0)
        return short(self.stderr.read().decode(errors="replace"))

    def send(self, message: dict | bytes) -> None:
        """One message, or raw bytes as they are (a line end is added)."""
        line = message if isinstance(message, bytes) else json.dumps(message, separators=(",", ":")).encode()
        self.child.stdin.write(line + b"\n")
        self.child.stdin.flush()

    def receive(self, seconds: float = ANSWER) -> bytes:
        """The next line as it came."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise Failed(f"no answer within {seconds:.0f} s; standard error: {self.said()}") from None
        if line is None:
            self.lines.put(None)
            raise Failed(f"closed its output (exit code {self.child.poll()}); standard error: {self.said()}")
        return line

    def exchange(self, method: str, params: dict | None = None, seconds: float = ANSWER) -> bytes:
        """Sends a request and gives the line that answers it; notifications in between are passed over."""
        self.next_id += 1
        self.send(self.request_of(self.next_id, method, params))
        deadline = time.monotonic() + seconds
        while True:
            line = self.receive(max(0.01, deadline - time.monotonic()))
            if json.loads(line).get("id") == self.next_id:
                return line

    def request_of(self, number: int, method: str, params: dict | None = None) -> dict:
        """A request as this session writes it: stateless ones carry the protocol version in `_meta`."""
        params = dict(params or {})
        if self.stateless:
            meta = {"protocolVersion": STATELESS, "clientInfo": {"name": "raw", "version": "1"}, "clientCapabilities": {}}
            params["_meta"] = {f"io.modelcontextprotocol/{key}": value for key, value in meta.items()} | params.get("_meta", {})
        return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}

    def request(self, method: str, params: dict | None = None, seconds: float = ANSWER) -> dict:
        """The whole answer to a request, `result` or `error`."""
        return json.loads(self.exchange(method, params, seconds))

    def result(self, method: str, params: dict | None = None, seconds: float = ANSWER) -> dict:
        """The `result` of a request, or Failed with its error."""
        answer = self.request(method, params, seconds)
        expect("result" in answer, f"{method}: {short(answer)}")
        return answer["result"]

    def call(self, tool: str, arguments: dict | None = None, seconds: float = ANSWER) -> dict:
        """`tools/call`: its result, an error result included."""
        return self.result("tools/call", {"name": tool, "arguments": arguments or {}}, seconds)

    def rows(self, tool: str, arguments: dict | None = None) -> dict:
        """`tools/call` that must succeed: its structured content."""
        result = self.call(tool, arguments)
        expect(not result.get("isError"), f"{tool}: {short(result)}")
        return result["structuredContent"]

    def open(self, version: str = HANDSHAKES[-1]) -> dict:
        """The handshake of `version`; the stateless one has none and asks `server/discover` instead."""
        if version == STATELESS:
            self.stateless = True
            return self.result("server/discover")
        hello = {"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}
        answer = self.result("initialize", hello)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def tools(self) -> list[dict]:
        """Every listed tool, all pages."""
        listed, cursor = [], None
        while True:
            page = self.result("tools/list", {"cursor": cursor} if cursor else {})
            listed += page["tools"]
            cursor = page.get("nextCursor")
            if not cursor:
                return listed

    def close(self, seconds: float = ANSWER) -> tuple[int, float]:
        """EOF on its stdin: the exit code, and how long it took to leave in seconds."""
        began = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.close()
        return self._left(began, seconds)

    def terminate(self, seconds: float = ANSWER) -> tuple[int, float]:
        """SIGTERM: the exit code, and how long it took to leave in seconds."""
        began = time.monotonic()
        self.child.terminate()
        return self._left(began, seconds)

    def _left(self, began: float, seconds: float) -> tuple[int, float]:
        try:
            return self.child.wait(seconds), time.monotonic() - began
        except subprocess.TimeoutExpired:
            raise Failed(f"still there {seconds:.0f} s later; standard error: {self.said()}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        kill(self.child)
        self.stderr.close()


def stdio(data_dir: Path, env: dict | None = None) -> Session:
    """`stdio` on a state directory: the holder of its store, or a bridge to whoever is."""
    return Session([str(BINARY), "--data-dir", str(data_dir), "stdio"], env)


# --- the table of good arguments -----------------------------------------------------------------


def arguments_for(tool: str, device: str) -> list[dict]:
    """The good arguments of `tool` from arguments.json, `$device` filled in. A tool without an entry fails.

    None at all: no arguments are good on a demo site (a bandwidth test needs a capability that no device there has).
    """
    table = json.loads((Path(__file__).parent / "arguments.json").read_text())
    expect(tool in table, f"no arguments for tool {tool}: add it to tests/clients/arguments.json")
    return [{key: device if value == "$device" else value for key, value in case.items()} for case in table[tool]]


def site_file() -> dict:
    """The ready line of the demo that run.py started (its path is the first argument)."""
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} READY.json (made by tests/clients/run.py)")
    return json.loads(Path(sys.argv[1]).read_text())
