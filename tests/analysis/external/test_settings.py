"""Which settings are analysed, over which domains, and what is left out."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from analysis.external.question import Question
from analysis.external.settings import Settings, choose_settings, unite_domains
from analysis.external.sweep import ExternalTrial, Setting, Sweep
from nerf.common.errors import InputError
from study.spec.space import Dimension


def trials(**columns: list[Setting]) -> list[ExternalTrial]:
    """Trials with these settings; one that is "absent" is not among a trial's."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    present = [{name: value for name, value in row.items() if value != "absent"} for row in rows]
    return [ExternalTrial(str(i), "completed", row) for i, row in enumerate(present)]


def choose(made: list[ExternalTrial], question: Question | None = None) -> Settings:
    return choose_settings(Sweep("CSV", "runs", tuple(made)), made, question or Question())


def uniform(count: int = 64) -> list[Setting]:
    return [float(v) for v in np.random.default_rng(0).random(count)]


def test_names_of_our_columns_become_parameters_of_their_own() -> None:
    names = ["psnr", "state", "phase", "seed", "number", "outcome", "score", "trial_id"]
    made = choose(trials(**{name: uniform() for name in names})).dimensions
    assert [d.path for d in made.values()] == [f"params.{name}" for name in names]
    assert [d.label for d in made.values()] == names


def test_constant_settings_are_left_out_by_name() -> None:
    rare: list[Setting] = [value if i < 20 else "absent" for i, value in enumerate(uniform())]
    made = choose(trials(x=uniform(), fixed=[3] * 64, rare=rare))
    assert list(made.dimensions) == ["x", "rare"]
    assert made.left_out == ("fixed: always 3",)


def test_parameters_and_ignored_ones() -> None:
    made = trials(a=uniform(), b=uniform(), c=uniform())
    assert list(choose(made, Question(parameters=("a", "b"))).dimensions) == ["a", "b"]
    assert list(choose(made, Question(ignored=("a",))).dimensions) == ["b", "c"]
    with pytest.raises(InputError, match=r"--ignore: runs has no parameter 'aa'; did you mean a\?"):
        choose(made, Question(ignored=("aa",)))


def test_a_prior_wins_over_what_the_values_look_like() -> None:
    prior = Dimension("n", "float", 1.0, 100.0, True, label="n")
    made = choose(trials(n=[int(1 + 99 * v) for v in uniform()]), Question(priors=(prior,)))
    assert made.dimensions["n"] == Dimension("n", "int", 1.0, 100.0, True, label="n")
    assert not made.assumed
    with pytest.raises(InputError, match="not numbers"):
        choose(trials(n=["a", "b"] * 32), Question(priors=(prior,)))


def test_ranges_that_changed_between_trials_are_united_and_named() -> None:
    first = Dimension("x", "float", 0.0, 1.0, label="x")
    second = Dimension("x", "float", 0.5, 3.0, label="x")
    united, text = unite_domains([first, first, second])
    assert united == Dimension("x", "float", 0.0, 3.0, label="x")
    assert "changed between trials" in text
    assert unite_domains([first, first]) == (first, "")
    choices = [Dimension("x", "choice", choices=c, label="x") for c in (("a", "b"), ("b", "c"))]
    assert unite_domains(choices)[0].choices == ("a", "b", "c")
    with pytest.raises(InputError, match="--ignore x"):
        unite_domains([first, choices[0]])


def test_choices_of_several_types_become_texts() -> None:
    mixed: list[Setting] = ["relu", None, True, 2] * 16
    domain = Dimension("act", "choice", choices=("relu", "None", "True", "2"), label="act")
    recorded = dataclasses.replace(domain, choices=("relu", None, True, 2))  # type: ignore[arg-type]
    made = [
        ExternalTrial(str(i), "completed", {"act": v}, domains={"act": recorded})
        for i, v in enumerate(mixed)
    ]
    assert choose(made).dimensions == {"act": domain}
    assert choose(trials(flag=[True, False] * 32)).dimensions["flag"].choices == (False, True)
