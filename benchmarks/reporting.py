"""What all benchmarks share: their parser, tables on the terminal, results as JSON."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from rich import box
from rich.console import Console
from rich.table import Table

from nerf.common.command_line import Parser
from nerf.common.errors import InputError, closest
from nerf.common.option_errors import read_whole_number

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""Environment of processes that are started later, each with a BLAS of its own."""

REDIRECTED_WIDTH = 200
"""Columns of text for a table that goes to a file or a pipe, where no terminal sets a width."""


def benchmark_parser(docstring: str | None) -> Parser:
    """A parser with the docstring of the benchmark's module as its help, and with --json."""
    parser = Parser(docstring or "")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the results to FILE")
    return parser


def list_names(names: Sequence[str]) -> str:
    """Names for a help text, in which argparse takes a single per cent sign for a format."""
    return ", ".join(names).replace("%", "%%")


def require_objectives(chosen: Sequence[str], names: Sequence[str]) -> None:
    """Raises `InputError` if a chosen objective is not one of `names`."""
    for name in chosen:
        if name not in names:
            raise InputError(
                f"unknown objective {name}{closest(name, names)} (--help lists all objectives)"
            )


def positive(text: str) -> int:
    """An integer of at least 1, as the `type` of an option."""
    number = read_whole_number(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Prints a table under its title; floats with three significant digits."""
    table = Table(*columns, box=box.SIMPLE_HEAD)
    for row in rows:
        table.add_row(*(_text(value) for value in row))
    width = None if sys.stdout.isatty() else REDIRECTED_WIDTH
    console = Console(width=width, markup=False, emoji=False, highlight=False)
    console.print(f"\n{title}", style="bold")
    console.print(table)


def save_json(path: Path | None, benchmark: str, results: dict[str, Any]) -> None:
    """Writes the results with the command and the machine to `path`; does nothing for None."""
    if path is None:
        return
    document = {
        "benchmark": benchmark,
        "command": sys.argv,
        "machine": _describe_machine(),
        **results,
    }
    path.write_text(json.dumps(document, indent=2))
    print(f"results written to {path}")


def _describe_machine() -> dict[str, Any]:
    return {
        "processor": platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
    }


def _text(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
