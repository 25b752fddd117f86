"""Tables by how their trials were chosen: sequences, correlated, selected and small designs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.stats import norm, qmc

from foreign.case import Truth, case
from foreign.sample import LR, PARAMETERS, Parameter, draw_sample
from foreign.writing import as_columns, write_csv

_METRIC = "--metric accuracy"
_DEPENDENT = "correlat|depend|together|reweighted"
_ALIKE = "same values|identical|one to one|lr_copy and lr|lr and lr_copy"


@case(_METRIC)
def five_thousand_uniform(folder: Path) -> tuple[Path, Truth]:
    """5,000 uniform draws on (0, 1), whose smallest values look logarithmic."""
    names = {"a": 0.8, "b": 0.12, "c": 0.03, "d": 0.03}
    parameters = [Parameter(name, share) for name, share in names.items()]
    sample = draw_sample(41, trials=5000, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def few_uniform(folder: Path) -> tuple[Path, Truth]:
    """64 uniform draws on (0, 1): too few to see the scale at once."""
    parameters = [Parameter("a", 0.7), Parameter("b", 0.28)]
    sample = draw_sample(42, trials=64, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(f"{_METRIC} --prior lr=1e-6:1:log", f"{_METRIC} --prior lr=1e-6:1:log")
def prior_given(folder: Path) -> tuple[Path, Truth]:
    """lr was drawn from 1e-6 to 1, said by --prior."""
    parameters = (Parameter("lr", 0.6, 1e-6, 1.0, log=True), *PARAMETERS[1:])
    sample = draw_sample(43, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def logarithmic_integers(folder: Path) -> tuple[Path, Truth]:
    """A log-uniform integer from 4 to 512 beside one in steps of 16."""
    parameters = (
        Parameter("hidden", 0.6, 4, 512, log=True, whole=True),
        Parameter("rank", 0.38, choices=tuple(range(16, 161, 16))),
    )
    sample = draw_sample(44, trials=128, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def latin_hypercube(folder: Path) -> tuple[Path, Truth]:
    """A Latin hypercube of 96 points."""
    parameters = _continuous()
    units = qmc.LatinHypercube(3, rng=np.random.default_rng(49)).random(96)
    sample = draw_sample(49, parameters=parameters, units=units)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def sobol_sequence(folder: Path) -> tuple[Path, Truth]:
    """A Sobol' sequence of 128 points."""
    units = qmc.Sobol(3, rng=np.random.default_rng(50)).random(128)
    sample = draw_sample(50, parameters=_continuous(), units=units)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth()


@case(_METRIC)
def correlated_settings(folder: Path) -> tuple[Path, Truth]:
    """A dead setting went up and down with lr, correlation 0.9."""
    rng = np.random.default_rng(51)
    latent = rng.normal(size=(128, 3))
    latent[:, 1] = 0.9 * latent[:, 0] + (1 - 0.9**2) ** 0.5 * latent[:, 1]
    parameters = (
        Parameter("lr", 0.7, 1e-5, 1e-1, log=True),
        Parameter("decay", 0.0, 1e-6, 1e-2, log=True),
        Parameter("dropout", 0.28, 0.05, 0.6),
    )
    sample = draw_sample(51, parameters=parameters, units=norm.cdf(latent))
    path = write_csv(folder / "runs.csv", as_columns(sample))
    return path, sample.truth(dead=("decay",), ranking_needed=False, warning=_DEPENDENT)


@case(_METRIC)
def same_number_twice(folder: Path) -> tuple[Path, Truth]:
    """Two settings that always have the same value: no one can tell which matters."""
    sample = draw_sample(52, parameters=_continuous())
    columns = {"lr_copy": sample.columns["lr"], **as_columns(sample)}
    path = write_csv(folder / "runs.csv", columns)
    shares = {"decay": 0.25, "dropout": 0.13}
    return path, sample.truth(
        shares=shares, unknown=("lr", "lr_copy"), ranking_needed=False, warning=_ALIKE
    )


@case(_METRIC)
def sorted_by_result(folder: Path) -> tuple[Path, Truth]:
    """Rows from the best to the worst: their order says nothing."""
    sample = draw_sample(53)
    order = np.argsort(-sample.metric)
    columns = {name: [v[i] for i in order] for name, v in as_columns(sample).items()}
    return write_csv(folder / "runs.csv", columns), sample.truth()


@case(_METRIC)
def only_the_best(folder: Path) -> tuple[Path, Truth]:
    """The best 96 of 960 trials: of the range that they leave, each setting matters as much."""
    sample = draw_sample(54, trials=960)
    order = np.sort(np.argsort(-sample.metric)[:96])
    columns = {name: [v[i] for i in order] for name, v in as_columns(sample).items()}
    path = write_csv(folder / "runs.csv", columns)
    # lr within the decades seen, the widths 64, 128 and 256, and all of dropout's range.
    decades = float(np.ptp(np.log10(columns["lr"])))
    parts = {"lr": 0.6 * (decades / 4) ** 2, "width": 0.25 * (2 / 3) / (5 / 4), "dropout": 0.13}
    whole = sum(parts.values()) + 0.02
    return path, sample.truth(
        shares={name: part / whole for name, part in parts.items()},
        completed=96, ranking_needed=False, warning="crowd|good results",
    )  # fmt: skip


