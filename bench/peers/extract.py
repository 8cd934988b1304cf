"""Features of a ResNet in plain eager PyTorch: of a batch of decoded images, or of JPEG files to an .npy file."""

import tempfile
from pathlib import Path

import torch

from protocol import options, serve
from resnet import ResNet
from training import autocast, memory_format

MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]

opts = options()
size = opts["size"]
layout = memory_format(opts)
device = opts["device"]
model = ResNet(opts["arch"]).to(device, memory_format=layout).eval()


@torch.inference_mode()
def features(images: torch.Tensor) -> torch.Tensor:
    with autocast(opts):
        return model(images.to(device).to(memory_format=layout)).float().cpu()


class Images(torch.utils.data.Dataset):
    """Shortest side to `size` by Pillow's antialiased bicubic, the middle of it, normalised."""

    def __init__(self):
        found = sorted(path for path in Path(opts["images"]).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
        self.paths = [found[i % len(found)] for i in range(opts["batch"])]

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        import numpy as np
        from PIL import Image

        image = Image.open(self.paths[index]).convert("RGB")
        width, height = image.size
        short = min(width, height)
        width, height = size * width // short, size * height // short
        image = image.resize((width, height), Image.BICUBIC)
        left, top = round((width - size) / 2), round((height - size) / 2)
        image = image.crop((left, top, left + size, top + size))
        pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).float() / 255
        return (pixels - MEAN) / STD


def of_tensors():
    images = torch.randn(opts["batch"], 3, size, size)
    return lambda: features(images).numpy().mean().item()


def of_files():
    import numpy as np
    import PIL  # noqa: F401, said now rather than in a worker

    loader = torch.utils.data.DataLoader(
        Images(), batch_size=opts["batchSize"], num_workers=opts["workers"], persistent_workers=opts["workers"] > 0
    )

    def step() -> float:
        rows = torch.cat([features(images) for images in loader]).numpy()
        with tempfile.TemporaryDirectory() as folder:
            np.save(Path(folder) / "features.npy", rows)
        return 0.0

    return step


serve(opts, of_files() if "images" in opts else of_tensors())
