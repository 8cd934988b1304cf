"""The cost of calling an operator: additions of two one-element fp32 tensors without autograd."""

import torch

from protocol import options, serve

opts = options()
a = torch.randn(1, device=opts["device"])
b = torch.randn(1, device=opts["device"])


@torch.no_grad()
def step() -> None:
    for _ in range(opts["calls"]):
        a + b


serve(opts, step)
