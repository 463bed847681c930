"""The ports a router listens on. Every new connection meets the tables as they are at that moment; open ones meet them at each request."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time

import lockout

# A dropped SYN is sent again; so long it waits for the tables to let it in. Seconds.
PATIENCE = 12.0


class Doors:
    """The listening sockets of one router. `real` is the loopback address it has here, `local` the one in its tables."""

    def __init__(self, router, real: str, local: str | None = None, ports: dict[int, int] | None = None) -> None:
        self.router, self.real, self.local, self.ports = router, real, local or real, ports or {}
        self.handlers: dict[str, object] = {}
        self.sockets: dict[int, socket.socket] = {}
        self.serial = 0x1000
        router.doors = self
        router.listeners.append(self.changed)

    def serve(self, name: str, handler) -> None:
        """Lets `handler(socket, record)` answer for a service, on whatever port it has."""
        self.handlers[name] = handler
        self.changed("/ip/service")

    def changed(self, path: str) -> None:
        """Opens the ports that services have now. Old ones stay open, and refuse."""
        if path != "/ip/service":
            return
        for row in self.router.tables.stored("/ip/service"):
            port = self.ports.get(int(row["port"]), int(row["port"]))
            if row["name"] in self.handlers and port not in self.sockets and port > 1023:
                made = socket.socket(socket.AF_INET6 if ":" in self.real else socket.AF_INET)
                made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    made.bind((self.real, port))
                except OSError:
                    made.close()
                    continue
                made.listen(64)
                self.sockets[port] = made
                threading.Thread(target=self._accept, args=(made, port), daemon=True).start()

    def close(self) -> None:
        """The end of this router."""
        for one in self.sockets.values():
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listening: socket.socket, port: int) -> None:
        while True:
            try:
                made, peer = listening.accept()
            except OSError:
                return
            threading.Thread(target=self._met, args=(made, peer[1], port), daemon=True).start()

    def table_port(self, port: int) -> int:
        """The port that the tables speak of."""
        return next((inner for inner, outer in self.ports.items() if outer == port), port)

    def _met(self, made: socket.socket, peer_port: int, port: int) -> None:
        router, inner = self.router, self.table_port(port)
        verdict, why = self.wait_for(peer_port, inner, "new", made)
        if verdict != lockout.ACCEPT:
            return self.refuse(made, verdict)
        row = next((row for row in router.tables.stored("/ip/service") if row["port"] == str(inner) and row["name"] in self.handlers), None)
        if row is None:
            return self.refuse(made, lockout.REJECT)
        verdict, why = lockout.service_open(router, row["name"], self.local, router.world.client)
        busy = sum(held["service"] == row["name"] for held in router.connections) >= int(row.get("max-sessions", "20"))
        if verdict != lockout.ACCEPT or busy:
            return self.refuse(made, lockout.REJECT)
        self.serial += 1
        record = {"id": f"*{self.serial:X}", "service": row["name"], "local": self.local, "remote": router.world.seen, "port": inner, "peer_port": peer_port, "when": router.stamp(), "boots": router.boots}
        router.connections.append(record)
        try:
            self.handlers[row["name"]](made, record)
        except (OSError, ConnectionError, ValueError):
            pass
        finally:
            with contextlib.suppress(ValueError):
                router.connections.remove(record)
            with contextlib.suppress(OSError):
                made.close()

    def wait_for(self, peer_port: int, port: int, state: str, made: socket.socket | None = None, patience: float = PATIENCE) -> tuple[str, str]:
        """The verdict; what is dropped is sent again by the client and may pass later."""
        ends = time.monotonic() + patience
        while True:
            verdict, why = lockout.reaches(self.router, self.local, peer_port, port, state)
            if verdict != lockout.DROP or time.monotonic() > ends:
                return verdict, why
            if made is not None and gone(made):
                return verdict, why
            time.sleep(0.1)

    def open_for(self, record: dict) -> bool:
        """Whether packets of an open connection pass now. One from before a restart is dead."""
        if record["boots"] != self.router.boots or self.router.dead:
            return False
        return lockout.reaches(self.router, self.local, record["peer_port"], record["port"], "established")[0] == lockout.ACCEPT

    def refuse(self, made: socket.socket, verdict: str) -> None:
        """A reset for what is refused; what is dropped hears nothing until it gives up."""
        if verdict == lockout.DROP:
            ends = time.monotonic() + 30
            while time.monotonic() < ends and not gone(made):
                time.sleep(0.2)
        with contextlib.suppress(OSError):
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        made.close()


def gone(made: socket.socket) -> bool:
    """Whether the client has closed its end."""
    try:
        made.setblocking(False)
        return made.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        with contextlib.suppress(OSError):
            made.setblocking(True)
