"""What all measurements share: figures made of times, a word to whoever waits, and settings of the processes measured.

Standard library only.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import rig
from rig import expect

# The router's pace is not what a row about us shows.
UNPACED = {"ROUTEROS_MCP_ROUTEROS_REQUESTS_PER_SECOND": "1000"}
# A process that makes no health checks; one that looks at no device by itself.
UNCHECKED = {"ROUTEROS_MCP_HEALTH_CHECK_ENABLED": "false"}
ALONE = {**UNCHECKED, "ROUTEROS_MCP_SNAPSHOT_ENABLED": "false"}


def progress(text: str) -> None:
    """One line for whoever waits."""
    print(f"  {text}", file=sys.stderr, flush=True)


def ms(seconds: float) -> float:
    return seconds * 1000


def p50(values: list[float]) -> float:
    return statistics.median(values)


def p99(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * 0.99))]


def timed(data_dir: Path, *args: str) -> float:
    """Milliseconds of one command that must succeed."""
    began = time.perf_counter()
    done = rig.cli(data_dir, *args)
    took = ms(time.perf_counter() - began)
    expect(done.code == 0, f"{' '.join(args)}: {rig.short(done.err)}")
    return took
