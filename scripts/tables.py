"""A router with one table as long as wanted: a simulated router behind a relay that answers for `/ip/firewall/address-list` itself.

The simulator adds a row in the time of all rows before it, so a long table is told, not made. TLS ends here (a certificate made
by openssl); all else is passed on to the simulator. Standard library only.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import rig
from rig import expect

MENU = "/ip/firewall/address-list"


def rows_of(count: int) -> bytes:
    """The table's body, as a router writes it."""
    parts = (
        f'{{".id":"*{n + 1:X}","address":"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}","comment":"row {n}","creation-time":"2026-11-27 04:38:33",'
        f'"disabled":"false","dynamic":"false","list":"bench"}}'
        for n in range(count)
    )
    return b"[" + ",".join(parts).encode() + b"]"


class Tables:
    """The relay. `set_rows` says how long the table is."""

    def __init__(self, router: dict, place: Path) -> None:
        self.router, self.body, self.count = router, b"[]", 0
        made = place / "relay.pem"
        ask = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30", "-subj", "/CN=router"]
        subprocess.run([*ask, "-keyout", str(made), "-out", f"{made}.crt"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        self.ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.ours.load_cert_chain(f"{made}.crt", made)
        self.theirs = ssl.create_default_context()
        self.theirs.check_hostname, self.theirs.verify_mode = False, ssl.CERT_NONE
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.seen_as = {**router, "address": "127.0.0.1", "rest_port": self.listener.getsockname()[1]}
        threading.Thread(target=self._accept, daemon=True).start()

    def set_rows(self, count: int) -> None:
        self.body, self.count = rows_of(count), count

    def close(self) -> None:
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError, rig.Failed), self.ours.wrap_socket(plain, server_side=True) as client:
            behind = socket.create_connection((self.router["address"], self.router["rest_port"]), rig.ANSWER)
            behind.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.theirs.wrap_socket(behind) as router:
                while asked := message(client):
                    client.sendall(self._answer(asked) or passed_on(router, asked))

    def _answer(self, asked: bytes) -> bytes | None:
        """Our own answer, for the one table."""
        method, address, _ = asked.split(b"\r\n", 1)[0].decode().split(" ", 2)
        path = address.split("?")[0]
        if path == f"/rest{MENU}" and method == "GET":
            return answer_of(self.body)
        if path == f"/rest{MENU}/print":
            wanted = json.loads(asked.split(b"\r\n\r\n", 1)[1] or b"{}")
            return answer_of(json.dumps([{"ret": str(self.count)}]).encode() if "count-only" in wanted else self.body)
        return None


def answer_of(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def passed_on(router: ssl.SSLSocket, asked: bytes) -> bytes:
    router.sendall(asked)
    said = message(router)
    expect(said, "the router closed the connection")
    return said


def message(wire: ssl.SSLSocket) -> bytes:
    """One request or answer, head and body; empty when the other end has gone."""
    got = b""
    while b"\r\n\r\n" not in got:
        chunk = wire.recv(1 << 16)
        if not chunk:
            return b""
        got += chunk
    head, body = got.split(b"\r\n\r\n", 1)
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in head.split(b"\r\n")[1:])}
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        while not body.endswith(b"0\r\n\r\n"):
            body += more(wire)
    else:
        while len(body) < int(fields.get(b"content-length", b"0")):
            body += more(wire)
    return head + b"\r\n\r\n" + body


def more(wire: ssl.SSLSocket) -> bytes:
    chunk = wire.recv(1 << 16)
    expect(chunk, "the connection broke off")
    return chunk
