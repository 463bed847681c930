"""What an executable says of itself, as the lines that cross/expected/TARGET holds. Standard library only."""

from __future__ import annotations

import struct
from pathlib import Path

MACHINES = {3: "x86", 40: "ARM", 62: "x86-64", 183: "AArch64"}
LOAD, DYNAMIC, INTERP, STACK, RELRO = 1, 2, 3, 0x6474E551, 0x6474E552
EXECUTE, WRITE = 1, 2
NEEDED, TEXTREL, FLAGS, FLAGS_1, RELA, RELASZ, REL, RELSZ = 1, 22, 30, 0x6FFFFFFB, 7, 8, 17, 18
BIND_NOW, NOW_1, PIE_1 = 8, 1, 0x08000000
SYMTAB = 2
# Relocations that only add where the program lies; anything else would need a dynamic linker, which is not there.
RELATIVE = {62: {8, 37}, 183: {1027, 1032}, 40: {23, 160}}


class Elf:
    """The parts of an ELF file that the check reads. Little-endian only: so are all our targets."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        if self.data[:4] != b"\x7fELF" or self.data[5] != 1:
            raise ValueError(f"{path}: no little-endian ELF file")
        self.wide = self.data[4] == 2
        form = "<HHIQQQIHHHHHH" if self.wide else "<HHIIIIIHHHHHH"
        self.kind, self.machine, _, _, self.phoff, self.shoff, self.flags, _, self.phsize, self.phnum, self.shsize, self.shnum, self.shnames = struct.unpack_from(form, self.data, 16)
        self.segments = [self._segment(self.phoff + n * self.phsize) for n in range(self.phnum)]
        self.sections = [self._section(self.shoff + n * self.shsize) for n in range(self.shnum)]
        self.dynamic = list(self._dynamic())

    def _segment(self, at: int) -> dict:
        if self.wide:
            kind, flags, offset, address, _, size, _, _ = struct.unpack_from("<IIQQQQQQ", self.data, at)
        else:
            kind, offset, address, _, size, _, flags, _ = struct.unpack_from("<IIIIIIII", self.data, at)
        return {"kind": kind, "flags": flags, "offset": offset, "address": address, "size": size}

    def _section(self, at: int) -> dict:
        form = "<IIQQQQ" if self.wide else "<IIIIII"
        name, kind, flags, address, offset, size = struct.unpack_from(form, self.data, at)
        return {"name": name, "kind": kind, "flags": flags, "offset": offset, "size": size}

    def _dynamic(self):
        form, step = ("<qQ", 16) if self.wide else ("<iI", 8)
        for segment in (s for s in self.segments if s["kind"] == DYNAMIC):
            for at in range(segment["offset"], segment["offset"] + segment["size"], step):
                tag, value = struct.unpack_from(form, self.data, at)
                if tag == 0:
                    return
                yield tag & 0xFFFFFFFF, value

    def section_names(self) -> list[str]:
        """Names of sections in the order of the file."""
        if not self.sections:
            return []
        table = self.sections[self.shnames]["offset"]
        return [self.data[table + s["name"] : self.data.index(b"\0", table + s["name"])].decode() for s in self.sections]

    def first(self, tag: int) -> int:
        """The value of one dynamic entry, 0 where it is not there."""
        return next((value for known, value in self.dynamic if known == tag), 0)

    def of_kind(self, kind: int) -> list[dict]:
        """The segments of one kind."""
        return [s for s in self.segments if s["kind"] == kind]

    def _at(self, address: int) -> int:
        """Where in the file the byte for `address` is."""
        for s in self.of_kind(LOAD):
            if s["address"] <= address < s["address"] + s["size"]:
                return s["offset"] + address - s["address"]
        raise ValueError(f"no segment holds address {address:#x}")

    def odd_relocations(self) -> int:
        """How many relocations ask for a symbol."""
        odd = 0
        for table, length, form in ((RELA, RELASZ, "<QQq" if self.wide else "<IIi"), (REL, RELSZ, "<QQ" if self.wide else "<II")):
            if not self.first(length):
                continue
            start, step = self._at(self.first(table)), struct.calcsize(form)
            for at in range(start, start + self.first(length), step):
                info = struct.unpack_from(form, self.data, at)[1]
                odd += (info & (0xFFFFFFFF if self.wide else 0xFF)) not in RELATIVE.get(self.machine, set())
        return odd


def position(elf: Elf) -> str:
    """Whether the system may lay the program where it likes."""
    if elf.kind == 3 and elf.first(FLAGS_1) & PIE_1:
        return "static-pie" if not elf.of_kind(INTERP) else "pie"
    return {2: "fixed address", 3: "shared object"}.get(elf.kind, str(elf.kind))


def relro(elf: Elf) -> str:
    """Whether what relocations wrote is read-only afterwards."""
    if not elf.of_kind(RELRO):
        return "none"
    return "full" if elf.first(FLAGS) & BIND_NOW or elf.first(FLAGS_1) & NOW_1 else "partial"


def floats(elf: Elf) -> str:
    """How 32-bit ARM passes floating point numbers: the wrong kind does not start, or computes nonsense."""
    return {0x400: "hard", 0x200: "soft"}.get(elf.flags & 0x600, "not said")


def facts(path: Path) -> dict[str, str]:
    """Name and value of what the check compares, in the order of the file."""
    elf = Elf(path)
    stack = elf.of_kind(STACK)
    names = elf.section_names()
    said = {
        "machine": f"{MACHINES.get(elf.machine, elf.machine)}, {64 if elf.wide else 32} bit",
        "position": position(elf),
        "interpreter": "none" if not elf.of_kind(INTERP) else "named",
        "shared libraries": str(sum(tag == NEEDED for tag, _ in elf.dynamic)),
        "stack": "not executable" if stack and not stack[0]["flags"] & EXECUTE else "executable",
        "relro": relro(elf),
        "segments both writable and executable": str(sum(s["flags"] & 3 == EXECUTE | WRITE for s in elf.of_kind(LOAD))),
        "relocations in code": "yes" if elf.first(TEXTREL) or elf.first(FLAGS) & 4 else "none",
        "relocations that need a linker": str(elf.odd_relocations()),
        "symbols": "stripped" if not any(s["kind"] == SYMTAB for s in elf.sections) and not any(n.startswith(".debug") for n in names) else "kept",
    }
    if elf.machine == 40:
        said["floating point"] = floats(elf)
    return said
