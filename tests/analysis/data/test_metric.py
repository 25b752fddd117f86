"""A metric's values, intervals and formatted numbers, for either direction."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.data.metric import PSNR, Metric, make_metric
from study.trainers.objective import Objective

LOSS = Metric("val_loss", minimize=True)
ACCURACY = Metric("accuracy", "%")


def test_a_minimised_metric_is_the_negative_of_its_score_and_its_intervals_are_ascending() -> None:
    assert LOSS.values(-0.25) == 0.25
    assert LOSS.interval(-0.3, -0.2) == (0.2, 0.3)
    low, high = LOSS.interval(np.array([-3.0, -1.0]), np.array([-2.0, 1.0]))
    assert (low <= high).all()
    assert ACCURACY.interval(1.0, 2.0) == (1.0, 2.0)


@pytest.mark.parametrize("name", ["psnr", "seconds", "accuracy"])
@pytest.mark.parametrize("is_nerf", [True, False])
def test_the_report_and_the_live_view_have_one_name_for_a_metric(name: str, is_nerf: bool) -> None:
    objective = Objective(name)
    assert make_metric(objective, is_nerf).name == objective.label


def test_the_words_of_a_direction() -> None:
    assert (LOSS.best, LOSS.worse) == ("lowest", "higher")
    assert (ACCURACY.best, ACCURACY.worse) == ("highest", "lower")


@pytest.mark.parametrize(
    ("metric", "score", "text"),
    [
        (PSNR, 23.456, "23.46 dB"),
        (LOSS, -0.123456, "0.1235"),
        (LOSS, -12345.678, "12350"),
        (LOSS, -1.234567e-8, "1.235e-08"),
        (LOSS, -0.0, "0"),
        (ACCURACY, 91.0, "91 %"),
    ],
)
def test_a_value_is_shown_to_decimals_or_to_significant_digits(
    metric: Metric, score: float, text: str
) -> None:
    assert metric.format(score) == text


def test_a_difference_of_percentages_is_in_points() -> None:
    assert ACCURACY.with_unit_of_difference("1") == "1 point"
    assert ACCURACY.format_size(0.5, 0.25, 1.0) == "0.5 points [0.25, 1]"
    assert PSNR.format_size(0.231, 0.16, 0.43) == "0.23 dB [0.16, 0.43]"
    assert LOSS.with_unit_of_difference("1") == "1"
