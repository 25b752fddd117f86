"""Which trials have parameters of their own, and which parameter decides that."""

from __future__ import annotations

from analysis.data.design import Branch
from analysis.external.branches import find_branches
from analysis.external.sweep import ExternalTrial, Setting
from study.spec.dimension import Dimension

OPTIMIZER = Dimension("optimizer", "choice", choices=("adam", "sgd", "rmsprop"), label="optimizer")
LAYERS = Dimension("layers", "int", 1, 3, label="layers")
MOMENTUM = Dimension("momentum", "float", 0.0, 1.0, label="momentum")
NESTEROV = Dimension("nesterov", "bool", choices=(False, True), label="nesterov")
UNITS_2 = Dimension("units_2", "int", 8, 64, label="units_2")


def _trials(*settings: dict[str, Setting]) -> list[ExternalTrial]:
    return [ExternalTrial(str(i), "completed", s) for i, s in enumerate(settings)]


def test_a_choice_decides_which_trials_have_a_momentum() -> None:
    trials = _trials(
        *[{"optimizer": "sgd", "momentum": i / 20} for i in range(20)],
        *[{"optimizer": "rmsprop", "momentum": i / 20} for i in range(20)],
        *[{"optimizer": "adam"}] * 20,
    )
    branches = find_branches(trials, {"optimizer": OPTIMIZER}, {"momentum": MOMENTUM})
    assert branches == (Branch("optimizer", ("rmsprop", "sgd"), (MOMENTUM,)),)


def test_a_number_decides_which_trials_have_a_second_layer() -> None:
    trials = _trials(
        *[{"layers": 1 + i % 3} | ({"units_2": 8 + i} if i % 3 else {}) for i in range(48)]
    )
    (branch,) = find_branches(trials, {"layers": LAYERS}, {"units_2": UNITS_2})
    assert (branch.parent, branch.values) == ("layers", (2, 3))


def test_a_parameter_of_a_branch_decides_within_it() -> None:
    trials = _trials(
        *[{"optimizer": "sgd", "nesterov": True, "momentum": i / 20} for i in range(20)],
        *[{"optimizer": "sgd", "nesterov": False}] * 20,
        *[{"optimizer": "adam"}] * 20,
    )
    conditional = {"nesterov": NESTEROV, "momentum": MOMENTUM}
    outer, inner = find_branches(trials, {"optimizer": OPTIMIZER}, conditional)
    assert outer == Branch("optimizer", ("sgd",), (NESTEROV,))
    assert inner == Branch("nesterov", (True,), (MOMENTUM,))


def test_without_a_parameter_that_decides_many_trials_must_lack_it() -> None:
    half = _trials(*[{"layers": i % 3} | ({"momentum": 0.5} if i % 2 else {}) for i in range(60)])
    (branch,) = find_branches(half, {"layers": LAYERS}, {"momentum": MOMENTUM})
    assert branch == Branch("", (), (MOMENTUM,))
    most = _trials(*[{"layers": i % 3} | ({"momentum": 0.5} if i % 9 else {}) for i in range(60)])
    assert find_branches(most, {"layers": LAYERS}, {"momentum": MOMENTUM}) == ()


def test_a_handful_of_trials_is_no_branch() -> None:
    trials = _trials(
        *[{"optimizer": "sgd", "momentum": 0.1 * i} for i in range(8)],
        *[{"optimizer": "adam"}] * 40,
    )
    assert find_branches(trials, {"optimizer": OPTIMIZER}, {"momentum": MOMENTUM}) == ()
