"""What is in a release, and archives of it that have the same bytes each time."""

import gzip
import io
import re
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

# Who can ask a binary that is not for this machine.
EMULATORS = [[], ["qemu-x86_64-static"], ["qemu-aarch64-static"], ["qemu-arm-static"]]


def asked(binary, *words):
    """What a binary says; a foreign one is asked under emulation."""
    why = "no emulator of its machine (apt-get install qemu-user-static)"
    for emulator in EMULATORS:
        if emulator and not shutil.which(emulator[0]):
            continue
        try:
            done = subprocess.run([*emulator, binary, *words], capture_output=True, text=True, timeout=120)
        except OSError as error:
            why = str(error)
            continue
        if done.returncode == 0:
            return done.stdout
        why = done.stderr.strip()[:300] or why
    sys.exit(f"scripts/package: {binary} cannot be asked for {' '.join(words)}: {why}")


@dataclass(frozen=True)
class Entry:
    """A file (bytes), a directory (None) or a link (text) of an archive."""

    path: str
    content: bytes | str | None
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True)
class Release:
    """One binary and what goes with it."""

    root: Path
    target: str
    binary: Path
    version: str
    epoch: int
    words: dict = field(default_factory=dict, compare=False)

    def say(self, *words):
        """What the binary prints, asked once."""
        if words not in self.words:
            self.words[words] = asked(self.binary, *words).encode()
        return self.words[words]

    @cached_property
    def executable(self):
        return self.binary.read_bytes()

    def read(self, path):
        return (self.root / path).read_bytes()

    def units(self, with_self_update):
        """(name below systemd's directory, bytes)."""
        top = self.root / "systemd"
        paths = sorted(path for path in top.rglob("*") if path.suffix in (".service", ".socket", ".path", ".conf"))
        for path in paths:
            name = str(path.relative_to(top))
            if name in ("sysusers.conf", "tmpfiles.conf"):
                continue
            of_self_update = "-update." in name or "self-update" in name
            if with_self_update or not of_self_update:
                yield name, path.read_bytes()


def archive(entries, epoch, prefix="./"):
    """A ustar archive with every directory on the way, as root's, dated by `epoch`."""
    by_path = {entry.path.strip("/"): entry for entry in entries}
    for path in list(by_path):
        for parent in Path(path).parents:
            if str(parent) != ".":
                by_path.setdefault(str(parent), Entry(str(parent), None, 0o755))
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for path in sorted(by_path):
            entry = by_path[path]
            info = tarfile.TarInfo(prefix + path)
            info.mtime, info.mode, info.uid, info.gid = epoch, entry.mode, entry.owner, entry.owner
            if entry.content is None:
                info.type = tarfile.DIRTYPE
                tar.addfile(info)
            elif isinstance(entry.content, str):
                info.type, info.linkname = tarfile.SYMTYPE, entry.content
                tar.addfile(info)
            else:
                info.size = len(entry.content)
                tar.addfile(info, io.BytesIO(entry.content))
    return buffer.getvalue()


def gzipped(data):
    """Without a time or a name in it."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as stream:
        stream.write(data)
    return buffer.getvalue()


def plain(text):
    """A version as a file name takes it."""
    if not re.fullmatch(r"[0-9][0-9A-Za-z.+~-]*", text):
        sys.exit(f"scripts/package: {text!r} is no version")
    return text
