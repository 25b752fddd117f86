"""The report's sections on how parameters act, what tuning gains, and what the seed does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from analysis.figures.parameter_effect import plot_parameter_effect
from analysis.figures.tuning_gains import plot_path_to_best, plot_tuning_gains
from analysis.findings.partial_dependence import NEGLIGIBLE_LOSS
from analysis.pages.templating import render_template, view_figure
from analysis.stats.seed_spread import MIN_CONFIGURATIONS_FOR_SPREAD, SeedSpread

if TYPE_CHECKING:
    from analysis.findings.analyze_study import Findings


def render_effects_section(findings: Findings) -> Markup:
    """PSNR against each parameter, with its partial dependence."""
    return render_template(
        "effects.html",
        figures=[
            view_figure(
                plot_parameter_effect(effect), f"PSNR against {effect.label}", effect.sentence
            )
            for effect in findings.effects
        ],
        as_good=NEGLIGIBLE_LOSS,
        span_varies=any(d.path == "sampling.span" for d in findings.study.space.dimensions),
    )


def render_tuning_section(findings: Findings) -> Markup:
    """Gains over the defaults, and the path from there to the best trial."""
    tuning, spread = findings.tunability, findings.seeds.spread
    figures = []
    if tuning is not None:
        alt = "dB gained over the defaults by each parameter"
        figures.append(view_figure(plot_tuning_gains(tuning, spread), alt))
        if len(tuning.path) > 1:
            alt = "PSNR from the defaults to the best trial"
            figures.append(view_figure(plot_path_to_best(tuning, spread), alt))
    return render_template("tuning.html", figures=figures, spread=spread)


def render_seeds_section(findings: Findings) -> Markup:
    """The spread between seeds, and its part of the variance."""
    seeds = findings.seeds
    return render_template(
        "seeds.html",
        min_configurations=MIN_CONFIGURATIONS_FOR_SPREAD,
        spread=_describe_spread(seeds.spread),
        part=seeds.part,
    )


def _describe_spread(spread: SeedSpread | None) -> str:
    if spread is None:
        return ""
    return (
        f"{spread.deviation:.2f} dB [{spread.low:.2f}, {spread.high:.2f}] ({spread.runs} runs of "
        f"{spread.configurations} configurations; observed: {spread.smallest:.2f} to "
        f"{spread.largest:.2f} dB)"
    )
