"""The study's tables, kept up to date while trials end."""

from __future__ import annotations

import time

from study.records.study_folder import StudyFolder

_TIME_SHARE = 0.02
"""Share of a launch's time that writing may take, as it reads all records."""


class TableWriter:
    """Writes the tables of a study, seldom enough that a long study does not wait for them."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._due = 0.0

    def write_if_due(self) -> None:
        """Writes the tables, unless that was a moment ago."""
        began = time.monotonic()
        if began < self._due:
            return
        self._folder.write_tables()
        self._due = began + (time.monotonic() - began) / _TIME_SHARE
