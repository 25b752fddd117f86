"""Names and types of the arguments of `Study.create`, for editors and type checkers.

Defaults and what each option does: `python study/run_sweep.py --help`. A test compares the names
with the command's options.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from nerf.config.domain import Domain
from nerf.config.parameters import Value

Range = tuple[float, float] | list[Any] | Mapping[Any, float] | Domain | range | str | None
"""`(low, high)`, `[choices]`, `{choice: probability}`, a `Domain`, `range(2, 9, 2)`, the text of
`--vary`, or None for the parameter's own range."""


class LaunchOptions(TypedDict, total=False):
    """What a resumed study may change."""

    cpus_per_trial: int
    gpus_per_trial: float | Literal["auto"]
    pack: int | Literal["auto"]
    max_concurrent: int
    retries: int
    patience: float
    address: str
    wait_for_nodes: float
    storage: str | Path
    track: str | Sequence[str]
    wandb: str


class StudyOptions(LaunchOptions, total=False):
    """What a study is asked to do, beside its trainer and its parameters."""

    study: str | Path
    plugin: str | Path | Sequence[str | Path]
    scene: str | Path | Sequence[str | Path]
    command: str
    parameter_file: str | Path
    workdir: str | Path
    downscale: int
    background: str
    follow_links: bool
    space: str
    metric: str | Sequence[str]
    direction: Literal["max", "min"]
    unit: str
    collapse: str | Sequence[str]
    explore: int
    design: str
    optimise: int
    replicates: int
    repeats: int
    steps: int
    seed: int
    sampler: str
    pruner: str
    from_: str | Path | Sequence[str | Path]
    try_: str | Mapping[str, Value] | Sequence[str | Mapping[str, Value]]
    until_sure: float
    until: str
    hours: float
    budget: float
    studies: str | Path
