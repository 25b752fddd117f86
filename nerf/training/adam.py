"""Adam (arXiv:1412.6980) on a CPU, by torch's fused kernel, as `torch.optim.Adam` runs it.

`torch.optim.Adam` imports torch's compiler with its first instance, a second of processor time in
every process that trains. State and results are the same to the bit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

EPS = 1e-8
"""Added to the root of the second moment, as in `torch.optim.Adam`."""


def make_adam(
    parameters: Iterable[Tensor], rate: Tensor, betas: tuple[float, float]
) -> torch.optim.Adam | CpuAdam:
    """The optimiser for parameters on the device of `rate`, from which a GPU reads its rate."""
    if rate.device.type == "cpu":
        return CpuAdam(parameters, betas)
    return torch.optim.Adam(parameters, lr=rate, betas=betas, fused=True, capturable=True)


class CpuAdam:
    """Updates parameters by their gradients; the learning rate is `param_groups[0]["lr"]`.

    `state` holds for each parameter that has been updated `step` (how often), `exp_avg` and
    `exp_avg_sq` (averages of its gradient and of the square), as `torch.optim.Adam` does.
    """

    def __init__(self, parameters: Iterable[Tensor], betas: tuple[float, float]) -> None:
        self._parameters = list(parameters)
        self.param_groups: list[dict[str, Any]] = [
            {"params": self._parameters, "lr": 0.0, "betas": betas, "eps": EPS}
        ]
        self.state: defaultdict[Tensor, dict[str, Tensor]] = defaultdict(dict)

    def zero_grad(self) -> None:
        """Removes the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> None:
        """Updates every parameter that has a gradient, in place."""
        updated = [p for p in self._parameters if p.grad is not None]
        if not updated:
            return
        states = [self._state_of(parameter) for parameter in updated]
        group = self.param_groups[0]
        steps = [state["step"] for state in states]
        with torch.no_grad():
            torch._foreach_add_(steps, 1)
            torch._fused_adam_(
                updated,
                [p.grad for p in updated if p.grad is not None],
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [],  # of amsgrad
                steps,
                lr=group["lr"],
                beta1=group["betas"][0],
                beta2=group["betas"][1],
                weight_decay=0.0,
                eps=group["eps"],
                amsgrad=False,
                maximize=False,
            )

    def _state_of(self, parameter: Tensor) -> dict[str, Tensor]:
        """The state of a parameter, at first zeros."""
        state = self.state[parameter]
        if not state:
            state["step"] = torch.zeros(())
            state["exp_avg"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
            state["exp_avg_sq"] = torch.zeros_like(parameter, memory_format=torch.preserve_format)
        return state

    def state_dict(self) -> dict[str, Any]:
        """The states by the parameters' numbers, and the group, as torch's optimisers have them."""
        numbers = list(range(len(self._parameters)))
        state = {i: self.state[p] for i, p in enumerate(self._parameters) if p in self.state}
        return {"state": state, "param_groups": [{**self.param_groups[0], "params": numbers}]}

    def load_state_dict(self, saved: dict[str, Any]) -> None:
        """Takes over what `state_dict`, also that of `torch.optim.Adam`, returned."""
        (group,) = saved["param_groups"]
        self.param_groups[0] |= {name: group[name] for name in ("lr", "betas", "eps")}
        self.state.clear()
        for i, state in saved["state"].items():
            copies = {name: value.clone() for name, value in state.items()}
            self.state[self._parameters[i]] = copies
