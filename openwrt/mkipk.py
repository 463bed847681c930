#!/usr/bin/env python3
"""Writes the package of OpenWrt 24.10 (.ipk, for opkg) without OpenWrt's build. The same input gives the same bytes.

An .ipk is a gzipped tar of three: debian-binary, data.tar.gz (the files) and control.tar.gz (what opkg knows and runs).
Source: scripts/ipkg-build and include/package-pack.mk of OpenWrt.
"""

import argparse
import gzip
import io
import sys
import tarfile

sys.dont_write_bytecode = True

import tree  # noqa: E402

# The head of both scripts is the one that OpenWrt's build gives every package: it makes users, runs uci-defaults, enables and starts.
POSTINST = """#!/bin/sh
[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0
[ -s "${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "${IPKG_INSTROOT}/lib/functions.sh"
default_postinst "$0" "$@"
"""
PRERM = """#!/bin/sh
[ -s "${IPKG_INSTROOT}/lib/functions.sh" ] || exit 0
. "${IPKG_INSTROOT}/lib/functions.sh"
default_prerm "$0" "$@"
"""


def packed(files):
    """Entries as ./path in a gzipped tar, owned by root, dated the same."""
    inner = io.BytesIO()
    with tarfile.open(fileobj=inner, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for file in files:
            entry = tarfile.TarInfo("." if file.path == "." else f"./{file.path}")
            entry.mode, entry.mtime = file.mode, tree.EPOCH
            if file.is_dir:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            else:
                entry.size = len(file.content)
                archive.addfile(entry, io.BytesIO(file.content))
    return gzip.compress(inner.getvalue(), 9, mtime=0)


def control(arch, version, files):
    about = " ".join(tree.block("description").split())
    fields = {
        "Package": tree.NAME,
        "Version": version,
        "Depends": ", ".join(["libc", *tree.depends()]),
        "Source": f"feeds/{tree.NAME}/openwrt",
        "SourceName": tree.NAME,
        "License": tree.variable("PKG_LICENSE"),
        "Section": tree.variable("SECTION"),
        "Require-User": tree.variable("USERID"),
        "SourceDateEpoch": tree.EPOCH,
        "CPE-ID": tree.variable("PKG_CPE_ID"),
        "Maintainer": tree.variable("PKG_MAINTAINER"),
        "Architecture": arch,
        "Installed-Size": tree.size_of(files),
        "Description": f" {about}",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()).encode()


def build(args):
    version = tree.version_of(args.version, "~")
    files = tree.tree(tree.binary_for(args.arch, args.binary))
    top = tree.File(".", 0o755, None)
    about = [
        top,
        tree.File("conffiles", 0o644, "".join(f"{path}\n" for path in tree.conffiles()).encode()),
        tree.File("control", 0o644, control(args.arch, version, files)),
        tree.File("postinst", 0o755, POSTINST.encode()),
        tree.File("postinst-pkg", 0o755, ("#!/bin/sh\n" + tree.after_install()).encode()),
        tree.File("prerm", 0o755, PRERM.encode()),
    ]
    parts = [
        tree.File("debian-binary", 0o644, b"2.0\n"),
        tree.File("data.tar.gz", 0o644, packed([top, *files])),
        tree.File("control.tar.gz", 0o644, packed(about)),
    ]
    return f"{tree.NAME}_{version}_{args.arch}.ipk", packed(parts)


if __name__ == "__main__":
    tree.command_line("Writes the .ipk of OpenWrt 24.10.", build, argparse.ArgumentParser())
