"""Importance estimators on functions with known shares: ours beside other packages', on the same
trials.

    python benchmarks/importance.py [--studies 4] [--trials 48 128] [--objectives NAME ...]

An error is the largest of any parameter, in percentage points, averaged over studies. Totals are of
the function's own variance: ours are divided by the part that is explained. Peers that estimate
something else are compared with what is true of that, relative to its sum over the parameters, as
are ours (`peers.py` says which question each answers). Ours count studies that are not ranked, too.
Peers that are not installed are left out. --json saves the results after each objective.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args

import numpy as np
from importance_truth import Case, find_truth, list_cases, normalize
from peers import FloatArray, Peer, Question, list_peers, shapley_of_variance, snap
from reporting import (
    benchmark_parser,
    list_names,
    positive,
    print_table,
    require_objectives,
    save_json,
)
from scipy.stats import qmc

from analysis.importance.ped_anova import estimate_ped_anova
from analysis.importance.sobol import SobolAnalysis, estimate_sobol_shares
from analysis.stats.threads import single_threaded
from nerf.common.command_line import exit_status

OURS: dict[Question, str] = {
    "total": "ours",
    "relative": "ours, relative",
    "alone": "ours, alone",
    "best tenth": "ours, best tenth",
    "sensitivity": "ours, sensitivity",
}


@dataclass(frozen=True)
class StudyErrors:
    """Largest errors of one study by estimator, in points; whether ours are ranked."""

    errors: dict[str, float]
    ranked: bool


def simulate_study(
    case: Case, truth: dict[Question, FloatArray], trials: int, peers: Sequence[Peer], seed: int
) -> StudyErrors:
    """Draws the trials of one study and runs all estimators on them."""
    rng = np.random.default_rng(seed)
    units = snap(case.axes, qmc.Sobol(len(case.axes), rng=rng).random(trials))
    targets = case.evaluate(units) + case.draw_noise(units, rng)
    sobol = estimate_sobol_shares(units, targets, case.axes, rng)
    answers: dict[str, tuple[Question, FloatArray]] = {
        OURS[question]: (question, answer)
        for question, answer in _answer(case, sobol, units, targets, truth, rng).items()
    }
    for peer in peers:
        if peer.question in truth:
            answers[peer.name] = (
                peer.question,
                peer.estimate(case.axes, units, targets, seed),
            )
    errors = {
        name: 100.0 * float(np.abs(_on_scale(question, answer) - truth[question]).max())
        for name, (question, answer) in answers.items()
    }
    return StudyErrors(errors, sobol.importance.ranked)


def _answer(
    case: Case,
    sobol: SobolAnalysis,
    units: FloatArray,
    targets: FloatArray,
    truth: dict[Question, FloatArray],
    rng: np.random.Generator,
) -> dict[Question, FloatArray]:
    """Our answers; too few trials, or trials without any effect, give no best tenth."""
    importance, model = sobol.importance, sobol.model
    answers: dict[Question, FloatArray] = {}
    if model is not None and importance.unexplained is not None:
        shares = {s.path: s for s in importance.shares}
        explained = 1.0 - importance.unexplained.share
        total = np.array([shares[axis.path].share for axis in case.axes]) / explained
        answers["total"] = answers["relative"] = total
        if "alone" in truth:
            answers["alone"] = np.array([shares[axis.path].alone for axis in case.axes])
        if "sensitivity" in truth:
            predict = model.process.predict
            answers["sensitivity"] = shapley_of_variance(predict, case.axes, 64, 0)
    top = estimate_ped_anova(units, targets, case.axes, rng)
    if top.shares:
        by_path = {share.path: share.share for share in top.shares}
        answers["best tenth"] = np.array([by_path[axis.path] for axis in case.axes])
    return answers


def _on_scale(question: Question, answer: FloatArray) -> FloatArray:
    return answer if question == "total" else normalize(answer)


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--studies",
        type=positive,
        metavar="N",
        default=4,
        help="studies of each objective and size (default: 4)",
    )
    parser.add_argument(
        "--trials",
        type=positive,
        nargs="+",
        metavar="N",
        default=[48, 128],
        help="trials of a study (default: 48 128)",
    )
    names = [case.name for case in list_cases()]
    parser.add_argument(
        "--objectives",
        nargs="+",
        metavar="NAME",
        default=names,
        help=f"objectives to use (default: all of {list_names(names)})",
    )
    options = parser.parse(arguments)
    require_objectives(options.objectives, names)
    return options


def find_installed() -> list[Peer]:
    """The peers that are installed; prints the others."""
    for peer in list_peers():
        if not peer.installed:
            print(f"{peer.name} is left out: {peer.package} is not installed")
    return [peer for peer in list_peers() if peer.installed]


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    peers = find_installed()
    figures: dict[str, dict[str, Any]] = {str(n): {} for n in options.trials}
    for case in list_cases():
        if case.name not in options.objectives:
            continue
        began = time.perf_counter()
        truth = find_truth(case)
        for n in options.trials:
            studies = [
                simulate_study(case, truth, n, peers, seed) for seed in range(options.studies)
            ]
            figures[str(n)][case.name] = {
                "errors": average_errors(studies),
                "not ranked": sum(not s.ranked for s in studies),
            }
        print(f"{case.name}: {time.perf_counter() - began:.0f} s", flush=True)
        save_json(options.json, "importance", {"options": settings, "errors": figures})
    for question in get_args(Question):
        print_errors(question, figures, peers)
    return 0


def average_errors(studies: Sequence[StudyErrors]) -> dict[str, float]:
    """Each estimator's error, averaged over the studies that it answered."""
    names = dict.fromkeys(name for study in studies for name in study.errors)
    return {
        name: float(np.mean([s.errors[name] for s in studies if name in s.errors]))
        for name in names
    }


def print_errors(
    question: Question, figures: dict[str, dict[str, Any]], peers: Sequence[Peer]
) -> None:
    """One question: a row for each objective, `48 / 128` in each cell, and the mean."""
    columns = [OURS[question], *(p.name for p in peers if p.question == question)]
    sizes = list(figures)
    names = list(figures[sizes[0]])
    rows = []
    for name in names:
        cells = [
            " / ".join(_text(figures[n][name]["errors"].get(column)) for n in sizes)
            for column in columns
        ]
        refused = " / ".join(str(figures[n][name]["not ranked"]) for n in sizes)
        rows.append([name, *cells, refused])
    means = []
    for column in columns:
        of_sizes = []
        for n in sizes:
            errors = [figures[n][name]["errors"].get(column) for name in names]
            known = [error for error in errors if error is not None]
            of_sizes.append(_text(float(np.mean(known)) if known else None))
        means.append(" / ".join(of_sizes))
    rows.append(["mean", *means, ""])
    print_table(
        f"{question}: largest error in points, {' / '.join(sizes)} trials",
        ("objective", *columns, "studies not ranked"),
        rows,
    )


def _text(error: float | None) -> str:
    return "–" if error is None else f"{error:.1f}"


def main(arguments: list[str] | None = None) -> int:
    warnings.simplefilter("ignore")  # of convergence, by the peers
    with single_threaded():
        return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
