"""What a t-ReX training step with online class means reads and writes, in eager PyTorch."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from multicrop import MemoryBank, MultiCropModel
from training import autocast, grad_scaler, memory_format, sgd


class OnlineClassMeansLearner(nn.Module):
    """Model, momentum model, memory bank and optimizer; one call of `step` is one training step."""

    def __init__(self, opts: dict):
        super().__init__()
        self.opts = opts
        self.model = MultiCropModel(opts)
        self.momentum_model = copy.deepcopy(self.model).requires_grad_(False)
        self.bank = MemoryBank(opts["bank"], opts["bottleneck"], opts["classes"])
        for part in (self.model, self.momentum_model):
            part.to(opts["device"], memory_format=memory_format(opts))
        self.bank.to(opts["device"])
        self.optimizer = sgd(self.model, opts)
        self.scaler = grad_scaler(opts)

    def logits(self, z: torch.Tensor) -> torch.Tensor:
        """Cosines of embeddings [N, D] with the class means over the temperature [N, C], not in reduced precision."""
        exact = z if z.dtype == torch.float64 else z.float()
        return F.normalize(exact, dim=1) @ self.bank.prototypes().t() / self.opts["temperature"]

    @torch.no_grad()
    def update_momentum_model(self) -> None:
        m = self.opts["emaMomentum"]
        for ema, p in zip(self.momentum_model.parameters(), self.model.parameters()):
            ema.mul_(m).add_(p, alpha=1 - m)

    def step(self, crops: list[torch.Tensor], labels: torch.Tensor, lr: float | None = None) -> torch.Tensor:
        """Learns from crops (a list of [B, 3, S, S], globals first) and labels [B]; the loss, detached."""
        if lr is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = lr
        with autocast(self.opts):
            z = self.model(crops)  # [M*B, D]
        logits = self.logits(z)  # [M*B, C]

        self.update_momentum_model()
        with torch.no_grad(), autocast(self.opts):
            z_momentum = self.momentum_model(crops[:1])  # [B, D]
        self.bank.enqueue(z_momentum.to(self.bank.features.dtype), labels)

        loss = F.cross_entropy(logits, labels.repeat(len(crops)))
        self.optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach()
