"""Claims tested by the published studies, each as Markdown computed from the study's tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.claims.wording import format_part
from analysis.data.selection import select_finished, select_trained, select_trained_or_broken
from analysis.data.study import Study
from analysis.findings.bounds_map import NEAR
from analysis.findings.partial_dependence import Effect
from analysis.findings.tables import format_markdown_table
from analysis.importance.over_time import SharesOverTime
from analysis.importance.shares import SobolShare
from analysis.published.strata import name_choice
from analysis.stats.paired import compare_pair
from analysis.stats.rates import BreakRate, bonferroni_confidence
from nerf.common.errors import InputError
from study.records.outcomes import COLLAPSED, SHOWS_NOTHING, TRAINED

VISIBLE_RANGES = {
    "nothing": (-1.0, 0.01),
    "under half": (0.01, 0.5),
    "half to all": (0.5, 0.99),
    "all": (0.99, 2.0),
}
"""Name -> range of the share of the object's depth that lies between near and far."""

_MAX_PARAMETERS_OVER_TIME = 4

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
                "collapsed or show nothing": _format_rate(group),
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
        f"seeds: mean {format_mean(runs)} dB. {better.formatted} of the explored pairs exceeded "
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


def tabulate_breaks(study: Study, rows: str, columns: str) -> str:
    """Broken / all explored trials for each pair of choices, with totals of rows and columns.

    The last columns divide the row's broken trials into those that collapsed or show nothing.
    """
    trials = select_trained_or_broken(study.trials)
    across = {name_choice(columns, column): column for column in sorted(trials[columns].unique())}
    table = []
    for row, of_row in trials.groupby(rows):
        cells = {
            n: _format_counts(of_row[of_row[columns] == column]) for n, column in across.items()
        }
        table.append(
            {
                rows: row,
                **cells,
                **_summarize_row(of_row),
            }
        )
    cells = {n: _format_rate(trials[trials[columns] == column]) for n, column in across.items()}
    table.append(
        {
            rows: "all",
            **cells,
            **_summarize_row(trials),
        }
    )
    return format_markdown_table(pd.DataFrame(table))


def tabulate_medians(study: Study, rows: str, columns: str) -> str:
    """Median PSNR of the explored trials that trained, for each pair of choices."""
    trained = select_trained(select_trained_or_broken(study.trials))
    table = [
        {rows: row}
        | {
            name_choice(columns, c): f"{cell['psnr'].median():.2f} dB"
            for c, cell in of_row.groupby(columns)
        }
        for row, of_row in trained.groupby(rows)
    ]
    return format_markdown_table(pd.DataFrame(table))


def estimate_break_rates(study: Study, path: str) -> list[BreakRate]:
    """Rate of breaking of explored trials for each choice; the intervals hold at once."""
    trials = select_trained_or_broken(study.trials)
    groups = list(trials.groupby(path))
    confidence = bonferroni_confidence(len(groups))
    return [_count_rate(group, str(choice), confidence) for choice, group in groups]


def tabulate_paired_gains(studies: Sequence[Study], path: str, usual: str) -> str:
    """PSNR gain of each choice over `usual`, paired by seed.

    studies: they differ in one choice, `path`, and share their seeds

    A study with more steps than the others of its scene shows the gain from training time alone.
    """
    steps = min(int(study.trials["budget_steps"].min()) for study in studies)
    rows = []
    for scene, values in _label_runs(studies, path):
        for other in sorted(set(values.columns) - {usual}):
            d = compare_pair(other, usual, values)
            rows.append(
                {
                    "scene": scene,
                    "seeds": d.seeds,
                    f"{usual} for {steps} steps": f"{values[usual].mean():.2f} dB",
                    "alternative": other,
                    "gain": f"{d.description} dB",
                }
            )
    return format_markdown_table(pd.DataFrame(rows))


def describe_equal_time(studies: Sequence[Study], path: str, first: str, second: str) -> str:
    """PSNR of two rows of `tabulate_paired_gains` against each other, by scene."""
    parts = []
    for scene, values in _label_runs(studies, path):
        if {first, second} <= set(values.columns):
            d = compare_pair(first, second, values)
            parts.append(f"{scene} {d.description} dB")
    return f"{first} minus {second}: {', '.join(parts)}."


def _label_runs(studies: Sequence[Study], path: str) -> Iterator[tuple[str, pd.DataFrame]]:
    """For each scene PSNR in dB, a row for each seed and a column for each choice and budget.

    A choice with more steps than the others of its scene has them in its name.
    """
    runs = pd.concat(
        select_finished(study.trials).assign(scene=study.scene["name"]) for study in studies
    )
    for scene, group in runs.groupby("scene"):
        steps = group["budget_steps"].min()
        choice = group[path].astype(str)
        longer = choice + " for " + group["budget_steps"].astype(str) + " steps"
        label = choice.where(group["budget_steps"] == steps, longer)
        values = group.assign(label=label).pivot(index="seed", columns="label", values="psnr")
        yield str(scene), values


def tabulate_over_time(over: SharesOverTime) -> str:
    """The largest shares and the rank correlation with the final PSNR at steps of training."""
    strongest = over.at_steps[-1].importance.shares[:_MAX_PARAMETERS_OVER_TIME]
    rows = [
        {
            "step": at_step.step,
            **{share.label: _format_share(at_step.share(share.path)) for share in strongest},
            "rank correlation with the final PSNR": f"{at_step.agreement:.2f} "
            f"[{at_step.agreement_low:.2f}, {at_step.agreement_high:.2f}]",
            "loss from keeping the best third": f"{at_step.psnr_lost:.2f} dB",
        }
        for at_step in over.at_steps
    ]
    return format_markdown_table(pd.DataFrame(rows))


def _format_share(share: SobolShare | None) -> str:
    if share is None:
        return "not ranked"
    return format_part(share.share, share.share_low, share.share_high)


def format_mean(values: pd.Series) -> str:
    """A mean with its 95 % Student interval."""
    from scipy.stats import t

    mean, n = float(values.mean()), len(values)
    if n < 2:
        return f"{mean:.2f}"
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def _format_rate(trials: pd.DataFrame) -> str:
    rate = _count_rate(trials)
    return f"{rate.broken}/{rate.trials}: {rate.formatted}" if rate.trials else "–"


def _count_rate(trials: pd.DataFrame, name: str = "", confidence: float = 0.95) -> BreakRate:
    collapsed = int((trials["outcome"] == COLLAPSED).sum())
    nothing = int((trials["outcome"] == SHOWS_NOTHING).sum())
    return BreakRate.from_counts(name, len(trials), collapsed, nothing, confidence)


def _summarize_row(trials: pd.DataFrame) -> dict[str, object]:
    rate = _count_rate(trials)
    return {
        "all": _format_rate(trials),
        COLLAPSED: rate.collapsed,
        SHOWS_NOTHING: rate.shows_nothing,
        "median dB, trained": _median_trained(trials),
    }


def _format_counts(trials: pd.DataFrame) -> str:
    return f"{_count_rate(trials).broken}/{len(trials)}"


def _median_trained(trials: pd.DataFrame) -> str:
    return f"{trials.loc[trials['outcome'] == TRAINED, 'psnr'].median():.2f}"
