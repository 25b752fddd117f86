"""What the flagship studies found: `python analysis/flagship.py` writes analysis/results/README.md.

Every number in it is computed from the tables beside it, and a test writes it again and compares.
A study that is not there is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.findings import Findings, findings
from analysis.flagship_claims import (
    by_seen,
    choices_compared,
    differing,
    harm_in_silence,
    rates_by,
    suggestion,
)
from analysis.load import Study, load_study
from analysis.summary import words
from nerf.command import exit_status
from nerf.files import write_atomically

RESULTS = Path(__file__).parent / "results"

_INTRODUCTION = """\
# What the flagship studies found

Written by `python analysis/flagship.py` from the tables in these folders; numbers in brackets are
95 % intervals. `python analysis/report.py analysis/results/NAME` makes a study's whole report."""


def main() -> int:
    page = RESULTS / "README.md"
    write_atomically(page, document(RESULTS).encode())
    print(page)
    return 0


def document(results: Path) -> str:
    """The page about the studies that `results` holds, as Markdown."""
    sections = [_INTRODUCTION]
    if _there(results, "near_far", "suggested"):
        sections += ["## Near and far", *_near_far(results)]
    if _there(results, "activations"):
        sections += ["## Density and hidden activations", *_activations(results)]
    for name, title in (
        ("everything", "Everything, on tiny LEGO"),
        ("everything_bricks", "Everything, on bricks"),
    ):
        if _there(results, name):
            sections += [f"## {title}", *_everything(findings(results / name))]
    arms = sorted(path.parent for path in (results / "hidden").glob("*/study.json"))
    if arms:
        sections += [
            "## The default hidden activation",
            *_hidden([load_study(arm) for arm in arms]),
        ]
    return "\n\n".join(sections) + "\n"


def _there(results: Path, *names: str) -> bool:
    return all((results / name / "study.json").exists() for name in names)


def _near_far(results: Path) -> Iterator[str]:
    yield (
        "The claim: unsuitable bounds give black or constant renders, a constant loss and "
        "vanishing gradients."
    )
    found = findings(results / "near_far")
    yield _made_by(found.study)
    yield by_seen(found.study)
    yield harm_in_silence(found.study)
    for effect in found.effects:
        if effect.sentence:
            yield f"{effect.label}: {effect.sentence}"
    yield suggestion(found.study, load_study(results / "suggested"))
    yield found.headline


def _activations(results: Path) -> Iterator[str]:
    yield (
        "The claim: a sigmoid, and a ReLU, on the density get stuck for some seeds; softplus is "
        "more stable. Cells are collapsed of all trials, each with its own seed."
    )
    study = load_study(results / "activations")
    yield _made_by(study)
    yield rates_by(study, "field.density_activation", "field.hidden_activation")
    for path in ("field.density_activation", "field.hidden_activation"):
        yield differing(study, path)


def _everything(found: Findings) -> Iterator[str]:
    yield _made_by(found.study)
    yield found.headline
    yield "\n".join(f"- {name}: {sentence}" for name, sentence in words(found))
    if found.over_time.settled_at is not None:
        yield (
            f"From step {found.over_time.settled_at} on no share moves by more than a tenth of the "
            "variance again."
        )


def _hidden(studies: Sequence[Study]) -> Iterator[str]:
    runs = sum(len(study.trials) for study in studies)
    yield (
        f"{runs} runs of the defaults but for the hidden activation, the same seeds for each "
        "choice; the fox had no part in any other study."
    )
    yield choices_compared(studies, "field.hidden_activation", "relu")


def _made_by(study: Study) -> str:
    command = " ".join(study.command)
    return (
        f"`python {command}`: {len(study.trials)} trials of {study.asked['steps']} steps, "
        f"{study.trials['train_seconds'].sum() / 3600:.1f} hours of training on one thread each."
    )


if __name__ == "__main__":
    sys.exit(exit_status(main))
