"""The parameters of a trainer: what a study may vary, set and record.

`NERF` are those of this project's NeRF, `DeclaredParameters` those of any other trainer. Both are
plain values: a study is read and reported on without the code of its trainer.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from nerf.common.errors import InputError, closest
from nerf.config import flat as nerf_flat
from nerf.config.domain import Domain
from nerf.config.flat import Flat
from nerf.config.parameters import Parameter, Value, list_parameters
from nerf.config.plugin import loaded_plugins
from nerf.config.schema import NerfConfig
from nerf.config.sections import added_sections
from study.trainers.nerf_size import describe_size
from study.trainers.trainer import Trainer

STEPS, SEED = "steps", "seed"
"""Fields of a trainer's dataclass that take a trial's full budget and its seed, if it has them."""


class ParameterSet(Protocol):
    """The parameters of a trainer, and how their values become its configuration."""

    @property
    def by_path(self) -> Mapping[str, Parameter]:
        """Every parameter by its path, in the order of declaration."""

    @property
    def is_nerf(self) -> bool:
        """Whether they are those of this project's NeRF."""

    @property
    def not_varied(self) -> tuple[str, ...]:
        """Those that belong to a study's budget or design."""

    @property
    def steps_path(self) -> str:
        """The one that takes the full budget of a trial; empty if none does."""

    def complete(self, settings: Flat, defaults: Flat) -> dict[str, Value]:
        """The values of all parameters, `settings` above `defaults`, derived ones included.

        Raises `InputError` for an unknown path, a value of the wrong type, and one that the
        configuration rejects.
        """

    def config(self, settings: Flat, defaults: Flat) -> Any:
        """The configuration that `train(config, run)` receives; raises as `complete`."""

    def describe_size(self, settings: Flat, defaults: Flat) -> str:
        """The values that decide how much memory a trial needs, in words."""

    def value_before_added(self, path: str) -> Value:
        """What a trial did whose record does not name the parameter."""

    def complete_earlier(self, recorded: Flat) -> dict[str, Value]:
        """The values in a record of every parameter, which an earlier version may have written."""


def get_parameter(path: str, parameters: ParameterSet) -> Parameter:
    """The parameter at `path`; raises `InputError` that names the closest path if unknown."""
    if path not in parameters.by_path:
        hint = closest(path, list(parameters.by_path))
        raise InputError(f"unknown parameter {path!r}{hint} (--help lists all parameters)")
    return parameters.by_path[path]


def default_values(parameters: ParameterSet) -> dict[str, Value]:
    """The default of every parameter."""
    return {path: parameter.default for path, parameter in parameters.by_path.items()}


@dataclass(frozen=True)
class NerfParameters:
    """The parameters of this version's `NerfConfig`, and of plugins."""

    recorded: tuple[Parameter, ...] = ()
    """All parameters as study.json has them, of a study with plugins; empty without plugins."""

    @functools.cached_property
    def _recorded_by_path(self) -> Mapping[str, Parameter]:
        return {parameter.path: parameter for parameter in self.recorded}

    @property
    def by_path(self) -> Mapping[str, Parameter]:
        return self._recorded_by_path or list_parameters()

    @property
    def is_nerf(self) -> bool:
        return True

    @property
    def not_varied(self) -> tuple[str, ...]:
        evaluation = ("evaluation.times", "evaluation.pixels", "evaluation.final_pixels")
        return (self.steps_path, *evaluation, SEED)

    @property
    def steps_path(self) -> str:
        return "optimisation.steps"

    def complete(self, settings: Flat, defaults: Flat) -> dict[str, Value]:
        if not self._has_code:
            return nerf_flat.complete_without_code(settings, defaults, self.by_path)
        return nerf_flat.flatten(self.config(settings, defaults))

    @property
    def _has_code(self) -> bool:
        """Whether this process has the code of all choices and sections: not of a report."""
        known = list_parameters()
        return all(
            path in known and set(p.choices) <= set(known[path].choices)
            for path, p in self._recorded_by_path.items()
        )

    def config(self, settings: Flat, defaults: Flat) -> NerfConfig:
        return nerf_flat.build(settings, _nerf_config(tuple(defaults.items())))

    def describe_size(self, settings: Flat, defaults: Flat) -> str:
        return describe_size(self.config(settings, defaults))

    def value_before_added(self, path: str) -> Value:
        return nerf_flat.value_before_added(path, self.by_path[path].default)

    def complete_earlier(self, recorded: Flat) -> dict[str, Value]:
        return nerf_flat.complete_earlier(recorded)

    def to_json(self) -> list[dict[str, Any]]:
        """The recorded parameters, for study.json."""
        return [_parameter_to_json(parameter) for parameter in self.recorded]

    @staticmethod
    def from_json(data: list[Mapping[str, Any]]) -> NerfParameters:
        """Reads what `to_json` gave."""
        return NerfParameters(tuple(map(_parameter_from_json, data)))

    @staticmethod
    def with_plugins() -> NerfParameters:
        """Those of this process, recorded where plugins are loaded."""
        return NerfParameters(tuple(list_parameters().values())) if loaded_plugins() else NERF


