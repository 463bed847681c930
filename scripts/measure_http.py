"""What scripts/bench --http measures. Each function takes `put(name, value)` and measures one group of rows.

Requests are sent by scripts/load.rs, compiled on the spot; streams are only held open, which Python does well enough.
Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import rig
from peers import Slow, Watched
from rig import expect

# The load: clients, seconds of a run, and runs, of which the best counts: others work on the machine too.
CLIENTS, SECONDS, RUNS = 50, 5, 3
# Open streams, and how many of them one token may have beside each other (`AT_ONCE` in src/http/limits.rs is 128).
STREAMS, OF_TOKEN = 1_000, 100
SESSIONS = 50
# Calls in flight when the daemon is told to stop, and how late their router answers (seconds).
IN_FLIGHT, LATE = 100, 2.0
# What a process keeps after a load is let settle. Seconds.
SETTLE = 2.0

SETTINGS = {
    "ROUTEROS_MCP_MCP_TRANSPORT": "http",
    "ROUTEROS_MCP_MCP_HTTP_PORT": "0",
    "ROUTEROS_MCP_RATE_LIMIT_ENABLED": "false",
    "ROUTEROS_MCP_HTTP_MAX_CONNECTIONS": "2000",
    "ROUTEROS_MCP_HTTP_MAX_SESSIONS_PER_PRINCIPAL": "1000",
    "ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false",
    "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false",
    "ROUTEROS_MCP_LOG_LEVEL": "WARN",
}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": rig.STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


class Daemon(Watched):
    """A daemon with a listener, and ways to talk to it."""

    def __init__(self, data_dir: Path, ready: dict, tls: bool) -> None:
        self.data_dir, self.child, self.tls = data_dir, ready["process"], tls
        self.host, port = ready["http"].split("//")[1].rsplit(":", 1)
        self.port = int(port)

    def token(self, name: str) -> str:
        made = rig.cli(self.data_dir, "token", "create", "--name", name, "--role", "admin").json()
        return made["token"]

    def connect(self) -> socket.socket:
        plain = socket.create_connection((self.host, self.port), rig.ANSWER)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls:
            return plain
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        return trust.wrap_socket(plain)

    def stop(self) -> float:
        """SIGTERM; seconds until it has gone."""
        began = time.perf_counter()
        self.child.terminate()
        expect(self.child.wait(60) == 0, f"exit code {self.child.returncode}")
        return time.perf_counter() - began


@contextlib.contextmanager
def daemon(place: Path, routers: list[dict] | None = None, tls: bool = False):
    """A daemon that looks after these routers; its descriptors are as many as may be."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    env = {**os.environ, **SETTINGS, "ROUTEROS_MCP_HTTP_TLS": "self-signed" if tls else "off"}
    try:
        with rig.serve(place / "s", env) as ready:
            for router in routers or []:
                rig.cli(place / "s", *rig.add_args(router, router["name"], place)).json()
            yield Daemon(place / "s", ready, tls)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- requests as bytes ---------------------------------------------------------------------------


def request(token: str, message: dict, *more: str, method: str = "POST") -> bytes:
    body = json.dumps(message, separators=(",", ":")).encode() if message else b""
    lines = [f"{method} /mcp HTTP/1.1", "Host: localhost", f"Authorization: Bearer {token}", "Accept: application/json, text/event-stream", *more]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def modern(token: str, method: str, params: dict) -> bytes:
    """A request that carries everything itself."""
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": MODERN}}
    name = [f"Mcp-Name: {params['name']}"] if "name" in params else []
    return request(token, message, f"MCP-Protocol-Version: {rig.STATELESS}", f"Mcp-Method: {method}", *name)


def head(wire: socket.socket) -> tuple[str, bytes]:
    """The head of an answer, and what came with it."""
    got = b""
    while b"\r\n\r\n" not in got:
        chunk = wire.recv(1 << 16)
        expect(chunk, f"closed after {got[:200]!r}")
        got += chunk
    said, rest = got.split(b"\r\n\r\n", 1)
    return said.decode(), rest


