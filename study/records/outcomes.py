"""Outcome of a run: trained, shows nothing, collapsed, pruned or failed.

A run's state (`schema.STATES`) was decided while it trained. Its outcome compares the PSNR that it
completed with to that of trivial images, such as the mean training image: a run that is no better
shows nothing of the scene. The live view, `status` and every report count outcomes, in these words.
"""

from __future__ import annotations

import math

TRAINED = "trained"
SHOWS_NOTHING = "shows nothing"
COLLAPSED = "collapsed"
PRUNED = "pruned"
FAILED = "failed"

OUTCOMES = (TRAINED, SHOWS_NOTHING, COLLAPSED, PRUNED, FAILED)

BROKEN = (SHOWS_NOTHING, COLLAPSED)
"""Outcomes of runs that had their chance to train and did not."""

UNKNOWN_TRIVIAL_PSNR = -math.inf
"""In place of the best trivial image's PSNR where none was recorded: no run shows nothing."""

_OUTCOME_OF_STATE = {"pruned": PRUNED, "collapsed": COLLAPSED, "failed": FAILED}


def outcome_of(state: str, psnr: float | None, trivial_psnr: float) -> str:
    """The outcome, one of `OUTCOMES`, of a run that ended in `state`.

    psnr: its last one, dB; trivial_psnr: that of the best trivial image

    A run that completed without a finite PSNR counts as failed: nothing shows that it trained.
    """
    if state != "completed":
        return _OUTCOME_OF_STATE[state]
    if psnr is None or not math.isfinite(psnr):
        return FAILED
    return SHOWS_NOTHING if shows_nothing(psnr, trivial_psnr) else TRAINED


def shows_nothing(psnr: float, trivial_psnr: float) -> bool:
    """Whether a render is no better than the best trivial image, both in dB."""
    return psnr <= trivial_psnr


def format_count(count: int, outcome: str) -> str:
    """`3 trained`, `1 shows nothing`, `2 show nothing`."""
    return f"{count} {'show nothing' if outcome == SHOWS_NOTHING and count != 1 else outcome}"
