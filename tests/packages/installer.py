"""scripts/install.sh below a scratch root: what it takes, and what it refuses before it touches anything."""

import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from checks import KEYS, ROOT, TARGET, check, is_absent, is_root, key, run

SCRIPT = ROOT / "scripts/install.sh"
# What it needs besides a program that checks signatures.
TOOLS = "awk base64 cat chmod cp date grep gzip head id ln ls mkdir mktemp mv readlink rm rmdir sed sha256sum sh sort tail tar tr uname wc".split()
PEOPLE = ["systemd-sysusers", "systemd-tmpfiles"]
DONE = "installed; nothing was started"


def all_of_it(packages, work):
    site = Site(packages, work)
    shells = [["dash"], ["bash", "--posix"]] + ([["busybox", "ash"]] if shutil.which("busybox") else [])
    if not shutil.which("busybox"):
        is_absent("busybox", "install.sh was not tried with its shell")
    check("install.sh: at most 200 lines, and shellcheck has nothing to say", is_clean)
    check("install.sh: its keys are those of assets/update/keys.toml that are no test keys", keys_agree)
    if not is_root():
        return is_absent("install.sh below a root of its own", "only root can give files to the service's user")
    for shell in shells:
        for checker in ("minisign", "openssl"):
            check(f"install.sh: installs a bundle, {' '.join(shell)}, signature by {checker}", installs, site, shell, checker)
    check("install.sh: a second run changes nothing, and another version is left to the update", again, site)
    check("install.sh: --dry-run verifies, and leaves nothing behind", dry, site)
    check("install.sh: from an endpoint, with curl and with wget", online, site)
    check("install.sh: a bundle opens no socket", opens_no_socket, site)
    for checker in ("minisign", "openssl"):
        for claim, bundle, code, why in site.tampered():
            check(f"install.sh: refuses {claim} ({checker})", refuses, site, bundle, checker, code, why)
    for claim, act in REFUSED.items():
        check(f"install.sh: {claim}", act, site)


