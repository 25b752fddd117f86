"""The specification of a study: which trials it runs, with what resources, and where."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nerf.config.parameters import Value
from nerf.config.plugin import Plugin
from study.spec.earlier_trials import EarlierTrials
from study.spec.scenes import StudyScene
from study.spec.space import Space
from study.spec.study_rules import Design, require_valid
from study.spec.tried_points import TriedPoint
from study.spec.variants import Variant, variant_values
from study.trainers.objective import (
    NERF_METRICS,
    PSNR,
    Objective,
    plugin_columns,
    read_objectives,
)

_ALWAYS_RECORDED = {
    *("scene", "downscale", "background", "explore", "nets", "optimize", "replicates"),
    *("alternating_replicates", "variants", "repeats", "steps", "seed", "cpus_per_trial"),
    *("gpus_per_trial", "max_concurrent", "wandb", "address", "storage", "retries", "patience"),
    "wait_for_nodes",
}
"""Fields that study.json always holds; later ones are left out at their defaults."""

_READERS: dict[str, Callable[[Any], Any]] = {
    "scenes": StudyScene.from_json,
    "plugins": Plugin.from_json,
    "collapse": str,
    "earlier": EarlierTrials.from_json,
    "variants": Variant.from_json,
    "tries": TriedPoint.from_json,
}
"""Fields that hold several of something, and what reads one of them from study.json."""


@dataclass(frozen=True)
class StudySpec:
    """One study. Raises `InputError` for invalid values."""

    space: Space
    """Parameters that vary, and fixed ones, `optimisation.steps` among them."""

    scene: str = "bricks"
    """A built-in scene (`nerf.scenes.BUILT_IN`), or a path; empty for none, or for several."""

    scenes: tuple[StudyScene, ...] = ()
    """Two or more scenes, on each of which every point of the design is run; else empty.

    Near and far that follow from a scene are parts of its depth range in `space`, and numbers in
    the space `of_scene`.
    """

    trainable: str = ""
    """The user's trainer, `FILE.py:NAME` or `package.module:NAME`; empty for none."""

    command: str = ""
    """The user's program as a trainer, with placeholders; empty for none."""

    parameter_file: str = ""
    """The file that declares the program's parameters; `space` has what it said."""

    workdir: str = ""
    """The folder in which the program runs."""

    plugins: tuple[Plugin, ...] = ()
    """Files of the user that add to the NeRF's choices; without their code where it is not needed,
    as for a report."""

    objectives: tuple[Objective, ...] = (PSNR,)
    """The metrics by which trials are ranked; of several, the optimise phase seeks the front."""

    collapse: tuple[str, ...] = ()
    """Rules by which a trial has collapsed, beside its trainer's own (`collapse_rule.py`)."""

    downscale: int = 1
    """Divisor of the width and height of photographs in a folder."""

    background: Literal["auto", "white", "black", "none"] = "auto"
    """Colour of rays that hit nothing (`nerf.scenes.load`)."""

    follow_links: bool = False
    """Whether links and paths of the scene's files may lead out of its folder."""

    explore: int = 48
    """Points of the explore phase: trials on each scene, each with the full budget."""

    design: Design = "sobol"
    """The explore phase's configurations (`study/search/explore_design.py`)."""

    nets: int = 4
    """Nets that a Sobol' design is made of (`study/search/sobol_design.py`)."""

    optimize: int = 8
    """Trials of the optimise phase on each scene: the default, then those that are proposed."""

    sampler: str = "tpe"
    """What proposes them, one of `SAMPLERS`."""

    earlier: tuple[EarlierTrials, ...] = ()
    """Trials of other studies that the sampler learns from as well."""

    pruner: str = "halving"
    """What stops them early, one of `PRUNERS`."""

    replicates: int = 12
    """Trials on each scene that repeat an explored point, the best one and the default in turn."""

    alternating_replicates: int = 0
    """How many of them an earlier version planned, which left out the default's turns."""

    variants: tuple[Variant, ...] = ()
    """Named configurations to compare with paired seeds, in place of all phases above."""

    repeats: int = 1
    """Trials of each variant on each scene."""

    tries: tuple[TriedPoint, ...] = ()
    """Points chosen by hand, which are run first."""

    steps: int = 300
    """Training steps of the full budget."""

    seed: int = 0
    """Seed of the explore design, of the sampler and, together with its number, of each trial."""

    cpus_per_trial: int = 1
    gpus_per_trial: float = 0.0
    max_concurrent: int = 0
    """Trials that run at the same time; 0 means as many as fit."""

    pack: int = 1
    """Trials that are trained at a time on each GPU, equal networks as one.

    They share `cpus_per_trial` and `gpus_per_trial`. 0: a launch measures how many are best.
    """

    wandb: str = "off"
    """off, offline or online."""

    track: str = "off"
    """Names out of `TRACKERS`, separated by commas; or off."""

    address: str = ""
    """Address of the Ray cluster that runs the trials; empty for this machine alone."""

    storage: str = ""
    """Folder or URL under which the study is mirrored; empty for none."""

    retries: int = 1
    """Retries of a failed trial, each from its last checkpoint."""

    patience: float = 600.0
    """Seconds without a step after which a trial is ended."""

    wait_for_nodes: float = 1800.0
    """Seconds that a launch waits for room for a trial on the cluster before it gives up."""

    until: str = ""
    """What exploring is to settle (`stopping_rule.py`); empty to explore a fixed number."""

    max_explore: int = 0
    """With `until`: trials that the study explores at most; `explore` is the size of a look."""

    is_exploring: bool = False
    """With `until`: whether more trials may be explored, as a look at `explore` will decide."""

    hours: float = 0.0
    """Hours that all launches of the study may take together; 0 for any."""

    budget: float = 0.0
    """GPU hours that they may take together; 0 for any."""

    def __post_init__(self) -> None:
        require_valid(self)

    @property
    def planned(self) -> dict[str, int]:
        """The number of trials of each phase, over all scenes, in the order in which they run."""
        on_a_scene = {
            "variant": len(self.variants) * self.repeats,
            "try": len(self.tries),
            "explore": self.explore,
            "optimize": self.optimize,
            "replicate": self.replicates,
        }
        return {phase: count * len(self.labels) for phase, count in on_a_scene.items()}

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the scenes, which trials take in turn; one empty name where they share one."""
        return tuple(scene.label for scene in self.scenes) or ("",)

    @property
    def scene_sources(self) -> tuple[str, ...]:
        """The scene or scenes, as `--scene` names them; none of a trainer without."""
        if self.scenes:
            return tuple(scene.source for scene in self.scenes)
        return (self.scene,) if self.scene else ()

    def of_scene(self, label: str) -> StudySpec:
        """The study on one scene: the same points, near and far in that scene's own units.

        A study of one scene, or of none, whose label is empty, is itself.
        """
        return self._of_scenes[label] if self.scenes else self

    @functools.cached_property
    def _of_scenes(self) -> dict[str, StudySpec]:
        studies = {}
        for scene in self.scenes:
            space = self.space.scaled_to(scene.bounds) if scene.bounds else self.space
            studies[scene.label] = dataclasses.replace(
                self, scene=scene.source, scenes=(), space=space
            )
        return studies

    @property
    def most_planned(self) -> dict[str, int]:
        """`planned`, with the most that a study with `until` may still explore."""
        return self.planned | ({"explore": self.max_explore} if self.is_exploring else {})

    @property
    def trainer(self) -> str:
        """The user's trainer, as the command line names it; empty for this project's NeRF."""
        return self.trainable or self.command

    @property
    def trackers(self) -> tuple[str, ...]:
        """The trackers besides W&B."""
        return () if self.track == "off" else tuple(self.track.split(","))

    @property
    def trials(self) -> int:
        return sum(self.planned.values())

    def is_finished(self, ended: int) -> bool:
        """Whether nothing is left to run once so many trials have ended."""
        return ended >= self.trials and not self.is_exploring

    @property
    def objective(self) -> Objective:
        """The first of the metrics, which alone is shown while a study runs."""
        return self.objectives[0]

    @property
    def can_prune(self) -> bool:
        """Whether optimised trials may be stopped early; Optuna cannot with several metrics."""
        return len(self.objectives) == 1

    @property
    def marks_broken(self) -> bool:
        """Whether a trial that broke could be among the best, as one that ends early is fast."""
        by_psnr = self.objective == PSNR or bool(self.trainer)
        return len(self.objectives) > 1 or self.objective.is_measured or not by_psnr

    @property
    def metrics(self) -> tuple[str, ...]:
        """The metrics of every trial's row; empty where they are those that the trainer reports."""
        return () if self.trainer else (*NERF_METRICS, *plugin_columns(self.objectives))

    @property
    def reference_config(self) -> Any:
        """The config of the first variant, or of the default values in a study without variants.

        Of several scenes, on the first.
        The default values of a study of variants may be invalid together: no trial combines them.
        """
        return self.of_scene(self.labels[0]).space.config(self._reference_point)

    @property
    def reference_values(self) -> dict[str, Value]:
        """The values of all parameters in the `reference_config`."""
        return self.of_scene(self.labels[0]).space.complete(self._reference_point)

    @property
    def _reference_point(self) -> dict[str, Value]:
        space = self.of_scene(self.labels[0]).space
        return variant_values(self.variants[0], space) if self.variants else space.defaults()

    def to_json(self) -> dict[str, Any]:
        """Every field except the space, which study.json holds under a key of its own."""
        recorded: dict[str, Any] = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "pack":
                value = max(value, 1)  # `auto` is measured again at each launch that asks for it
            is_own_metric = field.name == "objectives" and bool(self.trainer)
            if field.name in _ALWAYS_RECORDED or is_own_metric or value != field.default:
                recorded[field.name] = _to_json(value)
        del recorded["space"]
        return recorded

    @staticmethod
    def from_json(document: Mapping[str, Any]) -> StudySpec:
        """Reads the spec from the content of study.json."""
        fields = dict(document["spec"])
        fields.setdefault("nets", 1)
        fields.setdefault("replicates", 0)
        fields.setdefault("alternating_replicates", fields["replicates"])
        for name, read in _READERS.items():
            fields[name] = tuple(map(read, fields.get(name, ())))
        fields["objectives"] = read_objectives(fields)
        fields.pop("objective", None)  # of an earlier version
        return StudySpec(space=Space.from_json(document["space"]), **fields)


def _to_json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [each.to_json() if hasattr(each, "to_json") else each for each in value]
    return value
