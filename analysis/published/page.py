"""Writes analysis/results/README.md from the tables beside it.

    python analysis/published/page.py

With `--figures svg` it draws the page's figures again, too.

Every number in it is computed from the tables beside it, and a test writes it again and compares.
A study that is not there is left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from analysis.data.study import Study, load_study
from analysis.findings.analyze_study import Findings
from analysis.findings.summary import summarize
from analysis.published.ablation import ablation, markdown, read_runs
from analysis.published.claims import (
    blinded,
    by_budget,
    by_seen,
    choices_compared,
    collapse_rates,
    differing,
    harm_in_silence,
    medians_by,
    rates_by,
    suggestion,
    suggestion_stands,
)
from analysis.published.figures import draw, found_in, shown
from nerf.common.command_line import Parser, exit_status
from nerf.common.files import write_atomically
from nerf.config.flat import flatten
from nerf.config.parameters import DERIVED, Value
from nerf.config.schema import NerfConfig
from study.spec.default_space import DEFAULT_SETTINGS
from study.spec.study_spec import StudySpec

RESULTS = Path(__file__).parents[1] / "results"

_INTRODUCTION = """\
# What the flagship studies found

Written by `python analysis/published/page.py --figures svg` from the tables in these folders;
numbers in brackets are 95 % intervals. `python analysis/report.py analysis/results/NAME` makes a
study's whole report."""


def main() -> int:
    parser = Parser("Write the page about the flagship studies from their committed tables.")
    parser.add_argument("--figures", choices=("svg",), help="also draw the page's figures")
    asked = parser.parse()
    page = RESULTS / "README.md"
    write_atomically(page, document(RESULTS).encode())
    for path in [page, *(draw(RESULTS, asked.figures) if asked.figures else ())]:
        print(path)
    return 0


def document(results: Path) -> str:
    """The page about the studies that `results` holds, as Markdown."""
    sections = [_INTRODUCTION]
    if _there(results, "near_far", "suggested"):
        sections += ["## Near and far", *_near_far(results)]
    if _there(results, "activations"):
        sections += ["## Density and hidden activations", *_activations(results)]
    if _there(results, "cures"):
        sections += ["## What else keeps a ReLU density alive", *_cures(results)]
    for name, title in (
        ("everything", "Everything, on tiny LEGO"),
        ("default", "The default study, on bricks"),
    ):
        if _there(results, name):
            sections += [f"## {title}", *_everything(name, found_in(results / name))]
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


def headline(results: Path) -> str:
    """The README's paragraph about what was found."""
    speed = _total(found_in(results / "everything"), "optimisation.learning_rate")
    near = _total(found_in(results / "near_far"), "sampling.near")
    blind = blinded(load_study(results / "near_far"))
    dead = collapse_rates(load_study(results / "activations"), "field.density_activation")
    others = max((rate for rate in dead if rate.name != "relu"), key=lambda rate: rate.high)
    relu = next(rate for rate in dead if rate.name == "relu")
    still, shaken = collapse_rates(load_study(results / "cures"), "optimisation.density_noise")
    return (
        f"On tiny LEGO, over the whole default space, the learning rate explains {speed} of the "
        f"variance of PSNR. Between pairs of near and far alone the near bound explains {near}, "
        f"and wrong bounds seldom look broken: of {blind.trials} runs that saw under half of the "
        f"object {blind.collapsed} were flagged as collapsed, and the others ended "
        f"{blind.lost:.1f} dB below those that saw all of it. With a ReLU on the density "
        f"{relu.formatted} of {relu.trials} runs died, with each of the other four activations "
        f"{others.formatted}; noise on the raw density kept every ReLU alive ({shaken.collapsed} of "
        f"{shaken.trials} died, {still.collapsed} of {still.trials} without)."
    )


def _total(found: Findings, path: str) -> str:
    share = next(share for share in found.importance.shares if share.path == path)
    return f"{share.total:.0%} [{share.total_low:.0%}, {share.total_high:.0%}]"


def _there(results: Path, *names: str) -> bool:
    return all((results / name / "study.json").exists() for name in names)


def _near_far(results: Path) -> Iterator[str]:
    yield (
        "The claim: unsuitable bounds give black or constant renders, a constant loss and "
        "vanishing gradients."
    )
    found = found_in(results / "near_far")
    yield _made_by(found.study)
    yield by_seen(found.study)
    yield shown("near_far", "PSNR of every trial over near and far")
    yield harm_in_silence(found.study)
    for effect in found.effects:
        if effect.sentence:
            yield f"{effect.label}: {effect.sentence}"
    yield suggestion(found.study, load_study(results / "suggested"))
    yield suggestion_stands(found.study, found.effects)
    yield found.headline


