"""Is this NeRF the reference's? Forward outputs and training losses against a checkout of it.

    python benchmarks/parity.py --peer PATH_TO_NERF_PYTORCH

Both sides get the same 8 x 256 weights, rays, targets and random numbers. Where the conventions
differ by design (sample placement, the last interval, unnormalised directions) this script feeds
ours the reference's: what is compared is the arithmetic of encoding, network, compositing, inverse
CDF, losses and Adam over many steps. The reference's functions run as they stand in its files.
"""

from __future__ import annotations

import argparse
import ast
import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from reporting import show, write
from torch import Tensor

from nerf.config.schema import Encoding, Field
from nerf.model.field import RadianceField
from nerf.model.rendering import weights_from_density
from nerf.model.sampling import inverse_cdf_samples

RAYS, COARSE, FINE, STEPS = 32, 64, 128, 20
NEAR, FAR = 2.0, 6.0
LEARNING_RATE = 5e-4
TOLERANCE = 1e-4
PASSES = ("coarse", "fine")
NAMES = {
    "alpha_linear": "density",
    "feature_linear": "bottleneck",
    "views_linears.0": "colour_hidden",
    "rgb_linear": "colour",
} | {f"pts_linears.{layer}": f"trunk.{layer}" for layer in range(8)}


def reference(peer: Path) -> tuple[ModuleType, dict[str, Any]]:
    """The peer's helpers, and `render_rays` with what it calls, taken whole out of run_nerf.py.

    Importing run_nerf.py itself would need its plotting and data-loading packages.
    """
    spec = importlib.util.spec_from_file_location("peer_helpers", peer / "run_nerf_helpers.py")
    assert spec is not None
    assert spec.loader is not None
    helpers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helpers)
    tree = ast.parse((peer / "run_nerf.py").read_text())
    wanted = {"batchify", "run_network", "raw2outputs", "render_rays"}
    tree.body = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name in wanted]
    names = {**vars(helpers), "DEBUG": False}
    exec(compile(tree, str(peer / "run_nerf.py"), "exec"), names)
    return helpers, names


