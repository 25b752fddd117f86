"""A GPU training step run without a GPU: on tensors with shapes and a device, but no numbers.

guard      makes a CPU build of PyTorch accept CUDA tensors; needs a C++ compiler
device     stands in for torch.cuda: streams, graphs, generators
recorder   sees every operation: counts it, and notices what a CUDA graph forbids
simulate   trains, captures, resumes and evaluates a configuration; reports problems and counts
simulate_batch   the same for a batch of runs, one of which another replaces
cases      the configurations, one or more of each kind, and the batches

Replaces parts of PyTorch for good: run it in a process of its own.
"""
