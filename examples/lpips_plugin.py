"""LPIPS (arXiv:1801.03924) as a metric, by `--plugin examples/lpips_plugin.py --metric lpips`.

It compares images by AlexNet, which was trained on photographs: `pip install lpips` first. The
weights, 244 MB, are downloaded when the plugin is first loaded.
"""

import functools

import lpips
import torch
from torch import Tensor

from nerf.plugins import register_metric


@functools.cache
def network() -> torch.nn.Module:
    return lpips.LPIPS(net="alex", verbose=False).eval()


@register_metric("lpips", direction="min", smallest=64)  # pixels; AlexNet needs about 32
def measure(rendered: Tensor, photograph: Tensor) -> float:
    images = torch.stack((rendered, photograph)).movedim(-1, 1)  # (2, 3, height, width)
    first, second = images.split(1)
    return network()(first, second, normalize=True).item()  # colours from 0 to 1
