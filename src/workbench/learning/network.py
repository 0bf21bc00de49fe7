"""The small network of the learned policies in torch; the compiled engines read it as packed numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.backtest import learned
from workbench.errors import MissingToolError

try:
    import torch
except ImportError as error:
    raise MissingToolError("training policies needs torch: make lab") from error

Floats = NDArray[np.float64]


class AssetNetwork(torch.nn.Module):
    """One network for every asset: features (... x m x INPUTS) in, raw outputs (... x m x outputs) out.

    A hidden layer of tanh units with a linear path around it. The last layer and the linear path start at zero, so an
    untrained network answers zero and the policy it steers is the rule it started from.
    """

    def __init__(self, hidden: int, outputs: int, generator: torch.Generator) -> None:
        super().__init__()
        spread = 1.0 / np.sqrt(learned.INPUTS)
        first = torch.randn(hidden, learned.INPUTS, generator=generator, dtype=torch.float64) * spread
        self.first = torch.nn.Parameter(first)
        self.first_bias = torch.nn.Parameter(torch.zeros(hidden, dtype=torch.float64))
        self.second = torch.nn.Parameter(torch.zeros(outputs, hidden, dtype=torch.float64))
        self.linear = torch.nn.Parameter(torch.zeros(outputs, learned.INPUTS, dtype=torch.float64))
        self.bias = torch.nn.Parameter(torch.zeros(outputs, dtype=torch.float64))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Raw outputs, before limits."""
        units = torch.tanh(features @ self.first.T + self.first_bias)
        return units @ self.second.T + features @ self.linear.T + self.bias

    def packed(self) -> Floats:
        """All numbers in the order the compiled engines read them (`backtest._learned.member_size`)."""
        parts = (self.first, self.first_bias, self.second, self.linear, self.bias)
        return np.concatenate([part.detach().numpy().ravel() for part in parts])

    def load(self, numbers: Floats) -> None:
        """Take over packed numbers."""
        at = 0
        with torch.no_grad():
            for part in (self.first, self.first_bias, self.second, self.linear, self.bias):
                part.copy_(torch.from_numpy(numbers[at : at + part.numel()].reshape(part.shape).copy()))
                at += part.numel()


def zero_member(hidden: int, outputs: int) -> Floats:
    """A network that answers zero to everything."""
    return np.zeros(learned.member_size(hidden, outputs))
