"""A transforms.json file: what it holds, and which of its keys nothing was read from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.scenes.formats.json_cameras import CAMERA_KEYS
from nerf.scenes.formats.untrusted_files import read_json

_FILE_KEYS = CAMERA_KEYS | {"frames", "ply_file_path"}
_FRAME_KEYS = CAMERA_KEYS | {"file_path", "transform_matrix", "mask_path"}
SPLIT_KEYS = frozenset(f"{split}_filenames" for split in ("train", "val", "test"))
"""nerfstudio's lists of the file names of each split."""

MAX_KEYS_NAMED = 12


@dataclass(frozen=True)
class JsonFile:
    """A camera file: its folder, from which image names count, and what it holds."""

    path: Path
    data: dict[str, Any]
    follow_links: bool

    @staticmethod
    def read(path: Path, follow_links: bool) -> JsonFile:
        """Reads a file; `test_frames`, which ScanNet++ has beside `frames`, are for testing.

        What is null is taken for left out.
        """
        data = _without_nulls(read_json(path, follow_links))
        frames, held_out = data.get("frames"), data.get("test_frames")
        if isinstance(frames, list) and isinstance(held_out, list) and held_out:
            names = [frame.get("file_path") for frame in held_out if isinstance(frame, dict)]
            data |= {"frames": frames + held_out, "test_filenames": names}
            del data["test_frames"]
        return JsonFile(path, data, follow_links)

    @property
    def folder(self) -> Path:
        return self.path.parent


def unused_keys(files: Iterable[JsonFile], used: Iterable[str] = ()) -> list[str]:
    """A line with the keys of files and frames that nothing was read from; none if there are none.

    `used` are keys of the files that the caller has read.
    """
    unused: dict[str, None] = {}
    for file in files:
        unused |= dict.fromkeys(key for key in file.data if key not in {*_FILE_KEYS, *used})
        frames = [frame for frame in file.data["frames"] if isinstance(frame, dict)]
        in_frames = dict.fromkeys(key for frame in frames for key in frame)
        unused |= dict.fromkeys(f"frames.{key}" for key in in_frames if key not in _FRAME_KEYS)
    if not unused:
        return []
    names = [key[:40] for key in list(unused)[:MAX_KEYS_NAMED]]
    more = f" and {len(unused) - len(names)} more" if len(unused) > len(names) else ""
    return [f"keys that are not used: {', '.join(names)}{more}"]


def _without_nulls(data: dict[str, Any]) -> dict[str, Any]:
    """A file's keys, and those of its frames, that have a value."""
    kept = {key: value for key, value in data.items() if value is not None}
    if isinstance(kept.get("frames"), list):
        kept["frames"] = [
            {key: value for key, value in frame.items() if value is not None}
            if isinstance(frame, dict)
            else frame
            for frame in kept["frames"]
        ]
    return kept
