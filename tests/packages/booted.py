"""The units as systemd itself runs them, sandbox and all: installed from the .deb, then by scripts/install.sh."""

import json
import re
import secrets
import subprocess
import time

from box import SAY_HELLO, Box, tools_in
from checks import PATIENCE, ROOT, check, is_absent, is_root, key, until

UNIT = "routeros-mcp.service"
# Within the box: connects again and again until told to stop; prints how often, and how often in vain.
KNOCK = """
import select, socket, sys, time
done = refused = 0
print("knocking", flush=True)
while not select.select([sys.stdin], [], [], 0.002)[0]:
    try:
        socket.create_connection(("127.0.0.1", 443), 20).close()
        done += 1
    except OSError:
        refused += 1
print(done, refused)
"""
# Within the box: what it reads goes to a Unix socket, and what comes back is printed until the second answer.
TALK = """
import socket, sys
stream = socket.socket(socket.AF_UNIX)
stream.settimeout(30)
stream.connect(sys.argv[1])
stream.sendall(sys.stdin.buffer.read())
said = b""
while b'"id":2' not in said or not said.endswith(b"\\n"):
    more = stream.recv(65536)
    if not more:
        break
    said += more
print(said.decode())
"""
# Versions that hang: systemd hears nothing of the first, and of the second that it is ready and no more.
HANGS = "#!/bin/sh\nexec sleep 900\n"
HANGS_LATER = """#!/usr/bin/python3
import os, socket, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    manager.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
time.sleep(900)
"""
SOON = "[Service]\nWatchdogSec=2\nRestartSec=0\n"


def from_the_deb(deb):
    with_box("from the .deb", [
        ("the .deb installs, starts, and answers MCP", installs, deb),
        ("its sandbox is on and its directories are private", is_confined),
        ("a member of the group speaks MCP, another user does not", group),
        ("the local stdio socket is root's alone, and hands on to the appliance", stdio_socket),
        ("a reload is told to systemd and the process stays", reloads),
        ("the watchdog ends a process that hangs, and it comes back", hangs),
        ("a killed process comes back", crashes),
        ("nobody is refused while it restarts behind its socket", restarts_behind_its_socket),
        ("an instance has state and port of its own", instance),
        ("state that root's command line made is the service's at the next start", made_by_root),
        ("an upgrade keeps configuration and state", upgrades, deb),
        ("removal stops it, and purge keeps the backups alone", purges),
    ])


def from_a_bundle(bundle, long):
    slow = [
        ("the guard takes back a version that hangs before it is ready", takes_back, HANGS, 360),
        ("the guard takes back a version that hangs once it is ready", takes_back, HANGS_LATER, 360),
    ]
    with_box("from a bundle", [
        ("a bundle is installed and answers MCP over HTTP within 60 s", bundle_to_answer, bundle),
        ("the guard takes back a version that does not start", takes_back, "#!/bin/sh\nexit 1\n", 60),
        *(slow if long else []),
    ])


def with_box(name, steps):
    if not is_root():
        return is_absent(f"systemd, {name}", "only root can boot it")
    try:
        box = Box()
    except (AssertionError, OSError) as error:
        return is_absent(f"systemd, {name}", f"it cannot be booted here: {error}")
    try:
        for claim, step, *more in steps:
            check(f"systemd: {claim}", step, box, *more)
    finally:
        box.close()


def installs(box, deb):
    began = time.monotonic()
    box.do("dpkg", "-i", box.put(deb))
    assert box.do("systemctl", "is-active", UNIT).strip() == "active"
    assert box.show(UNIT, "StatusText") == "serving", "READY=1 was heard"
    tools = box.hello("routeros-mcp", "stdio")
    assert "/admin/setup#setup=" in box.do("routeros-mcp", "setup-token")
    assert "ready: control socket" in box.do("journalctl", "-u", UNIT, "--no-pager")
    return f"{time.monotonic() - began:.1f} s, {tools} tools"


