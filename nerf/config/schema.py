"""Every number and choice of a NeRF that a user may change: one frozen dataclass per concept.

A field is declared once: its type, the range that a study may search (`Domain`) or the choices
(`Literal`, or a `Registry` that plugins may add to), the condition under which it acts (`when`,
`When`), a description (`Doc`) and the default. Command lines, search spaces, tables and axis labels
read them through `nerf.config.parameters`.
`__post_init__` rejects what cannot be trained.
Distances are Euclidean along a unit direction, in scene units.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from typing_extensions import Doc

from nerf.common.errors import InputError
from nerf.config import sections
from nerf.config.choices import (
    COLOUR_ACTIVATIONS,
    COLOUR_SPACES,
    DENSITY_ACTIVATIONS,
    ENCODINGS,
    HIDDEN_ACTIVATIONS,
    LOSSES,
    SCHEDULES,
)
from nerf.config.condition import When
from nerf.config.domain import Domain

Initialisation = Literal["pytorch", "glorot"]
Spacing = Literal["linear", "disparity"]
Contraction = Literal["none", "sphere"]
FieldKind = Literal["network", "voxels"]
TrainingBackground = Literal["scene", "white", "black", "random"]
Crop = Literal["content", "centre"]
Precision = Literal["auto", "fp32", "bf16"]


Section = TypeVar("Section")


def _require(holds: bool, message: str) -> None:
    if not holds:
        raise InputError(message)


@dataclass(frozen=True)
class Sampling:
    """Where the field is queried along each ray."""

    near: Annotated[
        float,
        Domain(0.5, 5.0, unit="scene units", label="near"),
        Doc(
            "Distance at which the samples of a ray begin; nothing nearer is rendered. "
            "Default: suggested by the scene."
        ),
    ] = 2.0

    far: Annotated[
        float,
        Domain(1.0, 14.0, unit="scene units", label="far"),
        Doc(
            "Distance at which the samples of a ray end; nothing beyond is rendered. "
            "Default: suggested by the scene."
        ),
    ] = 6.0

    spacing: Annotated[
        Spacing,
        Doc(
            "What samples are spaced evenly in from near to far: linear (the distance) or "
            "disparity (1 / distance: dense nearby, for scenes without an end)."
        ),
    ] = "linear"

    coarse: Annotated[
        int,
        Domain(16, 128, log=True, unit="samples", label="coarse samples"),
        Doc("Stratified samples per ray."),
    ] = 64

    fine: Annotated[
        int,
        Domain(0, 128, unit="samples", label="fine samples"),
        Doc(
            "Additional samples per ray, drawn where the coarse pass has weight; 0 disables "
            "the fine pass."
        ),
    ] = 0

    jitter: Annotated[
        bool,
        Doc(
            "Draw training samples at random within their strata. Evaluation always uses "
            "the midpoints."
        ),
    ] = True

    def __post_init__(self) -> None:
        _require(
            math.isfinite(self.near) and math.isfinite(self.far) and 0 <= self.near < self.far,
            f"0 <= near < far must hold, got near={self.near:g}, far={self.far:g}; "
            "change sampling.near or sampling.far",
        )
        _require(
            self.spacing == "linear" or self.near > 0,
            "sampling.spacing=disparity needs sampling.near above 0, got 0; set sampling.near, or "
            "sampling.spacing=linear",
        )
        _require(self.coarse >= 2, f"sampling.coarse must be at least 2 samples, got {self.coarse}")
        _require(self.fine >= 0, f"sampling.fine must be 0 (one pass) or more, got {self.fine}")

    @property
    def span(
        self,
    ) -> Annotated[
        float,
        Domain(1.0, 8.0, unit="scene units", label="depth range"),
        Doc("Distance from near to far. Vary it instead of far, so that near < far always holds."),
    ]:
        return self.far - self.near


@dataclass(frozen=True)
class Encoding:
    """How positions and directions are encoded for the network."""

    kind: Annotated[
        str,
        ENCODINGS,
        When("field.kind == 'network'"),
        Doc(
            "Position encoding: frequency (Eq. 4 of arXiv:2003.08934), none (raw coordinates), "
            "hash (grids whose corners share entries, arXiv:2201.05989) or grid (dense grids, as "
            "in arXiv:2111.11215). Directions always use the frequency encoding."
        ),
    ] = "frequency"

    position_frequencies: Annotated[
        int,
        Domain(
            0, 15, unit="octaves", label="position frequencies", when="encoding.kind == 'frequency'"
        ),
        Doc("Octaves of the frequency encoding of positions."),
    ] = 8

    direction_frequencies: Annotated[
        int,
        Domain(0, 8, unit="octaves", label="direction frequencies", when="encoding.directions"),
        Doc("Octaves of the frequency encoding of viewing directions; 0 passes the raw direction."),
    ] = 4

    directions: Annotated[
        bool,
        When("field.kind == 'network'"),
        Doc(
            "Let the colour depend on the viewing direction; without it a point has the "
            "same colour from every side."
        ),
    ] = True

    include_input: Annotated[
        bool,
        When("field.kind == 'network'"),
        Doc("Append the raw coordinates to the frequency encoding."),
    ] = True

    times_pi: Annotated[
        bool,
        When("field.kind == 'network'"),
        Doc(
            "Multiply coordinates by pi before the encoding, as in the paper; nerf-pytorch "
            "does not."
        ),
    ] = False

    hash_levels: Annotated[
        int,
        Domain(1, 16, unit="grids", label="hash levels", when="encoding.kind == 'hash'"),
        Doc("Resolution levels of the hash encoding, from 16 cells a side to hash_finest."),
    ] = 8

    hash_finest: Annotated[
        int,
        Domain(
            32,
            2048,
            log=True,
            unit="cells",
            label="finest hash grid",
            when="encoding.kind == 'hash'",
        ),
        Doc(
            "Cells along a side of the finest hash grid, which covers all that rays cross "
            "from near to far."
        ),
    ] = 256

    hash_log2_entries: Annotated[
        int,
        Domain(10, 20, label="log2 of hash entries", when="encoding.kind == 'hash'"),
        Doc("Base-2 logarithm of the number of entries in each level's hash table."),
    ] = 15

    grid_levels: Annotated[
        int,
        Domain(1, 4, unit="grids", label="grid levels", when="encoding.kind == 'grid'"),
        Doc("Grids of the grid encoding, each with half the cells along a side of the next."),
    ] = 3

    grid_cells: Annotated[
        int,
        Domain(
            32, 128, log=True, unit="cells", label="finest grid", when="encoding.kind == 'grid'"
        ),
        Doc(
            "Cells along a side of the finest grid of the grid encoding, if it were a cube; it "
            "covers all that rays cross from near to far."
        ),
    ] = 96

    grid_features: Annotated[
        int,
        Domain(1, 8, label="grid features", when="encoding.kind == 'grid'"),
        Doc("Features at each point of each grid of the grid encoding."),
    ] = 2

    contraction: Annotated[
        Contraction,
        Doc(
            "Contract all beyond contraction_radius into a ball twice as large before the position "
            "encoding (sphere: Eq. 10 of arXiv:2111.12077), for scenes without an end. With "
            "sampling.spacing=disparity, far is then 1000 times near unless it is set."
        ),
    ] = "none"

    contraction_radius: Annotated[
        float,
        Domain(
            1.0,
            16.0,
            log=True,
            unit="scene units",
            label="contraction radius",
            when="encoding.contraction == 'sphere'",
        ),
        Doc(
            "Distance from the origin within which the contraction leaves all as it is. The "
            "cameras of captures are 4 units from the origin on average."
        ),
    ] = 4.0

    def __post_init__(self) -> None:
        _require(
            0 < self.contraction_radius < math.inf,
            f"encoding.contraction_radius must be positive, got {self.contraction_radius:g}",
        )
        for name in ("position_frequencies", "direction_frequencies"):
            count = getattr(self, name)
            _require(0 <= count <= 24, f"encoding.{name} must lie in 0..24, got {count}")
        for name, low, high in (
            ("hash_levels", 1, 32),
            ("hash_finest", 16, 2**14),
            ("hash_log2_entries", 4, 24),
            ("grid_levels", 1, 8),
            ("grid_cells", 8, 512),
            ("grid_features", 1, 32),
        ):
            count = getattr(self, name)
            _require(
                low <= count <= high, f"encoding.{name} must lie in {low}..{high}, got {count}"
            )
        _require(
            self.kind != "frequency" or self.include_input or self.position_frequencies > 0,
            "encoding.position_frequencies=0 with encoding.include_input=false leaves the field "
            "blind to position; change one of the two",
        )


@dataclass(frozen=True)
class Field:
    """What maps a position and a direction to density and colour: a network, or voxels."""

    kind: Annotated[
        FieldKind,
        Doc(
            "network (an MLP of the encoded position and direction) or voxels (a grid of densities "
            "and spherical harmonics, see grid; it ignores the encoding's frequencies, depth, "
            "width, skip, hidden activation and initialisation)."
        ),
    ] = "network"

    depth: Annotated[
        int,
        Domain(2, 8, unit="layers", label="depth", when="field.kind == 'network'"),
        Doc("Hidden layers before the density head."),
    ] = 4

    width: Annotated[
        int,
        Domain(16, 256, log=True, unit="units", label="width", when="field.kind == 'network'"),
        Doc("Units of a hidden layer; the colour head has half as many."),
    ] = 128

    skip: Annotated[
        int,
        Domain(0, 3, unit="layer", label="skip", when="field.kind == 'network'"),
        Doc(
            "Hidden layers after which the encoded position is concatenated again; 0 for no "
            "skip connection."
        ),
    ] = 0

    hidden_activation: Annotated[
        str,
        HIDDEN_ACTIVATIONS,
        When("field.kind == 'network'"),
        Doc("Activation between hidden layers."),
    ] = "relu"

    density_activation: Annotated[
        str,
        DENSITY_ACTIVATIONS,
        Doc("Activation that maps the raw density output to a density >= 0."),
    ] = "shifted_softplus"

    density_scale: Annotated[
        float,
        Domain(
            1.0,
            100.0,
            log=True,
            unit="1 / scene unit",
            label="density scale",
            when="field.density_activation == 'sigmoid'",
        ),
        Doc("Largest density that the sigmoid density activation can reach; the others ignore it."),
    ] = 25.0

    initial_density: Annotated[
        float,
        Domain(0.01, 10.0, log=True, unit="1 / scene unit", label="initial density"),
        Doc(
            "Density that training starts from, set by the bias of the density head. 0 leaves the "
            "bias as drawn: softplus then starts at 0.7, sigmoid at half of density_scale, "
            "shifted_softplus at 0.3."
        ),
    ] = 0.3

    colour_activation: Annotated[
        str,
        COLOUR_ACTIVATIONS,
        Doc(
            "Activation that maps the raw colour output to RGB; widened_sigmoid reaches 0 "
            "and 1 (arXiv:2103.13415, appendix C)."
        ),
    ] = "sigmoid"

    colour_space: Annotated[
        str,
        COLOUR_SPACES,
        Doc(
            "What adds up along a ray: srgb (the numbers that photographs store, as in the paper) "
            "or linear (light; the sum is then converted to sRGB)."
        ),
    ] = "srgb"

    initialisation: Annotated[
        Initialisation,
        When("field.kind == 'network'"),
        Doc(
            "Initial weights: pytorch (uniform weights and biases) or glorot (zero biases). "
            "Networks with sine activation always use SIREN's."
        ),
    ] = "pytorch"

    def __post_init__(self) -> None:
        _require(self.depth >= 1, f"field.depth must be at least 1 layer, got {self.depth}")
        _require(self.width >= 2, f"field.width must be at least 2 units, got {self.width}")
        _require(
            0 < self.density_scale < math.inf,
            f"field.density_scale must be positive, got {self.density_scale:g}",
        )
        most = self.density_scale if self.density_activation == "sigmoid" else math.inf
        _require(
            0 <= self.initial_density < most,
            "field.initial_density must be 0 (as drawn) or more, and below field.density_scale for "
            f"a sigmoid density, got {self.initial_density:g}",
        )
        _require(
            0 <= self.skip < self.depth,
            f"0 <= skip < depth must hold, got skip={self.skip}, depth={self.depth}; "
            "lower field.skip or raise field.depth",
        )


@dataclass(frozen=True)
class Grid:
    """The grid of a field of kind voxels; a network ignores it."""

    cells: Annotated[
        int,
        Domain(32, 160, log=True, unit="cells", label="grid cells", when="field.kind == 'voxels'"),
        Doc(
            "Cells along a side of the last, finest grid, if it were a cube. It covers what the "
            "grid before it shows."
        ),
    ] = 64

    stages: Annotated[
        int,
        Domain(1, 4, unit="grids", label="grid stages", when="field.kind == 'voxels'"),
        Doc(
            "Grids that a run trains one after another, each with twice the cells of the one "
            "before; the last one begins after a quarter of the steps."
        ),
    ] = 3

    degree: Annotated[
        int,
        Domain(0, 2, label="harmonics' degree", when="field.kind == 'voxels'"),
        Doc("Degree of the spherical harmonics; 0 gives a point one colour from every side."),
    ] = 1

    learning_rate: Annotated[
        float,
        Domain(0.03, 1.0, log=True, label="grid learning rate", when="field.kind == 'voxels'"),
        Doc("Adam's learning rate of the grid's values, instead of optimisation.learning_rate."),
    ] = 0.5

    total_variation: Annotated[
        float,
        Domain(0.0, 1e-3, label="total variation", when="field.kind == 'voxels'"),
        Doc("Weight in the loss of the squared differences between neighbours in the grid."),
    ] = 0.0

    def __post_init__(self) -> None:
        for name, low, high in (("cells", 8, 512), ("stages", 1, 8), ("degree", 0, 2)):
            count = getattr(self, name)
            _require(low <= count <= high, f"grid.{name} must lie in {low}..{high}, got {count}")
        _require(
            0 < self.learning_rate < math.inf,
            f"grid.learning_rate must be positive, got {self.learning_rate:g}",
        )
        _require(
            0 <= self.total_variation < math.inf,
            f"grid.total_variation must be 0 (off) or more, got {self.total_variation:g}",
        )


@dataclass(frozen=True)
class Optimisation:
    """Adam, its learning-rate schedule, and the rays of a training step."""

    learning_rate: Annotated[
        float,
        Domain(1e-4, 2e-2, log=True, label="learning rate", when="field.kind == 'network'"),
        Doc("Adam's learning rate at the first step, after the warm-up."),
    ] = 8e-3

    schedule: Annotated[
        str, SCHEDULES, Doc("How the learning rate falls from the first step to the last.")
    ] = "exponential"

    decay: Annotated[
        float,
        Domain(
            0.01,
            1.0,
            log=True,
            label="learning-rate decay",
            when="optimisation.schedule in ('exponential', 'cosine')",
        ),
        Doc(
            "Final learning rate as a fraction of the initial one; the constant schedule "
            "ignores it."
        ),
    ] = 0.1

    loss: Annotated[
        str,
        LOSSES,
        Doc(
            "Mean over the rays and channels of a step of the squared or absolute error of their "
            "colour, which training lowers. The learning curve has the squared error in any case."
        ),
    ] = "squared"

    warm_up: Annotated[
        int,
        Domain(0, 500, unit="steps", label="warm-up"),
        Doc(
            "Steps over which the learning rate rises linearly from 0; at most a third of all "
            "steps."
        ),
    ] = 50

    gradient_clip: Annotated[
        float,
        Domain(0.0, 10.0, label="gradient clip"),
        Doc("Largest norm of the gradient of a step; 0 disables clipping."),
    ] = 0.0

    crop_steps: Annotated[
        int,
        Domain(0, 500, unit="steps", label="crop steps"),
        Doc(
            "Number of first steps that draw rays only from a part of each image, so that a "
            "large uniform backdrop does not drown the object before it is seen; 0 for none. A "
            "crop to the content ends after a third of all steps."
        ),
    ] = 100

    crop: Annotated[
        Crop,
        When("optimisation.crop_steps > 0"),
        Doc(
            "The part that crop_steps draw from: content (the box around what differs from a "
            "uniform backdrop; the whole image if there is none) or centre (half of the height "
            "and width, as nerf-pytorch does)."
        ),
    ] = "content"

    rays: Annotated[
        int,
        Domain(64, 4096, log=True, unit="rays", label="rays per step"),
        Doc("Rays per training step, drawn with replacement."),
    ] = 512

    views: Annotated[
        int,
        Domain(2, 100, log=True, unit="views", label="training views"),
        Doc("Number of training views to use, spread evenly over the scene's; 0 uses all."),
    ] = 0

    steps: Annotated[
        int,
        Domain(50, 20000, log=True, unit="steps", label="steps"),
        Doc("Number of training steps."),
    ] = 1000

    background: Annotated[
        TrainingBackground,
        Doc(
            "Background of training rays; random needs images with an alpha channel. Evaluation "
            "uses the scene's background, so that runs are comparable; with images without an "
            "alpha channel, which are the same over any background, the one of training."
        ),
    ] = "scene"

    density_noise: Annotated[
        float,
        Domain(0.0, 2.0, unit="1 / scene unit", label="density noise"),
        Doc("Standard deviation of the noise added to the raw density output in training."),
    ] = 0.0

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
    """How often, and on how many held-out pixels, a run is evaluated."""

    times: Annotated[
        int, Doc("Number of evaluations, spread evenly over the steps; the last is at the end.")
    ] = 18

    pixels: Annotated[
        int, Doc("Validation pixels per evaluation, on a regular grid over all validation views.")
    ] = 4096

    final_pixels: Annotated[
        int, Doc("Pixels of the validation views, and of the test views, in the final evaluation.")
    ] = 8192

    def __post_init__(self) -> None:
        _require(self.times >= 1, f"evaluation.times must be at least 1, got {self.times}")
        _require(
            min(self.pixels, self.final_pixels) >= 256,
            "evaluation.pixels and evaluation.final_pixels must be at least 256, "
            f"got {self.pixels} and {self.final_pixels}",
        )


@dataclass(frozen=True)
class Compute:
    """How the computation is done; affects the time of a run and hardly its quality."""

    precision: Annotated[
        Precision,
        Doc(
            "Precision of the field's matrix products; auto is bf16 where the device "
            "supports it in hardware, else fp32."
        ),
    ] = "auto"

    occupancy: Annotated[
        int, Doc("Cells along a side of the occupancy grid that skips empty space; 0 disables it.")
    ] = 32

    graphs: Annotated[
        bool, Doc("On a GPU, replay each step as one CUDA graph. No effect on a CPU.")
    ] = True

    def __post_init__(self) -> None:
        _require(
            self.occupancy == 0 or 8 <= self.occupancy <= 256,
            f"compute.occupancy must be 0 (no grid) or lie in 8..256 cells, got {self.occupancy}",
        )


@dataclass(frozen=True)
class NerfConfig:
    """The full configuration: on one machine, the same config and scene give the same result."""

    sampling: Sampling = dataclasses.field(default_factory=Sampling)
    encoding: Encoding = dataclasses.field(default_factory=Encoding)
    field: Field = dataclasses.field(default_factory=Field)
    grid: Grid = dataclasses.field(default_factory=Grid)
    optimisation: Optimisation = dataclasses.field(default_factory=Optimisation)
    evaluation: Evaluation = dataclasses.field(default_factory=Evaluation)
    compute: Compute = dataclasses.field(default_factory=Compute)
    seed: Annotated[
        int, Doc("Seed of the initial weights and of every random draw of the run.")
    ] = 0

    def __post_init__(self) -> None:
        _require(0 <= self.seed < 2**32, f"seed must lie in 0..{2**32 - 1}, got {self.seed}")

    def section(self, cls: type[Section]) -> Section:
        """The section of this class; its defaults if the configuration lacks it."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if type(value) is cls:
                return value
        return cls()


sections.BUILT_IN.update(
    (name, hint)
    for name, hint in typing.get_type_hints(NerfConfig).items()
    if isinstance(hint, type) and dataclasses.is_dataclass(hint)
)
