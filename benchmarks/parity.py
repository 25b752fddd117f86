"""Parity with nerf-pytorch: forward colours and training losses from the same weights and rays.

    python benchmarks/parity.py --peer PATH_TO_NERF_PYTORCH

Both sides get the same 8 x 256 weights, rays, targets and random numbers. Where conventions differ
by design (sample placement, the last interval, unnormalised directions), ours is given those of
nerf-pytorch. What is compared is the arithmetic: encoding, network, compositing, inverse CDF,
losses and Adam over 20 steps. The functions of nerf-pytorch run unchanged from its files.

Exits with status 1 if a relative difference exceeds 1e-4.
"""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from reporting import benchmark_parser, print_table, save_json
from torch import Tensor

from nerf.common.command_line import exit_status
from nerf.config.schema import Compute, Encoding, Field, NerfConfig
from nerf.model.field import RadianceField
from nerf.model.rendering import weights_from_density
from nerf.model.sampling import inverse_cdf_samples
from nerf.scenes import load

RAYS, COARSE, FINE, STEPS = 32, 64, 128, 20
NEAR, FAR = 2.0, 6.0
LEARNING_RATE = 5e-4
TOLERANCE = 1e-4
"""Largest relative difference of a colour or a loss that still counts as parity."""

PASSES = ("coarse", "fine")

OUR_LAYERS = {
    "alpha_linear": "density",
    "feature_linear": "bottleneck",
    "views_linears.0": "colour_hidden",
    "rgb_linear": "colour",
} | {f"pts_linears.{layer}": f"trunk.{layer}" for layer in range(8)}
"""The layers of nerf-pytorch's network, and their names in `RadianceField`."""

RayBatch = tuple[Tensor, Tensor, Tensor]
"""Origins, directions and colours of some rays, (rays, 3) each."""


def load_nerf_pytorch(checkout: Path) -> tuple[ModuleType, dict[str, Any]]:
    """Returns the module run_nerf_helpers.py, and `render_rays` with the functions it calls.

    These functions are cut out of run_nerf.py, because importing the whole file would need its
    plotting and data-loading packages. Raises `OSError` if `checkout` lacks one of the files.
    """
    spec = importlib.util.spec_from_file_location("peer_helpers", checkout / "run_nerf_helpers.py")
    assert spec is not None
    assert spec.loader is not None
    helpers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helpers)
    tree = ast.parse((checkout / "run_nerf.py").read_text())
    needed = {"batchify", "run_network", "raw2outputs", "render_rays"}
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in needed]
    functions = {**vars(helpers), "DEBUG": False}
    exec(compile(tree, str(checkout / "run_nerf.py"), "exec"), functions)
    return helpers, functions


