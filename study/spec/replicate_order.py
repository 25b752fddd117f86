"""Which replicate repeats what: explored configurations and the best ones in turn."""

from __future__ import annotations


def repeats_explored(index: int, explore: int) -> bool:
    """Whether the `index`-th replicate of a study repeats an explored point.

    Every second one does, if there are any; the others repeat the best configurations.
    """
    return explore > 0 and index % 2 == 0
