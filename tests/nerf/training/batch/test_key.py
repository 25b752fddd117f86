from __future__ import annotations

import pytest

from nerf.config.flat import Flat, build, flatten
from nerf.config.parameters import list_parameters
from nerf.training.batch.key import batch_key, can_share_batch

DEFAULT = batch_key(build({}))


@pytest.mark.parametrize(
    "settings",
    [
        {"field.depth": 5},
        {"field.width": 129},
        {"field.skip": 1},
        {"field.hidden_activation": "silu"},
        {"encoding.kind": "hash"},
        {"encoding.position_frequencies": 17},
        {"encoding.direction_frequencies": 9},
        {"optimisation.rays": 256},
        {"sampling.coarse": 32},
        {"sampling.fine": 8},
        {"field.colour_space": "linear"},
        {"compute.occupancy": 0},
        {"compute.precision": "fp32"},
    ],
)
def test_runs_of_another_shape_need_another_batch(settings: Flat) -> None:
    assert batch_key(build(settings)) != DEFAULT


@pytest.mark.parametrize(
    "settings",
    [
        {"field.width": 65},
        {"encoding.position_frequencies": 15, "encoding.direction_frequencies": 0},
        {"encoding.kind": "none", "encoding.directions": False, "encoding.times_pi": True},
        {"encoding.hash_levels": 3},
        {"sampling.near": 1.0, "sampling.far": 3.0, "sampling.jitter": False},
        {"field.density_activation": "relu", "field.colour_activation": "widened_sigmoid"},
        {"optimisation.learning_rate": 1e-4, "optimisation.steps": 7, "optimisation.views": 3},
        {"optimisation.gradient_clip": 1.0, "optimisation.density_noise": 1.0, "seed": 3},
        {"evaluation.times": 2, "optimisation.background": "white"},
    ],
)
def test_runs_that_differ_otherwise_share_a_batch(settings: Flat) -> None:
    assert batch_key(build(settings)) == DEFAULT


def test_tables_of_another_size_need_another_batch() -> None:
    alone: list[Flat] = [{"field.kind": "voxels"}, {"encoding.kind": "grid"}]
    for settings in (*alone, {"optimisation.loss": "absolute"}):
        assert not can_share_batch(build(settings))
    hashed: Flat = {"encoding.kind": "hash"}
    assert batch_key(build(hashed)) != batch_key(build({**hashed, "encoding.hash_levels": 3}))


OWN = {
    "field": {"density_activation", "density_scale", "initial_density", "colour_activation"}
    | {"initialisation", "width"},
    "sampling": {"near", "far", "jitter"},
    "encoding": {"position_frequencies", "direction_frequencies", "directions"}
    | {"include_input", "times_pi", "contraction_radius"},
    "optimisation": {"learning_rate", "schedule", "decay", "warm_up", "gradient_clip"}
    | {"crop_steps", "crop", "views", "steps", "background", "density_noise"},
    "evaluation": {"times", "pixels", "final_pixels"},
    "seed": {""},
}
"""What members have of their own; a batch handles each of them, or training does not use it."""

COMMON: Flat = {
    "field.depth": 7,
    "field.skip": 3,
    "field.hidden_activation": "sine",
    "field.colour_space": "linear",
    "sampling.coarse": 7,
    "sampling.fine": 7,
    "sampling.spacing": "disparity",
    "encoding.contraction": "sphere",
    "optimisation.rays": 7,
    "compute.precision": "bf16",
    "compute.occupancy": 9,
    "compute.graphs": False,
    "encoding.hash_levels": 7,
    "encoding.hash_finest": 77,
    "encoding.hash_log2_entries": 7,
    "encoding.kind": "none",
}
"""Another value of what the members of a batch have in common."""


def test_every_parameter_is_common_to_a_batch_or_handled_for_each_member() -> None:
    own = {"sampling.span"}  # another name of far
    own |= {f"{section}.{name}".strip(".") for section, names in OWN.items() for name in names}
    # Voxels and grid encodings train alone.
    own |= {path for path in list_parameters() if path.startswith(("grid.", "encoding.grid_"))}
    own |= {"field.kind", "optimisation.loss"}  # so do other losses
    assert own.isdisjoint(COMMON)
    assert own | COMMON.keys() == flatten(build({})).keys(), (
        "a new parameter belongs into batch_key, or a batch has to handle it for each member"
    )
    for alone in ({"field.kind": "voxels"}, {"encoding.kind": "grid"}):
        assert not can_share_batch(build(alone))
    hashed: Flat = {"encoding.kind": "hash"}
    for path, value in COMMON.items():
        assert batch_key(build({**hashed, path: value})) != batch_key(build(hashed)), path
