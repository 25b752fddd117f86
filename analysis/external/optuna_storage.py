"""Storages of Optuna 2 to 5, SQLite files and journals, read by Optuna itself on a copy."""

from __future__ import annotations

import json
import logging
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from urllib.parse import quote

from analysis.external.optuna_studies import read_study
from analysis.external.sqlite_copy import HEADER, copy_sqlite
from analysis.external.sweep import Sweep
from nerf.common.errors import InputError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage, RDBStorage

_PATH_CHARACTERS = "/\\:"  # as they are in the URL of a database


def read_optuna_storage(path: Path) -> tuple[Sweep, ...]:
    """Reads all studies of an Optuna storage; deleted ones are not among them.

    A schema of an earlier Optuna is upgraded on a copy.

    Raises:
        InputError: Optuna is not installed, or the file is damaged or of a newer Optuna.
    """
    try:
        import optuna
    except ImportError:
        raise InputError(f"install optuna to read {path}: pip install optuna") from None
    try:
        with (
            TemporaryDirectory() as folder,
            _silence(),
            _open_storage(path, Path(folder)) as opened,
        ):
            storage, left_out = opened
            return tuple(
                read_study(study, storage.get_all_trials(study._study_id, deepcopy=False), left_out)
                for study in storage.get_all_studies()
            )
    except InputError:
        raise
    except Exception as error:  # a damaged record raises anything in Optuna and in SQLAlchemy
        raise InputError(
            f"{path} cannot be read by Optuna {optuna.__version__} ({_first_line(error)}); "
            "open it with the Optuna that wrote it, and export study.trials_dataframe() as CSV"
        ) from None


@contextmanager
def _silence() -> Iterator[None]:
    """Suspends logging and warnings of Optuna, SQLAlchemy and alembic.

    Alembic would set up logging for the whole process if the root logger had no handler.
    """
    disabled, handler = logging.root.manager.disable, logging.NullHandler()
    logging.disable(logging.CRITICAL)
    logging.root.addHandler(handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.removeHandler(handler)
        logging.disable(disabled)


@contextmanager
def _open_storage(path: Path, folder: Path) -> Iterator[tuple[BaseStorage, tuple[str, ...]]]:
    """Opens a copy of the storage in `folder`; with what of it was cut off."""
    try:
        with path.open("rb") as file:
            is_sqlite = file.read(len(HEADER)) == HEADER
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error}); make it readable") from None
    if is_sqlite:
        storage = _open_sqlite(path, copy_sqlite(path, folder))
        try:
            yield storage, ()
        finally:
            storage.remove_session()
            storage.engine.dispose()
        return
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    copy, left_out = _copy_journal(path, folder)
    yield JournalStorage(JournalFileBackend(str(copy))), left_out


def _open_sqlite(path: Path, copy: Path) -> RDBStorage:
    """Opens a SQLite storage, upgraded to the schema of the Optuna that is installed."""
    import optuna

    written_by = _writer(copy)
    storage = None
    try:
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{quote(str(copy), safe=_PATH_CHARACTERS)}",
            skip_compatibility_check=True,
            skip_table_creation=True,
        )
        current = storage.get_current_version()
        known = current in storage.get_all_versions()
        if known and current != storage.get_head_version():
            storage.upgrade()
    except Exception as error:  # alembic raises anything for a schema that it does not expect
        if storage is not None:
            storage.engine.dispose()
        raise InputError(
            f"{path}, written by Optuna {written_by}, could not be upgraded to Optuna "
            f"{optuna.__version__} ({_first_line(error)}); run optuna storage upgrade --storage "
            f"sqlite:///{path} with Optuna {written_by} or later"
        ) from None
    if not known:
        storage.engine.dispose()
        raise InputError(
            f"{path}, written by Optuna {written_by}, is newer than Optuna {optuna.__version__}; "
            "update it: pip install -U optuna"
        )
    return storage


def _writer(copy: Path) -> str:
    """The version of Optuna that made a SQLite storage."""
    with closing(sqlite3.connect(copy)) as database:
        try:
            row = database.execute("SELECT library_version FROM version_info").fetchone()
        except sqlite3.Error:
            row = None
    return str(row[0]) if row else "of unknown version"


def _copy_journal(path: Path, folder: Path) -> tuple[Path, tuple[str, ...]]:
    """Copies a journal without a torn last line; with what was cut off.

    Raises `InputError` for a damaged line anywhere else, which Optuna refuses too.
    """
    lines = path.read_bytes().splitlines(keepends=True)
    left_out: tuple[str, ...] = ()
    for number, line in enumerate(lines, start=1):
        if _is_operation(line):
            continue
        if number < len(lines):
            raise InputError(
                f"line {number} of {path} is damaged: not an operation of an Optuna journal; "
                "copy it from its source again, or restore a backup"
            )
        lines.pop()
        left_out = (f"the last line of {path.name}, torn by a crash",)
    if lines and not lines[-1].endswith(b"\n"):
        lines[-1] += b"\n"  # Optuna takes a line without an end for torn
    copy = folder / "copy.journal"
    copy.write_bytes(b"".join(lines))
    return copy, left_out


def _is_operation(line: bytes) -> bool:
    try:
        operation = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(operation, dict) and "op_code" in operation


def _first_line(error: Exception) -> str:
    """The kind of an error and the first line of what it says."""
    line = next(iter(str(error).splitlines()), "")[:160]
    return f"{type(error).__name__}: {line}" if line else type(error).__name__
