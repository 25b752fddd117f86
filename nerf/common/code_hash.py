"""Hash of Python code that comments, docstrings and formatting do not change."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def hash_code(files: Iterable[Path], root: Path) -> str:
    """Hash (16 hexadecimal digits) of the files' syntax trees and of their paths below `root`.

    Python 3.11, 3.12 and 3.13 give the same hash; a later version may parse some construct to
    another tree, and then seems to have changed the code.
    """
    digest = hashlib.sha256()
    for file in files:
        syntax = _describe_syntax(ast.parse(file.read_bytes()))
        digest.update(f"{file.relative_to(root).as_posix()}\0{syntax}\0".encode())
    return digest.hexdigest()[:16]


def hash_text(code: str) -> str:
    """Hash (16 hexadecimal digits) of the syntax tree of one file's text, wherever that lies."""
    return hashlib.sha256(_describe_syntax(ast.parse(code)).encode()).hexdigest()[:16]


def _describe_syntax(node: Any) -> str:
    """Like `ast.dump`, but without documentation, and with empty fields left out.

    Python versions disagree about empty fields: 3.12 added `type_params`, and `ast.dump` of 3.13
    leaves out empty lists.
    """
    if isinstance(node, list):
        return f"[{','.join(_describe_syntax(item) for item in node if not _documents(item))}]"
    if isinstance(node, ast.AST):
        fields = [
            f"{name}={_describe_syntax(value)}"
            for name, value in ast.iter_fields(node)
            if value is not None and value != []
        ]
        return f"{type(node).__name__}({','.join(fields)})"
    return repr(node)


def _documents(node: Any) -> bool:
    """Whether a node is a docstring (any statement that is just a string) or a call of `Doc`."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Doc"
