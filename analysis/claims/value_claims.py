"""Claims on the values of a parameter: the best one, those as good, worse or neither."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence

from analysis.claims.breaking_claims import describe_training
from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import (
    begin_with,
    count_compared,
    format_value,
    list_runs,
    state_range,
    state_values,
)
from analysis.findings.analyze_study import Findings
from analysis.findings.partial_dependence import Effect, EffectCurve
from analysis.findings.value_verdicts import Verdict
from nerf.config.parameters import Value
from study.spec.space import Dimension


def list_value_claims(findings: Findings) -> Iterator[Claim]:
    """Claims on each parameter with a significant effect; the others have no best value.

    Nor has a seed, which other tools may record as a setting.
    """
    for effect in findings.effects:
        if effect.curve is not None and effect.curve.matters and not is_seed(effect.label):
            yield from _ValueClaims(findings, effect, effect.curve).list_all()


def is_seed(label: str) -> bool:
    """Whether a setting of another tool is a seed by its name, such as `train.seed`."""
    return re.search(r"(^|[^a-z])(seed|random_state)$", label, re.IGNORECASE) is not None


class _ValueClaims:
    """The claims on the values of one parameter."""

    def __init__(self, findings: Findings, effect: Effect, curve: EffectCurve) -> None:
        self.findings = findings
        self.effect = effect
        self.curve = curve
        self.study = findings.study
        self.n = findings.importance.trials
        self.condition = (
            f"on average over the other parameters, among the {count_compared(self.study, self.n)}"
        )

    def list_all(self) -> Iterator[Claim]:
        yield from self._best()
        yield from self._edge()
        yield from self._values("as good", "as_good", "at most")
        yield from self._values("worse", "worse", "more than")
        yield from self._not_told_apart()

    def _best(self) -> Iterator[Claim]:
        """The best value; of choices only if all others are worse."""
        curve, path = self.curve, self.effect.path
        low, high = curve.best_low, curve.best_high
        ends: tuple[float | None, float | None, float | None] = (None, None, None)
        if low is not None and high is not None:
            low, high = self._widen(low, high)
            parameter, interval = path, f" [{format_value(low)}, {format_value(high)}]"
            ends = (float(curve.best), float(low), float(high))
        elif list(curve.verdicts).count("worse") == len(curve.verdicts) - 1:
            parameter, interval = state_values(path, [curve.best]), ""
        else:
            return
        unit = f" {self.effect.unit}" if self.effect.unit and interval else ""
        text = (
            f"Best on average: {self.effect.label} {format_value(curve.best)}{interval}{unit}, "
            f"among the {count_compared(self.study, self.n)}"
        )
        yield self._make("best_value", (parameter,), *ends, self._with_training(text, [curve.best]))

    def _widen(self, low: Value, high: Value) -> tuple[Value, Value]:
        """The interval of the best value with half a cell of the curve's grid on either side."""
        dimension, values = self._dimension, list(self.curve.values)
        if dimension.levels:
            return low, high  # the curve has all of them
        units = [dimension.to_unit(value) for value in values]
        edges = [0.0, *((a + b) / 2 for a, b in itertools.pairwise(units)), 1.0]
        first, last = values.index(low), values.index(high)
        return dimension.from_unit(edges[first]), dimension.from_unit(edges[last + 1])

    @property
    def _dimension(self) -> Dimension:
        dimensions = self.study.space.dimensions
        return next(d for d in dimensions if d.path == self.effect.path)

    def _edge(self) -> Iterator[Claim]:
        curve, label = self.curve, self.effect.label
        if not curve.at_edge:
            return
        dimension = self._dimension
        side, end = (
            ("below", dimension.low) if curve.at_edge == "low" else ("above", dimension.high)
        )
        text = (
            f"The best {label} may lie {side} {format_value(end)}, where the searched range ends."
        )
        yield self._make(
            "edge_of_range", (state_values(self.effect.path, [end]),), None, None, None, text
        )

    def _values(self, verdict: Verdict, kind: Kind, bound: str) -> Iterator[Claim]:
        """A claim for each range, or one for all choices, with this verdict."""
        for places in self._groups(verdict):
            values = [self.curve.values[i] for i in places]
            text = f"{begin_with(self.study, self._name(values))}{self._loses(values, bound)}"
            if kind == "as_good":
                text = self._with_training(f"{text}{self._against_best}", values)
            else:
                text += "."
            yield self._make(kind, (self._state(values),), self.curve.margin, None, None, text)

    def _loses(self, values: Sequence[Value], bound: str) -> str:
        """` loses at most 0.1 dB`; of other tools `: val_loss at most 0.1 higher`."""
        metric = self.study.metric
        margin = metric.with_unit_of_difference(f"{self.curve.margin:g}")
        if self.study.is_native:
            verb = "lose" if self.effect.choices and len(values) > 1 else "loses"
            return f" {verb} {bound} {margin}"
        return f": {metric.name} {bound} {margin} {metric.worse}"

    @property
    def _against_best(self) -> str:
        than = "against" if self.study.is_native else "than with"
        return f" on average {than} the best value"

    def _not_told_apart(self) -> Iterator[Claim]:
        groups = self._groups("open")
        if not groups:
            return
        curve, effect = self.curve, self.effect
        parameters = [self._state([curve.values[i] for i in places]) for places in groups]
        every = "open" in curve.verdicts and len(set(curve.verdicts)) == 1
        which = f"The values of {effect.label} are" if every else f"The rest of {effect.label} is"
        if effect.choices and not every:
            names = [curve.values[i] for places in groups for i in places]
            which = (
                f"{begin_with(self.study, self._name(names))} {'is' if len(names) == 1 else 'are'}"
            )
        remedy = f" ({needed} would tell half of it)" if (needed := self._count_needed()) else ""
        yield self._make(
            "not_told_apart", tuple(parameters), None, None, None,
            f"{which} not told apart from the best{remedy}.",
        )  # fmt: skip

    def _count_needed(self) -> str:
        """About how many explored trials would decide half of the open values; empty if unknown.

        As a power of two: the estimate is no better than that.
        """
        if self.curve.trials_to_decide is None:
            return ""
        explored = int((self.study.trials["phase"] == "explore").sum())
        # The curve counts runs that trained: as many of further trials will.
        needed = self.curve.trials_to_decide * explored / self.n
        if needed <= explored:
            return ""
        trials = "explored trials" if self.study.is_native else "trials"
        return f"about {2 ** round(math.log2(needed))} {trials}"

    def _groups(self, verdict: Verdict) -> list[list[int]]:
        """Places of the values with a verdict: all choices at once, or unbroken ranges."""
        mask = [v == verdict for v in self.curve.verdicts]
        if self.effect.choices:
            places = [i for i, holds in enumerate(mask) if holds]
            return [places] if places else []
        return [list(run) for run in list_runs(mask)]

    def _name(self, values: Sequence[Value]) -> str:
        label = self.effect.label
        if self.effect.choices:
            return f"{label} {' and '.join(map(format_value, values))}"
        first, last = format_value(values[0]), format_value(values[-1])
        return f"{label} {first}" if first == last else f"{label} from {first} to {last}"

    def _state(self, values: Sequence[Value]) -> str:
        path = self.effect.path
        if self.effect.choices:
            return state_values(path, values)
        return state_range(path, values[0], values[-1])

    def _with_training(self, text: str, values: Sequence[Value]) -> str:
        """The sentence with P(trains), where it depends on the parameter."""
        training = describe_training(self.findings, self.effect.path, values)
        return f"{text}; {training}." if training else f"{text}."

    def _make(
        self,
        kind: Kind,
        parameters: tuple[str, ...],
        estimate: float | None,
        low: float | None,
        high: float | None,
        text: str,
    ) -> Claim:
        unit = self.study.metric.unit if kind in ("as_good", "worse") else self.effect.unit
        return Claim(
            kind, parameters, estimate, low, high, unit, self.n, 0.95, self.condition, text
        )
