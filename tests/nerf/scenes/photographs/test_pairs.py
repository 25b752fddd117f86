from __future__ import annotations

import pytest

from nerf.scenes.photographs.pairs import MAX_EXHAUSTIVE, choose_pairs


def test_every_picture_is_compared_with_every_other() -> None:
    assert len(choose_pairs(MAX_EXHAUSTIVE, ordered=False)) == 120 * 119 // 2


@pytest.mark.parametrize(("count", "ordered"), [(MAX_EXHAUSTIVE + 1, False), (72, True)])
def test_pictures_in_order_are_compared_with_their_neighbours(count: int, ordered: bool) -> None:
    pairs = choose_pairs(count, ordered)
    assert {(0, 1), (0, 10), (0, 16), (0, 64), (0, count - 1)} <= set(pairs)
    assert (0, 11) not in pairs
    assert len(pairs) == len(set(pairs)) < 16 * count


@pytest.mark.parametrize("count", [3, 4, 11])
def test_few_pictures_in_order_are_all_compared(count: int) -> None:
    assert choose_pairs(count, ordered=True) == choose_pairs(count, ordered=False)
