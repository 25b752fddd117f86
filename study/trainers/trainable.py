"""A trainer of the user: `my_nerf.py:train` or `package.module:train`.

A file is sent to other processes and machines by its text, so that they need not have it; modules
beside it are found where they see its folder. A package must be installed where trials run, or lie
in the folder of the launch; on a cluster it is sent along.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
import traceback
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nerf.common.code_hash import hash_code, hash_text
from nerf.common.errors import InputError, closest
from nerf.common.python_files import describe_exception, read_python
from nerf.config.flat import Flat
from nerf.config.parameters import Parameter, Value, declared_parameters
from study.trainers.trainer import Train


@dataclass(frozen=True)
class Trainable:
    """Names a trainer, and holds its code where that is a file."""

    module: str
    """The path of the file, or the module's dotted name."""
    function: str
    code: str = ""
    """The text of the file; empty for a module."""
    folder: str = ""
    """Where its imports are found, if that exists: the file's folder, or the one of the launch."""

    @property
    def name(self) -> str:
        """As `--trainable` names it: `/home/me/my_nerf.py:train`."""
        return f"{self.module}:{self.function}"

    def load(self) -> LoadedTrainable:
        """Imports it; raises `InputError` as `load_trainable`."""
        return load_trainable(self)

    def code_hash(self) -> str:
        """Hash of its file, or of its module's, without comments and formatting.

        Modules that it imports are not part of it.
        """
        if self.code:
            return hash_text(self.code)
        file = Path(_import(self).__file__ or "")
        return hash_code([file], file.parent) if file.is_file() else ""

    def describe_changes(self, code_hash: str) -> str:
        return "" if self.code_hash() == code_hash else f"{self.name} has changed"

    def local_packages(self) -> list[Path]:
        """Its package or module, if that lies in the folder of the launch."""
        if self.code:
            return []
        top = Path(self.folder) / self.module.partition(".")[0]
        return [path for path in (top, top.with_suffix(".py")) if path.exists()][:1]


@dataclass(frozen=True)
class LoadedTrainable:
    """A trainer's function, and the dataclass of its configuration."""

    train: Train
    config_class: type
    parameters: tuple[Parameter, ...]

    def build(self, values: Flat) -> Any:
        """A configuration of these values; raises `InputError` for those that it rejects."""
        names = {parameter.path for parameter in self.parameters}
        try:
            return _build(self.config_class, {p: v for p, v in values.items() if p in names}, "")
        except InputError:
            raise
        except Exception as error:
            raise InputError(
                f"{self.config_class.__name__} rejects it: {describe_exception(error)}"
            ) from None


TUNER = "tune.Tuner"
"""Stands for the module of a trainer that a `tune.Tuner` of the user runs (`StudySearcher`)."""


def read_trainable(name: str) -> Trainable:
    """The trainer that `--trainable` names.

    Raises `InputError` for a file that cannot be read, or is empty.
    """
    module, colon, function = name.rpartition(":")
    if module == TUNER:
        raise InputError(
            "a tune.Tuner trains the trials of this study; run that again, with a StudySearcher on "
            "the same folder"
        )
    if not colon or not module or not function.isidentifier():
        raise InputError(
            f"--trainable must be FILE.py:FUNCTION or package.module:FUNCTION, got {name!r}"
        )
    if not module.endswith(".py"):
        return Trainable(module, function, folder=str(Path.cwd()))
    file = Path(module).absolute()
    code = read_python(file, f"--trainable {name}: {file}")
    if not code.strip():  # without code, `Trainable` would name a module
        raise InputError(
            f"--trainable {name}: {file} is empty; write def {function}(config, run): ... there"
        )
    return Trainable(str(file), function, code, str(file.parent))


