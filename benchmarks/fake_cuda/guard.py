"""Makes a CPU build of PyTorch accept CUDA tensors, by compiling and loading guard.cpp."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import torch

from nerf.common.errors import InputError


def find_compiler() -> str | None:
    """The path of a C++ compiler, $CXX first; None if there is none."""
    candidates = (os.environ.get("CXX", ""), "g++", "clang++", "c++")
    return next((path for name in candidates if name and (path := shutil.which(name))), None)


def install_guard() -> None:
    """Compiles guard.cpp, in about ten seconds, and loads it; does nothing where there is a GPU.

    Raises `InputError` without a compiler. Must be called before anything asks PyTorch for a GPU.
    """
    if torch.cuda.is_available():
        return
    compiler = find_compiler()
    if compiler is None:
        raise InputError("there is no C++ compiler; install g++, or name one with CXX=PATH")
    home = Path(torch.__file__).parent
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "guard.so"
        command = [compiler, "-std=c++20", "-O0", "-shared", "-fPIC", "-o", str(library)]
        command += [str(Path(__file__).with_name("guard.cpp")), f"-I{home}/include"]
        command += [f"-I{home}/include/torch/csrc/api/include", f"-L{home}/lib"]
        subprocess.run([*command, "-lc10", "-ltorch_cpu"], check=True)
        loaded = ctypes.CDLL(str(library))
    if loaded.install() != 1:
        raise RuntimeError("PyTorch was asked for a GPU before the guard was installed")
