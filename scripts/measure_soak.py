"""scripts/bench --soak: hours of ordinary work, and whether anything grows that must not.

A daemon with 100 simulated routers, polled as usual; eight MCP sessions over HTTP that read steadily, two of which also listen;
a plan a minute that is drafted and applied by a program and approved by a person. One router stands behind a relay that is cut
for a minute every ten: the faults that brings are expected, and no others. Every 30 s a line of JSON is written, so that a run
that is cut off has its data; soak_verdict.py judges what there is. Standard library only.
"""

from __future__ import annotations

import collections
import contextlib
import http.client
import json
import os
import random
import re
import select
import signal
import socket
import statistics
import threading
import time
import urllib.request
from pathlib import Path
from unittest import mock

import musl_heap
import rig
from figures import ms, p99, progress
from measure_http import Daemon, head, request, session
from peers import add_devices
from rig import expect

DEVICES, SESSIONS, LISTENERS = 100, 8, 2
# Seconds between samples, between calls of a session, and between plans.
SAMPLE, PACE, PLAN = 30.0, 2.0, 60.0
# The relay is cut so often and so long, and what may still fail for it afterwards (breaker, back-off). Seconds.
CUT_EVERY, CUT, AFTER = 600.0, 60.0, 300.0
PASSWORD = "a-password-of-the-soak-71"
# The smallest cache of the store: full within the warm-up, as the usual 4 MiB are not before the store has as much in use.
SETTINGS = {"ROUTEROS_MCP_STORE_CACHE_MB": "1", "ROUTEROS_MCP_MCP_TRANSPORT": "http", "ROUTEROS_MCP_MCP_TOOLSETS": "all", "ROUTEROS_MCP_MCP_HTTP_PORT": "0"}
# The demo only lends its routers: it does not look after them itself.
LENDING = {"ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false", "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false"}

READS = [
    ("device.list", {}),
    ("fleet.get_summary", {}),
    ("audit.get_events", {"limit": 20}),
    ("plan.list", {"limit": 10}),
    ("system.get_overview", None),
    ("system.get_health", None),
    ("logs.get_recent", None),
    ("menu.read", "/interface"),
    ("menu.read", "/ip/address"),
    ("menu.read", "/ip/firewall/filter"),
    ("menu.read", "/ip/route"),
]


class Seen:
    """What all threads saw since the start, and since the last sample."""

    def __init__(self) -> None:
        self.lock, self.calls, self.plans, self.events, self.reconnects = threading.Lock(), 0, collections.Counter(), 0, 0
        self.errors, self.injected, self.times = collections.Counter(), collections.Counter(), []

    def call(self, took: float) -> None:
        with self.lock:
            self.calls += 1
            self.times.append(ms(took))

    def error(self, kind: str, injected: bool = False) -> None:
        with self.lock:
            (self.injected if injected else self.errors)[kind] += 1

    def plan(self, state: str) -> None:
        with self.lock:
            self.plans[state] += 1

    def told(self) -> dict:
        with self.lock:
            times, self.times = self.times, []
            said = {"calls": self.calls, "plans": dict(self.plans), "events": self.events, "reconnects": self.reconnects}
            said |= {"errors": dict(self.errors), "injected": dict(self.injected)}
            return said | {"p50_ms": round(statistics.median(times), 2) if times else None, "p99_ms": round(p99(times), 2) if times else None}


