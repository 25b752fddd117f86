"""The formulas of nerf-pytorch, rewritten as plain numpy loops: slow, obvious, independent."""

from __future__ import annotations

import numpy as np


def embed(x: np.ndarray, frequencies: int) -> np.ndarray:
    """get_embedder: x, sin 2^0 x, cos 2^0 x, sin 2^1 x, ..."""
    parts = [x]
    for octave in range(frequencies):
        parts.append(np.sin(2.0**octave * x))
        parts.append(np.cos(2.0**octave * x))
    return np.concatenate(parts, axis=-1)


def raw2outputs(
    rgb: np.ndarray, sigma: np.ndarray, dists: np.ndarray, white: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Colour, opacity and weights of each ray; sigma goes through relu, dists are lengths."""
    rays, samples = sigma.shape
    colours, opacities, weights = np.zeros((rays, 3)), np.zeros(rays), np.zeros((rays, samples))
    for ray in range(rays):
        light = 1.0
        for i in range(samples):
            alpha = 1.0 - np.exp(-max(sigma[ray, i], 0.0) * dists[ray, i])
            weights[ray, i] = light * alpha
            colours[ray] += weights[ray, i] * rgb[ray, i]
            light *= 1.0 - alpha + 1e-10
        opacities[ray] = weights[ray].sum()
        if white:
            colours[ray] += 1.0 - opacities[ray]
    return colours, opacities, weights


def sample_pdf(bins: np.ndarray, weights: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Inverse of the piecewise-linear distribution function at the given u, one by one."""
    samples = np.zeros_like(u)
    for ray in range(len(u)):
        probability = (weights[ray] + 1e-5) / np.sum(weights[ray] + 1e-5)
        cdf = np.concatenate(([0.0], np.cumsum(probability)))
        for j, level in enumerate(u[ray]):
            above = int(np.sum(cdf <= level))
            low, high = max(above - 1, 0), min(above, len(cdf) - 1)
            width = cdf[high] - cdf[low]
            share = (level - cdf[low]) / (width if width >= 1e-5 else 1.0)
            samples[ray, j] = bins[ray, low] + share * (bins[ray, high] - bins[ray, low])
    return samples


def get_rays(height: int, width: int, focal: float, pose: np.ndarray) -> tuple[np.ndarray, ...]:
    """Unnormalised directions through the pixels' corners, and the origin."""
    directions = np.zeros((height, width, 3))
    for row in range(height):
        for column in range(width):
            local = [(column - width * 0.5) / focal, -(row - height * 0.5) / focal, -1.0]
            directions[row, column] = pose[:3, :3] @ np.array(local)
    return pose[:3, 3], directions


def network(
    weights: dict[str, np.ndarray], points: np.ndarray, views: np.ndarray, skip: int
) -> tuple[np.ndarray, np.ndarray]:
    """run_nerf_helpers.NeRF with use_viewdirs: raw sigma and raw rgb of encoded inputs."""

    def linear(name: str, x: np.ndarray) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    h = points
    depth = sum(name.startswith("trunk.") for name in weights) // 2
    for layer in range(depth):
        h = np.maximum(linear(f"trunk.{layer}", h), 0.0)
        if layer == skip:
            h = np.concatenate([points, h], axis=-1)
    sigma = linear("density", h)
    feature = np.concatenate([linear("bottleneck", h), views], axis=-1)
    rgb = linear("colour", np.maximum(linear("colour_hidden", feature), 0.0))
    return sigma[..., 0], rgb