def _activations(results: Path) -> Iterator[str]:
    yield (
        "The claim: a sigmoid, and a ReLU, on the density get stuck for some seeds; softplus is "
        "more stable. Cells are collapsed of all trials, each with its own seed."
    )
    study = load_study(results / "activations")
    yield _made_by(study)
    yield rates_by(study, "field.density_activation", "field.hidden_activation")
    yield shown("activations_density_activation", "Rate of collapse for each density activation")
    yield shown("activations_hidden_activation", "Rate of collapse for each hidden activation")
    for path in ("field.density_activation", "field.hidden_activation"):
        yield differing(study, path)


def _cures(results: Path) -> Iterator[str]:
    yield (
        "Every trial has a ReLU on the density; does another initialisation, noise on the raw "
        "density or a lower learning rate save it?"
    )
    study = load_study(results / "cures")
    yield _made_by(study)
    yield rates_by(study, "field.initialisation", "optimisation.density_noise")
    yield rates_by(study, "optimisation.learning_rate", "optimisation.density_noise")
    yield shown("cures_density_noise", "Rate of collapse with and without noise on the density")
    yield shown("cures_learning_rate", "Rate of collapse for each learning rate")
    for dimension in study.space.dimensions:
        yield differing(study, dimension.path)
    yield "What the noise costs those that live, in the median:"
    yield medians_by(study, "optimisation.learning_rate", "optimisation.density_noise")


def _everything(name: str, found: Findings) -> Iterator[str]:
    yield _made_by(found.study)
    yield found.headline
    yield shown(f"{name}_importance", "Share of PSNR's variance for each parameter")
    yield "\n".join(f"- {name}: {sentence}" for name, sentence in summarize(found))
    if found.over_time.at_steps:
        yield "How the order changes with the budget, over the trials that reached all of it:"
        yield by_budget(found.over_time)
        yield shown(f"{name}_over_time", "Shares against training steps")


def _ablation(results: Path) -> Iterator[str]:
    runs = read_runs(results / "ablation")
    of_all, seeds = runs.iloc[0], runs["seed"].nunique()
    yield (
        "Does the order of the rows of Table 2 of the NeRF paper show at a small budget? `python "
        f"benchmarks/ablation.py --scene {of_all['scene']} --seeds {seeds} --steps "
        f"{of_all['optimisation.steps']} --set optimisation.learning_rate="
        f"{of_all['optimisation.learning_rate']:g} --out FOLDER`:"
    )
    yield shown("ablation", "What each row loses against the complete model, here and in the paper")
    yield markdown(ablation(runs)).strip()


def _hidden(studies: Sequence[Study]) -> Iterator[str]:
    runs = sum(len(study.trials) for study in studies)
    yield (
        f"{runs} runs of the defaults but for the hidden activation, the same seeds for each "
        "choice; the fox had no part in the studies above."
    )
    yield choices_compared(studies, "field.hidden_activation", "relu")
    yield (
        "A step with sines takes 1.6 times as long as one with ReLU on one core (LOG.md), so 640 "
        "steps of ReLU are what 400 of sines cost. At equal time sines are not ahead: the default "
        "stays ReLU."
    )


def _learning_rate(studies: Sequence[Study]) -> Iterator[str]:
    runs = sum(len(study.trials) for study in studies)
    collapsed = sum((study.trials["state"] == "collapsed").sum() for study in studies)
    yield (
        f"{runs} runs of the defaults but for the learning rate, the same seeds for both; the fox "
        f"had no part in the studies above. {collapsed} of them collapsed."
    )
    for steps in sorted({int(study.spec["steps"]) for study in studies}):
        budget = [study for study in studies if study.spec["steps"] == steps]
        yield choices_compared(budget, "optimisation.learning_rate", "0.005")
    yield (
        "The default was raised to 0.008, which pays on all three scenes while a budget is short. "
        "What it does in trainings of many thousands of steps was not measured."
    )


def _made_by(study: Study) -> str:
    planned = sum(int(study.spec[phase]) for phase in ("explore", "optimize", "replicates"))
    ended = len(study.trials)
    so_far = (
        f"{ended} trials" if ended == planned else f"{ended} of {planned} trials, as far as it was"
    )
    return (
        f"`python {' '.join([*study.command, *_unlike_today(study)])}`: {so_far} of "
        f"{study.spec['steps']} steps, {study.trials['train_seconds'].sum() / 3600:.1f} hours of "
        "training on one thread each."
    )


def _unlike_today(study: Study) -> Iterator[str]:
    """Options that today's defaults need to make the same study, beside those that were given."""
    was = dict(study.space.parameter_defaults) | dict(study.space.fixed)
    today: dict[str, Value] = flatten(NerfConfig()) | DEFAULT_SETTINGS
    own = {dimension.path for dimension in study.space.dimensions} | {"optimisation.steps"}
    if "--steps" not in study.command and study.spec["steps"] != StudySpec.steps:
        yield f"--steps {study.spec['steps']}"
    for path, value in was.items():
        given = any(word.startswith(f"{path}=") for word in study.command)
        if path not in own and path not in DERIVED and not given and value != today[path]:
            yield f"--set {path}={str(value).lower() if isinstance(value, bool) else value}"


if __name__ == "__main__":
    sys.exit(exit_status(main))
