"""Writes the results page, analysis/results/README.md, from the tables beside it.

    python analysis/published/page.py [--figures svg]

It also writes the findings on the front page, README.md, and with --figures the page's figures.

Every number on the page is computed from the tables; a test generates the page again and compares.
A study that is missing is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.claims.across_claims import select_across
from analysis.claims.claim import Claim
from analysis.claims.comparison_claims import list_comparison_claims
from analysis.claims.list_claims import (
    headline_claims,
    list_claims,
    select_claims,
)
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.findings.comparison import compare_studies
from analysis.published.ablation import analyze_ablation, format_ablation, read_runs
from analysis.published.break_tables import tabulate_breaks, tabulate_medians
from analysis.published.collapse_tables import (
    describe_collapses,
    name_scene,
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
    replace_findings,
)
from analysis.published.near_far import (
    describe_suggestion,
    describe_suggestion_range,
    describe_unnoticed_harm,
    tabulate_by_visible_depth,
)
from analysis.published.over_time import tabulate_over_time
from analysis.published.page_figures import analyze_committed, link_figure, write_page_figures
from analysis.published.paired_gains import describe_equal_time, tabulate_paired_gains
from analysis.published.start_tables import (
    describe_starts,
    tabulate_gains,
    tabulate_starts,
)
from analysis.published.strata import describe_pooled, describe_within_strata
from nerf.common.command_line import Parser, exit_status
from nerf.common.files import write_atomically
from nerf.config.flat import flatten
from nerf.config.parameters import DERIVED, Value
from nerf.config.schema import NerfConfig
from study.records.outcomes import BROKEN
from study.spec.default_space import DEFAULT_SETTINGS
from study.spec.study_spec import StudySpec

RESULTS = Path(__file__).parents[1] / "results"

_INTRODUCTION = """\
# Results

Written by `python analysis/published/page.py --figures svg` from the tables in these folders;
numbers in brackets are 95 % intervals. A run *breaks* if it collapses or shows nothing, which is to
end no better than the best trivial image. Shares, curves and best values are of runs that trained.
`python analysis/report.py analysis/results/NAME` writes the full report of a study."""


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit status."""
    return exit_status(lambda: _run(arguments))


def _run(arguments: list[str] | None) -> int:
    parser = Parser(
        "Write the page of published results, and the findings in README.md, from committed tables."
    )
    parser.add_argument("--figures", choices=("svg",), help="also write the page's figures")
    options = parser.parse(arguments)
    page = RESULTS / "README.md"
    write_atomically(page, render_results_page(RESULTS).encode())
    print(page)
    readme = RESULTS.parents[1] / "README.md"
    write_atomically(readme, replace_findings(readme.read_text(), RESULTS).encode())
    print(readme)
    if options.figures:
        print(*write_page_figures(RESULTS, options.figures), sep="\n")
    return 0


def render_results_page(results: Path) -> str:
    """The page about the studies in `results`, as Markdown."""
    sections = [_INTRODUCTION]
    if _has_studies(results, "near_far", "suggested"):
        sections += ["## Near and far", *_near_far(results)]
    if studies := load_group(results, "collapse"):
        sections += ["## What kills a density, scene by scene", *_collapses(studies)]
    if _has_studies(results, "density_bricks"):
        sections += ["## See it in three minutes", *_see_it(load_study(results / "density_bricks"))]
    if (results / FIRST_STEPS).exists():
        sections += ["## Why it dies: the first steps", *_first_steps(results / FIRST_STEPS)]
    if studies := load_group(results, "cures_by_scene"):
        sections += ["## What keeps it alive, and what that costs", *_cures_by_scene(studies)]
    if studies := load_group(results, "start"):
        sections += ["## Defaults that start", *_starts(results, studies)]
    if _has_studies(results, "activations"):
        sections += ["## Density and hidden activations, on tiny LEGO", *_activations(results)]
    if _has_studies(results, "cures"):
        sections += ["## Cures of a ReLU density, on tiny LEGO", *_cures(results)]
    for name, title in (
        ("everything", "Everything, on tiny LEGO"),
        ("default", "The default study, on bricks"),
    ):
        if _has_studies(results, name):
            sections += [f"## {title}", *_everything(name, analyze_committed(results / name))]
    if (results / "ablation").exists():
        sections += ["## The paper's ablation", *_ablation(results)]
    if studies := load_group(results, "hidden"):
        sections += ["## The default hidden activation", *_hidden(studies)]
    if studies := load_group(results, "learning_rate"):
        sections += ["## The default learning rate", *_learning_rate(studies)]
    return "\n\n".join(sections) + "\n"


