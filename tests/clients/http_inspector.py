"""MCP Inspector's command line over HTTPS: strict listing and calls in both eras, and what it says when it may not.

`python3 http_inspector.py READY.json`; run.py puts Node 22 and the inspector on PATH, and the certificate into
NODE_EXTRA_CA_CERTS.
"""

import json
import os
import subprocess
import sys
import tempfile

import rig
import web


def inspect(site: dict, token: str, era: str, *args: str, env: dict | None = None) -> subprocess.CompletedProcess:
    """One run of the inspector. It keeps logins in the home directory; this run keeps out of the user's."""
    command = ["mcp-inspector", "--cli", site["url"], "--transport", "http", "--header", f"Authorization: Bearer {token}"]
    command += ["--protocol-era", era, "--quiet", "--format", "json", *args]
    with tempfile.TemporaryDirectory() as home:
        env = {**(env or os.environ), "HOME": home}
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, env=env, check=False)


def result(done: subprocess.CompletedProcess) -> dict:
    rig.expect(done.returncode == 0, f"exit code {done.returncode}: {rig.short((done.stderr or done.stdout).decode(errors='replace'), 1000)}")
    answer = json.loads(done.stdout)
    return answer.get("result", answer)


def refused(done: subprocess.CompletedProcess, *words: str) -> None:
    said = (done.stderr + done.stdout).decode(errors="replace")
    rig.expect(done.returncode != 0, f"it was let in: {rig.short(said)}")
    rig.expect(any(word in said for word in words), rig.short(said, 1000))


def main() -> int:
    tally, site = rig.Tally("http_inspector"), rig.site_file()["web"]
    tokens, device = site["tokens"], site["devices"][0]["name"]
    call = ("--method", "tools/call", "--tool-name")
    for era in ("legacy", "modern"):
        with tally.check(f"{era}: lists its tools, and --strict finds nothing wrong with their schemas"):
            rig.expect(result(inspect(site, tokens["ops"], era, "--method", "tools/list", "--strict"))["tools"], "an empty list")
        for tool, arguments in (("device.list", {}), ("system.get_overview", {"device": device})):
            with tally.check(f"{era}: {tool} answers"):
                answer = result(inspect(site, tokens["ops"], era, *call, tool, "--tool-args-json", json.dumps(arguments)))
                rig.expect(not answer.get("isError") and "structuredContent" in answer, answer)
        for kind in web.BAD:
            with tally.check(f"{era}: a token that is {kind} opens nothing"):
                refused(inspect(site, tokens[kind], era, "--method", "tools/list"), "auth_required")
        with tally.check(f"{era}: a reader reads and is not offered what writes"):
            result(inspect(site, tokens["reader"], era, *call, "device.list", "--tool-args-json", "{}"))
            refused(inspect(site, tokens["reader"], era, *call, "system.set_identity", "--tool-args-json", "{}"), "tool_not_found")
        with tally.check(f"{era}: a certificate that nobody vouches for is refused"):
            env = {key: value for key, value in os.environ.items() if key != "NODE_EXTRA_CA_CERTS"}
            refused(inspect(site, tokens["ops"], era, "--method", "tools/list", env=env), "certificate", "CERT", "fetch failed")
    return tally.finish()


sys.exit(main())
