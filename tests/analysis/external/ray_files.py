"""Writes Ray Tune results folders with the files that Ray itself writes, pickles included."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

NOT_A_PICKLE = b"\x80\x05.never opened"

FAILURE = (
    "Failure # 1 (occurred at 2026-01-01_10-00-00)\n"
    "\x1b[36mray::ImplicitFunc.train()\x1b[39m (pid=1)\n"
    '  File "train.py", line 5, in train\n'
    "torch.cuda.OutOfMemoryError: out of memory\n"
    "Tried to allocate 2 GiB\n"
)


def write_ray_trial(
    experiment: Path,
    number: int,
    config: Mapping[str, Any],
    reports: Sequence[Mapping[str, Any]],
    error: str | None = None,
) -> Path:
    """A trial's folder; Ray adds its own keys to each report."""
    folder = experiment / f"train_ab12c_{number:05d}_{number}_lr_2026-01-01_10-00-{number:02d}"
    folder.mkdir(parents=True)
    (folder / "params.json").write_text(json.dumps(config, indent=2))
    (folder / "params.pkl").write_bytes(NOT_A_PICKLE)
    lines = [
        json.dumps(
            {
                **report,
                "timestamp": 1000 + 100 * number + step,
                "done": step == len(reports),
                "training_iteration": step,
                "trial_id": f"ab12c_{number:05d}",
                "time_total_s": 0.5 * step,
                "pid": 17,
                "config": config,
            }
        )
        for step, report in enumerate(reports, start=1)
    ]
    (folder / "result.json").write_text("".join(line + "\n" for line in lines))
    if error is not None:
        (folder / "error.txt").write_text(error)
        (folder / "error.pkl").write_bytes(NOT_A_PICKLE)
    return folder


def write_ray_state(
    experiment: Path,
    statuses: Mapping[Path, str],
    metric: str | None = "loss",
    stop: Mapping[str, Any] | None = None,
    waiting: int = 0,
) -> Path:
    """The experiment's state file; `waiting` more trials have no folder yet."""
    trials = [
        [
            json.dumps(
                {
                    "trial_id": folder.name[6:17],
                    "status": status,
                    "relative_logdir": folder.name,
                    "evaluated_params": {"lr": 0.1},
                    "stopping_criterion": stop or {},
                    "storage": {"_type": "CLOUDPICKLE_FALLBACK", "value": "8005"},
                }
            ),
            json.dumps({"start_time": 1000.0 + i}),
        ]
        for i, (folder, status) in enumerate(statuses.items())
    ]
    trials += [
        [
            json.dumps(
                {"trial_id": f"wait_{i}", "status": "PENDING", "evaluated_params": {"lr": i}}
            ),
            json.dumps({"start_time": None}),
        ]
        for i in range(waiting)
    ]
    file = experiment / "experiment_state-2026-01-01_10-00-00.json"
    file.write_text(json.dumps({"trial_data": trials, "runner_data": {"_metric": metric}}))
    (experiment / "tuner.pkl").write_bytes(NOT_A_PICKLE)
    return file


def falling(steps: int, start: float = 1.0) -> list[dict[str, Any]]:
    return [{"loss": start / step} for step in range(1, steps + 1)]
