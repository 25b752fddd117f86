"""Spherical harmonics are orthonormal over the sphere."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nerf.model.spherical_harmonics import harmonics_count, spherical_harmonics


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_integrals_of_products_are_one_or_zero(degree: int) -> None:
    # Gauss-Legendre nodes in z and equal angles around it integrate polynomials exactly.
    z, weight = np.polynomial.legendre.leggauss(6)
    angle = np.arange(12) * (2 * np.pi / 12)
    radius = np.sqrt(1 - z**2)[:, None]
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    directions = np.stack((x, y, np.broadcast_to(z[:, None], x.shape)), -1).reshape(-1, 3)
    area = np.repeat(weight * 2 * np.pi / 12, 12)
    values = spherical_harmonics(torch.tensor(directions), degree).numpy()
    assert values.shape == (72, harmonics_count(degree))
    assert (values.T * area) @ values == pytest.approx(np.eye(harmonics_count(degree)), abs=1e-12)
