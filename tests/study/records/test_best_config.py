"""best.toml as input of `nerf/train.py`."""

from __future__ import annotations

from nerf.config.flat import build, flatten
from nerf.config.schema import NerfConfig
from nerf.config.settings import read_settings
from study.records.best_config import write_best
from study.records.study_folder import StudyFolder


def test_the_best_configuration_comes_back_whole(folder: StudyFolder) -> None:
    settings = {
        "sampling.near": 1.25,
        "sampling.far": 7.5,
        "field.width": 48,
        "seed": 9,
        "field.density_activation": "relu",
        "optimisation.learning_rate": 3e-4,
    }
    config = build(settings)
    row = {**flatten(config), "trial_id": "00007", "psnr": 21.5}
    file = write_best(folder, row, "a scene\nnear = 1")  # a line break must not end the comment
    assert build(read_settings(file)) == config != NerfConfig()
