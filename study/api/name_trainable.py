"""The name of a trainer that is given as a function: `FILE.py:NAME` or `package.module:NAME`.

A trial runs in a process of its own, perhaps on another machine or a week later, and a report may
look at the code: so a trainer must be in a file. A pickled function would be neither readable nor
safe to load.
"""

from __future__ import annotations

import importlib.metadata
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError


def name_trainable(train: Callable[..., Any]) -> str:
    """The name by which `--trainable` finds this function.

    Raises `InputError` for one that no file defines: of a notebook's cell, a lambda, an inner one.
    """
    name = getattr(train, "__qualname__", "")
    module = sys.modules.get(getattr(train, "__module__", None) or "")
    if not inspect.isfunction(train) or not name.isidentifier() or module is None:
        raise InputError(
            f"trainable must be a function at the top level of a file, got {_describe(train)}; "
            "write def train(config, run): ... there"
        )
    file = getattr(module, "__file__", None)
    if file is None or not Path(file).is_file():
        raise InputError(
            f"{name} is defined in a notebook's cell or at a prompt, where a trial's own process "
            "cannot find it; put its code and its imports into a file, in a notebook by a cell "
            f"that begins with %%writefile my_trainer.py, and give "
            f'trainable="my_trainer.py:{name}"'
        )
    if getattr(module, name, None) is not train:
        raise InputError(
            f"{file} has another {name} than the one given, such as a decorated one; give the "
            "function that stands there"
        )
    package = module.__spec__.parent if module.__spec__ else ""
    if not package:
        return f"{Path(file).absolute()}:{name}"
    return f"{_importable(module.__spec__.name if module.__spec__ else '', file)}:{name}"


def _importable(module: str, file: str) -> str:
    """The module's name, if the process of a trial finds it; else raises `InputError`."""
    root = Path(file).absolute().parents[module.count(".")]
    top = module.partition(".")[0]
    if root == Path.cwd() or top in importlib.metadata.packages_distributions():
        return module
    raise InputError(
        f"the package of {module} lies in {root}, where a trial's own process does not look; "
        "start Python in that folder, or install the package"
    )


def _describe(value: Any) -> str:
    return str(getattr(value, "__qualname__", None) or type(value).__name__)
