"""Splits that a capture gives as lists of file names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.scene import Split


def match_names(
    where: Path, lists: Mapping[Split, Sequence[str]], view_of: Mapping[str, int]
) -> tuple[dict[Split, tuple[int, ...]] | None, list[str]]:
    """The views of each list, None without lists, and a line on names without an image.

    Names may have backslashes and a leading `./`. If only training views are named, all others are
    for testing. Raises `InputError` for a list none of whose names has an image.
    """
    views = {plain(name): view for name, view in view_of.items()}
    splits: dict[Split, tuple[int, ...]] = {}
    notes = []
    for split, names in lists.items():
        matched = [views[name] for name in map(plain, names) if name in views]
        if names and not matched:
            raise scene_error(
                where,
                f"the {split} list names none of the images, it begins with {names[0][:60]!r}; "
                "write the names as the cameras have them",
            )
        if len(matched) < len(names):
            notes.append(f"{len(names) - len(matched)} names in the {split} list have no image")
        if matched:
            splits[split] = tuple(dict.fromkeys(matched))
    if set(splits) == {"train"}:
        rest = tuple(sorted(set(view_of.values()) - set(splits["train"])))
        splits |= {"test": rest} if rest else {}
    return splits or None, notes


def plain(name: str) -> str:
    """A file name with forward slashes and without a leading `./`."""
    return name.strip().replace("\\", "/").removeprefix("./")
