"""The CPU's Adam: torch's own results and state, without torch's compiler."""

import subprocess
import sys

import torch

from nerf.training.adam import CpuAdam

BETAS = (0.9, 0.99)


def _parameters() -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(n, 3, generator=generator, requires_grad=True) for n in (5, 2, 4)]


def _train(optimiser: CpuAdam | torch.optim.Adam, parameters: list[torch.Tensor], steps: range):
    """Steps on gradients that depend on the step; the last parameter has none at first."""
    for step in steps:
        optimiser.zero_grad()
        optimiser.param_groups[0]["lr"] = 0.1 / (step + 1)
        used = parameters if step else parameters[:-1]
        torch.stack([((p - step) ** 3).sum() for p in used]).sum().backward()
        optimiser.step()


def test_equals_torch_to_the_bit() -> None:
    ours, theirs = _parameters(), _parameters()
    _train(CpuAdam(ours, BETAS), ours, range(5))
    _train(torch.optim.Adam(theirs, lr=0.0, betas=BETAS, fused=True), theirs, range(5))
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)


def test_resumes_from_its_own_state_and_from_torchs() -> None:
    whole = _parameters()
    _train(CpuAdam(whole, BETAS), whole, range(5))
    for make in (CpuAdam, lambda p, betas: torch.optim.Adam(p, lr=0.0, betas=betas, fused=True)):
        parameters = _parameters()
        first = make(parameters, BETAS)
        _train(first, parameters, range(3))
        second = CpuAdam(parameters, (0.5, 0.5))
        second.load_state_dict(first.state_dict())
        _train(second, parameters, range(3, 5))
        for mine, other in zip(parameters, whole, strict=True):
            assert torch.equal(mine, other)


def test_imports_no_compiler() -> None:
    code = (
        "import sys, torch\n"
        "from nerf.training.adam import make_adam\n"
        "p = torch.ones(2, requires_grad=True)\n"
        "adam = make_adam([p], torch.zeros(()), (0.9, 0.999))\n"
        "adam.zero_grad(); p.sum().backward(); adam.step(); adam.state_dict()\n"
        "assert 'torch._dynamo' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
