"""The folders of Ray Tune's trials within a folder, found by a search that ends soon anywhere."""

from __future__ import annotations

import os
from collections import deque
from dataclasses import dataclass
from pathlib import Path

from analysis.external.counts import count
from analysis.external.ray_trial import RESULT_FILES

_MAX_DEPTH = 4
"""Levels below the named folder; a trial is 2 below `~/ray_results`, or 3 if names have a "/"."""

_MAX_FOLDERS = 10_000
"""Folders without trials that are looked into: a second or two, and more than results have."""


@dataclass(frozen=True)
class FoundFolders:
    """Folders of trials, and what the search for them left out.

    searched: folders that were looked into and are no trial's
    unread: those that cannot be read; links: symbolic links to folders, which are not followed
    deeper: folders that were not looked into, as they lie too deep or the search had looked into
        enough of them
    """

    trials: tuple[Path, ...]
    searched: int
    unread: int
    links: int
    deeper: int

    def describe_search(self) -> str:
        """How far the search went, such as "12 folders were looked into, down to 4 levels"."""
        were = "folder was" if self.searched == 1 else "folders were"
        return f"{self.searched} {were} looked into, down to {_MAX_DEPTH} levels"

    def list_left_out(self) -> list[str]:
        """What the search did not look into, a phrase for each reason."""
        lacking = {
            f"{count(self.unread, 'folder')} that cannot be read": self.unread,
            f"{count(self.links, 'symbolic link')} to folders": self.links,
            f"{count(self.deeper, 'folder')} and what is below, as the search ends {_MAX_DEPTH} "
            f"levels down or after {_MAX_FOLDERS} folders": self.deeper,
        }
        return [phrase for phrase, number in lacking.items() if number]


def find_trial_folders(path: Path) -> FoundFolders:
    """The folders of trials in `path`, itself included: the nearest first, hidden ones last."""
    trials: list[Path] = []
    searched = unread = links = deeper = 0
    waiting = deque([(path, 0)])
    while waiting:
        folder, depth = waiting.popleft()
        if depth > _MAX_DEPTH or searched >= _MAX_FOLDERS:
            deeper += 1
            continue
        try:
            with os.scandir(folder) as entries:
                inner = sorted(entries, key=lambda entry: (entry.name.startswith("."), entry.name))
        except OSError:
            unread += 1
            continue
        folders = [entry for entry in inner if entry.is_dir(follow_symlinks=False)]
        if RESULT_FILES & {entry.name for entry in inner} - {entry.name for entry in folders}:
            trials.append(folder)
            continue
        searched += 1
        # Path.is_dir would raise for a link into a folder without permission.
        links += sum(e.is_symlink() and os.path.isdir(e.path) for e in inner)  # noqa: PTH112
        waiting.extend((Path(entry.path), depth + 1) for entry in folders)
    return FoundFolders(tuple(trials), searched, unread, links, deeper)
