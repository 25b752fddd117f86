"""A small NeRF as a LightningModule, studied by `study.trainers.lightning.fit`.

    python study/run_sweep.py --trainable examples/lightning_nerf.py:train --scene bricks \
        --metric val_psnr --direction max --unit dB --set wandb=runs
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import WandbLogger

from nerf.config.schema import Compute, Field, NerfConfig, Sampling
from nerf.evaluation.evaluate import evaluate, render_view
from nerf.model.nerf import Nerf
from nerf.scenes.scene import Scene
from nerf.training.ray_batches import TrainingRays, bounding_box
from study.trainers import Domain, Run
from study.trainers.lightning import fit


@dataclass(frozen=True)
class Config:
    lr: Annotated[float, Domain(1e-3, 2e-2, log=True)] = 8e-3
    width: Annotated[int, Domain(16, 128, log=True)] = 64
    depth: Annotated[int, Domain(1, 4)] = 2
    rays: Annotated[int, Domain(64, 512, log=True)] = 256
    wandb: str = ""  # a folder for offline runs of W&B; none without it


class LightningNerf(pl.LightningModule):
    def __init__(self, config: Config, scene: Scene, seed: int) -> None:
        super().__init__()
        self.save_hyperparameters(dataclasses.asdict(config))
        self.scene, self.rays = scene, TrainingRays.of(scene)
        self.random = torch.Generator().manual_seed(seed)
        near, far = scene.bounds.near, scene.bounds.far
        settings = NerfConfig(
            sampling=Sampling(near=near, far=far, coarse=32),
            field=Field(depth=config.depth, width=config.width),
            compute=Compute(precision="fp32", occupancy=0),
        )
        self.nerf = Nerf(settings, self.random, bounding_box(self.rays, near, far))

    def training_step(self, _: Any, index: int) -> torch.Tensor:
        batch = self.rays.draw(self.hparams.rays, self.random)
        rendering = self.nerf(batch.origins, batch.directions, batch.background, self.random)[-1]
        loss = torch.mean((rendering.rgb - batch.rgb) ** 2)
        self.log("loss", loss)
        return loss

    def validation_step(self, _: Any, index: int) -> None:
        self.log("val_psnr", evaluate(self.nerf, self.scene, "val", pixels=2048).psnr, batch_size=1)

    def view(self) -> np.ndarray:
        return render_view(self.nerf, self.scene, self.scene.val[0]).rgb.numpy()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), self.hparams.lr)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["random"] = self.random.get_state()

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.random.set_state(checkpoint["random"])


def train(config: Config, run: Run) -> None:
    if run.scene is None:
        raise ValueError("a NeRF needs a scene; name one by --scene")
    study, trial = run.checkpoint_file.parents[1].name, run.checkpoint_file.stem
    logger = config.wandb and WandbLogger(
        project="lightning-nerf",
        id=f"{study}-{trial}",  # a resumed trial continues its W&B run
        offline=True,
        save_dir=Path(config.wandb).absolute(),
        settings={"x_transaction_log_flush_interval": 1.0},  # seconds that a kill may cost it
    )
    try:
        fit(
            lambda: LightningNerf(config, run.scene, run.seed),
            run,
            range(run.steps),  # of batches: the module draws its own rays
            range(1),
            val_check_interval=max(run.steps // 6, 1),
            logger=logger or False,
            images={"view": LightningNerf.view},
        )
    finally:
        if logger:
            logger.experiment.finish()
