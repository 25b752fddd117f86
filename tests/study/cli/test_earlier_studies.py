"""`--from`: which trials of another study start the optimiser, and that nothing else uses them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from analysis.claims.list_claims import list_claims, select_claims
from analysis.data.study import load_study
from analysis.findings.analyze_study import analyze_study
from nerf.common.errors import InputError
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.cli.plan import Plan
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.protocol.messages import Message, Outcome
from study.records.provenance import study_document
from study.records.study_folder import StudyFolder
from study.spec.study_file_writer import write_study_file
from study.spec.study_spec import StudySpec
from tests.study.trainers import toy

TOY = (f"--trainable={Path(toy.__file__)}:train", "--metric=loss", "--direction=min", "--steps=10")
PHASES = ("--explore=6", "--optimise=5", "--replicates=0")
VARY = ("--vary=lr=0.01:1", "--vary=model.width")


@pytest.fixture
def plan_of(tmp_path: Path) -> Callable[..., Plan]:
    def make(name: str, *arguments: str) -> Plan:
        return make_plan(parse_options([f"--studies={tmp_path}", f"--name={name}", *arguments]))

    return make


def run(plan: Plan, collapsed: int = 0, count: int = 99) -> list[dict[str, object]]:
    """Runs the study's trials without training; the values of each."""
    if plan.is_new:
        plan.folder.create(study_document(plan.folder.name, plan.spec, plan.scenes, []))
    ledger = Ledger(plan.folder, plan.spec)
    manager, values = TrialManager(plan.folder, ledger, ()), []
    while len(values) < count and (assignment := manager.next_trial()):
        values.append(dict(assignment.values))
        loss = abs(float(assignment.values["lr"]) - 0.3)
        state = "collapsed" if assignment.number < collapsed else "completed"
        point = {"step": 10, "seconds": 0.1, "loss": loss}
        outcome = Outcome(state, "flat" if collapsed else "", 10, loss, train_seconds=0.1)
        manager.on_report(Message(assignment.number, "here", "a CPU", (point,), outcome))
    plan.folder.write_tables()
    ledger.close()
    return values


@pytest.fixture
def first(plan_of: Callable[..., Plan]) -> StudyFolder:
    plan = plan_of("first", *TOY, *VARY, *PHASES, "--set=fault=none")
    run(plan, collapsed=2)
    return plan.folder


