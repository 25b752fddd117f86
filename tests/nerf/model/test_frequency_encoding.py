from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from nerf.model.frequency_encoding import encode_frequencies, encoded_size
from tests.nerf import reference


@pytest.mark.parametrize("frequencies", [0, 1, 4, 10, 15])
def test_agrees_with_the_reference_embedder(frequencies: int) -> None:
    x = torch.rand(7, 5, 3, generator=torch.Generator().manual_seed(0)).double() * 4 - 2
    ours = encode_frequencies(x, frequencies)
    np.testing.assert_allclose(ours.numpy(), reference.embed(x.numpy(), frequencies), atol=1e-9)


@pytest.mark.parametrize("include_input", [True, False])
@pytest.mark.parametrize("frequencies", [0, 3])
def test_encoded_size_is_the_number_of_features(frequencies: int, include_input: bool) -> None:
    features = encode_frequencies(torch.zeros(2, 3), frequencies, include_input)
    assert features.shape == (2, encoded_size(3, frequencies, include_input))


def test_times_pi_is_the_form_of_the_paper() -> None:
    x = torch.tensor([[0.25]], dtype=torch.float64)
    ours = encode_frequencies(x, 2, include_input=False, times_pi=True)[0]
    paper = [f(2**k * math.pi * 0.25) for k in range(2) for f in (math.sin, math.cos)]
    np.testing.assert_allclose(ours.numpy(), paper, atol=1e-12)


def test_float32_keeps_the_highest_octave() -> None:
    x = torch.rand(1000, 3, generator=torch.Generator().manual_seed(1)) * 4 - 2
    error = encode_frequencies(x, 10).double() - encode_frequencies(x.double(), 10)
    assert error.abs().max() < 1e-4
