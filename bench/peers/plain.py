"""One plain supervised step, ResNet + linear classifier + cross-entropy, in eager PyTorch."""

import torch
from torch import nn
from torch.nn import functional as F

from protocol import options, serve
from resnet import ResNet
from training import autocast, memory_format, sgd

opts = options()
device = opts["device"]
encoder = ResNet(opts["arch"])
model = nn.Sequential(encoder, nn.Linear(encoder.feature_dim, opts["classes"]))
model.to(device, memory_format=memory_format(opts))
optimizer = sgd(model, opts)

size = opts["globalSize"]
images = torch.randn(opts["batch"], 3, size, size).to(device, memory_format=memory_format(opts))
labels = torch.randint(opts["classes"], (opts["batch"],)).to(device)


def step() -> float:
    with autocast(opts):
        logits = model(images)  # [B, C]
    loss = F.cross_entropy(logits.float(), labels)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    return loss.item()


serve(opts, step)
