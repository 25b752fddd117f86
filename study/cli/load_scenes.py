"""Loads the scenes of a study, and fits its search space to them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from nerf.common.errors import InputError
from nerf.scenes import load, load_saved
from nerf.scenes.scene import Scene
from study.spec.space import SCENE_SCALED, Space
from study.spec.study_spec import StudySpec
from study.spec.variants import variant_values

Scenes = Mapping[str, Scene]
"""The scenes of a study by their labels; one without a label is the only one."""


def load_scenes(spec: StudySpec) -> tuple[StudySpec, Scenes]:
    """The scenes of a new study, and the study with its near and far fitted to them.

    Raises `InputError` for a scene that cannot be read, for two that are the same, and for a space
    that a scene's near and far make invalid.
    """
    options = _scene_options(spec)
    sources = zip(spec.labels, spec.scene_sources, strict=False)  # of a trainer, there may be none
    scenes = {label: load(source, **options) for label, source in sources}
    _require_different(scenes)
    if not spec.space.is_nerf:
        return spec, scenes
    for scene in scenes.values():
        for background in spec.space.values("optimisation.background"):
            if background == "random":
                scene.require_alphas(str(background))
    bounds = {k: (round(s.bounds.near, 3), round(s.bounds.far, 3)) for k, s in scenes.items()}
    fitted = {label: _fit_space(spec, ends) for label, ends in bounds.items()}
    if spec.scenes:
        own = tuple(dataclasses.replace(each, bounds=bounds[each.label]) for each in spec.scenes)
        return dataclasses.replace(spec, scenes=own), scenes
    return dataclasses.replace(spec, space=fitted[""]), scenes


def load_saved_scenes(spec: StudySpec, document: Mapping[str, Any], name: str) -> Scenes:
    """The scenes of the study `name` on disk; raises `InputError` if one has changed."""
    described = document["scenes"] if spec.scenes else {"": document["scene"]}
    scenes = {}
    for label, source in zip(spec.labels, spec.scene_sources, strict=False):
        saved = described[label]["hash"]
        scenes[label] = load_saved(source, saved, **_scene_options(spec))
        if scenes[label].content_hash != saved:
            raise InputError(
                f"the scene {source} has changed since study {name} was created; restore it, or "
                "start a new study with another --name"
            )
    return scenes


def list_scale_notes(spec: StudySpec) -> Iterator[str]:
    """A note on each distance that is the same on scenes of another scale."""
    if len({scene.bounds for scene in spec.scenes}) < 2:
        return
    ends = ((scene.label, scene.bounds) for scene in spec.scenes if scene.bounds)
    suggested = ", ".join(f"{near:g} to {far:g} on {label}" for label, (near, far) in ends)
    varied = {d.path: str(d) for d in spec.space.dimensions if not d.relative}
    fixed = {path: f"{path}={value}" for path, value in spec.space.fixed}
    for path in SCENE_SCALED:
        if text := {**fixed, **varied}.get(path):
            yield (
                f"{text} is the same distance on every scene, and they suggest {suggested}; "
                f"--vary {path} takes the same part of each scene's depth range"
            )


def _require_different(scenes: Scenes) -> None:
    labels: dict[str, str] = {}  # by content
    for label, scene in scenes.items():
        other = labels.setdefault(scene.content_hash, label)
        if other != label:
            raise InputError(f"the scenes {other} and {label} are the same; name each scene once")


def _fit_space(spec: StudySpec, bounds: tuple[float, float]) -> Space:
    """The study's space for a scene with these bounds; raises `InputError` if one is invalid."""
    if not spec.variants:
        return spec.space.with_scene_bounds(bounds)
    # Only the variants themselves are run, so not every combination of their values need be valid.
    space = dataclasses.replace(spec.space, bounds=bounds)
    for variant in spec.variants:
        space.config(variant_values(variant, space))
    return space


def _scene_options(spec: StudySpec) -> dict[str, Any]:
    """How the study's scenes are read."""
    return {
        "downscale": spec.downscale,
        "background": spec.background,
        "follow_links": spec.follow_links,
    }
