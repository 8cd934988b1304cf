"""One t-ReX training step (online class means) in eager PyTorch, as people write it."""

import copy

import torch
from torch.nn import functional as F

from multicrop import MemoryBank, MultiCropModel
from protocol import options, serve
from training import autocast, memory_format, sgd

opts = options()
device, batch = opts["device"], opts["batch"]
model = MultiCropModel(opts).to(device, memory_format=memory_format(opts))
momentum_model = copy.deepcopy(model).requires_grad_(False)
bank = MemoryBank(opts["bank"], opts["bottleneck"], opts["classes"]).to(device)
optimizer = sgd(model, opts)

sizes = [opts["globalSize"]] + [opts["localSize"]] * opts["localCrops"]
crops = [
    torch.randn(batch, 3, size, size).to(device, memory_format=memory_format(opts)) for size in sizes
]
labels = torch.randint(opts["classes"], (batch,)).to(device)
targets = labels.repeat(len(crops))


@torch.no_grad()
def update_momentum_model() -> None:
    for ema, p in zip(momentum_model.parameters(), model.parameters()):
        ema.mul_(opts["emaMomentum"]).add_(p, alpha=1 - opts["emaMomentum"])


def step() -> float:
    with autocast(opts):
        z = model(crops)  # [M*B, D]
    prototypes = bank.prototypes()  # [C, D]
    logits = F.normalize(z.float(), dim=1) @ prototypes.t() / opts["temperature"]  # [M*B, C]

    update_momentum_model()
    with torch.no_grad(), autocast(opts):
        z_momentum = momentum_model(crops[:1])  # [B, D]
    bank.enqueue(z_momentum.float(), labels)

    loss = F.cross_entropy(logits, targets)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


serve(opts, step)
