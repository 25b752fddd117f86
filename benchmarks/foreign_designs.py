"""What does the analysis make of sweeps that a random search, an optimiser or a person chose?

    python benchmarks/foreign_designs.py --half reported --trials 64 128 --sweeps 20 --scored 2

Sweeps over objectives with known truth, proposed by Optuna's samplers, by a person's steps from the
best so far, with correlated parameters, and in orders that a script fixed before any result: grids
in nested loops (cut short, resumed, in parallel, with failures), sorted rows, blocks, one parameter
at a time. The first table counts which design the analysis takes them for: an optimiser that passes
as space-filling would be analysed as if it had sampled the prior, and a grid that passes as an
optimiser's makes the report say that results decided where trials lie. The second counts the claims
of each kind that are false. Of each sampler `moves` and `top_given_others` are false if the
parameter has no effect. Grids vary other parameters than their objective; their claims are not
scored.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from reporting import ONE_THREAD, benchmark_parser, positive, print_table, save_json
from simulated.foreign_sweeps import SAMPLERS, is_grid, missing_package, simulate_sweep
from simulated.objective import NEVER, Half, Objective
from simulated.objectives import list_objectives
from simulated.scoring import Case
from simulated.tally import KIND_COLUMNS, Score, kind_rows, score_study
from simulated.truth import find_truth

from analysis.claims.claim import Kind
from analysis.claims.list_claims import list_claims
from analysis.data.design import DesignKind
from analysis.external.design import add_design
from analysis.findings.analyze_study import analyze_study
from nerf.common.command_line import exit_status
from nerf.common.errors import InputError, closest

_SCORED: tuple[Kind, ...] = (
    "share", "share_alone", "interaction", "unexplained", "moves", "top_tenth", "top_given_others",
    "best_value", "as_good", "worse", "edge_of_range",
)  # fmt: skip

Design = tuple[str, int, DesignKind]
"""Sampler, trials, and what they were taken for."""


def list_steady_objectives(half: Half | None) -> list[Objective]:
    """The objectives of which every run trains, as other tools' records know no others."""
    return [
        objective
        for objective in list_objectives()
        if half in (None, objective.half)
        and objective.collapse is NEVER
        and objective.silent is NEVER
        and not objective.foreign
    ]


def score_sweeps(
    options: argparse.Namespace, sampler: str, trials: int
) -> Iterator[tuple[Design, Score | None]]:
    """The design of each sweep of one sampler and size, and the score of its claims if wanted."""
    for objective in list_steady_objectives(options.half):
        for index in range(max(options.sweeps, options.scored)):
            study = add_design(simulate_sweep(objective, sampler, trials, index))
            assert study.design is not None
            score = None
            if index < options.scored and not is_grid(sampler):
                claims = [c for c in list_claims(analyze_study(study)) if c.kind in _SCORED]
                score = score_study(claims, [], Case(find_truth(objective.name), study))
            yield (sampler, trials, study.design.kind), score


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--sweeps", type=positive, metavar="N", default=20,
        help="sweeps of each sampler, objective and size (default: 20)",
    )  # fmt: skip
    parser.add_argument(
        "--scored", type=int, metavar="N", default=2,
        help="of these, sweeps whose claims are scored, a few seconds each (default: 2)",
    )  # fmt: skip
    parser.add_argument(
        "--trials", nargs="+", type=positive, metavar="N", default=[64, 128],
        help="trials of a sweep (default: 64 128)",
    )  # fmt: skip
    parser.add_argument(
        "--samplers", nargs="+", metavar="NAME", default=list(SAMPLERS),
        help=f"default: all of {', '.join(SAMPLERS)}",
    )  # fmt: skip
    parser.add_argument("--half", choices=get_args(Half), help="one half of the objectives only")
    options = parser.parse(arguments)
    for name in options.samplers:
        if name not in SAMPLERS:
            raise InputError(f"unknown sampler {name}{closest(name, list(SAMPLERS))}")
    return options


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    os.environ.update(ONE_THREAD)
    designs: list[Design] = []
    scores: dict[str, list[Score]] = {}
    for sampler in options.samplers:
        if package := missing_package(sampler):
            print(f"{sampler} is left out: {package} is not installed")
            continue
        for trials in options.trials:
            began = time.perf_counter()
            for design, score in score_sweeps(options, sampler, trials):
                designs.append(design)
                if score is not None:
                    scores.setdefault(sampler, []).append(score)
            print(f"{sampler}, {trials} trials: {time.perf_counter() - began:.0f} s", flush=True)
            save_json(options.json, "foreign_designs", _collect(options, designs, scores))
    _print_designs(designs)
    for sampler, several in scores.items():
        print_table(f"Claims on sweeps of {sampler}", KIND_COLUMNS, kind_rows(several))
    return 0


def _collect(
    options: argparse.Namespace, designs: Sequence[Design], scores: Mapping[str, Sequence[Score]]
) -> dict[str, Any]:
    settings = {key: value for key, value in vars(options).items() if key != "json"}
    documents = {sampler: [s.to_json() for s in several] for sampler, several in scores.items()}
    return {"options": settings, "designs": designs, "scores": documents}


def _print_designs(designs: Sequence[Design]) -> None:
    kinds, counts = get_args(DesignKind), Counter(designs)
    rows = [
        [sampler, trials, *(counts[sampler, trials, kind] or "" for kind in kinds)]
        for sampler, trials in dict.fromkeys((s, n) for s, n, _ in designs)
    ]
    heads = ["sampler", "trials", *kinds]
    print_table("Sweeps by sampler and the design they are taken for", heads, rows)


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
