"""Does the fast path change what a study finds? The same configurations, both ways.

    python benchmarks/same_conclusions.py [--scene PATH] [--configs 40] [--json FILE]

Configurations are drawn from the default study's space; each trains with two seeds on the fast path
(bfloat16 where the processor has it, empty space left out) and on the plain one (float32, every
sample asked). Compared are the final held-out PSNR, pair by pair and against what the seed alone
changes, the order of the trials, and how strongly each parameter goes with the result.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from reporting import show, write
from scipy.stats import rankdata, spearmanr

from nerf.config.parameters import Flat, Value
from nerf.model.precision import matrix_dtype
from nerf.scenes import load
from nerf.training.loop import train
from study.search.sobol_design import explore_point
from study.spec.parse_space import DEFAULT_SETTINGS, default_space
from study.spec.space import Space

WAYS: dict[str, Flat] = {
    "fast": {},
    "plain": {"compute.precision": "fp32", "compute.occupancy": 0},
}
SEEDS = (0, 1)


def strength(space: Space, points: Sequence[Flat], psnr: np.ndarray) -> dict[str, float]:
    """Share of the variance of the trials' ranks that goes with each parameter alone, in [0, 1].

    The squared rank correlation, or for choices the variance between their means.
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


def trained(asked: argparse.Namespace) -> tuple[Space, list[Flat], dict[str, np.ndarray]]:
    """The configurations, and the (configs, seeds, 2) PSNR in dB and seconds of each way."""
    scene = load(asked.scene)
    space = default_space(DEFAULT_SETTINGS | {"optimisation.steps": asked.steps})
    space = space.within((scene.bounds.near, scene.bounds.far))
    points = [explore_point(space, 0, index) for index in range(asked.configs)]
    found = {way: np.zeros((asked.configs, len(SEEDS), 2)) for way in WAYS}
    began = time.perf_counter()
    for index, point in enumerate(points):
        for column, seed in enumerate(SEEDS):
            for way, settings in WAYS.items():
                result = train(space.config(point | settings, seed), scene)
                # A diverged run has no PSNR; 0 dB puts it last in either way's order.
                found[way][index, column] = np.nan_to_num(result.psnr), result.seconds
        fast, plain = (found[way][index, :, 0] for way in WAYS)
        print(
            f"{index + 1}/{asked.configs} {time.perf_counter() - began:.0f} s: "
            f"fast {fast.round(2)} dB, plain {plain.round(2)} dB",
            file=sys.stderr,
            flush=True,
        )
    return space, points, found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", default="bricks")
    parser.add_argument("--configs", type=int, default=40)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    space, points, found = trained(asked)
    fast, plain = found["fast"][..., 0], found["plain"][..., 0]
    between_ways = np.abs(fast - plain)
    between_seeds = np.abs(plain[:, 0] - plain[:, 1])
    pooled = spearmanr(fast.mean(1), plain.mean(1)).statistic
    again = spearmanr(plain[:, 0], plain[:, 1]).statistic
    rows: list[list[object]] = [
        ["|fast - plain|, same seed: median dB", float(np.median(between_ways))],
        ["|fast - plain|, same seed: 90th percentile dB", float(np.quantile(between_ways, 0.9))],
        ["fast - plain: mean dB", float((fast - plain).mean())],
        ["|seed 0 - seed 1|, plain: median dB", float(np.median(between_seeds))],
        ["|seed 0 - seed 1|, plain: 90th percentile dB", float(np.quantile(between_seeds, 0.9))],
        ["Spearman of the trials, fast against plain", float(pooled)],
        ["Spearman of the trials, seed 0 against seed 1, plain", float(again)],
        [
            "time of plain / fast, median trial",
            statistics.median((found["plain"][..., 1] / found["fast"][..., 1]).ravel().tolist()),
        ],
    ]
    products = matrix_dtype("auto", torch.device("cpu"))
    print(f"the fast path multiplies in {products}")
    title = f"{asked.configs} configurations x {len(SEEDS)} seeds, {asked.steps} steps"
    show(f"{title}, {asked.scene}", ["figure", "value"], rows)
    shares = {way: strength(space, points, found[way][..., 0].mean(1)) for way in WAYS}
    order = sorted(shares["plain"], key=lambda path: -shares["plain"][path])
    table = [[path, shares["plain"][path], shares["fast"][path]] for path in order]
    show("share of rank variance that goes with a parameter", ["parameter", "plain", "fast"], table)
    write(
        asked.json,
        "same_conclusions",
        {"figures": rows, "strength": table, "fast": fast.tolist(), "plain": plain.tolist()},
    )


if __name__ == "__main__":
    main()
