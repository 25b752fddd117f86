"""Trials of other studies, from which the optimiser of a study starts (`--from`).

The study keeps what it took of them, so that it can be resumed and run again without the others. No
other phase uses them, and no report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError
from nerf.config.parameters import Value


@dataclass(frozen=True)
class EarlierTrials:
    """Completed trials of one study.

    paths: the parameters that this study varies
    rows: of each trial a value for each of these, and last the metric that both rank by
    """

    study: str
    paths: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]

    def to_json(self) -> dict[str, Any]:
        """For study.json and for the key `from` of a study file."""
        return {
            "study": self.study,
            "parameters": list(self.paths),
            "trials": [list(row) for row in self.rows],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> EarlierTrials:
        """Reads what `to_json` gave."""
        rows = tuple(tuple(row) for row in data["trials"])
        return EarlierTrials(data["study"], tuple(data["parameters"]), rows)


def read_from_table(file: Path, entries: Sequence[Any]) -> dict[str, Any]:
    """The options of a study file's key `from`: names of studies, or tables of their trials."""
    studies, tables = [], []
    for entry in entries:
        if isinstance(entry, str):
            beside = file.parent / entry
            studies.append(str(beside) if beside.exists() else entry)
            continue
        try:
            tables.append(EarlierTrials.from_json(entry))
        except (KeyError, TypeError):
            raise InputError(
                f"{file}: from must list folders of studies, or tables as --save-study writes them"
            ) from None
    return {"from_studies": tuple(studies), "earlier": tuple(tables)}


def check_earlier(earlier: Sequence[EarlierTrials], paths: Sequence[str]) -> None:
    """Raises `InputError` for trials that were taken over for another space."""
    for taken in earlier:
        width = len(taken.paths) + 1
        if sorted(taken.paths) != sorted(paths) or any(len(row) != width for row in taken.rows):
            raise InputError(
                f"the trials of {taken.study} have values of {', '.join(taken.paths)}, and the "
                f"study varies {', '.join(paths)}; take them over again by --from {taken.study}"
            )
