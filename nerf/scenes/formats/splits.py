"""Completes the split that a capture's author gave, without training on what was held out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from nerf.scenes.formats.scene_checks import scene_error
from nerf.scenes.images import Images
from nerf.scenes.scene import Split, split_views

Views = tuple[int, ...]

FEW_TRAINING_VIEWS = 5
"""With fewer training views a field that renders other views well is luck."""


def complete_splits(
    where: object, given: Mapping[Split, Sequence[int]] | None, count: int
) -> tuple[dict[Split, Views], tuple[str, ...]]:
    """The three disjoint splits of `count` views, and a line on each change to those given.

    `given` may have any of train, val and test. Views in val or test are never in train. Those in
    both val and test are for testing. A val or test that is missing is taken from the training
    views by the rule of `split_views`. A val or test list that has every training view, as a copy
    of the train list does, holds none of them out. Raises `InputError` if no training view is left.
    """
    if not given or not any(given.values()):
        by_rule = split_views(count)
        return by_rule, _few(by_rule["train"])
    lists = {split: tuple(dict.fromkeys(views)) for split, views in given.items() if views}
    notes = _release_copies(lists)
    test = lists.get("test", ())
    val = tuple(view for view in lists.get("val", ()) if view not in test)
    if len(val) < len(lists.get("val", ())):
        shared = len(lists["val"]) - len(val)
        notes.append(f"{shared} views are both in the val and the test list: used for testing only")
    held_out = {*val, *test}
    listed = lists.get("train", tuple(range(count)))
    train = tuple(view for view in listed if view not in held_out)
    if "train" in lists and len(train) < len(listed):
        notes.append(f"{len(listed) - len(train)} training views are also held out: not trained on")
    unused = count - len({*train, *held_out})
    if unused:
        notes.append(f"{unused} views are in none of the lists of the split: not used")
    splits: dict[Split, Views] = {"train": train, "val": val, "test": test}
    by_rule = split_views(len(train))
    for split in ("val", "test"):
        if not splits[split] and train:
            splits[split] = tuple(train[index] for index in by_rule[split])
            splits["train"] = tuple(v for v in splits["train"] if v not in splits[split])
            notes.append(f"no {split} list: {len(splits[split])} training views are held out as it")
    if not all(splits.values()):
        raise scene_error(
            where,
            f"its split leaves {len(splits['train'])} training, {len(splits['val'])} val and "
            f"{len(splits['test'])} test views; each needs one",
        )
    return splits, (*notes, *_few(splits["train"]))


def without_empty(where: object, splits: dict[Split, Views], images: Images) -> dict[Split, Views]:
    """The splits without the views of which masks leave nothing: they show no error and no colour.

    Raises `InputError` if nothing is left of a split.
    """
    if images.valid is None:
        return splits
    shown = np.asarray(images.valid.any((1, 2)))
    kept = {split: tuple(v for v in views if shown[v]) for split, views in splits.items()}
    for split, views in kept.items():
        if not views:
            raise scene_error(
                where,
                f"its masks leave no pixel of any {split} view; change the masks, or the split",
            )
    return kept


def _release_copies(lists: dict[Split, Views]) -> list[str]:
    """Takes the training views out of lists that have all of them; a line on each such list."""
    train = set(lists.get("train", ()))
    notes = []
    for split in ("val", "test"):
        if train and train <= set(lists.get(split, ())):
            lists[split] = tuple(view for view in lists[split] if view not in train)
            notes.append(f"the {split} list has every training view: they are trained on")
    return notes


def _few(train: Views) -> tuple[str, ...]:
    if len(train) >= FEW_TRAINING_VIEWS:
        return ()
    views = "1 training view" if len(train) == 1 else f"{len(train)} training views"
    return (f"warning: {views} only; other views can hardly be right, add photographs",)
