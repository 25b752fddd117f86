"""Renders as data URIs, small enough to embed in the report.

A study keeps `renders/ID.png`. A committed one, which has none, may have `thumbnails/ID.webp` of a
few trials, made by running these again (`benchmarks/rerun_trials.py`).
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from study.records.study_folder import StudyFolder

_FOLDER = "thumbnails"
MANIFEST = f"{_FOLDER}/manifest.json"
"""Says of each thumbnail of a committed study how it was made; relative to the study folder."""


def thumbnail_file(folder: StudyFolder, trial_id: str) -> Path:
    """Where the thumbnail of a committed study's trial is, if it has one."""
    return folder.path / _FOLDER / f"{trial_id}.webp"


def has_thumbnails(folder: StudyFolder) -> bool:
    """Whether some trials of a committed study were run again for their renders."""
    return (folder.path / MANIFEST).exists()


def thumbnail(render: Path, height: int = 72, render_only: bool = False) -> str:
    """A JPEG data URI of a trial's render, at most `height` pixels high; empty if it has none.

    render: the path of the render, as `StudyFolder.render` returns it; a committed thumbnail takes
    its place where the file does not exist
    With `render_only` only the left half, without the photograph beside it.
    """
    from PIL import Image

    if not render.exists():
        render = thumbnail_file(StudyFolder(render.parent.parent), render.stem)
    try:
        with Image.open(render) as opened:
            image = opened.convert("RGB")
    except (OSError, ValueError):
        return ""
    if render_only:
        image = image.crop((0, 0, image.width // 2, image.height))
    if image.height > height:
        image = image.resize((max(1, round(image.width * height / image.height)), height))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=82)
    return "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
