"""The sections on what breaks training: bounds, density and hidden activations, and cures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.claims.across_claims import select_across
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.study import Study, load_study
from analysis.findings.comparison import compare_studies
from analysis.published.break_tables import tabulate_breaks, tabulate_medians
from analysis.published.collapse_tables import (
    describe_collapses,
    tabulate_by_scene,
    tabulate_collapses,
)
from analysis.published.cure_table import read_cure_runs, tabulate_cures
from analysis.published.first_steps import (
    FIRST_STEPS,
    describe_first_steps,
    read_first_steps,
    tabulate_first_steps,
)
from analysis.published.front_page import (
    CROP,
    DENSITY,
    HIDDEN,
    INITIALISATION,
    NOISE,
    RATE,
    load_group,
)
from analysis.published.near_far import (
    describe_suggestion,
    describe_suggestion_range,
    describe_unnoticed_harm,
    tabulate_by_visible_depth,
)
from analysis.published.origin import describe_group, describe_origin, has_studies, list_sentences
from analysis.published.page_figures import analyze_committed, link_figure
from analysis.published.start_tables import describe_starts, tabulate_gains, tabulate_starts
from analysis.published.strata import describe_pooled, describe_within_strata


def breaking_sections(results: Path) -> list[str]:
    """The paragraphs of these sections, as Markdown, of the studies that are there."""
    sections: list[str] = []
    if has_studies(results, "near_far", "suggested"):
        sections += ["## Near and far", *_near_far(results)]
    if studies := load_group(results, "collapse"):
        sections += ["## What kills a density, scene by scene", *_collapses(studies)]
    if has_studies(results, "density_bricks"):
        sections += ["## See it in a few minutes", *_see_it(load_study(results / "density_bricks"))]
    if (results / FIRST_STEPS).exists():
        sections += ["## Why it dies: the first steps", *_first_steps(results / FIRST_STEPS)]
    if studies := load_group(results, "cures_by_scene"):
        sections += ["## What keeps it alive, and what that costs", *_cures_by_scene(studies)]
    if studies := load_group(results, "start"):
        sections += ["## Defaults that start", *_starts(results, studies)]
    if has_studies(results, "activations"):
        sections += ["## Density and hidden activations, on tiny LEGO", *_activations(results)]
    if has_studies(results, "cures"):
        sections += ["## Cures of a ReLU density, on tiny LEGO", *_cures(results)]
    return sections


def _near_far(results: Path) -> Iterator[str]:
    yield (
        "Claim: unsuitable bounds cause black or constant renders, a constant loss and "
        "vanishing gradients."
    )
    findings = analyze_committed(results / "near_far")
    yield describe_origin(findings.study)
    yield tabulate_by_visible_depth(findings.study)
    yield link_figure("near_far", "PSNR of every trial over near and far")
    yield describe_unnoticed_harm(findings.study)
    yield describe_suggestion(findings.study, load_study(results / "suggested"))
    yield describe_suggestion_range(findings.study, findings.effects)
    yield list_sentences(list_claims(findings))


def _collapses(studies: Sequence[Study]) -> Iterator[str]:
    yield (
        "Claim: with a sigmoid or a ReLU on the density, training gets stuck for some seeds; "
        "softplus is more stable. Tested with the start that our defaults had: rays from whole "
        "images, the full learning rate at once, the density of the weights as drawn. Cells show "
        "runs that "
        "collapsed / all runs; runs that are only slow do not count."
    )
    yield describe_group(studies)
    yield tabulate_collapses(studies, DENSITY, RATE)
    yield "At the default learning rate, by scene:"
    yield tabulate_by_scene(studies, DENSITY, RATE, 0.008)
    yield tabulate_collapses(studies, HIDDEN, RATE)
    yield describe_collapses(studies, DENSITY)
    yield describe_collapses(studies, HIDDEN)
    yield (
        "With the scene as a block (`python analysis/report.py analysis/results/collapse/*`); here "
        "a run breaks also if it shows nothing, as slow ones do:"
    )
    comparison = compare_studies([analyze_committed(study.folder.path) for study in studies])
    claims = select_across(list_comparison_claims(comparison))
    yield "\n".join(f"- {claim.text}" for claim in claims)


def _see_it(study: Study) -> Iterator[str]:
    yield describe_origin(study)
    yield "Runs that collapsed / all runs:"
    yield tabulate_collapses([study], DENSITY, CROP)
    claims = select_claims(list_claims(analyze_committed(study.folder.path)), "breaks", "safe")
    yield "\n".join(f"- {claim.text}" for claim in claims)


def _first_steps(file: Path) -> Iterator[str]:
    moments = read_first_steps(file)
    yield (
        "`python benchmarks/first_steps.py --scene bricks --scene studio --csv FILE` watches one "
        "run of each kind on the same rays of the training views. The gradient at the bias of the "
        "density head is split into what rays of the backdrop and rays of the object add to it; "
        "above 0 it lowers the density."
    )
    yield tabulate_first_steps(moments)
    yield link_figure("first_steps", "Opacity of object and backdrop over the first 50 steps")
    yield describe_first_steps(moments)


def _cures_by_scene(studies: Sequence[Study]) -> Iterator[str]:
    yield (
        "Each cure alone, with each density activation, at the default learning rate. Cells show "
        "runs that collapsed / all runs; the changes are means over scenes against the run with "
        "the same seed and no cure, where both trained. `python benchmarks/cure_cost.py` "
        "measures processor time (LOG.md)."
    )
    yield describe_group(studies)
    cures = read_cure_runs(studies)
    yield tabulate_cures(cures)
    yield (
        "The crop draws from the part of the images that differs from a uniform backdrop, and from "
        "whole images where there is none (fox, courtyard)."
    )


def _starts(results: Path, studies: Sequence[Study]) -> Iterator[str]:
    yield (
        "The defaults draw the first 100 steps from the content of the images, raise the learning "
        "rate over 50 steps and start from a density of 0.3. Median PSNR of six seeds after 300 "
        "steps, and runs that broke; `before` is the earlier default with its own density "
        "activation, shifted_softplus:"
    )
    yield describe_group(studies)
    yield tabulate_starts(studies)
    yield describe_starts(studies)
    yield "Defaults before and now, dB, paired by seed (number of seeds):"
    groups = [studies] + [load_group(results, f"start_{steps}") for steps in (1500, 5000)]
    yield tabulate_gains([study for group in groups for study in group])


def _activations(results: Path) -> Iterator[str]:
    yield (
        "Claim: with a sigmoid or a ReLU on the density, training gets stuck for some seeds; "
        "softplus is more stable. Cells show trials that break / all trials, each with its own "
        "seed."
    )
    study = load_study(results / "activations")
    yield describe_origin(study)
    yield tabulate_breaks(study, DENSITY, HIDDEN)
    yield link_figure(
        "activations_density_activation", "Rate of breaking for each density activation"
    )
    yield link_figure(
        "activations_hidden_activation", "Rate of breaking for each hidden activation"
    )
    yield "All of it is of one scene, at one learning rate and budget."
    yield describe_pooled(study, DENSITY, [HIDDEN])
    yield describe_within_strata(study, HIDDEN, [DENSITY])


def _cures(results: Path) -> Iterator[str]:
    yield (
        "All trials have a ReLU on the density, on one scene. Does another initialisation, noise "
        "on the raw density or a lower learning rate let more of them train?"
    )
    study = load_study(results / "cures")
    yield describe_origin(study)
    yield tabulate_breaks(study, INITIALISATION, NOISE)
    yield tabulate_breaks(study, RATE, NOISE)
    yield describe_within_strata(study, NOISE, [RATE])
    yield describe_within_strata(study, RATE, [NOISE])
    yield describe_within_strata(study, INITIALISATION, [RATE, NOISE])
    yield "The cost of noise, as the median PSNR of trials that trained:"
    yield tabulate_medians(study, RATE, NOISE)
