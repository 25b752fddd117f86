"""best.toml as input of `nerf/train.py`."""

from __future__ import annotations

from dataclasses import replace

from nerf.config.flat import build, flatten
from nerf.config.schema import NerfConfig
from nerf.config.settings import read_settings
from study.records.best_config import write_best
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec


def test_the_best_configuration_comes_back_whole(folder: StudyFolder, spec: StudySpec) -> None:
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
    # A line break must not end the comment.
    file = write_best(folder, row, replace(spec, scene="a scene\nnear = 1"))
    assert build(read_settings(file)) == config != NerfConfig()
