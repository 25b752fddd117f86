"""The best configuration as a file that `nerf/train.py --config` reads."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from nerf.common.files import write_atomically
from nerf.config.parameters import DERIVED, Value, list_parameters
from study.records.study_folder import StudyFolder


def write_best(folder: StudyFolder, row: Mapping[Any, Any], scene: str) -> Path:
    """Writes all parameters in a trial's row to best.toml and returns its path."""
    source = (
        f"Trial {row['trial_id']} of study {folder.name}: {row['psnr']:.2f} dB on validation views "
        f"of {scene}"
    )
    comment = textwrap.fill(source, 100, initial_indent="# ", subsequent_indent="# ")
    # A table for each section; `seed`, which is in none, must stand before the first table.
    top_level: dict[str, Value] = {}
    sections: dict[str, dict[str, Value]] = {}
    for path, parameter in list_parameters().items():
        if path not in DERIVED:
            value = row[path]
            section, _, name = path.rpartition(".")
            table = sections.setdefault(section, {}) if section else top_level
            table[name] = parameter.check(value.item() if hasattr(value, "item") else value)
    content = tomli_w.dumps({**top_level, **sections})
    write_atomically(folder.best, f"{comment}\n{content}".encode())
    return folder.best
