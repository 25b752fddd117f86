"""Early stopping and TPE do not move the shares: the experiment through the real code.

Trials that a scheduler stopped carry the PSNR of few steps, and those of the optimise phase lie
where results were good. Told apart by their records, neither changes a number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from analysis.findings.analyze_study import analyze_study
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder


def frequencies_decide(values: Mapping[str, Value]) -> float:
    """The share of the encoding's frequencies is 0.99."""
    return 15.0 + 0.6 * int(values["encoding.position_frequencies"])


@pytest.mark.parametrize("optimize", [0, 60])
def test_only_explore_trials_enter_the_shares(
    make_study: Callable[..., StudyFolder], optimize: int
) -> None:
    vary = ("encoding.position_frequencies", "optimisation.learning_rate", "sampling.span")
    study = make_study(
        "biased", explore=48, optimize=optimize, vary=vary, objective=frequencies_decide
    )
    importance = analyze_study(study).importance
    assert importance.trials == 48
    assert importance.shares[0].path == "encoding.position_frequencies"
    assert importance.shares[0].share == pytest.approx(0.99, abs=0.02)
    assert [share.path for share in importance.significant_shares] == [
        "encoding.position_frequencies"
    ]


def test_trials_of_an_optimiser_do_not_change_any_share(
    make_study: Callable[..., StudyFolder],
) -> None:
    """Its sampling density is not known: its trials are left out rather than weighted."""
    few, more = (
        analyze_study(make_study("optimised", explore=48, optimize=count)) for count in (4, 40)
    )
    assert few.importance.ranked
    assert few.comparable.left_out.keys() == more.comparable.left_out.keys()
    assert more.importance == few.importance
    assert more.ped_anova == few.ped_anova
    reason = "of the optimise phase (drawn where results were good)"
    assert (few.comparable.left_out[reason], more.comparable.left_out[reason]) == (4, 40)
