"""What the end of a run prints: its quality, its files and the commands that go on from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nerf.common.commands import command_line
from nerf.config.image_metrics import TEST_PREFIX
from nerf.config.plugin import plugin_options
from nerf.run.run_folder import RUN_FILES

if TYPE_CHECKING:
    from nerf.training.run import TrainResult


def describe_result(result: TrainResult) -> str:
    """State, PSNR and SSIM in one line, with the pixels that they are of; below it the reason."""
    views = result.val_views
    stride = views[0].stride
    pixels = "" if stride == 1 else f", 1 pixel in {stride} x {stride}"
    own = {n: v for n, v in result.registered.items() if not n.startswith(TEST_PREFIX)}
    registered = "".join(f", {name} {value:.4g}" for name, value in own.items())
    quality = f"{result.psnr:.2f} dB, SSIM {result.ssim:.3f}{registered}"
    number = "1 validation view" if len(views) == 1 else f"{len(views)} validation views"
    reason = f"\n  {result.reason}" if result.reason else ""
    return f"{result.state}: {quality} ({number}{pixels}){reason}"


def describe_files(out: Path) -> str:
    """What a finished run's folder holds, and the commands that go on from it."""
    files = "\n".join(f"  {name:<14} {content}" for name, content in RUN_FILES.items())
    commands = [
        command_line(f"nerf/{name}.py", out, *plugin_options())
        for name in ("video", "export", "view")
    ]
    return "\n".join((f"{out}:", files, "next:", *(f"  {command}" for command in commands)))