def _has_studies(results: Path, *names: str) -> bool:
    return all((results / name / "study.json").exists() for name in names)


def _collapses(studies: Sequence[Study]) -> Iterator[str]:
    yield (
        "Claim: with a sigmoid or a ReLU on the density, training gets stuck for some seeds; "
        "softplus is more stable. Tested with the start that our defaults had: rays from whole "
        "images, the full learning rate at once, the density of the weights as drawn. Cells show "
        "runs that "
        "collapsed / all runs; runs that are only slow do not count."
    )
    yield _describe_group(studies)
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
    yield _describe_origin(study)
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
    yield _describe_group(studies)
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
    yield _describe_group(studies)
    yield tabulate_starts(studies)
    yield describe_starts(studies)
    yield "Defaults before and now, dB, paired by seed (number of seeds):"
    groups = [studies] + [load_group(results, f"start_{steps}") for steps in (1500, 5000)]
    yield tabulate_gains([study for group in groups for study in group])


def _describe_group(studies: Sequence[Study]) -> str:
    """The command of the first of several studies of one design, and what all of them took."""
    runs = sum(len(study.trials) for study in studies)
    hours = sum(study.trials["train_seconds"].sum() for study in studies) / 3600
    command = " ".join([*studies[0].command, *_options_for_old_defaults(studies[0])])
    scenes = ", ".join(name_scene(study) for study in studies)
    return (
        f"`python {command}`, and the same for each of {len(studies)} scenes ({scenes}): {runs} "
        f"runs, {hours:.1f} hours of training on one thread each."
    )


def _near_far(results: Path) -> Iterator[str]:
    yield (
        "Claim: unsuitable bounds cause black or constant renders, a constant loss and "
        "vanishing gradients."
    )
    findings = analyze_committed(results / "near_far")
    yield _describe_origin(findings.study)
    yield tabulate_by_visible_depth(findings.study)
    yield link_figure("near_far", "PSNR of every trial over near and far")
    yield describe_unnoticed_harm(findings.study)
    yield describe_suggestion(findings.study, load_study(results / "suggested"))
    yield describe_suggestion_range(findings.study, findings.effects)
    yield _list_sentences(list_claims(findings))


def _activations(results: Path) -> Iterator[str]:
    yield (
        "Claim: with a sigmoid or a ReLU on the density, training gets stuck for some seeds; "
        "softplus is more stable. Cells show trials that break / all trials, each with its own "
        "seed."
    )
    study = load_study(results / "activations")
    yield _describe_origin(study)
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
    yield _describe_origin(study)
    yield tabulate_breaks(study, INITIALISATION, NOISE)
    yield tabulate_breaks(study, RATE, NOISE)
    yield describe_within_strata(study, NOISE, [RATE])
    yield describe_within_strata(study, RATE, [NOISE])
    yield describe_within_strata(study, INITIALISATION, [RATE, NOISE])
    yield "The cost of noise, as the median PSNR of trials that trained:"
    yield tabulate_medians(study, RATE, NOISE)


def _everything(name: str, findings: Findings) -> Iterator[str]:
    yield _describe_origin(findings.study)
    claims = list_claims(findings)
    yield from (claim.text for claim in headline_claims(claims))
    if findings.importance.shares:
        yield link_figure(f"{name}_importance", "Share of the variance of PSNR for each parameter")
        yield link_figure(f"{name}_parts", "Parts of the variance of PSNR")
    yield _list_sentences(claims)
    if findings.over_time.at_steps:
        yield "Shares and rank correlation during training, over the explored runs that trained:"
        yield tabulate_over_time(findings.over_time)
        if findings.importance.ranked:
            yield link_figure(f"{name}_over_time", "Shares against training steps")


