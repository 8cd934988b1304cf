"""Whole ResNets as PyTorch saves them, for torchModels.test.ts, and what PyTorch makes of them.

    python torchModels.py FOLDER

Writes *.pth, and for each of them in expected.json the SHA-256 of each encoder tensor's bytes, row by row; input.f32, and
the features of it that the network gives, in NAME.f32. The network is written here with torchvision's names, as not every
PyTorch has torchvision.
"""

import argparse
import collections
import hashlib
import json
import sys
from pathlib import Path

import torch
from torch import nn

FOLDER = Path(sys.argv[1])
EXPANSION = {"basic": 1, "bottleneck": 4}


class Block(nn.Module):
    def __init__(self, kind, before, width, stride):
        super().__init__()
        out = width * EXPANSION[kind]
        shapes = [(3, stride), (3, 1)] if kind == "basic" else [(1, 1), (3, stride), (1, 1)]
        widths = [before] + [width] * (len(shapes) - 1) + [out]
        for i, (kernel, step) in enumerate(shapes):
            conv = nn.Conv2d(widths[i], widths[i + 1], kernel, step, kernel // 2, bias=False)
            setattr(self, f"conv{i + 1}", conv)
            setattr(self, f"bn{i + 1}", nn.BatchNorm2d(widths[i + 1]))
        self.count = len(shapes)
        self.downsample = None
        if stride != 1 or before != out:
            self.downsample = nn.Sequential(nn.Conv2d(before, out, 1, stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x):
        y = x
        for i in range(1, self.count + 1):
            y = getattr(self, f"bn{i}")(getattr(self, f"conv{i}")(y))
            y = torch.relu(y) if i < self.count else y
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    def __init__(self, kind, depths):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, 2, 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        before = 64
        for stage, depth in enumerate(depths):
            blocks = []
            for i in range(depth):
                blocks.append(Block(kind, before, 64 << stage, 2 if stage and not i else 1))
                before = (64 << stage) * EXPANSION[kind]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
        self.fc = nn.Linear(before, 1000)

    def features(self, x):
        x = torch.max_pool2d(torch.relu(self.bn1(self.conv1(x))), 3, 2, 1)
        for stage in range(1, 5):
            x = getattr(self, f"layer{stage}")(x)
        return x.mean((2, 3))

    def forward(self, x):
        return self.fc(self.features(x))


def trained(kind, depths):
    """A network whose statistics are not those of the beginning, and the optimizer that made it so."""
    torch.manual_seed(7)
    net = ResNet(kind, depths)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.randn(4, 3, 64, 64)).square().mean().backward()
        optimizer.step()
    return net.eval(), optimizer


def digest(value):
    data = value.detach().contiguous()
    return hashlib.sha256(data.view(-1).view(torch.uint8).numpy().tobytes() if data.dim() else data.numpy().tobytes())


expected = {}


def save(name, content, encoder, arch, **options):
    torch.save(content, FOLDER / name, **options)
    tensors = {k: digest(v).hexdigest() for k, v in encoder.items() if not k.startswith("fc.")}
    expected[name] = {"arch": arch, "tensors": tensors}


def one_storage(state):
    """Each tensor a view of one storage for all of its type."""
    flat = {}
    for dtype in {v.dtype for v in state.values()}:
        flat[dtype] = torch.cat([v.flatten() for v in state.values() if v.dtype == dtype])
    at, views = collections.Counter(), {}
    for key, value in state.items():
        begin = at[value.dtype]
        views[key] = flat[value.dtype][begin : begin + value.numel()].view(value.shape)
        at[value.dtype] += value.numel()
    return views


def strided(value):
    """The same numbers otherwise in memory: channels last, or every second of twice as many."""
    if value.dim() == 4:
        return value.contiguous(memory_format=torch.channels_last)
    if value.dim() == 0:
        return value
    return torch.stack([value, value + 1], -1)[..., 0]


x = torch.randn(2, 3, 64, 64)
x.numpy().tofile(FOLDER / "input.f32")
for arch, kind, depths in [("resnet18", "basic", [2] * 4), ("resnet50", "bottleneck", [3, 4, 6, 3])]:
    net, optimizer = trained(kind, depths)
    with torch.no_grad():
        net.features(x).numpy().tofile(FOLDER / f"{arch}.f32")
    state = net.state_dict()
    save(f"{arch}-plain.pth", state, state, arch)
    args = argparse.Namespace(arch=arch, lr=0.05, milestones=[30, 60], workers=None)
    queue = {f"module.encoder_q.{k}": v for k, v in state.items()}
    keys = {f"module.encoder_k.{k}": v * 0.5 for k, v in state.items() if v.is_floating_point()}
    full = {"epoch": 3, "arch": arch, "args": args, "state_dict": {**queue, **keys}, "optimizer": optimizer.state_dict()}
    save(f"{arch}-checkpoint.pth", full, state, arch)
    half = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    save(f"{arch}-half.pth", half, half, arch)
    if arch == "resnet50":
        continue
    bfloat = {k: v.bfloat16() if v.is_floating_point() else v for k, v in state.items()}
    compiled = {f"_orig_mod.backbone.{k}": v for k, v in bfloat.items()}
    save(f"{arch}-bfloat16.pth", {"model": compiled}, bfloat, arch)
    save(f"{arch}-shared.pth", {"teacher": one_storage(state), "student": state}, state, arch)
    save(f"{arch}-strided.pth", {k: strided(v) for k, v in state.items()}, state, arch)
    parameters = {k: nn.Parameter(v) if v.is_floating_point() else v for k, v in state.items()}
    save(f"{arch}-legacy.pth", {"net": parameters}, state, arch, _use_new_zipfile_serialization=False)
(FOLDER / "expected.json").write_text(json.dumps({"torch": torch.__version__, "files": expected}))
