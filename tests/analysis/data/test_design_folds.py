"""Folds of cross-validation follow the nets of the explore design."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from analysis.data.selection import select_comparable
from analysis.data.study import design_folds, load_study
from study.records.study_folder import StudyFolder


def test_trials_of_one_net_are_left_out_together(make_study: Callable[..., StudyFolder]) -> None:
    study = load_study(make_study("nets", explore=40, optimize=4))
    study = dataclasses.replace(study, spec={**study.spec, "nets": 4})
    trials = select_comparable(study.trials).trials
    folds = design_folds(study, trials)
    assert folds is not None
    # Points are taken from the nets in turn; a trial that collapsed leaves its place empty.
    assert len(trials) < 40
    assert np.array_equal(folds, trials["number"].to_numpy() % 4)


def test_a_study_of_one_net_has_random_folds(make_study: Callable[..., StudyFolder]) -> None:
    study = load_study(make_study("one", explore=8))
    assert design_folds(study, select_comparable(study.trials).trials) is None
