"""A program of the user as a trainer: its command, into which each trial's values are filled.

The command is split into words as a shell splits them, and run without one: no pipes, variables or
wildcards. Its code stays where it is, so on a cluster every node must have it.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nerf.common.errors import InputError, closest
from nerf.config.flat import Flat
from nerf.config.parameters import Parameter, Value
from study.trainers.program.parameter_file import read_parameter_file
from study.trainers.trainer import Train

PLACES = {
    "steps": "the full budget, --steps",
    "seed": "the trial's seed",
    "device": "cpu, or cuda with --gpus-per-trial",
    "folder": "the trial's own folder, the same for each of its attempts",
    "metrics": "a file in that folder for its results, instead of standard output",
    "parameters": "a JSON file with all values, instead of a placeholder each",
    "trial": "the trial's number, such as 00003",
    "scene": "the path or name that --scene gives",
}
"""What a command may name beside its parameters."""

_OF_STUDY = ("steps", "seed")
"""Those that a parameter file may declare, too: for their defaults."""

_PLACE = re.compile(r"\{\{([\w.]+)\}\}|\{([A-Za-z_][\w.]*)\}")
_SHELL_WORDS = ("|", "||", "&", "&&", ";", "<", ">", ">>", "2>", "2>&1", "&>")
_MAX_HASHED_BYTES = 2**20


@dataclass(frozen=True)
class Program:
    """Names a program, and holds all that another machine needs to run it."""

    command: str
    """As `--command` gives it."""
    declared: tuple[Parameter, ...]
    file: str = ""
    """The parameter file, an absolute path."""
    workdir: str = ""
    """The folder in which it runs, an absolute path."""

    @property
    def name(self) -> str:
        return self.command

    def load(self) -> LoadedProgram:
        return LoadedProgram(self)

    def code_hash(self) -> str:
        """Hashes of the command, the parameter file and each file that the command names."""
        parts = {"the command": self.command.encode()}
        if Path(self.file).is_file():
            parts[self.file] = repr(read_parameter_file(Path(self.file))).encode()
        else:
            parts[self.file] = repr(self.declared).encode()
        for word in split_command(self.command)[1:]:
            file = Path(self.workdir, word)
            if file.is_file() and file.stat().st_size <= _MAX_HASHED_BYTES:
                parts[word] = file.read_bytes()
        hashes = {name: hashlib.sha256(text).hexdigest()[:16] for name, text in parts.items()}
        return json.dumps(hashes)

    def describe_changes(self, code_hash: str) -> str:
        before, now = json.loads(code_hash), json.loads(self.code_hash())
        names = [name for name in {**before, **now} if before.get(name) != now.get(name)]
        if not names:
            return ""
        return f"{' and '.join(names)} {'has' if len(names) == 1 else 'have'} changed"

    def local_packages(self) -> list[Path]:
        return []


@dataclass(frozen=True)
class Call:
    """The program with the values of a trial."""

    program: Program
    values: Mapping[str, Value]

    def fill_in(self, places: Mapping[str, str]) -> list[str]:
        """The words of the command; `places` has a text for each of `PLACES` that it names.

        A word that ends up empty is left out, so that a choice may be a flag or nothing.
        """
        texts = {**{path: _text(value) for path, value in self.values.items()}, **places}
        words = split_command(self.program.command)
        filled = [_PLACE.sub(lambda m: texts[m[2]] if m[2] else f"{{{m[1]}}}", w) for w in words]
        return [word for word in filled if word]


@dataclass(frozen=True)
class LoadedProgram:
    """A program as `LoadedTrainer`."""

    program: Program

    @property
    def train(self) -> Train:
        # By its name: nerf-report, which reads studies without training, has no such module.
        module = importlib.import_module("study.trainers.program.train")
        train: Train = module.train
        return train

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return self.program.declared

    def build(self, values: Flat) -> Call:
        names = {parameter.path for parameter in self.parameters}
        return Call(self.program, {path: v for path, v in values.items() if path in names})


def read_program(command: str, parameter_file: str | None, workdir: str | None) -> Program:
    """The program that the options name; raises `InputError` where they do not fit."""
    if not parameter_file:
        raise InputError(
            "--command needs --parameter-file FILE.toml, which declares what {names} it may have"
        )
    file = Path(parameter_file).absolute()
    declared = read_parameter_file(file)
    program = Program(command, declared, str(file), str(Path(workdir or "").absolute()))
    require_valid(program)
    return program


def require_valid(program: Program) -> None:
    """Raises `InputError` unless command and parameters fit each other."""
    declared = [parameter.path for parameter in program.declared]
    taken = [path for path in declared if path in PLACES and path not in _OF_STUDY]
    if taken:
        raise InputError(
            f"--parameter-file {program.file}: {taken[0]} is {PLACES[taken[0]]}; rename it"
        )
    words = split_command(program.command)
    for word in words:
        if word in _SHELL_WORDS:
            raise InputError(
                f"--command is run without a shell, to which {word!r} would be an argument; write "
                "a script, or bash -c '...'"
            )
    known = [*declared, *(name for name in PLACES if name not in declared)]
    used = find_places(program.command)
    for name in used:
        if name not in known:
            raise InputError(
                f"--command has the unknown placeholder {{{name}}}{closest(name, known)} (known: "
                f"{', '.join(known)}; {{{{{name}}}}} stands for itself)"
            )
    unused = [path for path in declared if path not in used and path not in _OF_STUDY]
    if unused and "parameters" not in used:
        raise InputError(
            f"--command does not use {', '.join(unused)}, which {program.file} declares; write "
            f"{{{unused[0]}}}, or {{parameters}}, a JSON file with all values, or remove it there"
        )


def require_found(program: Program) -> None:
    """Raises `InputError` where this machine lacks the program or its folder."""
    if not Path(program.workdir).is_dir():
        raise InputError(f"--workdir {program.workdir} is not a folder; name the one to run in")
    first = split_command(program.command)[0]
    if find_places(first):
        return
    found = shutil.which(str(Path(program.workdir, first)) if "/" in first else first)
    if found is None:
        where = f"in {program.workdir}" if "/" in first else "on the PATH"
        raise InputError(
            f"--command: there is no program {first} {where}; give its path, or that of the Python "
            "that has it"
        )


def find_places(command: str) -> list[str]:
    """The placeholders in a command, each once, in order."""
    names = [matched[2] for matched in _PLACE.finditer(command) if matched[2]]
    return list(dict.fromkeys(names))


def split_command(command: str) -> list[str]:
    """The words of a command; raises `InputError` where there are none."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise InputError(f"--command cannot be split into words: {error}") from None
    if not words:
        raise InputError("--command is empty; write a program and its arguments")
    return words


def _text(value: Value) -> str:
    """A value as `--set` spells it, which also reads it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
