"""Every number and choice of a NeRF a user may change: one frozen dataclass per concept.

A field is declared once, with its default, its `Domain` (or a `Literal`'s choices) and a
docstring; command lines, search spaces, tables and axis labels all read it from here.
Distances are Euclidean along a unit direction, in scene units.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Annotated, Literal

from nerf.common.errors import InputError
from nerf.config.domain import Domain

HiddenActivation = Literal["relu", "silu", "gelu", "softplus", "sine"]
DensityActivation = Literal["relu", "softplus", "shifted_softplus", "truncated_exp", "sigmoid"]
ColourActivation = Literal["sigmoid", "widened_sigmoid"]
Initialisation = Literal["pytorch", "glorot"]
EncodingKind = Literal["frequency", "none", "hash"]
Schedule = Literal["exponential", "cosine", "constant"]
TrainingBackground = Literal["scene", "white", "black", "random"]
Precision = Literal["auto", "fp32", "bf16"]


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)


@dataclass(frozen=True)
class Sampling:
    """Where along each ray the field is asked."""

    near: Annotated[float, Domain(0.5, 5.0, unit="scene units", label="near")] = 2.0
    """Distance where a ray's samples begin: nothing nearer is seen. Unset: the scene's own."""

    far: Annotated[float, Domain(1.0, 14.0, unit="scene units", label="far")] = 6.0
    """Distance where a ray's samples end: nothing beyond is seen. Unset: the scene's own."""

    coarse: Annotated[int, Domain(16, 128, log=True, unit="samples", label="coarse samples")] = 64
    """Stratified samples per ray."""

    fine: Annotated[int, Domain(0, 128, unit="samples", label="fine samples")] = 0
    """Further samples per ray, drawn where the coarse pass found weight; 0 means one pass only."""

    jitter: bool = True
    """Draw training samples at random within their strata; evaluation takes the middles."""

    def __post_init__(self) -> None:
        _require(
            math.isfinite(self.near) and math.isfinite(self.far) and 0 <= self.near < self.far,
            f"0 <= near < far must hold, got near={self.near:g}, far={self.far:g}; "
            "change sampling.near or sampling.far",
        )
        _require(self.coarse >= 2, f"sampling.coarse must be at least 2 samples, got {self.coarse}")
        _require(self.fine >= 0, f"sampling.fine must be 0 (one pass) or more, got {self.fine}")

    @property
    def span(
        self,
    ) -> Annotated[float, Domain(1.0, 8.0, unit="scene units", label="far - near")]:
        """Distance from near to far; varied in far's place, it makes every pair valid."""
        return self.far - self.near


@dataclass(frozen=True)
class Encoding:
    """How positions and directions are given to the network."""

    kind: EncodingKind = "frequency"
    """Of positions: waves (Eq. 4 of arXiv:2003.08934), their bare coordinates, or features learnt
    in hashed grids (arXiv:2201.05989). Directions are given as waves whatever it is."""

    position_frequencies: Annotated[
        int, Domain(0, 15, unit="octaves", label="position frequencies")
    ] = 8
    """Octaves of sine and cosine given for each coordinate of a position."""

    direction_frequencies: Annotated[
        int, Domain(0, 8, unit="octaves", label="direction frequencies")
    ] = 4
    """Octaves of sine and cosine given for each component of a viewing direction; 0: it is bare."""

    directions: bool = True
    """Give the viewing direction to the colour; without it a point looks alike from every side."""

    include_input: bool = True
    """Give the raw coordinates beside their sines and cosines."""

    times_pi: bool = False
    """Multiply the coordinates by pi first, as the paper writes; nerf-pytorch does not."""

    hash_levels: Annotated[int, Domain(1, 16, unit="grids", label="hash levels")] = 8
    """Grids of the hash encoding, from 16 cells a side to the finest; the others do not use it."""

    hash_finest: Annotated[
        int, Domain(32, 2048, log=True, unit="cells", label="finest hash grid")
    ] = 256
    """Cells along a side of the finest hash grid, over all that rays cross from near to far."""

    hash_log2_entries: Annotated[int, Domain(10, 20, label="log2 of hash entries")] = 15
    """Base-2 logarithm of the entries that each grid's corners share."""

    def __post_init__(self) -> None:
        for name in ("position_frequencies", "direction_frequencies"):
            count = getattr(self, name)
            _require(0 <= count <= 24, f"encoding.{name} must lie in 0..24, got {count}")
        for name, low, high in (
            ("hash_levels", 1, 32),
            ("hash_finest", 16, 2**14),
            ("hash_log2_entries", 4, 24),
        ):
            count = getattr(self, name)
            _require(
                low <= count <= high, f"encoding.{name} must lie in {low}..{high}, got {count}"
            )
        _require(
            self.kind != "frequency" or self.include_input or self.position_frequencies > 0,
            "encoding.position_frequencies=0 with encoding.include_input=false leaves the field "
            "blind to position; set either",
        )


