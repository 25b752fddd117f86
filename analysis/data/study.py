"""Reads a study folder into tidy data frames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from analysis.data.assumption import Assumption
from analysis.data.branched_space import divide_branches
from analysis.data.cut_grid import identify_cut_grid, narrow_to_run
from analysis.data.design import Branch, Design
from analysis.data.metric import PSNR, Metric, make_metric
from analysis.data.objectives import OtherObjectives
from analysis.data.outcomes import add_outcomes
from nerf.common.errors import InputError
from nerf.config.parameters import Value
from study.records.schema import SCENE_COLUMN
from study.records.study_folder import StudyFolder
from study.spec.dimension import Dimension
from study.spec.space import Space
from study.spec.storage_url import is_url
from study.spec.study_spec import StudySpec
from study.storage.remote import download_study
from study.trainers import objective
from study.trainers.objective import read_objectives

_CURVE_COLUMNS = {o.column: o.metric for o in objective.MEASURED_OBJECTIVES}
"""Columns of curves that have another name than those of trials."""

NET = "net"
"""A column of a branch's trials: the net of the whole study's design that each is a point of."""

_RELABELLED = {"far - near": "depth range"}


@dataclass(frozen=True)
class Study:
    """One study as read from its folder, with the trials that have ended so far.

    scene, spec, versions: as in study.json; spec holds the options of the sweep
    trials: a row for each trial, with TRIAL_COLUMNS of `study.records.schema`, a column for each
    parameter, `outcome`: one of OUTCOMES of `study.records.outcomes`, or of another tool the state,
    and `score`: what trials are ranked by, higher is better (see `Metric.values`); of another tool
    also `runs`: how many recorded trials, repeats of one configuration, a row is the mean of
    curves: a row for each evaluation, with CURVE_COLUMNS and `score`
    metric: what the score measures
    source: the tool that ran it; empty for this program
    assumed: what another tool's record leaves open; empty for studies of this program
    left_out: what was in that record and is not in `trials`, each without a full stop
    design: what its trials look like; None for studies of this program, whose design is known,
    unless a grid was not run as a whole
    branches: parameters that only some of its trials have, or that act in some only
    looks: what a study that explores until a claim is settled found at each look
    cut: the trials that `--hours` or `--budget` left out, as study.json has them; empty for none
    other_objectives: what another tool optimised beside the metric, None if nothing
    scene_label: of which of the study's several scenes the trials are; empty for a study of one
    turns: how many scenes take turns, so that one in so many trial numbers is of this one
    """

    folder: StudyFolder
    name: str
    created: str
    scene: Mapping[str, Any]
    spec: Mapping[str, Any]
    versions: Mapping[str, Any]
    command: tuple[str, ...]
    space: Space
    trials: pd.DataFrame
    curves: pd.DataFrame
    metric: Metric = PSNR
    source: str = ""
    assumed: tuple[Assumption, ...] = ()
    left_out: tuple[str, ...] = ()
    design: Design | None = None
    branches: tuple[Branch, ...] = ()
    looks: tuple[Mapping[str, Any], ...] = ()
    cut: Mapping[str, Any] = field(default_factory=dict)
    other_objectives: OtherObjectives | None = None
    scene_label: str = ""
    turns: int = 1
    is_branch: bool = False
    """Whether it is the part of a study of which `branches` was one."""

    @property
    def title(self) -> str:
        """Its name, and the scene if it has several."""
        return f"{self.name} on {self.scene_label}" if self.scene_label else self.name

    @property
    def best_file(self) -> Path:
        """The file with the best configuration, if it was written."""
        label = self.scene_label
        return self.folder.best_of(label) if label else self.folder.best

    @property
    def report_file(self) -> Path:
        """Where its page is written."""
        label = self.scene_label
        return self.folder.report_of(label) if label else self.folder.report

    @property
    def is_native(self) -> bool:
        """Whether it is of this program, not of another tool."""
        return not self.source

    @property
    def is_nerf(self) -> bool:
        """Whether it trained NeRFs by this program's own trainer."""
        return self.is_native and not self.trainer

    @property
    def varied(self) -> tuple[Dimension, ...]:
        """What varies: in all trials first, then in branches."""
        own = (dimension for branch in self.branches for dimension in branch.dimensions)
        return (*self.space.dimensions, *own)

    @property
    def trainer(self) -> str:
        """The trainer of the user, as `--trainable` or `--command` names it; empty for the NeRF."""
        return name_trainer(self.spec)

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """All metrics that it was run for; of another tool's sweep the one that was chosen."""
        if not self.is_native:
            return (self.metric,)
        return tuple(make_metric(o, self.is_nerf) for o in read_objectives(self.spec))

    def ranked_by(self, metric: Metric) -> Study:
        """The same study with the score of another of its `metrics`."""
        trials, curves = (add_score(table, metric) for table in (self.trials, self.curves))
        return replace(self, metric=metric, trials=trials, curves=curves)

    @property
    def runs(self) -> pd.Series:
        """How many recorded trials each row of `trials` stands for."""
        return self.trials.get("runs", pd.Series(1, self.trials.index))

    @property
    def has_means(self) -> bool:
        """Whether some rows of `trials` are means of repeats."""
        return bool((self.runs > 1).any())

    @property
    def limitation(self) -> str:
        """Why the trials may not stand for the prior, a clause; empty if they may."""
        return self.design.limitation if self.design else ""

    @property
    def decisive(self) -> dict[int, Assumption]:
        """The assumptions without which the headline is another, by their number from 1."""
        return {i: a for i, a in enumerate(self.assumed, start=1) if a.is_decisive}

    @property
    def has_variants(self) -> bool:
        """Whether it compares named configurations, in place of sampling a space."""
        return bool(self.spec.get("variants"))

    @property
    def defaults(self) -> dict[str, Value]:
        """Default values of the varied parameters.

        Empty for sweeps of other tools, where a parameter is not of this version, for variants, of
        which none is the default, and for a branch, which may not have the default.
        """
        if self.is_branch:
            return {}
        known = all(d.path in self.space.parameters.by_path for d in self.space.dimensions)
        return self.space.defaults() if self.is_native and known and not self.has_variants else {}

    @property
    def default_point(self) -> dict[str, Value]:
        """The same of all parameters that act in the default configuration, of branches, too."""
        return self.whole_space.defaults() if self.defaults else {}

    @property
    def whole_space(self) -> Space:
        """The space with the parameters of branches."""
        return replace(self.space, dimensions=self.varied)

    @property
    def default_configuration(self) -> dict[str, Value]:
        """Default values of all parameters, with near and far from the scene's bounds."""
        if not self.defaults:
            return {}
        return self.space.complete(self.defaults)

    @property
    def trivial_psnrs(self) -> dict[str, float]:
        """PSNR in dB of trivial images (such as all black) by name; empty if not recorded."""
        return dict(self.scene.get("baselines") or {})


