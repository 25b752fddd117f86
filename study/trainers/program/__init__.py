"""Any program as a trainer: `--command "python train.py --lr {lr}" --parameter-file lr.toml`.

`command.py` fills the command in, `watchdog.py` runs it and ends all of its processes, `output.py`
reads its results, and `train.py` passes them on to `run`, as every trainer does.
"""
