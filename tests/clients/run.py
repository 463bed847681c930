"""Starts one demo site, runs every client on it, and ends with the sum.

`python3 run.py [--tools DIR] [--rounds N] [NAME…]`: DIR holds the clients' packages (py1, py2, ts, node22; scripts/test
installs them), N is the number of kill -9 rounds, NAMEs pick drivers. The program is $RMCP_BIN or the release build.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import rig
import web

HERE = Path(__file__).resolve().parent
# A driver that takes longer than this hangs. Seconds; the kill -9 loop gets its own by its rounds.
LONGEST, A_ROUND = 600, 20
CLOSING = re.compile(rb"^\w+: (\d+) passed, (\d+) failed$", re.MULTILINE)


def drivers(tools: Path, rounds: int) -> dict[str, tuple[list[str], int]]:
    """Each driver's command (the site file comes next) and its time limit."""
    node = str(tools / "node22/node_modules/.bin/node")
    script = {path.stem: str(tools / "ts" / path.name) for path in HERE.glob("*.mjs")}
    python = sys.executable
    table = str(HERE / "arguments.json")
    return {
        "raw": ([python, str(HERE / "raw.py"), "SITE"], LONGEST),
        "holders": ([python, str(HERE / "holders.py"), "SITE"], LONGEST),
        "python2": ([str(tools / "py2/bin/python"), str(HERE / "python2.py"), "SITE"], LONGEST),
        "python1": ([str(tools / "py1/bin/python"), str(HERE / "python1.py"), "SITE"], LONGEST),
        "typescript_sdk": ([node, script["typescript_sdk"], "SITE", table], LONGEST),
        "typescript_client": ([node, script["typescript_client"], "SITE", table], LONGEST),
        "inspector": ([python, str(HERE / "inspector.py"), "SITE"], LONGEST),
        "http_python2": ([str(tools / "py2/bin/python"), str(HERE / "http_python2.py"), "SITE"], LONGEST),
        "http_python1": ([str(tools / "py1/bin/python"), str(HERE / "http_python1.py"), "SITE"], LONGEST),
        "http_typescript_sdk": ([node, script["http_typescript_sdk"], "SITE", table], LONGEST),
        "http_typescript_client": ([node, script["http_typescript_client"], "SITE", table], LONGEST),
        "http_inspector": ([python, str(HERE / "http_inspector.py"), "SITE"], LONGEST),
        "crash": ([python, str(HERE / "crash.py"), "SITE", "--rounds", str(rounds)], max(LONGEST, rounds * A_ROUND)),
    }


def run(name: str, command: list[str], seconds: int, env: dict) -> tuple[int, int]:
    """Runs one driver, passing on what it prints; its counts come from its closing line."""
    print(f"--- {name}", flush=True)
    began = time.monotonic()
    try:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=env, start_new_session=True)
    except OSError as fault:
        print(f"  FAIL {name} did not start: {fault}", flush=True)
        return 0, 1
    said = b""
    signal.signal(signal.SIGALRM, lambda *_: rig.kill(child))
    signal.alarm(seconds)
    try:
        for line in child.stdout:
            said += line
            print(line.decode(errors="replace"), end="", flush=True)
        code = child.wait()
    finally:
        rig.kill(child)
    left = signal.alarm(0)
    print(f"    {time.monotonic() - began:.1f} s", flush=True)
    counted = CLOSING.findall(said)
    passed, failed = (int(count) for count in counted[-1]) if counted else (0, 0)
    if not counted or (code != 0 and failed == 0):
        print(f"  FAIL {name}: {'hung' if left == 0 else 'broke off'} with exit code {code}", flush=True)
        failed += 1
    return passed, failed


def main() -> int:
    args = argparse.ArgumentParser()
    args.add_argument("--tools", type=Path, default=rig.TARGET / "clients")
    args.add_argument("--rounds", type=int, default=50)
    args.add_argument("names", nargs="*")
    asked = args.parse_args()
    table = drivers(asked.tools.resolve(), asked.rounds)
    unknown = set(asked.names) - set(table)
    if unknown:
        args.error(f"no driver {', '.join(sorted(unknown))}; there are {', '.join(table)}")
    passed = failed = 0
    with contextlib.suppress(OSError):
        # Modules are found from where a script stands, so the scripts stand beside their packages.
        for script in HERE.glob("*.mjs"):
            shutil.copy(script, asked.tools / "ts")
    try:
        with rig.state_dir() as place, rig.demo() as site, web.daemon(place, site["devices"]) as over_http:
            file = place / "site.json"
            file.touch(mode=0o600)
            file.write_text(json.dumps({**{key: value for key, value in site.items() if key != "process"}, "web": over_http}))
            path = os.pathsep.join(str(asked.tools / part) for part in ("node22/node_modules/.bin", "ts/node_modules/.bin"))
            env = {**os.environ, "PATH": path + os.pathsep + os.environ.get("PATH", ""), "PYTHONDONTWRITEBYTECODE": "1"}
            env |= {"RMCP_BIN": str(rig.BINARY), "NODE_EXTRA_CA_CERTS": over_http["certificate"]}
            for name in asked.names or table:
                command, seconds = table[name]
                one = run(name, [str(file) if part == "SITE" else part for part in command], seconds, env)
                passed, failed = passed + one[0], failed + one[1]
    except rig.Failed as fault:
        print(f"  FAIL the demo site: {fault}", flush=True)
        failed += 1
    print(f"clients: {passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


sys.exit(main())
