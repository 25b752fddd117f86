"""A table as a reader of a file returns it: a row for each line, without what its cells mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from analysis.external.sweep import Setting


@dataclass(frozen=True)
class Table:
    """Rows of named values.

    kind: for a reader, such as `CSV`
    names: of the columns, in the file's order
    rows: column -> value; a row lacks the columns in which it has none
    notes: how its cells were read where that is not plain, each as a sentence without a full stop
    left_out: what of the file is not in the rows, the same way
    """

    kind: str
    names: tuple[str, ...]
    rows: tuple[Mapping[str, Setting], ...]
    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()

    def column(self, name: str) -> Iterator[Setting]:
        """The values of a column, without the rows that have none."""
        return (row[name] for row in self.rows if name in row)
