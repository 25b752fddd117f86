"""Claims on the variants of a study."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.findings.analyze_study import Findings
from analysis.findings.variants import VariantComparison


def list_variant_claims(findings: Findings) -> Iterator[Claim]:
    """How many variants of a study differ from its first one, and each difference."""
    if findings.variants is not None:
        yield from claim_differences(findings.variants)


def claim_differences(compared: VariantComparison) -> Iterator[Claim]:
    """How many variants differ from the first, and each difference with an interval."""
    metric = compared.metric
    condition = f"over the {compared.seeds_that_count}"
    runs = sum(compared.runs.values())
    different = sum(d.excludes_zero for d in compared.to_first)
    yield Claim(
        "variant_difference", (), float(different), None, None, "variants", runs, None,
        condition, compared.headline,
    )  # fmt: skip
    for d in compared.to_first:
        if d.interval is None:
            continue
        low, high = d.interval
        corrected = "" if d.holm_p_value is None else f" (p = {d.holm_p_value:.2g}, corrected)"
        text = (
            f"{d.first} minus {d.second}: {metric.format_change(d.mean, low, high)} over "
            f"{d.seeds} {compared.seeds_that_count}{corrected}."
        )
        yield Claim(
            "variant_difference", (d.first, d.second), d.mean, low, high, metric.unit, d.seeds,
            0.95, condition, text,
        )  # fmt: skip
