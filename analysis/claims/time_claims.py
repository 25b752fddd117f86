"""Claims on when during training the result is decided."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.claims.claim import Claim
from analysis.claims.wording import count_compared, name_variance
from analysis.data.study import Study
from analysis.findings.analyze_study import Findings


def list_time_claims(findings: Findings) -> Iterator[Claim]:
    """From when shares stay as they are, and how early the order of runs is known."""
    over, n = findings.over_time, findings.importance.trials
    if over.refusal:
        return
    study = findings.study
    condition = f"among the {count_compared(study, n)}"
    last = over.at_steps[-1]
    if over.stable_from is not None and last.importance.ranked:
        text = (
            f"From step {over.stable_from} of {last.step} no parameter's share of "
            f"{name_variance(study.metric.name, study.is_native)} is more than ten points from "
            f"its final one, {condition}."
        )
        yield Claim(
            "settled_by", (), float(over.stable_from), None, None, "steps", n, 0.95, condition,
            text,
        )  # fmt: skip
    early = over.at_steps[min(1, len(over.at_steps) - 1)]
    text = (
        f"{study.metric.name} at step {early.step} has a rank correlation of {early.agreement:.2f} "
        f"[{early.agreement_low:.2f}, {early.agreement_high:.2f}] with the final one, {condition}; "
        f"{_describe_loss(study, early.psnr_lost)}."
    )
    yield Claim(
        "early_order", (), early.agreement, early.agreement_low, early.agreement_high,
        "rank correlation", n, 0.95, condition, text,
    )  # fmt: skip


def _describe_loss(study: Study, lost: float) -> str:
    """What stopping all but the best third costs; lost: the best score minus that of the rest."""
    stopping, metric = "stopping all but the best third there would have", study.metric
    if study.is_native:
        return f"{stopping} cost this study {metric.with_unit(metric.format_number(lost))}"
    if lost == 0.0:
        return f"{stopping} kept the best trial"
    amount = metric.with_unit_of_difference(metric.format_number(lost))
    return f"{stopping} left a best {metric.name} {amount} {metric.worse}"
