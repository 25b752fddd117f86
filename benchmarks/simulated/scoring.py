"""Is a claim true? Against the truth of its study's objective only, by the definitions of `truth`.

A claim with an interval is true if the interval, as it is printed, holds the truth. Values claimed
as good are true if none of them loses more than the margin, values claimed worse if each does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.claims.claim import Claim, Kind
from analysis.data.study import Study
from nerf.config.parameters import Value
from simulated.objective import TRIVIAL_PSNRS, FloatArray
from simulated.truth import Truth
from simulated.value_sets import ValueSet

Verdict = Literal["true", "false", "not scored"]

NEGLIGIBLE_LOSS = 0.02
"""Loss in dB below which a value counts as the best one."""

SETTLED_MARGIN = 0.1
"""Share of the variance by which a settled share may still change."""

PRINTED = 0.005
"""Half a unit of the last digit printed, of per cent and of dB: "0 % [0, 2]" holds 0."""

_TOP_DIVERGENCE = 0.01
_ROUNDING = 1e-9

NOT_SCORED: dict[Kind, str] = {
    "not_ranked": "states what the analysis does not claim; see ranked and unsaid",
    "not_told_apart": "cannot be false; its values count as unsaid",
    "no_breaking_parameter": "states a test's outcome; breaking parameters count as unsaid",
    "seed_flips": "counts runs, no inference",
    "variant_difference": "studies of variants are not simulated",
}
"""Kinds that are never scored, and why."""


@dataclass(frozen=True)
class Case:
    """A study with the truth behind it."""

    truth: Truth
    study: Study

    @property
    def best(self) -> dict[str, Value] | None:
        """The configuration other than the default whose first run had the highest PSNR."""
        trials = self.study.trials
        paths = list(self.truth.objective.paths)
        first = trials[(true_outcomes(trials) == "trained") & (trials["phase"] != "replicate")]
        others = first[~first[paths].eq(pd.Series(self.default)[paths]).all(axis=1)]
        if others.empty:
            return None
        row = others.iloc[int(others["psnr"].argmax())]
        return {path: row[path] for path in paths}

    @property
    def default(self) -> dict[str, Value]:
        return self.truth.objective.space.defaults()

    def true_gain(self, values: Mapping[str, Value]) -> float:
        """dB between the true means of these values, others at their defaults, and the default."""
        return self.truth.mean_of({**self.default, **values}) - self.truth.mean_of(self.default)


def score_claim(claim: Claim, case: Case) -> Verdict:
    """Whether the claim is true of this study's objective."""
    rule = _RULES.get(claim.kind)
    if rule is None:
        return "not scored"
    verdict = rule(claim, case)
    return "not scored" if verdict is None else "true" if verdict else "false"


def score_comparison(claim: Claim, truths: Sequence[Truth]) -> Verdict:
    """As `score_claim` for `pooled_share` and `disagreement` of studies with these truths."""
    path = claim.parameters[0]
    shares = [t.share(path) for t in truths if path in t.objective.paths]
    if claim.kind == "disagreement":
        return "true" if max(shares) - min(shares) > _ROUNDING else "false"
    verdict = _holds(claim, float(np.mean(shares)))
    return "not scored" if verdict is None else "true" if verdict else "false"


def _holds(claim: Claim, truth: float) -> bool | None:
    """Whether the interval holds the truth; None without an interval."""
    if claim.low is None or claim.high is None:
        return None
    return claim.low - PRINTED <= truth <= claim.high + PRINTED


def _sets(claim: Claim) -> list[ValueSet]:
    return [ValueSet.parse(parameter) for parameter in claim.parameters]


def _share(claim: Claim, case: Case) -> bool | None:
    return _holds(claim, case.truth.share(claim.parameters[0]))


def _share_alone(claim: Claim, case: Case) -> bool | None:
    """Without a parameter: all of them, each alone."""
    if not claim.parameters:
        return _holds(claim, case.truth.all_alone)
    return _holds(claim, case.truth.alone(claim.parameters[0]))


def _interaction(claim: Claim, case: Case) -> bool | None:
    """Without parameters: all interactions."""
    truth = case.truth
    if not claim.parameters:
        return _holds(claim, 1.0 - truth.all_alone - truth.unexplained)
    return _holds(claim, truth.interaction(*claim.parameters))


def _unexplained(claim: Claim, case: Case) -> bool | None:
    return _holds(claim, case.truth.unexplained)


def _share_with_failures(claim: Claim, case: Case) -> bool | None:
    return _holds(claim, case.truth.share_with_failures(claim.parameters[0]))


def _moves(claim: Claim, case: Case) -> bool:
    return case.truth.has_effect(claim.parameters[0])


def _top_tenth(claim: Claim, case: Case) -> bool:
    return case.truth.divergence_of_top(claim.parameters[0]) > _TOP_DIVERGENCE


def _losses(values: ValueSet, case: Case) -> FloatArray:
    """dB that the claimed values of a parameter lose against its truly best value."""
    objective = case.truth.objective
    dimension = objective.dimensions[objective.paths.index(values.path)]
    grid = case.truth.profile(values.path).grid
    losses: FloatArray = case.truth.losses(values.path)[values.select(dimension, grid)]
    return losses


def _best_value(claim: Claim, case: Case) -> bool:
    values = ValueSet.parse(claim.parameters[0])
    if claim.low is not None and claim.high is not None:
        values = ValueSet(values.path, f"{claim.low!r}:{claim.high!r}")
    elif not values.text:
        values = ValueSet(values.path, f"{claim.estimate!r}")
    return bool(_losses(values, case).min() < NEGLIGIBLE_LOSS)


