"""What the pages of assets/docs say, taken apart: fenced blocks, commands in the text, links, names of metrics, keys and files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "assets" / "docs"

# What a fence may say behind `sh`.
MARKS = ("not-run:", "until:", "fresh", "refused:")


@dataclass
class Block:
    """One fenced block."""

    page: str
    line: int
    language: str
    mark: str
    text: str

    @property
    def where(self) -> str:
        return f"{self.page}.md:{self.line}"

    @property
    def commands(self) -> int:
        """Lines that do something; a line that goes on is one with the next."""
        joined = self.text.replace("\\\n", " ")
        return sum(1 for line in joined.splitlines() if line.strip() and not line.strip().startswith("#"))

    def said(self, mark: str) -> str | None:
        return self.mark.removeprefix(mark).strip() if self.mark.startswith(mark) else None


def names() -> list[str]:
    return sorted(path.stem for path in DOCS.glob("*.md"))


def text(page: str) -> str:
    return (DOCS / f"{page}.md").read_text()


def blocks(page: str) -> list[Block]:
    """Fenced blocks; a block that stands in a list is moved to the margin."""
    found, inside = [], None
    for number, line in enumerate(text(page).splitlines(), 1):
        fence = re.match(r"^( *)```(.*)$", line)
        if inside is None and fence:
            language, _, mark = fence[2].strip().partition(" ")
            inside = (len(fence[1]), Block(page, number, language, mark.strip(), ""))
        elif inside is not None and fence and not fence[2]:
            found.append(inside[1])
            inside = None
        elif inside is not None:
            inside[1].text += line[inside[0]:] + "\n"
    if inside is not None:
        raise ValueError(f"{inside[1].where}: a fence that does not end")
    return found


def prose(page: str) -> str:
    """The page without its fenced blocks."""
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", text(page))


def spans(page: str) -> list[str]:
    """What stands between backticks, on one line each."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def anchors(page: str) -> set[str]:
    """Headings, as a link spells them."""
    made = set()
    for line in prose(page).splitlines():
        if heading := re.match(r"^#+ (.*)$", line):
            made.add(re.sub(r"[^a-z0-9 -]", "", heading[1].lower()).replace(" ", "-"))
    return made
