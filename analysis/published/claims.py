"""The claims that the flagship studies were made to test, each as Markdown made from its tables."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.selection import select_finished
from analysis.data.study import Study
from analysis.findings.bounds_map import NEAR
from analysis.findings.collapse import select_completed_or_collapsed
from analysis.findings.partial_dependence import Effect
from analysis.findings.tables import format_markdown_table
from analysis.importance.over_time import SharesAtStep, SharesOverTime
from analysis.stats.paired import compare_pair
from analysis.stats.rates import CollapseRate, adjust_holm
from nerf.common.errors import InputError
from nerf.config.parameters import parameter

SEEN = {"nothing": (-1.0, 0.01), "under half": (0.01, 0.5), "half to all": (0.5, 0.99),
        "all": (0.99, 2.0)}  # fmt: skip
"""Shares of the object's depth that lie between near and far, by what they are called."""

_FOLLOWED = 4


def explored(study: Study) -> pd.DataFrame:
    """The explored trials of a study of near and far, with `seen`: see `SEEN`."""
    low, high = _object(study)
    trials = study.trials[study.trials["phase"] == "explore"]
    far, near = trials["sampling.far"].to_numpy(float), trials["sampling.near"].to_numpy(float)
    inside = np.minimum(far, high) - np.maximum(near, low)
    return trials.assign(seen=np.maximum(inside, 0.0) / (high - low))


def by_seen(study: Study) -> str:
    """How training goes by how much of the object near and far leave to be seen."""
    trials = explored(study)
    rows = []
    for name, (least, most) in SEEN.items():
        group = trials[(trials["seen"] >= least) & (trials["seen"] < most)]
        psnr = group["psnr"]
        rows.append(
            {
                "of the object's depth": name,
                "trials": len(group),
                "collapsed": _rate(group),
                "no better than a flat picture": int((psnr <= _trivial(study)).sum()),
                "median dB": f"{psnr.median():.2f}",
                "middle half, dB": f"{psnr.quantile(0.25):.2f} to {psnr.quantile(0.75):.2f}",
            }
        )
    return format_markdown_table(pd.DataFrame(rows))


@dataclass(frozen=True)
class Blinded:
    """Trials that saw under half of the object; `lost`: dB by which the living stay behind.

    Behind those that saw all of it. living: how many ended alive and above the best flat picture;
    median: of their PSNR, dB
    """

    trials: int
    collapsed: int
    living: int
    median: float
    lost: float


def blinded(study: Study) -> Blinded:
    """What became of the trials that saw under half of the object."""
    trials = explored(study)
    blind, whole = trials[trials["seen"] < 0.5], trials.loc[trials["seen"] >= 0.99, "psnr"].median()
    dead = blind["state"] == "collapsed"
    living = blind[~dead & (blind["psnr"] > _trivial(study))]["psnr"]
    median = float(living.median())
    return Blinded(len(blind), int(dead.sum()), len(living), median, float(whole) - median)


def harm_in_silence(study: Study) -> str:
    """How many of the trials that bounds ruined say so by collapsing."""
    trials, trivial, blind = explored(study), _trivial(study), blinded(study)
    worthless = trials[trials["psnr"] <= trivial]
    flagged = int((worthless["state"] == "collapsed").sum())
    return (
        f"{len(worthless)} trials ended no better than the best picture that shows nothing of the "
        f"object ({trivial:.1f} dB); {flagged} of them were flagged as collapsed. Of the "
        f"{blind.trials} trials that saw under half of the object {blind.living} ended alive and "
        f"above that, at {blind.median:.1f} dB in the middle: {blind.lost:.1f} dB below those that "
        "saw all of it, without any sign of trouble but that."
    )


def suggestion(study: Study, suggested: Study) -> str:
    """How good the suggested bounds are among all that were tried."""
    runs, trials = select_finished(suggested.trials)["psnr"], explored(study)
    better = CollapseRate.from_counts("", len(trials), int((trials["psnr"] > runs.mean()).sum()))
    low, high = _object(study)
    return (
        f"The bounds suggested from the silhouettes, {low:.2f} and {high:.2f}, with {len(runs)} "
        f"seeds: {mean_interval(runs)} dB. {better.formatted} of the explored pairs did better than "
        "that mean."
    )


def suggestion_stands(study: Study, effects: Sequence[Effect]) -> str:
    """Do the suggested bounds lie within what is as good as the best of each parameter?"""
    near, far = _object(study)
    wanted = {NEAR: near, "sampling.span": far - near}
    outside = []
    for effect in effects:
        if effect.path in wanted and effect.curve is not None:
            near_best = [float(value) for value in effect.curve.near_best]
            if not min(near_best) <= wanted[effect.path] <= max(near_best):
                outside.append(effect.label)
    if outside:
        return f"Of the suggestion {' and '.join(outside)} leaves what is as good as the best."
    return "Both lie within what is as good as the best on average: the suggestion stays as it is."


def _object(study: Study) -> tuple[float, float]:
    """Where the object begins and ends, as the scene suggested it."""
    if study.space.bounds is None:
        raise InputError(f"study {study.name} does not say where its object lies")
    return study.space.bounds


def _trivial(study: Study) -> float:
    return max(study.trivial_psnrs.values())


