"""Does the fast path change the conclusions of a study? The same configurations, trained both ways.

    python benchmarks/same_conclusions.py --scene bricks --configs 40

Configurations are the first points that a study with `--space wide` explores. Each trains with two
seeds on the fast path (bfloat16 where the CPU supports it, an occupancy grid) and on the plain one
(float32, the field queried at every sample). Compared are: the final held-out PSNR of each pair,
beside what the seed alone changes; the order of the trials; and how much of the result each
parameter explains.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from reporting import benchmark_parser, positive, print_table, save_json
from scipy.stats import rankdata, spearmanr

from nerf.common.command_line import exit_status
from nerf.config.flat import Flat
from nerf.config.parameters import Value
from nerf.model.precision import matrix_dtype
from nerf.scenes import load
from nerf.training.loop import train
from study.search.sobol_design import explore_point
from study.spec.default_space import DEFAULT_SETTINGS, make_space
from study.spec.space import Space
from study.spec.study_spec import StudySpec

VARIANTS: dict[str, Flat] = {
    "fast": {},
    "plain": {"compute.precision": "fp32", "compute.occupancy": 0},
}
SEEDS = (0, 1)

FloatArray = NDArray[np.float64]


def rank_variance_shares(
    space: Space, points: Sequence[Flat], psnr: FloatArray
) -> dict[str, float]:
    """Share of the variance of the trials' ranks that each parameter explains alone, in [0, 1].

    For a number the squared rank correlation with the result; for a choice the variance between
    the mean ranks of its values.
    """
    ranks = rankdata(psnr)
    shares = {}
    for dimension in space.dimensions:
        values: list[Value] = [point[dimension.path] for point in points]
        if dimension.choices:
            groups = [ranks[[value == choice for value in values]] for choice in set(values)]
            between = sum(len(group) * (group.mean() - ranks.mean()) ** 2 for group in groups)
            shares[dimension.path] = float(between / (len(ranks) * ranks.var()))
        else:
            shares[dimension.path] = float(spearmanr(values, ranks).statistic ** 2)
    return shares


def train_all(
    options: argparse.Namespace,
) -> tuple[Space, list[dict[str, Value]], dict[str, FloatArray]]:
    """Trains every configuration with every seed in both variants.

    Returns the space, the configurations and for each variant an array of (configs, seeds, 2): PSNR
    in dB and seconds of training.
    """
    scene = load(options.scene)
    space = make_space("wide", {**DEFAULT_SETTINGS, "optimisation.steps": options.steps})
    space = space.with_scene_bounds((scene.bounds.near, scene.bounds.far))
    points = [explore_point(space, 0, index, StudySpec.nets) for index in range(options.configs)]
    results = {variant: np.zeros((options.configs, len(SEEDS), 2)) for variant in VARIANTS}
    began = time.perf_counter()
    for index, point in enumerate(points):
        for column, seed in enumerate(SEEDS):
            for variant, settings in VARIANTS.items():
                result = train(space.config({**point, **settings}, seed), scene)
                # A diverged run has no PSNR; 0 dB ranks it last in both variants.
                results[variant][index, column] = np.nan_to_num(result.psnr), result.seconds
        fast, plain = (results[variant][index, :, 0] for variant in VARIANTS)
        print(
            f"{index + 1}/{options.configs} {time.perf_counter() - began:.0f} s: "
            f"fast {fast.round(2)} dB, plain {plain.round(2)} dB",
            file=sys.stderr,
            flush=True,
        )
    return space, points, results


def comparison_rows(results: dict[str, FloatArray]) -> list[list[object]]:
    """Table rows: how far apart the variants are, and how far apart the seeds."""
    fast, plain = results["fast"][..., 0], results["plain"][..., 0]
    between_variants = np.abs(fast - plain)
    between_seeds = np.abs(plain[:, 0] - plain[:, 1])
    variant_correlation = spearmanr(fast.mean(1), plain.mean(1)).statistic
    seed_correlation = spearmanr(plain[:, 0], plain[:, 1]).statistic
    slowdowns = (results["plain"][..., 1] / results["fast"][..., 1]).ravel().tolist()
    return [
        ["|fast - plain|, same seed: median dB", float(np.median(between_variants))],
        [
            "|fast - plain|, same seed: 90th percentile dB",
            float(np.quantile(between_variants, 0.9)),
        ],
        ["fast - plain: mean dB", float((fast - plain).mean())],
        ["|seed 0 - seed 1|, plain: median dB", float(np.median(between_seeds))],
        ["|seed 0 - seed 1|, plain: 90th percentile dB", float(np.quantile(between_seeds, 0.9))],
        ["Spearman correlation of trials, fast with plain", float(variant_correlation)],
        ["Spearman correlation of trials, seed 0 with seed 1, plain", float(seed_correlation)],
        ["time of plain / fast, median trial", statistics.median(slowdowns)],
    ]


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--scene",
        default="bricks",
        metavar="bricks|tiny-lego|PATH",
        help="scene to train on (default: bricks)",
    )
    parser.add_argument(
        "--configs", type=positive, metavar="N", default=40, help="configurations (default: 40)"
    )
    parser.add_argument(
        "--steps", type=positive, metavar="N", default=300, help="steps of a run (default: 300)"
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", default=1, help="torch threads (default: 1)"
    )
    options = parser.parse(arguments)
    torch.set_num_threads(options.threads)
    space, points, results = train_all(options)
    rows = comparison_rows(results)
    print(f"matrix products on the fast path: {matrix_dtype('auto', torch.device('cpu'))}")
    title = f"{options.configs} configurations x {len(SEEDS)} seeds, {options.steps} steps"
    print_table(f"{title}, {options.scene}", ["figure", "value"], rows)
    shares = {
        variant: rank_variance_shares(space, points, results[variant][..., 0].mean(1))
        for variant in VARIANTS
    }
    order = sorted(shares["plain"], key=lambda path: -shares["plain"][path])
    table = [[path, shares["plain"][path], shares["fast"][path]] for path in order]
    print_table(
        "share of rank variance explained by a parameter", ["parameter", "plain", "fast"], table
    )
    psnr = {variant: results[variant][..., 0].tolist() for variant in VARIANTS}
    save_json(options.json, "same_conclusions", {"figures": rows, "strength": table, **psnr})
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
