"""Sets of studies of one design on several scenes, with known rates and effects.

In study i a run with levels l_j of the parameters j

    breaks   with probability  b_i prod_j B_ij[l_j]; half of those collapse, half show nothing
    scores   m_i + sum_j F_ij[l_j] dB where it trains, plus noise of the seed
    takes    exp(sum_j T_ij[l_j]) times 10 s, plus noise of its logarithm

F_ij and T_ij of the studies scatter about F_j and T_j, which the studies are a sample of.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulated.objective import FloatArray, Objective, constant
from simulated.truth import Truth
from study.spec.parse_space import parse_space

SET_SIZE = 5

DENSITY, CROP, NOISE, HIDDEN = (
    "field.density_activation",
    "optimisation.crop_steps",
    "optimisation.density_noise",
    "field.hidden_activation",
)
_VARY = (DENSITY, f"{CROP}=0,50,100,200", f"{NOISE}=0,1", f"{HIDDEN}=relu,softplus,sine")

Tables = Mapping[str, Sequence[float]]
"""Parameter -> a number for each of its levels; parameters without one do nothing."""

_DENSITY_FACTORS = (1.0, 0.6, 0.15, 1.3, 1.95)
_CROP_FACTORS = (1.4, 0.9, 0.5, 0.4)
_BREAKING: Tables = {DENSITY: _DENSITY_FACTORS, CROP: _CROP_FACTORS}
_MIRRORED: Tables = {DENSITY: _DENSITY_FACTORS[::-1], CROP: _CROP_FACTORS[::-1]}
_PSNR: Tables = {DENSITY: (0.0, -0.5, 0.4, 0.0, -1.0), CROP: (0.0, 0.3, 0.4, 0.2)}
_LOG_SECONDS: Tables = {CROP: (0.0, 0.01, 0.02, 0.05), HIDDEN: (0.0, 0.1, 0.2)}

_PSNR_SCATTER = 0.3  # standard deviation in dB of an effect between studies
_LOG_SECONDS_SCATTER = 0.03
_MAX_RATE = 0.97


@dataclass(frozen=True)
class SetKind:
    """How the studies of a set are drawn.

    rates: b_i are drawn from these; breaking: of each study, B_ij
    psnr, log_seconds: F_j and T_j
    """

    name: str
    rates: tuple[float, ...]
    breaking: tuple[Tables, ...]
    psnr: Tables
    log_seconds: Tables


SET_KINDS = (
    SetKind("equal levels", (0.0, 0.1, 0.3, 0.6), ({},) * SET_SIZE, {}, {}),
    SetKind("one order", (0.1, 0.25, 0.4), (_BREAKING,) * SET_SIZE, _PSNR, _LOG_SECONDS),
    SetKind(
        "one scene reverses", (0.1, 0.25, 0.4), (*(_BREAKING,) * (SET_SIZE - 1), _MIRRORED),
        _PSNR, _LOG_SECONDS,
    ),
    SetKind(
        "one scene breaks", (0.4,), (_BREAKING, *({CROP: (0.0,) * 4},) * (SET_SIZE - 1)),
        _PSNR, _LOG_SECONDS,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class StudySet:
    """The objectives of a set, one for each study, by the labels of their scenes."""

    kind: SetKind
    objectives: Mapping[str, Objective]

    @property
    def truths(self) -> dict[str, Truth]:
        """The truth of each study, by its label."""
        return {label: Truth(objective) for label, objective in self.objectives.items()}

    def effect(self, tables: Tables, path: str, level: int, reference: int) -> float:
        """The mean effect of a level against another, of the studies that these are a sample of."""
        table = tables.get(path)
        return 0.0 if table is None else table[level] - table[reference]


def find_set_kind(name: str) -> SetKind | None:
    return next((kind for kind in SET_KINDS if kind.name == name), None)


def make_set(kind: SetKind, index: int) -> StudySet:
    """The `index`-th set; always the same."""
    rng = np.random.default_rng((zlib.crc32(kind.name.encode()), index))
    objectives = [_make_objective(kind, index, i, rng) for i in range(SET_SIZE)]
    return StudySet(kind, {objective.name: objective for objective in objectives})


def _make_objective(kind: SetKind, index: int, i: int, rng: np.random.Generator) -> Objective:
    breaking = _Product(kind.breaking[i], float(rng.choice(kind.rates)))
    psnr = _Sum(_scatter(kind.psnr, _PSNR_SCATTER, rng), 20.0 + float(rng.uniform(0, 6)))
    log_seconds = _Sum(_scatter(kind.log_seconds, _LOG_SECONDS_SCATTER, rng), np.log(10.0))

    def seconds(u: FloatArray) -> FloatArray:
        return np.asarray(np.exp(log_seconds(u)))

    return Objective(
        f"{kind.name} {index}, scene {i}", "reported", _VARY, psnr, constant(0.45),
        breaking.collapse, breaking.silent, seconds=seconds, seconds_sd=0.1,
    )  # fmt: skip


def _scatter(tables: Tables, sd: float, rng: np.random.Generator) -> Tables:
    """The effects in one study: those of all studies, and a deviation of its own.

    Levels of a table deviate each by sd / sqrt(2), so that two of them differ by sd.
    """
    scattered = {}
    for path, count in _count_levels().items():
        centre = np.asarray(tables.get(path, (0.0,) * count))
        scattered[path] = tuple((centre + sd / 2**0.5 * rng.normal(size=count)).tolist())
    return scattered


@functools.cache
def _count_levels() -> Mapping[str, int]:
    return {d.path: len(d.choices) for d in parse_space(_VARY, {}).dimensions}


def _look_up(tables: Tables, u: FloatArray) -> list[FloatArray]:
    """For each table the numbers of the levels of each point."""
    counts = _count_levels()
    levels = {path: (u[:, j] * n).astype(int) for j, (path, n) in enumerate(counts.items())}
    return [np.asarray(table)[levels[path]] for path, table in tables.items()]


@dataclass(frozen=True)
class _Product:
    """Probability of breaking: `rate` times a factor for each level, at most `_MAX_RATE`."""

    tables: Tables
    rate: float

    def collapse(self, u: FloatArray) -> FloatArray:
        return 0.5 * self._breaks(u)

    def silent(self, u: FloatArray) -> FloatArray:
        """Of the runs that do not collapse."""
        half = 0.5 * self._breaks(u)
        return np.asarray(half / (1.0 - half))

    def _breaks(self, u: FloatArray) -> FloatArray:
        product = np.prod([np.ones(len(u)), *_look_up(self.tables, u)], axis=0)
        return np.asarray(np.minimum(self.rate * product, _MAX_RATE))


@dataclass(frozen=True)
class _Sum:
    """A constant plus a number for each level."""

    tables: Tables
    constant: float

    def __call__(self, u: FloatArray) -> FloatArray:
        return np.asarray(self.constant + np.sum(_look_up(self.tables, u), axis=0))
