"""Estimates the domain that a parameter was drawn from, where the record does not declare one.

Only the values are looked at, never the metric. The range is the one seen. Where the values do not
settle between two readings of it, both are returned.
"""

from __future__ import annotations

import collections
import dataclasses
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from scipy.stats import chisquare

from analysis.external.scale import fit_probability, log_evidence
from analysis.external.sweep import Setting
from study.spec.space import Dimension

_MAX_CHOICES = 24
_CLEAR = math.log(20)
"""Log of the likelihood ratio that decides between two scales: wrong in less than 1 of 20 cases,
and in 1 of 100 as measured in `test_priors.py`."""
_CROWDED = 0.001
"""p-value below which values do not look drawn from a domain."""
_MIN_LOG_RATIO = {"float": 2.0, "int": 3.0}
"""high/low below which a logarithm is considered only if the values do not fit without."""
_MIN_REPEATS = 2.0  # mean number of trials at each value of a grid
_BY_CHANCE = 0.05  # probability of so few whole numbers of a range, below which it is a list
_MIN_STEPPED = 8  # distinct values of which a common step is not a coincidence
_MAX_STEPS = 200  # of more steps a range is continuous, and the step the rounding of the record
_MAX_INTEGERS = 10_000  # a wider range of whole numbers is treated as continuous


@dataclass(frozen=True)
class DomainEstimate:
    """A domain for a parameter that was recorded without one.

    dimension: None if it cannot be analysed; `text` then says why
    text: the reading in words, without the parameter's name
    alternative: the other reading, where the values leave it open
    fits: whether the values look drawn from `dimension`; false of an optimiser's history
    """

    dimension: Dimension | None
    text: str
    alternative: Dimension | None = None
    fits: bool = True


def estimate_domain(name: str, values: Sequence[Setting]) -> DomainEstimate:
    """The domain of parameter `name`, from its value in each trial that has one.

    Numbers become a range, or ordered choices where a few of them recur; everything else becomes
    choices, with None and numbers among texts as text.
    """
    if len({repr(value) for value in values}) < 2:
        return DomainEstimate(None, f"always {values[0]}" if values else "no trial has it")
    if all(isinstance(value, bool) for value in values):
        return _estimate_choices(Dimension(name, "bool", choices=(False, True), label=name), values)
    numbers = _to_numbers(values)
    if numbers is None:
        return _estimate_texts(name, values)
    whole = all(number.is_integer() for number in numbers)
    distinct = sorted(set(numbers))
    if len(distinct) < 2:  # such as 1 and 1.0
        return DomainEstimate(None, f"always {distinct[0]:g}")
    if not math.isfinite(distinct[-1] - distinct[0]):
        return DomainEstimate(None, "its values are too far apart for a range")
    if _is_grid(distinct, len(numbers)):
        choices = tuple(map(int, distinct)) if whole else tuple(distinct)
        kind: Literal["int", "float"] = "int" if whole else "float"
        return _estimate_choices(Dimension(name, kind, choices=choices, label=name), numbers)
    return _estimate_range(name, numbers, whole)


def _to_numbers(values: Sequence[Setting]) -> list[float] | None:
    """The values as floats, or None if one of them is not a finite number."""
    numbers = []
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        try:
            numbers.append(float(value))
        except OverflowError:
            return None
    return numbers if all(map(math.isfinite, numbers)) else None


def _estimate_texts(name: str, values: Sequence[Setting]) -> DomainEstimate:
    texts = [str(value) for value in values]
    choices = tuple(sorted(set(texts), key=_by_number))
    if len(choices) > _MAX_CHOICES:
        return DomainEstimate(
            None,
            f"{len(choices)} different values, not all numbers, more than the {_MAX_CHOICES} that "
            "can be analysed",
        )
    estimate = _estimate_choices(Dimension(name, "choice", choices=choices, label=name), texts)
    if any(not isinstance(value, str) and value is not None for value in values):
        return dataclasses.replace(estimate, text=f"{estimate.text} (not all numbers: as text)")
    return estimate


def _by_number(text: str) -> tuple[float, str]:
    """Orders 8 GB before 16 GB, and texts without a number at their start behind them."""
    number = re.match(r"[+-]?\d+(\.\d+)?", text)
    return (float(number[0]) if number else math.inf, text)


def _is_grid(distinct: Sequence[float], count: int) -> bool:
    """Whether `count` trials with these distinct numbers were taken from a list of them."""
    if len(distinct) > _MAX_CHOICES:
        return False
    if len(distinct) >= 3 and any(_are_powers(distinct, base) for base in (2, 10)):
        return True
    if count < _MIN_REPEATS * len(distinct):
        return False
    if not all(number.is_integer() for number in distinct):
        return True
    return _is_too_few_of_a_range(distinct, count)


