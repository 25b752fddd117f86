"""Which settings of a sweep become parameters of the analysis, and over which domains."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from analysis.data.assumption import Assumption
from analysis.external.priors import estimate_domain
from analysis.external.question import Question
from analysis.external.sweep import ExternalTrial, Setting, Sweep
from nerf.common.errors import InputError, closest
from study.records.schema import TRIAL_COLUMNS
from study.spec.space import Dimension

_OWN_COLUMNS = {*TRIAL_COLUMNS, "outcome", "score", "step"}

_MAX_MISSING = 0.2  # of the trials: a setting that more of them lack is left out, else the trials


@dataclass(frozen=True)
class OpenDomain:
    """A domain that the record leaves open, with its other reading."""

    place: int
    """Of its assumption in the list."""
    chosen: Dimension
    other: Dimension


@dataclass(frozen=True)
class Settings:
    """The parameters of an analysis.

    names: setting -> dimension; the dimension's path differs from the setting's name where that is
    the name of a column of ours
    """

    names: dict[str, Dimension]
    assumed: tuple[Assumption, ...]
    left_out: tuple[str, ...]
    open_domains: tuple[OpenDomain, ...]


def choose_settings(sweep: Sweep, trials: Sequence[ExternalTrial], question: Question) -> Settings:
    """The parameters that `trials` share and vary, as far as the question leaves them in.

    Raises `InputError` if the question names one that the sweep does not have.
    """
    known = list(dict.fromkeys(name for trial in trials for name in trial.settings))
    _check_names(sweep, question, known)
    priors = {prior.path: prior for prior in question.priors}
    names: dict[str, Dimension] = {}
    assumed: list[Assumption] = []
    left_out: list[str] = []
    open_domains: list[OpenDomain] = []
    for name in known:
        if name in question.ignored or (question.parameters and name not in question.parameters):
            continue
        holders = [trial for trial in trials if name in trial.settings]
        if len(holders) < (1 - _MAX_MISSING) * len(trials):
            left_out.append(f"{name}: {len(trials) - len(holders)} of {len(trials)} trials lack it")
            continue
        values = [trial.settings[name] for trial in holders]
        if len(set(map(repr, values))) < 2:
            left_out.append(f"{name}: always {values[0]}")
            continue
        if name in priors:
            names[name] = _named(name, _typed_prior(priors[name], values))
            continue
        domains = [trial.domains[name] for trial in holders if name in trial.domains]
        if len(domains) == len(holders):
            domain, text = unite_domains(domains)
            if text:
                assumed.append(Assumption(f"{name}: {text}", f"--prior {name}=LOW:HIGH"))
            names[name] = _named(name, domain)
            continue
        estimate = estimate_domain(name, values)
        if estimate.dimension is None:
            left_out.append(f"{name}: {estimate.text}")
            continue
        names[name] = _named(name, estimate.dimension)
        option = f"--prior {spell_prior(estimate.alternative or estimate.dimension)}"
        assumed.append(Assumption(f"{name}: {estimate.text}", option))
        if estimate.alternative is not None:
            place = len(assumed) - 1
            open_domains.append(OpenDomain(place, names[name], _named(name, estimate.alternative)))
    return Settings(names, tuple(assumed), tuple(left_out), tuple(open_domains))


def unite_domains(domains: Sequence[Dimension]) -> tuple[Dimension, str]:
    """One domain for all trials, and what was assumed if they were given different ones."""
    distinct = list(dict.fromkeys(domains))
    if len(distinct) == 1:
        return distinct[0], ""
    last = distinct[-1]
    if all(d.choices for d in distinct):
        choices = tuple(dict.fromkeys(choice for d in distinct for choice in d.choices))
        united = dataclasses.replace(last, choices=choices, weights=())
    elif any(d.choices for d in distinct):
        raise InputError(
            f"{last.path} was both a list of choices and a range; leave it out by "
            f"--ignore {last.path}"
        )
    else:
        united = dataclasses.replace(
            last,
            low=min(d.low for d in distinct),
            high=max(d.high for d in distinct),
            step=last.step if len({d.step for d in distinct}) == 1 else 0.0,
            log=all(d.log for d in distinct),
        )
    return united, f"its range changed between trials; analysed over the union, {united}"


def spell_prior(dimension: Dimension) -> str:
    """A range as `--prior` takes it; of choices, the name alone with its range."""
    if dimension.choices:
        return f"{dimension.path}=LOW:HIGH"
    log = ":log" if dimension.log else ""
    return f"{dimension.path}={dimension.low:g}:{dimension.high:g}{log}"


def _named(name: str, dimension: Dimension) -> Dimension:
    """The dimension under a path that is not a column of ours."""
    path = f"params.{name}" if name in _OWN_COLUMNS else name
    return dataclasses.replace(dimension, path=path, label=name)


def _typed_prior(prior: Dimension, values: Sequence[Setting]) -> Dimension:
    """A prior of `--prior` as an integer one if all values are whole numbers."""
    if any(isinstance(value, str | bool) or value is None for value in values):
        raise InputError(
            f"--prior {prior.path} is a range, but {prior.path} has values that are not numbers"
        )
    if all(float(value).is_integer() for value in values if value is not None):
        return dataclasses.replace(prior, kind="int")
    return prior


def _check_names(sweep: Sweep, question: Question, known: Sequence[str]) -> None:
    named = {
        "--parameters": question.parameters,
        "--ignore": question.ignored,
        "--prior": tuple(prior.path for prior in question.priors),
    }
    columns = {*known, *(name for trial in sweep.trials for name in trial.metrics)}
    for option, names in named.items():
        for name in names:
            if name not in columns:
                raise InputError(
                    f"{option}: {sweep.name} has no parameter {name!r}{closest(name, list(known))}"
                )
