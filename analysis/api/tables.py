"""Data frames of the results, for pandas: parameters by name, numbers as numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import pandas as pd

from analysis.claims.claim import Claim
from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import BoundsMap, format_ranges
from analysis.findings.breaking import BreakingAnalysis
from analysis.findings.comparison import Comparison
from analysis.importance.conditional_test import ConditionalTest
from analysis.importance.permutation_test import PermutationTest

_SHARE_COLUMNS = ["share", "share_low", "share_high", "alone", "alone_low", "alone_high"]
_RATE_COLUMNS = ["value", "trials", "collapsed", "shows_nothing", "rate", "low", "high"]

_EFFECT_COLUMNS = ["parameter", "value", "mean", "low", "high", "verdict", "margin"]

NO_EFFECTS = pd.DataFrame(columns=_EFFECT_COLUMNS)
"""The table of effects where no surrogate predicts well."""


def tabulate_curves(study: Study) -> pd.DataFrame:
    """A row for each evaluation of each trial; of another tool, with its metric by name."""
    curves = study.curves.drop(columns="score")
    if study.is_native:
        return curves
    metric = pd.Series(study.metric.values(study.curves["score"]), name=study.metric.name)
    return pd.concat([curves["trial_id"].rename("trial"), curves["step"], metric], axis=1)


def tabulate_importance(findings: Findings) -> pd.DataFrame:
    """A row for each parameter, the highest share first.

    Where nothing is ranked, shares are missing and `significant` is that of the tests, which need
    no surrogate; the lowest `p_value` comes first.
    """
    study, importance = findings.study, findings.importance
    tests: dict[str, PermutationTest | ConditionalTest] = {}
    tests |= {test.path: test for test in findings.permutation_tests}
    tests |= {test.path: test for test in findings.conditional_tests}
    shares = {s.path: s for s in importance.shares} if importance.ranked else {}
    judged = importance.significant_shares if importance.ranked else tests.values()
    significant = {each.path for each in judged if each.significant}
    labels = {d.path: d.path if study.is_native else d.label for d in study.space.dimensions}
    rows = [
        {
            "parameter": label,
            **{name: getattr(shares.get(path), name, None) for name in _SHARE_COLUMNS},
            "significant": path in significant,
            "p_value": tests[path].p_value if path in tests else None,
        }
        for path, label in labels.items()
    ]
    table = pd.DataFrame(rows, columns=["parameter", *_SHARE_COLUMNS, "significant", "p_value"])
    numbers = [*_SHARE_COLUMNS, "p_value"]
    table[numbers] = table[numbers].astype(float)
    key = "share" if importance.ranked else "p_value"
    table = table.sort_values(key, ascending=key == "p_value", kind="stable")
    return table.set_index("parameter")


def tabulate_breaking(breaking: BreakingAnalysis) -> pd.DataFrame:
    """A row for each value or range of each parameter, the lowest p-value first."""
    rows = [
        {"parameter": p.path, "value": rate.name, **dataclasses.asdict(rate), "p_value": p.p_value}
        for p in breaking.parameters
        for rate in p.rates
    ]
    return pd.DataFrame(rows, columns=["parameter", *_RATE_COLUMNS, "p_value"])


def tabulate_bounds(plane: BoundsMap | None) -> pd.DataFrame:
    """`3 of 8`, runs that broke of all, in each cell; a row for each range of far."""
    if plane is None:
        return pd.DataFrame()
    return pd.DataFrame(
        [[f"{c.rate.broken} of {c.rate.trials}" if c else "" for c in row] for row in plane.cells],
        index=[f"far {span}" for span in format_ranges(plane.far)],
        columns=[f"near {span}" for span in format_ranges(plane.near)],
    )


def tabulate_claims(claims: Sequence[Claim]) -> pd.DataFrame:
    """A row for each claim, with the fields of `Claim`; several parameters as `A; B`."""
    fields = [field.name for field in dataclasses.fields(Claim)]
    rows = [{**claim.to_json(), "parameters": "; ".join(claim.parameters)} for claim in claims]
    return pd.DataFrame(rows, columns=fields)


def tabulate_compared_shares(comparison: Comparison) -> pd.DataFrame:
    """A row for each parameter and study, and for the mean over studies (`pooled`)."""
    rows = []
    for parameter in comparison.parameters:
        if pooled := parameter.pooled:
            mean = (pooled.mean, max(pooled.low, 0.0), min(pooled.high, 1.0))
            rows.append((parameter.path, "pooled", *mean))
        for name, s in parameter.shares.items():
            rows.append((parameter.path, name, s.share, s.share_low, s.share_high))
    columns = ["parameter", "study", "share", "share_low", "share_high"]
    return pd.DataFrame(rows, columns=columns).set_index(["parameter", "study"])


def tabulate_breaking_across(comparison: Comparison) -> pd.DataFrame:
    """A row for each level of each parameter in each study, and over all of them (`all`)."""
    rows = [
        {
            "parameter": p.path,
            "study": study,
            "value": rate.name,
            **dataclasses.asdict(rate),
            "p_value": p.p_value,
        }
        for p in (comparison.breaking.parameters if comparison.breaking else ())
        for study, rates in {"all": p.rates, **p.by_study}.items()
        for rate in rates
    ]
    return pd.DataFrame(rows, columns=["parameter", "study", *_RATE_COLUMNS, "p_value"])
