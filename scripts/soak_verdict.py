"""What the samples of measure_soak.py say: whether anything grew that must not, and whether anything failed.

Standard library only.
"""

from __future__ import annotations

import json
import statistics
from pathlib import Path

import fits
from rig import expect

# Caches fill meanwhile; a shorter run has a third of its time for it. Seconds.
WARM_UP = 1_200.0
# Megabytes an hour after warm-up.
MEMORY_BAR = 0.1

# What of a store is predicted (bytes): a sample of health (src/history/block.rs), half-filled pages, a plan with its draft and
# progress and the snapshot its change is kept in, what copy on write needs.
HEALTH, FILL, PLANNED, SLACK = 2.3, 2, 6_000, 512 << 10
# An audit record, frame included: none is smaller, few are larger.
RECORD = (250, 900)


def report(file: Path) -> int:
    """Judges the samples of a run, finished or not; 1 when something grew or failed."""
    told = [json.loads(row) for row in file.read_text().splitlines() if row.endswith("}")]
    start, samples = next(row for row in told if row["kind"] == "start"), [row for row in told if row["kind"] == "sample"]
    end = next((row for row in told if row["kind"] == "end"), None)
    expect(len(samples) > 5, "too few samples to judge")
    last, where = samples[-1], start["machine"]
    warm = min(WARM_UP, last["t"] / 3)
    settled = [row for row in samples if row["t"] >= warm]
    hours = last["t"] / 3600
    print(f"{where['cpu']}, {where['cores']} cores, {where['memory_gib']} GiB, Linux {where['kernel']}, {where['disk']}; {where['version']}; {start['at']}")
    print(f"{last['t'] / 60:.0f} of {start['hours'] * 60:.0f} minutes ({end['why'] if end else 'goes on, or was cut off'}); judged after {warm / 60:.0f} minutes, on {len(settled)} samples\n")
    rows = []
    for name in ("rss", "anon", "pss"):
        points = [(row["t"] / 3600, row[name] / 1e6) for row in settled]
        slope, _, error = fits.line(points)
        low, high = min(y for _, y in points), max(y for _, y in points)
        said = f"{slope:+.3f} ± {2 * error:.3f} MB/h (median of pairs {fits.middle_slope(points):+.3f}), between {low:.2f} and {high:.2f} MB"
        rows.append((f"memory, {name}", said, f"<= {MEMORY_BAR} MB/h" if name != "pss" else "", slope <= MEMORY_BAR if name != "pss" else None))
    for name in ("held", "free"):
        points = [(row["t"] / 3600, row["blocks"][name] / 1e6) for row in settled if row.get("blocks")]
        if len(points) > 5:
            slope, _, error = fits.line(points)
            low, high = min(y for _, y in points), max(y for _, y in points)
            rows.append((f"blocks {name}, by musl's allocator", f"{slope:+.3f} ± {2 * error:.3f} MB/h, between {low:.2f} and {high:.2f} MB", "", None))
    for name in ("fds", "threads"):
        points = [(row["t"] / 3600, row[name]) for row in settled]
        slope, _, error = fits.line(points)
        flat = slope - 2 * error <= 0.5
        rows.append((name, f"{slope:+.2f} ± {2 * error:.2f} an hour, between {min(y for _, y in points)} and {max(y for _, y in points)}", "flat", flat))
    plans = sum(last["plans"].values())
    live = samples[0]["store"] + start["devices"] * hours * 60 * HEALTH * FILL + plans * PLANNED + SLACK
    rows.append(("store", f"{samples[0]['store']:,} B at the start, {last['store']:,} B now", f"<= {2 * live:,.0f} B", last["store"] <= 2 * live))
    records = last["metrics"]["audit_records_total"] - samples[0]["metrics"]["audit_records_total"]
    each = (last["audit"] - samples[0]["audit"]) / max(records, 1)
    rows.append(("audit", f"{last['audit'] - samples[0]['audit']:,} B for {records:,.0f} records, {each:.0f} B each", f"{RECORD[0]} to {RECORD[1]} B a record", RECORD[0] <= each <= RECORD[1]))
    rows.append(("errors", ", ".join(f"{name} {count}" for name, count in last["errors"].items()) or "none", "none", not last["errors"]))
    rows.append(("errors of the router that was cut off", ", ".join(f"{name} {count}" for name, count in last["injected"].items()) or "none", "", None))
    rows.append(("ERROR lines in the log", f"{last['log']['ERROR']}", "none", last["log"]["ERROR"] == 0))
    made = (last["t"] - samples[0]["t"]) / 60
    rows.append(("work", f"{last['calls']:,} calls, {plans} plans ({', '.join(f'{count} {state}' for state, count in last['plans'].items())}), {last['events']:,} events heard", "", None))
    rows.append(("calls and events", f"{last['calls']:,}, {last['events']:,}", "> 0", bool(last["calls"] and last["events"])))
    died = bool(end and end["why"].startswith("the daemon"))
    rows.append(("its end", end["why"] if end else "it goes on, or was cut off", "the daemon lives", not died))
    rows.append(("a plan a minute", f"{plans} in {made:.0f} minutes", f">= {0.9 * made - 1:.0f}", plans >= 0.9 * made - 1))
    cpu, written = (last[name] - settled[0][name] for name in ("cpu", "written"))
    watched = max(last["t"] - settled[0]["t"], 1)
    rows.append(("processor", f"{100 * cpu / watched:.2f} % of a core", "", None))
    rows.append(("written", f"{written / watched * 86_400 / 1e6:.1f} MB a day", "", None))
    thirds = [statistics.median(row["p99_ms"] for row in settled[at * len(settled) // 3 : (at + 1) * len(settled) // 3 + 1] if row["p99_ms"]) for at in range(3)]
    rows.append(("p99 of a call, by thirds", ", ".join(f"{value:.1f} ms" for value in thirds), "", None))
    print("| what | seen | bar | holds |\n| --- | --- | --- | --- |")
    for name, said, bar, holds in rows:
        print(f"| {name} | {said} | {bar} | {'' if holds is None else 'yes' if holds else '**no**'} |")
    print(f"\nstore, predicted: 2 x (size at the start + devices x hours x 60 x {HEALTH} B x {FILL} + plans x {PLANNED:,} B + {SLACK:,} B); redb doubles its file when it is full")
    if end and end["log"]:
        print("\n" + "\n".join(end["log"]))
    return 1 if any(row[3] is False for row in rows) else 0
