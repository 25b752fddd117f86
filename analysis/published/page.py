"""Writes the results page, analysis/results/README.md, from the tables beside it.

    python analysis/published/page.py [--figures svg]

It also writes the findings on the front page, README.md, and with --figures the page's figures.

Every number on the page is computed from the tables; a test generates the page again and compares.
A study that is missing is left out.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.claims.claim import Claim
from analysis.claims.list_claims import (
    headline_claims,
    join_texts,
    list_claims,
    select_claims,
)
from analysis.claims.wording import format_part
from analysis.data.selection import select_trained_or_broken
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.findings.bounds_map import NEAR
from analysis.importance.shares import Importance
from analysis.published.ablation import analyze_ablation, format_ablation, read_runs
from analysis.published.break_tables import estimate_break_rates, tabulate_breaks, tabulate_medians
from analysis.published.near_far import (
    analyze_obscured,
    describe_suggestion,
    describe_suggestion_range,
    describe_unnoticed_harm,
    tabulate_by_visible_depth,
)
from analysis.published.over_time import tabulate_over_time
from analysis.published.page_figures import analyze_committed, link_figure, write_page_figures
from analysis.published.paired_gains import describe_equal_time, tabulate_paired_gains
from analysis.published.strata import describe_pooled, describe_within_strata
from nerf.common.command_line import Parser, exit_status
from nerf.common.files import write_atomically
from nerf.config.flat import flatten
from nerf.config.parameters import DERIVED, Value
from nerf.config.schema import NerfConfig
from study.records.outcomes import BROKEN
from study.spec.default_space import DEFAULT_SETTINGS
from study.spec.study_spec import StudySpec

DENSITY, HIDDEN = "field.density_activation", "field.hidden_activation"
RATE, NOISE = "optimisation.learning_rate", "optimisation.density_noise"
INITIALISATION = "field.initialisation"

RESULTS = Path(__file__).parents[1] / "results"

_FRONT_PAGE_HEADING = "## What it found so far\n\n"
_FRONT_PAGE_WIDTH = 104

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
    if _has_studies(results, "activations"):
        sections += ["## Density and hidden activations", *_activations(results)]
    if _has_studies(results, "cures"):
        sections += ["## What prevents the collapse of a ReLU density", *_cures(results)]
    for name, title in (
        ("everything", "Everything, on tiny LEGO"),
        ("default", "The default study, on bricks"),
    ):
        if _has_studies(results, name):
            sections += [f"## {title}", *_everything(name, analyze_committed(results / name))]
    if (results / "ablation").exists():
        sections += ["## The paper's ablation", *_ablation(results)]
    arms = sorted(path.parent for path in (results / "hidden").glob("*/study.json"))
    if arms:
        sections += [
            "## The default hidden activation",
            *_hidden([load_study(arm) for arm in arms]),
        ]
    arms = sorted(path.parent for path in (results / "learning_rate").glob("*/study.json"))
    if arms:
        sections += [
            "## The default learning rate",
            *_learning_rate([load_study(arm) for arm in arms]),
        ]
    return "\n\n".join(sections) + "\n"


def replace_findings(readme: str, results: Path) -> str:
    """The front page with the findings of `results` in their section, as a list."""
    wrapper = textwrap.TextWrapper(
        _FRONT_PAGE_WIDTH,
        initial_indent="- ",
        subsequent_indent="  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    findings = "\n".join(map(wrapper.fill, summarize_results(results)))
    before, section = readme.split(_FRONT_PAGE_HEADING, 1)
    _, after = section.split("\n\n", 1)
    return f"{before}{_FRONT_PAGE_HEADING}{findings}\n\n{after}"


def summarize_results(results: Path) -> list[str]:
    """The findings on the project's front page."""
    return [
        _summarize_everything(analyze_committed(results / "everything")),
        _summarize_near_far(analyze_committed(results / "near_far")),
        _summarize_activations(load_study(results / "activations")),
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


def _summarize_activations(study: Study) -> str:
    rates = {rate.name: rate for rate in estimate_break_rates(study, DENSITY)}
    relu = rates.pop("relu")
    other = max(rates.values(), key=lambda rate: rate.high)
    return (
        f"With a ReLU on the density {format_part(relu.rate, relu.low, relu.high)} of "
        f"{relu.trials} runs break, with each of the other four activations "
        f"{format_part(other.rate, other.low, other.high)} (tiny LEGO, learning rate 0.005)."
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


def _has_studies(results: Path, *names: str) -> bool:
    return all((results / name / "study.json").exists() for name in names)


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
