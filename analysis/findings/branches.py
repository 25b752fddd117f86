"""A study of each branch: its trials, over their own parameters and the shared ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.design import Branch
from analysis.data.study import Study
from analysis.external.design import add_design
from analysis.external.levels import keep_seen
from analysis.external.proposals import Proposals
from study.spec.space import Space


def list_branch_studies(study: Study) -> Iterator[tuple[Branch, Study]]:
    """Each branch with the study of its trials, whose parameters are those that all of them have.

    Such a study has no curves and no branches of its own.
    """
    of_branches = [dimension for branch in study.branches for dimension in branch.dimensions]
    for branch in study.branches:
        trials = study.trials[_belong(branch, study.trials)]
        dimensions = [
            keep_seen(dimension, trials[dimension.path])
            for dimension in (*study.space.dimensions, *of_branches)
            if trials[dimension.path].notna().all() and trials[dimension.path].nunique() > 1
        ]
        if not dimensions:
            continue
        part = dataclasses.replace(
            study,
            space=Space(tuple(dimensions)),
            trials=trials,
            curves=study.curves.iloc[:0],
            branches=(),
            assumed=(),
            left_out=(),
        )
        yield branch, _inherit_design(study, part)


def _belong(branch: Branch, trials: pd.DataFrame) -> NDArray[np.bool_]:
    """(trials,) whether a trial has all of the branch's own parameters."""
    own = trials[[dimension.path for dimension in branch.dimensions]]
    return np.asarray(own.notna().all(axis=1), dtype=bool)


def _inherit_design(study: Study, part: Study) -> Study:
    """The part with its design, which is even only if that of the whole study is."""
    whole = study.design
    if whole is None:
        return part
    # A branch with too few trials to test is drawn from the prior if the whole study is.
    part = add_design(part, Proposals("random" if whole.is_even else ""))
    if part.design is not None and part.design.is_even and not whole.is_even:
        return dataclasses.replace(part, design=whole)
    return part
