"""The command that resumes a study, for a person to copy."""

from __future__ import annotations

from pathlib import Path

from nerf.common.commands import command_line


def resume_command(folder: Path) -> str:
    """Resumes the study in this folder, from wherever the command is run."""
    place = ("--studies", folder.absolute().parent, "--name", folder.name)
    return command_line("study/run_sweep.py", *place, "--resume")
