"""Splits that an author gave in part: what was held out is never trained on."""

from __future__ import annotations

import pytest

from nerf.common.errors import InputError
from nerf.scenes.formats.splits import complete_splits
from nerf.scenes.scene import Split, split_views

VIEWS = 24
FIRST, LAST = tuple(range(18)), tuple(range(18, 24))


@pytest.mark.parametrize(
    ("given", "held_out", "note"),
    [
        ({"train": FIRST, "val": LAST}, {"val": LAST}, "no test list: 3 training views"),
        ({"train": FIRST, "test": LAST}, {"test": LAST}, "no val list: 2 training views"),
        ({"test": LAST}, {"test": LAST}, "no val list: 2 training views"),
        (
            {"train": FIRST, "val": LAST, "test": LAST},
            {"test": LAST},
            "6 views are both in the val and the test list",
        ),
        ({"train": range(24), "test": LAST}, {"test": LAST}, "6 training views are also held out"),
        ({"train": FIRST[:9], "test": LAST}, {"test": LAST}, "9 views are in none of the lists"),
    ],
)
def test_what_an_author_held_out_is_never_trained_on(
    given: dict[Split, tuple[int, ...]], held_out: dict[Split, tuple[int, ...]], note: str
) -> None:
    splits, notes = complete_splits("file", given, VIEWS)
    for split, views in held_out.items():
        assert splits[split] == views
    assert any(line.startswith(note) for line in notes), notes
    together = [view for views in splits.values() for view in views]
    assert len(together) == len(set(together))
    assert set(splits["train"]) <= set(given.get("train", range(VIEWS))) - set(LAST)
    assert all(splits.values())


def test_a_split_without_gaps_is_taken_as_it_is_and_without_any_the_rule_applies() -> None:
    given: dict[Split, tuple[int, ...]] = {"train": FIRST[:16], "val": FIRST[16:], "test": LAST}
    assert complete_splits("file", given, VIEWS) == (given, ())
    assert complete_splits("file", None, VIEWS) == (split_views(VIEWS), ())


def test_few_training_views_are_named_and_none_is_refused() -> None:
    _, notes = complete_splits("file", None, 5)
    assert notes == (
        "warning: 3 training views only; other views can hardly be right, add photographs",
    )
    with pytest.raises(InputError, match="leaves 0 training"):
        complete_splits("file", {"val": (0, 1), "test": (2,)}, 3)
    with pytest.raises(InputError, match="leaves 0 training"):
        complete_splits("file", {"test": range(24)}, VIEWS)


def test_copies_of_the_train_list_hold_nothing_out() -> None:
    splits, notes = complete_splits("file", {"train": FIRST, "val": FIRST, "test": FIRST}, VIEWS)
    assert all(splits.values())
    assert set(splits["train"]) | set(splits["val"]) | set(splits["test"]) == set(FIRST)
    assert "the val list has every training view: they are trained on" in notes
    splits, _ = complete_splits("file", {"train": FIRST, "test": range(24)}, VIEWS)
    assert splits["test"] == LAST