def name_trainer(options: Mapping[str, Any]) -> str:
    """The trainer of the user in the `spec` of study.json; empty for the NeRF."""
    return str(options.get("trainable", "") or options.get("command", ""))


def load_study(folder: StudyFolder | Path | str, scene: str = "") -> Study:
    """Reads the study in `folder`, finished or not; raises `InputError` if there is none.

    An s3:// or gs:// URL names a copy made by `run_sweep.py --storage`, which is downloaded. Of a
    study of several scenes, the trials on one are read, `scene`, near and far in its own units.

    Example:
        >>> study = load_study("studies/default")
        >>> study.trials[["trial_id", "outcome", "psnr"]]
    """
    if isinstance(folder, str) and is_url(folder):
        folder = download_study(folder)
    folder = folder if isinstance(folder, StudyFolder) else StudyFolder(Path(folder))
    spec = folder.read_spec()
    trials, curves = folder.read_trials(), folder.read_curves()
    turns = len(spec.get("scenes", ())) or 1
    if "scenes" in spec or scene:
        spec = _on_scene(spec, scene)
        trials = trials[trials[SCENE_COLUMN] == scene].drop(columns=SCENE_COLUMN)
        trials = trials.reset_index(drop=True)
        curves = curves[curves["trial_id"].isin(trials["trial_id"])].reset_index(drop=True)
    about, options = spec.get("scene", {}), spec.get("spec", {})
    whole = _relabel(Space.from_json(spec["space"]))
    space, branches, trials = divide_branches(whole, trials)
    objectives, is_nerf = read_objectives(options), not name_trainer(options)
    metric = make_metric(objectives[0], is_nerf)
    trials = add_score(trials, metric)
    quality = "psnr" if is_nerf or objective.PSNR in objectives else "score"
    design = _identify_design(options, space, trials, branches)
    return Study(
        folder=folder,
        name=str(spec.get("name", folder.name)),
        created=str(spec.get("created", "")),
        scene=about,
        spec=options,
        versions=spec.get("versions", {}),
        command=tuple(map(str, spec.get("command", ()))),
        space=narrow_to_run(space, trials) if design and not branches else space,
        trials=add_outcomes(trials, about.get("baselines") or {}, quality),
        curves=add_score(curves, metric),
        metric=metric,
        design=design,
        branches=branches,
        scene_label=scene,
        turns=turns,
        looks=tuple(spec.get("looks", ())),
        cut=spec.get("cut", {}),
    )


