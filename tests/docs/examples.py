"""Runs what lies in assets/examples against a daemon over HTTPS, as somebody would who just copied it.

`python3 tests/docs/examples.py [--tools DIR]`: DIR holds the clients' packages (py2, ts, node22; scripts/test installs them).
Ends with the line `examples: N passed, 0 failed`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pages
import stage

sys.path.insert(0, str(pages.ROOT / "tests" / "clients"))
import rig  # noqa: E402
import web  # noqa: E402

EXAMPLES = pages.ROOT / "assets" / "examples"


class Ran:
    """An example that ended."""

    def __init__(self, command: list, env: dict, here: Path) -> None:
        done = subprocess.run([str(word) for word in command], env=env, cwd=here, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False)
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    def good(self) -> str:
        rig.expect(self.code == 0, f"exit code {self.code}: {rig.short(self.err + self.out, 900)}")
        return self.out

    def bad(self, words: str) -> None:
        rig.expect(self.code != 0 and words in self.err + self.out, f"exit code {self.code}: {rig.short(self.err + self.out, 900)}")


def environment(site: dict, who: str = "reader") -> dict:
    """What the heads of the examples say to export."""
    trust = {name: site["certificate"] for name in ("CURL_CA_BUNDLE", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")}
    return {
        "PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **trust,
        "ROUTEROS_MCP_URL": site["url"], "ROUTEROS_MCP_TOKEN": site["tokens"][who], "BOX": site["url"].removesuffix("/mcp"),
    }


def named(site: dict, said: str) -> None:
    for device in site["devices"]:
        line = next((line for line in said.splitlines() if device["name"] in line), "")
        rig.expect("reachable" in line, f"no line for {device['name']}: {rig.short(said)}")


def clients(tally: rig.Tally, site: dict, tools: Path, here: Path) -> None:
    name = site["devices"][0]["name"]
    sh = ["sh", EXAMPLES / "curl_example.sh"]
    with tally.check("curl: the fleet at a glance"):
        rig.expect(isinstance(json.loads(Ran(sh, environment(site), here).good()), dict), "no object")
    with tally.check("curl: a tool of one router"):
        said = json.loads(Ran([*sh, "system.get_overview", json.dumps({"device": name})], environment(site), here).good())
        rig.expect(said["identity"], said)
    with tally.check("curl: an error of the tool ends with 1 and says why"):
        Ran([*sh, "system.get_overview", '{"device": "nobody"}'], environment(site), here).bad("not_found")
    with tally.check("curl: a revoked token"):
        Ran(sh, environment(site, "revoked"), here).bad("token")
    python = [tools / "py2/bin/python", "-B", EXAMPLES / "http_client.py"]
    with tally.check("Python: every router and its score"):
        named(site, Ran(python, environment(site), here).good())
    with tally.check("Python: without an address it says what to set"):
        Ran(python, {"PATH": os.environ["PATH"]}, here).bad("ROUTEROS_MCP_URL")
    # Packages are found from where the file lies.
    copied = tools / "ts" / "http_client.mts"
    shutil.copy(EXAMPLES / "http_client.mts", copied)
    node = [tools / "node22/node_modules/.bin/node", copied]
    with tally.check("TypeScript: every router and its score"):
        named(site, Ran(node, environment(site), here).good())
    with tally.check("TypeScript: a token that nobody has"):
        Ran(node, environment(site, "unknown"), here).bad("401")
    copied.unlink()


def job(tally: rig.Tally, site: dict, here: Path) -> None:
    """Each step's script of the CI job, as a runner runs it."""
    parsed = stage.yaml((EXAMPLES / "ci_job.yml").read_text())
    if parsed is None:
        raise rig.Failed("PyYAML is needed to read the job")
    for step in parsed["jobs"]["routers"]["steps"]:
        with tally.check(f"CI job: {step['name']}"):
            Ran(["bash", "-eo", "pipefail", "-c", step["run"]], environment(site), here).good()
    with tally.check("CI job: it fails for a token that is no good"):
        Ran(["bash", "-eo", "pipefail", "-c", parsed["jobs"]["routers"]["steps"][1]["run"]], environment(site, "revoked"), here).bad("401")


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tools", type=Path, default=rig.TARGET / "clients")
    tools = parser.parse_args().tools
    tally = rig.Tally("examples")
    with rig.demo() as demo, rig.state_dir() as place, web.daemon(place, demo["devices"]) as site:
        clients(tally, site, tools, place)
        with tally.check("the CI job can be read"):
            job(tally, site, place)
    return tally.finish()


if __name__ == "__main__":
    sys.exit(main())
