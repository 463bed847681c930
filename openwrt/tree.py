"""What the package holds: one description for both writers, read from the feed's Makefile wherever it says the same."""

import os
import re
import stat
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
NAME = "routeros-mcp"
# Dates in archives; scripts/package gives the last commit's.
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))

# Where it goes, from which file, with which mode. /etc/routeros-mcp gets its group when the user is there (uci-defaults, init).
FILES = [
    ("etc/config/routeros-mcp", "files/routeros-mcp.config", 0o600),
    ("etc/init.d/routeros-mcp", "files/routeros-mcp.init", 0o755),
    ("etc/routeros-mcp/config.toml", "files/config.toml", 0o600),
    ("etc/uci-defaults/routeros-mcp", "files/routeros-mcp.defaults", 0o755),
    ("lib/upgrade/keep.d/routeros-mcp", "files/routeros-mcp.keep", 0o644),
]
BINARY = "usr/sbin/routeros-mcp"

# e_machine and class of ELF, by how OpenWrt's names begin.
MACHINES = {"x86_64": (62, 2), "aarch64": (183, 2), "arm": (40, 1)}


class Refused(Exception):
    """Why no package was made."""


@dataclass(frozen=True)
class File:
    """A file of the package, or a directory when there is no content."""

    path: str
    mode: int
    content: bytes | None

    @property
    def is_dir(self):
        return self.content is None


def targets():
    """Rust's target to OpenWrt's names."""
    lines = [line.split() for line in (HERE / "targets").read_text().splitlines()]
    return {words[0]: words[1:] for words in lines if words and not words[0].startswith("#")}


def variable(name):
    """NAME:=value of the Makefile."""
    found = re.search(rf"^\s*{name}:=(.*)$", (HERE / "Makefile").read_text(), re.MULTILINE)
    if not found:
        raise Refused(f"openwrt/Makefile does not say {name}")
    return found[1].strip()


def block(name):
    """The lines between define and endef, as make gives them out."""
    found = re.search(rf"^define Package/{NAME}/{name}\n(.*?)^endef$", (HERE / "Makefile").read_text(), re.MULTILINE | re.DOTALL)
    if not found:
        raise Refused(f"openwrt/Makefile has no {name}")
    return found[1].replace("$$", "$")


def depends():
    """What +name asks for; the rest of DEPENDS is for OpenWrt's build."""
    return [word[1:] for word in variable("DEPENDS").split() if word.startswith("+")]


def conffiles():
    return block("conffiles").split()


def version_of(version, before):
    """1.2.3 as OpenWrt writes it: 1.2.3-r1. BEFORE stands in front of rc1 so that it sorts before the release: ~ for opkg, _ for apk."""
    found = re.fullmatch(r"(\d+\.\d+\.\d+)(?:-(alpha|beta|rc)\.?(\d*))?", version)
    if not found:
        raise Refused(f'version "{version}": not 1.2.3, nor 1.2.3 with -alpha.1, -beta.1 or -rc.1 after it')
    pre = f"{before}{found[2]}{found[3]}" if found[2] else ""
    return f"{found[1]}{pre}-r{variable('PKG_RELEASE')}"


def binary_for(arch, path):
    """The executable, which must be for that processor: a package with another's installs, and then never starts."""
    if arch not in [name for names in targets().values() for name in names]:
        raise Refused(f'architecture "{arch}": none of those in openwrt/targets')
    content = Path(path).read_bytes()
    if content[:4] != b"\x7fELF" or len(content) < 20:
        raise Refused(f"{path} is no executable for Linux")
    machine = (struct.unpack_from("<H", content, 18)[0], content[4])
    wanted = MACHINES[arch.split("_")[0] if not arch.startswith("x86") else arch]
    if machine != wanted:
        raise Refused(f"{path} is for another processor than {arch}: ELF machine {machine[0]}, class {machine[1]}")
    return content


def tree(executable, more=()):
    """Every file and the directories above them, sorted; MORE are files that only one kind of package has."""
    files = [File(path, mode, (HERE / source).read_bytes()) for path, source, mode in FILES]
    files += [File(BINARY, 0o755, executable), *more]
    above = {str(parent) for file in files for parent in Path(file.path).parents if str(parent) != "."}
    return sorted(files + [File(path, 0o755, None) for path in above], key=lambda file: file.path)


def size_of(files):
    return sum(len(file.content) for file in files if not file.is_dir)


def after_install():
    """Our part of the script after an installation, without its first line."""
    return "".join(line for line in block("postinst").splitlines(keepends=True) if not line.startswith("#!"))


def write(path, content):
    """All of it or nothing: a half-written package would be taken for one."""
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH)
    part.replace(path)
    print(f"{len(content):>10}  {path}")


def command_line(description, build, parser):
    """Runs a writer: build(args) gives (file name, bytes)."""
    parser.description = description
    parser.add_argument("--arch", required=True, help="OpenWrt's name, as in openwrt/targets")
    parser.add_argument("--binary", required=True, type=Path)
    parser.add_argument("--version", required=True, help="as in Cargo.toml")
    parser.add_argument("--out", required=True, type=Path, help="directory, made when it is not there")
    args = parser.parse_args()
    try:
        name, content = build(args)
        args.out.mkdir(parents=True, exist_ok=True)
        write(args.out / name, content)
    except (Refused, OSError) as why:
        sys.exit(f"{Path(sys.argv[0]).name}: {why}")
