from __future__ import annotations

import dataclasses

import pytest

from nerf.common.errors import InputError
from nerf.config.domain import Domain
from nerf.config.flat import build, flatten
from nerf.config.parameters import list_parameters, parameter
from nerf.config.schema import NerfConfig
from nerf.config.settings import parse_settings


def test_flattening_and_building_are_inverse() -> None:
    config = build({"sampling.near": 1.25, "sampling.span": 3.3, "field.hidden_activation": "sine"})
    assert build(flatten(config)) == config


def test_every_field_has_a_meaning_and_a_valid_default() -> None:
    for p in list_parameters().values():
        assert p.doc, p.path
        assert p.check(p.default) == p.default
        # 0 views are all of them, and an initial density of 0 is that of the weights as drawn.
        unset = ("sampling.far", "optimisation.views", "field.initial_density")
        if p.domain and p.path not in unset:
            assert p.domain.low <= float(p.default) <= p.domain.high, p.path


def test_span_sets_far() -> None:
    assert build({"sampling.near": 3.0, "sampling.span": 2.5}).sampling.far == 5.5
    with pytest.raises(InputError, match=r"sampling\.span sets sampling\.far"):
        build({"sampling.far": 6.0, "sampling.span": 2.5})


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["sampling.neer=1"], "did you mean sampling.near"),
        (["sampling.near"], "PATH=VALUE"),
        (["sampling.near=x"], "number"),
        (["field.width=1.5"], "whole number"),
        (["field.hidden_activation=tanh"], "relu, silu"),
        (["sampling.jitter=maybe"], "false, true"),
        (["seed=1", "seed=2"], "twice"),
        (["sampling.near=7"], "near < far must hold, got near=7, far=6"),
        (["sampling.far=nan"], "near < far"),
        (["sampling.near=-1"], "near < far"),
        (["field.skip=4"], "skip < depth must hold, got skip=4, depth=4"),
        (["encoding.position_frequencies=0", "encoding.include_input=false"], "blind to position"),
        (["optimisation.learning_rate=0"], "learning_rate must be positive"),
        (["optimisation.decay=2"], "decay"),
        (["optimisation.steps=0"], "steps"),
        (["optimisation.views=-1"], "0 (all) or more, got -1"),
        (["evaluation.pixels=3"], "256"),
    ],
)
def test_mistakes_are_named_in_one_line(settings: list[str], words: str) -> None:
    with pytest.raises(InputError) as caught:
        build(parse_settings(settings))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("low", "high", "log"), [(2, 1, False), (0, 1, True), (1, 1, False), (0, float("inf"), False)]
)
def test_a_domain_must_be_a_range(low: float, high: float, log: bool) -> None:
    with pytest.raises(InputError):
        Domain(low, high, log)


def test_labels_are_words() -> None:
    assert parameter("field.density_activation").label == "density activation"
    assert parameter("sampling.span").label == "depth range"


def test_configs_are_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        NerfConfig().seed = 3  # type: ignore[misc]