def _nerf_config(defaults: tuple[tuple[str, Value], ...]) -> NerfConfig:
    return _cached_config(defaults, tuple(added_sections().values()))


@functools.lru_cache(maxsize=8)
def _cached_config(
    defaults: tuple[tuple[str, Value], ...], _sections_of_plugins: tuple[type, ...]
) -> NerfConfig:
    """The default configuration, made once for the plugins that are loaded."""
    return nerf_flat.build(dict(defaults))


NERF = NerfParameters()


@dataclass(frozen=True)
class DeclaredParameters:
    """The parameters that a trainer's dataclass declares, as study.json has them."""

    declared: tuple[Parameter, ...]
    trainer: Trainer | None = None
    """The trainer; None where the study is read without its code, as for a report."""

    @functools.cached_property
    def by_path(self) -> Mapping[str, Parameter]:
        return {parameter.path: parameter for parameter in self.declared}

    @property
    def is_nerf(self) -> bool:
        return False

    @property
    def not_varied(self) -> tuple[str, ...]:
        return (self.steps_path or STEPS, SEED)

    @property
    def steps_path(self) -> str:
        # Steps of a section could be those of anything, such as a solver, but in our own NeRF.
        of_nerf = {path for path, parameter in NERF.by_path.items() if not parameter.sets}
        own = NERF.steps_path if of_nerf <= self.by_path.keys() else STEPS
        return own if own in self.by_path else ""

    def complete(self, settings: Flat, defaults: Flat) -> dict[str, Value]:
        values = self._values(settings, defaults)
        if self.trainer:
            self.config(settings, defaults)
        return values

    def config(self, settings: Flat, defaults: Flat) -> Any:
        if self.trainer is None:
            raise InputError("the trainer of this study is not loaded; name it by --trainable")
        values = self._values(settings, defaults)
        return self.trainer.load().build(values)

    def describe_size(self, settings: Flat, defaults: Flat) -> str:
        values = self._values(settings, defaults)
        sizes = [p.path for p in self.declared if p.kind == "int" and p.path not in self.not_varied]
        return ", ".join(f"{path}={values[path]}" for path in sizes) or "these parameters"

    def value_before_added(self, path: str) -> Value:
        return self.by_path[path].default

    def complete_earlier(self, recorded: Flat) -> dict[str, Value]:
        return dict(recorded)

    def _values(self, settings: Flat, defaults: Flat) -> dict[str, Value]:
        known = {p: v for p, v in settings.items() if p != SEED or SEED in self.by_path}
        checked = {path: get_parameter(path, self).check(v) for path, v in known.items()}
        # The seed of a trial, also where the configuration has none: a column of every table.
        seed = {SEED: settings[SEED]} if SEED in settings else {}
        return {**default_values(self), **defaults, **checked, **seed}

    def to_json(self) -> list[dict[str, Any]]:
        """The parameters, for study.json."""
        return [_parameter_to_json(parameter) for parameter in self.declared]

    @staticmethod
    def from_json(data: list[Mapping[str, Any]]) -> DeclaredParameters:
        """Reads what `to_json` gave."""
        return DeclaredParameters(tuple(map(_parameter_from_json, data)))

    @staticmethod
    def of(trainer: Trainer) -> DeclaredParameters:
        """Those of a trainer, which is loaded; raises `InputError` where that cannot be done."""
        return DeclaredParameters(trainer.load().parameters, trainer)


def _parameter_to_json(parameter: Parameter) -> dict[str, Any]:
    fields = dataclasses.asdict(parameter)
    if not parameter.sets:
        del fields["sets"]
    return fields


def _parameter_from_json(data: Mapping[str, Any]) -> Parameter:
    domain = Domain(**data["domain"]) if data["domain"] else None
    return Parameter(**{**data, "domain": domain, "choices": tuple(data["choices"])})
