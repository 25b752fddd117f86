"""Unpacks a table that was compressed by gzip, or is the only file of a zip archive."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path
from typing import IO

from nerf.common.errors import InputError

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"

PACKED = (_GZIP, _ZIP)
"""How compressed files begin."""

_MAX_BYTES = 2**30  # of the unpacked table; a few kilobytes may unpack to far more


def unpack(path: Path, data: bytes) -> tuple[str, bytes]:
    """The name and the content of the file in `data`; those of `path` if it is not compressed.

    Raises:
        InputError: it is damaged, unpacks to more than a gigabyte, or holds several files.
    """
    try:
        if data.startswith(_GZIP):
            with gzip.open(io.BytesIO(data)) as file:
                return path.name.removesuffix(".gz"), _read(path, file)
        if data.startswith(_ZIP):
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                name = _find_table(path, archive)
                with archive.open(name) as file:
                    return name, _read(path, file)
    except (OSError, EOFError, zlib.error, zipfile.BadZipFile, NotImplementedError) as error:
        raise InputError(f"{path} is compressed and damaged ({error}); copy it again") from None
    except RuntimeError:
        raise InputError(f"{path} has a password; unpack it and name its table") from None
    return path.name, data


def _find_table(path: Path, archive: zipfile.ZipFile) -> str:
    names = [info.filename for info in archive.infolist() if not info.is_dir()]
    if any(name.endswith(("workbook.xml", "content.xml")) for name in names):
        raise InputError(f"{path} is a workbook; save its sheet of runs as CSV")
    tables = [name for name in names if not name.startswith("__MACOSX/")]
    if len(tables) != 1:
        listed = ", ".join(tables[:4]) or "no files"
        raise InputError(
            f"{path} is a zip archive of {len(tables)} files ({listed}); unpack it and name one"
        )
    return tables[0]


def _read(path: Path, file: IO[bytes] | gzip.GzipFile) -> bytes:
    data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise InputError(f"{path} unpacks to more than a gigabyte; unpack it and name its table")
    return data
