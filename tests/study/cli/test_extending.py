"""`--extend`: more trials of the same design, unless code or libraries have changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from study import run_sweep
from study.driver.trial_manager import TrialManager
from study.ledger.ledger import Ledger
from study.records.provenance import changes_since, extended_document
from study.records.study_folder import StudyFolder
from study.search.sobol_design import explore_point
from study.spec.existing_study import with_more_trials
from study.spec.study_spec import StudySpec
from tests.study.trials import complete_trials


def test_the_sobol_sequence_continues(folder: StudyFolder, spec: StudySpec) -> None:
    ledger = Ledger(folder, spec)
    complete_trials(TrialManager(folder, ledger, ()), 99)
    ledger.close()
    longer = with_more_trials(spec, 5)
    ledger = Ledger(folder, longer)
    assert complete_trials(TrialManager(folder, ledger, ()), 99) == [7, 8, 9, 10, 11]
    explored = [t.params for t in ledger.trials() if t.user_attrs["phase"] == "explore"]
    assert explored == [explore_point(spec.space, spec.seed, i, spec.nets) for i in range(8)]
    ledger.close()
    folder.write_tables()
    assert list(folder.read_trials()["phase"])[7:] == ["explore"] * 5


def test_a_study_that_explores_nothing_gets_more_optimised_trials(spec: StudySpec) -> None:
    import dataclasses

    longer = with_more_trials(dataclasses.replace(spec, explore=0), 2)
    assert (longer.explore, longer.optimize) == (0, spec.optimize + 2)


@pytest.fixture
def document(folder: StudyFolder, scene_file: Path, spec: StudySpec) -> dict[str, object]:
    """A study.json as the command writes it."""
    import dataclasses

    from nerf.scenes import load
    from study.records.provenance import study_document

    spec = dataclasses.replace(spec, scene=str(scene_file))
    made = study_document(folder.name, spec, {"": load(spec.scene)}, ["run_sweep.py"])
    folder.write_spec(made)
    return made


def test_nothing_has_changed_at_first(document: dict[str, object]) -> None:
    assert changes_since(document, StudySpec.from_json(document)) == []


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("training_code", "other", "the training code in nerf/ has changed"),
        ("versions", {"torch": "1.0", "numpy": None}, "torch 1.0 is now"),
    ],
)
def test_a_change_is_named_and_refused(
    folder: StudyFolder,
    document: dict[str, object],
    key: str,
    value: object,
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder.write_spec({**document, key: value})
    before = folder.spec_file.read_text()
    place = ["--studies", str(folder.path.parent), "--name", folder.name]
    assert run_sweep.main([*place, "--extend", "3"]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "--allow-changes" in error
    assert error.count("\n") == 1
    assert folder.spec_file.read_text() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--extend", "0"], "--extend must be at least 1"),
        (["--resume", "--allow-changes"], "--allow-changes is for --extend"),
        (["--resume", "--hours", "two"], "--hours must be a positive number, got 'two'"),
        (["--extend", "2", "--steps", "7"], "--steps 7 differs from the study's 90"),
        (["--extend", "2", "--explore", "9"], "--explore 9 differs"),
    ],
)
def test_extending_may_change_nothing_else(
    folder: StudyFolder,
    document: dict[str, object],
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = ["--studies", str(folder.path.parent), "--name", folder.name]
    assert run_sweep.main([*place, *arguments]) == 2
    assert message in capsys.readouterr().err


def test_study_json_records_the_extension(document: dict[str, object]) -> None:
    spec = StudySpec.from_json(document)
    longer = extended_document(
        document, with_more_trials(spec, 4), ["run_sweep.py", "--extend", "4"]
    )
    assert StudySpec.from_json(json.loads(json.dumps(longer))).explore == spec.explore + 4
    (entry,) = longer["extended"]
    assert (entry["from"]["explore"], entry["to"]["explore"]) == (3, 7)


def test_changes_that_were_allowed_once_are_not_refused_again(document: dict[str, Any]) -> None:
    versions = document["versions"]
    older = {**document, "training_code": "older", "versions": {**versions, "torch": "1.0"}}
    spec = StudySpec.from_json(older)
    longer = extended_document(older, with_more_trials(spec, 4), ["run_sweep.py"])
    assert changes_since(longer, StudySpec.from_json(longer)) == []
    (entry,) = longer["extended"]
    assert len(entry["differences"]) == 2
    assert (entry["training_code"], entry["versions"]["torch"]) == ("older", "1.0")


def test_a_study_without_a_code_hash_gets_one_when_it_is_extended(document: dict[str, Any]) -> None:
    older = {key: value for key, value in document.items() if key != "training_code"}
    spec = StudySpec.from_json(older)
    longer = extended_document(older, with_more_trials(spec, 4), ["run_sweep.py"])
    assert changes_since(longer, StudySpec.from_json(longer)) == []
    assert longer["extended"][0]["training_code"] is None
