"""What scripts/package makes, read back by others than its writers."""

import gzip
import hashlib
import io
import json
import os
import re
import shutil
import struct
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from checks import PATIENCE, ROOT, TARGET, check, is_absent, is_root, run, until

# What src/update/stage.rs takes: entries, and bytes beside the binary.
ENTRIES_MAX, BESIDE_MAX = 64, 4 << 20
# A whole other machine's habits: none of them may show in what is made.
ELSEWHERE = {"TZ": "Pacific/Kiritimati", "LC_ALL": "C", "HOME": "/nowhere"}


def make(binary, out, umask=0o022, **environment):
    words = [ROOT / "scripts/package", "--binary", binary, "--target", TARGET, "--out", out, "--manifest", "1"]
    return run(*words, env={"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1790000000"} | environment, umask=umask)


def all_of_it(binary, out):
    packages = out / "packages"
    check("packages: two runs, one elsewhere and under another umask, make the same bytes", twice, binary, out)
    check("packages: the bill of materials of another binary stops the release", foreign_bill, binary)
    deb, tar, image = (next(packages.glob(pattern)) for pattern in ("*.deb", "*.tar.gz", "*.oci.tar"))
    check("packages: checksums are those of the files", sums, packages)
    check("packages: the manifest names the files, with size and digest", manifest, packages, binary)
    check("packages: the catalogue is the binary's", catalog, out, binary)
    check("deb: is dated and owned alike, with checksums that hold", deb_is_sound, deb)
    check("deb: has no part of self-update, and its configuration is the administrator's", deb_is_dpkgs, deb)
    if shutil.which("lintian"):
        check("deb: lintian finds no error and no warning", lintian, deb, binary)
    else:
        is_absent("lintian", "the .deb was not looked over by it")
    if is_root():
        for claim, without in [("", []), (", nor systemd's tools", ["systemd-sysusers", "systemd-tmpfiles", "systemctl"])]:
            check(f"deb: installs and is purged where no systemd runs{claim}", without_systemd, deb, without)
        check("image: serves as a user that is not root, on a root that is read-only", image_runs, image)
    else:
        is_absent("dpkg and chroot", "only root can install a package, and run an image")
    check("tar: has what self-update takes, and nothing that it does not", tar_is_sound, tar)
    check("image: every blob is what its name says", lambda: image_is_sound(image) and None)
    if shutil.which("skopeo"):
        check("image: skopeo reads it", skopeo, image)
    else:
        is_absent("skopeo", "the image was read by nobody but us")


def with_bill(binary, copy, of=None):
    """A copy with a bill of materials beside it, as scripts/build leaves them. Here it is not made by cargo, which may be missing."""
    copy.parent.mkdir()
    shutil.copyfile(binary, copy)
    copy.chmod(0o700)
    version = json.loads(run(binary, "version", "--json"))["version"]
    component = {"name": "routeros-mcp", "hashes": [{"alg": "SHA-256", "content": of or hashlib.sha256(binary.read_bytes()).hexdigest()}]}
    (copy.parent / f"routeros-mcp-{version}-{TARGET}.cdx.json").write_text(json.dumps({"metadata": {"component": component}}))
    return copy


def foreign_bill(binary):
    with tempfile.TemporaryDirectory() as scratch:
        copy = with_bill(binary, Path(scratch) / "built/routeros-mcp", "0" * 64)
        words = [ROOT / "scripts/package", "--binary", copy, "--target", TARGET, "--out", Path(scratch) / "dist"]
        assert "is the bill of another binary" in run(*words, code=1)
        assert not list(Path(scratch).glob("dist/packages/*.deb")), "something was packed"


