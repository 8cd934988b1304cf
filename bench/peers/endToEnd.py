"""Training steps fed by a DataLoader from JPEG files: Pillow's decoding and crops in worker processes."""

from pathlib import Path

import torch
from PIL import Image

from crops import random_crop, to_batch
from ocm import OnlineClassMeansLearner
from protocol import options, serve
from training import memory_format

opts = options()
device, batch = opts["device"], opts["batch"]
groups = [{**opts["augment"], **opts[key]} for key in ("globalCrops", "localCrops")]


class Images(torch.utils.data.Dataset):
    """All crops of an image, normalised: a list of [3, S, S], globals first, and its label."""

    def __init__(self):
        self.paths = sorted(path for path in Path(opts["images"]).iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))

    def __len__(self) -> int:
        return 100 * batch

    def __getitem__(self, index: int):
        image = Image.open(self.paths[index % len(self.paths)]).convert("RGB")
        crops = [
            to_batch([random_crop(image, group)], opts["normalization"])[0]
            for group in groups
            for _ in range(group["count"])
        ]
        return crops, index % opts["classes"]


def batches():
    loader = torch.utils.data.DataLoader(
        Images(),
        batch_size=batch,
        shuffle=True,
        num_workers=opts["workers"],
        pin_memory=device.startswith("cuda"),
        persistent_workers=True,
        drop_last=True,
    )
    while True:
        yield from loader


learner = OnlineClassMeansLearner(opts)
endless = batches()


def step() -> float:
    crops, labels = next(endless)
    crops = [x.to(device, non_blocking=True).to(memory_format=memory_format(opts)) for x in crops]
    return learner.step(crops, labels.to(device, non_blocking=True)).item()


serve(opts, step)
