"""Names of samplers, as tools record them."""

from __future__ import annotations

import pytest

from analysis.external.proposals import Proposals


@pytest.mark.parametrize(
    "sampler",
    [
        "tpe", "gp", "cma-es", "nsga-ii", "nsga-iii", "lightgbm tuner", "pbt", "pb2", "bayes",
        "search algorithm", "TPESampler", "GPSampler", "CmaEsSampler", "NSGAIISampler",
        "HyperOptSearch", "AxSearch", "BayesOptSearch", "BOHB", "TuneBOHB", "NevergradSearch",
        "OptunaSearch", "ZOOptSearch", "HEBOSearch", "SkOptSearch", "CFO", "BlendSearch", "SMAC",
        "dehb", "random forest", "Population Based Training", "simulated annealing", "BoTorch",
    ],
)  # fmt: skip
def test_what_follows_results_is_adaptive(sampler: str) -> None:
    assert Proposals(sampler).is_adaptive
    assert not Proposals(sampler).is_uniform


@pytest.mark.parametrize(
    "sampler",
    ["random", "RandomSampler", "qmc", "QMCSampler", "grid", "GridSampler", "sobol", "LHS"],
)
def test_what_draws_from_the_prior_is_uniform(sampler: str) -> None:
    assert Proposals(sampler).is_uniform
    assert not Proposals(sampler).is_adaptive


@pytest.mark.parametrize("sampler", ["", "enqueued", "gpu worker", "default"])
def test_other_names_show_nothing(sampler: str) -> None:
    assert not Proposals(sampler).is_uniform
    assert not Proposals(sampler).is_adaptive