class Site:
    """A release, signed with the test key, and scratch roots to install it in."""

    def __init__(self, packages, work):
        self.work = work
        self.tar = next(packages.glob(f"*{TARGET}.tar.gz"))
        self.manifest = json.loads((packages / "latest.json").read_text())
        self.bundle = self.make("good", self.manifest)

    def make(self, name, manifest, by="daily", artifact=None, change=None, sign=True, kind=None):
        """A bundle as scripts/release-sign makes it; `change` is done to its files after they were signed."""
        at = self.work / name
        shutil.rmtree(at, ignore_errors=True)
        (at / "stable").mkdir(parents=True)
        text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
        (at / "stable/latest.json").write_bytes(text)
        file = at / "stable" / self.tar.name
        file.write_bytes(artifact if artifact is not None else self.tar.read_bytes())
        if sign:
            words = ["minisign", "-S", *(["-l"] if kind == "legacy" else []), "-s", KEYS / f"{by}.key", "-m", at / "stable/latest.json", "-t", "a test"]
            run(*words, said="\n")
        if change:
            change(at / "stable")
        bundle = at / "bundle.tar"
        with tarfile.open(bundle, "w", format=tarfile.USTAR_FORMAT) as tar:
            for path in sorted((at / "stable").iterdir()):
                tar.add(path, arcname=path.name)
        return bundle

    def tampered(self):
        """(claim, bundle, exit code, what it says)."""
        good, unsigned = self.manifest, "signed by nobody"
        ours = next(entry for entry in good["artifacts"] if entry["kind"] == "tar")

        def signed(name, artifact=None, **more):
            return self.make(name, good | more, artifact=artifact)

        def of_artifact(name, **more):
            return self.make(name, good | {"artifacts": [ours | more]})

        def edit(name, file, what):
            def change(at):
                path = at / file
                path.write_bytes(what(path.read_bytes()))

            return self.make(name, good, change=change)

        flipped = bytearray(self.tar.read_bytes())
        flipped[len(flipped) // 2] ^= 1
        evil = b"#!/bin/sh\nexit 0\n"
        minisig = "latest.json.minisig"
        return [
            ("a manifest changed by a bit", edit("bit", "latest.json", lambda b: b.replace(b"0.1.0", b"0.1.1", 1)), 65, unsigned),
            ("a manifest with a byte more", edit("byte", "latest.json", lambda b: b + b" "), 65, unsigned),
            ("a signature changed by a bit", edit("sig", minisig, lambda b: b[:90] + bytes([b[90] ^ 1]) + b[91:]), 65, unsigned),
            ("another trusted comment", edit("comment", minisig, lambda b: b.replace(b"a test", b"a tesT")), 65, unsigned),
            ("a signature that broke off", edit("cut", minisig, lambda b: b[:150]), 65, unsigned),
            ("no signature", self.make("none", good, sign=False), 65, "no bundle with latest.json.minisig"),
            ("another key's signature", self.make("other", good, by="other"), 65, unsigned),
            ("a signature of minisign's old kind", self.make("legacy", good, kind="legacy"), 65, unsigned),
            ("an artifact changed by a bit", self.make("flip", good, artifact=bytes(flipped)), 65, "not the file that was signed"),
            ("another artifact", self.make("evil", good, artifact=evil), 65, "not the file that was signed"),
            ("an artifact that broke off", self.make("short", good, artifact=self.tar.read_bytes()[:-1]), 65, "not the file"),
            ("an artifact with more behind it", self.make("long", good, artifact=self.tar.read_bytes() + b"x"), 65, "larger than it may be"),
            ("a lie about the size", of_artifact("size", size=ours["size"] + 1), 65, "not the file that was signed"),
            ("a digest that is none", of_artifact("digest", sha256="00"), 65, "cannot be"),
            ("a name that leads elsewhere", of_artifact("path", url="..."), 65, "cannot be"),
            ("a manifest over 64 kB", self.make("big", json.dumps(good).encode() + b" " * 70_000), 65, "larger than it may be"),
            ("another product", signed("product", product="something-else"), 65, "something else"),
            ("another channel", signed("channel", channel="beta"), 65, "not of the channel"),
            ("a version that leads elsewhere", signed("version", version="1/../../x"), 65, "its version is none"),
            ("a release without this machine", signed("machine", artifacts=[ours | {"target": "mips-unknown-linux-musl"}]), 69, "nothing for this machine"),
            ("an archive that tar refuses", self.no_archive(good, ours), 65, "cannot be unpacked"),
            ("a binary that does not start here", self.wrong_binary(good, ours), 70, "does not start"),
            ("what is no bundle", SCRIPT, 65, "no bundle"),
            ("a link in the place of the manifest", self.make("link", good, change=linked), 65, "no bundle with latest.json"),
        ]

    def no_archive(self, good, ours):
        """Signed all the same."""
        junk = b"no archive"
        entry = ours | {"size": len(junk), "sha256": hashlib.sha256(junk).hexdigest()}
        return self.make("no-archive", good | {"artifacts": [entry]}, artifact=junk)

    def wrong_binary(self, good, ours):
        """A whole release, signed, whose binary is for another machine."""
        tree = self.work / "wrong-tree"
        shutil.rmtree(tree, ignore_errors=True)
        run("mkdir", "-p", tree)
        run("tar", "-xzf", self.tar, "-C", tree)
        binary = next(tree.glob("*/routeros-mcp"))
        # Says that it is for a machine that no kernel here knows.
        data = bytearray(binary.read_bytes()[:4096])
        data[18:20] = b"\xfe\xca"
        binary.write_bytes(data)
        made = self.work / "wrong.tar.gz"
        run("tar", "-czf", made, "-C", tree, binary.parent.name)
        data = made.read_bytes()
        return self.make("wrong", good | {"artifacts": [ours | {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}]}, artifact=data)


def linked(at):
    (at / "latest.json").unlink()
    (at / "latest.json").symlink_to("/etc/hostname")


@contextmanager
def scratch():
    with tempfile.TemporaryDirectory(prefix="rmcp-root-") as root:
        os.chmod(root, 0o755)
        yield Path(root)


@contextmanager
def tools(*names):
    """A PATH with these programs and no other."""
    with tempfile.TemporaryDirectory(prefix="rmcp-path-") as at:
        for name in names:
            found = shutil.which(name)
            assert found, f"{name} is not installed"
            (Path(at) / name).symlink_to(found)
        yield at


def install(root, *words, shell=("dash",), checker="minisign", code=0, path=None, without=()):
    shell = [shutil.which(shell[0]), *shell[1:]]
    if path is None:
        with tools(*(name for name in [*TOOLS, *PEOPLE, checker, "curl"] if name not in without)) as path:
            return install(root, *words, shell=shell, code=code, path=path)
    root = ["--root", root] if root else []
    return run(*shell, SCRIPT, *words, *root, code=code, env={"PATH": str(path), "HOME": "/nowhere"})


def installs(site, shell, checker):
    with scratch() as root:
        said = install(root, "--file", site.bundle, "--key", key("other"), "--key", key(), shell=shell, checker=checker)
        assert f"signed ({checker})" in said and DONE in said, said
        binary = root / "var/lib/routeros-mcp-bin/current/routeros-mcp"
        assert json.loads(run(binary, "version", "--json"))["version"] == site.manifest["version"]
        assert os.readlink(root / "usr/local/bin/routeros-mcp") == "/var/lib/routeros-mcp-bin/current/routeros-mcp"
        users = dict(line.split(":")[:3:2] for line in (root / "etc/passwd").read_text().splitlines())
        for path, mode, is_theirs in [
            ("var/lib/routeros-mcp", 0o700, True),
            ("var/lib/routeros-mcp-bin", 0o755, False),
            ("etc/routeros-mcp", 0o750, False),
            ("etc/routeros-mcp/config.toml", 0o640, False),
            ("usr/local/lib/routeros-mcp/routeros-mcp-guard", 0o755, False),
            ("etc/systemd/system/routeros-mcp.service", 0o644, False),
        ]:
            found = (root / path).stat()
            owner = int(users["routeros-mcp"]) if is_theirs else 0
            assert (found.st_mode & 0o7777, found.st_uid) == (mode, owner), f"{path}: {found.st_mode:o} of {found.st_uid}"
        run(binary, "--config", root / "etc/routeros-mcp/config.toml", "--data-dir", root / "s", "check")


def again(site):
    with scratch() as root:
        install(root, "--file", site.bundle, "--key", key())
        config = root / "etc/routeros-mcp/config.toml"
        config.write_text("# mine\n")
        install(root, "--file", site.bundle, "--key", key())
        assert config.read_text() == "# mine\n"
        newer = site.make("newer", site.manifest | {"version": "99.0.0"})
        assert "updates itself" in install(root, "--file", newer, "--key", key(), code=73)
        assert os.readlink(root / "var/lib/routeros-mcp-bin/current") == f"versions/{site.manifest['version']}"


def dry(site):
    with scratch() as root:
        said = install(root, "--file", site.bundle, "--key", key(), "--dry-run")
        assert "would: put 755" in said and "nothing was changed" in said, said
        assert not list(root.iterdir())


def online(site):
    handler = lambda *arguments: Quiet(*arguments, directory=str(site.bundle.parent))  # noqa: E731
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        for fetcher in ("curl", "wget"):
            with scratch() as root, tools(*TOOLS, *PEOPLE, "minisign", fetcher) as path:
                assert DONE in install(root, "--url", url, "--key", key(), path=path)
        # As the busybox of Debian 12 does it.
        with scratch() as root, tools(*TOOLS, *PEOPLE, "minisign") as path:
            wget = Path(path) / "wget"
            wget.write_text(f'#!/bin/sh\ncase " $* " in *" -T "*) kill -s SEGV $$ ;; esac\nexec {shutil.which("wget")} "$@"\n')
            wget.chmod(0o755)
            assert DONE in install(root, "--url", url, "--key", key(), path=path)
        with scratch() as root, tools(*TOOLS, *PEOPLE, "minisign", "curl") as path:
            assert "cannot be fetched" in install(root, "--url", f"{url}/nowhere", "--key", key(), path=path, code=69)
            assert not list(root.iterdir())
        server.shutdown()


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def opens_no_socket(site):
    """Without a network at all, not even loopback, and nothing that asks for one."""
    with scratch() as root, tools(*TOOLS, *PEOPLE, "minisign") as path:
        trace = site.work / "trace"
        words = ["unshare", "--net", "strace", "-f", "-qq", "-e", "trace=socket", "-o", trace, shutil.which("dash"), SCRIPT]
        said = run(*words, "--file", site.bundle, "--key", key(), "--root", root, env={"PATH": f"{path}:/usr/bin:/usr/sbin"})
        assert DONE in said
        asked = [line for line in trace.read_text().splitlines() if "AF_INET" in line or "AF_PACKET" in line]
        assert not asked, asked


def refuses(site, bundle, checker, code, why):
    with scratch() as root:
        said = install(root, "--file", bundle, "--key", key(), checker=checker, code=code)
        assert why in said, said
        left = [path for path in root.rglob("*") if not path.is_dir()]
        assert not left, f"it left {left}"


def wrong_machine(site):
    with scratch() as root, tools(*(name for name in TOOLS if name != "uname"), *PEOPLE, "minisign") as path:
        for machine, code, why in [("riscv64", 69, "no release for riscv64"), ("aarch64", 69, "nothing for this machine (aarch64")]:
            uname = Path(path) / "uname"
            uname.write_text(f"#!/bin/sh\ncase $1 in -m) echo {machine};; *) echo Linux;; esac\n")
            uname.chmod(0o755)
            if TARGET.startswith(machine):
                continue
            assert why in install(root, "--file", site.bundle, "--key", key(), path=path, code=code)
        uname.write_text("#!/bin/sh\necho Darwin\n")
        assert "runs on Linux" in install(root, "--file", site.bundle, "--key", key(), path=path, code=69)
        assert not list(root.iterdir())


def missing_tools(site):
    with scratch() as root:
        said = install(root, "--file", site.bundle, "--key", key(), without=["tar", "base64"], code=69)
        assert "does not find: tar base64" in said, said
        said = install(root, "--file", site.bundle, "--key", key(), without=["minisign"], code=69)
        assert "can check a signature" in said and "apt-get install minisign" in said, said
        with tools(*TOOLS, *PEOPLE, "minisign") as path:
            assert "curl or wget" in install(root, "--url", "http://127.0.0.1:1", "--key", key(), path=path, code=69)
        assert not list(root.iterdir())


def no_key(site):
    with scratch() as root:
        assert "knows nobody" in install(root, "--file", site.bundle, code=78)


def of_dpkg(site):
    with scratch() as root:
        (root / "var/lib/dpkg/info").mkdir(parents=True)
        (root / "var/lib/dpkg/info/routeros-mcp.list").touch()
        assert "--only-upgrade" in install(root, "--file", site.bundle, "--key", key(), code=73)


def words(_):
    for arguments in [[], ["--file"], ["--nothing"], ["--file", "a", "--url", "b"], ["--file", "a", "--channel", "../x"]]:
        install(None, *arguments, code=64)
    assert "--dry-run" in install(None, "--help")


def broken_off(site):
    """Piped into a shell, and the line went dead: nothing of it may have run."""
    text = SCRIPT.read_text()
    with scratch() as root:
        for at in range(0, len(text) - len('main "$@"'), 97):
            words = [shutil.which("dash"), "-s", "--", "--file", site.bundle, "--key", key(), "--root", root]
            done = subprocess.run(words, input=text[:at], text=True, capture_output=True, timeout=20)
            assert not done.stdout and not list(root.iterdir()), f"cut after {at} characters: {done.stdout}"


REFUSED = {
    "refuses machines that there is no release for": wrong_machine,
    "names the tools that are missing": missing_tools,
    "installs nothing when it knows no key": no_key,
    "leaves what dpkg installed to dpkg": of_dpkg,
    "refuses words that it does not know": words,
    "does nothing when it broke off on the way": broken_off,
}


def is_clean():
    assert len(SCRIPT.read_text().splitlines()) <= 200
    run("shellcheck", SCRIPT)


def keys_agree():
    import tomllib

    wanted = [entry["public"] for entry in tomllib.loads((ROOT / "assets/update/keys.toml").read_text())["key"] if not entry.get("test")]
    line = next(line for line in SCRIPT.read_text().splitlines() if line.startswith("KEYS="))
    assert line == f'KEYS="{" ".join(wanted)}"', line
