"""Is the best configuration better than the default, or did it have a lucky seed?

The best is the configuration of the best metric in the explore and optimise phases, other than the
default; of several metrics, the most balanced one (`study/spec/pareto_front.py`). It was selected
for its luck as well, so the run for which it was chosen is left out, and the claim rests on its
further seeds (the replicates). The default was selected by nobody: all its runs count.

The difference is Welch's, although the r-th replicates of both share a seed. Between configurations
of different networks that brings little: the correlation over seeds in this project's studies is
about 0.1, with one learning rate against another it is 0.5 to 0.85. With 4 runs of the best and 5
of the default, Welch's interval covers the true difference in 95 to 99.8 % of studies, the more
the higher the correlation. A paired t interval covers it in 95 %, but has less power below a
correlation of 0.5: of differences of two standard deviations it shows 49 to 60 % where Welch's
shows 68 to 72 % (`benchmarks/replicate_intervals.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.replicate_command import replicate_command
from analysis.data.selection import match_configuration, select_best_candidates
from analysis.data.study import Study
from analysis.findings.front import find_best_row
from analysis.stats.rates import BreakRate
from analysis.stats.welch import WelchDifference, compare_means
from nerf.config.parameters import Value
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED
from study.spec.replicate_order import ROLES

_RUNS_TO_ADD = 4
"""Replicates of each of the two that a reason proposes."""


@dataclass(frozen=True)
class ConfigurationRuns:
    """The runs of one configuration that count for the comparison.

    trial_id: of its first run; empty if it has none
    values: of the varied parameters, by path
    scores: final ones of the runs that trained; seeds: of the same runs
    breaks: how many of the runs that trained or broke did break
    """

    trial_id: str
    values: dict[str, Value]
    scores: tuple[float, ...]
    seeds: tuple[int, ...]
    breaks: BreakRate


@dataclass(frozen=True)
class BestAgainstDefault:
    """The best configuration beside the default one.

    best: its replicates; selected_by: the score of the run for which it was chosen
    default: all its runs; outside: the paths whose default lies outside the searched space
    difference: mean score of `best` minus that of `default`, among runs that trained; None with
    fewer than two runs of either
    reason: why there is none, and what to do; empty if there is one
    """

    best: ConfigurationRuns
    selected_by: float
    default: ConfigurationRuns
    outside: tuple[str, ...]
    difference: WelchDifference | None
    reason: str

    @property
    def choice(self) -> str:
        """What the best is in words: `best` or, of several metrics, `most balanced`."""
        return self.best.breaks.name

    @property
    def is_proved_better(self) -> bool:
        """Whether further seeds of the best configuration beat the default, and break no more.

        Where the default never trains, those that do beat it.
        """
        best, default = self.best, self.default
        if default.breaks.trials and not default.scores:
            return bool(best.scores)
        if self.difference is None or self.difference.low <= 0.0:
            return False
        return best.breaks.rate <= default.breaks.rate


def compare_best_with_default(study: Study) -> BestAgainstDefault | None:
    """The comparison, or None without a default (variants, sweeps of other tools) or a best."""
    trials, defaults = study.trials, study.default_point
    if not defaults:
        return None
    is_default = match_configuration(trials, defaults)
    selected = _find_best_other(study, is_default)
    if selected is None:
        return None
    chosen = {d.path: selected[d.path] for d in study.varied}
    values = {path: _to_python(value) for path, value in chosen.items() if pd.notna(value)}
    further = (trials["phase"] == "replicate") & match_configuration(trials, values)
    choice = "most balanced" if len(study.metrics) > 1 else "best"
    best = _collect(choice, str(selected["trial_id"]), values, trials[further])
    unselected = trials[is_default & _not_proposed(trials)]
    first = str(unselected["trial_id"].iloc[0]) if len(unselected) else ""
    default = _collect("default", first, defaults, unselected)
    difference = compare_means(np.array(best.scores), np.array(default.scores))
    return BestAgainstDefault(
        best=best,
        selected_by=float(selected["score"]),
        default=default,
        outside=study.whole_space.outside(defaults),
        difference=difference,
        reason="" if difference else _explain(study, best, default),
    )


def _find_best_other(study: Study, is_default: NDArray[np.bool_]) -> pd.Series | None:
    """The best finished trial that is neither a default one nor a replicate."""
    others = select_best_candidates(study.trials[~is_default])
    return None if others.empty else others.iloc[find_best_row(study, others)]


def _not_proposed(trials: pd.DataFrame) -> NDArray[np.bool_]:
    """(trials,) False for those that the optimiser proposed because of earlier results."""
    optimized = trials["phase"] == "optimize"
    first = trials.loc[optimized, "number"].min()  # the default itself
    return np.asarray(~optimized | (trials["number"] == first), dtype=bool)


def _collect(
    name: str, first: str, values: dict[str, Value], runs: pd.DataFrame
) -> ConfigurationRuns:
    trained = runs[runs["outcome"] == TRAINED]
    collapsed = int((runs["outcome"] == COLLAPSED).sum())
    nothing = int((runs["outcome"] == SHOWS_NOTHING).sum())
    count = len(trained) + collapsed + nothing
    return ConfigurationRuns(
        first,
        values,
        tuple(map(float, trained["score"])),
        tuple(map(int, trained["seed"])),
        BreakRate.from_counts(name, count, collapsed, nothing),
    )


def _to_python(value: Any) -> Value:
    """A value of a data frame without numpy's type."""
    plain: Value = value.item() if hasattr(value, "item") else value
    return plain


def _explain(study: Study, best: ConfigurationRuns, default: ConfigurationRuns) -> str:
    """Why the two cannot be compared, and the command that adds runs of both if that helps."""
    if not default.breaks.trials:
        state = "the default configuration was not run"
    elif not best.breaks.trials and default.breaks.trials == 1:
        state = "one run each cannot tell"
    else:
        state = (
            f"too few runs trained (replicates of the {best.breaks.name}: {len(best.scores)}, runs "
            f"of the default: {len(default.scores)})"
        )
    if any(runs.breaks.trials > 1 and len(runs.scores) < 2 for runs in (best, default)):
        return state  # more seeds would not train either
    command = replicate_command(study, _RUNS_TO_ADD * len(ROLES))
    return f"{state}; for more seeds of both: {command}"
