"""Claims on when during training the result is decided."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import count_runs
from analysis.findings.analyze_study import Findings


def list_time_claims(findings: Findings) -> Iterator[Claim]:
    """From when shares stay as they are, and how early the order of runs is known."""
    over, n = findings.over_time, findings.importance.trials
    if over.refusal:
        return
    condition = f"among the {count_runs(n)} that trained"
    last = over.at_steps[-1]
    if over.stable_from is not None and last.importance.ranked:
        text = (
            f"From step {over.stable_from} of {last.step} no parameter's share of PSNR's variance "
            f"is more than ten points from its final one, {condition}."
        )
        yield Claim(
            "settled_by", (), float(over.stable_from), None, None, "steps", n, 0.95, condition,
            text,
        )  # fmt: skip
    early = over.at_steps[min(1, len(over.at_steps) - 1)]
    text = (
        f"PSNR at step {early.step} has a rank correlation of {early.agreement:.2f} "
        f"[{early.agreement_low:.2f}, {early.agreement_high:.2f}] with the final one, {condition}; "
        "stopping all but the best third there would have cost this study "
        f"{early.psnr_lost:.2f} dB."
    )
    yield Claim(
        "early_order", (), early.agreement, early.agreement_low, early.agreement_high,
        "rank correlation", n, 0.95, condition, text,
    )  # fmt: skip
