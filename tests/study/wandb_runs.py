"""Reads the file in which W&B stores an offline run."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wandb.proto import wandb_internal_pb2 as protocol

_BLOCK = 32768  # the files are LevelDB logs, after a header of their own


@dataclass(frozen=True)
class Run:
    id: str
    group: str
    kind: str
    tags: tuple[str, ...]
    config: dict[str, Any]
    steps: tuple[int, ...]
    summary: dict[str, Any]
    """Values by dotted keys."""


def records(file: Path) -> Iterator[Any]:
    content, at, part = file.read_bytes(), 7, b""
    while at + 7 <= len(content):
        if _BLOCK - at % _BLOCK < 7:
            at += _BLOCK - at % _BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[at : at + 7])
        part += content[at + 7 : at + 7 + length]
        at += 7 + length
        if kind in (1, 4):  # whole, or the last part
            record = protocol.Record()
            record.ParseFromString(part)
            yield record
            part = b""


def read_run(folder: Path) -> Run:
    """The run in an `offline-run-...` folder, as it stood at its end."""
    (file,) = folder.glob("*.wandb")
    run, changed, steps, summary = protocol.RunRecord(), [], [], {}
    for record in records(file):
        kind = record.WhichOneof("record_type")
        if kind == "run":
            run = record.run
            changed.extend(run.config.update)
        elif kind == "config":
            changed.extend(record.config.update)
        elif kind == "history":
            values = {".".join(i.nested_key) or i.key: i.value_json for i in record.history.item}
            steps.append(json.loads(values["_step"]))
        elif kind == "summary":
            for item in record.summary.update:
                summary[".".join(item.nested_key) or item.key] = json.loads(item.value_json)
    config = {
        ".".join(item.nested_key) or item.key: json.loads(item.value_json) for item in changed
    }
    return Run(
        run.run_id, run.run_group, run.job_type, tuple(run.tags), config, tuple(steps), summary
    )
