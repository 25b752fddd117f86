"""Values and metric of a trial in the journal, whether or not it lies within the search space.

The default configuration may lie outside the space: `--vary field.width=16,32` leaves out its width
of 128. It is run all the same, but Optuna's distributions cannot hold it. Its trial has no Optuna
parameters, its values are an attribute, and for Optuna it counts as failed, the only state that all
samplers and importance estimators leave out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nerf.config.parameters import Value

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

OUTSIDE_SPACE = "outside_space"
"""The attribute with all values of a trial of which one lies outside the space."""

OUTSIDE_VALUE = "psnr"
"""The attribute with the final metric of such a trial, which has no value for Optuna; called so on
disk, whatever the metric is. A list of several."""

NERF_PSNR = "validation_psnr"
"""The attribute with the last PSNR of a NeRF that is ranked by something else: whether it trained
depends on that."""

TRAINS = "trains"
"""The constraint, in Optuna's sense, that a trial which broke violates: no sampler takes it for a
good one, however fast it was."""


SCENE = "scene"
"""The attribute with the label of the scene, in a study of several."""


def scene_of(trial: FrozenTrial) -> str:
    """The label of a trial's scene; empty in a study of one."""
    return str(trial.user_attrs.get(SCENE, ""))


def trial_values(trial: FrozenTrial) -> dict[str, Value]:
    """The values of the parameters that the study varies, by path."""
    return dict(trial.user_attrs.get(OUTSIDE_SPACE) or trial.params)


def final_values(trial: FrozenTrial) -> list[float]:
    """The metrics of an ended trial at its full budget; none if it has none."""
    outside = trial.user_attrs.get(OUTSIDE_VALUE, [])
    return list(trial.values or (outside if isinstance(outside, list) else [outside]))


def final_value(trial: FrozenTrial) -> float | None:
    """The first metric of an ended trial at its full budget; None if it has none."""
    return next(iter(final_values(trial)), None)


def is_broken(trial: FrozenTrial) -> bool:
    """Whether an ended trial broke, in a study that marks those (`StudySpec.marks_broken`)."""
    return any(violation > 0 for violation in trial.constraints.values())


def latest_value(trial: FrozenTrial) -> float | None:
    """The final metric of an ended trial, else its last evaluation's; None before the first."""
    value = final_value(trial)
    if value is None and trial.intermediate_values:
        value = trial.intermediate_values[max(trial.intermediate_values)]
    return value
