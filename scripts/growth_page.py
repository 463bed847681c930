"""What scripts/bench --growth found, as a table, a help page and a picture.

The exponent is that of `cost = a x size ^ b`, fitted in log-log over the three largest sizes, where a fixed part hides least how the
rest grows, and where pages of memory and ticks of clocks are small beside it. Standard library only.
"""

from __future__ import annotations

import math

import fits

TITLES = {"devices": "Devices", "rows": "Rows of a router's table", "records": "Audit records", "sessions": "Sessions"}
# What an exponent may be off by measuring.
TOLERANCE = 0.1
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#a6761d")
MOST_BYTES = 6_000


def judged(at: dict[int, float]) -> tuple[float, str, bool] | None:
    """The exponent, what that is called, and whether it holds the bar of n log n; None where there is nothing to fit."""
    points = sorted(at.items())
    if len(points) < 3:
        return None
    tail = points[-3:]
    first, last = max(tail[0][0], 2), tail[-1][0]
    bar = 1 + math.log(math.log(last) / math.log(first)) / math.log(last / first) + TOLERANCE
    worst = fits.exponent(tail)[0]
    if worst <= TOLERANCE * 2:
        word = "does not grow"
    elif worst <= 0.9:
        word = "slower than size"
    elif worst <= 1 + TOLERANCE:
        word = "as size"
    else:
        word = "at most n log n" if worst <= bar else "**faster than n log n**"
    return worst, word, worst <= bar


def holds(found: dict[str, dict[str, dict]]) -> bool:
    verdicts = [judged(row["at"]) for rows in found.values() for row in rows.values()]
    return all(verdict[2] for verdict in verdicts if verdict) and not any("broken off" in rows for rows in found.values())


def short(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(rows: dict[str, dict]) -> str:
    """Of one series: a row an operation, a column a size."""
    sizes = sorted({size for row in rows.values() for size in row["at"] if judged(row["at"])})
    lines = ["| | " + " | ".join(f"{size:,}" for size in sizes) + " | exponent | grows |", "| --- |" + " ---: |" * (len(sizes) + 1) + " --- |"]
    more = []
    for name, row in rows.items():
        verdict = judged(row["at"])
        label = f"{name}, {row['unit']}"
        if verdict:
            lines.append("| " + " | ".join([label, *(short(row["at"].get(size)) for size in sizes), f"{verdict[0]:.2f}", verdict[1]]) + " |")
        else:
            more.append(f"{name}: " + (", ".join(f"{short(value)} {row['unit']} at {size:,}" for size, value in row["at"].items()) or row["unit"]))
    return "\n".join([*lines, *(["", "; ".join(more) + "."] if more else [])])


def text(found: dict[str, dict[str, dict]], where: dict) -> str:
    """All tables, with what they were measured on."""
    machine = f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB, Linux {where['kernel']}, {where['disk']}; {where['version']}"
    parts = [f"{machine}; {where['date']}"]
    return "\n\n".join([*parts, *(f"## {TITLES[series]}\n{table(rows)}" for series, rows in found.items())])


def page(found: dict[str, dict[str, dict]], where: dict) -> str:
    """assets/docs/performance.md."""
    head = (
        "# Performance\n\n"
        "What operations cost as their matter grows. Processor time is this program's alone, without the router's; a time is what a client\n"
        "waits. The exponent is that of the three largest sizes: 1 is twice as much for twice as many, and nothing may grow faster than\n"
        "n log n. `scripts/bench --growth --write` measures and writes this page.\n"
    )
    made = f"{head}\n{text(found, where)}\n"
    if len(made.encode()) > MOST_BYTES:
        raise ValueError(f"the page would have {len(made.encode())} bytes")
    return made


# --- the picture ---------------------------------------------------------------------------------

WIDE, HIGH, LEFT, TOP, PLOT_WIDE, PLOT_HIGH = 460, 400, 52, 34, 380, 200


def svg(found: dict[str, dict[str, dict]]) -> str:
    """A panel a series, both axes logarithmic, a line an operation; no script, no style."""
    panels = [panel(TITLES[series], rows, at) for at, (series, rows) in enumerate(found.items())]
    high = HIGH * math.ceil(len(panels) / 2)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE * 2} {high}" font-family="sans-serif" font-size="11" fill="#555">'
    return "\n".join([head, "<title>Cost against size, both axes logarithmic</title>", f'<path d="M0 0h{WIDE * 2}v{high}H0z" fill="#fff"/>', *panels, "</svg>\n"])


def panel(title: str, rows: dict[str, dict], at: int) -> str:
    lines = {name: sorted(row["at"].items()) for name, row in rows.items() if judged(row["at"])}
    points = [point for line in lines.values() for point in line]
    if not points:
        return ""
    x0, x1 = (math.log10(edge(size for size, _ in points)) for edge in (min, max))
    y0, y1 = math.floor(math.log10(min(cost for _, cost in points))), math.ceil(math.log10(max(cost for _, cost in points)))

    def place(size: float, cost: float) -> str:
        x = LEFT + PLOT_WIDE * (math.log10(size) - x0) / max(x1 - x0, 1e-9)
        return f"{x:.0f} {TOP + PLOT_HIGH * (y1 - math.log10(cost)) / max(y1 - y0, 1):.0f}"

    made = [f'<g transform="translate({at % 2 * WIDE} {at // 2 * HIGH})"><text x="{LEFT}" y="20" font-size="14">{title}</text>']
    for power in range(y0, y1 + 1):
        x, y = place(10**x0, 10**power).split()
        made.append(f'<path d="M{x} {y}h{PLOT_WIDE}" stroke="#ddd"/><text x="{LEFT - 6}" y="{int(y) + 4}" text-anchor="end">{10**power:g}</text>')
    for size in sorted({size for size, _ in points}):
        x, _ = place(size, 10**y0).split()
        made.append(f'<text x="{x}" y="{TOP + PLOT_HIGH + 14}" text-anchor="middle">{size:,}</text>')
    for number, (name, line) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dashed = ' stroke-dasharray="5 3"' if number >= len(COLOURS) else ""
        made.append(f'<path d="M{"L".join(place(*point) for point in line)}" fill="none" stroke="{colour}" stroke-width="2"{dashed}/>')
        x, y = LEFT, TOP + PLOT_HIGH + 30 + number * 12
        made.append(f'<path d="M{x} {y - 4}h14" stroke="{colour}" stroke-width="2"{dashed}/><text x="{x + 18}" y="{y}" font-size="9">{name}, {rows[name]["unit"]}</text>')
    return "\n".join([*made, "</g>"])