@dataclass(frozen=True)
class Field:
    """The network: encoded position and direction to density and colour."""

    depth: Annotated[int, Domain(2, 8, unit="layers", label="depth")] = 4
    """Hidden layers before the density head."""

    width: Annotated[int, Domain(16, 256, log=True, unit="units", label="width")] = 128
    """Units of a hidden layer; the colour head has half as many."""

    skip: Annotated[int, Domain(0, 3, unit="layer", label="skip")] = 0
    """The encoded position joins again after this many hidden layers; 0 means never."""

    hidden_activation: HiddenActivation = "relu"
    """Non-linearity between hidden layers."""

    density_activation: DensityActivation = "shifted_softplus"
    """What makes a raw output a density >= 0."""

    density_scale: Annotated[
        float, Domain(1.0, 100.0, log=True, unit="1 / scene unit", label="density scale")
    ] = 25.0
    """The largest density that the sigmoid reaches; the other density activations do not use it."""

    colour_activation: ColourActivation = "sigmoid"
    """What makes a raw output a colour; the widened one reaches 0 and 1 (arXiv:2103.13415, C)."""

    initialisation: Initialisation = "pytorch"
    """PyTorch's uniform weights and biases, or Glorot's and no bias; sines have SIREN's."""

    def __post_init__(self) -> None:
        _require(self.depth >= 1, f"field.depth must be at least 1 layer, got {self.depth}")
        _require(self.width >= 2, f"field.width must be at least 2 units, got {self.width}")
        _require(
            0 < self.density_scale < math.inf,
            f"field.density_scale must be positive, got {self.density_scale:g}",
        )
        _require(
            0 <= self.skip < self.depth,
            f"0 <= skip < depth must hold, got skip={self.skip}, depth={self.depth}; "
            "lower field.skip or raise field.depth",
        )


