"""Roles of columns: by prefix, by change within a run, by values and by names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from analysis.external.assign_columns import assign_columns
from analysis.external.columns import assign_roles, find_state_column
from analysis.external.sweep import Column, ExternalTrial, Setting, Sweep
from analysis.external.table import Table

NUMBERS = (0.31, 0.62, 0.53, 0.14)
WHOLE = (16, 32, 16, 64)


def make_table(columns: Mapping[str, Sequence[Setting]]) -> Table:
    rows = tuple(
        dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)
    )
    return Table("CSV", tuple(columns), rows)


def roles(columns: Mapping[str, Sequence[Setting]], changing: tuple[str, ...] = ()) -> list[Column]:
    return list(assign_roles(make_table(columns), changing)[0])


def role(name: str, values: Sequence[Setting] = NUMBERS) -> tuple[str, bool]:
    (column,) = roles({name: values})
    return column.role, column.doubtful


OUTCOMES = [
    "train_loss", "val_ssim", "epoch", "best_val_acc", "val/acc", "train/acc", "valid.loss",
    "test_acc", "eval/return_mean", "acc", "Accuracy", "valAcc", "val-loss", "psnr", "PSNR",
    "mean_reward", "episode_return", "test_error_rate", "error_rate", "top1", "final_loss",
    "min_val_loss", "val_loss_max", "rmse", "R2", "roc_auc", "f1_macro", "perplexity",
    "eval/whatever", "best_epoch", "global_step", "training_iteration", "y", "objective",
    "samples_per_second", "train_seconds", "num_params", "recall@5", "val/loss_epoch", "BLEU",
    "n_iter_", "best_score_", "metric_value",
]  # fmt: skip

SETTINGS = [
    "lr", "learning_rate", "model.dropout", "batch_size", "train_batch_size", "loss_weight",
    "lambda_acc_weight", "error_threshold", "test_size", "val_split", "max_epochs", "epochs",
    "warmup_steps", "gamma", "beta1", "weight_decay", "seed", "max_grad_norm", "final_div_factor",
    "eval_interval", "val_check_interval", "number", "phase", "train.lr", "reward_scale",
    "label_smoothing", "a", "x", "num_layers", "min_lr", "training.warmup", "score_clip",
    "gae_lambda", "test_every", "early_stopping_patience", "train_epochs", "memory_size",
    "time_limit", "lambda_", "type_",
]  # fmt: skip

RECORDS = [
    "Name", "ID", "Runtime", "Created", "Notes", "Tags", "User", "Sweep", "Hostname", "Host",
    "_step", "_runtime", "_timestamp", "_wandb", "run_id", "trial_id", "hostname", "pid",
    "node_ip", "date", "timestamp", "experiment_id", "logdir", "Unnamed: 0",
]  # fmt: skip


@pytest.mark.parametrize("name", OUTCOMES)
def test_measured_columns_are_outcomes_by_their_names(name: str) -> None:
    assert role(name)[0] == "outcome"


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_settings_although_their_names_have_words_of_metrics(name: str) -> None:
    assert role(name)[0] == "setting"


@pytest.mark.parametrize("name", RECORDS)
def test_columns_of_a_tracker_are_neither(name: str) -> None:
    assert role(name)[0] == "other"


@pytest.mark.parametrize("name", ["precision", "train_smoothness", "val_foo", "train/x", "cost"])
def test_names_that_could_be_either_are_doubtful(name: str) -> None:
    assert role(name)[1]


def test_a_precision_in_bits_is_set_and_one_of_a_classifier_measured() -> None:
    assert role("precision", WHOLE)[0] == "setting"
    assert role("precision", NUMBERS)[0] == "outcome"


RANDOM = tuple((37 * i % 64) / 64 for i in range(64))
PEAKED = tuple(0.5 + 16 * (value - 0.5) ** 5 for value in RANDOM)


def test_a_number_of_unknown_name_beside_known_settings_is_doubtful() -> None:
    lr, foo, _ = roles({"lr": RANDOM, "foo": RANDOM, "acc": RANDOM})
    assert (lr.doubtful, foo.role, foo.doubtful) == (False, "setting", True)
    *_, foo = roles({"lr": RANDOM, "acc": RANDOM, "foo": RANDOM})
    assert (foo.role, foo.doubtful) == ("outcome", True)
    *_, foo = roles({"lr": RANDOM, "foo": WHOLE * 16})
    assert (foo.role, foo.doubtful) == ("setting", False)


def test_among_unknown_names_those_of_odd_values_are_doubtful() -> None:
    a, b = roles({"a": RANDOM, "b": PEAKED})
    assert (a.doubtful, b.doubtful) == (False, True)
    assert not any(c.doubtful for c in roles({"a": PEAKED, "b": PEAKED}))


def test_a_precision_of_words_is_a_setting() -> None:
    assert role("precision", ("fp16", "bf16", "fp16", "fp32")) == ("setting", False)


def test_text_is_never_an_outcome() -> None:
    assert role("loss", ("mse", "l1", "mse", "huber")) == ("setting", False)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["2024-05-01T10:00:00.000Z", "2024-05-02 11:00"], "dates"),
        (["0 days 00:00:03.2", "1:02:03"], "durations"),
        (["https://wandb.ai/a", "s3://bucket/x"], "links"),
        (["1f3a9c0", "deadbee1"], "commits"),
        ([f"runs/{i}/model" for i in range(30)], "differs in almost every row"),
        (list(range(20)), "counts the rows"),
        ([0.9, 0.9, 0.9], "always 0.9"),
        (["x", "x"], "always x"),
    ],
)
def test_values_tell_columns_that_are_neither(values: list[Setting], reason: str) -> None:
    (column,) = roles({"z": values})
    assert column.role == "other"
    assert reason in column.reason


def test_a_metric_that_never_varies_stays_an_outcome() -> None:
    assert role("val/acc", (1.0, 1.0))[0] == "outcome"


def test_what_changes_within_a_run_is_an_outcome_whatever_its_name() -> None:
    (column,) = roles({"lr": NUMBERS}, changing=("lr",))
    assert (column.role, column.reason) == ("outcome", "it changes within a run")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("config.lr config.loss summary.x name extra", "setting setting outcome other other"),
        ("config/lr config/acc acc x pid", "setting setting outcome outcome other"),
        ("params.lr metrics.x run_id tags.y", "setting outcome other other"),
        ("params_lr params_acc value number state", "setting setting outcome outcome other"),
        ("param_C mean_test_score rank_test_score", "setting outcome outcome"),
        ("params_millions lr acc", "setting setting outcome"),  # no table of Optuna
    ],
)
def test_prefixes_of_tools_declare_settings(names: str, expected: str) -> None:
    values = dict.fromkeys(names.split(), NUMBERS)
    assert [column.role for column in roles(values)] == expected.split()


def test_roles_do_not_depend_on_how_columns_go_with_the_metric() -> None:
    columns = {"lr": NUMBERS, "other": NUMBERS, "val/acc": NUMBERS}
    assert [c.role for c in roles(columns)] == ["setting", "setting", "outcome"]


def test_states_are_recognised_by_their_words() -> None:
    assert find_state_column(make_table({"State": ["finished", "Killed"]})) == "State"
    assert find_state_column(make_table({"status": ["FINISHED", "FAILED"]})) == "status"
    assert find_state_column(make_table({"state": ["on", "off"], "x": [1, 2]})) is None


def test_columns_can_be_assigned_and_doubtful_ones_have_one_role_by_default() -> None:
    trial = ExternalTrial(
        "a", "completed", {"lr": 0.1, "cost": 0.5}, {"acc": 1.0, "cost": 0.5}, others={"host": "h"}
    )
    columns = (
        Column("lr", "setting", ""), Column("cost", "outcome", "", doubtful=True),
        Column("acc", "outcome", ""), Column("host", "other", ""),
    )  # fmt: skip
    sweep = Sweep("CSV", "x", (trial,), columns=columns)
    (plain,) = assign_columns(sweep).trials
    assert (plain.settings, plain.metrics) == ({"lr": 0.1}, {"cost": 0.5, "acc": 1.0})
    (other,) = assign_columns(sweep, settings=["cost", "host"], outcomes=["lr"]).trials
    assert other.settings == {"host": "h", "cost": 0.5}
    assert other.metrics == {"lr": 0.1, "acc": 1.0}
