"""Tables of collapses, cures and starts, from studies whose outcomes are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from analysis.data.study import Study, load_study
from analysis.published.collapse_tables import (
    describe_collapses,
    tabulate_by_scene,
    tabulate_collapses,
)
from analysis.published.cure_table import CureRuns, read_cure_runs, tabulate_cures
from analysis.published.first_steps import (
    describe_first_steps,
    plot_first_steps,
    read_first_steps,
    tabulate_first_steps,
)
from analysis.published.start_tables import (
    describe_starts,
    list_gains,
    measure_gain,
    tabulate_gains,
    tabulate_starts,
)
from study.records.study_folder import StudyFolder
from study.spec.variants import Variant
from tests.analysis.variant_studies import variant_spec, write_variant_study

DENSITY, NEAR, CROP = "field.density_activation", "sampling.near", "optimisation.crop_steps"


@pytest.fixture(scope="module")
def explored(make_study: Callable[..., StudyFolder]) -> list[Study]:
    """Two studies of 16 runs that collapse where near is 5, which is half of them."""
    vary = (f"{DENSITY}=relu,sigmoid", f"{NEAR}=2,5")
    return [
        load_study(make_study(name, explore=16, optimize=0, vary=vary, objective=lambda _: 20.0))
        for name in ("a", "b")
    ]


def test_collapses_are_counted_over_all_scenes_and_in_each(explored: list[Study]) -> None:
    rows = _read_table(tabulate_collapses(explored, DENSITY, NEAR))
    assert rows["relu"]["near 2"] == "0/8"
    assert rows["relu"]["near 5"] == "8/8"
    assert rows["all"]["all"] == "16/32: 50% [32%, 68%]"
    by_scene = _read_table(tabulate_by_scene(explored, DENSITY, NEAR, 5.0))
    assert by_scene["sigmoid"]["synthetic"] == "8/8"


def test_a_choice_that_collapses_on_one_scene_only_says_which(explored: list[Study]) -> None:
    healthy = replace(
        explored[1],
        trials=explored[1].trials.assign(outcome="trained"),
        scene={**explored[1].scene, "name": "garden"},
    )
    text = describe_collapses([explored[0], healthy], DENSITY)
    assert "relu 4/16: 25% [7%, 52%] (all on synthetic)" in text
    assert text.endswith("On garden none collapses.")


def write_start(folder: Path, before: float | None, now: float) -> Study:
    """Three seeds of the earlier start, which may collapse, and of the present one."""
    variants = (Variant("before", ((CROP, 0),)), Variant("now", ((CROP, 100),)))
    spec = replace(variant_spec(variants, ["field.width=16"], 100), repeats=3)

    def psnr(name: str, repeat: int) -> float | None:
        level = before if name == "before" else now
        return None if level is None else level + repeat

    return load_study(write_variant_study(StudyFolder(folder), spec, psnr))


def test_a_gain_is_paired_by_seed(tmp_path: Path) -> None:
    study = write_start(tmp_path / "study", before=20.0, now=20.5)
    gain = measure_gain(study)
    assert (gain.mean, gain.seeds) == (pytest.approx(0.5), 3)
    assert "21.00 to 21.50: +0.50 [+0.50, +0.50] (3)" in tabulate_gains([study])


def test_runs_that_broke_before_are_named(tmp_path: Path) -> None:
    study = write_start(tmp_path / "study", before=None, now=20.0)
    assert "3 of them broke before" in tabulate_gains([study])
    assert "3 collapsed" in tabulate_starts([study])
    text = describe_starts([study])
    assert "0 of 3 runs collapsed (at most 70.8%)" in text
    assert "3 of 3 runs collapsed" in text
    assert text.endswith("all on lego.")


def test_gains_are_listed_where_all_trained_before(tmp_path: Path) -> None:
    trained = write_start(tmp_path / "trained", before=20.0, now=20.5)
    broken = write_start(tmp_path / "broken", before=None, now=20.0)
    assert list_gains([trained, broken]) == pytest.approx([0.5])


def test_a_cure_is_compared_where_both_runs_trained(tmp_path: Path) -> None:
    variants = tuple(
        Variant(f"{cure}, {activation}", ((CROP, crop), (DENSITY, activation)))
        for cure, crop in (("none", 0), ("crop", 100))
        for activation in ("relu", "sigmoid")
    )
    spec = replace(variant_spec(variants, ["field.width=16"], 100), repeats=2)

    def psnr(name: str, repeat: int) -> float | None:
        if name == "none, relu":
            return None
        return 20.0 + 0.3 * ("crop" in name) + repeat

    study = load_study(write_variant_study(StudyFolder(tmp_path / "study"), spec, psnr))
    other = replace(study, scene={**study.scene, "name": "garden"})
    cures = read_cure_runs([study, other])
    mean, low, high = cures.change_psnr("crop")
    assert (mean, low, high) == pytest.approx((0.3, 0.3, 0.3))
    rows = _read_table(tabulate_cures(cures))
    assert rows["none"]["relu"] == "4/4"
    assert rows["crop"]["all"].startswith("0/8: 0%")
    assert rows["crop"]["scenes with a collapse"] == "none"
    assert rows["crop"]["dB where both train"] == "+0.30 [+0.30, +0.30]"


def test_one_scene_gives_no_interval_over_scenes() -> None:
    runs = pd.DataFrame(
        {
            "cure": ["none", "crop"],
            "activation": "relu",
            "scene_name": "bricks",
            "seed": 1,
            "outcome": "trained",
            "psnr": [20.0, 21.0],
        }
    )
    assert all(map(math.isnan, CureRuns(runs).change_psnr("crop")))


def test_first_steps_count_objects_that_vanish(tmp_path: Path) -> None:
    starts = (("as drawn", 0.01, 0.001), ("all three", -0.01, 0.5))
    rows = [
        {
            "scene": "bricks", "density_activation": "softplus", "start": start, "seed": seed,
            "step": step, "raw_density": 0.0, "opacity_content": opacity if step else 0.8,
            "opacity_backdrop": 0.9, "push_content": push, "push_backdrop": 0.05, "psnr": 13.0,
        }
        for start, push, opacity in starts
        for seed in (0, 1)
        for step in (0, 1)
    ]  # fmt: skip
    file = tmp_path / "first_steps.csv"
    pd.DataFrame(rows).to_csv(file, index=False)
    moments = read_first_steps(file)
    assert len(moments) == 4  # means over the seeds
    text = describe_first_steps(moments)
    assert "lower the density in 1 of 1 cases, with a gradient 5 times the object's" in text
    assert "in 1 of them the object's rays lower it as well" in text
    assert "as drawn, the object has vanished (opacity below 0.01) in 1" in text
    assert "all three, the object has vanished (opacity below 0.01) in 0" in text
    assert "0.5" in tabulate_first_steps(moments)
    assert len(plot_first_steps(moments).data) == 2


def _read_table(table: str) -> dict[str, dict[str, str]]:
    """A Markdown table as row name -> column -> cell."""
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]
    heads, _, *rows = lines
    return {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
