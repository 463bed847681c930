#!/usr/bin/env python3
"""Writes the package of OpenWrt 25.12 (.apk, version 3 of the format) without OpenWrt's build. Unsigned, the same input gives the same bytes.

The file is "ADBd" and a raw deflate stream of: "ADB." and the schema "pckg"; a block with the database of all metadata; with --sign a block
with an ECDSA signature over it; then a block for each file that is not empty. Blocks are padded to 8 bytes. The database is a heap of
values, each named by 32 bits: 4 of type and 28 of offset or small number; objects are arrays of such names, a slot a field.

Source: doc/apk-v3.5.scd of apk-tools (the format), include/package-pack.mk of OpenWrt (the scripts and lists in it).
"""

import argparse
import hashlib
import struct
import subprocess
import sys
import zlib
from pathlib import Path

sys.dont_write_bytecode = True

import tree  # noqa: E402

INT, INT_32, INT_64 = 0x1000_0000, 0x2000_0000, 0x3000_0000
BLOB_8, BLOB_16, BLOB_32 = 0x8000_0000, 0x9000_0000, 0xA000_0000
ARRAY, OBJECT = 0xD000_0000, 0xE000_0000
OFFSET = 0x0FFF_FFFF
SCHEMA = b"pckg"
DATABASE, SIGNATURE, DATA = 0, 1, 2
# The first 20 bytes of the database's digest, taken while they are zero.
UNIQUE_BYTES = 20

HEAD = """#!/bin/sh
[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "${IPKG_INSTROOT}/lib/functions.sh"
export root="${IPKG_INSTROOT}"
export pkgname="routeros-mcp"
"""


class Heap:
    """The database while it grows: 8 bytes of header, then values; equal blobs are stored once."""

    def __init__(self):
        self.bytes = bytearray(8)
        self.blobs = {}

    def put(self, align, content):
        self.bytes += bytes(-len(self.bytes) % align)
        at = len(self.bytes)
        self.bytes += content
        if at > OFFSET:
            raise tree.Refused("more metadata than the format has room for")
        return at

    def blob(self, value):
        content = value.encode() if isinstance(value, str) else value
        if not content:
            return 0
        if content not in self.blobs:
            length = len(content)
            if length <= 0xFF:
                name = BLOB_8 | self.put(1, bytes([length]) + content)
            elif length <= 0xFFFF:
                name = BLOB_16 | self.put(2, struct.pack("<H", length) + content)
            else:
                name = BLOB_32 | self.put(4, struct.pack("<I", length) + content)
            self.blobs[content] = name
        return self.blobs[content]

    def number(self, value):
        if value <= OFFSET:
            return INT | value
        if value <= 0xFFFF_FFFF:
            return INT_32 | self.put(4, struct.pack("<I", value))
        return INT_64 | self.put(8, struct.pack("<Q", value))

    def table(self, kind, names):
        while names and not names[-1]:
            names.pop()
        if not names:
            return 0
        return kind | self.put(4, struct.pack(f"<{len(names) + 1}I", len(names) + 1, *names))

    def object(self, fields):
        return self.table(OBJECT, [fields.get(slot, 0) for slot in range(1, max(fields) + 1)])

    def array(self, names):
        return self.table(ARRAY, list(names))

    def finish(self, root):
        self.bytes[0:8] = struct.pack("<BBHI", 0, 0, 0, root)


def block(kind, content):
    length = 4 + len(content)
    if length > 0x3FFF_FFFF:
        raise tree.Refused("a file is too large for one block")
    return struct.pack("<I", kind << 30 | length) + content + bytes(-length % 8)


def paths(heap, files):
    """The tree as apk keeps it: directories in order, each with its files; gives them and the blocks of their contents."""
    owners = {}

    def owner(mode):
        if mode not in owners:
            owners[mode] = heap.object({1: heap.number(mode), 2: heap.blob("root"), 3: heap.blob("root")})
        return owners[mode]

    directories = [tree.File("", 0o755, None), *(file for file in files if file.is_dir)]
    entries, blocks = [], []
    for directory_index, directory in enumerate(sorted(directories, key=lambda file: file.path), 1):
        inside = [file for file in files if not file.is_dir and str(Path(file.path).parent) == (directory.path or ".")]
        names = []
        for file_index, file in enumerate(sorted(inside, key=lambda file: file.path), 1):
            names.append(heap.object({
                1: heap.blob(Path(file.path).name),
                2: owner(file.mode),
                3: heap.number(len(file.content)),
                4: heap.number(tree.EPOCH),
                5: heap.blob(hashlib.sha256(file.content).digest()),
            }))
            if file.content:
                blocks.append(block(DATA, struct.pack("<II", directory_index, file_index) + file.content))
        entries.append(heap.object({1: heap.blob(directory.path), 2: owner(directory.mode), 3: heap.array(names)}))
    return heap.array(entries), blocks


