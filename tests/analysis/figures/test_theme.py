"""Labels of figures."""

from __future__ import annotations

from analysis.figures.theme import wrap_label


def test_a_label_keeps_its_underscores() -> None:
    assert wrap_label("num_layers") == "num_layers"
    assert wrap_label("density_activation") == "density_<br>activation"
    assert wrap_label("a<b") == "a&lt;b"
