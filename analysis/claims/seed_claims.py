"""Claims on what the seed alone does."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import format_part, name_compared, name_variance
from analysis.findings.analyze_study import Findings

_WIDEST_PART = 0.5  # wider intervals say nothing


def list_seed_claims(findings: Findings) -> Iterator[Claim]:
    """The spread between seeds, its part of the variance, and runs that only some seeds break."""
    seeds, study = findings.seeds, findings.study
    native, metric = study.is_native, study.metric
    rerun = f"{'explored ' if native else ''}configurations that were run again"
    if (spread := seeds.spread) is not None:
        ends = map(metric.format_number, (spread.smallest, spread.largest))
        single = metric.with_unit_of_difference(" to ".join(ends))
        text = (
            f"{'The seed' if native else 'Chance'} alone moves {metric.name} by "
            f"{metric.format_size(spread.deviation, spread.low, spread.high)} (standard deviation "
            f"of a typical configuration, from {spread.runs} {'runs' if native else 'trials'} of "
            f"{spread.configurations}; single ones: {single})."
        )
        yield Claim(
            "seed_sd", (), spread.deviation, spread.low, spread.high, metric.unit, spread.runs,
            0.95, f"a typical one of the {rerun} and {'trained' if native else 'completed'}", text,
        )  # fmt: skip
    # Where results chose the trials, their variance is not that of the space.
    is_even = study.design is None or study.design.is_even
    if is_even and (part := seeds.part) is not None and part.high - part.low <= _WIDEST_PART:
        condition = f"among the {'explored ' if native else ''}{name_compared(native)}"
        text = (
            f"{'Seeds make' if native else 'Chance makes'} "
            f"{format_part(part.share, part.low, part.high)} of "
            f"{name_variance(metric.name, native)} {condition}, by {part.configurations} {rerun}."
        )
        yield Claim(
            "seed_share", (), part.share, part.low, part.high, "fraction", part.configurations,
            0.95, condition, text,
        )  # fmt: skip
    if seeds.repeated:
        text = (
            f"Of {seeds.repeated} {rerun}, {seeds.partly_broken} broke with one seed but not with "
            "another."
        )
        yield Claim(
            "seed_flips", (), float(seeds.partly_broken), None, None, "configurations",
            seeds.repeated, None, f"the {rerun}", text,
        )  # fmt: skip
