"""Where the parameters of a member stand in its row of the batch's flat tensors.

K        slots of a batch
P        numbers of a row: the parameters of all fields of a member, padded

Each parameter has a segment of the row, as large as the batch's shape has it. The member's own
values fill blocks of that; the rest is zero and stays so. Zero columns of a weight ignore their
inputs, and zero rows give units that the next layer ignores: the function is the member's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from torch import Tensor

from nerf.model.field import RadianceField
from nerf.model.frequency_encoding import FrequencyEncoding, encoded_size
from nerf.model.hash_encoding import FEATURES
from nerf.model.nerf import Nerf
from nerf.training.batch.key import SIZE_MULTIPLE, Shape

TABLE = "encode_position.table"
"""Name of the parameter of a hash encoding."""

Columns = tuple[tuple[int, int, int], ...]
"""Blocks of columns: first own column, first column in the batch, number of columns."""


class Layout:
    """The segments of a row, for networks of one shape."""

    def __init__(self, shape: Shape, fields: tuple[str, ...]) -> None:
        self.shape = shape
        octaves = encoded_size(3, shape.position_octaves, include_input=True)
        position = shape.hash_levels * FEATURES or octaves
        self.position_size = _padded(position)
        self.direction_size = _padded(encoded_size(3, shape.direction_octaves, include_input=True))
        self.shapes = self._segment_shapes()
        """The size of each segment of one field, by the parameter's name, in the row's order."""
        self._starts: dict[str, int] = {}
        self.row_size = 0
        for field in fields:
            for name, size in self.shapes.items():
                self._starts[f"{field}.{name}"] = self.row_size
                self.row_size += math.prod(size)

    def network_names(self) -> list[str]:
        """The parameters of a field but for its hash table, in the row's order."""
        return [name for name in self.shapes if name != TABLE]

    def network_slice(self, field: str) -> slice:
        """The part of a row that holds a field's layers."""
        names = self.network_names()
        start = self._starts[f"{field}.{names[0]}"]
        return slice(start, start + sum(math.prod(self.shapes[name]) for name in names))

    def table_start(self, field: str) -> int:
        """Where in a row the entries of a field's hash table begin, counted in entries."""
        return self._starts[f"{field}.{TABLE}"] // FEATURES

    def segment(self, rows: Tensor, field: str, name: str) -> Tensor:
        """The segment of a parameter in one row, (P,), or all, (K, P): its shape comes last."""
        size = self.shapes[name]
        start = self._starts[f"{field}.{name}"]
        part = rows[..., start : start + math.prod(size)]
        return part.view(*rows.shape[:-1], *size)

    def blocks(
        self, model: Nerf, name: str, own: Tensor, row: Tensor
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Views of a member's parameter and of its places in the row, pair by pair.

        `own` is the parameter `name` of `model`, or another tensor of its shape.
        """
        field, _, parameter = name.partition(".")
        segment = self.segment(row, field, parameter)
        rows = segment[: len(own)]
        if own.ndim == 1:
            yield own, rows
            return
        for start, place, count in self._columns(model.get_submodule(field), parameter, own):
            yield own[:, start : start + count], rows[:, place : place + count]

    def _segment_shapes(self) -> dict[str, tuple[int, ...]]:
        shape = self.shape
        width, half = shape.width, shape.width // 2
        shapes: dict[str, tuple[int, ...]] = {}
        if shape.hash_levels:
            shapes[TABLE] = (shape.hash_levels * 2**shape.hash_log2_entries, FEATURES)
        for layer in range(shape.depth):
            encoded = self.position_size if layer in (0, shape.skip) else 0
            shapes[f"trunk.{layer}.weight"] = (width, encoded + (width if layer else 0))
            shapes[f"trunk.{layer}.bias"] = (width,)
        sizes = {
            "density": (SIZE_MULTIPLE, width),
            "bottleneck": (width, width),
            "colour_hidden": (half, width + self.direction_size),
            "colour": (SIZE_MULTIPLE, half),
        }
        for name, (outputs, inputs) in sizes.items():
            shapes[f"{name}.weight"] = (outputs, inputs)
            shapes[f"{name}.bias"] = (outputs,)
        return shapes

    def _columns(self, field: object, parameter: str, own: Tensor) -> Columns:
        assert isinstance(field, RadianceField)
        width = field.config.width
        position = (0, _first_column(field.encode_position), field.encode_position.features)
        direction = _first_column(field.encode_direction)
        if parameter == "trunk.0.weight":
            return (position,)
        if self.shape.skip and parameter == f"trunk.{self.shape.skip}.weight":
            return position, (position[2], self.position_size, width)
        if parameter == "colour_hidden.weight":
            features = field.encode_direction.features
            return (0, 0, width), (width, self.shape.width + direction, features)
        return ((0, 0, own.shape[1]),)


def _first_column(encoding: object) -> int:
    """The batch's encodings begin with the coordinates, which a member's may lack."""
    return 3 if isinstance(encoding, FrequencyEncoding) and not encoding.include_input else 0


def _padded(size: int) -> int:
    return -(-size // SIZE_MULTIPLE) * SIZE_MULTIPLE