@functools.lru_cache(maxsize=4)
def load_trainable(trainable: Trainable) -> LoadedTrainable:
    """Imports the trainer and reads its parameters.

    Raises `InputError` for code that does not run, and for a function or dataclass that is not as
    a trainer's should be.
    """
    module = _import(trainable)
    train = getattr(module, trainable.function, None)
    if not callable(train):
        functions = [name for name, value in vars(module).items() if inspect.isfunction(value)]
        hint = closest(trainable.function, functions)
        raise InputError(
            f"--trainable {trainable.name}: there is no function {trainable.function}{hint}"
        )
    try:
        config_class = _config_class(train)
        parameters = list_declared(config_class)
    except InputError as error:
        raise InputError(f"--trainable {trainable.name}: {error}") from None
    return LoadedTrainable(train, config_class, parameters)


_importing: list[str] = []


def being_imported() -> str:
    """The path of a trainer's file that this process is importing now; empty for none."""
    return _importing[-1] if _importing else ""


def _import(trainable: Trainable) -> types.ModuleType:
    if trainable.folder and trainable.folder not in sys.path and Path(trainable.folder).exists():
        sys.path.append(trainable.folder)  # last: nothing of Python's own is to be hidden
    try:
        if not trainable.code:
            return importlib.import_module(trainable.module)
        # Under a name that no other module has, whatever the file is called.
        module = types.ModuleType(f"trainable_{Path(trainable.module).stem}")
        module.__file__ = trainable.module
        sys.modules[module.__name__] = module  # dataclasses look their module up
        _importing.append(trainable.module)
        try:
            exec(compile(trainable.code, trainable.module, "exec"), module.__dict__)
        finally:
            _importing.pop()
        return module
    except Exception as error:
        cause = f"{describe_exception(error)}{_describe_place(error, trainable)}"
        raise InputError(f"--trainable {trainable.name} cannot be imported: {cause}") from error


def _describe_place(error: Exception, trainable: Trainable) -> str:
    """Where in the trainer's file the error was raised; empty if elsewhere."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == trainable.module]
    return f" (line {lines[-1]})" if lines else ""


def _config_class(train: Callable[..., Any]) -> type:
    """The dataclass that annotates the first parameter of `train(config, run)`."""
    rule = "the first parameter of train(config, run) must be annotated with a frozen dataclass"
    parameters = list(inspect.signature(train).parameters)
    if len(parameters) != 2:
        raise InputError(f"{rule}; it has {len(parameters)} parameters")
    try:
        hint = typing.get_type_hints(train).get(parameters[0])
    except Exception as error:
        raise InputError(f"its annotations cannot be read: {describe_exception(error)}") from None
    params = getattr(hint, "__dataclass_params__", None)
    if not isinstance(hint, type) or params is None or not params.frozen:
        got = "it has none" if hint is None else f"got {getattr(hint, '__name__', hint)}"
        raise InputError(f"{rule}; {got}")
    return hint


def list_declared(config_class: type) -> tuple[Parameter, ...]:
    """The parameters of a configuration, without properties that set one of them.

    Raises `InputError` for a dataclass that is not as a trainer's should be.
    """
    name = config_class.__name__
    missing = [
        field.name
        for field in dataclasses.fields(config_class)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise InputError(f"{name} needs a default for {', '.join(missing)}")
    try:
        by_path = declared_parameters(config_class())
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{name} rejects its own defaults: {describe_exception(error)}") from None
    parameters = tuple(p for p in by_path.values() if not p.sets)
    if not any(p.domain or p.choices for p in parameters):
        raise InputError(
            f"{name} has no parameter with a range or choices, so that none can vary; write "
            "lr: Annotated[float, Domain(1e-4, 1e-1, log=True)] = 1e-3"
        )
    return parameters


def _build(cls: type, values: Flat, prefix: str) -> Any:
    """An instance of a dataclass, and of those that are its sections."""
    own: dict[str, Value | Any] = {}
    hints = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        path = f"{prefix}{field.name}"
        if dataclasses.is_dataclass(hints[field.name]):
            own[field.name] = _build(hints[field.name], values, f"{path}.")
        elif path in values:
            own[field.name] = values[path]
    return cls(**own)