def list_scenes(folder: StudyFolder) -> tuple[str, ...]:
    """The labels of a study's scenes; empty for a study of one."""
    return tuple(folder.read_spec().get("scenes", ()))


def _on_scene(document: Mapping[str, Any], scene: str) -> dict[str, Any]:
    """study.json as of a study of one of its scenes; raises `InputError` if it has no such."""
    scenes = document.get("scenes", {})
    if scene not in scenes:
        known = f"is of the scenes {', '.join(scenes)}" if scenes else "is of one scene"
        remedy = f"name one of them by scene={next(iter(scenes))!r}" if scenes else "leave it out"
        raise InputError(f"study {document['name']} {known}, got scene={scene!r}; {remedy}")
    spec = StudySpec.from_json(document).of_scene(scene)
    about = {"scene": scenes[scene], "spec": spec.to_json(), "space": spec.space.to_json()}
    return {**document, **about}


def _identify_design(
    options: Mapping[str, Any], space: Space, trials: pd.DataFrame, branches: Sequence[Branch]
) -> Design | None:
    """The design of a grid that was not run as a whole, or runs some values more often."""
    if branches and options.get("design") == "grid":
        return Design("uneven grid", len(trials), "branches have different numbers of cells")
    return identify_cut_grid(options, space, trials)


def _relabel(space: Space) -> Space:
    """The space with today's names of parameters that earlier versions recorded by another."""
    dimensions = (replace(d, label=_RELABELLED.get(d.label, d.label)) for d in space.dimensions)
    return replace(space, dimensions=tuple(dimensions))


def add_score(table: pd.DataFrame, metric: Metric = PSNR) -> pd.DataFrame:
    """The trials or curves of a study of this program, scored by their metric."""
    column = metric.column if metric.column in table else _CURVE_COLUMNS[metric.column]
    return table.assign(score=metric.values(table[column]))


def design_folds(study: Study, trials: pd.DataFrame) -> NDArray[np.intp] | None:
    """(trials,) folds of explored trials for cross-validation; None for random ones.

    The design is made of several nets, each scrambled on its own (`study/search/sobol_design.py`).
    A whole net is left out at a time: points of one net share its regularities, so that a
    surrogate would seem to predict what only repeats.
    """
    nets = int(study.spec.get("nets", 1))
    if nets < 2:
        return None
    if NET in study.trials:
        return np.asarray(trials[NET], dtype=np.intp)
    return nets_of(study, nets).loc[trials.index].to_numpy(dtype=np.intp)


def nets_of(study: Study, nets: int) -> pd.Series:
    """The net of each explored trial of a whole study, by the table's index."""
    explored = study.trials.loc[study.trials["phase"] == "explore", "number"]
    places = explored.rank(method="first").astype(int) - 1
    return places % nets
