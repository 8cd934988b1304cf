"""What both training peers share: autocast, memory format and the optimizer with its weight-decay groups."""

from contextlib import nullcontext

import torch
from torch import nn


def autocast(opts: dict):
    """torch.autocast to bfloat16 or float16, or nothing for fp32."""
    device = opts["device"].split(":")[0]
    half = {"bf16": torch.bfloat16, "fp16": torch.float16}.get(opts["dtype"])
    return torch.autocast(device, half) if half else nullcontext()


def grad_scaler(opts: dict):
    """Scales losses in fp16, and passes everything through otherwise."""
    enabled = opts["dtype"] == "fp16"
    if hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler(opts["device"].split(":")[0], enabled=enabled)
    return torch.cuda.amp.GradScaler(enabled=enabled)


def memory_format(opts: dict) -> torch.memory_format:
    return torch.channels_last if opts["layout"] == "channels_last" else torch.contiguous_format


def sgd(modules: nn.Module, opts: dict) -> torch.optim.SGD:
    """SGD with momentum (0.9); weight decay (1e-4) on parameters of 2 or more dims, none on the rest."""
    parameters = [p for p in modules.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": opts.get("weightDecay", 1e-4)},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.SGD(groups, lr=opts["lr"], momentum=opts.get("sgdMomentum", 0.9))


def options_of(settings: dict, classes: int) -> dict:
    """A trex run's settings under the names that the peers have for them; fp32 on the CPU."""
    projector, optimizer = settings["projector"], settings["optimizer"]
    if settings["stem"] != "imagenet" or not projector["l2Input"]:
        raise SystemExit("the peers know the stem 'imagenet' and projectors with l2Input alone")
    return {
        "arch": settings["encoder"],
        "layers": projector["layers"],
        "hidden": projector["hidden"],
        "bottleneck": projector["bottleneck"],
        "classes": classes,
        "bank": settings["onlineClassMeans"]["size"],
        "emaMomentum": settings["onlineClassMeans"]["emaMomentum"],
        "temperature": settings["temperature"],
        "lr": 0.0,
        "weightDecay": optimizer["weightDecay"],
        "sgdMomentum": optimizer["sgdMomentum"],
        "device": "cpu",
        "dtype": "fp32",
        "layout": "channels_last" if settings["channelsLast"] else "contiguous",
    }
