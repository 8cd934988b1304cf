"""What both training peers share: autocast, memory format and the optimizer with its weight-decay groups."""

from contextlib import nullcontext

import torch
from torch import nn


def autocast(opts: dict):
    """torch.autocast to bfloat16, or nothing for fp32."""
    device = opts["device"].split(":")[0]
    return torch.autocast(device, torch.bfloat16) if opts["dtype"] == "bf16" else nullcontext()


def memory_format(opts: dict) -> torch.memory_format:
    return torch.channels_last if opts["layout"] == "channels_last" else torch.contiguous_format


def sgd(modules: nn.Module, opts: dict) -> torch.optim.SGD:
    """SGD with momentum 0.9; weight decay (1e-4) on parameters of 2 or more dims, none on the rest."""
    parameters = [p for p in modules.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": opts.get("weightDecay", 1e-4)},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=opts["lr"], momentum=0.9)
