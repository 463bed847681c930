"""How much of a process's memory is in blocks that somebody holds, and how much the allocator keeps: for static builds, whose
allocator is musl's. Resident memory tells both as one.

Source: musl 1.2.5, src/malloc/mallocng/meta.h. Standard library only.
"""

from __future__ import annotations

import collections
import struct
from pathlib import Path

PAGE, UNIT = 4096, 16
# Slots of a group by its size class, in units; class 63 is one block of whole pages.
CLASSES = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 18, 20, 25, 31, 36, 42, 50, 63, 72, 84, 102, 127, 146, 170, 204, 255, 292, 340, 409, 511]
CLASSES += [584, 682, 818, 1023, 1169, 1364, 1637, 2047, 2340, 2730, 3276, 4095, 4680, 5460, 6552, 8191]
# A page of descriptions: a secret that is the same in all, the next page, how many; then each group's.
HEAD, GROUP = struct.Struct("<QQi4x"), struct.Struct("<16xQIIQ")
META = 40


def blocks(pid: int) -> tuple[int, int] | None:
    """Bytes in blocks that are held, and in blocks that are free; nothing of another allocator, or when it may not be read."""
    try:
        pages = [page for page in described(pid) if any(page[:8])]
    except OSError:
        return None
    secrets = collections.Counter(HEAD.unpack_from(page)[0] for page in pages if 0 < HEAD.unpack_from(page)[2] <= (PAGE - HEAD.size) // META)
    secret, count = secrets.most_common(1)[0] if secrets else (0, 0)
    if count * 2 <= len(pages):
        return None
    held = free = 0
    for page in (page for page in pages if HEAD.unpack_from(page)[0] == secret):
        for at in range(HEAD.size, PAGE - META + 1, META):
            memory, available, freed, bits = GROUP.unpack_from(page, at)
            if not memory:
                continue
            last, size_class, pages_mapped = bits & 31, bits >> 6 & 63, bits >> 12
            if size_class >= len(CLASSES):
                held += pages_mapped * PAGE
                continue
            slots = last + 1
            size = UNIT * CLASSES[size_class] if last or not pages_mapped else pages_mapped * PAGE - UNIT
            empty = ((available | freed) & ((1 << slots) - 1)).bit_count()
            free += empty * size
            # A group without pages of its own lies in a block of another, which counts as held there.
            held += (slots - empty) * size - (0 if pages_mapped else slots * size + UNIT)
    return held, free


def described(pid: int) -> list[bytes]:
    """The pages of the break, where this allocator describes its groups and holds nothing else."""
    found = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for row in Path(f"/proc/{pid}/maps").read_text().splitlines():
            if row.endswith("[heap]"):
                begin, end = (int(word, 16) for word in row.split()[0].split("-"))
                for page in range(begin, end, PAGE):
                    memory.seek(page)
                    try:
                        found.append(memory.read(PAGE))
                    except OSError:  # a guard
                        continue
    return [page for page in found if len(page) == PAGE]
