"""Which settings of a sweep become parameters of the analysis, and over which domains."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from analysis.data.assumption import Assumption
from analysis.external.cells import spell_value
from analysis.external.priors import estimate_domain
from analysis.external.question import Question
from analysis.external.sweep import ExternalTrial, Setting, Sweep
from nerf.common.errors import InputError, closest
from study.records.schema import TRIAL_COLUMNS
from study.spec.space import Dimension

_OWN_COLUMNS = {*TRIAL_COLUMNS, "outcome", "score", "step", "runs"}


@dataclass(frozen=True)
class OpenDomain:
    """A domain that the record leaves open, with its other reading."""

    place: int
    """Of its assumption in the list."""
    name: str
    other: Dimension

    def after(self, assumptions: int) -> OpenDomain:
        """The same in a list with this many others before."""
        return dataclasses.replace(self, place=self.place + assumptions)


@dataclass(frozen=True)
class Settings:
    """The parameters of an analysis.

    dimensions: setting -> dimension; the dimension's path differs from the setting's name where
    that is the name of a column of ours
    ranges_changed: some parameter had different ranges in different trials
    """

    dimensions: dict[str, Dimension]
    assumed: tuple[Assumption, ...]
    left_out: tuple[str, ...]
    open_domains: tuple[OpenDomain, ...]
    ranges_changed: bool


@dataclass(frozen=True)
class _Choice:
    """What becomes of one setting: a domain, or the reason to leave it out.

    assumed: what the record leaves open; other: the other reading of it
    plain: an estimate that its values leave no doubt about
    """

    dimension: Dimension | None = None
    reason: str = ""
    assumed: Assumption | None = None
    other: Dimension | None = None
    plain: str = ""
    range_changed: bool = False


def choose_settings(
    sweep: Sweep,
    trials: Sequence[ExternalTrial],
    question: Question,
    seeds: Collection[str] = (),
) -> Settings:
    """The parameters that vary between `trials`, as far as the question leaves them in.

    Some of the trials may lack some of them. Those in `seeds` tell repeats apart, and are left out.

    Raises `InputError` if the question names one that the sweep does not have.
    """
    known = list(dict.fromkeys(name for trial in trials for name in trial.settings))
    _check_names(sweep, question, known)
    wanted = [n for n in question.parameters or known if n in known and n not in question.ignored]
    priors = {prior.path: prior for prior in question.priors}
    choices = {
        n: _Choice(reason=f"marks repeats, no tuning parameter (--parameters {n} analyses it)")
        if n in seeds
        else _choose(n, [t for t in trials if n in t.settings], priors.get(n))
        for n in wanted
    }
    assumed = {n: c.assumed for n, c in choices.items() if c.assumed is not None}
    places = {name: place for place, name in enumerate(assumed)}
    return Settings(
        {n: _named(n, c.dimension) for n, c in choices.items() if c.dimension is not None},
        (*assumed.values(), *_sum_up([c.plain for c in choices.values() if c.plain])),
        tuple(f"{n}: {c.reason}" for n, c in choices.items() if c.reason),
        tuple(
            OpenDomain(places[n], n, _named(n, c.other))
            for n, c in choices.items()
            if c.other is not None
        ),
        any(c.range_changed for c in choices.values()),
    )


def _sum_up(texts: Sequence[str]) -> list[Assumption]:
    """One assumption for all domains that the values leave no doubt about."""
    return [Assumption("; ".join(texts), "--prior NAME=LOW:HIGH[:log]")] if texts else []


def _choose(name: str, holders: Sequence[ExternalTrial], prior: Dimension | None) -> _Choice:
    """The domain of one setting: of `--prior`, else as recorded, else estimated."""
    values = [trial.settings[name] for trial in holders]
    if len(set(map(repr, values))) < 2:
        return _Choice(reason=f"always {spell_value(values[0])}")
    if prior is not None:
        return _Choice(_typed_prior(prior, values))
    domains = [trial.domains[name] for trial in holders if name in trial.domains]
    if len(domains) == len(holders):
        domain, text = unite_domains(domains)
        if not text:
            return _Choice(domain)
        assumed = Assumption(f"{name}: {text}", f"--prior {name}=LOW:HIGH")
        return _Choice(domain, assumed=assumed, range_changed=True)
    estimate = estimate_domain(name, values)
    if estimate.dimension is None:
        return _Choice(reason=estimate.text)
    if estimate.alternative is None and estimate.fits:
        return _Choice(estimate.dimension, plain=f"{name} {estimate.text}")
    option = f"--prior {spell_prior(estimate.alternative or estimate.dimension)}"
    assumed = Assumption(f"{name}: {estimate.text}", option)
    return _Choice(estimate.dimension, assumed=assumed, other=estimate.alternative)


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
    """The dimension under a path that is not a column of ours, with choices of one type."""
    path = f"params.{name}" if name in _OWN_COLUMNS else name
    choices = dimension.choices
    # A table's column holds None beside text, or True beside 1, only as texts.
    if len({_type(choice) for choice in choices}) > 1 or None in choices:
        choices = tuple(dict.fromkeys(map(str, choices)))
    if len(choices) < len(dimension.choices):
        raise InputError(
            f"{name} has different choices that read the same; leave it out by --ignore"
        )
    return dataclasses.replace(dimension, path=path, label=name, choices=choices)


def _type(value: object) -> type:
    return bool if isinstance(value, bool) else float if isinstance(value, int | float) else str


def _typed_prior(prior: Dimension, values: Sequence[Setting]) -> Dimension:
    """A prior of `--prior` as an integer one if all values are whole numbers."""
    if prior.choices:
        return prior
    if any(isinstance(value, str | bool) or value is None for value in values):
        raise InputError(
            f"--prior {prior.path} is a range, but {prior.path} has values that are not numbers"
        )
    if all(float(value).is_integer() for value in values if value is not None):
        return dataclasses.replace(prior, kind="int")
    return prior


def _check_names(sweep: Sweep, question: Question, known: Sequence[str]) -> None:
    """Raises `InputError` if an option names what the sweep does not have, or a range of no use."""
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
            if option == "--prior" and name not in known:
                raise InputError(
                    f"--prior: {name} is an outcome of a run; name it by --parameters if it was set"
                )
