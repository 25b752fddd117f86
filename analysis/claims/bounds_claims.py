"""The claim on near and far: where the object lies, and what bounds that cut it cost."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import count_runs, format_difference, format_part
from analysis.data.study import Study
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import FAR, NEAR, compare_bounds
from analysis.stats.rates import BreakRate


def list_bounds_claims(findings: Findings) -> Iterator[Claim]:
    """One where near and far both vary and the scene suggests bounds; else none."""
    return claim_bounds(findings.study)


def claim_bounds(study: Study) -> Iterator[Claim]:
    """As `list_bounds_claims`, of a study that is not analysed."""
    compared = compare_bounds(study.trials, study.space.bounds)
    if compared is None:
        return
    difference, (enclosing, cutting) = compared.difference, compared.trained
    where = f"between near {compared.near:.3g} and far {compared.far:.3g}"
    text = f"The object lies {where}, as the scene suggests. "
    if difference is None:
        text += (
            f"Bounds that enclose it cannot be compared with bounds that cut it: {enclosing} and "
            f"{count_runs(cutting)} trained."
        )
        ends: tuple[float | None, float | None, float | None] = (None, None, None)
    else:
        ends = (difference.mean, difference.low, difference.high)
        gain = format_difference(difference.mean, difference.low, difference.high)
        text += (
            f"With bounds that enclose it {_format(compared.enclosing)} of explored runs break, "
            f"with bounds that cut it {_format(compared.cutting)}; enclosing it changes PSNR by "
            f"{gain} ({enclosing} and {cutting} runs that trained)."
        )
    n = enclosing + cutting
    condition = f"on average over all other parameters, over {count_runs(n)} that trained"
    yield Claim("bounds", (NEAR, FAR), *ends, "dB", n, 0.95, condition, text)


def _format(rate: BreakRate) -> str:
    return format_part(rate.rate, rate.low, rate.high)
