"""The command that adds replicates to a study, for a person to copy."""

from __future__ import annotations

from analysis.data.study import Study
from nerf.common.commands import command_at_root


def replicate_command(study: Study, replicates: int) -> str:
    """Repeats configurations of a study with other seeds, the best and the default among them."""
    place = ("--studies", study.folder.path.parent, "--name", study.name)
    return command_at_root("study/run_sweep.py", *place, "--extend", 0, "--replicates", replicates)
