"""Reference values of the vision transformers: golden/vit.safetensors and golden/vit_adamw.safetensors.

    python packages/trex/test/vitFixtures.py [--timm]

The model is written here in plain PyTorch from the papers' descriptions (Dosovitskiy et al. 2021, Caron et al. 2021).
With --timm it is also compared with timm's vit_tiny_patch16_224 (needs timm); nothing of that is stored.
Weights and inputs are functions of their names (support/det.ts, support/fill.ts), so only results are stored.
"""

import json
import math
import struct
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

GOLDEN = Path(__file__).parent / "golden"
torch.set_num_threads(1)


# --- deterministic numbers, as support/det.ts -------------------------------------------------------------------------


def fnv1a32(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def hash32(name, count):
    x = np.uint32(fnv1a32(name)) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x7FEB352D)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def unit(name, count):
    return (hash32(name, count) >> np.uint32(8)).astype(np.float64) / 2**23 - 1


def det(name, shape, scale, bias=0.0):
    values = bias + scale * unit(name, math.prod(shape))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def labels(name, n, classes):
    return torch.from_numpy(((hash32(name, n) >> np.uint32(8)) % np.uint32(classes)).astype(np.int64))


def det_images(name, n, c, size):
    def part(suffix, side):
        values = unit(f"{name}.{suffix}", n * c * side * side).reshape(n, c, side, side)
        return values.repeat(size // side, 2).repeat(size // side, 3)

    values = 1.0 * part("d", 1) + 1.2 * part("a", 4) + 0.8 * part("b", 16) + 0.3 * part("p", size)
    return torch.from_numpy(values.astype(np.float32))


def fill(module, prefix):
    with torch.no_grad():
        for key, tensor in module.named_parameters():
            shape = tuple(tensor.shape)
            if key.endswith(".bias"):
                scale, bias = 0.1, 0
            elif len(shape) == 4:
                scale, bias = math.sqrt(6 / math.prod(shape[1:])), 0
            elif len(shape) == 3:
                scale, bias = 0.5, 0
            elif len(shape) == 2:
                scale, bias = math.sqrt(3 / shape[1]), 0
            else:
                scale, bias = 0.2, 1
            tensor.copy_(det(prefix + key, shape, scale, bias))


# --- the model ------------------------------------------------------------------------------------------------------


class Attention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, x):
        n, t, d = x.shape
        q, k, v = self.qkv(x).reshape(n, t, 3, self.heads, d // self.heads).permute(2, 0, 3, 1, 4)
        weights = (q @ k.transpose(-2, -1) * (d // self.heads) ** -0.5).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, t, d))


class Mlp(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, x):
        return self.fc2(F.gelu(self.fc1(x)))


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1 = nn.LayerNorm(width, eps=1e-6)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, eps=1e-6)
        self.mlp = Mlp(width)

    def forward(self, x):
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class PatchEmbed(nn.Module):
    def __init__(self, patch, width):
        super().__init__()
        self.proj = nn.Conv2d(3, width, patch, patch)


class ViT(nn.Module):
    def __init__(self, width, heads, patch, size, pooling):
        super().__init__()
        self.patch, self.pooling = patch, pooling
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + (size // patch) ** 2, width))
        self.patch_embed = PatchEmbed(patch, width)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(12))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def positions(self, side):
        trained = round(math.sqrt(self.pos_embed.shape[1] - 1))
        if side == trained:
            return self.pos_embed
        grid = self.pos_embed[:, 1:].reshape(1, trained, trained, -1).permute(0, 3, 1, 2)
        # DINO gives F.interpolate the scale of a grid larger by 0.1
        grid = F.interpolate(grid, scale_factor=((side + 0.1) / trained,) * 2, mode="bicubic")
        assert grid.shape[-2:] == (side, side)
        return torch.cat([self.pos_embed[:, :1], grid.flatten(2).transpose(1, 2)], 1)

    def forward(self, x):
        tokens = self.patch_embed.proj(x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), tokens], 1)
        tokens = tokens + self.positions(x.shape[-1] // self.patch)
        for block in self.blocks:
            tokens = block(tokens)
        tokens = self.norm(tokens)
        return tokens[:, 0] if self.pooling == "class" else tokens[:, 1:].mean(1)


class HiddenLayer(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm1d(outputs)

    def forward(self, x):
        return F.gelu(self.bn(self.fc(x)))


class Normalize(nn.Module):
    def forward(self, x):
        return F.normalize(x)


class Projector(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        last = nn.Linear(hidden, outputs, bias=False)
        self.layers = nn.Sequential(Normalize(), HiddenLayer(inputs, hidden), last)

    def forward(self, x):
        return self.layers(x)


# --- files ----------------------------------------------------------------------------------------------------------


def fingerprint(tensor):
    values = tensor.detach().double().flatten().numpy()
    first = np.zeros(8)
    first[: min(8, len(values))] = values[:8]
    dot = values @ unit("fingerprint", len(values))
    return [values.sum(), math.sqrt(values @ values), dot], first


def fingerprints(named):
    rows = [fingerprint(tensor) for _, tensor in named]
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows])


def save(path, tensors, metadata):
    header = {"__metadata__": {key: json.dumps(value) for key, value in metadata.items()}}
    chunks, at = [], 0
    for name, values in tensors.items():
        values = np.ascontiguousarray(values)
        dtype = {"float64": "F64", "float32": "F32"}[str(values.dtype)]
        header[name] = {"dtype": dtype, "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        chunks.append(values.tobytes())
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))
    print(path.name, path.stat().st_size, "bytes")


