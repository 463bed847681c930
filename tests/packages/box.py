"""A machine whose process 1 is systemd, made of this one and thrown away: boot.sh does the work."""

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from checks import PATIENCE, run, until

HERE = Path(__file__).resolve().parent
SAY_HELLO = (
    '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},'
    '"clientInfo":{"name":"packages","version":"1"}}}\n'
    '{"jsonrpc":"2.0","method":"notifications/initialized"}\n'
    '{"jsonrpc":"2.0","id":2,"method":"tools/list"}\n'
)


class Box:
    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="rmcp-box-"))
        self.log = open(self.dir.with_suffix(".log"), "w+")
        # The outer namespace keeps what boot.sh mounts from this machine.
        words = ["unshare", "--mount", "--propagation", "private", "sh", HERE / "boot.sh", self.dir]
        self.process = subprocess.Popen(words, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.pid = None
        try:
            self.pid = until(self.systemd, "systemd as process 1 of the box")
            until(lambda: "active" == self.do("systemctl", "is-active", "box.target", code=(0, 3, 1)).strip(), "its target")
        except AssertionError:
            said = Path(self.log.name).read_text()[-500:]
            self.close()
            raise AssertionError(f"the box does not boot: {said}") from None

    def systemd(self):
        """Its process 1, as this machine numbers it: the one child of `unshare --fork`."""
        assert self.process.poll() is None, "it ended"
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for child in children:
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return None

    def words(self, *words):
        return ["nsenter", "-t", self.pid, "-a", "-r", "-w", *map(str, words)]

    def do(self, *words, code=0, **more):
        return run(*self.words(*words), code=code, **more)

    def show(self, unit, what):
        return self.do("systemctl", "show", "-P", what, unit).strip()

    def put(self, file, name=None):
        to = Path(f"/proc/{self.pid}/root/tmp") / (name or file.name)
        shutil.copyfile(file, to)
        return f"/tmp/{to.name}"

    def write(self, path, text):
        to = Path(f"/proc/{self.pid}/root{path}")
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(text)

    def hello(self, *words):
        """An MCP client's first words to a program on standard input and output: how many tools there are."""
        done = subprocess.run(self.words(*words), input=SAY_HELLO, capture_output=True, text=True, timeout=PATIENCE)
        return tools_in(done.stdout, done.stderr)

    def close(self):
        self.process.kill()
        if self.pid:
            subprocess.run(["kill", "-9", self.pid], stderr=subprocess.DEVNULL)
        self.process.wait()
        self.log.close()
        shutil.rmtree(self.dir, ignore_errors=True)
        Path(self.log.name).unlink(missing_ok=True)


def tools_in(said, complained=""):
    names = re.findall(r'"name":"([a-z_]+\.[a-z_]+)"', said)
    assert names, f"no tools in the answer: {said[-300:]} {complained[-800:]}"
    return len(names)
