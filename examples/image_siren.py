"""Fits an image with a SIREN, a network of sines (arXiv:2006.09661), as a trainer of a study.

    python study/run_sweep.py --trainable examples/image_siren.py:train --metric psnr \
        --direction max --unit dB
"""

from dataclasses import dataclass
from typing import Annotated, Literal

import torch

from study.trainers import Domain, Run


@dataclass(frozen=True)
class Config:
    lr: Annotated[float, Domain(1e-4, 1e-2, log=True)] = 1e-3
    width: Annotated[int, Domain(16, 128, log=True)] = 32
    omega: Annotated[float, Domain(1, 60)] = 30.0
    optimiser: Literal["Adam", "SGD"] = "Adam"


def train(config: Config, run: Run) -> None:
    torch.manual_seed(run.seed)
    x, y = torch.meshgrid(*[torch.linspace(-1, 1, 48)] * 2, indexing="xy")
    target = ((x**2 + y**2 < 0.5) ^ (torch.sin(9 * x) > 0)).float()
    layers = torch.nn.ModuleList(map(torch.nn.Linear, (2, config.width), (config.width, 1)))
    optimiser = getattr(torch.optim, config.optimiser)(layers.parameters(), config.lr)
    (first, last), step = layers, 0
    if run.restored:
        layers.load_state_dict(run.restored["layers"])
        optimiser.load_state_dict(run.restored["optimiser"])
        step = run.restored["step"]
    while step < run.steps and not run.should_stop:
        step += 1
        hidden = torch.sin(config.omega * first(torch.stack((x, y), -1)))
        image = last(hidden)[..., 0]
        loss = torch.mean((image - target) ** 2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        if step % 10 == 0 or step == run.steps:
            run.image("fit", image.detach().numpy())
            run.report(step, psnr=-10 * loss.log10().item(), loss=loss.item())
        if step % 10 == 0 or run.should_stop:
            state = {"layers": layers.state_dict(), "optimiser": optimiser.state_dict()}
            run.checkpoint({**state, "step": step})
