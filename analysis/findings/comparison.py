"""Comparison of several studies: shares pooled, what breaks training on all of them, and where they
disagree.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis.findings.analyze_study import Findings
from analysis.findings.breaking_across import BreakingAcross, analyze_breaking_across
from analysis.findings.level_effects import LevelEffect, pool_level_effects
from analysis.findings.parameters_across import StudyBreaking
from analysis.importance.shares import SobolShare
from analysis.stats.intervals import SIGNIFICANCE_LEVEL, FloatArray
from analysis.stats.random_effects import Pooled, pool_random_effects
from analysis.stats.rates import adjust_holm
from analysis.surrogate.posterior_draws import widen
from nerf.common.errors import InputError
from nerf.config.parameters import Value

_SEED = 0
_RESOLUTION = 0.01  # of the variance: shares closer than this are never called different


@dataclass(frozen=True)
class ComparedParameter:
    """One parameter's share in each study that varied it and ranked its parameters.

    shares: study name -> share
    pooled: random-effects mean over those studies; None for fewer than two
    disagreeing: pairs of studies whose shares differ significantly, corrected for all pairs
    """

    path: str
    label: str
    shares: dict[str, SobolShare]
    pooled: Pooled | None
    disagreeing: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Comparison:
    """Several studies side by side; parameters of the highest mean share first.

    names: of the studies, in the order in which they were given
    differences: what else differs between the studies and may explain a disagreement
    unranked: study name -> why its parameters are not ranked
    breaking: what breaks training, with study as a block; None for fewer than two studies with
    explored runs, and of other trainers than the NeRF
    levels: what each level of a parameter in `breaking` changes where runs train
    metric: its name, if all studies have the same; else "the result"
    is_native: whether all are studies of this program; is_nerf: of its own trainer
    """

    names: tuple[str, ...]
    parameters: tuple[ComparedParameter, ...]
    differences: tuple[str, ...]
    unranked: dict[str, str]
    breaking: BreakingAcross | None
    levels: tuple[LevelEffect, ...]
    metric: str
    is_native: bool
    is_nerf: bool = True


def compare_studies(studies: Sequence[Findings]) -> Comparison:
    """Compares the shares of several studies, parameter by parameter.

    Raises `InputError` if two studies have the same name or no parameter is varied by two of them.

    Example:
        >>> comparison = compare_studies([analyze_study("studies/a"), analyze_study("studies/b")])
        >>> [(p.label, p.pooled, p.disagreeing) for p in comparison.parameters]
    """
    names = [findings.study.name for findings in studies]
    if len(set(names)) < len(names):
        raise InputError(f"two studies have the same name ({', '.join(names)}); give each its own")
    ranked = [findings for findings in studies if findings.importance.ranked]
    varied = [[d.path for d in findings.study.space.dimensions] for findings in studies]
    paths = list(dict.fromkeys(path for of_study in varied for path in of_study))
    if len(studies) > 1 and len(paths) == sum(map(len, varied)):
        raise InputError("the studies vary no parameter in common; there is nothing to compare")
    compared = [c for path in paths if (c := _compare_parameter(path, ranked)) is not None]
    compared.sort(key=lambda c: -float(np.mean([s.share for s in c.shares.values()])))
    unranked = {f.study.name: f.importance.refusal for f in studies if not f.importance.ranked}
    labelled = label_studies([f for f in studies if f.breaking.overall.trials])
    is_nerf = all(findings.study.is_nerf for findings in studies)
    breaking = _analyze_breaking(labelled) if len(labelled) > 1 and is_nerf else None
    levels = pool_level_effects(labelled, breaking.parameters) if breaking else ()
    metrics = {findings.study.metric.name for findings in studies}
    return Comparison(
        names=tuple(names),
        parameters=tuple(compared),
        differences=_list_differences(studies),
        unranked=unranked,
        breaking=breaking,
        levels=levels,
        metric=metrics.pop() if len(metrics) == 1 else "the result",
        is_native=all(findings.study.is_native for findings in studies),
        is_nerf=is_nerf,
    )


def label_studies(studies: Sequence[Findings]) -> dict[str, Findings]:
    """The studies by their scenes, or by their names where two are of one scene."""
    scenes = [str(f.study.scene.get("name", f.study.name)) for f in studies]
    names = [f.study.name for f in studies]
    labels = scenes if len(set(scenes)) == len(scenes) else names
    return dict(zip(labels, studies, strict=True))


def _analyze_breaking(studies: Mapping[str, Findings]) -> BreakingAcross:
    return analyze_breaking_across(
        [StudyBreaking(label, f.breaking, _find_references(f)) for label, f in studies.items()],
        np.random.default_rng(_SEED),
    )


def _find_references(findings: Findings) -> dict[str, str]:
    """For each varied parameter the level that holds its default, else the first one."""
    defaults = findings.study.defaults
    levels = {p.path: p.rates[0].name for p in findings.breaking.parameters}
    for dimension in findings.study.space.dimensions:
        default = defaults.get(dimension.path)
        if default is not None and dimension.contains(default):
            levels[dimension.path] = findings.breaking.rate_at(dimension, default).name
    return levels


def _compare_parameter(path: str, ranked: Sequence[Findings]) -> ComparedParameter | None:
    shares: dict[str, SobolShare] = {}
    draws: dict[str, FloatArray] = {}  # of each study, (R,) shares
    for findings in ranked:
        paths = [d.path for d in findings.study.space.dimensions]
        model = findings.sobol.model
        if path in paths and model is not None:
            name = findings.study.name
            shares[name] = next(s for s in findings.importance.shares if s.path == path)
            draws[name] = widen(model.sample.variances.shares[paths.index(path)])
    if not shares:
        return None
    pooled = None
    if len(shares) > 1:
        pooled = pool_random_effects(
            [float(d.mean()) for d in draws.values()], [float(d.var()) for d in draws.values()]
        )
    label = next(iter(shares.values())).label
    return ComparedParameter(path, label, shares, pooled, _find_disagreeing(draws))


def _find_disagreeing(draws: Mapping[str, FloatArray]) -> tuple[tuple[str, str], ...]:
    """Pairs of studies whose shares differ: normal tests of the differences, Holm-corrected."""
    from scipy.stats import norm

    pairs = list(itertools.combinations(draws, 2))
    p_values = []
    for a, b in pairs:
        error = float(np.sqrt(draws[a].var() + draws[b].var() + _RESOLUTION**2))
        p_values.append(float(2 * norm.sf(abs(draws[a].mean() - draws[b].mean()) / error)))
    corrected = adjust_holm(p_values)
    return tuple(pair for pair, p in zip(pairs, corrected, strict=True) if p < SIGNIFICANCE_LEVEL)


def _list_differences(studies: Sequence[Findings]) -> tuple[str, ...]:
    """What else differs between the studies: scenes, budgets, domains, held values."""
    differences = []
    scenes = {f.study.name: str(f.study.scene.get("name", "unknown")) for f in studies}
    metrics = {f.study.name: f.study.metric.title for f in studies}
    budgets = {
        f.study.name: int(f.study.trials["budget_steps"].max())
        for f in studies
        if len(f.study.trials)
    }
    compared = (("scene", scenes), ("metric", metrics), ("budget in steps", budgets))
    for what, values in compared:
        if len(set(values.values())) > 1:
            listed = ", ".join(f"{name} {value}" for name, value in values.items())
            differences.append(f"{what}: {listed}")
    return (*differences, *list_domains(studies), *_list_held_values(studies))


def list_domains(studies: Sequence[Findings]) -> Iterator[str]:
    """A line for each parameter that studies vary over different values, with those of each."""
    domains: dict[str, dict[str, str]] = {}
    for findings in studies:
        for dimension in findings.study.space.dimensions:
            values = str(dimension).removeprefix(f"{dimension.path} in ")
            domains.setdefault(dimension.path, {})[findings.study.name] = values
    for path, by_study in domains.items():
        if len(set(by_study.values())) > 1:
            listed = "; ".join(f"{name} {values}" for name, values in by_study.items())
            yield f"values of {path}: {listed}"


def _list_held_values(studies: Sequence[Findings]) -> Iterator[str]:
    """Parameters that are held at different values, or held in one study and varied in another."""
    held = {f.study.name: _held_values(f) for f in studies}
    for path in sorted({path for values in held.values() for path in values}):
        texts = {
            name: str(values[path]) if path in values else "varied" for name, values in held.items()
        }
        if len(set(texts.values())) > 1:
            listed = ", ".join(f"{name} {text}" for name, text in texts.items())
            yield f"{path}: {listed}"


def _held_values(findings: Findings) -> dict[str, Value]:
    """The value of each parameter that a study does not vary; `--set` overrides defaults.

    Without the steps, which are the study's budget.
    """
    space = findings.study.space
    varied = {"optimisation.steps", *(d.path for d in space.dimensions)}
    values = dict(space.parameter_defaults) | dict(space.fixed)
    return {path: value for path, value in values.items() if path not in varied}
