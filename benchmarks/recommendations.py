"""How often is advice false? Simulated studies with known truth: what to set, and what comes next.

    python benchmarks/recommendations.py --half reported --trials 48 128 --studies 4

A configuration or value to set is false if it is truly worse than the default, or if five more of a
hundred runs break with it; the values around it if one of them loses more than the margin; a kept
default if it loses more than stated. A range may be true and yet not hold the best value, which is
counted as well. A next study is run on the same objective, over the ranges and with the trials that
are proposed: does it rank the parameters, or settle what was open? The method was chosen on the
"tuned" half of the objectives. A study of 128 trials takes some 20 s of processor time.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from typing import get_args

import numpy as np
from reporting import benchmark_parser, positive, print_table, save_json
from scipy.stats import binomtest
from simulated.objective import FloatArray, Function, Half, Objective
from simulated.objectives import list_objectives
from simulated.scoring import NEGLIGIBLE_LOSS, Case, score_claim
from simulated.simulate_study import simulate_study
from simulated.truth import Truth, find_truth
from simulated.value_sets import ValueSet

from analysis.claims.claim import Claim, Kind
from analysis.claims.list_claims import list_claims
from analysis.findings.analyze_study import Findings, analyze_study
from analysis.findings.next_study import NextStudy, plan_next_study
from analysis.findings.recommendation import recommend
from nerf.common.command_line import exit_status
from nerf.config.parameters import Value
from study.spec.parse_space import format_dimension

_ADVICE: tuple[Kind, ...] = ("what_to_set", "set_value", "keep_value")
_COLUMNS = (
    "what is said",
    "trials",
    "given",
    "false",
    "false, %",
    "95 % interval",
    "worst objective",
)

Outcome = tuple[str, bool]
"""What is counted, and whether it is true."""


def examine_study(objective: Objective, trials: int, index: int) -> list[Outcome]:
    """Every piece of advice of one study, and what comes of the next one."""
    study = simulate_study(objective, trials, index)
    findings, truth = analyze_study(study), find_truth(objective.name)
    case, outcomes = Case(truth, study), []
    for claim in list_claims(findings):
        if claim.kind in _ADVICE and (verdict := score_claim(claim, case)) != "not scored":
            outcomes.append((_name(claim, findings), verdict == "true"))
        if claim.kind == "set_value":
            outcomes.append(("a range holds the best value", _holds_best(claim, truth)))
    plan = plan_next_study(findings, recommend(findings))
    if not objective.foreign and plan.aim in ("rank", "decide"):
        outcomes.append(_run_next(objective, plan, index))
    return outcomes


def _name(claim: Claim, findings: Findings) -> str:
    if claim.kind == "what_to_set":
        proved = recommend(findings).source == "best"
        return "train the best configuration" if proved else "set values together"
    return "set a value" if claim.kind == "set_value" else "keep a value"


def _holds_best(claim: Claim, truth: Truth) -> bool:
    """Whether one of the good values is as good as the truly best one."""
    values = ValueSet.parse(claim.parameters[-1])
    dimension = truth.objective.dimensions[truth.objective.paths.index(values.path)]
    inside = values.select(dimension, truth.profile(values.path).grid)
    return bool(truth.losses(values.path)[inside].min() < NEGLIGIBLE_LOSS)


def _run_next(objective: Objective, plan: NextStudy, index: int) -> Outcome:
    """Runs the proposed study: are its parameters ranked, or what was open settled?"""
    if plan.aim == "rank":
        findings = analyze_study(simulate_study(objective, plan.explore, index))
        return "the next study ranks", findings.importance.ranked
    narrowed = narrow_objective(objective, plan)
    findings = analyze_study(simulate_study(narrowed, plan.explore, index))
    left = [p for p in recommend(findings).parameters if p.advice == "open" and p.matters]
    return "the next study settles", not left and findings.importance.ranked


def narrow_objective(objective: Objective, plan: NextStudy) -> Objective:
    """The objective over the next study's space, all else at its default or as it fixes it."""
    base = {**objective.space.defaults(), **(plan.fixed or {})}

    def at(point: FloatArray) -> list[float]:
        new = {d.path: d.from_unit(u) for d, u in zip(plan.dimensions, point, strict=True)}
        values: Mapping[str, Value] = {**base, **new}
        units = [d.to_unit(values[d.path]) for d in objective.dimensions]
        return [min(max(u, 0.0), 1.0 - 1e-9) for u in units]  # flat beyond the first space

    def through(function: Function) -> Callable[[FloatArray], FloatArray]:
        return lambda u: function(np.array([at(point) for point in u]))

    functions = {
        name: through(getattr(objective, name))
        for name in ("mean", "noise", "collapse", "silent", "early", "seconds")
    }
    vary = tuple(map(format_dimension, plan.dimensions))
    return dataclasses.replace(objective, vary=vary, **functions)


def _rows(counts: Mapping[tuple[str, int], list[tuple[str, bool]]]) -> Iterator[list[object]]:
    for (what, trials), outcomes in sorted(counts.items()):
        given, false = len(outcomes), sum(not true for _, true in outcomes)
        interval = binomtest(false, given).proportion_ci(0.95, method="wilson")
        missed = [name for name, true in outcomes if not true]
        worst = max(set(missed), key=missed.count) if missed else ""
        yield [
            what, trials, given, false, 100.0 * false / given,
            f"{100 * interval.low:.1f} to {100 * interval.high:.1f}",
            f"{worst} ({missed.count(worst)})" if worst else "",
        ]  # fmt: skip


def parse_options(arguments: list[str] | None) -> argparse.Namespace:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--trials", nargs="+", type=positive, metavar="N", default=[48, 128],
        help="explore trials of a study (default: 48 128)",
    )  # fmt: skip
    parser.add_argument(
        "--studies", type=positive, metavar="N", default=4,
        help="studies of each objective and size (default: 4)",
    )  # fmt: skip
    parser.add_argument(
        "--half", choices=get_args(Half), help="only one half of the objectives (default: both)"
    )
    return parser.parse(arguments)


def run_benchmark(arguments: list[str] | None) -> int:
    options = parse_options(arguments)
    counts: dict[tuple[str, int], list[tuple[str, bool]]] = defaultdict(list)
    for index in range(options.studies):
        for objective in list_objectives():
            if options.half not in (None, objective.half):
                continue
            for trials in options.trials:
                for what, true in examine_study(objective, trials, index):
                    counts[what, trials].append((objective.name, true))
        rows = list(_rows(counts))
        save_json(options.json, "recommendations", {"rows": rows})
    print_table("Advice", _COLUMNS, rows)
    return 0


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
