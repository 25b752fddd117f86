"""Many runs on one device as one network: the batched trainer.

run_batch    `RunBatch`: adds and removes runs, and trains all members by one step
key          `batch_key`: which runs can share a batch
trainer      the step of all slots
render       samples, fields and compositing of all members' rays
field, encoding, grids   what `render` is made of
parameters, layout, adam   parameters and Adam state as flat tensors of one row a slot
settings, rays, draws   what else the members do not share

A batch changes how fast runs train, and what they become only by rounding: each draws its own
random numbers in the order in which it would alone, and no member's arithmetic depends on that of
another.
"""
