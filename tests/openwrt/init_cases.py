"""The init script under busybox ash, with a recording stub for rc.common and procd: what it asks of procd, case by case, against snapshots."""

import shlex
import shutil
import subprocess

from checks import HERE, INIT, ROOT, ash, blessed

# The mounts of a router: the root is an overlay, /tmp (and so /var) is memory, a stick hangs at /mnt/usb.
MOUNTS = """/dev/root /rom squashfs ro,relatime 0 0
tmpfs /tmp tmpfs rw,nosuid,nodev,noatime 0 0
/dev/ubi0_1 /overlay ubifs rw,noatime 0 0
overlayfs:/overlay / overlay rw,noatime,lowerdir=/,upperdir=/overlay/upper 0 0
tmpfs /dev tmpfs rw,nosuid,noexec,noatime 0 0
/dev/sda1 /mnt/usb ext4 rw,relatime 0 0
"""
ON = {"enabled": "1"}
# Name: action, settings, what stands on the box beforehand (files below STUB_ROOT).
CASES = {
    "disabled": ("start", {}, {}),
    "enabled": ("start", ON, {"etc/config.toml": ""}),
    "enabled_by_word": ("start", {"enabled": "yes"}, {}),
    "no_config_file": ("start", ON, {}),
    "lan_address_and_port": ("start", ON | {"listen": "192.168.1.1:8443"}, {}),
    "port_alone": ("start", ON | {"listen": "8443"}, {}),
    "ipv6_address": ("start", ON | {"listen": "[fd00::1]:8443"}, {}),
    "firewall_open": ("start", ON | {"listen": "192.168.1.1:8443", "firewall_open": "1"}, {}),
    "firewall_closed_again": ("stop", ON, {"run/firewall": "", "run/started-with": "x"}),
    "volatile_dir_refused": ("start", ON | {"data_dir": "/tmp/rmcp"}, {}),
    "volatile_dir_allowed": ("start", ON | {"data_dir": "/tmp/rmcp", "volatile": "1"}, {}),
    "data_dir_on_usb": ("start", ON | {"data_dir": "/mnt/usb/rmcp"}, {}),
    "disk_mounted": ("start", ON | {"data_dir": "/mnt/usb/rmcp", "fstab": "/mnt/usb"}, {}),
    "disk_not_mounted": ("start", ON | {"data_dir": "/mnt/disk/rmcp", "fstab": "/mnt/disk"}, {}),
    "log_cache_flush_memory": ("start", ON | {"log_level": "debug", "cache_mb": "16", "flush_seconds": "60", "memory_mb": "128"}, {}),
    "bad_bool": ("start", {"enabled": "maybe"}, {}),
    "bad_log_level": ("start", ON | {"log_level": "loud"}, {}),
    "bad_cache": ("start", ON | {"cache_mb": "65"}, {}),
    "bad_memory": ("start", ON | {"memory_mb": "8"}, {}),
    "reload_unchanged": ("reload", ON, {"run/started-with": None}),
    "reload_changed": ("reload", ON, {"run/started-with": "other"}),
    "reload_to_disabled": ("reload", {"enabled": "0"}, {"run/started-with": "other"}),
    "stop": ("stop", ON, {}),
    "triggers": ("service_triggers", ON, {}),
}
# Refused before anything is made or given away.
BAD_LISTEN = ["8080a", ":8080", "127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80a", "a b:80", "$(reboot):80", "127.0.0.1:123456", "';reboot;':80"]
BAD_DATA_DIR = ["/", "/etc", "/mnt", "etc/x/y", "/etc/../etc/x", "/etc//x", "/mnt/x/..", "/mnt/x/", "/mnt/a b/c", "/mnt/$(reboot)/x", "/mnt/x;reboot", "-rf"]


class Box:
    """One run of the script: its files, its record."""

    def __init__(self, bin_dir, place, settings, files, mounts=MOUNTS, init=INIT):
        self.bin_dir, self.place, self.init, self.settings = bin_dir, place, init, settings
        shutil.rmtree(place, ignore_errors=True)
        for name in ("etc", "run"):
            (place / name).mkdir(parents=True)
        (place / "mounts").write_text(mounts)
        for name, text in files.items():
            if text is None:
                text = self.ask("settings").stdout
            (place / name).write_text(text)

    def ask(self, action, *words, **more):
        env = {f"UCI_{name}": value for name, value in self.settings.items()}
        env |= {"RECORD": str(self.place / "record"), "STUB_ROOT": str(self.place), **more}
        return ash(self.bin_dir, HERE / "rc.common", self.init, action, *words, env=env)

    def record(self):
        record = self.place / "record"
        return record.read_text().replace(str(self.place), "BOX") if record.exists() else ""

    def calls(self):
        return [shlex.split(line.replace("BOX", str(self.place))) for line in self.record().splitlines()]