def twice(binary, out):
    packages = out / "packages"
    with tempfile.TemporaryDirectory() as elsewhere, ThreadPoolExecutor() as both:
        here, copy = with_bill(binary, Path(elsewhere) / "here/routeros-mcp"), with_bill(binary, Path(elsewhere) / "there/some-name")
        runs = [both.submit(make, here, out), both.submit(make, copy, Path(elsewhere) / "out", 0o077, **ELSEWHERE)]
        for one in runs:
            one.result()
        again = Path(elsewhere) / "out/packages"
        names = sorted(path.name for path in packages.iterdir())
        assert len(names) >= 5 and names == sorted(path.name for path in again.iterdir())
        for name in names:
            assert (packages / name).read_bytes() == (again / name).read_bytes(), f"{name} differs"
    sized = sorted(packages.glob("routeros-mcp[-_]*"))
    return ", ".join(f"{''.join(path.suffixes[-2:])} {path.stat().st_size / 1e6:.1f} MB" for path in sized)


def sums(packages):
    (packages / "mcp-tool-catalog.json").symlink_to("../mcp-tool-catalog.json")
    run("sha256sum", "-c", "--strict", "SHA256SUMS", cwd=packages)
    (packages / "mcp-tool-catalog.json").unlink()


def manifest(packages, binary):
    """Everything is named in what gets signed, the bill of materials too."""
    text = (packages / "latest.json").read_bytes()
    assert len(text) <= 64 * 1024
    said = json.loads(text)
    assert (said["format"], said["product"], said["channel"], said["seq"]) == (1, "routeros-mcp", "stable", 1)
    for artifact in said["artifacts"]:
        data = (packages / artifact["url"]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (artifact["size"], artifact["sha256"])
    (tar,) = [artifact for artifact in said["artifacts"] if artifact["target"] == TARGET and artifact["kind"] == "tar"]
    (sbom,) = [artifact for artifact in said["artifacts"] if artifact["kind"] == "sbom"]
    assert sbom["url"].endswith(f"{TARGET}.cdx.json") and f"{sbom['sha256']}  {sbom['url']}\n" in (packages / "SHA256SUMS").read_text()
    assert tar["unpacked_size"] == binary.stat().st_size


def catalog(out, binary):
    said = json.loads((out / "mcp-tool-catalog.json").read_text())
    assert said == json.loads(run(binary, "catalog", "--json"))
    assert len(said["tools"]) > 20
    return f"{len(said['tools'])} tools"


def entries_of(stream):
    with tarfile.open(fileobj=stream) as tar:
        return [(entry, tar.extractfile(entry).read() if entry.isfile() else b"") for entry in tar]


def data_of(deb):
    done = subprocess.run(["dpkg-deb", "--fsys-tarfile", deb], capture_output=True, check=True)
    return entries_of(io.BytesIO(done.stdout))


def deb_is_sound(deb):
    entries = data_of(deb)
    assert {(entry.uid, entry.gid, entry.mtime) for entry, _ in entries} == {(0, 0, 1_790_000_000)}
    with tempfile.TemporaryDirectory() as scratch:
        run("dpkg-deb", "-R", deb, scratch)
        run("md5sum", "-c", "--strict", "--quiet", "DEBIAN/md5sums", cwd=scratch)
    fields = run("dpkg-deb", "-f", deb)
    assert "Depends" not in fields, "a static binary needs nothing"


def deb_is_dpkgs(deb):
    names = [entry.name for entry, _ in data_of(deb)]
    assert not [name for name in names if "update" in name or "guard" in name or "/local/" in name], names
    assert "./usr/bin/routeros-mcp" in names
    assert run("dpkg-deb", "-I", deb, "conffiles") == "/etc/routeros-mcp/config.toml\n"
    units = {name.rsplit("/", 1)[1] for name in names if name.startswith("./lib/systemd/system/routeros")}
    for unit in (".service", "@.service", ".socket", "-stdio@.service", "-stdio.socket", "-http.socket", "-metrics.socket"):
        assert f"routeros-mcp{unit}" in units, units


def is_static(binary):
    """Whether its program headers name no interpreter (type 3)."""
    data = binary.read_bytes()[:4096]
    wide = data[4] == 2
    start, size, count = (struct.unpack_from("<Q", data, 32)[0], *struct.unpack_from("<HH", data, 54)) if wide else (
        struct.unpack_from("<I", data, 28)[0], *struct.unpack_from("<HH", data, 42))
    return 3 not in [struct.unpack_from("<I", data, start + size * at)[0] for at in range(count)]


def lintian(deb, binary):
    # A dynamic stand-in for the static binary would have to name its libraries.
    stand_in = [] if is_static(binary) else ["--suppress-tags", "undeclared-elf-prerequisites"]
    said = run("lintian", *stand_in, "--no-cfg", "--allow-root", "--fail-on", "error,warning", "--display-level", ">=warning", deb)
    assert not re.search(r"^[EW]:", said, re.M), said


def without_systemd(deb, without):
    """In a copy of this machine that forgets; no process 1 but our own."""
    script = r"""
set -eu
mount -t tmpfs none "$1"
mkdir "$1/u" "$1/w" "$1/m"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/u,workdir=$1/w" "$1/m"
mount -t tmpfs none "$1/m/run"
mount -t proc proc "$1/m/proc"
rm -f "$1/m/var/lib/man-db/auto-update"
cp "$2" "$1/m/run/it.deb"
for name in $3; do for dir in bin usr/bin sbin; do rm -f "$1/m/$dir/$name"; done; done
chroot "$1/m" sh -euxc '
dpkg -i /run/it.deb
stat -c "%a %U:%G %n" /var/lib/routeros-mcp /etc/routeros-mcp /etc/routeros-mcp/config.toml
routeros-mcp --config /etc/routeros-mcp/config.toml --data-dir /var/tmp/state check
install -d -o routeros-mcp /var/lib/routeros-mcp/backups
touch /var/lib/routeros-mcp/backups/b.age /var/lib/routeros-mcp/routeros-mcp.redb
dpkg -i /run/it.deb
dpkg -P routeros-mcp
find /var/lib/routeros-mcp -type f
test ! -e /etc/routeros-mcp
rm -rf /var/lib/routeros-mcp
dpkg -i /run/it.deb
dpkg -P routeros-mcp
test ! -e /var/lib/routeros-mcp
'
"""
    with tempfile.TemporaryDirectory() as scratch:
        said = run("unshare", "--mount", "--pid", "--fork", "--propagation", "private", "sh", "-c", script, "sh", scratch, deb, " ".join(without))
    for line in ("700 routeros-mcp:routeros-mcp /var/lib/routeros-mcp", "750 root:routeros-mcp /etc/routeros-mcp", "640 root:routeros-mcp /etc/routeros-mcp/config.toml"):
        assert f"\n{line}\n" in f"\n{said}", said
    kept = [line for line in said.splitlines() if line.startswith("/var/lib/routeros-mcp/")]
    assert kept == ["/var/lib/routeros-mcp/backups/b.age"], said


def tar_is_sound(tar):
    entries = entries_of(tar.open("rb"))
    assert len(entries) <= ENTRIES_MAX and all(entry.isfile() or entry.isdir() for entry, _ in entries)
    assert len({entry.name.split("/")[1] for entry, _ in entries}) == 1, "one directory"
    binaries = [data for entry, data in entries if entry.isfile() and Path(entry.name).name == "routeros-mcp"]
    assert len(binaries) == 1
    beside = sum(len(data) for _, data in entries) - len(binaries[0])
    assert beside <= BESIDE_MAX, beside
    names = {"/".join(entry.name.split("/")[2:]) for entry, _ in entries}
    for name in ("systemd/routeros-mcp-guard", "systemd/routeros-mcp.service.d/10-self-update.conf", "systemd/routeros-mcp-update.path", "LICENSE-MIT"):
        assert name in names, names
    return f"{len(entries)} entries, {beside / 1e3:.0f} kB beside the binary"


def blobs(image):
    return {entry.name: data for entry, data in entries_of(image.open("rb")) if entry.isfile()}


def image_is_sound(image):
    files = blobs(image)
    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}

    def follow(descriptor):
        data = files[f"blobs/{descriptor['digest'].replace(':', '/')}"]
        assert (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}") == (descriptor["size"], descriptor["digest"])
        return data

    (first,) = json.loads(files["index.json"])["manifests"]
    said = json.loads(follow(first))
    config = json.loads(follow(said["config"]))
    (layer,) = said["layers"]
    plain = gzip.decompress(follow(layer))
    assert config["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(plain).hexdigest()}"]
    assert len(files) == 2 + 3, "nothing that nobody names"
    assert config["config"]["User"] == "65532:65532" and config["config"]["Healthcheck"]["Test"] == ["CMD", "/usr/bin/routeros-mcp", "health"]
    owners = {entry.name: (entry.mode, entry.uid) for entry, _ in entries_of(io.BytesIO(plain))}
    assert owners["./var/lib/routeros-mcp"] == (0o700, 65532) and owners["./usr/bin/routeros-mcp"] == (0o755, 0)
    return config["config"], plain


