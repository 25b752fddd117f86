from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from nerf.common.errors import InputError
from nerf.config.flat import Flat, build
from nerf.evaluation.trivial_baselines import trivial_psnrs
from nerf.model.occupancy import EMA_DECAY
from nerf.scenes.images import Images
from nerf.scenes.scene import Scene
from nerf.training import step
from nerf.training.checkpoint import load_checkpoint
from nerf.training.loop import Callbacks, train
from nerf.training.run import Progress, TrainingRun, TrainResult
from nerf.training.schedule import evaluation_steps
from tests.nerf.training.tiny import TINY


def same(one: TrainResult, other: TrainResult) -> bool:
    """Equal bit for bit in everything but the time it took."""

    def timeless(result: TrainResult) -> list[object]:
        curve = [dataclasses.replace(p, seconds=0) for p in result.curve]
        values = dataclasses.asdict(dataclasses.replace(result, seconds=0, curve=()))
        image = values.pop("image")
        return [values, curve, image.tobytes()]

    return timeless(one) == timeless(other)


def test_learns_more_than_a_flat_colour(ball: Scene) -> None:
    result = train(build({**TINY, "optimisation.steps": 150}), ball)
    assert result.state == "completed"
    assert result.psnr > trivial_psnrs(ball)["mean colour"] + 4
    assert result.image.shape == (24, 48, 3)


def test_reports_every_evaluation_and_every_step(ball: Scene) -> None:
    config = build(TINY)
    progress: list[Progress] = []
    steps: list[int] = []
    result = train(config, ball, Callbacks(on_step=steps.append, on_progress=progress.append))
    assert steps == list(range(1, 41))
    assert tuple(p.step for p in progress) == evaluation_steps(config) == (10, 20, 30, 40)
    assert tuple(progress) == result.curve


def test_fewer_views_train_another_field_judged_on_the_same_held_out_views(ball: Scene) -> None:
    run = TrainingRun(build({**TINY, "optimisation.views": 2}), ball)
    assert len(run.rays.pixels.origins) == 2
    assert not same(train(run.config, ball), train(build(TINY), ball))


@pytest.mark.parametrize("varied", [{}, {"sampling.fine": 8, "optimisation.density_noise": 0.5}])
def test_same_config_and_seed_same_result_and_another_seed_another(
    ball: Scene, varied: Flat
) -> None:
    config = build({**TINY, **varied})
    first, again = train(config, ball), train(config, ball)
    other = train(dataclasses.replace(config, seed=1), ball)
    assert same(first, again)
    assert not same(first, other)


class _Killed(Exception):
    pass


@pytest.mark.parametrize(
    "varied",
    [
        {},
        {"sampling.fine": 8, "optimisation.density_noise": 0.5},
        {"encoding.kind": "hash", "encoding.hash_log2_entries": 10},
    ],
)
def test_a_resumed_run_equals_an_unbroken_one_bit_for_bit(
    ball: Scene, tmp_path: Path, varied: Flat
) -> None:
    config = build({**TINY, **varied})
    checkpoint = tmp_path / "run.pt"

    def die_at(step: int) -> None:
        if step == 33:
            raise _Killed

    with pytest.raises(_Killed):
        train(config, ball, Callbacks(on_step=die_at), checkpoint=checkpoint)
    progress: list[Progress] = []
    resumed = train(config, ball, Callbacks(on_progress=progress.append), checkpoint=checkpoint)
    assert [p.step for p in progress] == [40]
    assert same(resumed, train(config, ball))


def test_a_run_that_skips_empty_space_is_resumed_bit_for_bit_too(
    ball: Scene, tmp_path: Path
) -> None:
    longer: Flat = {
        "optimisation.steps": 120,
        "optimisation.warm_up": 0,  # with one the grid learns of empty space later
        "compute.occupancy": 8,
        "compute.precision": "bf16",
        "sampling.fine": 8,
    }
    config = build({**TINY, **longer})
    skips = []

    def die_at(step: int) -> None:
        if step == 95:
            raise _Killed

    def render_it(step: int, render: object) -> None:
        assert callable(render)
        render()

    checkpoint = tmp_path / "run.pt"
    callbacks = Callbacks(on_step=die_at, on_preview=render_it)
    with pytest.raises(_Killed):
        train(config, ball, callbacks, checkpoint=checkpoint)
    for name, buffer in load_checkpoint(checkpoint)["model"].items():
        if name.endswith("known"):  # the name of `density_bound` in a checkpoint
            skips.append(bool((buffer < 0).any()))
    assert any(skips)
    resumed = train(config, ball, checkpoint=checkpoint)
    assert same(resumed, train(config, ball))


def test_a_finished_checkpoint_gives_its_result_again(ball: Scene, tmp_path: Path) -> None:
    config = build(TINY)
    first = train(config, ball, checkpoint=tmp_path / "run.pt")
    assert same(first, train(config, ball, checkpoint=tmp_path / "run.pt"))


def test_a_checkpoint_of_another_run_is_refused_by_name(ball: Scene, tmp_path: Path) -> None:
    train(build(TINY), ball, checkpoint=tmp_path / "run.pt")
    with pytest.raises(InputError, match=r"field\.width"):
        train(build({**TINY, "field.width": 16}), ball, checkpoint=tmp_path / "run.pt")
    moved = dataclasses.replace(ball, images=Images(ball.images[::-1].copy()))
    with pytest.raises(InputError, match="scene"):
        train(build(TINY), moved, checkpoint=tmp_path / "run.pt")


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", b"PK\x03\x04 torn"])
def test_a_file_that_is_not_a_checkpoint_is_refused(
    ball: Scene, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(InputError, match="not a readable checkpoint"):
        train(build(TINY), ball, checkpoint=tmp_path / "run.pt")


def test_a_diverging_run_ends_early_with_that_reason(ball: Scene) -> None:
    result = train(build({**TINY, "optimisation.learning_rate": 1e30}), ball)
    assert result.state == "collapsed"
    assert "diverged" in result.reason
    assert result.steps_done < 40


def test_no_global_random_state_is_touched(ball: Scene) -> None:
    import torch

    before, numpy_before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    train(build({**TINY, "optimisation.steps": 3}), ball)
    assert torch.equal(before, torch.get_rng_state())
    assert (np.random.get_state()[1] == numpy_before).all()  # noqa: NPY002


def test_a_large_batch_is_one_step_however_it_is_cut(
    ball: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: Flat = {
        "sampling.jitter": False,
        "sampling.fine": 8,
        "compute.precision": "fp32",
    }
    runs = []
    for at_once in (10**9, 1000):
        monkeypatch.setattr(step, "TRAINING_CHUNK_SAMPLES", at_once)
        run = TrainingRun(build(TINY | settings), ball)
        run.advance()
        runs.append(run)
    whole, cut = runs
    torch.testing.assert_close(whole.step.losses, cut.step.losses)
    for half, full in zip(cut.model.occupancy_grids(), whole.model.occupancy_grids(), strict=True):
        assert half.ema_decay > full.ema_decay, "each chunk of a step decays by a root of EMA_DECAY"
        torch.testing.assert_close(half.occs, full.occs, rtol=1 - EMA_DECAY, atol=1e-6)
    for ours, theirs in zip(cut.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-6)