class Cut:
    """A relay in front of a router, closed from time to time."""

    def __init__(self, router: dict, began: float) -> None:
        self.router, self.began, self.open = router, began, True
        self.ends: set[socket.socket] = set()
        listeners = {part: socket.create_server(("127.0.0.1", 0)) for part in ("rest_port", "ssh_port")}
        self.seen_as = {**router, "address": "127.0.0.1", **{part: listener.getsockname()[1] for part, listener in listeners.items()}}
        for part, listener in listeners.items():
            threading.Thread(target=self._accept, args=(listener, part), daemon=True).start()

    def turn(self, now: float) -> None:
        """Opens or closes by the time since the start."""
        is_open = not self.is_cut(now)
        if self.open and not is_open:
            for end in list(self.ends):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
        self.open = is_open

    def is_cut(self, now: float, after: float = 0.0) -> bool:
        """Whether it is closed at this time, or was within `after` seconds."""
        since = now - self.began
        return since >= CUT_EVERY / 2 and (since - CUT_EVERY / 2) % CUT_EVERY < CUT + after

    def _accept(self, listener: socket.socket, part: str) -> None:
        while True:
            client, _ = listener.accept()
            if self.open:
                threading.Thread(target=self._relay, args=(client, part), daemon=True).start()
            else:
                client.close()

    def _relay(self, client: socket.socket, part: str) -> None:
        with contextlib.suppress(OSError), client, socket.create_connection((self.router["address"], self.router[part]), rig.ANSWER) as router:
            self.ends |= {client, router}
            other = {client: router, router: client}
            try:
                while True:
                    for end in select.select([client, router], [], [])[0]:
                        data = end.recv(1 << 16)
                        if not data:
                            return
                        other[end].sendall(data)
            finally:
                self.ends -= {client, router}


class Caller:
    """An MCP session over HTTP on one connection, by a token of its own."""

    def __init__(self, served: Daemon, token: str, seen: Seen) -> None:
        self.served, self.token, self.seen, self.number = served, token, seen, 0
        self.session = dict(line.split(": ", 1) for line in session(served, token).split("\r\n"))
        self.wire = http.client.HTTPConnection(served.host, served.port, timeout=rig.ANSWER * 2)

    def ask(self, method: str, params: dict) -> dict:
        """One request and its answer; a connection that was closed while it was idle is opened again."""
        self.number += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params})
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
        for last in (False, True):
            try:
                self.wire.request("POST", "/mcp", body, headers | self.session)
                answer = self.wire.getresponse()
                break
            except (http.client.RemoteDisconnected, ConnectionError):
                self.wire.close()
                if last:
                    raise
                self.seen.reconnects += 1
        said = answer.read().decode()
        expect(answer.status == 200, f"HTTP {answer.status}")
        if "event-stream" in answer.getheader("Content-Type", ""):
            said = next(line[5:] for line in reversed(said.splitlines()) if line.startswith("data:") and f'"id":{self.number}' in line.replace(" ", ""))
        found = json.loads(said)
        expect("result" in found, f"JSON-RPC {found.get('error', {}).get('code')}")
        return found["result"]

    def call(self, tool: str, arguments: dict) -> dict:
        began = time.perf_counter()
        result = self.ask("tools/call", {"name": tool, "arguments": arguments})
        self.seen.call(time.perf_counter() - began)
        return result


def kind_of(result: dict) -> str | None:
    """Why a call failed, in the program's own word."""
    return (result.get("structuredContent") or {}).get("error", {}).get("kind", "unsaid") if result.get("isError") else None


def read(caller: Caller, names: list[str], cut: Cut, number: int, stop: threading.Event) -> None:
    """One session's work: a call every two seconds, of a tool and a device by lot."""
    lot, due = random.Random(number), time.monotonic() + PACE * number / SESSIONS
    while not stop.wait(max(0.0, due - time.monotonic())):
        due = max(due + PACE, time.monotonic())
        tool, arguments = lot.choice(READS)
        device = lot.choice(names)
        if arguments is None or isinstance(arguments, str):
            arguments = {"device": device} | ({"menu": arguments} if arguments else {})
        try:
            kind = kind_of(caller.call(tool, arguments))
        except Exception as fault:  # whatever goes wrong is what this looks for
            kind = f"{type(fault).__name__}: {rig.short(fault, 80)}"
        if kind:
            mine = arguments.get("device") == cut.router["name"] and kind in ("unreachable", "busy")
            caller.seen.error(f"{tool}: {kind}", mine and cut.is_cut(time.monotonic(), AFTER))


def listen(served: Daemon, token: str, uris: list[str], seen: Seen, stop: threading.Event) -> None:
    """A session with a stream that hears of some resources; opened again when it is closed for silence."""
    while not stop.is_set():
        try:
            caller = Caller(served, token, seen)
            mine = "\r\n".join(f"{name}: {value}" for name, value in caller.session.items())
            with served.connect() as wire:
                wire.sendall(request(token, {}, mine, method="GET"))
                expect(" 200 " in head(wire)[0], "no stream")
                for uri in uris:
                    caller.ask("resources/subscribe", {"uri": uri})
                while not stop.is_set():
                    if select.select([wire], [], [], 1.0)[0]:
                        data = wire.recv(1 << 16)
                        if not data:
                            break
                        seen.events += data.count(b"data:")
        except Exception as fault:  # as above
            seen.error(f"stream: {type(fault).__name__}: {rig.short(fault, 80)}")
            stop.wait(PACE)