def instance(calls):
    """What procd would keep of the instance: parameters by name."""
    kept = {"jail": [], "ro": [], "rw": []}
    for call, *words in calls:
        if call == "procd_set_param":
            kept[words[0]] = words[1:]
        elif call == "procd_append_param":
            kept.setdefault(words[0], []).extend(words[1:])
        elif call == "procd_add_jail":
            kept["jail"] = words[1:]
        elif call == "procd_add_jail_mount":
            kept["ro"] += words
        elif call == "procd_add_jail_mount_rw":
            kept["rw"] += words
    return kept


def run(checks, bin_dir, scratch):
    scripts(checks, bin_dir)
    snapshots(checks, bin_dir, scratch)
    refusals(checks, bin_dir, scratch)
    promises(checks, bin_dir, scratch)
    waiting(checks, bin_dir, scratch)
    defaults(checks, bin_dir, scratch)


def scripts(checks, bin_dir):
    """Every script reads as busybox's shell and is clean for shellcheck."""
    named = [INIT, ROOT / "openwrt/files/routeros-mcp.defaults", ROOT / "openwrt/test.sh", ROOT / "openwrt/package", HERE / "rc.common"]
    for script in named:
        read = ash(bin_dir, "-n", script)
        checks.that(f"{script.name} is read by busybox ash", read.returncode == 0, read.stderr)
        lint = subprocess.run(["shellcheck", "-s", "dash" if script.name == "rc.common" else "sh", script], capture_output=True, text=True)
        if script == INIT or script.name == "rc.common":
            lint = subprocess.run(["shellcheck", script], capture_output=True, text=True)
        checks.that(f"{script.name} is clean for shellcheck", lint.returncode == 0, lint.stdout)


def snapshots(checks, bin_dir, scratch):
    want = {path.stem for path in (HERE / "snap").glob("*.txt")}
    for name, (action, settings, files) in CASES.items():
        box = Box(bin_dir, scratch / "box", settings, files)
        done = box.ask(action)
        text = f"{box.record()}exit {done.returncode}\n{done.stderr}"
        path = HERE / "snap" / f"{name}.txt"
        if blessed():
            path.write_text(text)
        known = path.read_text() if path.exists() else None
        checks.that(f"init, {name}: as in its snapshot", known == text, f"now:\n{text}")
    checks.that("no snapshot without a case", blessed() or want == set(CASES), f"{want ^ set(CASES)}")


def refusals(checks, bin_dir, scratch):
    odd = {"etc/config.toml": ""}
    tries = [({"listen": value}, odd) for value in BAD_LISTEN] + [({"data_dir": value}, odd) for value in BAD_DATA_DIR]
    for settings, files in tries:
        box = Box(bin_dir, scratch / "box", ON | settings, files)
        done = box.ask("start")
        # rc.common goes on after a refusal, so there is no exit code to see it by.
        made = [call[0] for call in box.calls() if call[0] not in ("config_load", "logger")]
        checks.that(f"init refuses {settings}", not made and "not started:" in box.record(), f"{made} {done}")
    # Others' files are not given away; our own, after a restore, are.
    for names, fine in ((["passwd"], False), ([".profile"], False), (["audit", "master.key", "trail.reached"], True), ([".opened-0123456789abcdef", "before-restore-20261128-ab12", "restored-config.toml", "update-snapshot"], True), (["routeros-mcp.redb", "x"], True), ([], True)):
        box = Box(bin_dir, scratch / "box", ON, {})
        # The scratch directory lies below /tmp, which the mounts call memory.
        box.settings = ON | {"data_dir": str(box.place / "data"), "volatile": "1"}
        (box.place / "data").mkdir()
        for name in names:
            (box.place / "data" / name).write_text("")
        box.ask("start")
        started = "procd_close_instance" in box.record()
        checks.that(f"a data_dir with {names or 'nothing'} is {'taken' if fine else 'refused'}", started == fine, box.record())
    box = Box(bin_dir, scratch / "box", ON, {})
    box.settings = ON | {"data_dir": str(box.place / "link")}
    (box.place / "link").symlink_to("/etc")
    box.ask("start")
    checks.that("a data_dir that is a link is refused", "not started:" in box.record() and "chown" not in box.record())