def database(arch, version, files):
    heap = Heap()
    entries, blocks = paths(heap, files)
    # Not all zero, for an equal blob would be shared.
    unique = heap.blob(bytes(UNIQUE_BYTES - 1) + b"\x01")
    unique_at = (unique & OFFSET) + 1
    heap.bytes[unique_at : unique_at + UNIQUE_BYTES] = bytes(UNIQUE_BYTES)
    about = {
        1: heap.blob(tree.NAME),
        2: heap.blob(version),
        3: unique,
        4: heap.blob(" ".join(tree.block("description").split())),
        5: heap.blob(arch),
        6: heap.blob(tree.variable("PKG_LICENSE")),
        7: heap.blob(tree.NAME),
        8: heap.blob(tree.variable("PKG_MAINTAINER")),
        12: heap.number(tree.size_of(files)),
        15: heap.array([heap.object({1: heap.blob(name)}) for name in sorted(["libc", *tree.depends()])]),
    }
    install = HEAD + "add_group_and_user\ndefault_postinst\n" + tree.after_install()
    # apk says nothing of upgrades to a script; the script of an upgrade says it itself.
    upgrade = "#!/bin/sh\nexport PKG_UPGRADE=1\n" + install.split("\n", 1)[1]
    remove = HEAD.replace('[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0\n', "") + "default_prerm\n"
    hooks = heap.object({3: heap.blob(install), 4: heap.blob(remove), 7: heap.blob(upgrade)})
    heap.finish(heap.object({1: heap.object(about), 2: entries, 3: hooks}))
    heap.bytes[unique_at : unique_at + UNIQUE_BYTES] = hashlib.sha256(heap.bytes).digest()[:UNIQUE_BYTES]
    return bytes(heap.bytes), blocks


def signature(key, adb):
    """By openssl, for Python's library has no ECDSA; the key stays in its file. Signing twice gives other bytes."""
    try:
        public = openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
        # SubjectPublicKeyInfo of P-256 is 91 bytes and ends in the uncompressed point.
        if len(public) != 91 or public[-65] != 4:
            raise tree.Refused(f"{key} is no ECDSA key of the curve P-256")
        header = bytes([0, 4]) + hashlib.sha512(public[-65:]).digest()[:16]
        message = SCHEMA + header + hashlib.sha512(adb).digest()
        return header + openssl("dgst", "-sha512", "-sign", key, given=message)
    except FileNotFoundError:
        raise tree.Refused("signing needs openssl") from None


def openssl(*words, given=b""):
    done = subprocess.run(["openssl", *words], input=given, capture_output=True)
    if done.returncode:
        raise tree.Refused(f"openssl {words[0]}: {done.stderr.decode(errors='replace').strip()[:300]}")
    return done.stdout


def lists(files):
    """What OpenWrt's own scripts look for beside apk's database: whose init scripts to enable, what sysupgrade keeps, which user to make."""
    by_path = {f"/{file.path}": file for file in files}
    at = f"lib/apk/packages/{tree.NAME}"
    users = tree.File(f"{at}.rusers", 0o644, (tree.variable("USERID") + "\n").encode())
    named = sorted([*by_path, f"/{users.path}"])
    kept = tree.conffiles()
    digests = [f"{path} {hashlib.sha256(by_path[path].content).hexdigest()}\n" for path in kept]
    return [
        users,
        tree.File(f"{at}.list", 0o644, "".join(f"{path}\n" for path in named).encode()),
        tree.File(f"{at}.conffiles", 0o644, "".join(f"{path}\n" for path in kept).encode()),
        tree.File(f"{at}.conffiles_static", 0o644, "".join(digests).encode()),
    ]


def build(args):
    version = tree.version_of(args.version, "_")
    executable = tree.binary_for(args.arch, args.binary)
    own = [file for file in tree.tree(executable) if not file.is_dir]
    adb, blocks = database(args.arch, version, tree.tree(executable, lists(own)))
    signed = block(SIGNATURE, signature(args.sign, adb)) if args.sign else b""
    content = b"ADB." + SCHEMA + block(DATABASE, adb) + signed + b"".join(blocks)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    return f"{tree.NAME}-{version}_{args.arch}.apk", b"ADBd" + squeeze.compress(content) + squeeze.flush()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--sign", metavar="KEY", help="private ECDSA P-256 key in PEM; its public half goes to /etc/apk/keys")
    tree.command_line("Writes the .apk of OpenWrt 25.12.", build, parser)
