"""Numbers of the members' configs that a step computes with, as tensors of one row a slot."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from nerf.config.choices import DENSITY_ACTIVATIONS
from nerf.model.activations import COLOUR_PADDING
from nerf.model.spacing import spacing_ends
from nerf.training.run import TrainingRun

_COLUMNS = (
    "near",
    "far",
    "stratum",
    "contraction_radius",
    "density_kind",
    "density_scale",
    "colour_padding",
    "frequency_factor",
    "clip",
)


class Settings:
    """`near`, `far` and so on, each of shape (slots,); a slot is filled by `load`."""

    def __init__(self, slots: int, device: torch.device) -> None:
        self._table = torch.ones(slots, len(_COLUMNS), device=device)
        columns = dict(zip(_COLUMNS, self._table.unbind(1), strict=True))
        self.near: Tensor = columns["near"]
        """Where samples begin, in the coordinate u of nerf.model.spacing; so are the next two."""
        self.far: Tensor = columns["far"]
        self.stratum: Tensor = columns["stratum"]
        """Length of a stratum of the coarse samples."""
        self.contraction_radius: Tensor = columns["contraction_radius"]
        self.density_kind: Tensor = columns["density_kind"]
        """Index into DENSITY_ACTIVATIONS.built_in."""
        self.density_scale: Tensor = columns["density_scale"]
        self.colour_padding: Tensor = columns["colour_padding"]
        """How far a colour reaches beyond 0 and 1."""
        self.frequency_factor: Tensor = columns["frequency_factor"]
        """pi where coordinates are multiplied by it before the encoding, else 1."""
        self.clip: Tensor = columns["clip"]
        """Largest norm of a gradient; infinite for members that do not clip."""

    def load(self, slot: int, run: TrainingRun) -> None:
        """Fills a slot with the numbers of a run."""
        sampling, field = run.config.sampling, run.config.field
        near, far = spacing_ends(sampling)
        widened = field.colour_activation == "widened_sigmoid"
        numbers = {
            "near": near,
            "far": far,
            "stratum": (far - near) / sampling.coarse,
            "contraction_radius": run.config.encoding.contraction_radius,
            "density_kind": DENSITY_ACTIVATIONS.built_in.index(field.density_activation),
            "density_scale": field.density_scale,
            "colour_padding": COLOUR_PADDING if widened else 0.0,
            "frequency_factor": math.pi if run.config.encoding.times_pi else 1.0,
            "clip": run.config.optimisation.gradient_clip or math.inf,
        }
        row = torch.tensor([float(numbers[name]) for name in _COLUMNS])
        self._table[slot].copy_(row)
