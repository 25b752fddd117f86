"""The best configuration as a file: of a NeRF one that `nerf/train.py --config` reads."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import tomli_w

from nerf.common.files import write_atomically
from nerf.config.parameters import Value
from study.records.study_folder import StudyFolder
from study.spec.study_spec import StudySpec
from study.trainers.objective import PSNR


def describe_quality(spec: StudySpec, row: Mapping[Any, Any]) -> str:
    """The metrics of a trial in words: `23.41 dB`, or `PSNR 23.41 dB and training time 2.1 s`."""
    if spec.objectives == (PSNR,) and not spec.trainer:
        return PSNR.format(row[PSNR.column])
    return " and ".join(f"{o.label} {o.format(row[o.column])}" for o in spec.objectives)


def write_best(
    folder: StudyFolder, row: Mapping[Any, Any], spec: StudySpec, file: Path | None = None
) -> Path:
    """Writes all parameters in a trial's row to best.toml, or another file; returns its path.

    spec: the study's; of several scenes, that of the trial's scene
    """
    file = file or folder.best
    quality = describe_quality(spec, row)
    learnt = not spec.trainer and len(spec.objectives) == 1 and not spec.objective.is_measured
    measured = f"{quality} on validation views" if learnt else quality
    place = f" of {spec.scene}" if spec.scene else ""
    source = f"Trial {row['trial_id']} of study {folder.name}: {measured}{place}"
    comment = textwrap.fill(source, 100, initial_indent="# ", subsequent_indent="# ")
    # A table for each section; what is in none, such as `seed`, must stand before the first table.
    defaults = dict(spec.space.parameter_defaults)
    top_level: dict[str, Value] = {}
    sections: dict[str, dict[str, Value]] = {}
    for path, parameter in spec.space.parameters.by_path.items():
        if not parameter.sets:
            value = row[path]
            if pd.isna(value):  # where it does not act
                value = defaults[path]
            elif parameter.kind == "int":  # a table whose numbers are missing elsewhere has floats
                value = int(value)
            section, _, name = path.rpartition(".")
            table = sections.setdefault(section, {}) if section else top_level
            table[name] = parameter.check(value.item() if hasattr(value, "item") else value)
    plugins = [plugin.to_json() for plugin in spec.plugins]
    needed = {"plugins": plugins} if plugins else {}
    content = tomli_w.dumps({**needed, **top_level, **sections})
    write_atomically(file, f"{comment}\n{content}".encode())
    return file
