#!/usr/bin/env python3
"""Tests of the OpenWrt package: scripts under busybox ash, both writers by readers of our own, and the binary as procd would start it.

tests/openwrt/run.py                     everything; BLESS=1 rewrites the snapshots
  --binary FILE                          the binary to start (default: target/release/routeros-mcp; said to be ABSENT where it is not there)
  --emulated FILE                        the ARM binary, under qemu-arm-static with the memory limit of the package (default: the one in dist/)
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import checks as counting  # noqa: E402
import init_cases  # noqa: E402
import live_cases  # noqa: E402
import package_cases  # noqa: E402

ARM = "dist/armv7-unknown-linux-musleabihf/routeros-mcp"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", type=Path, default=counting.ROOT / "target/release/routeros-mcp")
    parser.add_argument("--emulated", type=Path, default=counting.ROOT / ARM)
    args = parser.parse_args()
    checks = counting.Checks()
    with tempfile.TemporaryDirectory(prefix="openwrt-") as scratch:
        scratch = Path(scratch)
        bin_dir = counting.applets(scratch)
        init_cases.run(checks, bin_dir, scratch)
        package_cases.run(checks, bin_dir, scratch)
        started(checks, bin_dir, scratch, args)
    print(f"openwrt: {checks.passed} passed, {checks.failed} failed")
    return 1 if checks.failed or not checks.passed else 0


def started(checks, bin_dir, scratch, args):
    """What cannot be started here is said aloud, and tests nothing."""
    if args.binary.exists():
        live_cases.run(checks, bin_dir, scratch, args.binary.resolve())
    else:
        print(f"ABSENT  the binary as procd starts it: no {args.binary} (cargo build --release)")
    arm, emulator = args.emulated, shutil.which("qemu-arm-static")
    if arm.exists() and emulator:
        live_cases.run(checks, bin_dir, scratch, arm.resolve(), [emulator])
    else:
        print(f"ABSENT  the ARM binary under 64 MB: no {arm if emulator else 'qemu-arm-static'} (scripts/build, qemu-user-static)")


if __name__ == "__main__":
    sys.exit(main())
