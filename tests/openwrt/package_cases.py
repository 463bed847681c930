"""Both writers by readers of our own: what is in a package, that the same comes out twice, and that damage is seen."""

import hashlib
import os
import re
import struct
import subprocess
import sys

import readers
from checks import ROOT, ash

WRITERS = {"ipk": (ROOT / "openwrt/mkipk.py", readers.ipk), "apk": (ROOT / "openwrt/mkapk.py", readers.apk)}
EPOCH = "1760000000"
# Path to mode; what stands for nothing here is a directory of 0755.
MODES = {
    "etc/config/routeros-mcp": 0o600,
    "etc/init.d/routeros-mcp": 0o755,
    "etc/routeros-mcp/config.toml": 0o600,
    "etc/uci-defaults/routeros-mcp": 0o755,
    "lib/upgrade/keep.d/routeros-mcp": 0o644,
    "usr/sbin/routeros-mcp": 0o755,
}
LISTS = [f"lib/apk/packages/routeros-mcp.{kind}" for kind in ("conffiles", "conffiles_static", "list", "rusers")]
CONFFILES = ["/etc/config/routeros-mcp", "/etc/routeros-mcp/config.toml"]
MACHINES = {"x86_64": (2, 62), "aarch64": (2, 183), "arm": (1, 40)}


def architectures():
    lines = [line.split() for line in (ROOT / "openwrt/targets").read_text().splitlines() if line and not line.startswith("#")]
    return {arch: words[0] for words in lines for arch in words[1:]}


