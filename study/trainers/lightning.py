"""A `LightningModule` as a trainer of a study: `StudyCallback`, and `fit` with it.

    def train(config: Config, run: Run) -> None:
        fit(lambda: MyModule(config), run, train_loader, val_loader)

After each validation the callback saves Lightning's own checkpoint as the trial's and reports what
the module has logged; a trial that is pruned, stopped or out of patience ends there, and the next
attempt resumes after the same step. Works with `lightning` and with `pytorch_lightning`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch

from nerf.common.errors import InputError
from nerf.common.files import replace_atomically
from study.trainers.run import Image, Run, TrialStopped
from study.trainers.state_file import name_unsafe

if TYPE_CHECKING:
    from pytorch_lightning import LightningModule, Trainer

PACKAGES = ("lightning.pytorch", "pytorch_lightning")

REPORTS = 20
"""Reports of a trial without validation."""


def _import_lightning() -> Any:
    """Lightning as the user's module imports it: it has two names, of which each knows its own."""
    installed = [name for name in PACKAGES if importlib.util.find_spec(name.partition(".")[0])]
    if not installed:
        raise InputError("Lightning is missing; pip install -e '.[lightning]'")
    imported = [name for name in installed if name in sys.modules]
    return importlib.import_module((imported or installed)[0])


pl = _import_lightning()


_Callback: Any = pl.Callback


