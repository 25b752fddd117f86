"""A study file: the options of a study in TOML or YAML.

    scene = "bricks"
    explore = 64
    vary = { "sampling.near" = "0.5:4", "field.width" = [32, 64] }
    set = { "field.depth" = 4 }

Named configurations instead of ranges are in variants.py. A file that `--save-study` wrote states
the whole study, with the default of every parameter in a table `defaults`: it means the same study
to a later version with other defaults.

A file with the key `method` or `parameters` is read as a W&B sweep.yaml, by wandb_sweep.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nerf.common.errors import InputError, closest
from nerf.config.parameters import Value
from nerf.config.plugin import load_named
from study.spec.default_space import SPACES
from study.spec.design_file import is_design_file
from study.spec.earlier_trials import read_from_table
from study.spec.parse_space import check_texts, flatten_table, format_value
from study.spec.toml_or_yaml import read_document
from study.spec.variants import read_variants
from study.spec.wandb_sweep import read_wandb_sweep
from study.trainers.find_trainer import TRAINER_OPTIONS, find_trainer
from study.trainers.parameter_set import (
    DeclaredParameters,
    NerfParameters,
    ParameterSet,
    get_parameter,
)

# The options that a file may contain, with the types of their values.
STUDY_FILE_KEYS: dict[str, type | tuple[type, ...]] = {
    "scene": (str, list),
    "trainable": str,
    "command": str,
    "parameter_file": str,
    "workdir": str,
    "plugin": list,
    "metric": (str, list),
    "direction": str,
    "unit": str,
    "collapse": list,
    "downscale": int,
    "background": str,
    "follow_links": bool,
    "name": str,
    "studies": str,
    "explore": int,
    "design": str,
    "optimize": int,
    "sampler": str,
    "pruner": str,
    "replicates": int,
    "repeats": int,
    "until": str,
    "hours": (int, float),
    "budget": (int, float),
    "steps": int,
    "seed": int,
    "try": list,
    "from": list,
    "space": str,
    "vary": (dict, list),
    "set": (dict, list),
    "variants": dict,
    "defaults": dict,
    "cpus_per_trial": int,
    "gpus_per_trial": (int, float),
    "pack": (int, str),
    "max_concurrent": int,
    "address": str,
    "storage": str,
    "retries": int,
    "patience": (int, float),
    "wait_for_nodes": (int, float),
    "wandb": str,
    "track": str,
}


def read_study_file(path: Path, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The options in a file, as the command line would give them; of a W&B sweep, also `notes`.

    given: options of the command line, of which trainer and plugins take the place of the file's

    Raises `InputError` with file and key, or file and line.
    """
    content = read_document(path)
    if not content:
        raise InputError(f"{path} holds no options; write some, such as explore = 64")
    if not isinstance(content, dict):
        raise InputError(f"{path} must hold a table of options, got {type(content).__name__}")
    given = given or {}
    plugins = [] if "plugin" in given else _read_plugins(path, content.get("plugin", []))
    load_named(plugins)
    is_sweep = bool(content.keys() & {"parameters", "method"})  # whose `command` is another thing
    parameters = _read_parameters(path, {} if is_sweep else content, given)
    if is_sweep:
        return read_wandb_sweep(path, content, parameters)
    options: dict[str, Any] = {"plugin": tuple(plugins)} if "plugin" in content else {}
    for key, value in content.items():
        options |= _read_option(path, str(key), value, parameters)
    return _beside_file(path, options)


def _read_option(path: Path, key: str, value: Any, parameters: ParameterSet) -> dict[str, Any]:
    """The options that one key of the file stands for."""
    name = key.replace("-", "_")
    if name not in STUDY_FILE_KEYS:
        raise InputError(f"{path}: unknown key {key!r}{closest(name, list(STUDY_FILE_KEYS))}")
    _require_type(path, key, value, STUDY_FILE_KEYS[name])
    match name:
        case "plugin":  # loaded before the others are read
            return {}
        case "vary" | "set":
            return {name: _texts(path, name, value, parameters)}
        case "variants":
            return {name: read_variants(path, value, parameters)}
        case "space":
            return {"space_name": _read_space(path, value)}
        case "defaults":
            return {name: _read_defaults(path, value, parameters)}
        case "try":
            return {"try_texts": tuple(map(str, value))}
        case "from":
            return read_from_table(path, value)
        case "collapse" | "metric":
            return {name: (value,) if isinstance(value, str) else tuple(map(str, value))}
        case _:
            return {name: value}


def _require_type(path: Path, key: str, value: Any, types: type | tuple[type, ...]) -> None:
    if not isinstance(value, types) or isinstance(value, bool) != (types is bool):
        raise InputError(f"{path}: {key} must be {_describe_types(types)}, got {value!r}")


