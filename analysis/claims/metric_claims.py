"""Claims on a study of several metrics: its Pareto front, and what holds by each further one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pandas as pd

from analysis.claims.claim import Claim, Kind
from analysis.claims.default_claims import list_default_claims, list_tuning_claims
from analysis.claims.seed_claims import list_seed_claims
from analysis.claims.share_claims import list_share_claims
from analysis.claims.value_claims import list_value_claims
from analysis.claims.variant_claims import list_variant_claims
from analysis.claims.wording import join_names
from analysis.data.metric import Metric
from analysis.findings.analyze_study import Findings
from analysis.findings.front import Front

_GROUPS = (
    list_share_claims,
    list_value_claims,
    list_default_claims,
    list_tuning_claims,
    list_seed_claims,
)
_ON_BREAKING: tuple[Kind, ...] = ("seed_flips",)
"""Kinds that say the same for every metric."""

_BY_FIRST: tuple[Kind, ...] = ("what_to_set", "set_value", "keep_value", "what_next")
"""Kinds whose text does not name the metric that it rests on."""

_MAX_LISTED = 12


def list_front_claims(findings: Findings) -> Iterator[Claim]:
    """How many trials are on the front and which is the most balanced; none with one metric."""
    front = findings.front
    if front is None:
        return
    names = join_names([metric.name for metric in front.metrics])
    n = len(front.candidates)
    if front.balanced is None:
        text = f"No run has trained yet, so there is no Pareto front of {names}."
        yield Claim("front", (), None, None, None, "runs", 0, None, "", text)
        return
    ids = [str(name) for name in front.trials["trial_id"]]
    listed = ", ".join(ids[:_MAX_LISTED])
    more = f" and {len(ids) - _MAX_LISTED} more" if len(ids) > _MAX_LISTED else ""
    on_it = "is" if len(ids) == 1 else "are"
    condition = "explored and optimised runs that trained, a single run each"
    yield Claim(
        "front", (), float(len(ids)), None, None, "runs", n, None, condition,
        f"Of {n} explored and optimised runs that trained, {len(ids)} {on_it} on the Pareto front "
        f"of {names}: no other is better in one and as good in the rest. Trials {listed}{more}, "
        f"the best {front.metrics[0].name} first; a place there is partly luck.",
    )  # fmt: skip
    yield Claim(
        "balanced", (), float(front.worst_rank), None, None, "runs", n, None, condition,
        f"Most balanced: trial {front.balanced['trial_id']}, with {describe_values(front)}. In "
        f"each of these metrics it is among the best {front.worst_rank} of the {n}, and no other "
        "run does better than that in all of them.",
    )  # fmt: skip


def describe_values(front: Front) -> str:
    """The metrics of the most balanced trial: `PSNR 23.41 dB and training time 2.1 s`."""
    assert front.balanced is not None
    return join_names([f"{m.name} {_format(m, front.balanced)}" for m in front.metrics])


def _format(metric: Metric, trial: pd.Series) -> str:
    return metric.with_unit(metric.format_number(float(trial[metric.column])))


def list_metric_claims(findings: Findings) -> Iterator[Claim]:
    """The claims on each further metric."""
    for other in findings.other_metrics:
        yield from list_claims_of_metric(other)


def list_claims_of_metric(other: Findings) -> list[Claim]:
    """The claims on one further metric, each naming it."""
    where = f"By {other.study.metric.name}"
    groups = (list_variant_claims,) if other.study.has_variants else _GROUPS
    return [
        dataclasses.replace(
            claim,
            kind="in_metric",
            condition="; ".join(filter(None, (where, claim.condition))),
            text=f"{where}: {claim.text}",
        )
        for list_group in groups
        for claim in list_group(other)
        if claim.kind not in _ON_BREAKING
    ]


def name_first_metric(claim: Claim, findings: Findings) -> Claim:
    """A claim of a study of several metrics that rests on the first of them, and says so."""
    if findings.front is None or claim.kind not in _BY_FIRST:
        return claim
    return dataclasses.replace(claim, text=f"By {findings.study.metric.name}: {claim.text}")


def explain_correction(findings: Findings) -> str:
    """What the intervals and tests of a study of several metrics are corrected for."""
    count = 1 + len(findings.other_metrics)
    return (
        f"Each of the {count} metrics is analysed as if it were the only one: tests are corrected "
        "for the number of parameters, but neither tests nor 95 % intervals for the number of "
        f"metrics. Of {count} statements, one about each metric, at least one is false by chance "
        f"with a probability of up to {100 * min(0.05 * count, 1):.0f} %."
    )
