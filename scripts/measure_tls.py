"""What scripts/bench --tls measures: how many TLS handshakes the listener does in a second, beside the clients that ask for them.

The clients are `openssl s_time`, on the same machine and the same cores: what is measured is what a small box does with
both. Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import rig

# Clients side by side, and how long they go on. Seconds.
CLIENTS, LENGTH = 4, 5
# Handshakes a second that a full one must reach, on two cores shared with the clients.
BAR = 300

# Name, what openssl is told, bar.
WAYS = [
    ("full TLS 1.3 handshakes, P-256", ["-tls1_3", "-new"], BAR),
    ("full TLS 1.2 handshakes, P-256", ["-tls1_2", "-new"], BAR),
    ("TLS 1.2 sessions taken up again", ["-tls1_2", "-reuse"], BAR),
]


def handshakes(address: str, how: list[str]) -> float:
    """Handshakes a second of all clients together."""
    command = ["openssl", "s_time", "-connect", address, "-time", str(LENGTH), *how]
    began = time.monotonic()
    clients = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) for _ in range(CLIENTS)]
    said = [client.communicate(timeout=LENGTH * 6)[0] for client in clients]
    took = time.monotonic() - began
    counts = [re.search(r"(\d+) connections in \d+ real seconds", text) for text in said]
    rig.expect(all(counts), f"openssl s_time says no number: {rig.short(said[0])}")
    if "-reuse" in how:
        # It prints a letter for each: `r` where a session was taken up, `*` where none was.
        dots = "".join(re.sub(r"[^r*t]", "", line) for text in said for line in text.splitlines() if re.fullmatch(r"[r*t]{5,}.*", line))
        rig.expect(dots.count("r") > 10 * dots.count("*"), f"sessions were not taken up again: {dots[:60]}")
    return sum(int(count[1]) for count in counts) / took


def cpu(pid: int) -> float:
    """Seconds of processor time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def tls(put) -> None:
    """All rows, one after the other, on one daemon."""
    rig.expect(shutil.which("openssl"), "openssl is not installed")
    # All clients come from one address, which is this machine's and so has no share of its own.
    env = {**os.environ, "ROUTEROS_MCP_HTTP_TLS": "self-signed", "ROUTEROS_MCP_LOG_LEVEL": "ERROR"}
    with rig.state_dir() as place, rig.serve(place / "s", env) as ready:
        address = ready["http"].rsplit("/", 1)[1]
        handshakes(address, ["-tls1_3", "-new"])
        for name, how, _ in WAYS:
            before = cpu(ready["pid"])
            rate = handshakes(address, how)
            put(name, rate)
            put(f"{name}, CPU each", (cpu(ready["pid"]) - before) / max(rate * LENGTH, 1) * 1000)
