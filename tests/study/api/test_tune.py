"""A plain `tune.Tuner` with our searcher and scheduler: pruning, a crash, a study folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import analysis
from nerf.common.errors import InputError
from study import Study, StudySearcher
from tests.study.sweeps import kill_tree

TUNER = """
import os, sys, time
from dataclasses import dataclass, field
from typing import Annotated
os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
import ray
from ray import tune
from study import StudyScheduler, StudySearcher
from study.trainers import Domain

@dataclass(frozen=True)
class Model:
    width: Annotated[int, Domain(2, 64)] = 8

@dataclass(frozen=True)
class Config:
    lr: Annotated[float, Domain(0.01, 1.0, log=True)] = 0.1
    model: Model = field(default_factory=Model)

def trainable(config, folder, pause):
    with open(os.path.join(folder, "started"), "a") as file:
        file.write(f"{config['lr']}\\n")
    for step in range(1, 10):
        time.sleep(pause)
        if step == 2 and 0.2 < config["lr"] < 0.3:
            raise ValueError("bad luck")
        tune.report({"loss": config["lr"] + 1 / config["model"]["width"] + 1 / step, "seen": step})

if __name__ == "__main__":
    folder, pause = sys.argv[1], float(sys.argv[2])
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False)
    searcher = StudySearcher(os.path.join(folder, "mine"), Config, metric="loss", direction="min",
                             steps=9, explore=8, optimise=8, replicates=2)
    tune.Tuner(
        tune.with_parameters(trainable, folder=folder, pause=pause),
        tune_config=tune.TuneConfig(search_alg=searcher, scheduler=StudyScheduler(searcher),
                                    num_samples=-1, max_concurrent_trials=2, reuse_actors=True),
        run_config=tune.RunConfig(storage_path=os.path.join(folder, "ray"), verbose=0),
    ).fit()
"""


def start(folder: Path, pause: float) -> subprocess.Popen[str]:
    (folder / "tuner.py").write_text(TUNER)
    return subprocess.Popen(
        [sys.executable, "tuner.py", str(folder), str(pause)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[3])},
        start_new_session=True,
    )


@pytest.mark.soak
@pytest.mark.slow
def test_a_tuner_that_was_killed_is_run_again_to_a_whole_study(tmp_path: Path) -> None:
    first = start(tmp_path, pause=0.3)
    study_folder = tmp_path / "mine"
    deadline = time.monotonic() + 300
    while len(list((study_folder / "records").glob("[0-9]*.json"))) < 2:
        assert first.poll() is None, first.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.1)
    kill_tree(first)
    ended = set(Study.open(study_folder).trials.query("state != 'running'")["number"])

    second = start(tmp_path, pause=0.0)
    output = second.communicate(timeout=300)[0]
    assert second.returncode == 0, output
    trials = Study.open(study_folder).trials.set_index("number")
    assert sorted(trials.index) == list(range(18))
    assert trials["phase"].value_counts().to_dict() == {
        "explore": 8,
        "optimize": 8,
        "replicate": 2,
    }
    unlucky = trials["lr"].between(0.2, 0.3, inclusive="neither")
    assert set(trials[unlucky]["state"]) <= {"failed", "pruned"}  # pruned before it raises
    assert set(trials[~unlucky]["state"]) <= {"completed", "pruned"}
    assert "bad luck" in " ".join(trials[unlucky]["reason"])
    explored = trials.query("phase == 'explore' and state != 'failed'")
    assert (explored["state"] == "completed").all()
    assert (explored["steps_done"] == 9).all()
    assert (explored["seen"] == 9).all()
    pruned = trials.query("state == 'pruned'")
    assert set(pruned["phase"]) <= {"optimize"}
    assert set(pruned["reason"]) <= {f"stopped by successive halving at step {s}" for s in (1, 3)}
    # Those that had ended were not run again; replicates have the values of others.
    started = [float(line) for line in (tmp_path / "started").read_text().splitlines()]
    for number in ended:
        rate = trials["lr"][number]
        assert started.count(rate) == (trials["lr"] == rate).sum()
    assert analysis.load(study_folder).summary()


def test_a_folder_of_other_arguments_is_refused(tmp_path: Path) -> None:
    from tests.study.api.slow import Config

    def search(**changes: object) -> StudySearcher:
        usual = {"metric": "loss", "direction": "min", "steps": 9, "explore": 2, "optimise": 2}
        return StudySearcher(tmp_path / "s", Config, **(usual | changes))

    search().close()
    search(explore=4).close()
    assert Study.open(tmp_path / "s").spec.explore == 4
    for changes, message in (
        ({"explore": 2, "optimise": 2}, "has explore=4, got 2"),
        ({"explore": 4, "metric": "accuracy"}, "was made with another objective"),
        ({"explore": 4, "steps": 8}, "was made with another steps"),
        ({"explore": 4, "set": {"width": 4}}, "was made with another config, vary or set"),
        ({"explores": 4}, "StudySearcher has no argument explores"),
        ({"vary": {"lrr": None}}, "unknown parameter 'lrr'; did you mean lr?"),
    ):
        with pytest.raises(InputError, match=message):
            search(**changes)
    with pytest.raises(InputError, match=r"a tune.Tuner trains the trials of this study"):
        Study.open(tmp_path / "s").resume()