def test_trials_that_could_be_of_this_study_are_taken_and_the_others_named(
    plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    second = plan_of("second", *TOY, *PHASES, *VARY[1:], "--vary=lr=0.1:1", "--from=first")
    (taken,) = second.spec.earlier
    trials = first.read_trials()
    usable = trials[(trials["state"] == "completed") & (trials["lr"] >= 0.1)]
    assert (taken.study, taken.paths) == (str(first.path), ("model.width", "lr"))
    assert taken.rows == tuple(usable[["model.width", "lr", "loss"]].itertuples(index=False))
    (line,) = second.notes
    assert f"{len(usable)} of its 11 trials start the optimiser; left out: 2 that did not" in line
    assert "outside what varies here (lr)" in line


def test_trials_ranked_by_what_is_measured_are_taken_by_their_column(
    plan_of: Callable[..., Plan], tmp_path: Path
) -> None:
    by_time = [option for option in TOY if option not in TOY[1:3]] + ["--metric=seconds"]
    plan = plan_of("timed", *by_time, *VARY, *PHASES, "--set=fault=none")
    run(plan)
    second = plan_of("second", *by_time, *VARY, *PHASES, "--from=timed")
    (taken,) = second.spec.earlier
    assert len(taken.rows) == 11
    assert {row[-1] for row in taken.rows} == {0.1}


def test_the_optimiser_starts_there_and_the_report_uses_none_of_it(
    plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    phases = ("--explore=2", "--optimise=6", "--replicates=0")
    alone = run(plan_of("alone", *TOY, *VARY, *phases))
    plan = plan_of("second", *TOY, *VARY, *phases, "--from=first")
    started = run(plan)
    assert started[:3] == alone[:3], "explored trials and the default are the same"
    assert started[3:] != alone[3:]
    study = load_study(plan.folder)
    assert list(study.trials["number"]) == list(range(8))
    (claim,) = select_claims(list_claims(analyze_study(plan.folder)), "started_from")
    assert claim.text.startswith(f"The optimiser started from {len(plan.spec.earlier[0].rows)} tr")


@pytest.mark.parametrize("sampler", ["tpe", "gp", "cmaes"])
def test_a_new_driver_goes_on_with_the_same_points_without_the_other_study(
    sampler: str, plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    arguments = (*TOY, *VARY, "--explore=3", "--optimise=9", "--replicates=0", "--from=first")
    once = run(plan_of("once", *arguments, f"--sampler={sampler}"))
    plan = plan_of("again", *arguments, f"--sampler={sampler}")
    again = run(plan, count=5)
    first.path.rename(first.path.with_name("gone"))
    for _ in range(3):
        again += run(plan_of("again", "--resume"), count=3)
    assert again == once
    longer = plan_of("again", "--extend=2").spec
    assert longer.earlier == plan.spec.earlier
    assert plan_of("again", *arguments, "--resume").spec == plan.spec


def test_a_study_file_holds_the_trials(
    plan_of: Callable[..., Plan], first: StudyFolder, tmp_path: Path
) -> None:
    plan = plan_of("second", *TOY, *VARY, *PHASES, f"--from={first.path}")
    write_study_file(tmp_path / "second.toml", plan.spec, {})
    first.path.rename(first.path.with_name("gone"))
    again = plan_of("third", f"--study={tmp_path / 'second.toml'}")
    assert again.spec.earlier == plan.spec.earlier
    document = json.loads(json.dumps(study_document("x", plan.spec, {}, [])))
    assert StudySpec.from_json(document).earlier == plan.spec.earlier


REFUSED = {
    "no study": (("--from=nowhere",), "is not a study folder"),
    "other steps": (
        ("--from=first", "--steps=20"),
        "11 of 10 steps, not 20; to begin with",
    ),
    "another metric": (
        ("--from=first", "--metric=accuracy:max"),
        "ranked by loss (min), those of",
    ),
    "other settings": (("--from=first", "--set=notes=x"), "with another notes"),
    "nothing to start": (("--from=first", "--optimise=0"), "starts a sampler that learns"),
    "nobody to learn": (("--from=first", "--sampler=random"), "starts a sampler that learns"),
}


def toy_with(arguments: tuple[str, ...]) -> list[str]:
    """The trainer's options, without its metric where `arguments` name another."""
    has_metric = any(argument.startswith("--metric") for argument in arguments)
    return [a for a in TOY if not (has_metric and a.startswith(("--metric", "--direction")))]


@pytest.mark.parametrize("wrong", REFUSED)
def test_a_study_that_cannot_start_this_one_is_refused_with_the_reason(
    wrong: str, plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    arguments, message = REFUSED[wrong]
    with pytest.raises(InputError) as caught:
        plan_of("second", *toy_with(arguments), *VARY, *PHASES, *arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_best_of_a_study_that_does_not_compare_can_be_tried(
    plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    with pytest.raises(InputError) as caught:
        plan_of("second", *TOY, *VARY, *PHASES, "--steps=20", "--from=first")
    option = str(caught.value).partition("--try '")[2].partition("'")[0]
    plan = plan_of("second", *TOY, *VARY, *PHASES, "--steps=20", f"--try={option}")
    trials = first.read_trials().query("state == 'completed'")
    best = trials.loc[trials["loss"].idxmin()]
    assert dict(plan.spec.tries[0].settings)["lr"] == best["lr"]


def test_another_start_is_refused_on_resume(
    plan_of: Callable[..., Plan], first: StudyFolder
) -> None:
    plan = plan_of("second", *TOY, *VARY, *PHASES)
    plan.folder.create(study_document("second", plan.spec, {}, []))
    with pytest.raises(InputError, match="not among what the study started from"):
        plan_of("second", "--resume", "--from=first")
    with pytest.raises(InputError, match="take them over again"):
        dataclasses.replace(
            plan_of("third", *TOY, *VARY, *PHASES, "--from=first").spec,
            space=plan_of("third", *TOY, VARY[0], *PHASES).spec.space,
        )
