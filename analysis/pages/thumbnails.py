"""Renders as data URIs, small enough to embed in the report."""

from __future__ import annotations

import base64
import io
from pathlib import Path


def thumbnail(render: Path, height: int = 72, render_only: bool = False) -> str:
    """A JPEG data URI of the image file, at most `height` pixels high; empty if it cannot be read.

    With `render_only` only the left half, without the photograph beside it.
    """
    from PIL import Image

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
