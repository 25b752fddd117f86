from __future__ import annotations

import pytest

from nerf.scenes.photographs.diagnosis import Evidence, explain_failure, explain_missing


def evidence(features: int, shared: int, panoramic: float = 0.0) -> Evidence:
    names = [f"{view}.jpg" for view in range(8)]
    return Evidence(dict.fromkeys(names, features), dict.fromkeys(names, shared), panoramic)


@pytest.mark.parametrize(
    ("known", "remedy"),
    [
        (evidence(20, 0), "more light, in focus"),
        (evidence(1000, 10), "take more pictures"),
        (evidence(1000, 300, panoramic=0.9), "walk sideways"),
        (evidence(1000, 300), "with one lens and zoom"),
    ],
)
def test_a_failure_names_what_to_photograph_better(known: Evidence, remedy: str) -> None:
    assert remedy in explain_failure(known)
    assert "\n" not in explain_failure(known)


def test_missing_pictures_are_grouped_by_reason() -> None:
    features = {"a": 10, "b": 900, "c": 900, "d": 30, "e": 20, "f": 40, "g": 20}
    known = Evidence(features, {"a": 0, "b": 12, "c": 200}, 0.0)
    few, apart, unplaced = explain_missing([*"abcdefg"], [*"ABCDEFG"], known)
    assert few.startswith("5 not placed, too few details")
    assert few.endswith(": A, D, E, F and 1 more")
    assert "too little overlap" in apart
    assert apart.endswith(": B")
    assert unplaced.endswith(": C")
