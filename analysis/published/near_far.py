"""The study of near and far: what unsuitable bounds do, by how much of the object they contain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_finished
from analysis.data.study import Study
from analysis.findings.bounds_map import NEAR
from analysis.findings.partial_dependence import Effect
from analysis.findings.tables import format_markdown_table
from analysis.published.break_tables import format_rate
from analysis.stats.rates import BreakRate
from nerf.common.errors import InputError
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED

VISIBLE_RANGES = {
    "nothing": (-1.0, 0.01),
    "under half": (0.01, 0.5),
    "half to all": (0.5, 0.99),
    "all": (0.99, 2.0),
}
"""Name -> range of the share of the object's depth that lies between near and far."""

_VERDICTS = {
    "as good": "loses at most {margin} against the best value",
    "worse": "loses more than {margin} against the best value",
    "open": "is not told apart from the best value (margin {margin})",
}


def select_explored(study: Study) -> pd.DataFrame:
    """The explored trials of a study of near and far, with a column `visible`.

    visible: share of the object's depth that lies between near and far, in [0, 1]
    """
    low, high = _object(study)
    trials = study.trials[study.trials["phase"] == "explore"]
    far, near = trials["sampling.far"].to_numpy(float), trials["sampling.near"].to_numpy(float)
    inside = np.minimum(far, high) - np.maximum(near, low)
    return trials.assign(visible=np.maximum(inside, 0.0) / (high - low))


def tabulate_by_visible_depth(study: Study) -> str:
    """How many trials break, and PSNR, by how much of the object's depth lies in the bounds."""
    trials = select_explored(study)
    rows = []
    for name, (least, most) in VISIBLE_RANGES.items():
        group = trials[(trials["visible"] >= least) & (trials["visible"] < most)]
        psnr = group["psnr"]
        low, high = psnr.quantile(0.25), psnr.quantile(0.75)
        rows.append(
            {
                "visible part of the object's depth": name,
                "trials": len(group),
                "collapsed or show nothing": format_rate(group),
                COLLAPSED: int((group["outcome"] == COLLAPSED).sum()),
                SHOWS_NOTHING: int((group["outcome"] == SHOWS_NOTHING).sum()),
                "median dB": f"{psnr.median():.2f}",
                "interquartile range, dB": f"{low:.2f} to {high:.2f}",
            }
        )
    return format_markdown_table(pd.DataFrame(rows))


@dataclass(frozen=True)
class ObscuredTrials:
    """Explored trials whose bounds contain less than half of the object's depth.

    useful: trials that trained
    median: their median PSNR in dB; lost: dB below the median of trials that see the whole object
    """

    trials: int
    collapsed: int
    shows_nothing: int
    useful: int
    median: float
    lost: float


def analyze_obscured(study: Study) -> ObscuredTrials:
    """Counts and PSNR of the explored trials that see less than half of the object."""
    trials = select_explored(study)
    obscured = trials[trials["visible"] < 0.5]
    whole = trials.loc[trials["visible"] >= 0.99, "psnr"].median()
    useful = obscured[obscured["outcome"] == TRAINED]["psnr"]
    median = float(useful.median())
    return ObscuredTrials(
        len(obscured),
        int((obscured["outcome"] == COLLAPSED).sum()),
        int((obscured["outcome"] == SHOWS_NOTHING).sum()),
        len(useful),
        median,
        float(whole) - median,
    )


def describe_unnoticed_harm(study: Study) -> str:
    """How many of the trials with unsuitable bounds were flagged as collapsed."""
    trials, trivial = select_explored(study), _trivial_psnr(study)
    obscured = analyze_obscured(study)
    worthless = trials[trials["psnr"] <= trivial]
    flagged = int((worthless["outcome"] == COLLAPSED).sum())
    return (
        f"{len(worthless)} of {len(trials)} explored trials ended no better than the best trivial "
        f"image ({trivial:.1f} dB); {flagged} of them were flagged as collapsed. "
        f"Of the {obscured.trials} trials that saw under half of the object {obscured.useful} did "
        f"not collapse and ended above that level, with a median of {obscured.median:.1f} dB: "
        f"{obscured.lost:.1f} dB below those that saw all of it, with no other sign of trouble."
    )


def describe_suggestion(study: Study, suggested: Study) -> str:
    """PSNR of the suggested bounds, and how many explored pairs of bounds exceed it."""
    runs, trials = select_finished(suggested.trials)["psnr"], select_explored(study)
    better = BreakRate.from_counts("", len(trials), int((trials["psnr"] > runs.mean()).sum()))
    low, high = _object(study)
    return (
        f"The bounds suggested from the silhouettes, {low:.2f} and {high:.2f}, with {len(runs)} "
        f"seeds: mean {_format_mean(runs)} dB. {better.formatted} of the explored pairs exceeded "
        "that mean."
    )


def describe_suggestion_range(study: Study, effects: Sequence[Effect]) -> str:
    """What the trials tell about the suggested bounds, against the best values."""
    near, far = _object(study)
    suggested = {NEAR: near, "sampling.span": far - near}
    verdicts = []
    for effect in effects:
        if effect.path in suggested and effect.curve is not None and effect.curve.matters:
            value = suggested[effect.path]
            distances = [abs(float(other) - value) for other in effect.curve.values]
            verdict = effect.curve.verdicts[int(np.argmin(distances))]
            meaning = _VERDICTS[verdict].format(margin=f"{effect.curve.margin:g} dB")
            verdicts.append(f"{effect.label} {value:.2f} {meaning}")
    return f"Of the suggested bounds, {', '.join(verdicts)}."


def _object(study: Study) -> tuple[float, float]:
    """Near and far bounds of the object, as suggested by the scene."""
    if study.space.bounds is None:
        raise InputError(f"study {study.name} has no suggested bounds of its object")
    return study.space.bounds


def _trivial_psnr(study: Study) -> float:
    """PSNR of the best trivial image."""
    return max(study.trivial_psnrs.values())


def _format_mean(values: pd.Series) -> str:
    """A mean with its 95 % Student interval."""
    from scipy.stats import t

    mean, n = float(values.mean()), len(values)
    if n < 2:
        return f"{mean:.2f}"
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"