class StudyCallback(_Callback):  # type: ignore[misc]
    """Reports, saves, resumes, prunes and stops the trial `run` from inside a `Trainer`.

    The trainer's budget is the trial's: `Trainer(max_steps=run.steps)`, or `max_epochs` where
    `unit` is "epoch". Pass `checkpoint` to `trainer.fit(ckpt_path=..., weights_only=True)`.
    """

    def __init__(
        self, run: Run, every: int | None = None, unit: Literal["step", "epoch"] = "step"
    ) -> None:
        """Reports after each validation; `every` so many steps or epochs in a trainer without one.

        By default twenty times in all.
        """
        self._run = run
        self._every = every
        self._unit = unit
        self._curve: list[dict[str, float]] = []
        self._seconds_before = 0.0
        self._began = time.perf_counter()
        self._random_state: torch.Tensor | None = None
        self._is_checked = False
        self._is_validated = False

    @functools.cached_property
    def checkpoint(self) -> Path | None:
        """The checkpoint to resume from; None where the trial begins.

        It is read here with `weights_only`; one that is damaged is set aside.
        """
        file = self._run.checkpoint_file
        if not file.exists():
            return None
        try:
            saved = torch.load(file, map_location="cpu", weights_only=True)
            curve = saved["callbacks"][self.state_key]["curve"]
            step = int(saved["global_step"] if self._unit == "step" else saved["epoch"] + 1)
        except Exception as error:  # torch raises many kinds
            cause = next(iter(str(error).splitlines()), type(error).__name__)[:100]
            self._run.discard_checkpoint(f"the checkpoint cannot be read ({cause})")
            return None
        self._curve = list(curve)
        self._run.resume(step, curve)
        return file

    @property
    def is_complete(self) -> bool:
        """Whether the trial's last step has been reported."""
        return bool(self._curve) and self._curve[-1]["step"] >= self._run.steps

    # What Lightning calls.

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint holds besides Lightning's own state."""
        return {
            "curve": self._curve,
            "seconds": self._seconds(),
            "random_state": torch.get_rng_state(),
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restores it; torch's random state only as the next batch begins, after all set-up."""
        self._curve = list(state_dict["curve"])
        self._seconds_before = state_dict["seconds"]
        self._random_state = state_dict["random_state"]

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        name = "max_steps" if self._unit == "step" else "max_epochs"
        if getattr(trainer, name) != self._run.steps:
            raise InputError(
                f"the Trainer has {name}={getattr(trainer, name)}, and --steps is "
                f"{self._run.steps}; give Trainer({name}=run.steps)"
            )
        if self._every is not None and trainer.enable_validation:
            raise InputError(
                "every= is for a Trainer without validation; with one, a trial reports after each: "
                "give Trainer(val_check_interval=...)"
            )
        self._began = time.perf_counter()

    def on_train_batch_start(self, trainer: Trainer, *_: Any) -> None:
        if self._random_state is not None:
            torch.set_rng_state(self._random_state)
            self._random_state = None

    def on_train_batch_end(self, trainer: Trainer, *_: Any) -> None:
        if self._run.should_stop:
            if self._unit == "step":  # an epoch begins again, as loaders cannot be resumed
                self._save(trainer)
            raise TrialStopped
        if self._unit == "step" and not trainer.enable_validation:
            self._report_if_due(trainer, trainer.global_step)

    def on_train_epoch_end(self, trainer: Trainer, *_: Any) -> None:
        if self._unit == "step":
            return
        if self._is_validated:
            self._report(trainer, trainer.current_epoch + 1)
        elif not trainer.enable_validation:
            self._report_if_due(trainer, trainer.current_epoch + 1)
        self._is_validated = False

    def on_validation_batch_end(self, *_: Any) -> None:
        bool(self._run.should_stop)  # a sign of life: validation may take long

    def on_validation_end(self, trainer: Trainer, *_: Any) -> None:
        self._is_validated = not trainer.sanity_checking
        if self._is_validated and not trainer.training and trainer.state.fn == "validate":
            self._report(trainer, self._run.steps)
        elif self._is_validated and self._unit == "step":
            self._report(trainer, trainer.global_step)

    # What they do.

    def _report_if_due(self, trainer: Trainer, step: int) -> None:
        every = self._every or max(self._run.steps // REPORTS, 1)
        if step % every == 0 or step == self._run.steps:
            self._report(trainer, step)

    def _report(self, trainer: Trainer, step: int) -> None:
        """Saves the checkpoint, then reports: the trial may be ended right there."""
        if self._curve and self._curve[-1]["step"] >= step:  # without an optimiser step between
            return
        metrics = {**_numbers(trainer.callback_metrics), "seconds": self._seconds()}
        self._curve = [*self._curve, {"step": step, **metrics}]
        self._save(trainer)
        self._run.report(step, **metrics)

    def _save(self, trainer: Trainer) -> None:
        """Replaces the trial's checkpoint by Lightning's, as a whole."""
        replace_atomically(self._run.checkpoint_file, lambda path: self._write(trainer, path))

    def _write(self, trainer: Trainer, path: Path) -> None:
        trainer.save_checkpoint(path)
        if not self._is_checked:
            _require_loadable(path)
            self._is_checked = True

    def _seconds(self) -> float:
        return self._seconds_before + time.perf_counter() - self._began


def fit(
    make_module: Callable[[], LightningModule],
    run: Run,
    train_dataloaders: Any = None,
    val_dataloaders: Any = None,
    *,
    datamodule: Any = None,
    every: int | None = None,
    unit: Literal["step", "epoch"] = "step",
    callbacks: Sequence[Any] = (),
    images: Mapping[str, Callable[[Any], Image]] | None = None,
    **trainer_options: Any,
) -> Trainer:
    """Trains a `LightningModule` as the trial `run`, from its checkpoint if it has one.

    Args:
        make_module: makes the module, once all random numbers have the trial's seed:
            `lambda: MyModule(config)`. It logs the study's metric by `self.log("val_psnr", ...)`.
        images: by name, what shows what a module has learnt, such as a method of its class.
        every, unit: as of `StudyCallback`; `--steps` counts optimiser steps or epochs.
        trainer_options: of Lightning's `Trainer`, such as `val_check_interval=50` or `logger=...`,
            above those that a trial needs.

    Returns:
        The trainer. Does not return where the trial is pruned or stopped.
    """
    if isinstance(make_module, pl.LightningModule):
        raise InputError(
            "fit() makes the module itself, so that its weights are of the trial's seed; give "
            "fit(lambda: MyModule(config), run, ...)"
        )
    pl.seed_everything(run.seed, verbose=False)
    module, callback = make_module(), StudyCallback(run, every, unit)
    options: dict[str, Any] = {
        "max_steps" if unit == "step" else "max_epochs": run.steps,
        "accelerator": "gpu" if run.device == "cuda" else "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
        **trainer_options,
    }
    trainer: Trainer = pl.Trainer(callbacks=[callback, *callbacks], **options)
    resumed = callback.checkpoint
    for name, draw in (images or {}).items():  # not before the callback has resumed
        run.image(name, functools.partial(draw, module))
    trainer.fit(
        module,
        train_dataloaders,
        val_dataloaders,
        datamodule=datamodule,
        ckpt_path=resumed,
        weights_only=True,
    )
    if not callback.is_complete:  # its last step was not one of a validation
        trainer.validate(module, val_dataloaders, datamodule=datamodule, verbose=False)
    return trainer


def _numbers(metrics: Mapping[str, Any]) -> dict[str, float]:
    """What the module has logged, under names that a study takes: `val/psnr` is `val_psnr`."""
    return {re.sub(r"\W", "_", name): float(value) for name, value in metrics.items()}


def _require_loadable(file: Path) -> None:
    """Raises `InputError` where a checkpoint holds more than weights, numbers and text."""
    try:
        torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(
            f"Lightning's checkpoint holds what cannot be read back safely: {name_unsafe(error)}; "
            "keep to tensors, numbers and text, as by "
            "save_hyperparameters(dataclasses.asdict(config))"
        ) from None
