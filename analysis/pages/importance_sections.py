"""The report's sections: a question, its figure, its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.figures.importance_bars import plot_importance_bars, plot_top_bars
from analysis.figures.over_time import plot_importance_over_time, plot_rank_agreement
from analysis.figures.parameter_effect import plot_parameter_pair
from analysis.pages import markup
from analysis.pages.markup import text

if TYPE_CHECKING:
    from analysis.findings.study_findings import Findings


def importance(found: Findings) -> str:
    measured = found.importance
    used = text(found.used.sentence())
    if found.study.assumed:
        used += f" Assumed, since the record does not say: {text('; '.join(found.study.assumed))}."
    question = "Which parameters matter?"
    if not measured.shares:
        return markup.section("importance", question, markup.refusal(measured.headline()), used)
    body = ""
    if not measured.ranked:
        body = markup.refusal(measured.headline() + " What follows is a sketch, no ranking.")
    body += markup.figure(
        plot_importance_bars(measured), "Share of PSNR's variance for each parameter"
    )
    body += _pairs(found)
    quality = ", ".join(f"{name} {r2:.2f}" for name, r2 in measured.r2.items())
    limits = (
        f"{used} Sobol' shares of a {text(measured.surrogate)} fitted to them, under the declared "
        f"prior; cross-validated R²: {quality}. Lines are 95 % intervals: a bootstrap over trials "
        "and, of a process, what they leave open; the red tick is what the largest of all "
        "parameters stays below in 95 % of shuffles. Total shares count interactions once for each "
        "partner and may add up to over 100 %. Trials that collapsed early are not in them (see "
        "below), nor those of the optimise phase: their density is not known, so that no weights "
        "would make them a sample of the declared domains. Shares hold for this scene, this budget "
        "and these domains."
    )
    return markup.section("importance", question, body, limits)


def _pairs(found: Findings) -> str:
    if not found.planes:
        return ""
    maps = [
        markup.figure(
            plot_parameter_pair(plane), f"Mean PSNR over {plane.labels[0]} and {plane.labels[1]}"
        )
        for plane in found.planes
    ]
    strong = ", ".join(
        f"{text(p.labels[0])} × {text(p.labels[1])} {p.share:.0%} [{p.low:.0%}, {p.high:.0%}]"
        for p in found.importance.pairs[: len(maps)]
    )
    return (
        f"<p>Pairs that act together, beyond what each does alone: {strong}.</p>{markup.grid(maps)}"
    )


def top(found: Findings) -> str:
    reached = found.top
    body = markup.refusal(f"No ranking: {reached.refusal}") if reached.refusal else ""
    if reached.shares:
        body += markup.figure(
            plot_top_bars(reached),
            "Share of what sets the best trials apart, each parameter",
        )
    return markup.section(
        "top", "What decides who is among the best?", body,
        f"The best {reached.top} of {reached.trials} comparable trials against the prior: Pearson "
        "divergence of each parameter's values, less what chance gives (PED-ANOVA), as a share of "
        "all of them. The red tick is what the largest of all parameters stays below in 95 % of "
        "shuffled studies. One parameter at a time: pairs that only work together do not show.",
    )  # fmt: skip


def time(found: Findings) -> str:
    over = found.over_time
    question = "When is it decided?"
    if over.refusal:
        return markup.section("time", question, markup.refusal(over.refusal), "")
    early = over.moments[min(1, len(over.moments) - 1)]
    words = (
        f"Keeping only the best third at step {early.step} would have cost {early.lost:.2f} dB; "
        f"the order of trials there agrees with the final one to {early.agreement:.2f} "
        f"[{early.agreement_low:.2f}, {early.agreement_high:.2f}] (rank correlation)."
    )
    parts = [
        markup.figure(plot_rank_agreement(over), "Agreement of early and final order of trials")
    ]
    if found.importance.ranked:
        words += (
            f" From step {over.settled_at} on no parameter's share moves by more than ten points."
            if over.settled_at is not None
            else " Shares still move towards the end of the budget."
        )
        shares = plot_importance_over_time(over)
        parts.append(markup.figure(shares, "Shares against training steps"))
    return markup.section(
        "time", question, f"<p>{words}</p>{markup.grid(parts)}",
        "Over the comparable trials alone: those that collapsed early are not among them. Rank "
        "correlation of PSNR then and at the end; shares of the variance of PSNR at that step, "
        "shown where the final ones are ranked.",
    )  # fmt: skip
