"""Labels of choices: wrapped, staggered or on the other axis, never rotated."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from analysis.figures.choice_axis import set_choice_axis, wrap_label
from analysis.figures.theme import blank_figure, log_ticks


def plot_choices(names: list[str]) -> go.Figure:
    figure = blank_figure(height=300)
    figure.add_scatter(
        x=list(range(len(names))),
        y=[10.0 * i for i in range(len(names))],
        error_y={"array": [1.0] * len(names)},
        hovertemplate="%{x} has %{y}",
    )
    figure.update_xaxes(title="choice")
    figure.update_yaxes(title="PSNR")
    return set_choice_axis(figure, names)


def test_a_label_keeps_its_underscores() -> None:
    assert wrap_label("num_layers") == "num_layers"
    assert wrap_label("density_activation") == "density_<br>activation"
    assert wrap_label("a<b") == "a&lt;b"


def test_short_labels_stand_side_by_side_and_longer_ones_in_two_rows() -> None:
    assert plot_choices(["relu", "sine"]).layout.xaxis.ticktext == ("relu", "sine")
    names = ["relu", "softplus", "shifted_softplus", "truncated_exp", "sigmoid"]
    labels = plot_choices(names).layout.xaxis.ticktext
    assert labels == ("relu", "<br>softplus", "shifted_softplus", "<br>truncated_exp", "sigmoid")


def test_only_labels_without_room_in_two_rows_are_broken() -> None:
    names = [f"{i}.000316 to {i}.00316" for i in range(5)]
    labels = plot_choices(names).layout.xaxis.ticktext
    assert labels[0] == "0.000316<br>to 0.00316"


def test_labels_without_room_below_move_to_the_other_axis_with_their_points() -> None:
    names = [f"optimizer number {i}" for i in range(8)]
    figure = plot_choices(names)
    (trace,) = figure.data
    assert trace.y == tuple(range(8))
    assert trace.x[3] == 30.0
    assert trace.error_x.array == (1.0,) * 8
    assert trace.hovertemplate == "%{y} has %{x}"
    assert figure.layout.yaxis.ticktext == tuple(names)
    assert figure.layout.xaxis.title.text == "PSNR"
    assert figure.layout.height >= 300


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1e-4, 1e-2, [1e-4, 3e-4, 1e-3, 3e-3, 1e-2]),
        (32, 128, [40, 60, 80, 100]),
        (2e-3, 2e-2, [2e-3, 5e-3, 1e-2, 2e-2]),
        (1e-8, 1.0, [1e-8, 1e-6, 1e-4, 1e-2, 1.0]),
    ],
)
def test_a_logarithmic_axis_has_a_few_round_ticks(
    low: float, high: float, ticks: list[float]
) -> None:
    assert log_ticks(low, high) == pytest.approx(ticks)
