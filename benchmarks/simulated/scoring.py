"""Is a claim true? Against the truth of its study's objective only, by the definitions of `truth`.

A claim with an interval is true if the interval, as it is printed, holds the truth. Values claimed
as good are true if none of them loses more than the margin, values claimed worse if each does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

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

_MORE_BREAKS = 0.05
"""Rate of breaking by which a recommended configuration may exceed that of the default."""

_TOP_DIVERGENCE = 0.01
_ROUNDING = 1e-9

NOT_SCORED: dict[Kind, str] = {
    "not_ranked": "states what the analysis does not claim; see ranked and unsaid",
    "not_significant": "states a test's outcome, of other tools' sweeps only",
    "by_hand": "counts trials, no inference",
    "started_from": "counts trials, no inference",
    "other_objectives": "counts trials of other tools' sweeps, no inference",
    "not_told_apart": "cannot be false; its values count as unsaid",
    "no_breaking_parameter": "states a test's outcome; breaking parameters count as unsaid",
    "no_breaking_across": "states a test's outcome",
    "seed_flips": "counts runs, no inference",
    "scenes_share": "benchmarks/scenes_claims.py scores studies of several scenes",
    "scenes_rate": "as `scenes_share`",
    "scenes_differ": "as `scenes_share`",
    "scenes_best": "as `scenes_share`",
    "stopping": "simulated studies explore a fixed number; benchmarks/until_sure.py stops them",
    "front": "simulated studies have one metric",
    "balanced": "simulated studies have one metric",
    "in_metric": "simulated studies have one metric",
    "variant_difference": "studies of variants are not simulated",
    "design": "see the table of designs of foreign_designs.py",
    "in_branch": "the claims of a study of its own",
    "what_matters": "the shares of other claims in other words",
    "what_breaks": "the rates of other claims in other words",
    "what_fails": "counts trials of other tools' sweeps, no inference",
    "how_sure": "counts runs, and has the interval of `seed_sd`",
    "what_next": "a proposal; benchmarks/recommendations.py counts what comes of it",
    "bounds": "simulated studies have no scene whose bounds could cut an object",
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


def score_pooled_share(claim: Claim, truth: Truth) -> Verdict:
    """Whether a `pooled_share` is true of studies of one objective."""
    return "true" if _holds(claim, truth.share(claim.parameters[0])) else "false"


def _holds(claim: Claim, truth: float) -> bool:
    """Whether the claim's interval holds the truth."""
    assert claim.low is not None
    assert claim.high is not None
    return claim.low - PRINTED <= truth <= claim.high + PRINTED


def _sets(claim: Claim) -> list[ValueSet]:
    return [ValueSet.parse(parameter) for parameter in claim.parameters]


def _share(claim: Claim, case: Case) -> bool:
    return _holds(claim, case.truth.share(claim.parameters[0]))


def _share_alone(claim: Claim, case: Case) -> bool:
    return _holds(claim, case.truth.alone(claim.parameters[0]))


def _interaction(claim: Claim, case: Case) -> bool:
    """Without parameters: all interactions."""
    truth = case.truth
    if not claim.parameters:
        return _holds(claim, 1.0 - truth.all_alone - truth.unexplained)
    return _holds(claim, truth.interaction(*claim.parameters))


def _unexplained(claim: Claim, case: Case) -> bool:
    return _holds(claim, case.truth.unexplained)


def _share_with_failures(claim: Claim, case: Case) -> bool:
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
    """Whether the best value lies in the interval, or is the choice that the claim names."""
    values = _sets(claim)[0]
    if claim.low is not None and claim.high is not None:
        values = ValueSet(values.path, f"{claim.low!r}:{claim.high!r}")
    return bool(_losses(values, case).min() < NEGLIGIBLE_LOSS)


