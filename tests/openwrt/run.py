#!/usr/bin/env python3
"""Tests of the OpenWrt package: scripts under busybox ash, both writers by readers of our own, and the binary as procd would start it.

tests/openwrt/run.py                     everything; BLESS=1 rewrites the snapshots
  --binary FILE                          the binary to start (default: target/release/routeros-mcp; ABSENT where it is not there)
  --emulated FILE                        also an ARM binary, under qemu-arm-static with the memory limit of the package
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import checks as counting  # noqa: E402
import init_cases  # noqa: E402
import package_cases  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=counting.ROOT / "target/release/routeros-mcp")
    parser.add_argument("--emulated", type=Path)
    args = parser.parse_args()
    checks = counting.Checks()
    with tempfile.TemporaryDirectory(prefix="openwrt-") as scratch:
        scratch = Path(scratch)
        bin_dir = counting.applets(scratch)
        init_cases.run(checks, bin_dir, scratch)
        package_cases.run(checks, bin_dir, scratch)
    print(f"openwrt: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


if __name__ == "__main__":
    sys.exit(main())
