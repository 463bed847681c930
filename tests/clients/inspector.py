"""MCP Inspector's command line on the demo site: strict listing in both eras, and every listed tool called.

`python3 inspector.py READY.json`; run.py puts Node 22 and the inspector on PATH. The server is given as the
`mcpServers` file that people paste into their clients, so that form is tried as well.
"""

import json
import os
import subprocess
import sys
import tempfile

import rig


def inspect(config: str, *args: str) -> dict:
    """One run of the inspector; its result as JSON."""
    command = ["mcp-inspector", "--cli", "--config", config, "--server", "demo", "--quiet", "--format", "json", *args]
    # It keeps a catalogue and logins in the home directory; this run keeps out of the user's.
    env = {**os.environ, "HOME": os.path.dirname(config)}
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=90, env=env, check=False)
    said = (done.stderr or done.stdout).decode(errors="replace")
    rig.expect(done.returncode == 0, f"exit code {done.returncode}: {rig.short(said, 1000)}")
    answer = json.loads(done.stdout)
    return answer.get("result", answer)


def main() -> int:
    tally, site = rig.Tally("inspector"), rig.site_file()
    with tempfile.TemporaryDirectory() as place:
        config = os.path.join(place, "mcp.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"mcpServers": {"demo": {"type": "stdio", "command": site["command"], "args": site["args"]}}}, file)
        tools = []
        for era in ("legacy", "modern"):
            with tally.check(f"{era}: lists its tools, and --strict finds nothing wrong with their schemas"):
                tools = inspect(config, "--protocol-era", era, "--method", "tools/list", "--strict")["tools"]
                rig.expect(tools, "an empty list")
        for tool in tools:
            for arguments in rig.arguments_for(tool["name"], site["devices"][0]["name"])[:1]:
                answers(tally, config, tool["name"], arguments)
    return tally.finish()


def answers(tally: rig.Tally, config: str, tool: str, arguments: dict) -> None:
    with tally.check(f"{tool} answers"):
        call = ["--method", "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments)]
        result = inspect(config, *call)
        rig.expect(not result.get("isError"), result)
        rig.expect("structuredContent" in result, "no structured content")


sys.exit(main())