def _as_good(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return bool(_losses(_sets(claim)[0], case).max() <= claim.estimate + _ROUNDING)


def _worse(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return bool(_losses(_sets(claim)[0], case).min() > claim.estimate)


def _what_to_set(claim: Claim, case: Case) -> bool | None:
    """Whether what is to be set is no worse than the default, and breaks no more runs."""
    values = {s.path: _only_value(s, case) for s in _sets(claim)}
    if not values or case.study.source:
        return None
    return _is_no_worse(values, case)


def _set_value(claim: Claim, case: Case) -> bool:
    """Whether the good values lose at most the margin, and the value to set is no worse.

    With all else at its default; another tool's sweep has no default and no value to set.
    """
    *one, good = _sets(claim)
    assert claim.estimate is not None
    within = bool(_losses(good, case).max() <= claim.estimate + _ROUNDING)
    return within and all(_is_no_worse({s.path: _only_value(s, case)}, case) for s in one)


def _keep_value(claim: Claim, case: Case) -> bool:
    """Whether the default, or of another tool any value, loses at most the estimate."""
    assert claim.estimate is not None
    return bool(_losses(_sets(claim)[0], case).max() <= claim.estimate + PRINTED)


def _is_no_worse(values: Mapping[str, Value], case: Case) -> bool:
    truth = case.truth
    breaks = [
        float(truth.objective.breaks(truth.units_of(configuration))[0])
        for configuration in (case.default, {**case.default, **values})
    ]
    return case.true_gain(values) > -PRINTED and breaks[1] <= breaks[0] + _MORE_BREAKS


def _only_value(values: ValueSet, case: Case) -> Value:
    objective = case.truth.objective
    dimension = objective.dimensions[objective.paths.index(values.path)]
    return dimension.from_unit(min(values.only_value(dimension), 1.0 - 1e-12))


def _edge_of_range(claim: Claim, case: Case) -> bool:
    """Whether the end of the range that the claim names is as good as the best value."""
    return bool(_losses(_sets(claim)[0], case).min() < NEGLIGIBLE_LOSS)


def _rate(claim: Claim, case: Case) -> bool | None:
    rate = case.truth.rate(_sets(claim))
    return None if rate is None else _holds(claim, rate)


def _state(claim: Claim, case: Case) -> bool:
    """Counts the runs with the outcome that the claim's condition begins with."""
    outcome = claim.condition.split(",")[0]
    return bool((true_outcomes(case.study.trials) == outcome).sum() == claim.estimate)


def true_outcomes(trials: pd.DataFrame) -> pd.Series:
    """The outcome of each simulated run, by its recorded state and PSNR."""
    blank = (trials["state"] == "completed") & (trials["psnr"] <= max(TRIVIAL_PSNRS.values()))
    trained = trials["state"].where(trials["state"] != "completed", "trained")
    return trained.mask(blank, "shows nothing")


def _best_run(claim: Claim, case: Case) -> bool:
    """Whether the stated PSNR is the highest of any explored or optimised run that trained."""
    trials = case.study.trials
    of_phases = (true_outcomes(trials) == "trained") & (trials["phase"] != "replicate")
    assert claim.estimate is not None
    return bool(abs(claim.estimate - trials.loc[of_phases, "psnr"].max()) < PRINTED)


def _gain(claim: Claim, case: Case) -> bool:
    """The gain over the default of the stated values, all others at their defaults."""
    values = {stated.path: _only_value(stated, case) for stated in _sets(claim)}
    return _holds(claim, case.true_gain(values))


def _seed_sd(claim: Claim, case: Case) -> bool:
    return _holds(claim, case.truth.typical_seed_sd)


def _settled_by(claim: Claim, case: Case) -> bool:
    assert claim.estimate is not None
    return claim.estimate >= case.truth.settled_from(SETTLED_MARGIN)


def _early_order(claim: Claim, case: Case) -> bool:
    step = re.search(r"step (\d+)", claim.text)
    assert step is not None
    return _holds(claim, case.truth.rank_correlation(int(step[1])))


_RULES: dict[Kind, Callable[[Claim, Case], bool | None]] = {
    "share": _share,
    "share_alone": _share_alone,
    "share_with_failures": _share_with_failures,
    "interaction": _interaction,
    "unexplained": _unexplained,
    "moves": _moves,
    "top_tenth": _top_tenth,
    "top_given_others": _moves,
    "best_value": _best_value,
    "as_good": _as_good,
    "worse": _worse,
    "edge_of_range": _edge_of_range,
    "what_to_set": _what_to_set,
    "set_value": _set_value,
    "keep_value": _keep_value,
    "breaks": _rate,
    "safe": _rate,
    "breaks_pair": _rate,
    "state": _state,
    "best_run": _best_run,
    "gain_over_default": _gain,
    "tuning_gain": _gain,
    "seed_sd": _seed_sd,
    "seed_share": _unexplained,
    "settled_by": _settled_by,
    "early_order": _early_order,
}
