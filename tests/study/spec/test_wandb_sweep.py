"""W&B's sweep.yaml: each key as W&B means it, or one line that names file and key."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nerf.common.errors import InputError
from study import run_sweep
from study.cli.make_plan import make_plan
from study.cli.options import parse_options
from study.spec.parse_space import parse_dimension
from study.spec.study_file import read_study_file
from tests.study.trainers import toy

METRIC = "metric: {name: psnr, goal: maximize}\n"
WIDTH = "parameters: {field.width: {values: [32, 64]}}\n"
RATE = "optimisation.learning_rate"


def read(folder: Path, text: str) -> dict[str, Any]:
    file = folder / "sweep.yaml"
    file.write_text(text)
    return read_study_file(file)


def random_sweep(**parameters: str) -> str:
    """A random sweep of these parameters, `__` for the point in their paths."""
    lines = [f"  {path.replace('__', '.')}: {entry}" for path, entry in parameters.items()]
    return "\n".join(["method: random", METRIC + "parameters:", *lines])


def bayes(*keys: str) -> str:
    """A Bayesian sweep of the width."""
    return METRIC + "\n".join(["method: bayes", *keys, WIDTH])


def random(*keys: str) -> str:
    """A random sweep of the width, without a metric."""
    return "\n".join(["method: random", *keys, WIDTH])


BUDGETS = {
    "grid": (METRIC + "method: grid\n" + WIDTH, {"design": "grid"}, "the 2 cells, each once"),
    "grid, cut": (
        "method: grid\nrun_cap: 4\nparameters:\n"
        "  field.depth: {values: [2, 4, 6]}\n  field.width: {values: [32, 64]}",
        {"design": "grid", "explore": 4},
        "the first 4 of 6 cells",
    ),
    "grid, large cap": ("method: grid\nrun_cap: 9\n" + WIDTH, {"design": "grid"}, "the 2 cells"),
    "random": (
        random("run_cap: 24"),
        {"design": "random", "explore": 24, "optimize": 0},
        "random with run_cap 24 is design = random, explore = 24, optimize = 0, replicates = 0",
    ),
    "random, no cap": (
        random(),
        {"explore": 56, "optimize": 0},
        "no run_cap, which W&B would run until it is stopped",
    ),
    "bayes": (
        bayes("run_cap: 60"),
        {"explore": 15, "optimize": 45},
        "bayes with run_cap 60 is explore = 15, optimize = 45, replicates = 0",
    ),
    "bayes, small": (
        bayes("run_cap: 20"),
        {"explore": 8, "optimize": 12},
        "the first of the optimised trials is the default configuration",
    ),
    "bayes, tiny": (
        bayes("run_cap: 3"),
        {"explore": 2, "optimize": 1},
        "explore = 2, optimize = 1",
    ),
    "bayes, no cap": (
        bayes(),
        {"explore": 14, "optimize": 42},
        "no run_cap",
    ),
    "bayes without early_terminate": (
        bayes(),
        {},
        "no early_terminate, but optimised trials are stopped early here all the same",
    ),
    "bayes with early_terminate": (
        bayes("early_terminate: {type: hyperband, min_iter: 3, eta: 2}"),
        {},
        "third of optimised trials goes on, explored ones run to the end; not used: min_iter, eta",
    ),
    "random with early_terminate": (
        METRIC + "method: random\nearly_terminate: {type: hyperband, max_iter: 27, s: 2}\n" + WIDTH,
        {},
        "early_terminate stops none of these trials: method random explores",
    ),
    "unused": (
        "method: random\nprogram: train.py\ncommand: [python]\nproject: p\nentity: e\n"
        "description: d\n" + WIDTH,
        {},
        "not used here: program, command, project, entity, description",
    ),
    "impute": (
        "method: random\nmetric: {name: psnr, goal: maximize, impute: best}\n" + WIDTH,
        {},
        "not used here: metric.impute",
    ),
    "probabilities with bayes": (
        METRIC
        + "method: bayes\nparameters: {field.width: {values: [32, 64], probabilities: [0.8, 0.2]}}",
        {"vary": ["field.width=32*0.8,64*0.2"]},
        "probabilities hold for explored trials; TPE does not take them",
    ),
    "name": ("method: random\nname: theirs\n" + WIDTH, {"name": "theirs"}, "method random"),
    "steps and seed": (
        "method: random\nparameters:\n  field.width: {values: [32, 64]}\n"
        "  optimisation.steps: {value: 200}\n  seed: {value: 5}\n  field.depth: {value: 4}",
        {"steps": 200, "seed": 5, "set": ["field.depth=4"]},
        "method random",
    ),
}


@pytest.mark.parametrize("case", BUDGETS)
def test_a_sweep_has_the_trials_and_notes_of_its_keys(tmp_path: Path, case: str) -> None:
    text, expected, note = BUDGETS[case]
    options = read(tmp_path, text)
    assert options.items() >= expected.items()
    assert options["replicates"] == 0
    assert any(note in line for line in options["notes"])
    assert all(line.startswith("sweep.yaml: ") and "\n" not in line for line in options["notes"])


# A parameter's entry, and the `--vary` text that has W&B's meaning, with a note where it is needed.
RANGES = [
    ("field.width", "{min: 16, max: 256}", "16:256:linear", ""),
    ("field.width", "{distribution: int_uniform, min: 16, max: 256}", "16:256:linear", ""),
    ("field.depth", "{min: 2, max: 8}", "2:8", ""),
    ("sampling.near", "{min: 0.5, max: 3}", "0.5:3", ""),
    ("sampling.near", "{distribution: uniform, min: 1, max: 3}", "1:3", ""),
    ("sampling.near", "{min: 1, max: 3}", "1:3:step=1", "whole numbers only, as in W&B"),
    (RATE, "{min: 0.001, max: 0.01}", "0.001:0.01:linear", ""),
    (RATE, "{min: 1e-3, max: 1e-2}", "0.001:0.01:linear", ""),
    (RATE, "{distribution: log_uniform_values, min: 0.001, max: 0.01}", "0.001:0.01", ""),
    (RATE, "{distribution: inv_log_uniform_values, min: 0.001, max: 0.01}", "0.001:0.01", ""),
    (
        RATE,
        "{distribution: log_uniform, min: -9.210340371976182, max: -4.605170185988091}",
        "0.0001:0.01",
        "from e**-9.21034 = 0.0001 to e**-4.60517 = 0.01; min and max of log_uniform are exponents",
    ),
    (
        RATE,
        "{distribution: inv_log_uniform, min: 4.605170185988091, max: 6.907755278982137}",
        "0.001:0.01",
        "from e**-6.90776 = 0.001 to e**-4.60517 = 0.01; min and max of inv_log_uniform are",
    ),
    (
        "sampling.near",
        "{distribution: log_uniform_values, min: 0.5, max: 3}",
        "0.5:3:log",
        "",
    ),
    (
        "sampling.near",
        "{distribution: q_uniform, q: 0.5, min: 0.5, max: 4}",
        "0.5:4:step=0.5",
        "each multiple of q has a whole cell; W&B's min and max have half a cell",
    ),
    ("field.depth", "{distribution: q_uniform, q: 2, min: 2, max: 8}", "2:8:step=2", "whole cell"),
    ("field.depth", "{distribution: q_uniform, min: 2, max: 8}", "2:8", "whole cell"),
    (
        "field.width",
        "{distribution: q_uniform, q: 16, min: 16, max: 64}",
        "16:64:linear:step=16",
        "whole cell",
    ),
    (
        "field.width",
        "{distribution: q_log_uniform_values, q: 16, min: 16, max: 256}",
        "16:256:step=16",
        "whole cell",
    ),
    ("field.width", "{distribution: q_log_uniform_values, min: 16, max: 64}", "16:64", ""),
    ("field.width", "{values: [32, 64]}", "32,64", ""),
    ("field.width", "{distribution: categorical, values: [32, 64.0]}", "32,64", ""),
    ("encoding.times_pi", "{values: [true, false]}", "true,false", ""),
    (
        "field.density_activation",
        "{values: [relu, softplus], probabilities: [0.9, 0.1]}",
        "relu*0.9,softplus*0.1",
        "",
    ),
    (
        "field.width",
        "{distribution: categorical_w_probabilities, values: [32, 64], probabilities: [0.5, 0.5]}",
        "32*0.5,64*0.5",
        "",
    ),
]


@pytest.mark.parametrize(("path", "entry", "values", "note"), RANGES)
def test_a_distribution_is_what_wandb_means(
    tmp_path: Path, path: str, entry: str, values: str, note: str
) -> None:
    options = read(tmp_path, random_sweep(**{path: entry}))
    assert options["vary"] == [f"{path}={values}"]
    assert parse_dimension(options["vary"][0]).path == path
    assert note in "\n".join(line for line in options["notes"] if path in line)


def test_without_a_distribution_a_range_is_linear_whatever_the_declared_scale(
    tmp_path: Path,
) -> None:
    (text,) = read(tmp_path, random_sweep(**{RATE: "{min: 0.001, max: 0.01}"}))["vary"]
    assert not parse_dimension(text).log
    assert parse_dimension(text).from_unit(0.5) == pytest.approx(0.0055)


GRIDS = [
    ("field.depth: {min: 2, max: 4}", ["field.depth=2:4"], []),
    (
        "field.depth: {distribution: q_uniform, q: 2, min: 2, max: 8}",
        ["field.depth=2:6:step=2"],
        [],
    ),
    (
        "field.depth: {distribution: q_uniform, q: 4, min: 2, max: 8}",
        ["field.depth=2:6:step=4"],
        [],
    ),
    ("field.depth: {distribution: q_uniform, q: 6, min: 2, max: 8}", [], ["field.depth=2"]),
    ("field.depth: {values: [4]}", [], ["field.depth=4"]),
]


@pytest.mark.parametrize(("entry", "vary", "settings"), GRIDS)
def test_a_grid_has_the_values_of_wandbs(
    tmp_path: Path, entry: str, vary: list[str], settings: list[str]
) -> None:
    text = f"method: grid\nparameters:\n  field.width: {{values: [32, 64]}}\n  {entry}"
    options = read(tmp_path, text)
    assert options["vary"][1:] == vary
    assert options["set"] == settings


def test_a_grid_is_read_whatever_near_and_far_are_by_default(tmp_path: Path) -> None:
    text = "method: grid\nparameters:\n  sampling.near: {values: [4, 8]}\n"
    options = read(tmp_path, text + "  sampling.far: {value: 12}")
    assert (options["vary"], options["set"]) == (["sampling.near=4,8"], ["sampling.far=12"])


def test_groups_are_nested_parameters(tmp_path: Path) -> None:
    text = (
        "method: random\nparameters:\n  field:\n    parameters:\n"
        "      width: {values: [32, 64]}\n      depth: {value: 3}"
    )
    options = read(tmp_path, text)
    assert (options["vary"], options["set"]) == (["field.width=32,64"], ["field.depth=3"])


# What is refused: the file's text, and what the line says after the file's name.
MISTAKES = {
    "method": (WIDTH, "method must be grid, random or bayes; it is missing"),
    "misspelt method": ("method: randon\n" + WIDTH, "got 'randon'; did you mean random?"),
    "custom method": ("method: custom\n" + WIDTH, "got 'custom'"),
    "key": ("method: random\nprogam: x\n" + WIDTH, "unknown key 'progam' of a W&B sweep; did you"),
    "scheduler": ("method: bayes\nscheduler: {engine: ax}\n" + WIDTH, "scheduler: other"),
    "metrics": ("method: random\nmetrics: []\n" + WIDTH, "metrics: write metric"),
    "run_cap text": ("method: random\nrun_cap: twenty\n" + WIDTH, "run_cap must be a whole number"),
    "run_cap 0": ("method: random\nrun_cap: 0\n" + WIDTH, "run_cap must be a whole number of at"),
    "run_cap true": ("method: random\nrun_cap: true\n" + WIDTH, "run_cap must be a whole number"),
    "run_cap 2.5": ("method: random\nrun_cap: 2.5\n" + WIDTH, "run_cap must be a whole number of"),
    "run_cap empty": ("method: random\nrun_cap:\n" + WIDTH, "run_cap must be a whole number"),
    "metric text": ("method: random\nmetric: psnr\n" + WIDTH, "metric must be a table, got 'psnr'"),
    "metric of another trainer": (
        "method: random\nmetric: {name: val_loss, goal: minimize}\n" + WIDTH,
        "metric: --metric val_loss: a NeRF is ranked by psnr, ssim, seconds or memory",
    ),
    "metric number": (
        "method: random\nmetric: {name: 3}\n" + WIDTH,
        "metric.name must be",
    ),
    "contrary goal": (
        "method: random\nmetric: {name: psnr, goal: minimize}\n" + WIDTH,
        "of psnr, more is better",
    ),
    "goal": (
        "method: random\nmetric: {name: psnr, goal: max}\n" + WIDTH,
        "metric.goal must be maximize or minimize, got 'max'",
    ),
    "no goal": (
        "method: random\nmetric: {name: psnr}\n" + WIDTH,
        "of psnr, more is better; write --metric psnr (without metric.goal, W&B minimises)",
    ),
    "target": (
        "method: random\nmetric: {name: psnr, goal: maximize, target: 30}\n" + WIDTH,
        "metric.target: studies do not stop at a target",
    ),
    "metric key": (
        "method: random\nmetric: {nam: psnr}\n" + WIDTH,
        "metric.nam: unknown key; did you mean name?",
    ),
    "bayes without metric": ("method: bayes\n" + WIDTH, "metric is missing, which method bayes"),
    "name": ("method: random\nname: a/b\n" + WIDTH, "name must be a plain folder name here"),
    "name list": ("method: random\nname: [a]\n" + WIDTH, "name must be a plain folder name here"),
    "no parameters": ("method: random\n", "parameters must be a table like"),
    "empty parameters": ("method: random\nparameters:\n", "parameters must be a table like"),
    "list parameters": ("method: random\nparameters: [field.width]", "got ['field.width']"),
    "scalar parameters": ("method: random\nparameters: 3", "parameters must be a table like"),
    "scalar entry": (
        "method: random\nparameters: {field.width: 64}",
        "parameters.field.width must be a table like {value: 4}, got 64",
    ),
    "empty group": (
        "method: random\nparameters: {field: {parameters: }}",
        "parameters.field must be a table like",
    ),
    "group with values": (
        "method: random\nparameters: {field: {parameters: {width: {value: 64}}, values: [1]}}",
        "parameters.field contains parameters; remove its other keys",
    ),
    "twice": (
        "method: random\nparameters:\n  field.width: {values: [32, 64]}\n"
        "  field: {parameters: {width: {value: 64}}}",
        "field.width is there twice",
    ),
    "twice in YAML": (
        "method: random\nparameters:\n  field.width: {value: 1}\n  field.width: {value: 2}",
        "field.width is there twice (line 4)",
    ),
    "nothing varies": (
        "method: random\nparameters: {field.width: {value: 64}}",
        "parameters: none varies",
    ),
    "foreign": (
        random_sweep(lr="{values: [1, 2]}"),
        "parameters.lr: unknown parameter; --help lists those of a NeRF; name another trainer by",
    ),
    "foreign group": (
        random_sweep(optimizer__batch_size="{values: [1, 2]}"),
        "parameters.optimizer.batch_size: unknown parameter; --help lists those",
    ),
    "misspelt name": (
        random_sweep(field__widht="{values: [1, 2]}"),
        "parameters.field.widht: unknown parameter; did you mean field.width?",
    ),
    "name without section": (
        random_sweep(learning_rate="{values: [1, 2]}"),
        f"parameters.learning_rate: unknown parameter; did you mean {RATE}?",
    ),
    "values and range": (
        random_sweep(field__width="{values: [32, 64], min: 16, max: 256}"),
        "parameters.field.width: needs either value, or values, or min and max; got values, min",
    ),
    "value and values": (
        random_sweep(field__width="{value: 32, values: [32, 64]}"),
        "got value, values",
    ),
    "min alone": (random_sweep(field__width="{min: 16}"), "or min and max; got min"),
    "empty entry": (random_sweep(field__width="{}"), "or min and max; got none of them"),
    "scalar values": (
        random_sweep(field__width="{values: 64}"),
        "parameters.field.width.values: must be a list like [32, 64], got 64",
    ),
    "empty values": (random_sweep(field__width="{values: []}"), "must be a list like [32, 64]"),
    "same values": (random_sweep(field__width="{values: [64, 64]}"), "two or more different"),
    "none in values": (random_sweep(field__width="{values: [64, null]}"), "got 'None'"),
    "list in values": (random_sweep(field__width="{values: [[64], 32]}"), "a whole number, got"),
    "nan in values": (random_sweep(sampling__near="{values: [.nan, 2]}"), "must be finite"),
    "range in values": (random_sweep(sampling__near="{values: ['1:3', 2]}"), "got '1:3'"),
    "unknown value": (random_sweep(field__density_activation="{values: [relu, elu]}"), "'elu'"),
    "list value": (random_sweep(field__width="{value: [64]}"), "a whole number, got '[64]'"),
    "text bounds": (
        random_sweep(field__width="{min: a, max: 64}"),
        "parameters.field.width.min: must be a number, got 'a'",
    ),
    "swapped": (
        random_sweep(sampling__near="{min: 3.0, max: 0.5}"),
        "parameters.sampling.near.min: must be less than max, got 3 and 0.5",
    ),
    "distribution": (
        random_sweep(sampling__near="{distribution: unifrom, min: 0.5, max: 3}"),
        "sampling.near.distribution: unknown distribution 'unifrom'; did you mean uniform?",
    ),
    "distribution list": (
        random_sweep(sampling__near="{distribution: [uniform], min: 0.5, max: 3}"),
        "unknown distribution ['uniform']",
    ),
    "normal": (
        random_sweep(sampling__near="{distribution: normal, mu: 2, sigma: 1}"),
        "normal cannot be drawn here; use uniform with min and max",
    ),
    "log_normal": (
        random_sweep(**{RATE: "{distribution: log_normal, mu: 2}"}),
        "log_normal cannot be drawn here; use log_uniform_values with min and max",
    ),
    "beta": (random_sweep(sampling__near="{distribution: beta, a: 2}"), "beta cannot be drawn"),
    "q_log_uniform": (
        random_sweep(field__width="{distribution: q_log_uniform, min: 3, max: 5}"),
        "q_log_uniform cannot be drawn here; use q_log_uniform_values with min and max",
    ),
    "exponents meant as values": (
        random_sweep(**{RATE: "{distribution: log_uniform, min: 0.0001, max: 0.01}"}),
        "leaves its range 0.0001:0.02 (log); min and max of log_uniform are exponents of e; "
        "log_uniform_values takes values",
    ),
    "huge exponent": (
        random_sweep(**{RATE: "{distribution: log_uniform, min: 1, max: 1000}"}),
        f"parameters.{RATE}.max: too large; min and max of log_uniform are exponents",
    ),
    "log of 0": (
        random_sweep(sampling__near="{distribution: log_uniform_values, min: 0, max: 3}"),
        "a logarithmic range needs low > 0",
    ),
    "any number for a whole one": (
        random_sweep(field__width="{distribution: uniform, min: 16, max: 64}"),
        "takes whole numbers, which uniform does not give; use int_uniform",
    ),
    "log of a whole number": (
        random_sweep(field__width="{distribution: log_uniform_values, min: 16, max: 64}"),
        "use q_log_uniform_values with q: 1",
    ),
    "int_uniform with points": (
        random_sweep(sampling__near="{distribution: int_uniform, min: 0.5, max: 3}"),
        "parameters.sampling.near.min: int_uniform needs whole numbers, got 0.5; use uniform",
    ),
    "q without q_uniform": (
        random_sweep(sampling__near="{min: 0.5, max: 4.0, q: 0.5}"),
        "parameters.sampling.near.q: uniform takes no q; use q_uniform, or remove q",
    ),
    "q 0": (
        random_sweep(sampling__near="{distribution: q_uniform, q: 0, min: 0.5, max: 4}"),
        "parameters.sampling.near.q: must be above 0, got 0",
    ),
    "not a multiple": (
        random_sweep(field__depth="{distribution: q_uniform, q: 2, min: 3, max: 8}"),
        "parameters.field.depth.min: W&B draws multiples of q, which 3 is not; write 4",
    ),
    "q of a whole number": (
        random_sweep(field__depth="{distribution: q_uniform, q: 0.5, min: 2, max: 8}"),
        "step must be a whole number",
    ),
    "entry key": (
        random_sweep(field__width="{values: [32, 64], probabilites: [1, 0]}"),
        "field.width.probabilites: unknown key; did you mean probabilities?",
    ),
    "key of another": (
        random_sweep(field__width="{distribution: int_uniform, values: [32], min: 16, max: 64}"),
        "parameters.field.width.values: int_uniform takes no values; remove it",
    ),
    "needs": (
        random_sweep(sampling__near="{distribution: uniform, min: 0.5}"),
        "parameters.sampling.near.max: uniform needs min and max",
    ),
    "probabilities sum": (
        random_sweep(field__width="{values: [32, 64], probabilities: [0.9, 0.2]}"),
        "must be positive and sum to 1",
    ),
    "probabilities count": (
        random_sweep(field__width="{values: [32, 64], probabilities: [1.0]}"),
        "field.width.probabilities: must be as many as the 2 values, got 1",
    ),
    "probabilities text": (
        random_sweep(field__width="{values: [32, 64], probabilities: half}"),
        "probabilities: must be a list of numbers, got 'half'",
    ),
    "probability 0": (
        random_sweep(field__width="{values: [32, 64], probabilities: [1, 0]}"),
        "probabilities: must be above 0; leave out values of probability 0",
    ),
    "no probabilities": (
        random_sweep(field__width="{distribution: categorical_w_probabilities, values: [32, 64]}"),
        "field.width.probabilities: categorical_w_probabilities needs values and probabilities",
    ),
    "grid of a continuous one": (
        "method: grid\nparameters: {sampling.near: {min: 0.5, max: 3}}",
        "sampling.near.distribution: a grid needs listed values, which uniform does not give",
    ),
    "grid with probabilities": (
        "method: grid\nparameters: {field.width: {values: [32, 64], probabilities: [0.9, 0.1]}}",
        "field.width.probabilities: a grid runs every value equally often",
    ),
    "steps vary": (
        random_sweep(optimisation__steps="{values: [100, 200]}"),
        "belongs to the study's budget and cannot be varied",
    ),
    "negative steps": (random_sweep(optimisation__steps="{value: -5}"), "must be at least 1"),
    "early_terminate text": (
        METRIC + "method: bayes\nearly_terminate: hyperband\n" + WIDTH,
        "early_terminate must be a table like {type: hyperband, min_iter: 3}, got 'hyperband'",
    ),
    "early_terminate type": (
        METRIC + "method: bayes\nearly_terminate: {type: median}\n" + WIDTH,
        "early_terminate.type must be hyperband, got 'median'",
    ),
    "early_terminate key": (
        METRIC + "method: bayes\nearly_terminate: {type: hyperband, min_itr: 3}\n" + WIDTH,
        "early_terminate.min_itr: unknown key; did you mean min_iter?",
    ),
    "early_terminate without brackets": (
        METRIC + "method: bayes\nearly_terminate: {type: hyperband, max_iter: 3}\n" + WIDTH,
        "early_terminate needs min_iter, or max_iter and s",
    ),
    "early_terminate number": (
        METRIC + "method: bayes\nearly_terminate: {type: hyperband, min_iter: 3, eta: 1}\n" + WIDTH,
        "early_terminate.eta must be a number above 1, got 1",
    ),
    "early_terminate strict": (
        METRIC
        + "method: bayes\nearly_terminate: {type: hyperband, min_iter: 3, strict: 2}\n"
        + WIDTH,
        "early_terminate.strict must be true or false, got 2",
    ),
    "early_terminate without metric": (
        "method: random\nearly_terminate: {type: hyperband, min_iter: 3}\n" + WIDTH,
        "metric is missing, which early_terminate needs",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_is_one_line_with_file_and_key(tmp_path: Path, case: str) -> None:
    text, message = MISTAKES[case]
    with pytest.raises(InputError) as raised:
        read(tmp_path, text)
    line = str(raised.value)
    assert line.startswith(str(tmp_path / "sweep.yaml"))
    assert message in line
    assert "\n" not in line


TOY_SWEEP = """
method: bayes
metric: {name: loss, goal: minimize}
run_cap: 20
parameters:
  lr: {distribution: log_uniform_values, min: 0.01, max: 0.5}
  model: {parameters: {width: {values: [8, 16]}}}
  fault: {value: none}
