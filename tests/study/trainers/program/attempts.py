"""Attempts at one trial by a program, without Ray."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nerf.config.domain import Domain
from nerf.config.parameters import Parameter, Value
from study.protocol.training_events import Evaluated, Event, OnEvent, Trained
from study.trainers.objective import Objective
from study.trainers.program.command import Call, Program
from study.trainers.program.train import train
from study.worker.run_rules import RunRules
from study.worker.trial_run import RunHooks, TrialRun, TrialTask

FAKE = Path(__file__).parents[1] / "fake_trainer.py"
LR = Parameter("lr", "float", 0.1, Domain(1e-3, 1, log=True), (), "")
COMMAND = f"{sys.executable} {FAKE} --lr {{lr}} --steps {{steps}} --folder {{folder}}"


@dataclass
class Attempts:
    """Attempts at a trial of 20 steps."""

    place: Path
    rungs: tuple[int, ...] = ()
    patience: float = 60
    stop_at: int = 10**9
    """The step whose report has the launch stop."""
    on_event: OnEvent | None = None
    """Gets the events in place of `events`."""
    events: list[Event] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    def run(
        self, command: str, values: dict[str, Value] | None = None, workdir: str = ""
    ) -> Trained:
        self.events.clear()
        self.logged.clear()
        run = self.make_run()
        program = Program(command, (LR,), "", workdir or str(self.place))
        call = Call(program, {"lr": 0.1, **(values or {})})
        return run.train(lambda: train(call, run))

    def make_run(self) -> TrialRun:
        task = TrialTask(20, 7, "cpu", self.place / "00003.pt", patience=self.patience)
        hooks = RunHooks(
            self.on_event or self.events.append,
            should_stop=lambda: bool(self.steps) and self.steps[-1] >= self.stop_at,
            log=self.logged.append,
        )
        return TrialRun(task, RunRules((Objective("psnr"),), rungs=self.rungs), hooks)

    @property
    def points(self) -> list[dict[str, float]]:
        return [event.point for event in self.events if isinstance(event, Evaluated)]

    @property
    def steps(self) -> list[int]:
        return [int(point["step"]) for point in self.points]

    @property
    def saved_curve(self) -> list[dict[str, float]]:
        """The curve that the next attempt takes up."""
        curve: list[dict[str, float]] = json.loads((self.place / "00003.pt").read_text())["curve"]
        return curve

    def script(self, *lines: str) -> str:
        """A command that runs these lines of Python."""
        file = self.place / "script.py"
        file.write_text("\n".join(("import json, os, signal, sys, time", *lines)))
        return f"{sys.executable} {file} {{folder}} {{metrics}}"


def results(steps: Sequence[int]) -> str:
    """A line of Python that prints a result for each step."""
    return f"for s in {list(steps)}: print(json.dumps({{'step': s, 'psnr': 20 + s}}))"
