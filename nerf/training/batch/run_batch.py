"""Several runs trained as one network, a slot each: K steps for the launches of one.

A run keeps its model, optimiser, rays, generator and checkpoint. While it is in a batch, its
parameters and Adam state are rows of the batch's tensors; `store` copies them back.
"""

from __future__ import annotations

import torch

from nerf.training.batch.key import batch_key
from nerf.training.batch.trainer import BatchTrainer
from nerf.training.clock import Clock
from nerf.training.loop import TrainingRun


class RunBatch:
    """At most `size` runs, all on `device`, whose `batch_key` is that of the first.

    batch.add(run)
    while batch.members:
        batch.advance()
        for loop in loops_of(batch.members):  # nerf.training.loop.TrainingLoop
            loop.after_step()
            if loop.is_finished:
                batch.remove(loop.run)
    """

    def __init__(self, size: int, device: str = "cpu") -> None:
        if size < 1:
            raise ValueError(f"a batch has at least 1 slot, not {size}")
        self.clock = Clock()
        self._size = size
        self._device = torch.device(device)
        self._key: tuple[object, ...] | None = None
        self._trainer: BatchTrainer | None = None
        self._stored_after: dict[int, int] = {}

    @property
    def members(self) -> tuple[TrainingRun, ...]:
        """The runs in the batch, by slot."""
        if self._trainer is None:
            return ()
        return tuple(run for _, run in sorted(self._trainer.members.items()))

    def add(self, run: TrainingRun) -> None:
        """Puts a run into a free slot; it may have taken steps before.

        Raises `ValueError` if there is none, or if the run has another key than the members.
        """
        key = batch_key(run.config)
        if self._trainer is None or (key != self._key and not self.members):
            self._key, self._trainer = key, BatchTrainer(run, self._size)
        trainer = self._trainer
        if key != self._key:
            raise ValueError("the run's network, rays or samples differ from the batch's")
        free = [slot for slot in range(self._size) if slot not in trainer.members]
        if not free:
            raise ValueError(f"the batch is full: it has {self._size} runs")
        slot = free[0]
        trainer.load(slot, run)
        run.step.losses = trainer.losses[slot]
        run.health.record_in({part: each[slot] for part, each in trainer.largest.items()})
        self._stored_after[slot] = run.steps_done
        run.join(self)

    def remove(self, run: TrainingRun) -> None:
        """Takes a run out of its slot; it can go on alone, or in another batch."""
        trainer, slot = self._find(run)
        self.store(run)
        trainer.clear(slot)
        run.step.losses = run.step.losses.clone()
        run.health.record_in(
            {part: torch.zeros_like(each[slot]) for part, each in trainer.largest.items()}
        )
        run.leave()

    def store(self, run: TrainingRun) -> None:
        """Copies model, optimiser and generator from the batch to the run, if it is behind."""
        trainer, slot = self._find(run)
        if self._stored_after[slot] != run.steps_done:
            trainer.store(slot)
            self._stored_after[slot] = run.steps_done

    def advance(self) -> None:
        """Trains every member by one step; raises `ValueError` if one has taken all of its."""
        trainer = self._trainer
        if trainer is None or not trainer.members:
            return
        for run in trainer.members.values():
            if run.steps_done >= run.config.optimisation.steps:
                raise ValueError("a member has taken its last step; remove it before the next one")
        self.clock.start()
        for slot, run in trainer.members.items():
            trainer.renderer.draws.draw(slot, run, run.step.generator)
        trainer.step()
        for run in trainer.members.values():
            run.step.steps_done += 1
        if any(run.step.bounds_are_due() for run in trainer.members.values()):
            trainer.update_bounds()

    def release(self) -> None:
        """Frees the CUDA graphs and their memory; the next steps capture others."""

    def _find(self, run: TrainingRun) -> tuple[BatchTrainer, int]:
        """The slot of a member; raises `ValueError` for other runs."""
        if self._trainer is not None:
            for slot, member in self._trainer.members.items():
                if member is run:
                    return self._trainer, slot
        raise ValueError("the run is not in this batch")
