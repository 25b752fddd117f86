"""The report's sections: a question, its figure, its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis import figures, markup
from analysis import interval_figures as intervals
from analysis.effects import AS_GOOD
from analysis.markup import text
from analysis.trial_sections import combinations, cost, curves, trials

if TYPE_CHECKING:
    from analysis.findings import Findings

_NEAR, _FAR = "sampling.near", "sampling.far"


def sections(found: Findings) -> str:
    """All that the study bears, top-down."""
    parts = [
        importance, top, collapse, effects, bounds, tuning, curves, time, cost, combinations,
        trials,
    ]  # fmt: skip
    return "".join(part(found) for part in parts)


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
        intervals.importance_bars(measured), "Share of PSNR's variance for each parameter"
    )
    body += _pairs(found)
    quality = ", ".join(f"{name} {r2:.2f}" for name, r2 in measured.r2.items())
    limits = (
        f"{used} Sobol' shares of a {text(measured.surrogate)} fitted to them, under the declared "
        f"prior; cross-validated R²: {quality}. Lines are 95 % intervals, bootstrapped over "
        "trials; the red tick is what the largest of all parameters stays below in 95 % of "
        "shuffles. Total shares count interactions once for each partner and may add up to over "
        "100 %. Trials that collapsed early are not in them (see below). Shares hold for this "
        "scene, this budget and these domains." + _seeds(found)
    )
    return markup.section("importance", question, body, limits)


def _pairs(found: Findings) -> str:
    if not found.planes:
        return ""
    maps = [
        markup.figure(
            figures.plane(plane), f"Mean PSNR over {plane.labels[0]} and {plane.labels[1]}"
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


def _seeds(found: Findings) -> str:
    seeds = found.seeds
    if seeds is None:
        return " What the seed alone does is not known: no configuration was run with several."
    share = "" if np.isnan(seeds.share) else f", {seeds.share:.0%} of the explored trials' variance"
    return (
        f" The seed alone moves PSNR by {seeds.deviation:.2f} dB "
        f"[{seeds.low:.2f}, {seeds.high:.2f}] (standard deviation over {seeds.runs} runs of "
        f"{seeds.configurations} configurations{share})."
    )


def top(found: Findings) -> str:
    reached = found.top
    body = markup.refusal(f"No ranking: {reached.refusal}") if reached.refusal else ""
    if reached.shares:
        body += markup.figure(
            intervals.top_bars(reached),
            "Share of what sets the best trials apart, each parameter",
        )
    return markup.section(
        "top", "What decides who is among the best?", body,
        f"The best {reached.top} of {reached.trials} comparable trials against the prior: Pearson "
        "divergence of each parameter's values, less what chance gives (PED-ANOVA), as a share of "
        "all of them. The red tick is what the largest of all parameters stays below in 95 % of "
        "shuffled studies. One parameter at a time: pairs that only work together do not show.",
    )  # fmt: skip


def collapse(found: Findings) -> str:
    broken = found.collapse
    if broken.refusal:
        body = markup.refusal(f"Nothing to compare: {broken.refusal}")
    else:
        shown = (broken.live or broken.parameters[:2])[:6]
        panels = [
            markup.figure(intervals.rates(b), f"Rate of collapse against {b.label}")
            + f'<p class="note">{_verdict(b.p_value)}</p>'
            for b in shown
        ]
        body = f"<p>{_breaking_words(found)}</p>{markup.grid(panels)}"
    return markup.section(
        "collapse", "What breaks training?", body,
        f"{broken.collapsed} of {broken.trials} explored trials that ended by themselves "
        "collapsed. Ranges are equally likely under the prior; lines are 95 % Wilson intervals; "
        "p-values of Fisher's exact test by sampling, corrected after Holm for all parameters.",
    )  # fmt: skip


def _breaking_words(found: Findings) -> str:
    broken = found.collapse
    if not broken.live:
        return "No parameter's rate of collapse differs more than chance would; the two nearest:"
    names = ", ".join(text(b.label) for b in broken.live)
    return f"Rates of collapse differ beyond chance with: {names}."


def _verdict(p: float) -> str:
    return f"p = {p:.2g}, corrected" + ("" if p < 0.05 else ": may well be chance")


def effects(found: Findings) -> str:
    parts = [
        markup.figure(figures.effect(effect), f"PSNR against {effect.label}")
        + (f'<p class="note">{text(effect.sentence)}</p>' if effect.sentence else "")
        for effect in found.effects
    ]
    derived = ""
    if any(d.path == "sampling.span" for d in found.study.space.dimensions):
        derived = (
            " Far is not drawn itself: near and the distance between the two are, so that every "
            "pair is valid."
        )
    return markup.section(
        "effects", "How does each parameter act?", markup.grid(parts),
        "Every trial of both phases with a finite PSNR: ● completed, ▼ pruned before its budget, "
        "✕ collapsed. The dark line is the mean over the prior of all other parameters with its "
        "95 % band; faint lines are single configurations; without a line no surrogate predicted "
        f"well. “As good” means losing less than {AS_GOOD:g} dB as far as can be told."
        + derived,
    )  # fmt: skip


def bounds(found: Findings) -> str:
    table = found.study.trials
    measured = table[np.isfinite(table["psnr"])]
    if not {_NEAR, _FAR} <= set(measured) or measured[[_NEAR, _FAR]].nunique().max() < 2:
        return ""
    body = markup.figure(
        figures.near_far(measured, _NEAR, _FAR), "PSNR over the plane of near and far bounds"
    )
    return markup.section(
        "bounds", "Which near and far bounds work?", body,
        "● completed, ▼ pruned, ✕ collapsed; the other parameters vary as well. Point at a mark to "
        "see its render, press it to open the trial.",
    )  # fmt: skip


def tuning(found: Findings) -> str:
    tuned = found.tuning
    question = "What does tuning gain?"
    if tuned is None:
        why = "No gain is claimed: there is no surrogate that predicts well enough."
        return markup.section("tuning", question, markup.refusal(why), "")
    parts = [markup.figure(intervals.gains(tuned), "dB gained over the defaults by each parameter")]
    if len(tuned.path) > 1:
        parts.append(
            markup.figure(intervals.path(tuned), "PSNR from the defaults to the best trial")
        )
    noise = (
        "; the seeds' own standard deviation is not known, so small gains may be luck"
        if found.seeds is None
        else f"; the seed alone moves PSNR by {found.seeds.deviation:.2f} dB"
    )
    return markup.section(
        "tuning", question, markup.grid(parts),
        "First the surrogate's best value of each parameter alone, and of all together, against "
        f"the default configuration{noise}. Then from the defaults to the best trial, one "
        "parameter at a time, the most promising first; stars are configurations that really ran.",
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
        markup.figure(intervals.agreement(over), "Agreement of early and final order of trials")
    ]
    if found.importance.ranked:
        words += (
            f" From step {over.settled_at} on no parameter's share moves by more than ten points."
            if over.settled_at is not None
            else " Shares still move towards the end of the budget."
        )
        shares = intervals.importance_over_time(over)
        parts.append(markup.figure(shares, "Shares against training steps"))
    return markup.section(
        "time", question, f"<p>{words}</p>{markup.grid(parts)}",
        "Over the comparable trials alone: those that collapsed early are not among them. Rank "
        "correlation of PSNR then and at the end; shares of the variance of PSNR at that step, "
        "shown where the final ones are ranked.",
    )  # fmt: skip