def session(served: Daemon, token: str) -> str:
    """A new session: the headers of its requests."""
    hello = {"protocolVersion": rig.HANDSHAKES[-1], "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}}
    with contextlib.closing(served.connect()) as wire:
        wire.sendall(request(token, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": hello}, "Connection: close"))
        said, _ = head(wire)
    number = next(line.split(": ", 1)[1] for line in said.splitlines() if line.lower().startswith("mcp-session-id"))
    mine = f"Mcp-Session-Id: {number}\r\nMCP-Protocol-Version: {rig.HANDSHAKES[-1]}"
    with contextlib.closing(served.connect()) as wire:
        wire.sendall(request(token, {"jsonrpc": "2.0", "method": "notifications/initialized"}, mine, "Connection: close"))
        expect(" 202 " in head(wire)[0], "the session did not begin")
    return mine


def opened(served: Daemon, asked: bytes) -> socket.socket:
    """A stream of events that stays open; its first words were heard."""
    wire = served.connect()
    wire.sendall(asked)
    said, _ = head(wire)
    expect(" 200 " in said.splitlines()[0] and "text/event-stream" in said, said)
    return wire


# --- groups of rows ------------------------------------------------------------------------------


def load_tool() -> Path:
    """scripts/load.rs, compiled."""
    source, made = rig.ROOT / "scripts" / "load.rs", rig.TARGET / "load"
    if not made.exists() or made.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["rustc", "-O", "--edition", "2024", str(source), "-o", str(made)], stdin=subprocess.DEVNULL, check=True)
    return made


def load(served: Daemon, requests: list[bytes]) -> dict:
    """One run of the load; nothing of it may fail."""
    told = b"".join(b"%d\n%s" % (len(one), one) for one in requests)
    command = [str(load_tool()), f"{served.host}:{served.port}", str(CLIENTS), str(SECONDS)]
    before = served.cpu()
    done = subprocess.run(command, input=told, capture_output=True, timeout=SECONDS + 60, check=True)
    seen = json.loads(done.stdout)
    expect(not seen["failed"], f"{seen['failed']} connections failed: {seen['fault']}")
    seen["cpu_ms"] = (served.cpu() - before) * 1000 / seen["requests"]
    seen["rate"] = seen["requests"] / seen["seconds"]
    return seen


def requests(put) -> None:
    """`device.list` from 50 clients at once, without sessions and in 50 of them."""
    with rig.demo() as site, rig.state_dir() as place, daemon(place, site["devices"]) as served:
        token = served.token("bench")
        asked = {"name": "device.list", "arguments": {}}
        message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": asked}
        ways = {"": [modern(token, "tools/call", asked)], ", in sessions": [request(token, message, session(served, token)) for _ in range(CLIENTS)]}
        for way, sent in ways.items():
            best = max((load(served, sent) for _ in range(RUNS)), key=lambda seen: seen["rate"])
            name = f"device.list, {CLIENTS} clients{way}"
            put(f"{name}, requests", best["rate"])
            put(f"{name}, p99", best["p99_ms"])
            put(f"{name}, CPU a request", best["cpu_ms"])


def idle_sessions(put) -> None:
    """Sessions that do nothing but hold their stream open."""
    with rig.state_dir() as place, daemon(place) as served:
        token = served.token("bench")
        # The first costs what is shared by all.
        held = [opened(served, request(token, {}, session(served, token), method="GET"))]
        time.sleep(SETTLE)
        before = served.memory()
        for _ in range(SESSIONS):
            held.append(opened(served, request(token, {}, session(served, token), method="GET")))
        time.sleep(SETTLE)
        put(f"{SESSIONS} idle sessions with open streams, each", (served.memory() - before) / SESSIONS / 1e6)
        for wire in held:
            wire.close()


def streams(put, tls: bool) -> None:
    """Open subscriptions, each on a connection of its own."""
    way = "over TLS" if tls else "plain"
    with rig.state_dir() as place, daemon(place, tls=tls) as served:
        tokens = [served.token(f"bench{n}") for n in range(STREAMS // OF_TOKEN + 1)]
        listen = {"notifications": {"resourcesListChanged": True}}
        held = [opened(served, modern(tokens[-1], "subscriptions/listen", listen))]
        time.sleep(SETTLE)
        before = served.memory()
        for n in range(STREAMS):
            held.append(opened(served, modern(tokens[n // OF_TOKEN], "subscriptions/listen", listen)))
        time.sleep(SETTLE)
        put(f"{STREAMS:,} open streams, {way}, each", (served.memory() - before) / STREAMS / 1e3)
        for wire in held:
            wire.close()


def plain_streams(put) -> None:
    streams(put, tls=False)


def tls_streams(put) -> None:
    streams(put, tls=True)


def stops(put) -> None:
    """SIGTERM when idle, and with calls in flight."""
    with rig.state_dir() as place, daemon(place) as served:
        held = opened(served, modern(served.token("bench"), "subscriptions/listen", {"notifications": {"resourcesListChanged": True}}))
        put("SIGTERM with one idle stream until gone", served.stop())
        held.close()
    with rig.demo(1) as site, rig.state_dir() as place:
        slow = Slow(site["devices"][0], LATE)
        with contextlib.closing(slow), daemon(place, [slow.seen_as]) as served:
            token = served.token("bench")
            asked = modern(token, "tools/call", {"name": "menu.read", "arguments": {"device": slow.seen_as["name"], "menu": "/ip/address"}})
            wires = [served.connect() for _ in range(IN_FLIGHT)]
            told: list[str] = []
            threads = [threading.Thread(target=lambda wire=wire: told.append(told_by(wire))) for wire in wires]
            for wire, thread in zip(wires, threads):
                wire.sendall(asked)
                thread.start()
            # All are past their heads when the first is at the router, and it takes its time.
            time.sleep(LATE / 2)
            put(f"SIGTERM with {IN_FLIGHT} calls in flight until gone", served.stop())
            for thread in threads:
                thread.join(rig.ANSWER)
            put(f"of {IN_FLIGHT} calls in flight, left without a word", IN_FLIGHT - sum(bool(said) for said in told))
            put(f"of {IN_FLIGHT} calls in flight, not finished", IN_FLIGHT - sum('"isError":false' in said for said in told))


def told_by(wire: socket.socket) -> str:
    """Everything that comes until the connection is closed; empty when it broke."""
    got = b""
    with contextlib.suppress(OSError), wire:
        while chunk := wire.recv(1 << 16):
            got += chunk
    return got.decode(errors="replace")
