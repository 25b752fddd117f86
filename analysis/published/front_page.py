"""The findings on the front page, README.md: one sentence or two for each group of studies."""

from __future__ import annotations

import textwrap
from pathlib import Path

from analysis.claims.list_claims import join_texts, list_claims
from analysis.claims.wording import format_part
from analysis.data.selection import select_trained_or_broken
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import NEAR
from analysis.importance.shares import Importance
from analysis.published.break_tables import estimate_break_rates
from analysis.published.collapse_tables import describe_collapses
from analysis.published.near_far import analyze_obscured
from analysis.published.page_figures import analyze_committed
from analysis.published.start_tables import describe_starts, measure_gain
from study.records.outcomes import BROKEN

DENSITY, HIDDEN = "field.density_activation", "field.hidden_activation"
RATE, NOISE = "optimisation.learning_rate", "optimisation.density_noise"
INITIALISATION = "field.initialisation"
CROP = "optimisation.crop_steps"

_HEADING = "## What it found so far\n\n"
_WIDTH = 104


def load_group(results: Path, name: str) -> list[Study]:
    """The studies in a folder of the results, one a scene or arm, by name."""
    return [load_study(file.parent) for file in sorted((results / name).glob("*/study.json"))]


def replace_findings(readme: str, results: Path) -> str:
    """The front page with the findings of `results` in their section, as a list."""
    wrapper = textwrap.TextWrapper(
        _WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    findings = "\n".join(map(wrapper.fill, summarize_results(results)))
    before, section = readme.split(_HEADING, 1)
    _, after = section.split("\n\n", 1)
    return f"{before}{_HEADING}{findings}\n\n{after}"


def summarize_results(results: Path) -> list[str]:
    """The findings on the project's front page."""
    return [
        _summarize_everything(analyze_committed(results / "everything")),
        _summarize_near_far(analyze_committed(results / "near_far")),
        _summarize_collapses(results),
        _summarize_starts(results),
        _summarize_noise(load_study(results / "cures")),
        _summarize_default(analyze_committed(results / "default")),
    ]


def _summarize_everything(findings: Findings) -> str:
    rate = findings.breaking.overall
    share = _find_share(findings.importance, RATE)
    counted = _find_share(findings.with_failures, RATE)
    return (
        f"On tiny LEGO, over the default space, {format_part(rate.rate, rate.low, rate.high)} of "
        f"{rate.trials} runs break: {rate.collapsed} collapse, {rate.shows_nothing} show nothing. "
        f"Among the {findings.importance.trials} that train, the learning rate makes {share} of "
        f"PSNR's variance; counting the others at their last PSNR, {counted}."
    )


def _summarize_near_far(findings: Findings) -> str:
    obscured = analyze_obscured(findings.study)
    return (
        f"Where only near and far vary, near makes {_find_share(findings.importance, NEAR)} of "
        f"PSNR's variance among {findings.importance.trials} runs that trained, and wrong bounds "
        f"seldom look broken: of {obscured.trials} runs that saw less than half of the object, "
        f"{obscured.collapsed} were flagged as collapsed; the others ended {obscured.lost:.1f} dB "
        "below those that saw all of it."
    )


def _summarize_collapses(results: Path) -> str:
    rates = estimate_break_rates(load_study(results / "activations"), DENSITY)
    relu = next(rate for rate in rates if rate.name == "relu")
    others = [rate for rate in rates if rate is not relu]
    return (
        f"{describe_collapses(load_group(results, 'collapse'), DENSITY)} (Learning rates 0.001 "
        "to 0.02, 300 steps, with the start that most code has.) Which activation is safe depends "
        f"on scene and learning rate: on tiny LEGO at 0.005, {relu.broken} of {relu.trials} runs "
        f"with a ReLU break and {sum(r.broken for r in others)} of "
        f"{sum(r.trials for r in others)} others."
    )


def _summarize_starts(results: Path) -> str:
    studies = load_group(results, "start")
    gains = [measure_gain(study).mean for study in studies]
    return (
        f"{describe_starts(studies)} PSNR after 300 steps changes by {min(gains):+.2f} to "
        f"{max(gains):+.2f} dB by scene."
    )


def _summarize_noise(study: Study) -> str:
    """Runs that break with and without noise, at each learning rate and initialisation."""
    trials = select_trained_or_broken(study.trials)
    parts = []
    for (rate, initialisation), group in trials.groupby([RATE, INITIALISATION], observed=True):
        with_noise, without = group[group[NOISE] > 0], group[group[NOISE] == 0]
        broken = [int(g["outcome"].isin(BROKEN).sum()) for g in (with_noise, without)]
        parts.append(
            f"at {rate:g} with {initialisation} {broken[0]}/{len(with_noise)}, without noise "
            f"{broken[1]}/{len(without)}"
        )
    return (
        "Noise on the raw density of a ReLU helps or harms, by learning rate and initialisation; "
        f"runs that break with it: {'; '.join(parts)}."
    )


def _summarize_default(findings: Findings) -> str:
    rate = findings.breaking.overall
    kinds = ("not_ranked", "share", "gain_over_default")
    claims = [claim for claim in list_claims(findings) if claim.kind in kinds]
    return (
        f"In the default study, on bricks, {format_part(rate.rate, rate.low, rate.high)} of "
        f"{rate.trials} explored runs break: {rate.collapsed} collapse, {rate.shows_nothing} show "
        f"nothing. {join_texts(claims)}"
    )


def _find_share(importance: Importance, path: str) -> str:
    share = next(s for s in importance.shares if s.path == path)
    return format_part(share.share, share.share_low, share.share_high)
