"""The .deb: ar(control.tar.gz, data.tar.xz). The binary is dpkg's, so it has no self-update.

Source: deb(5), deb-control(5), <https://www.debian.org/doc/debian-policy/ch-maintainerscripts.html>
"""

import hashlib
import lzma
from email.utils import formatdate

from .tree import Entry, archive, gzipped, plain

MAINTAINER = "routeros-mcp maintainers <maintainers@routeros-mcp.invalid>"
SCRIPTS = ["preinst", "postinst", "prerm", "postrm"]


def write(release, architecture, out):
    version = plain(release.version).replace("-", "~")
    files = tree(release, version)
    data = archive(files, release.epoch)
    control = [
        Entry("control", text(release, architecture, version, files)),
        # Files that an administrator may change; dpkg asks before it does.
        Entry("conffiles", b"/etc/routeros-mcp/config.toml\n"),
        Entry("md5sums", sums(files)),
        *[Entry(name, release.read(f"systemd/debian/{name}"), 0o755) for name in SCRIPTS],
    ]
    path = out / f"routeros-mcp_{version}_{architecture}.deb"
    members = [
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", gzipped(archive(control, release.epoch))),
        ("data.tar.xz", lzma.compress(data, format=lzma.FORMAT_XZ, check=lzma.CHECK_CRC64, preset=6)),
    ]
    path.write_bytes(b"!<arch>\n" + b"".join(member(name, body, release.epoch) for name, body in members))
    return path


def tree(release, version):
    doc = "usr/share/doc/routeros-mcp"
    units = list(release.units(with_self_update=False))
    return [
        Entry("usr/bin/routeros-mcp", release.executable, 0o755),
        *[Entry(f"lib/systemd/system/{name}", unit) for name, unit in units],
        Entry("usr/lib/sysusers.d/routeros-mcp.conf", release.read("systemd/sysusers.conf")),
        Entry("usr/lib/tmpfiles.d/routeros-mcp.conf", release.read("systemd/tmpfiles.conf")),
        # tmpfiles.d gives it to the service's group, and keeps everybody else out.
        Entry("etc/routeros-mcp/config.toml", release.read("systemd/config.toml")),
        Entry("etc/routeros-mcp/instances", None, 0o755),
        Entry(f"{doc}/config.example.toml", release.read("assets/config.toml")),
        Entry(f"{doc}/copyright", copyright_file(release)),
        Entry(f"{doc}/changelog.gz", gzipped(changelog(release, version))),
        Entry("usr/share/man/man1/routeros-mcp.1.gz", gzipped(release.say("man"))),
        Entry("usr/share/bash-completion/completions/routeros-mcp", release.say("completions", "bash")),
        Entry("usr/share/zsh/vendor-completions/_routeros-mcp", release.say("completions", "zsh")),
        Entry("usr/share/fish/vendor_completions.d/routeros-mcp.fish", release.say("completions", "fish")),
        Entry("usr/share/lintian/overrides/routeros-mcp", release.read("systemd/debian/lintian-overrides")),
    ]


def text(release, architecture, version, files):
    kib = sum((len(file.content) + 1023) // 1024 for file in files if isinstance(file.content, bytes))
    fields = {
        "Package": "routeros-mcp",
        "Version": version,
        "Architecture": architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(kib),
        # The binary needs nothing; what is recommended makes the service's user, and starts it.
        "Recommends": "systemd",
        "Section": "net",
        "Priority": "optional",
        "Description": "appliance next to MikroTik routers, for AI assistants and people\n"
        " An MCP server for routers that run RouterOS: a model proposes a change, a\n"
        " person approves it, and the router holds the undo until it is confirmed.",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items()).encode()


def sums(files):
    lines = [f"{hashlib.md5(file.content).hexdigest()}  {file.path}\n" for file in files if isinstance(file.content, bytes)]
    return "".join(sorted(lines, key=lambda line: line[34:])).encode()


def copyright_file(release):
    head = (
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
        "Upstream-Name: routeros-mcp\n\n"
        "Files: *\nCopyright: The routeros-mcp authors\nLicense: Expat or Apache-2.0\n\n"
        "License: Apache-2.0\n On Debian systems the whole text is in /usr/share/common-licenses/Apache-2.0.\n\n"
        "License: Expat\n"
    )
    lines = release.read("assets/LICENSE-MIT").decode().splitlines()
    return (head + "".join(f" {line.strip() or '.'}\n" for line in lines)).encode()


def changelog(release, version):
    date = formatdate(release.epoch)
    return f"routeros-mcp ({version}) stable; urgency=medium\n\n  * Version {release.version}.\n\n -- {MAINTAINER}  {date}\n".encode()


def member(name, body, epoch):
    """One entry of an ar archive, padded to an even length."""
    head = f"{name:<16}{epoch:<12}{0:<6}{0:<6}{0o100644:<8o}{len(body):<10}`\n".encode()
    return head + body + b"\n" * (len(body) % 2)
