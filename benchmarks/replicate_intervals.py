"""Coverage of the intervals that rest on replicates, on simulated studies with known truth.

    python benchmarks/replicate_intervals.py --studies 200

1. The spread of a typical configuration, beside a pooled variance (chi-squared) and a t interval of
   bias-corrected log deviations: 3 to 16 configurations with 2 to 5 runs, log deviations of spread
   tau, also with heavy tails of tau's distribution or of PSNR (Student's t, 3 and 5 degrees).
   The model's prior was chosen on the cases of normal tails, with other draws.
2. The seeds' part of the variance: 40 explored runs, some configurations repeated once. That it is
   at most 100 % was made part of the model on the first half of these cases.
3. Best against default, with the winner's curse: 56 configurations without any difference, of which
   the one of the highest first run is repeated 4 times; the default has 5 runs. A seed that both
   share makes their runs correlated. "Naive" counts the selected run too. Power is at a true
   difference of twice the larger standard deviation.
4. The F test of lack of fit where nothing is missed: how often p < 5 %.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from reporting import benchmark_parser, positive, print_table, save_json
from scipy.special import digamma
from scipy.stats import chi2, t

from analysis.stats.intervals import INTERVAL_QUANTILES, FloatArray
from analysis.stats.lack_of_fit import lack_of_fit
from analysis.stats.seed_spread import estimate_seed_part, estimate_seed_spread
from analysis.stats.welch import compare_means
from nerf.common.command_line import exit_status

Row = tuple[object, ...]
TYPICAL = 0.2
"""dB; the true deviation of a typical configuration."""


def draw_deviations(rng: np.random.Generator, count: int, tau: float, tails: str) -> FloatArray:
    """Standard deviations of `count` configurations, with median `TYPICAL`."""
    z = rng.standard_t(3, count) / 3**0.5 if tails == "configurations" else rng.normal(size=count)
    return np.asarray(TYPICAL * np.exp(tau * z))


def draw_runs(
    rng: np.random.Generator, deviations: FloatArray, runs: int, tails: str = ""
) -> list[FloatArray]:
    """The deviations of `runs` runs of each configuration from its mean."""
    shape = (len(deviations), runs)
    noise = rng.standard_t(5, shape) / (5 / 3) ** 0.5 if tails == "PSNR" else rng.normal(size=shape)
    return list(deviations[:, None] * noise)


def pooled_interval(groups: list[FloatArray]) -> tuple[float, float]:
    """The 95 % interval of one deviation for all, from the pooled variance."""
    freedom = sum(len(g) - 1 for g in groups)
    squares = sum((len(g) - 1) * g.var(ddof=1) for g in groups)
    high, low = np.sqrt(squares / chi2.ppf(INTERVAL_QUANTILES, freedom))
    return float(low), float(high)


def log_t_interval(groups: list[FloatArray]) -> tuple[float, float]:
    """The t interval of the mean log deviation, each corrected for its bias."""
    freedom = np.array([len(g) - 1 for g in groups])
    logs = 0.5 * np.log([g.var(ddof=1) for g in groups])
    logs -= 0.5 * (digamma(freedom / 2) - np.log(freedom / 2))
    half = t.ppf(INTERVAL_QUANTILES[1], len(logs) - 1) * logs.std(ddof=1) / len(logs) ** 0.5
    return float(np.exp(logs.mean() - half)), float(np.exp(logs.mean() + half))


def model_interval(groups: list[FloatArray]) -> tuple[float, float]:
    """The interval of this program."""
    spread = estimate_seed_spread(groups)
    assert spread is not None
    return spread.low, spread.high


METHODS: dict[str, Callable[[list[FloatArray]], tuple[float, float]]] = {
    "pooled": pooled_interval,
    "log t": log_t_interval,
    "model": model_interval,
}


def score_typical(rng: np.random.Generator, studies: int) -> Iterator[Row]:
    """Coverage (%) of the typical deviation, and the median ratio of the interval's ends."""
    cases = [(m, 2, tau, "") for m in (3, 5, 8, 16) for tau in (0.0, 0.5, 1.0, 1.5)]
    cases += [(m, n, tau, "") for m in (3, 5, 8, 16) for n in (3, 5) for tau in (0.0, 0.5, 1.5)]
    cases += [
        (m, 2, tau, tails)
        for tails in ("configurations", "PSNR")
        for m in (3, 8, 16)
        for tau in (0.5, 1.5)
    ]
    for m, n, tau, tails in cases:
        samples = [
            draw_runs(rng, draw_deviations(rng, m, tau, tails), n, tails) for _ in range(studies)
        ]
        row: list[object] = [m, n, tau, tails or "normal"]
        for method in METHODS.values():
            ends = np.array([method(groups) for groups in samples])
            covered = (ends[:, 0] <= TYPICAL) & (ends[:, 1] >= TYPICAL)
            row += [100.0 * float(covered.mean()), float(np.median(ends[:, 1] / ends[:, 0]))]
        yield tuple(row)


