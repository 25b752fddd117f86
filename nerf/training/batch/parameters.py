"""Parameters of all members and their Adam state, as flat tensors of shape (slots, row)."""

from __future__ import annotations

import torch
from torch import Tensor

from nerf.training.batch.layout import TABLE, Layout
from nerf.training.run import TrainingRun

BETAS = (0.9, 0.999)
EPS = 1e-8
"""Adam's constants: those of torch, which a run alone uses."""


class Parameters:
    """One row a slot: values, gradients and both moments of every parameter of its member."""

    def __init__(self, layout: Layout, slots: int, device: torch.device) -> None:
        self.layout = layout
        self.values, self.gradients, self.first_moment, self.second_moment, self.mask = (
            torch.zeros(slots, layout.row_size, device=device) for _ in range(5)
        )
        # 1 where a row holds a number of its member, 0 where it is padded.

    def load(self, slot: int, run: TrainingRun) -> None:
        """Copies parameters and Adam state of a run into a slot."""
        for rows in (self.values, self.first_moment, self.second_moment, self.mask):
            rows[slot].zero_()
        optimiser = run.step.optimiser.state
        for name, own in run.model.named_parameters():
            self._copy_in(slot, run, name, own.detach(), self.values)
            self._copy_in(slot, run, name, torch.ones_like(own), self.mask)
            if own in optimiser:  # empty before the first step
                self._copy_in(slot, run, name, optimiser[own]["exp_avg"], self.first_moment)
                self._copy_in(slot, run, name, optimiser[own]["exp_avg_sq"], self.second_moment)

    def store(self, slot: int, run: TrainingRun) -> None:
        """Copies parameters and Adam state of a slot to the run."""
        steps = float(run.steps_done)
        for name, own in run.model.named_parameters():
            self._copy_out(slot, run, name, own.detach(), self.values)
            if not steps:
                continue  # Adam has no state before the first step
            state = run.step.optimiser.state[own]
            if not state:
                state["step"] = torch.zeros((), device=own.device)
                state["exp_avg"] = torch.zeros_like(own, memory_format=torch.preserve_format)
                state["exp_avg_sq"] = torch.zeros_like(own, memory_format=torch.preserve_format)
            state["step"].fill_(steps)
            self._copy_out(slot, run, name, state["exp_avg"], self.first_moment)
            self._copy_out(slot, run, name, state["exp_avg_sq"], self.second_moment)

    def network(self, field: str) -> Tensor:
        """The rows' parts with the layers of a field, a leaf to differentiate by."""
        return self.values[:, self.layout.network_slice(field)].detach().requires_grad_()

    def entries(self) -> Tensor:
        """All rows as entries of hash tables, a leaf to differentiate by."""
        return self.values.view(-1, self.layout.shapes[TABLE][1]).detach().requires_grad_()

    def _copy_in(self, slot: int, run: TrainingRun, name: str, own: Tensor, rows: Tensor) -> None:
        for mine, place in self.layout.blocks(run.model, name, own, rows[slot]):
            place.copy_(mine)

    def _copy_out(self, slot: int, run: TrainingRun, name: str, own: Tensor, rows: Tensor) -> None:
        for mine, place in self.layout.blocks(run.model, name, own, rows[slot]):
            mine.copy_(place)
