"""Choices that plugins may add to: names, and the code that each of them stands for.

A `Registry` is both the list of a parameter's choices and the place where its code is looked up.
Pieces of this program and of a plugin register in the same way:

    @HIDDEN_ACTIVATIONS.register("elu")
    def elu(x: Tensor, options: Elu) -> Tensor: ...

`options` is a section of the configuration: one that exists, such as `Field`, or a dataclass of the
plugin, whose fields become parameters (`elu.alpha`). A command that only needs the names does not
import the code, which imports torch: this program's own names are declared beside their home.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from nerf.common.errors import InputError, closest
from nerf.common.python_files import describe_exception
from nerf.common.registration import Registrations, check_name, current_plugin
from nerf.config.sections import add_section

Code = TypeVar("Code", bound=Callable[..., Any])


@dataclass(frozen=True)
class Piece:
    """The code that a choice stands for."""

    name: str
    code: Callable[..., Any]
    options: type | None
    """The section of the configuration that the code takes as `options`."""
    inverse: Callable[..., float] | None = None
    """Of a density activation: the raw output for a density; takes the same options."""
    plugin: str = ""
    """The plugin that registered it; empty for this program's own."""

    def bind(self, section: Callable[[type], Any]) -> Callable[..., Any]:
        """The code with its options, which `section` gives for their class."""
        bound: Callable[..., Any] = self._bound(self.code, section)
        return bound

    def bind_inverse(self, section: Callable[[type], Any]) -> Callable[[float], float] | None:
        """The inverse with its options; None if there is none."""
        return self._bound(self.inverse, section) if self.inverse else None

    def _bound(self, code: Callable[..., Any], section: Callable[[type], Any]) -> Any:
        return functools.partial(code, options=section(self.options)) if self.options else code


class Registry(Registrations[Piece]):
    """The choices of one parameter, and their code."""

    def __init__(self, path: str, what: str, home: str, built_in: tuple[str, ...]) -> None:
        """`home` is the module that registers the names in `built_in` as it is imported."""
        super().__init__()
        self.path = path
        self.what = what
        self.built_in = built_in
        self._home = home
        self._explain_fault: Callable[[Callable[..., Any]], str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All choices: this program's own, then those of plugins."""
        own = [name for name, piece in self._pieces.items() if piece.plugin]
        return (*self.built_in, *own)

    def register(
        self, name: str, inverse: Callable[..., float] | None = None
    ) -> Callable[[Code], Code]:
        """A decorator that adds a choice; raises `InputError` for a name that exists."""
        plugin = current_plugin()
        check_name(name)
        if name in self._pieces or (plugin and name in self.built_in):
            raise InputError(f"{self.what} {name!r} exists already; register it under another name")

        def add(code: Code) -> Code:
            options = _options_class(code, f"{self.what} {name!r}")
            if options is not None:
                add_section(name, options, plugin)
            self._pieces[name] = Piece(name, code, options, inverse, plugin)
            return code

        return add

    def fault_check(self, explain: Code) -> Code:
        """A decorator of the function that says what is wrong with a piece; empty if nothing."""
        self._explain_fault = explain
        return explain

    def piece(self, name: str) -> Piece:
        """The piece of that name; raises `InputError` for another."""
        importlib.import_module(self._home)
        if name not in self._pieces:
            more = "if a plugin registers it, name the plugin by --plugin"
            hint = closest(name, list(self.names), more)
            raise InputError(f"there is no {self.what} {name!r}{hint}")
        return self._pieces[name]

    def pieces_with(self, section: type | None) -> list[Piece]:
        """The pieces that take a section as their options."""
        return [piece for piece in self._pieces.values() if piece.options is section is not None]

    def check(self, piece: Piece) -> None:
        """Tries a plugin's piece; raises `InputError` where it is not as such pieces should be."""
        importlib.import_module(self._home)
        assert self._explain_fault is not None, self.path
        try:
            fault = self._explain_fault(piece.bind(lambda section: section()))
        except Exception as error:
            fault = f"raises {describe_exception(error)}"
        if fault:
            raise InputError(f"{self.what} {piece.name!r} {fault}")


def _options_class(code: Callable[..., Any], what: str) -> type | None:
    """The frozen dataclass that annotates `options`, by which a piece asks for its parameters."""
    function = code.__init__ if inspect.isclass(code) else code
    try:
        parameters = inspect.signature(function).parameters
    except ValueError:  # of C, as torch.sin is
        return None
    if "options" not in parameters:
        return None
    try:
        hint = typing.get_type_hints(function).get("options")
    except Exception as error:
        raise InputError(f"the annotations of {what} cannot be read: {error}") from None
    params = getattr(hint, "__dataclass_params__", None)
    if not isinstance(hint, type) or params is None or not params.frozen:
        raise InputError(f"`options` of {what} must be annotated with a frozen dataclass")
    required = [f.name for f in dataclasses.fields(hint) if _has_no_default(f)]
    if required:
        raise InputError(f"{hint.__name__} needs a default for {', '.join(required)}")
    return hint


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