# patch, size the positions are for, size of the images, pooling
CASES = {
    "p16.224.class": (16, 224, 224, "class"),
    "p16.224.mean": (16, 224, 224, "mean"),
    "p16.224at96.class": (16, 224, 96, "class"),
    "p8.64.class": (8, 64, 64, "class"),
    "p8.64.mean": (8, 64, 64, "mean"),
    "p8.64at32.mean": (8, 64, 32, "mean"),
    "p8.64at96.class": (8, 64, 96, "class"),
}


def encoders():
    tensors, metadata = {}, {"cases": CASES}
    for case, (patch, size, image, pooling) in CASES.items():
        for dtype, name in ((torch.float32, "f32"), (torch.float64, "f64")):
            model = ViT(192, 3, patch, size, pooling)
            fill(model, "vit.")
            model = model.to(dtype)
            x = det_images(f"vit.x{image}", 2, 3, image).to(dtype).requires_grad_()
            features = model(x)
            loss = (features * det("vit.g", (2, 192), 1).to(dtype)).sum()
            loss.backward()
            named = [("x", x.grad)] + [(key, value.grad) for key, value in model.named_parameters()]
            stats, first8 = fingerprints(named)
            tensors[f"{case}.{name}.features"] = features.detach().numpy()
            tensors[f"{case}.{name}.loss"] = loss.detach().numpy().reshape(1)
            tensors[f"{case}.{name}.grads.stats"], tensors[f"{case}.{name}.grads.first8"] = stats, first8
            metadata[f"{case}.{name}.grads.names"] = [key for key, _ in named]
    for name, width, heads in (("vit_tiny", 192, 3), ("vit_small", 384, 6), ("vit_base", 768, 12)):
        state = ViT(width, heads, 16, 224, "class").state_dict()
        metadata[f"state.{name}"] = {key: list(value.shape) for key, value in state.items()}
    save(GOLDEN / "vit.safetensors", tensors, metadata)


LEARNER = {"lr": [0.0, 1e-4, 2e-4, 1.5e-4, 1e-4], "weightDecay": [0.04, 0.07, 0.2, 0.3, 0.4], "betas": [0.9, 0.999]}


def learner():
    """Five steps of AdamW: vit_tiny on 1 crop of 64 px and 2 of 32 px, a projector, cosine softmax of learned weights."""
    tensors, metadata = {}, {"case": LEARNER}
    for dtype, name in ((torch.float32, "f32"), (torch.float64, "f64")):
        model = nn.Module()
        model.encoder, model.projector = ViT(192, 3, 8, 64, "class"), Projector(192, 64, 32)
        prototypes = nn.Module()
        prototypes.weight = nn.Parameter(torch.zeros(10, 32))
        fill(model, "vit_adamw.model.")
        fill(prototypes, "vit_adamw.prototypes.")
        model, prototypes = model.to(dtype), prototypes.to(dtype)
        named = [(f"model.{key}", p) for key, p in model.named_parameters()] + [("prototypes.weight", prototypes.weight)]
        plain = [p for key, p in named if p.dim() == 1 or key.endswith(".bias")]
        decayed = [p for key, p in named if not (p.dim() == 1 or key.endswith(".bias"))]
        groups = [{"params": plain, "weight_decay": 0.0}, {"params": decayed}]
        optimizer = torch.optim.AdamW(groups, betas=tuple(LEARNER["betas"]))
        start = {key: p.detach().clone() for key, p in named}
        for step in range(5):
            for group in optimizer.param_groups:
                group["lr"] = LEARNER["lr"][step]
            optimizer.param_groups[1]["weight_decay"] = LEARNER["weightDecay"][step]
            crops = [det_images(f"vit_adamw.step{step}.global", 4, 3, 64)]
            crops += [det_images(f"vit_adamw.step{step}.local", 8, 3, 32)]
            features = torch.cat([model.encoder(crop.to(dtype)) for crop in crops])
            z = F.normalize(model.projector(features))
            logits = z @ F.normalize(prototypes.weight).T / 0.1
            targets = labels(f"vit_adamw.labels.step{step}", 4, 10).repeat(3)
            loss = F.cross_entropy(logits, targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            tensors[f"{name}.step{step}.logits"] = logits.detach().numpy()
            tensors[f"{name}.step{step}.loss"] = loss.detach().numpy().reshape(1)
        for what, values in (
            ("final", [(key, p) for key, p in named]),
            ("delta", [(key, p - start[key]) for key, p in named]),
            ("expAvg", [(key, optimizer.state[p]["exp_avg"]) for key, p in named]),
            ("expAvgSq", [(key, optimizer.state[p]["exp_avg_sq"]) for key, p in named]),
        ):
            tensors[f"{name}.{what}.stats"], tensors[f"{name}.{what}.first8"] = fingerprints(values)
            metadata[f"{name}.{what}.names"] = [key for key, _ in values]
    save(GOLDEN / "vit_adamw.safetensors", tensors, metadata)


def compare_with_timm():
    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):  # a wheel whose compiled operators do not fit this torch
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import timm

    ours = ViT(192, 3, 16, 224, "class")
    fill(ours, "vit.")
    theirs = timm.create_model("vit_tiny_patch16_224", num_classes=0)
    print("timm:", theirs.load_state_dict(ours.state_dict()))
    x = det_images("vit.x224", 2, 3, 224)
    with torch.no_grad():
        print("largest difference:", (ours.eval()(x) - theirs.eval()(x)).abs().max().item())
    # as vit_tiny_patch16_224's own list of names
    print("same names:", list(ours.state_dict()) == list(theirs.state_dict()))


if "--timm" in sys.argv:
    compare_with_timm()
else:
    encoders()
    learner()
