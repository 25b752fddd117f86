"""Which pictures are compared with which."""

from __future__ import annotations

from itertools import combinations

MAX_EXHAUSTIVE = 120
"""Pictures up to which every one is compared with every other: some 7,000 pairs."""

_NEIGHBOURS = 10


def choose_pairs(count: int, ordered: bool) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, of pictures 0 to count - 1.

    All pairs; but of ordered pictures, such as a video's, and of more than `MAX_EXHAUSTIVE`, only
    those up to 10 apart or a power of two apart, where the last is followed by the first.
    """
    if not ordered and count <= MAX_EXHAUSTIVE:
        return list(combinations(range(count), 2))
    steps = set(range(1, _NEIGHBOURS + 1))
    step = 16
    while step < count:
        steps.add(step)
        step *= 2
    pairs = {(i, (i + step) % count) for i in range(count) for step in steps if step < count}
    return sorted({(min(pair), max(pair)) for pair in pairs})