def is_confined(box):
    pid = box.show(UNIT, "MainPID")
    status = dict(line.split(":", 1) for line in box.do("cat", f"/proc/{pid}/status").splitlines())
    for name, wanted in {"NoNewPrivs": "1", "Seccomp": "2", "CapEff": "0000000000000000", "CapBnd": "0000000000000000"}.items():
        assert status[name].strip() == wanted, f"{name} is {status[name].strip()}"
    assert status["Uid"].split()[1] != "0"
    modes = box.do("stat", "-c", "%a %U %G %n", "/var/lib/routeros-mcp", "/run/routeros-mcp", "/etc/routeros-mcp", "/etc/routeros-mcp/config.toml")
    assert [line.split()[:3] for line in modes.splitlines()] == [
        ["700", "routeros-mcp", "routeros-mcp"],
        ["750", "routeros-mcp", "routeros-mcp"],
        ["750", "root", "routeros-mcp"],
        ["640", "root", "routeros-mcp"],
    ], modes
    # It may write its state and nothing else.
    within = ["nsenter", "-t", pid, "-m", "-r", "-S", status["Uid"].split()[1], "-G", status["Gid"].split()[1]]
    box.do(*within, "touch", "/var/lib/routeros-mcp/x")
    box.do(*within, "rm", "/var/lib/routeros-mcp/x")
    for path in ("/etc/routeros-mcp/x", "/usr/x", "/var/lib/x"):
        box.do(*within, "touch", path, code=1)


def group(box):
    for name in ("member", "other"):
        box.do("useradd", name)
    box.do("usermod", "-aG", "routeros-mcp", "member")
    assert box.hello("runuser", "-u", "member", "--", "env", "STATE_DIRECTORY=/var/lib/routeros-mcp", "RUNTIME_DIRECTORY=/run/routeros-mcp", "routeros-mcp", "stdio")
    box.do("runuser", "-u", "other", "--", "python3", "-c", "import socket; socket.socket(socket.AF_UNIX).connect('/run/routeros-mcp/control.sock')", code=1)


def stdio_socket(box):
    box.do("systemctl", "start", "routeros-mcp-stdio.socket")
    path = "/run/routeros-mcp-stdio.sock"
    assert box.do("stat", "-c", "%a %u", path).strip() == "600 0"
    said = box.do("python3", "-c", TALK, path, said=SAY_HELLO)
    box.do("runuser", "-u", "other", "--", "python3", "-c", TALK, path, said=SAY_HELLO, code=1)
    return f"{tools_in(said)} tools"


def reloads(box):
    before = box.show(UNIT, "MainPID")
    box.do("systemctl", "reload", UNIT)
    until(lambda: "SIGHUP" in box.do("journalctl", "-u", UNIT, "--no-pager"), "word of the reload")
    until(lambda: box.show(UNIT, "StatusText").startswith("serving; the configuration in use stays"), "READY=1 after it")
    assert (box.show(UNIT, "MainPID"), box.show(UNIT, "ActiveState")) == (before, "active")


def hangs(box):
    box.write(f"/etc/systemd/system/{UNIT}.d/90-soon.conf", SOON)
    box.do("systemctl", "daemon-reload")
    box.do("systemctl", "restart", UNIT)
    # Longer than the watchdog waits: it is fed.
    time.sleep(5)
    assert box.show(UNIT, "NRestarts") == "0", "it was fed"
    before = box.show(UNIT, "MainPID")
    box.do("kill", "-STOP", before)
    back(box, before)
    assert "watchdog" in box.do("journalctl", "-u", UNIT, "--no-pager").lower()


def crashes(box):
    before = box.show(UNIT, "MainPID")
    box.do("kill", "-9", before)
    return back(box, before)


def back(box, before):
    began = time.monotonic()
    until(lambda: box.show(UNIT, "MainPID") not in ("0", before) and box.show(UNIT, "ActiveState") == "active", "another process")
    assert box.hello("routeros-mcp", "stdio")
    return f"{time.monotonic() - began:.1f} s"