def skopeo(image):
    said = json.loads(run("skopeo", "inspect", f"oci-archive:{image}"))
    with tempfile.TemporaryDirectory() as scratch:
        run("skopeo", "copy", "-q", "--policy", policy(scratch), f"oci-archive:{image}", f"docker-archive:{scratch}/d.tar:routeros-mcp:1")
    return said["Architecture"]


def policy(at):
    path = Path(at) / "policy.json"
    path.write_text('{"default":[{"type":"insecureAcceptAnything"}]}')
    return path


def image_runs(image):
    """Its file system as root directory, mounted read-only but for state, socket and /tmp; with its own words and environment."""
    settings, plain = image_is_sound(image)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        root.chmod(0o755)
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            tar.extractall(root, filter="fully_trusted")
        static = is_static(root / "usr/bin/routeros-mcp")
        if not static:
            # A dynamic stand-in for the static binary borrows this machine's libraries.
            for name in ("usr/lib", "usr/lib64"):
                (root / name).mkdir(exist_ok=True)
            for name in ("lib", "lib64"):
                (root / name).symlink_to(f"usr/{name}")
        script = r"""
set -eu
mount --bind "$1" "$1"
for dir in usr/lib usr/lib64; do [ ! -d "$1/$dir" ] || mount --bind "/$dir" "$1/$dir"; done
mkdir "$1/tmp/s" "$1/tmp/r" && chown 65532:65532 "$1/tmp/s" "$1/tmp/r" && chmod 700 "$1/tmp/s" "$1/tmp/r"
for dir in tmp var/lib/routeros-mcp run/routeros-mcp; do mount --bind "$1/$dir" "$1/$dir"; done
mount -o remount,bind,ro "$1"
ip link set lo up
shift
exec "$@"
"""
        chroot = ["chroot", "--userspec=65532:65532", root]
        words = ["unshare", "--mount", "--net", "--propagation", "private", "sh", "-c", script, "sh", root, *chroot]
        environment = dict(line.split("=", 1) for line in settings["Env"])
        process = subprocess.Popen([*words, *settings["Entrypoint"], *settings["Cmd"]], env=environment | {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, stderr=subprocess.PIPE, text=True)
        try:
            within = ["nsenter", "-t", process.pid, "-n", "-m"]
            until(lambda: process.poll() is None and "\"" in subprocess.run([*map(str, within), "curl", "-sk", "https://127.0.0.1:8443/health/live"], capture_output=True, text=True).stdout, "an answer", 20)
            status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
            assert set(status["Uid"].split()) == {"65532"}
            done = subprocess.run([*map(str, within), *map(str, chroot), *settings["Entrypoint"], "setup-token"], env=environment | {"PATH": "/usr/sbin:/usr/bin"}, capture_output=True, text=True)
            assert "/admin/setup#setup=" in done.stdout, done.stdout + done.stderr
            health = subprocess.run([*map(str, within), *map(str, chroot), *settings["Healthcheck"]["Test"][1:]], env=environment | {"PATH": "/usr/sbin:/usr/bin"}, capture_output=True, text=True)
            assert health.returncode == 0, health.stderr
        finally:
            process.terminate()
            process.wait(PATIENCE)
        return "static binary" if static else "dynamic stand-in"
