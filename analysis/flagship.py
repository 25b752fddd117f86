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
    blinded,
    by_seen,
    choices_compared,
    collapse_rates,
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


def headline(results: Path) -> str:
    """The README's paragraph about what was found."""
    found = findings(results / "near_far")
    near = next(share for share in found.importance.shares if share.path == "sampling.near")
    blind = blinded(found.study)
    dead = collapse_rates(load_study(results / "activations"), "field.density_activation")
    others = max((rate for rate in dead if rate.name != "relu"), key=lambda rate: rate.high)
    relu = next(rate for rate in dead if rate.name == "relu")
    return (
        f"On tiny LEGO the near bound explains {near.total:.0%} [{near.total_low:.0%}, "
        f"{near.total_high:.0%}] of the variance of PSNR between pairs of near and far. Wrong "
        f"bounds seldom look broken: of {blind.trials} runs that saw under half of the object "
        f"{blind.collapsed} were flagged as collapsed, and the others ended {blind.lost:.1f} dB "
        f"below those that saw all of it. With a ReLU on the density {relu.words} of runs died, "
        f"with each of the other four activations at most {others.words}."
    )


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
    yield (
        "A step with sines takes 1.6 times as long as one with ReLU on one core (LOG.md), so 640 "
        "steps of ReLU are what 400 of sines cost. At equal time sines are not ahead: the default "
        "stays ReLU."
    )


def _made_by(study: Study) -> str:
    command = " ".join(study.command)
    planned = sum(int(study.asked[phase]) for phase in ("explore", "optimize", "replicates"))
    ended = len(study.trials)
    so_far = (
        f"{ended} trials" if ended == planned else f"{ended} of {planned} trials, as far as it was"
    )
    return (
        f"`python {command}`: {so_far} of {study.asked['steps']} steps, "
        f"{study.trials['train_seconds'].sum() / 3600:.1f} hours of training on one thread each."
    )


if __name__ == "__main__":
    sys.exit(exit_status(main))
