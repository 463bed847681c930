"""Counting, and what the checks beside this file share."""

import os
import platform
import subprocess
import sys
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The test keys: they sign for nobody but tests.
KEYS = ROOT / "tests/data/update"
# Longer than anything here should take, seconds.
PATIENCE = 60
TARGET = {
    "x86_64": "x86_64-unknown-linux-musl",
    "aarch64": "aarch64-unknown-linux-musl",
    "armv7l": "armv7-unknown-linux-musleabihf",
}[platform.machine()]

passed, failed, absent = 0, 0, []


def check(claim, of, *arguments):
    """Runs one check. Its name is what it claims; what it returns was measured."""
    global passed, failed
    began = time.monotonic()
    try:
        measured = of(*arguments)
    except Exception as error:  # noqa: BLE001 - whatever it was, the others still run
        failed += 1
        print(f"FAIL  {claim}: {error}")
        if not isinstance(error, AssertionError):
            traceback.print_exc(file=sys.stdout)
        return None
    passed += 1
    assert measured is None or len(measured) < 200, f"{claim}: what was measured is a line"
    print(f"ok    {claim}{f': {measured}' if measured is not None else ''} ({time.monotonic() - began:.1f} s)", flush=True)
    return measured


def is_absent(what, why):
    """Says loudly that something was not tested."""
    absent.append(what)
    print(f"ABSENT  {what}: {why}", flush=True)


def run(*words, code=0, said="", **more):
    """Standard output and error of a command that hears `said` and has to end with `code`."""
    words = [str(word) for word in words]
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": 300} | more
    done = subprocess.run(words, input=said, text=True, errors="replace", **more)
    wanted = (code,) if isinstance(code, int) else code
    assert done.returncode in wanted, f"{' '.join(map(str, words))[:200]}: exit code {done.returncode}\n{done.stdout[-3000:]}"
    return done.stdout


def until(true, what, patience=PATIENCE):
    """Waits for something to become true."""
    deadline = time.monotonic() + patience
    while not (got := true()):
        assert time.monotonic() < deadline, f"not within {patience} s: {what}"
        time.sleep(0.05)
    return got


def key(name="daily"):
    return (KEYS / f"{name}.pub").read_text().splitlines()[1]


def is_root():
    return os.geteuid() == 0


def finish():
    if absent:
        print(f"{len(absent)} absent: {', '.join(absent)}")
    print(f"packages: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)
