"""scripts/bench --tls: how many TLS handshakes the listener does in a second, beside the clients that ask for them.

The clients are `openssl s_time`, on the same machine and the same cores: what is measured is what a small box does with
both. Standard library only.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import rig

# Clients side by side, and how long they go on. Seconds.
CLIENTS, LENGTH = 4, 5
# Handshakes a second that a full one must reach, on two cores shared with the clients.
BAR = 300

# Name, what openssl is told, bar.
ROWS = [
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


def main(binary: Path) -> int:
    """Prints the table; 1 when a bar is missed."""
    if not shutil.which("openssl"):
        print("scripts/bench --tls: openssl is not installed", file=sys.stderr)
        return 2
    rig.BINARY = binary
    # All clients come from one address, which is this machine's and so has no share of its own.
    os.environ.update({"ROUTEROS_MCP_HTTP_TLS": "self-signed", "ROUTEROS_MCP_LOG_LEVEL": "ERROR"})
    missed = False
    print(f"{os.cpu_count()} cores shared with {CLIENTS} clients ({subprocess.run(['openssl', 'version'], capture_output=True, text=True, check=True).stdout.strip()})\n")
    print("| what | a second | CPU of ours each | bar | holds |\n| --- | --- | --- | --- | --- |")
    with rig.state_dir() as place, rig.serve(place) as ready:
        address = ready["http"].rsplit("/", 1)[1]
        handshakes(address, ["-tls1_3", "-new"])
        for name, how, bar in ROWS:
            before = cpu(ready["pid"])
            rate = handshakes(address, how)
            each = (cpu(ready["pid"]) - before) / max(rate * LENGTH, 1) * 1000
            missed |= rate < bar
            print(f"| {name} | {rate:,.0f} | {each:.2f} ms | >= {bar} | {'yes' if rate >= bar else '**no**'} |", flush=True)
    return 1 if missed else 0