def executable(arch, length=3000):
    """Bytes that begin like a program for that processor and cannot be squeezed, as most of a real one cannot."""
    bits, machine = MACHINES["x86_64" if arch == "x86_64" else arch.split("_")[0]]
    body = b"".join(hashlib.sha256(bytes([n % 256, n // 256])).digest() for n in range(length // 32 + 1))
    return (b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9) + struct.pack("<HH", 3, machine) + body)[:length]


def write(kind, arch, binary, out, version="0.3.1", *more):
    words = [sys.executable, "-B", WRITERS[kind][0], "--arch", arch, "--binary", binary, "--version", version, "--out", out, *more]
    return subprocess.run(words, capture_output=True, text=True, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH})


def made(kind, arch, scratch, version="0.3.1", *more):
    """(file, its bytes) of one package."""
    binary, out = scratch / "program", scratch / f"out-{kind}-{arch}-{version}-{len(more)}"
    binary.write_bytes(executable(arch))
    done = write(kind, arch, binary, out, version, *more)
    if done.returncode:
        raise SystemExit(f"{kind} for {arch}: {done.stderr}")
    (file,) = out.iterdir()
    return file, file.read_bytes()


def run(checks, bin_dir, scratch):
    contents(checks, bin_dir, scratch)
    versions(checks, scratch)
    refusals(checks, scratch)
    damage(checks, scratch)
    signing(checks, scratch)
    feed(checks)
    upgrade(checks, bin_dir, scratch)
    everything(checks, scratch)


def contents(checks, bin_dir, scratch):
    for arch in architectures():
        for kind, (_, read) in WRITERS.items():
            file, content = made(kind, arch, scratch)
            wanted = {"ipk": f"routeros-mcp_0.3.1-r1_{arch}.ipk", "apk": f"routeros-mcp-0.3.1-r1_{arch}.apk"}[kind]
            checks.that(f"{wanted}: its name", file.name == wanted, file.name)
            package = read(content)
            name = f"{kind} for {arch}"
            field = {key.lower(): value for key, value in package.fields.items()}
            said = [field.get("package", field.get("name")), field["version"], field.get("architecture", field.get("arch"))]
            checks.that(f"{name}: says what it is", said == ["routeros-mcp", "0.3.1-r1", arch], str(said))
            depends = field["depends"] if kind == "apk" else field["depends"].split(", ")
            checks.that(f"{name}: needs certificates and libc, nothing more", sorted(depends) == ["ca-bundle", "libc"], str(depends))
            modes = MODES | dict.fromkeys(LISTS, 0o644) if kind == "apk" else MODES
            got = {path: mode for path, (mode, _, body) in package.files.items() if body is not None}
            checks.that(f"{name}: these files with these modes", got == modes, f"{got}")
            checks.that(f"{name}: directories are 0755", all(mode == 0o755 for mode, _, body in package.files.values() if body is None))
            owners = {owner for _, owner, _ in package.files.values()}
            checks.that(f"{name}: all is root's", owners == {"root:root" if kind == "apk" else "0:0"}, str(owners))
            checks.that(f"{name}: the binary is the one given", package.files["usr/sbin/routeros-mcp"][2] == executable(arch))
            checks.that(f"{name}: settings survive upgrades", package.conffiles == CONFFILES, str(package.conffiles))
            again = made(kind, arch, scratch)[1]
            checks.that(f"{name}: the same bytes again", content == again)
            if arch == "x86_64":
                shell(checks, bin_dir, scratch, kind, package)
    _, content = made("apk", "x86_64", scratch)
    lists(checks, readers.apk(content))


def shell(checks, bin_dir, scratch, kind, package):
    """Every script of the package, as it is in the package."""
    named = dict(package.scripts)
    named |= {path: package.files[path][2].decode() for path in ("etc/init.d/routeros-mcp", "etc/uci-defaults/routeros-mcp")}
    wanted = {"ipk": {"postinst", "postinst-pkg", "prerm"}, "apk": {"post-install", "post-upgrade", "pre-deinstall"}}[kind]
    checks.that(f"{kind}: these scripts", set(package.scripts) == wanted, str(set(package.scripts)))
    for name, text in named.items():
        script = scratch / "script"
        script.write_text(text)
        checks.that(f"{kind}, {name}: begins with an interpreter", text.startswith("#!/bin/sh"))
        read = ash(bin_dir, "-n", script)
        checks.that(f"{kind}, {name}: is read by busybox ash", read.returncode == 0, read.stderr)
        # SC1091: /lib/functions.sh is the box's own.
        lint = subprocess.run(["shellcheck", "-e", "SC1091", script], capture_output=True, text=True)
        checks.that(f"{kind}, {name}: is clean for shellcheck", lint.returncode == 0, lint.stdout)


def lists(checks, package):
    """What OpenWrt's scripts read beside apk's database."""
    text = {path.rsplit(".", 1)[1]: package.files[path][2].decode() for path in LISTS}
    named = sorted(f"/{path}" for path, (_, _, body) in package.files.items() if body is not None and not path.endswith((".list", ".conffiles", ".conffiles_static")))
    checks.that("apk: .list names the files", text["list"].split() == named, text["list"])
    checks.that("apk: .rusers names the user", text["rusers"] == "routeros-mcp=8787:routeros-mcp=8787\n")
    wanted = "".join(f"{path} {hashlib.sha256(package.files[path[1:]][2]).hexdigest()}\n" for path in CONFFILES)
    checks.that("apk: .conffiles_static has their digests", text["conffiles_static"] == wanted)
    keep = package.files["lib/upgrade/keep.d/routeros-mcp"][2].decode().split()
    checks.that("sysupgrade keeps configuration and state", keep == ["/etc/routeros-mcp/"], str(keep))


def versions(checks, scratch):
    for version, opkg, apk in (("1.2.3", "1.2.3-r1", "1.2.3-r1"), ("1.2.3-rc.1", "1.2.3~rc1-r1", "1.2.3_rc1-r1"), ("0.9.0-beta.12", "0.9.0~beta12-r1", "0.9.0_beta12-r1")):
        got = [WRITERS[kind][1](made(kind, "x86_64", scratch, version)[1]).fields for kind in ("ipk", "apk")]
        checks.that(f"{version} sorts before its release", (got[0]["Version"], got[1]["version"]) == (opkg, apk), str(got))


def refusals(checks, scratch):
    binary, out = scratch / "program", scratch / "refused"
    cases = [
        ("a version that is none", "x86_64", executable("x86_64"), "1.2"),
        ("a version with a path", "x86_64", executable("x86_64"), "../1.2.3"),
        ("an unknown architecture", "mips_24kc", executable("x86_64"), "1.2.3"),
        ("another processor's binary", "aarch64_generic", executable("x86_64"), "1.2.3"),
        ("a 64-bit binary for 32 bits", "arm_cortex-a7_neon-vfpv4", executable("aarch64"), "1.2.3"),
        ("a script as binary", "x86_64", b"#!/bin/sh\n" * 9, "1.2.3"),
        ("an empty binary", "x86_64", b"", "1.2.3"),
    ]
    for kind in WRITERS:
        for what, arch, content, version in cases:
            binary.write_bytes(content)
            done = write(kind, arch, binary, out, version)
            left = list(out.iterdir()) if out.exists() else []
            checks.that(f"the {kind} writer refuses {what}", done.returncode == 1 and not left and "Traceback" not in done.stderr, done.stderr)


def outcome(read, content, sound):
    """refused, same (read and equal), or wrong."""
    try:
        package = read(content)
    except (readers.Damaged, ValueError, KeyError, IndexError, struct.error):
        return "refused"
    return "same" if package == sound else "wrong"


def damage(checks, scratch):
    """One bit of every byte, every length shorter by a step, and a byte too many."""
    for kind, (_, read) in WRITERS.items():
        content = made(kind, "x86_64", scratch)[1]
        sound = read(content)
        flips = {"refused": 0, "same": 0, "wrong": 0}
        for at in range(len(content)):
            bad = bytearray(content)
            bad[at] ^= 1 << (at * 5 % 8)
            flips[outcome(read, bytes(bad), sound)] += 1
        # Bits that deflate leaves unused at its end mean nothing and say nothing.
        checks.that(f"{kind}: every bit flip is refused", flips["wrong"] == 0 and flips["same"] <= 3, str(flips))
        cuts = [outcome(read, content[:at], sound) for at in range(0, len(content), 13)]
        checks.that(f"{kind}: every truncation is refused", set(cuts) == {"refused"}, str(set(cuts)))
        checks.that(f"{kind}: more at the end is refused", outcome(read, content + b"\0", sound) == "refused")
        print(f"{kind}: {len(content)} bytes, {flips['refused']} of {len(content)} bit flips refused, {flips['same']} in bits without meaning; {len(cuts)} truncations refused")


def signing(checks, scratch):
    key, other, wrong = scratch / "key.pem", scratch / "other.pem", scratch / "wrong.pem"
    for path, words in ((key, ["prime256v1"]), (other, ["prime256v1"]), (wrong, ["secp384r1"])):
        subprocess.run(["openssl", "ecparam", "-name", *words, "-genkey", "-noout", "-out", path], check=True, capture_output=True)
    public = {}
    for path in (key, other):
        public[path] = path.with_suffix(".pub")
        subprocess.run(["openssl", "pkey", "-in", path, "-pubout", "-out", public[path]], check=True, capture_output=True)
    unsigned = made("apk", "x86_64", scratch)[1]
    content = made("apk", "x86_64", scratch, "0.3.1", "--sign", key)[1]
    checks.that("apk: a signed package holds the same as an unsigned one", readers.apk(content, public[key]) == readers.apk(unsigned))

    def refused(what, by):
        try:
            readers.apk(what, by)
        except readers.Damaged:
            return True
        return False

    checks.that("apk: another key's signature is refused", refused(content, public[other]))
    checks.that("apk: an unsigned package is refused where a key is asked for", refused(unsigned, public[key]))
    binary = scratch / "program"
    done = write("apk", "x86_64", binary, scratch / "wrong-key", "0.3.1", "--sign", wrong)
    checks.that("apk: a key of another curve is refused", done.returncode == 1 and "P-256" in done.stderr, done.stderr)
    done = write("apk", "x86_64", binary, scratch / "wrong-key", "0.3.1", "--sign", scratch / "none")
    checks.that("apk: a key that is not there is refused", done.returncode == 1 and "Traceback" not in done.stderr, done.stderr)


def feed(checks):
    """The feed's Makefile says what the writers say."""
    text = (ROOT / "openwrt/Makefile").read_text()
    installed = set(re.findall(r"\./files/(\S+)", text))
    there = {path.name for path in (ROOT / "openwrt/files").iterdir()}
    checks.that("the Makefile installs every file", installed == there, f"{installed ^ there}")
    to = {path for path in re.findall(r"\$\(1\)/(\S+)$", text, re.MULTILINE)}
    checks.that("the Makefile installs where the writers do", set(MODES) <= to, f"{set(MODES) - to}")
    modes = {path: how for how, path in re.findall(r"\$\(INSTALL_(BIN|CONF|DATA)\) \S+ \$\(1\)/(\S+)", text)}
    checks.that("the Makefile gives the same modes", {path: {"BIN": 0o755, "CONF": 0o600, "DATA": 0o644}[how] for path, how in modes.items()} == MODES, str(modes))
    for word in ("RustBinPackage,routeros-mcp", "PKG_CPE_ID:=", "+ca-bundle", "USERID:=", "PKG_BUILD_DEPENDS:=rust/host", "/conffiles"):
        checks.that(f"the Makefile has {word}", word in text)


STUB = """
default_postinst() { echo default_postinst; }
default_prerm() { echo default_prerm; }
add_group_and_user() { echo add_group_and_user; }
"""


def upgrade(checks, bin_dir, scratch):
    """The scripts of an upgrade restart what runs, and nothing else; an image being built starts nothing."""
    functions, init = scratch / "functions.sh", scratch / "init"
    functions.write_text(STUB)
    apk = readers.apk(made("apk", "x86_64", scratch)[1]).scripts
    ipk = readers.ipk(made("ipk", "x86_64", scratch)[1]).scripts

    def ran(text, running, env=None):
        init.write_text(f"#!{bin_dir}/ash\necho init $1\n[ $1 != running ] || exit {0 if running else 1}\n")
        init.chmod(0o755)
        script = scratch / "hook"
        text = text.replace("/etc/init.d/routeros-mcp", str(init)).replace("${IPKG_INSTROOT}/lib/functions.sh", str(functions))
        script.write_text(text)
        return ash(bin_dir, script, env=env).stdout.split("\n")[:-1]

    begin = ["add_group_and_user", "default_postinst"]
    for name, got, want in [
        ("apk, installation", ran(apk["post-install"], False), begin),
        ("apk, upgrade while running", ran(apk["post-upgrade"], True), [*begin, "init running", "init restart"]),
        ("apk, upgrade while stopped", ran(apk["post-upgrade"], False), [*begin, "init running"]),
        ("apk, upgrade in an image", ran(apk["post-upgrade"], True, {"IPKG_INSTROOT": "/image"}), begin),
        ("apk, removal", ran(apk["pre-deinstall"], True), ["default_prerm"]),
        ("ipk, installation", ran(ipk["postinst"], False), ["default_postinst"]),
        ("ipk, removal or upgrade: stops", ran(ipk["prerm"], True), ["default_prerm"]),
        # opkg stopped it by prerm before, and default_postinst starts it after this.
        ("ipk, our part of an upgrade", ran(ipk["postinst-pkg"], False, {"PKG_UPGRADE": "1"}), ["init running"]),
        ("ipk, our part of an installation", ran(ipk["postinst-pkg"], True), []),
    ]:
        checks.that(f"{name}", got == want, f"{got}")


def everything(checks, scratch):
    """openwrt/package, on a tree of its own: one of each for each name."""
    tree = scratch / "tree"
    for arch, target in architectures().items():
        place = tree / "dist" / target
        place.mkdir(parents=True, exist_ok=True)
        (place / "routeros-mcp").write_bytes(executable(arch))
    subprocess.run(["cp", "-r", ROOT / "openwrt", ROOT / "Cargo.toml", tree], check=True)
    done = subprocess.run([tree / "openwrt/package", "1.0.0"], capture_output=True, text=True, env=os.environ | {"SOURCE_DATE_EPOCH": EPOCH})
    names = sorted(path.name for path in (tree / "dist/openwrt").iterdir())
    wanted = sorted([f"routeros-mcp_1.0.0-r1_{arch}.ipk" for arch in architectures()] + [f"routeros-mcp-1.0.0-r1_{arch}.apk" for arch in architectures()])
    checks.that("openwrt/package makes all of them", done.returncode == 0 and names == wanted, f"{done.stderr}{names}")
    subprocess.run(["rm", "-rf", tree / "dist"], check=True)
    done = subprocess.run([tree / "openwrt/package"], capture_output=True, text=True)
    checks.that("openwrt/package says what is missing", done.returncode == 66 and "scripts/build" in done.stderr, done.stderr)
