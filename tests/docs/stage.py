"""The boxes that commands of the pages are run on: a demo site that all share, and new ones."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pages

sys.path.insert(0, str(pages.ROOT / "tests" / "clients"))
import rig  # noqa: E402

PASSWORD = "correct horse battery"
# A change that waits for a person: what pages call ID.
RULE = {"devices": ["edge"], "edits": [{"menu": "/ip/firewall/filter", "op": "add", "values": {"chain": "forward", "action": "drop", "src-address": "203.0.113.9"}}]}


def yaml(text: str):
    """YAML as Python data; where there is no PyYAML the text is taken for good, and it is said."""
    try:
        import yaml as reader
    except ImportError:
        print("  ABSENT: PyYAML is not installed: YAML in the pages was not read", flush=True)
        return None
    return reader.safe_load(text)


def metrics() -> dict[str, set[str]]:
    """Each metric of the generated page, with its labels."""
    rows = re.findall(r"^\| `([a-z_]+)(?:\{([a-z_,]*)\})?` \|", pages.text("metrics"), re.MULTILINE)
    return {name: set(filter(None, labels.split(","))) for name, labels in rows}


def all_of(child: subprocess.Popen, signal: int) -> None:
    """The shell and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal)


def log_lines() -> list[dict]:
    """What a daemon writes for an operator's call and for a request that it refuses."""
    with rig.state_dir() as place:
        data = place / "logs"
        (place / "password").write_text(PASSWORD + "\n")
        (place / "password").chmod(0o600)
        env = {**os.environ, "ROUTEROS_MCP_MCP_TRANSPORT": "http", "ROUTEROS_MCP_LOG_TARGET": "stderr"}
        with rig.started(["--data-dir", str(data), "serve"], "--once-ready-fd", place / "log", env=env) as ready:
            rig.cli(data, "user", "add", "anna", "--role", "admin", "--password-file", str(place / "password")).json()
            request = urllib.request.Request(ready["http"] + "/mcp", data=b"{}", headers={"Authorization": "Bearer rmcp_bad"})
            with contextlib.suppress(urllib.error.HTTPError):
                urllib.request.urlopen(request, timeout=rig.ANSWER)
        return [json.loads(line) for line in (place / "log").read_text().splitlines() if line.startswith("{")]


