"""A trial as a Weights & Biases run; nothing at all, not even an import, where that is off."""

from __future__ import annotations

import hashlib
import shlex
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, Protocol, cast

import numpy as np

from nerf.common.errors import InputError
from nerf.config.flat import flatten
from nerf.config.schema import NerfConfig
from study.protocol.messages import Outcome
from study.records.study_folder import StudyFolder

# What W&B looks up by itself at each start, which study.json says once.
_SPARED: dict[str, Any] = {
    "console": "off",
    "disable_code": True,
    "disable_git": True,
    "x_disable_machine_info": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}

Film = Callable[[Path], Path | None]
"""Writes a film to a path and returns it, or None where it makes none."""


class Track(Protocol):
    """Where a trial's figures go while it runs."""

    def log(self, point: dict[str, Any]) -> None:
        """One evaluation of the curve."""

    def end(self, outcome: Outcome, picture: np.ndarray, film: Film) -> None:
        """How the trial ended, its render, and the film that `film` writes, if it does."""


class _Nowhere:
    def log(self, point: dict[str, Any]) -> None:
        pass

    def end(self, outcome: Outcome, picture: np.ndarray, film: Film) -> None:
        pass


class _Wandb:
    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, point: dict[str, Any]) -> None:
        self._run.log(point, step=point["step"])

    def end(self, outcome: Outcome, picture: np.ndarray, film: Film) -> None:
        import wandb

        media: dict[str, Any] = {"render": wandb.Image(picture)}
        with tempfile.TemporaryDirectory() as scratch:
            if outcome.state == "completed" and (made := film(Path(scratch) / "film.gif")):
                media["film"] = wandb.Video(str(made), format="gif")
            self._run.log(media, step=outcome.steps_done)
        self._run.summary.update(
            {"state": outcome.state, "reason": outcome.reason, "test_psnr": outcome.test_psnr}
        )
        self._run.tags = (*self._run.tags, outcome.state)


def require_account() -> None:
    """Raises `InputError` where W&B knows no key: every trial would fail, or wait for one."""
    import wandb

    if wandb.api.api_key is None:
        raise InputError("--wandb online needs a key; run `wandb login`, or use --wandb offline")


@contextmanager
def track(
    folder: StudyFolder, mode: str, trial_id: str, phase: str, config: NerfConfig
) -> Iterator[Track]:
    """One trial's track, closed whatever happens; `mode` is one of `WANDB_MODES`."""
    if mode == "off":
        yield _Nowhere()
        return
    import wandb

    folder.wandb.mkdir(parents=True, exist_ok=True)
    run = wandb.init(
        # Without a mode W&B asks at the terminal; it must never.
        mode=cast(Literal["offline", "online"], mode),
        dir=folder.wandb,
        project="nerf-study",
        group=folder.name,
        name=f"{folder.name}-{trial_id}",
        # A trial taken up again is the same run, whichever launch or machine does it.
        id=_run_id(folder, trial_id),
        resume="allow",
        job_type=phase,
        config=dict(flatten(config)),
        reinit="finish_previous",
        settings=wandb.Settings(silent=True, **_SPARED),
    )
    try:
        yield _Wandb(run)
    finally:
        run.finish()


def sync_command(folder: StudyFolder) -> str:
    """What sends a study's offline runs to W&B, a trial's attempts as one run."""
    runs = shlex.quote(str(folder.wandb / "wandb"))
    return f"wandb sync --yes {runs}/offline-run-*"


def _run_id(folder: StudyFolder, trial_id: str) -> str:
    """Unlike that of any other study of this name, as W&B keeps one project for all of them."""
    made = folder.read_spec()["created"]
    digest = hashlib.sha256(f"{folder.name} {made}".encode()).hexdigest()[:8]
    return f"{digest}-{trial_id}"
