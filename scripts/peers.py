"""Who the measurements talk to: a stdio server, a simulated router directly, and a relay that counts requests.

Standard library only, and as little Python as possible between the clock and the wire.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import rig
from rig import expect


class Watched:
    """What the kernel counts of the process `child`."""

    child: subprocess.Popen

    def cpu(self) -> float:
        """CPU seconds of all its threads so far."""
        tasks = Path(f"/proc/{self.child.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9

    def memory(self, field: str = "VmRSS") -> int:
        """A field of /proc/PID/status in bytes."""
        return self._number("status", field) * 1024

    def written(self) -> int:
        """Bytes it made the disk write."""
        return self._number("io", "write_bytes")

    def reset_peak(self) -> None:
        """Sets the peak of its memory (VmHWM) back to what is in use now (proc(5), clear_refs)."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def _number(self, file: str, field: str) -> int:
        lines = Path(f"/proc/{self.child.pid}/{file}").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field + ":"))


class Wire(Watched):
    """A stdio server without threads or queues in between: one request out, one line in."""

    def __init__(self, data_dir: Path) -> None:
        self.began = time.perf_counter()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.child = rig.spawn(["--data-dir", str(data_dir), "stdio"], bufsize=0, **pipes)
        self.buffer, self.number = b"", 0

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.child.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.child.wait(10)
        rig.kill(self.child)

    def line(self) -> bytes:
        while b"\n" not in self.buffer:
            ready, _, _ = select.select([self.child.stdout], [], [], rig.ANSWER)
            chunk = os.read(self.child.stdout.fileno(), 1 << 20) if ready else b""
            expect(chunk, f"no answer; exit code {self.child.poll()}")
            self.buffer += chunk
        line, self.buffer = self.buffer.split(b"\n", 1)
        return line

    def send(self, method: str, params: dict) -> int:
        self.number += 1
        message = json.dumps({"jsonrpc": "2.0", "id": self.number, "method": method, "params": params}).encode() + b"\n"
        left = memoryview(message)
        while left:
            left = left[os.write(self.child.stdin.fileno(), left) :]
        return self.number

    def ask(self, method: str, params: dict) -> tuple[bytes, float]:
        """The answering line and the seconds it took."""
        began = time.perf_counter()
        marker = b'"id":%d' % self.send(method, params)
        while True:
            line = self.line()
            took = time.perf_counter() - began
            if marker in line.replace(b'"id": ', b'"id":'):
                return line, took

    def open(self) -> float:
        """The handshake; gives the seconds from the start of the process to its answer."""
        self.ask("initialize", {"protocolVersion": rig.HANDSHAKES[-1], "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}})
        took = time.perf_counter() - self.began
        os.write(self.child.stdin.fileno(), b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        return took

    def call(self, tool: str, arguments: dict) -> tuple[dict, float]:
        """A tool's whole result and the seconds it took; an error is a fault of the measurement."""
        line, took = self.ask("tools/call", {"name": tool, "arguments": arguments})
        result = json.loads(line).get("result", {})
        expect(result and not result.get("isError"), f"{tool}: {rig.short(line.decode())}")
        return result, took


def add_devices(data_dir: Path, routers: list[dict]) -> None:
    """Adds the demo's routers to a state directory, four at a time through one holder of its store."""
    with Wire(data_dir) as holder:
        holder.open()
        with ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(rig.cli, data_dir, *rig.add_args(router, router["name"], data_dir.parent)) for router in routers]
            for number, job in enumerate(jobs, 1):
                done = job.result()
                expect(done.code == 0, f"device add: {rig.short(done.err)}")
                if number % 100 == 0:
                    print(f"  {number} devices added", file=sys.stderr, flush=True)


class Direct:
    """A keep-alive REST connection to a simulated router, as plain as Python can: what a request costs without us."""

    def __init__(self, router: dict) -> None:
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        plain = socket.create_connection((router["address"], router["rest_port"]), rig.ANSWER)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wire = trust.wrap_socket(plain)
        login = base64.b64encode(f"{router['username']}:{router['password']}".encode()).decode()
        self.head = f"Host: {router['address']}\r\nAuthorization: Basic {login}\r\nAccept: */*\r\n\r\n"

    def get(self, path: str) -> tuple[bytes, float]:
        """The body and the seconds it took."""
        began = time.perf_counter()
        self.wire.sendall(f"GET /rest{path} HTTP/1.1\r\n{self.head}".encode())
        got = self.wire.recv(1 << 16)
        while b"\r\n\r\n" not in got:
            got += self._more()
        head, body = got.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
        if b"content-length" in fields:
            length, parts = int(fields[b"content-length"]), [body]
            while sum(map(len, parts)) < length:
                parts.append(self._more())
            body = b"".join(parts)
        else:
            while not body.endswith(b"0\r\n\r\n"):
                body += self._more()
            body = unchunked(body)
        took = time.perf_counter() - began
        expect(head.startswith(b"HTTP/1.1 200"), f"GET {path}: {head[:40]!r}")
        return body, took

    def _more(self) -> bytes:
        chunk = self.wire.recv(1 << 16)
        expect(chunk, "the router closed the connection")
        return chunk


def unchunked(body: bytes) -> bytes:
    """The content of a chunked body."""
    parts = []
    while True:
        size, body = body.split(b"\r\n", 1)
        if int(size, 16) == 0:
            return b"".join(parts)
        parts.append(body[: int(size, 16)])
        body = body[int(size, 16) + 2 :]


class Requests:
    """Which bytes of a client are a request, on one connection: those after its TLS 1.3 handshake, whose last part from
    the client is the first of its encrypted records (RFC 8446, 5.1)."""

    ENCRYPTED = 0x17
    # Two bytes, their type and a tag: the goodbye of a connection (close_notify), which no request is as short as.
    ALERT = 2 + 1 + 16

    def __init__(self) -> None:
        self.head, self.left, self.length, self.encrypted = b"", 0, 0, 0

    def hold(self, data: bytes) -> bool:
        """Takes the next bytes; says whether any of them belong to a request."""
        asked = False
        while data:
            if self.left:
                asked |= self.encrypted > 1 and self.length > self.ALERT
                took = min(self.left, len(data))
                self.left, data = self.left - took, data[took:]
                continue
            missing = 5 - len(self.head)
            self.head, data = self.head + data[:missing], data[missing:]
            if len(self.head) == 5:
                self.encrypted += self.head[0] == self.ENCRYPTED
                self.left = self.length = int.from_bytes(self.head[3:5], "big")
                self.head = b""
        return asked


class Counter:
    """TCP relays in front of a router that count requests: over REST, each turn from answer to request on a connection is
    one; over SSH, each connection. What the router takes for its answers is added up in `busy`, in seconds."""

    late = 0.0

    def __init__(self, router: dict) -> None:
        self.router, self.requests, self.busy, self.lock = router, 0, 0.0, threading.Lock()
        self.listeners = {part: socket.create_server(("127.0.0.1", 0)) for part in ("rest_port", "ssh_port")}
        ports = {part: listener.getsockname()[1] for part, listener in self.listeners.items()}
        self.seen_as = {**router, "address": "127.0.0.1", **ports}
        for part in self.listeners:
            threading.Thread(target=self._accept, args=(part,), daemon=True).start()

    def _accept(self, part: str) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listeners[part].accept()
                threading.Thread(target=self._relay, args=(client, part), daemon=True).start()

    def _relay(self, client: socket.socket, part: str) -> None:
        router = socket.create_connection((self.router["address"], self.router[part]), rig.ANSWER)
        other, asked, stream = {client: router, router: client}, None, Requests() if part == "rest_port" else None
        for end in other:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not stream:
            self._count(1, 0.0)
        with client, router, contextlib.suppress(OSError):
            while True:
                for end in select.select([client, router], [], [])[0]:
                    data = end.recv(1 << 16)
                    if not data:
                        return
                    if end is client and stream and stream.hold(data) and asked is None:
                        asked = time.perf_counter()
                        self._count(1, 0.0)
                    if end is router and asked is not None:
                        self._count(0, time.perf_counter() - asked)
                        time.sleep(self.late)
                        asked = None
                    other[end].sendall(data)

    def _count(self, requests: int, busy: float) -> None:
        with self.lock:
            self.requests, self.busy = self.requests + requests, self.busy + busy

    def close(self) -> None:
        for listener in self.listeners.values():
            listener.close()


class Slow(Counter):
    """The same relay, each of whose answers comes late."""

    def __init__(self, router: dict, late: float) -> None:
        super().__init__(router)
        self.late = late