class Scene:
    """Where blocks run."""

    def __init__(self, place: Path, site: dict) -> None:
        self.place, self.site, self.made = place, site, 0
        self.bin = place / "bin"
        self.bin.mkdir()
        (self.bin / "routeros-mcp").symlink_to(rig.BINARY)
        self.data = Path(site["data_dir"])
        self.helps: dict[tuple[str, ...], str] = {}
        code = (path.read_text() for path in (pages.ROOT / "src").rglob("*.rs"))
        # A message may stand on two lines of source.
        self.source = re.sub(r"\\\n\s*", "", "\n".join(code))
        default = subprocess.run([rig.BINARY, "config", "default"], capture_output=True, text=True, check=True).stdout
        self.variables = set(re.findall(r"ROUTEROS_MCP_[A-Z_]+", default)) | {"ROUTEROS_MCP_CONFIG_FILE"}
        # Tools of assistants and of operators, and keys of the configuration: they look alike.
        tools = set(re.findall(r'^ *name: "([a-z_]+\.[a-z_]+)"', self.source, re.MULTILINE))
        keys = set(re.findall(r'\bkey\("([a-z_]+\.[a-z_]+)"', self.source))
        self.categories, self.dotted = {name.split(".")[0] for name in tools}, tools | keys
        self.prepare()

    def prepare(self) -> None:
        """What pages take for granted: a router called edge, a person, a plan that waits, a file with a passphrase."""
        for name, text in (("passphrase", "a passphrase of many words"), ("password", PASSWORD), ("router-password", self.site["devices"][0]["password"])):
            (self.place / name).write_text(text + "\n")
            (self.place / name).chmod(0o600)
        (self.place / "nas").mkdir()
        self.rename(self.data)
        self.cli("user", "add", "anna", "--role", "admin", "--password-file", str(self.place / "password"))
        self.cli("user", "add", "ben", "--role", "ops_rw", "--password-file", str(self.place / "password"))
        plan = self.place / "PLAN.json"
        plan.write_text(json.dumps(RULE))
        self.token = self.cli("token", "create", "--name", "docs", "--role", "ops_rw")["token"]
        self.admin = self.cli("token", "create", "--name", "docs-admin", "--role", "admin")["token"]
        self.scrape = self.cli("token", "create", "--name", "docs-metrics", "--role", "metrics")["token"]
        self.cli("token", "create", "--name", "docs-stray", "--role", "read_only")
        self.backup = self.place / "made.age"
        self.cli("backup", "create", "--out", str(self.backup), "--passphrase-file", str(self.place / "passphrase"))

    def new_plan(self, approved: bool) -> str:
        """The id of a plan that waits for a person, or that has one's word. A block before may have closed the router."""
        self.cli("device", "update", "edge", *[word for grant in ("writes", "professional", "firewall") for word in ("--capability", grant)])
        plan = self.cli("plan", "create", "--file", str(self.place / "PLAN.json"))
        if approved:
            self.cli("plan", "approve", plan["id"], "--yes", "--user", "anna", "--password-file", str(self.place / "password"))
        return plan["id"]

    def lay_out(self, text: str) -> None:
        """The backup that a block checks or restores; none where it makes one."""
        there = self.place / "nas" / "routeros-mcp.age"
        if "backup create" in text:
            there.unlink(missing_ok=True)
        else:
            shutil.copy(self.backup, there)

    def rename(self, data: Path) -> None:
        first = self.site["devices"][0]
        rig.cli(data, "device", "update", first["name"], "--name", "edge").json()

    def cli(self, *args: str):
        return rig.cli(self.data, *args).json()

    def environment(self, data: Path) -> dict:
        """As a person's shell has it. The state directory is where the daemon of a box has it."""
        return {
            "PATH": f"{self.bin}:{os.environ['PATH']}", "HOME": str(self.place), "TMPDIR": str(self.place), "STATE_DIRECTORY": str(data),
            "TOKEN": self.token, "ADMIN_TOKEN": self.admin, "METRICS_TOKEN": self.scrape, "ROUTEROS_MCP_MCP_HTTP_PORT": "0", "LC_ALL": "C.UTF-8",
        }

    def shared(self, page: str) -> tuple[dict, Path]:
        here = self.place / page
        here.mkdir(exist_ok=True)
        shutil.copy(self.place / "PLAN.json", here / "PLAN.json")
        return self.environment(self.data), here

    def fresh(self) -> tuple[dict, Path]:
        """A box without a store; the demo's master key waits beside, as one that was kept elsewhere."""
        self.made += 1
        here = self.place / f"fresh{self.made}"
        here.mkdir()
        shutil.copy(self.data / "master.key", here / "master.key")
        shutil.copy(self.place / "PLAN.json", here / "PLAN.json")
        return self.environment(here / "state"), here

    def fitted(self, text: str) -> str:
        """Example names become what there is here; each block has a plan of its own."""
        self.lay_out(text)
        first = self.site["devices"][0]
        for example, real in (
            ("https://mcp.example.com", self.site["http"]), ("https://the-box:8443", self.site["http"]), ("https://mcp.example:8443", self.site["http"]),
            ("/mnt/nas", str(self.place / "nas")), ("/root/passphrase", str(self.place / "passphrase")), ("/root/password", str(self.place / "password")),
            ("/root/router-password", str(self.place / "router-password")), ("/etc/routeros-mcp", str(self.place / "etc")), ("/var/lib/routeros-mcp", "$STATE_DIRECTORY"),
            ("/usr/local/bin/routeros-mcp", str(rig.BINARY)), ("/usr/bin/routeros-mcp", str(rig.BINARY)),
            ("192.168.88.1", f"127.0.0.1 --rest-port {first['rest_port']} --ssh-port {first['ssh_port']}"),
            ("assets/", str(pages.ROOT / "assets") + "/"), ('"age1…"', '"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"'),
        ):
            text = text.replace(example, real)
        if re.search(r"\bID\b", text):
            text = re.sub(r"\bID\b", self.new_plan("plan apply" in text), text)
        return text

    def check_config(self, text: str, name: Path) -> list[str]:
        """What `config check` says of these settings alone."""
        file = self.place / name
        file.write_text(text)
        env = {"PATH": os.environ["PATH"], "HOME": str(self.place)}
        done = subprocess.run([rig.BINARY, "--config", str(file), "--data-dir", str(self.place / "none"), "config", "check"], env=env, capture_output=True, text=True, check=False)
        return [line for line in (done.stdout + done.stderr).splitlines() if str(file) in line or "error" in line]

    def look_up(self, command: str) -> None:
        """`routeros-mcp A B --flag`: there is such a command, and its help has the flags."""
        try:
            parts = shlex.split(command.replace("…", "x"))[1:]
        except ValueError as fault:
            raise rig.Failed(f"{command}: {fault}") from None
        path, flags, takes_value = [], [], False
        for part in parts:
            if part.startswith("-"):
                flags.append(part.split("=")[0])
                takes_value = True
            elif not takes_value and re.fullmatch(r"[a-z][a-z-]*", part) and len(path) < 2 and f"\n  {part} " in self.help(tuple(path)):
                path.append(part)
            else:
                takes_value = False
        rig.expect(path, f"{command}: no such command")
        rig.expect(len(path) == 2 or "Commands:" not in self.help(tuple(path)), f"{command}: {' '.join(path)} wants a command")
        for flag in flags:
            rig.expect(re.search(rf"(?<![\w-]){re.escape(flag)}(?![\w-])", self.help(tuple(path))), f"{command}: no {flag}")

    def has(self, command: str) -> bool:
        return f"\n  {command} " in self.help(())

    def help(self, path: tuple[str, ...]) -> str:
        if path not in self.helps:
            self.helps[path] = subprocess.run([rig.BINARY, *path, "--help"], capture_output=True, text=True, check=True).stdout
        return self.helps[path]


@contextlib.contextmanager
def scene():
    with rig.state_dir() as place, rig.demo() as site:
        yield Scene(place, site)
