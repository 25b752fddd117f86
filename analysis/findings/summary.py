"""Summary of a study in sentences, which claim no more than their intervals support."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pandas as pd

from analysis.data.outcomes import format_outcomes
from analysis.data.selection import select_finished
from analysis.findings.breaking import BreakingAnalysis
from analysis.findings.seed_variance import select_other_seeds

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings
    from analysis.findings.variants import VariantComparison

_MAX_NAMED = 3


def summarize(findings: Findings) -> Iterator[tuple[str, str]]:
    """A heading of a word or two and its sentences, for each fact beside the headline."""
    yield "Trials", _summarize_trials(findings)
    if findings.study.has_variants:
        if findings.variants is not None and findings.best is not None:
            yield "Best", _summarize_best_variant(findings.variants)
        return
    yield "Best", _summarize_best(findings)
    if findings.breaking.ranked:
        yield "Breaks", _summarize_breaking(findings.breaking)
    if shares := findings.ped_anova.significant_shares:
        names = ", ".join(share.label for share in shares[:_MAX_NAMED])
        yield "Best tenth", f"Set apart by {names}."
    if findings.tunability is not None and findings.tunability.joint.low > 0:
        g = findings.tunability.joint
        yield (
            "Tuning",
            f"Tuning all parameters together would gain {g.gain:.1f} dB [{g.low:.1f}, "
            f"{g.high:.1f}] over the defaults, as the surrogate predicts.",
        )
    if (spread := findings.seeds.spread) is not None:
        yield (
            "Seed",
            f"It alone moves PSNR by {spread.deviation:.2f} dB [{spread.low:.2f}, "
            f"{spread.high:.2f}] (standard deviation).",
        )


def _summarize_trials(findings: Findings) -> str:
    trials = findings.study.trials
    scene = findings.study.scene.get("name", "an unnamed scene")
    return f"{len(trials)} on {scene}: {format_outcomes(trials) or 'none ended yet'}."


def _summarize_breaking(breaking: BreakingAnalysis) -> str:
    if breaking.significant_parameters:
        return f"{_capitalize(breaking.significant_parameters[0].sentence)}."
    nearest = breaking.parameters[0]
    return (
        f"{_capitalize(breaking.sentence)}; no parameter has a "
        f"significant effect on which (nearest: {nearest.label}, p = {nearest.p_value:.2g})."
    )


def _summarize_best(findings: Findings) -> str:
    if findings.best is None:
        return "No trial has completed its full budget yet."
    gain = _describe_gain(findings.best, findings.default)
    reached = f"{findings.best['psnr']:.2f} dB on the validation views{gain}."
    return " ".join([reached, *_describe_other_seeds(findings, findings.best)])


def _summarize_best_variant(variants: VariantComparison) -> str:
    means = variants.psnr.mean()
    if means.isna().all():
        return "No run of a variant has trained."
    best = str(means.idxmax())
    runs = int(variants.psnr[best].count())
    seeds = (
        "in its only run that trained" if runs == 1 else f"on average over {runs} runs that trained"
    )
    return f"{best}, with {means[best]:.2f} dB on the validation views {seeds}."


def _describe_gain(best: pd.Series, default: pd.Series | None) -> str:
    if default is None:
        return "; the default configuration itself was not run, so no gain over it is claimed"
    gain = best["psnr"] - default["psnr"]
    if gain <= 0:
        return ", and it is the default configuration" if gain == 0 else ""
    return f", {gain:.2f} dB above the default configuration (one seed each)"


def _describe_other_seeds(findings: Findings, trial: pd.Series) -> list[str]:
    """How the best trial did with other seeds: unlike its own PSNR, not selected for its luck."""
    paths = [dimension.path for dimension in findings.study.space.dimensions]
    replicates = select_other_seeds(findings.study.trials, paths, trial)
    if replicates.empty:
        return []
    psnr = select_finished(replicates)["psnr"]
    seeds = "another seed" if len(replicates) == 1 else f"{len(replicates)} other seeds"
    reached = f" it reached {psnr.mean():.2f} dB" if len(psnr) else ""
    spread = f" on average ({psnr.min():.2f} to {psnr.max():.2f})" if len(psnr) > 1 else ""
    unfinished = len(replicates) - len(psnr)
    lost = f"; {unfinished} did not complete" if unfinished else ""
    return [f"Run again with {seeds}{reached}{spread}{lost}."]


def _capitalize(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
