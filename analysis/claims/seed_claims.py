"""Claims on what the seed alone does."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import format_part, format_psnr
from analysis.findings.analyze_study import Findings

_WIDEST_PART = 0.5  # wider intervals say nothing
_RERUN = "explored configurations that were run again"


def list_seed_claims(findings: Findings) -> Iterator[Claim]:
    """The spread between seeds, its part of the variance, and runs that only some seeds break."""
    seeds = findings.seeds
    if (spread := seeds.spread) is not None:
        text = (
            f"The seed alone moves PSNR by {format_psnr(spread.deviation, spread.low, spread.high)}"
            f" (standard deviation of a typical configuration, from {spread.runs} runs of "
            f"{spread.configurations}; single ones: {spread.smallest:.2f} to "
            f"{spread.largest:.2f} dB)."
        )
        yield Claim(
            "seed_sd", (), spread.deviation, spread.low, spread.high, "dB", spread.runs, 0.95,
            f"a typical one of the {_RERUN} and trained", text,
        )  # fmt: skip
    if (part := seeds.part) is not None and part.high - part.low <= _WIDEST_PART:
        text = (
            f"Seeds make {format_part(part.share, part.low, part.high)} of PSNR's variance among "
            f"the explored runs that trained, by {part.configurations} {_RERUN}."
        )
        yield Claim(
            "seed_share", (), part.share, part.low, part.high, "fraction", part.configurations,
            0.95, "among the explored runs that trained", text,
        )  # fmt: skip
    if seeds.repeated:
        text = (
            f"Of {seeds.repeated} {_RERUN}, {seeds.partly_broken} broke with one seed but not with "
            "another."
        )
        yield Claim(
            "seed_flips", (), float(seeds.partly_broken), None, None, "configurations",
            seeds.repeated, None, f"the {_RERUN}", text,
        )  # fmt: skip
