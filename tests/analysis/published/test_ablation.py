"""The paper's ablation beside ours: verdicts, Markdown and figure from a table of runs."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.published.ablation import (
    PAPER,
    analyze_ablation,
    format_ablation,
    plot_ablation,
    read_runs,
)
from nerf.common.errors import InputError
from nerf.scenes import load
from nerf.training.ray_batches import TrainingRays, bounding_box
from nerf.training.schedule import evaluation_steps
from study.records.study_folder import StudyFolder
from study.search.variant_design import variant_point
from study.spec.variants import Variant
from tests.analysis.variant_studies import paper_spec, variant_spec, write_variant_study


def runs(seeds: int, direction: float = 1.0, noise: float = 0.02) -> pd.DataFrame:
    """The paper's own figures with a little noise, or turned upside down."""
    rng = np.random.default_rng(0)
    rows = [
        {
            "variant": row,
            "seed": seed,
            "scene": "lego",
            "psnr": 0.0,
            "test_psnr": 25 + direction * (psnr - 30) + noise * rng.normal(),
            "outcome": "trained",
            "reason": "",
            "steps_done": 4000,
            "train_seconds": 360.0,
        }
        for seed in range(seeds)
        for row, psnr in PAPER.items()
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(("direction", "verdict"), [(1.0, "agrees"), (-1.0, "disagrees")])
def test_the_papers_values_agree_and_in_reverse_order_disagree(
    direction: float, verdict: str
) -> None:
    ablation = analyze_ablation(runs(4, direction))
    assert len(ablation.pairs) == 28
    assert {pair.verdict for pair in ablation.pairs} == {verdict}
    assert len(ablation.close_pairs) == 8
    assert "all 36 pairs" in ablation.sentence
    for d in ablation.to_complete:
        expected = direction * (PAPER[d.first] - PAPER["complete"])
        assert d.mean == pytest.approx(expected, abs=0.05)


def test_with_pure_noise_and_three_seeds_most_pairs_stay_open() -> None:
    ablation = analyze_ablation(runs(3, 0.0, noise=1.0))
    assert sum(pair.verdict == "open" for pair in ablation.pairs) >= 22
    assert not any(pair.significant for pair in ablation.pairs)


def test_one_seed_leaves_every_pair_open() -> None:
    ablation = analyze_ablation(runs(1))
    assert {pair.verdict for pair in ablation.pairs} == {"open"}
    assert "28 are open" in ablation.sentence
    assert "the means alone have its order in 28" in ablation.sentence
    assert "nan" not in format_ablation(ablation)


def test_an_incomplete_block_counts_for_the_rows_it_has() -> None:
    ablation = analyze_ablation(runs(3).iloc[:-4])
    assert ablation.values.notna().sum().to_dict()["none of the three"] == 2
    part = analyze_ablation(runs(1).iloc[:3])
    assert [d.first for d in part.to_complete] == ["15 frequencies", "5 frequencies"]
    assert part.pairs == ()
    untrained = runs(1).assign(outcome="shows nothing")
    text = format_ablation(analyze_ablation(untrained))
    assert "nan" not in text
    assert "Runs that are left out, as they did not train:" in text


def test_the_markdown_lists_collapsed_runs_and_the_training_time() -> None:
    table = runs(3)
    table.loc[0, ["outcome", "reason", "test_psnr"]] = ["collapsed", "density | <dead>", np.nan]
    text = format_ablation(analyze_ablation(table))
    assert "| complete | 0 | collapsed | density \\| &lt;dead> |" in text
    assert "<dead>" not in text
    assert "27 runs on lego, at most 4,000 steps each, 2.70 hours" in text
    assert "| complete | 2 | " in text
    widths = {line.count("|") for line in text.splitlines() if "none of the three" in line}
    assert widths == {7, 8}


def test_the_figure_shows_measured_and_published_differences() -> None:
    ablation = analyze_ablation(runs(3))
    here, paper = plot_ablation(ablation.to_complete).data
    assert list(here.x) == [d.mean for d in ablation.to_complete]
    ends = [d.interval for d in ablation.to_complete]
    np.testing.assert_allclose(np.asarray(here.x) + here.error_x.array, [high for _, high in ends])
    np.testing.assert_allclose(paper.x[-1], 26.67 - 31.01)


def test_the_study_file_has_the_rows_of_the_paper(tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "ablation")
    write_variant_study(folder, paper_spec(2), lambda name, repeat: PAPER[name] + repeat)
    ablation = analyze_ablation(read_runs(folder.path))
    assert list(ablation.values.columns) == list(PAPER)
    assert {pair.verdict for pair in ablation.pairs} == {"agrees"}
    assert "18 runs on lego, at most 1,000 steps each, 1.80 hours" in ablation.budget


def test_the_rows_of_the_study_file_differ_as_the_paper_s_do() -> None:
    spec = paper_spec(1)
    rows = [v.name for v in spec.variants]
    configs = {row: spec.space.config(variant_point(spec, place)) for place, row in enumerate(rows)}
    for config in configs.values():
        coarse, fine = config.sampling.coarse, config.sampling.fine
        # One network is queried at the coarse samples, the other at all of them.
        assert coarse + (coarse + fine if fine else 0) == 128
        assert not config.encoding.include_input
        assert evaluation_steps(config) == (200, 400, 600, 800, 1000)
    one_pass = [row for row, config in configs.items() if not config.sampling.fine]
    assert one_pass == ["no hierarchical sampling", "none of the three"]
    views = {row: config.optimisation.views for row, config in configs.items()}
    assert {row: count for row, count in views.items() if count} == {
        "50 images": 50,
        "25 images": 25,
    }
    blind = [row for row, config in configs.items() if not config.encoding.directions]
    assert blind == ["no view dependence", "none of the three"]
    without = [row for row, config in configs.items() if config.encoding.kind == "none"]
    assert without == ["no positional encoding", "none of the three"]
    octaves = {
        row: (config.encoding.position_frequencies, config.encoding.direction_frequencies)
        for row, config in configs.items()
        if row not in without
    }
    assert {row: count for row, count in octaves.items() if count != (10, 4)} == {
        "15 frequencies": (15, 6),
        "5 frequencies": (5, 2),
    }
    seeing = set(without) - set(blind)
    assert {configs[row].encoding.direction_frequencies for row in seeing} == {0}


def test_the_lowest_octave_of_a_scene_like_the_paper_s_does_not_repeat() -> None:
    """As the study file says: its positions are not multiplied by pi."""
    scene = load("bricks")
    box = bounding_box(TrainingRays.of(scene), scene.bounds.near, scene.bounds.far)
    assert 2.6 < float(box.abs().max()) < math.pi


def test_a_folder_without_the_ablation_is_refused_in_one_line(
    tmp_path: Path, study_folder: StudyFolder
) -> None:
    with pytest.raises(InputError, match="not a study folder"):
        read_runs(tmp_path)
    with pytest.raises(InputError, match=r"not a study of benchmarks/paper_ablation\.toml"):
        read_runs(study_folder.path)
    variants = (Variant("complete"), Variant("wider", (("field.width", 64),)))
    other = StudyFolder(tmp_path / "other")
    write_variant_study(other, variant_spec(variants, [], 100), lambda name, repeat: 20.0)
    with pytest.raises(InputError, match="the paper has no row 'wider'"):
        read_runs(other.path)
    begun = StudyFolder(tmp_path / "begun")
    values = {"complete": float("nan")}
    write_variant_study(begun, paper_spec(1), lambda name, repeat: values.get(name, 20.0))
    with pytest.raises(InputError, match="no run of the complete model"):
        read_runs(begun.path)