def restarts_behind_its_socket(box):
    box.write(f"/etc/systemd/system/{UNIT}.d/80-tls.conf", "[Service]\nEnvironment=ROUTEROS_MCP_HTTP_TLS=self-signed\n")
    box.do("systemctl", "daemon-reload")
    box.do("systemctl", "stop", UNIT)
    box.do("systemctl", "start", "routeros-mcp.socket")
    box.do("systemctl", "start", UNIT)
    assert "CapEff:\t0000000000000000" in box.do("cat", f"/proc/{box.show(UNIT, 'MainPID')}/status")
    knocking = subprocess.Popen(box.words("python3", "-c", KNOCK), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert knocking.stdout.readline() == "knocking\n"
    for _ in range(3):
        box.do("systemctl", "restart", UNIT)
    box.do("curl", "-fsk", "https://127.0.0.1/health/live")
    said, _ = knocking.communicate("\n", timeout=PATIENCE)
    done, refused = map(int, said.split())
    assert refused == 0 and done >= 20, f"{refused} of {done} connections were refused"
    box.do("systemctl", "stop", "routeros-mcp.socket", UNIT)
    box.do("rm", f"/etc/systemd/system/{UNIT}.d/80-tls.conf")
    box.do("systemctl", "daemon-reload")
    box.do("systemctl", "start", UNIT)
    return f"{done} connections over 3 restarts"


def instance(box):
    # The configuration has to be there first.
    box.do("systemctl", "start", "routeros-mcp@lab", code=1)
    box.write("/etc/routeros-mcp/instances/lab.toml", 'environment = "lab"\n[mcp]\ntransport = "both"\nhttp_port = 8090\n')
    box.do("systemctl", "start", "routeros-mcp@lab")
    box.do("curl", "-fs", "http://127.0.0.1:8090/health/live")
    own = "/var/lib/routeros-mcp-instances/lab"
    assert box.do("stat", "-c", "%a %U", own).strip() == "700 routeros-mcp"
    within = ["nsenter", "-t", box.show("routeros-mcp@lab", "MainPID"), "-m", "-r", "ls"]
    box.do(*within, f"{own}/master.key")
    box.do(*within, "/var/lib/routeros-mcp/master.key", code=2)
    assert "/admin/setup" in box.do("routeros-mcp", "--data-dir", own, "--config", "/etc/routeros-mcp/instances/lab.toml", "setup-token")
    box.do("systemctl", "stop", "routeros-mcp@lab")


def made_by_root(box):
    state = "/var/lib/routeros-mcp"
    box.do("systemctl", "stop", UNIT)
    box.do("sh", "-c", f"rm -rf {state}/*")
    # A link must not lead the change of owner elsewhere.
    box.do("ln", "-s", "/etc/hostname", f"{state}/link")
    box.do("routeros-mcp", "device", "list")
    made = box.do("find", state, "-type", "f", "-user", "0").split()
    assert f"{state}/routeros-mcp.redb" in made, made
    box.do("systemctl", "start", UNIT)
    assert not box.do("find", state, "-user", "0").strip()
    assert box.do("stat", "-c", "%U", "/etc/hostname").strip() == "root"
    assert box.hello("routeros-mcp", "stdio")


def upgrades(box, deb):
    config = "/etc/routeros-mcp/config.toml"
    box.do("sh", "-c", f"echo '# mine' >>{config}")
    before = box.show(UNIT, "MainPID")
    key_before = box.do("sha256sum", "/var/lib/routeros-mcp/master.key")
    box.do("dpkg", "--force-confold", "-i", f"/tmp/{deb.name}")
    assert box.show(UNIT, "MainPID") not in ("0", before), "it runs the new one"
    assert "# mine" in box.do("cat", config)
    assert box.do("sha256sum", "/var/lib/routeros-mcp/master.key") == key_before


def purges(box):
    box.do("install", "-d", "-o", "routeros-mcp", "-m", "700", "/var/lib/routeros-mcp/backups")
    box.do("touch", "/var/lib/routeros-mcp/backups/b.age")
    box.do("dpkg", "-r", "routeros-mcp")
    assert box.do("systemctl", "is-active", UNIT, code=(3, 4)).strip() in ("inactive", "failed")
    box.do("test", "-e", "/etc/routeros-mcp/config.toml")
    box.do("test", "-e", "/var/lib/routeros-mcp/routeros-mcp.redb")
    said = box.do("dpkg", "-P", "routeros-mcp")
    assert "were kept" in said, said
    left = box.do("find", "/var/lib/routeros-mcp", "/var/lib/routeros-mcp-instances", "/etc/routeros-mcp", "-type", "f", code=(0, 1))
    assert re.findall(r"^/var.*|^/etc.*", left, re.M) == ["/var/lib/routeros-mcp/backups/b.age", "/etc/routeros-mcp/instances/lab.toml"], left


def bundle_to_answer(box, bundle):
    script, file = box.put(ROOT / "scripts/install.sh"), box.put(bundle)
    began = time.monotonic()
    said = box.do("sh", script, "--file", file, "--key", key())
    assert "/admin/setup#setup=" in said, f"it ends with the address to begin at: {said}"
    installed = time.monotonic() - began
    token = json.loads(box.do("routeros-mcp", "--json", "token", "create", "--name", "first", "--role", "read_only"))["token"]
    tools = over_http(box, token)
    whole = time.monotonic() - began
    assert whole <= 60, f"{whole:.0f} s"
    assert box.show("routeros-mcp-update.path", "ActiveState") == "active"
    assert "/usr/local/bin/routeros-mcp" in box.show(UNIT, "ExecStart")
    exe = box.do("readlink", f"/proc/{box.show(UNIT, 'MainPID')}/exe").strip()
    # As this machine sees it, below the box's root.
    assert re.search(r"/var/lib/routeros-mcp-bin/versions/[^/]+/routeros-mcp$", exe), exe
    return f"installed in {installed:.1f} s, first answer after {whole:.1f} s, {tools} tools"


def over_http(box, token):
    """A client's first words over HTTP: how many tools there are."""
    hello, _, wish = SAY_HELLO.strip().splitlines()
    ask = ["curl", "-fsSi", "http://127.0.0.1:8080/mcp", "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json"]
    ask += ["-H", "Accept: application/json, text/event-stream"]
    session = re.search(r"(?im)^mcp-session-id: (\S+)", box.do(*ask, "-d", hello))
    return tools_in(box.do(*ask, *(["-H", f"Mcp-Session-Id: {session[1]}"] if session else []), "-d", wish))


def takes_back(box, program, bar):
    """Switched to a version that does not stand: the one before is there within `bar` seconds."""
    top = "/var/lib/routeros-mcp-bin"
    old = box.do("readlink", f"{top}/current").strip().split("/")[-1]
    box.write(f"{top}/versions/99.0.0/routeros-mcp", program)
    box.do("chmod", "755", f"{top}/versions/99.0.0/routeros-mcp")
    turn = secrets.token_hex(8)
    box.write(f"{top}/pending", f"from={old}\nto=99.0.0\ntries=0\nid={turn}\n")
    box.do("ln", "-sfn", "versions/99.0.0", f"{top}/current")
    began = time.monotonic()
    box.do("systemctl", "restart", "--no-block", UNIT)
    until(lambda: not is_there(box, f"{top}/pending") and runs(box, old), "the old version", bar + PATIENCE)
    took = time.monotonic() - began
    assert box.do("readlink", f"{top}/current").strip() == f"versions/{old}"
    said = box.do("cat", f"{top}/rolled_back")
    assert f"id={turn}" in said and "did not stand after 2 starts" in said, said
    assert box.hello("routeros-mcp", "stdio") and took <= bar, f"{took:.0f} s"
    return f"{took:.1f} s"


def runs(box, version):
    exe = box.do("readlink", f"/proc/{box.show(UNIT, 'MainPID')}/exe", code=(0, 1)).strip()
    return box.show(UNIT, "ActiveState") == "active" and exe.endswith(f"/versions/{version}/routeros-mcp")


def is_there(box, path):
    return box.do("sh", "-c", f"[ -e {path} ] && echo yes || echo no").strip() == "yes"