@dataclass(frozen=True)
class Optimisation:
    """Adam, its learning rate's course, and what a step is made of."""

    learning_rate: Annotated[float, Domain(1e-4, 1e-2, log=True, label="learning rate")] = 8e-3
    """Adam's step size at the first step. With 5e-3 three scenes end 0.4 to 0.6 dB lower after 400
    steps, about level after 1,500 (54 runs: analysis/results/README.md)."""

    schedule: Schedule = "exponential"
    """How the learning rate falls from the first step to the last."""

    decay: Annotated[float, Domain(0.01, 1.0, log=True, label="learning-rate decay")] = 0.1
    """The learning rate at the end as a share of the first; a constant schedule does not use it."""

    warm_up: Annotated[int, Domain(0, 500, unit="steps", label="warm-up")] = 0
    """Steps over which the learning rate first rises, linearly, from nothing."""

    gradient_clip: Annotated[float, Domain(0.0, 10.0, label="gradient clip")] = 0.0
    """Largest norm of a step's whole gradient; 0 leaves it as it is."""

    crop_steps: Annotated[int, Domain(0, 500, unit="steps", label="crop steps")] = 0
    """First steps that draw rays from the middle half of each image's height and width only."""

    rays: Annotated[int, Domain(64, 4096, log=True, unit="rays", label="rays per step")] = 512
    """Training rays drawn, with replacement, for each step."""

    views: Annotated[int, Domain(2, 100, log=True, unit="views", label="training views")] = 0
    """Training views that rays are drawn from, spread evenly over the scene's; 0: all of them."""

    steps: Annotated[int, Domain(50, 20000, log=True, unit="steps", label="steps")] = 1000
    """Steps of training."""

    background: TrainingBackground = "scene"
    """What training rays see behind the object; all but the scene's own need alphas. Evaluation
    always uses the scene's, so that runs compare."""

    density_noise: Annotated[
        float, Domain(0.0, 2.0, unit="1 / scene unit", label="density noise")
    ] = 0.0
    """Standard deviation of the noise added to the raw density while training."""

    def __post_init__(self) -> None:
        _require(
            0 < self.learning_rate < math.inf,
            f"optimisation.learning_rate must be positive, got {self.learning_rate:g}",
        )
        _require(
            0 < self.decay <= 1,
            f"optimisation.decay must lie in (0, 1], got {self.decay:g}; 1 keeps the rate constant",
        )
        _require(self.warm_up >= 0, f"optimisation.warm_up must be 0 or more, got {self.warm_up}")
        _require(
            0 <= self.gradient_clip < math.inf,
            f"optimisation.gradient_clip must be 0 (off) or more, got {self.gradient_clip:g}",
        )
        _require(
            self.crop_steps >= 0,
            f"optimisation.crop_steps must be 0 (off) or more, got {self.crop_steps}",
        )
        _require(self.rays >= 1, f"optimisation.rays must be at least 1, got {self.rays}")
        _require(self.views >= 0, f"optimisation.views must be 0 (all) or more, got {self.views}")
        _require(self.steps >= 1, f"optimisation.steps must be at least 1, got {self.steps}")
        _require(
            0 <= self.density_noise < math.inf,
            f"optimisation.density_noise must be 0 or more, got {self.density_noise:g}",
        )


@dataclass(frozen=True)
class Evaluation:
    """How often, and on how many held-out pixels, a run is judged."""

    times: int = 18
    """Evaluations spread evenly over the steps, the last at the end."""

    pixels: int = 4096
    """Validation pixels rendered each time, on one regular grid over all validation views."""

    final_pixels: int = 8192
    """Pixels of each of the validation and test views rendered for the final figures."""

    def __post_init__(self) -> None:
        _require(self.times >= 1, f"evaluation.times must be at least 1, got {self.times}")
        _require(
            min(self.pixels, self.final_pixels) >= 256,
            "evaluation.pixels and evaluation.final_pixels must be at least 256, "
            f"got {self.pixels} and {self.final_pixels}",
        )


@dataclass(frozen=True)
class Compute:
    """How the arithmetic is done; meant to change the time a run takes, not what it finds."""

    precision: Precision = "auto"
    """Of matrix products: bf16 where the device multiplies it in hardware, else fp32."""

    occupancy: int = 32
    """Cells along each side of the grid that learns where nothing is and leaves it out; 0: none."""

    graphs: bool = True
    """On a GPU, make each step by one replayed CUDA graph; processors have none."""

    def __post_init__(self) -> None:
        _require(
            self.occupancy == 0 or 8 <= self.occupancy <= 256,
            "compute.occupancy must be 0 (ask everywhere) or lie in 8..256 cells, "
            f"got {self.occupancy}",
        )


@dataclass(frozen=True)
class NerfConfig:
    """One NeRF, whole: the same config, seed and scene give the same result on one machine."""

    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    encoding: Encoding = dataclasses.field(default_factory=Encoding)
    field: Field = dataclasses.field(default_factory=Field)
    optimisation: Optimisation = dataclasses.field(default_factory=Optimisation)
    evaluation: Evaluation = dataclasses.field(default_factory=Evaluation)
    compute: Compute = dataclasses.field(default_factory=Compute)
    seed: int = 0
    """Seeds the initial weights and every random draw of the run."""

    def __post_init__(self) -> None:
        _require(0 <= self.seed < 2**32, f"seed must lie in 0..{2**32 - 1}, got {self.seed}")
