"""Reads the first sheet of an Excel workbook (.xlsx) as a table, through pandas and openpyxl."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pandas as pd

from analysis.external.table import Table
from analysis.external.text_table import read_text_table
from nerf.common.errors import InputError


def is_workbook(data: bytes) -> bool:
    """Whether a file's bytes are those of an .xlsx workbook."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False


def read_workbook(path: Path, data: bytes) -> Table:
    """The table on the first sheet.

    Raises `InputError` if openpyxl is not installed, or the workbook is damaged or empty.
    """
    try:
        sheet = pd.read_excel(io.BytesIO(data), header=None, dtype=object)
    except ImportError:
        raise InputError(
            f"{path} is a workbook, which needs openpyxl: install it, or save the sheet as CSV"
        ) from None
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())[:100]
        raise InputError(f"{path} is a damaged workbook ({reason}); save it as CSV") from None
    text = sheet.to_csv(index=False, header=False)
    return read_text_table(path, text.encode())
