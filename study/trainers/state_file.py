"""Checkpoints of `run.checkpoint(state)`, read without running code."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nerf.common.errors import InputError

_CURVE = "curve"


def dump_state(state: Mapping[str, Any]) -> bytes:
    """The state as bytes, of which `with_curve` makes the content of a file."""
    import torch

    buffer = io.BytesIO()
    torch.save(dict(state), buffer)
    return buffer.getvalue()


def require_loadable(state: bytes) -> None:
    """Raises `InputError` where `load_state` would refuse what `dump_state` gave."""
    try:
        _load(state)
    except Exception as error:
        raise InputError(
            f"checkpoint(state) holds what cannot be read back safely: {name_unsafe(error)}; give "
            "tensors, arrays, numbers and text, in dicts and lists"
        ) from None


def name_unsafe(error: Exception) -> str:
    """What `torch.load` with `weights_only` refused: the type, or else the kind of the error."""
    refused = re.search(r"GLOBAL (\S+)", str(error))
    return refused[1] if refused else type(error).__name__


def with_curve(state: bytes, curve: Sequence[Mapping[str, Any]]) -> bytes:
    """The content of a checkpoint file: a state, and the evaluations until then."""
    import torch

    buffer = io.BytesIO()
    torch.save({_CURVE: [dict(point) for point in curve], "state": state}, buffer)
    return buffer.getvalue()


def load_state(content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """State and curve of a checkpoint file; raises `InputError` if it is damaged."""
    try:
        outer = _load(content)
        return _load(outer["state"]), list(outer[_CURVE])
    except Exception as error:  # torch raises many kinds
        cause = next(iter(str(error).splitlines()), type(error).__name__)[:100]
        raise InputError(f"the checkpoint cannot be read ({cause})") from None


def _load(content: bytes) -> dict[str, Any]:
    import torch

    with torch.serialization.safe_globals(_numpy_types()):
        loaded: dict[str, Any] = torch.load(
            io.BytesIO(content), map_location="cpu", weights_only=True
        )
    return loaded


def _numpy_types() -> list[Any]:
    """What arrays and numbers of NumPy are made of."""
    from numpy._core import multiarray

    dtypes = [type(np.dtype(code)) for code in "?bBhHiIlLqQefd"]
    return [multiarray._reconstruct, multiarray.scalar, np.ndarray, np.dtype, *dtypes]
