"""A slot of a batch: its member, and the random draws of that from step to step."""

from __future__ import annotations

from functools import partial

import torch
from torch import Generator

from nerf.training.batch.draws import Draws
from nerf.training.cuda_graph import GraphedStep
from nerf.training.run import TrainingRun


class Slot:
    """Holds one run at a time; on a GPU, also the generator and the CUDA graph of its draws.

    A graph advances only the generators that it was captured with, so there the slot has its own,
    which continues the run's. The graph of the draws is small; a new run has it captured again,
    while that of the step, which is large, stays.
    """

    def __init__(self, number: int, device: torch.device, uses_graphs: bool) -> None:
        self.number = number
        self.run: TrainingRun | None = None
        self.stored_after = 0
        """Number of the step after which the run was last up to date."""
        self._generator = Generator(device) if device.type == "cuda" else None
        self._graphed = (
            GraphedStep(device, self._generator, has_products=False)
            if self._generator and uses_graphs
            else None
        )

    def load(self, run: TrainingRun) -> None:
        """Takes a run, and goes on from the state of its generator."""
        self.run, self.stored_after = run, run.steps_done
        if self._generator is not None:
            self._generator.set_state(run.step.generator.get_state())
        self.release()

    def store(self, run: TrainingRun) -> None:
        """Gives the state of the generator back to the run."""
        self.stored_after = run.steps_done
        if self._generator is not None:
            run.step.generator.set_state(self._generator.get_state())

    def draw(self, draws: Draws) -> None:
        """Draws the random numbers of the run's next step."""
        assert self.run is not None
        step = self.run.step
        draw = partial(draws.draw, self.number, self.run, self._generator or step.generator)
        if self._graphed is None:
            draw()
        else:
            self._graphed(draw, step.is_cropped())

    def release(self) -> None:
        """Frees the CUDA graph."""
        if self._graphed is not None:
            self._graphed.release()