def _list_sentences(claims: Sequence[Claim]) -> str:
    """All claims but the headline as a list; one of a share has that with failures in it."""
    named = {claim.parameters for claim in select_claims(claims, "share")}
    stated = headline_claims(claims)
    return "\n".join(
        f"- {claim.text}"
        for claim in claims
        if claim not in stated
        and not (claim.kind == "share_with_failures" and claim.parameters in named)
    )


def _ablation(results: Path) -> Iterator[str]:
    study = load_study(results / "ablation")
    yield "Do the rows of Table 2 of the NeRF paper keep their order at a small budget?"
    yield _describe_origin(study)
    yield link_figure(
        "ablation", "Loss of each row against the complete model, here and in the paper"
    )
    yield format_ablation(analyze_ablation(read_runs(results / "ablation"))).strip()


def _hidden(studies: Sequence[Study]) -> Iterator[str]:
    runs = sum(len(study.trials) for study in studies)
    yield (
        f"{runs} runs of the default configuration with different hidden activations, the same "
        "seeds for each; the fox was not part of the studies above."
    )
    yield tabulate_paired_gains(studies, HIDDEN, "relu")
    yield (
        "A step with sine takes 1.6 times as long as one with ReLU on one core (LOG.md), so 640 "
        "steps with ReLU take as long as 400 with sine. At equal time, "
        f"{describe_equal_time(studies, HIDDEN, 'sine', 'relu for 640 steps')} Neither is better "
        "on both scenes: the default remains ReLU."
    )


def _learning_rate(studies: Sequence[Study]) -> Iterator[str]:
    runs = sum(len(study.trials) for study in studies)
    broken = sum(int(study.trials["outcome"].isin(BROKEN).sum()) for study in studies)
    yield (
        f"{runs} runs of the default configuration with two learning rates, the same seeds for "
        f"both; the fox was not part of the studies above. {broken} of them collapsed or show "
        "nothing."
    )
    for steps in sorted({int(study.spec["steps"]) for study in studies}):
        budget = [study for study in studies if study.spec["steps"] == steps]
        yield tabulate_paired_gains(budget, RATE, "0.005")
    yield (
        "The default was raised to 0.008: at the small budget the interval of its gain excludes 0 "
        "on all three scenes, at the larger one on none. Longer training was not measured."
    )


def _describe_origin(study: Study) -> str:
    document = {"spec": study.spec, "space": study.space.to_json()}
    planned = StudySpec.from_json(document).trials
    ended = len(study.trials)
    so_far = f"{ended} trials" if ended == planned else f"{ended} of {planned} trials"
    return (
        f"`python {' '.join([*study.command, *_options_for_old_defaults(study)])}`: {so_far} of "
        f"{study.spec['steps']} steps, {study.trials['train_seconds'].sum() / 3600:.1f} hours of "
        "training on one thread each."
    )


def _options_for_old_defaults(study: Study) -> Iterator[str]:
    """Options that repeat the study in spite of defaults that have changed since."""
    then = dict(study.space.parameter_defaults) | dict(study.space.fixed)
    now: dict[str, Value] = flatten(NerfConfig()) | DEFAULT_SETTINGS
    own = {dimension.path for dimension in study.space.dimensions} | {"optimisation.steps"}
    if "--study" in study.command:  # the study file sets steps and fixed parameters
        own |= set(dict(study.space.fixed))
    elif "--steps" not in study.command and study.spec["steps"] != StudySpec.steps:
        yield f"--steps {study.spec['steps']}"
    for path, value in then.items():
        on_command_line = any(word.startswith(f"{path}=") for word in study.command)
        if path not in own and path not in DERIVED and not on_command_line and value != now[path]:
            yield f"--set {path}={str(value).lower() if isinstance(value, bool) else value}"


if __name__ == "__main__":
    sys.exit(main())
