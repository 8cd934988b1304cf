"""Encoders as Hugging Face transformers saves them, and their features, for transformersModels.test.ts.

    python transformersModels.py FOLDER
"""

import sys
from pathlib import Path

import torch
from transformers import ResNetConfig, ResNetForImageClassification, ViTConfig, ViTModel

FOLDER = Path(sys.argv[1])
torch.manual_seed(3)
x = torch.randn(2, 3, 224, 224)
x.numpy().tofile(FOLDER / "input.f32")

# layer_norm_eps: DINO's and timm's, which the encoder here has; transformers' own default is 1e-12
vit = ViTModel(
    ViTConfig(hidden_size=192, num_attention_heads=3, intermediate_size=768, layer_norm_eps=1e-6)
).eval()
resnet = ResNetForImageClassification(
    ResNetConfig(layer_type="basic", hidden_sizes=[64, 128, 256, 512], depths=[2, 2, 2, 2])
).eval()
for parameter in [*vit.parameters(), *resnet.parameters()]:
    with torch.no_grad():
        parameter.add_(torch.randn_like(parameter) * 0.02)  # biases and norms are not those of the beginning
features = {
    "vit": lambda: vit(x).last_hidden_state[:, 0],
    "resnet": lambda: resnet.resnet(x).pooler_output.flatten(1),
}
for name, model in {"vit": vit, "resnet": resnet}.items():
    model.save_pretrained(FOLDER / name)
    with torch.no_grad():
        features[name]().numpy().tofile(FOLDER / f"{name}.f32")