@case(_METRIC)
def noise_alone(folder: Path) -> tuple[Path, Truth]:
    """Five settings without any effect."""
    names = ("a", "b", "c", "d", "e")
    parameters = [Parameter(name, 0.0, 0.1, 0.9) for name in names]
    sample = draw_sample(55, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth(dead=names)


@case(_METRIC)
def half_noise(folder: Path) -> tuple[Path, Truth]:
    """Half of the variance is noise."""
    parameters = (
        Parameter("lr", 0.4, 1e-5, 1e-1, log=True),
        Parameter("width", 0.1, choices=(32, 64, 128)),
        Parameter("clip", 0.0, 0.1, 10.0, log=True),
    )
    sample = draw_sample(56, trials=192, parameters=parameters)
    return write_csv(folder / "runs.csv", as_columns(sample)), sample.truth(dead=("clip",))


@case(_METRIC)
def interaction(folder: Path) -> tuple[Path, Truth]:
    """a matters by itself and, as much again, with b."""
    rng = np.random.default_rng(57)
    units = rng.random((192, 2))
    a, b = 12**0.5 * (units.T - 0.5)
    metric = 0.7 + 0.05 * (0.5**0.5 * a + 0.45**0.5 * a * b + 0.05**0.5 * rng.normal(size=192))
    columns = {"a": units[:, 0].tolist(), "b": units[:, 1].tolist(), "accuracy": metric.tolist()}
    truth = Truth({"a": 0.95, "b": 0.45}, best=float(metric.max()), completed=192)
    return write_csv(folder / "runs.csv", columns), truth


@case(_METRIC)
def eight_runs(folder: Path) -> tuple[Path, Truth]:
    """Eight runs of four settings."""
    parameters = (*PARAMETERS, Parameter("warmup", 0.0, 10.0, 500.0))
    sample = draw_sample(58, trials=8, parameters=parameters)
    path = write_csv(folder / "runs.csv", as_columns(sample))
    return path, sample.truth(dead=("warmup",), ranking_needed=False)


@case(_METRIC)
def more_settings_than_trials(folder: Path) -> tuple[Path, Truth]:
    """24 settings in 20 trials, of which one matters."""
    dead = tuple(f"x{i}" for i in range(23))
    parameters = [Parameter("lr", 0.9, 1e-5, 1e-1, log=True)]
    parameters += [Parameter(name, 0.0, 0.1, 0.9) for name in dead]
    sample = draw_sample(59, trials=20, parameters=parameters)
    path = write_csv(folder / "runs.csv", as_columns(sample))
    return path, sample.truth(dead=dead, ranking_needed=False)


@case(_METRIC)
def one_setting(folder: Path) -> tuple[Path, Truth]:
    """Only lr was varied; six runs."""
    sample = draw_sample(60, trials=6, parameters=(LR,))
    path = write_csv(folder / "runs.csv", as_columns(sample))
    return path, sample.truth(ranking_needed=False)


@case(_METRIC)
def one_run(folder: Path) -> tuple[Path, Truth]:
    """A table of one run."""
    sample = draw_sample(61, trials=1)
    return write_csv(folder / "runs.csv", as_columns(sample)), Truth(refusal="varies no")


@case(_METRIC)
def branches_in_a_table(folder: Path) -> tuple[Path, Truth]:
    """momentum is empty unless the optimizer is sgd."""
    rng = np.random.default_rng(62)
    parameters = (Parameter("lr", 0.5, 1e-5, 1e-1, log=True), Parameter("momentum", 0.0, 0.5, 0.99))
    sample = draw_sample(62, trials=160, parameters=parameters, scale=0.05)
    sgd = rng.random(160) < 0.5
    metric = sample.metric + 0.05 * 0.4**0.5 * (2 * sgd - 1)
    columns = {
        "optimizer": ["sgd" if s else "adam" for s in sgd],
        "lr": sample.columns["lr"],
        "momentum": [
            m if s else None for m, s in zip(sample.columns["momentum"], sgd, strict=True)
        ],
        "accuracy": metric.tolist(),
    }
    total = 1.0 + 0.4
    truth = Truth(
        {"lr": 0.5 / total, "optimizer": 0.4 / total},
        dead=("momentum",), best=float(metric.max()), completed=160,
    )  # fmt: skip
    return write_csv(folder / "runs.csv", columns), truth


def _continuous() -> tuple[Parameter, ...]:
    return (
        Parameter("lr", 0.6, 1e-5, 1e-1, log=True),
        Parameter("decay", 0.25, 1e-6, 1e-2, log=True),
        Parameter("dropout", 0.13, 0.05, 0.6),
    )
