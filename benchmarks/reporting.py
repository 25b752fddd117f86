"""How every benchmark shows its figures: a table for people, JSON for programs."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def show(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints an aligned table under its title."""
    cells = [[_text(value) for value in row] for row in (columns, *rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(columns))]
    print(f"\n{title}")
    for row in cells:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


def write(path: Path | None, name: str, figures: dict[str, Any]) -> None:
    """Keeps the figures with command and machine; nothing where no path is given."""
    if path is None:
        return
    document = {"benchmark": name, "command": sys.argv, "machine": machine(), **figures}
    path.write_text(json.dumps(document, indent=2))
    print(f"\nwritten to {path}")


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
