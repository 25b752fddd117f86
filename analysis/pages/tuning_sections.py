"""The report's sections on how parameters act, what tuning gains, and what is luck."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.tuning_gains import plot_path_to_best, plot_tuning_gains
from analysis.figures.variance_parts import plot_variance_parts
from analysis.findings.partial_dependence import AS_GOOD
from analysis.findings.seed_variance import FEWEST, SeedSpread
from analysis.pages import markup
from analysis.pages.markup import text

if TYPE_CHECKING:
    from analysis.findings.study_findings import Findings


def effects(found: Findings) -> str:
    parts = [
        markup.figure(plot_parameter_effect(effect), f"PSNR against {effect.label}")
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
        "Every trial of any phase with a finite PSNR: ● completed, ▼ pruned before its budget, "
        "✕ collapsed. The dark line is the mean over the prior of all other parameters with its "
        "95 % band; faint lines are single configurations; without a line no surrogate predicted "
        f"well. “As good” means losing less than {AS_GOOD:g} dB as far as can be told."
        + derived,
    )  # fmt: skip


def tuning(found: Findings) -> str:
    tuned, spread = found.tuning, found.seeds.usual
    question = "What does tuning gain?"
    if tuned is None:
        why = "No gain is claimed: there is no surrogate that predicts well enough."
        return markup.section("tuning", question, markup.refusal(why), "")
    drawn = plot_tuning_gains(tuned, spread)
    parts = [markup.figure(drawn, "dB gained over the defaults by each parameter")]
    if len(tuned.path) > 1:
        steps = plot_path_to_best(tuned, spread)
        parts.append(markup.figure(steps, "PSNR from the defaults to the best trial"))
    noise = (
        "; the seeds' own standard deviation is not known, so small gains may be luck"
        if spread is None
        else f"; grey is one standard deviation between seeds, {spread.deviation:.2f} dB"
    )
    return markup.section(
        "tuning", question, markup.grid(parts),
        "First the surrogate's best value of each parameter alone, and of all together, against "
        f"the default configuration{noise}. Then from the defaults to the best trial, one "
        "parameter at a time, the most promising first; stars are configurations that really ran, "
        "where the seeds' spread is known with the standard error of their mean.",
    )  # fmt: skip


def seeds(found: Findings) -> str:
    known, question = found.seeds, "How much of it is luck?"
    if known.usual is None:
        why = (
            f"Fewer than {FEWEST} configurations were run with several seeds, so nothing is known "
            "of what the seed alone does; run_sweep.py --extend 0 --replicates 16 finds out."
        )
        return markup.section("seeds", question, markup.refusal(why), "")
    words = [
        f"{where} the seed alone moves PSNR by {_spread_words(spread)}."
        for where, spread in (
            ("Over the whole space", known.everywhere),
            ("Among the best configurations", known.best),
        )
        if spread is not None
    ]
    body = f"<p>{text(' '.join(words))}</p>"
    if known.parts:
        drawn = plot_variance_parts(known.parts)
        body += markup.figure(drawn, "Shares of variance of single parameters, interactions, seed")
    return markup.section(
        "seeds", question, body,
        "Standard deviations between runs of one configuration that completed, with 95 % intervals "
        "(of chi-squared). Shares are of the variance of explored trials: the seed's measured by "
        "repeating some, the rest divided as the surrogate divides it.",
    )  # fmt: skip


def _spread_words(spread: SeedSpread) -> str:
    return (
        f"{spread.deviation:.2f} dB [{spread.low:.2f}, {spread.high:.2f}] ({spread.runs} runs of "
        f"{spread.configurations} configurations)"
    )