def _beside_file(path: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The options, with relative paths of trainer, design and scenes as beside the study file."""
    options |= _named_trainer(path, options)
    if is_design_file(options.get("design", "")):
        options["design"] = str(path.parent / options["design"])
    if "scene" in options:
        options["scene"] = _read_scenes(path, options["scene"])
    return options


def _read_parameters(
    path: Path, content: Mapping[str, Any], given: Mapping[str, Any]
) -> ParameterSet:
    """The parameters that the file's texts are about: those of its trainer, which is loaded."""
    own = {name: content[name] for name in TRAINER_OPTIONS if name in content}
    for name, value in own.items():
        if not isinstance(value, str):
            raise InputError(f"{path}: {name} must be text, got {value!r}")
    if given.keys() & {"trainable", "command"}:
        own = {}
    trainer = find_trainer({**_named_trainer(path, own), **given})
    return DeclaredParameters.of(trainer) if trainer else NerfParameters.with_plugins()


def _read_plugins(path: Path, files: Any) -> list[str]:
    """The plugins that the file names, of which a relative one is beside the study file."""
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise InputError(f"{path}: plugin must be a list of files, got {files!r}")
    return [str(path.parent / f) if (path.parent / f).exists() else f for f in files]


def _named_trainer(path: Path, options: Mapping[str, Any]) -> dict[str, str]:
    """The options that name a trainer, of which relative files are those beside the study file."""
    named = {name: str(options[name]) for name in TRAINER_OPTIONS if name in options}
    module, colon, function = named.get("trainable", "").rpartition(":")
    if module.endswith(".py") and (path.parent / module).exists():
        named["trainable"] = f"{path.parent / module}{colon}{function}"
    for name in ("parameter_file", "workdir"):
        if name in named and (path.parent / named[name]).exists():
            named[name] = str(path.parent / named[name])
    return named


def _read_scenes(path: Path, given: str | list[Any]) -> str | list[str]:
    """The scene, or the list of scenes, of which relative paths are relative to the file."""
    named = [given] if isinstance(given, str) else given
    if not named or not all(isinstance(name, str) for name in named):
        raise InputError(f"{path}: scene must be text, or a list of texts, got {given!r}")
    beside = [path.parent / name for name in named]
    scenes = [str(b) if b.exists() else n for b, n in zip(beside, named, strict=True)]
    return scenes[0] if isinstance(given, str) else scenes


def _read_space(path: Path, name: str) -> str:
    """The name of a space; raises `InputError` for another."""
    if name not in SPACES:
        raise InputError(
            f"{path}: space must be one of {', '.join(SPACES)}, got {name!r}"
            + closest(name, list(SPACES))
        )
    return name


def _read_defaults(
    path: Path, table: Mapping[str, Any], parameters: ParameterSet
) -> dict[str, Value]:
    """The default of every parameter; raises `InputError` if the table lacks one."""
    try:
        flat = flatten_table(table)
        defaults = {name: get_parameter(name, parameters).check(v) for name, v in flat.items()}
    except InputError as error:
        raise InputError(f"{path}: defaults: {error}") from None
    complete = parameters.complete_earlier(
        defaults
    )  # an earlier version may have had fewer parameters
    missing = [name for name in parameters.by_path if name not in complete]
    if missing:
        raise InputError(
            f"{path}: defaults must name every parameter, and lacks {', '.join(missing)}; add "
            "them, or leave the table out"
        )
    return complete


def _describe_types(types: type | tuple[type, ...]) -> str:
    names = {
        **{str: "text", int: "a whole number", float: "a number"},
        **{dict: "a table", list: "a list", bool: "true or false"},
    }
    every = types if isinstance(types, tuple) else (types,)
    return " or ".join(names[one] for one in every)


def _texts(path: Path, key: str, value: Any, parameters: ParameterSet) -> list[str]:
    """The `--vary` or `--set` texts of a list of them, or of a table by path."""
    if isinstance(value, list):
        wrong = next((text for text in value if not isinstance(text, str)), None)
        if wrong is not None:
            raise InputError(f"{path}: {key} must list texts like PATH=..., got {wrong!r}")
        return check_texts(path, key, value, parameters)
    varies = key == "vary"
    texts = []
    for name, entry in flatten_table(value).items():
        if varies and isinstance(entry, list):
            texts.append(f"{name}={','.join(map(format_value, entry))}")
        elif varies and entry in (True, ""):
            texts.append(name)
        elif isinstance(entry, str | int | float):
            texts.append(f"{name}={format_value(entry)}")
        else:
            raise InputError(f"{path}: {key}.{name} must be a plain value, got {entry!r}")
    return check_texts(path, key, texts, parameters)
