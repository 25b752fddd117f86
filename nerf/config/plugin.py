"""A plugin: the user's file that adds pieces to the choices of a configuration.

Its text travels to other processes and machines, which need not have the file. What a study or run
folder records of it is the path and a hash: `--plugin` gives the code again.
"""

from __future__ import annotations

import sys
import traceback
import types
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nerf.common.code_hash import hash_text
from nerf.common.errors import InputError
from nerf.common.python_files import describe_exception, read_python
from nerf.common.registration import declared, registering
from nerf.config.parameters import forget_parameters, list_parameters
from nerf.config.sections import remove_sections


@dataclass(frozen=True)
class Plugin:
    """A file that registers pieces."""

    file: str
    """Its absolute path."""
    hash: str
    """Of its code, without comments and formatting."""
    code: str = field(default="", repr=False)
    """Its text; empty where it is only recorded."""

    @property
    def name(self) -> str:
        """What tells it from other plugins: the name of the file, wherever that lies."""
        return Path(self.file).name

    def to_json(self) -> dict[str, str]:
        """What a study or run folder records."""
        return {"file": self.file, "hash": self.hash}

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> Plugin:
        """Reads what `to_json` gave."""
        return Plugin(str(data["file"]), str(data["hash"]))


_loaded: dict[str, Plugin] = {}
"""The plugins of this process, by name."""


def read_plugin(file: str) -> Plugin:
    """The plugin that `--plugin` names; raises `InputError` for a file that cannot be read."""
    path = Path(file).absolute()
    code = read_python(path, f"--plugin {file}")
    try:
        return Plugin(str(path), hash_text(code), code)
    except SyntaxError as error:
        where = f"SyntaxError: {error.msg} (line {error.lineno})"
        raise InputError(f"--plugin {file} is not valid Python: {where}") from None
    except ValueError as error:
        raise InputError(
            f"--plugin {file} is not valid Python: {describe_exception(error)}"
        ) from None


def load_plugins(plugins: Iterable[Plugin]) -> None:
    """Runs the code of plugins, unless this process has; a changed one takes its own place.

    Raises `InputError` for one that raises, registers nothing, a name that exists, or a piece that
    is not as such pieces should be. Nothing is then left of it.
    """
    for plugin in plugins:
        if _loaded.get(plugin.name) == plugin:
            continue
        unload_plugin(plugin.name)
        try:
            _load(plugin)
        except InputError as error:
            unload_plugin(plugin.name)
            raise InputError(f"--plugin {plugin.file}: {error}") from None
        _loaded[plugin.name] = plugin


def load_named(files: Sequence[str]) -> tuple[Plugin, ...]:
    """Loads the plugins that `--plugin` names; raises `InputError`."""
    plugins = tuple(map(read_plugin, dict.fromkeys(files)))
    names = [plugin.name for plugin in plugins]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"two plugins are called {name}; rename one of the files")
    load_plugins(plugins)
    return plugins


def loaded_plugins() -> tuple[Plugin, ...]:
    """The plugins of this process, in the order in which they were loaded."""
    return tuple(_loaded.values())


def plugin_options() -> list[str]:
    """The options that load the plugins of this process in another command."""
    return [word for plugin in _loaded.values() for word in ("--plugin", plugin.file)]


def unload_plugin(name: str) -> None:
    """Forgets what a plugin has registered."""
    for registry in declared():
        registry.remove(name)
    remove_sections(name)
    _loaded.pop(name, None)
    forget_parameters()


def require_plugins(what: str, recorded: Sequence[Plugin]) -> list[str]:
    """Raises `InputError` unless the plugins that `what` records are loaded.

    Returns a line on each whose code has changed since.
    """
    missing = [plugin for plugin in recorded if plugin.name not in _loaded]
    if missing:
        names = " and ".join(plugin.name for plugin in missing)
        options = " ".join(f"--plugin {plugin.file}" for plugin in missing)
        plural = "s" if len(missing) > 1 else ""
        raise InputError(f"{what} needs the plugin{plural} {names}; add {options}")
    changed = [plugin for plugin in recorded if _loaded[plugin.name].hash != plugin.hash]
    return [f"{_loaded[p.name].file} has changed since {what} was made with it" for p in changed]


def _load(plugin: Plugin) -> None:
    with registering(plugin.name):
        _run(plugin)
    forget_parameters()
    registered = [(r, piece) for r in declared() for piece in r.of_plugin(plugin.name)]
    if not registered:
        raise InputError(
            "registers nothing; decorate a function with one of nerf.plugins, such as "
            '@register_activation("elu")'
        )
    try:
        list_parameters()
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            f"its parameters reject their own defaults: {describe_exception(error)}"
        ) from None
    for registry, piece in registered:
        registry.check(piece)


def _run(plugin: Plugin) -> None:
    """Runs the file's code as a module under a name that no other module has."""
    folder = str(Path(plugin.file).parent)
    if folder not in sys.path and Path(folder).exists():
        sys.path.append(folder)  # last: nothing of Python's own is to be hidden
    module = types.ModuleType(f"plugin_{Path(plugin.file).stem}")
    module.__file__ = plugin.file
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(plugin.code, plugin.file, "exec"), module.__dict__)
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == plugin.file]
        where = f" (line {lines[-1]})" if lines else ""
        raise InputError(f"cannot be imported: {describe_exception(error)}{where}") from None
