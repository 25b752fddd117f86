"""Studies that explore until a claim is settled, or until their hours end, on real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from study.records.study_folder import StudyFolder
from tests.study.sweeps import end_of, kill_all, start, wait_for

pytestmark = pytest.mark.slow

TOY = Path(__file__).parents[1] / "trainers" / "toy.py"
BY_LOSS = [f"--trainable={TOY}:train", "--metric=loss", "--direction=min", "--set=fault=none"]
UNTIL = ["--steps=20", "--optimise=2", "--replicates=0", "--explore=64", "--name=a"]


def study_json(folder: StudyFolder) -> dict[str, Any]:
    return json.loads(folder.spec_file.read_text())


def test_killed_between_its_looks_it_settles_as_if_it_had_not_been(tmp_path: Path) -> None:
    """Killed as a batch ends, maybe within a look: the same looks, the same trials."""
    folder = StudyFolder(tmp_path / "studies" / "a")
    command = [*BY_LOSS, *UNTIL, "--until-sure=0.1"]
    driver = start(*command, cwd=tmp_path)
    wait_for(driver, lambda: folder.count_records() >= 31)
    kill_all([psutil.Process(driver.pid), *psutil.Process(driver.pid).children(recursive=True)])
    driver.communicate()
    status, output = end_of(start(*command, "--resume", cwd=tmp_path))
    assert status == 0, output
    document, trials = study_json(folder), folder.read_trials()
    looks = document["looks"]
    assert [look["trials"] for look in looks] == [32, 48, 64][: len(looks)]
    assert [look["is_settled"] for look in looks] == [False] * (len(looks) - 1) + [True]
    explored = looks[-1]["trials"]
    assert dict(trials["phase"].value_counts()) == {"explore": explored, "optimize": 2}
    assert list(trials["number"]) == list(range(explored + 2))
    assert document["spec"]["explore"] == explored
    assert f"settled after {explored} explored trials" in output.lower()
    again, shown = end_of(start("--name=a", "--resume", "--until-sure=0.2", cwd=tmp_path))
    assert (again, "differs from the study's sure 0.1" in shown) == (2, True), shown


def test_what_is_not_settled_by_the_most_says_why(tmp_path: Path) -> None:
    rule = ["--until=lr breaks", "--explore=32", "--optimise=0", "--replicates=0", "--steps=20"]
    status, output = end_of(start(*BY_LOSS, *rule, "--name=b", cwd=tmp_path))
    assert status == 0, output
    assert "not settled by 32 explored trials: none of 32 explored runs collapsed" in output
    document = study_json(StudyFolder(tmp_path / "studies" / "b"))
    assert [look["is_settled"] for look in document["looks"]] == [False]
    assert "is_exploring" not in document["spec"]


@pytest.mark.soak
def test_hours_end_a_study_with_what_it_has(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "studies" / "c")
    budget = ["--explore=4000", "--optimise=400", "--replicates=400", "--steps=20"]
    status, output = end_of(start(*BY_LOSS, *budget, "--hours=0.012", "--name=c", cwd=tmp_path))
    assert status == 0, output
    document = study_json(folder)
    counts = {phase: document["spec"][phase] for phase in ("explore", "optimize", "replicates")}
    assert document["cut"]["from"]["explore"] == 4000
    assert sum(counts.values()) == folder.count_records() < 4800
    assert "these trials were left out" in output
    assert json.loads(folder.clock.read_text())["seconds"] > 10
    status, output = end_of(start("--name=c", "--resume", "--hours=0.012", cwd=tmp_path))
    assert status == 0, output
    assert folder.count_records() == sum(counts.values()), "nothing was left to run"
