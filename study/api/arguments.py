"""Python values as the options of `run_sweep.py`: `explore=64` is `--explore=64`.

The command's parser declares names, types and defaults; nothing here repeats them.
"""

from __future__ import annotations

import argparse
import keyword
from collections.abc import Callable, Mapping
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.config.domain import Domain
from study.api.name_trainable import name_trainable
from study.cli.parser import make_parser
from study.spec.parse_space import format_value

NOT_ARGUMENTS = ("help", "name", "save_study", "resume", "extend", "dry_run", "plain")
"""Options that methods of `Study` stand for."""


def to_arguments(values: Mapping[str, Any]) -> list[str]:
    """The command line of options given by name; None and False leave an option out.

    Raises `InputError` for an unknown name, and for a value that no option could have.
    """
    known = list_options()
    for name in values:
        if name not in known:
            raise InputError(
                f"unknown argument {name!r}{closest(name, list(known))} (help(Study.create) lists "
                "all arguments)"
            )
    return [text for name, value in values.items() for text in _option(known[name], name, value)]


def list_options() -> dict[str, argparse.Action]:
    """The options that are arguments in Python, by their names there, such as `try_`."""
    by_name = {
        _python_name(text): action
        for action in make_parser()._actions
        for text in action.option_strings
        if text.startswith("--")
    }
    return {name: action for name, action in by_name.items() if name not in NOT_ARGUMENTS}


def _python_name(option: str) -> str:
    name = option.removeprefix("--").replace("-", "_")
    return f"{name}_" if keyword.iskeyword(name) else name


def _option(action: argparse.Action, name: str, value: Any) -> list[str]:
    option = action.option_strings[0]
    if value is None or value is False:
        return []
    if action.nargs == 0:
        if value is not True:
            raise InputError(f"{name} must be True or False, got {value!r}")
        return [option]
    return [f"{option}={text}" for text in _texts(action, name, value)]


def _texts(action: argparse.Action, name: str, value: Any) -> list[str]:
    """What follows the option, once for each time that it is given."""
    if name == "trainable" and callable(value):
        return [name_trainable(value)]
    if isinstance(value, Mapping):
        describe = {"vary": format_vary, "set": format_settings, "try_": _format_try}.get(name)
        if describe is None:
            raise InputError(f"{name} takes no dict, got {value!r}")
        return describe(value)
    if isinstance(value, list | tuple):
        if not isinstance(action, argparse._AppendAction):
            raise InputError(f"{name} takes one value, got {value!r}")
        parts = (entry if isinstance(entry, Mapping) else _plain(name, entry) for entry in value)
        return [text for part in parts for text in _texts(action, name, part)]
    return [_plain(name, value)]


def format_settings(values: Mapping[str, Any]) -> list[str]:
    """`--set` texts of parameters and their values."""
    return [f"{path}={_plain(path, value)}" for path, value in values.items()]


def _format_try(values: Mapping[str, Any]) -> list[str]:
    """The `--try` text of one configuration."""
    return [",".join(format_settings(values))]


def format_vary(ranges: Mapping[str, Any]) -> list[str]:
    """`--vary` texts of parameters and their ranges; raises `InputError`."""
    return [_format_range(path, value) for path, value in ranges.items()]


def _format_range(path: str, value: Any) -> str:
    """`--vary` text of `(low, high)`, a list of choices, `{choice: probability}`, a `Domain`, ...

    None stands for the parameter's own range or choices, and text for itself.
    """
    if value is None:
        return path
    if isinstance(value, str):
        return f"{path}={value}"
    if isinstance(value, Domain):
        scale = "log" if value.log else "linear"
        return f"{path}={_plain(path, value.low)}:{_plain(path, value.high)}:{scale}"
    if isinstance(value, range) and len(value) > 1 and value.step > 0:
        return f"{path}={value[0]}:{value[-1]}:linear:step={value.step}"
    if isinstance(value, Mapping):
        pairs = [f"{_choice(path, c)}*{_plain(path, weight)}" for c, weight in value.items()]
        return f"{path}={','.join(pairs)}"
    if isinstance(value, tuple) and len(value) == 2 and all(map(_is_number, value)):
        return f"{path}={_plain(path, value[0])}:{_plain(path, value[1])}"
    if isinstance(value, list):
        return f"{path}={','.join(_choice(path, each) for each in value)}"
    raise InputError(
        f"{path} varies over (low, high), a list of values, {{value: probability}}, a Domain, a "
        f"rising range, or None for its own range; got {value!r}"
    )


def _choice(path: str, value: Any) -> str:
    text = _plain(path, value)
    if any(sign in text for sign in ",*") or ":" in text:
        raise InputError(f"{path} cannot vary over {text!r}, which holds one of , * :")
    return text


def _plain(name: str, value: Any) -> str:
    """A number, text or path as the command line spells it, so that it is read as the same."""
    convert: Callable[[], Any] | None = getattr(value, "item", None)  # a NumPy scalar's
    if convert is not None and not getattr(value, "ndim", 0):
        value = convert()
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, bool | int | str) or hasattr(value, "__fspath__"):
        return format_value(value)
    raise InputError(f"{name} must be a number, text or a path, got {value!r}")


def _is_number(value: Any) -> bool:
    return not isinstance(value, bool | str) and hasattr(value, "__float__")
