"""One t-ReX training step (online class means) in eager PyTorch, as people write it."""

import torch

from ocm import OnlineClassMeansLearner
from protocol import options, serve
from training import memory_format

opts = options()
device, batch = opts["device"], opts["batch"]
learner = OnlineClassMeansLearner(opts)

sizes = [opts["globalSize"]] + [opts["localSize"]] * opts["localCrops"]
crops = [
    torch.randn(batch, 3, size, size).to(device, memory_format=memory_format(opts)) for size in sizes
]
labels = torch.randint(opts["classes"], (batch,)).to(device)

serve(opts, lambda: learner.step(crops, labels).item())
