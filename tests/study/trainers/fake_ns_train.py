"""Takes the place of nerfstudio's ns-train for examples/nerfacto.py: its options, files and events.

It counts steps from 0, evaluates and saves every so many of them, resumes from --load-dir after the
step of the last checkpoint, and kills itself once at a step that FAKE_KILLED_AT names.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary


def main() -> None:
    method, words = sys.argv[1], sys.argv[2:]
    options = dict(zip(words[::2], words[1::2], strict=True))
    run = Path(options["--output-dir"], options["--experiment-name"], method)
    run /= options["--timestamp"]
    models = run / "nerfstudio_models"
    models.mkdir(parents=True, exist_ok=True)
    start = 0
    if "--load-dir" in options:
        start = 1 + max(int(f.stem[5:]) for f in Path(options["--load-dir"]).glob("*.ckpt"))
    print(f"Saving checkpoints to: {models}\nStep (% Done)       Train Iter (time)")
    every, near = int(options["--steps-per-save"]), float(options["--pipeline.model.near-plane"])
    writer = EventsWriter(str(run / "events"))
    for step in range(start, int(options["--max-num-iterations"])):
        if step and step % every == 0:
            for name, value in (("psnr", 20 + step / 100 - near), ("lpips", 1 / step)):
                tag = f"Eval Images Metrics Dict (all images)/{name}"
                summary = Summary(value=[Summary.Value(tag=tag, simple_value=value)])
                writer.write_event(Event(step=step, wall_time=time.time(), summary=summary))
            writer.flush()
            (models / f"step-{step:09d}.ckpt").write_text("weights")
        if step == int(os.environ.get("FAKE_KILLED_AT", -1)) and not start:
            os.kill(os.getpid(), signal.SIGKILL)
    writer.close()


if __name__ == "__main__":
    main()