def rates_by(study: Study, rows: str, columns: str) -> str:
    """Collapsed of all explored trials for each pair of choices, and by row and column alone."""
    trials = select_completed_or_collapsed(study.trials)
    across = {_named(columns, column): column for column in sorted(trials[columns].unique())}
    table = []
    for row, of_row in trials.groupby(rows):
        cells = {n: _counts(of_row[of_row[columns] == column]) for n, column in across.items()}
        table.append(
            {rows: row, **cells, "together": _rate(of_row), "median dB alive": _alive(of_row)}
        )
    cells = {n: _rate(trials[trials[columns] == column]) for n, column in across.items()}
    table.append({rows: "together", **cells, "together": _rate(trials),
                  "median dB alive": _alive(trials)})  # fmt: skip
    return format_markdown_table(pd.DataFrame(table))


def medians_by(study: Study, rows: str, columns: str) -> str:
    """Median PSNR of the explored trials that ended alive, for each pair of choices."""
    alive = select_finished(select_completed_or_collapsed(study.trials))
    table = [
        {rows: row} | {_named(columns, c): f"{cell['psnr'].median():.2f} dB"
                       for c, cell in of_row.groupby(columns)}
        for row, of_row in alive.groupby(rows)
    ]  # fmt: skip
    return format_markdown_table(pd.DataFrame(table))


def _named(path: str, value: object) -> str:
    """A choice as a heading; a number says what it is of."""
    return value if isinstance(value, str) else f"{parameter(path).label} {value:g}"


def collapse_rates(study: Study, path: str) -> list[CollapseRate]:
    """How often explored trials collapsed with each choice."""
    trials = select_completed_or_collapsed(study.trials)
    return [
        CollapseRate.from_counts(str(choice), len(group), int((group["state"] == "collapsed").sum()))
        for choice, group in trials.groupby(path)
    ]


def differing(study: Study, path: str) -> str:
    """Fisher's exact test of collapse between every two choices, corrected after Holm."""
    from scipy.stats import fisher_exact

    trials = select_completed_or_collapsed(study.trials)
    pairs = list(itertools.combinations(sorted(trials[path].unique()), 2))
    dead = trials["state"] == "collapsed"

    def p_value(pair: tuple[object, object]) -> float:
        counts = [
            [int((dead & (trials[path] == c)).sum()), int((~dead & (trials[path] == c)).sum())]
            for c in pair
        ]
        return float(fisher_exact(counts).pvalue)

    corrected = adjust_holm([p_value(pair) for pair in pairs])
    told = [
        f"{_named(path, a)} and {_named(path, b)} (p = {p:.2g})"
        for (a, b), p in sorted(zip(pairs, corrected, strict=True), key=lambda entry: entry[1])
        if p < 0.05
    ]
    if not told:
        return f"No two of {path} differ beyond chance."
    return f"Beyond chance differ: {'; '.join(told)}. No other two of {path} do."


def choices_compared(studies: Sequence[Study], path: str, usual: str) -> str:
    """Studies that differ in one choice and share seeds: what each choice has more than `usual`.

    A study of more steps than the others of its scene shows what the time alone would bring.
    """
    runs = pd.concat(select_finished(study.trials).assign(scene=study.scene["name"]) for study in studies)
    rows = []
    for scene, group in runs.groupby("scene"):
        steps = group["budget_steps"].min()
        choice = group[path].astype(str)
        longer = " for " + group["budget_steps"].astype(str) + " steps"
        label = choice.where(group["budget_steps"] == steps, choice + longer)
        values = group.assign(label=label).pivot(index="seed", columns="label", values="psnr")
        for other in sorted(set(values.columns) - {usual}):
            d = compare_pair(other, usual, values)
            low, high = d.interval or (np.nan, np.nan)
            rows.append(
                {
                    "scene": scene,
                    "seeds": d.seeds,
                    f"{usual} for {steps} steps": f"{values[usual].mean():.2f} dB",
                    "instead": other,
                    "gains": f"{d.mean:+.2f} dB [{low:+.2f}, {high:+.2f}]",
                }
            )
    return format_markdown_table(pd.DataFrame(rows))


def by_budget(over: SharesOverTime) -> str:
    """The largest shares at steps of training, and how well PSNR then tells the final order."""
    strongest = np.argsort(-over.at_steps[-1].totals)[:_FOLLOWED]
    rows = [
        {
            "at step": moment.step,
            **{over.labels[j]: _share(moment, int(j)) for j in strongest},
            "order agrees with the last": f"{moment.agreement:.2f} [{moment.agreement_low:.2f}, "
            f"{moment.agreement_high:.2f}]",
            "lost by keeping the best third": f"{moment.psnr_lost:.2f} dB",
        }
        for moment in over.at_steps
    ]
    return format_markdown_table(pd.DataFrame(rows))


def _share(moment: SharesAtStep, j: int) -> str:
    return f"{moment.totals[j]:.0%} [{moment.low[j]:.0%}, {moment.high[j]:.0%}]"


def mean_interval(values: pd.Series) -> str:
    """A mean with its 95 % t interval."""
    from scipy.stats import t

    mean, n = float(values.mean()), len(values)
    if n < 2:
        return f"{mean:.2f}"
    half = float(t.ppf(0.975, n - 1) * values.std(ddof=1) / np.sqrt(n))
    return f"{mean:.2f} [{mean - half:.2f}, {mean + half:.2f}]"


def _rate(trials: pd.DataFrame) -> str:
    rate = CollapseRate.from_counts("", len(trials), int((trials["state"] == "collapsed").sum()))
    return f"{rate.collapsed}/{rate.trials}: {rate.formatted}" if rate.trials else "–"


def _counts(trials: pd.DataFrame) -> str:
    return f"{int((trials['state'] == 'collapsed').sum())}/{len(trials)}"


def _alive(trials: pd.DataFrame) -> str:
    return f"{trials.loc[trials['state'] == 'completed', 'psnr'].median():.2f}"
