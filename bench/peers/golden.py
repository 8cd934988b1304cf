"""Five training steps and an evaluation against the golden files e_ocm1 and e_ocm3, in float64 and float32.

    python golden.py FOLDER [DEVICE]     prints one JSON object: largest relative l2 distance of each kind of value
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from torch.nn import functional as F

from ocm import OnlineClassMeansLearner

CLASSES, BATCH = 10, 4
torch.backends.cudnn.allow_tf32 = False  # the other one is off
DEVICE = sys.argv[2] if len(sys.argv) > 2 else "cpu"


def hash32(name: str, count: int) -> np.ndarray:
    """24-bit numbers that depend on the name alone (packages/trex/test/golden/README.md)."""
    seed = 0x811C9DC5
    for byte in name.encode():
        seed = ((seed ^ byte) * 0x01000193) & 0xFFFFFFFF
    x = np.uint32(seed) + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
    x = (x ^ (x >> 16)) * np.uint32(0x7FEB352D)
    x = (x ^ (x >> 15)) * np.uint32(0x846CA68B)
    return (x ^ (x >> 16)) >> 8


def unit(name: str, *shape: int) -> np.ndarray:
    return (hash32(name, math.prod(shape)) / 2**23 - 1).reshape(shape)


def det(name: str, shape, scale: float, bias: float = 0) -> torch.Tensor:
    return torch.from_numpy((bias + scale * unit(name, *shape)).astype(np.float32))


def labels(name: str, count: int) -> torch.Tensor:
    return torch.from_numpy((hash32(name, count) % CLASSES).astype(np.int64))


def images(name: str, n: int, size: int) -> torch.Tensor:
    offset = unit(f"{name}.d", n, 3, 1, 1)
    coarse = unit(f"{name}.a", n, 3, 4, 4).repeat(size // 4, 2).repeat(size // 4, 3)
    fine = unit(f"{name}.b", n, 3, 16, 16).repeat(size // 16, 2).repeat(size // 16, 3)
    noise = unit(f"{name}.p", n, 3, size, size)
    return torch.from_numpy((offset + 1.2 * coarse + 0.8 * fine + 0.3 * noise).astype(np.float32))


def fill(key: str, shape) -> torch.Tensor:
    """A weight of the golden model by its name."""
    name = f"e.model.{key.replace('projector.', 'head.')}"
    if key.endswith("running_mean"):
        return torch.zeros(shape)
    if key.endswith("running_var"):
        return torch.ones(shape)
    if key.endswith(".bias"):
        return det(name, shape, 0.1)
    if len(shape) == 1:
        return det(name, shape, 0.2, 1)
    return det(name, shape, math.sqrt((6 if len(shape) == 4 else 3) / math.prod(shape[1:])))


def build(case: dict, weight_decay: float, dtype: torch.dtype) -> OnlineClassMeansLearner:
    opts = {
        **{"arch": "resnet18", "layers": case["L"], "hidden": 64, "bottleneck": 32, "classes": CLASSES},
        **{"bank": case["mem"], "temperature": case["tau"], "emaMomentum": case["ema"], "lr": 0.0},
        **{"device": DEVICE, "dtype": "fp32", "layout": "contiguous", "weightDecay": weight_decay},
    }
    learner = OnlineClassMeansLearner(opts)
    state = learner.model.state_dict()
    filled = {k: v if k.endswith("tracked") else fill(k, v.shape) for k, v in state.items()}
    learner.model.load_state_dict(filled)
    learner.momentum_model.load_state_dict(filled)
    learner.bank.features.copy_(det(f"e.memory.features.{case['mem']}", (case["mem"], 32), math.sqrt(3)))
    learner.bank.labels.copy_(labels(f"e.memory.labels.{case['mem']}", case["mem"]))
    return learner.to(dtype)


def run(path: Path, dtype: torch.dtype) -> dict[str, float]:
    worst: dict[str, float] = {}

    with safe_open(path, "pt") as golden:
        meta = golden.metadata()

        def compare(kind: str, key: str, actual: torch.Tensor) -> None:
            expected = golden.get_tensor(f"f64.{key}").double()
            distance = (actual.cpu().double().reshape(expected.shape) - expected).norm() / expected.norm()
            worst[kind] = max(worst.get(kind, 0.0), distance.item())

        learner = build(json.loads(meta["case"]), float(meta["wd"]), dtype)
        rates = golden.get_tensor("lr").tolist()
        for t, lr in enumerate(rates):
            crops = [images(f"e.step{t}.global0", BATCH, 64)]
            crops += [images(f"e.step{t}.local{i}", BATCH, 32) for i in (0, 1)]
            loss = learner.step([x.to(DEVICE, dtype) for x in crops], labels(f"e.labels.step{t}", BATCH).to(DEVICE), lr)
            compare("loss", f"step{t}.loss", loss)
            compare("prototypes", f"step{t}.prototypes", learner.bank.prototypes())
            compare("conv1", f"step{t}.conv1.first16", learner.model.encoder.conv1.weight.flatten()[:16])
        compare("bank", "final.memory.features", learner.bank.features)
        states = {"model": learner.model.state_dict(), "model_ema": learner.momentum_model.state_dict()}
        for key in golden.keys():
            if key.startswith("f64.final.full."):
                _, _, _, part, name = key.split(".", 4)
                compare("weights", key[4:], states[part][name.replace("head.", "projector.")])
        learner.eval()
        with torch.no_grad():
            logits = learner.logits(learner.model([images("e.eval", 6, 64).to(DEVICE, dtype)]))
        compare("evaluation", "eval.logits", logits)
        compare("evaluation", "eval.loss", F.cross_entropy(logits, labels("e.eval.labels", 6).to(DEVICE)))
    return worst


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    print(
        json.dumps(
            {
                f"{name} {dtype}".replace("torch.", ""): run(folder / f"{name}.safetensors", dtype)
                for name in ("e_ocm1", "e_ocm3")
                for dtype in (torch.float64, torch.float32)
            }
        )
    )
