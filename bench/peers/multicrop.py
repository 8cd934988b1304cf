"""Multi-crop model with an expendable projector and the memory bank of online class means, in plain torch.nn."""

from itertools import groupby

import torch
from torch import nn
from torch.nn import functional as F

from resnet import ResNet


class L2Normalize(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.normalize(x, dim=1)


class HiddenLayer(nn.Module):
    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.fc = nn.Linear(inputs, outputs)
        self.bn = nn.BatchNorm1d(outputs)
        self.gelu = nn.GELU()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.gelu(self.bn(self.fc(x)))


class Projector(nn.Module):
    """Features [N, inputs] -> embeddings [N, bottleneck]: l2-norm, layers x (Linear, BN, GELU), Linear."""

    def __init__(self, inputs: int, layers: int, hidden: int, bottleneck: int):
        super().__init__()
        modules: list[nn.Module] = [L2Normalize()]
        for _ in range(layers):
            modules.append(HiddenLayer(inputs, hidden))
            inputs = hidden
        modules.append(nn.Linear(inputs, bottleneck, bias=False))
        self.layers = nn.Sequential(*modules)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.layers(features)


class MultiCropModel(nn.Module):
    """Crops (a list of [B, 3, S, S], globals first) -> embeddings [M*B, bottleneck], crop-major."""

    def __init__(self, opts: dict):
        super().__init__()
        self.encoder = ResNet(opts["arch"])
        self.projector = Projector(
            self.encoder.feature_dim, opts["layers"], opts["hidden"], opts["bottleneck"]
        )

    def forward(self, crops: list[torch.Tensor]) -> torch.Tensor:
        groups = [list(group) for _, group in groupby(crops, key=lambda crop: crop.shape[-1])]
        features = torch.cat([self.encoder(torch.cat(group)) for group in groups])
        return self.projector(features)


class MemoryBank(nn.Module):
    """A ring of (embedding, label) pairs; prototypes are the normalised sums of its rows per class."""

    def __init__(self, size: int, dim: int, classes: int):
        super().__init__()
        self.classes = classes
        self.ptr = 0
        self.register_buffer("features", torch.randn(size, dim))
        self.register_buffer("labels", torch.randint(classes, (size,)))

    def prototypes(self) -> torch.Tensor:
        sums = self.features.new_zeros(self.classes, self.features.shape[1])
        return F.normalize(sums.index_add_(0, self.labels, self.features), dim=1)

    def enqueue(self, embeddings: torch.Tensor, labels: torch.Tensor) -> None:
        rows = min(len(labels), len(self.labels) - self.ptr)
        self.features[self.ptr : self.ptr + rows] = embeddings[:rows]
        self.labels[self.ptr : self.ptr + rows] = labels[:rows]
        self.ptr = (self.ptr + rows) % len(self.labels)
