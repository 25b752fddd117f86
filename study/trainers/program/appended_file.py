"""A file to which a program appends lines, read while it grows, and further after a crash."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from study.trainers.program.output import as_text

_MAX_READ = 2**20
"""Bytes read at a time, and after which a line without a newline ends all the same."""

_MIN_FREED = 2**20
_KEEP_SIZE, _PUNCH_HOLE = 1, 2  # of Linux's fallocate


class AppendedFile:
    """Reads each line of a file once, from `offset` on."""

    def __init__(self, file: Path | int) -> None:
        """file: a path, where there need not be a file yet, or an open descriptor"""
        self._file = file
        self.offset = 0
        """Bytes that were read, whole lines only."""
        self.has_grown = False
        """Whether the last call of `lines` found more in it than the one before."""
        self.has_more = False
        """Whether the last call of `lines` left whole lines unread."""
        self._size = self._freed = 0

    def lines(self, to_end: bool = False) -> Iterator[str]:
        """The whole lines in the next mebibyte; `offset` passes each just before it is yielded.

        A file that has become shorter is read from its beginning. With `to_end`, as nobody writes
        any more, a last line needs no newline.
        """
        content = self._read()
        self.has_more = len(content) == _MAX_READ
        to_end = to_end and not self.has_more
        at = 0
        while at < len(content):
            end = content.find(b"\n", at)
            if end < 0:
                if not to_end and (at or not self.has_more):
                    return
                end = len(content)
            line = content[at:end]
            self.offset += min(end + 1, len(content)) - at
            at = end + 1
            yield as_text(line)

    def all_lines(self) -> Iterator[str]:
        """All lines that are left, where nobody writes any more."""
        yield from self.lines(to_end=True)
        while self.has_more:
            yield from self.lines(to_end=True)

    @property
    def held_bytes(self) -> int:
        """Bytes of it that take room on the disk."""
        return self._size - self._freed

    def free(self, offset: int) -> None:
        """Gives back the room of what stands before `offset`, by mebibytes; only Linux can."""
        assert isinstance(self._file, int)
        if sys.platform != "linux" or offset < self._freed + _MIN_FREED:
            return
        size = ctypes.c_int64(offset)
        way = _KEEP_SIZE | _PUNCH_HOLE
        if ctypes.CDLL(None).fallocate(self._file, way, ctypes.c_int64(0), size) == 0:
            self._freed = offset

    def _read(self) -> bytes:
        """The next bytes of the file; empty where there is none."""
        if isinstance(self._file, int):
            return self._read_from(self._file)
        try:
            descriptor = os.open(self._file, os.O_RDONLY)
        except OSError:
            return b""
        try:
            return self._read_from(descriptor)
        finally:
            os.close(descriptor)

    def _read_from(self, descriptor: int) -> bytes:
        size = os.fstat(descriptor).st_size
        self.has_grown, self._size = size != self._size, size
        if size < self.offset:
            self.offset = self._freed = 0
        return os.pread(descriptor, _MAX_READ, self.offset)
