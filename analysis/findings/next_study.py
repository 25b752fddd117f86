"""Plans the next study worth running: over which ranges, and with how many trials.

Where most runs show nothing, longer training; where nothing is ranked, more trials of the same
space; where the values of a parameter that matters are open, a narrower space without the values
proved worse, wider at an edge beyond which the best value may lie; where only the best
configuration and the default have too few runs to be compared, more seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.partial_dependence import EffectCurve
from analysis.findings.recommendation import Recommendation, ValueAdvice, tolerated_loss
from nerf.config.condition import Term, parse_condition
from nerf.config.parameters import Value
from study.records.outcomes import BROKEN, SHOWS_NOTHING
from study.spec.space import SCENE_SCALED, Dimension
from study.trainers.parameter_set import ParameterSet

MORE_TRIALS = 4
"""Times the explored trials with which a study that ranks nothing is repeated: intervals are then
half as wide, and R² need be half as high. How many of such studies then rank is counted in
benchmarks/recommendations.py."""

LONGER = 4
"""Times the steps of a study in which most runs complete and show nothing."""

_MIN_BROKEN = 3
"""Explored trials before more of the same are said to be no use."""

_LEAST = 48
"""Explored trials that a next study has at least: fewer rank little."""

_CELLS = 4
"""Parts of a range whose mean results are to be told apart; of choices each counts."""

_BEYOND = 0.5  # of the searched range, by which an edge is moved outwards


@dataclass(frozen=True)
class NextStudy:
    """What to run next.

    aim: "train" at all, "rank" the parameters, "decide" between values, "compare" the best
    configuration with the default, or "" where nothing is open
    dimensions: what varies, over the new ranges; the parameters in question first
    fixed: what is set because it varies no more: the recommended values other than defaults
    explore: explored trials in all; 0 for "compare"
    steps: of each trial, where it is to have more than in this study
    narrowed, widened: the labels of parameters with a smaller or a larger range
    of_branches: parameters of branches that the new study has, which vary as before
    """

    aim: Literal["train", "rank", "decide", "compare", ""]
    dimensions: tuple[Dimension, ...] = ()
    fixed: Mapping[str, Value] | None = None
    explore: int = 0
    steps: int = 0
    narrowed: tuple[str, ...] = ()
    widened: tuple[str, ...] = ()
    of_branches: tuple[Dimension, ...] = ()

    @property
    def varied(self) -> tuple[Dimension, ...]:
        """All that varies."""
        return (*self.dimensions, *self.of_branches)


def plan_next_study(findings: Findings, recommended: Recommendation) -> NextStudy:
    """The next study on the same scene; of the same budget, but where runs are too short."""
    study = findings.study
    outcomes = study.trials.loc[study.trials["phase"] == "explore", "outcome"]
    explored = len(outcomes)
    if study.has_variants:
        return NextStudy("")
    ranked = findings.importance.ranked
    too_short = (outcomes == SHOWS_NOTHING).sum() > explored / 2
    is_useless = outcomes.isin(BROKEN).all() or (too_short and not ranked)
    if explored >= _MIN_BROKEN and is_useless:
        # More steps do not help runs that collapse.
        longer = LONGER * study_steps(study) if too_short else 0
        # As many as were planned, also where the study has not ended.
        planned = max(explored, int(study.spec.get("explore", 0)))
        return NextStudy("train", study.varied, {}, planned, longer)
    if not ranked:
        needed = max(_LEAST, MORE_TRIALS * explored)
        return NextStudy("rank", study.varied, {}, needed)
    curves = {e.path: e.curve for e in findings.effects if e.curve is not None}
    known = study.space.parameters
    in_question = [
        p for p in recommended.parameters if _is_open(p, curves[p.dimension.path], known)
    ]
    if in_question:
        return _plan_to_decide(findings, recommended, in_question, curves)
    both = findings.best_and_default
    # The best is proved without a difference where the default never trains.
    undecided = both is not None and both.difference is None and recommended.source != "best"
    return NextStudy("compare" if undecided else "")


def study_steps(study: Study) -> int:
    """Training steps of a full trial."""
    return int(study.spec.get("steps", 300))


def _is_open(advice: ValueAdvice, curve: EffectCurve, parameters: ParameterSet) -> bool:
    """Whether more trials may tell what to set a parameter that matters to."""
    old = advice.dimension
    return advice.matters and (
        advice.advice == "open" or _move_edge(old, curve, parameters) != _ends(old)
    )


def _plan_to_decide(
    findings: Findings,
    recommended: Recommendation,
    in_question: Sequence[ValueAdvice],
    curves: Mapping[str, EffectCurve],
) -> NextStudy:
    dimensions, narrowed, widened = [], [], []
    for advice in in_question:
        old, curve = advice.dimension, curves[advice.dimension.path]
        default = findings.study.defaults.get(old.path)
        new = _narrow(old, curve, default)
        low, high = _move_edge(old, curve, findings.study.space.parameters)
        if new != old:
            narrowed.append(old.label)
        if (low, high) != _ends(old):
            widened.append(old.label)
            new = replace(new, low=min(low, new.low), high=max(high, new.high))
        dimensions.append(new)
    varied = {d.path for d in dimensions}
    fixed = {p: v for p, v in recommended.values.items() if p not in varied}
    needed = _count_trials(findings, dimensions)
    kept = _list_of_branches(findings, dimensions, fixed)
    ranges = tuple(narrowed), tuple(widened)
    return NextStudy("decide", tuple(dimensions), fixed, needed, 0, *ranges, kept)


def _list_of_branches(
    findings: Findings, dimensions: Sequence[Dimension], fixed: Mapping[str, Value]
) -> tuple[Dimension, ...]:
    """The parameters of branches that act in some trials of a study of these dimensions.

    Nothing here has settled them: what is in question are parameters that all trials have.
    """
    space = findings.study.whole_space
    usual = {**dict(space.parameter_defaults), **dict(space.fixed), **fixed}
    conditional = {d.path: d for d in space.dimensions if d.when and d.path not in fixed}
    varied = {d.path: d for d in dimensions} | conditional

    def may_hold(term: Term) -> bool:
        if term.path in conditional and not may_act(conditional[term.path]):
            return False
        parent = varied.get(term.path)
        values = parent.choices if parent else (usual[term.path],)
        return not values or any(map(term.holds, values))  # a range has no choices

    def may_act(dimension: Dimension) -> bool:
        return all(map(may_hold, parse_condition(dimension.when)))

    return tuple(filter(may_act, conditional.values()))


def _count_trials(findings: Findings, dimensions: Sequence[Dimension]) -> int:
    """Explored trials after which means of two values differ by half the tolerated loss or more.

    All else is fixed, so that what is left is chance. The difference of two means of m results each
    has a standard error of sd sqrt(2 / m), and twice that is to be half the tolerance.
    """
    unexplained, spread = findings.importance.unexplained, findings.seeds.spread
    if spread is not None:
        variance = spread.deviation**2
    else:  # chance, and what the surrogate misses
        scores = findings.comparable.trials["score"].to_numpy(dtype=float)
        variance = float(scores.var()) * (unexplained.share if unexplained else 1.0)
    each = 8.0 * variance / (tolerated_loss(findings.study) / 2.0) ** 2
    cells = sum(len(d.choices) or _CELLS for d in dimensions)
    return max(_LEAST, int(2 ** math.ceil(math.log2(max(each * cells, 1.0)))))


def _narrow(dimension: Dimension, curve: EffectCurve, default: Value | None) -> Dimension:
    """The dimension without values proved worse at its ends, but with the default.

    Whole if too little is left.
    """
    verdicts = zip(curve.values, curve.verdicts, strict=True)
    left = [v for v, verdict in verdicts if verdict != "worse" or v == default]
    if dimension.choices:
        choices = tuple(c for c in dimension.choices if c in left)
        few = len(choices) < 2 or bool(dimension.weights)
        return dimension if few else replace(dimension, choices=choices)
    if dimension.step or not left:
        return dimension
    low, high = _ends(dimension)
    # Nodes of the curve lie within the range: its first and last one stand for the ends.
    if left[0] != curve.values[0]:
        low = max(low, _round(float(left[0]), math.floor))
    if left[-1] != curve.values[-1]:
        high = min(high, _round(float(left[-1]), math.ceil))
    if default is not None:
        low, high = min(low, float(default)), max(high, float(default))
    return replace(dimension, low=low, high=high) if low < high else dimension


def _ends(dimension: Dimension) -> tuple[float, float]:
    return dimension.low, dimension.high


def _move_edge(
    dimension: Dimension, curve: EffectCurve, parameters: ParameterSet
) -> tuple[float, float]:
    """The ends of the range, one of them moved outwards if the best value may lie beyond it.

    Not beyond the parameter's declared range.
    """
    low, high = _ends(dimension)
    if not curve.at_edge or dimension.choices or dimension.step:
        return low, high
    reach, factor = _BEYOND * (high - low), (high / low) ** _BEYOND if dimension.log else 1.0
    least, most = _declared_domain(dimension.path, parameters)
    if curve.at_edge == "low":
        moved = low / factor if dimension.log else low - reach
        return min(low, _round(max(moved, least), math.ceil)), high
    moved = high * factor if dimension.log else high + reach
    return low, max(high, _round(min(moved, most), math.floor))


def _declared_domain(path: str, parameters: ParameterSet) -> tuple[float, float]:
    """The ends of the parameter's declared range; of other tools any number."""
    known = parameters.by_path.get(path)
    if parameters.is_nerf and path in SCENE_SCALED:
        return 0.0, math.inf
    if known is None or known.domain is None:
        return -math.inf, math.inf
    return known.domain.low, known.domain.high


def _round(number: float, towards: Callable[[float], int]) -> float:
    """The number to three digits, rounded towards one side."""
    if number == 0.0:
        return 0.0
    unit = 10.0 ** (math.floor(math.log10(abs(number))) - 2)
    return float(f"{towards(number / unit) * unit:.6g}")
