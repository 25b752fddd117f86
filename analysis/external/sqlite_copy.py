"""Copies of SQLite files, so that reading one never writes to what the user gave."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from nerf.common.errors import InputError

HEADER = b"SQLite format 3\0"

_COMPANIONS = ("", "-wal", "-journal")
"""SQLite recovers changes in these files when it opens the first; it makes -shm anew."""


def copy_sqlite(path: Path, folder: Path) -> Path:
    """Copies a database with its unfinished changes to `folder`; returns the copy's path.

    Raises `InputError` if SQLite finds the copy damaged.
    """
    copy = folder / "copy.db"
    try:
        for suffix in _COMPANIONS:
            source = path.with_name(path.name + suffix)
            if source.is_file():
                shutil.copyfile(source, f"{copy}{suffix}")
        with closing(sqlite3.connect(copy)) as database:
            (verdict,) = database.execute("PRAGMA quick_check(1)").fetchone()
    except OSError as error:
        raise InputError(f"{path} cannot be copied ({error}); make it readable") from None
    except (sqlite3.Error, UnicodeDecodeError) as error:  # it may quote a damaged name
        verdict = str(error)
    if verdict != "ok":
        reason = " ".join(str(verdict).split())[:100]
        raise InputError(
            f"{path} is a damaged SQLite file ({reason}); copy it from its source again"
        )
    return copy


@contextmanager
def open_copy(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens a copy of the database at `path`; raises `InputError` if it is damaged."""
    with (
        TemporaryDirectory() as folder,
        closing(sqlite3.connect(copy_sqlite(path, Path(folder)))) as database,
    ):
        yield database


def read_table_names(path: Path) -> set[str]:
    """The names of all tables of the database at `path`; raises `InputError` if it is damaged."""
    with open_copy(path) as database:
        query = "SELECT CAST(name AS BLOB) FROM sqlite_master WHERE type = 'table'"
        return {name.decode(errors="replace") for (name,) in database.execute(query)}
