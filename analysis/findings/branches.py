"""A study of each branch: its trials, over their own parameters and the shared ones."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.design import Branch
from analysis.data.study import NET, Study, nets_of
from analysis.external.design import add_design
from analysis.external.levels import keep_seen
from analysis.external.proposals import Proposals
from study.spec.dimension import Dimension


def list_branch_studies(study: Study) -> Iterator[tuple[Branch, Study]]:
    """Each branch with the study of its trials, whose parameters are those that all of them have.

    Such a study has no curves, no replicates, no default and no branches of its own.
    """
    study = _number_nets(study)
    of_branches = [dimension for branch in study.branches for dimension in branch.dimensions]
    for branch in study.branches:
        sampled = study.trials[study.trials["phase"] != "replicate"]
        trials = sampled[_belong(branch, sampled)]
        dimensions = [
            keep_seen(dimension, trials[dimension.path])
            for dimension in (*study.space.dimensions, *of_branches)
            if trials[dimension.path].notna().all() and trials[dimension.path].nunique() > 1
        ]
        if not dimensions:
            continue
        part = dataclasses.replace(
            study,
            space=dataclasses.replace(study.space, dimensions=_unconditional(dimensions)),
            trials=trials,
            curves=study.curves.iloc[:0],
            branches=(),
            assumed=(),
            left_out=(),
            is_branch=True,
        )
        yield branch, _inherit_design(study, part)


def _unconditional(dimensions: Sequence[Dimension]) -> tuple[Dimension, ...]:
    """The dimensions of trials in which all of them act."""
    return tuple(dataclasses.replace(dimension, when="") for dimension in dimensions)


def _number_nets(study: Study) -> Study:
    """The study with the net of each explored trial, which a part of the trials does not show."""
    nets = int(study.spec.get("nets", 1))
    if nets < 2 or not study.branches:
        return study
    return dataclasses.replace(study, trials=study.trials.assign(**{NET: nets_of(study, nets)}))


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
