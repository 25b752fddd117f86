from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from nerf.model.sampling import (
    edges_around,
    inverse_cdf_samples,
    refined_samples,
    stratified_samples,
)
from tests.nerf import reference


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_midpoints_of_equal_strata_without_a_generator() -> None:
    t = stratified_samples(2.0, 6.0, 3, 4, None)
    np.testing.assert_allclose(t.numpy(), [[2.5, 3.5, 4.5, 5.5]] * 3)
    np.testing.assert_allclose(edges_around(t, 2.0, 6.0)[0].numpy(), [2, 3, 4, 5, 6])


def test_jitter_stays_within_its_stratum_and_fills_it() -> None:
    t = stratified_samples(1.0, 3.0, 20_000, 4, generator())
    edges = torch.linspace(1, 3, 5)
    assert (t >= edges[:-1]).all()
    assert (t <= edges[1:]).all()
    torch.testing.assert_close(t.mean(0), (edges[1:] + edges[:-1]) / 2, atol=0.01, rtol=0)
    torch.testing.assert_close(t.std(0), torch.full((4,), 0.5 / 12**0.5), atol=0.01, rtol=0)


def test_another_generator_state_gives_other_samples_and_the_same_gives_the_same() -> None:
    first, again, other = (stratified_samples(0, 1, 2, 8, generator(s)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@settings(max_examples=50)
@given(st.integers(0, 10_000), st.integers(3, 40), st.integers(1, 40))
def test_inverse_cdf_agrees_with_the_reference(seed: int, bins: int, samples: int) -> None:
    rng = np.random.default_rng(seed)
    edges = np.sort(rng.uniform(2, 6, (3, bins)), axis=1)
    weights = rng.uniform(0.1, 1, (3, bins - 1)) ** 2
    ours = inverse_cdf_samples(torch.tensor(edges), torch.tensor(weights), samples, None)
    u = np.broadcast_to(np.linspace(0, 1, samples), (3, samples))
    np.testing.assert_allclose(ours.numpy(), reference.sample_pdf(edges, weights, u), atol=1e-5)


def test_random_inverse_cdf_agrees_with_the_reference_on_the_same_numbers() -> None:
    edges = torch.linspace(2, 6, 17, dtype=torch.float64).expand(4, 17)
    weights = torch.rand(4, 16, generator=generator(3)).double() ** 8
    ours = inverse_cdf_samples(edges, weights, 32, generator(5))
    u = torch.rand(4, 32, generator=generator(5))
    theirs = reference.sample_pdf(edges.numpy(), weights.numpy(), u.double().numpy())
    np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5)


def test_samples_follow_the_weights() -> None:
    bins = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    t = inverse_cdf_samples(bins, torch.tensor([[0.1, 0.7, 0.2]]), 50_000, generator())[0]
    shares = torch.histc(t, 3, 0, 3) / len(t)
    torch.testing.assert_close(shares, torch.tensor([0.1, 0.7, 0.2]), atol=0.01, rtol=0)


@pytest.mark.parametrize("weight", [0.0, 1e-30, 1.0])
def test_refined_samples_are_sorted_in_bounds_and_contain_the_coarse_ones(
    weight: float,
) -> None:
    t = stratified_samples(2.0, 6.0, 5, 8, generator(1))
    merged = refined_samples(t, torch.full_like(t, weight), 16, generator(2))
    assert merged.shape == (5, 24)
    assert (merged.diff(dim=-1) >= 0).all()
    assert merged.min() >= 2
    assert merged.max() <= 6
    for ray in range(5):
        assert torch.isin(t[ray], merged[ray]).all()


def test_no_gradient_flows_through_the_draw() -> None:
    weights = torch.rand(2, 8, generator=generator(), requires_grad=True)
    t = stratified_samples(2.0, 6.0, 2, 8, None)
    assert not refined_samples(t, weights, 4, None).requires_grad
