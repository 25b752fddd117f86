"""Do shares hold where wide sweeps are cut to the parameters that pass a test one at a time?

    python benchmarks/foreign_wide.py --sets 40 --whole 8

Sweeps of 200 to 300 random trials and 40 to 80 parameters: the objectives of `simulated` with
parameters added that do nothing, additive functions whose shares fall off slowly, and functions of
products alone. Each is analysed over the parameters that pass the test of `limit_parameters`, and
not at all where none does; the first few over all of them as well. Counted are, of the parameters
that act, how many were kept, and how many of the shares that a report prints have the truth within
their interval.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass

import numpy as np
from foreign_designs import list_steady_objectives
from reporting import ONE_THREAD, benchmark_parser, positive, print_table, save_json
from simulated.objective import FloatArray
from simulated.truth import find_truth

from analysis.findings.limits import screen_parameters
from analysis.importance.sobol import estimate_sobol_shares
from analysis.stats.intervals import SIGNIFICANCE_LEVEL
from analysis.stats.threads import single_threaded
from analysis.surrogate.unit_cube import Axis
from nerf.common.command_line import exit_status

_WIDTHS = (40, 60, 80)
_TRIALS = (200, 250, 300)
_LIVE = 1e-3  # share from which a parameter acts


@dataclass(frozen=True)
class Sweep:
    """Results of one sweep, with the true share of each parameter."""

    name: str
    units: FloatArray
    scores: FloatArray
    axes: tuple[Axis, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True)
class Outcome:
    """What one analysis made of a sweep.

    acting: parameters that act; kept: of these, in the analysis
    lost: the largest share that was set aside
    printed: shares with an interval that a report prints; covered: of these, hold the truth
    dead: printed shares of parameters that do nothing
    """

    name: str
    screened: bool
    parameters: int
    acting: int
    kept: int
    lost: float
    ranked: bool
    printed: int
    covered: int
    dead: int
    seconds: float


def draw_sweeps(count: int) -> Iterator[Sweep]:
    """Sweeps over each kind of function in turn."""
    objectives = list_steady_objectives(None)
    for index in range(count):
        rng = np.random.default_rng(index)
        width, trials = _WIDTHS[index % 3], _TRIALS[index // 3 % 3]
        if index % 3 == 0:
            yield _draw_additive(index, trials, width, rng)
        elif index % 3 == 1:
            yield _draw_products(index, trials, width, rng)
        else:
            objective = objectives[index // 3 % len(objectives)]
            truth = find_truth(objective.name)
            own = objective.snap(rng.random((trials, len(objective.axes))))
            scores = objective.mean(own) + objective.draw_noise(own, rng)
            dead = width - len(objective.axes)
            yield Sweep(
                objective.name,
                np.column_stack([own, rng.random((trials, dead))]),
                scores,
                (*objective.axes, *(Axis(f"dead{j}", f"dead{j}") for j in range(dead))),
                (*map(truth.share, objective.paths), *[0.0] * dead),
            )


def _draw_additive(index: int, trials: int, width: int, rng: np.random.Generator) -> Sweep:
    """Shares that fall off by a quarter to a twentieth from one parameter to the next, of 90 %."""
    ratio = (0.75, 0.85, 0.95)[index // 3 % 3]
    shares = ratio ** np.arange(width)
    shares *= 0.9 / shares.sum()
    units = rng.random((trials, width))
    scores = (units - 0.5) @ np.sqrt(12 * shares) + np.sqrt(0.1) * rng.normal(size=trials)
    return _make(f"additive, {ratio}", units, scores, shares)


def _draw_products(index: int, trials: int, width: int, rng: np.random.Generator) -> Sweep:
    """Products of two parameters each, of which no mean follows one alone, and 10 % noise."""
    parts = ((0.9,), (0.6, 0.3), (0.4, 0.3, 0.2))[index // 3 % 3]
    units = rng.random((trials, width))
    scores, shares = np.sqrt(0.1) * rng.normal(size=trials), np.zeros(width)
    for j, part in enumerate(parts):
        product = (units[:, 2 * j] - 0.5) * (units[:, 2 * j + 1] - 0.5)
        scores += 12 * np.sqrt(part) * product
        shares[2 * j : 2 * j + 2] = part  # each takes part in all of its variance
    return _make(f"products, {len(parts)}", units, scores, shares)


def _make(name: str, units: FloatArray, scores: FloatArray, shares: FloatArray) -> Sweep:
    axes = tuple(Axis(f"p{j}", f"p{j}") for j in range(len(shares)))
    return Sweep(name, units, scores, axes, tuple(shares.tolist()))


def analyse(sweep: Sweep, screened: bool) -> Outcome:
    """Screens, if wanted, and compares the shares with the truth."""
    began = time.process_time()
    p_values = screen_parameters(sweep.units, sweep.scores, sweep.axes)
    places = np.flatnonzero((p_values < SIGNIFICANCE_LEVEL) | (not screened))
    axes = [sweep.axes[j] for j in places]
    with single_threaded():
        importance = estimate_sobol_shares(
            sweep.units[:, places], sweep.scores, axes, np.random.default_rng(0)
        ).importance
    truth = {axis.path: share for axis, share in zip(sweep.axes, sweep.shares, strict=True)}
    acting = {path for path, share in truth.items() if share >= _LIVE}
    kept = acting & {axis.path for axis in axes}
    printed = importance.significant_shares if importance.ranked else ()
    return Outcome(
        sweep.name,
        screened,
        len(sweep.axes),
        len(acting),
        len(kept),
        max((truth[path] for path in acting - kept), default=0.0),
        importance.ranked,
        len(printed),
        sum(s.share_low <= truth[s.path] <= s.share_high for s in printed),
        sum(s.path not in acting for s in printed),
        time.process_time() - began,
    )


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--sets", type=positive, metavar="N", default=40, help="sweeps to simulate (default: 40)"
    )
    parser.add_argument(
        "--whole", type=int, metavar="N", default=8,
        help="of these, analysed over all parameters as well, a minute each (default: 8)",
    )  # fmt: skip
    return parser.parse(arguments)


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    os.environ.update(ONE_THREAD)
    outcomes: list[Outcome] = []
    for index, sweep in enumerate(draw_sweeps(options.sets)):
        for screened in (True, False)[: 2 if index < options.whole else 1]:
            outcomes.append(analyse(sweep, screened))
            print(outcomes[-1], flush=True)
            save_json(options.json, "foreign_wide", {"outcomes": [asdict(o) for o in outcomes]})
    for screened in (True, False):
        rows = [_total(kind, outcomes, screened) for kind in ("additive", "products", "simulated")]
        heads = ["sweeps of", "sets", "ranked", "kept of acting", "covered of printed", "dead"]
        over = "the parameters kept" if screened else "all parameters"
        print_table(f"Analysed over {over}", heads, rows)
    return 0


def _total(kind: str, outcomes: list[Outcome], screened: bool) -> list[str]:
    own = [o for o in outcomes if o.screened == screened and _kind(o) == kind]
    return [
        kind,
        str(len(own)),
        str(sum(o.ranked for o in own)),
        f"{sum(o.kept for o in own)} of {sum(o.acting for o in own)}",
        f"{sum(o.covered for o in own)} of {sum(o.printed for o in own)}",
        str(sum(o.dead for o in own)),
    ]


def _kind(outcome: Outcome) -> str:
    first = outcome.name.split(",")[0]
    return first if first in ("additive", "products") else "simulated"


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
