"""How often are claims over several scenes false, whose runs share their points?

    python benchmarks/scenes_claims.py --points 48 96 --studies 40 --processes 2

Objectives with a known truth stand for scenes: each point of a design is run once on each of them,
as in a study of several scenes, and what is said over all of them is compared with the truth of
their mean, found by brute force. Coverage is that of the 95 % intervals of the shares of the mean,
and of the mean rate of breaking; beside the latter, what an interval would cover that counted runs
as if they were independent. "Differ" is the part of the studies in which some parameter is said to
act differently on two scenes, "falsely" that in which one of them does not.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import os
import sys
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import pandas as pd
from reporting import ONE_THREAD, benchmark_parser, positive, print_table, save_json
from simulated.objective import FloatArray, Half, Objective
from simulated.objectives import find_objective
from simulated.simulate_study import run_once
from simulated.truth import Truth

from analysis.data.points import ScenePoints, join_outcomes
from analysis.findings.breaking import analyze_breaking
from analysis.findings.scenes import (
    SceneDifference,
    estimate_mean_rate,
    estimate_pooled_shares,
    find_differences,
)
from analysis.importance.sobol import PureError
from analysis.stats.rates import clopper_pearson_interval
from nerf.common.command_line import exit_status
from study.records.outcomes import BROKEN, COLLAPSED, SHOWS_NOTHING, TRAINED
from study.search.sobol_design import explore_point

_NETS = 4
_NO_EFFECT = 1e-6  # of the variance
_HEADS = [
    *("scenes", "half", "points", "shares", "coverage", "width", "rate", "naive rate"),
    *("differ", "falsely"),
]
_OUTCOMES = {"trained": TRAINED, "collapsed": COLLAPSED, "shows nothing": SHOWS_NOTHING}


@dataclass(frozen=True)
class Scenes:
    """Objectives of one space that stand for scenes."""

    half: Half
    names: tuple[str, ...]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        return tuple(map(find_objective, self.names))

    def combine(self, weights: Sequence[float]) -> Objective:
        """What is true of a weighted sum over the scenes, of points that train on all of them."""
        own = self.objectives

        def mean(u: FloatArray) -> FloatArray:
            parts = [weight * each.mean(u) for weight, each in zip(weights, own, strict=True)]
            return np.asarray(np.sum(parts, axis=0))

        def noise(u: FloatArray) -> FloatArray:
            parts = [weight * each.noise(u) for weight, each in zip(weights, own, strict=True)]
            return np.asarray(np.sqrt(np.sum(np.square(parts), axis=0)))

        def breaks(u: FloatArray) -> FloatArray:
            return np.asarray(1.0 - np.prod([1.0 - each.breaks(u) for each in own], axis=0))

        return replace(own[0], mean=mean, noise=noise, collapse=breaks, silent=_never)


def _never(u: FloatArray) -> FloatArray:
    return np.zeros(len(u))


SETS = {
    "product and corner": Scenes("tuned", ("three-way", "silent failures")),
    "two corners": Scenes("tuned", ("silent failures", "collapse in a corner")),
    "ceiling and slopes": Scenes("tuned", ("ceiling", "collapse in a corner")),
    "ridge and near": Scenes("reported", ("ridge", "near kills")),
    "near kills both": Scenes("reported", ("near kills", "near kills")),
    "three scenes": Scenes("reported", ("ridge", "near kills", "weak collapse")),
}


def simulate_points(scenes: Scenes, count: int, seed: int) -> ScenePoints:
    """The points of one study, each run once on every scene."""
    own, rng = scenes.objectives, np.random.default_rng(seed)
    space, dimensions = own[0].space, own[0].dimensions
    values = [explore_point(space, seed, i, _NETS) for i in range(count)]
    units = np.array([[d.to_unit(v[d.path]) for d in dimensions] for v in values])
    runs = [[run_once(each, point, rng) for each in own] for point in units]
    labels = tuple(f"scene {i}" for i in range(len(own)))
    scores = pd.DataFrame([[run.psnr for run in row] for row in runs], columns=labels)
    outcomes = pd.DataFrame([[_OUTCOMES[r.outcome] for r in row] for row in runs], columns=labels)
    table = pd.DataFrame(values).assign(
        phase="explore", outcome=join_outcomes(outcomes), score=scores.mean(axis=1)
    )
    return ScenePoints(labels, table, scores, outcomes, dimensions)


def score_study(task: tuple[str, int, int]) -> dict[str, Any]:
    """Which intervals of one study cover the truth, and what it says of differences."""
    name, count, index = task
    scenes = SETS[name]
    key = (zlib.crc32(name.encode()), count, index)
    seed = int(np.random.SeedSequence(key).generate_state(1)[0] >> 1)
    points, truth = simulate_points(scenes, count, seed), find_truth_of_mean(name)
    rng = np.random.default_rng(0)
    breaking = analyze_breaking(points.table, points.dimensions, rng)
    folds = np.arange(count) % _NETS
    shares, _ = estimate_pooled_shares(points, breaking, folds, PureError(0.0, 0), rng)
    covered = [
        s.share_low <= truth.share(s.path) <= s.share_high for s in shares.shares if shares.ranked
    ]
    rates = [float(np.mean(each.breaks(truth.units))) for each in scenes.objectives]
    mean, true_rate = estimate_mean_rate(points), float(np.mean(rates))
    broken = points.outcomes.isin(BROKEN).to_numpy()
    low, high = clopper_pearson_interval(int(broken.sum()), broken.size)
    differences = find_differences(points, rng)
    return {
        "name": name, "points": count, "shares": len(covered), "covered": sum(covered),
        "width": [s.share_high - s.share_low for s in shares.shares if shares.ranked],
        "rate": mean.low <= true_rate <= mean.high, "naive": low <= true_rate <= high,
        "differ": bool(differences),
        "falsely": any(is_false_difference(name, each) for each in differences),
    }  # fmt: skip


@functools.cache
def find_truth_of_mean(name: str) -> Truth:
    """The truth of the mean over the scenes of a set; computed once in a process."""
    count = len(SETS[name].names)
    return Truth(SETS[name].combine([1.0 / count] * count))


def is_false_difference(name: str, difference: SceneDifference) -> bool:
    """Whether the parameter has no effect on the difference of the two scenes."""
    places = [int(label.removeprefix("scene ")) for label in difference.scenes]
    names = tuple(SETS[name].names[place] for place in places)
    truth = Truth(Scenes("reported", names).combine([1.0, -1.0]))
    return truth.share(difference.path) < _NO_EFFECT


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: _run(_parse(arguments)))


def _run(options: argparse.Namespace) -> int:
    tasks = [
        (name, count, index)
        for name, scenes in SETS.items()
        for count in options.points
        for index in range(options.studies)
        if options.half in (None, scenes.half)
    ]
    os.environ.update(ONE_THREAD)
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        scored = pool.map(score_study, tasks, chunksize=1)
    print_table(
        f"{options.studies} studies each",
        [
            "scenes",
            "half",
            "points",
            "shares",
            "coverage",
            "width",
            "rate",
            "naive rate",
            "differ",
            "falsely",
        ],
        _list_rows(scored),
    )
    save_json(options.json, "scenes_claims", {"studies": scored})
    return 0


def _list_rows(scored: Sequence[dict[str, Any]]) -> list[list[object]]:
    rows: list[list[object]] = []
    for (name, count), own in pd.DataFrame(scored).groupby(["name", "points"], sort=False):
        scenes, shares = SETS[str(name)], int(own["shares"].sum())
        widths = [width for each in own["width"] for width in each]
        rows.append(
            [
                name, scenes.half, count, shares,
                f"{own['covered'].sum() / shares:.1%}" if shares else "–",
                f"{np.median(widths):.2f}" if widths else "–",
                f"{own['rate'].mean():.1%}", f"{own['naive'].mean():.1%}",
                f"{own['differ'].mean():.1%}", f"{own['falsely'].mean():.1%}",
            ]
        )  # fmt: skip
    return rows


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    add = parser.add_argument
    points = "explored points of a study (default: 48 96)"
    add("--points", nargs="+", type=positive, metavar="N", default=[48, 96], help=points)
    add(
        "--studies",
        type=positive,
        metavar="N",
        default=40,
        help="studies of each size (default: 40)",
    )
    add("--half", choices=get_args(Half), help="only one half of the sets (default: both)")
    add("--processes", type=positive, metavar="N", default=1, help="processes at once (default: 1)")
    return parser.parse(arguments)


if __name__ == "__main__":
    sys.exit(main())
