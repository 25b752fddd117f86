"""Several runs trained as one network, a slot each: K steps for the launches of one.

A run keeps its model, optimiser, rays, generator and checkpoint. While it is in a batch, its
parameters and Adam state are rows of the batch's tensors; `store` copies them back.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

import torch

from nerf.model.occupancy import UPDATE_INTERVAL
from nerf.training.batch.key import batch_key
from nerf.training.batch.slot import Slot
from nerf.training.batch.trainer import BatchTrainer
from nerf.training.clock import Clock
from nerf.training.cuda_graph import GraphedStep
from nerf.training.health import WATCHED_PARTS
from nerf.training.run import TrainingRun


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
        self.trainer: BatchTrainer | None = None
        """The tensors of all slots; None before the first run."""
        self._slots: list[Slot] = []
        self._graphed: tuple[GraphedStep, GraphedStep] | None = None
        self._steps_taken = 0

    @property
    def members(self) -> tuple[TrainingRun, ...]:
        """The runs in the batch, by slot."""
        return tuple(slot.run for slot in self._slots if slot.run is not None)

    def add(self, run: TrainingRun) -> None:
        """Puts a run into a free slot; it may have taken steps before.

        Raises `ValueError` if there is none, or if the run has another key than the members.
        """
        key = batch_key(run.config)
        if key != self._key and not self.members:
            self._begin(run, key)
        if key != self._key:
            raise ValueError("the run's network, rays or samples differ from the batch's")
        slot = next((slot for slot in self._slots if slot.run is None), None)
        if slot is None:
            raise ValueError(f"the batch is full: it has {self._size} runs")
        trainer = self.trainer
        assert trainer is not None
        trainer.load(slot.number, run)
        slot.load(run)
        if self._device.type == "cuda":
            trainer.fit_tiles()
        run.step.losses = trainer.losses[slot.number]
        run.health.record_in({part: each[slot.number] for part, each in trainer.largest.items()})
        run.join(self)

    def remove(self, run: TrainingRun) -> None:
        """Takes a run out of its slot; it can go on alone, or in another batch."""
        slot = self._slot_of(run)
        self.store(run)
        assert self.trainer is not None
        self.trainer.clear(slot.number)
        slot.run = None
        run.step.losses = run.step.losses.clone()
        run.health.record_in({part: torch.zeros_like(run.step.losses[0]) for part in WATCHED_PARTS})
        run.leave()

    def store(self, run: TrainingRun) -> None:
        """Copies model, optimiser and generator from the batch to the run, if it is behind."""
        slot = self._slot_of(run)
        assert self.trainer is not None
        if slot.stored_after != run.steps_done:
            self.trainer.store(slot.number)
            slot.store(run)

    def advance(self) -> None:
        """Trains every member by one step; raises `ValueError` if one has taken all of its."""
        trainer, members = self.trainer, self.members
        if trainer is None or not members:
            return
        if any(run.steps_done >= run.config.optimisation.steps for run in members):
            raise ValueError("a member has taken its last step; remove it before the next one")
        self.clock.start()
        for slot in self._slots:
            if slot.run is not None:
                slot.draw(trainer.renderer.draws)
        self._run(0, trainer.step, trainer.key())
        for run in members:
            run.step.steps_done += 1
        if any(run.step.bounds_are_due() for run in members):
            self._run(1, trainer.update_bounds, None)
        self._steps_taken += 1
        if self._device.type == "cuda" and self._steps_taken % UPDATE_INTERVAL == 0:
            trainer.fit_capacities()

    def release(self) -> None:
        """Frees the CUDA graphs and their memory; the next steps capture others."""
        for slot in self._slots:
            slot.release()
        for graphed in self._graphed or ():
            graphed.release()

    def _begin(self, run: TrainingRun, key: tuple[object, ...]) -> None:
        """Makes the tensors and graphs for members like `run`, in place of others."""
        self.release()
        device, on_gpu = self._device, self._device.type == "cuda"
        uses_graphs = on_gpu and run.config.compute.graphs
        self._key = key
        self.trainer = BatchTrainer(run, self._size)
        self._slots = [Slot(number, device, uses_graphs) for number in range(self._size)]
        self._graphed = (
            (GraphedStep(device), GraphedStep(device, has_products=False)) if uses_graphs else None
        )

    def _run(self, graph: int, step: Callable[[], None], key: Hashable) -> None:
        """Calls `step`, on a GPU by a graph of its own."""
        if self._graphed is None:
            step()
        else:
            self._graphed[graph](step, key)

    def _slot_of(self, run: TrainingRun) -> Slot:
        """The slot of a member; raises `ValueError` for other runs."""
        for slot in self._slots:
            if slot.run is run:
                return slot
        raise ValueError("the run is not in this batch")
