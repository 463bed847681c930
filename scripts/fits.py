"""Straight lines through measured points: how steep something is over time, and how cost grows with size.

Standard library only.
"""

from __future__ import annotations

import math
import statistics


def line(points: list[tuple[float, float]]) -> tuple[float, float, float]:
    """Least squares: slope, value at 0, and the standard error of the slope."""
    count = len(points)
    if count < 3:
        return math.nan, math.nan, math.nan
    mean_x, mean_y = (statistics.fmean(values) for values in zip(*points))
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    if not spread:
        return math.nan, math.nan, math.nan
    slope = sum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    base = mean_y - slope * mean_x
    left = sum((y - base - slope * x) ** 2 for x, y in points)
    return slope, base, math.sqrt(left / (count - 2) / spread)


def middle_slope(points: list[tuple[float, float]], most: int = 400) -> float:
    """The median of the slopes between all pairs (Theil and Sen): a few points far off do not move it."""
    kept = points[:: max(1, len(points) // most)]
    slopes = [(y2 - y1) / (x2 - x1) for at, (x1, y1) in enumerate(kept) for x2, y2 in kept[at + 1 :] if x2 != x1]
    return statistics.median(slopes) if slopes else math.nan


def exponent(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Of `cost = a * size ** b`, by least squares in log-log: b and its standard error."""
    slope, _, error = line([(math.log(size), math.log(cost)) for size, cost in points if size > 0 and cost > 0])
    return slope, error