class Peer:
    """The reference's coarse and fine networks and its renderer."""

    def __init__(self, peer: Path) -> None:
        helpers, self._names = reference(peer)
        self._embed, position = helpers.get_embedder(10)
        self._embed_direction, direction = helpers.get_embedder(4)
        self.coarse, self.fine = (
            helpers.NeRF(D=8, W=256, input_ch=position, input_ch_views=direction,
                         output_ch=5, skips=[4], use_viewdirs=True)
            for _ in range(2)
        )  # fmt: skip
        for network in (self.coarse, self.fine):
            # Some seeds begin with relu densities of zero everywhere: black pictures, no gradients,
            # and nothing to compare. A raised bias makes sure that light is stopped.
            torch.nn.init.constant_(network.alpha_linear.bias, 0.5)
        self.get_rays = helpers.get_rays

    def render(self, origins: Tensor, directions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """(coarse, fine) colours with jitter from the global generator, started at `seed`."""
        bounds = torch.tensor([NEAR, FAR]).expand(len(origins), 2)
        batch = torch.cat((origins, directions, bounds, F.normalize(directions, dim=-1)), -1)
        torch.manual_seed(seed)
        seen = self._names["render_rays"](
            batch,
            self.coarse,
            lambda points, views, network: self._names["run_network"](
                points, views, network, self._embed, self._embed_direction
            ),
            COARSE,
            perturb=1.0,
            N_importance=FINE,
            network_fine=self.fine,
        )
        return seen["rgb0"], seen["rgb_map"]


class Ours:
    """Our fields with the reference's weights, under its conventions."""

    def __init__(self, peer: Peer) -> None:
        self.coarse, self.fine = (copied(network) for network in (peer.coarse, peer.fine))

    def render(self, origins: Tensor, directions: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """(coarse, fine) colours with the same random numbers."""
        generator = torch.Generator().manual_seed(seed)
        z = torch.linspace(NEAR, FAR, COARSE).expand(len(origins), COARSE)
        middles = (z[:, 1:] + z[:, :-1]) / 2
        upper, lower = torch.cat((middles, z[:, -1:]), -1), torch.cat((z[:, :1], middles), -1)
        z = lower + (upper - lower) * torch.rand(z.shape, generator=generator)
        coarse, weights = self._pass(self.coarse, origins, directions, z)
        middles = (z[:, 1:] + z[:, :-1]) / 2
        more = inverse_cdf_samples(middles, weights[:, 1:-1].detach(), FINE, generator)
        fine, _ = self._pass(self.fine, origins, directions, torch.cat((z, more), -1).sort(-1)[0])
        return coarse, fine

    def _pass(
        self, field: RadianceField, origins: Tensor, directions: Tensor, z: Tensor
    ) -> tuple[Tensor, Tensor]:
        endless = torch.full_like(z[:, :1], 1e10)
        deltas = torch.cat((z.diff(dim=-1), endless), -1) * directions.norm(dim=-1, keepdim=True)
        positions = origins[:, None] + z[..., None] * directions[:, None]
        raw_density, rgb = field(positions, F.normalize(directions, dim=-1))
        weights = weights_from_density(field.density_activation(raw_density), deltas)
        return (weights[..., None] * rgb).sum(-2), weights


def copied(network: torch.nn.Module) -> RadianceField:
    """A field of ours with the weights of a network of theirs."""
    field = RadianceField(
        Field(depth=8, width=256, skip=5, density_activation="relu"),
        Encoding(position_frequencies=10, direction_frequencies=4),
        "fp32",
        torch.Generator(),
    )
    theirs = network.state_dict()
    field.load_state_dict(
        {
            f"{our}.{kind}": theirs[f"{their}.{kind}"]
            for their, our in NAMES.items()
            for kind in ("weight", "bias")
        }
    )
    return field


def losses(side: Peer | Ours, rays: list[tuple[Tensor, Tensor, Tensor]]) -> list[float]:
    """The training loss of each step, both passes summed, with Adam."""
    weights = [*side.coarse.parameters(), *side.fine.parameters()]
    optimiser = torch.optim.Adam(weights, lr=LEARNING_RATE, betas=(0.9, 0.999))
    found = []
    for step, (origins, directions, truth) in enumerate(rays):
        passes = side.render(origins, directions, seed=step)
        loss = torch.stack([torch.mean((rgb - truth) ** 2) for rgb in passes]).sum()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        found.append(loss.item())
    return found


def drawn_rays(peer: Peer) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Rays of one view of the built-in scene, by the reference's own `get_rays`, with colours."""
    from nerf.scenes import load

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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])  # type: ignore[union-attr]
    parser.add_argument("--peer", type=Path, required=True, help="a checkout of nerf-pytorch")
    parser.add_argument("--json", type=Path, help="write the figures to this file too")
    asked = parser.parse_args()
    # Adam's first steps, each about as long whatever the gradient's size, make rounding grow from
    # step to step: float64 beside float32 tells that growth from a difference of formulas.
    found = {str(dtype): compared(asked.peer, dtype) for dtype in (torch.float64, torch.float32)}
    double, single = found.values()
    rows = [
        [step + 1, double["theirs"][step], double["ours"][step],
         double["apart"][step], single["apart"][step]]
        for step in range(STEPS)
    ]  # fmt: skip
    show("training losses and their relative differences",
         ["step", "nerf-pytorch", "ours", "float64", "float32"], rows)  # fmt: skip
    show(
        "forward colours, largest relative difference",
        ["pass", "float64", "float32"],
        [[name, double["forward"][i], single["forward"][i]] for i, name in enumerate(PASSES)],
    )
    worst = max(max(both["forward"] + both["apart"]) for both in (double, single))
    print(f"\nlargest difference {worst:.2g}, allowed {TOLERANCE:g}")
    write(asked.json, "parity", {"found": found, "largest": worst})
    return 0 if worst <= TOLERANCE else 1


def compared(checkout: Path, dtype: torch.dtype) -> dict[str, list[float]]:
    """Forward differences and both sides' losses, everything in one precision."""
    torch.set_default_dtype(dtype)
    torch.manual_seed(0)
    peer = Peer(checkout)
    ours = Ours(peer)
    rays = [tuple(x.to(dtype) for x in batch) for batch in drawn_rays(peer)]
    origins, directions, _ = rays[0]
    with torch.no_grad():
        pairs = zip(
            peer.render(origins, directions, 0), ours.render(origins, directions, 0), strict=True
        )
        forward = [((a - b).abs().max() / a.abs().max()).item() for a, b in pairs]
    theirs, mine = losses(peer, rays), losses(ours, rays)
    apart = [abs(a - b) / a for a, b in zip(theirs, mine, strict=True)]
    return {"forward": forward, "theirs": theirs, "ours": mine, "apart": apart}


if __name__ == "__main__":
    sys.exit(main())
