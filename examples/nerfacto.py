"""nerfstudio's nerfacto as a program that a study trains: runs ns-train, reports its evaluations.

It needs nerfstudio's environment and nothing of this project. With the path of that environment's
Python, and of a scene in nerfstudio's format:

    python study/run_sweep.py --parameter-file examples/nerfacto.toml --command '/PATH/bin/python \
        examples/nerfacto.py --data SCENE --folder {folder} --steps {steps} --machine.seed {seed} \
        --pipeline.model.near-plane {near} --pipeline.model.far-plane {far} \
        --optimizers.fields.optimizer.lr {lr} --pipeline.model.distortion-loss-mult {distortion}' \
        --metric psnr --direction max --unit dB --steps 30000 --gpus-per-trial 1 --patience 1800

Options that it does not know go to ns-train. Ten times in a training all held-out images are
evaluated; these figures are read from the events that ns-train writes for TensorBoard.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

TAG = "Eval Images Metrics Dict (all images)/"
POLL_SECONDS = 2.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--steps", type=int, required=True)
    options, more = parser.parse_known_args()
    run = options.folder / "trial" / "nerfacto" / "run"
    loaded = newest_checkpoint(run)
    program = subprocess.Popen([*command(options, run, loaded), *more])
    reported, status = loaded, None
    while status is None:
        time.sleep(POLL_SECONDS)
        status = program.poll()  # first: what it has written until then is read below
        reported = report(run, reported)
    return status


def command(options: argparse.Namespace, run: Path, loaded: int) -> list[str]:
    """The command for ns-train, which resumes after the step `loaded`."""
    places = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))
    ns_train = shutil.which("ns-train", path=places)
    if ns_train is None:
        sys.exit(f"there is no ns-train beside {sys.executable} nor on the PATH")
    tenth = max(options.steps // 10, 1)
    every = str(next(n for n in range(tenth, 0, -1) if options.steps % n == 0))
    settings = {
        "--data": options.data,
        "--output-dir": str(options.folder),
        "--experiment-name": "trial",
        "--timestamp": "run",
        "--vis": "tensorboard",
        "--max-num-iterations": str(options.steps + 1),  # it counts from 0
        "--steps-per-eval-all-images": every,
        "--steps-per-save": every,
    }
    if loaded:
        settings["--load-dir"] = str(run / "nerfstudio_models")
    return [ns_train, "nerfacto", *(word for pair in settings.items() for word in pair)]


def newest_checkpoint(run: Path) -> int:
    """The step of the last checkpoint; 0 without one."""
    files = sorted((run / "nerfstudio_models").glob("step-*.ckpt"))
    return int(files[-1].stem.removeprefix("step-")) if files else 0


def report(run: Path, after: int) -> int:
    """Prints the evaluations after a step; returns the step of the last one."""
    if not list(run.glob("events.out.tfevents.*")):
        return after
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run), size_guidance={"scalars": 0})
    events.Reload()
    figures: dict[int, dict[str, float]] = {}
    for tag in events.Tags()["scalars"]:
        if tag.startswith(TAG):
            for event in events.Scalars(tag):
                figures.setdefault(event.step, {})[tag.removeprefix(TAG)] = event.value
    for step in sorted(step for step in figures if step > after):
        print(json.dumps({"step": step, **figures[step]}), flush=True)
    return max([after, *figures])


if __name__ == "__main__":
    sys.exit(main())
