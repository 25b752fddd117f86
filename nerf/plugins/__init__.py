"""What a plugin registers, for `--plugin mine.py`: pieces of a NeRF beside this program's own.

    from nerf.plugins import Domain, register_activation

    @register_activation("elu")
    def elu(x):
        return torch.nn.functional.elu(x)

A piece that takes `options`, annotated with a frozen dataclass, adds the fields of that class to
the configuration, in a section under the piece's name; where that class is a section of
`nerf.config.schema`, such as `Field`, it gets that one. study/README.md lists the kinds of pieces.

Imports `config`.
"""

from typing_extensions import Doc

from nerf.config.choices import COLOUR_ACTIVATIONS, DENSITY_ACTIVATIONS, HIDDEN_ACTIVATIONS
from nerf.config.domain import Domain

register_activation = HIDDEN_ACTIVATIONS.register
register_density_activation = DENSITY_ACTIVATIONS.register
register_colour_activation = COLOUR_ACTIVATIONS.register

__all__ = [
    "Doc",
    "Domain",
    "register_activation",
    "register_colour_activation",
    "register_density_activation",
]
