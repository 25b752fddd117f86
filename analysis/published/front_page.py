"""The findings on the front page, README.md: one sentence or two for each group of studies."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path

from analysis.claims.list_claims import join_texts, list_claims
from analysis.claims.wording import format_part
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import NEAR
from analysis.importance.shares import Importance
from analysis.published.collapse_tables import format_collapsed, join_scenes
from analysis.published.cure_table import NO_CURE, read_cure_runs
from analysis.published.near_far import analyze_obscured
from analysis.published.page_figures import analyze_committed
from analysis.published.start_tables import describe_starts, list_gains

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
        _summarize_collapses(load_group(results, "collapse")),
        _summarize_cures(load_group(results, "cures_by_scene")),
        _summarize_starts(load_group(results, "start")),
        _summarize_near_far(analyze_committed(results / "near_far")),
        _summarize_everything(analyze_committed(results / "everything")),
        _summarize_default(analyze_committed(results / "default")),
    ]


def _summarize_everything(findings: Findings) -> str:
    rate = findings.breaking.overall
    share = _find_share(findings.importance, RATE)
    counted = _find_share(findings.with_failures, RATE)
    return (
        f"On tiny LEGO, over a wide space, {format_part(rate.rate, rate.low, rate.high)} of "
        f"{rate.trials} runs break. Among the {findings.importance.trials} that train, the "
        f"learning rate makes {share} of PSNR's variance; counting the others, {counted}."
    )


def _summarize_near_far(findings: Findings) -> str:
    obscured = analyze_obscured(findings.study)
    return (
        "Where only near and far vary, on tiny LEGO, near makes "
        f"{_find_share(findings.importance, NEAR)} of PSNR's variance among "
        f"{findings.importance.trials} runs that trained, and wrong bounds "
        f"seldom look broken: of {obscured.trials} runs that saw less than half of the object, "
        f"{obscured.collapsed} were flagged as collapsed; the others ended {obscured.lost:.1f} dB "
        "below those that saw all of it."
    )


def _summarize_collapses(studies: Sequence[Study]) -> str:
    """How many runs collapse with each density activation, over scenes and learning rates."""
    runs = join_scenes(studies)
    listed = ", ".join(
        f"{choice} {format_collapsed(group)}" for choice, group in runs.groupby(DENSITY)
    )
    rates = runs[RATE]
    sine = format_collapsed(runs[runs[HIDDEN] == "sine"])
    return (
        f"With our earlier start (below), {format_collapsed(runs, interval=True)} collapse on "
        f"{len(studies)} scenes at learning rates of {rates.min():g} to {rates.max():g}; by "
        f"density activation: {listed}; with hidden sines {sine}. "
        "Which are safe depends on scene and rate."
    )


def _summarize_cures(studies: Sequence[Study]) -> str:
    """How many runs collapse without a cure and with each, at the default learning rate."""
    cures = read_cure_runs(studies)
    counts = {
        cure: format_collapsed(cures.runs[cures.runs["cure"] == cure], interval=True)
        for cure in cures.cures
    }
    others = ", ".join(f"{cure} {count}" for cure, count in counts.items() if cure != NO_CURE)
    return (
        f"At the default learning rate {counts[NO_CURE]} collapse over {len(cures.scenes)} scenes "
        f"without a cure; with one: {others}."
    )


def _summarize_starts(studies: Sequence[Study]) -> str:
    gains, steps = list_gains(studies), studies[0].spec["steps"]
    return (
        f"{describe_starts(studies)} On the {len(gains)} scenes where all trained before, PSNR "
        f"after {steps} steps changes by {min(gains):+.2f} to {max(gains):+.2f} dB."
    )


def _summarize_default(findings: Findings) -> str:
    rate = findings.breaking.overall
    shares = "; ".join(share.describe() for share in findings.importance.significant_shares)
    ranked = f"Of PSNR's variance among those that trained: {shares}. " if shares else ""
    kinds = ("not_ranked", "gain_over_default")
    claims = [claim for claim in list_claims(findings) if claim.kind in kinds]
    return (
        f"In the default study, on bricks, {format_part(rate.rate, rate.low, rate.high)} of "
        f"{rate.trials} explored runs break: {rate.collapsed} collapse, {rate.shows_nothing} show "
        f"nothing. {ranked}{join_texts(claims)}"
    )


def _find_share(importance: Importance, path: str) -> str:
    share = next(s for s in importance.shares if s.path == path)
    return format_part(share.share, share.share_low, share.share_high)
