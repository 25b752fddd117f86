"""A trial as tests make it up, and as a study folder recorded it."""

from __future__ import annotations

import json
from typing import Any

from study.records.study_folder import StudyFolder


def curve(*psnrs: float) -> tuple[dict[str, Any], ...]:
    """A trial's curve: one evaluation every 5 steps."""
    keys = {"seconds": 0.1, "loss": 0.1, "ssim": 0.5, "learning_rate": 1e-3}
    return tuple({"step": 5 * (k + 1), "psnr": psnr, **keys} for k, psnr in enumerate(psnrs))


def record(folder: StudyFolder, trial_id: str) -> dict[str, Any]:
    return dict(json.loads(folder.record_file(trial_id).read_text()))
