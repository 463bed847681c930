"""Readers of .ipk and .apk (version 3), written from the formats and not from our writers. What is not exactly right is refused."""

import gzip
import hashlib
import struct
import subprocess
import zlib
from dataclasses import dataclass, field
from pathlib import Path


class Damaged(Exception):
    """Why a package is not taken."""


@dataclass
class Package:
    """What either kind holds: path to (mode, owner, bytes; None for a directory), fields, scripts by name."""

    files: dict
    fields: dict
    scripts: dict = field(default_factory=dict)
    conffiles: list = field(default_factory=list)


def need(condition, why):
    if not condition:
        raise Damaged(why)


# --- ipk -------------------------------------------------------------------------------------------------------------------------


def ipk(content):
    outer = tar(gunzip(content))
    need(list(outer) == ["", "debian-binary", "data.tar.gz", "control.tar.gz"] or list(outer) == ["debian-binary", "data.tar.gz", "control.tar.gz"], "not the three parts")
    need(outer["debian-binary"][2] == b"2.0\n", "debian-binary is not 2.0")
    files = tar(gunzip(outer["data.tar.gz"][2]))
    about = tar(gunzip(outer["control.tar.gz"][2]))
    files.pop("", None)
    fields = dict(line.split(": ", 1) for line in about["control"][2].decode().splitlines())
    need(int(fields["Installed-Size"]) == sum(len(file[2] or b"") for file in files.values()), "Installed-Size does not fit")
    scripts = {name: about[name][2].decode() for name in about if name not in ("", "control", "conffiles")}
    for name in scripts:
        need(about[name][0] == 0o755, f"{name} cannot be executed")
    return Package(files, fields, scripts, about["conffiles"][2].decode().split())


def gunzip(content):
    """One member with nothing in its header that could say different things, and nothing after it."""
    need(content[:8] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "gzip header")
    need(len(content) > 18 and content[8] == 2 and content[9] in (3, 255), "gzip header")
    inner, end = inflate(content[10:])
    need(end == struct.pack("<II", zlib.crc32(inner), len(inner) & 0xFFFFFFFF), "gzip checksum")
    need(gzip.decompress(content) == inner, "gzip reads it otherwise")
    return inner


def inflate(content):
    stream = zlib.decompressobj(-15)
    try:
        inner = stream.decompress(content)
    except zlib.error as why:
        raise Damaged(f"deflate: {why}") from None
    need(stream.eof, "deflate: cut off")
    return inner, stream.unused_data


def tar(content):
    need(len(content) % 512 == 0, "tar: not whole records")
    found, at = {}, 0
    while at < len(content) and content[at : at + 512] != bytes(512):
        head = content[at : at + 512]
        need(head[257:265] == b"ustar  \0", "tar: not GNU's format")
        need(int(head[148:154], 8) == sum(head[:148]) + 8 * 32 + sum(head[156:]), "tar: checksum")
        name = head[:100].rstrip(b"\0").decode()
        need(name == "." or name.startswith("./"), f"tar: {name} is not below .")
        need(".." not in name.split("/"), f"tar: {name} leaves the tree")
        mode, uid, gid, size = (int(head[a:b].rstrip(b"\0 "), 8) for a, b in ((100, 108), (108, 116), (116, 124), (124, 136)))
        kind = head[156:157]
        need(kind in (b"0", b"5"), f"tar: {name} is neither file nor directory")
        body = content[at + 512 : at + 512 + size]
        need(len(body) == size, "tar: cut off")
        key = name[2:].rstrip("/") if name != "." else ""
        need(key not in found, f"tar: {name} twice")
        found[key] = (mode, f"{uid}:{gid}", body if kind == b"0" else None)
        at += 512 + size + -size % 512
    need(len(content) - at >= 1024 and not any(content[at:]), "tar: no end")
    return found


# --- apk -------------------------------------------------------------------------------------------------------------------------

FIELDS = ["name", "version", "unique-id", "description", "arch", "license", "origin", "maintainer", "url", "repo-commit", "build-time", "installed-size", "file-size", "provider-priority", "depends"]
HOOKS = ["trigger", "pre-install", "post-install", "pre-deinstall", "post-deinstall", "pre-upgrade", "post-upgrade"]


class Database:
    """Values by their 32-bit names. Every offset is checked, and nesting has an end."""

    def __init__(self, content):
        self.content = content
        need(len(content) >= 8 and content[:4] == bytes(4), "adb: header")

    def bytes_at(self, at, length):
        need(at + length <= len(self.content), "adb: points outside")
        return self.content[at : at + length]

    def value(self, name):
        kind, rest = name >> 28, name & 0x0FFFFFFF
        if name == 0:
            return None
        if kind == 1:
            return rest
        if kind in (2, 3):
            return int.from_bytes(self.bytes_at(rest, 4 if kind == 2 else 8), "little")
        if kind in (8, 9, 10):
            width = {8: 1, 9: 2, 10: 4}[kind]
            return self.bytes_at(rest + width, int.from_bytes(self.bytes_at(rest, width), "little"))
        raise Damaged(f"adb: value of kind {kind} where none may be")

    def slots(self, name, kind):
        if name == 0:
            return []
        need(name >> 28 == kind, "adb: not the kind that belongs here")
        at = name & 0x0FFFFFFF
        count = int.from_bytes(self.bytes_at(at, 4), "little")
        need(1 <= count <= 4096, "adb: count")
        return list(struct.unpack(f"<{count - 1}I", self.bytes_at(at + 4, 4 * (count - 1))))

    def object(self, name, width):
        slots = self.slots(name, 14)
        need(len(slots) <= width, "adb: more fields than known")
        return slots + [0] * (width - len(slots))

    def array(self, name):
        return self.slots(name, 13)


