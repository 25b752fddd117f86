"""Environment variables that configure Ray, and the platforms and folders that it runs on here.

Ray and Tune read most variables once, while they are imported; set later, they have no effect.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from nerf.common.commands import command_name
from nerf.common.errors import InputError

_ONE_MACHINE = {
    # Every port on loopback; Ray's default listens on all interfaces, which a cluster needs.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Trials get processes of their own; those that Ray starts in advance would stay idle.
    "RAY_prestart_worker_first_driver": "0",
}

_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # The ledger, the records and the live view replace Tune's own files and tables.
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Nothing is restored from Tune's snapshots, so they need not be taken.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # study/protocol/stopping.py handles signals and lets trials save their checkpoints first.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Seconds that Tune waits for processes to end; its default is ten minutes.
    "TUNE_FORCE_TRIAL_CLEANUP_S": "3",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Silences a warning about a future default; trials without a GPU hide the GPUs themselves.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

_CLUSTER = {
    # Trials that Tune starts at the same time; the searcher limits how many there are.
    "TUNE_MAX_PENDING_TRIALS_PG": "200",
    # Attempts to connect, of 1 s where the token is refused and 40 s where nothing answers.
    "RAY_NUM_REDIS_GET_RETRIES": "4",
}

_MAX_SOCKET_PATH = 103 if sys.platform == "darwin" else 107
"""Bytes in the path of a Unix socket."""


def configure_ray_environment(cluster: bool) -> None:
    """Sets what Ray reads as it is imported, so call it before; `cluster`: one is to be joined.

    Raises `InputError` on Windows, and where Ray cannot write what it needs on one machine.
    """
    if sys.platform == "win32":
        raise InputError(
            f"{command_name('study/run_sweep.py')} does not run on Windows, as it needs POSIX "
            "signals and file locks; run it in WSL (wsl --install), where everything works as on "
            "Linux"
        )
    os.environ.update(_RAY | (_CLUSTER if cluster else _ONE_MACHINE))
    if not cluster:
        _require_temporary_folder()
        _require_token_folder()


def _require_temporary_folder() -> None:
    """Raises `InputError` where Ray cannot make its sockets in its temporary folder."""
    parent = Path(os.environ.get("RAY_TMPDIR") or os.environ.get("TMPDIR") or "/tmp")  # as Ray
    socket = parent / f"ray/session_2026-01-01_00-00-00_000000_{os.getpid()}/sockets/plasma_store"
    remedy = "set RAY_TMPDIR to a short path of a folder that you can write to, such as /tmp/$USER"
    too_long = len(os.fsencode(socket)) - _MAX_SOCKET_PATH
    if too_long > 0:
        raise InputError(
            f"Ray's temporary folder {parent} has a path {too_long} bytes too long for sockets; "
            f"{remedy}"
        )
    if not _is_writable(parent / "ray"):
        raise InputError(f"Ray cannot write to its temporary folder {parent / 'ray'}; {remedy}")


def _require_token_folder() -> None:
    """Raises `InputError` where Ray would fail to write the token of a cluster on this machine."""
    if os.environ.get("RAY_AUTH_MODE", "token") != "token" or os.environ.get("RAY_AUTH_TOKEN"):
        return
    if os.environ.get("RAY_AUTH_TOKEN_PATH"):
        return
    folder = Path.home() / ".ray"
    if not (folder / "auth_token").exists() and not _is_writable(folder):
        raise InputError(
            f"Ray cannot write its authentication token to {folder}; set HOME to a folder that "
            "you can write to, or RAY_AUTH_TOKEN to a long random text"
        )


def _is_writable(folder: Path) -> bool:
    """Whether files can be created in a folder, which is created if it does not exist."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True