def score_part(rng: np.random.Generator, studies: int) -> Iterator[Row]:
    """Coverage (%) of the seeds' part of the variance, and the interval's median width."""
    for m in (4, 8, 12):
        for tau in (0.0, 0.5, 1.0, 1.5):
            for part in (0.05, 0.3, 0.6):
                ends = []
                for _ in range(studies):
                    # Deviations whose mean square is `part`, beside effects that make up the rest.
                    deviations = np.exp(tau * rng.normal(size=40) - tau**2) * part**0.5
                    first, again = rng.normal(size=(2, 40)) * deviations
                    groups = [np.array(pair) for pair in zip(first[:m], again[:m], strict=True)]
                    psnr = rng.normal(size=40) * (1 - part) ** 0.5 + first
                    seed_part = estimate_seed_part(groups, psnr)
                    assert seed_part is not None
                    ends.append((seed_part.low, seed_part.high))
                low, high = np.array(ends).T
                covered = 100.0 * float(((low <= part) & (high >= part)).mean())
                yield m, tau, 100.0 * part, covered, 100.0 * float(np.median(high - low))


def score_difference(rng: np.random.Generator, studies: int) -> Iterator[Row]:
    """Coverage (%) of a difference of 0 after selection, and power (%)."""
    for ratio in (1.0, 3.0):
        for correlation in (0.0, 0.1, 0.5, 0.85):
            covered: dict[str, list[bool]] = {"naive": [], "Welch": [], "paired": []}
            significant: dict[str, list[bool]] = {"Welch": [], "paired": []}
            for _ in range(studies):
                selected = rng.normal(size=56).max()
                shared = rng.normal(size=4) * correlation**0.5
                own = rng.normal(size=(2, 4)) * (1 - correlation) ** 0.5
                best = shared + own[0]
                again = ratio * (shared + own[1])
                default = np.append(ratio * rng.normal(), again)
                shift = 2.0 * max(ratio, 1.0)
                for name, first, second in (
                    ("naive", np.append(best, selected), default),
                    ("Welch", best, default),
                    ("paired", best - again, None),
                ):
                    low, high = _interval(first, second)
                    covered[name].append(low <= 0 <= high)
                    if name in significant:
                        significant[name].append(low + shift > 0)
            yield (
                ratio,
                correlation,
                *(100.0 * float(np.mean(v)) for v in covered.values()),
                *(100.0 * float(np.mean(v)) for v in significant.values()),
            )


def _interval(first: FloatArray, second: FloatArray | None) -> tuple[float, float]:
    if second is None:  # paired differences
        half = t.ppf(0.975, len(first) - 1) * first.std(ddof=1) / len(first) ** 0.5
        return float(first.mean() - half), float(first.mean() + half)
    difference = compare_means(first, second)
    assert difference is not None
    return difference.low, difference.high


def score_lack_of_fit(rng: np.random.Generator, studies: int) -> Iterator[Row]:
    """How often (%) a surrogate that misses nothing is rejected at 5 %."""
    for pure in (4, 8, 16):
        for tau in (0.0, 0.5, 1.0):
            p_values = []
            for _ in range(10 * studies):
                residuals = draw_deviations(rng, 40, tau, "") * rng.normal(size=40)
                groups = draw_runs(rng, draw_deviations(rng, pure, tau, ""), 2)
                within = sum(float(g.var(ddof=1)) for g in groups)
                p_values.append(lack_of_fit(float((residuals**2).sum()), 40, within, pure))
            yield pure, tau, 100.0 * float(np.mean(np.array(p_values) < 0.05))


TABLES: dict[str, tuple[Callable[[np.random.Generator, int], Iterator[Row]], tuple[str, ...]]] = {
    "Deviation of a typical configuration": (
        score_typical,
        (
            "configurations",
            "runs each",
            "tau",
            "tails",
            *(f"{name}: {what}" for name in METHODS for what in ("covered, %", "high / low")),
        ),
    ),
    "Seeds' part of the variance": (
        score_part,
        ("configurations", "tau", "true part, %", "covered, %", "width, points"),
    ),
    "Best minus default": (
        score_difference,
        (
            "deviation of the default / of the best",
            "correlation",
            *("naive: covered, %", "Welch: covered, %", "paired: covered, %"),
            *("Welch: power, %", "paired: power, %"),
        ),
    ),
    "Lack of fit where there is none": (
        score_lack_of_fit,
        ("configurations run twice", "tau", "rejected, %"),
    ),
}


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--studies", type=positive, default=200, help="studies of each case (default: 200)"
    )
    return parser.parse(arguments)


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    results: dict[str, Any] = {"studies": options.studies}
    for title, (score, columns) in TABLES.items():
        rows = list(score(np.random.default_rng(0), options.studies))
        print_table(title, columns, rows)
        results[title] = [dict(zip(columns, row, strict=True)) for row in rows]
    save_json(options.json, "replicate_intervals", results)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