def change(caller: Caller, data_dir: Path, names: list[str], secret: Path, stop: threading.Event) -> None:
    """A plan a minute, from its draft to its end; every other one takes back what the one before added."""
    number, due = 0, time.monotonic() + PLAN / 4
    while not stop.wait(max(0.0, due - time.monotonic())):
        due, device = max(due + PLAN, time.monotonic()), names[number // 2 % len(names)]
        comment = f"soak {number // 2}"
        edit = {"menu": "/ip/firewall/filter", "op": "add"}
        edit["values"] = {"chain": "forward", "action": "accept", "protocol": "tcp", "dst-address": "10.20.60.9", "in-interface": "ether2", "comment": comment}
        if number % 2:
            edit = {"menu": "/ip/firewall/filter", "op": "remove", "match": {"comment": comment}}
        number += 1
        try:
            drafted = caller.call("plan.create", {"devices": [device], "reason": "soak", "confirm": "auto", "edits": [edit]})
            expect(not kind_of(drafted), f"draft: {rig.short(drafted.get('content'), 120)}")
            plan = drafted["structuredContent"]
            if plan["state"] == "draft":
                who = ["--digest", plan["short_digest"], "--user", "anna", "--password-file", str(secret)]
                approved = rig.cli(data_dir, "plan", "approve", plan["id"], *who)
                expect(approved.code == 0, f"approve: {rig.short(approved.err, 120)}")
            ended = caller.call("plan.apply", {"plan_id": plan["id"], "wait_seconds": 55})
            expect(not kind_of(ended), f"apply: {rig.short(ended.get('content'), 120)}")
            state = ended["structuredContent"]["state"]
            caller.seen.plan(state)
            if state != "confirmed":
                caller.seen.error(f"plan: {state}")
        except Exception as fault:  # as above
            caller.seen.error(f"plan: {rig.short(fault, 160)}")


# --- samples -------------------------------------------------------------------------------------


def fields(text: str) -> dict[str, int]:
    """`Name: 123 kB` lines as bytes."""
    return {name: int(size) * 1024 for name, size in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}


def parts(text: str) -> dict[str, int]:
    """Resident bytes by what they are for: program, libraries, the heap, other anonymous memory, files."""
    found: collections.Counter[str] = collections.Counter()
    kind = "other"
    for row in text.splitlines():
        if re.match(r"[0-9a-f]+-[0-9a-f]+ ", row):
            name = row.split(None, 5)[5] if len(row.split(None, 5)) > 5 else ""
            kind = "heap" if name == "[heap]" else "stack" if name == "[stack]" else "anonymous" if not name else "files"
        elif row.startswith("Rss:"):
            found[kind] += int(row.split()[1]) * 1024
    return dict(found)


def scraped(url: str) -> dict[str, float]:
    """Some counters of /metrics, summed over their labels."""
    found: collections.Counter[str] = collections.Counter()
    with urllib.request.urlopen(f"{url}/metrics", timeout=rig.ANSWER) as answer:
        for row in answer.read().decode().splitlines():
            name = re.match(r"(\w+)(?:\{([^}]*)\})? (\S+)$", row)
            if not name:
                continue
            if name[1] in ("store_bytes", "store_commits_total", "audit_records_total", "mcp_sessions_active", "mcp_sse_connections_active", "mcp_guards_armed"):
                found[name[1]] += float(name[3])
            if name[1] == "routeros_api_errors_total":
                kind = re.search(r'kind="(\w+)"', name[2] or "")
                found[f"router errors, {kind[1] if kind else 'unsaid'}"] += float(name[3])
    return dict(found)


def sample(place: Path, url: str, pid: int, began: float) -> dict:
    proc = Path(f"/proc/{pid}")
    status = fields((proc / "status").read_text())
    rollup = fields((proc / "smaps_rollup").read_text())
    log = rig.serve_log(place / "s").read_text(errors="replace")
    blocks = musl_heap.blocks(pid)
    return {
        "t": round(time.monotonic() - began, 1),
        "rss": status["VmRSS"],
        "anon": status["RssAnon"],
        "pss": rollup["Pss"],
        "peak": status["VmHWM"],
        "blocks": blocks and {"held": blocks[0], "free": blocks[1]},
        "parts": parts((proc / "smaps").read_text()),
        "fds": len(list((proc / "fd").iterdir())),
        "threads": len(list((proc / "task").iterdir())),
        "cpu": round(sum(int(task.read_text().split()[0]) for task in proc.glob("task/*/schedstat")) / 1e9, 2),
        "written": int(re.search(r"write_bytes: (\d+)", (proc / "io").read_text())[1]),
        "store": (place / "s" / "routeros-mcp.redb").stat().st_size,
        "audit": sum(file.stat().st_size for file in (place / "s" / "audit").iterdir()),
        "log": {level: log.count(f'"{level}"') for level in ("WARN", "ERROR")},
        "metrics": scraped(url),
    }


def run(hours: float, out: Path, where: dict) -> None:
    """The whole of it. Ends in good order at SIGTERM too."""
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    with mock.patch.dict(os.environ, LENDING), contextlib.ExitStack() as stack:
        progress(f"a site of {DEVICES} devices")
        site = stack.enter_context(rig.demo(DEVICES))
        place = stack.enter_context(rig.state_dir())
        cut = Cut(site["devices"][0], time.monotonic())
        routers = [cut.seen_as, *site["devices"][1:]]
        add_devices(place / "s", routers)
        env = {name: value for name, value in os.environ.items() if name not in LENDING} | SETTINGS
        ready = stack.enter_context(rig.serve(place / "s", env))
        served, names, seen, stop = Daemon(place / "s", ready, tls=False), [router["name"] for router in routers], Seen(), threading.Event()
        secret = place / "password"
        secret.touch(mode=0o600)
        secret.write_text(PASSWORD)
        rig.cli(place / "s", "user", "add", "anna", "--role", "approver", "--password-file", str(secret)).json()
        opened = [word for one in ("writes", "professional", "firewall") for word in ("--capability", one)]
        ids = [rig.cli(place / "s", "device", "update", name, *opened).json()["id"] for name in names]
        tokens = [rig.cli(place / "s", "token", "create", "--name", f"soak{n}", "--role", "ops_rw").json()["token"] for n in range(SESSIONS + 1)]
        cut.began = began = time.monotonic()
        jobs = [(read, (Caller(served, tokens[n], seen), names, cut, n, stop)) for n in range(SESSIONS)]
        jobs += [(listen, (served, tokens[n], ["fleet://summary", *(f"device://{one}/health" for one in ids[n::10])], seen, stop)) for n in range(LISTENERS)]
        jobs.append((change, (Caller(served, tokens[SESSIONS], seen), place / "s", names[1:], secret, stop)))
        threads = [threading.Thread(target=work, args=told, daemon=True) for work, told in jobs]
        for thread in threads:
            thread.start()
        with out.open("w") as file:

            def put(told: dict) -> None:
                file.write(json.dumps(told, separators=(",", ":")) + "\n")
                file.flush()

            put({"kind": "start", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "machine": where, "hours": hours, "devices": DEVICES})
            why, due = "the time was over", began
            with contextlib.suppress(KeyboardInterrupt):
                try:
                    while time.monotonic() - began <= hours * 3600:
                        while time.monotonic() < due:
                            cut.turn(time.monotonic())
                            time.sleep(0.5)
                        due += SAMPLE
                        if ready["process"].poll() is not None:
                            why = f"the daemon ended with {ready['process'].returncode}"
                            break
                        put({"kind": "sample", **sample(place, ready["http"], ready["pid"], began), **seen.told()})
                except KeyboardInterrupt:
                    why = "told to stop"
                    raise
            stop.set()
            for thread in threads:
                thread.join(rig.ANSWER * 2)
            log = rig.serve_log(place / "s").read_text(errors="replace").splitlines()
            put({"kind": "end", "why": why, "log": [line[:400] for line in log if '"ERROR"' in line or '"WARN"' in line][:40]})
