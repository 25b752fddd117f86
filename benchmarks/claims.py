"""How often is each kind of claim false? Simulated studies with known truth, scored claim by claim.

    python benchmarks/claims.py --trials 24 48 128 --studies 40 --processes 2

Every study is written, read and analysed like a real one, and each claim of its report is compared
with the truth of its objective, found by brute force. A false claim is one whose interval misses
the truth, or whose values are not as good, or not as bad, as it says. Every two studies of an
objective are compared with each other as well, and sets of five studies of one design on several
scenes (see simulated/study_sets.py) are scored by what is claimed of all of them. "Unsaid" is the
part of the true things of some size (see simulated/unsaid.py) that no claim says. The engine was
tuned on the "tuned" half of the objectives; what results of the "reported" half have changed stands
in LOG.md.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.pool
import os
import sys
import time
from collections.abc import Sequence
from typing import get_args

from reporting import (
    ONE_THREAD,
    benchmark_parser,
    list_names,
    positive,
    print_table,
    require_objectives,
    save_json,
)
from simulated.objective import Half
from simulated.objectives import find_objective, list_objectives
from simulated.score_sets import SetCase, score_set
from simulated.scoring import NOT_SCORED, Case
from simulated.simulate_study import simulate_study
from simulated.study_sets import SET_KINDS, SET_SIZE, SetKind, find_set_kind, make_set
from simulated.tally import (
    KIND_COLUMNS,
    OBJECTIVE_COLUMNS,
    NamedShare,
    Score,
    kind_rows,
    objective_rows,
    score_pair,
    score_studies_of_set,
    score_study,
)
from simulated.truth import find_truth

from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import list_claims
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.comparison import compare_studies
from nerf.common.command_line import exit_status

Task = tuple[str, int, tuple[int, ...]]
"""Objective, explore trials, indices of one or two studies; or kind of sets, and index of one."""


def score_studies(task: Task) -> list[Score]:
    """Simulates, analyses and scores one or two studies, and the comparison of two."""
    name, trials, indices = task
    if (kind := find_set_kind(name)) is not None:
        return [score_one_set(kind, trials, index) for index in indices]
    truth = find_truth(name)
    scores, analysed = [], []
    for index in indices:
        study = simulate_study(find_objective(name), trials, index)
        began = time.process_time()
        findings = analyze_study(study)
        claims = list_claims(findings)
        seconds = time.process_time() - began
        analysed.append(findings)
        scores.append(score_study(claims, named_shares(findings), Case(truth, study), seconds))
    if all(findings.importance.ranked for findings in analysed) and len(analysed) == 2:
        comparison = compare_studies(analysed)
        claims = list_comparison_claims(comparison)
        scores[-1].verdicts.update(score_pair(claims, len(comparison.parameters), truth))
    return scores


def score_one_set(kind: SetKind, trials: int, index: int) -> Score:
    """Simulates, analyses and compares the studies of one set, and scores the claims on all."""
    of_set = make_set(kind, index)
    studies = {
        label: simulate_study(objective, trials, i)
        for i, (label, objective) in enumerate(of_set.objectives.items())
    }
    comparison = compare_studies([analyze_study(study) for study in studies.values()])
    assert comparison.breaking is not None
    claims = list_comparison_claims(comparison)
    case = SetCase(of_set, of_set.truths, studies)
    return score_studies_of_set(kind.name, trials, score_set(claims, comparison.breaking, case))


def named_shares(findings: Findings) -> list[NamedShare]:
    """All shares with their intervals; none if the parameters are not ranked."""
    importance = findings.importance
    if not importance.ranked:
        return []
    return [NamedShare(s.path, s.share_low, s.share_high, s.significant) for s in importance.shares]


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--trials",
        nargs="+",
        type=positive,
        metavar="N",
        default=[24, 48, 128],
        help="explore trials of a study (default: 24 48 128)",
    )
    parser.add_argument(
        "--studies",
        type=positive,
        metavar="N",
        default=40,
        help="studies of each objective and size, or of all sets of a kind (default: 40)",
    )
    names = [o.name for o in (*list_objectives(), *SET_KINDS)]
    parser.add_argument(
        "--objectives",
        nargs="+",
        metavar="NAME",
        default=names,
        help=f"objectives and kinds of sets to use (default: all of {list_names(names)})",
    )
    parser.add_argument(
        "--half", choices=get_args(Half), help="only one half of the objectives (default: both)"
    )
    parser.add_argument(
        "--processes", type=positive, metavar="N", default=1, help="processes at once (default: 1)"
    )
    options = parser.parse(arguments)
    require_objectives(options.objectives, names)
    return options


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    chosen = [
        objective.name
        for objective in (*list_objectives(), *SET_KINDS)
        if objective.name in options.objectives
        and options.half in (None, getattr(objective, "half", "reported"))
    ]
    # Spawned processes load their own BLAS, which reads these variables once.
    os.environ.update(ONE_THREAD)
    scores: list[Score] = []
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        for name in chosen:
            for trials in options.trials:
                scores += _score_studies(pool, name, trials, options.studies)
                documents = [score.to_json() for score in scores]
                save_json(options.json, "claims", {"options": settings, "studies": documents})
    _print_tables(scores)
    return 0


def _score_studies(
    pool: multiprocessing.pool.Pool, name: str, trials: int, count: int
) -> list[Score]:
    began = time.perf_counter()
    of_sets = find_set_kind(name) is not None
    count, together = (-(-count // SET_SIZE), 1) if of_sets else (count, 2)
    tasks = [
        (name, trials, tuple(range(first, min(first + together, count))))
        for first in range(0, count, together)
    ]
    scores = [score for pair in pool.imap(score_studies, tasks) for score in pair]
    false = sum(false for score in scores for _, false, _ in score.verdicts.values())
    print(
        f"{name}, {trials} trials: {count} {'sets' if of_sets else 'studies'} in "
        f"{time.perf_counter() - began:.0f} s, {false} false claims",
        flush=True,
    )
    return scores


def _print_tables(all_scores: Sequence[Score]) -> None:
    of_sets = [score for score in all_scores if find_set_kind(score.objective)]
    if of_sets:
        print_table("Claims on sets of studies", KIND_COLUMNS, kind_rows(of_sets))
    scores = [score for score in all_scores if not find_set_kind(score.objective)]
    if not scores:
        return
    reported = [s for s in scores if find_objective(s.objective).half == "reported"]
    if 0 < len(reported) < len(scores):
        print_table("Claims, reported half", KIND_COLUMNS, kind_rows(reported))
    print_table("Claims, all objectives", KIND_COLUMNS, kind_rows(scores))
    print_table("Shares of the variance of PSNR", OBJECTIVE_COLUMNS, objective_rows(scores))
    print_table("Kinds that are not scored", ("kind", "why"), list(NOT_SCORED.items()))


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
