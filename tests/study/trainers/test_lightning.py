"""A LightningModule as a trial: reports, checkpoints, resuming to the step, stopping, mistakes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

pl = pytest.importorskip("pytorch_lightning", reason="Lightning is not installed")

from nerf.common.errors import InputError  # noqa: E402
from study.protocol.training_events import (  # noqa: E402
    Evaluated,
    Started,
    Trained,
    TrainingStopped,
)
from study.trainers.lightning import StudyCallback, fit  # noqa: E402
from study.trainers.objective import Objective  # noqa: E402
from study.worker.run_rules import RunRules  # noqa: E402
from study.worker.trial_run import RunHooks, TrialRun, TrialTask  # noqa: E402


class Line(pl.LightningModule):
    """Fits a line to noise that it draws by torch's own random numbers."""

    def __init__(self, dies_at: int = -1, hparams: Any = None) -> None:
        super().__init__()
        self.layer = torch.nn.Linear(1, 1)
        self.seen: list[tuple[int, float]] = []
        self.dies_at = dies_at
        if hparams is not None:
            self.save_hyperparameters({"config": hparams})

    def training_step(self, batch: Any, index: int) -> torch.Tensor:
        if self.global_step == self.dies_at:
            raise Killed
        x = torch.rand(8, 1)
        loss = torch.mean((self.layer(x) - 3 * x) ** 2)
        self.log("train/loss", loss)
        self.seen.append((self.global_step, loss.item()))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), 0.1)


class Validated(Line):
    def validation_step(self, batch: Any, index: int) -> None:
        self.log("val_loss", torch.mean(self.layer(torch.ones(1, 1)) ** 2), batch_size=1)


class Killed(BaseException):
    """As `kill -9` in the middle of a step."""


class Trial:
    """Attempts at one trial."""

    def __init__(self, folder: Path, metric: str, steps: int = 20) -> None:
        self.file, self.steps, self.metric = folder / "checkpoints" / "00000.pt", steps, metric
        self.events: list[Any] = []
        self.stop_after = 10**9
        self.run: TrialRun
        self.module: Line

    def attempt(self, make: Callable[[], Line], *loaders: Any, **options: Any) -> Trained:
        def make_module() -> Line:
            self.module = make()
            return self.module

        rules = RunRules((Objective(self.metric, minimize=True),))
        hooks = RunHooks(
            self.events.append, should_stop=lambda: len(self.module.seen) >= self.stop_after
        )
        self.run = TrialRun(TrialTask(self.steps, 3, "cpu", self.file), rules, hooks)
        return self.run.train(lambda: fit(make_module, self.run, *loaders, **options) and None)

    def points(self) -> list[tuple[int, float]]:
        evaluated = [e.point for e in self.events if isinstance(e, Evaluated)]
        return [(p["step"], p[self.metric]) for p in evaluated]


STEPS, ONCE = range(20), range(1)


def whole(folder: Path) -> list[tuple[int, float]]:
    """Steps and losses of a trial that nothing interrupts."""
    trial = Trial(folder, "val_loss")
    assert trial.attempt(Validated, STEPS, ONCE, val_check_interval=4).state == "completed"
    return trial.module.seen


def test_each_validation_is_a_report_and_the_last_step_is_one(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")
    trained = trial.attempt(Validated, STEPS, ONCE, val_check_interval=6)
    assert trained.state == "completed"
    steps, values = zip(*trial.points(), strict=True)
    assert steps == (6, 12, 18, 20)
    assert len(set(values)) == 4, "no value of an earlier step"


def test_without_validation_it_reports_twenty_times(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "train_loss", steps=40)
    assert trial.attempt(Line, range(100)).state == "completed"
    assert [step for step, _ in trial.points()] == list(range(2, 41, 2))


def test_a_trial_by_epochs(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss", steps=3)
    assert trial.attempt(Validated, range(5), ONCE, unit="epoch").state == "completed"
    assert [step for step, _ in trial.points()] == [1, 2, 3]


@pytest.mark.parametrize("dies_at", [4, 5, 11, 12, 19])
def test_a_killed_trial_resumes_after_its_last_report_bit_for_bit(
    dies_at: int, tmp_path: Path
) -> None:
    trial = Trial(tmp_path / "killed", "val_loss")
    with pytest.raises(Killed):
        trial.attempt(lambda: Validated(dies_at), STEPS, ONCE, val_check_interval=4)
    trial.events.clear()
    assert trial.attempt(Validated, STEPS, ONCE, val_check_interval=4).state == "completed"
    resumed_at = dies_at // 4 * 4
    (started,) = [event for event in trial.events if isinstance(event, Started)]
    assert (started.step, len(started.curve)) == (resumed_at, resumed_at // 4)
    assert trial.module.seen == whole(tmp_path / "whole")[resumed_at:]


def test_a_stopped_trial_resumes_after_the_same_step(tmp_path: Path) -> None:
    trial = Trial(tmp_path / "stopped", "val_loss")
    trial.stop_after = 10
    with pytest.raises(TrainingStopped):
        trial.attempt(Validated, STEPS, ONCE, val_check_interval=4)
    trial.stop_after = 10**9
    assert trial.attempt(Validated, STEPS, ONCE, val_check_interval=4).state == "completed"
    assert trial.module.seen == whole(tmp_path / "whole")[10:]


def test_a_damaged_checkpoint_is_set_aside(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")
    trial.file.parent.mkdir()
    trial.file.write_bytes(b"PK\x03\x04 not a checkpoint")
    assert trial.attempt(Validated, STEPS, ONCE, val_check_interval=10).state == "completed"
    assert "cannot be read" in trial.events[0].damage


def test_a_module_fails_its_trial(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")

    class Failing(Validated):
        def on_validation_end(self) -> None:
            trial.run.fail("dead neurons; lower lr")

    trained = trial.attempt(Failing, STEPS, ONCE, val_check_interval=4)
    assert (trained.state, trained.reason) == ("collapsed", "dead neurons; lower lr")


def test_hyperparameters_that_cannot_be_read_back_are_refused(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")
    with pytest.raises(InputError, match=r"pathlib.*save_hyperparameters\(dataclasses.asdict"):
        trial.attempt(lambda: Validated(hparams=Path("x")), STEPS, ONCE, val_check_interval=4)
    assert list(trial.file.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_steps": 7}, r"the Trainer has max_steps=7, and --steps is 20"),
        ({"every": 5}, r"every= is for a Trainer without validation"),
    ],
)
def test_mistakes(options: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        Trial(tmp_path, "val_loss").attempt(Validated, STEPS, ONCE, **options)


def test_a_module_made_before_the_seed_is_refused(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")
    trial.attempt(Validated, STEPS, ONCE)
    with pytest.raises(InputError, match=r"give fit\(lambda: MyModule\(config\), run, ...\)"):
        fit(trial.module, trial.run)


def test_the_callback_alone_with_a_trainer_of_ones_own(tmp_path: Path) -> None:
    trial = Trial(tmp_path, "val_loss")
    trial.attempt(Validated, STEPS, ONCE, val_check_interval=4)
    callback = StudyCallback(trial.run)
    assert callback.checkpoint == trial.file
    assert callback.is_complete


def test_without_lightning_one_line_names_the_command() -> None:
    code = (
        "import sys; sys.modules['lightning'] = sys.modules['pytorch_lightning'] = None\n"
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name: None if 'lightning' in name else find(name)\n"
        "import study.trainers.lightning"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    last = done.stderr.strip().splitlines()[-1]
    assert last.endswith("InputError: Lightning is missing; pip install -e '.[lightning]'")
