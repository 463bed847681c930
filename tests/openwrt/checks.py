"""Counts claims and says which did not hold."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
INIT = ROOT / "openwrt/files/routeros-mcp.init"


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def that(self, claim, holds, why=""):
        if holds:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED  {claim}" + (f"\n        {why}" if why else ""))
        return holds


def applets(scratch):
    """A directory with busybox under every name it has, which is then all that a script finds, as on the box."""
    busybox = shutil.which("busybox")
    if not busybox or not shutil.which("shellcheck"):
        sys.exit("tests/openwrt: needs busybox and shellcheck: apt-get install busybox-static shellcheck")
    place = scratch / "bin"
    place.mkdir()
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        (place / name).symlink_to(busybox)
    return place


def ash(bin_dir, *words, env=None, cwd=None):
    """Runs words under busybox ash with nothing else in its environment."""
    return subprocess.run(
        [bin_dir / "ash", *words], env={"PATH": str(bin_dir), **(env or {})}, cwd=cwd, capture_output=True, text=True, timeout=60
    )


def blessed():
    return os.environ.get("BLESS") == "1"
