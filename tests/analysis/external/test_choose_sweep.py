"""One of several studies in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis.external.choose_sweep import SeveralStudies, choose_sweep
from analysis.external.sweep import ExternalTrial, Sweep
from nerf.common.errors import InputError

PATH = Path("studies.db")
TRIALS = tuple(ExternalTrial(str(i), "completed", {}) for i in range(3))
SEVERAL = (Sweep("Optuna", "first", TRIALS), Sweep("Optuna", "second", TRIALS[:1]))


def test_several_are_listed_with_their_trials_and_none_is_chosen() -> None:
    listed = r"choose by --study-name: first \(3 trials\), second \(1 trial\)"
    with pytest.raises(InputError, match=listed):
        choose_sweep(PATH, SEVERAL, None)


def test_many_are_listed_a_line_each() -> None:
    many = tuple(Sweep("Optuna", f"study {i}", TRIALS) for i in range(30))
    with pytest.raises(SeveralStudies, match="holds 30 studies") as error:
        choose_sweep(PATH, many, None)
    assert "study 7" not in str(error.value)
    assert error.value.listing[7] == "3 trials  study 7"


def test_the_named_or_the_only_one_is_chosen() -> None:
    assert choose_sweep(PATH, SEVERAL, "second") is SEVERAL[1]
    assert choose_sweep(PATH, SEVERAL[:1], None) is SEVERAL[0]


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"no study 'secnd'; did you mean second\?"):
        choose_sweep(PATH, SEVERAL, "secnd")
    with pytest.raises(InputError, match="holds no study"):
        choose_sweep(PATH, (), None)
