"""Blocks of resamples, so that memory does not grow with the number of trials."""

from __future__ import annotations

from collections.abc import Iterator

_MAX_ELEMENTS = 2**22
"""Of one array of a block: 32 MB of floats."""


def split_resamples(resamples: int, trials: int) -> Iterator[int]:
    """Sizes of blocks that add up to `resamples`, each of up to 2^22 numbers or of one resample.

    Up to 2,097 trials, 2,000 resamples are one block.
    """
    at_once = max(1, _MAX_ELEMENTS // max(trials, 1))
    for start in range(0, resamples, at_once):
        yield min(at_once, resamples - start)
