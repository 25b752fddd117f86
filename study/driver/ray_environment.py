"""Settles what Ray reads from the environment, which it does while it is imported."""

from __future__ import annotations

import os

# Every port on loopback; Ray's default listens on all interfaces, which a cluster needs.
_ALONE = {
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Trials get processes of their own; those that Ray keeps ready would stay idle.
    "RAY_prestart_worker_first_driver": "0",
}

_RAY = {
    "RAY_USAGE_STATS_ENABLED": "0",
    # The ledger, the records and one live view say everything that Tune's own files and tables do.
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_PRINT_ALL_TRIAL_ERRORS": "0",
    # Nothing is restored from Tune's snapshots, so they need not be taken.
    "TUNE_GLOBAL_CHECKPOINT_S": "1000000",
    # Signals are taken by study/protocol/stopping.py, which lets trials keep themselves first.
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    # Seconds that Tune waits for processes to end; its default is ten minutes.
    "TUNE_FORCE_TRIAL_CLEANUP_S": "3",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Silences a warning about a behaviour to come; trials without a GPU hide them themselves.
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


def settle_environment(cluster: bool) -> None:
    """Must run before Ray is imported for the first time; `cluster` where one is to be joined."""
    os.environ.update(_RAY if cluster else _RAY | _ALONE)
