"""A program that behaves like nerfstudio's ns-train, and fails in the way that it is told.

It prints a table of progress beside its results, shows a bar on standard error, forks a process
that would never end by itself, saves checkpoints in a folder and resumes from the last of them, and
on SIGTERM saves one and ends. It needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

EVERY = 5
LOADER = "import time; time.sleep(1e6)"
GARBAGE = (
    b"\xff\xfe\x00{",
    b"x" * 200_000,
    b'{"step": 8, psnr}',
    b'{"step": "8"}',
    b"[1, 2]",
    b'{"step": 7, "psnr": "high", "note": "before"}',
    b"{" * 9999,
)
stopping = False


def main() -> None:
    options = parse()
    signal.signal(signal.SIGTERM, request_stop)
    subprocess.Popen([sys.executable, "-c", LOADER, str(options.folder)], start_new_session=True)
    print("Step (% Done)       Train Iter (time)\n" + "-" * 40)
    step, weights = restore(options.folder)
    while step < options.steps and not stopping:
        step += 1
        weights += options.lr
        time.sleep(options.seconds_a_step)
        note(options, step)
        if step == EVERY + 2:
            strike(options)
        if step % EVERY == 0:
            report(options, step)
            save(options.folder, step, weights)
    print(json.dumps({"step": step, "test_psnr": round(weights, 6)}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lr", type=float, required=True)
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--fault", default="none")
    parser.add_argument("--results", type=Path)
    parser.add_argument("--notes", type=Path)
    parser.add_argument("--seconds-a-step", type=float, default=0)
    return parser.parse_args()


def request_stop(*_: object) -> None:
    global stopping
    stopping = True


def restore(folder: Path) -> tuple[int, float]:
    saved = sorted((folder / "models").glob("step-*.json"))
    if not saved:
        return 0, 0.0
    state = json.loads(saved[-1].read_text())
    print("Loading latest checkpoint from", saved[-1])
    return state["step"], state["weights"]


def save(folder: Path, step: int, weights: float) -> None:
    (folder / "models").mkdir(exist_ok=True)
    file = folder / "models" / f"step-{step:09d}.json"
    temporary = file.with_suffix(".part")
    temporary.write_text(json.dumps({"step": step, "weights": weights}))
    temporary.rename(file)


def report(options: argparse.Namespace, step: int) -> None:
    psnr = 30 - abs(math.log10(options.lr) + 1.5) - 1 / options.width - 10 / step
    if options.fault == "nan":
        psnr = math.nan
    print(f"{step} ({100 * step / options.steps:.2f}%)      1.2 ms")
    print(f"{step}/{options.steps} \r", end="", file=sys.stderr)
    image = options.folder / "render.ppm"
    image.with_suffix(".part").write_bytes(b"P6 2 2 255 " + bytes(range(12)))
    image.with_suffix(".part").rename(image)
    results = {"step": step, "psnr": psnr, "eval/loss": 1 / step, "image": "render.ppm"}
    if options.fault == "silent":
        del results["psnr"]
    line = json.dumps(results)
    if options.results:
        with options.results.open("a") as file:
            file.write(line + "\n")
    else:
        print(line)


def note(options: argparse.Namespace, step: int) -> None:
    if options.notes:
        with (options.notes / options.fault).open("a") as file:
            file.write(f"{step}\n")


def strike(options: argparse.Namespace) -> None:
    once = options.folder / "struck"
    struck = once.exists()
    once.touch()
    match options.fault:
        case "kill" if not struck:
            os.kill(os.getpid(), signal.SIGKILL)
        case "exit":
            print("Traceback (most recent call last):", file=sys.stderr)
            sys.exit("ValueError: bad learning rate")
        case "memory":
            print("torch.OutOfMemoryError: CUDA out of memory. Tried 2 GiB", file=sys.stderr)
            sys.exit(1)
        case "hang":
            time.sleep(1e6)
        case "fail":
            print(json.dumps({"fail": "no gradient; lower lr"}))
            time.sleep(1e6)
        case "garbage":
            sys.stdout.flush()
            sys.stdout.buffer.write(b"\n".join((*GARBAGE, b"")))


if __name__ == "__main__":
    main()