def promises(checks, bin_dir, scratch):
    """What must hold whatever the settings."""
    secret = ("PASSWORD", "SECRET", "TOKEN", "KEY")
    for settings in (ON, ON | {"firewall_open": "1"}, ON | {"data_dir": "/mnt/usb/rmcp", "log_level": "debug"}):
        box = Box(bin_dir, scratch / "box", settings, {})
        box.ask("start")
        calls = box.calls()
        kept = instance(calls)
        said = [word for word in kept["command"] + kept["env"] if any(name in word.upper() for name in secret)]
        checks.that("no secret in arguments or environment", not said, str(said))
        checks.that("its own user, no new privileges, no core", kept["user"] == ["routeros-mcp"] and kept["no_new_privs"] == ["1"] and "core=0 0" in kept["limits"])
        checks.that("starts also where procd-ujail is absent", "requirejail" not in kept["jail"] and kept["jail"] == ["log", "procfs"])
        dir_wanted = settings.get("data_dir", "/etc/routeros-mcp/data")
        checks.that("writes to nothing but state and runtime directory", kept["rw"] == [dir_wanted, "/var/run/routeros-mcp"], str(kept["rw"]))
        rules = [call for call in calls if call[0] == "json_add_string" and call[1] == "src"]
        wanted = [["json_add_string", "src", "lan"]] if settings.get("firewall_open") else []
        checks.that("a firewall rule only when asked for, and from the LAN alone", rules == wanted, str(rules))
        checks.that("more tries than a start needs, then an end", kept["respawn"] == ["3600", "5", "5"])
        owned = [call for call in calls if call[0] == "chown" and "-hR" not in call and "root:routeros-mcp" not in call]
        checks.that("ownership never follows a link", not owned, str(owned))
        lists = ["/usr/lib/opkg/info/routeros-mcp.list", "/lib/apk/packages/routeros-mcp.list"]
        checks.that("sees in the jail that a package owns it", all(name in kept["ro"] for name in lists), str(kept["ro"]))
        checks.that("no guard and no self-update: packages do that here", not any("guard" in word or "UPDATE" in word for word in kept["command"] + kept["env"]))
    text = (ROOT / "openwrt/files/routeros-mcp.config").read_text()
    checks.that("UCI says off until somebody says on", "option enabled '0'" in text and "option firewall_open '0'" in text)
    options = {line.split()[1] for line in text.splitlines() if line.strip().startswith("option")}
    known = {word.split(":")[0] for call in _validation(bin_dir, scratch) for word in call}
    checks.that("every option that UCI ships is one that the script reads", options <= known, f"{options - known}")


def _validation(bin_dir, scratch):
    box = Box(bin_dir, scratch / "box", {}, {})
    box.ask("service_triggers")
    return [words for call, *words in box.calls() if call == "validation"]


def waiting(checks, bin_dir, scratch):
    """A stop lasts as long as the process does, so that a restart never meets the old one at the store."""
    box = Box(bin_dir, scratch / "box", ON, {})
    sleeper = subprocess.Popen(["sleep", "600"])
    try:
        (box.place / "run/pid").write_text(f"{sleeper.pid}\n")
        box.ask("stop")
        slept = [call for call in box.calls() if call[0] == "sleep"]
        checks.that("a stop waits for the process, and not for ever", len(slept) == 37, f"{len(slept)}")
    finally:
        sleeper.kill()
        sleeper.wait()
    box = Box(bin_dir, scratch / "box", ON, {"run/pid": f"{sleeper.pid}\n"})
    box.ask("stop")
    checks.that("a stop does not wait for what is gone", not [call for call in box.calls() if call[0] == "sleep"])


def defaults(checks, bin_dir, scratch):
    """uci-defaults on a root of its own (IPKG_INSTROOT), twice."""
    script = ROOT / "openwrt/files/routeros-mcp.defaults"
    for name, files in (("an empty root", {}), ("a root with a configuration", {"etc/routeros-mcp/config.toml": "# mine\n"})):
        root = scratch / "root"
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        for path, text in files.items():
            (root / path).parent.mkdir(parents=True)
            (root / path).write_text(text)
        seen = []
        for _ in range(2):
            done = ash(bin_dir, script, env={"IPKG_INSTROOT": str(root)})
            seen.append((done.returncode, done.stderr, sorted((str(p.relative_to(root)), oct(p.stat().st_mode)) for p in root.rglob("*"))))
        modes = dict(seen[0][2])
        checks.that(f"uci-defaults on {name}: the same twice, exit 0", seen[0] == seen[1] and seen[0][:2] == (0, ""), str(seen))
        checks.that(f"uci-defaults on {name}: data is 0700", modes["etc/routeros-mcp/data"] == "0o40700" and modes["etc/routeros-mcp"] == "0o40750", str(modes))
        for path, text in files.items():
            checks.that("uci-defaults keeps the configuration, for root and the service", (root / path).read_text() == text and modes[path] == "0o100640")
    blocked = scratch / "blocked"
    blocked.write_text("")
    done = ash(bin_dir, script, env={"IPKG_INSTROOT": str(blocked)})
    checks.that("uci-defaults exits 0 even where nothing can be made", done.returncode == 0)