def _as_good(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return bool(_losses(_sets(claim)[0], case).max() <= claim.estimate + _ROUNDING)


def _worse(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return bool(_losses(_sets(claim)[0], case).min() > claim.estimate)


def _edge_of_range(claim: Claim, case: Case) -> bool:
    """Whether an end of the range is as good as the best value; the nearer end to a stated one."""
    values = _sets(claim)[0]
    losses = case.truth.losses(values.path)
    if not values.text:
        return bool(min(losses[0], losses[-1]) < NEGLIGIBLE_LOSS)
    objective = case.truth.objective
    dimension = objective.dimensions[objective.paths.index(values.path)]
    selected = np.flatnonzero(values.select(dimension, case.truth.profile(values.path).grid))
    end = -1 if selected.mean() > (len(losses) - 1) / 2 else 0
    return bool(losses[end] < NEGLIGIBLE_LOSS)


def _rate(claim: Claim, case: Case) -> bool | None:
    rate = case.truth.rate(_sets(claim))
    return None if rate is None else _holds(claim, rate)


def _state(claim: Claim, case: Case) -> bool | None:
    """Counts the runs whose outcome the claim names first, in its condition or its text."""
    names = ("shows nothing", "show nothing", "collapsed", "pruned", "failed", "trained")
    stated = f"{claim.condition} {claim.text}"
    named = sorted((stated.find(name), name) for name in names if name in stated)
    if not named:
        return None
    counts = true_outcomes(case.study.trials)
    if "explore" in stated:
        counts = counts[(case.study.trials["phase"] == "explore").to_numpy()]
    return bool((counts == named[0][1].replace("show ", "shows ")).sum() == claim.estimate)


def true_outcomes(trials: pd.DataFrame) -> pd.Series:
    """The outcome of each simulated run, by its recorded state and PSNR."""
    blank = (trials["state"] == "completed") & (trials["psnr"] <= max(TRIVIAL_PSNRS.values()))
    trained = trials["state"].where(trials["state"] != "completed", "trained")
    return trained.mask(blank, "shows nothing")


def _best_run(claim: Claim, case: Case) -> bool:
    """Whether the stated PSNR is the highest of any run that trained.

    Replicates do not count if the claim says that it is about explored and optimised runs.
    """
    trials = case.study.trials
    if "explored" in f"{claim.condition} {claim.text}":
        trials = trials[trials["phase"] != "replicate"]
    highest = trials.loc[true_outcomes(trials) == "trained", "psnr"].max()
    return claim.estimate is not None and bool(abs(claim.estimate - highest) < 0.005)


def _gain_over_default(claim: Claim, case: Case) -> bool | None:
    """The gain of the stated values, or of the best trial; without an interval, of any size."""
    values = _single_values(claim, case) or case.best
    if values is None:
        return None
    gain = case.true_gain(values)
    return gain > 0.0 if claim.low is None else _holds(claim, gain)


def _tuning_gain(claim: Claim, case: Case) -> bool | None:
    """The gain of the stated values; without any, of the truly best configuration that trains."""
    values = _single_values(claim, case)
    if values is not None:
        return _holds(claim, case.true_gain(values))
    truth = case.truth
    highest = float(truth.mean[truth.trains > 0.0].max())
    return _holds(claim, highest - truth.mean_of(case.default))


def _single_values(claim: Claim, case: Case) -> dict[str, Value] | None:
    """The configuration that a claim's parameters state; None if they state no values."""
    objective = case.truth.objective
    values: dict[str, Value] = {}
    for stated in _sets(claim):
        dimension = objective.dimensions[objective.paths.index(stated.path)]
        unit = stated.only_value(dimension)
        if unit is not None:
            values[stated.path] = dimension.from_unit(min(unit, 1.0 - 1e-12))
    return values or None


def _seed_sd(claim: Claim, case: Case) -> bool | None:
    """Of the best configuration or pooled, if the condition says so; else of a typical one."""
    if "best" in claim.condition:
        return None if case.best is None else _holds(claim, case.truth.seed_sd_of(case.best))
    if "pooled" in claim.condition:
        return _holds(claim, case.truth.pooled_seed_sd)
    return _holds(claim, case.truth.typical_seed_sd)


def _settled_by(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return claim.estimate >= case.truth.settled_from(SETTLED_MARGIN)


def _early_order(claim: Claim, case: Case) -> bool | None:
    step = re.search(r"step (\d+)", f"{claim.condition} {claim.text}")
    return None if step is None else _holds(claim, case.truth.rank_correlation(int(step[1])))


_RULES: dict[Kind, Callable[[Claim, Case], bool | None]] = {
    "share": _share,
    "share_alone": _share_alone,
    "share_with_failures": _share_with_failures,
    "interaction": _interaction,
    "unexplained": _unexplained,
    "moves": _moves,
    "top_tenth": _top_tenth,
    "best_value": _best_value,
    "as_good": _as_good,
    "worse": _worse,
    "edge_of_range": _edge_of_range,
    "breaks": _rate,
    "safe": _rate,
    "breaks_pair": _rate,
    "state": _state,
    "best_run": _best_run,
    "gain_over_default": _gain_over_default,
    "tuning_gain": _tuning_gain,
    "seed_sd": _seed_sd,
    "seed_share": _unexplained,
    "settled_by": _settled_by,
    "early_order": _early_order,
}