def _is_too_few_of_a_range(distinct: Sequence[float], count: int) -> bool:
    """Whether so many draws of all whole numbers between the ends hardly ever take so few.

    Be the draws uniform or uniform in their logarithm: the expected number of sets of k numbers
    that hold all n draws is at most C(numbers, k) p^n, with p the mass of the k likeliest.
    """
    low, high, k = distinct[0] - 0.5, distinct[-1] + 0.5, len(distinct)
    numbers = high - low
    if numbers <= k:
        return False
    likeliest = k / numbers
    if low > 0:
        likeliest = max(likeliest, math.log((low + k) / low) / math.log(high / low))
    log_sets = sum(math.log((numbers - i) / (k - i)) for i in range(k))
    return log_sets + count * math.log(likeliest) < math.log(_BY_CHANCE)


def _are_powers(numbers: Sequence[float], base: int) -> bool:
    """Whether all are whole powers of `base`, and not only 1 and `base`."""
    if numbers[0] <= 0:
        return False
    exponents = [math.log(number, base) for number in numbers]
    return all(abs(e - round(e)) < 1e-9 for e in exponents)


def _estimate_choices(dimension: Dimension, values: Sequence[Setting]) -> DomainEstimate:
    """Each choice as likely; where their counts speak against that, as likely as seen."""
    counter = collections.Counter(values)
    counts = [counter[choice] for choice in dimension.choices]
    text = f"each of {_list(dimension.choices)} as likely"
    if chisquare(counts).pvalue >= _CROWDED:
        return DomainEstimate(dimension, text)
    weights = tuple(count / len(values) for count in counts)
    return DomainEstimate(
        dimension,
        f"{text}, though they occur {_list(counts)} times; or as likely as they occur",
        dataclasses.replace(dimension, weights=weights),
        fits=False,
    )


def _estimate_range(name: str, numbers: Sequence[float], whole: bool) -> DomainEstimate:
    values = np.array(numbers)
    low, high = float(values.min()), float(values.max())
    step = _find_step(sorted(set(numbers)), whole)
    discrete = whole and (high - low) / max(step, 1.0) <= _MAX_INTEGERS
    if whole and not discrete:
        step = 0.0
    kind: Literal["int", "float"] = "int" if discrete else "float"
    cell = step or float(discrete)
    linear = Dimension(name, kind, low, high, step=step, label=name)
    fits = fit_probability(values, cell, log=False) >= _CROWDED
    if low <= cell / 2 or (high / low < _MIN_LOG_RATIO[kind] and fits):
        return DomainEstimate(linear, _describe(linear, fits), fits=fits)
    chosen, other = linear, Dimension(name, kind, low, high, log=True, step=step, label=name)
    evidence = log_evidence(values, cell)
    if evidence > 0:
        chosen, other = other, chosen
    fits = fit_probability(values, cell, chosen.log) >= _CROWDED
    text = _describe(chosen, fits)
    if fits and abs(evidence) >= _CLEAR:
        return DomainEstimate(chosen, text)
    scale = "in its logarithm" if other.log else "in its value"
    odds = f", {math.exp(abs(evidence)):.2g} times less likely" if fits else ""
    return DomainEstimate(chosen, f"{text}; or uniform {scale}{odds}", other, fits)


def _find_step(distinct: Sequence[float], whole: bool) -> float:
    """The step of which all differences are multiples; 0 if none stands out (1 for integers)."""
    if len(distinct) < _MIN_STEPPED:
        return 0.0
    exact = [Decimal(repr(number)) for number in distinct]
    places = max(-int(number.as_tuple().exponent) for number in exact)
    if not 0 <= places <= 12:
        places = max(places, 0)
    units = [int(number.scaleb(places)) for number in exact]
    step = math.gcd(*(unit - units[0] for unit in units))
    if whole:
        width = step // 10**places
        return float(width) if width > 1 else 0.0
    steps = (units[-1] - units[0]) // step
    return float(Decimal(step).scaleb(-places)) if steps <= _MAX_STEPS else 0.0


def _describe(dimension: Dimension, fits: bool) -> str:
    scale = " in its logarithm" if dimension.log else ""
    steps = f" in steps of {dimension.step:g}" if dimension.step else ""
    doubt = "" if fits else "; its values crowd too much to look drawn from that"
    return (
        f"uniform{scale} from {_spell(dimension.low)} to {_spell(dimension.high)}{steps}, "
        f"the range seen{doubt}"
    )


def _spell(number: float) -> str:
    """A number in four digits, a whole one in all of its digits up to six."""
    return f"{number:g}" if number.is_integer() else f"{number:.4g}"


def _list(items: Sequence[object]) -> str:
    """All of them if they are few, else the first and the last."""
    texts = [f"{item:g}" if isinstance(item, float) else str(item) for item in items]
    if len(texts) <= 8:
        return " and ".join(filter(None, (", ".join(texts[:-1]), texts[-1])))
    return f"{', '.join(texts[:3])}, ... {texts[-1]} ({len(texts)} values)"
