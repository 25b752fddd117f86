"""The sections on what parameters matter, the paper's ablation, and two defaults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.claims.list_claims import headline_claims, list_claims
from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.published.ablation import analyze_ablation, format_ablation, read_runs
from analysis.published.front_page import HIDDEN, RATE, load_group
from analysis.published.origin import describe_origin, has_studies, list_sentences
from analysis.published.over_time import tabulate_over_time
from analysis.published.page_figures import analyze_committed, link_figure
from analysis.published.paired_gains import describe_equal_time, tabulate_paired_gains
from study.records.outcomes import BROKEN


def parameter_sections(results: Path) -> list[str]:
    """The paragraphs of these sections, as Markdown, of the studies that are there."""
    sections: list[str] = []
    for name, title in (
        ("everything", "Everything, on tiny LEGO"),
        ("default", "The default study, on bricks"),
    ):
        if has_studies(results, name):
            sections += [f"## {title}", *_everything(name, analyze_committed(results / name))]
    if (results / "ablation").exists():
        sections += ["## The paper's ablation", *_ablation(results)]
    if studies := load_group(results, "hidden"):
        sections += ["## The default hidden activation", *_hidden(studies)]
    if studies := load_group(results, "learning_rate"):
        sections += ["## The default learning rate", *_learning_rate(studies)]
    return sections


def _everything(name: str, findings: Findings) -> Iterator[str]:
    yield describe_origin(findings.study)
    claims = list_claims(findings)
    yield from (claim.text for claim in headline_claims(claims))
    if findings.importance.shares:
        yield link_figure(f"{name}_importance", "Share of the variance of PSNR for each parameter")
        yield link_figure(f"{name}_parts", "Parts of the variance of PSNR")
    yield list_sentences(claims)
    if findings.over_time.at_steps:
        yield "Shares and rank correlation during training, over the explored runs that trained:"
        yield tabulate_over_time(findings.over_time)
        if findings.importance.ranked:
            yield link_figure(f"{name}_over_time", "Shares against training steps")


def _ablation(results: Path) -> Iterator[str]:
    study = load_study(results / "ablation")
    yield "Do the rows of Table 2 of the NeRF paper keep their order at a small budget?"
    yield describe_origin(study)
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
