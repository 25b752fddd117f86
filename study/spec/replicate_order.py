"""Which replicate repeats what: an explored point, the best configuration, the default, in turn."""

from __future__ import annotations

from typing import Literal

Role = Literal["explored", "best", "default"]

ROLES: tuple[Role, ...] = ("explored", "best", "default")
"""In the order of their turns."""


def replicate_role(index: int, explore: int, alternating: int = 0) -> tuple[Role, int]:
    """What the `index`-th replicate of a study repeats, and which turn of that role it is.

    Args:
        explore: trials of the study's explore phase; without any, explored points have no turns.
        alternating: how many of the first replicates an earlier version planned, which left out
            the default's turns, and whose turns of the best were of the best three.
    """
    roles = ROLES if explore else ROLES[1:]
    if index < alternating:
        roles = roles[:-1]
        return roles[index % len(roles)], index // 2
    turn, place = divmod(index - alternating, len(roles))
    # Explored points continue where those of the earlier version ended.
    earlier = (alternating + 1) // 2 if roles[place] == "explored" else 0
    return roles[place], turn + earlier
