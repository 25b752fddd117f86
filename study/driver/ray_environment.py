"""Environment variables that configure Ray, and the platforms that it runs on here.

Ray and Tune read most of them once, while they are imported; set later, they have no effect.
"""

from __future__ import annotations

import os
import sys

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


def configure_ray_environment(cluster: bool) -> None:
    """Sets what Ray reads as it is imported, so call it before; `cluster`: one is to be joined.

    Raises `InputError` on Windows.
    """
    if sys.platform == "win32":
        raise InputError(
            f"{command_name('study/run_sweep.py')} does not run on Windows, as it needs POSIX "
            "signals and file locks; run it in WSL (wsl --install), where everything works as on "
            "Linux"
        )
    os.environ.update(_RAY if cluster else _RAY | _ONE_MACHINE)