class Peer:
    """Coarse and fine networks and renderer of nerf-pytorch."""

    def __init__(self, checkout: Path) -> None:
        helpers, self._functions = load_nerf_pytorch(checkout)
        self._embed, position = helpers.get_embedder(10)
        self._embed_direction, direction = helpers.get_embedder(4)
        self.coarse, self.fine = (
            helpers.NeRF(
                D=8,
                W=256,
                input_ch=position,
                input_ch_views=direction,
                output_ch=5,
                skips=[4],
                use_viewdirs=True,
            )
            for _ in range(2)
        )
        for network in (self.coarse, self.fine):
            # With some seeds every ReLU density starts at zero: black images, no gradients, nothing
            # to compare. A positive bias makes the density positive.
            torch.nn.init.constant_(network.alpha_linear.bias, 0.5)
        self.get_rays = helpers.get_rays

    def render(self, origins: Tensor, directions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """(coarse, fine) colours; jitter comes from the global generator, seeded with `seed`."""
        bounds = torch.tensor([NEAR, FAR]).expand(len(origins), 2)
        batch = torch.cat((origins, directions, bounds, F.normalize(directions, dim=-1)), -1)
        torch.manual_seed(seed)
        rendered = self._functions["render_rays"](
            batch,
            self.coarse,
            lambda points, views, network: self._functions["run_network"](
                points, views, network, self._embed, self._embed_direction
            ),
            COARSE,
            perturb=1.0,
            N_importance=FINE,
            network_fine=self.fine,
        )
        return rendered["rgb0"], rendered["rgb_map"]


class Ours:
    """Our fields with the peer's weights, rendered under the peer's conventions.

    z: (rays, samples) distances of samples along each ray, in units of its direction's length
    """

    def __init__(self, peer: Peer) -> None:
        self.coarse, self.fine = (copy_network(network) for network in (peer.coarse, peer.fine))

    def render(self, origins: Tensor, directions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """(coarse, fine) colours, drawing the same random numbers as `Peer.render`."""
        generator = torch.Generator().manual_seed(seed)
        # Stratified samples: one in each cell between the midpoints of evenly spaced depths.
        z = torch.linspace(NEAR, FAR, COARSE).expand(len(origins), COARSE)
        midpoints = (z[:, 1:] + z[:, :-1]) / 2
        upper, lower = torch.cat((midpoints, z[:, -1:]), -1), torch.cat((z[:, :1], midpoints), -1)
        z = lower + (upper - lower) * torch.rand(z.shape, generator=generator)
        coarse, weights = self._pass(self.coarse, origins, directions, z)
        # The peer's bins reach from midpoint to midpoint, so the first and last weight drop out.
        midpoints = (z[:, 1:] + z[:, :-1]) / 2
        extra = inverse_cdf_samples(midpoints, weights[:, 1:-1].detach(), FINE, generator)
        fine, _ = self._pass(self.fine, origins, directions, torch.cat((z, extra), -1).sort(-1)[0])
        return coarse, fine

    def _pass(
        self, field: RadianceField, origins: Tensor, directions: Tensor, z: Tensor
    ) -> tuple[Tensor, Tensor]:
        # The last interval is endless and the directions are not normalised, as in the peer.
        endless = torch.full_like(z[:, :1], 1e10)
        deltas = torch.cat((z.diff(dim=-1), endless), -1) * directions.norm(dim=-1, keepdim=True)
        positions = origins[:, None] + z[..., None] * directions[:, None]
        raw_density, rgb = field(positions, F.normalize(directions, dim=-1))
        weights = weights_from_density(field.density_activation(raw_density), deltas)
        return (weights[..., None] * rgb).sum(-2), weights


def copy_network(network: torch.nn.Module) -> RadianceField:
    """A `RadianceField` with the weights of a network of nerf-pytorch."""
    field = RadianceField(
        NerfConfig(
            field=Field(depth=8, width=256, skip=5, density_activation="relu"),
            encoding=Encoding(position_frequencies=10, direction_frequencies=4),
            compute=Compute(precision="fp32"),
        ),
        torch.Generator(),
    )
    theirs = network.state_dict()
    field.load_state_dict(
        {
            f"{our}.{kind}": theirs[f"{their}.{kind}"]
            for their, our in OUR_LAYERS.items()
            for kind in ("weight", "bias")
        }
    )
    return field


def train(side: Peer | Ours, batches: list[RayBatch]) -> list[float]:
    """Makes an Adam step on each batch; returns the losses, summed over both passes."""
    weights = [*side.coarse.parameters(), *side.fine.parameters()]
    optimiser = torch.optim.Adam(weights, lr=LEARNING_RATE, betas=(0.9, 0.999))
    losses = []
    for step, (origins, directions, truth) in enumerate(batches):
        passes = side.render(origins, directions, seed=step)
        loss = torch.stack([torch.mean((rgb - truth) ** 2) for rgb in passes]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        losses.append(loss.item())
    return losses


def draw_batches(peer: Peer) -> list[RayBatch]:
    """Random rays of one view of the built-in scene, from the peer's own `get_rays`."""
    scene = load("bricks")
    intrinsics = np.array(
        [
            [scene.focal[0, 0], 0, scene.centre[0, 0]],
            [0, scene.focal[0, 1], scene.centre[0, 1]],
            [0, 0, 1],
        ]
    )
    pose = torch.tensor(scene.world_from_camera[0], dtype=torch.get_default_dtype())
    origins, directions = peer.get_rays(scene.height, scene.width, intrinsics, pose)
    generator = torch.Generator().manual_seed(0)
    batches = []
    for _ in range(STEPS):
        pixel = torch.randint(scene.height * scene.width, (RAYS,), generator=generator)
        colours = torch.tensor(scene.images[0]).reshape(-1, 3)
        batches.append(
            (origins.reshape(-1, 3)[pixel], directions.reshape(-1, 3)[pixel], colours[pixel])
        )
    return batches


def compare(checkout: Path, dtype: torch.dtype) -> dict[str, list[float]]:
    """Relative differences of forward colours and losses, and both losses, in one precision."""
    torch.set_default_dtype(dtype)
    torch.manual_seed(0)
    peer = Peer(checkout)
    ours = Ours(peer)
    batches = [
        (origins.to(dtype), directions.to(dtype), rgb.to(dtype))
        for origins, directions, rgb in draw_batches(peer)
    ]
    origins, directions, _ = batches[0]
    with torch.no_grad():
        pairs = zip(
            peer.render(origins, directions, 0), ours.render(origins, directions, 0), strict=True
        )
        forward = [((a - b).abs().max() / a.abs().max()).item() for a, b in pairs]
    peer_losses, our_losses = train(peer, batches), train(ours, batches)
    apart = [abs(a - b) / a for a, b in zip(peer_losses, our_losses, strict=True)]
    return {"forward": forward, "theirs": peer_losses, "ours": our_losses, "apart": apart}


def run_benchmark(arguments: list[str] | None) -> int:
    parser = benchmark_parser(__doc__)
    parser.add_argument(
        "--peer", type=Path, required=True, metavar="PATH", help="a checkout of nerf-pytorch"
    )
    options = parser.parse(arguments)
    # Adam's first steps have about the same length whatever the size of the gradient, so rounding
    # errors grow from step to step. A real difference would be as large in float64 as in float32.
    double, single = (compare(options.peer, dtype) for dtype in (torch.float64, torch.float32))
    print_table(
        "training losses and their relative differences",
        ["step", "nerf-pytorch", "ours", "float64", "float32"],
        [
            [step + 1, *(double[name][step] for name in ("theirs", "ours", "apart")), apart]
            for step, apart in enumerate(single["apart"])
        ],
    )
    print_table(
        "forward colours, largest relative difference",
        ["pass", "float64", "float32"],
        [[name, double["forward"][i], single["forward"][i]] for i, name in enumerate(PASSES)],
    )
    largest = max(max(both["forward"] + both["apart"]) for both in (double, single))
    print(f"largest difference {largest:.2g}, allowed {TOLERANCE:g}")
    by_dtype = {str(torch.float64): double, str(torch.float32): single}
    save_json(options.json, "parity", {"found": by_dtype, "largest": largest})
    return 0 if largest <= TOLERANCE else 1


def main(arguments: list[str] | None = None) -> int:
    return exit_status(lambda: run_benchmark(arguments))


if __name__ == "__main__":
    sys.exit(main())
