"""Claims on what breaks training, and P(trains) beside claims on what works."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analysis.claims.claim import Claim, Kind
from analysis.claims.wording import capitalize, count_runs, format_part
from analysis.findings.analyze_study import Findings
from analysis.findings.breaking import PairBreaking, ParameterBreaking
from analysis.stats.rates import BreakRate
from nerf.config.parameters import Value
from study.records.outcomes import SHOWS_NOTHING, format_count

_MIN_RUNS_FOR_RATE = 5  # a rate of fewer runs says nothing
_MAX_PAIRS = 3
_AT_ONCE = "over explored runs; with all other levels and parameters, all intervals hold at once"


def list_breaking_claims(findings: Findings) -> Iterator[Claim]:
    """How many runs break, and with which values most and fewest of them.

    None for sweeps of other tools, whose records do not say which runs broke.
    """
    breaking = findings.breaking
    if breaking.overall.trials >= _MIN_RUNS_FOR_RATE:
        yield _overall(breaking.overall)
    if not breaking.ranked:
        return
    if not breaking.significant_parameters:
        yield _no_parameter(findings)
    for parameter in breaking.significant_parameters:
        yield _level(parameter, "breaks", parameter.worst)
        if parameter.safest.high < breaking.overall.rate:
            yield _level(parameter, "safe", parameter.safest)
    for pair in breaking.significant_pairs[:_MAX_PAIRS]:
        yield _cell(pair)


def describe_training(findings: Findings, path: str, values: Sequence[Value]) -> str:
    """P(trains) with these values of a parameter; empty if it has no significant effect on that.

    For a range: the lowest of the levels that it touches.
    """
    if not _decides_breaking(findings, path):
        return ""
    dimension = next(d for d in findings.study.space.dimensions if d.path == path)
    rates = {value: findings.breaking.rate_at(dimension, value) for value in values}
    if dimension.choices:
        each = (f"{value} {_format_trains(rate)}" for value, rate in rates.items())
        return f"P(trains): {', '.join(each)}"
    worst = max(rates.values(), key=lambda rate: rate.rate)
    return f"P(trains) with {worst.name}: {_format_trains(worst)}"


def describe_range_of_training(findings: Findings, path: str) -> str:
    """P(trains) over all values of a parameter; empty if it has no significant effect on that."""
    for parameter in findings.breaking.significant_parameters:
        if parameter.path == path:
            return (
                f"P(trains) from {_format_trains(parameter.worst)} ({parameter.worst.name}) to "
                f"{_format_trains(parameter.safest)} ({parameter.safest.name})"
            )
    return ""


def _decides_breaking(findings: Findings, path: str) -> bool:
    return path in {parameter.path for parameter in findings.breaking.significant_parameters}


def _format_trains(rate: BreakRate) -> str:
    return format_part(1.0 - rate.rate, 1.0 - rate.high, 1.0 - rate.low)


def _overall(rate: BreakRate) -> Claim:
    of_runs = f"of {count_runs(rate.trials)}"
    if rate.broken:
        text = (
            f"Over the whole space {format_part(rate.rate, rate.low, rate.high)} {of_runs} break: "
            f"{rate.collapsed} collapsed, {format_count(rate.shows_nothing, SHOWS_NOTHING)}."
        )
    else:
        text = (
            f"0 {of_runs} broke: over the whole space at most {100 * rate.high:.1f} % of runs do."
        )
    return _make("breaks" if rate.broken else "safe", (), rate, text, "over the whole space")


def _level(parameter: ParameterBreaking, kind: Kind, rate: BreakRate) -> Claim:
    name = f"{parameter.label} {rate.name}"
    text = (
        f"{'Most' if kind == 'breaks' else 'Fewest'} break with {name}: "
        f"{format_part(rate.rate, rate.low, rate.high)} of {count_runs(rate.trials)}."
    )
    return _make(kind, (state_level(parameter.path, rate.name),), rate, text, _AT_ONCE)


def _cell(pair: PairBreaking) -> Claim:
    """The cell in which most runs break."""
    columns, rows = pair.names
    tried = [
        (rate, column, row)
        for row, rates in zip(rows, pair.rates, strict=True)
        for column, rate in zip(columns, rates, strict=True)
        if rate.trials
    ]
    rate, column, row = max(tried, key=lambda cell: cell[0].rate)
    text = (
        f"{capitalize(pair.labels[0])} {column} with {pair.labels[1]} {row}: "
        f"{format_part(rate.rate, rate.low, rate.high)} of {count_runs(rate.trials)} "
        f"{'breaks' if rate.trials == 1 else 'break'}."
    )
    paths = (state_level(pair.paths[0], column), state_level(pair.paths[1], row))
    return _make("breaks_pair", paths, rate, text, _AT_ONCE)


def _no_parameter(findings: Findings) -> Claim:
    breaking = findings.breaking
    nearest = breaking.parameters[0]
    text = (
        "No parameter has a significant effect on which runs break (lowest p-value: "
        f"{nearest.label}, {nearest.p_value:.2g})."
    )
    return Claim(
        "no_breaking_parameter", (), None, None, None, "", breaking.overall.trials, 0.95,
        "over explored runs that trained or broke", text,
    )  # fmt: skip


def _make(
    kind: Kind, parameters: tuple[str, ...], rate: BreakRate, text: str, condition: str
) -> Claim:
    return Claim(
        kind, parameters, rate.rate, rate.low, rate.high, "fraction", rate.trials, 0.95, condition,
        text,
    )  # fmt: skip


def state_level(path: str, name: str) -> str:
    """A level in the syntax of `--vary`; `name` is a choice, or `LOW to HIGH`."""
    return f"{path}={name.replace(' to ', ':')}"
