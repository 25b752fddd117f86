"""What a plugin registers, for `--plugin mine.py`: pieces of a NeRF beside this program's own.

    from nerf.plugins import Domain, register_activation

    @register_activation("elu")
    def elu(x):
        return torch.nn.functional.elu(x)

A piece that takes `options`, annotated with a frozen dataclass, adds the fields of that class to
the configuration, in a section under the piece's name; where that class is a section of
`nerf.config.schema`, such as `Field`, it gets that one. study/guides/trainers.md lists the kinds of
pieces.

Imports `config` and `scenes`.
"""

from typing_extensions import Doc

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
from nerf.config.image_metrics import IMAGE_METRICS
from nerf.scenes.cameras.canonical_frame import to_canonical_frame
from nerf.scenes.cameras.lens import Lens
from nerf.scenes.formats.capture import Capture
from nerf.scenes.formats.plugin_formats import SCENE_FORMATS
from nerf.scenes.formats.view import View
from nerf.scenes.scene import Bounds

register_activation = HIDDEN_ACTIVATIONS.register
register_density_activation = DENSITY_ACTIVATIONS.register
register_colour_activation = COLOUR_ACTIVATIONS.register
register_colour_space = COLOUR_SPACES.register
register_encoding = ENCODINGS.register
register_loss = LOSSES.register
register_metric = IMAGE_METRICS.register
register_schedule = SCHEDULES.register
register_scene_format = SCENE_FORMATS.register

__all__ = [
    "Bounds",
    "Capture",
    "Doc",
    "Domain",
    "Lens",
    "View",
    "When",
    "register_activation",
    "register_colour_activation",
    "register_colour_space",
    "register_density_activation",
    "register_encoding",
    "register_loss",
    "register_metric",
    "register_scene_format",
    "register_schedule",
    "to_canonical_frame",
]
