"""Whether the headline would change if another tool's record were read the other way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analysis.data.selection import select_comparable
from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.refusals import name_runs
from analysis.findings.seed_variance import estimate_seed_variance
from analysis.importance.shares import Importance, SobolShare
from analysis.importance.sobol import PureError, estimate_sobol_shares
from analysis.stats.threads import single_threaded
from analysis.surrogate.unit_cube import make_axis, to_quantiles

_SEED = 0


def add_effects(findings: Findings, other_readings: Mapping[int, Study]) -> Findings:
    """The findings with the effect of each open decision on the headline.

    other_readings: place in `Study.assumed` -> the study under the other reading
    """
    assumed = list(findings.study.assumed)
    for place, other in other_readings.items():
        effect = describe_effect(findings.importance, estimate_reading(other))
        assumed[place] = replace(assumed[place], effect=effect)
    return replace(findings, study=replace(findings.study, assumed=tuple(assumed)))


def describe_effect(chosen: Importance, other: Importance) -> str:
    """What the other reading does to the ranking, a clause."""
    if not chosen.ranked and not other.ranked:
        return "read the other way, nothing is ranked either"
    if not other.ranked:
        return f"THE HEADLINE CHANGES: read the other way, nothing is ranked ({other.refusal})"
    listed = _list(other.significant_shares)
    if not chosen.ranked:
        return f"THE HEADLINE CHANGES: read the other way, {listed}"
    if _agree(chosen, other):
        return f"read the other way, the headline stays: {listed}"
    return f"THE HEADLINE CHANGES: read the other way, {listed}"


def _agree(chosen: Importance, other: Importance) -> bool:
    """Whether the same parameters are significant, each with a share in the other's interval."""
    ours = {s.path: s for s in chosen.significant_shares}
    theirs = {s.path: s for s in other.significant_shares}
    return ours.keys() == theirs.keys() and all(
        ours[path].share_low <= theirs[path].share <= ours[path].share_high for path in ours
    )


def _list(shares: tuple[SobolShare, ...]) -> str:
    if not shares:
        return "no parameter is significant"
    return ", ".join(share.describe() for share in shares)


def estimate_reading(study: Study) -> Importance:
    """The shares alone, as `analyze_study` estimates them: all that the headline needs."""
    trials, dimensions = select_comparable(study.trials).trials, study.space.dimensions
    axes = [make_axis(dimension) for dimension in dimensions]
    units, scores = to_quantiles(trials, dimensions), trials["score"].to_numpy(float)
    with single_threaded():
        seeds = estimate_seed_variance(study)
        sobol = estimate_sobol_shares(
            units,
            scores,
            axes,
            np.random.default_rng(_SEED),
            pure_error=PureError(seeds.pure_ss, seeds.pure_df),
            is_even=not study.limitation,
        )
    return name_runs(study, sobol.importance)