def apk(content, key=None):
    """KEY is a public key in PEM: then it must be signed by that one."""
    need(content[:4] == b"ADBd", "not apk version 3")
    inner, rest = inflate(content[4:])
    need(not rest, "something after the end")
    need(inner[:8] == b"ADB.pckg", "not a package")
    blocks = split(inner[8:])
    need(blocks and blocks[0][0] == 0 and all(kind != 0 for kind, _ in blocks[1:]), "not one database, at the beginning")
    adb = blocks[0][1]
    signatures = [body for kind, body in blocks[1:] if kind == 1]
    if key:
        need(any(verified(key, body, adb) for body in signatures), "not signed by that key")
    data = [body for kind, body in blocks[1:] if kind == 2]
    need([kind for kind, _ in blocks[1:]] == [1] * len(signatures) + [2] * len(data), "blocks in another order")
    return package(adb, data)


def split(content):
    blocks, at = [], 0
    while at < len(content):
        need(at + 4 <= len(content), "block: cut off")
        word = struct.unpack_from("<I", content, at)[0]
        kind, length = word >> 30, word & 0x3FFFFFFF
        need(kind in (0, 1, 2) and length >= 4, "block: header")
        end = at + length
        padded = end + -end % 8
        need(padded <= len(content), "block: cut off")
        need(not any(content[end:padded]), "block: padding")
        blocks.append((kind, content[at + 4 : end]))
        at = padded
    return blocks


def verified(key, body, adb):
    need(len(body) > 18 and body[:2] == b"\x00\x04", "signature: version or digest")
    public = subprocess.run(["openssl", "pkey", "-pubin", "-in", key, "-outform", "DER"], capture_output=True, check=True).stdout
    if body[2:18] != hashlib.sha512(public[-65:]).digest()[:16]:
        return False
    signature = Path(key).with_suffix(".sig")
    signature.write_bytes(body[18:])
    message = b"pckg" + body[:18] + hashlib.sha512(adb).digest()
    asked = ["openssl", "dgst", "-sha512", "-verify", key, "-signature", signature]
    return subprocess.run(asked, input=message, capture_output=True).returncode == 0


def package(adb, data):
    base = Database(adb)
    about, paths, hooks, *_ = base.object(struct.unpack_from("<I", adb, 4)[0], 5)
    slots = base.object(about, 21)
    fields = {name: base.value(slot) for name, slot in zip(FIELDS[:-1], slots)}
    fields = {name: value.decode() if isinstance(value, bytes) and name != "unique-id" else value for name, value in fields.items()}
    fields["depends"] = [base.value(base.object(one, 3)[0]).decode() for one in base.array(slots[14])]
    unique = fields["unique-id"]
    need(isinstance(unique, bytes) and len(unique) == 20, "unique id: not there")
    at = (slots[2] & 0x0FFFFFFF) + 1
    need(hashlib.sha256(adb[:at] + bytes(20) + adb[at + 20 :]).digest()[:20] == unique, "unique id: not of this database")
    files, remaining, names = {}, list(data), []
    for i, one in enumerate(base.array(paths), 1):
        path, owner, inside = base.object(one, 3)
        directory = (base.value(path) or b"").decode()
        names.append(directory)
        if directory:
            files[directory] = (*owned(base, owner), None)
        for j, entry in enumerate(base.array(inside), 1):
            name, owner, size, _, digest, _ = base.object(entry, 6)
            body = b""
            if base.value(size):
                need(remaining and remaining[0][:8] == struct.pack("<II", i, j), "data: not for the next file")
                body = remaining.pop(0)[8:]
            need(len(body) == base.value(size) and hashlib.sha256(body).digest() == base.value(digest), "data: not as the database says")
            files[f"{directory}/{base.value(name).decode()}".lstrip("/")] = (*owned(base, owner), body)
    need(not remaining, "data: for no file")
    need(names == sorted(names), "directories not in order")
    need(fields["installed-size"] == sum(len(file[2] or b"") for file in files.values()), "installed size does not fit")
    scripts = {name: base.value(slot).decode() for name, slot in zip(HOOKS, base.object(hooks, 7)) if slot}
    kept = files[f"lib/apk/packages/{fields['name']}.conffiles"][2].decode().split()
    return Package(files, fields, scripts, kept)


def owned(base, name):
    mode, user, group, _ = base.object(name, 4)
    return base.value(mode), f"{base.value(user).decode()}:{base.value(group).decode()}"