"""


def test_a_sweep_of_another_trainer_has_its_parameters_metric_and_goal(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(TOY_SWEEP)
    trainer = f"--trainable={Path(toy.__file__)}:train"
    arguments = [trainer, f"--study={tmp_path / 'sweep.yaml'}", f"--studies={tmp_path}"]
    spec = make_plan(parse_options(arguments)).spec
    assert [str(d) for d in spec.space.dimensions] == [
        "lr in 0.01:0.5 (log)",
        "model.width in 8, 16",
    ]
    assert [(o.metric, o.direction) for o in spec.objectives] == [("loss", "min")]
    other = make_plan(parse_options([*arguments, "--metric=accuracy:max"])).spec
    assert [o.text for o in other.objectives] == ["accuracy:max"]
    (tmp_path / "sweep.yaml").write_text(TOY_SWEEP.replace("lr:", "rate:"))
    with pytest.raises(InputError, match=r"unknown parameter; this trainer has lr, model\.width"):
        parse_options(arguments)


@pytest.mark.parametrize(("name", "goal"), [("ssim", "maximize"), ("seconds", "minimize")])
def test_a_sweep_of_nerfs_is_ranked_by_its_own_metric(tmp_path: Path, name: str, goal: str) -> None:
    sweep = f"method: random\nmetric: {{name: {name}, goal: {goal}}}\n" + WIDTH
    assert read(tmp_path, sweep)["metric"] == (f"{name}:{goal[:3]}",)
    assert "metric" not in read(tmp_path, "method: random\n" + METRIC + WIDTH)


@pytest.mark.usefixtures("scene_loaded_once")
@pytest.mark.parametrize("case", BUDGETS)
def test_a_saved_sweep_is_the_same_study(
    tmp_path: Path, scene_file: Path, case: str, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep, saved = tmp_path / "sweep.yaml", tmp_path / "study.toml"
    sweep.write_text(BUDGETS[case][0])
    place = ["--scene", str(scene_file), "--studies", str(tmp_path / "studies")]
    arguments = [*place, "--study", str(sweep)]
    assert run_sweep.main([*arguments, "--save-study", str(saved)]) == 0
    notes = list(parse_options(arguments).notes)
    assert capsys.readouterr().out.splitlines()[:-1] == notes
    specs = [make_plan(parse_options([*place, "--study", str(f)])).spec for f in (sweep, saved)]
    assert specs[0] == specs[1]


def test_any_yaml_value_anywhere_is_read_or_one_line(tmp_path: Path) -> None:
    """Each value of a whole sweep replaced by ones of other types."""
    sweep = yaml.safe_load(
        "method: bayes\nname: a\nrun_cap: 20\n"
        + METRIC
        + "early_terminate: {type: hyperband, min_iter: 3, eta: 3, strict: true}\nparameters:\n"
        "  field.width: {values: [32, 64], probabilities: [0.5, 0.5]}\n"
        "  sampling.near: {distribution: q_uniform, min: 0.5, max: 4, q: 0.5}\n"
        "  field: {parameters: {depth: {value: 3}}}\n"
    )
    read(tmp_path, yaml.safe_dump(sweep))
    for path in _paths(sweep):
        for other in (None, True, 0, -1, 2.5, "", "text", "1e-5", [], [1], {}, {"a": 1}, [None]):
            message = _message(tmp_path, yaml.safe_dump(_replaced(sweep, path, other)))
            assert not message or "sweep.yaml: " in message
            assert "\n" not in message


def _message(folder: Path, text: str) -> str:
    """The one line with which a sweep is refused; empty if it is read."""
    try:
        read(folder, text)
    except InputError as error:
        return str(error)
    return ""


def _paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The keys that lead to each value within `value`."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    paths = []
    for key, inner in items:
        paths.append((*path, key))
        if isinstance(inner, dict | list):
            paths += _paths(inner, (*path, key))
    return paths


def _replaced(value: Any, path: tuple[Any, ...], other: Any) -> Any:
    if not path:
        return other
    copy = value.copy()
    copy[path[0]] = _replaced(value[path[0]], path[1:], other)
    return copy
