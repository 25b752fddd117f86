"""The best configuration as a file that `nerf/train.py --config` trains further."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.files import write_atomically
from nerf.config.parameters import DERIVED, parameters
from study.records.study_folder import StudyFolder
from study.spec.study_file import toml


def write_best(folder: StudyFolder, row: Mapping[Any, Any], scene: str) -> Path:
    """Writes best.toml from a trial's row, every parameter of it, and returns its path."""
    lines = [
        f"# Trial {row['trial_id']} of study {folder.name}: {row['psnr']:.2f} dB on validation",
        f"# views of {scene}",
    ]
    for path, parameter in parameters().items():
        if path not in DERIVED:
            value = row[path]
            plain = value.item() if hasattr(value, "item") else value
            lines.append(f"{path} = {toml(parameter.check(plain))}")
    write_atomically(folder.best, ("\n".join(lines) + "\n").encode())
    return folder.best
